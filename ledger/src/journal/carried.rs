//! What a run begins with: all that earlier ones have left open.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use redb::{ReadTransaction, ReadableTable as _};
use serde_json::Value;
use tieout_core::schema::Table;

use super::state::texts;
use super::store::{self, ADVICE, LINES, PROFILES, SOURCES};
use super::{EventKind, Journal, PURGED_TEXT, Remembered, fold, payload};
use crate::LedgerError;

/// Days after which a line of a report during the day, or a single payment behind a statement's
/// line, is not looked for on a statement any more.
const PROVISIONAL_DAYS: i32 = 31;

/// Rows of one event of a business's own file, as far as they still hold.
#[derive(Clone, Debug)]
pub struct Received {
    /// The event's posting.
    pub posting: u64,
    /// The rows.
    pub rows: RecordBatch,
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

/// What a run begins with: all that earlier ones have left open but the items, see
/// [`Journal::items_left`].
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// Parties, the latest first.
    pub parties: Vec<Received>,
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
        carried.parties = self.parties(&read)?;
        carried.waiting = self.waiting_left(&read)?;
        carried.provisional = self.provisional(&read)?;
        carried.advice = self.advice(&read)?;
        Ok(carried)
    }

    /// The parties that no later file describes anew, the latest file first.
    fn parties(&self, read: &ReadTransaction) -> Result<Vec<Received>, LedgerError> {
        let mut parties = Vec::new();
        if let Some(sources) = self.table(read, SOURCES)? {
            for entry in sources.iter().map_err(store::failed(&self.path))? {
                let (sequence, name) = entry.map_err(store::failed(&self.path))?;
                if name.value() == Table::Parties.name() {
                    parties.push(self.received(sequence.value())?);
                }
            }
        }
        parties.reverse();
        self.keep_latest(&mut parties)?;
        Ok(parties)
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

    /// The rows of an event of a business's own file.
    pub(super) fn received(&self, sequence: u64) -> Result<Received, LedgerError> {
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
        })
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

    pub(super) fn take(
        &self,
        sequence: u64,
        rows: &RecordBatch,
        places: &UInt32Array,
    ) -> Result<RecordBatch, LedgerError> {
        take_record_batch(rows, places).map_err(|error| self.damaged(sequence, &error.to_string()))
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
            let mut received = self.received(sequence)?;
            received.rows = self.take(sequence, &received.rows, &UInt32Array::from(rows))?;
            Ok(received)
        };
        rows.into_iter().map(of_event).collect()
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
