//! Payments a second from canonical batches to decisions: loading the books, then both passes.
#![allow(clippy::unwrap_used)]

use arrow::array::RecordBatch;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tieout_matcher::Session;

use files::books::{self, Books, Payments};

mod files;

/// Bytes of indexes that an open item may cost.
const INDEX_BYTES_MAX: usize = 200;

/// Decides everything; returns how many were decided in the first pass, and in all.
fn decide(mut session: Session, payments: &Payments) -> (usize, usize) {
    let (first, left) = books::references(&mut session, payments);
    (first, first + books::amounts(&mut session, left))
}

fn matching(criterion: &mut Criterion) {
    let dir = files::morning();
    let known = Books::read(dir.path());
    let payments = books::payments(dir.path());
    let (first, all) = decide(known.session(), &payments);
    assert!(first * 10 > all * 7, "{first} of {all} in the first pass");
    let items: usize = known.items.iter().map(RecordBatch::num_rows).sum();
    let indexes = known.session().items().index_bytes();
    let bytes: usize = indexes.iter().map(|(_, bytes)| bytes).sum();
    assert!(bytes < INDEX_BYTES_MAX * items, "{indexes:?}");
    let mut group = criterion.benchmark_group("matching");
    group.sample_size(10);
    group.throughput(Throughput::Elements(items as u64));
    group.bench_function("load_items", |bencher| bencher.iter(|| known.session()));
    group.throughput(Throughput::Elements(all as u64));
    group.bench_function("decide_payments", |bencher| {
        bencher.iter_batched(
            || known.session(),
            |session| decide(session, &payments),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, matching);
criterion_main!(benches);
