//! What stored files say of single values: the Bloom filters of their row groups, and the indexes of rows
//! of files that are kept for years.
//!
//! A Bloom filter tells that a value is in no row of a row group. DataFusion opens a file and reads its
//! filters whole before it asks them, file by file for each query. The answer lies in one block of 32
//! bytes, whose place follows from the value: where filters lie is noted once, and then blocks are read.
//! An index tells which rows have a value ([`RowIndex`]); its directory is noted as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::sync::Arc;

use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, RowSelection,
};
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy};
use parking_lot::Mutex;
use tieout_ledger::{Key, RowIndex, indexes_of};

use crate::reversed::StoredFile;
use crate::sought::Sought;
use crate::texts::as_views;

/// Bytes of a block, in which all bits of a value are.
const BLOCK_BYTES: u64 = 32;
/// Of so many rows of a row group one may have what is asked for; if they are more, they are found as
/// quickly by reading all.
const ROWS_OF_ONE: usize = 256;

/// What is known of files, by their names. No other content ever has a file's name.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    files: Mutex<BTreeMap<String, Arc<FileFilters>>>,
}

/// What a file has to tell where values are.
#[derive(Debug)]
struct FileFilters {
    metadata: ArrowReaderMetadata,
    groups: Vec<Group>,
    /// Indexes by their columns.
    indexes: BTreeMap<&'static str, RowIndex>,
}

/// A row group: its rows, and its filters by their columns.
#[derive(Debug)]
struct Group {
    rows: usize,
    filters: BTreeMap<String, Filter>,
}

/// A filter: where its blocks begin in the file, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Filter {
    offset: u64,
    blocks: u64,
}

/// A file that may have a row that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Sifted {
    pub file: StoredFile,
    /// The only rows that may be it, where that is known.
    pub rows: Option<Selected>,
}

/// Rows of a file.
#[derive(Clone, Debug)]
pub(crate) struct Selected {
    pub selection: RowSelection,
    /// Whether they are few of each row group.
    pub is_few: bool,
    /// What the file says of itself, where its pages lie included.
    pub metadata: ArrowReaderMetadata,
}

/// Rows of a row group.
#[derive(Debug)]
enum Rows {
    All,
    /// In their order.
    These(Vec<u32>),
}

impl Filters {
    /// Those of the files that may have such a row, in their order.
    pub fn sift(&self, files: &[StoredFile], sought: &Sought) -> Vec<Sifted> {
        let sifted = files.iter().filter_map(|file| {
            // A file that cannot be read is left to who reads its rows: that error names it.
            let rows = self.rows(file, sought).unwrap_or(Some(None))?;
            let file = file.clone();
            Some(Sifted { file, rows })
        });
        sifted.collect()
    }

    /// The rows of a file that may have it: none, all, or a selection.
    #[expect(clippy::option_option, reason = "no rows, and no selection of rows")]
    fn rows(&self, file: &StoredFile, sought: &Sought) -> io::Result<Option<Option<Selected>>> {
        let known = self.of(file)?;
        let mut opened = File::open(&file.path)?;
        let mut groups = Vec::new();
        for place in 0..known.groups.len() {
            groups.push(known.rows(place, sought, &mut opened)?);
        }
        if groups.iter().all(Rows::is_none) {
            return Ok(None);
        }
        let these = groups.iter().filter(|rows| matches!(rows, Rows::These(_)));
        let these = these.count();
        Ok(Some((these > 0).then(|| Selected {
            selection: known.selection(&groups),
            is_few: these == groups.len(),
            metadata: known.metadata.clone(),
        })))
    }

    fn of(&self, file: &StoredFile) -> io::Result<Arc<FileFilters>> {
        if let Some(known) = self.files.lock().get(&file.name) {
            return Ok(Arc::clone(known));
        }
        let filters = Arc::new(FileFilters::at(file)?);
        let mut known = self.files.lock();
        known.insert(file.name.clone(), Arc::clone(&filters));
        Ok(filters)
    }

    /// Forgets all files but those of these names.
    pub fn keep<'a>(&self, names: impl Iterator<Item = &'a String>) {
        let names: BTreeSet<&String> = names.collect();
        self.files.lock().retain(|name, _| names.contains(name));
    }
}

impl FileFilters {
    fn at(file: &StoredFile) -> io::Result<Self> {
        let mut opened = File::open(&file.path)?;
        let metadata = read_metadata(&opened).map_err(io::Error::other)?;
        let said = metadata.metadata();
        let mut groups = Vec::new();
        for group in said.row_groups() {
            let mut filters = BTreeMap::new();
            for column in group.columns() {
                if let Some(filter) = Filter::of(column, &mut opened)? {
                    filters.insert(column.column_path().string(), filter);
                }
            }
            let rows = usize::try_from(group.num_rows()).unwrap_or(0);
            groups.push(Group { rows, filters });
        }
        let indexes = indexes_of(said, &mut opened)?;
        Ok(Self {
            metadata,
            groups,
            indexes,
        })
    }

    /// The rows of a group that may have it.
    fn rows(&self, group: usize, sought: &Sought, file: &mut File) -> io::Result<Rows> {
        match sought {
            Sought::Text {
                column,
                text,
                hash,
                key,
            } => {
                if let Some(filter) = self.groups[group].filters.get(column)
                    && !filter.may_have(text, *hash, file)?
                {
                    return Ok(Rows::These(Vec::new()));
                }
                self.indexed(column, group, &(*key..=*key), file)
            }
            Sought::Amount { column, keys } => self.indexed(column, group, keys, file),
            Sought::All(parts) => {
                let mut rows = Rows::All;
                for part in parts {
                    if rows.is_none() {
                        break;
                    }
                    rows = rows.and(self.rows(group, part, file)?);
                }
                Ok(rows)
            }
            Sought::Any(parts) => {
                let mut rows = Rows::These(Vec::new());
                for part in parts {
                    rows = rows.or(self.rows(group, part, file)?);
                    if matches!(rows, Rows::All) {
                        break;
                    }
                }
                Ok(rows)
            }
        }
    }

    fn indexed(
        &self,
        column: &str,
        group: usize,
        keys: &RangeInclusive<Key>,
        file: &mut File,
    ) -> io::Result<Rows> {
        let Some(index) = self.indexes.get(column) else {
            return Ok(Rows::All);
        };
        let rows_max = self.groups[group].rows.div_ceil(ROWS_OF_ONE);
        let rows = index.rows(file, group, keys, rows_max)?;
        Ok(rows.map_or(Rows::All, Rows::These))
    }

    fn selection(&self, groups: &[Rows]) -> RowSelection {
        let (mut ranges, mut begin) = (Vec::new(), 0);
        for (group, rows) in self.groups.iter().zip(groups) {
            match rows {
                Rows::All => ranges.push(begin..begin + group.rows),
                Rows::These(rows) => {
                    let rows = rows.iter().map(|row| begin + *row as usize);
                    ranges.extend(rows.map(|row| row..row + 1));
                }
            }
            begin += group.rows;
        }
        RowSelection::from_consecutive_ranges(ranges.into_iter(), begin)
    }
}

/// What a file says of itself, with texts as views into its pages.
fn read_metadata(file: &File) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::new().with_offset_index_policy(PageIndexPolicy::Optional);
    let own = ArrowReaderMetadata::load(file, options)?;
    let viewed = ArrowReaderOptions::new().with_schema(as_views(own.schema()));
    ArrowReaderMetadata::try_new(Arc::clone(own.metadata()), viewed)
}

impl Rows {
    fn is_none(&self) -> bool {
        matches!(self, Self::These(rows) if rows.is_empty())
    }

    /// Those that are in both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, rows) | (rows, Self::All) => rows,
            (Self::These(mut rows), Self::These(other)) => {
                rows.retain(|row| other.binary_search(row).is_ok());
                Self::These(rows)
            }
        }
    }

    /// Those that are in one of them.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, _) | (_, Self::All) => Self::All,
            (Self::These(mut rows), Self::These(other)) => {
                rows.extend(other);
                rows.sort_unstable();
                rows.dedup();
                Self::These(rows)
            }
        }
    }
}

impl Filter {
    /// The filter of a column, if it has one. None, too, if it is not laid out as all are until now: a
    /// header of fewer bytes than a block has, in which the bytes of the blocks come first.
    fn of(column: &ColumnChunkMetaData, file: &mut File) -> io::Result<Option<Self>> {
        let place = column
            .bloom_filter_offset()
            .zip(column.bloom_filter_length());
        let Some((offset, length)) = place else {
            return Ok(None);
        };
        let (Ok(offset), Ok(length)) = (u64::try_from(offset), u64::try_from(length)) else {
            return Ok(None);
        };
        let (blocks, header) = (length / BLOCK_BYTES, length % BLOCK_BYTES);
        let mut said = vec![0; usize::try_from(header).unwrap_or(0)];
        file.seek(SeekFrom::Start(offset))?;
        file.read_exact(&mut said)?;
        let is_so = blocks > 0 && first_count(&said) == Some(blocks * BLOCK_BYTES);
        Ok(is_so.then_some(Self {
            offset: offset + header,
            blocks,
        }))
    }

    fn may_have(self, text: &str, hash: u64, file: &mut File) -> io::Result<bool> {
        let place = ((hash >> 32) * self.blocks) >> 32;
        let mut block = [0; BLOCK_BYTES as usize];
        file.seek(SeekFrom::Start(self.offset + place * BLOCK_BYTES))?;
        file.read_exact(&mut block)?;
        // A block is a filter of its own for the values that fall into it.
        Ok(Sbbf::new(&block).check(text))
    }
}

/// The first field of a message in Thrift's compact protocol, where that is a 32-bit number.
fn first_count(message: &[u8]) -> Option<u64> {
    let (0x15, digits) = message.split_first()? else {
        return None;
    };
    let mut value = 0;
    for (place, byte) in digits.iter().take(5).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            // Numbers below zero are the odd ones.
            return (value & 1 == 0).then_some(value >> 1);
        }
    }
    None
}
