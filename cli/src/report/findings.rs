//! What a person should know about the files: the gravest first, each with its next step.

use std::fmt;

use tieout::Summary;
use tieout::core::{Finding, Severity};

use super::figures::{counted, grouped};
use crate::terminal::{Paint, WIDTH, wrap};

/// Findings that the report spells out; the table `findings` has them all.
const FINDINGS_SHOWN_MAX: usize = 12;
const LABEL_WIDTH: usize = 16;

/// Writes control totals that do not tie and the other findings above `info`.
pub fn write(summary: &Summary, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let [notes, warnings, errors] = summary.finding_counts;
    let heading = format!(
        "Findings: {}, {}, {}",
        counted(errors, "error"),
        counted(warnings, "warning"),
        counted(notes, "note"),
    );
    writeln!(out, "{}", paint.heading(&heading))?;
    writeln!(
        out,
        "  control totals that do not tie: {}; quarantined lines: {}",
        grouped(summary.out_of_balance),
        grouped(summary.quarantined),
    )?;
    let grave = |finding: &&Finding| finding.severity > Severity::Info;
    for finding in summary
        .findings
        .iter()
        .filter(grave)
        .take(FINDINGS_SHOWN_MAX)
    {
        one(finding, paint, out)?;
    }
    let shown = summary
        .findings
        .iter()
        .filter(grave)
        .count()
        .min(FINDINGS_SHOWN_MAX);
    match (warnings + errors).saturating_sub(shown as u64) {
        0 => writeln!(out),
        more => writeln!(
            out,
            "  ... and {} more, in the table findings\n",
            grouped(more)
        ),
    }
}

fn one(finding: &Finding, paint: Paint, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let place = match finding.line {
        Some(line) => format!("{}:{line}", finding.file),
        None => finding.file.clone(),
    };
    let severity = format!("{:<9}", finding.severity.code());
    let severity = if finding.severity == Severity::Error {
        paint.alarm(&severity)
    } else {
        severity
    };
    writeln!(out, "  {severity} {place}  {}", finding.code)?;
    for (label, text) in [
        ("found", &finding.found),
        ("expected", &finding.expected),
        ("what to do", &finding.action),
    ] {
        labelled(label, text, out)?;
    }
    Ok(())
}

fn labelled(label: &str, text: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if text.is_empty() {
        return Ok(());
    }
    // Column 12, under the place, so that the severities stand alone at the margin.
    let indent = format!("\n{:1$}", "", 12 + LABEL_WIDTH);
    let lines = wrap(text, WIDTH - 12 - LABEL_WIDTH).join(&indent);
    writeln!(out, "{:12}{label:<LABEL_WIDTH$}{lines}", "")
}
