//! Rows that came before: the same file twice, renamed or split, or two reports whose periods
//! overlap. Bank lines have their own identities (see `intake`); all other rows are known by their
//! own columns.

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{
    Array, BooleanArray, Date32Array, Decimal128Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::compute::filter_record_batch;
use hashbrown::HashMap;
use rayon::prelude::*;
use tieout_core::{Admission, Identities, IdentityHasher, LineId};
use tieout_ledger::journal::Journal;

use crate::EngineError;
use crate::carried::Earlier;
use crate::intake::{arrow, internal};

/// Columns that say where a row stands, or how it is called, not what it is.
const PLACE: [&str; 6] = [
    "payment_id",
    "source_file",
    "source_line",
    "byte_start",
    "byte_end",
    "settlement_line_id",
];

/// Rows that one thread hashes at a time.
const ROWS_PER_TASK: usize = 256;

/// Remembers the rows of one kind.
pub struct Redelivery {
    kind: &'static str,
    identities: Identities,
    /// Knows the rows of earlier runs.
    journal: Option<Arc<Journal>>,
}

/// The rows that are new, with the identity of each.
pub struct NewRows {
    /// The rows, in their order.
    pub rows: RecordBatch,
    /// One identity a row.
    pub ids: Vec<LineId>,
    /// How many others an earlier delivery had brought.
    pub known_before: u64,
}

impl Redelivery {
    /// No rows yet; `kind` keeps kinds of rows apart.
    pub fn new(kind: &'static str) -> Self {
        Self {
            kind,
            identities: Identities::default(),
            journal: None,
        }
    }

    /// The same, where rows that `earlier` runs have brought are known.
    pub fn after(kind: &'static str, earlier: &Earlier) -> Self {
        Self {
            journal: earlier.rows(),
            ..Self::new(kind)
        }
    }

    /// The rows of `batch` that delivery number `delivery` is the first to bring. Rows that are
    /// alike within one delivery all stay.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batch has a column that cannot be compared,
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn new_rows(&mut self, delivery: u32, batch: &RecordBatch) -> Result<NewRows, EngineError> {
        let admitted = self.admit(delivery, batch)?;
        let keep: BooleanArray = admitted.iter().map(|id| Some(id.is_some())).collect();
        let ids: Vec<LineId> = admitted.into_iter().flatten().collect();
        let known_before = (batch.num_rows() - ids.len()) as u64;
        let rows = if known_before == 0 {
            batch.clone()
        } else {
            filter_record_batch(batch, &keep).map_err(arrow)?
        };
        Ok(NewRows {
            rows,
            ids,
            known_before,
        })
    }

    /// Of each row of `batch`, whether delivery number `delivery` is the first to bring it.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the batch has a column that cannot be compared,
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn are_new(
        &mut self,
        delivery: u32,
        batch: &RecordBatch,
    ) -> Result<Vec<bool>, EngineError> {
        let admitted = self.admit(delivery, batch)?;
        Ok(admitted.iter().map(Option::is_some).collect())
    }

    /// The identity of each row that is new.
    fn admit(
        &mut self,
        delivery: u32,
        batch: &RecordBatch,
    ) -> Result<Vec<Option<LineId>>, EngineError> {
        let columns = own_columns(batch)?;
        let contents = (0..batch.num_rows()).into_par_iter().map(|row| {
            let mut content = IdentityHasher::new(self.kind);
            for column in &columns {
                column.add(row, &mut content);
            }
            content.finish()
        });
        let contents: Vec<LineId> = contents.with_min_len(ROWS_PER_TASK).collect();
        let before: HashMap<LineId, u32, RandomState> = match &self.journal {
            Some(journal) => journal
                .known_rows(contents.iter().copied())?
                .into_iter()
                .collect(),
            None => HashMap::default(),
        };
        let admitted = contents.into_iter().map(|content| {
            let count = |content: &LineId| before.get(content).copied().unwrap_or_default();
            match self.identities.admit_after(delivery, content, count) {
                Admission::New(id) => Some(id),
                Admission::Known(_) => None,
            }
        });
        Ok(admitted.collect())
    }
}

/// A column of a row's content.
enum Content<'a> {
    Text(&'a StringArray),
    Money(&'a Decimal128Array),
    Day(&'a Date32Array),
    Count(&'a UInt64Array),
}

impl<'a> Content<'a> {
    fn of(column: &'a dyn Array) -> Option<Self> {
        let column = column.as_any();
        let text = column.downcast_ref().map(Self::Text);
        text.or_else(|| column.downcast_ref().map(Self::Money))
            .or_else(|| column.downcast_ref().map(Self::Day))
            .or_else(|| column.downcast_ref().map(Self::Count))
    }

    /// Adds the value in `row`; none is told from empty text by a second field.
    fn add(&self, row: usize, content: &mut IdentityHasher) {
        let is_null = match self {
            Self::Text(values) => values.is_null(row),
            Self::Money(values) => values.is_null(row),
            Self::Day(values) => values.is_null(row),
            Self::Count(values) => values.is_null(row),
        };
        content.field(&[u8::from(is_null)]);
        if is_null {
            return;
        }
        match self {
            Self::Text(values) => content.field(values.value(row).as_bytes()),
            Self::Money(values) => content.field(&values.value(row).to_le_bytes()),
            Self::Day(values) => content.field(&values.value(row).to_le_bytes()),
            Self::Count(values) => content.field(&values.value(row).to_le_bytes()),
        }
    }
}

fn own_columns(batch: &RecordBatch) -> Result<Vec<Content<'_>>, EngineError> {
    let schema = batch.schema();
    let fields = schema.fields().iter().zip(batch.columns());
    fields
        .filter(|(field, _)| !PLACE.contains(&field.name().as_str()))
        .map(|(field, column)| {
            let content = Content::of(column);
            content.ok_or_else(|| internal(format!("{} cannot be compared", field.name())))
        })
        .collect()
}
