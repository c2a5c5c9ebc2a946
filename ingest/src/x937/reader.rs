//! Follows the records of an image cash letter: file, cash letters and bundles open and close,
//! items become rows, control records are compared.

use tieout_core::{Amount, Currency, Date, FindingCode, QuarantineReason, Severity};

use super::control::{Tally, compare_bundle, compare_file, compare_letter};
use super::item::{Item, Origin, account_of};
use super::record::Record;
use crate::fixed::{digits, trimmed};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::oddities::{Oddities, Oddity};
use crate::rows::{Balance, BankLines, TableRows, decode};

/// Columns of a record that is no image and no reference to one.
const RECORD_COLUMNS: usize = 80;

static ROUTING: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::CheckDigit,
    what: "cheques whose bank's routing number has a wrong check digit",
    expected: "nine digits, the last by weights 3, 7, 1",
    action: "Look at the images: the magnetic ink may have been misread.",
};
static UNREADABLE: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::MissingRecord,
    what: "cheques without an account that reads",
    expected: "an account in the on-us field",
    action: "The payer is to be told from the image.",
};
static SUMMARY: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::NotRead,
    what: "records of totals, routes and users",
    expected: "",
    action: "They hold no cheques.",
};
static TEST: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::TestDelivery,
    what: "test files",
    expected: "",
    action: "Its cheques were read as information and not booked.",
};
static LONG_RECORD: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnexpectedRecord,
    what: "records with content behind column 80",
    expected: "records of 80 columns, but for images and their references",
    action: "A line end may be missing between two records; the second was not read.",
};
static UNCLOSED: Oddity = Oddity {
    severity: Severity::Error,
    code: FindingCode::MissingRecord,
    what: "bundles or cash letters without their control record",
    expected: "a 70 after each bundle and a 90 after each cash letter",
    action: "Their cheques are read, but not compared with a total; ask for the file again.",
};

/// What is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    #[default]
    Nothing,
    File,
    Letter,
    Bundle,
}

pub(super) struct Reader<'a> {
    intake: Intake<'a>,
    rows: BankLines,
    balances: TableRows<Balance<'static>>,
    oddities: Oddities,
    level: Level,
    origin: Origin,
    item: Option<Item>,
    bundle: Tally,
    letter: Tally,
    file: Tally,
    /// Records since the file header.
    records: i128,
    refused: Option<u64>,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            rows: BankLines::new(intake.file_name(), batch_rows),
            balances: TableRows::new(intake.file_name(), batch_rows),
            intake,
            oddities: Oddities::default(),
            level: Level::Nothing,
            origin: Origin::default(),
            item: None,
            bundle: Tally::default(),
            letter: Tally::default(),
            file: Tally::default(),
            records: 0,
            refused: None,
        }
    }

    /// Takes the next record.
    pub fn record(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.records += 1;
        let code = record.text.get(..2).unwrap_or_default();
        let is_long = !trimmed(record.text, RECORD_COLUMNS + 1, record.text.len()).is_empty();
        if is_long && !matches!(code, b"27" | b"34" | b"52" | b"54" | b"68") {
            self.oddities
                .note(&LONG_RECORD, record.number, &decode(code));
        }
        match code {
            b"01" => self.begin_file(record),
            b"10" => self.begin_letter(record),
            b"20" => self.begin_bundle(record),
            b"25" | b"31" => self.begin_item(record),
            b"26" | b"27" | b"28" | b"32" | b"33" | b"34" | b"35" => self.addendum(record),
            b"50" | b"52" | b"54" => {
                self.bundle.item_records += 1;
                self.bundle.images += i128::from(code == b"50");
                Ok(())
            }
            b"61" | b"62" => self.credit(record),
            b"70" => self.end_bundle(record),
            b"90" => self.end_letter(record),
            b"99" => self.end_file(record),
            b"40" | b"41" | b"42" | b"43" | b"44" | b"45" | b"46" | b"68" | b"74" | b"75"
            | b"77" | b"78" | b"85" => {
                self.oddities.note(&SUMMARY, record.number, &decode(code));
                Ok(())
            }
            _ => {
                let message = "the record is of no type that X9.37 has; correct its first two \
                               characters";
                self.refuse(record, QuarantineReason::UnknownRecord, message)
            }
        }
    }

    /// Takes the rest of a file whose framing is broken.
    pub fn broken(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        let message = "the record's length is impossible, or more than the file has left; \
                       nothing behind it can be read";
        self.refuse(record, QuarantineReason::BadStructure, message)
    }

    fn refuse(
        &mut self,
        record: &Record<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        let line = Line {
            number: record.number,
            start: record.start,
            end: record.end,
            bytes: record.raw,
            is_cut: false,
        };
        self.refused.get_or_insert(record.number);
        Ok(self.intake.quarantine(&line, reason, message)?)
    }

    fn begin_file(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.close_to(Level::Nothing, record.number)?;
        self.level = Level::File;
        self.file = Tally::default();
        self.records = 1;
        self.origin = Origin {
            is_test: trimmed(record.text, 5, 5) == b"T",
            ..Origin::default()
        };
        if self.origin.is_test {
            self.oddities.note(&TEST, record.number, "");
        }
        Ok(())
    }

    fn begin_letter(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.close_to(Level::File, record.number)?;
        self.level = Level::Letter;
        self.letter = Tally::default();
        self.bundle = Tally::default();
        let text = |first, last| decode(trimmed(record.text, first, last)).into_owned();
        self.origin.sender = text(14, 22);
        self.origin.letter = text(45, 52);
        self.origin.letter_date = Date::parse_yyyymmdd(trimmed(record.text, 23, 30)).ok();
        self.origin.bundle.clear();
        self.origin.bundle_date = None;
        Ok(())
    }

    fn begin_bundle(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.close_to(Level::Letter, record.number)?;
        if self.level < Level::Letter {
            let message = "a bundle (20) outside a cash letter (10)";
            return self.refuse(record, QuarantineReason::MisplacedRecord, message);
        }
        self.add_loose_credits();
        self.level = Level::Bundle;
        self.origin.bundle = decode(trimmed(record.text, 39, 48)).into_owned();
        self.origin.bundle_date = Date::parse_yyyymmdd(trimmed(record.text, 23, 30)).ok();
        Ok(())
    }

    fn begin_item(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.end_item()?;
        if self.level < Level::Bundle {
            let message = "a cheque outside a bundle (20)";
            return self.refuse(record, QuarantineReason::MisplacedRecord, message);
        }
        let item = Item::begin(record);
        self.bundle.items += 1;
        self.bundle.item_records += 1;
        self.bundle.cents += item.cents();
        self.item = Some(item);
        Ok(())
    }

    fn addendum(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.bundle.item_records += 1;
        if let Some(item) = &mut self.item {
            item.add(record);
            return Ok(());
        }
        let message = "an addendum of no cheque, or of one that was not read";
        self.refuse(record, QuarantineReason::MisplacedRecord, message)
    }

    fn end_item(&mut self) -> Result<(), ReadError> {
        let Some(item) = self.item.take() else {
            return Ok(());
        };
        let line = item.line_number();
        if let Some(number) = item.wrong_routing() {
            self.oddities.note(&ROUTING, line, number);
        }
        if item.is_unreadable() {
            self.oddities.note(&UNREADABLE, line, "");
        }
        let outcome = item.write(&self.origin, &mut self.rows, &mut self.intake)?;
        if let Err((reason, message)) = outcome {
            self.refused.get_or_insert(line);
            self.intake.quarantine(&item.line(), reason, message)?;
        }
        Ok(())
    }

    /// A credit to the depositor for the cheques of the cash letter.
    fn credit(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.end_item()?;
        let amount_columns = if record.text.starts_with(b"61") {
            (48, 57)
        } else {
            (48, 61)
        };
        let written = trimmed(record.text, amount_columns.0, amount_columns.1);
        let cents = digits(written);
        let amount = cents.and_then(|cents| Amount::from_minor(cents, 2).ok());
        let (Some(cents), Some(amount)) = (cents, amount) else {
            let message = "the amount of the credit does not read; expected digits";
            return self.refuse(record, QuarantineReason::BadAmount, message);
        };
        self.bundle.credits += 1;
        self.bundle.credit_cents += cents;
        let row = Balance {
            source_line: record.number,
            account: &account_of(trimmed(record.text, 28, 47)),
            currency: Currency::USD,
            type_code: &decode(record.text.get(..2).unwrap_or_default()),
            balance_type: "credit for a cash letter",
            as_of_date: self.origin.bundle_date.or(self.origin.letter_date),
            amount,
            item_count: None,
        };
        self.balances.push(&row, &mut self.intake)
    }

    fn end_bundle(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.end_item()?;
        if self.level != Level::Bundle {
            let message = "a bundle's control record (70) without its bundle (20)";
            return self.refuse(record, QuarantineReason::MisplacedRecord, message);
        }
        self.level = Level::Letter;
        let read = std::mem::take(&mut self.bundle);
        self.letter.add(read);
        self.report_all(compare_bundle(record, &read))
    }

    fn end_letter(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.close_to(Level::Letter, record.number)?;
        if self.level != Level::Letter {
            let message = "a cash letter's control record (90) without its cash letter (10)";
            return self.refuse(record, QuarantineReason::MisplacedRecord, message);
        }
        self.add_loose_credits();
        self.level = Level::File;
        let read = std::mem::take(&mut self.letter);
        self.file.add(read);
        self.report_all(compare_letter(record, &read))
    }

    /// Credits may stand before the first bundle.
    fn add_loose_credits(&mut self) {
        let loose = std::mem::take(&mut self.bundle);
        let members = self.letter.members;
        self.letter.add(loose);
        self.letter.members = members;
    }

    fn end_file(&mut self, record: &Record<'_>) -> Result<(), ReadError> {
        self.close_to(Level::File, record.number)?;
        if self.level != Level::File {
            let message = "a file's control record (99) without its header (01)";
            return self.refuse(record, QuarantineReason::MisplacedRecord, message);
        }
        self.level = Level::Nothing;
        let read = std::mem::take(&mut self.file);
        self.report_all(compare_file(record, &read, self.records))
    }

    /// Closes what is open below `level`, which a control record should have closed.
    fn close_to(&mut self, level: Level, line: u64) -> Result<(), ReadError> {
        self.end_item()?;
        if self.level == Level::Bundle && level < Level::Bundle {
            self.oddities.note(&UNCLOSED, line, "bundle");
            let read = std::mem::take(&mut self.bundle);
            self.letter.add(read);
            self.level = Level::Letter;
        }
        if self.level == Level::Letter && level < Level::Letter {
            self.oddities.note(&UNCLOSED, line, "cash letter");
            let read = std::mem::take(&mut self.letter);
            self.file.add(read);
            self.level = Level::File;
        }
        if self.level == Level::File && level < Level::File {
            self.level = Level::Nothing;
            return self.report_truncation();
        }
        Ok(())
    }

    fn report_all(&mut self, notices: Vec<Notice>) -> Result<(), ReadError> {
        for notice in notices {
            self.intake.report(notice)?;
        }
        Ok(())
    }

    fn report_truncation(&mut self) -> Result<(), ReadError> {
        Ok(self.intake.report(Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: None,
            found: "a file without its control record (99)".to_owned(),
            expected: "a 99 record with counts and the total".to_owned(),
            action: "Ask for the file again: cheques may be missing. What is here is read.".into(),
        })?)
    }

    /// Hands over what is left.
    pub fn finish(mut self, (bytes, lines): (u64, u64)) -> Result<Counts, ReadError> {
        self.end_item()?;
        if self.level != Level::Nothing {
            self.report_truncation()?;
        }
        self.balances.flush(&mut self.intake)?;
        self.rows.flush(&mut self.intake)?;
        self.oddities.report(&mut self.intake)?;
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }
}
