//! What the transaction sets of one file become, and what is to be said about it.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::fields::Fields;
use super::segment::Segment;
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::rows::{
    AdviceLine, BankLine, BankLines, DocumentLine, OpenItem, PaymentInstruction, PaymentStatus,
    TableRow, TableRows,
};

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
    intake: Intake<'a>,
    batch_rows: usize,
    // Built when their first row comes: most files have rows of one or two tables.
    advice: Option<TableRows<AdviceLine<'static>>>,
    instructions: Option<TableRows<PaymentInstruction<'static>>>,
    items: Option<TableRows<OpenItem<'static>>>,
    statuses: Option<TableRows<PaymentStatus<'static>>>,
    bank_lines: Option<BankLines>,
    first_quarantined: Option<u64>,
    seen: Vec<Seen>,
    /// How many findings of each code were told.
    told: Vec<(FindingCode, u64)>,
}

impl<'a> Tables<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            intake,
            batch_rows,
            advice: None,
            instructions: None,
            items: None,
            statuses: None,
            bank_lines: None,
            first_quarantined: None,
            seen: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Adds a document line without its payment.
    pub fn push_advice(&mut self, row: &AdviceLine<'_>) -> Result<(), ReadError> {
        let (name, batch_rows) = (self.intake.file_name(), self.batch_rows);
        let rows = self
            .advice
            .get_or_insert_with(|| TableRows::new(name, batch_rows));
        rows.push(row, &mut self.intake)
    }

    /// Adds an instructed payment.
    pub fn push_instruction(&mut self, row: &PaymentInstruction<'_>) -> Result<(), ReadError> {
        let (name, batch_rows) = (self.intake.file_name(), self.batch_rows);
        let rows = self
            .instructions
            .get_or_insert_with(|| TableRows::new(name, batch_rows));
        rows.push(row, &mut self.intake)
    }

    /// Adds an open item.
    pub fn push_item(&mut self, row: &OpenItem<'_>) -> Result<(), ReadError> {
        let (name, batch_rows) = (self.intake.file_name(), self.batch_rows);
        let rows = self
            .items
            .get_or_insert_with(|| TableRows::new(name, batch_rows));
        rows.push(row, &mut self.intake)
    }

    /// Adds a status.
    pub fn push_status(&mut self, row: &PaymentStatus<'_>) -> Result<(), ReadError> {
        let (name, batch_rows) = (self.intake.file_name(), self.batch_rows);
        let rows = self
            .statuses
            .get_or_insert_with(|| TableRows::new(name, batch_rows));
        rows.push(row, &mut self.intake)
    }

    /// Adds a cheque with its documents.
    pub fn push_check<'d>(
        &mut self,
        line: &BankLine<'_>,
        documents: impl Iterator<Item = DocumentLine<'d>>,
    ) -> Result<(), ReadError> {
        let (name, batch_rows) = (self.intake.file_name(), self.batch_rows);
        let rows = self
            .bank_lines
            .get_or_insert_with(|| BankLines::new(name, batch_rows));
        rows.push(line, &mut self.intake)?;
        for document in documents {
            rows.push_document(&document);
        }
        Ok(())
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
        flush(&mut self.advice, intake)?;
        flush(&mut self.instructions, intake)?;
        flush(&mut self.items, intake)?;
        flush(&mut self.statuses, intake)?;
        if let Some(rows) = &mut self.bank_lines {
            rows.flush(intake)?;
        }
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

fn flush<R: TableRow>(
    rows: &mut Option<TableRows<R>>,
    intake: &mut Intake<'_>,
) -> Result<(), ReadError> {
    match rows {
        Some(rows) => rows.flush(intake),
        None => Ok(()),
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
