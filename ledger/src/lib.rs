//! What was decided, kept so that it survives.
//!
//! A [`Ledger`] is a folder: the [`journal`] is the truth, and Parquet tables made from it are what
//! SQL and explanations read. A [`LedgerWriter`] adds a posting: a run, or something that a person
//! did; a [`Session`] keeps the ledger open for many. A [`Folder`] holds one [`TableFile`] a table, as CSV, JSON lines or Parquet, and shows them
//! only when all are whole. [`TableWriter`] renders any Arrow batch in the same three formats, so
//! that answers look like outputs; [`Cells`] gives single cells.
//!
//! How cells look: an amount is exact, with two to five decimals and a point; a date is
//! `YYYY-MM-DD`; a flag is `true` or `false`; a missing value is empty in CSV and `null` in JSON.
//! In JSON an amount is a string, since most readers of JSON would make a float of it. Text is
//! given as it is, also where it begins with `=` or `+`: the files are for programs, and whoever
//! opens one in a spreadsheet imports its columns as text.
//!
//! ```
//! use arrow::array::RecordBatch;
//! use tieout_core::schema::Table;
//! use tieout_ledger::{Columns, FileFormat, Folder, LedgerError};
//!
//! # fn main() -> Result<(), LedgerError> {
//! # let temporary = tempfile::tempdir().unwrap();
//! # let dir = temporary.path().join("out");
//! let mut out = Folder::create(&dir, &Table::OUTPUTS, FileFormat::Csv, Columns::Contract)?;
//! out.write(Table::Duplicates, &RecordBatch::new_empty(Table::Duplicates.schema()))?;
//! out.finish()?;
//! let text = std::fs::read_to_string(dir.join("duplicates.csv")).unwrap();
//! assert_eq!(text, "payment_id,duplicate_of,evidence\n");
//! # Ok(())
//! # }
//! ```

mod annex;
mod balanced;
mod cells;
mod error;
mod file;
mod folder;
mod format;
mod history;
pub mod journal;
mod kept;
mod manifest;
mod moment;
pub mod objects;
mod parquet_file;
mod posted;
mod publish;
mod recording;
mod row_index;
mod scratch;
mod session;
mod sweep;
mod tables_only;
mod text;
mod totals;
mod upkeep;
mod writer;

pub use annex::annex;
pub use cells::Cells;
pub use error::LedgerError;
pub use file::TableFile;
pub use folder::Folder;
pub use format::{Columns, FileFormat};
pub use kept::{Kept, Ledger, Reversed};
pub use manifest::MANIFEST;
pub use moment::Moment;
pub use parquet_file::LOOKED_UP;
pub use posted::{POSTING, stored_schema};
pub use recording::LedgerWriter;
pub use row_index::{Key, RowIndex, indexes_of};
pub use scratch::Scratch;
pub use session::Session;
pub use tables_only::{TablesOfPostings, TablesOnly};
pub use totals::{ROWS, SUM_TYPE, TOTALS, Totalled, Totals, totalled};
pub use upkeep::Purged;
pub use writer::TableWriter;
