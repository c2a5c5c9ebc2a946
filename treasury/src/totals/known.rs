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
use datafusion::error::Result;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use datafusion::parquet::errors::ParquetError;
use parking_lot::Mutex;
use tieout_ledger::{TOTALS, annex};

use crate::reversed::{StoredFile, open, unreadable};

/// Which files have totals, by the files' names. No other content ever has a file's name.
#[derive(Debug, Default)]
pub(crate) struct KnownTotals {
    files: Mutex<BTreeMap<String, Option<Arc<FileTotals>>>>,
}

/// The totals of a file: where they lie in it, and what they say of themselves.
#[derive(Debug)]
pub(crate) struct FileTotals {
    place: Range<u64>,
    metadata: ArrowReaderMetadata,
    /// The least and greatest of each column.
    pub statistics: Arc<Statistics>,
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
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(schema));
        let metadata =
            ArrowReaderMetadata::load(&bytes, options).map_err(|error| unreadable(file, error))?;
        let statistics =
            DFParquetMetadata::statistics_from_parquet_metadata(metadata.metadata(), schema)?;
        Ok(Some(Self {
            place,
            metadata,
            statistics: Arc::new(statistics),
        }))
    }

    /// A reader of the totals of `file`, which they are of.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn reader(&self, file: &StoredFile) -> Result<ParquetRecordBatchReaderBuilder<Bytes>> {
        let metadata = self.metadata.clone();
        Ok(ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.bytes(file)?,
            metadata,
        ))
    }

    /// The totals of `file`, as they lie in it: a Parquet file of their own.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn bytes(&self, file: &StoredFile) -> Result<Bytes> {
        bytes_at(file, &self.place).map_err(|error| unreadable(file, error))
    }
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
