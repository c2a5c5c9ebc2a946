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

/// What reading took. The system tells CPU seconds and memory on Linux alone.
struct Cost {
    seconds: f64,
    cpu_seconds: Option<f64>,
    peak_kilobytes: Option<u64>,
}

struct Clock {
    began: Instant,
    cpu: Option<f64>,
}

impl Clock {
    fn start() -> Self {
        let cpu = cpu_seconds();
        let began = Instant::now();
        Self { began, cpu }
    }

    fn stop(self) -> Cost {
        let seconds = self.began.elapsed().as_secs_f64();
        let cpu = cpu_seconds();
        Cost {
            seconds,
            cpu_seconds: cpu.zip(self.cpu).map(|(now, then)| now - then),
            peak_kilobytes: peak_kilobytes(),
        }
    }
}

/// CPU seconds of this thread. The system counts them when a thread gives way.
fn cpu_seconds() -> Option<f64> {
    std::thread::yield_now();
    let told = fs::read_to_string("/proc/self/schedstat").ok()?;
    let nanoseconds: f64 = told.split(' ').next()?.parse().ok()?;
    Some(nanoseconds / 1e9)
}

/// The most memory that this process held so far.
fn peak_kilobytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    peak.trim().trim_end_matches(" kB").parse().ok()
}

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
    let clock = Clock::start();
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
            Batch::Finding(_) | Batch::Statement(_) | Batch::Quarantine(_) => {}
        }
        Ok(())
    });
    let cost = clock.stop();
    let counts = counts.unwrap();
    json!({
        "format": format.name(),
        "bytes": counts.bytes,
        "rows": counts.rows,
        "tables": sums.json(),
        "quarantined": counts.quarantined,
        "errors": errors,
        "seconds": cost.seconds,
        "cpu_seconds": cost.cpu_seconds,
        "peak_kilobytes": cost.peak_kilobytes,
    })
}

fn scan(path: &Path) -> Value {
    let clock = Clock::start();
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
    let cost = clock.stop();
    json!({
        "bytes": bytes,
        "lines": lines,
        "seconds": cost.seconds,
        "cpu_seconds": cost.cpu_seconds,
        "peak_kilobytes": cost.peak_kilobytes,
    })
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
