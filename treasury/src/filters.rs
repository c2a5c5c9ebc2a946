//! What the Bloom filters of stored files say of single values.
//!
//! Such a filter tells that a value is in no row of a row group. DataFusion opens a file and reads its
//! filters whole before it asks them, file by file for each query. The answer lies in one block of 32
//! bytes, whose place follows from the value: where filters lie is noted once, and then blocks are read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::parquet::bloom_filter::Sbbf;
use datafusion::parquet::file::metadata::ColumnChunkMetaData;
use parking_lot::Mutex;
use tieout_ledger::LOOKED_UP;
use twox_hash::XxHash64;

use crate::reversed::{StoredFile, open};

/// Bytes of a block, in which all bits of a value are.
const BLOCK_BYTES: u64 = 32;
/// The seed that Parquet's filters have.
const SEED: u64 = 0;
/// Values asked of each file at most; with more of them most files have one.
pub(crate) const VALUES_MAX: usize = 64;

/// Where filters lie in files, by the files' names. No other content ever has a file's name.
#[derive(Debug, Default)]
pub(crate) struct Filters {
    files: Mutex<BTreeMap<String, Arc<FileFilters>>>,
}

/// The filters of each row group of a file, by their columns.
type FileFilters = Vec<BTreeMap<String, Filter>>;

/// A filter: where its blocks begin in the file, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Filter {
    offset: u64,
    blocks: u64,
}

/// What a row has that is asked for, as far as filters can tell.
#[derive(Debug)]
pub(crate) enum Sought {
    /// This text in this column.
    Value {
        column: String,
        text: String,
        hash: u64,
    },
    /// Each of these.
    All(Vec<Self>),
    /// One of these.
    Any(Vec<Self>),
}

impl Filters {
    /// Those of the files that may have such a row, in their order.
    pub fn sift(&self, files: &[StoredFile], sought: &Sought) -> Vec<StoredFile> {
        let may_have = |file: &&StoredFile| {
            // A file that cannot be read is left to who reads its rows: that error names it.
            self.may_have(file, sought).unwrap_or(true)
        };
        files.iter().filter(may_have).cloned().collect()
    }

    fn may_have(&self, file: &StoredFile, sought: &Sought) -> io::Result<bool> {
        let filters = self.of(file)?;
        let mut opened = File::open(&file.path)?;
        for group in filters.iter() {
            if sought.may_be_in(group, &mut opened)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn of(&self, file: &StoredFile) -> io::Result<Arc<FileFilters>> {
        if let Some(known) = self.files.lock().get(&file.name) {
            return Ok(Arc::clone(known));
        }
        let filters = Arc::new(filters_in(file)?);
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

fn filters_in(file: &StoredFile) -> io::Result<FileFilters> {
    let metadata = Arc::clone(open(file).map_err(io::Error::other)?.metadata());
    let mut opened = File::open(&file.path)?;
    let mut groups = Vec::new();
    for group in metadata.row_groups() {
        let mut filters = BTreeMap::new();
        for column in group.columns() {
            if let Some(filter) = Filter::of(column, &mut opened)? {
                filters.insert(column.column_path().string(), filter);
            }
        }
        groups.push(filters);
    }
    Ok(groups)
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

impl Sought {
    /// What a row must have so that all of `filters` are true of it; none if filters cannot tell.
    pub fn by(filters: &[Expr]) -> Option<Self> {
        let all: Vec<_> = filters.iter().filter_map(Self::of).collect();
        let sought = (!all.is_empty()).then_some(Self::All(all))?;
        (sought.values() <= VALUES_MAX).then_some(sought)
    }

    fn of(filter: &Expr) -> Option<Self> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::And => {
                    let both = [left, right].into_iter().filter_map(|side| Self::of(side));
                    let both: Vec<_> = both.collect();
                    (!both.is_empty()).then_some(Self::All(both))
                }
                Operator::Or => Some(Self::Any(vec![Self::of(left)?, Self::of(right)?])),
                Operator::Eq => match (left.as_ref(), right.as_ref()) {
                    (Expr::Column(column), Expr::Literal(value, _))
                    | (Expr::Literal(value, _), Expr::Column(column)) => Self::value(column, value),
                    _ => None,
                },
                _ => None,
            },
            Expr::InList(InList {
                expr,
                list,
                negated: false,
            }) => {
                let Expr::Column(column) = expr.as_ref() else {
                    return None;
                };
                let values = list.iter().map(|value| match value {
                    Expr::Literal(value, _) => Self::value(column, value),
                    _ => None,
                });
                Some(Self::Any(values.collect::<Option<_>>()?))
            }
            _ => None,
        }
    }

    fn value(column: &Column, value: &ScalarValue) -> Option<Self> {
        let text = value.try_as_str()??;
        if !LOOKED_UP.contains(&column.name.as_str()) {
            return None;
        }
        Some(Self::Value {
            column: column.name.clone(),
            text: text.to_owned(),
            hash: XxHash64::oneshot(SEED, text.as_bytes()),
        })
    }

    fn values(&self) -> usize {
        match self {
            Self::Value { .. } => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::values).sum(),
        }
    }

    /// Whether rows of a group may have it.
    fn may_be_in(&self, group: &BTreeMap<String, Filter>, file: &mut File) -> io::Result<bool> {
        match self {
            Self::Value { column, text, hash } => match group.get(column) {
                Some(filter) => filter.may_have(text, *hash, file),
                None => Ok(true),
            },
            Self::All(parts) => {
                for part in parts {
                    if !part.may_be_in(group, file)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.may_be_in(group, file)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}
