//! One run of a parser that others wrote: `tieout-peers PEER FILE` prints one JSON object with the
//! rows it saw, the sum of their amounts, the seconds and CPU seconds from opening the file to the
//! last row, and the most memory held until then. What a peer cannot read is an error in its own words.

mod american;
mod european;
mod tables;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use mimalloc::MiMalloc;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;

/// The one that tieout has.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Reads a file once.
type Peer = fn(&Path) -> Outcome;
type Outcome = Result<(Cost, Seen), Box<dyn Error>>;

const PEERS: [(&str, Peer); 14] = [
    ("bai2", american::bai2),
    ("nacha", american::nacha),
    ("rs-ach", american::rs_ach),
    ("edi", american::edi),
    ("x12-types", american::x12_types),
    ("x12-stream-parser", american::x12_stream_parser),
    ("ofx-rs", american::ofx_rs),
    ("ofxy", american::ofxy),
    ("mt940", european::mt940),
    ("swift-mt-message", european::swift_mt_message),
    ("camt053", european::camt053),
    ("quick-xml", european::quick_xml),
    ("csv-stripe", tables::stripe),
    ("csv-bank_csv", tables::bank_csv),
];

/// What a peer saw of a file.
#[derive(Default)]
struct Seen {
    rows: u64,
    cents: i128,
}

impl Seen {
    /// One row for each amount in hundredths.
    fn amounts(amounts: impl Iterator<Item = i128>) -> Self {
        let mut seen = Self::default();
        amounts.for_each(|cents| seen.add(cents));
        seen
    }

    fn add(&mut self, cents: i128) {
        self.rows += 1;
        self.cents += cents;
    }
}

/// What a run took until its clock was stopped.
struct Cost {
    seconds: f64,
    cpu_seconds: f64,
    peak_kilobytes: u64,
}

/// Started before a file is opened, stopped when its last row is there: counting is not timed.
struct Clock {
    began: Instant,
    cpu: f64,
}

impl Clock {
    fn start() -> Self {
        let cpu = cpu_seconds();
        let began = Instant::now();
        Self { began, cpu }
    }

    fn stop(self) -> Cost {
        let seconds = self.began.elapsed().as_secs_f64();
        let cpu_seconds = cpu_seconds() - self.cpu;
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        Cost {
            seconds,
            cpu_seconds,
            peak_kilobytes: kilobytes.unwrap_or(0),
        }
    }
}

/// CPU seconds of the one thread, which the system counts when a thread gives way; zero where it
/// does not tell.
fn cpu_seconds() -> f64 {
    std::thread::yield_now();
    let told = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|text| text.parse().ok());
    nanoseconds.map_or(0.0, |count: f64| count / 1e9)
}

fn cents(amount: Decimal) -> i128 {
    (amount * Decimal::ONE_HUNDRED).to_i128().unwrap_or(0)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, file] = words.as_slice() else {
        eprintln!("tieout-peers PEER FILE");
        return ExitCode::from(2);
    };
    let Some((_, peer)) = PEERS.iter().find(|(known, _)| known == name) else {
        eprintln!("{name}: no such peer");
        return ExitCode::from(2);
    };
    match peer(Path::new(file)) {
        Ok((cost, seen)) => {
            let report = json!({
                "rows": seen.rows,
                "cents": seen.cents.to_string(),
                "seconds": cost.seconds,
                "cpu_seconds": cost.cpu_seconds,
                "peak_kilobytes": cost.peak_kilobytes,
            });
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
