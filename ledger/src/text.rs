//! Rows as CSV and as JSON lines.

use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use crate::cells::{Cells, Column};

/// Bytes that are gathered before they go to the file.
const BUFFER_BYTES: usize = 1 << 18;

/// How a row is written as text.
pub(crate) enum Layout {
    Csv,
    /// What stands before each value: brace or comma, and the key.
    Json(Vec<Vec<u8>>),
}

/// Writes batches as lines of text.
pub(crate) struct TextFile<W: Write> {
    out: W,
    layout: Layout,
    columns: usize,
    buffer: Vec<u8>,
}

impl<W: Write> TextFile<W> {
    /// A CSV file, which begins with its header.
    pub(crate) fn csv(out: W, schema: &Schema) -> Self {
        let mut file = Self::new(out, schema, Layout::Csv);
        file.header(schema);
        file
    }

    /// A file of JSON lines.
    pub(crate) fn json(out: W, schema: &Schema) -> Self {
        let keys = schema.fields().iter().enumerate();
        let keys = keys
            .map(|(place, field)| key(place, field.name()))
            .collect();
        Self::new(out, schema, Layout::Json(keys))
    }

    fn new(out: W, schema: &Schema, layout: Layout) -> Self {
        Self {
            out,
            layout,
            columns: schema.fields().len(),
            buffer: Vec::with_capacity(BUFFER_BYTES + (BUFFER_BYTES >> 2)),
        }
    }

    fn header(&mut self, schema: &Schema) {
        for (place, field) in schema.fields().iter().enumerate() {
            if place > 0 {
                self.buffer.push(b',');
            }
            let start = self.buffer.len();
            self.buffer.extend_from_slice(field.name().as_bytes());
            quote_from(start, &mut self.buffer);
        }
        self.buffer.push(b'\n');
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let cells = Cells::of_first(batch, self.columns).map_err(no_text)?;
        let watched = match self.layout {
            Layout::Csv => watched(cells.columns(), is_special_in_csv),
            Layout::Json(_) => watched(cells.columns(), is_special_in_json),
        };
        for row in 0..cells.rows() {
            match &self.layout {
                Layout::Csv => csv_row(cells.columns(), &watched, row, &mut self.buffer),
                Layout::Json(keys) => {
                    json_row(cells.columns(), &watched, keys, row, &mut self.buffer);
                }
            }
            if self.buffer.len() >= BUFFER_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.flush()?;
        self.out.flush()?;
        Ok(self.out)
    }
}

fn no_text(error: ArrowError) -> io::Error {
    io::Error::other(error)
}

/// Whether a cell of the column can need quotes or escapes. One pass over all bytes of a column
/// costs less than a look at each cell, and most columns hold nothing special.
/// Which columns have a special byte anywhere; generic, so that the test of a byte is inlined.
fn watched(columns: &[Column<'_>], special: impl Fn(u8) -> bool + Copy) -> Vec<bool> {
    columns
        .iter()
        .map(|column| match column.contiguous() {
            Some(bytes) => any(bytes, special),
            None => column.is_text(),
        })
        .collect()
}

/// Without early exit inside a stretch, so that the compiler compares many bytes at once.
#[inline]
fn any(bytes: &[u8], special: impl Fn(u8) -> bool) -> bool {
    bytes.chunks(512).any(|stretch| {
        stretch
            .iter()
            .fold(false, |found, &byte| found | special(byte))
    })
}

fn is_special_in_csv(byte: u8) -> bool {
    matches!(byte, b',' | b'"' | b'\n' | b'\r')
}

fn is_special_in_json(byte: u8) -> bool {
    matches!(byte, 0..b' ' | b'"' | b'\\')
}

fn csv_row(columns: &[Column<'_>], watched: &[bool], row: usize, out: &mut Vec<u8>) {
    let row_start = out.len();
    for (column, &watched) in columns.iter().zip(watched) {
        if !column.is_null(row) {
            let start = out.len();
            column.write(row, out);
            if watched {
                quote_from(start, out);
            }
        }
        out.push(b',');
    }
    // A line without any byte would be no row to most readers.
    if out.len() == row_start + 1 {
        out.splice(row_start.., *b"\"\",");
    }
    if let Some(last) = out.last_mut() {
        *last = b'\n';
    }
}

/// Puts the field that begins at `start` into quotes if it needs them.
fn quote_from(start: usize, out: &mut Vec<u8>) {
    if !any(&out[start..], is_special_in_csv) {
        return;
    }
    let field = out.split_off(start);
    out.push(b'"');
    for byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

fn key(place: usize, name: &str) -> Vec<u8> {
    let mut key = vec![if place == 0 { b'{' } else { b',' }, b'"'];
    let start = key.len();
    key.extend_from_slice(name.as_bytes());
    escape_from(start, &mut key);
    key.extend_from_slice(b"\":");
    key
}

fn json_row(
    columns: &[Column<'_>],
    watched: &[bool],
    keys: &[Vec<u8>],
    row: usize,
    out: &mut Vec<u8>,
) {
    for ((column, &watched), key) in columns.iter().zip(watched).zip(keys) {
        out.extend_from_slice(key);
        if column.is_null(row) || column.is_not_finite(row) {
            out.extend_from_slice(b"null");
        } else if column.is_bare_in_json() {
            column.write(row, out);
        } else {
            out.push(b'"');
            let start = out.len();
            column.write(row, out);
            if watched {
                escape_from(start, out);
            }
            out.push(b'"');
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Escapes the text that begins at `start` as JSON asks for, if it needs it.
fn escape_from(start: usize, out: &mut Vec<u8>) {
    if !any(&out[start..], is_special_in_json) {
        return;
    }
    for byte in out.split_off(start) {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..b' ' => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringArray};
    use proptest::prelude::*;

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let columns = columns
            .into_iter()
            .map(|(name, column)| (name, column, true));
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    fn csv(batch: &RecordBatch) -> String {
        let mut file = TextFile::csv(Vec::new(), batch.schema_ref());
        file.write(batch).unwrap();
        String::from_utf8(file.finish().unwrap()).unwrap()
    }

    fn json(batch: &RecordBatch) -> String {
        let mut file = TextFile::json(Vec::new(), batch.schema_ref());
        file.write(batch).unwrap();
        String::from_utf8(file.finish().unwrap()).unwrap()
    }

    #[test]
    fn only_fields_that_need_quotes_have_them() {
        let names = StringArray::from(vec![
            Some("Acme, Inc."),
            Some("=SUM(A1)"),
            None,
            Some("a\"b"),
        ]);
        let numbers = Int64Array::from(vec![Some(1), None, Some(3), Some(4)]);
        let batch = batch(vec![
            ("name", Arc::new(names)),
            ("count(*)", Arc::new(numbers)),
        ]);
        assert_eq!(
            csv(&batch),
            "name,count(*)\n\"Acme, Inc.\",1\n=SUM(A1),\n,3\n\"a\"\"b\",4\n"
        );
    }

    #[test]
    fn a_lonely_empty_field_is_still_a_row() {
        let lonely = batch(vec![(
            "a",
            Arc::new(StringArray::from(vec![None, Some("x")])),
        )]);
        assert_eq!(csv(&lonely), "a\n\"\"\nx\n");
    }

    #[test]
    fn json_keeps_amounts_exact_and_numbers_numbers() {
        let amounts = Decimal128Array::from(vec![Some(900_719_925_474_099_300_000), None])
            .with_precision_and_scale(23, 5)
            .unwrap();
        let batch = batch(vec![
            ("amount", Arc::new(amounts)),
            ("n", Arc::new(Int64Array::from(vec![-1, 2]))),
            ("r", Arc::new(Float64Array::from(vec![0.5, f64::INFINITY]))),
            ("t\"", Arc::new(StringArray::from(vec!["a\\b\u{1}\t", "ü"]))),
        ]);
        assert_eq!(
            json(&batch),
            "{\"amount\":\"9007199254740993.00\",\"n\":-1,\"r\":0.5,\"t\\\"\":\"a\\\\b\\u0001\\t\"}\n\
             {\"amount\":null,\"n\":2,\"r\":null,\"t\\\"\":\"ü\"}\n"
        );
    }

    proptest! {
        #[test]
        fn other_readers_read_the_same(
            rows in prop::collection::vec((".{0,12}", "[a,\"\r\n x]{0,6}"), 1..40),
            cut in 0_usize..40,
        ) {
            let (left, right): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
            let batch = batch(vec![
                ("left", Arc::new(StringArray::from(left))),
                ("ri,ght", Arc::new(StringArray::from(right))),
            ]);
            let batch = batch.slice(cut.min(rows.len() - 1), rows.len() - cut.min(rows.len() - 1));
            let rows = &rows[cut.min(rows.len() - 1)..];

            let text = csv(&batch);
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            prop_assert_eq!(reader.headers().unwrap(), vec!["left", "ri,ght"]);
            for (read, row) in reader.records().zip(rows) {
                let read = read.unwrap();
                prop_assert_eq!((&read[0], &read[1]), (row.0.as_str(), row.1.as_str()));
            }

            let text = json(&batch);
            prop_assert_eq!(text.lines().count(), rows.len());
            for (line, row) in text.lines().zip(rows) {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                prop_assert_eq!(value["left"].as_str(), Some(row.0.as_str()));
                prop_assert_eq!(value["ri,ght"].as_str(), Some(row.1.as_str()));
            }
        }
    }
}
