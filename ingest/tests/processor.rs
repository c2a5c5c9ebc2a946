//! Reports of payment processors: what must hold of every one of them.
#![allow(clippy::unwrap_used)]

mod reading;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use reading::{Reading, Row, read_with};
use tieout_core::{Amount, Severity};
use tieout_ingest::Settings;

const TABLE: &str = "settlement_lines";

/// The golden inputs of the processors, by format.
fn reports() -> Vec<(&'static str, PathBuf)> {
    let formats = [
        "stripe",
        "adyen",
        "paypal",
        "braintree",
        "trustly",
        "dlocal",
        "checkout.com",
        "chariot",
        "gravy",
    ];
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../datasets/formats");
    let mut reports = Vec::new();
    for format in formats {
        let entries = fs::read_dir(root.join(format)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        let inputs = paths.filter(|path| path.extension().is_none_or(|end| end != "golden"));
        reports.extend(inputs.map(|path| (format, path)));
    }
    reports
}

fn amount(row: &Row, column: &str) -> Amount {
    row[column].parse().unwrap()
}

#[test]
fn every_line_ties_and_lies_in_its_file() {
    for (format, path) in reports() {
        let bytes = fs::read(&path).unwrap();
        let reading = read_with(format, &bytes, &Settings::default());
        for row in reading.table(TABLE) {
            let (gross, fee, net) = (amount(row, "gross"), amount(row, "fee"), amount(row, "net"));
            assert_eq!(gross - fee, net, "{}", path.display());
            let [start, end] = ["byte_start", "byte_end"].map(|at| row[at].parse().unwrap());
            let before: &[u8] = &bytes[..start];
            let line = before.split(|byte| *byte == b'\n').count();
            assert_eq!(row["source_line"], line.to_string(), "{}", path.display());
            assert!(start < end && end <= bytes.len(), "{}", path.display());
        }
    }
}

/// What a row says, without what the rest of the file tells about it: the order of its dates.
fn without_dates(row: &Row) -> Row {
    let mut row = row.clone();
    row.remove("booking_date");
    row.remove("settlement_date");
    row
}

fn whole_lines(reading: &Reading, end: usize) -> impl Iterator<Item = Row> + '_ {
    let lines = reading.table(TABLE).iter();
    lines
        .filter(move |row| row["byte_end"].parse::<usize>().unwrap() <= end)
        .map(without_dates)
}

#[test]
fn a_report_that_ends_early_keeps_its_whole_lines() {
    for (format, path) in reports() {
        let bytes = fs::read(&path).unwrap();
        let whole = read_with(format, &bytes, &Settings::default());
        for end in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let cut = read_with(format, &bytes[..end], &Settings::default());
            let kept: Vec<Row> = cut.table(TABLE).iter().map(without_dates).collect();
            for line in whole_lines(&whole, end) {
                assert!(kept.contains(&line), "{} to {end}", path.display());
            }
        }
    }
}

#[test]
fn payouts_of_clean_reports_are_the_sum_of_their_lines() {
    let mut payouts = 0;
    for (format, path) in reports() {
        let reading = read_with(format, &fs::read(&path).unwrap(), &Settings::default());
        let is_clean = |severity| severity == Severity::Info;
        if !reading
            .findings
            .iter()
            .all(|finding| is_clean(finding.severity))
        {
            continue;
        }
        let mut sums: BTreeMap<[String; 3], (Amount, bool, bool)> = BTreeMap::new();
        for row in reading
            .table(TABLE)
            .iter()
            .filter(|row| row.contains_key("payout_reference"))
        {
            let account = if format == "adyen" {
                "merchant_account"
            } else {
                "processor"
            };
            let key = ["payout_reference", account, "currency"].map(|column| row[column].clone());
            let sum = sums.entry(key).or_default();
            sum.0 += amount(row, "net");
            let is_payout = row["line_type"] == "payout";
            sum.1 |= is_payout;
            sum.2 |= !is_payout;
        }
        for (total, has_payout, has_lines) in sums.into_values() {
            if has_payout && has_lines {
                let rounding: Amount = "0.01".parse().unwrap();
                assert!(total.abs() <= rounding, "{}: {total}", path.display());
                payouts += 1;
            }
        }
    }
    assert!(payouts >= 5, "{payouts}");
}
