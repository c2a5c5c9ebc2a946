//! Rows a second from batches of `open_items` to a file, in each format. The table has texts,
//! dates and amounts, as `payments` has.
#![allow(clippy::unwrap_used)]

use arrow::array::RecordBatch;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tieout_core::schema::Table;
use tieout_ingest::Batch;
use tieout_ledger::{Columns, FileFormat, Folder};

mod files;

fn write(batches: &[RecordBatch], format: FileFormat) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let mut folder = Folder::create(&out, &[Table::OpenItems], format, Columns::All).unwrap();
    for batch in batches {
        folder.write(Table::OpenItems, batch).unwrap();
    }
    folder.finish().unwrap().iter().map(|(_, rows)| rows).sum()
}

fn writing(criterion: &mut Criterion) {
    let dir = files::morning();
    let mut batches = Vec::new();
    files::read(&dir.path().join("open_items.csv"), |batch| {
        if let Batch::Rows(Table::OpenItems, rows) = batch {
            batches.push(rows);
        }
    });
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let mut group = criterion.benchmark_group("writing");
    group.sample_size(10);
    group.throughput(Throughput::Elements(rows as u64));
    for (name, format) in [
        ("csv", FileFormat::Csv),
        ("json", FileFormat::Json),
        ("parquet", FileFormat::Parquet),
    ] {
        assert_eq!(write(&batches, format), rows as u64);
        group.bench_function(name, |bencher| bencher.iter(|| write(&batches, format)));
    }
    group.finish();
}

criterion_group!(benches, writing);
criterion_main!(benches);
