//! How good an engine's answers are, by the truth of the morning.
//!
//! [`run`] reads the truth, then what the engine wrote ([`answers`]), judges payment by
//! payment ([`verdict`]) and counts ([`tally`]). `bench/README.md` defines every rate. Any
//! engine that writes the contract's columns can be scored.

mod answers;
mod listing;
mod numbering;
mod report;
mod stock;
mod table;
mod tally;
#[cfg(test)]
mod tests;
mod truth;
mod verdict;

use std::path::Path;

use anyhow::Result;

use answers::{Answers, Application, candidates};
use stock::Stock;
use tally::{Judged, Share, Tally};
use truth::{Expected, Truth};
use verdict::{Verdict, judge, proposes_truth};

/// The scenario whose payments only look like duplicates.
const TWINS: &[u8] = b"twin_checks";

/// An engine's score.
pub struct Score {
    tally: Tally,
    stock: Option<Stock>,
    scenarios: Vec<String>,
    /// Rows for a payment that had a row already.
    doubled: u64,
    /// Rows for lines that the truth does not have, and those of them that are applied.
    unknown: Share,
    /// Applications of no payment.
    astray: u64,
    /// Wrong ones, listed.
    listed: Vec<String>,
}

/// Scores the folder `out` against `truth`; checks `items` for over-application if given, and
/// lists up to `wrong` payments that went wrong.
///
/// # Errors
/// When a file cannot be read or does not hold the contract's columns.
pub fn run(out: &Path, truth: &Path, items: Option<&Path>, wrong: usize) -> Result<Score> {
    let mut truth = Truth::read(truth)?;
    let answers = Answers::read(out, &mut truth)?;
    let stock = items
        .map(|path| stock::check(path, &truth, &answers.applications))
        .transpose()?;
    let mut tally = Tally::new(&truth);
    let mut listed = Vec::new();
    let mut verdicts = Vec::with_capacity(truth.payments.len());
    for (number, expected) in truth.payments.iter().enumerate() {
        let (judged, applications) = look(&truth, &answers, number, expected);
        tally.count(&truth, &judged);
        if listed.len() < wrong && matches!(judged.verdict, Verdict::Wrong(_)) {
            listed.push(listing::line(&truth, &answers, &judged, applications));
        }
        verdicts.push(judged.verdict);
    }
    count_twins(&mut tally, &truth);
    count_candidates(&mut tally, &truth, &answers, &verdicts, out)?;
    Ok(Score {
        tally,
        stock,
        scenarios: (0..truth.scenarios.len())
            .map(|n| truth.scenarios.name(n as u32))
            .collect(),
        doubled: answers.doubled,
        unknown: unknown(&answers),
        astray: answers.astray,
        listed,
    })
}

/// Judges one payment of the truth.
fn look<'a>(
    truth: &Truth,
    answers: &'a Answers,
    number: usize,
    expected: &'a Expected,
) -> (Judged<'a>, &'a [Application]) {
    let row = answers.of_payment[number];
    let applications = row.map_or(&[][..], |row| answers.applications_of(row));
    let answer = row.map(|row| &answers.rows[row as usize]);
    let verdict = answer.map_or(Verdict::Missing, |answer| {
        judge(truth, expected, answer, applications)
    });
    let effective = || applications.iter().filter(|a| a.effective);
    let lines = truth.lines_of(expected);
    let judged = Judged {
        expected,
        answer,
        verdict,
        cash: effective().map(|a| a.line.cash).sum(),
        lines_right: effective().filter(|a| lines.contains(&a.line)).count() as u64,
        proposed: applications
            .iter()
            .any(|a| !a.effective)
            .then(|| proposes_truth(truth, expected, applications)),
    };
    (judged, applications)
}

fn count_twins(tally: &mut Tally, truth: &Truth) {
    if let Some(number) = truth.scenarios.find(TWINS) {
        let fate = tally.scenarios[number as usize];
        tally.twins_held = Share {
            part: fate.held[answers::Status::Duplicate as usize],
            whole: fate.all,
        };
    }
}

fn unknown(answers: &Answers) -> Share {
    let mut unknown = Share::default();
    for &row in &answers.unknown {
        let applied = answers.rows[row as usize].status.is_applied();
        let effective = answers.applications_of(row).iter().any(|a| a.effective);
        unknown.count(applied || effective);
    }
    unknown
}

/// Looks for the truth among the candidates of what was not applied.
fn count_candidates(
    tally: &mut Tally,
    truth: &Truth,
    answers: &Answers,
    verdicts: &[Verdict],
    dir: &Path,
) -> Result<()> {
    let mut payment_of = vec![None; answers.rows.len()];
    for (number, row) in answers.of_payment.iter().enumerate() {
        if let Some(row) = row {
            payment_of[*row as usize] = Some(number);
        }
    }
    answers.each_exception(dir, |row, text| {
        let Some(number) = payment_of[row as usize] else {
            return;
        };
        let expected = &truth.payments[number];
        if expected.has_answer() && matches!(verdicts[number], Verdict::Held(_)) {
            let rank = candidates(text).position(|set| is_truth(truth, expected, set));
            tally.count_candidates(expected, rank);
        }
    })
}

fn is_truth<'a>(truth: &Truth, expected: &Expected, set: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut items: Vec<Option<u32>> = set.map(|id| truth.items.find(id)).collect();
    items.sort_unstable();
    let lines = truth.lines_of(expected);
    items
        .into_iter()
        .eq(lines.iter().map(|line| Some(line.item)))
}
