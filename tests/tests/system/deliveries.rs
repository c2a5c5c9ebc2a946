//! The same content delivered again adds nothing; two true twins both stay.

use std::fs;

use crate::desk::{Desk, Line, statement};

const TWINS: [Line; 3] = [
    ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
    ("142", 8_810, "B7", "BIRCH LUMBER"),
    ("142", 8_810, "B7", "BIRCH LUMBER"),
];

fn payment_ids(desk: &Desk) -> Vec<String> {
    let table = desk.table("payments");
    let mut ids: Vec<_> = table
        .column("payment_id")
        .into_iter()
        .map(str::to_owned)
        .collect();
    ids.sort_unstable();
    ids
}

#[test]
fn twins_on_one_statement_stay() {
    let desk = Desk::with_books();
    desk.put("statement.bai", statement(&TWINS));
    desk.run(&[]);
    let mut ids = payment_ids(&desk);
    assert_eq!(ids.len(), 3);
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_copy_under_another_name_adds_nothing() {
    let desk = Desk::with_books();
    let first = desk.put("statement.bai", statement(&TWINS));
    desk.run(&[]);
    let once = payment_ids(&desk);
    fs::copy(&first, desk.path("in/statement (1).bai")).unwrap();
    let told = desk.run(&[]);
    assert_eq!(payment_ids(&desk), once);
    assert!(told.stdout.contains("statement (1).bai"));
    let findings = desk.table("findings");
    assert_eq!(findings.rows_where("code", "repeated_delivery").len(), 1);
}

#[test]
fn a_path_given_twice_adds_nothing() {
    let desk = Desk::with_books();
    desk.put("statement.bai", statement(&TWINS));
    desk.run(&[]);
    let once = payment_ids(&desk);
    desk.run(&["in", "in/statement.bai"]);
    assert_eq!(payment_ids(&desk), once);
}

#[test]
fn a_renamed_file_has_the_same_identities() {
    let desk = Desk::with_books();
    let first = desk.put("statement.bai", statement(&TWINS));
    desk.run(&[]);
    let once = payment_ids(&desk);
    fs::rename(first, desk.path("in/20260331.txt")).unwrap();
    desk.run(&[]);
    assert_eq!(payment_ids(&desk), once);
}

#[test]
fn a_longer_delivery_adds_what_is_new() {
    let desk = Desk::with_books();
    desk.put("intraday.bai", statement(&TWINS[..2]));
    desk.put("whole-day.bai", statement(&TWINS));
    desk.run(&[]);
    assert_eq!(payment_ids(&desk).len(), 3);
}

#[test]
fn the_shipped_morning_delivered_twice() {
    let desk = Desk::empty();
    let copies = desk.path("again");
    fs::create_dir(&copies).unwrap();
    for entry in fs::read_dir(crate::distributor::folder()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        fs::copy(entry.path(), desk.path("in").join(&name)).unwrap();
        fs::copy(entry.path(), copies.join(format!("copy-{name}"))).unwrap();
    }
    desk.run(&[]);
    let once = payment_ids(&desk);
    let applied = desk.table("applications").rows;
    let told = desk.run(&["again"]);
    assert_eq!(told.status, 0, "{}", told.stdout);
    assert!(told.stdout.contains("  6,000 open items, 120 parties\n"));
    assert_eq!(payment_ids(&desk), once);
    assert_eq!(desk.table("applications").rows, applied);
    let findings = desk.table("findings");
    assert!(
        findings
            .column("severity")
            .iter()
            .all(|severity| *severity == "info")
    );
}
