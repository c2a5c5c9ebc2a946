//! All rows of a table, from the files of the ledger.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::project_schema;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::Result;
use datafusion::execution::cache::cache_manager::FileStatisticsCache;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use tieout_core::schema::Table;

use crate::filters::{Filters, Sought};
use crate::reversed::StoredFile;
use crate::totals::{KnownTotals, Split, parted};

/// A table whose files are at hand. Of those that cannot have what is asked for nothing is read, listed
/// or planned.
pub(crate) struct StoredTable {
    all: ListingTable,
    files: Vec<StoredFile>,
    read: Reading,
    known: Known,
    split: OnceLock<Option<Split>>,
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
        match sifted.filter(|sifted| sifted.len() < self.files.len()) {
            None => self.all.scan(state, projection, filters, limit).await,
            Some(none) if none.is_empty() => {
                let columns = project_schema(&self.schema(), projection)?;
                Ok(Arc::new(EmptyExec::new(columns)))
            }
            Some(some) => {
                let some = self.read.of(&some)?;
                some.scan(state, projection, filters, limit).await
            }
        }
    }
}
