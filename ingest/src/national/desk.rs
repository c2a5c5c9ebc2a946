//! Takes what the readers of national formats make of a file, and hands it over.

use std::collections::BTreeMap;

use tieout_core::{FindingCode, QuarantineReason, Severity};

use crate::format::{Counts, NumberedStatement, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::rows::{
    Balance, BankLine, BankLines, DocumentLine, PaymentInstruction, PaymentStatus, TableRows,
};

/// Why a record does not become a row.
pub(crate) type Refusal = (QuarantineReason, String);

/// Something that may occur on many lines and is told once, with its count.
pub(crate) struct Oddity {
    pub severity: Severity,
    pub code: FindingCode,
    /// What occurs, in the plural. Tells one oddity from another.
    pub what: &'static str,
    pub expected: &'static str,
    pub action: &'static str,
}

const CONVERTED: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::ConvertedCharacters,
    what: "lines that are not UTF-8",
    expected: "UTF-8",
    action: "They were read as code page 850 or Windows-1252.",
};

struct Occurrence {
    oddity: &'static Oddity,
    line: u64,
    count: u64,
    first: String,
}

/// Where a reader leaves its rows.
pub(crate) struct Desk<'a> {
    intake: Intake<'a>,
    lines: BankLines,
    balances: TableRows<Balance<'static>>,
    instructions: Option<TableRows<PaymentInstruction<'static>>>,
    statuses: Option<TableRows<PaymentStatus<'static>>>,
    batch_rows: usize,
    oddities: BTreeMap<&'static str, Occurrence>,
    /// The first line in quarantine.
    refused: Option<u64>,
}

impl<'a> Desk<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        let name = intake.file_name();
        Self {
            lines: BankLines::new(name, batch_rows),
            balances: TableRows::new(name, batch_rows),
            instructions: None,
            statuses: None,
            batch_rows,
            intake,
            oddities: BTreeMap::new(),
            refused: None,
        }
    }

    /// Names the layout profile that the file is read by.
    pub fn set_profile(&mut self, profile: &str) {
        self.intake.counts.profile = Some(profile.to_owned());
    }

    pub fn bank_line(&mut self, line: &BankLine<'_>) -> Result<(), ReadError> {
        self.lines.push(line, &mut self.intake)
    }

    /// A document of the bank line handed in last.
    pub fn document(&mut self, document: &DocumentLine<'_>) {
        self.lines.push_document(document);
    }

    pub fn balance(&mut self, balance: &Balance<'_>) -> Result<(), ReadError> {
        self.balances.push(balance, &mut self.intake)
    }

    pub fn instruction(&mut self, row: &PaymentInstruction<'_>) -> Result<(), ReadError> {
        let name = self.intake.file_name();
        let rows = || TableRows::new(name, self.batch_rows);
        let instructions = self.instructions.get_or_insert_with(rows);
        instructions.push(row, &mut self.intake)
    }

    pub fn status(&mut self, row: &PaymentStatus<'_>) -> Result<(), ReadError> {
        let name = self.intake.file_name();
        let rows = || TableRows::new(name, self.batch_rows);
        let statuses = self.statuses.get_or_insert_with(rows);
        statuses.push(row, &mut self.intake)
    }

    pub fn statement(&mut self, statement: NumberedStatement) -> Result<(), ReadError> {
        Ok(self.intake.statement(statement)?)
    }

    pub fn report(&mut self, notice: Option<Notice>) -> Result<(), ReadError> {
        match notice {
            Some(notice) => Ok(self.intake.report(notice)?),
            None => Ok(()),
        }
    }

    /// Notes that `oddity` occurs on a line; `detail` says how, and is kept of the first.
    pub fn note(&mut self, oddity: &'static Oddity, line: u64, detail: impl FnOnce() -> String) {
        let occurrence = self.oddities.entry(oddity.what);
        occurrence
            .or_insert_with(|| Occurrence {
                oddity,
                line,
                count: 0,
                first: detail(),
            })
            .count += 1;
    }

    pub fn note_converted(&mut self, line: u64) {
        self.note(&CONVERTED, line, String::new);
    }

    pub fn refuse(&mut self, line: &Line<'_>, refusal: Refusal) -> Result<(), ReadError> {
        let (reason, message) = refusal;
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, message)?)
    }

    pub fn refuse_long_line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine_long_line(line)?)
    }

    /// A record that a closing or opening record should have gone before.
    pub fn missing(&mut self, line: u64, found: String, expected: &str) -> Result<(), ReadError> {
        self.report(Some(Notice {
            severity: Severity::Error,
            code: FindingCode::MissingRecord,
            line: Some(line),
            found,
            expected: expected.to_owned(),
            action: "What is here is read; ask the bank for a whole file.".into(),
        }))
    }

    /// The file ends where more should follow.
    pub fn truncated(&mut self, found: String, expected: &str) -> Result<(), ReadError> {
        self.report(Some(Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: None,
            found,
            expected: expected.to_owned(),
            action: "Ask for the file again: lines may be missing. What is here is read.".into(),
        }))
    }

    /// Hands over what is left.
    pub fn finish(mut self, (bytes, lines): (u64, u64)) -> Result<Counts, ReadError> {
        self.balances.flush(&mut self.intake)?;
        self.lines.flush(&mut self.intake)?;
        if let Some(instructions) = &mut self.instructions {
            instructions.flush(&mut self.intake)?;
        }
        if let Some(statuses) = &mut self.statuses {
            statuses.flush(&mut self.intake)?;
        }
        for occurrence in std::mem::take(&mut self.oddities).into_values() {
            self.intake.report(occurrence.in_words())?;
        }
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }
}

impl Occurrence {
    fn in_words(self) -> Notice {
        let first = if self.first.is_empty() {
            String::new()
        } else {
            format!(": {}", self.first)
        };
        Notice {
            severity: self.oddity.severity,
            code: self.oddity.code,
            line: Some(self.line),
            found: format!("{} {}, the first here{first}", self.count, self.oddity.what),
            expected: self.oddity.expected.to_owned(),
            action: self.oddity.action.into(),
        }
    }
}
