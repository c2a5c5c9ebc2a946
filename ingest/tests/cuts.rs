//! However a file is cut into chunks and batches it reads the same; wherever it ends or is
//! damaged, nothing panics and every line is accounted for.
#![allow(clippy::unwrap_used)]

#[path = "../fuzz/check.rs"]
mod check;
mod reading;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use reading::{Reading, data, read_with};
use tieout_core::Severity;
use tieout_ingest::{FORMATS, Settings};

const FILES: [(&str, &str); 3] = [
    ("lockbox", "invoice.lockbox"),
    ("lockbox", "text.lockbox"),
    ("bai2", "statement.bai2"),
];

fn settings(chunk_bytes: usize, batch_rows: usize) -> Settings {
    Settings {
        chunk_bytes,
        batch_rows,
        ..Settings::default()
    }
}

fn lines_of(bytes: &[u8]) -> Vec<(u64, u64)> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        lines.push((start, start + line.len() as u64));
        start += line.len() as u64;
    }
    lines
}

/// Every line with money or text in it is in exactly one row or in quarantine.
fn accounts_for_every_line(format: &str, bytes: &[u8], reading: &Reading) {
    let ranges: Vec<(u64, u64)> = reading
        .rows
        .iter()
        .map(|row| {
            (
                row["byte_start"].parse().unwrap(),
                row["byte_end"].parse().unwrap(),
            )
        })
        .collect();
    for (start, end) in lines_of(bytes) {
        let line = &bytes[start as usize..end as usize];
        let carries = match format {
            "lockbox" => !line.is_empty() && !matches!(line[0], b'1' | b'2' | b'5' | b'7'..=b'9'),
            _ => line.starts_with(b"16,"),
        };
        if !carries || line.trim_ascii().is_empty() {
            continue;
        }
        let overlaps = |from: u64, to: u64| from < end && start < to;
        let in_rows = ranges
            .iter()
            .filter(|(from, to)| overlaps(*from, *to))
            .count();
        let refused = reading
            .quarantine
            .iter()
            .filter(|line| overlaps(line.byte_start, line.byte_end))
            .count();
        let text = String::from_utf8_lossy(line);
        assert!(in_rows + refused >= 1, "{text} is lost");
        assert!(in_rows <= 1 || format == "bai2", "{text} is in two rows");
    }
}

#[test]
fn every_cut_of_the_bytes_reads_the_same() {
    for (format, name) in FILES {
        let bytes = data(name);
        let whole = read_with(format, &bytes, &settings(1 << 20, 8_192));
        assert!(whole.rows.len() >= 3);
        for chunk_bytes in (1..100).chain([1_000, 4_096]) {
            for batch_rows in [1, 2, 3] {
                let cut = read_with(format, &bytes, &settings(chunk_bytes, batch_rows));
                assert_eq!(
                    cut, whole,
                    "{name} by {chunk_bytes} bytes and {batch_rows} rows"
                );
            }
        }
    }
}

#[test]
fn a_file_may_end_anywhere() {
    for (format, name) in FILES {
        let bytes = data(name);
        for end in 0..bytes.len() {
            let reading = read_with(format, &bytes[..end], &settings(64, 2));
            accounts_for_every_line(format, &bytes[..end], &reading);
            let is_whole = matches!(bytes[end..].trim_ascii(), b"" | b"/");
            let is_begun = bytes[..end].contains(&b'\n');
            let is_named = reading
                .findings
                .iter()
                .any(|finding| finding.severity != Severity::Info);
            assert!(is_named || is_whole || !is_begun, "{name} to {end}");
        }
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// What the fuzz programs made up and was worth keeping: a folder a program, a file an input.
#[test]
fn saved_inputs_of_the_fuzz_programs_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/saved");
    let mut broken = Vec::new();
    let mut inputs = 0;
    for program in children(&folder) {
        let name = program.file_name().unwrap().to_str().unwrap();
        let format = FORMATS
            .iter()
            .find(|format| format.name().replace('.', "_") == name)
            .unwrap_or_else(|| panic!("{name} is no format"));
        for input in children(&program) {
            let bytes = std::fs::read(&input).unwrap();
            inputs += 1;
            let holds = AssertUnwindSafe(|| check::check(*format, &bytes));
            if catch_unwind(holds).is_err() {
                broken.push(input);
            }
        }
    }
    assert!(inputs > 0);
    assert!(broken.is_empty(), "{broken:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_bytes_lose_no_line(
        which in 0..FILES.len(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        chunk_bytes in 1..300_usize,
        batch_rows in 1..5_usize,
    ) {
        let (format, name) = FILES[which];
        let mut bytes = data(name);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            // Line ends stay, so that lines can be told apart without the reader.
            if bytes[at] != b'\n' && bytes[at] != b'\r' && byte != b'\r' {
                bytes[at] = byte;
            }
        }
        let reading = read_with(format, &bytes, &settings(chunk_bytes, batch_rows));
        accounts_for_every_line(format, &bytes, &reading);
        prop_assert_eq!(&reading, &read_with(format, &bytes, &settings(1 << 20, 8_192)));
    }

    #[test]
    fn any_bytes_are_read_to_their_end(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        format in prop_oneof![Just("bai2"), Just("lockbox")],
    ) {
        let reading = read_with(format, &bytes, &settings(7, 2));
        prop_assert!(reading.rows.is_empty() || format == "bai2" || !bytes.is_empty());
    }

    #[test]
    fn any_records_are_read_to_their_end(
        lines in proptest::collection::vec("(01|02|03|16|49|88|98|99|4|5|6|7|8|9),?[-0-9,/A-Z ]{0,60}", 0..20),
        format in prop_oneof![Just("bai2"), Just("lockbox")],
    ) {
        let bytes = lines.join("\n").into_bytes();
        let reading = read_with(format, &bytes, &settings(16, 3));
        prop_assert_eq!(&reading, &read_with(format, &bytes, &settings(1 << 20, 8_192)));
    }
}
