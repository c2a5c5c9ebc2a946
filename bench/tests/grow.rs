//! A grown file is what its bank would send: recognised, read to its end, its totals tie.
#![allow(clippy::unwrap_used)]

use tieout_bench::grow;
use tieout_core::Severity;
use tieout_ingest::{Batch, HEAD_BYTES, Settings, SourceFile, recognize_file};

const BYTES: u64 = 400_000;

#[test]
fn grown_files_tie() {
    let dir = tempfile::tempdir().unwrap();
    for name in grow::names() {
        let path = dir.path().join(name);
        grow::run(name, BYTES, &path).unwrap();
        let file = SourceFile::plain(path, name.to_owned());
        let head = file.head(HEAD_BYTES).unwrap();
        let format = recognize_file(&file, &head).unwrap();
        let mut wrong = Vec::new();
        let counts = format.read(&file, &Settings::default(), &mut |batch| {
            match batch {
                Batch::Finding(found) if found.severity != Severity::Info => {
                    wrong.push(format!("{found:?}"));
                }
                Batch::Quarantine(line) => wrong.push(format!("{line:?}")),
                Batch::Finding(_)
                | Batch::Statement(_)
                | Batch::Transactions { .. }
                | Batch::Rows(..) => {}
            }
            Ok(())
        });
        let counts = counts.unwrap();
        assert_eq!(wrong, [""; 0], "{name}");
        assert!(counts.bytes >= BYTES && counts.rows > 100, "{name}");
    }
}

#[test]
fn other_formats_are_refused() {
    let path = std::env::temp_dir().join("never-written");
    let refused = grow::run("fax", BYTES, &path).unwrap_err().to_string();
    assert!(refused.contains("mt940"), "{refused}");
    assert!(!path.exists());
}
