//! Blocks parsed side by side and handed over in the order of the file.

use std::collections::VecDeque;
use std::io::Read;
use std::thread;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use crossbeam::channel::{Receiver, Sender, bounded};
use tieout_core::QuarantinedLine;

use crate::canonical::blocks::{Block, Blocks, Piece};
use crate::format::ReadError;
use crate::transport::SourceFile;

/// Blocks that are read ahead for each thread.
const BLOCKS_PER_THREAD: usize = 2;

/// What a block became.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub batches: Vec<RecordBatch>,
    pub refused: Vec<QuarantinedLine>,
    pub notes: Notes,
}

/// What is said once for the whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Notes {
    /// Records whose text was converted from an older character set.
    pub converted: u64,
    /// The line of the first of them.
    pub first_converted: Option<u64>,
    /// Names without a column, with the line where each came first.
    pub unknown: Vec<(String, u64)>,
}

/// Names without a column that are remembered.
const UNKNOWN_NAMES_MAX: usize = 100;

impl Notes {
    /// Notes a record whose text was converted.
    pub fn convert(&mut self, line: u64) {
        self.converted += 1;
        self.first_converted.get_or_insert(line);
    }

    /// Notes a name without a column.
    pub fn unknown_name(&mut self, name: &str, line: u64) {
        let is_known = self.unknown.iter().any(|(known, _)| known == name);
        if !is_known && self.unknown.len() < UNKNOWN_NAMES_MAX {
            self.unknown.push((name.to_owned(), line));
        }
    }

    /// Adds the notes of a later block.
    pub fn add(&mut self, later: Self) {
        self.converted += later.converted;
        self.first_converted = self.first_converted.or(later.first_converted);
        for (name, line) in later.unknown {
            self.unknown_name(&name, line);
        }
    }
}

/// Parses blocks; which thread parses which makes no difference.
pub(super) trait BlockParser: Sync {
    fn parse(&self, block: &Block) -> Result<Parsed, ArrowError>;
}

/// Takes what the blocks became, in the order of the file.
pub(super) type Deliver<'a> = dyn FnMut(Parsed) -> Result<(), ReadError> + 'a;

struct Job {
    block: Block,
    answer: Sender<Answer>,
}

struct Answer {
    parsed: Result<Parsed, ArrowError>,
    buffer: Vec<u8>,
}

/// What stands in the file's order: being parsed, or already known.
enum Place {
    Parsing(Receiver<Answer>),
    Refused(QuarantinedLine),
}

/// Parses all of `blocks` with `threads` threads.
pub(super) fn parse_blocks<R: Read>(
    file: &SourceFile,
    blocks: &mut Blocks<R>,
    parser: &dyn BlockParser,
    threads: usize,
    deliver: &mut Deliver<'_>,
) -> Result<(), ReadError> {
    if threads <= 1 {
        return parse_in_turn(file, blocks, parser, deliver);
    }
    thread::scope(|scope| {
        // Threads end when `jobs` is dropped, at the end of this block.
        let (jobs, queue) = bounded(threads * BLOCKS_PER_THREAD);
        for _ in 0..threads {
            let queue: Receiver<Job> = queue.clone();
            scope.spawn(move || work(&queue, parser));
        }
        feed(file, blocks, &jobs, threads * BLOCKS_PER_THREAD, deliver)
    })
}

fn parse_in_turn<R: Read>(
    file: &SourceFile,
    blocks: &mut Blocks<R>,
    parser: &dyn BlockParser,
    deliver: &mut Deliver<'_>,
) -> Result<(), ReadError> {
    while let Some(piece) = blocks.next_piece().map_err(|error| file.refused(error))? {
        match piece {
            Piece::Refused(line) => deliver(refused(line))?,
            Piece::Records(block) => {
                let parsed = parser.parse(&block);
                blocks.recycle(block.bytes);
                deliver(parsed.map_err(|error| internal(file, &error))?)?;
            }
        }
    }
    Ok(())
}

fn work(queue: &Receiver<Job>, parser: &dyn BlockParser) {
    for job in queue {
        let answer = Answer {
            parsed: parser.parse(&job.block),
            buffer: job.block.bytes,
        };
        // Nobody waits for the answer once the run is stopped.
        let _ = job.answer.send(answer);
    }
}

fn feed<R: Read>(
    file: &SourceFile,
    blocks: &mut Blocks<R>,
    jobs: &Sender<Job>,
    places_max: usize,
    deliver: &mut Deliver<'_>,
) -> Result<(), ReadError> {
    let mut places = VecDeque::with_capacity(places_max);
    let mut is_more = true;
    loop {
        while is_more && places.len() < places_max {
            match blocks.next_piece().map_err(|error| file.refused(error))? {
                Some(piece) => places.push_back(place(file, piece, jobs)?),
                None => is_more = false,
            }
        }
        let Some(place) = places.pop_front() else {
            return Ok(());
        };
        deliver(settle(file, place, blocks)?)?;
    }
}

fn place(file: &SourceFile, piece: Piece, jobs: &Sender<Job>) -> Result<Place, ReadError> {
    match piece {
        Piece::Refused(line) => Ok(Place::Refused(line)),
        Piece::Records(block) => {
            let (answer, place) = bounded(1);
            let job = Job { block, answer };
            jobs.send(job).map_err(|_| broken(file))?;
            Ok(Place::Parsing(place))
        }
    }
}

fn settle<R: Read>(
    file: &SourceFile,
    place: Place,
    blocks: &mut Blocks<R>,
) -> Result<Parsed, ReadError> {
    match place {
        Place::Refused(line) => Ok(refused(line)),
        Place::Parsing(answer) => {
            let answer = answer.recv().map_err(|_| broken(file))?;
            blocks.recycle(answer.buffer);
            answer.parsed.map_err(|error| internal(file, &error))
        }
    }
}

fn refused(line: QuarantinedLine) -> Parsed {
    Parsed {
        refused: vec![line],
        ..Parsed::default()
    }
}

fn internal(file: &SourceFile, error: &ArrowError) -> ReadError {
    ReadError::Internal {
        file: file.name.clone(),
        message: error.to_string(),
    }
}

fn broken(file: &SourceFile) -> ReadError {
    ReadError::Internal {
        file: file.name.clone(),
        message: "a reading thread ended early".to_owned(),
    }
}
