//! What was committed: events, payloads, and the state that the next run begins with.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use redb::{
    Database, Key, ReadOnlyTable, ReadTransaction, ReadableTable as _, TableDefinition, TableError,
    Value as StoredValue,
};
use serde_json::Value;
use tieout_core::schema::Table;
use tieout_core::{Amount, Feed, LineId, Status};

use super::state::{ItemState, PaymentState, cheque_key, payment_key, texts};
use super::store::{
    self, ADVICE, ASIDE, CHEQUES, EVENTS, FILES, ITEMS, LINES, MEMO, MEMORY, NOTES, PAYLOADS,
    PAYMENTS, PROFILES, ROWS, SOURCES, Store,
};
use super::{Event, EventKind, PURGED_TEXT, Remembered, fold, memory, payload};
use crate::LedgerError;

/// Days after which a line of a report during the day, or a single payment behind a statement's
/// line, is not looked for on a statement any more.
const PROVISIONAL_DAYS: i32 = 31;

/// The status of a line that is not booked.
const PENDING: &str = "PDNG";

/// A journal that is open to read. Each question sees all of one commit.
pub struct Journal {
    store: Store,
    path: PathBuf,
}

/// A payload, unpacked.
#[derive(Clone, Debug)]
pub enum Payload {
    /// Batches with their names.
    Batches(Vec<(String, RecordBatch)>),
    /// Anything else.
    Json(Value),
}

/// A file that came before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFile {
    /// The posting that brought it.
    pub posting: u64,
    /// Its size.
    pub bytes: u64,
    /// Its name there.
    pub name: String,
}

/// Rows of one event of a business's own file, as far as they still hold.
#[derive(Clone, Debug)]
pub struct Received {
    /// The event's posting.
    pub posting: u64,
    /// The rows.
    pub rows: RecordBatch,
    /// For open items what is open of each.
    pub items: Vec<ItemState>,
}

/// Payments of one posting that wait for a decision.
#[derive(Clone, Debug)]
pub struct WaitingRows {
    /// Rows of the table `transactions`.
    pub payments: RecordBatch,
    /// Their documents (`parsed_remittance_lines`).
    pub lines: RecordBatch,
    /// The posting that decided each last, in the order of the rows.
    pub postings: Vec<u64>,
}

/// What a run begins with: all that earlier ones have left open.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// Parties, the latest first.
    pub parties: Vec<Received>,
    /// Open items, the earliest first.
    pub items: Vec<Received>,
    /// Advice that waits for its payment.
    pub advice: Vec<Received>,
    /// Payments that wait for a decision.
    pub waiting: Vec<WaitingRows>,
    /// Rows of the table `transactions` with lines of the last weeks that a later report may have
    /// again, among others.
    pub provisional: Vec<RecordBatch>,
    /// What people's decisions taught.
    pub memory: Vec<Remembered>,
    /// What the last cutoff said, if there was one.
    pub cutoff: Option<Value>,
    /// Lockbox layouts and CSV profiles, in the order in which they came.
    pub profiles: Vec<Value>,
}

impl Journal {
    /// Opens the journal `path` to read; its writer may go on meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Newer`] if a later version wrote it, [`LedgerError::Journal`] if it is
    /// damaged.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Self::of(Store::Reader(store::open_read_only(path)?), path)
    }

    /// The journal of the one writer.
    pub(crate) fn of_writer(database: Database, path: &Path) -> Result<Self, LedgerError> {
        Self::of(Store::Writer(database), path)
    }

    fn of(store: Store, path: &Path) -> Result<Self, LedgerError> {
        let journal = Self {
            store,
            path: path.to_owned(),
        };
        store::check_format(&journal.read()?, path)?;
        Ok(journal)
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> Option<&Database> {
        match &self.store {
            Store::Writer(database) => Some(database),
            Store::Reader(_) => None,
        }
    }

    pub(crate) fn read(&self) -> Result<ReadTransaction, LedgerError> {
        self.store.read(&self.path)
    }

    /// A table of the store, if anything was ever put there.
    pub(crate) fn table<K: Key + 'static, V: StoredValue + 'static>(
        &self,
        read: &ReadTransaction,
        definition: TableDefinition<K, V>,
    ) -> Result<Option<ReadOnlyTable<K, V>>, LedgerError> {
        match read.open_table(definition) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(store::failed(&self.path)(error)),
        }
    }

    /// The event with this number.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or the event is damaged.
    pub fn event(&self, sequence: u64) -> Result<Option<Event>, LedgerError> {
        let Some(events) = self.table(&self.read()?, EVENTS)? else {
            return Ok(None);
        };
        let bytes = events.get(sequence).map_err(store::failed(&self.path))?;
        bytes
            .map(|bytes| Event::from_bytes(bytes.value()))
            .transpose()
            .map_err(|found| self.damaged(sequence, &found))
    }

    /// The events from `first` on, in their order, handed to `take` until it has had enough.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or an event is damaged; what `take`
    /// returns.
    pub fn events(
        &self,
        first: u64,
        mut take: impl FnMut(Event) -> Result<bool, LedgerError>,
    ) -> Result<(), LedgerError> {
        let Some(events) = self.table(&self.read()?, EVENTS)? else {
            return Ok(());
        };
        for entry in events.range(first..).map_err(store::failed(&self.path))? {
            let (sequence, bytes) = entry.map_err(store::failed(&self.path))?;
            let event = Event::from_bytes(bytes.value())
                .map_err(|found| self.damaged(sequence.value(), &found))?;
            if !take(event)? {
                break;
            }
        }
        Ok(())
    }

    /// The last event.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or the event is damaged.
    pub fn last(&self) -> Result<Option<Event>, LedgerError> {
        let Some(events) = self.table(&self.read()?, EVENTS)? else {
            return Ok(None);
        };
        let last = events.last().map_err(store::failed(&self.path))?;
        last.map(|(sequence, bytes)| {
            Event::from_bytes(bytes.value()).map_err(|found| self.damaged(sequence.value(), &found))
        })
        .transpose()
    }

    /// The payload of an event, as stored; none if it was purged.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn payload_bytes(&self, sequence: u64) -> Result<Option<Vec<u8>>, LedgerError> {
        let Some(payloads) = self.table(&self.read()?, PAYLOADS)? else {
            return Ok(None);
        };
        let bytes = payloads.get(sequence).map_err(store::failed(&self.path))?;
        Ok(bytes.map(|bytes| bytes.value().to_vec()))
    }

    /// The payload of an event.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if it is not there or damaged.
    pub fn payload(&self, sequence: u64) -> Result<Payload, LedgerError> {
        let bytes = self
            .payload_bytes(sequence)?
            .ok_or_else(|| self.damaged(sequence, "the payload is not there"))?;
        let unpacked = if payload::is_json(&bytes) {
            payload::json(&bytes).map(Payload::Json)
        } else {
            payload::batches(&bytes).map(Payload::Batches)
        };
        unpacked.map_err(|found| self.damaged(sequence, &found))
    }

    /// The rows in the payload of an event.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if it is not there, damaged, or holds none.
    pub fn batches(&self, sequence: u64) -> Result<Vec<(String, RecordBatch)>, LedgerError> {
        match self.payload(sequence)? {
            Payload::Batches(batches) => Ok(batches),
            Payload::Json(_) => Err(self.damaged(sequence, "the payload holds no rows")),
        }
    }

    /// The file with this digest (hexadecimal), if it was read to its end before.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn file(&self, digest: &str) -> Result<Option<KnownFile>, LedgerError> {
        let Some(files) = self.table(&self.read()?, FILES)? else {
            return Ok(None);
        };
        let known = files
            .get(digest.as_bytes())
            .map_err(store::failed(&self.path))?;
        Ok(known.and_then(|bytes| {
            let (posting, bytes, name) = fold::file_known(bytes.value())?;
            let name = name.to_owned();
            Some(KnownFile {
                posting,
                bytes,
                name,
            })
        }))
    }

    /// What became of a payment.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn payment(&self, id: &str) -> Result<Option<PaymentState>, LedgerError> {
        let Some(payments) = self.table(&self.read()?, PAYMENTS)? else {
            return Ok(None);
        };
        let state = payments
            .get(payment_key(id).as_slice())
            .map_err(store::failed(&self.path))?;
        Ok(state.and_then(|bytes| PaymentState::unpack(bytes.value())))
    }

    /// What is open of an item.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn item(&self, id: &str) -> Result<Option<ItemState>, LedgerError> {
        let Some(items) = self.table(&self.read()?, ITEMS)? else {
            return Ok(None);
        };
        let state = items.get(id).map_err(store::failed(&self.path))?;
        Ok(state.and_then(|bytes| ItemState::unpack(bytes.value())))
    }

    /// What people noted about a payment.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn note(&self, id: &str) -> Result<Value, LedgerError> {
        let Some(notes) = self.table(&self.read()?, NOTES)? else {
            return Ok(Value::Null);
        };
        let note = notes
            .get(payment_key(id).as_slice())
            .map_err(store::failed(&self.path))?;
        Ok(note
            .and_then(|bytes| serde_json::from_slice(bytes.value()).ok())
            .unwrap_or_default())
    }

    /// What people's decisions taught, in the order in which it was learned.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or an entry is damaged.
    pub fn memory(&self) -> Result<Vec<Remembered>, LedgerError> {
        let Some(memory) = self.table(&self.read()?, MEMORY)? else {
            return Ok(Vec::new());
        };
        let mut entries = Vec::new();
        for stored in memory.iter().map_err(store::failed(&self.path))? {
            let (key, bytes) = stored.map_err(store::failed(&self.path))?;
            let entry = memory::entry(key.value(), bytes.value());
            entries.push(entry.ok_or_else(|| LedgerError::Journal {
                path: self.path.clone(),
                found: format!("what was learned as {} cannot be read", key.value()),
            })?);
        }
        // Of one event all entries have the payment's place in front, which sorts them.
        entries.sort_by_key(|entry| entry.event);
        Ok(entries)
    }

    /// What the last event of this kind said.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn memo(&self, kind: EventKind) -> Result<Option<Value>, LedgerError> {
        let Some(memo) = self.table(&self.read()?, MEMO)? else {
            return Ok(None);
        };
        let value = memo.get(kind.code()).map_err(store::failed(&self.path))?;
        Ok(value.and_then(|bytes| serde_json::from_slice(bytes.value()).ok()))
    }

    /// The files of watched folders that are set aside, by name: what the last event said of each.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or something in it is damaged.
    pub fn aside(&self) -> Result<Vec<Value>, LedgerError> {
        let Some(files) = self.table(&self.read()?, ASIDE)? else {
            return Ok(Vec::new());
        };
        let entries = files.iter().map_err(store::failed(&self.path))?;
        entries
            .map(|entry| {
                let (name, bytes) = entry.map_err(store::failed(&self.path))?;
                serde_json::from_slice(bytes.value()).map_err(|error| LedgerError::Journal {
                    path: self.path.clone(),
                    found: format!("what is said of {} cannot be read: {error}", name.value()),
                })
            })
            .collect()
    }

    /// How many lines with the content `content` there are, asked for many at once: those that
    /// there are.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn known_lines(
        &self,
        contents: impl Iterator<Item = LineId>,
    ) -> Result<Vec<(LineId, u32)>, LedgerError> {
        let Some(payments) = self.table(&self.read()?, PAYMENTS)? else {
            return Ok(Vec::new());
        };
        self.occurrences(contents, |id| Ok(payments.get(id)?.is_some()))
    }

    /// How many rows with the content `content` there are that have no identifier of their own.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn known_rows(
        &self,
        contents: impl Iterator<Item = LineId>,
    ) -> Result<Vec<(LineId, u32)>, LedgerError> {
        let Some(rows) = self.table(&self.read()?, ROWS)? else {
            return Ok(Vec::new());
        };
        self.occurrences(contents, |id| Ok(rows.get(id)?.is_some()))
    }

    /// The posting that brought the row with the identity `id`, if one did.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn row_posting(&self, id: LineId) -> Result<Option<u64>, LedgerError> {
        let Some(rows) = self.table(&self.read()?, ROWS)? else {
            return Ok(None);
        };
        let posting = rows.get(id.to_bytes().as_slice());
        let posting = posting.map_err(store::failed(&self.path))?;
        Ok(posting.map(|posting| posting.value()))
    }

    /// Of each content how many occurrences `is_there` says yes to, where there are any.
    fn occurrences(
        &self,
        contents: impl Iterator<Item = LineId>,
        is_there: impl Fn(&[u8]) -> Result<bool, redb::StorageError>,
    ) -> Result<Vec<(LineId, u32)>, LedgerError> {
        let mut found = Vec::new();
        for content in contents {
            let mut count = 0;
            while is_there(content.occurrence(count).to_bytes().as_slice())
                .map_err(store::failed(&self.path))?
            {
                count += 1;
            }
            if count > 0 {
                found.push((content, count));
            }
        }
        Ok(found)
    }

    /// The first payments of cheques, asked for many at once: account, number, amount, currency.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn cheques<'a>(
        &self,
        asked: impl Iterator<Item = (&'a str, &'a str, Amount, &'a str)>,
    ) -> Result<Vec<Option<String>>, LedgerError> {
        let table = self.table(&self.read()?, CHEQUES)?;
        asked
            .map(|(account, number, amount, currency)| {
                let Some(table) = &table else {
                    return Ok(None);
                };
                let key = cheque_key(account, number, amount, currency);
                let first = table
                    .get(key.as_slice())
                    .map_err(store::failed(&self.path))?;
                Ok(first.map(|id| String::from_utf8_lossy(id.value()).into_owned()))
            })
            .collect()
    }

    /// All that earlier runs have left open.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or something in it is damaged.
    pub fn carried(&self) -> Result<Carried, LedgerError> {
        let read = self.read()?;
        let mut carried = Carried {
            cutoff: self.memo(EventKind::Cutoff)?,
            profiles: self.profiles(&read)?,
            memory: self.memory()?,
            ..Carried::default()
        };
        let Some(sources) = self.table(&read, SOURCES)? else {
            return Ok(carried);
        };
        let mut items = self.items(&read)?;
        let mut waiting = Vec::new();
        for entry in sources.iter().map_err(store::failed(&self.path))? {
            let (sequence, name) = entry.map_err(store::failed(&self.path))?;
            let (sequence, name) = (sequence.value(), name.value());
            if name == Table::Parties.name() {
                carried.parties.push(self.received(sequence, Vec::new())?);
            } else if name == Table::OpenItems.name() {
                let own = items.remove(&sequence).unwrap_or_default();
                carried.items.push(self.received_items(sequence, own)?);
            } else {
                waiting.push(sequence);
            }
        }
        // The latest event of a payment is the one that counts.
        let mut seen = HashSet::new();
        for sequence in waiting.into_iter().rev() {
            carried
                .waiting
                .extend(self.waiting(&read, sequence, &mut seen)?);
        }
        carried.waiting.reverse();
        carried.parties.reverse();
        self.keep_latest(&mut carried.parties)?;
        carried.provisional = self.provisional(&read)?;
        carried.advice = self.advice(&read)?;
        Ok(carried)
    }

    fn profiles(&self, read: &ReadTransaction) -> Result<Vec<Value>, LedgerError> {
        let Some(profiles) = self.table(read, PROFILES)? else {
            return Ok(Vec::new());
        };
        let entries = profiles.iter().map_err(store::failed(&self.path))?;
        entries
            .map(|entry| {
                let (sequence, bytes) = entry.map_err(store::failed(&self.path))?;
                payload::json(bytes.value()).map_err(|e| self.damaged(sequence.value(), &e))
            })
            .collect()
    }

    /// The rows of canonical tables in the payload of an event, handed to `take` table by table.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if it is not there or damaged; what `take` returns.
    pub(crate) fn table_rows(
        &self,
        event: &Event,
        mut take: impl FnMut(Table, &RecordBatch) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        if event.kind.is_json() || [EventKind::Waiting, EventKind::Known].contains(&event.kind) {
            return Ok(());
        }
        for (name, batch) in self.batches(event.sequence)? {
            let table = Table::ALL.into_iter().find(|table| table.name() == name);
            let table = table.ok_or_else(|| {
                self.damaged(event.sequence, &format!("there is no table {name}"))
            })?;
            take(table, &batch)?;
        }
        Ok(())
    }

    /// The rows of canonical tables that the posting `number` brought, in the order in which they
    /// were recorded.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read; what `take` returns.
    pub fn posted_rows(
        &self,
        number: u64,
        mut take: impl FnMut(Table, &RecordBatch) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let last = self.last()?.map_or(0, |event| event.sequence);
        // The first event of the posting, between one before it and one that is not.
        let (mut before, mut first) = (0, last + 1);
        while before + 1 < first {
            let middle = before.midpoint(first);
            let posting = self.event(middle)?.map_or(number, |event| event.posting);
            if posting < number {
                before = middle;
            } else {
                first = middle;
            }
        }
        self.events(first, |event| {
            if event.posting != number {
                return Ok(false);
            }
            self.table_rows(&event, &mut take)?;
            Ok(true)
        })
    }

    fn provisional(&self, read: &ReadTransaction) -> Result<Vec<RecordBatch>, LedgerError> {
        let Some(lines) = self.table(read, LINES)? else {
            return Ok(Vec::new());
        };
        let (mut latest, mut events) = (i32::MIN, Vec::new());
        for entry in lines.iter().map_err(store::failed(&self.path))? {
            let (sequence, about) = entry.map_err(store::failed(&self.path))?;
            let (day, is_provisional) = about.value();
            latest = latest.max(day);
            if is_provisional {
                events.push((sequence.value(), day));
            }
        }
        let first = latest.saturating_sub(PROVISIONAL_DAYS);
        let recent = events.into_iter().filter(|(_, day)| *day >= first);
        recent
            .map(|(sequence, _)| self.first_batch(sequence))
            .collect()
    }

    /// The events with bank lines of the day `first` or a later one; their rows are the
    /// [first batch](Journal::first_batch) of each.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn lines_since(&self, first: i32) -> Result<Vec<u64>, LedgerError> {
        let read = self.read()?;
        let Some(lines) = self.table(&read, LINES)? else {
            return Ok(Vec::new());
        };
        let mut events = Vec::new();
        for entry in lines.iter().map_err(store::failed(&self.path))? {
            let (sequence, about) = entry.map_err(store::failed(&self.path))?;
            if about.value().0 >= first {
                events.push(sequence.value());
            }
        }
        Ok(events)
    }

    /// The rows of an event that has one batch of them.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if it is not there, damaged, or holds none.
    pub fn first_batch(&self, sequence: u64) -> Result<RecordBatch, LedgerError> {
        let first = self.batches(sequence)?.into_iter().next();
        first
            .map(|(_, rows)| rows)
            .ok_or_else(|| self.damaged(sequence, "the payload holds no rows"))
    }

    fn received(&self, sequence: u64, items: Vec<ItemState>) -> Result<Received, LedgerError> {
        let event = self
            .event(sequence)?
            .ok_or_else(|| self.damaged(sequence, "the event is not there"))?;
        let rows = self.first_batch(sequence)?;
        let rows = match self.purged(sequence)? {
            None => rows,
            Some(_) => without_marks(&rows).map_err(|e| self.damaged(sequence, &e))?,
        };
        Ok(Received {
            posting: event.posting,
            rows,
            items,
        })
    }

    /// The items' states by the event that brought their rows, in the order of those.
    fn items(&self, read: &ReadTransaction) -> Result<HashMap<u64, Vec<ItemState>>, LedgerError> {
        let mut by_source: HashMap<u64, Vec<ItemState>> = HashMap::new();
        let Some(items) = self.table(read, ITEMS)? else {
            return Ok(by_source);
        };
        for entry in items.iter().map_err(store::failed(&self.path))? {
            let (id, bytes) = entry.map_err(store::failed(&self.path))?;
            let state = ItemState::unpack(bytes.value()).ok_or_else(|| LedgerError::Journal {
                path: self.path.clone(),
                found: format!("what is open of item {} cannot be read", id.value()),
            })?;
            by_source.entry(state.source.0).or_default().push(state);
        }
        for states in by_source.values_mut() {
            states.sort_unstable_by_key(|state| state.source.1);
        }
        Ok(by_source)
    }

    /// Leaves out the parties that a later file describes anew.
    fn keep_latest(&self, parties: &mut Vec<Received>) -> Result<(), LedgerError> {
        let mut seen = HashSet::new();
        for received in parties.iter_mut() {
            let ids = texts(&received.rows, "party_id").map_err(|e| self.damaged(0, &e))?;
            let own: Vec<(u32, String)> = (0..)
                .zip(ids)
                .filter_map(|(row, id)| Some((row, id?.to_owned())))
                .filter(|(_, id)| !seen.contains(id))
                .collect();
            let rows: UInt32Array = own.iter().map(|(row, _)| Some(*row)).collect();
            seen.extend(own.into_iter().map(|(_, id)| id));
            received.rows = self.take(0, &received.rows, &rows)?;
        }
        parties.retain(|received| received.rows.num_rows() > 0);
        Ok(())
    }

    /// Rows of items that a later file has replaced are left out.
    fn received_items(
        &self,
        sequence: u64,
        items: Vec<ItemState>,
    ) -> Result<Received, LedgerError> {
        let mut received = self.received(sequence, items)?;
        let rows: UInt32Array = received
            .items
            .iter()
            .map(|item| Some(item.source.1 as u32))
            .collect();
        received.rows = self.take(sequence, &received.rows, &rows)?;
        Ok(received)
    }

    fn take(
        &self,
        sequence: u64,
        rows: &RecordBatch,
        places: &UInt32Array,
    ) -> Result<RecordBatch, LedgerError> {
        take_record_batch(rows, places).map_err(|error| self.damaged(sequence, &error.to_string()))
    }

    fn waiting(
        &self,
        read: &ReadTransaction,
        sequence: u64,
        seen: &mut HashSet<Vec<u8>>,
    ) -> Result<Option<WaitingRows>, LedgerError> {
        let mut batches = self.batches(sequence)?.into_iter().map(|(_, batch)| batch);
        let (Some(payments), Some(lines)) = (batches.next(), batches.next()) else {
            return Err(self.damaged(sequence, "the payload holds no rows"));
        };
        let Some(states) = self.table(read, PAYMENTS)? else {
            return Ok(None);
        };
        let ids = texts(&payments, "transaction_id").map_err(|e| self.damaged(sequence, &e))?;
        let text = |name| texts(&payments, name).map_err(|e| self.damaged(sequence, &e));
        let (feeds, statuses) = (text("feed")?, text("status")?);
        let (mut kept, mut postings) = (Vec::new(), Vec::new());
        for row in 0..payments.num_rows() {
            let key = payment_key(ids.value(row));
            let state = states
                .get(key.as_slice())
                .map_err(store::failed(&self.path))?;
            let state = state.and_then(|bytes| PaymentState::unpack(bytes.value()));
            // A single payment that no statement had yet waits for one.
            let is_pending = |state: &PaymentState| {
                state.status == Some(Status::OutOfScope)
                    && !state.by_person
                    && feeds.value(row) == Feed::Detail.code()
                    && statuses.value(row) == PENDING
            };
            let waits = |state: &PaymentState| state.is_waiting() || is_pending(state);
            if let Some(state) = state.filter(waits)
                && seen.insert(key)
            {
                kept.push(row as u32);
                postings.push(state.posting);
            }
        }
        if kept.is_empty() {
            return Ok(None);
        }
        let lines = self.lines_of(sequence, &lines, &kept)?;
        let payments = self.take(sequence, &payments, &UInt32Array::from(kept))?;
        Ok(Some(WaitingRows {
            payments,
            lines,
            postings,
        }))
    }

    /// The lines of the payments in `rows` (ascending), under their new numbers.
    fn lines_of(
        &self,
        sequence: u64,
        lines: &RecordBatch,
        rows: &[u32],
    ) -> Result<RecordBatch, LedgerError> {
        use arrow::datatypes::UInt32Type;
        let owners = lines
            .columns()
            .first()
            .and_then(|column| column.as_primitive_opt::<UInt32Type>())
            .ok_or_else(|| self.damaged(sequence, "the documents have no payments"))?;
        let (mut kept, mut numbers) = (Vec::new(), Vec::new());
        for (place, owner) in owners.values().iter().enumerate() {
            if let Ok(number) = rows.binary_search(owner) {
                kept.push(place as u32);
                numbers.push(number as u32);
            }
        }
        let taken = self.take(sequence, lines, &UInt32Array::from(kept))?;
        let mut columns = taken.columns().to_vec();
        if let Some(first) = columns.first_mut() {
            *first = Arc::new(UInt32Array::from(numbers));
        }
        RecordBatch::try_new(taken.schema(), columns)
            .map_err(|error| self.damaged(sequence, &error.to_string()))
    }

    fn advice(&self, read: &ReadTransaction) -> Result<Vec<Received>, LedgerError> {
        let Some(waiting) = self.table(read, ADVICE)? else {
            return Ok(Vec::new());
        };
        let mut rows: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        for entry in waiting.iter().map_err(store::failed(&self.path))? {
            let (_, place) = entry.map_err(store::failed(&self.path))?;
            if let Some((sequence, row)) = fold::advice_place(place.value()) {
                rows.entry(sequence).or_default().push(row as u32);
            }
        }
        let of_event = |(sequence, mut rows): (u64, Vec<u32>)| {
            rows.sort_unstable();
            let mut received = self.received(sequence, Vec::new())?;
            received.rows = self.take(sequence, &received.rows, &UInt32Array::from(rows))?;
            Ok(received)
        };
        rows.into_iter().map(of_event).collect()
    }

    pub(crate) fn damaged(&self, sequence: u64, found: &str) -> LedgerError {
        LedgerError::Journal {
            path: self.path.clone(),
            found: format!("event {sequence}: {found}"),
        }
    }
}

/// The rows with nothing where a text was purged, so that nothing is matched by the mark.
fn without_marks(rows: &RecordBatch) -> Result<RecordBatch, String> {
    let fields = rows.schema();
    let columns = fields.fields().iter().zip(rows.columns());
    let columns = columns.map(|(field, column)| -> ArrayRef {
        match column
            .as_string_opt::<i32>()
            .filter(|_| field.is_nullable())
        {
            None => Arc::clone(column),
            Some(texts) => {
                let kept = texts
                    .iter()
                    .map(|text| text.filter(|text| *text != PURGED_TEXT));
                Arc::new(kept.collect::<StringArray>())
            }
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(rows.schema(), columns).map_err(|error| error.to_string())
}
