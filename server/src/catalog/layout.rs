//! The columns of catalog tables, from their lists.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Int16Array, Int32Array, Int64Array, RecordBatch,
    StringArray, new_null_array,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

/// A catalog table without its rows.
pub struct Layout {
    /// Its name.
    pub name: &'static str,
    /// Whether it never has rows.
    pub is_empty: bool,
    columns: Vec<(&'static str, char)>,
}

/// A value of a catalog table.
#[derive(Clone, Debug)]
pub enum Cell {
    /// A number of any size.
    Number(i64),
    /// A text or letter.
    Text(String),
    /// Yes or no.
    Truth(bool),
    /// None.
    Null,
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A row: the columns that say something. The others are zero, empty, false or null.
pub type Row = Vec<(&'static str, Cell)>;

/// The tables of `pg_catalog`.
pub fn pg_catalog() -> &'static [Layout] {
    static ALL: LazyLock<Vec<Layout>> =
        LazyLock::new(|| read(include_str!("../../catalog/pg_catalog.txt")));
    &ALL
}

/// The tables of `information_schema`.
pub fn information_schema() -> &'static [Layout] {
    static ALL: LazyLock<Vec<Layout>> =
        LazyLock::new(|| read(include_str!("../../catalog/information_schema.txt")));
    &ALL
}

fn read(text: &'static str) -> Vec<Layout> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let layout = |line: &'static str| {
        let mut words = line.split_whitespace().peekable();
        let name = words.next()?;
        let is_empty = words.next_if_eq(&"empty").is_some();
        let columns = words.filter_map(|word| {
            let (name, letter) = word.split_once(':')?;
            Some((name, letter.chars().next()?))
        });
        Some(Layout {
            name,
            is_empty,
            columns: columns.collect(),
        })
    };
    lines.filter_map(layout).collect()
}

fn data_type(letter: char) -> DataType {
    let list = |of| DataType::List(Arc::new(Field::new_list_field(of, true)));
    match letter {
        'b' => DataType::Boolean,
        's' => DataType::Int16,
        'o' | 'i' => DataType::Int32,
        'l' => DataType::Int64,
        'f' => DataType::Float32,
        'z' => DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into())),
        'T' => list(DataType::Utf8),
        'O' => list(DataType::Int32),
        _ => DataType::Utf8,
    }
}

impl Layout {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        let columns = self.columns.iter();
        let fields = columns.map(|&(name, letter)| Field::new(name, data_type(letter), true));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The table with `rows`.
    pub fn batch(&self, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.iter();
        let arrays = columns.map(|&(name, letter)| column(name, letter, rows));
        RecordBatch::try_new(self.schema(), arrays.collect())
    }
}

fn column(name: &str, letter: char, rows: &[Row]) -> ArrayRef {
    let cells = || {
        rows.iter().map(|row| {
            let found = row.iter().find(|(column, _)| *column == name);
            found.map(|(_, cell)| cell)
        })
    };
    let number = |cell: Option<&Cell>| match cell {
        None => Some(0),
        Some(Cell::Number(number)) => Some(*number),
        _ => None,
    };
    match letter {
        'b' => Arc::new(
            cells()
                .map(|cell| Some(matches!(cell, Some(Cell::Truth(true)))))
                .collect::<BooleanArray>(),
        ),
        's' => Arc::new(
            cells()
                .map(|cell| number(cell).map(|number| number as i16))
                .collect::<Int16Array>(),
        ),
        'o' | 'i' => Arc::new(
            cells()
                .map(|cell| number(cell).map(|number| number as i32))
                .collect::<Int32Array>(),
        ),
        'l' => Arc::new(cells().map(number).collect::<Int64Array>()),
        'f' => Arc::new(
            cells()
                .map(|cell| number(cell).map(|number| number as f32))
                .collect::<Float32Array>(),
        ),
        't' => Arc::new(
            cells()
                .map(|cell| match cell {
                    Some(Cell::Text(text)) => Some(text.as_str()),
                    _ => None,
                })
                .collect::<StringArray>(),
        ),
        other => new_null_array(&data_type(other), rows.len()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_table_has_columns_of_known_types() {
        for layout in pg_catalog().iter().chain(information_schema()) {
            assert!(!layout.columns.is_empty(), "{}", layout.name);
            for (name, letter) in &layout.columns {
                assert!("otbsilfTOz".contains(*letter), "{}.{name}", layout.name);
            }
        }
    }
}
