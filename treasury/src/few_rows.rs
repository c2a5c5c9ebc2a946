//! Single rows of stored files, when it is known which they are.
//!
//! A scan of DataFusion prepares itself for each file: it adapts what it looks for to the file, asks
//! statistics and filters, and loads what they are made of. For a few rows, whose places are known, that
//! takes longer than to read their pages.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, project_schema};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::object_store::path::Path as Location;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use datafusion::parquet::errors::ParquetError;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use crate::filters::Sifted;
use crate::reversed::{StoredFile, unreadable};

/// Reads rows by their places.
#[derive(Debug)]
pub(crate) struct FewRows {
    /// Those of each part.
    parts: Vec<Vec<Place>>,
    properties: Arc<PlanProperties>,
}

/// Rows of a file.
#[derive(Clone, Debug)]
struct Place {
    file: StoredFile,
    metadata: ArrowReaderMetadata,
    rows: RowSelection,
}

impl FewRows {
    /// The columns `projection` of what is left of files, in `parts` parts at most. None if it is not known
    /// of each file which rows are left, or if a file has other columns than the table's.
    ///
    /// # Errors
    /// If there are no such columns.
    pub fn of(
        sifted: &[Sifted],
        schema: &SchemaRef,
        projection: Option<&Vec<usize>>,
        parts: usize,
    ) -> Result<Option<Self>> {
        let columns = project_schema(schema, projection)?;
        let places = sifted.iter().map(|sifted| {
            let rows = sifted.rows.as_ref().filter(|rows| rows.is_few)?;
            let has =
                |column: &FieldRef| match rows.metadata.schema().field_with_name(column.name()) {
                    Ok(own) => own.data_type() == column.data_type(),
                    Err(_) => column.is_nullable(),
                };
            columns.fields().iter().all(has).then(|| Place {
                file: sifted.file.clone(),
                metadata: rows.metadata.clone(),
                rows: rows.selection.clone(),
            })
        });
        let Some(places) = places.collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let size = places.len().div_ceil(parts.max(1)).max(1);
        let parts: Vec<_> = places.chunks(size).map(<[_]>::to_vec).collect();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(columns),
            Partitioning::UnknownPartitioning(parts.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = properties.with_scheduling_type(SchedulingType::Cooperative);
        Ok(Some(Self {
            parts,
            properties: Arc::new(properties),
        }))
    }

    /// Those of them that are selected of their files, too.
    pub fn only(&self, selected: &BTreeMap<Location, RowSelection>) -> Self {
        let of_file = |place: &Place| match selected.get(place.file.url.prefix()) {
            Some(selected) => Place {
                rows: place.rows.intersection(selected),
                ..place.clone()
            },
            None => place.clone(),
        };
        let parts = self.parts.iter();
        let parts = parts.map(|places| places.iter().map(of_file).collect());
        Self {
            parts: parts.collect(),
            properties: Arc::clone(&self.properties),
        }
    }

    /// The files that are read.
    pub fn files(&self) -> impl Iterator<Item = &StoredFile> {
        self.parts.iter().flatten().map(|place| &place.file)
    }

    fn rows(&self) -> usize {
        let places = self.parts.iter().flatten();
        places.map(|place| place.rows.row_count()).sum()
    }
}

impl Place {
    /// The rows, with these columns.
    fn read(&self, columns: &SchemaRef) -> Result<Vec<RecordBatch>> {
        let (groups, rows) = self.in_groups();
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let unreadable = |error| unreadable(&self.file, error);
        let file = File::open(&self.file.path).map_err(|error| unreadable(error.into()))?;
        let reader =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let names = columns.fields().iter().map(|field| field.name().as_str());
        let mask = ProjectionMask::columns(reader.parquet_schema(), names);
        let reader = reader
            .with_projection(mask)
            .with_row_groups(groups)
            .with_batch_size(rows.row_count())
            .with_row_selection(rows)
            .build();
        let batches = reader.map_err(unreadable)?;
        let batches = batches.map(|batch| {
            let batch = batch.map_err(|error| unreadable(ParquetError::from(error)))?;
            with_columns(&batch, columns)
        });
        batches.collect()
    }

    /// The row groups that have some of the rows, and which of all their rows these are.
    fn in_groups(&self) -> (Vec<usize>, RowSelection) {
        let (mut groups, mut selectors) = (Vec::new(), Vec::<RowSelector>::new());
        let mut rest = self.rows.clone();
        for (place, group) in self.metadata.metadata().row_groups().iter().enumerate() {
            let rows = rest.split_off(usize::try_from(group.num_rows()).unwrap_or(0));
            if rows.selects_any() {
                groups.push(place);
                selectors.extend(Vec::<RowSelector>::from(rows));
            }
        }
        (groups, selectors.into())
    }
}

/// The rows with these columns; those that they lack, as files of earlier versions do, are null.
fn with_columns(batch: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let arrays = columns.fields().iter().map(|field| {
        let own = batch.column_by_name(field.name()).map(Arc::clone);
        own.unwrap_or_else(|| new_null_array(field.data_type(), rows))
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::clone(columns), arrays.collect(), &options);
    Ok(batch?)
}

impl DisplayAs for FewRows {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: rows={}, files=", self.name(), self.rows())?;
        let paths = self.files().map(|file| file.path.display().to_string());
        formatter.debug_list().entries(paths).finish()
    }
}

impl ExecutionPlan for FewRows {
    fn name(&self) -> &'static str {
        "FewRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, part: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let places = self.parts.get(part).cloned().ok_or_else(|| {
            let found = format!("{} has no part {part}", self.name());
            DataFusionError::Internal(found)
        })?;
        let columns = self.schema();
        let wanted = Arc::clone(&columns);
        let rows = stream::iter(places)
            .map(move |place| place.read(&wanted))
            .map_ok(|batches| stream::iter(batches.into_iter().map(Ok)))
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(columns, rows)))
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        _: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let unknown = Statistics::new_unknown(&self.schema());
        Ok(Arc::new(
            unknown.with_num_rows(Precision::Inexact(self.rows())),
        ))
    }
}
