//! The chain as JSON lines, for whoever checks it with a program of their own.

use std::io::Write;

use arrow::array::RecordBatch;
use serde_json::{Map, Value, json};

use super::reading::Payload;
use super::state::texts;
use super::{Event, Journal};
use crate::{Cells, LedgerError};

/// Columns that name a payment.
const PAYMENT_COLUMNS: [&str; 3] = ["payment_id", "transaction_id", "id"];

/// Writes every event as one line of JSON, with all that its hash is made of. Events that people
/// and programs wrote as JSON have it under `said`; rows about one of `payments` stand under
/// `rows`, by table.
///
/// Returns the number of events.
///
/// # Errors
/// [`LedgerError::Journal`] if the journal is damaged, [`LedgerError::Export`] if `out` refuses.
pub fn write_chain(
    journal: &Journal,
    payments: &[String],
    out: &mut dyn Write,
) -> Result<u64, LedgerError> {
    let mut count = 0;
    journal.events(1, |event| {
        let line = line(journal, &event, payments)?;
        writeln!(out, "{line}").map_err(LedgerError::Export)?;
        count += 1;
        Ok(true)
    })?;
    out.flush().map_err(LedgerError::Export)?;
    Ok(count)
}

fn line(journal: &Journal, event: &Event, payments: &[String]) -> Result<Value, LedgerError> {
    let mut line = json!({
        "sequence": event.sequence,
        "posting": event.posting,
        "at_micros": event.at.micros(),
        "at": event.at.to_string(),
        "kind": event.kind.code(),
        "kind_number": event.kind as u8,
        "subject": event.subject,
        "payload_bytes": event.payload_bytes,
        "payload_digest": event.payload_digest.to_string(),
        "previous": event.previous.to_string(),
        "hash": event.hash.to_string(),
    });
    if let Some(left) = journal.purged(event.sequence)? {
        line["purged_by"] = json!(left.purge);
        line["left_bytes"] = json!(left.bytes);
        line["left_digest"] = json!(left.digest.to_string());
    }
    let is_json = event.kind.is_json();
    if !is_json && payments.is_empty() {
        return Ok(line);
    }
    match journal.payload(event.sequence)? {
        Payload::Json(said) => line["said"] = said,
        Payload::Batches(batches) => {
            let mut tables = Map::new();
            for (name, batch) in &batches {
                let rows = rows_about(journal, event, batch, payments)?;
                if !rows.is_empty() {
                    tables.insert(name.clone(), rows.into());
                }
            }
            if !tables.is_empty() {
                line["rows"] = tables.into();
            }
        }
    }
    Ok(line)
}

/// The rows of a batch that name one of the payments, each as an object of texts.
fn rows_about(
    journal: &Journal,
    event: &Event,
    batch: &RecordBatch,
    payments: &[String],
) -> Result<Vec<Value>, LedgerError> {
    let named = PAYMENT_COLUMNS
        .iter()
        .find_map(|name| texts(batch, name).ok());
    let Some(ids) = named else {
        return Ok(Vec::new());
    };
    let cells =
        Cells::of(batch).map_err(|error| journal.damaged(event.sequence, &error.to_string()))?;
    let rows = ids
        .iter()
        .enumerate()
        .filter(|(_, id)| id.is_some_and(|id| payments.iter().any(|payment| payment == id)));
    let object = |row: usize| -> Value {
        let fields = batch.schema_ref().fields().iter().enumerate();
        let entries = fields.map(|(column, field)| {
            let text = cells.text(row, column);
            (field.name().clone(), text.map_or(Value::Null, Value::from))
        });
        Value::Object(entries.collect())
    };
    Ok(rows.map(|(row, _)| object(row)).collect())
}
