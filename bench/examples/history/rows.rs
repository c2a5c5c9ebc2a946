//! Rows of a stored table, gathered until they are worth a batch.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder,
    RecordBatch, StringBuilder, UInt64Builder,
};
use arrow::datatypes::DataType;
use tieout_core::schema::Table;
use tieout_ledger::stored_schema;

/// One value of a row, in the order of the table's columns.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    Null,
    Text(&'a str),
    /// Hundred-thousandths, or an exchange rate's own units.
    Units(i128),
    /// Days since 1970.
    Day(i32),
    Count(u64),
    Flag(bool),
    Ratio(f64),
}

impl<'a> From<&'a str> for Cell<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for Cell<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i128> for Cell<'_> {
    fn from(units: i128) -> Self {
        Self::Units(units)
    }
}

impl From<i32> for Cell<'_> {
    fn from(day: i32) -> Self {
        Self::Day(day)
    }
}

impl From<u64> for Cell<'_> {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<bool> for Cell<'_> {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<f64> for Cell<'_> {
    fn from(ratio: f64) -> Self {
        Self::Ratio(ratio)
    }
}

impl<'a, T: Into<Cell<'a>>> From<Option<T>> for Cell<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// No text.
pub const NONE: Option<&str> = None;

/// A row's values, each by its type.
macro_rules! cells {
    ($($value:expr),* $(,)?) => { &[$(Cell::from($value)),*] };
}
pub(crate) use cells;

enum Column {
    Text(StringBuilder),
    Units(Decimal128Builder),
    Day(Date32Builder),
    Count(UInt64Builder),
    Flag(BooleanBuilder),
    Ratio(Float64Builder),
}

impl Column {
    fn of(data_type: &DataType) -> Result<Self> {
        Ok(match data_type {
            DataType::Utf8 => Self::Text(StringBuilder::new()),
            DataType::Decimal128(..) => {
                Self::Units(Decimal128Builder::new().with_data_type(data_type.clone()))
            }
            DataType::Date32 => Self::Day(Date32Builder::new()),
            DataType::UInt64 => Self::Count(UInt64Builder::new()),
            DataType::Boolean => Self::Flag(BooleanBuilder::new()),
            DataType::Float64 => Self::Ratio(Float64Builder::new()),
            other => bail!("columns of {other} are not written here"),
        })
    }

    fn push(&mut self, cell: Cell<'_>) -> Result<()> {
        match (self, cell) {
            (Self::Text(column), Cell::Text(text)) => column.append_value(text),
            (Self::Text(column), Cell::Null) => column.append_null(),
            (Self::Units(column), Cell::Units(units)) => column.append_value(units),
            (Self::Units(column), Cell::Null) => column.append_null(),
            (Self::Day(column), Cell::Day(day)) => column.append_value(day),
            (Self::Day(column), Cell::Null) => column.append_null(),
            (Self::Count(column), Cell::Count(count)) => column.append_value(count),
            (Self::Count(column), Cell::Null) => column.append_null(),
            (Self::Flag(column), Cell::Flag(flag)) => column.append_value(flag),
            (Self::Ratio(column), Cell::Ratio(ratio)) => column.append_value(ratio),
            (Self::Ratio(column), Cell::Null) => column.append_null(),
            (_, cell) => bail!("{cell:?} is none of this column's values"),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        let builder: &mut dyn ArrayBuilder = match self {
            Self::Text(column) => column,
            Self::Units(column) => column,
            Self::Day(column) => column,
            Self::Count(column) => column,
            Self::Flag(column) => column,
            Self::Ratio(column) => column,
        };
        builder.finish()
    }
}

/// The rows of one table.
pub struct Rows {
    table: Table,
    columns: Vec<Column>,
    count: usize,
}

impl Rows {
    pub fn of(table: Table) -> Result<Self> {
        let schema = stored_schema(table);
        let columns = schema.fields().iter();
        let columns = columns.map(|field| Column::of(field.data_type()));
        Ok(Self {
            table,
            columns: columns.collect::<Result<_>>()?,
            count: 0,
        })
    }

    pub fn push(&mut self, cells: &[Cell<'_>]) -> Result<()> {
        let name = self.table.name();
        if cells.len() != self.columns.len() {
            let needed = self.columns.len();
            bail!("a row of {name} has {} values of {needed}", cells.len());
        }
        for (place, (column, &cell)) in self.columns.iter_mut().zip(cells).enumerate() {
            column
                .push(cell)
                .with_context(|| format!("column {} of {name}", place + 1))?;
        }
        self.count += 1;
        Ok(())
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn take(&mut self) -> Result<RecordBatch> {
        self.count = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        Ok(RecordBatch::try_new(
            Arc::clone(&stored_schema(self.table)),
            columns,
        )?)
    }
}
