//! `tieout inspect`: what a file is, for whoever asks the bank about it.

use crate::desk::{Desk, statement};

#[test]
fn a_statement_is_shown_with_its_lines_beside_its_rows() {
    let desk = Desk::empty();
    let lines = [
        ("195", 50_000, "REF1", "WIRE FROM ACME INV-10001"),
        ("475", 1_250, "REF2", "CHECK 1007"),
    ];
    desk.put("day.bai2", statement(&lines));
    let told = desk.tieout(&["inspect", "in/day.bai2", "--rows", "1"]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    for part in [
        "format   bai2:",
        "transactions 2",
        "500.00  out",
        "totals and balances tie",
        "| 16,195,50000",
        "amount=500.00",
        "more rows",
    ] {
        assert!(
            told.stdout.contains(part),
            "{part} is not in\n{}",
            told.stdout
        );
    }
    assert!(
        !told.stdout.contains("16,475"),
        "only one row was asked for"
    );
}

#[test]
fn what_is_wrong_with_a_file_is_shown() {
    let desk = Desk::empty();
    let lines = [("195", 50_000, "REF1", "WIRE")];
    let wrong = statement(&lines).replacen("16,195,50000", "16,195,5x000", 1);
    desk.put("day.bai2", wrong);
    let told = desk.tieout(&["inspect", "in/day.bai2"]);
    assert_eq!(told.status, 3, "{}", told.stdout);
    assert!(told.stdout.contains("Quarantine"), "{}", told.stdout);
    assert!(told.stdout.contains("bad_amount"), "{}", told.stdout);
    desk.put("letter", "Dear customer");
    let told = desk.tieout(&["inspect", "in/letter"]);
    assert_eq!(told.status, 3);
    assert!(told.stdout.contains("no known format"), "{}", told.stdout);
    let told = desk.tieout(&["inspect", "in/nowhere"]);
    assert_eq!(told.status, 1);
    assert!(told.stderr.contains("nowhere"), "{}", told.stderr);
}
