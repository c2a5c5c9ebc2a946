//! The totals of a table's files as a table.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::{DFSchema, project_schema};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;

use super::known::{FileTotals, Gone};
use crate::reversed::{StoredFile, unreadable};

/// The totals of some files of a table. Its columns are those that totals are by, the number of rows, and
/// the sums under the names of the amounts.
#[derive(Debug)]
pub(crate) struct TotalsTable {
    pub schema: SchemaRef,
    pub files: Vec<FileWithTotals>,
}

/// A file with its totals.
#[derive(Clone)]
pub(crate) struct FileWithTotals {
    pub file: StoredFile,
    pub totals: Arc<FileTotals>,
    /// Its rows that were taken back, if there are any.
    pub gone: Option<Gone>,
}

impl fmt::Debug for FileWithTotals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.file.name)
    }
}

#[async_trait]
impl TableProvider for TotalsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        // They tell which files have no such row.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.that_may_have(state, filters)?;
        let schema = project_schema(&self.schema, projection)?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let all = || (0..self.schema.fields().len()).collect();
        let columns: Arc<[usize]> = projection.cloned().unwrap_or_else(all).into();
        let parts = state.config().target_partitions().clamp(1, files.len());
        let parts = (0..parts).map(|part| {
            let own = files.iter().skip(part).step_by(parts).cloned();
            let part = Part {
                schema: Arc::clone(&schema),
                columns: Arc::clone(&columns),
                files: own.collect(),
            };
            Arc::new(part) as Arc<dyn PartitionStream>
        });
        let plan = StreamingTableExec::try_new(
            Arc::clone(&schema),
            parts.collect(),
            None,
            [],
            false,
            limit,
        )?;
        Ok(Arc::new(plan))
    }
}

impl TotalsTable {
    /// The files of which some total may pass all of `filters`.
    fn that_may_have(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<FileWithTotals>> {
        let Some(all) = conjunction(filters.iter().cloned()) else {
            return Ok(self.files.clone());
        };
        let columns = DFSchema::try_from(Arc::clone(&self.schema))?;
        let all = state.create_physical_expr(all, &columns)?;
        let pruning = PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema));
        let pruning = pruning.try_build(all)?;
        let statistics = self.files.iter().map(|file| &file.totals.statistics);
        let statistics =
            PrunableStatistics::new(statistics.cloned().collect(), Arc::clone(&self.schema));
        let may_have = pruning.prune(&statistics)?;
        let files = self.files.iter().zip(may_have);
        Ok(files
            .filter(|(_, may_have)| *may_have)
            .map(|(file, _)| file.clone())
            .collect())
    }
}

/// Files that are read one after the other.
#[derive(Debug)]
struct Part {
    schema: SchemaRef,
    columns: Arc<[usize]>,
    files: Vec<FileWithTotals>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let columns = Arc::clone(&self.columns);
        let rows = context.session_config().batch_size();
        let batches = self.files.clone().into_iter().flat_map(move |file| {
            let batches = file.batches(&columns, rows);
            batches.unwrap_or_else(|error| Box::new([Err(error)].into_iter()))
        });
        let schema = Arc::clone(&self.schema);
        Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches)))
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

impl FileWithTotals {
    /// The columns of its totals, in batches of so many rows.
    fn batches(&self, columns: &[usize], rows: usize) -> Result<Batches> {
        let reader = match &self.gone {
            None => self.totals.reader(&self.file)?,
            Some(gone) => self.totals.reader_without(&self.file, gone)?,
        };
        let mask = ProjectionMask::roots(reader.parquet_schema(), columns.iter().copied());
        let reader = reader.with_batch_size(rows).with_projection(mask).build();
        let reader = reader.map_err(|error| unreadable(&self.file, error))?;
        // A reader gives columns in the order of the file, whatever was asked for.
        let place = |column: &usize| columns.iter().filter(|other| *other < column).count();
        let places: Vec<usize> = columns.iter().map(place).collect();
        Ok(Box::new(
            reader.map(move |batch| Ok(batch?.project(&places)?)),
        ))
    }
}
