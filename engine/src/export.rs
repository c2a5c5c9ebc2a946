//! Decisions as balanced journal lines for the books of another system. Each decision is exported
//! once; the same export again has the same bytes.
//!
//! What one decision about a payment of 95.00 becomes that pays an invoice of 100.00 with a discount
//! of 3.00 and a deduction of 2.00:
//!
//! | account_type | debit | credit |
//! |---|---|---|
//! | `cash` | 95.00 | |
//! | `receivable` (the item) | | 100.00 |
//! | `discount` | 3.00 | |
//! | `deduction` | 2.00 | |
//!
//! Money that is on a customer's account is a credit of `on_account`, money that is neither of
//! `unapplied`. A decision that is taken back has the same lines with the sides exchanged.

mod lines;

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use tieout_core::schema::Table;
use tieout_ledger::journal::{EventKind, Journal, Payload};
use tieout_ledger::{FileFormat, Ledger, TableWriter};

use crate::EngineError;
use lines::{Lines, schema};

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The number of the export, from 1; by it the same lines are exported again.
    pub number: u64,
    /// The first event in it, and the last.
    pub events: (u64, u64),
    /// Journal lines.
    pub lines: u64,
    /// BLAKE3 of the lines as CSV.
    pub digest: String,
}

/// Notes in the ledger in `ledger_dir` that what was decided since the last export is exported;
/// none if there is nothing. [`write_export`] then gives its lines.
///
/// # Errors
/// [`EngineError::Ledger`] if the ledger cannot be read or written.
pub fn next_export(ledger_dir: &Path) -> Result<Option<Exported>, EngineError> {
    drop(Ledger::open(ledger_dir)?);
    let mut ledger = Ledger::post(ledger_dir)?;
    let journal = ledger.journal()?;
    let last = journal.memo(EventKind::Export)?;
    let said = |name: &str| last.as_ref().and_then(|last| last[name].as_u64());
    let first = said("last_event").map_or(1, |last| last + 1);
    let head = journal.last()?.map_or(0, |event| event.sequence);
    let mut exported = Exported {
        number: said("number").unwrap_or_default() + 1,
        events: (first, head),
        lines: 0,
        digest: String::new(),
    };
    (exported.lines, exported.digest) = count(&journal, &exported)?;
    drop(journal);
    if exported.lines == 0 {
        return Ok(None);
    }
    ledger.append(
        EventKind::Export,
        &exported.number.to_string(),
        json!({
            "number": exported.number,
            "first_event": exported.events.0,
            "last_event": exported.events.1,
            "lines": exported.lines,
            "digest": exported.digest,
        }),
    )?;
    ledger.commit()?;
    Ok(Some(exported))
}

/// The export with this number.
///
/// # Errors
/// [`EngineError::Request`] if there is none.
pub fn find_export(ledger_dir: &Path, number: u64) -> Result<Exported, EngineError> {
    let journal = Ledger::open(ledger_dir)?.journal()?;
    let mut found = None;
    journal.events(1, |event| {
        if event.kind == EventKind::Export
            && event.subject == number.to_string()
            && let Payload::Json(said) = journal.payload(event.sequence)?
        {
            found = Some(said);
        }
        Ok(found.is_none())
    })?;
    let read = |said: &Value| {
        Some(Exported {
            number,
            events: (said["first_event"].as_u64()?, said["last_event"].as_u64()?),
            lines: said["lines"].as_u64()?,
            digest: said["digest"].as_str()?.to_owned(),
        })
    };
    found
        .as_ref()
        .and_then(read)
        .ok_or_else(|| EngineError::Request(format!("there is no export {number} in this ledger")))
}

/// Writes the lines of an export.
///
/// # Errors
/// [`EngineError::Answer`] if `out` refuses, [`EngineError::Request`] if the lines are not those
/// that were exported.
pub fn write_export(
    ledger_dir: &Path,
    exported: &Exported,
    format: FileFormat,
    out: impl Write + Send,
) -> Result<(), EngineError> {
    let journal = Ledger::open(ledger_dir)?.journal()?;
    if count(&journal, exported)?.1 != exported.digest {
        return Err(EngineError::Request(format!(
            "export {} would have other lines than it had; run `tieout audit verify`",
            exported.number
        )));
    }
    write(&journal, exported, format, out).map(drop)
}

/// How many lines there are, and their digest.
fn count(journal: &Journal, exported: &Exported) -> Result<(u64, String), EngineError> {
    let hasher = Hasher(blake3::Hasher::new());
    let (lines, hasher) = write(journal, exported, FileFormat::Csv, hasher)?;
    Ok((lines, hasher.0.finalize().to_hex().to_string()))
}

fn write<W: Write + Send>(
    journal: &Journal,
    exported: &Exported,
    format: FileFormat,
    out: W,
) -> Result<(u64, W), EngineError> {
    let mut writer = TableWriter::new(out, &schema(), format).map_err(EngineError::Answer)?;
    let mut events = Vec::new();
    journal.events(exported.events.0, |event| {
        let is_inside = event.sequence <= exported.events.1;
        if is_inside && matches!(event.kind, EventKind::Decisions | EventKind::Reversal) {
            events.push(event.clone());
        }
        Ok(is_inside)
    })?;
    for event in events {
        let mut lines = Lines::of(exported.number, &event);
        for (name, batch) in journal.batches(event.sequence)? {
            if name == Table::Reversals.name() {
                lines.take_back(journal, &batch)?;
            }
        }
        lines.decided(journal, event.sequence, None)?;
        let rows = lines.finish()?;
        writer.write(&rows).map_err(EngineError::Answer)?;
    }
    let rows = writer.rows();
    Ok((rows, writer.finish().map_err(EngineError::Answer)?))
}

/// Takes bytes for their digest only.
struct Hasher(blake3::Hasher);

impl Write for Hasher {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.update(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
