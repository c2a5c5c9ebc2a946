#![allow(clippy::unwrap_used)]
mod reading;
use reading::{Row, read_source};
use tieout_ingest::{HEAD_BYTES, Settings, recognize_file, unpack};
fn rows(title: &str, rows: &[Row]) {
    for r in rows {
        println!("{title} {r:?}");
    }
}
#[test]
fn dump() {
    let Ok(paths) = std::env::var("DUMP") else {
        return;
    };
    for path in paths.split('\n') {
        println!(">>> {path}");
        for source in unpack(path.as_ref(), "file").unwrap() {
            let head = source.head(HEAD_BYTES).unwrap();
            let Some(f) = recognize_file(&source, &head) else {
                println!("unrecognized");
                continue;
            };
            let r = read_source(f, &source, &Settings::default());
            if std::env::var("SHORT").is_err() {
                rows("T", &r.rows);
                rows("D", &r.documents);
                rows("B", &r.balances);
                for (t, x) in &r.tables {
                    rows(t, x);
                }
            }
            for f in &r.findings {
                println!(
                    "F {} {} {:?} | {} | {} ",
                    f.severity.code(),
                    f.code.code(),
                    f.line,
                    f.found,
                    f.expected
                );
            }
            for q in &r.quarantine {
                println!(
                    "Q {} {} {}..{} {}",
                    q.reason.code(),
                    q.line,
                    q.byte_start,
                    q.byte_end,
                    q.message
                );
            }
        }
    }
}
