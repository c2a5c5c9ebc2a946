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
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::path::Path as Location;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use parking_lot::Mutex;

use crate::few_rows::FewRows;
use crate::reversed::{Asked, Places};
use crate::selected::{locations, only, scanned};
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
    skipped: Mutex<Option<Arc<BTreeMap<Location, RowSelection>>>>,
    split: OnceLock<Option<Split>>,
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
    fn knows_all<'a>(&self, mut files: impl Iterator<Item = &'a Location>) -> bool {
        let own = self.asked.files.iter().map(|file| file.url.prefix());
        let own: BTreeSet<_> = own.collect();
        files.all(|file| own.contains(file))
    }

    fn skipped(&self, threads: usize) -> Result<Arc<BTreeMap<Location, RowSelection>>> {
        let mut known = self.skipped.lock();
        if let Some(skipped) = known.as_ref() {
            return Ok(Arc::clone(skipped));
        }
        let reversed = self.places.look_up(&self.asked, threads)?;
        let files = self.asked.files.iter().zip(reversed);
        let skipped = files
            .filter(|(_, (_, gone))| !gone.is_empty())
            .map(|(file, (rows, gone))| (file.url.prefix().clone(), without(rows, &gone)));
        Ok(Arc::clone(known.insert(Arc::new(skipped.collect()))))
    }
}

/// What is left of a file's `rows` but those at `gone`, which are in their order.
fn without(rows: usize, gone: &[usize]) -> RowSelection {
    let ends = gone.iter().copied().chain([rows]);
    let begins = [0].into_iter().chain(gone.iter().map(|row| row + 1));
    let kept = begins.zip(ends).map(|(begin, end)| begin..end);
    RowSelection::from_consecutive_ranges(kept, rows)
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
        if let Some(few) = plan.downcast_ref::<FewRows>()
            && self.knows_all(few.files().map(|file| file.url.prefix()))
        {
            return Ok(Arc::new(few.only(&skipped)));
        }
        if let Some(config) = scanned(&plan)
            && self.knows_all(locations(config))
        {
            return Ok(only(config, &skipped, limit));
        }
        let found = "a table is not read from the files in which rows are to be skipped";
        Err(DataFusionError::Internal(found.to_owned()))
    }
}
