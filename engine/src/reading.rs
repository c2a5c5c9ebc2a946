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
pub enum Message {
    /// A batch of the file at this place.
    Batch(usize, Batch),
    /// The file at this place was read to its end.
    Done(usize, Counts),
    /// The file at this place could not be read to its end.
    Failed(usize, Finding),
}

/// Reads `files` one after the other and hands everything to `take`.
///
/// # Errors
/// What `take` returns, and [`EngineError::Internal`] for a mistake in a parser.
pub fn read(
    files: &[&Known],
    settings: &Settings,
    progress: &dyn Progress,
    total_bytes: u64,
    take: impl FnMut(Message) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let (sender, receiver) = bounded(BATCHES_MAX);
    thread::scope(|scope| {
        let parse = move || -> Result<(), EngineError> {
            for (place, file) in files.iter().enumerate() {
                progress.file(&file.source.name, total_bytes);
                let mut hand_over = |batch| {
                    sender
                        .send(Message::Batch(place, batch))
                        .map_err(|_| Stopped)
                };
                let message = match file.format.read(&file.source, settings, &mut hand_over) {
                    Ok(counts) => Message::Done(place, counts),
                    Err(ReadError::Stopped(_)) => return Ok(()),
                    Err(ReadError::Io { source, .. }) => {
                        Message::Failed(place, unreadable(file, &source))
                    }
                    Err(ReadError::Internal { file, message }) => {
                        return Err(internal(format!("{file}: {message}")));
                    }
                };
                if sender.send(message).is_err() {
                    return Ok(());
                }
            }
            Ok(())
        };
        let named = thread::Builder::new().name("read".to_owned());
        let reader = named.spawn_scoped(scope, parse).map_err(internal)?;
        let taken = take_all(receiver, take);
        let read = reader.join().map_err(|_| internal("a parser panicked"))?;
        taken.and(read)
    })
}

/// Takes by value, so that an error closes the channel and stops the reader.
fn take_all(
    messages: Receiver<Message>,
    take: impl FnMut(Message) -> Result<(), EngineError>,
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
