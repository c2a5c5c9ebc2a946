//! Reads files one after the other on one thread, and says how fast: the parser alone, with its
//! batches thrown away, beside a scan of the same bytes for line ends.
//!
//! `cargo run --release -p tieout-bench --example parse -- FILE...` prints one JSON object a file.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mimalloc::MiMalloc;
use serde_json::json;
use tieout_core::Severity;
use tieout_ingest::{Batch, HEAD_BYTES, Settings, SourceFile, recognize_file, unpack};

/// The one of the command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn parse(file: &SourceFile) -> serde_json::Value {
    let format = recognize_file(file, &file.head(HEAD_BYTES).unwrap()).unwrap();
    let settings = Settings {
        threads: 1,
        ..Settings::default()
    };
    let mut errors = Vec::new();
    let began = Instant::now();
    let counts = format.read(file, &settings, &mut |batch| {
        if let Batch::Finding(finding) = batch
            && finding.severity == Severity::Error
        {
            errors.push(finding.found);
        }
        Ok(())
    });
    let seconds = began.elapsed();
    let counts = counts.unwrap();
    json!({
        "format": format.name(),
        "bytes": counts.bytes,
        "rows": counts.rows,
        "quarantined": counts.quarantined,
        "errors": errors,
        "seconds": seconds.as_secs_f64(),
        "scan_seconds": scan(file).as_secs_f64(),
    })
}

/// The time to read the file and find its line ends: nothing reads it faster.
fn scan(file: &SourceFile) -> Duration {
    let began = Instant::now();
    let bytes = fs::read(&file.path).unwrap();
    let lines = memchr::memchr_iter(b'\n', &bytes).count();
    std::hint::black_box(lines);
    began.elapsed()
}

fn main() {
    for path in std::env::args().skip(1).map(PathBuf::from) {
        for file in unpack(&path, &path.display().to_string()).unwrap() {
            println!("{}", parse(&file));
        }
    }
}
