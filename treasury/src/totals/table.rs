//! The totals of a table's files as a table.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::{DFSchema, project_schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::file::reader::ChunkReader;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;
use tieout_core::schema::Table;
use tieout_ledger::{Totals, totalled};

use super::known::FileTotals;
use crate::reversed::{StoredFile, open, unreadable};

/// The totals of some files of a table. Its columns are those that totals are by, the number of rows, and
/// the sums under the names of the amounts.
#[derive(Debug)]
pub(crate) struct TotalsTable {
    pub table: Table,
    pub schema: SchemaRef,
    pub files: Vec<FileWithTotals>,
}

/// A file with its totals.
#[derive(Clone)]
pub(crate) struct FileWithTotals {
    pub file: StoredFile,
    pub totals: Arc<FileTotals>,
    /// Its rows that were taken back, in their order, of so many.
    pub gone: Arc<[usize]>,
    pub rows: usize,
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
                table: self.table,
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
    table: Table,
    schema: SchemaRef,
    columns: Arc<[usize]>,
    files: Vec<FileWithTotals>,
}

impl PartitionStream for Part {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (table, columns) = (self.table, Arc::clone(&self.columns));
        let rows = context.session_config().batch_size();
        let schema = Arc::clone(&self.schema);
        let batches = self.files.clone().into_iter().flat_map(move |file| {
            let batches = file.batches(table, &schema, &columns, rows);
            batches.unwrap_or_else(|error| Box::new([Err(error)].into_iter()))
        });
        let schema = Arc::clone(&self.schema);
        Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(batches)))
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

impl FileWithTotals {
    /// The columns of its totals, in batches of so many rows.
    fn batches(
        self,
        table: Table,
        schema: &SchemaRef,
        columns: &[usize],
        rows: usize,
    ) -> Result<Batches> {
        if self.gone.is_empty() {
            let reader = self.totals.reader(&self.file)?.with_batch_size(rows);
            let root = reader.parquet_schema();
            let mask = ProjectionMask::roots(root, columns.iter().copied());
            let reader = built(reader.with_projection(mask), &self.file)?;
            // A reader gives columns in the order of the file, whatever was asked for.
            let mut order: Vec<usize> = (0..columns.len()).collect();
            order.sort_unstable_by_key(|&place| columns[place]);
            let mut places = vec![0; columns.len()];
            for (read, asked) in order.into_iter().enumerate() {
                places[asked] = read;
            }
            return Ok(Box::new(
                reader.map(move |batch| Ok(batch?.project(&places)?)),
            ));
        }
        let left = self.less_what_is_gone(table)?;
        let columns = columns.iter().zip(schema.fields());
        let columns = columns.map(|(&column, field)| cast(left.column(column), field.data_type()));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let left = RecordBatch::try_new(Arc::clone(schema), columns)?;
        Ok(Box::new([Ok(left)].into_iter()))
    }

    /// The totals, of which rows that were taken back are taken off.
    fn less_what_is_gone(&self, table: Table) -> Result<RecordBatch> {
        let totals = Totals::of(table)?.zip(totalled(table));
        let (mut totals, of) = totals.ok_or_else(|| unfit("no totals"))?;
        // As they lie in the file: that is how they are put together.
        let plain = ParquetRecordBatchReaderBuilder::try_new(self.totals.bytes(&self.file)?);
        let plain = plain.map_err(|error| unreadable(&self.file, error))?;
        for batch in built(plain, &self.file)? {
            totals.add_totals(&batch?)?;
        }
        let rows = open(&self.file)?;
        let names = of.by.iter().chain(of.sums).copied();
        let mask = ProjectionMask::columns(rows.parquet_schema(), names);
        let gone = self.gone.iter().map(|&row| row..row + 1);
        let gone = RowSelection::from_consecutive_ranges(gone, self.rows);
        let rows = rows.with_projection(mask).with_row_selection(gone);
        for batch in built(rows, &self.file)? {
            totals.add(&batch?, -1)?;
        }
        totals.finish()?.ok_or_else(|| unfit("no room"))
    }
}

fn built<T: ChunkReader + 'static>(
    reader: ParquetRecordBatchReaderBuilder<T>,
    file: &StoredFile,
) -> Result<ParquetRecordBatchReader> {
    reader.build().map_err(|error| unreadable(file, error))
}

fn unfit(found: &str) -> DataFusionError {
    DataFusionError::Internal(format!("there is {found} for the totals of a file"))
}
