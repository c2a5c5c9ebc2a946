//! Reads bytes as a file and collects what they become.
#![allow(clippy::unwrap_used, dead_code)]

pub mod real;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use tieout_core::schema::Table;
use tieout_core::{Finding, QuarantinedLine, Severity};
use tieout_ingest::{Batch, Counts, FORMATS, Format, HEAD_BYTES, Settings, SourceFile, recognize};

/// A row as text, by column; nulls are absent.
pub type Row = BTreeMap<String, String>;

/// What a file became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub rows: Vec<Row>,
    pub documents: Vec<Row>,
    pub balances: Vec<Row>,
    /// Rows of all other tables, by table.
    pub tables: BTreeMap<&'static str, Vec<Row>>,
    pub findings: Vec<Finding>,
    pub quarantine: Vec<QuarantinedLine>,
    pub counts: Counts,
}

impl Reading {
    /// Severity, code and line of every finding that is not only information.
    pub fn problems(&self) -> Vec<(&'static str, Option<u64>)> {
        let grave = self
            .findings
            .iter()
            .filter(|f| f.severity != Severity::Info);
        grave.map(|f| (f.code.code(), f.line)).collect()
    }

    /// Reason and line of all that is in quarantine.
    pub fn refused(&self) -> Vec<(&'static str, u64)> {
        let lines = self.quarantine.iter();
        lines.map(|line| (line.reason.code(), line.line)).collect()
    }

    /// The rows of a table that is neither bank lines nor balances.
    pub fn table(&self, name: &str) -> &[Row] {
        self.tables.get(name).map_or(&[], Vec::as_slice)
    }

    /// The values of one column of such a table.
    pub fn table_column(&self, table: &str, name: &str) -> Vec<&str> {
        column(self.table(table), name)
    }

    /// The values of one column of the bank lines.
    pub fn column(&self, name: &str) -> Vec<&str> {
        column(&self.rows, name)
    }

    /// The values of one column of the documents.
    pub fn document_column(&self, name: &str) -> Vec<&str> {
        column(&self.documents, name)
    }

    fn add(&mut self, batch: Batch) {
        match batch {
            Batch::Transactions {
                transactions,
                remittance_lines,
            } => {
                let before = self.rows.len();
                self.rows.extend(rows_of(&transactions));
                self.documents
                    .extend(rows_of(&remittance_lines).map(|mut row| {
                        let place: usize = row["transaction_row"].parse().unwrap();
                        row.insert("transaction_row".to_owned(), (before + place).to_string());
                        row
                    }));
            }
            Batch::Rows(Table::Balances, balances) => self.balances.extend(rows_of(&balances)),
            Batch::Rows(table, rows) => {
                let known = self.tables.entry(table.name()).or_default();
                known.extend(rows_of(&rows));
            }
            Batch::Finding(finding) => self.findings.push(finding),
            Batch::Statement(_) => {}
            Batch::Quarantine(line) => self.quarantine.push(line),
        }
    }
}

fn column<'a>(rows: &'a [Row], name: &str) -> Vec<&'a str> {
    rows.iter()
        .map(|row| row.get(name).map_or("", String::as_str))
        .collect()
}

fn rows_of(batch: &RecordBatch) -> impl Iterator<Item = Row> {
    let options = FormatOptions::default();
    let schema = batch.schema();
    let cells = |row: usize| {
        let columns = schema.fields().iter().zip(batch.columns());
        columns
            .filter(|(_, array)| !array.is_null(row))
            .map(|(field, array)| {
                let text = ArrayFormatter::try_new(array, &options).unwrap();
                (field.name().clone(), text.value(row).to_string())
            })
            .collect()
    };
    let rows: Vec<Row> = (0..batch.num_rows()).map(cells).collect();
    rows.into_iter()
}

/// The format of this name.
pub fn format(name: &str) -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == name).unwrap()
}

/// Reads `bytes` as the format `name`.
pub fn read_with(name: &str, bytes: &[u8], settings: &Settings) -> Reading {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let source = SourceFile::plain(file.path().to_owned(), "file".to_owned());
    let reading = read_source(format(name), &source, settings);
    assert_eq!(reading.counts.bytes, bytes.len() as u64);
    reading
}

/// Reads `source` as `format`.
pub fn read_source(format: &dyn Format, source: &SourceFile, settings: &Settings) -> Reading {
    let mut reading = Reading::default();
    let mut receiver = |batch| {
        reading.add(batch);
        Ok(())
    };
    let counts = format.read(source, settings, &mut receiver).unwrap();
    reading.counts = counts;
    let others: usize = reading.tables.values().map(Vec::len).sum();
    assert_eq!(reading.counts.rows, (reading.rows.len() + others) as u64);
    assert_eq!(reading.counts.quarantined, reading.quarantine.len() as u64);
    reading
}

/// Reads `text`, which must be recognised as the format `name` and no other.
pub fn read(name: &str, text: impl AsRef<[u8]>) -> Reading {
    let bytes = text.as_ref();
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    assert_eq!(recognize(head).map(Format::name), Some(name));
    read_with(name, bytes, &Settings::default())
}

/// A file of `tests/data`.
pub fn data(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    std::fs::read(path.join(name)).unwrap()
}

/// `data` with one text replaced, which must be there.
pub fn edited(name: &str, from: &str, to: &str) -> String {
    let text = String::from_utf8(data(name)).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}
