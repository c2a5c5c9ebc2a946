//! Payers' names to customers by the name index, and names compared one by one.
//!
//! `cargo run --release -p tieout-bench --example names -- PAYERS CUSTOMERS ANSWERS THREADS` takes files
//! of one name a line, writes the line of the customer found for each payer (from 0) and the likeness,
//! or an empty line, and prints a JSON object: the seconds and CPU seconds to make the index and look all
//! payers up, and the pairs of names compared one with another in a CPU second, as if there were no index.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::time::Instant;

use mimalloc::MiMalloc;
use rayon::prelude::*;
use serde_json::json;
use tieout_matcher::{Name, NameIndex};

#[path = "../benches/files/clock.rs"]
mod clock;

use clock::cpu_seconds;

/// The one of the command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Payers whose names are compared with all customers'.
const COMPARED: usize = 500;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [payers, customers, answers, threads] = &words[..] else {
        panic!("names PAYERS CUSTOMERS ANSWERS THREADS");
    };
    let threads = threads.parse().unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    let pool = pool.build().unwrap();
    let (payers, customers) = (read(payers), read(customers));
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let mut index = NameIndex::default();
    for (line, name) in customers.iter().enumerate() {
        index.insert(Name::of(name), line as u32);
    }
    let found: Vec<_> = pool.install(|| payers.par_iter().map(|payer| index.find(payer)).collect());
    let (seconds, cpu_taken) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let mut out = fs::File::create(answers).unwrap();
    for answer in &found {
        match answer {
            Some(found) => writeln!(out, "{},{:.4}", found.party, found.similarity),
            None => writeln!(out),
        }
        .unwrap();
    }
    let cpu = cpu_seconds();
    let compared = payers.len().min(COMPARED);
    let best: f64 = pool.install(|| {
        let names: Vec<Name> = customers.iter().map(|name| Name::of(name)).collect();
        let best = payers[..compared].par_iter().map(|payer| {
            let payer = Name::of(payer);
            let alike = names.iter().map(|name| payer.similarity(name));
            alike.fold(0.0, f64::max)
        });
        best.collect::<Vec<f64>>().into_iter().sum()
    });
    let pairs = (compared * customers.len()) as f64;
    let told = json!({
        "seconds": seconds,
        "cpu_seconds": cpu_taken,
        "pairs_per_cpu_second": pairs / (cpu_seconds() - cpu),
        "likeness": best / compared.max(1) as f64,
    });
    println!("{told}");
}

fn read(path: &str) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}
