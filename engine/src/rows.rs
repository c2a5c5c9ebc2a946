//! Findings, quarantined lines and files as rows of their tables.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use tieout_core::schema::Table;
use tieout_core::{Finding, QuarantinedLine};

use crate::intake::arrow;
use crate::{EngineError, FileSummary};

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn optional<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    let values: StringArray = values
        .map(|text| Some(text).filter(|text| !text.is_empty()))
        .collect();
    Arc::new(values)
}

fn counts(values: impl Iterator<Item = u64>) -> ArrayRef {
    Arc::new(UInt64Array::from_iter_values(values))
}

fn batch(table: Table, columns: Vec<ArrayRef>) -> Result<RecordBatch, EngineError> {
    RecordBatch::try_new(table.schema(), columns).map_err(arrow)
}

/// Rows of the table `findings`.
///
/// # Errors
/// [`EngineError::Internal`], which is a mistake in the program.
pub fn findings(rows: &[Finding]) -> Result<RecordBatch, EngineError> {
    let lines: UInt64Array = rows.iter().map(|row| row.line).collect();
    batch(
        Table::Findings,
        vec![
            texts(rows.iter().map(|row| row.file.as_str())),
            Arc::new(lines),
            texts(rows.iter().map(|row| row.severity.code())),
            texts(rows.iter().map(|row| row.code.code())),
            texts(rows.iter().map(|row| row.found.as_str())),
            optional(rows.iter().map(|row| row.expected.as_str())),
            optional(rows.iter().map(|row| row.action.as_str())),
        ],
    )
}

/// Rows of the table `quarantine`. Bytes that are not UTF-8 are shown escaped (`\xe9`), so that
/// none is lost.
///
/// # Errors
/// [`EngineError::Internal`], which is a mistake in the program.
pub fn quarantine(rows: &[QuarantinedLine]) -> Result<RecordBatch, EngineError> {
    let raw: Vec<String> = rows.iter().map(|row| raw_text(&row.raw)).collect();
    batch(
        Table::Quarantine,
        vec![
            texts(rows.iter().map(|row| row.file.as_str())),
            counts(rows.iter().map(|row| row.line)),
            counts(rows.iter().map(|row| row.byte_start)),
            counts(rows.iter().map(|row| row.byte_end)),
            texts(rows.iter().map(|row| row.reason.code())),
            texts(rows.iter().map(|row| row.message.as_str())),
            texts(raw.iter().map(String::as_str)),
        ],
    )
}

fn raw_text(raw: &[u8]) -> String {
    match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => raw.escape_ascii().to_string(),
    }
}

/// Rows of the table `files`; `digests` in the same order.
///
/// # Errors
/// [`EngineError::Internal`], which is a mistake in the program.
pub fn files(rows: &[FileSummary], digests: &[String]) -> Result<RecordBatch, EngineError> {
    let profiles: StringArray = rows.iter().map(|row| row.profile.as_deref()).collect();
    batch(
        Table::Files,
        vec![
            texts(rows.iter().map(|row| row.file.as_str())),
            texts(rows.iter().map(|row| row.format.as_str())),
            Arc::new(profiles),
            optional(digests.iter().map(String::as_str)),
            counts(rows.iter().map(|row| row.bytes)),
            counts(rows.iter().map(|row| row.lines)),
            counts(rows.iter().map(|row| row.rows)),
            counts(rows.iter().map(|row| row.quarantined)),
            counts(rows.iter().map(|row| row.known_before)),
        ],
    )
}
