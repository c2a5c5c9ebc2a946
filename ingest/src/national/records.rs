//! Records of one width, on lines of their own or with no line ends at all.

use std::io::{self, BufReader, Read};

use super::charset::one_byte_a_character;
use super::desk::Desk;
use crate::format::{ReadError, Settings};
use crate::lines::{FileLines, Line, LineReader};
use crate::transport::SourceFile;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one record after another.
pub(crate) trait RecordReader<'a> {
    /// Reads a record that is not blank.
    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError>;

    /// Where rows and refusals go.
    fn desk(&mut self) -> &mut Desk<'a>;
}

/// Gives every record of `file` to `reader`; then the bytes and lines of the file. Records are
/// `width` bytes where no line end says otherwise.
pub(crate) fn read_records<'a>(
    file: &SourceFile,
    settings: &Settings,
    width: usize,
    reader: &mut impl RecordReader<'a>,
) -> Result<(u64, u64), ReadError> {
    let mut records = Records::open(file, settings, width)?;
    while let Some(line) = records.next().map_err(|error| file.refused(error))? {
        if line.is_blank() {
            continue;
        }
        if line.is_cut {
            reader.desk().refuse_long_line(&line)?;
            continue;
        }
        read_line(&line, width, reader)?;
    }
    Ok(records.bytes_and_lines())
}

fn read_line<'a>(
    line: &Line<'_>,
    width: usize,
    reader: &mut impl RecordReader<'a>,
) -> Result<(), ReadError> {
    if !line.bytes.is_ascii() && std::str::from_utf8(line.bytes).is_err() {
        reader.desk().note_converted(line.number);
    }
    let bytes = one_byte_a_character(line.bytes, width);
    let is_joined = bytes.len() > width && bytes.len().is_multiple_of(width);
    if !is_joined || bytes.len() != line.bytes.len() {
        return reader.record(&Line {
            bytes: &bytes,
            ..*line
        });
    }
    for (place, piece) in bytes.chunks(width).enumerate() {
        let start = line.start + (place * width) as u64;
        let piece = Line {
            start,
            end: start + piece.len() as u64,
            bytes: piece,
            ..*line
        };
        if !piece.is_blank() {
            reader.record(&piece)?;
        }
    }
    Ok(())
}

/// The first line of `head` that is not blank, without a byte order mark.
pub(crate) fn first_line(head: &[u8]) -> &[u8] {
    let text = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let mut lines = text.split(|&byte| byte == b'\n' || byte == b'\r');
    lines
        .find(|line| !line.trim_ascii().is_empty())
        .unwrap_or_default()
}

enum Records {
    Lines(FileLines),
    Unbroken(Unbroken),
}

impl Records {
    fn open(file: &SourceFile, settings: &Settings, width: usize) -> Result<Self, ReadError> {
        // Twice the width holds a line end wherever there are any.
        let head = file.head(2 * width + BYTE_ORDER_MARK.len());
        let head = head.map_err(|error| file.refused(error))?;
        let has_lines = head.iter().any(|byte| matches!(byte, b'\n' | b'\r'));
        if has_lines || head.len() <= width {
            return Ok(Self::Lines(LineReader::open(file, settings)?));
        }
        let source = file.open().map_err(|error| file.refused(error))?;
        let mark = head.starts_with(BYTE_ORDER_MARK);
        let unbroken = Unbroken::new(source, settings.chunk_bytes, width, mark);
        unbroken
            .map(Self::Unbroken)
            .map_err(|error| file.refused(error))
    }

    fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        match self {
            Self::Lines(lines) => lines.read_line(),
            Self::Unbroken(unbroken) => unbroken.next(),
        }
    }

    fn bytes_and_lines(&self) -> (u64, u64) {
        match self {
            Self::Lines(lines) => (lines.bytes(), lines.lines()),
            Self::Unbroken(unbroken) => (unbroken.position, unbroken.number),
        }
    }
}

/// Records that follow each other without line ends; each counts as a line.
struct Unbroken {
    source: BufReader<Box<dyn Read + Send>>,
    record: Vec<u8>,
    position: u64,
    number: u64,
}

impl Unbroken {
    fn new(
        source: Box<dyn Read + Send>,
        chunk_bytes: usize,
        width: usize,
        has_mark: bool,
    ) -> io::Result<Self> {
        let mut unbroken = Self {
            source: BufReader::with_capacity(chunk_bytes.max(1), source),
            record: vec![0; width],
            position: 0,
            number: 0,
        };
        if has_mark {
            unbroken.source.read_exact(&mut [0; 3])?;
            unbroken.position = 3;
        }
        Ok(unbroken)
    }

    fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let length = self.fill()?;
        if length == 0 {
            return Ok(None);
        }
        let start = self.position;
        self.position += length as u64;
        let bytes = without_padding(self.record.get(..length).unwrap_or_default());
        self.number += 1;
        Ok(Some(Line {
            number: self.number,
            start,
            end: start + bytes.len() as u64,
            bytes,
            is_cut: false,
        }))
    }

    fn fill(&mut self) -> io::Result<usize> {
        let mut length = 0;
        while let Some(room) = self
            .record
            .get_mut(length..)
            .filter(|room| !room.is_empty())
        {
            match self.source.read(room) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(length)
    }
}

fn without_padding(record: &[u8]) -> &[u8] {
    let is_padding = |byte: &&u8| matches!(byte, b'\n' | b'\r' | 0 | 0x1a);
    let padding = record.iter().rev().take_while(is_padding).count();
    record.get(..record.len() - padding).unwrap_or_default()
}
