//! The state as a fold over events: the same code when an event is recorded and when it is
//! verified. What breaks an invariant is refused here, so it is never committed.

use arrow::array::{Array, AsArray, Date32Array, RecordBatch, UInt64Array};
use arrow::datatypes::{Date32Type, UInt64Type};
use redb::{ReadableTable as _, WriteTransaction};
use serde_json::{Map, Value};
use tieout_core::{Amount, ApplicationStatus, Feed, Rule, Status};

use super::forward::FORWARD_ITEMS;
use super::pack::{Packer, Unpacker};
use super::payload;
use super::state::{ItemState, PaymentState, amounts, cheque_key, payment_key, said, texts};
use super::store::{
    ABOUT, ADVICE, ASIDE, CHEQUES, FILES, ITEMS, LINES, MEMO, NOTES, PAYLOADS, PAYMENTS, PROFILES,
    PURGED, ROWS, SOURCES, TOUCHED,
};
use super::{Event, EventKind, PURGED_TEXT, memory, purge};

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
    match event.kind {
        EventKind::Opened => payload::json(bytes).map(drop).map_err(Misfit::from),
        EventKind::Cutoff | EventKind::Export => {
            let said = payload::json(bytes)?;
            memo(transaction, event.kind.code(), &said)
        }
        EventKind::Purge => {
            let mut purged = transaction.open_table(PURGED)?;
            for (sequence, left) in purge::entries(event, &payload::json(bytes)?)? {
                purged.insert(sequence, left.as_slice())?;
            }
            Ok(())
        }
        EventKind::Profile => {
            let mut profiles = transaction.open_table(PROFILES)?;
            profiles.insert(event.sequence, bytes)?;
            Ok(())
        }
        EventKind::Aside => aside(transaction, &payload::json(bytes)?),
        EventKind::Action => {
            let action = payload::json(bytes)?;
            note(transaction, &action)?;
            memory::learn(transaction, event, &action)
        }
        EventKind::File
        | EventKind::Rows
        | EventKind::Decisions
        | EventKind::Reversal
        | EventKind::Waiting
        | EventKind::Known => {
            let batches = payload::batches(bytes)?;
            let batches = batches.iter().map(|(name, batch)| (name.as_str(), batch));
            apply_batches(transaction, event, batches)
        }
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

/// Notes which items change, once items were carried forward.
struct Touched<'a>(Option<redb::Table<'a, &'static str, ()>>);

impl<'a> Touched<'a> {
    fn of(transaction: &'a WriteTransaction) -> Result<Self, Misfit> {
        let about = transaction.open_table(ABOUT)?;
        let is_noted = about.get(FORWARD_ITEMS)?.is_some();
        let touched = is_noted.then(|| transaction.open_table(TOUCHED));
        Ok(Self(touched.transpose()?))
    }

    fn note(&mut self, id: &str) -> Folded {
        if let Some(touched) = &mut self.0 {
            touched.insert(id, ())?;
        }
        Ok(())
    }
}

fn items(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut items = transaction.open_table(ITEMS)?;
    let mut touched = Touched::of(transaction)?;
    let ids = texts(batch, "item_id")?;
    let open = amounts(batch, "open_amount")?;
    for row in 0..batch.num_rows() {
        let given = Amount::from_units(open.value(row)).abs();
        let known = items.get(ids.value(row))?.is_some();
        if given.is_zero() && !known {
            continue;
        }
        let state = ItemState {
            source: (event.sequence, row as u64),
            posting: event.posting,
            given,
            open: given,
            opening: given,
            touched_in: event.posting,
            paid_by: String::new(),
        };
        items.insert(ids.value(row), state.pack().as_slice())?;
        touched.note(ids.value(row))?;
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

fn payments(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut payments = transaction.open_table(PAYMENTS)?;
    let mut cheques = transaction.open_table(CHEQUES)?;
    let rows = PaymentRows::of(batch)?;
    // In the order of their keys, so that neighbours are written together.
    let mut keys: Vec<(Vec<u8>, usize)> = (0..batch.num_rows())
        .map(|row| (payment_key(rows.ids.value(row)), row))
        .collect();
    keys.sort_unstable();
    for (key, row) in keys {
        let id = rows.ids.value(row);
        let earlier = match payments.get(key.as_slice())? {
            Some(value) => PaymentState::unpack(value.value()),
            None => None,
        };
        if earlier.as_ref().is_some_and(|state| state.status.is_some()) {
            return found(format!("payment {id} is decided already"));
        }
        let state = rows.state(row, event, earlier.map_or(0, |state| state.version))?;
        payments.insert(key.as_slice(), state.pack().as_slice())?;
        if state.status != Some(Status::OutOfScope)
            && let Some(cheque) = rows.cheque(row)
            && cheques.get(cheque.as_slice())?.is_none()
        {
            cheques.insert(cheque.as_slice(), id.as_bytes())?;
        }
    }
    Ok(())
}

/// The columns of a batch of payments.
struct PaymentRows<'a> {
    ids: &'a arrow::array::StringArray,
    status: &'a arrow::array::StringArray,
    rule: &'a arrow::array::StringArray,
    currency: &'a arrow::array::StringArray,
    account: &'a arrow::array::StringArray,
    cheque: &'a arrow::array::StringArray,
    amount: &'a arrow::array::Decimal128Array,
    applied: &'a arrow::array::Decimal128Array,
    on_account: &'a arrow::array::Decimal128Array,
    unapplied: &'a arrow::array::Decimal128Array,
}

impl<'a> PaymentRows<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Self, String> {
        Ok(Self {
            ids: texts(batch, "payment_id")?,
            status: texts(batch, "status")?,
            rule: texts(batch, "rule")?,
            currency: texts(batch, "currency")?,
            account: texts(batch, "payer_account")?,
            cheque: texts(batch, "check_number")?,
            amount: amounts(batch, "amount")?,
            applied: amounts(batch, "applied")?,
            on_account: amounts(batch, "on_account")?,
            unapplied: amounts(batch, "unapplied")?,
        })
    }

    fn state(&self, row: usize, event: &Event, version: u64) -> Result<PaymentState, Misfit> {
        let units = |column: &arrow::array::Decimal128Array| Amount::from_units(column.value(row));
        let [amount, applied] = [units(self.amount), units(self.applied)];
        let [on_account, unapplied] = [units(self.on_account), units(self.unapplied)];
        if amount != applied + on_account + unapplied {
            return found(format!(
                "payment {}: {amount} is not {applied} applied + {on_account} on account + \
                 {unapplied} unapplied",
                self.ids.value(row)
            ));
        }
        let code = self.status.value(row);
        let Some(status) = Status::from_code(code) else {
            return found(format!("there is no status {code}"));
        };
        Ok(PaymentState {
            version: version + 1,
            posting: event.posting,
            decided_in: event.sequence,
            status: Some(status),
            by_person: self.rule.value(row) == Rule::Person.code(),
            amount,
            applied,
            on_account,
        })
    }

    fn cheque(&self, row: usize) -> Option<Vec<u8>> {
        let account = said(self.account, row)?;
        let number = said(self.cheque, row)?;
        if [account, number].contains(&PURGED_TEXT) {
            return None;
        }
        let amount = Amount::from_units(self.amount.value(row));
        Some(cheque_key(
            account,
            number,
            amount,
            self.currency.value(row),
        ))
    }
}

/// What one application does to its item.
struct Part<'a> {
    payment: &'a str,
    item: &'a str,
    /// Without a sign.
    total: Amount,
    /// Whether the item is opened again by that much instead of reduced.
    opens: bool,
}

impl Part<'_> {
    fn take_effect(&self, item: &mut ItemState, posting: u64) -> Result<(), String> {
        if item.take(self.total, posting, self.payment) {
            return Ok(());
        }
        Err(format!(
            "payment {} would take {} of item {}, of which {} is open",
            self.payment, self.total, self.item, item.open
        ))
    }
}

/// The applications in `batch` that took effect.
fn effective(batch: &RecordBatch) -> Result<Vec<Part<'_>>, Misfit> {
    let (payments, items) = (texts(batch, "payment_id")?, texts(batch, "item_id")?);
    let states = texts(batch, "status")?;
    let columns = [
        amounts(batch, "applied")?,
        amounts(batch, "discount")?,
        amounts(batch, "write_off")?,
        amounts(batch, "deduction")?,
    ];
    let part = |row| {
        let opens = match ApplicationStatus::from_code(states.value(row)) {
            Some(ApplicationStatus::Applied) => false,
            Some(ApplicationStatus::Reversed) => true,
            Some(ApplicationStatus::Proposed) | None => return None,
        };
        let parts = columns.iter();
        let total: Amount = parts
            .map(|column| Amount::from_units(column.value(row)))
            .sum();
        Some(Part {
            payment: payments.value(row),
            item: items.value(row),
            total: total.abs(),
            opens,
        })
    };
    Ok((0..batch.num_rows()).filter_map(part).collect())
}

fn applications(transaction: &WriteTransaction, event: &Event, batch: &RecordBatch) -> Folded {
    let mut items = transaction.open_table(ITEMS)?;
    let mut touched = Touched::of(transaction)?;
    for part in effective(batch)? {
        touched.note(part.item)?;
        change(&mut items, part.item, |item| {
            if part.opens {
                item.give_back(part.total, event.posting, part.payment);
                return Ok(());
            }
            part.take_effect(item, event.posting)
        })?;
    }
    Ok(())
}

fn change(
    items: &mut redb::Table<'_, &'static str, &'static [u8]>,
    id: &str,
    work: impl FnOnce(&mut ItemState) -> Result<(), String>,
) -> Folded {
    let Some(mut state) = items
        .get(id)?
        .and_then(|value| ItemState::unpack(value.value()))
    else {
        return found(format!("there is no item {id}"));
    };
    work(&mut state)?;
    items.insert(id, state.pack().as_slice())?;
    Ok(())
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

/// Takes the decision about a payment back: what it applied is open again.
fn take_back(transaction: &WriteTransaction, event: &Event, id: &str) -> Folded {
    let mut payments = transaction.open_table(PAYMENTS)?;
    let key = payment_key(id);
    let state = payments
        .get(key.as_slice())?
        .and_then(|value| PaymentState::unpack(value.value()));
    let Some(mut state) = state.filter(|state| state.status.is_some()) else {
        return found(format!("payment {id} is not decided"));
    };
    let payloads = transaction.open_table(PAYLOADS)?;
    let Some(decision) = payloads.get(state.decided_in)? else {
        return found(format!("the decision about payment {id} was purged"));
    };
    let mut items = transaction.open_table(ITEMS)?;
    let mut touched = Touched::of(transaction)?;
    for (name, batch) in payload::batches(decision.value())? {
        if name != "applications" {
            continue;
        }
        for part in effective(&batch)?.iter().filter(|part| part.payment == id) {
            touched.note(part.item)?;
            change(&mut items, part.item, |item| {
                if part.opens {
                    return part.take_effect(item, event.posting);
                }
                item.give_back(part.total, event.posting, id);
                Ok(())
            })?;
        }
    }
    state.status = None;
    payments.insert(key.as_slice(), state.pack().as_slice())?;
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
