//! What is committed together.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{FixedSizeBinaryBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use redb::{Database, ReadableTable as _, WriteTransaction};
use serde_json::{Value, json};
use tieout_core::LineId;
use tieout_core::schema::Table;

use super::event::clipped;
use super::fold::{self, KNOWN_ID, Misfit};
use super::state::texts;
use super::store::{self, ABOUT, EVENTS, FORMAT_VERSION, PAYLOADS};
use super::{Clock, Digest, Event, EventKind, Timestamp, payload, what};
use crate::LedgerError;

/// Bytes of an identity.
const IDENTITY_BYTES: i32 = 16;

/// A posting whose transaction goes on.
pub(crate) struct HandedOver {
    pub(crate) transaction: WriteTransaction,
    pub(crate) events: Vec<(Event, Value)>,
    pub(crate) payloads: Vec<Vec<u8>>,
}

/// Events in the making, which take effect together or not at all.
pub struct Posting {
    transaction: WriteTransaction,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    number: u64,
    last: Event,
    /// The events of this posting.
    events: Vec<(Event, Value)>,
    /// Payments whose decision was taken back and that have no other yet.
    undecided: HashSet<String>,
}

impl Posting {
    /// Begins the posting after those that `database`, the file `path`, holds.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub(crate) fn begin(
        database: &Database,
        path: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        Self::begin_in(store::begin(database, path)?, path, clock)
    }

    /// The same in a store that is gone with its handle.
    ///
    /// # Errors
    /// Those of [`Posting::begin`].
    pub(crate) fn begin_scratch(
        database: &Database,
        path: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        Self::begin_in(store::begin_scratch(database, path)?, path, clock)
    }

    /// Makes events that stood in a transaction that was given up take effect in a new one.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub(crate) fn again(
        database: &Database,
        path: &Path,
        events: &[(Event, Vec<u8>)],
    ) -> Result<WriteTransaction, LedgerError> {
        let clock = Arc::new(super::SystemClock);
        let mut posting = Self {
            transaction: store::begin(database, path)?,
            path: path.to_owned(),
            clock,
            number: 0,
            last: before_the_first(),
            events: Vec::new(),
            undecided: HashSet::new(),
        };
        posting.set_format()?;
        for (event, payload) in events {
            posting.store(event, payload)?;
            let folded = fold::apply(&posting.transaction, event, payload);
            folded.map_err(|misfit| posting.misfit(misfit))?;
        }
        Ok(posting.transaction)
    }

    /// Begins the next posting in a transaction.
    pub(crate) fn begin_in(
        transaction: WriteTransaction,
        path: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let last = last_event(&transaction, path)?;
        let begun = last.is_some();
        let mut posting = Self {
            number: last.as_ref().map_or(1, |last| last.posting + 1),
            last: last.unwrap_or_else(before_the_first),
            transaction,
            path: path.to_owned(),
            clock,
            events: Vec::new(),
            undecided: HashSet::new(),
        };
        posting.set_format()?;
        if !begun {
            posting.open()?;
        }
        Ok(posting)
    }

    /// From here on the journal holds what this version writes. Nothing that earlier versions
    /// wrote has to change for it: state that they did not keep comes from events that they do
    /// not have.
    fn set_format(&mut self) -> Result<(), LedgerError> {
        let mut about = self
            .transaction
            .open_table(ABOUT)
            .map_err(store::failed(&self.path))?;
        about
            .insert("format", FORMAT_VERSION)
            .map_err(store::failed(&self.path))?;
        Ok(())
    }

    /// The first event of all.
    fn open(&mut self) -> Result<(), LedgerError> {
        let program = concat!("tieout ", env!("CARGO_PKG_VERSION"));
        let opened = json!({ "format": FORMAT_VERSION, "program": program });
        self.append_json(EventKind::Opened, "", opened).map(drop)
    }

    /// Its number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its events so far; for those that are JSON, what they say.
    pub fn events(&self) -> &[(Event, Value)] {
        &self.events
    }

    /// Appends rows of `table` as they were received; files one by one.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if they do not fit, [`LedgerError::Write`] if the disk refuses.
    pub fn receive(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        if table != Table::Files {
            let rows = [(table.name(), batch)];
            return self
                .append_batches(EventKind::Rows, table.name(), &rows)
                .map(drop);
        }
        for row in 0..batch.num_rows() {
            let one = batch.slice(row, 1);
            let name = texts(&one, "source_file").map_err(|found| self.refused(found))?;
            let name = name.value(0).to_owned();
            self.append_batches(EventKind::File, &name, &[(table.name(), &one)])?;
        }
        Ok(())
    }

    /// Appends what became of payments: rows of the tables that say so, for the same payments.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if a payment is decided already or more is applied than is open.
    pub fn decide(&mut self, tables: &[(Table, &RecordBatch)]) -> Result<u64, LedgerError> {
        let batches: Vec<_> = tables
            .iter()
            .filter(|(_, batch)| batch.num_rows() > 0)
            .map(|&(table, batch)| (table.name(), batch))
            .collect();
        for (_, batch) in tables.iter().filter(|(table, _)| *table == Table::Payments) {
            self.note_decided(batch)?;
        }
        self.append_batches(EventKind::Decisions, "", &batches)
    }

    /// The payments in `batch` are decided again.
    fn note_decided(&mut self, batch: &RecordBatch) -> Result<(), LedgerError> {
        if self.undecided.is_empty() {
            return Ok(());
        }
        let ids = texts(batch, "payment_id").map_err(|found| self.refused(found))?;
        for id in ids.iter().flatten() {
            self.undecided.remove(id);
        }
        Ok(())
    }

    /// Appends rows of the table `reversals`: decisions and rows that no longer hold.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if one does not hold anyway.
    pub fn reverse(&mut self, batch: &RecordBatch) -> Result<(), LedgerError> {
        let fields = texts(batch, "what").and_then(|kinds| Ok((kinds, texts(batch, "id")?)));
        let (kinds, ids) = fields.map_err(|found| self.refused(found))?;
        for (kind, id) in kinds.iter().flatten().zip(ids.iter().flatten()) {
            if kind == what::PAYMENT {
                self.undecided.insert(id.to_owned());
            }
        }
        let rows = [(Table::Reversals.name(), batch)];
        self.append_batches(EventKind::Reversal, "", &rows)
            .map(drop)
    }

    /// Appends payments that nobody has decided finally, with their documents.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn wait(&mut self, payments: &RecordBatch, lines: &RecordBatch) -> Result<(), LedgerError> {
        let rows = [
            (Table::Transactions.name(), payments),
            (Table::RemittanceLines.name(), lines),
        ];
        self.append_batches(EventKind::Waiting, "", &rows).map(drop)
    }

    /// Appends the identities of rows that have none of their own, so that they are known when
    /// they come again.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn know(&mut self, ids: &[LineId]) -> Result<(), LedgerError> {
        let mut column = FixedSizeBinaryBuilder::with_capacity(ids.len(), IDENTITY_BYTES);
        let appended = ids
            .iter()
            .try_for_each(|id| column.append_value(id.to_bytes()));
        let field = Field::new(KNOWN_ID, DataType::FixedSizeBinary(IDENTITY_BYTES), false);
        let batch = appended.and_then(|()| {
            let schema = Arc::new(Schema::new(vec![field]));
            RecordBatch::try_new(schema, vec![Arc::new(column.finish())])
        });
        let batch = batch.map_err(|error| self.refused(error.to_string()))?;
        let rows = [(EventKind::Known.code(), &batch)];
        self.append_batches(EventKind::Known, "", &rows).map(drop)
    }

    /// Appends an event that is JSON.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if it does not fit, [`LedgerError::Write`] if the disk refuses.
    pub fn append_json(
        &mut self,
        kind: EventKind,
        subject: &str,
        said: Value,
    ) -> Result<u64, LedgerError> {
        let bytes = payload::of_json(&said);
        let event = self.append(kind, subject, &bytes, said)?;
        let folded = fold::apply(&self.transaction, &event, &bytes);
        folded.map_err(|misfit| self.misfit(misfit))?;
        Ok(event.sequence)
    }

    /// Appends what an event of another journal says.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if it does not fit here, [`LedgerError::Write`] if the disk refuses.
    pub fn copy(&mut self, event: &Event, payload: &[u8]) -> Result<(), LedgerError> {
        let own = self.append(event.kind, &event.subject, payload, Value::Null)?;
        let folded = fold::apply(&self.transaction, &own, payload);
        folded.map_err(|misfit| self.misfit(misfit))?;
        if event.kind == EventKind::Decisions {
            let batches = payload::batches(payload).map_err(|found| self.refused(found))?;
            for (_, batch) in batches.iter().filter(|(name, _)| name == "payments") {
                self.note_decided(batch)?;
            }
        }
        Ok(())
    }

    fn append_batches(
        &mut self,
        kind: EventKind,
        subject: &str,
        batches: &[(&str, &RecordBatch)],
    ) -> Result<u64, LedgerError> {
        let bytes = payload::of_batches(batches).map_err(|found| self.refused(found))?;
        let event = self.append(kind, subject, &bytes, Value::Null)?;
        let folded = fold::apply_batches(&self.transaction, &event, batches.iter().copied());
        folded.map_err(|misfit| self.misfit(misfit))?;
        Ok(event.sequence)
    }

    /// Chains an event to the last.
    fn append(
        &mut self,
        kind: EventKind,
        subject: &str,
        payload: &[u8],
        said: Value,
    ) -> Result<Event, LedgerError> {
        let event = Event {
            sequence: self.last.sequence + 1,
            posting: self.number,
            // A clock that goes backwards does not take the journal with it.
            at: self.clock.now().max(self.last.at),
            kind,
            subject: clipped(subject),
            payload_bytes: payload.len() as u64,
            payload_digest: Digest::of(payload),
            previous: self.last.hash,
            hash: Digest::default(),
        }
        .sealed();
        self.store(&event, payload)?;
        self.last = event.clone();
        self.events.push((event.clone(), said));
        Ok(event)
    }

    fn store(&self, event: &Event, payload: &[u8]) -> Result<(), LedgerError> {
        let failed = || store::failed(&self.path);
        let mut events = self
            .transaction
            .open_table(EVENTS)
            .map_err(store::failed(&self.path))?;
        events
            .insert(event.sequence, event.to_bytes().as_slice())
            .map_err(failed())?;
        let mut payloads = self
            .transaction
            .open_table(PAYLOADS)
            .map_err(store::failed(&self.path))?;
        payloads.insert(event.sequence, payload).map_err(failed())?;
        Ok(())
    }

    /// Puts everything on disk. When this returns, it is there.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses; then nothing has happened.
    pub fn commit(self) -> Result<Vec<(Event, Value)>, LedgerError> {
        self.check_decided()?;
        self.transaction
            .commit()
            .map_err(store::failed(&self.path))?;
        Ok(self.events)
    }

    /// The transaction, for the next posting or to be committed, and the events with their payloads.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if a payment is left without a decision.
    pub(crate) fn hand_over(self) -> Result<HandedOver, LedgerError> {
        self.check_decided()?;
        let payloads = {
            let payloads = self.transaction.open_table(PAYLOADS);
            let payloads = payloads.map_err(store::failed(&self.path))?;
            let of = |event: &Event| {
                let bytes = payloads.get(event.sequence);
                let bytes = bytes.map_err(store::failed(&self.path))?;
                Ok(bytes.map_or_else(Vec::new, |bytes| bytes.value().to_vec()))
            };
            let events = self.events.iter();
            events
                .map(|(event, _)| of(event))
                .collect::<Result<_, LedgerError>>()?
        };
        Ok(HandedOver {
            transaction: self.transaction,
            events: self.events,
            payloads,
        })
    }

    fn check_decided(&self) -> Result<(), LedgerError> {
        match self.undecided.iter().next() {
            Some(id) => Err(self.refused(format!("payment {id} is left without a decision"))),
            None => Ok(()),
        }
    }

    fn refused(&self, found: String) -> LedgerError {
        LedgerError::Refused {
            path: self.path.clone(),
            found,
        }
    }

    fn misfit(&self, misfit: Misfit) -> LedgerError {
        match misfit {
            Misfit::Store(error) => store::failed(&self.path)(*error),
            Misfit::Found(found) => self.refused(found),
        }
    }
}

fn last_event(transaction: &WriteTransaction, path: &Path) -> Result<Option<Event>, LedgerError> {
    let events = transaction
        .open_table(EVENTS)
        .map_err(store::failed(path))?;
    let last = events.last().map_err(store::failed(path))?;
    last.map(|(_, bytes)| Event::from_bytes(bytes.value()))
        .transpose()
        .map_err(|found| LedgerError::Journal {
            path: path.to_owned(),
            found,
        })
}

/// What stands in front of the first event.
fn before_the_first() -> Event {
    Event {
        sequence: 0,
        posting: 0,
        at: Timestamp::default(),
        kind: EventKind::Opened,
        subject: String::new(),
        payload_bytes: 0,
        payload_digest: Digest::default(),
        previous: Digest::default(),
        hash: Digest::default(),
    }
}
