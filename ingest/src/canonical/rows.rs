//! Values as text into rows of a canonical table.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Builder, Decimal128Builder, RecordBatch, StringArray, StringBuilder,
    UInt64Array, new_null_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use arrow::error::ArrowError;
use tieout_core::schema::{AMOUNT_TYPE, RATE_TYPE};
use tieout_core::{Amount, Currency, Date, ItemKind, QuarantineReason, Rate};

use crate::canonical::columns::{Column, Content, Kind};

/// Characters of a bad value that a message shows.
const SHOWN_CHARACTERS: usize = 40;
/// Rows for which room is made at once.
const RESERVED_ROWS_MAX: usize = 1 << 16;

/// One row of a file, its values as text.
pub(super) trait Record {
    /// The value at `position`; empty if there is none.
    fn value(&self, position: usize) -> &str;
}

/// Why a row is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub reason: QuarantineReason,
    pub message: String,
}

/// What the rows of one file have in common.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub kind: Kind,
    /// What outputs call the file.
    pub file: String,
    /// For each canonical column, its position in the file's records.
    pub positions: Vec<Option<usize>>,
    /// Rows of a full batch.
    pub batch_rows: usize,
}

/// Rows that become batches.
pub(super) struct Rows<'a> {
    shape: &'a Shape,
    columns: Vec<Values>,
    /// The columns whose values are more than text.
    checked: Vec<(usize, &'static Column)>,
    source_lines: Vec<u64>,
    extra: StringBuilder,
    /// The numbers of the row that is being read, so that a bad row leaves no trace.
    numbers: Vec<Option<i128>>,
    batches: Vec<RecordBatch>,
}

enum Values {
    Text(StringBuilder),
    /// Amounts, or rates.
    Decimal(Decimal128Builder),
    Day(Date32Builder),
}

impl<'a> Rows<'a> {
    /// Makes room for `expected` rows.
    pub fn new(shape: &'a Shape, expected: usize) -> Self {
        let columns = shape.kind.columns();
        let is_checked = |column: &Column| column.is_needed || column.content != Content::Text;
        let room = expected.min(shape.batch_rows).min(RESERVED_ROWS_MAX);
        Self {
            shape,
            columns: columns
                .iter()
                .map(|column| Values::of(column, room))
                .collect(),
            checked: (columns.iter().enumerate())
                .filter(|(_, column)| is_checked(column))
                .collect(),
            source_lines: Vec::with_capacity(room),
            extra: StringBuilder::new(),
            numbers: vec![None; columns.len()],
            batches: Vec::new(),
        }
    }

    /// Takes the row of line `line`; `extra` is a JSON object of what has no column, or empty.
    pub fn push(&mut self, record: &impl Record, extra: &str, line: u64) -> Result<(), Refusal> {
        for &(slot, column) in &self.checked {
            self.numbers[slot] = read_number(column, self.shape.value(record, slot, column))?;
        }
        for (slot, values) in self.columns.iter_mut().enumerate() {
            let number = self.numbers[slot];
            match values {
                Values::Text(builder) => match self.shape.positions[slot] {
                    Some(position) => append_text(builder, record.value(position)),
                    None => builder.append_null(),
                },
                Values::Decimal(builder) => builder.append_option(number),
                Values::Day(builder) => builder.append_option(number.map(|days| days as i32)),
            }
        }
        append_text(&mut self.extra, extra);
        self.source_lines.push(line);
        Ok(())
    }

    /// Closes the batch if it is full.
    pub fn close_full_batch(&mut self) -> Result<(), ArrowError> {
        if self.source_lines.len() >= self.shape.batch_rows {
            self.close_batch()?;
        }
        Ok(())
    }

    /// The batches of all rows taken.
    pub fn finish(&mut self) -> Result<Vec<RecordBatch>, ArrowError> {
        if !self.source_lines.is_empty() {
            self.close_batch()?;
        }
        Ok(std::mem::take(&mut self.batches))
    }

    fn close_batch(&mut self) -> Result<(), ArrowError> {
        let schema = self.shape.kind.table().schema();
        let lines: ArrayRef = Arc::new(UInt64Array::from(std::mem::take(&mut self.source_lines)));
        let extra: ArrayRef = Arc::new(self.extra.finish());
        let mut columns = self.columns.iter_mut().map(Values::finish);
        let arrays = schema
            .fields()
            .iter()
            .map(|field| match field.name().as_str() {
                "source_file" => repeat(&self.shape.file, lines.len()),
                "source_line" => Arc::clone(&lines),
                "extra" => Arc::clone(&extra),
                "payment_id" => new_null_array(field.data_type(), lines.len()),
                _ => next_or_null(&mut columns, field, lines.len()),
            });
        let arrays = arrays.collect();
        self.batches.push(RecordBatch::try_new(schema, arrays)?);
        Ok(())
    }
}

impl Shape {
    fn value<'r>(&self, record: &'r impl Record, slot: usize, column: &Column) -> &'r str {
        let value = self.value_at(record, slot);
        match column.stand_in {
            Some(other) if value.is_empty() => self.value_at(record, other),
            _ => value,
        }
    }

    fn value_at<'r>(&self, record: &'r impl Record, slot: usize) -> &'r str {
        self.positions[slot].map_or("", |position| record.value(position))
    }
}

impl Values {
    fn of(column: &Column, room: usize) -> Self {
        match column.content {
            Content::Money => {
                let builder = Decimal128Builder::with_capacity(room);
                Self::Decimal(builder.with_data_type(AMOUNT_TYPE))
            }
            Content::Rate => {
                let builder = Decimal128Builder::with_capacity(room);
                Self::Decimal(builder.with_data_type(RATE_TYPE))
            }
            Content::Day => Self::Day(Date32Builder::with_capacity(room)),
            Content::Text | Content::ItemKind | Content::Currency => {
                Self::Text(StringBuilder::with_capacity(room, room * 12))
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(builder) => Arc::new(builder.finish()),
            Self::Decimal(builder) => Arc::new(builder.finish()),
            Self::Day(builder) => Arc::new(builder.finish()),
        }
    }
}

fn next_or_null(
    columns: &mut impl Iterator<Item = ArrayRef>,
    field: &Field,
    rows: usize,
) -> ArrayRef {
    columns
        .next()
        .unwrap_or_else(|| new_null_array(field.data_type(), rows))
}

#[inline]
fn append_text(builder: &mut StringBuilder, text: &str) {
    if text.is_empty() {
        builder.append_null();
    } else {
        builder.append_value(text);
    }
}

fn repeat(text: &str, rows: usize) -> ArrayRef {
    let offsets = OffsetBuffer::from_repeated_length(text.len(), rows);
    let values = text.repeat(rows).into_bytes().into();
    match StringArray::try_new(offsets, values, None) {
        Ok(array) => Arc::new(array),
        Err(_) => new_null_array(&DataType::Utf8, rows),
    }
}

/// Checks a value, and gives its units or days if it is a number.
fn read_number(column: &Column, value: &str) -> Result<Option<i128>, Refusal> {
    if value.is_empty() {
        return if column.is_needed {
            Err(absent(column))
        } else {
            Ok(None)
        };
    }
    let bytes = value.as_bytes();
    let refused = |error: &dyn std::fmt::Display| refusal(column, value, error);
    match column.content {
        Content::Text => Ok(None),
        Content::ItemKind => match ItemKind::from_code(value) {
            Some(_) => Ok(None),
            None => Err(refused(&"not of the list")),
        },
        Content::Currency => Currency::parse(bytes)
            .map(|_| None)
            .map_err(|error| refused(&error)),
        Content::Money => Amount::parse(bytes)
            .map(|amount| Some(amount.units()))
            .map_err(|error| refused(&error)),
        Content::Rate => Rate::parse(bytes)
            .map(|rate| Some(rate.units()))
            .map_err(|error| refused(&error)),
        Content::Day => Date::parse_iso(bytes)
            .map(|date| Some(date.days().into()))
            .map_err(|error| refused(&error)),
    }
}

#[cold]
fn absent(column: &Column) -> Refusal {
    Refusal {
        reason: QuarantineReason::MissingField,
        message: format!(
            "column {}: found nothing, expected {}; give every row a value and deliver the \
             row again",
            column.name,
            expected(column.content)
        ),
    }
}

#[cold]
fn refusal(column: &Column, value: &str, error: &dyn std::fmt::Display) -> Refusal {
    let reason = match column.content {
        Content::Money | Content::Rate => QuarantineReason::BadAmount,
        Content::Day => QuarantineReason::BadDate,
        Content::Currency => QuarantineReason::BadCurrency,
        Content::Text | Content::ItemKind => QuarantineReason::BadValue,
    };
    Refusal {
        reason,
        message: format!(
            "column {}: found `{}` ({error}), expected {}; correct the value and deliver the \
             row again",
            column.name,
            shown(value),
            expected(column.content)
        ),
    }
}

fn expected(content: Content) -> String {
    match content {
        Content::Text => "a text".to_owned(),
        Content::ItemKind => {
            let codes: Vec<_> = ItemKind::ALL.iter().map(|kind| kind.code()).collect();
            format!("one of {}", codes.join(", "))
        }
        Content::Currency => "three capital letters such as USD".to_owned(),
        Content::Money => "a decimal number such as -1234.50, with a point, without thousands \
                           separators, of at most 18 digits and 5 decimals"
            .to_owned(),
        Content::Rate => "a decimal number above zero such as 1.0843, with a point, of at most 16 \
                          digits and 12 decimals"
            .to_owned(),
        Content::Day => "a date as YYYY-MM-DD".to_owned(),
    }
}

/// The beginning of `value`, short enough for a message.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}
