//! Payments that wait for a decision, carried forward: a start reads those that wait, and not all
//! that ever have waited.
//!
//! Their rows lie in the events that let them wait, in each beside many that were decided since. So
//! from time to time those that still wait are written together (`forward_waiting`), with the last
//! event that they were looked for in; a start reads them, and the later events. A payment that is
//! decided anew and waits again comes with an event that has its row; where one does not, the fold
//! notes it (`waiting_again`), and all events are read.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch, UInt32Array};
use arrow::compute::concat_batches;
use arrow::datatypes::UInt32Type;
use redb::{ReadTransaction, ReadableTable as _, ReadableTableMetadata as _, WriteTransaction};
use tieout_core::{Feed, Status};

use super::BLOCK_ITEMS;
use crate::LedgerError;
use crate::journal::carried::WaitingRows;
use crate::journal::state::{PaymentState, payment_key, texts};
use crate::journal::store::{self, ABOUT, FORWARD_WAITING, PAYMENTS, SOURCES, WAITING_AGAIN};
use crate::journal::{EventKind, Journal, payload};

/// The name under which `about` has the last event whose payments were carried forward.
pub const FORWARD_WAITING_LAST: &str = "forward_waiting_last";

/// The status of a line that is not booked.
const PENDING: &str = "PDNG";
/// Fewer rows than so, of those that a start reads for nothing, are not worth a block.
const PASSED_MIN: u64 = 256;
/// One row in so many may be read for nothing.
const PASSED_SHARE: u64 = 4;
/// So many events are read for few rows each.
const EVENTS_MAX: u64 = 64;

/// What a start has read to find the payments that wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct WaitingRead {
    /// Events.
    events: u64,
    /// Rows, of events and of what was carried forward.
    rows: u64,
    /// Rows of payments that wait.
    kept: u64,
}

/// Where rows of payments lie that have waited.
#[derive(Clone, Copy)]
enum Source {
    /// Carried forward.
    Block(u64),
    /// In the event that let them wait.
    Event(u64),
}

impl Journal {
    /// The payments that wait, in the order in which they came to.
    pub(in crate::journal) fn waiting_left(
        &self,
        read: &ReadTransaction,
    ) -> Result<Vec<WaitingRows>, LedgerError> {
        let forward = match self.waiting_last(read)? {
            Some(last) if !self.waits_again(read)? => Some(last),
            _ => None,
        };
        let mut sources = Vec::new();
        if forward.is_some()
            && let Some(blocks) = self.table(read, FORWARD_WAITING)?
        {
            for entry in blocks.iter().map_err(store::failed(&self.path))? {
                let (block, _) = entry.map_err(store::failed(&self.path))?;
                sources.push(Source::Block(block.value()));
            }
        }
        sources.extend(self.events_of_waiting(read, forward.map_or(0, |last| last + 1))?);
        let (waiting, about) = self.waiting_of(read, &sources)?;
        *self.waiting_read.lock() = about;
        Ok(waiting)
    }

    /// The last event whose payments were carried forward; none if none ever were.
    fn waiting_last(&self, read: &ReadTransaction) -> Result<Option<u64>, LedgerError> {
        let Some(about) = self.table(read, ABOUT)? else {
            return Ok(None);
        };
        let last = about
            .get(FORWARD_WAITING_LAST)
            .map_err(store::failed(&self.path))?;
        Ok(last.map(|last| last.value()))
    }

    /// Whether a payment waits whose row may be in none of the later events.
    fn waits_again(&self, read: &ReadTransaction) -> Result<bool, LedgerError> {
        match self.table(read, WAITING_AGAIN)? {
            Some(again) => Ok(!again.is_empty().map_err(store::failed(&self.path))?),
            None => Ok(false),
        }
    }

    /// The events from `first` on that let payments wait.
    fn events_of_waiting(
        &self,
        read: &ReadTransaction,
        first: u64,
    ) -> Result<Vec<Source>, LedgerError> {
        let Some(sources) = self.table(read, SOURCES)? else {
            return Ok(Vec::new());
        };
        let mut events = Vec::new();
        for entry in sources.range(first..).map_err(store::failed(&self.path))? {
            let (sequence, name) = entry.map_err(store::failed(&self.path))?;
            if name.value() == EventKind::Waiting.code() {
                events.push(Source::Event(sequence.value()));
            }
        }
        Ok(events)
    }

    /// The rows of payments in `sources` that wait. The latest row of a payment is the one that
    /// counts.
    fn waiting_of(
        &self,
        read: &ReadTransaction,
        sources: &[Source],
    ) -> Result<(Vec<WaitingRows>, WaitingRead), LedgerError> {
        let (mut waiting, mut about) = (Vec::new(), WaitingRead::default());
        let mut seen = HashSet::new();
        let blocks = self.table(read, FORWARD_WAITING)?;
        for &source in sources.iter().rev() {
            let (sequence, batches) = match source {
                Source::Event(sequence) => {
                    about.events += 1;
                    (sequence, self.batches(sequence)?)
                }
                Source::Block(number) => {
                    let Some(blocks) = &blocks else { continue };
                    let bytes = blocks.get(number).map_err(store::failed(&self.path))?;
                    let Some(bytes) = bytes else { continue };
                    let batches = payload::batches(bytes.value());
                    (0, batches.map_err(|found| self.damaged(0, &found))?)
                }
            };
            let mut batches = batches.into_iter().map(|(_, batch)| batch);
            let (Some(payments), Some(lines)) = (batches.next(), batches.next()) else {
                return Err(self.damaged(sequence, "the payload holds no rows"));
            };
            about.rows += payments.num_rows() as u64;
            let rows = self.still_waiting(read, (sequence, &payments, &lines), &mut seen)?;
            if let Some(rows) = rows {
                about.kept += rows.postings.len() as u64;
                waiting.push(rows);
            }
        }
        waiting.reverse();
        Ok((waiting, about))
    }

    /// The payments of an event that wait and were not `seen` in a later one.
    fn still_waiting(
        &self,
        read: &ReadTransaction,
        (sequence, payments, lines): (u64, &RecordBatch, &RecordBatch),
        seen: &mut HashSet<Vec<u8>>,
    ) -> Result<Option<WaitingRows>, LedgerError> {
        let Some(states) = self.table(read, PAYMENTS)? else {
            return Ok(None);
        };
        let text = |name| texts(payments, name).map_err(|e| self.damaged(sequence, &e));
        let (ids, feeds, statuses) = (text("transaction_id")?, text("feed")?, text("status")?);
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
        let lines = self.lines_of(sequence, lines, &kept)?;
        let payments = self.take(sequence, payments, &UInt32Array::from(kept))?;
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
        let owners = owners(lines).map_err(|found| self.damaged(sequence, &found))?;
        let (mut kept, mut numbers) = (Vec::new(), Vec::new());
        for (place, owner) in owners.values().iter().enumerate() {
            if let Ok(number) = rows.binary_search(owner) {
                kept.push(place as u32);
                numbers.push(number as u32);
            }
        }
        let taken = self.take(sequence, lines, &UInt32Array::from(kept))?;
        with_owners(&taken, numbers).map_err(|found| self.damaged(sequence, &found))
    }

    /// Whether the last start has read much for payments that wait no more.
    pub(super) fn is_waiting_due(&self) -> Result<bool, LedgerError> {
        let WaitingRead { events, rows, kept } = *self.waiting_read.lock();
        let passed = rows - kept;
        let is_long = passed >= PASSED_MIN && passed * PASSED_SHARE >= rows;
        Ok(is_long || events >= EVENTS_MAX || self.waits_again(&self.read()?)?)
    }

    /// Writes all payments that wait together.
    pub(super) fn write_waiting(&self, transaction: &WriteTransaction) -> Result<(), LedgerError> {
        let failed = || store::failed(&self.path);
        let read = self.read()?;
        let waiting = self.waiting_left(&read)?;
        let last = self.last()?.map_or(0, |event| event.sequence);
        transaction
            .delete_table(FORWARD_WAITING)
            .map_err(store::failed(&self.path))?;
        transaction
            .delete_table(WAITING_AGAIN)
            .map_err(store::failed(&self.path))?;
        let mut blocks = transaction
            .open_table(FORWARD_WAITING)
            .map_err(store::failed(&self.path))?;
        let mut rest = waiting.as_slice();
        let mut number = 0_u64;
        while !rest.is_empty() {
            let (block, others) = rest.split_at(of_one_block(rest));
            let bytes = pack(block).map_err(|found| self.damaged(0, &found))?;
            blocks.insert(number, bytes.as_slice()).map_err(failed())?;
            (rest, number) = (others, number + 1);
        }
        let mut about = transaction
            .open_table(ABOUT)
            .map_err(store::failed(&self.path))?;
        about.insert(FORWARD_WAITING_LAST, last).map_err(failed())?;
        Ok(())
    }

    /// Compares the payments that were carried forward with those that wait.
    pub(super) fn verify_waiting(&self) -> Result<(), LedgerError> {
        let read = self.read()?;
        if self.waiting_last(&read)?.is_none() {
            return Ok(());
        }
        let differs = |_: String| LedgerError::Journal {
            path: self.path.clone(),
            found: "the payments that were carried forward are not those that wait".to_owned(),
        };
        let carried = self.waiting_left(&read)?;
        let (all, _) = self.waiting_of(&read, &self.events_of_waiting(&read, 0)?)?;
        let carried = each(&carried).map_err(differs)?;
        if carried == each(&all).map_err(differs)? {
            Ok(())
        } else {
            Err(differs(String::new()))
        }
    }
}

/// The numbers of the payments that the lines belong to.
fn owners(lines: &RecordBatch) -> Result<&UInt32Array, String> {
    let first = lines.columns().first();
    let owners = first.and_then(|column| column.as_primitive_opt::<UInt32Type>());
    owners.ok_or_else(|| "the documents have no payments".to_owned())
}

fn with_owners(lines: &RecordBatch, owners: Vec<u32>) -> Result<RecordBatch, String> {
    let mut columns = lines.columns().to_vec();
    if let Some(first) = columns.first_mut() {
        *first = Arc::new(UInt32Array::from(owners));
    }
    RecordBatch::try_new(lines.schema(), columns).map_err(|error| error.to_string())
}

/// How many of the first parts go into one block: those of the same columns, up to its size.
fn of_one_block(parts: &[WaitingRows]) -> usize {
    let mut rows = 0;
    let fits = |part: &&WaitingRows| {
        let is_first = rows == 0;
        rows += part.payments.num_rows();
        let is_alike = part.payments.schema() == parts[0].payments.schema()
            && part.lines.schema() == parts[0].lines.schema();
        is_first || is_alike && rows <= BLOCK_ITEMS
    };
    parts.iter().take_while(fits).count()
}

/// The parts, which have the same columns, as one payload.
fn pack(parts: &[WaitingRows]) -> Result<Vec<u8>, String> {
    let Some(first) = parts.first() else {
        return Err("there are no payments".to_owned());
    };
    let (mut lines, mut before) = (Vec::with_capacity(parts.len()), 0);
    for part in parts {
        let numbers = owners(&part.lines)?.values().iter();
        let numbers = numbers.map(|number| number + before).collect();
        lines.push(with_owners(&part.lines, numbers)?);
        before += part.payments.num_rows() as u32;
    }
    let found = |error: arrow::error::ArrowError| error.to_string();
    let payments = parts.iter().map(|part| &part.payments);
    let payments = concat_batches(&first.payments.schema(), payments).map_err(found)?;
    let lines = concat_batches(&first.lines.schema(), &lines).map_err(found)?;
    payload::of_batches(&[("transactions", &payments), ("remittance_lines", &lines)])
}

/// A payment, its posting and its lines.
type Single = (RecordBatch, u64, Vec<RecordBatch>);

/// The payments one by one, in their order.
fn each(parts: &[WaitingRows]) -> Result<Vec<Single>, String> {
    let mut singles = Vec::new();
    for part in parts {
        let first = singles.len();
        for (row, posting) in part.postings.iter().enumerate() {
            singles.push((part.payments.slice(row, 1), *posting, Vec::new()));
        }
        for (place, owner) in owners(&part.lines)?.values().iter().enumerate() {
            let line = with_owners(&part.lines.slice(place, 1), vec![0])?;
            let (_, _, lines) = singles
                .get_mut(first + *owner as usize)
                .ok_or("a document has no payment")?;
            lines.push(line);
        }
    }
    Ok(singles)
}
