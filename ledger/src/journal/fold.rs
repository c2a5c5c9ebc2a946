//! The state as a fold over events: the same code when an event is recorded and when it is
//! verified. What breaks an invariant is refused here, so it is never committed.

mod items;
mod payments;

use arrow::array::{Array, AsArray, Date32Array, RecordBatch, UInt64Array};
use arrow::datatypes::{Date32Type, UInt64Type};
use redb::{ReadableTable as _, WriteTransaction};
use serde_json::{Map, Value};
use tieout_core::Feed;

use super::pack::{Packer, Unpacker};
use super::payload;
use super::state::{payment_key, said, texts};
use super::store::{ADVICE, ASIDE, FILES, LINES, MEMO, NOTES, PROFILES, PURGED, ROWS, SOURCES};
use super::{Event, EventKind, Payload, memory, purge};
use items::{applications, items};
use payments::{payments, take_back};

/// Names of what a reversal takes back.
pub mod what {
    /// The decision about a payment.
    pub const PAYMENT: &str = "payment";
    /// A row of the table `open_items`.
    pub const ITEM: &str = "item";
    /// A row of the table `parties`.
    pub const PARTY: &str = "party";
    /// A row of the table `remittance_lines`.
    pub const ADVICE: &str = "advice";
}

/// The column of an event of kind `known`: 16 bytes a row.
pub const KNOWN_ID: &str = "id";

/// Why an event cannot follow those before it.
#[derive(Debug)]
pub enum Misfit {
    /// The store failed.
    Store(Box<redb::Error>),
    /// The event says what cannot be.
    Found(String),
}

impl From<String> for Misfit {
    fn from(found: String) -> Self {
        Self::Found(found)
    }
}

impl From<redb::TableError> for Misfit {
    fn from(error: redb::TableError) -> Self {
        Self::Store(Box::new(error.into()))
    }
}

impl From<redb::StorageError> for Misfit {
    fn from(error: redb::StorageError) -> Self {
        Self::Store(Box::new(error.into()))
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => error.fmt(formatter),
            Self::Found(found) => found.fmt(formatter),
        }
    }
}

type Folded = Result<(), Misfit>;

fn found<T>(sentence: impl Into<String>) -> Result<T, Misfit> {
    Err(Misfit::Found(sentence.into()))
}

/// Lets `event` with its payload take effect on the state.
///
/// # Errors
/// A [`Misfit`], and the transaction must not be committed.
pub fn apply(transaction: &WriteTransaction, event: &Event, bytes: &[u8]) -> Folded {
    apply_unpacked(transaction, event, bytes, &unpack(event, bytes)?)
}

/// What is in the payload of `event`.
///
/// # Errors
/// A sentence, if it is not of the event's kind.
pub fn unpack(event: &Event, bytes: &[u8]) -> Result<Payload, String> {
    if event.kind.is_json() {
        payload::json(bytes).map(Payload::Json)
    } else {
        payload::batches(bytes).map(Payload::Batches)
    }
}

/// The same as [`apply`] for a payload that is unpacked.
///
/// # Errors
/// Those of [`apply`].
pub fn apply_unpacked(
    transaction: &WriteTransaction,
    event: &Event,
    bytes: &[u8],
    payload: &Payload,
) -> Folded {
    match payload {
        Payload::Batches(batches) => {
            let batches = batches.iter().map(|(name, batch)| (name.as_str(), batch));
            apply_batches(transaction, event, batches)
        }
        Payload::Json(said) => apply_json(transaction, event, bytes, said),
    }
}

fn apply_json(transaction: &WriteTransaction, event: &Event, bytes: &[u8], said: &Value) -> Folded {
    match event.kind {
        EventKind::Cutoff | EventKind::Export => memo(transaction, event.kind.code(), said),
        EventKind::Purge => {
            let mut purged = transaction.open_table(PURGED)?;
            for (sequence, left) in purge::entries(event, said)? {
                purged.insert(sequence, left.as_slice())?;
            }
            Ok(())
        }
        EventKind::Profile => {
            let mut profiles = transaction.open_table(PROFILES)?;
            profiles.insert(event.sequence, bytes)?;
            Ok(())
        }
        EventKind::Aside => aside(transaction, said),
        EventKind::Action => {
            note(transaction, said)?;
            memory::learn(transaction, event, said)
        }
        EventKind::Opened
        | EventKind::File
        | EventKind::Rows
        | EventKind::Decisions
        | EventKind::Reversal
        | EventKind::Waiting
        | EventKind::Known => Ok(()),
    }
}

/// The same for an event whose payload is at hand as batches.
///
/// # Errors
/// A [`Misfit`], and the transaction must not be committed.
pub fn apply_batches<'a>(
    transaction: &WriteTransaction,
    event: &Event,
    batches: impl Iterator<Item = (&'a str, &'a RecordBatch)>,
) -> Folded {
    let mut remembered = false;
    for (name, batch) in batches {
        match (event.kind, name) {
            (EventKind::File, _) => files(transaction, event, batch)?,
            (EventKind::Known, _) => known(transaction, event, batch)?,
            (EventKind::Reversal, _) => reversals(transaction, event, batch)?,
            (EventKind::Waiting, "transactions") => {
                payments::waiting(transaction, batch)?;
                remembered = true;
            }
            (EventKind::Waiting, _) | (EventKind::Rows, "parties") => remembered = true,
            (EventKind::Decisions, "payments") => payments(transaction, event, batch)?,
            (EventKind::Decisions, "applications") => applications(transaction, event, batch)?,
            (EventKind::Rows, "open_items") => {
                items(transaction, event, batch)?;
                remembered = true;
            }
            (EventKind::Rows, "transactions") => lines(transaction, event, batch)?,
            (EventKind::Rows, "remittance_lines") => advice(transaction, event, batch)?,
            _ => {}
        }
    }
    if remembered {
        let mut sources = transaction.open_table(SOURCES)?;
        let name = match event.kind {
            EventKind::Waiting => EventKind::Waiting.code(),
            _ => event.subject.as_str(),
        };
        sources.insert(event.sequence, name)?;
    }
    Ok(())
}

fn files(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut files = transaction.open_table(FILES)?;
    let (names, digests) = (texts(batch, "source_file")?, texts(batch, "digest")?);
    let formats = texts(batch, "format")?;
    let bytes = counts(batch, "bytes")?;
    for row in 0..batch.num_rows() {
        let is_read = bytes.value(row) > 0 && formats.value(row) != "unknown";
        let Some(digest) = said(digests, row).filter(|_| is_read) else {
            continue;
        };
        let known = Packer::default()
            .number(event.posting)
            .number(bytes.value(row))
            .bytes(names.value(row).as_bytes())
            .finish();
        if files.get(digest.as_bytes())?.is_none() {
            files.insert(digest.as_bytes(), known.as_slice())?;
        }
    }
    Ok(())
}

fn known(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let ids = batch
        .column_by_name(KNOWN_ID)
        .and_then(|column| column.as_fixed_size_binary_opt())
        .ok_or_else(|| format!("the rows have no {KNOWN_ID}"))?;
    let mut rows = transaction.open_table(ROWS)?;
    for id in ids.iter().flatten() {
        rows.insert(id, event.posting)?;
    }
    Ok(())
}

/// Notes of which days the bank lines are, for reports that have the same money again.
fn lines(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let days = [days(batch, "booking_date")?, days(batch, "value_date")?];
    let latest = days
        .iter()
        .filter_map(|days| arrow::compute::max(days))
        .max();
    let feeds = texts(batch, "feed")?;
    let is_final = |feed: Option<&str>| feed == Some(Feed::Statement.code());
    let provisional = feeds.iter().any(|feed| !is_final(feed));
    let mut lines = transaction.open_table(LINES)?;
    lines.insert(event.sequence, (latest.unwrap_or(i32::MIN), provisional))?;
    Ok(())
}

fn advice(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut waiting = transaction.open_table(ADVICE)?;
    let payments = texts(batch, "payment_id")?;
    let files = texts(batch, "source_file")?;
    let lines = counts(batch, "source_line")?;
    for row in (0..batch.num_rows()).filter(|&row| payments.is_null(row)) {
        let key = advice_key(event.posting, files.value(row), lines.value(row));
        let place = Packer::default()
            .number(event.sequence)
            .number(row as u64)
            .finish();
        waiting.insert(key.as_str(), place.as_slice())?;
    }
    Ok(())
}

/// How a line of waiting advice is known.
pub fn advice_key(posting: u64, file: &str, line: u64) -> String {
    format!("{posting}:{file}:{line}")
}

fn reversals(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let (kinds, ids) = (texts(batch, "what")?, texts(batch, "id")?);
    let postings = counts(batch, "reversed_posting")?;
    for row in 0..batch.num_rows() {
        let id = ids.value(row);
        match kinds.value(row) {
            what::PAYMENT => take_back(transaction, event, id)?,
            what::ADVICE => {
                let key = format!("{}:{id}", postings.value(row));
                let mut waiting = transaction.open_table(ADVICE)?;
                if waiting.remove(key.as_str())?.is_none() {
                    return found(format!("there is no waiting advice {id}"));
                }
            }
            // Their rows are replaced by later ones, which say what is open.
            what::ITEM | what::PARTY => {}
            other => return found(format!("there is no reversal of {other}")),
        }
    }
    Ok(())
}

/// Keeps owner, deadline and the last word about a payment.
fn note(transaction: &WriteTransaction, action: &Value) -> Folded {
    let Some(id) = action["payment_id"].as_str() else {
        return Ok(());
    };
    let mut notes = transaction.open_table(NOTES)?;
    let key = payment_key(id);
    let mut kept: Map<String, Value> = notes
        .get(key.as_slice())?
        .and_then(|value| serde_json::from_slice(value.value()).ok())
        .unwrap_or_default();
    add_note(&mut kept, action);
    let text = Value::Object(kept).to_string();
    notes.insert(key.as_slice(), text.as_bytes())?;
    Ok(())
}

/// Adds what an action says to what is noted about its payment.
pub fn add_note(kept: &mut Map<String, Value>, action: &Value) {
    for name in ["owner", "deadline", "not_duplicate"] {
        if !action[name].is_null() {
            kept.insert(name.to_owned(), action[name].clone());
        }
    }
    for (name, of) in [
        ("last_actor", "actor"),
        ("last_action", "action"),
        ("last_reason", "reason"),
    ] {
        kept.insert(name.to_owned(), action[of].clone());
    }
}

/// Keeps which files are set aside: those of which the last word is a reason.
fn aside(transaction: &WriteTransaction, said: &Value) -> Folded {
    let mut files = transaction.open_table(ASIDE)?;
    let Some(file) = said["file"].as_str() else {
        return found("the event names no file");
    };
    if said["reason"].is_null() {
        files.remove(file)?;
    } else {
        files.insert(file, said.to_string().as_bytes())?;
    }
    Ok(())
}

fn memo(transaction: &WriteTransaction, name: &str, value: &Value) -> Folded {
    let mut memo = transaction.open_table(MEMO)?;
    memo.insert(name, value.to_string().as_bytes())?;
    Ok(())
}

fn days<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a Date32Array, String> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<Date32Type>())
        .ok_or_else(|| format!("the rows have no date {name}"))
}

fn counts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a UInt64Array, String> {
    batch
        .column_by_name(name)
        .and_then(|column| column.as_primitive_opt::<UInt64Type>())
        .ok_or_else(|| format!("the rows have no number {name}"))
}

/// The place of a waiting line of advice: its event and row.
pub fn advice_place(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut read = Unpacker(bytes);
    Some((read.number()?, read.number()?))
}

/// What is known of a file that came before: its posting, its bytes, its name there.
pub fn file_known(bytes: &[u8]) -> Option<(u64, u64, &str)> {
    let mut read = Unpacker(bytes);
    Some((read.number()?, read.number()?, read.text()?))
}
