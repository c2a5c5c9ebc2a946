//! The second pass over a QIF file: records become rows.

use tieout_core::{
    Amount, Currency, Date, Direction, FindingCode, IdentityHasher, LineId, QuarantineReason,
    Severity,
};

use super::date::Written;
use super::record::{Record, Refusal, read_amount};
use super::section::{Kind, Section, is_end};
use super::survey::Habits;
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::oddities::{Oddities, Oddity};
use crate::rows::{Balance, BankLine, BankLines, TableRows};

/// What ISO 4217 has for no currency, since QIF names none.
const NO_CURRENCY: &[u8] = b"XXX";
/// The payee by which Quicken names an account and what was in it before.
const OPENING: &str = "Opening Balance";

static OTHER_RECORD: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::NotRead,
    what: "records of lists",
    expected: "",
    action: "They are no lines of an account.",
};
static TRADE: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::NotRead,
    what: "trades of securities",
    expected: "",
    action: "They are no bank lines, and what cash they moved is not guessed.",
};
static UNKNOWN_HEADER: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnexpectedRecord,
    what: "headers that QIF does not have",
    expected: "!Type, !Account, !Option or !Clear",
    action: "The records below them are in quarantine.",
};
static UNKNOWN_LETTER: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::UnknownCode,
    what: "lines with a first letter that QIF does not have",
    expected: "one of D T U C N P M A L S E $ % F",
    action: "They were not kept; the amount does not depend on them.",
};
static SPLITS: Oddity = Oddity {
    severity: Severity::Error,
    code: FindingCode::ControlTotal,
    what: "records whose splits do not add up to their amount",
    expected: "the amount (T) as the sum of its splits ($)",
    action: "The record's amount was taken; look at its splits.",
};

pub(super) struct Reader<'a> {
    intake: Intake<'a>,
    rows: BankLines,
    balances: TableRows<Balance<'static>>,
    habits: Habits,
    currency: Currency,
    oddities: Oddities,
    section: Section,
    record: Record,
    /// The account that lines belong to, as its holder calls it.
    account: String,
    /// No line came since the header.
    is_first: bool,
    /// The first line that was read, for the finding about the currency.
    first_line: Option<u64>,
    refused: Option<u64>,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize, habits: Habits) -> Self {
        Self {
            rows: BankLines::new(intake.file_name(), batch_rows),
            balances: TableRows::new(intake.file_name(), batch_rows),
            intake,
            habits,
            currency: Currency::parse(NO_CURRENCY).unwrap_or(Currency::USD),
            oddities: Oddities::default(),
            section: Section::Before,
            record: Record::default(),
            account: String::new(),
            is_first: true,
            first_line: None,
            refused: None,
        }
    }

    pub fn report(&mut self, notice: Notice) -> Result<(), ReadError> {
        Ok(self.intake.report(notice)?)
    }

    /// Reads the next line.
    pub fn line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if line.is_blank() {
            return Ok(());
        }
        let bytes = line.bytes.trim_ascii();
        if let Some(section) = Section::of(bytes) {
            self.end_record()?;
            self.section = section;
            self.is_first = true;
            if section == Section::Unknown {
                let shown = String::from_utf8_lossy(bytes);
                let shown: String = shown.chars().take(30).collect();
                self.oddities.note(&UNKNOWN_HEADER, line.number, &shown);
            }
            return Ok(());
        }
        if is_end(bytes) {
            if !self.record.is_empty() {
                self.record.extend(line);
            }
            return self.end_record();
        }
        match self.section {
            Section::Before => {
                let message = "the line stands before any header (!Type:...)";
                self.refuse(line, QuarantineReason::MisplacedRecord, message.to_owned())
            }
            Section::Lines(_) | Section::Account => {
                self.record.take(line);
                Ok(())
            }
            _ => {
                self.record.extend(line);
                Ok(())
            }
        }
    }

    fn end_record(&mut self) -> Result<(), ReadError> {
        let record = std::mem::take(&mut self.record);
        if record.is_empty() {
            return Ok(());
        }
        if record.is_too_long() {
            let message = "the record has more than 10,000 lines or 1 MiB".to_owned();
            return self.refuse(&record.line(), QuarantineReason::TooLong, message);
        }
        for letter in &record.unknown {
            let mut room = [0; 4];
            let name = letter.encode_utf8(&mut room);
            self.oddities
                .note(&UNKNOWN_LETTER, record.line_number(), name);
        }
        match self.section {
            Section::Lines(kind) => self.bank_line(kind, &record),
            Section::Account => self.begin_account(&record),
            Section::Investment => {
                self.oddities.note(&TRADE, record.line_number(), "");
                Ok(())
            }
            Section::Before | Section::Unknown => {
                let message = "the record stands below a header that QIF does not have".to_owned();
                self.refuse(&record.line(), QuarantineReason::UnknownRecord, message)
            }
            Section::List => {
                self.oddities.note(&OTHER_RECORD, record.line_number(), "");
                Ok(())
            }
        }
    }

    fn begin_account(&mut self, record: &Record) -> Result<(), ReadError> {
        self.account.clone_from(&record.number);
        if record.balance.is_empty() {
            return Ok(());
        }
        let balance = self
            .day(&record.balance_date)
            .and_then(|date| Ok((date, read_amount(&record.balance, self.habits)?)));
        match balance {
            Ok((date, amount)) => self.balance(record, "statement", date, amount),
            Err((reason, message)) => self.refuse(&record.line(), reason, message),
        }
    }

    fn balance(
        &mut self,
        record: &Record,
        words: &'static str,
        date: Option<Date>,
        amount: Amount,
    ) -> Result<(), ReadError> {
        self.first_line.get_or_insert(record.line_number());
        let row = Balance {
            source_line: record.line_number(),
            account: &self.account,
            currency: self.currency,
            type_code: words,
            balance_type: if words == "opening" {
                "opening balance"
            } else {
                "statement balance"
            },
            as_of_date: date,
            amount,
            item_count: None,
        };
        self.balances.push(&row, &mut self.intake)
    }

    fn bank_line(&mut self, kind: Kind, record: &Record) -> Result<(), ReadError> {
        let is_first = std::mem::take(&mut self.is_first);
        let (date, signed) = match self.check(record) {
            Ok(checked) => checked,
            Err((reason, message)) => return self.refuse(&record.line(), reason, message),
        };
        let own = record.category.strip_prefix('[');
        let own = own.and_then(|name| name.strip_suffix(']'));
        if let Some(name) = own.filter(|_| is_first && record.payee == OPENING) {
            name.clone_into(&mut self.account);
            return self.balance(record, "opening", Some(date), signed);
        }
        if record.splits_tie(signed, self.habits) == Some(false) {
            self.oddities.note(&SPLITS, record.line_number(), "");
        }
        self.write(kind, record, date, signed)
    }

    fn check(&self, record: &Record) -> Result<(Date, Amount), Refusal> {
        let date = self.day(&record.date)?.ok_or_else(|| {
            let message = "the record has no date (D); add it".to_owned();
            (QuarantineReason::MissingField, message)
        })?;
        Ok((date, read_amount(&record.amount, self.habits)?))
    }

    /// The day that `text` names by the file's habits; none for no text.
    fn day(&self, text: &str) -> Result<Option<Date>, Refusal> {
        if text.is_empty() {
            return Ok(None);
        }
        let written = Written::of(text.as_bytes());
        let day = written.and_then(|written| written.day(self.habits.order));
        day.map(Some).ok_or_else(|| {
            let expected = match (written, self.habits.order) {
                (None, _) => "a day of the calendar",
                (Some(_), Some(order)) => order.words(),
                (Some(_), None) => "a day of the calendar that reads one way only",
            };
            let message = format!("the date is `{text}`; expected {expected}");
            (QuarantineReason::BadDate, message)
        })
    }

    fn write(
        &mut self,
        kind: Kind,
        record: &Record,
        date: Date,
        signed: Amount,
    ) -> Result<(), ReadError> {
        self.first_line.get_or_insert(record.line_number());
        let is_check = record.number.bytes().all(|byte| byte.is_ascii_digit());
        let (check_number, reference) = if is_check {
            (record.number.trim_start_matches('0'), "")
        } else {
            ("", record.number.as_str())
        };
        let row = BankLine {
            source_line: record.line_number(),
            account: &self.account,
            booking_date: Some(date),
            value_date: Some(date),
            // QIF writes the effect on the account: money out is negative.
            direction: if signed.is_negative() {
                Direction::Debit
            } else {
                Direction::Credit
            },
            amount: signed.abs(),
            type_code: &record.category,
            bank_reference: reference,
            check_number,
            counterparty_name: &record.payee,
            remittance_text: &record.text(),
            bytes: record.bytes(),
            ..BankLine::blank(self.identity(kind, record, date, signed), self.currency)
        };
        self.rows.push(&row, &mut self.intake)
    }

    fn identity(&self, kind: Kind, record: &Record, date: Date, signed: Amount) -> LineId {
        let mut hasher = IdentityHasher::new("qif");
        hasher.field(self.account.as_bytes());
        hasher.field(kind.words().as_bytes());
        hasher.field(&date.days().to_le_bytes());
        hasher.field(&signed.units().to_le_bytes());
        for text in [
            &record.number,
            &record.payee,
            &record.category,
            &record.text(),
        ] {
            hasher.field(text.as_bytes());
        }
        hasher.finish()
    }

    fn refuse(
        &mut self,
        line: &Line<'_>,
        reason: QuarantineReason,
        message: String,
    ) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, message)?)
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        if !self.record.is_empty() {
            let line = self.record.line_number();
            self.end_record()?;
            self.report(Notice {
                severity: Severity::Warning,
                code: FindingCode::TruncatedFile,
                line: Some(line),
                found: "the last record has no end (^)".to_owned(),
                expected: "`^` after every record".to_owned(),
                action: "Compare the file's last line with the account; it may be cut off.".into(),
            })?;
        }
        self.balances.flush(&mut self.intake)?;
        self.rows.flush(&mut self.intake)?;
        self.report_currency()?;
        self.oddities.report(&mut self.intake)?;
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }

    fn report_currency(&mut self) -> Result<(), ReadError> {
        let notice = match self.first_line {
            Some(line) => Notice {
                severity: Severity::Info,
                code: FindingCode::LayoutInferred,
                line: Some(line),
                found: "QIF names no currency".to_owned(),
                expected: String::new(),
                action: "The amounts carry XXX, no currency; ask for OFX to have one.".into(),
            },
            None => Notice {
                severity: Severity::Info,
                code: FindingCode::NotMoneyFile,
                line: None,
                found: "no lines of an account".to_owned(),
                expected: String::new(),
                action: "Nothing to do if only accounts or lists were exported.".into(),
            },
        };
        self.report(notice)
    }
}
