//! Files that real banks and other projects wrote, where they are at hand: each is read, or
//! refused with a finding that says where and why.

use std::fs;
use std::path::{Path, PathBuf};

use crate::desk::{Desk, Table};

/// The folder of samples, or none on a machine that does not have them.
fn samples(kind: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = match std::env::var_os("TIEOUT_SAMPLES") {
        Some(folder) => root.join(folder),
        None => root.join("../shared/samples"),
    };
    let found = folder.join(kind);
    if found.is_dir() {
        return Some(found);
    }
    eprintln!("no samples in {}: nothing to check", found.display());
    None
}

fn files_under(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_under(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// Runs one file and gives its transactions and findings.
fn read(file: &Path) -> (Table, Table) {
    let desk = Desk::empty();
    let told = desk.tieout(&["run", file.to_str().unwrap(), "--out", "out"]);
    let context = format!("{}: {}{}", file.display(), told.stdout, told.stderr);
    assert!(matches!(told.status, 0 | 3), "{context}");
    let (transactions, findings) = (desk.table("transactions"), desk.table("findings"));
    let quarantine = desk.table("quarantine");
    let refused = !findings.rows_where("severity", "error").is_empty();
    let read = !transactions.rows.is_empty() || !desk.table("balances").rows.is_empty();
    assert!(read || refused || !quarantine.rows.is_empty(), "{context}");
    assert_eq!(
        told.status == 3,
        refused || !quarantine.rows.is_empty(),
        "{context}"
    );
    for row in &findings.rows {
        assert!(!findings.cell(row, "found").is_empty(), "{context}");
    }
    (transactions, findings)
}

#[test]
fn every_bai2_sample_is_read_or_refused() {
    let Some(folder) = samples("bai2") else {
        return;
    };
    let mut files = Vec::new();
    files_under(&folder, &mut files);
    assert!(!files.is_empty());
    let mut rows = 0;
    for file in &files {
        rows += read(file).0.rows.len();
    }
    assert!(
        rows > 50,
        "only {rows} transactions in {} files",
        files.len()
    );
}

#[test]
fn a_wrong_checksum_is_found() {
    let Some(folder) = samples("bai2") else {
        return;
    };
    let file = folder.join("venturehacks__bai2/test/data/invalid_checksum_eod.bai2");
    let (transactions, findings) = read(&file);
    assert!(!transactions.rows.is_empty());
    let row = findings.rows_where("code", "control_total")[0];
    assert!(!findings.cell(row, "source_line").is_empty());
    assert!(!findings.cell(row, "expected").is_empty());
}

#[test]
fn every_lockbox_sample_is_read_or_refused() {
    let Some(folder) = samples("lockbox") else {
        return;
    };
    let mut files = Vec::new();
    files_under(&folder, &mut files);
    assert!(!files.is_empty());
    for file in &files {
        let (transactions, _) = read(file);
        assert!(!transactions.rows.is_empty(), "{}", file.display());
    }
}
