//! The same bytes of output, however the work is cut: by chunks, batches or threads.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tieout::{FileFormat, Settings};

use crate::desk::{Desk, statement};
use crate::distributor::{files, folder, options, run};

fn outputs(input: PathBuf, format: FileFormat, settings: Settings) -> BTreeMap<String, Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let mut options = options(input, dir.path(), format);
    options.settings = settings;
    run(&options);
    files(dir.path())
}

fn settings(threads: usize, chunk_bytes: usize, batch_rows: usize) -> Settings {
    Settings {
        threads,
        chunk_bytes,
        batch_rows,
        ..Settings::default()
    }
}

/// `assert_eq` would print megabytes.
fn assert_same(left: &BTreeMap<String, Vec<u8>>, right: &BTreeMap<String, Vec<u8>>, cut: &str) {
    assert!(left.keys().eq(right.keys()), "{cut}: other files");
    for (name, bytes) in left {
        if *bytes != right[name] {
            let lines = |bytes: &[u8]| {
                String::from_utf8_lossy(bytes)
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let (left, right) = (lines(bytes), lines(&right[name]));
            let place = left.iter().zip(&right).position(|(a, b)| a != b);
            let place = place.unwrap_or(left.len().min(right.len()));
            panic!(
                "{cut}: {name} differs at line {}:\n{:?}\n{:?}",
                place + 1,
                left.get(place),
                right.get(place)
            );
        }
    }
}

#[test]
fn threads_chunks_and_batches_change_nothing() {
    let reference = outputs(folder(), FileFormat::Csv, settings(1, 1 << 20, 8_192));
    assert!(reference["applications.csv"].len() > 10_000);
    for (threads, chunk_bytes, batch_rows) in [
        (2, 1 << 20, 8_192),
        (4, 1 << 20, 8_192),
        (1, 4_096, 8_192),
        (4, 4_096, 100),
        (2, 1 << 16, 1),
        (4, 1_000, 37),
    ] {
        let cut = format!("{threads} threads, {chunk_bytes} bytes, {batch_rows} rows");
        let other = outputs(
            folder(),
            FileFormat::Csv,
            settings(threads, chunk_bytes, batch_rows),
        );
        assert_same(&reference, &other, &cut);
    }
}

#[test]
fn other_formats_do_not_depend_on_the_cut_either() {
    for format in [FileFormat::Json, FileFormat::Parquet] {
        let one = outputs(folder(), format, settings(1, 1 << 20, 8_192));
        let other = outputs(folder(), format, settings(4, 4_096, 50));
        assert_same(&one, &other, &format!("{format:?}"));
    }
}

#[test]
fn a_few_bytes_at_a_time() {
    let desk = Desk::with_books();
    let lines = [
        ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
        ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
        ("165", 120_000, "B2", "BIRCH LUMBER INV-20001"),
        ("475", 1_000, "B3", "CHECK PAID"),
    ];
    desk.put("statement.bai", statement(&lines));
    desk.put("cut.bai", &statement(&lines[1..])[..200]);
    desk.put("junk.bin", [0_u8, 159, 146, 150, 13, 10, 0, 255].repeat(50));
    let input = desk.path("in");
    let reference = outputs(input.clone(), FileFormat::Csv, settings(1, 1 << 20, 8_192));
    for chunk_bytes in [1, 2, 3, 7, 64, 200, 4_096] {
        for batch_rows in [1, 2, 8_192] {
            let cut = format!("{chunk_bytes} bytes, {batch_rows} rows");
            let other = outputs(
                input.clone(),
                FileFormat::Csv,
                settings(2, chunk_bytes, batch_rows),
            );
            assert_same(&reference, &other, &cut);
        }
    }
}
