//! Items and waiting payments are carried forward, at the end of a run.

use std::sync::Arc;

use arrow::array::{BinaryArray, BooleanArray, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema};
use redb::{ReadableTableMetadata as _, WriteTransaction};
use tieout_core::Significant;

use super::{BLOCK_ITEMS, CLOSED_LENGTHS, ENTRIES_MAX, FORWARD_ITEMS, ItemRows, names_of};
use crate::LedgerError;
use crate::journal::closed::{Entry, add_entries};
use crate::journal::state::texts;
use crate::journal::store::{self, ABOUT, FORWARD, ITEMS, TOUCHED};
use crate::journal::{Journal, payload};

/// Fewer items, or changes, are not worth a block.
const ITEMS_MIN: u64 = 16;
/// So many of the items may have changed before they are carried forward again.
const CHANGED_SHARE: u64 = 4;

impl Journal {
    /// Carries forward the items, if enough of them have changed, and the payments that wait, if a
    /// start reads many that wait no more. For the writer.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses; then all is as it was.
    pub(crate) fn carry_forward(&self) -> Result<(), LedgerError> {
        let Some(database) = self.database() else {
            return Ok(());
        };
        let (items, waiting) = (self.are_items_due()?, self.is_waiting_due()?);
        if !items && !waiting {
            return Ok(());
        }
        let transaction = store::begin(database, &self.path)?;
        if items {
            self.write_items(&transaction)?;
        }
        if waiting {
            self.write_waiting(&transaction)?;
        }
        transaction.commit().map_err(store::failed(&self.path))
    }

    fn are_items_due(&self) -> Result<bool, LedgerError> {
        let read = self.read()?;
        let failed = || store::failed(&self.path);
        let Some(items) = self.table(&read, ITEMS)? else {
            return Ok(false);
        };
        let Some(forward) = self.forward_items(&read)? else {
            return Ok(items.len().map_err(failed())? >= ITEMS_MIN);
        };
        let Some(touched) = self.table(&read, TOUCHED)? else {
            return Ok(false);
        };
        let touched = touched.len().map_err(failed())?;
        Ok(touched >= ITEMS_MIN.max(forward / CHANGED_SHARE))
    }

    fn write_items(&self, transaction: &WriteTransaction) -> Result<(), LedgerError> {
        let failed = || store::failed(&self.path);
        transaction
            .delete_table(FORWARD)
            .map_err(store::failed(&self.path))?;
        let lengths = self.closed_lengths()?.unwrap_or_default();
        let mut forward = Forward {
            journal: self,
            transaction,
            open: Vec::new(),
            entries: Vec::new(),
            items: 0,
            lengths,
        };
        self.items_left::<LedgerError>(&[], |items| forward.take(items))?;
        forward.write_block()?;
        forward.write_entries()?;
        let (items, lengths) = (forward.items, forward.lengths);
        transaction
            .delete_table(TOUCHED)
            .map_err(store::failed(&self.path))?;
        let mut about = transaction
            .open_table(ABOUT)
            .map_err(store::failed(&self.path))?;
        about.insert(FORWARD_ITEMS, items).map_err(failed())?;
        about.insert(CLOSED_LENGTHS, lengths).map_err(failed())?;
        Ok(())
    }
}

/// Items that are carried forward in a transaction.
struct Forward<'a> {
    journal: &'a Journal,
    transaction: &'a WriteTransaction,
    /// Items of the next block.
    open: Vec<ItemRows>,
    /// Names of items that were closed.
    entries: Vec<Entry>,
    items: u64,
    lengths: u64,
}

impl Forward<'_> {
    fn take(&mut self, items: ItemRows) -> Result<(), LedgerError> {
        let found = |error: String| self.journal.damaged(0, &error);
        let numbers = texts(&items.rows, "number").map_err(found)?;
        let mut is_open = Vec::with_capacity(items.states.len());
        for (row, state) in items.states.iter().enumerate() {
            is_open.push(!state.open.is_zero());
            if state.open.is_zero() {
                let (event, place) = state.source;
                let number = numbers.value(row);
                let names = names_of(number).map(|name| (name, event, place));
                self.entries.extend(names);
                let significant = Significant::of(number.as_bytes());
                self.lengths |= 1 << significant.as_bytes().len();
            }
        }
        if self.entries.len() > ENTRIES_MAX {
            self.write_entries()?;
        }
        let open = items.keep(&BooleanArray::from(is_open));
        let open = open.map_err(|error| self.journal.damaged(0, &error))?;
        let schema = open.rows.schema();
        if self
            .open
            .last()
            .is_some_and(|last| last.rows.schema() != schema)
        {
            self.write_block()?;
        }
        for first in (0..open.states.len()).step_by(BLOCK_ITEMS) {
            let count = BLOCK_ITEMS.min(open.states.len() - first);
            self.open.push(ItemRows {
                rows: open.rows.slice(first, count),
                states: open.states[first..first + count].to_vec(),
            });
            if self
                .open
                .iter()
                .map(|part| part.states.len())
                .sum::<usize>()
                >= BLOCK_ITEMS
            {
                self.write_block()?;
            }
        }
        Ok(())
    }

    fn write_entries(&mut self) -> Result<(), LedgerError> {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable();
        entries.dedup();
        add_entries(self.transaction, &entries).map_err(store::failed(&self.journal.path))
    }

    fn write_block(&mut self) -> Result<(), LedgerError> {
        let parts = std::mem::take(&mut self.open);
        let states = || parts.iter().flat_map(|part| &part.states);
        let Some(first) = states().next().map(|state| state.source) else {
            return Ok(());
        };
        self.items += states().count() as u64;
        let found = |error: arrow::error::ArrowError| error.to_string();
        let schema = parts[0].rows.schema();
        let packed: BinaryArray = states().map(|state| Some(state.pack())).collect();
        let fields = Schema::new(vec![Field::new("state", DataType::Binary, false)]);
        let bytes = concat_batches(&schema, parts.iter().map(|part| &part.rows))
            .map_err(found)
            .and_then(|rows| {
                let packed = RecordBatch::try_new(Arc::new(fields), vec![Arc::new(packed)]);
                let packed = packed.map_err(found)?;
                payload::of_batches(&[("open_items", &rows), ("states", &packed)])
            });
        let bytes = bytes.map_err(|error| self.journal.damaged(first.0, &error))?;
        let path = &self.journal.path;
        let blocks = self.transaction.open_table(FORWARD);
        let mut blocks = blocks.map_err(store::failed(path))?;
        blocks
            .insert(first, bytes.as_slice())
            .map_err(store::failed(path))?;
        Ok(())
    }
}
