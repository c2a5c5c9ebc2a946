//! A payment that went wrong, on one line for whoever looks into it.

use std::fmt::Write as _;

use super::answers::{Answers, Application};
use super::tally::Judged;
use super::truth::{Line, Truth};
use super::verdict::Verdict;
use crate::money::units_text;

/// `file:line scenario: kind; truth ...; engine ...`.
pub fn line(
    truth: &Truth,
    answers: &Answers,
    judged: &Judged,
    applications: &[Application],
) -> String {
    let expected = judged.expected;
    let kind = match judged.verdict {
        Verdict::Wrong(wrong) => wrong.word(),
        Verdict::Right | Verdict::Held(_) | Verdict::Missing => "not_wrong",
    };
    let mut text = format!(
        "{}:{} {} {}: {kind}; truth {} {}",
        truth.files.name(expected.file),
        expected.line,
        truth.scenarios.name(expected.scenario),
        units_text(expected.amount),
        expected.outcome.word(),
        truth.parties.name(expected.party),
    );
    push_lines(&mut text, truth, truth.lines_of(expected).iter());
    if let Some(answer) = judged.answer {
        let _ = write!(
            text,
            "; engine {} {} by {} ({:.4})",
            answer.status.word(),
            truth.parties.name(answer.party),
            answers.rules.name(answer.rule),
            answer.score,
        );
        push_lines(&mut text, truth, applications.iter().map(|a| &a.line));
    }
    text
}

fn push_lines<'a>(text: &mut String, truth: &Truth, lines: impl Iterator<Item = &'a Line>) {
    for line in lines {
        let _ = write!(
            text,
            " {}={}",
            truth.items.name(line.item),
            units_text(line.cash)
        );
        for (mark, amount) in ["disc", "woff", "dedu"].iter().zip(line.allowances) {
            if amount != 0 {
                let _ = write!(text, "+{mark} {}", units_text(amount));
            }
        }
    }
}
