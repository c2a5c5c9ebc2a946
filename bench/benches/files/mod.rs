//! The generated morning that a bench reads, and its canonical batches.
#![allow(dead_code, clippy::unwrap_used)]

pub mod books;
pub mod clock;

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tieout_bench::generate;
use tieout_ingest::{Batch, Counts, HEAD_BYTES, Settings, SourceFile, recognize_file};

/// Payments of the morning: `TIEOUT_BENCH_PAYMENTS`, or 100,000; few where only the test that
/// the bench runs is wanted.
pub fn payments() -> u32 {
    if !std::env::args().any(|argument| argument == "--bench") {
        return 400;
    }
    let wanted = std::env::var("TIEOUT_BENCH_PAYMENTS").ok();
    wanted
        .and_then(|count| count.parse().ok())
        .unwrap_or(100_000)
}

/// Generates the morning, the truth apart from it.
pub fn morning() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    generate::run(payments(), 1, dir.path(), None).unwrap();
    std::fs::remove_file(dir.path().join("truth.csv")).unwrap();
    dir
}

/// Reads a file as the engine does; gives each batch to `take`.
pub fn read(path: &Path, mut take: impl FnMut(Batch)) -> Counts {
    let file = SourceFile::plain(path.to_owned(), path.display().to_string());
    let head = file.head(HEAD_BYTES).unwrap();
    let format = recognize_file(&file, &head).unwrap();
    let mut receiver = |batch| {
        take(batch);
        Ok(())
    };
    format
        .read(&file, &Settings::default(), &mut receiver)
        .unwrap()
}

/// The bank's files of a morning, in the order of their names.
pub fn bank_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "txt" || e == "bai2"))
        .collect();
    files.sort();
    files
}
