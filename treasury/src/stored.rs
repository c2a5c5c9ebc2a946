//! All rows of a table, from the files of the ledger.

use std::fmt;
use std::sync::Arc;

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

use crate::filters::{Filters, Sought};
use crate::reversed::StoredFile;

/// A table whose files are at hand. Of those that cannot have what is asked for nothing is read, listed
/// or planned.
pub(crate) struct StoredTable {
    all: ListingTable,
    files: Vec<StoredFile>,
    read: Reading,
    filters: Arc<Filters>,
}

/// How files are read.
#[derive(Clone)]
pub(crate) struct Reading {
    pub options: ListingOptions,
    pub schema: SchemaRef,
    /// What the files say of their columns is read once for all states.
    pub known: Option<Arc<FileStatisticsCache>>,
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
    pub fn of(files: Vec<StoredFile>, read: Reading, filters: Arc<Filters>) -> Result<Self> {
        Ok(Self {
            all: read.of(&files)?,
            files,
            read,
            filters,
        })
    }
}

impl Reading {
    fn of(&self, files: &[StoredFile]) -> Result<ListingTable> {
        let urls: Vec<ListingTableUrl> = files.iter().map(|file| file.url.clone()).collect();
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(self.options.clone())
            .with_schema(Arc::clone(&self.schema));
        Ok(ListingTable::try_new(config)?.with_cache(self.known.clone()))
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
        let sifted = Sought::by(filters).map(|sought| self.filters.sift(&self.files, &sought));
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
