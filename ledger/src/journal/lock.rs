//! One writer at a time.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Clock, SystemClock};
use crate::LedgerError;

/// The file that a writer locks. It names the process, for whoever has to wait.
pub const LOCK: &str = ".lock";

/// The right to write, as long as it lives. The operating system takes it back from a process
/// that dies.
pub struct WriterLock {
    path: PathBuf,
    file: File,
}

impl WriterLock {
    /// Takes the lock of the ledger in `dir`.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] while another process writes, [`LedgerError::Write`] if the folder
    /// may not be written.
    pub fn take(dir: &Path) -> Result<Self, LedgerError> {
        let path = dir.join(LOCK);
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)
                .map_err(LedgerError::write(&path))?;
            if file.try_lock().is_err() {
                let mut holder = String::new();
                // Whoever holds the lock has it for longer than the name takes to be read.
                let _ = file.read_to_string(&mut holder);
                return Err(LedgerError::Busy {
                    path: dir.to_owned(),
                    holder: holder.trim_end().to_owned(),
                });
            }
            // The file may have been removed between opening and locking it.
            if is_same(&file, &path) {
                let holder = format!("process {} since {}", std::process::id(), SystemClock.now());
                file.set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| writeln!(file, "{holder}"))
                    .map_err(LedgerError::write(&path))?;
                return Ok(Self { path, file });
            }
        }
    }

    /// Removes the file, where the ledger was never begun.
    pub fn remove(self) {
        // A file that stays harms nobody.
        let _ = fs::remove_file(&self.path);
    }
}

impl Drop for WriterLock {
    /// Closing the file would leave the lock to a program that this one is about to start, until
    /// that is begun: it has the file too.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// Whether `path` names `file`.
#[cfg(unix)]
pub(crate) fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(own), Ok(named)) => own.ino() == named.ino() && own.dev() == named.dev(),
        _ => false,
    }
}

/// Whether `path` names `file`, as far as can be told.
#[cfg(not(unix))]
pub(crate) fn is_same(_: &File, path: &Path) -> bool {
    path.exists()
}
