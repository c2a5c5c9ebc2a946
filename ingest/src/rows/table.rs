//! Rows of any table that has few enough of them to be built cell by cell.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Builder, Decimal128Builder, RecordBatch, UInt64Builder};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_core::{Amount, Currency, Date};

use super::bank_lines::BATCH_TEXT_BYTES_MAX;
use super::text::TextColumn;
use crate::format::{Batch, ReadError};
use crate::intake::Intake;

/// One value of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// The name of the file that is read.
    File,
    /// No value.
    Null,
    /// Text; empty becomes null where the column allows it.
    Text(&'a str),
    Money(Option<Amount>),
    Day(Option<Date>),
    Count(Option<u64>),
}

impl<'a> Cell<'a> {
    pub fn currency(currency: Option<&'a Currency>) -> Self {
        currency.map_or(Self::Null, |code| Self::Text(code.as_str()))
    }
}

/// A row of one table.
pub(crate) trait TableRow {
    /// The table.
    const TABLE: Table;

    /// The values in the order of the table's columns.
    fn cells(&self) -> impl IntoIterator<Item = Cell<'_>>;
}

enum Column {
    Text(TextColumn),
    Money(Decimal128Builder),
    Day(Date32Builder),
    Count(UInt64Builder),
}

/// Builds batches of the table of `R`.
pub(crate) struct TableRows<R> {
    file_name: String,
    batch_rows: usize,
    rows: usize,
    text_bytes: usize,
    columns: Vec<Column>,
    row: PhantomData<fn(&R)>,
}

impl<R: TableRow> TableRows<R> {
    pub fn new(file_name: &str, batch_rows: usize) -> Self {
        let schema = R::TABLE.schema();
        let columns = schema.fields().iter();
        Self {
            file_name: file_name.to_owned(),
            batch_rows: batch_rows.max(1),
            rows: 0,
            text_bytes: 0,
            columns: columns
                .map(|field| Column::of(field.data_type(), field.is_nullable()))
                .collect(),
            row: PhantomData,
        }
    }

    /// Adds a row; hands over a batch first if one is full. `R` names the kind of row, whatever
    /// it borrows.
    pub fn push(&mut self, row: &impl TableRow, intake: &mut Intake<'_>) -> Result<(), ReadError> {
        if self.rows >= self.batch_rows || self.text_bytes >= BATCH_TEXT_BYTES_MAX {
            self.flush(intake)?;
        }
        self.rows += 1;
        for (column, cell) in self.columns.iter_mut().zip(row.cells()) {
            self.text_bytes += column.append(cell, &self.file_name);
        }
        Ok(())
    }

    /// Hands over what is built so far.
    pub fn flush(&mut self, intake: &mut Intake<'_>) -> Result<(), ReadError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        self.text_bytes = 0;
        let batch = self.finish().map_err(|error| intake.internal(&error))?;
        Ok(intake.hand_over(Batch::Rows(R::TABLE, batch))?)
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        RecordBatch::try_new(R::TABLE.schema(), columns)
    }
}

impl Column {
    fn of(data_type: &DataType, is_nullable: bool) -> Self {
        match data_type {
            DataType::Decimal128(..) => {
                Self::Money(Decimal128Builder::new().with_data_type(AMOUNT_TYPE))
            }
            DataType::Date32 => Self::Day(Date32Builder::new()),
            DataType::UInt64 => Self::Count(UInt64Builder::new()),
            _ => Self::Text(TextColumn::new(is_nullable)),
        }
    }

    /// Appends the value, or null for one of another type; gives the bytes of text.
    fn append(&mut self, cell: Cell<'_>, file_name: &str) -> usize {
        match (self, cell) {
            (Self::Text(column), cell) => {
                let text = match cell {
                    Cell::File => file_name,
                    Cell::Text(text) => text,
                    _ => "",
                };
                column.append(text);
                return text.len();
            }
            (Self::Money(column), Cell::Money(amount)) => {
                column.append_option(amount.map(Amount::units));
            }
            (Self::Day(column), Cell::Day(date)) => column.append_option(date.map(Date::days)),
            (Self::Count(column), Cell::Count(count)) => column.append_option(count),
            (Self::Money(column), _) => column.append_null(),
            (Self::Day(column), _) => column.append_null(),
            (Self::Count(column), _) => column.append_null(),
        }
        0
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => column.finish(),
            Self::Money(builder) => Arc::new(builder.finish()),
            Self::Day(builder) => Arc::new(builder.finish()),
            Self::Count(builder) => Arc::new(builder.finish()),
        }
    }
}
