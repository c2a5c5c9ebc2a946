//! A folder whose files are taken as they are dropped there.
//!
//! The folder is looked at every so often, since what tells a program of new files does not work on
//! network shares. A file is taken once its size and time have stayed the same for a while, by the
//! watcher's own clock; one that a program on this machine has open for writing, or whose name says
//! that it is being written, waits. Files that are ready together are one run of the ledger. What is
//! late or out of order comes out right there, and what came before adds nothing, so that a watcher
//! that was killed simply begins again.
//!
//! A file that cannot be read is set aside by an event of the ledger, with its reason, and left alone
//! until it changes or somebody asks for it again. It stays where it is: folders of banks are often
//! only to be read.

mod aside;
mod settling;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use tieout_ledger::LedgerError;

pub use aside::{Aside, aside};
use settling::Settling;

use crate::{EngineError, NoProgress, RunOptions, Summary, run};

/// The longest sleep, so that a watcher stops soon after it is told to.
const NAP: Duration = Duration::from_millis(50);

/// What is watched, and how.
#[derive(Clone, Debug)]
pub struct WatchOptions {
    /// The folder.
    pub dir: PathBuf,
    /// How files are tied out; its `paths` are not looked at, its `ledger` has to be given.
    pub run: RunOptions,
    /// How long a file stays the same before it is taken.
    pub settle: Duration,
    /// How long the watcher waits before it looks again.
    pub interval: Duration,
    /// Take what is there, and stop.
    pub once: bool,
    /// Take what is set aside too, once.
    pub retry: bool,
}

/// Is told what happens in the folder.
pub trait Watcher: Sync {
    /// Whether the watcher is to stop; asked often.
    fn stops(&self) -> bool;
    /// Files were read.
    fn tied_out(&self, _summary: &Summary) {}
    /// A file was set aside.
    fn set_aside(&self, _aside: &Aside) {}
    /// Nothing goes on for now, and why; the same reason is told once.
    fn waits(&self, _why: &str) {}
}

/// What a watcher has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// Runs.
    pub runs: u64,
    /// Files that were set aside.
    pub set_aside: u64,
    /// Files that were not complete when it stopped.
    pub unfinished: u64,
    /// Whether all that was read ties.
    pub is_clean: bool,
}

/// Watches the folder until the watcher says to stop, or, with `once`, until all complete files are
/// taken. A run that has begun is ended first.
///
/// # Errors
/// [`EngineError::Path`] if the folder cannot be listed at the beginning, and whatever keeps the
/// ledger from being written; nothing is lost then, and the next watcher goes on.
pub fn watch(options: &WatchOptions, watcher: &dyn Watcher) -> Result<Watched, EngineError> {
    let mut watch = Watch::of(options, watcher)?;
    while !watcher.stops() {
        let ready = match watch.files.look(Instant::now()) {
            Ok(ready) => ready,
            // A share that is gone for a while comes back.
            Err(error) if watch.has_looked && !options.once => {
                watch.wait_for(&error.to_string());
                continue;
            }
            Err(error) => return Err(error),
        };
        watch.has_looked = true;
        if !ready.is_empty() && !watch.take(&ready)? {
            watch.nap(options.interval);
            continue;
        }
        if options.once && watch.files.is_settled() {
            break;
        }
        watch.nap(if options.once {
            options.interval.min(options.settle)
        } else {
            options.interval
        });
    }
    watch.watched.unfinished = watch.files.unfinished();
    Ok(watch.watched)
}

struct Watch<'a> {
    options: &'a WatchOptions,
    watcher: &'a dyn Watcher,
    ledger: PathBuf,
    files: Settling,
    watched: Watched,
    has_looked: bool,
    told: String,
}

impl<'a> Watch<'a> {
    fn of(options: &'a WatchOptions, watcher: &'a dyn Watcher) -> Result<Self, EngineError> {
        let ledger = options.run.ledger.clone();
        let ledger = ledger.ok_or_else(|| EngineError::Request("no ledger is named".to_owned()))?;
        let mut files = Settling::of(&options.dir, options.settle);
        if !options.retry {
            for aside in aside::of_folder(&ledger)? {
                files.leave_out(&aside);
            }
        }
        Ok(Self {
            options,
            watcher,
            ledger,
            files,
            watched: Watched {
                is_clean: true,
                ..Watched::default()
            },
            has_looked: false,
            told: String::new(),
        })
    }

    /// Takes files that are ready; says whether that was possible.
    fn take(&mut self, ready: &[PathBuf]) -> Result<bool, EngineError> {
        match self.run(ready) {
            Ok(summary) => self.taken(ready, &summary)?,
            Err(EngineError::Ledger(error @ LedgerError::Busy { .. })) => {
                self.wait_for(&error.to_string());
                return Ok(false);
            }
            // A file that went away meanwhile is no file any more.
            Err(EngineError::Path { .. } | EngineError::NoFiles(_)) => {
                self.files.forget(ready);
                return Ok(false);
            }
            Err(error) if is_of_files(&error) => return self.take_apart(ready, &error),
            Err(error) => return Err(error),
        }
        self.told.clear();
        Ok(true)
    }

    /// One of the files keeps all from being read: which one is found out by taking each for itself.
    fn take_apart(&mut self, ready: &[PathBuf], error: &EngineError) -> Result<bool, EngineError> {
        if let [file] = ready {
            self.put_aside(&[Aside::of(file, &error.to_string())])?;
            self.files.take(ready);
            return Ok(true);
        }
        for file in ready {
            if self.watcher.stops() {
                return Ok(true);
            }
            if !self.take(std::slice::from_ref(file))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn run(&self, files: &[PathBuf]) -> Result<Summary, EngineError> {
        let mut options = self.options.run.clone();
        options.paths = files.to_vec();
        run(&options, &NoProgress)
    }

    fn taken(&mut self, ready: &[PathBuf], summary: &Summary) -> Result<(), EngineError> {
        self.files.take(ready);
        let failed: Vec<Aside> = summary
            .files
            .iter()
            .filter_map(|file| {
                let reason = file.failed.as_ref()?;
                let of_file = |path: &&PathBuf| file.file.starts_with(&*path.to_string_lossy());
                // Of two names that one begins with, it is the longer one's.
                let alike = ready.iter().filter(of_file);
                let path = alike.max_by_key(|path| path.as_os_str().len())?;
                Some(Aside::of(path, reason))
            })
            .collect();
        self.put_aside(&failed)?;
        let is_failed = |path: &PathBuf| failed.iter().any(|aside| aside.is_of(path));
        aside::clear(&self.ledger, ready.iter().filter(|path| !is_failed(path)))?;
        if summary.posting.is_some() {
            self.watched.runs += 1;
            self.watched.is_clean &= summary.is_clean();
            self.watcher.tied_out(summary);
        }
        Ok(())
    }

    fn put_aside(&mut self, files: &[Aside]) -> Result<(), EngineError> {
        if files.is_empty() {
            return Ok(());
        }
        aside::record(&self.ledger, files)?;
        self.watched.set_aside += files.len() as u64;
        self.watched.is_clean = false;
        for file in files {
            self.watcher.set_aside(file);
        }
        Ok(())
    }

    fn wait_for(&mut self, why: &str) {
        if self.told != why {
            why.clone_into(&mut self.told);
            self.watcher.waits(why);
        }
        self.nap(self.options.interval);
    }

    fn nap(&self, length: Duration) {
        let until = Instant::now() + length;
        while !self.watcher.stops() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            thread::sleep(left.min(NAP));
        }
    }
}

/// Whether the error may come from what one of the files holds, and not from the ledger's disk.
fn is_of_files(error: &EngineError) -> bool {
    matches!(
        error,
        EngineError::Internal(_)
            | EngineError::Condition { .. }
            | EngineError::Ledger(
                LedgerError::Refused { .. }
                    | LedgerError::Unbalanced { .. }
                    | LedgerError::Shape { .. }
            )
    )
}
