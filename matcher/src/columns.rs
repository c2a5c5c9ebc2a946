//! Typed views of the columns of a canonical batch.

use arrow::array::{Array, BooleanArray, Date32Array, Decimal128Array, RecordBatch, StringArray};
use thiserror::Error;
use tieout_core::{Amount, Date};

/// A batch that has not the shape of its table: a mistake in the program that made it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a canonical batch lacks the column {column} of type {expected}")]
pub struct BadBatch {
    column: &'static str,
    expected: &'static str,
}

impl BadBatch {
    pub(crate) const fn of(column: &'static str, expected: &'static str) -> Self {
        Self { column, expected }
    }
}

fn column<'a, T: 'static>(
    batch: &'a RecordBatch,
    name: &'static str,
    expected: &'static str,
) -> Result<&'a T, BadBatch> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_any().downcast_ref())
        .ok_or(BadBatch {
            column: name,
            expected,
        })
}

/// A text column.
#[derive(Clone, Copy)]
pub struct Text<'a>(&'a StringArray);

impl<'a> Text<'a> {
    pub fn of(batch: &'a RecordBatch, name: &'static str) -> Result<Self, BadBatch> {
        column(batch, name, "Utf8").map(Self)
    }

    /// The text, or none if it is null or empty.
    pub fn get(self, row: usize) -> Option<&'a str> {
        (!self.0.is_null(row))
            .then(|| self.0.value(row))
            .filter(|text| !text.is_empty())
    }

    /// The text, empty for null.
    pub fn text(self, row: usize) -> &'a str {
        self.get(row).unwrap_or_default()
    }
}

/// An amount column.
#[derive(Clone, Copy)]
pub struct Money<'a>(&'a Decimal128Array);

impl<'a> Money<'a> {
    pub fn of(batch: &'a RecordBatch, name: &'static str) -> Result<Self, BadBatch> {
        column(batch, name, "Decimal128(23, 5)").map(Self)
    }

    pub fn get(self, row: usize) -> Option<Amount> {
        (!self.0.is_null(row)).then(|| Amount::from_units(self.0.value(row)))
    }

    pub fn or_zero(self, row: usize) -> Amount {
        self.get(row).unwrap_or(Amount::ZERO)
    }
}

/// A date column.
#[derive(Clone, Copy)]
pub struct Days<'a>(&'a Date32Array);

impl<'a> Days<'a> {
    pub fn of(batch: &'a RecordBatch, name: &'static str) -> Result<Self, BadBatch> {
        column(batch, name, "Date32").map(Self)
    }

    pub fn get(self, row: usize) -> Option<Date> {
        (!self.0.is_null(row)).then(|| Date::from_days(self.0.value(row)))
    }
}

/// A column of yes and no.
#[derive(Clone, Copy)]
pub struct Flags<'a>(&'a BooleanArray);

impl<'a> Flags<'a> {
    pub fn of(batch: &'a RecordBatch, name: &'static str) -> Result<Self, BadBatch> {
        column(batch, name, "Boolean").map(Self)
    }

    pub fn get(self, row: usize) -> bool {
        !self.0.is_null(row) && self.0.value(row)
    }
}
