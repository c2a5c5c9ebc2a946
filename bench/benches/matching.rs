//! Payments a second from canonical batches to decisions: loading the books, then both passes.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tieout_core::schema::{Table, parsed_remittance_lines};
use tieout_ingest::Batch;
use tieout_matcher::{Arrivals, Decisions, Recipe, Session};

mod files;

/// What the business knows.
struct Books {
    parties: Vec<RecordBatch>,
    items: Vec<RecordBatch>,
    remittances: Vec<RecordBatch>,
}

impl Books {
    fn read(dir: &Path) -> Self {
        let mut books = Self {
            parties: Vec::new(),
            items: Vec::new(),
            remittances: Vec::new(),
        };
        for name in ["parties.csv", "open_items.csv", "remittances.csv"] {
            files::read(&dir.join(name), |batch| match batch {
                Batch::Rows(Table::Parties, rows) => books.parties.push(rows),
                Batch::Rows(Table::OpenItems, rows) => books.items.push(rows),
                Batch::Rows(Table::RemittanceLines, rows) => books.remittances.push(rows),
                _ => {}
            });
        }
        books
    }

    fn session(&self) -> Session {
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

type Payments = Vec<(RecordBatch, RecordBatch)>;

fn payments(dir: &Path) -> Payments {
    let mut payments = Vec::new();
    for file in files::bank_files(dir) {
        files::read(&file, |batch| {
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

/// Decides everything; returns how many were decided in the first pass, and in all.
fn decide(mut session: Session, payments: &Payments) -> (usize, usize) {
    let mut arrivals = Arrivals::new(session.recipe());
    let mut left = Vec::new();
    let (mut first, mut all) = (0, 0);
    for (transactions, lines) in payments {
        let arrived = arrivals.take(transactions, lines, None).unwrap();
        let sequence = arrived.first;
        let Decisions {
            decisions, waiting, ..
        } = session.references(transactions, lines, arrived).unwrap();
        first += decisions.len();
        all += decisions.len() + waiting.len();
        let sequences: Vec<u32> = waiting.iter().map(|row| sequence + row).collect();
        let rows = take_record_batch(transactions, &UInt32Array::from(waiting.clone())).unwrap();
        left.push((rows, lines_of(lines, &waiting), sequences));
    }
    session.close(arrivals);
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
    (first, all)
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

fn matching(criterion: &mut Criterion) {
    let dir = files::morning();
    let books = Books::read(dir.path());
    let payments = payments(dir.path());
    let (first, all) = decide(books.session(), &payments);
    assert!(first * 10 > all * 7, "{first} of {all} in the first pass");
    let mut group = criterion.benchmark_group("matching");
    group.sample_size(10);
    let items: usize = books.items.iter().map(RecordBatch::num_rows).sum();
    group.throughput(Throughput::Elements(items as u64));
    group.bench_function("load_items", |bencher| bencher.iter(|| books.session()));
    group.throughput(Throughput::Elements(all as u64));
    group.bench_function("decide_payments", |bencher| {
        bencher.iter_batched(
            || books.session(),
            |session| decide(session, &payments),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, matching);
criterion_main!(benches);
