//! Bad input gets a message with file, line, what was found and expected, and what to do; good
//! rows still pass; the exit status says so.

use crate::desk::{Desk, OPEN_ITEMS, PARTIES, Table, account_statement, statement};

const PAID: [crate::desk::Line; 2] = [
    ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
    ("142", 120_000, "B2", "BIRCH LUMBER INV-20001"),
];

/// The one finding with the code is complete: file, line where there is one, what and what to do.
fn finding<'a>(findings: &'a Table, code: &str, file: &str) -> &'a [String] {
    let rows = findings.rows_where("code", code);
    let row = rows
        .iter()
        .find(|row| findings.cell(row, "source_file").ends_with(file))
        .unwrap_or_else(|| panic!("no {code} on {file} in {:#?}", findings.rows));
    for column in ["found", "expected", "action"] {
        assert!(
            !findings.cell(row, column).is_empty(),
            "{code}: no {column}"
        );
    }
    row
}

fn applied_items(desk: &Desk) -> Vec<String> {
    let table = desk.table("applications");
    let mut items: Vec<_> = table
        .rows_where("status", "applied")
        .iter()
        .map(|row| table.cell(row, "item_number").to_owned())
        .collect();
    items.sort_unstable();
    items
}

#[test]
fn a_good_morning_is_clean() {
    let desk = Desk::with_books();
    desk.put("statement.bai", statement(&PAID));
    let told = desk.run(&[]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    assert_eq!(applied_items(&desk), ["INV-10001", "INV-20001"]);
}

#[test]
fn a_truncated_file() {
    let desk = Desk::with_books();
    let whole = statement(&PAID);
    let end = whole.find("49,").unwrap();
    desk.put("cut.bai", &whole[..end]);
    let told = desk.run(&[]);
    assert_eq!(told.status, 3, "{}", told.stderr);
    finding(&desk.table("findings"), "truncated_file", "cut.bai");
    assert_eq!(applied_items(&desk), ["INV-10001", "INV-20001"]);
    assert!(told.stdout.contains("cut.bai"));
}

#[test]
fn wrong_totals() {
    let desk = Desk::with_books();
    let wrong = statement(&PAID).replace("49,170000,", "49,170001,");
    desk.put("wrong.bai", wrong);
    let told = desk.run(&[]);
    assert_eq!(told.status, 3, "{}", told.stderr);
    let findings = desk.table("findings");
    let row = finding(&findings, "control_total", "wrong.bai");
    assert_eq!(findings.cell(row, "source_line"), "6");
    assert!(findings.cell(row, "severity") == "error");
    assert_eq!(applied_items(&desk), ["INV-10001", "INV-20001"]);
    assert!(told.stdout.contains("wrong.bai:6"), "{}", told.stdout);
}

#[test]
fn wrong_counts() {
    let desk = Desk::with_books();
    desk.put(
        "wrong.bai",
        statement(&PAID).replace("49,170000,4/", "49,170000,9/"),
    );
    assert_eq!(desk.run(&[]).status, 3);
    finding(&desk.table("findings"), "control_count", "wrong.bai");
    assert_eq!(applied_items(&desk), ["INV-10001", "INV-20001"]);
}

#[test]
fn junk_empty_and_unknown_files() {
    let desk = Desk::with_books();
    desk.put("statement.bai", statement(&PAID));
    desk.put(
        "junk.bin",
        (0..=255_u8).cycle().take(10_000).collect::<Vec<_>>(),
    );
    desk.put("empty.txt", "");
    desk.put(
        "notes.txt",
        "Dear all,\nplease find attached the lockbox.\n",
    );
    let told = desk.run(&[]);
    assert_eq!(told.status, 3, "{}", told.stderr);
    let findings = desk.table("findings");
    finding(&findings, "unknown_file", "junk.bin");
    finding(&findings, "unknown_file", "notes.txt");
    finding(&findings, "empty_file", "empty.txt");
    assert_eq!(applied_items(&desk), ["INV-10001", "INV-20001"]);
}

#[test]
fn a_missing_column() {
    let desk = Desk::empty();
    desk.put("parties.csv", PARTIES);
    desk.put(
        "open_items.csv",
        OPEN_ITEMS.replace(",open_amount,", ",open,"),
    );
    desk.put("statement.bai", statement(&PAID));
    let told = desk.run(&[]);
    assert_eq!(told.status, 3, "{}", told.stderr);
    let findings = desk.table("findings");
    let row = finding(&findings, "missing_column", "open_items.csv");
    assert_eq!(findings.cell(row, "source_line"), "1");
    assert!(
        row.iter().any(|cell| cell.contains("open_amount")),
        "{row:?}"
    );
    assert_eq!(desk.table("payments").rows.len(), 2);
}

#[test]
fn an_unknown_column_is_kept() {
    let desk = Desk::empty();
    let wider = OPEN_ITEMS
        .replace("discount_date\n", "discount_date,region\n")
        .replace(",,\n", ",,,west\n");
    desk.put("parties.csv", PARTIES);
    desk.put("open_items.csv", wider);
    desk.put("statement.bai", statement(&PAID));
    let told = desk.run(&["--ledger", "ledger"]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    let findings = desk.table("findings");
    let row = finding(&findings, "unknown_column", "open_items.csv");
    assert!(row.iter().any(|cell| cell.contains("region")), "{row:?}");
    let question = "select extra from open_items limit 1";
    let answer = desk.tieout(&["sql", question, "--ledger", "ledger", "--format", "csv"]);
    assert!(
        answer.stdout.contains("west"),
        "{}{}",
        answer.stdout,
        answer.stderr
    );
}

#[test]
fn dates_and_amounts_that_do_not_parse() {
    let desk = Desk::empty();
    desk.put("parties.csv", PARTIES);
    let items = OPEN_ITEMS
        .replace("730.25,730.25", "730.25,73o.25")
        .replace("88.10,88.10,2026-03-01", "88.10,88.10,2026-02-30")
        + "I5,US1,C1,invoice,INV-10005,,USD,1234567890123456789.00,1234567890123456789.00,2026-02-01,2026-03-03,,\n";
    desk.put("open_items.csv", items);
    desk.put("statement.bai", statement(&PAID));
    let told = desk.run(&[]);
    assert_eq!(told.status, 3, "{}", told.stderr);
    let quarantine = desk.table("quarantine");
    let seen: Vec<_> = quarantine
        .rows
        .iter()
        .map(|row| {
            (
                quarantine.cell(row, "source_line"),
                quarantine.cell(row, "reason"),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [("3", "bad_amount"), ("5", "bad_date"), ("6", "bad_amount")]
    );
    for (row, found) in quarantine
        .rows
        .iter()
        .zip(["73o.25", "2026-02-30", "1234567890123456789"])
    {
        assert!(quarantine.cell(row, "message").contains(found), "{row:?}");
        assert!(quarantine.cell(row, "raw").contains(found), "{row:?}");
    }
    assert_eq!(applied_items(&desk), ["INV-10001", "INV-20001"]);
}

#[test]
fn a_statement_line_with_a_bad_amount() {
    let desk = Desk::with_books();
    desk.put(
        "statement.bai",
        statement(&PAID).replace("16,142,50000,", "16,142,5OOOO,"),
    );
    let told = desk.run(&[]);
    assert_eq!(told.status, 3, "{}", told.stderr);
    let quarantine = desk.table("quarantine");
    assert_eq!(quarantine.column("source_line"), ["4"]);
    assert_eq!(quarantine.column("reason"), ["bad_amount"]);
    assert_eq!(applied_items(&desk), ["INV-20001"]);
}

#[test]
fn two_currencies_on_one_account() {
    let desk = Desk::with_books();
    desk.put("dollars.bai", statement(&PAID));
    desk.put("euros.bai", account_statement("EUR", &PAID[..1]));
    desk.run(&[]);
    let findings = desk.table("findings");
    assert_eq!(findings.rows_where("code", "currency_conflict").len(), 1);
    let payments = desk.table("payments");
    assert_eq!(payments.rows.len(), 3);
    let euros = payments.rows_where("currency", "EUR");
    assert_ne!(payments.cell(euros[0], "status"), "applied");
}

#[test]
fn open_items_of_unknown_parties() {
    let desk = Desk::empty();
    desk.put("parties.csv", PARTIES);
    desk.put(
        "open_items.csv",
        OPEN_ITEMS.replace("I4,US1,C2", "I4,US1,C9"),
    );
    desk.put("statement.bai", statement(&PAID));
    desk.run(&[]);
    let findings = desk.table("findings");
    let row = finding(&findings, "unknown_party", "open_items.csv");
    assert!(row.iter().any(|cell| cell.contains("C9")), "{row:?}");
    assert_eq!(applied_items(&desk), ["INV-10001", "INV-20001"]);
}

#[test]
fn errors_say_what_to_do() {
    let desk = Desk::with_books();
    desk.put(
        "broken.toml",
        "name = \"x\"\nversion = 1\n[decision]\nthreshold = \"high\"\n",
    );
    for (words, told_of) in [
        (&["run", "nowhere"][..], "nowhere"),
        (&["run", "in", "--recipe", "missing.toml"], "missing.toml"),
        (&["run", "in", "--recipe", "in/broken.toml"], "line 4"),
        (&["run", "in", "--as-of", "31.3.2026"], "2026-03-31"),
        (&["sql", "select 1"], "TIEOUT_LEDGER"),
        (&["sql", "select 1", "--ledger", "nowhere"], "nowhere"),
        (&["explain", "0"], "TIEOUT_LEDGER"),
        (&["tie"], "tie"),
    ] {
        let told = desk.tieout(words);
        assert_eq!(told.status, 1, "{words:?}");
        assert!(told.stdout.is_empty(), "{words:?}");
        assert!(
            told.stderr.starts_with("tieout: error: "),
            "{words:?}: {}",
            told.stderr
        );
        assert!(told.stderr.contains(told_of), "{words:?}: {}", told.stderr);
    }
}
