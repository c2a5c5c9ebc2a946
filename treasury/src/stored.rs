//! All rows of a table, from the files of the ledger.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::project_schema;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::datasource::physical_plan::FileScanConfigBuilder;
use datafusion::error::Result;
use datafusion::execution::cache::cache_manager::FileStatisticsCache;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use parking_lot::Mutex;
use tieout_core::schema::Table;

use crate::few_rows::FewRows;
use crate::filters::{Filters, Sifted};
use crate::reversed::StoredFile;
use crate::selected::{only, scanned};
use crate::sought::Sought;
use crate::totals::{KnownTotals, Split, parted};

/// A table whose files are at hand. Of those that cannot have what is asked for nothing is read, listed
/// or planned; of the others only rows that may be it where an index tells which.
pub(crate) struct StoredTable {
    all: ListingTable,
    files: Vec<StoredFile>,
    read: Reading,
    known: Known,
    split: OnceLock<Option<Split>>,
    /// What reads all columns of all files, by the number of parts.
    listed: Mutex<BTreeMap<usize, Arc<dyn ExecutionPlan>>>,
}

/// What is known of files, for all states of a ledger that are opened one after the other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// Where their filters lie.
    pub filters: Arc<Filters>,
    /// Which of them have totals.
    pub totals: Arc<KnownTotals>,
}

/// How files are read.
#[derive(Clone)]
pub(crate) struct Reading {
    pub table: Table,
    pub options: ListingOptions,
    pub schema: SchemaRef,
    /// What the files say of their columns is read once for all states.
    pub statistics: Option<Arc<FileStatisticsCache>>,
}

impl fmt::Debug for StoredTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.files).finish()
    }
}

impl StoredTable {
    /// Of these files, of which there is one at least.
    ///
    /// # Errors
    /// If there can be no such table.
    pub fn of(files: Vec<StoredFile>, read: Reading, known: Known) -> Result<Self> {
        Ok(Self {
            all: read.of(&files)?,
            files,
            read,
            known,
            split: OnceLock::new(),
            listed: Mutex::default(),
        })
    }

    /// The totals of its files, and the rows of those that have none; none if none of them has any.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn split(&self) -> Result<Option<Split>> {
        if let Some(known) = self.split.get() {
            return Ok(known.clone());
        }
        let files = self.files.iter();
        let files = files.map(|file| (file.clone(), 0, Vec::new())).collect();
        let split = self.split_by(files, |rest| Ok(Arc::new(rest)))?;
        Ok(self.split.get_or_init(|| split).clone())
    }

    /// The same of `files`, whose rows that were taken back are named, where `rest` makes of the rows of the
    /// other files those that hold.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn split_by(
        &self,
        files: Vec<(StoredFile, usize, Vec<usize>)>,
        rest: impl FnOnce(Self) -> Result<Arc<dyn TableProvider>>,
    ) -> Result<Option<Split>> {
        let Some(parted) = parted(self.read.table, files, &self.known.totals)? else {
            return Ok(None);
        };
        let rest = if parted.rest.is_empty() {
            None
        } else {
            let others = Self::of(parted.rest, self.read.clone(), self.known.clone())?;
            Some(rest(others)?)
        };
        Ok(Some(Split {
            of: parted.of,
            totals: parted.totals,
            rest,
        }))
    }

    /// Its files.
    pub fn files(&self) -> &[StoredFile] {
        &self.files
    }
}

impl Known {
    /// Forgets all files but those of these names.
    pub fn keep<'a>(&self, names: impl Iterator<Item = &'a String> + Clone) {
        self.filters.keep(names.clone());
        self.totals.keep(names);
    }
}

impl StoredTable {
    /// All files, which are listed once for each number of parts.
    async fn scan_all(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if limit.is_some() {
            // It leaves out files that it does not need.
            return self.all.scan(state, projection, filters, limit).await;
        }
        let parts = state.config().target_partitions();
        let known = self.listed.lock().get(&parts).cloned();
        let listed = if let Some(listed) = known {
            listed
        } else {
            let listed = self.all.scan(state, None, &[], None).await?;
            self.listed.lock().insert(parts, Arc::clone(&listed));
            listed
        };
        let Some(config) = scanned(&listed) else {
            return self.all.scan(state, projection, filters, limit).await;
        };
        // Only the list is shared: a source counts what its queries read, and keeps the counts of all that
        // it was copied for.
        let format = &self.read.options.format;
        let source = format.file_source(config.file_source().table_schema().clone());
        let projected = FileScanConfigBuilder::from(config.clone())
            .with_source(source)
            .with_projection_indices(projection.cloned())?
            .build();
        format.create_physical_plan(state, projected).await
    }

    fn is_less(&self, sifted: &[Sifted]) -> bool {
        sifted.len() < self.files.len() || sifted.iter().any(|sifted| sifted.rows.is_some())
    }
}

impl Reading {
    fn of(&self, files: &[StoredFile]) -> Result<ListingTable> {
        let urls: Vec<ListingTableUrl> = files.iter().map(|file| file.url.clone()).collect();
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(self.options.clone())
            .with_schema(Arc::clone(&self.schema));
        Ok(ListingTable::try_new(config)?.with_cache(self.statistics.clone()))
    }
}

#[async_trait]
impl TableProvider for StoredTable {
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
        let sifted =
            Sought::by(filters).map(|sought| self.known.filters.sift(&self.files, &sought));
        let Some(sifted) = sifted.filter(|sifted| self.is_less(sifted)) else {
            return self.scan_all(state, projection, filters, limit).await;
        };
        if sifted.is_empty() {
            let columns = project_schema(&self.schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(columns)));
        }
        let parts = state.config().target_partitions();
        if let Some(few) = FewRows::of(&sifted, &self.schema(), projection, parts)? {
            return Ok(Arc::new(few));
        }
        let files: Vec<_> = sifted.iter().map(|sifted| sifted.file.clone()).collect();
        let some = self.read.of(&files)?;
        let plan = some.scan(state, projection, filters, limit).await?;
        let rows = sifted.into_iter();
        let rows =
            rows.filter_map(|one| Some((one.file.url.prefix().clone(), one.rows?.selection)));
        let rows: BTreeMap<_, _> = rows.collect();
        match scanned(&plan) {
            Some(config) if !rows.is_empty() => Ok(only(config, &rows, config.limit)),
            _ => Ok(plan),
        }
    }
}
