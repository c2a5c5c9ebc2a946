//! Whole canonical files, read as the run reads them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod cuts;
mod json;
mod parquet;
mod text;

use std::io::Write;

use arrow::array::{Array, RecordBatch};
use arrow::compute::concat_batches;
use arrow::util::display::array_value_to_string;
use tempfile::NamedTempFile;
use tieout_core::{Finding, FindingCode, QuarantineReason, QuarantinedLine, Severity};

use crate::format::{Batch, Counts, Role, Settings, Stopped};
use crate::registry::{HEAD_BYTES, recognize_file};
use crate::transport::SourceFile;

const OPEN_ITEMS: &str = "item_id,entity,party_id,kind,number,po_number,currency,amount,\
                          open_amount,issue_date,due_date,discount_amount,discount_date\n";
const SOUND: &str =
    "I1,E1,C1,invoice,INV-1,,USD,100.00,98.5,2026-01-02,2026-02-01,2.00,2026-01-12\n";

/// Everything that came of one file.
#[derive(Debug, PartialEq)]
struct Outcome {
    format: &'static str,
    role: Role,
    counts: Counts,
    rows: Option<RecordBatch>,
    findings: Vec<Finding>,
    quarantine: Vec<QuarantinedLine>,
}

fn settings(chunk_bytes: usize, batch_rows: usize, threads: usize) -> Settings {
    Settings {
        chunk_bytes,
        batch_rows,
        threads,
        ..Settings::default()
    }
}

fn written(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
    file
}

fn read(bytes: &[u8]) -> Outcome {
    read_with(bytes, &settings(1 << 16, 8_192, 1))
}

fn read_with(bytes: &[u8], settings: &Settings) -> Outcome {
    try_read(bytes, settings).expect("a known format")
}

fn try_read(bytes: &[u8], settings: &Settings) -> Option<Outcome> {
    let written = written(bytes);
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let file = SourceFile::plain(written.path().to_owned(), "given.file".to_owned());
    let format = recognize_file(&file, head)?;
    let (mut rows, mut findings, mut quarantine) = (Vec::new(), Vec::new(), Vec::new());
    let counts = format
        .read(&file, settings, &mut |batch| {
            match batch {
                Batch::Rows(_, batch) => {
                    assert!(batch.num_rows() <= settings.batch_rows);
                    rows.push(batch);
                }
                Batch::Finding(finding) => findings.push(finding),
                Batch::Quarantine(line) => quarantine.push(line),
                other @ (Batch::Transactions { .. } | Batch::Statement(_)) => {
                    panic!("unexpected {other:?}")
                }
            }
            Ok::<_, Stopped>(())
        })
        .unwrap();
    let first = rows.first().map(RecordBatch::schema);
    Some(Outcome {
        format: format.name(),
        role: format.role(),
        counts,
        rows: first.map(|schema| concat_batches(&schema, &rows).unwrap()),
        findings,
        quarantine,
    })
}

impl Outcome {
    /// The value as text; `-` for null.
    fn cell(&self, row: usize, column: &str) -> String {
        let rows = self.rows.as_ref().expect("rows");
        let column = rows.column_by_name(column).expect(column);
        if column.is_null(row) {
            "-".to_owned()
        } else {
            array_value_to_string(column, row).unwrap()
        }
    }

    fn cells(&self, column: &str) -> Vec<String> {
        let rows = self.rows.as_ref().map_or(0, RecordBatch::num_rows);
        (0..rows).map(|row| self.cell(row, column)).collect()
    }

    fn findings(&self) -> Vec<(Severity, FindingCode, Option<u64>)> {
        let findings = self.findings.iter();
        findings
            .map(|finding| (finding.severity, finding.code, finding.line))
            .collect()
    }

    fn reasons(&self) -> Vec<(u64, QuarantineReason)> {
        let lines = self.quarantine.iter();
        lines.map(|line| (line.line, line.reason)).collect()
    }
}
