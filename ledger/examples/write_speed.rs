//! How fast output tables are written: `cargo run --release -p tieout-ledger --example write_speed`.
//!
//! Writes payments, applications, transactions and document lines as a run with that many
//! payments does, on one thread, into a temporary folder, in the format named (csv otherwise).

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field};
use tieout_core::schema::{AMOUNT_PRECISION, Table};
use tieout_ledger::{Columns, FileFormat, Folder};

const BATCH_ROWS: usize = 8_192;
/// Table, and rows for each payment in tenths.
const TABLES: [(Table, usize); 4] = [
    (Table::Payments, 10),
    (Table::Transactions, 10),
    (Table::Applications, 15),
    (Table::RemittanceLines, 15),
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let payments: usize = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let format = match arguments.next().as_deref() {
        Some("parquet") => FileFormat::Parquet,
        Some("json") => FileFormat::Json,
        _ => FileFormat::Csv,
    };
    let dir = std::env::temp_dir().join(format!("write_speed.{}", std::process::id()));
    let mut total = (Duration::ZERO, 0);
    for (table, tenths) in TABLES {
        let rows = payments * tenths / 10;
        let (elapsed, bytes) = write(&dir, table, rows, format)?;
        report(table.name(), rows, elapsed, bytes);
        total = (total.0 + elapsed, total.1 + bytes);
    }
    report("together", payments, total.0, total.1);
    fs::remove_dir_all(&dir)?;
    Ok(())
}

fn write(
    dir: &Path,
    table: Table,
    rows: usize,
    format: FileFormat,
) -> Result<(Duration, u64), Box<dyn Error>> {
    let batch = batch(table)?;
    let start = Instant::now();
    let mut folder = Folder::create(dir, &[table], format, Columns::Contract)?;
    let mut left = rows;
    while left > 0 {
        let part = left.min(BATCH_ROWS);
        folder.write(table, &batch.slice(0, part))?;
        left -= part;
    }
    folder.finish()?;
    let elapsed = start.elapsed();
    let path = dir.join(format!("{}.{}", table.name(), format.extension()));
    Ok((elapsed, fs::metadata(path)?.len()))
}

fn report(name: &str, rows: usize, elapsed: Duration, bytes: u64) {
    let seconds = elapsed.as_secs_f64();
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{name:<18}{rows:>10} rows {megabytes:>8.1} MB {seconds:>7.3} s {:>7.0} MB/s",
        megabytes / seconds
    );
}

fn batch(table: Table) -> Result<RecordBatch, Box<dyn Error>> {
    let schema = table.schema();
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| column(field))
        .collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}

fn column(field: &Field) -> Result<ArrayRef, Box<dyn Error>> {
    let rows = 0..BATCH_ROWS as u64;
    Ok(match field.data_type() {
        DataType::Utf8 => Arc::new(StringArray::from_iter_values(
            rows.map(|row| text(field.name(), row)),
        )),
        DataType::UInt64 => Arc::new(UInt64Array::from_iter_values(rows)),
        DataType::Date32 => Arc::new(Date32Array::from_iter_values(
            rows.map(|row| 20_500 + row as i32 / 700),
        )),
        DataType::Float64 => Arc::new(Float64Array::from_iter_values(
            rows.map(|row| (row % 10_000) as f64 / 10_000.0),
        )),
        DataType::Boolean => Arc::new(BooleanArray::from(vec![false; BATCH_ROWS])),
        _ => amounts(field.name())?,
    })
}

/// Parts of a payment are zero but for what was applied, so that it adds up.
fn amounts(name: &str) -> Result<ArrayRef, Box<dyn Error>> {
    let share = i128::from(matches!(name, "amount" | "applied" | "gross" | "net"));
    let units = (0..BATCH_ROWS as i128).map(|row| share * (row * 7_919 + 100) * 1_000);
    let column = Decimal128Array::from_iter_values(units);
    Ok(Arc::new(
        column.with_precision_and_scale(AMOUNT_PRECISION, 5)?,
    ))
}

fn text(name: &str, row: u64) -> String {
    match name {
        "payment_id" | "transaction_id" => {
            format!(
                "{:032x}",
                u128::from(row + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060)
            )
        }
        "source_file" => "datasets/distributor/lockbox_text.txt".to_owned(),
        "payer_name" | "counterparty_name" if row.is_multiple_of(4) => {
            format!("Acme Supply {row}, Inc.")
        }
        "payer_name" | "counterparty_name" => format!("BRIGHT HARBOR FOODS {row} LLC"),
        "remittance_text" => format!("INV {} INV {}", 500_000 + row, 600_000 + row),
        "currency" => "USD".to_owned(),
        "status" => "applied".to_owned(),
        "rule" => "remittance_lines".to_owned(),
        "end_to_end_id" | "reason" | "deduction_reason" => String::new(),
        _ => format!("{}", 100_000 + row),
    }
}
