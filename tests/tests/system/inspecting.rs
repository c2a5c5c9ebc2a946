//! `tieout inspect`: what a file is, for whoever asks the bank about it.

use std::fs;
use std::path::Path;

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

/// A workbook with statements on its first and third sheets.
fn two_months() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/formats/bank_xlsx");
    fs::read(folder.join("two_months.xlsx")).unwrap()
}

#[test]
fn a_line_of_a_workbook_is_named_by_its_sheet_and_row_too() {
    let desk = Desk::with_books();
    desk.put("bank.xlsx", two_months());
    let told = desk.tieout(&["inspect", "in/bank.xlsx"]);
    assert_eq!(told.status, 3, "{}{}", told.stdout, told.stderr);
    for part in [
        "line 4, sheet March, row 4",
        "line 11, sheet April, row 4",
        "INV-10001",
        "line 12 (bytes 0 to 0) bad_amount: sheet April, row 5:",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }

    let told = desk.run(&["--ledger", "ledger"]);
    assert_eq!(told.status, 3, "{}{}", told.stdout, told.stderr);
    let payments = desk.table("payments");
    let paid = payments.rows_where("amount", "500.00");
    assert_eq!(payments.cell(paid[0], "source_line"), "11");
    let id = payments.cell(paid[0], "payment_id");
    let told = desk.tieout(&["explain", id, "--ledger", "ledger"]);
    for part in [
        "bank.xlsx:11 (sheet April, row 4, bank_xlsx)",
        "| 2026-04-01 ACME TOOLS INC INV-10001 500 USD",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }
}

#[test]
fn a_profile_beside_the_file_counts_as_in_a_run() {
    let desk = Desk::empty();
    let file = "Wann;Was;Wieviel\n03.04.2026;Miete;-850,00\n05.06.2026;Verkauf;12,00\n";
    desk.put("bank.csv", file);
    let told = desk.tieout(&["inspect", "in/bank.csv"]);
    assert!(
        told.stdout.contains("no heading is known"),
        "{}",
        told.stdout
    );

    let profile = "format = \"bank_csv\"\nname = \"harbour\"\ncontains = \"Wieviel\"\n\
                   dates = \"DMY\"\ncurrency = \"EUR\"\n\
                   [columns]\ndate = \"Wann\"\ntext = \"Was\"\namount = \"Wieviel\"\n";
    desk.put("harbour.toml", profile);
    let told = desk.tieout(&["inspect", "in/bank.csv"]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    for part in [
        "profile  harbour",
        "transactions 2",
        "booking_date=2026-04-03",
    ] {
        assert!(told.stdout.contains(part), "{part}: {}", told.stdout);
    }

    desk.put("harbour.toml", profile.replace("DMY", "weekly"));
    let told = desk.tieout(&["inspect", "in/bank.csv"]);
    assert_eq!(told.status, 3, "{}", told.stdout);
}
