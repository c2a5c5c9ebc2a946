//! The index of closed items: from a name's hash to the rows that have it.
//!
//! Entries are sorted and written in runs; a run that has grown near the one before it is joined
//! with it, so that there are few, and each entry is written again only some ten times. A run lies
//! in chunks by the first of their hashes. All that is asked for at once is asked for in order, so
//! that a chunk is read once however much is asked.

use redb::{ReadTransaction, ReadableTable, WriteTransaction};

use super::pack::{Packer, Unpacker};
use super::store::{self, CLOSED, CLOSED_RUNS};
use super::{Journal, Place};
use crate::LedgerError;

/// A name's hash, the event and the row.
pub type Entry = (u64, u64, u64);

/// Entries of one chunk, and as many more as share the last hash.
const CHUNK_ENTRIES: usize = 128;
/// A run is joined with the one before it once that is no more than so many times as large.
const RUN_RATIO: u64 = 4;
/// Closed items of one name that are looked at, the first of them.
const SAME_NAME_MAX: usize = 1_024;

type Chunks<'a> = redb::Table<'a, (u32, u64), &'static [u8]>;

fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut packed = Packer::default();
    let mut last = 0;
    for &(name, event, row) in entries {
        packed = packed.number(name - last).number(event).number(row);
        last = name;
    }
    packed.finish()
}

/// The entries of a chunk; none where the bytes are others.
fn unpack(bytes: &[u8]) -> Option<Vec<Entry>> {
    let mut read = Unpacker(bytes);
    let (mut entries, mut last) = (Vec::with_capacity(CHUNK_ENTRIES), 0_u64);
    while !read.is_done() {
        last = last.checked_add(read.number()?)?;
        entries.push((last, read.number()?, read.number()?));
    }
    Some(entries)
}

fn damaged() -> redb::Error {
    redb::Error::Corrupted("the index of closed items cannot be read".to_owned())
}

/// Adds entries, ascending, as a run of their own, and joins what has become alike.
pub fn add_entries(transaction: &WriteTransaction, entries: &[Entry]) -> Result<(), redb::Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let mut chunks = transaction.open_table(CLOSED)?;
    let mut runs = transaction.open_table(CLOSED_RUNS)?;
    let mut known: Vec<(u32, u64)> = Vec::new();
    for entry in runs.iter()? {
        let (run, count) = entry?;
        known.push((run.value(), count.value()));
    }
    let next = |known: &[(u32, u64)]| known.last().map_or(0, |(run, _)| run + 1);
    let mut own = Run::new(next(&known));
    for &entry in entries {
        own.push(&mut chunks, entry)?;
    }
    known.push(own.finish(&mut chunks)?);
    while let [.., (left, many), (right, few)] = known[..] {
        if many > few.saturating_mul(RUN_RATIO) {
            break;
        }
        let mut joined = Run::new(next(&known));
        let mut from = [Cursor::of(left), Cursor::of(right)];
        let mut heads = [from[0].next(&chunks)?, from[1].next(&chunks)?];
        while let Some(entry) = heads.iter().flatten().min().copied() {
            joined.push(&mut chunks, entry)?;
            for (head, from) in heads.iter_mut().zip(&mut from) {
                if *head == Some(entry) {
                    *head = from.next(&chunks)?;
                }
            }
        }
        for run in [left, right] {
            chunks.retain_in((run, 0)..(run + 1, 0), |_, _| false)?;
            runs.remove(run)?;
        }
        known.truncate(known.len() - 2);
        known.push(joined.finish(&mut chunks)?);
    }
    for (run, count) in known {
        runs.insert(run, count)?;
    }
    Ok(())
}

/// A run that is being written.
struct Run {
    number: u32,
    count: u64,
    chunk: Vec<Entry>,
}

impl Run {
    fn new(number: u32) -> Self {
        Self {
            number,
            count: 0,
            chunk: Vec::with_capacity(CHUNK_ENTRIES),
        }
    }

    fn push(&mut self, chunks: &mut Chunks, entry: Entry) -> Result<(), redb::Error> {
        let is_full = self.chunk.len() >= CHUNK_ENTRIES;
        // All entries of a hash lie in one chunk.
        if is_full && self.chunk.last().is_some_and(|last| last.0 != entry.0) {
            self.write(chunks)?;
        }
        self.chunk.push(entry);
        self.count += 1;
        Ok(())
    }

    fn write(&mut self, chunks: &mut Chunks) -> Result<(), redb::Error> {
        if let Some(first) = self.chunk.first() {
            chunks.insert((self.number, first.0), pack(&self.chunk).as_slice())?;
            self.chunk.clear();
        }
        Ok(())
    }

    fn finish(mut self, chunks: &mut Chunks) -> Result<(u32, u64), redb::Error> {
        self.write(chunks)?;
        Ok((self.number, self.count))
    }
}

/// A run that is being read.
struct Cursor {
    run: u32,
    /// The hash from which the next chunk is looked for; none at the end.
    from: Option<u64>,
    chunk: std::vec::IntoIter<Entry>,
}

impl Cursor {
    fn of(run: u32) -> Self {
        Self {
            run,
            from: Some(0),
            chunk: Vec::new().into_iter(),
        }
    }

    fn next(&mut self, chunks: &Chunks) -> Result<Option<Entry>, redb::Error> {
        loop {
            if let Some(entry) = self.chunk.next() {
                return Ok(Some(entry));
            }
            let Some(from) = self.from else {
                return Ok(None);
            };
            let mut range = chunks.range((self.run, from)..(self.run + 1, 0))?;
            let Some((key, bytes)) = range.next().transpose()? else {
                self.from = None;
                continue;
            };
            self.from = key.value().1.checked_add(1);
            self.chunk = unpack(bytes.value()).ok_or_else(damaged)?.into_iter();
        }
    }
}

impl Journal {
    /// The rows of closed items that have one of the `names`, ascending; the names ascending too.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or something in it is damaged.
    pub fn closed_named(&self, names: &[u64]) -> Result<Vec<Place>, LedgerError> {
        let mut places = Vec::new();
        let (mut last, mut same) = (None, 0);
        self.closed_entries(&self.read()?, names, |(name, event, row)| {
            same = if last.replace(name) == Some(name) {
                same + 1
            } else {
                1
            };
            if same <= SAME_NAME_MAX {
                places.push((event, row));
            }
        })?;
        places.sort_unstable();
        places.dedup();
        Ok(places)
    }

    /// The entries with one of the `names`, run by run.
    pub(super) fn closed_entries(
        &self,
        read: &ReadTransaction,
        names: &[u64],
        mut take: impl FnMut(Entry),
    ) -> Result<(), LedgerError> {
        let (Some(chunks), Some(runs)) =
            (self.table(read, CLOSED)?, self.table(read, CLOSED_RUNS)?)
        else {
            return Ok(());
        };
        for entry in runs.iter().map_err(store::failed(self.path()))? {
            let (run, _) = entry.map_err(store::failed(self.path()))?;
            look_up(&chunks, run.value(), names, &mut take).map_err(store::failed(self.path()))?;
        }
        Ok(())
    }
}

fn look_up(
    chunks: &impl ReadableTable<(u32, u64), &'static [u8]>,
    run: u32,
    names: &[u64],
    take: &mut impl FnMut(Entry),
) -> Result<(), redb::Error> {
    let mut next = 0;
    while let Some(&name) = names.get(next) {
        let mut before = chunks.range((run, 0)..=(run, name))?;
        let Some((_, bytes)) = before.next_back().transpose()? else {
            // No chunk begins so early: on to the first that does.
            let Some((first, _)) = chunks
                .range((run, name)..(run + 1, 0))?
                .next()
                .transpose()?
            else {
                return Ok(());
            };
            let first = first.value().1;
            next += names[next..].partition_point(|name| *name < first);
            continue;
        };
        let entries = unpack(bytes.value()).ok_or_else(damaged)?;
        let last = entries.last().map_or(0, |entry| entry.0);
        let mut place = 0;
        while let Some(&name) = names.get(next).filter(|name| **name <= last) {
            place += entries[place..].partition_point(|entry| entry.0 < name);
            let same = entries[place..].iter().take_while(|entry| entry.0 == name);
            same.copied().for_each(&mut *take);
            next += 1;
        }
        // Between this chunk and the next there is nothing.
        if name > last {
            next += 1;
        }
    }
    Ok(())
}
