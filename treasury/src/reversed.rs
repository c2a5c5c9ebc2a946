//! Where the rows that were taken back lie in their files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use arrow::array::{Array, RecordBatch, StringArray, UInt64Array};
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::parquet::file::statistics::Statistics;
use parking_lot::Mutex;
use tieout_ledger::POSTING;

/// Columns of `reversals`.
const WHAT: &str = "what";
const ID: &str = "id";
const REVERSED_POSTING: &str = "reversed_posting";
/// Rows that are looked at together.
const BATCH_ROWS: usize = 8_192;

/// A file of the ledger.
#[derive(Clone, Debug)]
pub(crate) struct StoredFile {
    /// Its name in the ledger; no other content ever has it.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The same, as readers name it.
    pub url: ListingTableUrl,
}

/// Which rows of a table are to be found.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The word of reversals for its rows.
    pub what: &'static str,
    /// The column that they name.
    pub key: &'static str,
    /// Its files, in the order of their postings.
    pub files: Vec<StoredFile>,
    /// Those of reversals.
    pub reversals: Vec<StoredFile>,
    /// The last posting that counts.
    pub last: u64,
}

/// What is known of the files of a table.
#[derive(Debug, Default)]
pub(crate) struct Places {
    files: Mutex<BTreeMap<String, Looked>>,
}

/// What is known of a file. It only grows: what a posting took back stays taken back.
#[derive(Debug)]
struct Looked {
    groups: Vec<Group>,
    /// Rows that were taken back, with the posting that did it.
    gone: BTreeMap<usize, u64>,
    /// The reversals that it was held against.
    against: BTreeSet<String>,
}

/// A row group.
#[derive(Clone, Copy, Debug)]
struct Group {
    first_posting: u64,
    last_posting: u64,
    first_row: usize,
    rows: usize,
}

/// What was taken back: by the posting of a row and its key, by which posting.
type Reversed = HashMap<u64, HashMap<String, u64>>;

impl Places {
    /// Of each of the files, how many rows it has and which of them are gone, in their order.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn look_up(&self, asked: &Asked, threads: usize) -> Result<Vec<(usize, Vec<usize>)>> {
        if asked.reversals.is_empty() {
            return Ok(vec![(0, Vec::new()); asked.files.len()]);
        }
        // One looks them up; who comes meanwhile waits for it.
        let mut known = self.files.lock();
        for file in &asked.files {
            if !known.contains_key(&file.name) {
                known.insert(file.name.clone(), Looked::at(file)?);
            }
        }
        let reversals = last_postings(&asked.reversals)?;
        let missing = |looked: &Looked| -> Vec<usize> {
            // A row is taken back by its own posting or a later one.
            let first = looked.groups.iter().map(|group| group.first_posting).min();
            let places = reversals.iter().enumerate();
            places
                .filter(|(place, last)| {
                    first.is_some_and(|first| **last >= first)
                        && !looked.against.contains(&asked.reversals[*place].name)
                })
                .map(|(place, _)| place)
                .collect()
        };
        let work: Vec<_> = asked
            .files
            .iter()
            .map(|file| known.get(&file.name).map(missing).unwrap_or_default())
            .collect();
        let needed: BTreeSet<usize> = work.iter().flatten().copied().collect();
        let mut reversed = Reversed::new();
        for &place in &needed {
            read_reversals(&asked.reversals[place], asked.what, &mut reversed)?;
        }
        let due = asked.files.iter().zip(&work);
        let due: Vec<_> = due.filter(|(_, missing)| !missing.is_empty()).collect();
        let found = side_by_side(&due, threads, |(file, _)| match known.get(&file.name) {
            Some(looked) => find(file, &looked.groups, asked.key, &reversed),
            None => Ok(Vec::new()),
        })?;
        for ((file, missing), gone) in due.iter().zip(found) {
            if let Some(looked) = known.get_mut(&file.name) {
                for (row, by) in gone {
                    let first = looked.gone.entry(row).or_insert(by);
                    *first = by.min(*first);
                }
                let names = missing.iter().map(|&place| &asked.reversals[place].name);
                looked.against.extend(names.cloned());
            }
        }
        let rows = asked.files.iter().map(|file| {
            let Some(looked) = known.get(&file.name) else {
                return (0, Vec::new());
            };
            let gone = looked.gone.iter().filter(|(_, by)| **by <= asked.last);
            (looked.rows(), gone.map(|(row, _)| *row).collect())
        });
        Ok(rows.collect())
    }

    /// Forgets all files but those of these names.
    pub fn keep<'a>(&self, names: impl Iterator<Item = &'a String>) {
        let names: BTreeSet<&String> = names.collect();
        self.files.lock().retain(|name, _| names.contains(name));
    }
}

impl Looked {
    /// What the file says of itself.
    fn at(file: &StoredFile) -> Result<Self> {
        let metadata = Arc::clone(open(file)?.metadata());
        let postings = postings_of(&metadata);
        let mut first_row = 0;
        let groups = metadata.row_groups().iter().zip(postings);
        let groups = groups.map(|(group, (first_posting, last_posting))| {
            let rows = usize::try_from(group.num_rows()).unwrap_or(0);
            let group = Group {
                first_posting,
                last_posting,
                first_row,
                rows,
            };
            first_row += rows;
            group
        });
        Ok(Self {
            groups: groups.collect(),
            gone: BTreeMap::new(),
            against: BTreeSet::new(),
        })
    }

    fn rows(&self) -> usize {
        self.groups.iter().map(|group| group.rows).sum()
    }
}

/// The last posting of each file.
fn last_postings(files: &[StoredFile]) -> Result<Vec<u64>> {
    let files = files.iter().map(|file| {
        let postings = postings_of(open(file)?.metadata());
        Ok(postings
            .into_iter()
            .map(|(_, last)| last)
            .max()
            .unwrap_or(0))
    });
    files.collect()
}

/// The first and the last posting of each row group; all there may be where a file does not say.
fn postings_of(metadata: &ParquetMetaData) -> Vec<(u64, u64)> {
    let schema = metadata.file_metadata().schema_descr();
    let mut columns = schema.columns().iter();
    let column = columns.position(|column| column.name() == POSTING);
    let of_group = |place: usize| match metadata.row_group(place).column(column?).statistics()? {
        // Counts are stored as they are, with the bits of a signed number.
        Statistics::Int64(postings) => Some((
            postings.min_opt()?.cast_unsigned(),
            postings.max_opt()?.cast_unsigned(),
        )),
        _ => None,
    };
    (0..metadata.num_row_groups())
        .map(|place| of_group(place).unwrap_or((0, u64::MAX)))
        .collect()
}

/// Adds what a file of reversals takes back of `what`.
fn read_reversals(file: &StoredFile, what: &str, reversed: &mut Reversed) -> Result<()> {
    for batch in rows_of(file, &[WHAT, ID, REVERSED_POSTING, POSTING], None)? {
        let batch = batch?;
        let (whats, ids) = (texts(&batch, WHAT)?, texts(&batch, ID)?);
        let (of, by) = (counts(&batch, REVERSED_POSTING)?, counts(&batch, POSTING)?);
        for row in (0..batch.num_rows()).filter(|&row| whats.value(row) == what) {
            let ids_of_posting = reversed.entry(of.value(row)).or_default();
            let first = ids_of_posting
                .entry(ids.value(row).to_owned())
                .or_insert(by.value(row));
            *first = by.value(row).min(*first);
        }
    }
    Ok(())
}

/// The rows of `file` that were taken back, with the posting that did it.
fn find(
    file: &StoredFile,
    groups: &[Group],
    key: &str,
    reversed: &Reversed,
) -> Result<Vec<(usize, u64)>> {
    let mut gone = Vec::new();
    let with_some = |group: &Group| {
        let postings = group.first_posting..=group.last_posting;
        reversed.keys().any(|posting| postings.contains(posting))
    };
    for (place, group) in groups
        .iter()
        .enumerate()
        .filter(|(_, group)| with_some(group))
    {
        let mut row = group.first_row;
        for batch in rows_of(file, &[key, POSTING], Some(place))? {
            let batch = batch?;
            let (keys, postings) = (texts(&batch, key)?, counts(&batch, POSTING)?);
            for (place, posting) in postings.values().iter().enumerate() {
                let taken = reversed.get(posting);
                if let Some(by) = taken.and_then(|keys_of| keys_of.get(keys.value(place))) {
                    gone.push((row + place, *by));
                }
            }
            row += batch.num_rows();
        }
    }
    Ok(gone)
}

/// Opens a file at what it says of itself.
///
/// # Errors
/// If it cannot be read.
pub(crate) fn open(file: &StoredFile) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let opened = File::open(&file.path).map_err(ParquetError::from);
    let opened = opened.and_then(ParquetRecordBatchReaderBuilder::try_new);
    opened.map_err(|error| unreadable(file, error))
}

/// Columns of a file, or of one of its row groups.
fn rows_of(
    file: &StoredFile,
    columns: &[&str],
    group: Option<usize>,
) -> Result<ParquetRecordBatchReader> {
    let reader = open(file)?.with_batch_size(BATCH_ROWS);
    let columns = ProjectionMask::columns(reader.parquet_schema(), columns.iter().copied());
    let reader = reader.with_projection(columns);
    let reader = match group {
        Some(group) => reader.with_row_groups(vec![group]),
        None => reader,
    };
    reader.build().map_err(|error| unreadable(file, error))
}

/// The error of a file that cannot be read, which names it.
pub(crate) fn unreadable(file: &StoredFile, error: ParquetError) -> DataFusionError {
    DataFusionError::from(error).context(file.path.display().to_string())
}

fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringArray> {
    let column = batch.column_by_name(name);
    let column = column.and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| DataFusionError::Internal(format!("{name} has no texts")))
}

fn counts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a UInt64Array> {
    let column = batch.column_by_name(name);
    let column = column.and_then(|column| column.as_any().downcast_ref());
    column.ok_or_else(|| DataFusionError::Internal(format!("{name} has no counts")))
}

/// What `work` gives for each of `all`, in their order, by so many threads.
fn side_by_side<T: Sync, R: Send>(
    all: &[T],
    threads: usize,
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let part = || {
        let mut done = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(one) = all.get(place) else {
                return done;
            };
            done.push((place, work(one)));
        }
    };
    let mut done: Vec<(usize, Result<R>)> = thread::scope(|scope| {
        let others = 1..threads.min(all.len());
        let others: Vec<_> = others
            .map(|_| thread::Builder::new().spawn_scoped(scope, part))
            .collect();
        let mut done = part();
        for other in others.into_iter().flatten() {
            // One that panicked has left its piece undone, which is noticed below.
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    if done.len() < all.len() {
        let found = "a thread that looks up rows broke off";
        return Err(DataFusionError::Internal(found.to_owned()));
    }
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, found)| found).collect()
}
