#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::time::Duration;

use tieout::core::{Amount, Currency, Date, Finding, FindingCode, Reason, Severity, Status};
use tieout::{CurrencySummary, FileFormat, FileSummary, Flow, Output, RunOptions, Summary, Tally};

use super::Report;
use crate::terminal::{Paint, WIDTH};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn tally(count: u64, text: &str) -> Tally {
    Tally {
        count,
        amount: amount(text),
    }
}

fn file(
    name: &str,
    format: &str,
    profile: Option<&str>,
    lines: u64,
    quarantined: u64,
) -> FileSummary {
    FileSummary {
        file: name.to_owned(),
        format: format.to_owned(),
        profile: profile.map(str::to_owned),
        bytes: lines * 80,
        lines,
        rows: lines - quarantined - 1,
        quarantined,
        known_before: 0,
        failed: None,
    }
}

fn dollars() -> CurrencySummary {
    CurrencySummary {
        currency: Currency::USD,
        flow: Flow::MoneyIn,
        money_in: tally(2_941, "18204118.42"),
        applied: amount("17010000.00"),
        on_account: amount("194118.42"),
        unapplied: amount("1000000.00"),
        discount: amount("20111.9"),
        write_off: amount("12.34"),
        deduction: amount("4000"),
        by_status: vec![
            (Status::Applied, tally(2_700, "17000000.00")),
            (Status::PartiallyApplied, tally(41, "204118.42")),
            (Status::Proposed, tally(150, "900000.00")),
            (Status::Unidentified, tally(40, "60000.00")),
            (Status::Duplicate, tally(10, "40000.00")),
            (Status::OutOfScope, tally(12, "1200.00")),
        ],
        exceptions: vec![
            (Reason::ResubmittedPayment, tally(10, "40000.00")),
            (Reason::AmbiguousItems, tally(150, "900000.00")),
            (Reason::PayerUnknown, tally(40, "60000.00")),
        ],
    }
}

fn busy_morning() -> Summary {
    let finding = Finding {
        severity: Severity::Error,
        code: FindingCode::ControlTotal,
        file: "morning/statement.bai".to_owned(),
        line: Some(41),
        found: "account total 1200.00".to_owned(),
        expected: "1300.00, the sum of the transactions and balances that the account's records \
                   hold, signs as the bank gives them"
            .to_owned(),
        action: "ask the bank for the file again".to_owned(),
    };
    Summary {
        undone: Vec::new(),
        repeats: None,
        posting: None,
        files: vec![
            file("morning/parties.csv", "parties.csv", None, 1_201, 0),
            file("morning/open_items.csv", "open_items.csv", None, 6_001, 0),
            file(
                "morning/a/deeply/nested/folder/of/the/bank/lockbox-2026-03-31.txt",
                "lockbox",
                Some("bai-80"),
                9_123,
                2,
            ),
        ],
        open_items: 6_000,
        parties: 1_200,
        applications: 5_318,
        currencies: vec![dollars()],
        rematched: Tally::default(),
        duplicates: 10,
        quarantined: 2,
        out_of_balance: 1,
        findings: vec![finding],
        finding_counts: [3, 1, 1],
        elapsed: Duration::from_millis(84),
    }
}

fn report(summary: &Summary, options: &RunOptions) -> String {
    Report::new(summary, options, Paint::Plain).to_string()
}

#[test]
fn a_busy_morning() {
    let mut options = RunOptions::new(vec![PathBuf::from("morning")]);
    options.as_of = Date::from_ymd(2026, 3, 31).ok();
    options.ledger = Some(PathBuf::from("my ledger"));
    options.out = Some(Output::all("out", FileFormat::Csv));
    insta::assert_snapshot!(report(&busy_morning(), &options));
}

#[test]
fn nothing_to_do() {
    let options = RunOptions::new(vec![PathBuf::from("morning")]);
    insta::assert_snapshot!(report(&Summary::default(), &options));
}

#[test]
fn lines_fit_the_page_and_are_plain() {
    let mut summary = busy_morning();
    summary.currencies[0].money_in.amount = amount("999999999999999999.99999");
    summary.files = vec![summary.files[2].clone(); 30];
    let text = report(&summary, &RunOptions::new(Vec::new()));
    assert!(text.is_ascii());
    for line in text.lines() {
        assert!(line.len() <= WIDTH, "{} columns: {line}", line.len());
        assert_eq!(line.trim_end(), line);
    }
    assert!(text.contains("... and 10 more files"));
}
