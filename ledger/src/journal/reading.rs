//! What was committed: events, payloads, and what is known of files, payments and items.

use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use parking_lot::Mutex;
use redb::{
    Database, Key, ReadOnlyTable, ReadTransaction, ReadableTable as _, TableDefinition, TableError,
    Value as StoredValue,
};
use serde_json::Value;
use tieout_core::schema::Table;
use tieout_core::{Amount, LineId};

use super::forward::WaitingRead;
use super::state::{ItemState, PaymentState, cheque_key, payment_key};
use super::store::{
    self, ASIDE, CHEQUES, EVENTS, FILES, ITEMS, LINES, MEMO, MEMORY, NOTES, PAYLOADS, PAYMENTS,
    ROWS, Store,
};
use super::{Event, EventKind, Remembered, fold, memory, payload};
use crate::LedgerError;

/// A journal that is open to read. Each question sees all of one commit.
pub struct Journal {
    store: Store,
    pub(super) path: PathBuf,
    /// What was read the last time to find the payments that wait.
    pub(super) waiting_read: Mutex<WaitingRead>,
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
            waiting_read: Mutex::default(),
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

    pub(crate) fn damaged(&self, sequence: u64, found: &str) -> LedgerError {
        LedgerError::Journal {
            path: self.path.clone(),
            found: format!("event {sequence}: {found}"),
        }
    }
}
