//! What an open item costs to load, what a payment costs once all items are loaded, and what memory
//! the indexes take.
//!
//! `cargo run --release -p tieout-bench --example decide -- DIR THREADS` reads the morning in DIR,
//! which `tieout-bench generate` has made, and prints a JSON object. Reading the files is not in the
//! figures; CPU nanoseconds are those of all threads.
#![allow(clippy::unwrap_used)]

#[path = "../benches/files/mod.rs"]
mod files;

use std::path::Path;
use std::time::Instant;

use arrow::array::RecordBatch;
use mimalloc::MiMalloc;
use serde_json::{Value, json};
use tieout_matcher::{Recipe, Session};

use files::books::{self, Books};
use files::clock::cpu_seconds;

/// The one of the command.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [dir, threads] = &words[..] else {
        panic!("decide DIR THREADS");
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse().unwrap());
    let told = pool.build().unwrap().install(|| measure(Path::new(dir)));
    println!("{told}");
}

fn measure(dir: &Path) -> Value {
    let known = Books::read(dir);
    let payments = books::payments(dir);
    let items: usize = known.items.iter().map(RecordBatch::num_rows).sum();
    let count: usize = payments.iter().map(|(rows, _)| rows.num_rows()).sum();
    let mut session = Session::new(Recipe::cash_application(), None, false);
    for rows in &known.parties {
        session.load_parties(rows).unwrap();
    }
    let ((), load) = timed(items, || {
        for rows in &known.items {
            session.load_items(rows, None).unwrap();
        }
    });
    for rows in &known.remittances {
        session.load_remittances(rows).unwrap();
    }
    drop(known);
    let ((), index) = timed(items, || session.finish_loading());
    let ((first, left), references) = timed(count, || books::references(&mut session, &payments));
    let (second, amounts) = timed(count - first, || books::amounts(&mut session, left));
    assert_eq!(first + second, count);
    let bytes = session.items().index_bytes();
    let all: usize = bytes.iter().map(|&(_, bytes)| bytes).sum();
    let by_index: serde_json::Map<String, Value> = bytes
        .iter()
        .map(|&(name, bytes)| (name.to_owned(), json!(bytes as f64 / items as f64)))
        .collect();
    json!({
        "items": items,
        "payments": count,
        "decided_by_references": first,
        "load_items": load,
        "build_indexes": index,
        "references": references,
        "amounts": amounts,
        "index_bytes_per_item": all as f64 / items as f64,
        "index_bytes_per_item_by_index": by_index,
    })
}

/// What `work` gives, and its seconds and CPU nanoseconds for each of so many.
fn timed<T>(many: usize, work: impl FnOnce() -> T) -> (T, Value) {
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let done = work();
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let each = 1e9 * cpu / many.max(1) as f64;
    let told = json!({ "seconds": seconds, "cpu_seconds": cpu, "cpu_nanoseconds_each": each });
    (done, told)
}
