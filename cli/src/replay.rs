//! `tieout replay`: what another recipe would have decided.

use std::collections::BTreeSet;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::path::Path;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use tieout::replay::{Difference, ReplayOptions, Replayed, Side, difference_rows};
use tieout::{EngineError, FileFormat, Settings, write_rows};

use crate::Outcome;
use crate::arguments::{PageFormat, ReplayArguments};
use crate::failure::Failure;
use crate::whole_file::write_out;
use crate::{ledger, recipes};

/// Differences that a page lists; the other formats have all.
const LISTED_MAX: usize = 50;

/// Decides again, and says what would differ.
pub fn replay(arguments: ReplayArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger)?;
    let threads = arguments.threads.map(std::num::NonZeroUsize::get);
    let options = ReplayOptions {
        recipe: recipes::chosen(&arguments.recipe)?,
        from: arguments.from,
        to: arguments.to,
        threads: threads.unwrap_or(Settings::default().threads),
    };
    let replayed = tieout::replay::replay(&dir, &options)?;
    let page = Page {
        replayed: &replayed,
        listed: if arguments.diff { LISTED_MAX } else { 0 },
        fail_below: arguments.fail_below,
    };
    let format = match arguments.format {
        PageFormat::Page => None,
        PageFormat::Csv => Some(FileFormat::Csv),
        PageFormat::Json => Some(FileFormat::Json),
        PageFormat::Parquet => Some(FileFormat::Parquet),
    };
    write(&page, format, arguments.out.as_deref())?;
    let reaches = |least| replayed.reaches(least);
    Ok(if arguments.fail_below.is_none_or(reaches) {
        Outcome::Clean
    } else {
        Outcome::NeedsAttention
    })
}

/// The page goes to standard error where the rows take standard output.
fn write(page: &Page, format: Option<FileFormat>, out: Option<&Path>) -> Result<(), Failure> {
    let Some(format) = format else {
        return write_out(out, |out| {
            write!(out, "{page}").map_err(EngineError::Answer)
        });
    };
    let rows = difference_rows(&page.replayed.differences)?;
    write_out(out, |out| write_rows(&rows, format, out))?;
    if out.is_some() {
        write!(io::stdout(), "{page}")?;
    } else {
        eprint!("{page}");
    }
    Ok(())
}

/// What people read of a replay.
struct Page<'a> {
    replayed: &'a Replayed,
    listed: usize,
    fail_below: Option<f64>,
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let replayed = self.replayed;
        writeln!(
            out,
            "{} runs of postings {} to {} decided again by {}; they were by {}",
            replayed.runs,
            replayed.first,
            replayed.last,
            replayed.recipe,
            replayed.earlier_recipes.join(", ")
        )?;
        writeln!(out, "{}", totals(&replayed.was, &replayed.would))?;
        writeln!(
            out,
            "right by what people said   was {}, would be {}",
            precision(&replayed.was),
            precision(&replayed.would)
        )?;
        let mut at_stake = String::new();
        for (currency, amount) in replayed.at_stake() {
            write!(at_stake, ", {amount} {currency} at stake")?;
        }
        writeln!(
            out,
            "{} of {} decisions would differ{at_stake}",
            replayed.differences.len(),
            replayed.payments
        )?;
        if replayed.misfits > 0 {
            writeln!(
                out,
                "{} actions of people do not fit what the recipe would have applied before them",
                replayed.misfits
            )?;
        }
        self.list(out)?;
        self.gate(out)
    }
}

impl Page<'_> {
    fn list(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let differences = &self.replayed.differences;
        if self.listed == 0 || differences.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_preset(ASCII_MARKDOWN);
        table.set_header([
            "payment",
            "amount",
            "",
            "was",
            "would be",
            "at stake",
            "people said",
            "would be",
        ]);
        for own in differences.iter().take(self.listed) {
            table.add_row(row(own));
        }
        for place in [1, 5] {
            if let Some(column) = table.column_mut(place) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        writeln!(out, "\n{table}")?;
        let more = differences.len().saturating_sub(self.listed);
        if more > 0 {
            writeln!(out, "{more} more with --format csv, json or parquet")?;
        }
        Ok(())
    }

    fn gate(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(least) = self.fail_below else {
            return Ok(());
        };
        let word = if self.replayed.reaches(least) {
            "passed"
        } else {
            "failed"
        };
        let why = match self.replayed.would.precision() {
            Some(precision) => format!("{precision:.4} right, {least} wanted"),
            None => "nobody judged any of the decisions, so none may differ".to_owned(),
        };
        writeln!(out, "gate {word}: {why}")
    }
}

fn row(own: &Difference) -> [String; 8] {
    let (was, would) = own.statuses();
    let (amount, currency) = own.amount();
    [
        own.payment_id.chars().take(12).collect(),
        amount.to_string(),
        currency.to_owned(),
        was.to_owned(),
        would.to_owned(),
        own.at_stake.to_string(),
        own.action.clone().unwrap_or_default(),
        own.would_verdict.map_or("", |it| it.code()).to_owned(),
    ]
}

fn precision(side: &Side) -> String {
    match side.precision() {
        None => "not judged".to_owned(),
        Some(share) => format!("{share:.4} ({} of {})", side.right, side.right + side.wrong),
    }
}

/// Payments by currency and status, as they were and as they would be.
fn totals(was: &Side, would: &Side) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header([
        "",
        "status",
        "was",
        "applied",
        "on account",
        "unapplied",
        "would be",
        "applied",
        "on account",
        "unapplied",
    ]);
    let keys: BTreeSet<_> = was.statuses.keys().chain(would.statuses.keys()).collect();
    for key in keys {
        let mut cells = vec![key.0.clone(), key.1.clone()];
        for side in [was, would] {
            let total = side.statuses.get(key).copied().unwrap_or_default();
            cells.push(total.payments.to_string());
            for amount in [total.applied, total.on_account, total.unapplied] {
                cells.push(amount.to_string());
            }
        }
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
