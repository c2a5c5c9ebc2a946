//! Where the money of one currency went.

use std::fmt;

use tieout::CurrencySummary;
use tieout::core::{Amount, Status};

use super::figures::{grouped, money, share};
use crate::terminal::{Paint, WIDTH, wrap};

const LABEL_WIDTH: usize = 28;
const COUNT_WIDTH: usize = 10;
/// Wide enough for a hundred billion with cents; a larger amount widens the column.
const AMOUNT_WIDTH_MIN: usize = 20;
const GAP: usize = 2;

/// Writes the currency's block: money in and its three parts, what customers kept, how the
/// payments ended, and which of them need a person.
pub fn write(totals: &CurrencySummary, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let table = Table::for_totals(totals);
    writeln!(
        out,
        "{}",
        paint.heading(&table.line(totals.currency.as_str(), "payments", "amount"))
    )?;
    parts(totals, &table, out)?;
    concessions(totals, &table, out)?;
    statuses(totals, &table, paint, out)?;
    exceptions(totals, &table, paint, out)
}

fn parts(totals: &CurrencySummary, table: &Table, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let whole = totals.money_in.amount;
    let count = grouped(totals.money_in.count);
    let label = format!("  {}", totals.flow.label());
    writeln!(out, "{}", table.line(&label, &count, &money(whole)))?;
    for (label, part) in [
        ("    applied to items", totals.applied),
        ("    on account", totals.on_account),
        ("    unapplied", totals.unapplied),
    ] {
        let line = table.line(label, "", &money(part));
        writeln!(out, "{line}{:>9}", share(part, whole))?;
    }
    Ok(())
}

/// What items lost beside cash; nothing is written where they lost nothing.
fn concessions(
    totals: &CurrencySummary,
    table: &Table,
    out: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let kept = [
        ("    discounts", totals.discount),
        ("    written off", totals.write_off),
        ("    deductions", totals.deduction),
    ];
    if kept.iter().all(|(_, amount)| amount.is_zero()) {
        return Ok(());
    }
    writeln!(out, "  Items also reduced by")?;
    for (label, amount) in kept {
        writeln!(out, "{}", table.line(label, "", &money(amount)))?;
    }
    Ok(())
}

fn statuses(
    totals: &CurrencySummary,
    table: &Table,
    paint: Paint,
    out: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    writeln!(out, "  How the payments ended")?;
    for (status, tally) in &totals.by_status {
        let label = format!("    {status}");
        let line = table.line(&label, &grouped(tally.count), &money(tally.amount));
        if *status == Status::OutOfScope {
            let flow = totals.flow.label().to_lowercase();
            let aside = format!("not counted in {flow}");
            writeln!(out, "{line}  {}", paint.aside(&aside))?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    writeln!(out)
}

fn exceptions(
    totals: &CurrencySummary,
    table: &Table,
    paint: Paint,
    out: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if totals.exceptions.is_empty() {
        return writeln!(out, "  No payment needs a person.\n");
    }
    let title = format!("  Need a person, in {}", totals.currency);
    writeln!(
        out,
        "{}",
        paint.heading(&table.line(&title, "payments", "amount"))
    )?;
    for (reason, tally) in &totals.exceptions {
        let label = format!("    {reason}");
        let line = table.line(&label, &grouped(tally.count), &money(tally.amount));
        let gap = " ".repeat(GAP);
        let indent = format!("\n{:1$}", "", table.width() + GAP);
        let sentence = wrap(reason.sentence(), table.sentence_width()).join(&indent);
        writeln!(out, "{line}{gap}{sentence}")?;
    }
    writeln!(out)
}

/// Columns that line up through the block.
struct Table {
    amount_width: usize,
}

impl Table {
    fn for_totals(totals: &CurrencySummary) -> Self {
        let amounts = totals.by_status.iter().map(|(_, tally)| tally.amount);
        let widest = amounts
            .chain([totals.money_in.amount])
            .map(|amount: Amount| money(amount).len())
            .max()
            .unwrap_or(0);
        Self {
            amount_width: AMOUNT_WIDTH_MIN.max(widest + GAP),
        }
    }

    fn line(&self, label: &str, count: &str, amount: &str) -> String {
        let width = self.amount_width;
        format!("{label:<LABEL_WIDTH$}{count:>COUNT_WIDTH$}{amount:>width$}")
    }

    fn width(&self) -> usize {
        LABEL_WIDTH + COUNT_WIDTH + self.amount_width
    }

    fn sentence_width(&self) -> usize {
        WIDTH.saturating_sub(self.width() + GAP).max(COUNT_WIDTH)
    }
}
