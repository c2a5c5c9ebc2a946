//! What is read of a file: rows, balances, findings, and what could not be read.

use std::collections::BTreeMap;

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::charset::Charset;
use super::entry::Refusal;
use super::field::Field;
use super::values::Looseness;
use crate::format::{Counts, NumberedStatement, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::rows::{Balance, BankLine, BankLines, PaymentInstruction, TableRows};

/// Oddities of which a file may have many; one finding each says how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Oddity {
    Windows1252,
    Latin2,
    CodePage852,
    DecimalPoint,
    ThousandSeparators,
    LowercaseMark,
    MonthOfThirtyDays,
    StatementText,
    CheckDigits,
    Envelope,
}

impl From<Looseness> for Oddity {
    fn from(looseness: Looseness) -> Self {
        match looseness {
            Looseness::DecimalPoint => Self::DecimalPoint,
            Looseness::ThousandSeparators => Self::ThousandSeparators,
            Looseness::LowercaseMark => Self::LowercaseMark,
            Looseness::MonthOfThirtyDays => Self::MonthOfThirtyDays,
        }
    }
}

impl From<Charset> for Oddity {
    fn from(charset: Charset) -> Self {
        match charset {
            Charset::Utf8 | Charset::Windows1252 => Self::Windows1252,
            Charset::Latin2 => Self::Latin2,
            Charset::CodePage852 => Self::CodePage852,
        }
    }
}

impl Oddity {
    const fn severity(self) -> Severity {
        match self {
            Self::ThousandSeparators | Self::LowercaseMark => Severity::Warning,
            _ => Severity::Info,
        }
    }

    const fn code(self) -> FindingCode {
        match self {
            Self::Windows1252 | Self::Latin2 | Self::CodePage852 => {
                FindingCode::ConvertedCharacters
            }
            Self::StatementText | Self::Envelope => FindingCode::UnexpectedRecord,
            Self::CheckDigits => FindingCode::CheckDigit,
            _ => FindingCode::LayoutInferred,
        }
    }

    /// What was found, what was expected, what to do.
    const fn words(self) -> [&'static str; 3] {
        match self {
            Self::Windows1252 => [
                "lines that are not UTF-8",
                "UTF-8",
                "They were read as Windows-1252.",
            ],
            Self::Latin2 => [
                "lines that are not UTF-8",
                "UTF-8",
                "They were read as ISO 8859-2.",
            ],
            Self::CodePage852 => [
                "lines that are not UTF-8",
                "UTF-8",
                "They were read as code page 852.",
            ],
            Self::DecimalPoint => [
                "amounts with a decimal point",
                "a decimal comma",
                "The point was read as the comma.",
            ],
            Self::ThousandSeparators => [
                "amounts with separators of thousands",
                "digits with a decimal comma",
                "The separators were left out; compare the amounts with the balances.",
            ],
            Self::LowercaseMark => [
                "credit or debit marks in small letters",
                "C or D",
                "They were read as capital letters; the file was made by hand or changed.",
            ],
            Self::MonthOfThirtyDays => [
                "dates such as 30 February, of a calendar with months of thirty days",
                "a day of the calendar",
                "The last day of that February was taken.",
            ],
            Self::StatementText => [
                "texts (86) about a whole statement",
                "texts about its lines",
                "They say nothing of a payment and are in no row.",
            ],
            Self::CheckDigits => [
                "accounts with the form of an IBAN and wrong check digits",
                "check digits that are right",
                "The accounts are read as written.",
            ],
            Self::Envelope => [
                "blocks or messages of the network around the statements",
                "statements",
                "They carry no money.",
            ],
        }
    }
}

/// Takes rows and findings.
pub(super) struct Output<'a> {
    intake: Intake<'a>,
    rows: BankLines,
    balances: TableRows<Balance<'static>>,
    instructions: TableRows<PaymentInstruction<'static>>,
    oddities: BTreeMap<Oddity, (u64, u64)>,
    /// The first line in quarantine.
    refused: Option<u64>,
}

impl<'a> Output<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        let name = intake.file_name();
        Self {
            rows: BankLines::new(name, batch_rows),
            balances: TableRows::new(name, batch_rows),
            instructions: TableRows::new(name, batch_rows),
            intake,
            oddities: BTreeMap::new(),
            refused: None,
        }
    }

    pub fn row(&mut self, row: &BankLine<'_>) -> Result<(), ReadError> {
        self.rows.push(row, &mut self.intake)
    }

    pub fn balance(&mut self, row: &Balance<'_>) -> Result<(), ReadError> {
        self.balances.push(row, &mut self.intake)
    }

    pub fn instruction(&mut self, row: &PaymentInstruction<'_>) -> Result<(), ReadError> {
        self.instructions.push(row, &mut self.intake)
    }

    pub fn statement(&mut self, statement: NumberedStatement) -> Result<(), ReadError> {
        Ok(self.intake.statement(statement)?)
    }

    pub fn report(&mut self, notice: Notice) -> Result<(), ReadError> {
        Ok(self.intake.report(notice)?)
    }

    /// Counts an oddity.
    pub fn note(&mut self, oddity: impl Into<Oddity>, line: u64) {
        self.oddities.entry(oddity.into()).or_insert((line, 0)).1 += 1;
    }

    pub fn refuse_line(
        &mut self,
        line: &Line<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, message)?)
    }

    pub fn refuse_long_line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine_long_line(line)?)
    }

    /// Puts every line of a field into quarantine.
    pub fn refuse(&mut self, field: &Field, (reason, message): &Refusal) -> Result<(), ReadError> {
        for line in field.lines() {
            self.refuse_line(&line, *reason, message)?;
        }
        Ok(())
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        self.balances.flush(&mut self.intake)?;
        self.instructions.flush(&mut self.intake)?;
        self.rows.flush(&mut self.intake)?;
        for (oddity, (line, count)) in std::mem::take(&mut self.oddities) {
            let [what, expected, action] = oddity.words();
            self.report(Notice {
                severity: oddity.severity(),
                code: oddity.code(),
                line: Some(line),
                found: format!("{count} {what}, the first here"),
                expected: expected.to_owned(),
                action: action.into(),
            })?;
        }
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }
}
