//! The totals of single files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use datafusion::common::Statistics;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::errors::ParquetError;
use parking_lot::Mutex;
use tieout_core::schema::Table;
use tieout_ledger::{TOTALS, Totals, annex, totalled};

use crate::reversed::{StoredFile, open, unreadable};

/// Which files have totals, by the files' names. No other content ever has a file's name.
#[derive(Debug, Default)]
pub(crate) struct KnownTotals {
    files: Mutex<BTreeMap<String, Option<Arc<FileTotals>>>>,
}

/// The totals of a file.
#[derive(Debug)]
pub(crate) struct FileTotals {
    /// Where they lie in it.
    place: Range<u64>,
    metadata: ArrowReaderMetadata,
    /// The least and greatest of each column.
    pub statistics: Arc<Statistics>,
    /// Those of the rows that hold, once somebody has asked.
    held: Mutex<Option<Held>>,
}

/// The totals of a file without those of its rows that were taken back.
#[derive(Clone, Debug)]
struct Held {
    gone: Arc<[usize]>,
    bytes: Bytes,
    metadata: ArrowReaderMetadata,
}

impl KnownTotals {
    /// Those of a file, whose columns are those of `schema`; none if it has none.
    ///
    /// # Errors
    /// If the file cannot be read, or has totals that are not as they should be.
    pub fn of(&self, file: &StoredFile, schema: &SchemaRef) -> Result<Option<Arc<FileTotals>>> {
        if let Some(known) = self.files.lock().get(&file.name) {
            return Ok(known.clone());
        }
        let totals = FileTotals::in_file(file, schema)?.map(Arc::new);
        let mut known = self.files.lock();
        known.insert(file.name.clone(), totals.clone());
        Ok(totals)
    }

    /// Forgets all files but those of these names.
    pub fn keep<'a>(&self, names: impl Iterator<Item = &'a String>) {
        let names: BTreeSet<&String> = names.collect();
        self.files.lock().retain(|name, _| names.contains(name));
    }
}

impl FileTotals {
    fn in_file(file: &StoredFile, schema: &SchemaRef) -> Result<Option<Self>> {
        let metadata = Arc::clone(open(file)?.metadata());
        let Some(place) = annex(metadata.file_metadata(), TOTALS) else {
            return Ok(None);
        };
        let bytes = bytes_at(file, &place).map_err(|error| unreadable(file, error))?;
        let metadata = metadata_of(&bytes, schema).map_err(|error| unreadable(file, error))?;
        let statistics =
            DFParquetMetadata::statistics_from_parquet_metadata(metadata.metadata(), schema)?;
        Ok(Some(Self {
            place,
            metadata,
            statistics: Arc::new(statistics),
            held: Mutex::default(),
        }))
    }

    /// A reader of the totals of `file`, which they are of.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn reader(&self, file: &StoredFile) -> Result<TotalsReader> {
        let bytes = bytes_at(file, &self.place).map_err(|error| unreadable(file, error))?;
        let metadata = self.metadata.clone();
        Ok(TotalsReader::new_with_metadata(bytes, metadata))
    }

    /// A reader of the totals of `file` without those of its rows `gone`. What these add up to is read
    /// once, and kept as long as no more of them are taken back.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn reader_without(&self, file: &StoredFile, gone: &Gone) -> Result<TotalsReader> {
        let mut held = self.held.lock();
        let known = held.as_ref().filter(|held| held.gone == gone.rows);
        let known = if let Some(known) = known {
            known.clone()
        } else {
            let left = self.less(file, gone)?;
            let metadata = metadata_of(&left, self.metadata.schema());
            let metadata = metadata.map_err(|error| unreadable(file, error))?;
            let known = Held {
                gone: Arc::clone(&gone.rows),
                bytes: left,
                metadata,
            };
            held.insert(known).clone()
        };
        Ok(TotalsReader::new_with_metadata(known.bytes, known.metadata))
    }

    fn less(&self, file: &StoredFile, gone: &Gone) -> Result<Bytes> {
        let unfit = || {
            let found = format!("{} has no totals", gone.table.name());
            DataFusionError::Internal(found)
        };
        let of = totalled(gone.table).ok_or_else(unfit)?;
        let mut totals = Totals::of(gone.table)?.ok_or_else(unfit)?;
        // With the types that they have in the file.
        let bytes = bytes_at(file, &self.place).map_err(|error| unreadable(file, error))?;
        let all = TotalsReader::try_new(bytes).and_then(TotalsReader::build);
        for batch in all.map_err(|error| unreadable(file, error))? {
            totals.add_totals(&batch?)?;
        }
        let rows = open(file)?;
        let names = of.by.iter().chain(of.sums).copied();
        let columns = ProjectionMask::columns(rows.parquet_schema(), names);
        let selected = gone.rows.iter().map(|&row| row..row + 1);
        let selected = RowSelection::from_consecutive_ranges(selected, gone.of);
        let rows = rows.with_projection(columns).with_row_selection(selected);
        for batch in rows.build().map_err(|error| unreadable(file, error))? {
            totals.add(&batch?, -1)?;
        }
        let left = totals
            .into_parquet()
            .map_err(|error| unreadable(file, error))?;
        left.map(Bytes::from).ok_or_else(unfit)
    }
}

/// Rows of a file that were taken back.
#[derive(Clone, Debug)]
pub(crate) struct Gone {
    pub table: Table,
    /// Which, in their order.
    pub rows: Arc<[usize]>,
    /// Of how many.
    pub of: usize,
}

/// Reads totals.
pub(crate) type TotalsReader = ParquetRecordBatchReaderBuilder<Bytes>;

/// What totals say of themselves, to be read with the columns of `schema`.
fn metadata_of(totals: &Bytes, schema: &SchemaRef) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::new().with_schema(Arc::clone(schema));
    ArrowReaderMetadata::load(totals, options)
}

fn bytes_at(file: &StoredFile, place: &Range<u64>) -> Result<Bytes, ParquetError> {
    let mut opened = File::open(&file.path)?;
    let length = place.end.saturating_sub(place.start);
    if opened.metadata()?.len() < place.end {
        let found = format!("its totals should end at {}", place.end);
        return Err(ParquetError::EOF(found));
    }
    let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
    opened.seek(SeekFrom::Start(place.start))?;
    opened.read_exact(&mut bytes)?;
    Ok(bytes.into())
}
