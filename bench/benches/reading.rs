//! Bytes a second from a file to canonical batches, one format at a time.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

mod files;

fn reading(criterion: &mut Criterion) {
    let dir = files::morning();
    let mut group = criterion.benchmark_group("reading");
    group.sample_size(10);
    for name in [
        "lockbox_invoice.txt",
        "lockbox_text.txt",
        "statement.bai2",
        "open_items.csv",
    ] {
        let path = dir.path().join(name);
        let counts = files::read(&path, drop);
        assert!(
            counts.rows > 0 && counts.quarantined == 0,
            "{name}: {counts:?}"
        );
        group.throughput(Throughput::Bytes(counts.bytes));
        group.bench_function(name, |bencher| bencher.iter(|| files::read(&path, drop)));
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
