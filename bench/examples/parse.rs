//! Reads files one after the other on one thread, and says how fast: the parser alone, with its
//! batches thrown away.
//!
//! `cargo run --release -p tieout-bench --example parse -- [--scan] FILE...` prints one JSON object
//! a file. With `--scan` the file is not parsed: its line ends are counted, which nothing that
//! reads it can beat.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Decimal128Type;
use mimalloc::MiMalloc;
use serde_json::{Value, json};
use tieout_core::Severity;
use tieout_core::schema::Table;
use tieout_ingest::{Batch, HEAD_BYTES, Settings, SourceFile, recognize_file, unpack};

/// The one of the command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// The rows of a table and the sum of their amounts in hundred-thousandths: what a peer has to
/// have seen too.
#[derive(Default)]
struct Sum {
    rows: usize,
    amount: i128,
}

#[derive(Default)]
struct Sums(BTreeMap<&'static str, Sum>);

impl Sums {
    fn add(&mut self, table: Table, batch: &RecordBatch) {
        let sum = self.0.entry(table.name()).or_default();
        sum.rows += batch.num_rows();
        let amounts = batch
            .column_by_name("amount")
            .or_else(|| batch.column_by_name("net"));
        if let Some(amounts) = amounts {
            let amounts = amounts.as_primitive::<Decimal128Type>();
            sum.amount += amounts.iter().flatten().sum::<i128>();
        }
    }

    fn json(&self) -> Value {
        let told =
            |sum: &Sum| json!({ "rows": sum.rows, "cents": (sum.amount / 1_000).to_string() });
        let tables = self
            .0
            .iter()
            .map(|(table, sum)| ((*table).to_owned(), told(sum)));
        Value::Object(tables.collect())
    }
}

fn parse(file: &SourceFile) -> Value {
    let settings = Settings {
        threads: 1,
        ..Settings::default()
    };
    let mut errors = Vec::new();
    let mut sums = Sums::default();
    let began = Instant::now();
    let format = recognize_file(file, &file.head(HEAD_BYTES).unwrap()).unwrap();
    let counts = format.read(file, &settings, &mut |batch| {
        match batch {
            Batch::Transactions {
                transactions,
                remittance_lines,
            } => {
                sums.add(Table::Transactions, &transactions);
                sums.add(Table::RemittanceLines, &remittance_lines);
            }
            Batch::Rows(table, rows) => sums.add(table, &rows),
            Batch::Finding(finding) if finding.severity == Severity::Error => {
                errors.push(finding.found);
            }
            Batch::Finding(_) | Batch::Quarantine(_) => {}
        }
        Ok(())
    });
    let seconds = began.elapsed().as_secs_f64();
    let counts = counts.unwrap();
    json!({
        "format": format.name(),
        "bytes": counts.bytes,
        "rows": counts.rows,
        "tables": sums.json(),
        "quarantined": counts.quarantined,
        "errors": errors,
        "seconds": seconds,
        "peak_kilobytes": peak_kilobytes(),
    })
}

fn scan(path: &Path) -> Value {
    let began = Instant::now();
    let mut file = File::open(path).unwrap();
    let mut buffer = vec![0; Settings::default().chunk_bytes];
    let (mut bytes, mut lines) = (0, 0);
    loop {
        let read = file.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        bytes += read;
        lines += memchr::memchr_iter(b'\n', &buffer[..read]).count();
    }
    let seconds = began.elapsed().as_secs_f64();
    json!({
        "bytes": bytes,
        "lines": lines,
        "seconds": seconds,
        "peak_kilobytes": peak_kilobytes(),
    })
}

/// The most memory that this process held so far, where the system tells.
fn peak_kilobytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

fn main() {
    let mut paths: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if paths
        .first()
        .is_some_and(|word| word == Path::new("--scan"))
    {
        for path in paths.split_off(1) {
            println!("{}", scan(&path));
        }
        return;
    }
    for path in paths {
        for file in unpack(&path, &path.display().to_string()).unwrap() {
            println!("{}", parse(&file));
        }
    }
}
