//! Postings as the journal has them, and the rows of a run as they once arrived.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringArray, UInt32Array, new_null_array};
use arrow::datatypes::DataType;
use tieout_core::schema::{Table, parsed_remittance_lines};
use tieout_core::{Channel, Date, LineId};
use tieout_ledger::journal::{Event, EventKind, Journal, what};

use super::said;
use crate::EngineError;
use crate::intake::{arrow, column, internal};

/// A posting of the ledger.
pub struct PastPosting {
    /// Its number.
    pub number: u64,
    /// Its first event and its last.
    first: u64,
    last: u64,
    /// The recipe's name and version, of a run.
    pub recipe: Option<String>,
    /// The run's day, if it had one.
    as_of: Option<Date>,
}

impl PastPosting {
    /// Whether it was a run.
    pub fn is_run(&self) -> bool {
        self.recipe.is_some()
    }

    /// Its events.
    pub fn events(&self, journal: &Journal) -> Result<Vec<Event>, EngineError> {
        let mut events = Vec::new();
        journal.events(self.first, |event| {
            let is_own = event.sequence <= self.last;
            if is_own {
                events.push(event);
            }
            Ok(is_own)
        })?;
        Ok(events)
    }
}

/// The postings up to number `last`.
pub fn postings(journal: &Journal, last: u64) -> Result<Vec<PastPosting>, EngineError> {
    let mut postings: Vec<PastPosting> = Vec::new();
    let mut cutoffs = Vec::new();
    journal.events(1, |event| {
        if event.posting > last {
            return Ok(false);
        }
        match postings
            .last_mut()
            .filter(|own| own.number == event.posting)
        {
            Some(own) => own.last = event.sequence,
            None => postings.push(PastPosting {
                number: event.posting,
                first: event.sequence,
                last: event.sequence,
                recipe: None,
                as_of: None,
            }),
        }
        if event.kind == EventKind::Cutoff {
            cutoffs.push((postings.len() - 1, event.sequence));
        }
        Ok(true)
    })?;
    for (place, sequence) in cutoffs {
        let cutoff = said(journal, sequence)?;
        let day = cutoff["known"]["as_of"].as_str();
        let posting = &mut postings[place];
        posting.recipe = cutoff["recipe"].as_str().map(str::to_owned);
        posting.as_of = day.and_then(|day| Date::parse_iso(day.as_bytes()).ok());
    }
    Ok(postings)
}

/// Lines of a run with the documents inside them.
pub struct PastLines {
    /// Rows of the table `transactions`.
    pub transactions: RecordBatch,
    /// Their documents, as a parser emits them.
    pub remittance_lines: RecordBatch,
}

/// What a run had received: the events that hold it, in the order of arrival.
pub struct PastRun {
    /// The day that decided what was past due.
    pub as_of: Option<Date>,
    parties: Vec<u64>,
    items: Vec<u64>,
    advice: Vec<u64>,
    /// Lines, and the event with the documents inside them.
    pub payments: Vec<(u64, Option<u64>)>,
    /// Payments of earlier runs that it has decided again.
    pub again: Vec<LineId>,
    /// Those of them that are statement's lines whose single payments came with it.
    pub detailed: Vec<LineId>,
}

impl PastRun {
    /// What the journal has of a run.
    pub fn of(journal: &Journal, posting: &PastPosting) -> Result<Self, EngineError> {
        let mut run = Self {
            as_of: posting.as_of,
            parties: Vec::new(),
            items: Vec::new(),
            advice: Vec::new(),
            payments: Vec::new(),
            again: Vec::new(),
            detailed: Vec::new(),
        };
        let mut before: Option<Event> = None;
        for event in posting.events(journal)? {
            match event.kind {
                EventKind::Rows => run.sort(journal, &event, before.as_ref())?,
                EventKind::Reversal => {
                    for id in reversed(journal, &event, what::PAYMENT)? {
                        run.again.push(id.parse().map_err(internal)?);
                    }
                }
                EventKind::Decisions if !run.again.is_empty() => {
                    run.note_details(&rows(journal, event.sequence)?)?;
                }
                _ => {}
            }
            before = Some(event);
        }
        Ok(run)
    }

    /// Notes which payments that were decided again were so because single payments came for them.
    fn note_details(&mut self, payments: &RecordBatch) -> Result<(), EngineError> {
        let text = |name| column::<StringArray>(payments, Table::Payments.column(name));
        let (ids, channels) = (text("payment_id")?, text("channel")?);
        for (id, channel) in ids.iter().flatten().zip(channels) {
            let id = id.parse().map_err(internal)?;
            if channel == Some(Channel::Summary.code()) && self.again.contains(&id) {
                self.detailed.push(id);
            }
        }
        Ok(())
    }

    fn sort(
        &mut self,
        journal: &Journal,
        event: &Event,
        before: Option<&Event>,
    ) -> Result<(), EngineError> {
        let sequence = event.sequence;
        let is = |table: Table| event.subject == table.name();
        if is(Table::Parties) {
            self.parties.push(sequence);
        } else if is(Table::OpenItems) {
            self.items.push(sequence);
        } else if is(Table::Transactions) {
            self.payments.push((sequence, None));
        } else if is(Table::RemittanceLines) {
            let follows = |kind: EventKind| before.is_some_and(|before| before.kind == kind);
            let of_lines = before.filter(|before| before.subject == Table::Transactions.name());
            if follows(EventKind::Rows)
                && let Some(lines) = of_lines
                && are_inside(&rows(journal, sequence)?, &rows(journal, lines.sequence)?)?
            {
                if let Some(last) = self.payments.last_mut() {
                    last.1 = Some(sequence);
                }
                return Ok(());
            }
            // Advice of earlier runs stands behind the reversal that says it waits no longer.
            let is_earlier = match before.filter(|_| follows(EventKind::Reversal)) {
                None => false,
                Some(before) => !reversed(journal, before, what::ADVICE)?.is_empty(),
            };
            if !is_earlier {
                self.advice.push(sequence);
            }
        }
        Ok(())
    }

    /// The rows of a table of the business's own; advice without the payments that it was linked
    /// to.
    pub fn rows(&self, journal: &Journal, table: Table) -> Result<Vec<RecordBatch>, EngineError> {
        let (events, is_advice) = match table {
            Table::Parties => (&self.parties, false),
            Table::OpenItems => (&self.items, false),
            _ => (&self.advice, true),
        };
        let batch = |&sequence: &u64| {
            let batch = rows(journal, sequence)?;
            if !is_advice {
                return Ok(batch);
            }
            let mut columns = batch.columns().to_vec();
            columns[0] = new_null_array(&DataType::Utf8, batch.num_rows());
            RecordBatch::try_new(batch.schema(), columns).map_err(arrow)
        };
        events.iter().map(batch).collect()
    }

    /// The lines at `place` in the order of arrival.
    pub fn payments(&self, journal: &Journal, place: usize) -> Result<PastLines, EngineError> {
        let (lines, documents) = self.payments[place];
        let transactions = rows(journal, lines)?;
        let schema = parsed_remittance_lines();
        let Some(documents) = documents else {
            return Ok(PastLines {
                transactions,
                remittance_lines: RecordBatch::new_empty(schema),
            });
        };
        let documents = rows(journal, documents)?;
        let places = places(&transactions)?;
        let owners: UInt32Array = column::<StringArray>(&documents, 0)?
            .iter()
            .map(|id| {
                places
                    .get(id.unwrap_or_default())
                    .copied()
                    .unwrap_or_default()
            })
            .map(Some)
            .collect();
        let mut columns = documents.columns().to_vec();
        columns[0] = Arc::new(owners);
        let remittance_lines = RecordBatch::try_new(schema, columns).map_err(arrow)?;
        Ok(PastLines {
            transactions,
            remittance_lines,
        })
    }
}

/// The identifiers of lines.
pub fn ids(transactions: &RecordBatch) -> Result<Vec<LineId>, EngineError> {
    let ids: &StringArray = column(transactions, 0)?;
    ids.iter()
        .map(|id| id.unwrap_or_default().parse().map_err(internal))
        .collect()
}

/// What an event takes back of one kind.
pub fn reversed(journal: &Journal, event: &Event, of: &str) -> Result<Vec<String>, EngineError> {
    let mut found = Vec::new();
    for (_, batch) in journal.batches(event.sequence)? {
        let kinds: &StringArray = column(&batch, Table::Reversals.column("what"))?;
        let ids: &StringArray = column(&batch, Table::Reversals.column("id"))?;
        let own = kinds.iter().zip(ids.iter().flatten());
        found.extend(
            own.filter(|(kind, _)| *kind == Some(of))
                .map(|(_, id)| id.to_owned()),
        );
    }
    Ok(found)
}

/// History that is not there any more.
pub fn purged(event: &Event) -> EngineError {
    EngineError::Request(format!(
        "what event {} of posting {} says was purged, so that history before it cannot be decided \
         again",
        event.sequence, event.posting
    ))
}

fn rows(journal: &Journal, sequence: u64) -> Result<RecordBatch, EngineError> {
    let first = journal.batches(sequence)?.into_iter().next();
    first
        .map(|(_, rows)| rows)
        .ok_or_else(|| internal("an event without rows"))
}

fn places(transactions: &RecordBatch) -> Result<HashMap<&str, u32>, EngineError> {
    let ids: &StringArray = column(transactions, 0)?;
    Ok(ids.iter().flatten().zip(0..).collect())
}

/// Whether documents are those inside the lines in front of them: of these payments, and of the
/// same files.
fn are_inside(documents: &RecordBatch, lines: &RecordBatch) -> Result<bool, EngineError> {
    let places = places(lines)?;
    let owners: &StringArray = column(documents, 0)?;
    let files: &StringArray = column(documents, Table::RemittanceLines.column("source_file"))?;
    let of_lines: &StringArray = column(lines, Table::Transactions.column("source_file"))?;
    let is_inside = |row: usize| {
        let place = places
            .get(owners.value(row))
            .filter(|_| owners.is_valid(row));
        place.is_some_and(|&place| of_lines.value(place as usize) == files.value(row))
    };
    Ok((0..documents.num_rows()).all(is_inside))
}
