//! Payments that wait for a decision are those that a start reads, whatever was carried forward.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, BooleanArray, Date32Array, Decimal128Array, Float64Array, RecordBatch,
    StringArray, UInt32Array, UInt64Array, new_null_array,
};
use arrow::datatypes::{DataType, UInt32Type};
use tieout_core::schema::{AMOUNT_TYPE, Table, parsed_remittance_lines};
use tieout_ledger::journal::what;
use tieout_ledger::{Ledger, LedgerError, LedgerWriter, Reversed};

fn id(number: u64) -> String {
    format!("{:032x}", u128::from(number) + 1)
}

/// Rows of `table` about payments, with the `status`, one each.
fn rows(table: Table, numbers: &[u64], status: &str) -> RecordBatch {
    let count = numbers.len();
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let text = |number: &u64| match field.name().as_str() {
            "payment_id" | "transaction_id" => id(*number),
            "status" => status.to_owned(),
            "remittance_text" => format!("INV-{number}"),
            _ => "USD".to_owned(),
        };
        match field.data_type() {
            DataType::Utf8 => {
                let is_said = !field.is_nullable() || field.name() == "remittance_text";
                let texts = numbers.iter().map(|number| is_said.then(|| text(number)));
                Arc::new(texts.collect::<StringArray>())
            }
            DataType::Decimal128(..) => {
                Arc::new(Decimal128Array::from(vec![0; count]).with_data_type(AMOUNT_TYPE))
            }
            DataType::UInt64 => Arc::new(UInt64Array::from(numbers.to_vec())),
            DataType::Boolean => Arc::new(BooleanArray::from(vec![false; count])),
            DataType::Date32 => Arc::new(Date32Array::from(vec![20_540; count])),
            DataType::Float64 => Arc::new(Float64Array::from(vec![1.0; count])),
            other => new_null_array(other, count),
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
}

/// Two documents of each payment.
fn documents(count: usize) -> RecordBatch {
    let owners: Vec<u32> = (0..count as u32).flat_map(|row| [row, row]).collect();
    let numbers: Vec<u64> = owners.iter().map(|owner| u64::from(*owner)).collect();
    let mut columns = rows(Table::RemittanceLines, &numbers, "")
        .columns()
        .to_vec();
    columns[0] = Arc::new(UInt32Array::from(owners));
    RecordBatch::try_new(parsed_remittance_lines(), columns).unwrap()
}

fn decide(writer: &mut LedgerWriter, numbers: &[u64], status: &str) -> Result<(), LedgerError> {
    writer.write(Table::Payments, &rows(Table::Payments, numbers, status))
}

fn wait(writer: &mut LedgerWriter, numbers: &[u64]) -> Result<(), LedgerError> {
    let payments = rows(Table::Transactions, numbers, "BOOK");
    writer.wait(&payments, &documents(numbers.len()))
}

fn take_back(writer: &mut LedgerWriter, numbers: &[u64], posting: u64) -> Result<(), LedgerError> {
    let reversed: Vec<_> = numbers
        .iter()
        .map(|number| Reversed {
            what: what::PAYMENT,
            id: id(*number),
            posting,
        })
        .collect();
    writer.reverse(&reversed)
}

/// The payments that a start reads, with their documents and postings.
fn left(dir: &Path) -> BTreeMap<String, (usize, u64)> {
    let carried = Ledger::open(dir)
        .unwrap()
        .journal()
        .unwrap()
        .carried()
        .unwrap();
    let mut left = BTreeMap::new();
    for part in carried.waiting {
        let ids = part.payments.column_by_name("transaction_id").unwrap();
        let owners = part.lines.column(0).as_primitive::<UInt32Type>();
        for (row, id) in ids.as_string::<i32>().iter().flatten().enumerate() {
            let own = owners
                .values()
                .iter()
                .filter(|owner| **owner as usize == row);
            let before = left.insert(id.to_owned(), (own.count(), part.postings[row]));
            assert_eq!(before, None, "{id} waits twice");
        }
    }
    left
}

/// A run: what came waits, and what waited before is decided but for the last few.
fn run(dir: &Path, day: u64) {
    let mut writer = Ledger::post(dir).unwrap();
    let carried = writer.journal().unwrap().carried().unwrap();
    let waiting: usize = carried.waiting.iter().map(|part| part.postings.len()).sum();
    assert_eq!(
        waiting as u64,
        if day == 0 { 0 } else { 400 + 5 * (day - 1) }
    );
    let own: Vec<u64> = (day * 1_000..day * 1_000 + 400).collect();
    decide(&mut writer, &own, "unidentified").unwrap();
    for part in own.chunks(150) {
        wait(&mut writer, part).unwrap();
    }
    if let Some(before) = day.checked_sub(1) {
        let paid: Vec<u64> = (before * 1_000..before * 1_000 + 395).collect();
        take_back(&mut writer, &paid, day).unwrap();
        decide(&mut writer, &paid, "duplicate").unwrap();
    }
    let ledger = writer.finish("test@1").unwrap();
    assert!(ledger.undone().is_empty(), "{:?}", ledger.undone());
}

#[test]
fn a_start_reads_the_payments_that_wait_and_not_all_that_have() {
    let dir = tempfile::tempdir().unwrap();
    for day in 0..8 {
        run(dir.path(), day);
        let waiting = left(dir.path());
        assert_eq!(waiting.len() as u64, 400 + 5 * day, "day {day}");
        assert!(waiting.values().all(|(documents, _)| *documents == 2));
        Ledger::verify(dir.path(), None).unwrap();
    }
    // One that was carried forward is decided; one that was decided long ago waits again, with a row
    // and without one, as a program might forget it.
    let mut writer = Ledger::post(dir.path()).unwrap();
    let posting = |number: u64| number / 1_000 + 2;
    take_back(&mut writer, &[399], 1).unwrap();
    decide(&mut writer, &[399], "duplicate").unwrap();
    for again in [10, 2_020] {
        take_back(&mut writer, &[again], posting(again)).unwrap();
        decide(&mut writer, &[again], "unidentified").unwrap();
    }
    wait(&mut writer, &[10]).unwrap();
    writer.commit().unwrap();
    let check = || {
        let waiting = left(dir.path());
        assert_eq!(waiting.len(), 435 + 1);
        assert!(!waiting.contains_key(&id(399)));
        for again in [10, 2_020] {
            assert_eq!(waiting.get(&id(again)), Some(&(2, 9)), "{again}");
        }
        Ledger::verify(dir.path(), None).unwrap();
    };
    check();
    // The next run carries them forward.
    let writer = Ledger::post(dir.path()).unwrap();
    writer.journal().unwrap().carried().unwrap();
    writer.finish("test@1").unwrap();
    check();
}
