//! What was known at an earlier point of the journal.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Event, EventKind, Journal, Payload, Timestamp, fold};
use crate::{LedgerError, Moment};

impl Journal {
    /// The last posting that was recorded whole by `moment`; 0 if none was. Times never go
    /// backwards along the chain, so the event is found by halving.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or an event is damaged.
    pub fn posting_by(&self, moment: Timestamp) -> Result<u64, LedgerError> {
        let last = self.last()?.map_or(0, |event| event.sequence);
        let (mut known, mut unknown) = (0, last + 1);
        while unknown - known > 1 {
            let middle = known + (unknown - known) / 2;
            if self.required(middle)?.at <= moment {
                known = middle;
            } else {
                unknown = middle;
            }
        }
        if known == 0 {
            return Ok(0);
        }
        let posting = self.required(known)?.posting;
        if known == last || self.required(unknown)?.posting != posting {
            return Ok(posting);
        }
        Ok(posting - 1)
    }

    /// The last posting that was known by `moment`; 0 if none was.
    ///
    /// # Errors
    /// Those of [`Journal::posting_by`].
    pub fn posting_as_of(&self, moment: Moment) -> Result<u64, LedgerError> {
        match (moment, moment.last()) {
            (Moment::Posting(number), _) => Ok(number),
            (_, Some(last)) => self.posting_by(last),
            (_, None) => Ok(0),
        }
    }

    /// The first posting that was recorded at or after the beginning of `moment`.
    ///
    /// # Errors
    /// Those of [`Journal::posting_by`].
    pub fn posting_from(&self, moment: Moment) -> Result<u64, LedgerError> {
        match (moment, moment.first()) {
            (Moment::Posting(number), _) => Ok(number.max(1)),
            (_, Some(first)) => {
                let before = Timestamp::from_micros(first.micros() - 1);
                Ok(self.posting_by(before)? + 1)
            }
            (_, None) => Ok(1),
        }
    }

    /// The last event of the postings up to `number`.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or an event is damaged.
    pub fn last_of(&self, number: u64) -> Result<Option<Event>, LedgerError> {
        let last = self.last()?.map_or(0, |event| event.sequence);
        let (mut own, mut later) = (0, last + 1);
        while later - own > 1 {
            let middle = own + (later - own) / 2;
            if self.required(middle)?.posting <= number {
                own = middle;
            } else {
                later = middle;
            }
        }
        if own == 0 { Ok(None) } else { self.event(own) }
    }

    /// What people had noted about payments by the event number `last`.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read or something in it is damaged.
    pub fn notes_by(&self, last: u64) -> Result<HashMap<String, Value>, LedgerError> {
        let mut notes: HashMap<String, Map<String, Value>> = HashMap::new();
        self.events(1, |event| {
            if event.sequence > last {
                return Ok(false);
            }
            if event.kind == EventKind::Action
                && let Payload::Json(action) = self.payload(event.sequence)?
                && let Some(id) = action["payment_id"].as_str()
            {
                fold::add_note(notes.entry(id.to_owned()).or_default(), &action);
            }
            Ok(true)
        })?;
        let notes = notes.into_iter();
        Ok(notes.map(|(id, note)| (id, Value::Object(note))).collect())
    }

    fn required(&self, sequence: u64) -> Result<Event, LedgerError> {
        self.event(sequence)?
            .ok_or_else(|| self.damaged(sequence, "the event is not there"))
    }
}
