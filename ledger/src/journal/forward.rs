//! Items carried forward: those that are open, some thousands together, so that a start reads what
//! is open and not all that ever was.
//!
//! From time to time all that is open is written into blocks (`forward`), in the order in which it
//! came, and the names of what was paid since the last time are added to an index of closed items.
//! From then on the fold notes which items change (`touched`). So what is open is the blocks, but
//! for what was touched, and of what was touched the state; what is in neither is closed, and read
//! only when it is asked for. All of it is made from the state and the payloads, and can be left
//! out: without it everything is read. Payments that wait are carried forward in the same way.

mod verifying;
mod waiting;
mod writing;

use std::collections::BTreeMap;

use ahash::{HashMap, HashMapExt as _};
use arrow::array::{AsArray as _, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use redb::{ReadTransaction, ReadableTable as _};
use tieout_core::Significant;

use super::state::{ItemState, texts};
use super::store::{self, ABOUT, FORWARD, ITEMS, TOUCHED};
use super::{Journal, payload};
use crate::LedgerError;

/// Items of one block.
const BLOCK_ITEMS: usize = 8_192;
/// Names of closed items that are sorted at once.
const ENTRIES_MAX: usize = 1 << 22;

/// The name under which `about` has how many items were carried forward.
pub const FORWARD_ITEMS: &str = "forward_items";
/// The name under which `about` has the lengths of closed items' numbers.
const CLOSED_LENGTHS: &str = "closed_lengths";

pub use waiting::{FORWARD_WAITING_LAST, WaitingRead};

/// An event with open items, and a row of it.
pub type Place = (u64, u64);

/// Rows of the table `open_items`, with what is open of each.
#[derive(Clone, Debug)]
pub struct ItemRows {
    /// The rows.
    pub rows: RecordBatch,
    /// One for each.
    pub states: Vec<ItemState>,
}

impl ItemRows {
    fn keep(self, keep: &BooleanArray) -> Result<Self, String> {
        let rows = filter_record_batch(&self.rows, keep).map_err(|error| error.to_string())?;
        let states = self.states.into_iter().zip(keep.values());
        let states = states.filter(|(_, keep)| *keep).map(|(state, _)| state);
        Ok(Self {
            rows,
            states: states.collect(),
        })
    }
}

/// The names under which a closed item is found again: hashes that do not depend on the machine.
/// They are of what the matcher looks for, [`Significant`] parts with a digit.
pub fn names_of(number: &str) -> impl Iterator<Item = u64> {
    let mut names = Significant::names_of(number.as_bytes()).map(|name| name.stable_hash());
    names.sort_unstable();
    let mut last = None;
    names
        .into_iter()
        .flatten()
        .filter(move |name| last.replace(*name) != Some(*name))
}

/// What changed since the items were carried forward.
struct Changes {
    /// The state of each, and whether it was handed on.
    items: HashMap<String, (ItemState, bool)>,
    /// Where the rows are, ascending, up to `next` handed on or in a block.
    order: Vec<(Place, String)>,
    next: usize,
}

impl Changes {
    fn of(items: HashMap<String, (ItemState, bool)>) -> Self {
        let place = |(id, (state, _)): (&String, &(ItemState, bool))| (state.source, id.clone());
        let mut order: Vec<_> = items.iter().map(place).collect();
        order.sort_unstable();
        Self {
            items,
            order,
            next: 0,
        }
    }

    /// The block as it is now.
    fn hold(&mut self, mut block: ItemRows) -> Result<ItemRows, String> {
        if self.items.is_empty() {
            return Ok(block);
        }
        let ids = texts(&block.rows, "item_id")?.clone();
        let mut keep = vec![true; block.states.len()];
        for (row, own) in block.states.iter_mut().enumerate() {
            let Some((state, is_done)) = self.items.get_mut(ids.value(row)) else {
                continue;
            };
            if state.source == own.source {
                own.clone_from(state);
                *is_done = true;
            } else {
                keep[row] = false;
            }
        }
        if keep.iter().all(|keep| *keep) {
            return Ok(block);
        }
        block.keep(&BooleanArray::from(keep))
    }

    /// The others whose rows lie before `end`, by event.
    fn before(&mut self, end: Place) -> BTreeMap<u64, Vec<ItemState>> {
        let mut others: BTreeMap<u64, Vec<ItemState>> = BTreeMap::new();
        while let Some((place, id)) = self.order.get(self.next).filter(|(place, _)| *place < end) {
            if let Some((state, is_done)) = self.items.get_mut(id)
                && !std::mem::replace(is_done, true)
            {
                others.entry(place.0).or_default().push(state.clone());
            }
            self.next += 1;
        }
        others
    }
}

impl Journal {
    /// The items that earlier runs have left, in the order in which they came: all that are open,
    /// those that have changed since they were carried forward, and of the others those whose
    /// rows are in the places `closed`.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or something in it is damaged; what
    /// `take` returns.
    pub fn items_left<E: From<LedgerError>>(
        &self,
        closed: &[Place],
        mut take: impl FnMut(ItemRows) -> Result<(), E>,
    ) -> Result<(), E> {
        let read = self.read()?;
        if self.forward_items(&read)?.is_none() {
            return self.all_items(&read, take);
        }
        let mut changes = self.changes(&read, closed)?;
        let failed = || store::failed(&self.path);
        if let Some(blocks) = self.table(&read, FORWARD)? {
            let mut entries = blocks.iter().map_err(failed())?;
            let mut next = entries.next().transpose().map_err(failed())?;
            while let Some((place, bytes)) = next {
                next = entries.next().transpose().map_err(failed())?;
                let (event, _) = place.value();
                let block = read_block(bytes.value()).map_err(|e| self.damaged(event, &e))?;
                let own_end = block.states.last().map_or((0, 0), |state| state.source);
                let end = match &next {
                    Some((place, _)) => place.value(),
                    None => (own_end.0, own_end.1 + 1),
                };
                let block = changes.hold(block).map_err(|e| self.damaged(event, &e))?;
                for part in self.merged(block, changes.before(end))? {
                    take(part)?;
                }
            }
        }
        for (event, states) in changes.before((u64::MAX, u64::MAX)) {
            take(self.rows_of(event, states)?)?;
        }
        Ok(())
    }

    /// How many items were carried forward; none if none ever were.
    fn forward_items(&self, read: &ReadTransaction) -> Result<Option<u64>, LedgerError> {
        let Some(about) = self.table(read, ABOUT)? else {
            return Ok(None);
        };
        let items = about
            .get(FORWARD_ITEMS)
            .map_err(store::failed(&self.path))?;
        Ok(items.map(|items| items.value()))
    }

    /// Which lengths closed items' numbers have: bit *n* for *n* significant characters; none where
    /// [`Journal::items_left`] gives closed items too.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn closed_lengths(&self) -> Result<Option<u64>, LedgerError> {
        let read = self.read()?;
        if self.forward_items(&read)?.is_none() {
            return Ok(None);
        }
        let Some(about) = self.table(&read, ABOUT)? else {
            return Ok(None);
        };
        let lengths = about
            .get(CLOSED_LENGTHS)
            .map_err(store::failed(&self.path))?;
        Ok(Some(lengths.map_or(0, |lengths| lengths.value())))
    }

    /// The rows of these items and what is open of them, as far as there are any.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or something in it is damaged.
    pub fn items_with_rows<'a>(
        &self,
        ids: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<ItemRows>, LedgerError> {
        let read = self.read()?;
        let Some(items) = self.table(&read, ITEMS)? else {
            return Ok(Vec::new());
        };
        let mut by_event: BTreeMap<u64, BTreeMap<u64, ItemState>> = BTreeMap::new();
        for id in ids {
            if let Some(bytes) = items.get(id).map_err(store::failed(&self.path))? {
                let state = self.item_state(id, bytes.value())?;
                let (event, row) = state.source;
                by_event.entry(event).or_default().insert(row, state);
            }
        }
        let by_event = by_event.into_iter();
        by_event
            .map(|(event, states)| self.rows_of(event, states.into_values().collect()))
            .collect()
    }

    fn item_state(&self, id: &str, bytes: &[u8]) -> Result<ItemState, LedgerError> {
        ItemState::unpack(bytes).ok_or_else(|| LedgerError::Journal {
            path: self.path.clone(),
            found: format!("what is open of item {id} cannot be read"),
        })
    }

    /// Everything, for a ledger in which nothing was carried forward yet.
    fn all_items<E: From<LedgerError>>(
        &self,
        read: &ReadTransaction,
        mut take: impl FnMut(ItemRows) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = || store::failed(&self.path);
        let mut by_event: BTreeMap<u64, Vec<ItemState>> = BTreeMap::new();
        if let Some(items) = self.table(read, ITEMS)? {
            for entry in items.iter().map_err(failed())? {
                let (id, bytes) = entry.map_err(failed())?;
                let state = self.item_state(id.value(), bytes.value())?;
                by_event.entry(state.source.0).or_default().push(state);
            }
        }
        for (event, mut states) in by_event {
            states.sort_unstable_by_key(|state| state.source.1);
            take(self.rows_of(event, states)?)?;
        }
        Ok(())
    }

    /// What was touched, and what of the `closed` was not.
    fn changes(&self, read: &ReadTransaction, closed: &[Place]) -> Result<Changes, LedgerError> {
        let failed = || store::failed(&self.path);
        let mut changed = HashMap::new();
        let Some(items) = self.table(read, ITEMS)? else {
            return Ok(Changes::of(changed));
        };
        if let Some(touched) = self.table(read, TOUCHED)? {
            for entry in touched.iter().map_err(failed())? {
                let (id, ()) = entry.map(|(id, _)| (id, ())).map_err(failed())?;
                let id = id.value();
                if let Some(bytes) = items.get(id).map_err(failed())? {
                    let state = self.item_state(id, bytes.value())?;
                    changed.insert(id.to_owned(), (state, false));
                }
            }
        }
        for event in closed.chunk_by(|left, right| left.0 == right.0) {
            let sequence = event[0].0;
            let places: UInt32Array = event.iter().map(|(_, row)| Some(*row as u32)).collect();
            let rows = self.rows_at(sequence, &places)?;
            let ids = texts(&rows, "item_id").map_err(|e| self.damaged(sequence, &e))?;
            for (id, place) in ids.iter().flatten().zip(event) {
                let bytes = items.get(id).map_err(failed())?;
                let Some(bytes) = bytes.filter(|_| !changed.contains_key(id)) else {
                    continue;
                };
                let state = self.item_state(id, bytes.value())?;
                // One that came again, or was opened again, is where it is now.
                if state.source == *place && state.open.is_zero() {
                    changed.insert(id.to_owned(), (state, false));
                }
            }
        }
        Ok(Changes::of(changed))
    }

    /// The block with the others at their places.
    fn merged(
        &self,
        block: ItemRows,
        others: BTreeMap<u64, Vec<ItemState>>,
    ) -> Result<Vec<ItemRows>, LedgerError> {
        if others.is_empty() {
            let is_empty = block.states.is_empty();
            return Ok(if is_empty { Vec::new() } else { vec![block] });
        }
        let mut parts = vec![block];
        for (event, states) in others {
            parts.push(self.rows_of(event, states)?);
        }
        let schema = parts[0].rows.schema();
        if parts.iter().any(|part| part.rows.schema() != schema) {
            // Columns of an earlier version: which of them comes first then follows the blocks.
            return Ok(parts);
        }
        let found = |error: arrow::error::ArrowError| self.damaged(0, &error.to_string());
        let rows = concat_batches(&schema, parts.iter().map(|part| &part.rows)).map_err(found)?;
        let states: Vec<ItemState> = parts.into_iter().flat_map(|part| part.states).collect();
        let mut order: Vec<u32> = (0..states.len() as u32).collect();
        order.sort_unstable_by_key(|&place| states[place as usize].source);
        let sorted = order.iter().map(|&place| states[place as usize].clone());
        let states = sorted.collect();
        let rows = take_record_batch(&rows, &UInt32Array::from(order)).map_err(found)?;
        Ok(vec![ItemRows { rows, states }])
    }

    /// The rows of items of one event, with their states.
    fn rows_of(&self, event: u64, states: Vec<ItemState>) -> Result<ItemRows, LedgerError> {
        let places: UInt32Array = states
            .iter()
            .map(|state| Some(state.source.1 as u32))
            .collect();
        let rows = self.rows_at(event, &places)?;
        Ok(ItemRows { rows, states })
    }

    fn rows_at(&self, event: u64, places: &UInt32Array) -> Result<RecordBatch, LedgerError> {
        let received = self.received(event)?;
        let rows = received.rows.num_rows();
        if places.values().iter().any(|&place| place as usize >= rows) {
            return Err(self.damaged(event, "the row of an item is not there"));
        }
        self.take(event, &received.rows, places)
    }
}

fn read_block(bytes: &[u8]) -> Result<ItemRows, String> {
    let mut batches = payload::batches(bytes)?.into_iter().map(|(_, batch)| batch);
    let (Some(rows), Some(states)) = (batches.next(), batches.next()) else {
        return Err("the items that were carried forward cannot be read".to_owned());
    };
    let packed = states.column(0).as_binary_opt::<i32>();
    let states = packed.map(|packed| {
        let states = packed.iter().flatten().map(ItemState::unpack);
        states.collect::<Option<Vec<_>>>()
    });
    match states.flatten() {
        Some(states) if states.len() == rows.num_rows() => Ok(ItemRows { rows, states }),
        _ => Err("what is open of the items that were carried forward cannot be read".to_owned()),
    }
}
