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
    /// Whether whoever was to take the lines has them.
    pub acknowledged: bool,
}

impl Exported {
    fn said(&self) -> Value {
        json!({
            "number": self.number,
            "first_event": self.events.0,
            "last_event": self.events.1,
            "lines": self.lines,
            "digest": self.digest,
            "acknowledged": self.acknowledged,
        })
    }

    /// What an event of the journal said.
    fn read(said: &Value) -> Option<Self> {
        Some(Self {
            number: said["number"].as_u64()?,
            events: (said["first_event"].as_u64()?, said["last_event"].as_u64()?),
            lines: said["lines"].as_u64()?,
            digest: said["digest"].as_str()?.to_owned(),
            // Before there were acknowledgements, an export counted at once.
            acknowledged: said["acknowledged"].as_bool().unwrap_or(true),
        })
    }
}

/// The export that is to be written next: the last one again, if nobody has acknowledged it;
/// otherwise what was decided since, which the ledger in `ledger_dir` notes; none if there is nothing.
/// [`write_export`] gives its lines, [`acknowledge`] ends it. So each line is exported once, and a
/// program that is killed anywhere in between gets the same lines again.
///
/// # Errors
/// [`EngineError::Ledger`] if the ledger cannot be read or written.
pub fn next_export(ledger_dir: &Path) -> Result<Option<Exported>, EngineError> {
    drop(Ledger::open(ledger_dir)?);
    let mut ledger = Ledger::post(ledger_dir)?;
    let journal = ledger.journal()?;
    let last = journal.memo(EventKind::Export)?;
    let last = last.as_ref().and_then(Exported::read);
    if let Some(open) = last.clone().filter(|last| !last.acknowledged) {
        return Ok(Some(open));
    }
    let head = journal.last()?.map_or(0, |event| event.sequence);
    let mut exported = Exported {
        number: last.as_ref().map_or(0, |last| last.number) + 1,
        events: (last.map_or(1, |last| last.events.1 + 1), head),
        lines: 0,
        digest: String::new(),
        acknowledged: false,
    };
    (exported.lines, exported.digest) = count(&journal, &exported)?;
    drop(journal);
    if exported.lines == 0 {
        return Ok(None);
    }
    let subject = exported.number.to_string();
    ledger.append(EventKind::Export, &subject, exported.said())?;
    ledger.commit()?;
    Ok(Some(exported))
}

/// Notes that whoever was to take the lines of export number `number` has them. Once is enough; more
/// often changes nothing.
///
/// # Errors
/// [`EngineError::Request`] if there is no such export, [`EngineError::Ledger`] if the ledger cannot
/// be written.
pub fn acknowledge(ledger_dir: &Path, number: u64) -> Result<Exported, EngineError> {
    drop(Ledger::open(ledger_dir)?);
    let mut ledger = Ledger::post(ledger_dir)?;
    let journal = ledger.journal()?;
    let last = journal.memo(EventKind::Export)?;
    let last = last.as_ref().and_then(Exported::read);
    let Some(mut exported) = last.filter(|last| number > 0 && number <= last.number) else {
        return Err(no_export(number));
    };
    // The one after it was begun only when it was acknowledged.
    if number < exported.number {
        drop(ledger);
        return find(&journal, number);
    }
    drop(journal);
    if exported.acknowledged {
        return Ok(exported);
    }
    exported.acknowledged = true;
    ledger.append(EventKind::Export, &number.to_string(), exported.said())?;
    ledger.commit()?;
    Ok(exported)
}

/// The export with this number.
///
/// # Errors
/// [`EngineError::Request`] if there is none.
pub fn find_export(ledger_dir: &Path, number: u64) -> Result<Exported, EngineError> {
    find(&Ledger::open(ledger_dir)?.journal()?, number)
}

fn find(journal: &Journal, number: u64) -> Result<Exported, EngineError> {
    let mut found = None;
    journal.events(1, |event| {
        if event.kind == EventKind::Export
            && event.subject == number.to_string()
            && let Payload::Json(said) = journal.payload(event.sequence)?
        {
            found = Exported::read(&said);
        }
        Ok(!found.as_ref().is_some_and(|found| found.acknowledged))
    })?;
    found.ok_or_else(|| no_export(number))
}

fn no_export(number: u64) -> EngineError {
    EngineError::Request(format!("there is no export {number} in this ledger"))
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
