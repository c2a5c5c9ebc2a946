//! The ledger as a store of decisions, for `bench/compare/books.py`: payments that each pay one
//! item, recorded one at a time or in batches, and the time to begin with what is there.
//!
//! Prints one line of JSON. What is timed is the whole of a posting: from opening the ledger for
//! its writer to the moment at which it is on disk and readers see it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::datatypes::DataType;
use clap::{Parser, Subcommand};
use serde_json::json;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_ledger::{FileFormat, Ledger, LedgerError, Session, TableWriter};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Write the rows as CSV, for other stores
    Rows { dir: PathBuf, payments: u64 },
    /// Record so many payments, `per_posting` at a time
    Post {
        dir: PathBuf,
        payments: u64,
        per_posting: u64,
    },
    /// Record so many payments one by one, from several threads, in a ledger that is kept open
    Single {
        dir: PathBuf,
        payments: u64,
        #[arg(long, default_value_t = 1)]
        threads: u64,
    },
    /// Record the payments of past years, whose items are paid, and items that are open
    Grow {
        dir: PathBuf,
        payments: u64,
        open_items: u64,
        #[arg(long, default_value_t = 50_000)]
        per_posting: u64,
        /// Rows that the ledger has already
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Open the ledger as the next run does
    Start { dir: PathBuf },
    /// Verify it
    Verify { dir: PathBuf },
}

/// Units of one payment and its item: 125.00.
const UNITS: i128 = 12_500_000;
/// A day of March 2026, in days since 1970.
const BOOKED: i32 = 20_540;

fn main() -> Result<()> {
    match Arguments::parse().what {
        What::Rows { dir, payments } => rows(&dir, payments),
        What::Post {
            dir,
            payments,
            per_posting,
        } => post(&dir, payments, per_posting),
        What::Single {
            dir,
            payments,
            threads,
        } => single(&dir, payments, threads),
        What::Grow {
            dir,
            payments,
            open_items,
            per_posting,
            from,
        } => grow(&dir, from, payments, open_items, per_posting),
        What::Start { dir } => start(&dir),
        What::Verify { dir } => verify(&dir),
    }
}

fn rows(dir: &Path, payments: u64) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    for table in [Table::OpenItems, Table::Payments, Table::Applications] {
        let path = dir.join(format!("{}.csv", table.name()));
        let file = std::fs::File::create(path)?;
        let mut writer = TableWriter::new(file, &table.schema(), FileFormat::Csv)?;
        writer.write(&batch(table, 0, payments)?)?;
        writer.finish()?;
    }
    Ok(())
}

fn post(dir: &Path, payments: u64, per_posting: u64) -> Result<()> {
    let mut ledger = Ledger::post(dir)?;
    ledger.write(Table::OpenItems, &batch(Table::OpenItems, 0, payments)?)?;
    ledger.finish("books@1")?;
    let mut times = Vec::new();
    let began = Instant::now();
    let mut first = 0;
    while first < payments {
        let next = (first + per_posting).min(payments);
        let rows = [Table::Payments, Table::Applications]
            .map(|table| batch(table, first, next).map(|rows| (table, rows)));
        let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
        let posting = Instant::now();
        let mut ledger = Ledger::post(dir)?;
        let decided: Vec<_> = rows.iter().map(|(table, rows)| (*table, rows)).collect();
        ledger.decide(&decided)?;
        if per_posting == 1 {
            drop(ledger.commit()?);
        } else {
            drop(ledger.finish("books@1")?);
        }
        times.push(posting.elapsed());
        first = next;
    }
    told_posted(dir, payments, began.elapsed(), times)
}

fn grow(dir: &Path, from: u64, payments: u64, open_items: u64, per_posting: u64) -> Result<()> {
    let began = Instant::now();
    let items = payments + open_items;
    for first in (from..items).step_by(per_posting as usize) {
        let mut ledger = Ledger::post(dir)?;
        let next = (first + per_posting).min(items);
        ledger.write(Table::OpenItems, &batch(Table::OpenItems, first, next)?)?;
        let paid = next.min(payments);
        if first < paid {
            let rows = [Table::Payments, Table::Applications]
                .map(|table| batch(table, first, paid).map(|rows| (table, rows)));
            let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
            let decided: Vec<_> = rows.iter().map(|(table, rows)| (*table, rows)).collect();
            ledger.decide(&decided)?;
        }
        drop(ledger.finish("books@1")?);
    }
    let bytes = size(dir)?;
    let seconds = began.elapsed().as_secs_f64();
    println!("{}", json!({ "seconds": seconds, "bytes": bytes }));
    Ok(())
}

/// Each payment is on disk before its thread records the next. The time has the closing in it.
fn single(dir: &Path, payments: u64, threads: u64) -> Result<()> {
    let mut ledger = Ledger::post(dir)?;
    ledger.write(Table::OpenItems, &batch(Table::OpenItems, 0, payments)?)?;
    ledger.finish("books@1")?;
    let began = Instant::now();
    let session = Session::open(dir)?;
    let times = std::thread::scope(|scope| {
        let own = |thread: u64| (thread..payments).step_by(threads as usize);
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn({
                    let session = &session;
                    move || {
                        own(thread)
                            .map(|number| post_one(session, number))
                            .collect()
                    }
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))
            })
            .collect::<Result<Vec<Vec<Duration>>>>()
    })?;
    drop(session.close()?);
    told_posted(dir, payments, began.elapsed(), times.concat())
}

fn post_one(session: &Session, number: u64) -> Result<Duration> {
    let rows = [Table::Payments, Table::Applications]
        .map(|table| batch(table, number, number + 1).map(|rows| (table, rows)));
    let rows = rows.into_iter().collect::<Result<Vec<_>>>()?;
    let decided: Vec<_> = rows.iter().map(|(table, rows)| (*table, rows)).collect();
    let posting = Instant::now();
    session.post::<_, LedgerError>(|writer| writer.decide(&decided))?;
    Ok(posting.elapsed())
}

fn told_posted(dir: &Path, payments: u64, whole: Duration, mut times: Vec<Duration>) -> Result<()> {
    let seconds = whole.as_secs_f64();
    times.sort_unstable();
    let at = |share: f64| {
        let place = (times.len() as f64 * share) as usize;
        let time = times.get(place.min(times.len() - 1)).copied();
        time.unwrap_or_default().as_secs_f64() * 1e3
    };
    let bytes = size(dir)?;
    let journal = std::fs::metadata(dir.join("journal.redb"))?.len();
    println!(
        "{}",
        json!({
            "payments": payments,
            "seconds": seconds,
            "p50_ms": at(0.50),
            "p99_ms": at(0.99),
            "bytes": bytes,
            "journal_bytes": journal,
        })
    );
    Ok(())
}

fn start(dir: &Path) -> Result<()> {
    let began = Instant::now();
    let ledger = Ledger::open(dir)?;
    let opened = began.elapsed();
    drop(ledger);
    let began = Instant::now();
    let writer = Ledger::post(dir)?;
    let writing = began.elapsed();
    let began = Instant::now();
    let journal = writer.journal()?;
    journal.carried()?;
    let mut items = 0;
    journal.items_left::<LedgerError>(&[], |left| {
        items += left.states.len();
        Ok(())
    })?;
    told(
        &[
            ("open_ms", opened),
            ("writer_ms", writing),
            ("carried_ms", began.elapsed()),
        ],
        items as u64,
    );
    Ok(())
}

fn verify(dir: &Path) -> Result<()> {
    let began = Instant::now();
    let verified = Ledger::verify(dir, None)?;
    told(&[("verify_ms", began.elapsed())], verified.events);
    Ok(())
}

fn told(times: &[(&str, Duration)], count: u64) {
    let mut told = json!({ "count": count });
    for (name, time) in times {
        told[*name] = json!(time.as_secs_f64() * 1e3);
    }
    println!("{told}");
}

fn size(dir: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() {
            size(&entry.path())?
        } else {
            about.len()
        };
    }
    Ok(bytes)
}

/// Rows number `first` to `next` of a table.
fn batch(table: Table, first: u64, next: u64) -> Result<RecordBatch> {
    let numbers = || first..next;
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> Result<ArrayRef> {
        Ok(match field.data_type() {
            DataType::Utf8 => {
                let name = field.name();
                let texts = numbers().map(|number| text(name, number));
                Arc::new(texts.collect::<StringArray>())
            }
            DataType::Decimal128(..) => {
                let is_given =
                    ["amount", "open_amount", "applied"].contains(&field.name().as_str());
                let units = if is_given { UNITS } else { 0 };
                let amounts = numbers().map(|_| Some(units));
                Arc::new(
                    amounts
                        .collect::<Decimal128Array>()
                        .with_data_type(AMOUNT_TYPE),
                )
            }
            DataType::UInt64 => Arc::new(UInt64Array::from_iter_values(numbers())),
            DataType::Float64 => {
                Arc::new(numbers().map(|_| Some(0.9987)).collect::<Float64Array>())
            }
            DataType::Date32 => Arc::new(numbers().map(|_| Some(BOOKED)).collect::<Date32Array>()),
            other => anyhow::bail!("no values of {other}"),
        })
    });
    let columns = columns.collect::<Result<Vec<_>>>()?;
    RecordBatch::try_new(schema, columns).context("the rows do not fit their table")
}

/// A number that is spread over all numbers.
fn spread(number: u64) -> u64 {
    number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn text(column: &str, number: u64) -> Option<String> {
    let text = match column {
        "payment_id" => format!("{:016x}{:016x}", spread(number), spread(!number)),
        "item_id" => format!("I{number}"),
        "item_number" | "number" => format!("INV-{number}"),
        "party_id" => format!("C{}", number % 5_000),
        "currency" => "USD".to_owned(),
        "status" => "applied".to_owned(),
        "kind" => "invoice".to_owned(),
        "rule" => "references".to_owned(),
        "recipe" => "books@1".to_owned(),
        "direction" => "credit".to_owned(),
        "channel" => "statement".to_owned(),
        "source_file" => "statement.bai2".to_owned(),
        "account" => "7700112233".to_owned(),
        "payer_name" => format!("CUSTOMER {} TRADING INC", number % 5_000),
        "bank_reference" => format!("{:010}", spread(number) % 10_000_000_000),
        "remittance_text" => format!("CUSTOMER {} TRADING INC INV-{number}", number % 5_000),
        _ => return None,
    };
    Some(text)
}
