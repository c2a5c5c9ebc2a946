//! Years of a ledger in minutes: random files, actions, cutoffs, returns, deliveries made again, kills
//! and compactions, through the real command, against a model in memory. After each step the tables
//! say what the model says, and so do the tables as of any earlier posting.
//!
//! `TIEOUT_YEARS` says how many years are drawn (3 otherwise).

mod books;
mod files;
mod model;
mod steps;

use std::cell::Cell;
use std::collections::BTreeMap;

use proptest::collection::vec;

use books::Books;
use steps::{Step, full_year, step};

/// Years where the environment does not say otherwise.
const YEARS: u32 = 3;

fn live(steps: &[Step]) -> BTreeMap<&'static str, u32> {
    let mut books = Books::new();
    for step in steps {
        books.step(step);
        books.check();
    }
    books.desk.verify();
    books.done
}

#[test]
fn a_year_with_all_that_happens() {
    let done = live(&full_year());
    let all = "advised again apply awaited comment compact duplicate killed lines longer lost \
               on-account past refused reopen returned unmatch write-off";
    assert_eq!(
        done.keys().copied().collect::<Vec<_>>().join(" "),
        all,
        "{done:?}"
    );
}

#[test]
fn whatever_happens_the_books_are_those_of_the_model() {
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

    let years = std::env::var("TIEOUT_YEARS").ok();
    let years: Option<u32> = years.and_then(|text| text.parse().ok());
    let config = Config {
        cases: years.unwrap_or(YEARS),
        failure_persistence: None,
        max_shrink_iters: 60,
        ..Config::default()
    };
    let mut runner = if years.is_some() {
        TestRunner::new(config)
    } else {
        // The same years each time, so that the change that breaks one is the one to blame.
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
    };
    let done = Cell::new(BTreeMap::new());
    let lived = runner.run(&vec(step(), 10..25), |steps| {
        let mut all: BTreeMap<&'static str, u32> = done.take();
        for (what, count) in live(&steps) {
            *all.entry(what).or_default() += count;
        }
        done.set(all);
        Ok(())
    });
    println!("{:?}", done.take());
    if let Err(error) = lived {
        panic!("{error}");
    }
}
