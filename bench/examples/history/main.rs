//! A ledger of several years for `bench/compare/sql.py`: bank lines, payments, what they were applied
//! to, balances and exceptions, month by month, as the tables that SQL reads.
//!
//! Customers are invoiced, and pay what is due as early or late as each of them does. The last month
//! stands in a posting a day, as runs leave them; the months before are joined. The same seed gives the
//! same rows.

mod books;
mod rows;
mod told;
mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use tieout_core::Date;
use tieout_core::schema::Table;
use tieout_ledger::{TablesOfPostings, TablesOnly};

use books::Books;
use rows::{Cell, Rows};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Rows of a table that are written at a time.
const BATCH_ROWS: usize = 1 << 16;
const RECIPE: &str = "cash-application@1";

#[derive(Parser)]
struct Arguments {
    /// Folder of the ledger
    dir: PathBuf,
    /// Bank lines
    #[arg(long, default_value_t = 5_000_000)]
    transactions: u64,
    /// The same seed gives the same rows
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The last year of four; it ends in March
    #[arg(long, default_value_t = 2026)]
    year: i32,
}

/// Where rows go: tables of the postings that are written now.
pub struct Sink {
    postings: TablesOfPostings,
    rows: BTreeMap<&'static str, (Table, Rows)>,
}

impl Sink {
    fn of(postings: TablesOfPostings) -> Self {
        Self {
            postings,
            rows: BTreeMap::new(),
        }
    }

    /// Adds a row.
    pub fn push(&mut self, table: Table, cells: &[Cell<'_>]) -> Result<()> {
        if !self.rows.contains_key(table.name()) {
            self.rows.insert(table.name(), (table, Rows::of(table)?));
        }
        if let Some((_, rows)) = self.rows.get_mut(table.name()) {
            rows.push(cells)?;
            if rows.count() >= BATCH_ROWS {
                self.postings.write(table, &rows.take()?)?;
            }
        }
        Ok(())
    }

    fn close(mut self) -> Result<TablesOfPostings> {
        for (table, mut rows) in self.rows.into_values() {
            self.postings.write(table, &rows.take()?)?;
        }
        Ok(self.postings)
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let first = Date::from_ymd(arguments.year - 4, 4, 1)?;
    let last = Date::from_ymd(arguments.year, 3, 31)?;
    let days = world::business_days(first, last);
    ensure!(
        arguments.transactions >= 50_000,
        "at least 50,000 bank lines"
    );
    let mut books = Books::new(arguments.seed, arguments.transactions, days.len());
    let mut ledger = TablesOnly::create(&arguments.dir)?;
    let month = |day: i32| Date::from_days(day).to_string()[..7].to_owned();
    let last_month = month(last.days());
    let mut rest = days.as_slice();
    while let Some(&day) = rest.first() {
        let of_month = rest.partition_point(|&other| month(other) <= month(day));
        let count = if month(day) == last_month {
            1
        } else {
            of_month
        };
        let (now, later) = rest.split_at(count);
        let postings = ledger.begin(now.len() as u64)?;
        let numbers = postings.first()..;
        let mut sink = Sink::of(postings);
        for (posting, &day) in numbers.zip(now) {
            books.day(&mut sink, posting, day)?;
        }
        let at = |day: i32| format!("{}T06:30:00.000000Z", Date::from_days(day));
        let recorded = (at(day), at(now[now.len() - 1]));
        ledger.keep(sink.close()?, (&recorded.0, &recorded.1), RECIPE)?;
        rest = later;
    }
    ledger.finish()?;
    println!("{}", books.told());
    Ok(())
}
