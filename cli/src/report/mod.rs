//! The summary as a controller reads it: what came, where the money went, what needs a person,
//! what does not tie, and the next step.

mod figures;
mod files;
mod findings;
mod money;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use tieout::core::Severity;
use tieout::{RunOptions, Summary};

use crate::terminal::{Paint, shell_word};
use figures::{counted, duration, grouped, per_second, throughput};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A run's summary, ready to print.
pub struct Report<'a> {
    summary: &'a Summary,
    options: &'a RunOptions,
    paint: Paint,
}

impl<'a> Report<'a> {
    /// The report of the run that `options` asked for.
    pub fn new(summary: &'a Summary, options: &'a RunOptions, paint: Paint) -> Self {
        Self {
            summary,
            options,
            paint,
        }
    }

    fn title(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recipe = self.options.recipe.label();
        let title = self.paint.heading(&format!("tieout {VERSION}"));
        write!(out, "{title}, recipe {recipe}")?;
        if let Some(day) = self.options.as_of {
            write!(out, ", as of {day}")?;
        }
        writeln!(out, "\n")
    }

    fn verdict(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        if summary.is_clean() {
            let text = "Everything was read, and every control total ties.";
            return writeln!(out, "{}\n", self.paint.good(text));
        }
        let text = format!(
            "Needs attention: {} in quarantine, {} out of balance, {} in all.",
            counted(summary.quarantined, "line"),
            counted(summary.out_of_balance, "control total"),
            counted(
                summary.finding_counts[Severity::Error as usize - 1],
                "error"
            ),
        );
        writeln!(out, "{}\n", self.paint.alarm(&text))
    }

    fn closing(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let summary = self.summary;
        writeln!(
            out,
            "{} in {}: {} payments/s, {} MB/s",
            counted(summary.payments(), "payment"),
            duration(summary.elapsed),
            grouped(per_second(summary.payments(), summary.elapsed)),
            throughput(summary.bytes(), summary.elapsed),
        )?;
        if let Some(posting) = summary.repeats {
            let tables = match self.options.out {
                Some(_) => ": the tables are those of that posting",
                None => "",
            };
            writeln!(out, "Nothing new since posting {posting}{tables}")?;
        }
        if let Some(output) = &self.options.out {
            writeln!(out, "Tables written to {}", output.dir.display())?;
        }
        match &self.options.ledger {
            Some(ledger) => self.next_in(ledger, out),
            None => self.next_without_ledger(out),
        }
    }

    fn next_in(&self, ledger: &Path, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ledger_word = shell_word(&ledger.to_string_lossy());
        writeln!(out, "Ledger kept in {}\n", ledger.display())?;
        writeln!(out, "{}", self.paint.heading("Next"))?;
        let question = "select * from exceptions order by amount desc";
        writeln!(out, "  tieout sql \"{question}\" --ledger {ledger_word}")?;
        writeln!(out, "  tieout explain PAYMENT_ID --ledger {ledger_word}")
    }

    fn next_without_ledger(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n{}", self.paint.heading("Next"))?;
        writeln!(
            out,
            "  add --ledger DIR to ask in SQL and to have each payment explained"
        )?;
        if self.options.out.is_none() {
            writeln!(
                out,
                "  add --out DIR to write payments, applications and the other tables"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.title(out)?;
        files::write(self.summary, self.paint, out)?;
        for totals in &self.summary.currencies {
            money::write(totals, self.paint, out)?;
        }
        writeln!(
            out,
            "{} made; {} held as duplicates\n",
            counted(self.summary.applications, "application"),
            counted(self.summary.duplicates, "payment"),
        )?;
        let rematched = self.summary.rematched;
        if rematched.count > 0 {
            writeln!(
                out,
                "{} matched by what came since: {}\n",
                counted(rematched.count, "earlier payment"),
                rematched.amount
            )?;
        }
        findings::write(self.summary, self.paint, out)?;
        self.verdict(out)?;
        self.closing(out)
    }
}
