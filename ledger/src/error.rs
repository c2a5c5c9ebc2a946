//! What keeps tables from being written or found.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tieout_core::Amount;

/// Tables that cannot be written, or a ledger that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is none.
    #[error("{} is no ledger: run `tieout run PATH... --ledger DIR` first", .0.display())]
    NotALedger(PathBuf),
    /// The folder holds something else.
    #[error(
        "{} holds other files ({example}): a ledger needs a folder of its own; name a new one",
        path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// One of the files.
        example: String,
    },
    /// The ledger is damaged or of a version that this program cannot use.
    #[error("{}: {found}; run `tieout run PATH... --ledger DIR` again into a new folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// Another process writes.
    #[error(
        "the ledger {} is being written by {holder}: wait until that has ended, and try again",
        path.display()
    )]
    Busy {
        /// The ledger's folder.
        path: PathBuf,
        /// Who writes.
        holder: String,
    },
    /// A later version of the program wrote it.
    #[error(
        "{} has format {version}, this program knows formats up to {known}: use a newer tieout; \
         nothing was changed",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: u64,
        /// The latest format known here.
        known: u64,
    },
    /// The journal cannot be read.
    #[error(
        "{}: {found}; nothing was changed: bring the file back from a copy, or run the files \
         again into a new folder",
        path.display()
    )]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// The journal is not as it was written.
    #[error("{}: event {sequence} does not fit: {found}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// The first event that does not fit.
        sequence: u64,
        /// Why.
        found: String,
    },
    /// What was to be recorded contradicts what is.
    #[error("{}: {found}; nothing was recorded", path.display())]
    Refused {
        /// The journal.
        path: PathBuf,
        /// What does not fit.
        found: String,
    },
    /// The past that was asked for is not there.
    #[error("{}: {found}", path.display())]
    NotKnown {
        /// The ledger's folder.
        path: PathBuf,
        /// What was asked, and what there is.
        found: String,
    },
    /// Whoever was to take an export did not.
    #[error("cannot write the export: {0}")]
    Export(io::Error),
    /// A URL that names no place, or none that can be used.
    #[error("{url}: {found}")]
    Address {
        /// The URL.
        url: String,
        /// What is wrong with it.
        found: String,
    },
    /// An object that is missing, that is another than was put there, or cannot be had.
    #[error("{url}: {found}")]
    Object {
        /// The object.
        url: String,
        /// What is wrong with it.
        found: String,
    },
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A payment whose parts do not add up, which is a mistake in the program.
    #[error(
        "payment {payment_id}: {amount} is not {applied} applied + {on_account} on account + \
         {unapplied} unapplied; nothing was written, please report it"
    )]
    Unbalanced {
        /// The payment.
        payment_id: String,
        /// Its amount.
        amount: Amount,
        /// Cash applied.
        applied: Amount,
        /// Cash on account.
        on_account: Amount,
        /// The rest.
        unapplied: Amount,
    },
    /// Rows that are not of the table, which is a mistake in the program.
    #[error("{table}: {found}; nothing was written, please report it")]
    Shape {
        /// The table.
        table: &'static str,
        /// What is wrong.
        found: String,
    },
}

impl LedgerError {
    pub(crate) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Read {
            path: path.to_owned(),
            source,
        }
    }
}
