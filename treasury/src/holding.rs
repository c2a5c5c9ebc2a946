//! The rows of a table that hold, by their places in its files.
//!
//! What later postings took back is named in `reversals`. To hold each row against those names would
//! read the widest column of a table for every question, and join it. So the places of rows that no
//! longer hold are looked up once for each file, and whoever reads the table skips them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::path::Path as Location;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use parking_lot::Mutex;

use crate::reversed::{Asked, Places};
use crate::stored::StoredTable;
use crate::totals::Split;

/// The rows of `all` that no posting has taken back.
#[derive(Debug)]
pub(crate) struct Holding {
    all: Arc<dyn TableProvider>,
    asked: Asked,
    /// What is known of its files, for all states of a ledger that are opened one after the other.
    places: Arc<Places>,
    /// What to skip in each file, once somebody has asked.
    skipped: Mutex<Option<Arc<BTreeMap<Location, Skipped>>>>,
    split: OnceLock<Option<Split>>,
}

/// The rows of a file that hold.
#[derive(Debug)]
struct Skipped {
    selection: ParquetRowSelection,
    held: usize,
}

impl Holding {
    /// Of the table that `asked` names, all rows of which are `all`.
    pub fn of(all: Arc<dyn TableProvider>, asked: Asked, places: Arc<Places>) -> Self {
        Self {
            all,
            asked,
            places,
            skipped: Mutex::default(),
            split: OnceLock::new(),
        }
    }

    /// What is known of the files.
    pub fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// The totals of its files, and the rows of those that have none; none if none of them has any.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn split(&self, threads: usize) -> Result<Option<Split>> {
        if let Some(known) = self.split.get() {
            return Ok(known.clone());
        }
        let split = match self.all.downcast_ref::<StoredTable>() {
            Some(stored) => self.split_of(stored, threads)?,
            None => None,
        };
        Ok(self.split.get_or_init(|| split).clone())
    }

    fn split_of(&self, stored: &StoredTable, threads: usize) -> Result<Option<Split>> {
        let gone = self.places.look_up(&self.asked, threads)?;
        let files = self.asked.files.iter().cloned().zip(gone);
        let files = files.map(|(file, (rows, gone))| (file, rows, gone));
        stored.split_by(files.collect(), |rest| {
            let asked = Asked {
                files: rest.files().to_vec(),
                ..self.asked.clone()
            };
            let places = Arc::clone(&self.places);
            Ok(Arc::new(Self::of(Arc::new(rest), asked, places)))
        })
    }

    /// Whether all files that are read are named as those in which rows are skipped.
    fn knows_all(&self, config: &FileScanConfig) -> bool {
        let own = self.asked.files.iter().map(|file| file.url.prefix());
        let own: BTreeSet<_> = own.collect();
        let mut files = config.file_groups.iter().flat_map(FileGroup::iter);
        files.all(|file| own.contains(&file.object_meta.location))
    }

    fn skipped(&self, threads: usize) -> Result<Arc<BTreeMap<Location, Skipped>>> {
        let mut known = self.skipped.lock();
        if let Some(skipped) = known.as_ref() {
            return Ok(Arc::clone(skipped));
        }
        let reversed = self.places.look_up(&self.asked, threads)?;
        let files = self.asked.files.iter().zip(reversed);
        let skipped = files
            .filter(|(_, (_, gone))| !gone.is_empty())
            .map(|(file, (rows, gone))| (file.url.prefix().clone(), skipped(rows, &gone)));
        Ok(Arc::clone(known.insert(Arc::new(skipped.collect()))))
    }
}

/// What to skip of a file's `rows`: those at `gone`, in their order.
fn skipped(rows: usize, gone: &[usize]) -> Skipped {
    let ends = gone.iter().copied().chain([rows]);
    let begins = [0].into_iter().chain(gone.iter().map(|row| row + 1));
    let kept = begins.zip(ends).map(|(begin, end)| begin..end);
    Skipped {
        selection: ParquetRowSelection::new(RowSelection::from_consecutive_ranges(kept, rows)),
        held: rows - gone.len(),
    }
}

#[async_trait]
impl TableProvider for Holding {
    fn schema(&self) -> SchemaRef {
        self.all.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.all.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let skipped = self.skipped(state.config().target_partitions())?;
        if skipped.is_empty() {
            return self.all.scan(state, projection, filters, limit).await;
        }
        // With a limit it would leave out files, by the number of all their rows.
        let plan = self.all.scan(state, projection, filters, None).await?;
        if plan.is::<EmptyExec>() {
            return Ok(plan);
        }
        let source = plan.downcast_ref::<DataSourceExec>();
        let config =
            source.and_then(|source| source.data_source().downcast_ref::<FileScanConfig>());
        let config = config.filter(|config| self.knows_all(config));
        let config = config.ok_or_else(|| {
            let found = "a table is not read from the files in which rows are to be skipped";
            DataFusionError::Internal(found.to_owned())
        })?;
        let held = without(config, &skipped, limit);
        Ok(DataSourceExec::from_data_source(held))
    }
}

/// What is read by `config`, without the rows that are skipped.
fn without(
    config: &FileScanConfig,
    skipped: &BTreeMap<Location, Skipped>,
    limit: Option<usize>,
) -> FileScanConfig {
    let groups = config.file_groups.iter().map(|group| {
        let files = group.iter().map(|file| part(file, skipped));
        let files: Vec<_> = files.collect();
        let held = files.iter().map(|file| match file.statistics.as_deref() {
            Some(statistics) => statistics.num_rows,
            None => Precision::Absent,
        });
        let held = held.fold(Precision::Exact(0), |sum, rows| sum.add(&rows));
        match group.file_statistics(None) {
            Some(statistics) => {
                let statistics = of_rows(statistics, held);
                FileGroup::new(files).with_statistics(Arc::new(statistics))
            }
            None => FileGroup::new(files),
        }
    });
    let groups: Vec<_> = groups.collect();
    let held = groups
        .iter()
        .map(|group| match group.file_statistics(None) {
            Some(statistics) => statistics.num_rows,
            None => Precision::Absent,
        });
    let held = held.fold(Precision::Exact(0), |sum, rows| sum.add(&rows));
    let statistics = of_rows(&config.statistics(), held);
    FileScanConfigBuilder::from(config.clone())
        .with_file_groups(groups)
        .with_statistics(statistics)
        .with_limit(limit)
        .build()
}

/// The file, without the rows that are skipped.
fn part(file: &PartitionedFile, skipped: &BTreeMap<Location, Skipped>) -> PartitionedFile {
    let file = file.clone();
    let Some(skipped) = skipped.get(&file.object_meta.location) else {
        return file;
    };
    let held = Precision::Exact(skipped.held);
    let statistics = file.statistics.as_deref();
    let statistics = statistics.map(|statistics| Arc::new(of_rows(statistics, held)));
    let mut file = file.with_extension(skipped.selection.clone());
    file.statistics = statistics;
    file
}

/// Statistics for fewer rows: what they say of columns are bounds.
fn of_rows(statistics: &Statistics, rows: Precision<usize>) -> Statistics {
    statistics.clone().to_inexact().with_num_rows(rows)
}
