//! Texts of stored tables, as they are read and as they are handed out.
//!
//! They are read as views into the pages of their files: rows are filtered, joined and grouped
//! without copying a text each time. Who asks gets texts that lie by themselves.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use tieout_core::schema::Table;
use tieout_ledger::stored_schema;

/// The columns of a stored table as they are read.
pub(crate) fn read_schema(table: Table) -> SchemaRef {
    as_views(&stored_schema(table))
}

/// `schema` with its texts as views.
pub(crate) fn as_views(schema: &Schema) -> SchemaRef {
    with(schema, &DataType::Utf8, &DataType::Utf8View)
}

/// `schema` with its views as texts.
pub(crate) fn as_texts(schema: &Schema) -> SchemaRef {
    with(schema, &DataType::Utf8View, &DataType::Utf8)
}

/// The columns of `batch` with the types of `schema`.
///
/// # Errors
/// An [`ArrowError`] if a column is longer than an array of texts can be.
pub(crate) fn handed_out(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    if batch.schema_ref() == schema {
        return Ok(batch.clone());
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(column, field)| cast(column, field.data_type()));
    RecordBatch::try_new(Arc::clone(schema), columns.collect::<Result<_, _>>()?)
}

fn with(schema: &Schema, from: &DataType, to: &DataType) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        if field.data_type() == from {
            Arc::new(Field::clone(field).with_data_type(to.clone()))
        } else {
            Arc::clone(field)
        }
    });
    let fields = fields.collect::<Vec<_>>();
    Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()))
}
