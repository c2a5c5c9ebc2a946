//! What is read of real camt files against the parse that their authors expect.
//!
//! The files are not part of this repository: `TIEOUT_SAMPLES` names their folder, seen from the
//! repository's root.
#![allow(clippy::unwrap_used)]

mod reading;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use reading::real::samples;
use reading::{Reading, Row, read_source};
use serde_json::Value;
use tieout_core::{Amount, Currency};
use tieout_ingest::{HEAD_BYTES, Settings, SourceFile, recognize};

fn read(path: &Path) -> Reading {
    let source = SourceFile::plain(path.to_owned(), "file".to_owned());
    let format = recognize(&source.head(HEAD_BYTES).unwrap()).unwrap();
    read_source(format, &source, &Settings::default())
}

fn signed(row: &Row) -> Amount {
    let amount: Amount = row["amount"].parse().unwrap();
    match row["direction"].as_str() {
        "CRDT" => amount,
        _ => -amount,
    }
}

/// Every value under `key`, at any depth, in the order of the file.
fn values<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == key {
                    found.push(field);
                }
                values(field, key, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| values(item, key, found)),
        _ => {}
    }
}

fn texts(value: &Value, key: &str) -> BTreeSet<String> {
    let mut found = Vec::new();
    values(value, key, &mut found);
    let texts = found.into_iter().filter_map(Value::as_str);
    let texts = texts.filter(|text| !text.is_empty() && *text != "NOTPROVIDED");
    texts.map(str::to_owned).collect()
}

fn column(rows: &[Row], name: &str) -> BTreeSet<String> {
    let values = rows.iter().filter_map(|row| row.get(name));
    values.cloned().collect()
}

/// An amount of genkgo, in the currency's minor units.
fn amount_of(money: &Value) -> Amount {
    let minor: i128 = money["getAmount"].as_str().unwrap().parse().unwrap();
    let code = money["getCurrency"]["getCode"].as_str();
    // Objects that came before are not printed again.
    let currency: Currency = code.unwrap_or("EUR").parse().unwrap();
    Amount::from_minor(minor, currency.exponent()).unwrap()
}

/// Without the decimals that minor units cut off.
fn cut(amount: Amount) -> Amount {
    Amount::from_units(amount.units() / 1_000 * 1_000)
}

/// Every object of a class of genkgo, each of which is printed once.
fn objects<'v>(value: &'v Value, class: &str, found: &mut Vec<&'v Value>) {
    let name = value["__CLASS__"].as_str().unwrap_or_default();
    if name.rsplit('\\').next() == Some(class) {
        found.push(value);
    }
    match value {
        Value::Object(fields) => fields
            .values()
            .for_each(|field| objects(field, class, found)),
        Value::Array(items) => items.iter().for_each(|item| objects(item, class, found)),
        _ => {}
    }
}

fn compare_with_genkgo(reading: &Reading, expected: &Value, name: &str) -> usize {
    let mut balances = Vec::new();
    objects(expected, "Balance", &mut balances);
    let balances = balances.iter().map(|found| amount_of(&found["getAmount"]));
    let read = reading.balances.iter();
    let read = read.filter(|row| !row["type_code"].starts_with("Ttl"));
    let mut read: Vec<Amount> = read
        .map(|row| cut(row["amount"].parse().unwrap()))
        .collect();
    // Statements that came before are not printed again, so that some are missing.
    for balance in balances {
        let place = read.iter().position(|found| *found == balance);
        read.remove(place.unwrap_or_else(|| panic!("{name}: {balance}")));
    }

    let mut entries = Vec::new();
    objects(expected, "Entry", &mut entries);
    let amounts = entries.iter().map(|entry| amount_of(&entry["getAmount"]));
    let expected_sum: Amount = amounts.sum();
    let sum: Amount = reading.rows.iter().map(signed).sum();
    let is_all_printed = column(&reading.rows, "statement_id").len() <= 1;
    assert!(!is_all_printed || cut(sum) == expected_sum, "{name}");
    assert!(reading.rows.len() >= entries.len(), "{name}");
    let problems = reading.problems();
    // The payments of such an entry do not add up to it, so that they are not rows.
    let is_split = problems.iter().all(|(code, _)| *code != "control_total");
    for (key, own) in [
        ("getEndToEndId", "end_to_end_id"),
        ("getMandateId", "mandate_id"),
    ] {
        let (read, expected) = (column(&reading.rows, own), texts(expected, key));
        assert!(
            !is_split || read.is_superset(&expected),
            "{name}: {expected:?}"
        );
        assert!(
            !is_split || !is_all_printed || read == expected,
            "{name}: {read:?}"
        );
    }
    for entry in &entries {
        if let Some(date) = entry["getBookingDate"]["0"].as_str() {
            let known = column(&reading.rows, "booking_date");
            assert!(known.contains(&date[..10]), "{name}: {date}");
        }
    }
    entries.len()
}

#[test]
fn camt_files_read_as_genkgo_expects() {
    let Some(root) = samples() else { return };
    let (mut files, mut entries) = (0, 0);
    for kind in ["camt.052", "camt.053", "camt.054"] {
        let folder = root.join(kind).join("genkgo__camt/test/data");
        for file in fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let expected = path.with_extension("json");
            if path.extension().is_none_or(|end| end != "xml") || !expected.is_file() {
                continue;
            }
            let expected: Value = serde_json::from_slice(&fs::read(expected).unwrap()).unwrap();
            let name = path.display().to_string();
            // genkgo takes no entries of version 01.
            if name.ends_with(".v1.xml") {
                continue;
            }
            entries += compare_with_genkgo(&read(&path), &expected, &name);
            files += 1;
        }
    }
    println!("{files} files with {entries} entries as genkgo expects");
    assert!(files >= 20);
}

/// The numbers behind `key` in a printed Python value.
fn numbers(text: &str, key: &str) -> Vec<Amount> {
    let parts = text.split(key).skip(1);
    let numbers = parts.map(|part| part.trim_start().split([',', '}']).next().unwrap());
    numbers
        .map(|number| number.trim().parse().unwrap())
        .collect()
}

#[test]
fn camt_files_read_as_oca_expects() {
    let Some(root) = samples() else { return };
    let name = "OCA__bank-statement-import/account_statement_import_camt/test_files";
    let expected_in = root.join("camt.053").join(name);
    for (file, expected) in [
        ("camt.053", "camt053"),
        ("camt.053", "camt053-txdtls"),
        ("camt.053", "camt053-no-ntry"),
        ("camt.054", "camt054"),
    ] {
        let golden = expected_in.join(format!("golden-{expected}.pydata"));
        let golden = fs::read_to_string(golden).unwrap();
        let path = root.join(file).join(name).join(format!("test-{expected}"));
        let reading = read(&path);
        let amounts: Vec<Amount> = reading.rows.iter().map(signed).collect();
        assert_eq!(amounts, numbers(&golden, "'amount':"), "{expected}");
        println!("{expected}: {} entries as OCA expects", amounts.len());
    }
}
