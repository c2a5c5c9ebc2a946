//! A CSV file read by the names of its columns, whatever their order.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use csv::ByteRecord;

use crate::money::parse_units;

/// One row at a time, its fields numbered as the columns were asked for.
pub struct Table {
    path: PathBuf,
    reader: csv::Reader<File>,
    record: ByteRecord,
    places: Vec<Option<usize>>,
}

impl Table {
    /// Opens `path` and finds the columns: those `required`, then those `optional`.
    ///
    /// # Errors
    /// When the file cannot be read or lacks a required column.
    pub fn open(path: &Path, required: &[&str], optional: &[&str]) -> Result<Self> {
        let reader = csv::ReaderBuilder::new()
            .buffer_capacity(1 << 18)
            .from_path(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let mut table = Self {
            path: path.to_owned(),
            reader,
            record: ByteRecord::new(),
            places: Vec::with_capacity(required.len() + optional.len()),
        };
        let header = table.reader.byte_headers()?.clone();
        for name in required {
            let place = place_of(&header, name)
                .with_context(|| format!("{}: no column {name}", path.display()))?;
            table.places.push(Some(place));
        }
        let wanted = optional.iter().map(|name| place_of(&header, name));
        table.places.extend(wanted);
        Ok(table)
    }

    /// Goes to the next row; false at the end.
    ///
    /// # Errors
    /// When the file is not CSV.
    pub fn advance(&mut self) -> Result<bool> {
        self.reader
            .read_byte_record(&mut self.record)
            .with_context(|| format!("cannot read {}", self.path.display()))
    }

    /// The field of a column; empty for an optional column that is not there.
    pub fn field(&self, column: usize) -> &[u8] {
        let place = self.places.get(column).copied().flatten();
        place
            .and_then(|place| self.record.get(place))
            .unwrap_or_default()
    }

    /// The amount in a column, in units of 1e-5; nothing is zero.
    ///
    /// # Errors
    /// When the field is not an amount.
    pub fn money(&self, column: usize) -> Result<i64> {
        parse_units(&self.text(column)).with_context(|| self.place())
    }

    /// The whole number in a column.
    ///
    /// # Errors
    /// When the field is not one.
    pub fn count(&self, column: usize) -> Result<u32> {
        let text = self.text(column);
        text.parse()
            .with_context(|| format!("{}: {text:?} is not a line number", self.place()))
    }

    /// The number between 0 and 1 in a column; nothing is zero.
    ///
    /// # Errors
    /// When the field is not a number.
    pub fn ratio(&self, column: usize) -> Result<f64> {
        match self.text(column).as_ref() {
            "" => Ok(0.0),
            text => text
                .parse()
                .with_context(|| format!("{}: {text:?} is not a number", self.place())),
        }
    }

    /// File and line of the row, for messages.
    pub fn place(&self) -> String {
        let line = self.record.position().map_or(0, csv::Position::line);
        format!("{}:{line}", self.path.display())
    }

    fn text(&self, column: usize) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(self.field(column))
    }
}

fn place_of(header: &ByteRecord, name: &str) -> Option<usize> {
    header.iter().position(|column| column == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, "b,a,line\nx,1.5,7\n,abc,y\n").unwrap();
        let mut table = Table::open(&path, &["a", "line"], &["b", "score"]).unwrap();
        assert!(table.advance().unwrap());
        assert_eq!(table.money(0).unwrap(), 150_000);
        assert_eq!(table.count(1).unwrap(), 7);
        assert_eq!((table.field(2), table.field(3)), (&b"x"[..], &b""[..]));
        assert!(table.ratio(3).unwrap() < f64::EPSILON);
        assert!(table.advance().unwrap());
        let error = format!("{:#}", table.money(0).unwrap_err());
        assert!(error.contains("t.csv:3"), "{error}");
        assert!(table.count(1).is_err());
        assert!(!table.advance().unwrap());
        assert!(Table::open(&path, &["c"], &[]).is_err());
    }
}
