//! Columns of a batch as values of the protocol.

use std::fmt::{Display, Write as _};
use std::io::Write as _;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute;
use arrow::datatypes::{
    DataType, Date32Type, Field, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, IntervalUnit, Schema, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::numeric;
use super::types::{self, oid};
use crate::wire::{Column, Refusal, put_null, put_value, state};

/// Days and microseconds from 1970-01-01 to 2000-01-01, where Postgres begins to count.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROSECONDS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// The columns of an answer; `binary` as a client's Bind says it.
///
/// # Errors
/// [`state::PROTOCOL_VIOLATION`] if `binary` is not one for all, none, or one for each.
pub fn columns(schema: &Schema, binary: &[bool]) -> Result<Vec<Column>, Refusal> {
    let count = schema.fields().len();
    if binary.len() > 1 && binary.len() != count {
        let found = format!("{} formats for {count} columns", binary.len());
        return Err(Refusal::new(state::PROTOCOL_VIOLATION, found));
    }
    let format = |place: usize| match binary {
        [] => false,
        [all] => *all,
        each => each[place],
    };
    let fields = schema.fields().iter().enumerate();
    let column = |(place, field): (usize, &std::sync::Arc<Field>)| {
        let oid = types::oid_of(field.data_type());
        Column {
            name: field.name().clone(),
            oid,
            size: types::size_of(oid),
            modifier: types::modifier_of(field.data_type()),
            binary: format(place),
        }
    };
    Ok(fields.map(column).collect())
}

/// The values of a batch, ready to be written row by row.
pub struct Cells {
    columns: Vec<(ArrayRef, bool)>,
}

impl Cells {
    /// Of a batch whose columns go out as `columns` says.
    ///
    /// # Errors
    /// A [`Refusal`] if a number is too large for its type there.
    pub fn of(batch: &RecordBatch, columns: &[Column]) -> Result<Self, Refusal> {
        let columns = batch.columns().iter().zip(columns);
        let plain = columns.map(|(values, column)| {
            let values = plain(values).map_err(|error| {
                Refusal::new(state::NUMERIC_VALUE_OUT_OF_RANGE, error.to_string())
            })?;
            Ok((values, column.binary))
        });
        Ok(Self {
            columns: plain.collect::<Result<_, Refusal>>()?,
        })
    }

    /// Writes each row of `rows` by `line`, which gets a writer of one value with its length.
    ///
    /// # Errors
    /// A [`Refusal`] if a column cannot be shown.
    pub fn writers(&self) -> Result<Vec<Writer<'_>>, Refusal> {
        let columns = self.columns.iter();
        columns
            .map(|(values, binary)| Writer::of(values, *binary))
            .collect::<Result<_, _>>()
            .map_err(|error: ArrowError| Refusal::new(state::INTERNAL_ERROR, error.to_string()))
    }
}

/// The column in one of the few types that are written: views as texts, small integers as those
/// that Postgres has, timestamps in microseconds.
fn plain(values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let to = match values.data_type() {
        DataType::Int8 | DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => {
            let large = values.as_primitive::<UInt64Type>();
            let max = compute::max(large).unwrap_or(0);
            i64::try_from(max).map_err(|_| {
                ArrowError::ComputeError(format!("{max} is too large for a bigint"))
            })?;
            DataType::Int64
        }
        DataType::Float16 => DataType::Float32,
        DataType::Null | DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, zone) => DataType::Timestamp(
            TimeUnit::Microsecond,
            zone.as_ref().map(|_| "+00:00".into()),
        ),
        DataType::Duration(_) | DataType::Interval(_) => {
            DataType::Interval(IntervalUnit::MonthDayNano)
        }
        DataType::Dictionary(_, of) => {
            let unpacked = compute::cast(values, of)?;
            return plain(&unpacked);
        }
        DataType::LargeList(of) | DataType::FixedSizeList(of, _) => DataType::List(of.clone()),
        _ => return Ok(values.clone()),
    };
    compute::cast(values, &to)
}

/// Writes values of one column.
pub struct Writer<'a> {
    values: &'a dyn Array,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Binary,
    /// What Arrow shows is what Postgres shows.
    Shown(ArrayFormatter<'a>),
    Text,
    Truth,
    Bytes,
    Zoned(ArrayFormatter<'a>),
    Interval,
    List,
}

impl<'a> Writer<'a> {
    fn of(values: &'a ArrayRef, binary: bool) -> Result<Self, ArrowError> {
        let shown = || ArrayFormatter::try_new(values, &FORMAT);
        let kind = match values.data_type() {
            DataType::Utf8 => Kind::Text,
            data_type if binary && has_binary(data_type) => Kind::Binary,
            DataType::Boolean => Kind::Truth,
            DataType::Binary => Kind::Bytes,
            DataType::Timestamp(_, Some(_)) => Kind::Zoned(shown()?),
            DataType::Interval(_) => Kind::Interval,
            DataType::List(_) => Kind::List,
            _ => Kind::Shown(shown()?),
        };
        let values = values.as_ref();
        Ok(Self { values, kind })
    }

    /// Whether a row has no value.
    pub fn is_null(&self, row: usize) -> bool {
        self.values.is_null(row)
    }

    /// Writes a row's value with its length in front.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.is_null(row) {
            put_null(out);
        } else {
            put_value(out, |out| self.write_bare(row, out));
        }
    }

    /// Writes a row's value, which is no null.
    pub fn write_bare(&self, row: usize, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Binary => write_binary(self.values, row, out),
            Kind::Shown(shown) => show(out, shown.value(row)),
            Kind::Text => out.extend(self.values.as_string::<i32>().value(row).as_bytes()),
            Kind::Truth => out.push(if self.values.as_boolean().value(row) {
                b't'
            } else {
                b'f'
            }),
            Kind::Bytes => {
                out.extend(b"\\x");
                for byte in self.values.as_binary::<i32>().value(row) {
                    show(out, format_args!("{byte:02x}"));
                }
            }
            Kind::Zoned(shown) => {
                show(out, shown.value(row));
                out.extend(b"+00");
            }
            Kind::Interval => {
                let span = self.values.as_primitive::<IntervalMonthDayNanoType>();
                let span = span.value(row);
                let (months, days) = (span.months, span.days);
                let microseconds = span.nanoseconds / 1000;
                show(out, format_args!("{months} mons {days} days "));
                let sign = if microseconds < 0 { "-" } else { "" };
                let all = microseconds.unsigned_abs();
                let (seconds, rest) = (all / 1_000_000, all % 1_000_000);
                let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
                let seconds = seconds % 60;
                show(
                    out,
                    format_args!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{rest:06}"),
                );
            }
            Kind::List => write_list_text(self.values, row, out),
        }
    }
}

/// Dates and times as Postgres writes them with `DateStyle` ISO.
const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_date_format(Some("%Y-%m-%d"))
    .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f"))
    .with_time_format(Some("%H:%M:%S%.f"));

fn show(out: &mut Vec<u8>, value: impl Display) {
    // A vector takes all that is written.
    let _ = write!(out, "{value}");
}

fn has_binary(data_type: &DataType) -> bool {
    match data_type {
        DataType::List(field) => {
            types::oid_of(field.data_type()) != oid::TEXT
                || *field.data_type() == DataType::Utf8
                || has_binary(field.data_type())
        }
        other => types::oid_of(other) != oid::TEXT,
    }
}

fn write_binary(values: &dyn Array, row: usize, out: &mut Vec<u8>) {
    match values.data_type() {
        DataType::Boolean => out.push(u8::from(values.as_boolean().value(row))),
        DataType::Int16 => out.extend(values.as_primitive::<Int16Type>().value(row).to_be_bytes()),
        DataType::Int32 => out.extend(values.as_primitive::<Int32Type>().value(row).to_be_bytes()),
        DataType::Int64 => out.extend(values.as_primitive::<Int64Type>().value(row).to_be_bytes()),
        DataType::Float32 => {
            out.extend(
                values
                    .as_primitive::<Float32Type>()
                    .value(row)
                    .to_be_bytes(),
            );
        }
        DataType::Float64 => {
            out.extend(
                values
                    .as_primitive::<Float64Type>()
                    .value(row)
                    .to_be_bytes(),
            );
        }
        DataType::Binary => out.extend(values.as_binary::<i32>().value(row)),
        DataType::Utf8 => out.extend(values.as_string::<i32>().value(row).as_bytes()),
        DataType::Date32 => {
            let days = values.as_primitive::<Date32Type>().value(row);
            out.extend(days.saturating_sub(EPOCH_DAYS).to_be_bytes());
        }
        DataType::Time64(_) => {
            let time = values.as_primitive::<Time64MicrosecondType>().value(row);
            out.extend(time.to_be_bytes());
        }
        DataType::Timestamp(..) => {
            let at = values.as_primitive::<TimestampMicrosecondType>().value(row);
            out.extend(at.saturating_sub(EPOCH_MICROSECONDS).to_be_bytes());
        }
        DataType::Interval(_) => {
            let span = values.as_primitive::<IntervalMonthDayNanoType>().value(row);
            out.extend((span.nanoseconds / 1000).to_be_bytes());
            out.extend(span.days.to_be_bytes());
            out.extend(span.months.to_be_bytes());
        }
        DataType::List(_) => write_list_binary(values, row, out),
        _ => {
            // Decimals of any width: their text has all digits.
            let mut text = String::new();
            if let Ok(shown) = ArrayFormatter::try_new(values, &FORMAT) {
                let _ = write!(text, "{}", shown.value(row));
            }
            numeric::write(&text, out);
        }
    }
}

fn write_list_binary(values: &dyn Array, row: usize, out: &mut Vec<u8>) {
    let items = values.as_list::<i32>().value(row);
    let Ok(items) = plain(&items) else {
        return;
    };
    out.extend(i32::from(!items.is_empty()).to_be_bytes());
    out.extend(i32::from(items.null_count() > 0).to_be_bytes());
    out.extend(types::oid_of(items.data_type()).to_be_bytes());
    if items.is_empty() {
        return;
    }
    out.extend((items.len() as i32).to_be_bytes());
    out.extend(1_i32.to_be_bytes());
    for item in 0..items.len() {
        if items.is_null(item) {
            put_null(out);
        } else {
            put_value(out, |out| write_binary(&items, item, out));
        }
    }
}

/// `{a,"b c",NULL}`
fn write_list_text(values: &dyn Array, row: usize, out: &mut Vec<u8>) {
    let items = values.as_list::<i32>().value(row);
    let writer = plain(&items);
    let Ok(items) = writer else {
        return;
    };
    let Ok(writer) = Writer::of(&items, false) else {
        return;
    };
    out.push(b'{');
    let mut item_bytes = Vec::new();
    for item in 0..items.len() {
        if item > 0 {
            out.push(b',');
        }
        if items.is_null(item) {
            out.extend(b"NULL");
            continue;
        }
        item_bytes.clear();
        writer.write_bare(item, &mut item_bytes);
        let needs_quotes = item_bytes.is_empty()
            || item_bytes.eq_ignore_ascii_case(b"null")
            || item_bytes
                .iter()
                .any(|byte| b"{},\"\\".contains(byte) || byte.is_ascii_whitespace());
        if !needs_quotes || matches!(writer.kind, Kind::List) {
            out.extend(&item_bytes);
            continue;
        }
        out.push(b'"');
        for &byte in &item_bytes {
            if byte == b'"' || byte == b'\\' {
                out.push(b'\\');
            }
            out.push(byte);
        }
        out.push(b'"');
    }
    out.push(b'}');
}
