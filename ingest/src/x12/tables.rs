//! What the transaction sets of one file become, and what is to be said about it.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::fields::Fields;
use super::segment::Segment;
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::rows::{AdviceLine, BankLines, OpenItem, PaymentInstruction, PaymentStatus, TableRows};

/// Findings of one code that a file may have one by one; more are counted.
const NOTICES_MAX: u64 = 50;

/// Something that is counted and told once a file.
#[derive(Debug)]
pub(super) struct Oddity {
    pub severity: Severity,
    pub code: FindingCode,
    /// What there is a number of.
    pub what: &'static str,
    pub expected: &'static str,
    pub action: &'static str,
}

struct Seen {
    oddity: &'static Oddity,
    first_line: u64,
    count: u64,
}

/// Builds the rows of a file and says what is wrong with it.
pub(super) struct Tables<'a> {
    pub intake: Intake<'a>,
    pub advice: TableRows<AdviceLine<'static>>,
    pub instructions: TableRows<PaymentInstruction<'static>>,
    pub items: TableRows<OpenItem<'static>>,
    pub statuses: TableRows<PaymentStatus<'static>>,
    pub bank_lines: BankLines,
    first_quarantined: Option<u64>,
    seen: Vec<Seen>,
    /// How many findings of each code were told.
    told: Vec<(FindingCode, u64)>,
}

impl<'a> Tables<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        let name = intake.file_name();
        Self {
            advice: TableRows::new(name, batch_rows),
            instructions: TableRows::new(name, batch_rows),
            items: TableRows::new(name, batch_rows),
            statuses: TableRows::new(name, batch_rows),
            bank_lines: BankLines::new(name, batch_rows),
            intake,
            first_quarantined: None,
            seen: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Tells something, unless much of its kind was told already.
    pub fn report(&mut self, notice: Notice) -> Result<(), ReadError> {
        let place = self.told.iter().position(|told| told.0 == notice.code);
        let place = place.unwrap_or_else(|| {
            self.told.push((notice.code, 0));
            self.told.len() - 1
        });
        self.told[place].1 += 1;
        if self.told[place].1 <= NOTICES_MAX {
            self.intake.report(notice)?;
        }
        Ok(())
    }

    /// Counts something that is told at the end.
    pub fn count(&mut self, oddity: &'static Oddity, line: u64) {
        let known = self
            .seen
            .iter_mut()
            .find(|seen| std::ptr::eq(seen.oddity, oddity));
        match known {
            Some(seen) => seen.count += 1,
            None => self.seen.push(Seen {
                oddity,
                first_line: line,
                count: 1,
            }),
        }
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        let intake = &mut self.intake;
        self.advice.flush(intake)?;
        self.instructions.flush(intake)?;
        self.items.flush(intake)?;
        self.statuses.flush(intake)?;
        self.bank_lines.flush(intake)?;
        for seen in &self.seen {
            intake.report(seen.notice())?;
        }
        for (code, count) in &self.told {
            if let Some(more) = count.checked_sub(NOTICES_MAX + 1) {
                intake.report(too_many(*code, more + 1))?;
            }
        }
        intake.report_quarantined(self.first_quarantined)?;
        intake.counts.bytes = bytes;
        intake.counts.lines = lines;
        Ok(intake.counts.clone())
    }
}

impl Fields for Tables<'_> {
    fn refuse(
        &mut self,
        segment: &Segment<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        self.first_quarantined.get_or_insert(segment.line);
        Ok(self.intake.quarantine(&segment.line(), reason, message)?)
    }
}

impl Seen {
    fn notice(&self) -> Notice {
        Notice {
            severity: self.oddity.severity,
            code: self.oddity.code,
            line: Some(self.first_line),
            found: format!("{} {}, the first here", self.count, self.oddity.what),
            expected: self.oddity.expected.to_owned(),
            action: self.oddity.action.into(),
        }
    }
}

fn too_many(code: FindingCode, more: u64) -> Notice {
    Notice {
        severity: Severity::Error,
        code,
        line: None,
        found: format!("{more} more findings like the {NOTICES_MAX} before"),
        expected: String::new(),
        action: "Correct what the first ones name and run the file again.".into(),
    }
}
