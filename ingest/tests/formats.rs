//! The small files of `datasets/formats`, one folder a format, one file a dialect or quirk: each
//! is recognised, reads as its golden file says, reads the same however it is cut into chunks,
//! and wherever it ends or is damaged nothing panics and no whole row is lost.
//!
//! `TIEOUT_BLESS=1` writes the golden files anew; read the difference before it is kept.
#![allow(clippy::unwrap_used)]

mod reading;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use reading::{Reading, Row, read_source};
use tieout_core::Severity;
use tieout_ingest::{Format, HEAD_BYTES, Settings, SourceFile, recognize_file, unpack};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../datasets/formats")
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Every file with the format that its folder names.
fn files() -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    for format in children(&folder()).iter().filter(|path| path.is_dir()) {
        let name = format.file_name().unwrap().to_str().unwrap().to_owned();
        let inputs = children(format).into_iter();
        let inputs = inputs.filter(|path| path.extension().is_none_or(|end| end != "golden"));
        files.extend(inputs.map(|path| (name.clone(), path)));
    }
    assert!(!files.is_empty());
    files
}

fn only_file(path: &Path) -> SourceFile {
    let files = unpack(path, "file").unwrap();
    assert_eq!(files.len(), 1, "{}", path.display());
    files.into_iter().next().unwrap()
}

fn recognized(source: &SourceFile) -> Option<&'static dyn Format> {
    recognize_file(source, &source.head(HEAD_BYTES).unwrap())
}

fn settings(chunk_bytes: usize, batch_rows: usize) -> Settings {
    Settings {
        chunk_bytes,
        batch_rows,
        ..Settings::default()
    }
}

/// `bytes` read as `format`, whatever they look like.
fn read_bytes(format: &dyn Format, bytes: &[u8], settings: &Settings) -> Reading {
    let source = SourceFile::from_bytes("file".to_owned(), bytes);
    read_source(format, &source, settings)
}

/// ASCII's characters from the blank to the tilde in code page 037.
const EBCDIC: &[u8; 95] = b"\x40\x5a\x7f\x7b\x5b\x6c\x50\x7d\x4d\x5d\x5c\x4e\x6b\x60\x4b\x61\
      \xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\x7a\x5e\x4c\x7e\x6e\x6f\
      \x7c\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xc8\xc9\xd1\xd2\xd3\xd4\xd5\xd6\
      \xd7\xd8\xd9\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xba\xe0\xbb\xb0\x6d\
      \x79\x81\x82\x83\x84\x85\x86\x87\x88\x89\x91\x92\x93\x94\x95\x96\
      \x97\x98\x99\xa2\xa3\xa4\xa5\xa6\xa7\xa8\xa9\xc0\x4f\xd0\xa1";

fn in_ebcdic(text: &str) -> Vec<u8> {
    let of = |byte: u8| match byte {
        b'\n' => 0x25,
        b'\t' => 0x05,
        b' '..=b'~' => EBCDIC[usize::from(byte - b' ')],
        other => other,
    };
    text.bytes().map(of).collect()
}

#[test]
fn files_read_alike_in_other_character_sets() {
    let mut read = 0;
    for (name, path) in files() {
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8(bytes).unwrap_or_default();
        let is_text = |byte: u8| matches!(byte, b'\r' | b'\n' | b'\t' | b' '..=b'~');
        if text.is_empty() || !text.bytes().all(is_text) {
            continue;
        }
        let plain = only_file(&path);
        let expected = read_source(recognized(&plain).unwrap(), &plain, &Settings::default());
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (set, bytes) in [("EBCDIC", in_ebcdic(&text)), ("UTF-16", little)] {
            let source = SourceFile::from_bytes(plain.name.clone(), bytes);
            let format = recognized(&source).unwrap_or_else(|| panic!("{set} {name} {path:?}"));
            let reading = read_source(format, &source, &Settings::default());
            assert_eq!(reading, expected, "{set} {}", path.display());
        }
        read += 1;
    }
    assert!(read > 100, "only {read} files are plain text");
}

fn write_rows(text: &mut String, title: &str, rows: &[Row]) {
    for (place, row) in rows.iter().enumerate() {
        writeln!(text, "{title} {}", place + 1).unwrap();
        for (column, value) in row.iter().filter(|(column, _)| *column != "source_file") {
            writeln!(text, "  {column}: {}", value.escape_debug()).unwrap();
        }
    }
}

/// A reading as a person can read and compare it.
fn shown(reading: &Reading) -> String {
    let mut text = String::new();
    if let Some(profile) = &reading.counts.profile {
        writeln!(text, "profile {profile}").unwrap();
    }
    write_rows(&mut text, "transaction", &reading.rows);
    write_rows(&mut text, "document", &reading.documents);
    write_rows(&mut text, "balance", &reading.balances);
    for (table, rows) in &reading.tables {
        write_rows(&mut text, table, rows);
    }
    for finding in &reading.findings {
        let (severity, code) = (finding.severity.code(), finding.code.code());
        let line = finding.line.map_or("-".to_owned(), |line| line.to_string());
        writeln!(text, "finding {severity} {code} line {line}").unwrap();
        writeln!(text, "  found: {}", finding.found).unwrap();
        writeln!(text, "  expected: {}", finding.expected).unwrap();
        writeln!(text, "  action: {}", finding.action).unwrap();
    }
    for line in &reading.quarantine {
        writeln!(text, "quarantine {} line {}", line.reason.code(), line.line).unwrap();
        writeln!(text, "  bytes: {}..{}", line.byte_start, line.byte_end).unwrap();
        writeln!(text, "  message: {}", line.message).unwrap();
        writeln!(text, "  raw: {}", line.raw.escape_ascii()).unwrap();
    }
    text
}

#[test]
fn files_read_as_their_golden_files_say() {
    let bless = std::env::var_os("TIEOUT_BLESS").is_some();
    let mut wrong = Vec::new();
    for (name, path) in files() {
        let source = only_file(&path);
        let format = recognized(&source);
        assert_eq!(format.map(Format::name), Some(&*name), "{}", path.display());
        let text = shown(&read_source(format.unwrap(), &source, &Settings::default()));
        let golden = PathBuf::from(format!("{}.golden", path.display()));
        if bless {
            fs::write(&golden, text).unwrap();
        } else if fs::read_to_string(&golden).unwrap_or_default() != text {
            println!("{} reads as\n{text}", path.display());
            wrong.push(path);
        }
    }
    assert_eq!(wrong, [] as [PathBuf; 0], "differ from their golden files");
}

#[test]
fn every_cut_of_the_bytes_reads_the_same() {
    for (name, path) in files() {
        let source = only_file(&path);
        let format = reading::format(&name);
        let whole = read_source(format, &source, &Settings::default());
        for chunk_bytes in [1, 2, 3, 5, 7, 16, 61, 127, 1_024] {
            for batch_rows in [1, 2, 4_096] {
                let cut = read_source(format, &source, &settings(chunk_bytes, batch_rows));
                let context = format!("{} by {chunk_bytes} and {batch_rows}", path.display());
                assert_eq!(shown(&cut), shown(&whole), "{context}");
            }
        }
    }
}

/// The rows that end before `end`, without what names their place in the file.
fn whole_rows(reading: &Reading, end: usize) -> Vec<&Row> {
    let ends_before = |row: &&Row| row["byte_end"].parse::<usize>().unwrap() <= end;
    reading.rows.iter().filter(ends_before).collect()
}

#[test]
fn a_file_may_end_anywhere() {
    for (name, path) in files() {
        let source = only_file(&path);
        if !source.is_plain() {
            continue;
        }
        let format = reading::format(&name);
        let bytes = fs::read(&path).unwrap();
        let whole = read_source(format, &source, &Settings::default());
        // Each byte of a small file; of a larger one about a thousand places.
        let step = bytes.len() / 1_000 + 1;
        for end in (0..bytes.len()).step_by(step) {
            let cut = read_bytes(format, &bytes[..end], &Settings::default());
            let is_told = cut.findings.iter().any(|f| f.severity != Severity::Info)
                || !cut.quarantine.is_empty();
            let kept = whole_rows(&whole, end);
            let is_kept = kept.iter().all(|row| cut.rows.contains(row));
            assert!(is_kept || is_told, "{} to {end}", path.display());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn damage_never_panics_and_is_read_alike(
        which: prop::sample::Index,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9),
        chunk_bytes in 1..200_usize,
    ) {
        let files = files();
        let (name, path) = &files[which.index(files.len())];
        let mut bytes = fs::read(path).unwrap();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let format = reading::format(name);
        let whole = read_bytes(format, &bytes, &Settings::default());
        let cut = read_bytes(format, &bytes, &settings(chunk_bytes, 2));
        prop_assert_eq!(shown(&cut), shown(&whole));
    }
}
