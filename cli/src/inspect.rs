//! `tieout inspect`: what a file is, and its lines beside the rows that they became.

use std::io::{self, Write};

use tieout::inspect::{Account, Row};
use tieout::{Inspection, Settings};

use crate::Outcome;
use crate::arguments::InspectArguments;
use crate::failure::Failure;
use crate::terminal::{Paint, WIDTH, wrap};

/// Lines of the source that are shown of one row.
const SOURCE_LINES_MAX: usize = 12;

/// Prints what the file is.
pub fn inspect(arguments: &InspectArguments) -> Result<Outcome, Failure> {
    let inspections = tieout::inspect(&arguments.file, &Settings::default(), arguments.rows)?;
    let mut page = Page {
        out: io::stdout().lock(),
        paint: Paint::of_stdout(),
    };
    for inspection in &inspections {
        page.file(inspection)?;
    }
    page.out.flush()?;
    let is_clean = |inspection: &Inspection| {
        let is_error =
            |finding: &tieout::core::Finding| finding.severity == tieout::core::Severity::Error;
        inspection.format.is_some()
            && inspection.quarantine.is_empty()
            && !inspection.findings.iter().any(is_error)
    };
    Ok(if inspections.iter().all(is_clean) {
        Outcome::Clean
    } else {
        Outcome::NeedsAttention
    })
}

struct Page<W> {
    out: W,
    paint: Paint,
}

impl<W: Write> Page<W> {
    fn file(&mut self, file: &Inspection) -> io::Result<()> {
        let name = self.paint.heading(&file.file);
        let Some((format, about)) = &file.format else {
            let unknown = self.paint.alarm("no known format; see `tieout formats`");
            return writeln!(self.out, "{name}\n  {unknown}");
        };
        let counts = &file.counts;
        writeln!(self.out, "{name}")?;
        writeln!(self.out, "  format   {format}: {}", indented(about, 11))?;
        if let Some(profile) = &counts.profile {
            writeln!(self.out, "  profile  {profile}")?;
        }
        writeln!(
            self.out,
            "  size     {} bytes, {} lines, {} rows, {} lines in quarantine",
            counts.bytes, counts.lines, counts.rows, counts.quarantined
        )?;
        writeln!(self.out, "  blake3   {}", file.digest)?;
        let tables = file
            .tables
            .iter()
            .map(|(table, rows)| format!("{table} {rows}"));
        let tables: Vec<String> = tables.collect();
        writeln!(self.out, "  rows of  {}", tables.join(", "))?;
        self.accounts(&file.accounts)?;
        self.balances(&file.balances)?;
        self.findings(file)?;
        self.quarantine(file)?;
        self.rows(file)
    }

    fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint.heading(text);
        writeln!(self.out, "\n{text}")
    }

    fn accounts(&mut self, accounts: &[Account]) -> io::Result<()> {
        if accounts.is_empty() {
            return Ok(());
        }
        self.heading("Accounts")?;
        for account in accounts {
            let number = if account.number.is_empty() {
                "(none named)"
            } else {
                &account.number
            };
            writeln!(
                self.out,
                "  {number:<34} {}  {:>6} lines  in {:>18}  out {:>18}",
                account.currency, account.lines, account.credits, account.debits
            )?;
        }
        Ok(())
    }

    fn balances(&mut self, balances: &[Row]) -> io::Result<()> {
        if balances.is_empty() {
            return Ok(());
        }
        self.heading("Balances")?;
        for balance in balances {
            let values: Vec<&str> = balance.values.iter().map(|(_, value)| &**value).collect();
            let place = place(balance);
            writeln!(self.out, "  {place:<11} {}", values.join("  "))?;
        }
        Ok(())
    }

    fn findings(&mut self, file: &Inspection) -> io::Result<()> {
        self.heading("Findings")?;
        if file.findings.is_empty() {
            let none = self.paint.good("none: totals and balances tie");
            return writeln!(self.out, "  {none}");
        }
        for finding in &file.findings {
            let line = finding
                .line
                .map_or(String::new(), |line| format!(" line {line}"));
            let title = format!("{} {}{line}", finding.severity.code(), finding.code.code());
            writeln!(self.out, "  {title}: {}", indented(&finding.found, 4))?;
            if !finding.expected.is_empty() {
                writeln!(self.out, "    expected: {}", indented(&finding.expected, 4))?;
            }
            if !finding.action.is_empty() {
                writeln!(self.out, "    {}", indented(&finding.action, 4))?;
            }
        }
        Ok(())
    }

    fn quarantine(&mut self, file: &Inspection) -> io::Result<()> {
        if file.quarantine.is_empty() {
            return Ok(());
        }
        self.heading("Quarantine")?;
        for line in &file.quarantine {
            writeln!(
                self.out,
                "  line {} (bytes {} to {}) {}: {}",
                line.line,
                line.byte_start,
                line.byte_end,
                line.reason.code(),
                indented(&line.message, 4)
            )?;
            self.source(&String::from_utf8_lossy(&line.raw))?;
        }
        Ok(())
    }

    fn rows(&mut self, file: &Inspection) -> io::Result<()> {
        if file.rows.is_empty() {
            return Ok(());
        }
        self.heading("Lines and the rows that they became")?;
        for row in &file.rows {
            writeln!(self.out, "  {}", place(row))?;
            self.source(&row.source)?;
            let values = row.values.iter();
            let values = values.map(|(name, value)| format!("{name}={value}"));
            let values = values.collect::<Vec<_>>().join("  ");
            writeln!(self.out, "    {}: {}", row.table, indented(&values, 6))?;
        }
        let all: usize = file.tables.values().sum();
        let shown = file.rows.len() + file.balances.len();
        if shown < all {
            let more = format!("{} more rows; --rows N shows more", all - shown);
            writeln!(self.out, "  {}", self.paint.aside(&more))?;
        }
        Ok(())
    }

    /// The source as it stands, without what a terminal would act on.
    fn source(&mut self, text: &str) -> io::Result<()> {
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().take(SOURCE_LINES_MAX) {
            let letters = line.chars();
            let line: String = letters
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect();
            let line = format!("    | {}", line.trim_end());
            writeln!(self.out, "{}", self.paint.aside(&line))?;
        }
        if lines.len() > SOURCE_LINES_MAX {
            writeln!(
                self.out,
                "    | ... {} lines",
                lines.len() - SOURCE_LINES_MAX
            )?;
        }
        Ok(())
    }
}

/// `line 57`, or `line 57, sheet March, row 12`.
fn place(row: &Row) -> String {
    let named = row.place.iter().map(|place| format!(", {place}"));
    format!("line {}{}", row.line, named.collect::<String>())
}

/// The text broken into lines, all but the first set in by `by` blanks.
fn indented(text: &str, by: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    wrap(&clean, WIDTH - by).join(&format!("\n{:by$}", ""))
}
