//! Any bytes, read as the format that the program is named after, never panic, and read the same
//! however they are cut into chunks and batches.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tieout_ingest::{Batch, Counts, FORMATS, Format, Settings, SourceFile};

static FORMAT: LazyLock<&'static dyn Format> = LazyLock::new(|| {
    let program = std::env::current_exe().expect("the program's own path");
    let name = program.file_stem().and_then(|name| name.to_str()).expect("a name");
    let found = FORMATS.iter().find(|format| format.name().replace('.', "_") == name);
    *found.expect("a program named after a format")
});

/// What was read: the counts, findings and quarantine; rows are compared by their number.
fn read(file: &SourceFile, chunk_bytes: usize, batch_rows: usize) -> (Counts, Vec<String>) {
    let settings = Settings {
        chunk_bytes,
        batch_rows,
        threads: 1,
        ..Settings::default()
    };
    let mut said = Vec::new();
    let mut receiver = |batch| {
        match batch {
            Batch::Finding(finding) => said.push(format!("{finding:?}")),
            Batch::Quarantine(line) => said.push(format!("{line:?}")),
            Batch::Transactions { .. } | Batch::Rows(..) => {}
        }
        Ok(())
    };
    let counts = FORMAT.read(file, &settings, &mut receiver);
    (counts.expect("bytes in memory can be read"), said)
}

fuzz_target!(|bytes: &[u8]| {
    let file = SourceFile::from_bytes("file".to_owned(), bytes);
    let whole = read(&file, 1 << 16, 4_096);
    assert_eq!(read(&file, 7, 1), whole);
});
