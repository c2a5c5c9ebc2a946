//! Tables as files.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The format of a table's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values with a header.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// JSON lines.
    Json,
}

/// A ledger that cannot be used.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// There is none.
    #[error("{} is no ledger: run `tieout run PATH... --ledger DIR` first", .0.display())]
    NotALedger(PathBuf),
}

/// A folder that keeps every table of a run.
#[derive(Debug)]
pub struct Ledger;

impl Ledger {
    /// Opens a ledger that a run has written.
    ///
    /// # Errors
    /// [`LedgerError::NotALedger`] if there is none.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        Err(LedgerError::NotALedger(dir.to_owned()))
    }
}
