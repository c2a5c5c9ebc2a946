//! Payments, each of one item, and what readers see of them.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, Float64Array, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_ledger::{Ledger, LedgerError, LedgerWriter};

/// Units of each payment and its item: 10.00.
pub const UNITS: i128 = 1_000_000;

pub fn id(number: u64) -> String {
    format!("{:032x}", u128::from(number) + 1)
}

/// The row of payment or item `number`.
pub fn row(table: Table, number: u64, applied: i128) -> RecordBatch {
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

pub fn pay(writer: &mut LedgerWriter, number: u64, units: i128) -> Result<(), LedgerError> {
    let payment = row(Table::Payments, number, units);
    let application = row(Table::Applications, number, units);
    writer.decide(&[
        (Table::Payments, &payment),
        (Table::Applications, &application),
    ])
}

/// A payment of nothing to nobody.
pub fn note(writer: &mut LedgerWriter, number: u64) -> Result<(), LedgerError> {
    writer.write(Table::Payments, &row(Table::Payments, number, 0))
}

/// A ledger with open items 0 to `count`.
pub fn with_items(dir: &Path, count: u64) {
    let mut writer = Ledger::post(dir).unwrap();
    for number in 0..count {
        let item = row(Table::OpenItems, number, UNITS);
        writer.write(Table::OpenItems, &item).unwrap();
    }
    writer.finish("test@1").unwrap();
}

/// The payments that readers see.
pub fn shown(ledger: &Ledger) -> Vec<String> {
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

/// An item, and the payment that pays it.
pub fn bring_and_pay(writer: &mut LedgerWriter, number: u64) -> Result<(), LedgerError> {
    writer.write(Table::OpenItems, &row(Table::OpenItems, number, UNITS))?;
    pay(writer, number, UNITS)
}
