//! Rows of the business's own files that came before: the same file twice, renamed or split.

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::row::{RowConverter, SortField};
use tieout_core::{Admission, Identities, IdentityHasher};

use crate::EngineError;
use crate::intake::arrow;

/// Columns that say where a row stands, not what it is.
const PLACE: [&str; 3] = ["payment_id", "source_file", "source_line"];

/// Remembers the rows of one kind of file.
pub struct Redelivery {
    kind: &'static str,
    identities: Identities,
}

impl Redelivery {
    /// No rows yet; `kind` keeps kinds of rows apart.
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            identities: Identities::default(),
        }
    }

    /// The rows of `batch` that delivery number `delivery` is the first to bring. Rows that are
    /// alike within one delivery all stay.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batch has a column that cannot be compared.
    pub fn new_rows(
        &mut self,
        delivery: u32,
        batch: &RecordBatch,
    ) -> Result<RecordBatch, EngineError> {
        let keep = BooleanArray::from(self.are_new(delivery, batch)?);
        if keep.true_count() == batch.num_rows() {
            return Ok(batch.clone());
        }
        filter_record_batch(batch, &keep).map_err(arrow)
    }

    /// Of each row of `batch`, whether delivery number `delivery` is the first to bring it.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batch has a column that cannot be compared.
    pub fn are_new(
        &mut self,
        delivery: u32,
        batch: &RecordBatch,
    ) -> Result<Vec<bool>, EngineError> {
        let columns = own_columns(batch);
        let fields = columns
            .iter()
            .map(|column| SortField::new(column.data_type().clone()));
        let converter = RowConverter::new(fields.collect()).map_err(arrow)?;
        let rows = converter.convert_columns(&columns).map_err(arrow)?;
        let is_new = rows.iter().map(|row| {
            let mut content = IdentityHasher::new(self.kind);
            content.field(row.as_ref());
            let admission = self.identities.admit(delivery, content.finish());
            matches!(admission, Admission::New(_))
        });
        Ok(is_new.collect())
    }
}

fn own_columns(batch: &RecordBatch) -> Vec<ArrayRef> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .filter(|(field, _)| !PLACE.contains(&field.name().as_str()))
        .map(|(_, column)| column.clone())
        .collect()
}
