//! Annexes: what a stored file says of its rows beside them.
//!
//! An annex lies inside the Parquet file, between the last row group and the footer, so that it shares the
//! file's name, digest and fate. The footer's key-value metadata tells where. Who does not know annexes
//! passes over these bytes.

use std::io;
use std::ops::Range;

use arrow::array::RecordBatch;
use parquet::file::metadata::FileMetaData;
use tieout_core::schema::Table;

use crate::parquet_file::GROUP_ROWS;
use crate::row_index;
use crate::totals::TotalsAnnex;

/// In front of an annex's name in the metadata.
const KEY: &str = "tieout.annex.";

/// An annex in the making.
pub(crate) trait Annex: Send {
    /// Its name; what is laid out otherwise gets another one.
    fn name(&self) -> &'static str;

    /// Takes the file's next rows.
    ///
    /// # Errors
    /// If the rows do not have the columns that it is made of.
    fn add(&mut self, rows: &RecordBatch) -> io::Result<()>;

    /// Its bytes; none if the file is better without it.
    ///
    /// # Errors
    /// If they cannot be made.
    fn finish(self: Box<Self>) -> io::Result<Option<Vec<u8>>>;
}

/// The annexes of a file of `table` that is kept for years.
pub(crate) fn of(table: Table) -> io::Result<Vec<Box<dyn Annex>>> {
    let mut annexes: Vec<Box<dyn Annex>> = Vec::new();
    if let Some(totals) = TotalsAnnex::of(table)? {
        annexes.push(Box::new(totals));
    }
    annexes.extend(row_index::annexes(table, GROUP_ROWS));
    Ok(annexes)
}

/// Where the annex `name` lies in a file of this metadata, in bytes; none if the file has none.
pub fn annex(metadata: &FileMetaData, name: &str) -> Option<Range<u64>> {
    let key = key(name);
    let mut said = metadata.key_value_metadata()?.iter();
    let place = said.find(|said| said.key == key)?.value.as_deref()?;
    let (begin, length) = place.split_once(' ')?;
    let begin: u64 = begin.parse().ok()?;
    Some(begin..begin.checked_add(length.parse().ok()?)?)
}

/// The name of an annex, as the metadata has it.
pub(crate) fn key(name: &str) -> String {
    format!("{KEY}{name}")
}

/// A place as the metadata has it: where it begins and how long it is.
pub(crate) fn place(bytes: Range<u64>) -> String {
    format!("{} {}", bytes.start, bytes.end - bytes.start)
}
