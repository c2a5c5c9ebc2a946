//! What is unusual in a file, told once a kind with its number.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tieout_core::{FindingCode, Severity};

use super::remittance::Remittance;
use super::value::shared;
use crate::format::Stopped;
use crate::intake::{Intake, Notice};

/// Kinds that are kept apart; of more, the rest is one.
const KINDS_MAX: usize = 200;

/// A kind of thing that may come many times.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Oddity {
    pub severity: Severity,
    pub code: FindingCode,
    /// What there are many of.
    pub what: Cow<'static, str>,
    pub expected: &'static str,
    pub action: &'static str,
}

/// Counts oddities.
#[derive(Default)]
pub(super) struct Oddities {
    /// The first line and the number of each.
    seen: BTreeMap<Oddity, (u64, u64)>,
    unlisted: Option<(u64, u64)>,
}

impl Oddities {
    /// Counts `oddity` on `line`, `times` times.
    pub fn note(&mut self, oddity: Oddity, line: u64, times: u64) {
        if times == 0 {
            return;
        }
        let is_known = self.seen.contains_key(&oddity);
        if is_known || self.seen.len() < KINDS_MAX {
            self.seen.entry(oddity).or_insert((line, 0)).1 += times;
        } else {
            self.unlisted.get_or_insert((line, 0)).1 += times;
        }
    }

    /// Counts an element that the message has no place for.
    pub fn unknown_element(&mut self, name: &str, parent: &str, line: u64) {
        let oddity = Oddity {
            severity: Severity::Warning,
            code: FindingCode::UnexpectedRecord,
            what: format!("elements `{}` in `{parent}`", shared(name)).into(),
            expected: "an element of the standard",
            action: "They were not read; see whether they hold something that matters.",
        };
        self.note(oddity, line, 1);
    }

    /// Counts text where only elements are expected.
    pub fn stray_text(&mut self, line: u64, times: u64) {
        let oddity = Oddity {
            severity: Severity::Warning,
            code: FindingCode::UnexpectedRecord,
            what: "texts between elements".into(),
            expected: "elements only",
            action: "They were not read; see whether they hold something that matters.",
        };
        self.note(oddity, line, times);
    }

    /// Counts what is wrong with what a payment is for.
    pub fn note_remittance(&mut self, remittance: &Remittance<'_>, line: u64) {
        let references = Oddity {
            severity: Severity::Warning,
            code: FindingCode::CheckDigit,
            what: "creditor references with wrong check digits".into(),
            expected: "the check digits of ISO 11649, QR, KID or OGM",
            action: "They are kept as written; find the invoice by amount and payer.",
        };
        self.note(references, line, remittance.wrong_references);
        let amounts = Oddity {
            severity: Severity::Warning,
            code: FindingCode::UnexpectedRecord,
            what: "amounts of documents that do not read".into(),
            expected: "decimal numbers with a currency",
            action: "The documents were read without them; look at the file.",
        };
        self.note(amounts, line, remittance.unread_amounts);
    }

    /// Tells what was counted.
    pub fn report(&mut self, intake: &mut Intake<'_>) -> Result<(), Stopped> {
        let mut seen: Vec<_> = std::mem::take(&mut self.seen).into_iter().collect();
        seen.sort_by_key(|(_, (line, _))| *line);
        for (oddity, (line, count)) in seen {
            intake.report(Notice {
                severity: oddity.severity,
                code: oddity.code,
                line: Some(line),
                found: format!("{count} {}, the first here", oddity.what),
                expected: oddity.expected.to_owned(),
                action: oddity.action.into(),
            })?;
        }
        let Some((line, count)) = self.unlisted.take() else {
            return Ok(());
        };
        intake.report(Notice {
            severity: Severity::Warning,
            code: FindingCode::UnexpectedRecord,
            line: Some(line),
            found: format!("{count} more things of other kinds, the first here"),
            expected: "at most 200 kinds".to_owned(),
            action: "Check that the file is what it seems to be.".into(),
        })
    }
}
