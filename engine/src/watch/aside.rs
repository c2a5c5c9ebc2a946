//! Files that are set aside: kept as events of the ledger, by name, with the reason.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tieout_ledger::journal::EventKind;
use tieout_ledger::{Ledger, LedgerError};

use crate::EngineError;

/// A file that is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its path, as the folder was given.
    pub file: String,
    /// Why it was not read.
    pub reason: String,
    /// BLAKE3 of its bytes then: with others it is another file.
    pub digest: String,
}

impl Aside {
    pub(super) fn of(path: &Path, reason: &str) -> Self {
        Self {
            file: path.display().to_string(),
            reason: reason.to_owned(),
            digest: digest(path),
        }
    }

    pub(super) fn is_of(&self, path: &Path) -> bool {
        self.file == path.display().to_string()
    }

    /// Whether the file is still the one that was set aside.
    pub(super) fn is_same(&self, path: &Path) -> bool {
        !self.digest.is_empty() && self.digest == digest(path)
    }

    fn read(said: &Value) -> Option<Self> {
        let text = |name: &str| said[name].as_str().map(str::to_owned);
        Some(Self {
            file: text("file")?,
            reason: text("reason")?,
            digest: text("digest")?,
        })
    }
}

/// The files that are set aside in the ledger in `ledger_dir`, by name.
///
/// # Errors
/// [`EngineError::Ledger`] if there is no ledger or it cannot be read.
pub fn aside(ledger_dir: &Path) -> Result<Vec<Aside>, EngineError> {
    let said = Ledger::open(ledger_dir)?.journal()?.aside()?;
    Ok(said.iter().filter_map(Aside::read).collect())
}

/// The same; none where no ledger is yet.
pub(super) fn of_folder(ledger_dir: &Path) -> Result<Vec<Aside>, EngineError> {
    match aside(ledger_dir) {
        Err(EngineError::Ledger(LedgerError::NotALedger(_))) => Ok(Vec::new()),
        other => other,
    }
}

/// Sets files aside.
pub(super) fn record(ledger_dir: &Path, files: &[Aside]) -> Result<(), EngineError> {
    let mut ledger = Ledger::post(ledger_dir)?;
    for aside in files {
        let said = json!({
            "file": aside.file,
            "reason": aside.reason,
            "digest": aside.digest,
        });
        ledger.append(EventKind::Aside, &aside.file, said)?;
    }
    ledger.commit()?;
    Ok(())
}

/// Notes of files that were set aside that they are taken by now.
pub(super) fn clear<'a>(
    ledger_dir: &Path,
    taken: impl Iterator<Item = &'a PathBuf>,
) -> Result<(), EngineError> {
    let known = of_folder(ledger_dir)?;
    if known.is_empty() {
        return Ok(());
    }
    let taken: Vec<String> = taken.map(|path| path.display().to_string()).collect();
    let cleared: Vec<&Aside> = known
        .iter()
        .filter(|aside| taken.contains(&aside.file))
        .collect();
    if cleared.is_empty() {
        return Ok(());
    }
    let mut ledger = Ledger::post(ledger_dir)?;
    for aside in cleared {
        let said = json!({ "file": aside.file, "reason": null });
        ledger.append(EventKind::Aside, &aside.file, said)?;
    }
    ledger.commit()?;
    Ok(())
}

/// BLAKE3 of the file as it lies there; nothing if it cannot be read.
fn digest(path: &Path) -> String {
    let mut hasher = blake3::Hasher::new();
    let read = File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
    read.map_or_else(
        |_| String::new(),
        |()| hasher.finalize().to_hex().to_string(),
    )
}
