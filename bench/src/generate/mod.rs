//! A distributor's morning with known answers: the same seed gives the same bytes.
//!
//! The order is that of the data: customers ([`parties`]), what they owe ([`items`]), what they
//! pay ([`plan`], by the [`mix`]), what of it can be seen ([`shown`]), and the files
//! ([`lockbox`], [`statement`], [`advice`], [`books`]). The truth is what was planned; whether
//! it can be found in the files is checked while planning ([`readings`]).

mod advice;
mod books;
mod calendar;
mod desk;
pub mod dice;
mod items;
mod lockbox;
pub mod mix;
mod names;
mod parties;
mod plan;
mod readings;
mod reference;
mod referenced;
mod repeats;
mod several;
mod shown;
mod sink;
mod statement;
mod subsets;
mod unreferenced;
mod words;

use std::path::Path;

use anyhow::{Context, Result, ensure};

use lockbox::Deposit;
use mix::{Channel, MIX, Mix, Outcome};
use shown::Morning;
use sink::Sink;

/// The fewest payments that still fill every file.
pub const PAYMENTS_MIN: u32 = 200;
/// The most payments whose numbers still fit their columns.
pub const PAYMENTS_MAX: u32 = 10_000_000;

/// Open items a payment, if nothing else is wanted.
const ITEMS_PER_PAYMENT: u32 = 2;
/// The most open items whose numbers still fit their columns.
pub const ITEMS_MAX: u32 = ITEMS_PER_PAYMENT * PAYMENTS_MAX;

/// What is wanted of a morning.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Customers' payments.
    pub payments: u32,
    /// Open items; none for twice as many as payments.
    pub items: Option<u32>,
    /// The same seed gives the same bytes.
    pub seed: u64,
    /// What happens how often.
    pub mix: Mix,
}

/// What came out.
pub struct Summary {
    /// Customers' payments.
    pub payments: usize,
    /// Open items.
    pub items: usize,
    /// Customers.
    pub parties: usize,
    /// Rows of the truth that pay an item.
    pub applications: usize,
    /// Payments per scenario, in the order of the mix.
    pub scenarios: Vec<usize>,
}

impl Summary {
    /// A table of what came out, for the terminal.
    pub fn table(&self) -> String {
        use std::fmt::Write as _;
        let share = |count: usize| 100.0 * count as f64 / self.payments.max(1) as f64;
        let mut text = format!(
            "{} payments, {} open items, {} customers, {} applications\n",
            self.payments, self.items, self.parties, self.applications
        );
        for (row, &count) in MIX.iter().zip(&self.scenarios) {
            let (name, outcome) = (row.name, row.outcome.word());
            let _ = writeln!(
                text,
                "{name:24} {outcome:18} {count:9} {:6.2}%",
                share(count)
            );
        }
        for outcome in [
            Outcome::Applied,
            Outcome::PartiallyApplied,
            Outcome::OnAccount,
            Outcome::Duplicate,
            Outcome::Person,
        ] {
            let counts = MIX.iter().zip(&self.scenarios);
            let count: usize = counts
                .filter(|(r, _)| r.outcome == outcome)
                .map(|(_, c)| c)
                .sum();
            let _ = writeln!(
                text,
                "{:43} {count:9} {:6.2}%",
                outcome.word(),
                share(count)
            );
        }
        text
    }
}

/// Writes a morning with `payments` payments into `out`, and a SQL peer's copy into `peer`.
///
/// # Errors
/// When the number of payments is out of range or a file cannot be written.
pub fn run(payments: u32, seed: u64, out: &Path, peer: Option<&Path>) -> Result<Summary> {
    let wanted = Wanted {
        payments,
        items: None,
        seed,
        mix: Mix::Usual,
    };
    run_wanted(wanted, out, peer)
}

/// The same with a mix and a number of open items of one's own choice.
///
/// # Errors
/// When a number is out of range or a file cannot be written.
pub fn run_wanted(wanted: Wanted, out: &Path, peer: Option<&Path>) -> Result<Summary> {
    let Wanted {
        payments,
        seed,
        mix,
        ..
    } = wanted;
    ensure!(
        (PAYMENTS_MIN..=PAYMENTS_MAX).contains(&payments),
        "--payments {payments}: choose between {PAYMENTS_MIN} and {PAYMENTS_MAX}"
    );
    let least = ITEMS_PER_PAYMENT * payments;
    let items = wanted.items.unwrap_or(least);
    ensure!(
        (least..=ITEMS_MAX).contains(&items),
        "--items {items}: choose between {least} (twice the payments) and {ITEMS_MAX}"
    );
    std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display()))?;
    let parties = parties::create(seed, payments, items);
    let items = items::create(seed, &parties);
    let plan = plan::create(seed, &parties, &items, mix);
    let morning = Morning {
        seed,
        parties,
        items,
        plan,
    };
    let mut sink = Sink::new(morning.plan.payments.len(), peer)?;
    books::parties(&morning, out)?;
    books::open_items(&morning, out)?;
    let mut deposits = Vec::new();
    for channel in [Channel::LockboxInvoice, Channel::LockboxText] {
        let used = deposits.last().map_or(0, |last: &Deposit| last.lockbox);
        deposits.extend(lockbox::write(&morning, channel, used, out, &mut sink)?);
    }
    statement::write(&morning, &deposits, out, &mut sink)?;
    books::truth(&morning, &sink, out)?;
    Ok(summary(&morning, &sink))
}

fn summary(morning: &Morning, sink: &Sink) -> Summary {
    let mut scenarios = vec![0; MIX.len()];
    let mut applications = 0;
    for payment in &morning.plan.payments {
        scenarios[payment.scenario as usize] += 1;
        if payment.scenario.row().outcome.has_items() {
            applications += payment.lines as usize;
        }
    }
    for bystander in &sink.bystanders {
        scenarios[bystander.scenario as usize] += 1;
    }
    Summary {
        payments: morning.plan.payments.len(),
        items: morning.items.list.len(),
        parties: morning.parties.list.len(),
        applications,
        scenarios,
    }
}
