//! A ledger that is kept open: what was told to be recorded is there, whatever happens then.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_ledger::{Ledger, LedgerError, LedgerWriter, Session};

/// Units of each payment and its item: 10.00.
const UNITS: i128 = 1_000_000;
/// The process that is killed gets its folder here.
const FOLDER: &str = "TIEOUT_SESSION_FOLDER";
const THREADS: u64 = 4;

fn id(number: u64) -> String {
    format!("{:032x}", u128::from(number) + 1)
}

/// The row of payment or item `number`.
fn row(table: Table, number: u64, applied: i128) -> RecordBatch {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let text = match field.name().as_str() {
            "payment_id" => Some(id(number)),
            "item_id" => Some(format!("I{number}")),
            "status" => Some("applied".to_owned()),
            "kind" => Some("invoice".to_owned()),
            _ => None,
        };
        match field.data_type() {
            DataType::Utf8 if text.is_some() || !field.is_nullable() => {
                Arc::new(StringArray::from(vec![
                    text.unwrap_or_else(|| "USD".to_owned()),
                ]))
            }
            DataType::Decimal128(..) => {
                let is_given = ["amount", "open_amount", "applied"].contains(&&**field.name());
                let units = if is_given { applied } else { 0 };
                Arc::new(Decimal128Array::from(vec![units]).with_data_type(AMOUNT_TYPE))
            }
            DataType::UInt64 => Arc::new(UInt64Array::from(vec![number])),
            DataType::Float64 => Arc::new(Float64Array::from(vec![1.0])),
            other => new_null_array(other, 1),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect()).unwrap()
}

fn pay(writer: &mut LedgerWriter, number: u64, units: i128) -> Result<(), LedgerError> {
    let payment = row(Table::Payments, number, units);
    let application = row(Table::Applications, number, units);
    writer.decide(&[
        (Table::Payments, &payment),
        (Table::Applications, &application),
    ])
}

/// A payment of nothing to nobody.
fn note(writer: &mut LedgerWriter, number: u64) -> Result<(), LedgerError> {
    writer.write(Table::Payments, &row(Table::Payments, number, 0))
}

/// A ledger with open items 0 to `count`.
fn with_items(dir: &Path, count: u64) {
    let mut writer = Ledger::post(dir).unwrap();
    for number in 0..count {
        let item = row(Table::OpenItems, number, UNITS);
        writer.write(Table::OpenItems, &item).unwrap();
    }
    writer.finish("test@1").unwrap();
}

/// The payments that readers see.
fn shown(ledger: &Ledger) -> Vec<String> {
    let mut ids = Vec::new();
    for path in ledger.files(Table::Payments) {
        let file = std::fs::File::open(path).unwrap();
        let batches = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
        for batch in batches.build().unwrap() {
            let batch = batch.unwrap();
            let column = batch.column_by_name("payment_id").unwrap();
            let column = column.as_any().downcast_ref::<StringArray>().unwrap();
            ids.extend(column.iter().flatten().map(str::to_owned));
        }
    }
    ids.sort();
    ids
}

#[test]
fn postings_of_many_threads_are_there_once_and_one_that_fails_takes_no_other_along() {
    let dir = tempfile::tempdir().unwrap();
    with_items(dir.path(), 200);
    let session = Session::open(dir.path()).unwrap();
    let post = |thread: u64| {
        for number in (thread..200).step_by(THREADS as usize) {
            let posted = session.post(|writer| pay(writer, number, UNITS));
            posted.unwrap();
            // Again, and more than is open: neither may stay.
            let again = session.post(|writer| {
                note(writer, 1_000 + number)?;
                pay(writer, number, UNITS)
            });
            assert!(
                matches!(again, Err(LedgerError::Refused { .. })),
                "{again:?}"
            );
        }
    };
    let post = &post;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || post(thread));
        }
    });
    let ledger = session.close().unwrap();
    let expected: Vec<_> = (0..200).map(id).collect();
    assert_eq!(shown(&ledger), expected);
    assert_eq!(ledger.postings(), 201);
    let journal = ledger.journal().unwrap();
    for number in 0..200 {
        let item = journal.item(&format!("I{number}")).unwrap().unwrap();
        assert!(item.open.is_zero(), "item {number} has {} open", item.open);
    }
    drop(journal);
    let verified = Ledger::verify(dir.path(), None).unwrap();
    assert!(verified.is_sealed);
    assert_eq!(verified.postings, 201);
}

#[test]
fn readers_see_what_is_shown_while_the_session_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    with_items(dir.path(), 3);
    let session = Session::open(dir.path()).unwrap();
    let record = |number| session.post(|writer| pay(writer, number, UNITS)).unwrap();
    record(0);
    record(1);
    session.show().unwrap();
    record(2);
    let seen = Ledger::open(dir.path()).unwrap();
    let number = seen.postings();
    assert!(number >= 3, "{number}");
    assert_eq!(shown(&seen).len() as u64, number - 1);
    assert!(matches!(
        Ledger::post(dir.path()),
        Err(LedgerError::Busy { .. })
    ));
    drop(session);
    assert_eq!(shown(&Ledger::open(dir.path()).unwrap()).len(), 3);
    // A run goes on from there.
    let writer = Ledger::post(dir.path()).unwrap();
    assert_eq!(writer.number(), 5);
}

#[test]
fn a_session_begins_a_ledger_and_leaves_none_without_a_posting() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("ledger");
    drop(Session::open(&folder).unwrap());
    assert!(matches!(
        Ledger::open(&folder),
        Err(LedgerError::NotALedger(_))
    ));
    let session = Session::open(&folder).unwrap();
    let item = row(Table::OpenItems, 0, UNITS);
    session
        .post(|writer| writer.write(Table::OpenItems, &item))
        .unwrap();
    assert_eq!(Ledger::open(&folder).unwrap().postings(), 1);
    session.post(|writer| pay(writer, 0, UNITS)).unwrap();
    assert_eq!(shown(&session.close().unwrap()), [id(0)]);
}

/// Not a test by itself: what [`what_was_told_is_there_after_a_kill`] kills.
#[test]
fn the_process_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let session = Session::open(Path::new(&folder)).unwrap();
    let next = session.journal().last().unwrap().unwrap().posting;
    let session = &session;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for number in (next + thread..).step_by(THREADS as usize) {
                    // Numbers that an earlier process had are refused.
                    if session.post(|writer| note(writer, number)).is_ok() {
                        println!("\ntold {number} .");
                    }
                }
            });
        }
    });
}

/// Kills a process as it records, with several threads, and after as many acknowledgements as the
/// round says. `TIEOUT_CRASHES` says how many rounds.
#[test]
fn what_was_told_is_there_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    with_items(dir.path(), 1);
    let rounds = std::env::var("TIEOUT_CRASHES").ok();
    let rounds = rounds.and_then(|text| text.parse().ok()).unwrap_or(12);
    let mut told = BTreeSet::new();
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["the_process_that_is_killed", "--exact", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let number = |line: &str| {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["told", number, "."] => number.parse::<u64>().ok(),
                _ => None,
            }
        };
        let told_now = lines.by_ref().map_while(Result::ok);
        told.extend(
            told_now
                .filter_map(|line| number(&line))
                .take(1 + round * 7 % 31),
        );
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had told by then.
        told.extend(lines.map_while(Result::ok).filter_map(|line| number(&line)));
        // Whoever opens it next makes the tables.
        let there = shown(&Ledger::open(dir.path()).unwrap());
        let distinct: BTreeSet<_> = there.iter().cloned().collect();
        assert_eq!(
            distinct.len(),
            there.len(),
            "round {round}: a payment is there twice"
        );
        let lost = told.iter().find(|number| !distinct.contains(&id(**number)));
        assert_eq!(lost, None, "round {round}: it was told, and is not there");
        Ledger::verify(dir.path(), None).unwrap();
    }
    println!("{} payments told in {rounds} kills", told.len());
}
