//! What the business knows of a morning and what was paid, as canonical batches, and how a session
//! takes them.

use std::path::Path;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use tieout_core::schema::{Table, parsed_remittance_lines};
use tieout_ingest::Batch;
use tieout_matcher::{Arrivals, Decisions, Recipe, Session};

use super::{bank_files, read};

/// What the business knows.
pub struct Books {
    pub parties: Vec<RecordBatch>,
    pub items: Vec<RecordBatch>,
    pub remittances: Vec<RecordBatch>,
}

impl Books {
    /// Those of the folder.
    pub fn read(dir: &Path) -> Self {
        let mut books = Self {
            parties: Vec::new(),
            items: Vec::new(),
            remittances: Vec::new(),
        };
        for name in ["parties.csv", "open_items.csv", "remittances.csv"] {
            read(&dir.join(name), |batch| match batch {
                Batch::Rows(Table::Parties, rows) => books.parties.push(rows),
                Batch::Rows(Table::OpenItems, rows) => books.items.push(rows),
                Batch::Rows(Table::RemittanceLines, rows) => books.remittances.push(rows),
                _ => {}
            });
        }
        books
    }

    /// A session that has them all.
    pub fn session(&self) -> Session {
        let mut session = Session::new(Recipe::cash_application(), None, false);
        for rows in &self.parties {
            session.load_parties(rows).unwrap();
        }
        for rows in &self.items {
            session.load_items(rows, None).unwrap();
        }
        for rows in &self.remittances {
            session.load_remittances(rows).unwrap();
        }
        session.finish_loading();
        session
    }
}

/// The transactions of each batch with their document lines.
pub type Payments = Vec<(RecordBatch, RecordBatch)>;

/// All payments of the folder.
pub fn payments(dir: &Path) -> Payments {
    let mut payments = Vec::new();
    for file in bank_files(dir) {
        read(&file, |batch| {
            if let Batch::Transactions {
                transactions,
                remittance_lines,
            } = batch
            {
                payments.push((transactions, remittance_lines));
            }
        });
    }
    payments
}

/// What the first pass has left: transactions with their document lines and sequences.
pub type Waiting = Vec<(RecordBatch, RecordBatch, Vec<u32>)>;

/// The first pass; returns how many payments it decided, and the others.
pub fn references(session: &mut Session, payments: &Payments) -> (usize, Waiting) {
    let mut arrivals = Arrivals::new(session.recipe());
    let mut left = Vec::new();
    let mut decided = 0;
    for (transactions, lines) in payments {
        let arrived = arrivals.take(transactions, lines, None).unwrap();
        let sequence = arrived.first;
        let Decisions {
            decisions, waiting, ..
        } = session.references(transactions, lines, arrived).unwrap();
        decided += decisions.len();
        let sequences: Vec<u32> = waiting.iter().map(|row| sequence + row).collect();
        let rows = take_record_batch(transactions, &UInt32Array::from(waiting.clone())).unwrap();
        left.push((rows, lines_of(lines, &waiting), sequences));
    }
    session.close(arrivals);
    (decided, left)
}

/// The second pass; returns how many payments it decided.
pub fn amounts(session: &mut Session, mut left: Waiting) -> usize {
    let count = left.iter().map(|(_, _, sequences)| sequences.len()).sum();
    for (transactions, lines, sequences) in &left {
        session.prepare(transactions, lines, sequences).unwrap();
    }
    while !left.is_empty() {
        for (transactions, lines, sequences) in &left {
            session.claim(transactions, lines, sequences).unwrap();
        }
        session.settle();
        let mut rest = Vec::new();
        for (transactions, lines, sequences) in &left {
            let Decisions { waiting, .. } =
                session.amounts(transactions, lines, sequences).unwrap();
            if !waiting.is_empty() {
                let numbers = waiting.iter().map(|&row| sequences[row as usize]);
                let rows = UInt32Array::from(waiting.clone());
                let rows = take_record_batch(transactions, &rows).unwrap();
                rest.push((rows, lines_of(lines, &waiting), numbers.collect()));
            }
        }
        session.take_effect_together().unwrap();
        left = rest;
    }
    count
}

/// The document lines of some rows, renumbered to their places among them.
fn lines_of(lines: &RecordBatch, rows: &[u32]) -> RecordBatch {
    let owners = lines
        .column(0)
        .as_any()
        .downcast_ref::<UInt32Array>()
        .unwrap();
    let mut kept = Vec::new();
    let mut places = Vec::new();
    for (at, owner) in owners.values().iter().enumerate() {
        if let Ok(place) = rows.binary_search(owner) {
            kept.push(at as u32);
            places.push(place as u32);
        }
    }
    let taken = take_record_batch(lines, &UInt32Array::from(kept)).unwrap();
    let mut columns = taken.columns().to_vec();
    columns[0] = std::sync::Arc::new(UInt32Array::from(places));
    let schema = parsed_remittance_lines();
    let batch = RecordBatch::try_new(schema.clone(), columns).unwrap();
    concat_batches(&schema, [&batch]).unwrap()
}
