//! Payments a second of a whole run: files in, decisions written as CSV.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tieout::{FileFormat, NoProgress, Output, RunOptions};

mod files;

/// Runs the morning; returns the payments in scope.
fn run(dir: &Path) -> u64 {
    let out = tempfile::tempdir().unwrap();
    let mut options = RunOptions::new(vec![dir.to_owned()]);
    options.out = Some(Output::all(out.path().join("out"), FileFormat::Csv));
    let summary = tieout::run(&options, &NoProgress).unwrap();
    summary.currencies.iter().map(|c| c.money_in.count).sum()
}

fn morning(criterion: &mut Criterion) {
    let dir = files::morning();
    let payments = u64::from(files::payments());
    assert_eq!(run(dir.path()), payments);
    let mut group = criterion.benchmark_group("morning");
    group.sample_size(10);
    group.throughput(Throughput::Elements(payments));
    group.bench_function("run", |bencher| bencher.iter(|| run(dir.path())));
    group.finish();
}

criterion_group!(benches, morning);
criterion_main!(benches);
