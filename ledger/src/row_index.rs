//! Rows of a column by their values, so that single rows are read of files with millions.
//!
//! Statistics and Bloom filters tell in which row groups a value may be; which of a quarter of a million
//! rows have it they cannot say. So files that are kept for years have, for a few columns of each table
//! ([`indexed`]), an annex of pairs: a [`Key`] and the row that has it, in the order of the keys.
//!
//! ```text
//!  annex      blocks of all row groups, one behind the other
//!             directory
//!             u32 bytes of the directory     u64 its check sum
//!  directory  for each row group: u32 its rows, u32 pairs (ABSENT if it has no index),
//!             and for each block: i64 first key, u32 bytes
//!  block      up to 512 pairs: u64 unit, u8 bits of a step, u8 bits of a row,
//!             then for each pair a step (in units, from the key before) and a row (of the row group),
//!             packed bit by bit from the lowest on, and a u32 check sum
//! ```
//!
//! Numbers are little-endian. Steps are divided by what divides all of them, so that amounts in cents do
//! not pay for the thousandths that amounts can have. A row takes some three and a half bytes. Rows without
//! a value are not there.
//!
//! What is found is a superset of the rows asked for, since texts have hashes for keys. Files without an
//! index are read as if there were none.

mod build;
mod find;

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use arrow::array::RecordBatch;
use parquet::file::metadata::ParquetMetaData;
use tieout_core::schema::Table;
use twox_hash::XxHash64;

use crate::annex::{Annex, annex};
use build::IndexBuilder;
pub use find::RowIndex;

/// Pairs of a block.
const BLOCK_PAIRS: usize = 512;
/// The number of pairs of a row group without an index.
const ABSENT: u32 = u32::MAX;
/// Bits of a text's hash that are its key: of a full row group, one in five hundred has another text with
/// the same key as one that is looked up.
const HASH_BITS: u32 = 27;

/// A column with an index.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    column: &'static str,
    /// The name of its annex.
    annex: &'static str,
}

const AMOUNT: Indexed = Indexed {
    column: "amount",
    annex: "rows_by.amount.1",
};
const PAYMENT_ID: Indexed = Indexed {
    column: "payment_id",
    annex: "rows_by.payment_id.1",
};
const TRANSACTION_ID: Indexed = Indexed {
    column: "transaction_id",
    annex: "rows_by.transaction_id.1",
};
const ITEM_ID: Indexed = Indexed {
    column: "item_id",
    annex: "rows_by.item_id.1",
};
const ALL: [Indexed; 4] = [AMOUNT, PAYMENT_ID, TRANSACTION_ID, ITEM_ID];

/// The columns of a table that have an index where its files are kept for years.
fn indexed(table: Table) -> &'static [Indexed] {
    match table {
        Table::Payments => &[AMOUNT, PAYMENT_ID],
        Table::Transactions => &[AMOUNT, TRANSACTION_ID],
        Table::Applications => &[PAYMENT_ID, ITEM_ID],
        Table::Evidence | Table::Exceptions | Table::Duplicates => &[PAYMENT_ID],
        Table::OpenItems => &[ITEM_ID],
        _ => &[],
    }
}

/// The indexes of a file of `table`, as annexes in the making.
pub(crate) fn annexes(table: Table, group_rows: usize) -> impl Iterator<Item = Box<dyn Annex>> {
    let all = indexed(table).iter();
    all.map(move |indexed| -> Box<dyn Annex> {
        Box::new(IndexAnnex {
            of: *indexed,
            builder: IndexBuilder::new(group_rows as u32),
        })
    })
}

/// The index of a column of a file that is being written.
struct IndexAnnex {
    of: Indexed,
    builder: IndexBuilder,
}

impl Annex for IndexAnnex {
    fn name(&self) -> &'static str {
        self.of.annex
    }

    fn add(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let column = rows.column_by_name(self.of.column);
        let column = column.ok_or_else(|| {
            let found = format!("rows without the column {}", self.of.column);
            io::Error::new(io::ErrorKind::InvalidInput, found)
        })?;
        self.builder.add(column.as_ref())
    }

    fn finish(self: Box<Self>) -> io::Result<Option<Vec<u8>>> {
        Ok(Some(self.builder.finish()))
    }
}

/// The indexes of a file of this metadata, by their columns.
///
/// # Errors
/// If the file cannot be read, or an index is none of its rows.
pub fn indexes_of(
    metadata: &ParquetMetaData,
    file: &mut (impl Read + Seek),
) -> io::Result<BTreeMap<&'static str, RowIndex>> {
    let groups = metadata.row_groups().iter();
    let groups = groups.map(|group| u32::try_from(group.num_rows()).ok());
    let mut indexes = BTreeMap::new();
    for indexed in ALL {
        let Some(place) = annex(metadata.file_metadata(), indexed.annex) else {
            continue;
        };
        let index = RowIndex::read(file, place)?;
        if !index.group_rows().map(Some).eq(groups.clone()) {
            return Err(damaged());
        }
        indexes.insert(indexed.column, index);
    }
    Ok(indexes)
}

/// What a row is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(i64);

impl Key {
    /// The least.
    pub const MIN: Self = Self(i64::MIN);
    /// The greatest.
    pub const MAX: Self = Self(i64::MAX);

    /// The key of an amount in its smallest units, which is in the order of amounts; none if it is beyond
    /// what keys can say.
    pub fn of_amount(units: i128) -> Option<Self> {
        i64::try_from(units).ok().map(Self)
    }

    /// The key of a text, which other texts may have as well.
    pub fn of_text(text: &str) -> Self {
        let hash = XxHash64::oneshot(0, text.as_bytes());
        Self((hash >> (u64::BITS - HASH_BITS)).cast_signed())
    }
}

/// What tells that bytes are as they were written.
fn check_sum(bytes: &[u8]) -> [u8; 8] {
    XxHash64::oneshot(0, bytes).to_le_bytes()
}

fn damaged() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "an index of rows is not as it was written",
    )
}
