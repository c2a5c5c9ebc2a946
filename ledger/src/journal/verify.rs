//! The proof that nothing was altered: every event has its hash, follows the one before, has its
//! payload, fits the state, and all of them together come to the state that is stored.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::path::Path;

use parking_lot::Mutex;
use redb::{
    Builder, Database, Key, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    ReadableTableMetadata as _, StorageBackend, TableDefinition, TableError, Value as StoredValue,
    WriteTransaction,
};

use super::store::{
    self, ADVICE, ASIDE, CHEQUES, EVENTS, FILES, ITEMS, LINES, MEMO, MEMORY, NOTES, PAYLOADS,
    PAYMENTS, PROFILES, PURGED, ROWS, SOURCES,
};
use super::{Digest, Event, EventKind, Journal, Left, fold};
use crate::LedgerError;

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
        let read = journal.read()?;
        let verified = Verifier { path, read }.run(anchors)?;
        journal.verify_forward()?;
        Ok(verified)
    })
}

struct Verifier<'a> {
    path: &'a Path,
    read: ReadTransaction,
}

impl Verifier<'_> {
    fn run(&self, anchors: &[(u64, Digest)]) -> Result<Verified, LedgerError> {
        let again = store::scratch(self.path)?;
        let mut verified = Verified {
            events: 0,
            postings: 0,
            payload_bytes: 0,
            purged: 0,
            is_sealed: false,
            head: Digest::default(),
        };
        let events = self
            .read
            .open_table(EVENTS)
            .map_err(store::failed(self.path))?;
        let mut last: Option<Event> = None;
        let mut transaction = store::begin_scratch(&again, self.path)?;
        for entry in events.iter().map_err(store::failed(self.path))? {
            let expected = verified.events + 1;
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
            verified.purged += u64::from(self.apply(&transaction, &event)?);
            verified.events += 1;
            verified.payload_bytes += event.payload_bytes;
            if verified.events.is_multiple_of(EVENTS_PER_STEP) {
                transaction.commit().map_err(store::failed(self.path))?;
                transaction = store::begin_scratch(&again, self.path)?;
            }
            last = Some(event);
        }
        transaction.commit().map_err(store::failed(self.path))?;
        if let Some((at, _)) = anchors.iter().find(|(at, _)| *at > verified.events) {
            return Err(self.altered(*at, "the journal ends before it"));
        }
        self.count_payloads(verified.events)?;
        self.compare(&again, verified.events)?;
        verified.postings = last.as_ref().map_or(0, |event| event.posting);
        verified.head = last.map_or_else(Digest::default, |event| event.hash);
        Ok(verified)
    }

    /// Lets the event take effect again.
    /// Returns whether the payload was purged in part.
    fn apply(&self, transaction: &WriteTransaction, event: &Event) -> Result<bool, LedgerError> {
        let payloads = self
            .read
            .open_table(PAYLOADS)
            .map_err(store::failed(self.path))?;
        // By its key, as everybody else reads it.
        let bytes = payloads
            .get(event.sequence)
            .map_err(store::failed(self.path))?
            .ok_or_else(|| self.altered(event.sequence, "the payload is missing"))?;
        let bytes = bytes.value();
        let left = self.left(event.sequence)?;
        let is_purged = left.is_some();
        let (length, digest) = match left {
            None => (event.payload_bytes, event.payload_digest),
            Some(left) => (left.bytes, left.digest),
        };
        if bytes.len() as u64 != length || Digest::of(bytes) != digest {
            let found = if is_purged {
                "the payload is not what its purge has left"
            } else {
                "the payload is another"
            };
            return Err(self.altered(event.sequence, found));
        }
        // A reversal looks at the decision that it takes back.
        if event.kind == EventKind::Decisions {
            let mut kept = transaction
                .open_table(PAYLOADS)
                .map_err(store::failed(self.path))?;
            kept.insert(event.sequence, bytes)
                .map_err(store::failed(self.path))?;
        }
        fold::apply(transaction, event, bytes)
            .map_err(|misfit| self.altered(event.sequence, misfit.to_string()))?;
        Ok(is_purged)
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

    /// The stored state must be what the events come to.
    fn compare(&self, again: &Database, events: u64) -> Result<(), LedgerError> {
        let again = again.begin_read().map_err(store::failed(self.path))?;
        self.same(&again, FILES, "files", events)?;
        self.same(&again, PAYMENTS, "payments", events)?;
        self.same(&again, ITEMS, "items", events)?;
        self.same(&again, CHEQUES, "cheques", events)?;
        self.same(&again, ADVICE, "advice", events)?;
        self.same(&again, SOURCES, "sources", events)?;
        self.same(&again, LINES, "lines", events)?;
        self.same(&again, PURGED, "purges", events)?;
        self.same(&again, ROWS, "rows", events)?;
        self.same(&again, ASIDE, "aside", events)?;
        self.same(&again, PROFILES, "profiles", events)?;
        self.same(&again, NOTES, "notes", events)?;
        self.same(&again, MEMORY, "memory", events)?;
        self.same(&again, MEMO, "memo", events)
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
    ) -> Result<Option<redb::ReadOnlyTable<K, V>>, LedgerError> {
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

/// A file that is only read: what the store would write stays in memory.
#[derive(Debug)]
struct Overlay {
    file: Mutex<Layers>,
}

#[derive(Debug)]
struct Layers {
    below: File,
    below_bytes: u64,
    bytes: u64,
    written: std::collections::BTreeMap<u64, Vec<u8>>,
}

/// Bytes that are kept together once one of them was written.
const PAGE_BYTES: u64 = 4_096;

impl Overlay {
    fn over(below: File) -> io::Result<Self> {
        let bytes = below.metadata()?.len();
        Ok(Self {
            file: Mutex::new(Layers {
                below,
                below_bytes: bytes,
                bytes,
                written: std::collections::BTreeMap::new(),
            }),
        })
    }
}

impl Layers {
    fn page(&mut self, number: u64) -> io::Result<Vec<u8>> {
        if let Some(page) = self.written.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE_BYTES as usize];
        self.read_below(number * PAGE_BYTES, &mut page)?;
        Ok(page)
    }

    /// Reads what the file has, and zeros behind its end.
    fn read_below(&mut self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self
            .below_bytes
            .saturating_sub(offset)
            .min(out.len() as u64);
        let (there, behind) = out.split_at_mut(there as usize);
        behind.fill(0);
        if there.is_empty() {
            return Ok(());
        }
        self.below.seek(io::SeekFrom::Start(offset))?;
        self.below.read_exact(there)
    }

    /// Each page that the stretch touches, with the parts of the page and of the stretch.
    fn pieces(
        offset: u64,
        length: usize,
    ) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
        let end = offset + length as u64;
        (offset / PAGE_BYTES..end.div_ceil(PAGE_BYTES)).map(move |number| {
            let start = number * PAGE_BYTES;
            let from = offset.max(start);
            let to = end.min(start + PAGE_BYTES);
            (
                number,
                (from - start) as usize..(to - start) as usize,
                (from - offset) as usize..(to - offset) as usize,
            )
        })
    }
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.lock().bytes)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut file = self.file.lock();
        if offset + out.len() as u64 > file.bytes {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        file.read_below(offset, out)?;
        for (number, part, place) in Layers::pieces(offset, out.len()) {
            if let Some(page) = file.written.get(&number) {
                out[place].copy_from_slice(&page[part]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.lock().bytes = len;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut file = self.file.lock();
        for (number, part, place) in Layers::pieces(offset, data.len()) {
            let mut page = file.page(number)?;
            page[part].copy_from_slice(&data[place]);
            file.written.insert(number, page);
        }
        Ok(())
    }
}
