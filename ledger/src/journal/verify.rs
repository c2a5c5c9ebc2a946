//! The proof that nothing was altered: every event has its hash, follows the one before, has its
//! payload, fits the state, and all of them together come to the state that is stored.

use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use redb::{
    Builder, Database, Key, ReadOnlyTable, ReadTransaction, ReadableDatabase as _,
    ReadableTable as _, ReadableTableMetadata as _, TableDefinition, TableError,
    Value as StoredValue, WriteTransaction,
};

use super::overlay::Overlay;
use super::store::{
    self, ADVICE, ASIDE, CHEQUES, EVENTS, FILES, ITEMS, LINES, MEMO, MEMORY, NOTES, PAYLOADS,
    PAYMENTS, PROFILES, PURGED, ROWS, SOURCES,
};
use super::{Digest, Event, EventKind, Journal, Left, Payload, fold};
use crate::LedgerError;

/// Events that are read ahead of those that take effect.
const EVENTS_AHEAD: usize = 4;
/// Events whose effects are added up in one go.
const EVENTS_PER_STEP: u64 = 1_024;

/// What was found to be in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Events.
    pub events: u64,
    /// Postings.
    pub postings: u64,
    /// Bytes of payloads.
    pub payload_bytes: u64,
    /// Payloads of which a purge has left a part.
    pub purged: u64,
    /// Whether every byte of the journal's file is as it was when it was closed; no where it was
    /// not closed, because its writer was killed.
    pub is_sealed: bool,
    /// The last event's hash: kept elsewhere, it proves later that nothing before it was changed.
    pub head: Digest,
}

/// Verifies the journal `path`, and says the first thing that does not fit. The file is only read.
/// `anchors` are events with their hashes that are known from elsewhere.
///
/// # Errors
/// [`LedgerError::Altered`] with the number of the first event that does not fit;
/// [`LedgerError::Journal`] if the file as a whole is damaged.
pub fn verify(path: &Path, anchors: &[(u64, Digest)]) -> Result<Verified, LedgerError> {
    store::whole(path, || {
        let file = File::open(path).map_err(LedgerError::read(path))?;
        let checked = Builder::new()
            .set_check_integrity_on_open(true)
            .create_with_backend(Overlay::over(file).map_err(LedgerError::read(path))?)
            .map_err(store::failed(path))?;
        let journal = Journal::of_writer(checked, path)?;
        let verifier = Verifier {
            path,
            read: journal.read()?,
        };
        let (verified, forward) = std::thread::scope(|scope| {
            let forward = scope.spawn(|| journal.verify_forward());
            (verifier.run(anchors), forward.join())
        });
        // What does not fit in the chain comes first; the rest may be no more than what follows.
        let verified = verified?;
        forward.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(verified)
    })
}

struct Verifier<'a> {
    path: &'a Path,
    read: ReadTransaction,
}

/// An event that is as it was written, with its payload as it is stored and what is in it.
struct Checked {
    event: Event,
    bytes: Vec<u8>,
    payload: Result<Payload, String>,
    /// Whether the payload was purged in part.
    is_purged: bool,
}

impl Verifier<'_> {
    /// One thread reads, digests and unpacks, a little ahead of the one that lets the events take
    /// effect again, one after the other. So what is found first is what does not fit first.
    fn run(&self, anchors: &[(u64, Digest)]) -> Result<Verified, LedgerError> {
        let again = store::scratch(self.path)?;
        let (ahead, events) = sync_channel(EVENTS_AHEAD);
        let (mut verified, last) = std::thread::scope(|scope| {
            scope.spawn(move || {
                let read = self.read_events(anchors, |checked| ahead.send(Ok(checked)).is_ok());
                if let Err(error) = read {
                    // Nobody listens who has found something before.
                    let _ = ahead.send(Err(error));
                }
            });
            self.fold(&again, events)
        })?;
        if let Some((at, _)) = anchors.iter().find(|(at, _)| *at > verified.events) {
            return Err(self.altered(*at, "the journal ends before it"));
        }
        self.count_payloads(verified.events)?;
        self.compare(&again, verified.events)?;
        verified.postings = last.as_ref().map_or(0, |event| event.posting);
        verified.head = last.map_or_else(Digest::default, |event| event.hash);
        Ok(verified)
    }

    /// Lets the events take effect in an empty store.
    fn fold(
        &self,
        again: &Database,
        events: Receiver<Result<Checked, LedgerError>>,
    ) -> Result<(Verified, Option<Event>), LedgerError> {
        let mut verified = Verified {
            events: 0,
            postings: 0,
            payload_bytes: 0,
            purged: 0,
            is_sealed: false,
            head: Digest::default(),
        };
        let mut last = None;
        let mut transaction = store::begin_scratch(again, self.path)?;
        for checked in events {
            let checked = checked?;
            self.apply(&transaction, &checked)?;
            verified.events += 1;
            verified.payload_bytes += checked.event.payload_bytes;
            verified.purged += u64::from(checked.is_purged);
            if verified.events.is_multiple_of(EVENTS_PER_STEP) {
                transaction.commit().map_err(store::failed(self.path))?;
                transaction = store::begin_scratch(again, self.path)?;
            }
            last = Some(checked.event);
        }
        transaction.commit().map_err(store::failed(self.path))?;
        Ok((verified, last))
    }

    /// Hands the events, each as it was written, to `take` until it takes no more.
    fn read_events(
        &self,
        anchors: &[(u64, Digest)],
        mut take: impl FnMut(Checked) -> bool,
    ) -> Result<(), LedgerError> {
        let events = self
            .read
            .open_table(EVENTS)
            .map_err(store::failed(self.path))?;
        let payloads = self
            .read
            .open_table(PAYLOADS)
            .map_err(store::failed(self.path))?;
        let mut last: Option<Event> = None;
        let mut expected = 0;
        for entry in events.iter().map_err(store::failed(self.path))? {
            expected += 1;
            let (sequence, bytes) = entry.map_err(store::failed(self.path))?;
            let event =
                Event::from_bytes(bytes.value()).map_err(|found| self.altered(expected, found))?;
            if sequence.value() != event.sequence {
                return Err(self.altered(expected, "the event is not in its place"));
            }
            follows(last.as_ref(), &event).map_err(|found| self.altered(expected, found))?;
            let is_other = |&(at, hash): &(u64, Digest)| at == event.sequence && hash != event.hash;
            if anchors.iter().any(is_other) {
                return Err(self.altered(expected, "another event stood here"));
            }
            last = Some(event.clone());
            if !take(self.checked(&payloads, event)?) {
                break;
            }
        }
        Ok(())
    }

    /// The event with its payload, if that is as it was written, or as its purge has left it.
    fn checked(
        &self,
        payloads: &ReadOnlyTable<u64, &'static [u8]>,
        event: Event,
    ) -> Result<Checked, LedgerError> {
        // By its key, as everybody else reads it.
        let bytes = payloads
            .get(event.sequence)
            .map_err(store::failed(self.path))?
            .ok_or_else(|| self.altered(event.sequence, "the payload is missing"))?;
        let bytes = bytes.value().to_vec();
        let left = self.left(event.sequence)?;
        let is_purged = left.is_some();
        let (length, digest) = match left {
            None => (event.payload_bytes, event.payload_digest),
            Some(left) => (left.bytes, left.digest),
        };
        if bytes.len() as u64 != length || Digest::of(&bytes) != digest {
            let found = if is_purged {
                "the payload is not what its purge has left"
            } else {
                "the payload is another"
            };
            return Err(self.altered(event.sequence, found));
        }
        Ok(Checked {
            payload: fold::unpack(&event, &bytes),
            event,
            bytes,
            is_purged,
        })
    }

    /// Lets the event take effect again.
    fn apply(
        &self,
        transaction: &WriteTransaction,
        Checked {
            event,
            bytes,
            payload,
            ..
        }: &Checked,
    ) -> Result<(), LedgerError> {
        // A reversal looks at the decision that it takes back.
        if event.kind == EventKind::Decisions {
            let mut kept = transaction
                .open_table(PAYLOADS)
                .map_err(store::failed(self.path))?;
            kept.insert(event.sequence, bytes.as_slice())
                .map_err(store::failed(self.path))?;
        }
        let payload = payload.as_ref();
        let payload = payload.map_err(|found| self.altered(event.sequence, found))?;
        fold::apply_unpacked(transaction, event, bytes, payload)
            .map_err(|misfit| self.altered(event.sequence, misfit.to_string()))
    }

    /// What a purge has left of a payload. That the purges say so is checked with the state.
    fn left(&self, sequence: u64) -> Result<Option<Left>, LedgerError> {
        let Some(purged) = self.open(&self.read, PURGED)? else {
            return Ok(None);
        };
        let left = purged.get(sequence).map_err(store::failed(self.path))?;
        let Some(left) = left else {
            return Ok(None);
        };
        let left = Left::unpack(left.value());
        let left = left.ok_or_else(|| self.altered(sequence, "what is left of it is not said"))?;
        Ok(Some(left))
    }

    fn count_payloads(&self, events: u64) -> Result<(), LedgerError> {
        let payloads = self
            .read
            .open_table(PAYLOADS)
            .map_err(store::failed(self.path))?;
        let count = payloads.len().map_err(store::failed(self.path))?;
        if count == events {
            return Ok(());
        }
        Err(self.damaged(&format!("{count} payloads for {events} events")))
    }

    /// The stored state must be what the events come to. On two threads, each with about half of the
    /// entries.
    fn compare(&self, again: &Database, events: u64) -> Result<(), LedgerError> {
        let again = again.begin_read().map_err(store::failed(self.path))?;
        let again = &again;
        std::thread::scope(|scope| {
            let others = scope.spawn(|| self.compare_others(again, events));
            let first = self
                .same(again, FILES, "files", events)
                .and_then(|()| self.same(again, PAYMENTS, "payments", events));
            let others = others.join();
            first.and(others.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        })
    }

    fn compare_others(&self, again: &ReadTransaction, events: u64) -> Result<(), LedgerError> {
        self.same(again, ITEMS, "items", events)?;
        self.same(again, CHEQUES, "cheques", events)?;
        self.same(again, ADVICE, "advice", events)?;
        self.same(again, SOURCES, "sources", events)?;
        self.same(again, LINES, "lines", events)?;
        self.same(again, PURGED, "purges", events)?;
        self.same(again, ROWS, "rows", events)?;
        self.same(again, ASIDE, "aside", events)?;
        self.same(again, PROFILES, "profiles", events)?;
        self.same(again, NOTES, "notes", events)?;
        self.same(again, MEMORY, "memory", events)?;
        self.same(again, MEMO, "memo", events)
    }

    fn same<K: Key + 'static, V: StoredValue + 'static>(
        &self,
        again: &ReadTransaction,
        definition: TableDefinition<'static, K, V>,
        name: &str,
        events: u64,
    ) -> Result<(), LedgerError> {
        let differs = || {
            self.damaged(&format!(
                "the state of {name} is not what the {events} events come to"
            ))
        };
        let (stored, folded) = match (
            self.open(&self.read, definition)?,
            self.open(again, definition)?,
        ) {
            (None, None) => return Ok(()),
            (Some(stored), Some(folded)) => (stored, folded),
            (Some(one), None) | (None, Some(one)) => {
                let is_empty = one.is_empty().map_err(store::failed(self.path))?;
                return if is_empty { Ok(()) } else { Err(differs()) };
            }
        };
        let mut expected = folded.iter().map_err(store::failed(self.path))?;
        for entry in stored.iter().map_err(store::failed(self.path))? {
            let (key, value) = entry.map_err(store::failed(self.path))?;
            let Some(other) = expected.next() else {
                return Err(differs());
            };
            let (other_key, other_value) = other.map_err(store::failed(self.path))?;
            let own_key = K::as_bytes(&key.value()).as_ref().to_vec();
            let same = own_key == K::as_bytes(&other_key.value()).as_ref()
                && V::as_bytes(&value.value()).as_ref()
                    == V::as_bytes(&other_value.value()).as_ref();
            // By its key too, as everybody else looks it up.
            let is_found = stored
                .get(key.value())
                .map_err(store::failed(self.path))?
                .is_some();
            if !same || !is_found {
                return Err(differs());
            }
        }
        if expected.next().is_some() {
            return Err(differs());
        }
        Ok(())
    }

    fn open<K: Key + 'static, V: StoredValue + 'static>(
        &self,
        read: &ReadTransaction,
        definition: TableDefinition<'static, K, V>,
    ) -> Result<Option<ReadOnlyTable<K, V>>, LedgerError> {
        match read.open_table(definition) {
            Ok(table) => Ok(Some(table)),
            Err(TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(store::failed(self.path)(error)),
        }
    }

    fn altered(&self, sequence: u64, found: impl Into<String>) -> LedgerError {
        LedgerError::Altered {
            path: self.path.to_owned(),
            sequence,
            found: found.into(),
        }
    }

    fn damaged(&self, found: &str) -> LedgerError {
        LedgerError::Journal {
            path: self.path.to_owned(),
            found: found.to_owned(),
        }
    }
}

/// Whether `event` can stand behind `last`.
fn follows(last: Option<&Event>, event: &Event) -> Result<(), &'static str> {
    let Some(last) = last else {
        let first = event.sequence == 1 && event.kind == EventKind::Opened && event.posting == 1;
        return (first && event.previous == Digest::default())
            .then_some(())
            .ok_or("the journal does not begin with it");
    };
    if event.sequence != last.sequence + 1 {
        return Err("the event is missing");
    }
    if event.previous != last.hash {
        return Err("the event does not follow the one before");
    }
    if event.posting != last.posting && event.posting != last.posting + 1 {
        return Err("a posting is missing before it");
    }
    if event.at < last.at {
        return Err("the event is earlier than the one before");
    }
    Ok(())
}
