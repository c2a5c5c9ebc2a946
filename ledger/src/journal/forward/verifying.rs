//! What was carried forward is compared with what it was made from.

use arrow::array::RecordBatch;
use redb::{ReadTransaction, ReadableTable as _};

use super::{ENTRIES_MAX, names_of};
use crate::LedgerError;
use crate::journal::Journal;
use crate::journal::closed::Entry;
use crate::journal::state::texts;
use crate::journal::store::{self, ITEMS, SOURCES, TOUCHED};

impl Journal {
    /// Compares what was carried forward with the state and the payloads that it was made from.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] with what differs.
    pub(crate) fn verify_forward(&self) -> Result<(), LedgerError> {
        self.verify_items()?;
        self.verify_waiting()
    }

    fn verify_items(&self) -> Result<(), LedgerError> {
        let read = self.read()?;
        if self.forward_items(&read)?.is_none() {
            return Ok(());
        }
        let failed = || store::failed(&self.path);
        let differs = || LedgerError::Journal {
            path: self.path.clone(),
            found: "the items that were carried forward are not those that are open".to_owned(),
        };
        let Some(items) = self.table(&read, ITEMS)? else {
            return Err(differs());
        };
        let mut open = 0_u64;
        let mut source: Option<(u64, RecordBatch)> = None;
        self.items_left::<LedgerError>(&[], |left| {
            let ids = texts(&left.rows, "item_id").map_err(|e| self.damaged(0, &e))?;
            for (row, state) in left.states.iter().enumerate() {
                let stored = items.get(ids.value(row)).map_err(failed())?;
                let is_same = stored.is_some_and(|bytes| bytes.value() == state.pack());
                let (event, place) = state.source;
                if source.as_ref().is_none_or(|(known, _)| *known != event) {
                    source = Some((event, self.received(event)?.rows));
                }
                let is_own = source.as_ref().is_some_and(|(_, rows)| {
                    place < rows.num_rows() as u64
                        && rows.slice(place as usize, 1) == left.rows.slice(row, 1)
                });
                if !is_same || !is_own {
                    return Err(differs());
                }
                open += u64::from(!state.open.is_zero());
            }
            Ok(())
        })?;
        let mut expected = 0_u64;
        for entry in items.iter().map_err(failed())? {
            let (id, bytes) = entry.map_err(failed())?;
            let state = self.item_state(id.value(), bytes.value())?;
            expected += u64::from(!state.open.is_zero());
        }
        if open != expected {
            return Err(differs());
        }
        self.verify_closed(&read)
    }

    /// Each closed item must be found by its names.
    fn verify_closed(&self, read: &ReadTransaction) -> Result<(), LedgerError> {
        let failed = || store::failed(&self.path);
        let (Some(sources), Some(items)) = (self.table(read, SOURCES)?, self.table(read, ITEMS)?)
        else {
            return Ok(());
        };
        let touched = self.table(read, TOUCHED)?;
        let is_touched = |id: &str| match &touched {
            Some(touched) => touched.get(id).map(|entry| entry.is_some()),
            None => Ok(false),
        };
        let mut entries: Vec<Entry> = Vec::new();
        for entry in sources.iter().map_err(failed())? {
            let (sequence, name) = entry.map_err(failed())?;
            if name.value() != "open_items" {
                continue;
            }
            let sequence = sequence.value();
            let rows = self.received(sequence)?.rows;
            let ids = texts(&rows, "item_id").map_err(|e| self.damaged(sequence, &e))?;
            let numbers = texts(&rows, "number").map_err(|e| self.damaged(sequence, &e))?;
            for (row, id) in ids.iter().enumerate() {
                let id = id.unwrap_or_default();
                let Some(bytes) = items.get(id).map_err(failed())? else {
                    continue;
                };
                let state = self.item_state(id, bytes.value())?;
                let is_own = state.open.is_zero() && state.source == (sequence, row as u64);
                if is_own && !is_touched(id).map_err(failed())? {
                    let names = names_of(numbers.value(row));
                    entries.extend(names.map(|name| (name, sequence, row as u64)));
                }
            }
            if entries.len() > ENTRIES_MAX {
                self.find_all(read, &mut entries)?;
            }
        }
        self.find_all(read, &mut entries)
    }

    fn find_all(
        &self,
        read: &ReadTransaction,
        entries: &mut Vec<Entry>,
    ) -> Result<(), LedgerError> {
        entries.sort_unstable();
        let mut names: Vec<u64> = entries.iter().map(|(name, ..)| *name).collect();
        names.dedup();
        let mut missing: ahash::HashSet<Entry> = entries.drain(..).collect();
        self.closed_entries(read, &names, |entry| {
            missing.remove(&entry);
        })?;
        if missing.is_empty() {
            return Ok(());
        }
        Err(LedgerError::Journal {
            path: self.path.clone(),
            found: format!(
                "{} closed items cannot be found by their names",
                missing.len()
            ),
        })
    }
}
