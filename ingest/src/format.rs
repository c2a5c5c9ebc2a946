//! What a format is, and what it gives.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use arrow::array::RecordBatch;
use thiserror::Error;
use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date, Finding, QuarantinedLine};

use crate::bank_csv::CsvProfiles;
use crate::lockbox::Layouts;
use crate::transport::SourceFile;

/// What a file brings, which decides when the pipeline reads it: profiles first, then what the
/// business knows, then what the bank says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// How some bank lays out its files.
    Profile,
    /// Customers and vendors.
    Parties,
    /// What is open.
    OpenItems,
    /// Remittance advice that comes apart from its payment, instructed payments and what became
    /// of them, processors' settlements.
    Remittances,
    /// The single payments behind lines of a statement.
    Details,
    /// Statement lines and cheques.
    BankLines,
    /// Known, but nothing to tie out (the answers beside generated data).
    Nothing,
}

/// How files are read. Only layouts and profiles change what is read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes that one read asks for.
    pub chunk_bytes: usize,
    /// Rows after which a batch is handed over.
    pub batch_rows: usize,
    /// Threads that may parse one file side by side.
    pub threads: usize,
    /// How banks lay out their lockbox files.
    pub layouts: Arc<Layouts>,
    /// How banks write their CSV, where users say so.
    pub csv_profiles: Arc<CsvProfiles>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            chunk_bytes: 1 << 20,
            batch_rows: 4_096,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            layouts: Arc::default(),
            csv_profiles: Arc::default(),
        }
    }
}

/// One piece of what a file brings.
#[derive(Debug)]
pub enum Batch {
    /// Bank lines, in the shape of [`tieout_core::schema::parsed_transactions`], and the document
    /// lines that came inside them, in the shape of
    /// [`tieout_core::schema::parsed_remittance_lines`] (`transaction_row` ascending).
    Transactions {
        /// The lines.
        transactions: RecordBatch,
        /// Their documents; may have no rows.
        remittance_lines: RecordBatch,
    },
    /// Rows of another table. Remittance lines that come apart from their payments have a null
    /// `payment_id`.
    Rows(Table, RecordBatch),
    /// Something to know about the file.
    Finding(Finding),
    /// A statement that the bank numbers.
    Statement(NumberedStatement),
    /// Bytes that could not be read into a row.
    Quarantine(QuarantinedLine),
}

/// A statement that the bank numbers: what is held against those of other files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberedStatement {
    /// The path as given.
    pub file: String,
    /// The line where it begins, from 1.
    pub line: u64,
    /// What is numbered together: the kind of message.
    pub series: &'static str,
    /// Own account.
    pub account: String,
    /// Its currency.
    pub currency: Currency,
    /// From 1.
    pub number: u64,
    /// The page of the statement, or 0 where it has no pages.
    pub page: u64,
    /// Day of the closing balance, or else of the opening one.
    pub date: Option<Date>,
    /// Opening balance as stated.
    pub opening: Option<Amount>,
    /// Closing balance as stated.
    pub closing: Option<Amount>,
}

/// The receiver wants no more batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the run was stopped")]
pub struct Stopped;

/// Takes what a file brings, in the order of the file.
pub trait Receiver {
    /// Takes one batch; may wait until there is room for it.
    ///
    /// # Errors
    /// [`Stopped`] if nothing more is wanted; the reader then returns at once.
    fn receive(&mut self, batch: Batch) -> Result<(), Stopped>;
}

impl<F: FnMut(Batch) -> Result<(), Stopped>> Receiver for F {
    fn receive(&mut self, batch: Batch) -> Result<(), Stopped> {
        self(batch)
    }
}

/// What was read of a file. `rows` counts transactions, parties, items or document lines of
/// advice; every line is in a row, in quarantine, or is structure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes.
    pub bytes: u64,
    /// Lines.
    pub lines: u64,
    /// Rows.
    pub rows: u64,
    /// Lines in quarantine.
    pub quarantined: u64,
    /// The layout profile that was used.
    pub profile: Option<String>,
}

/// A file that could not be read to its end.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The operating system refused.
    #[error("{file}: {source}")]
    Io {
        /// The file as given.
        file: String,
        /// What it said.
        source: io::Error,
    },
    /// The receiver wants no more.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// A canonical batch could not be built: a mistake in the program.
    #[error("{file}: {message}")]
    Internal {
        /// The file as given.
        file: String,
        /// What happened.
        message: String,
    },
}

/// A line of a file that people see otherwise than as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLine {
    /// Its number in the file, from 1.
    pub line: u64,
    /// Where people find it: `sheet March, row 12`.
    pub place: String,
    /// What stands there.
    pub text: String,
}

/// One kind of file.
pub trait Format: Sync {
    /// The name, as outputs show it (`bai2`, `lockbox`, `open_items.csv`).
    fn name(&self) -> &'static str;

    /// One line for `tieout formats`: what it is, with versions or dialects.
    fn about(&self) -> String;

    /// What its files bring.
    fn role(&self) -> Role;

    /// Whether a file that begins with `head` (at most [`crate::HEAD_BYTES`]) is of this format.
    /// At most one format says yes to any file.
    fn recognizes(&self, head: &[u8]) -> bool;

    /// What its files bring beside, if they are to be read in that turn too.
    fn also(&self) -> Option<Role> {
        None
    }

    /// Whether `file`, which begins with `head`, is of this format; for formats that say what
    /// they hold at the end of the file.
    fn recognizes_file(&self, _file: &SourceFile, head: &[u8]) -> bool {
        self.recognizes(head)
    }

    /// The `lines` of `file` as people see them, as far as they can still be read; none if the
    /// lines of the format are text, to be shown as it stands.
    fn shown(&self, _file: &SourceFile, _lines: &BTreeSet<u64>) -> Option<Vec<ShownLine>> {
        None
    }

    /// Reads the file as a stream.
    ///
    /// # Errors
    /// A [`ReadError`] if the file could not be read to its end; what is wrong *in* the file is
    /// a finding or in quarantine.
    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError>;
}
