//! Files read on a thread of their own, their batches handed over through a bounded channel.

use std::thread;

use crossbeam::channel::{Receiver, bounded};
use tieout_core::{Finding, FindingCode, Severity};
use tieout_ingest::{Batch, Counts, ReadError, Settings, Stopped};

use crate::files::Known;
use crate::intake::internal;
use crate::{EngineError, Progress};

/// Batches that may wait to be taken; the reader then waits too, and memory stays bounded.
const BATCHES_MAX: usize = 4;

/// What the reader says.
pub enum Message<T> {
    /// Something of the file that is being read, or of all files after the last.
    Item(T),
    /// The file at this place was read to its end.
    Done(usize, Counts),
    /// The file at this place could not be read to its end.
    Failed(usize, Finding),
}

/// How a stage hands on what it has made.
pub type Give<'a, T> = &'a mut dyn FnMut(T) -> Result<(), EngineError>;

/// What is done with batches on the reader's thread, as they are parsed.
pub trait Stage: Send {
    /// What is handed on.
    type Item: Send;

    /// Takes a batch of the file at `place`.
    fn take(
        &mut self,
        place: usize,
        batch: Batch,
        give: Give<Self::Item>,
    ) -> Result<(), EngineError>;

    /// The file ends here.
    fn done(&mut self, _give: Give<Self::Item>) -> Result<(), EngineError> {
        Ok(())
    }

    /// All files end here.
    fn finish(&mut self, _give: Give<Self::Item>) -> Result<(), EngineError> {
        Ok(())
    }
}

/// Hands on batches as they are, with the places of their files.
pub struct AsParsed;

impl Stage for AsParsed {
    type Item = (usize, Batch);

    fn take(
        &mut self,
        place: usize,
        batch: Batch,
        give: Give<(usize, Batch)>,
    ) -> Result<(), EngineError> {
        give((place, batch))
    }
}

/// Reads `files` one after the other through `stage`, hands everything to `take`, and gives the
/// stage back.
///
/// # Errors
/// What `take` or the stage returns, and [`EngineError::Internal`] for a mistake in a parser.
pub fn read<S: Stage>(
    files: &[&Known],
    settings: &Settings,
    progress: &dyn Progress,
    total_bytes: u64,
    mut stage: S,
    take: impl FnMut(Message<S::Item>) -> Result<(), EngineError>,
) -> Result<S, EngineError> {
    let (sender, receiver) = bounded(BATCHES_MAX);
    thread::scope(|scope| {
        let parse = move || -> Result<S, EngineError> {
            // Whoever takes has an error of its own to show when it takes no more.
            let send = |message| {
                sender
                    .send(message)
                    .map_err(|_| internal("nobody reads on"))
            };
            let mut give = |item| send(Message::Item(item));
            for (place, file) in files.iter().enumerate() {
                progress.file(&file.source.name, total_bytes);
                let mut failure = None;
                let mut hand_over = |batch| {
                    stage.take(place, batch, &mut give).map_err(|error| {
                        failure = Some(error);
                        Stopped
                    })
                };
                let read = file.format.read(&file.source, settings, &mut hand_over);
                if let Some(error) = failure {
                    return Err(error);
                }
                stage.done(&mut give)?;
                send(match read {
                    Ok(counts) => Message::Done(place, counts),
                    Err(ReadError::Io { source, .. }) => {
                        Message::Failed(place, unreadable(file, &source))
                    }
                    Err(ReadError::Stopped(_)) => return Ok(stage),
                    Err(ReadError::Internal { file, message }) => {
                        return Err(internal(format!("{file}: {message}")));
                    }
                })?;
            }
            stage.finish(&mut give)?;
            Ok(stage)
        };
        let named = thread::Builder::new().name("read".to_owned());
        let reader = named.spawn_scoped(scope, parse).map_err(internal)?;
        let taken = take_all(receiver, take);
        let read = reader.join().map_err(|_| internal("a parser panicked"))?;
        taken.and(read)
    })
}

/// Takes by value, so that an error closes the channel and stops the reader.
fn take_all<T>(
    messages: Receiver<Message<T>>,
    take: impl FnMut(Message<T>) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    messages.into_iter().try_for_each(take)
}

fn unreadable(file: &Known, source: &std::io::Error) -> Finding {
    Finding {
        severity: Severity::Error,
        code: FindingCode::UnreadableFile,
        file: file.source.name.clone(),
        line: None,
        found: format!("reading stopped: {source}"),
        expected: "a file that can be read to its end".to_owned(),
        action: "check the disk and the file's permissions, and run again; what was read up to \
                 there is in the tables"
            .to_owned(),
    }
}
