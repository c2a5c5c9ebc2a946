//! Single cells of an Arrow batch as text.

use std::cell::Cell;
use std::fmt;

use arrow::array::{
    Array, AsArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array,
    Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray, UInt64Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float32Type, Float64Type, Int64Type,
    UInt64Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tieout_core::{AMOUNT_SCALE, Amount, Date};

/// The cells of one batch, each column looked up once.
pub struct Cells<'a> {
    columns: Vec<Column<'a>>,
    rows: usize,
}

impl<'a> Cells<'a> {
    /// All cells of `batch`.
    ///
    /// # Errors
    /// An [`ArrowError`] for a type that has no text.
    pub fn of(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        Self::of_first(batch, batch.num_columns())
    }

    /// The cells of the first `count` columns of `batch`.
    pub(crate) fn of_first(batch: &'a RecordBatch, count: usize) -> Result<Self, ArrowError> {
        let columns = batch.columns().iter().take(count);
        Ok(Self {
            columns: columns
                .map(|column| Column::of(column.as_ref()))
                .collect::<Result<_, _>>()?,
            rows: batch.num_rows(),
        })
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The text of a cell, or none where the value is missing.
    ///
    /// # Panics
    /// If the batch has no such row or column.
    pub fn text(&self, row: usize, column: usize) -> Option<String> {
        let column = &self.columns[column];
        if column.is_null(row) {
            return None;
        }
        let mut text = Vec::new();
        column.write(row, &mut text);
        Some(String::from_utf8_lossy(&text).into_owned())
    }

    pub(crate) fn columns(&self) -> &[Column<'a>] {
        &self.columns
    }
}

/// One column of a batch.
pub(crate) struct Column<'a> {
    nulls: Option<NullBuffer>,
    values: Values<'a>,
    numeric: bool,
}

enum Values<'a> {
    Text(&'a StringArray),
    TextView(&'a StringViewArray),
    LargeText(&'a LargeStringArray),
    Amount(&'a Decimal128Array),
    Decimal(Vec<Box<str>>, i8),
    Day(&'a Date32Array, LastDay),
    Count(&'a UInt64Array),
    Whole(&'a Int64Array),
    Ratio(&'a Float64Array),
    ShortRatio(&'a Float32Array),
    Flag(&'a BooleanArray),
    Other(ArrayFormatter<'a>),
}

impl<'a> Column<'a> {
    fn of(array: &'a dyn Array) -> Result<Self, ArrowError> {
        let kind = array.data_type();
        Ok(Self {
            nulls: array.logical_nulls().filter(|nulls| nulls.null_count() > 0),
            values: Values::of(array)?,
            numeric: kind.is_integer() || kind.is_floating() || *kind == DataType::Boolean,
        })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }

    /// Whether JSON has a value of its own for the cell: integers, flags, finite floats.
    pub(crate) fn is_bare_in_json(&self) -> bool {
        self.numeric
    }

    /// Whether the cell is a float that no JSON number can hold.
    pub(crate) fn is_not_finite(&self, row: usize) -> bool {
        match &self.values {
            Values::Ratio(values) => !values.value(row).is_finite(),
            Values::ShortRatio(values) => !values.value(row).is_finite(),
            _ => false,
        }
    }

    /// Whether text of any content can be in the column.
    pub(crate) fn is_text(&self) -> bool {
        matches!(
            self.values,
            Values::Text(_) | Values::TextView(_) | Values::LargeText(_) | Values::Other(_)
        )
    }

    /// The bytes of all cells one after the other, where they lie so.
    pub(crate) fn contiguous(&self) -> Option<&'a [u8]> {
        let Values::Text(values) = self.values else {
            return None;
        };
        let offsets = values.value_offsets();
        let (first, last) = (*offsets.first()?, *offsets.last()?);
        values.value_data().get(first as usize..last as usize)
    }

    /// Appends the text of the cell; the value must not be missing.
    #[inline]
    pub(crate) fn write(&self, row: usize, out: &mut Vec<u8>) {
        match &self.values {
            Values::Text(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::Amount(values) => Amount::from_units(values.value(row)).write_to(out),
            Values::Day(values, last) => last.write(values.value(row), out),
            Values::Count(values) => write_integer(values.value(row), out),
            Values::Ratio(values) => write_ratio(values.value(row), out),
            Values::TextView(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::LargeText(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Values::Decimal(digits, scale) => write_decimal(&digits[row], *scale, out),
            Values::Whole(values) => write_integer(values.value(row), out),
            Values::ShortRatio(values) => write_display(&values.value(row), out),
            Values::Flag(values) => out.extend_from_slice(flag(values.value(row))),
            Values::Other(values) => write_display(&values.value(row), out),
        }
    }
}

impl<'a> Values<'a> {
    fn of(array: &'a dyn Array) -> Result<Self, ArrowError> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new();
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Utf8View => Self::TextView(array.as_string_view()),
            DataType::LargeUtf8 => Self::LargeText(array.as_string()),
            DataType::Decimal128(_, scale) if i64::from(*scale) == i64::from(AMOUNT_SCALE) => {
                Self::Amount(array.as_primitive::<Decimal128Type>())
            }
            DataType::Decimal128(_, scale) => Self::Decimal(
                digits(array.as_primitive::<Decimal128Type>().values()),
                *scale,
            ),
            DataType::Decimal256(_, scale) => Self::Decimal(
                digits(array.as_primitive::<Decimal256Type>().values()),
                *scale,
            ),
            DataType::Date32 => Self::Day(array.as_primitive::<Date32Type>(), LastDay::default()),
            DataType::UInt64 => Self::Count(array.as_primitive::<UInt64Type>()),
            DataType::Int64 => Self::Whole(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Ratio(array.as_primitive::<Float64Type>()),
            DataType::Float32 => Self::ShortRatio(array.as_primitive::<Float32Type>()),
            DataType::Boolean => Self::Flag(array.as_boolean()),
            _ => Self::Other(ArrayFormatter::try_new(array, &OPTIONS)?),
        })
    }
}

/// The text of the day written last: neighbours in a table mostly have the same one.
#[derive(Default)]
struct LastDay(Cell<Option<(i32, [u8; 10])>>);

impl LastDay {
    fn write(&self, days: i32, out: &mut Vec<u8>) {
        if let Some((last, text)) = self.0.get()
            && last == days
        {
            out.extend_from_slice(&text);
            return;
        }
        let start = out.len();
        Date::from_days(days).write_to(out);
        if let Ok(text) = <[u8; 10]>::try_from(&out[start..]) {
            self.0.set(Some((days, text)));
        }
    }
}

fn digits<T: fmt::Display>(values: &[T]) -> Vec<Box<str>> {
    values
        .iter()
        .map(|value| value.to_string().into())
        .collect()
}

fn flag(value: bool) -> &'static [u8] {
    if value { b"true" } else { b"false" }
}

fn write_integer<I: itoa::Integer>(value: I, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn write_display(value: &dyn fmt::Display, out: &mut Vec<u8>) {
    use std::io::Write;
    // A vector takes whatever is written.
    let _ = write!(out, "{value}");
}

/// The shortest text that reads back as the same number. Scores have four decimals at most,
/// and for those counting ten-thousandths gives that text at a fraction of the time.
fn write_ratio(value: f64, out: &mut Vec<u8>) {
    let scaled = (value * 10_000.0).round();
    let is_short = value.is_sign_positive()
        && scaled < 1e9
        && (scaled / 10_000.0).to_bits() == value.to_bits();
    if !is_short {
        return write_display(&value, out);
    }
    let scaled = scaled as u64;
    write_integer(scaled / 10_000, out);
    let mut rest = scaled % 10_000;
    if rest > 0 {
        out.push(b'.');
    }
    let mut place = 1_000;
    while rest > 0 {
        out.push(b'0' + (rest / place) as u8);
        rest %= place;
        place /= 10;
    }
}

/// A decimal from its unscaled digits: exact, trailing zeros cut to at least two decimals.
fn write_decimal(digits: &str, scale: i8, out: &mut Vec<u8>) {
    let (sign, digits) = digits
        .strip_prefix('-')
        .map_or(("", digits), |rest| ("-", rest));
    let places = usize::from(scale.max(0).unsigned_abs());
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (major, decimals) = padded.split_at(padded.len() - places);
    out.extend_from_slice(sign.as_bytes());
    out.extend_from_slice(major.as_bytes());
    let zeros = usize::from(scale.min(0).unsigned_abs());
    if major != "0" {
        out.resize(out.len() + zeros, b'0');
    }
    if places > 0 {
        let needed = decimals.trim_end_matches('0').len().max(places.min(2));
        out.push(b'.');
        out.extend_from_slice(&decimals.as_bytes()[..needed]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::Decimal256Array;
    use arrow::array::{
        ArrayRef, DictionaryArray, Int32Array, NullArray, TimestampMicrosecondArray,
    };
    use arrow::datatypes::{Int32Type, i256};
    use proptest::prelude::*;

    use super::*;

    fn texts(column: ArrayRef) -> Vec<Option<String>> {
        let batch = RecordBatch::try_from_iter_with_nullable([("c", column, true)]).unwrap();
        let cells = Cells::of(&batch).unwrap();
        (0..cells.rows()).map(|row| cells.text(row, 0)).collect()
    }

    fn decimal(units: i128, precision: u8, scale: i8) -> String {
        let column = Decimal128Array::from(vec![units])
            .with_precision_and_scale(precision, scale)
            .unwrap();
        texts(Arc::new(column))[0].clone().unwrap()
    }

    #[test]
    fn decimals_of_any_scale_are_exact() {
        for (units, scale, text) in [
            (12_345_000, 5, "123.45"),
            (-1, 5, "-0.00001"),
            (0, 5, "0.00"),
            (123, 0, "123"),
            (-123, 1, "-12.3"),
            (1_200, 3, "1.20"),
            (7, 9, "0.000000007"),
            (1_234_500_000, 9, "1.2345"),
            (12, -2, "1200"),
            (0, -2, "0"),
        ] {
            assert_eq!(decimal(units, 38, scale), text);
        }
        let wide = Decimal256Array::from(vec![i256::from_i128(i128::MAX)])
            .with_precision_and_scale(76, 10)
            .unwrap();
        assert_eq!(
            texts(Arc::new(wide))[0].as_deref(),
            Some("17014118346046923173168730371.5884105727")
        );
    }

    #[test]
    fn every_kind_of_column_has_text() {
        let dictionary: DictionaryArray<Int32Type> = vec![Some("a"), None].into_iter().collect();
        let columns: [(ArrayRef, [Option<&str>; 2]); 9] = [
            (Arc::new(dictionary), [Some("a"), None]),
            (Arc::new(NullArray::new(2)), [None, None]),
            (
                Arc::new(Int32Array::from(vec![Some(-7), None])),
                [Some("-7"), None],
            ),
            (
                Arc::new(UInt64Array::from(vec![u64::MAX, 0])),
                [Some("18446744073709551615"), Some("0")],
            ),
            (
                Arc::new(BooleanArray::from(vec![true, false])),
                [Some("true"), Some("false")],
            ),
            (
                Arc::new(StringViewArray::from(vec!["", "a\nb"])),
                [Some(""), Some("a\nb")],
            ),
            (
                Arc::new(Float32Array::from(vec![0.1, f32::NAN])),
                [Some("0.1"), Some("NaN")],
            ),
            (
                Arc::new(Date32Array::from(vec![Some(20_528), None])),
                [Some("2026-03-16"), None],
            ),
            (
                Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None])),
                [Some("1970-01-01T00:00:00"), None],
            ),
        ];
        for (column, expected) in columns {
            assert_eq!(
                texts(column)
                    .iter()
                    .map(Option::as_deref)
                    .collect::<Vec<_>>(),
                expected
            );
        }
    }

    #[test]
    fn days_follow_each_other_in_any_order() {
        let days = Date32Array::from(vec![0, 0, 1, 0, -1]);
        let expected = [
            "1970-01-01",
            "1970-01-01",
            "1970-01-02",
            "1970-01-01",
            "1969-12-31",
        ];
        for (text, expected) in texts(Arc::new(days)).into_iter().zip(expected) {
            assert_eq!(text.as_deref(), Some(expected));
        }
    }

    fn ratio(value: f64) -> String {
        let mut out = Vec::new();
        write_ratio(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn a_score_has_no_digit_too_many(ten_thousandths in 0_u32..2_000_000) {
            let value = f64::from(ten_thousandths) / 10_000.0;
            prop_assert_eq!(ratio(value), value.to_string());
        }

        #[test]
        fn any_float_reads_back(value in any::<f64>()) {
            let read: f64 = ratio(value).parse().unwrap();
            prop_assert!(read.to_bits() == value.to_bits() || value.is_nan());
        }

        #[test]
        fn a_wide_decimal_says_what_the_amount_says(units in any::<i64>()) {
            let mut out = Vec::new();
            write_decimal(&units.to_string(), 5, &mut out);
            prop_assert_eq!(out, Amount::from_units(units.into()).to_string().into_bytes());
        }
    }
}
