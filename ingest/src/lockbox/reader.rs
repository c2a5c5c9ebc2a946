//! Walks the records of a lockbox file: batches open and close, checks become rows, totals
//! are compared.

use tieout_core::{Amount, Date, FindingCode, QuarantineReason, Severity};

use super::check::{BatchHead, Check, DOCUMENTS_MAX, Oddities};
use super::columns::whole_number;
use super::fields::{self, Misfit};
use super::layout::Layout;
use super::text::{CharacterSet, one_byte_each};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::rows::BankLines;

/// How often something was odd, and where first.
#[derive(Default)]
pub(super) struct Oddity {
    pub count: u64,
    pub first_line: Option<u64>,
}

impl Oddity {
    fn add(&mut self, is_odd: bool, line: u64) {
        if is_odd {
            self.count += 1;
            self.first_line.get_or_insert(line);
        }
    }
}

/// A batch or lockbox so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Group {
    pub line: u64,
    pub checks: u64,
    pub total: Amount,
}

/// What the next 4 record belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Nobody,
    /// The check that is read.
    Check,
    /// A check in quarantine, with its line.
    Refused(u64),
}

pub(super) struct Reader<'a> {
    pub(super) layout: &'a Layout,
    pub(super) intake: Intake<'a>,
    rows: BankLines,
    file_date: Option<Date>,
    pub(super) head: BatchHead,
    batch: Option<Group>,
    lockbox: Option<Group>,
    owner: Owner,
    check: Check,
    /// Records since the 1 record.
    records: u64,
    is_open: bool,
    pub(super) sums: Oddity,
    pub(super) sequences: Oddity,
    pub(super) other_characters: Oddity,
    pub(super) windows_1252: Oddity,
    /// The first line in quarantine.
    refused: Option<u64>,
    scratch: Vec<u8>,
}

impl<'a> Reader<'a> {
    pub fn new(layout: &'a Layout, intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            layout,
            rows: BankLines::new(intake.file_name(), batch_rows),
            intake,
            file_date: None,
            head: BatchHead::default(),
            batch: None,
            lockbox: None,
            owner: Owner::Nobody,
            check: Check::default(),
            records: 0,
            is_open: false,
            sums: Oddity::default(),
            sequences: Oddity::default(),
            other_characters: Oddity::default(),
            windows_1252: Oddity::default(),
            refused: None,
            scratch: Vec::new(),
        }
    }

    /// Reads the next line.
    pub fn line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if line.is_blank() {
            return Ok(());
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let (record, set) = one_byte_each(line.bytes, &mut scratch);
        let outcome = self.record(line, record.trim_ascii_end());
        self.windows_1252
            .add(set == CharacterSet::Windows1252, line.number);
        self.other_characters
            .add(set == CharacterSet::Other, line.number);
        self.scratch = scratch;
        outcome
    }

    fn record(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        let length_max = self.layout.line_length_max;
        let code = record.first().copied();
        if code == Some(b'1') && !line.is_cut {
            self.begin_file(record)?;
        }
        self.records += 1;
        if line.is_cut {
            self.refused.get_or_insert(line.number);
            return Ok(self.intake.quarantine_long_line(line)?);
        }
        if record.len() > length_max {
            let message = format!(
                "the line has {} characters, the layout {} allows {length_max}; if the bank's \
                 lines are longer, say so in line_lengths of a layout of your own",
                record.len(),
                self.layout.name
            );
            return self.refuse(line, QuarantineReason::BadStructure, message);
        }
        match code {
            Some(b'1' | b'2') => Ok(()),
            Some(b'4') => self.remittance(line, record),
            Some(b'5') => self.begin_batch(line, record),
            Some(b'6') => self.begin_check(line, record),
            Some(b'7') => self.end_batch(line, record),
            Some(b'8') => self.end_lockbox(line, record),
            Some(b'9') => self.end_file(line, record),
            _ => self.refuse(
                line,
                QuarantineReason::UnknownRecord,
                "the line begins with none of the record types 1, 2, 4, 5, 6, 7, 8, 9; if it is \
                 a line of text cut off from the one before, mend the line break",
            ),
        }
    }

    pub(super) fn refuse(
        &mut self,
        line: &Line<'_>,
        reason: QuarantineReason,
        message: impl Into<String>,
    ) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, message)?)
    }

    fn begin_file(&mut self, record: &[u8]) -> Result<(), ReadError> {
        if self.is_open {
            self.close_file()?;
        }
        self.is_open = true;
        self.records = 0;
        self.file_date = self
            .layout
            .file_date
            .and_then(|date| date.order.read(date.columns.raw(record)).ok());
        Ok(())
    }

    fn begin_batch(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        self.close_batch(line.number)?;
        let columns = &self.layout.batch;
        let lockbox = columns.lockbox.trimmed(record);
        if lockbox.is_empty() || !lockbox.iter().all(u8::is_ascii_alphanumeric) {
            let message = format!(
                "{} hold `{}`, expected the lockbox's number; the checks of the batch cannot be \
                 assigned and follow into quarantine",
                columns.lockbox.spoken(),
                String::from_utf8_lossy(lockbox)
            );
            return self.refuse(line, QuarantineReason::BadValue, message);
        }
        let lockbox = String::from_utf8_lossy(lockbox).into_owned();
        if self.lockbox.is_some() && self.head.lockbox != lockbox {
            self.close_lockbox(line.number)?;
        }
        self.head.lockbox = lockbox;
        let group = Group {
            line: line.number,
            ..Group::default()
        };
        self.batch = Some(group);
        self.lockbox.get_or_insert(group);
        let date = columns.deposit_date;
        let digits = date.columns.raw(record);
        self.head.deposit_date = date.order.read(digits).ok().or(self.file_date);
        self.head.statement = match self.head.deposit_date {
            Some(date) => format!("{}/{date}/", self.head.lockbox),
            None => format!("{}//", self.head.lockbox),
        };
        if date.order.read(digits).is_err() {
            let message = format!(
                "{} hold `{}`, expected the deposit date as {}; the date of the file is taken",
                date.columns.spoken(),
                String::from_utf8_lossy(digits),
                date.order.name()
            );
            return self.refuse(line, QuarantineReason::BadDate, message);
        }
        Ok(())
    }

    fn begin_check(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        self.close_check()?;
        let Some(batch) = &mut self.batch else {
            self.owner = Owner::Refused(line.number);
            return self.refuse(
                line,
                QuarantineReason::MisplacedRecord,
                "a check (6) outside a batch: expected a 5 record before it that names the \
                 lockbox and the deposit date",
            );
        };
        batch.checks += 1;
        match self
            .check
            .start(line, record, self.layout, self.head.deposit_date)
        {
            Ok(amount) => {
                batch.total += amount;
                self.owner = Owner::Check;
                Ok(())
            }
            Err(misfit) => {
                self.owner = Owner::Refused(line.number);
                let reason = if misfit.is_amount {
                    QuarantineReason::BadAmount
                } else {
                    QuarantineReason::BadStructure
                };
                let message = self.misfit_in_words(record, &misfit);
                self.refuse(line, reason, message)
            }
        }
    }

    fn misfit_in_words(&self, record: &[u8], misfit: &Misfit) -> String {
        let hint = match fields::shift_of(record, self.layout) {
            Some(shift) => {
                let side = if shift > 0 { "right" } else { "left" };
                let columns = shift.unsigned_abs();
                format!("the line seems to be shifted by {columns} to the {side}")
            }
            None => "compare the line with the bank's guide".to_owned(),
        };
        format!(
            "the check's {} in {} is `{}`, expected {}; {hint}",
            misfit.field,
            misfit.columns.spoken(),
            String::from_utf8_lossy(misfit.columns.raw(record)),
            misfit.expected,
        )
    }

    fn remittance(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        let message = match self.owner {
            Owner::Nobody => {
                "a 4 record without a check (6) before it: what it says is about no payment"
                    .to_owned()
            }
            Owner::Refused(check) => {
                format!("the check on line {check} that it belongs to is in quarantine")
            }
            Owner::Check if !self.check.owns(record, self.layout) => {
                let check = self.check.line;
                format!("names another batch or item than the check on line {check} before it")
            }
            Owner::Check if self.check.is_full() => {
                format!("the check has more than {DOCUMENTS_MAX} of these records")
            }
            Owner::Check => return self.remittance_of_check(line, record),
        };
        self.refuse(line, QuarantineReason::MisplacedRecord, message)
    }

    fn remittance_of_check(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        let Err((field, columns)) = self.check.add(line, record, &self.layout.remittance) else {
            return Ok(());
        };
        let message = format!(
            "the {field} in {} is `{}`, expected digits; the check is read without this document",
            columns.spoken(),
            String::from_utf8_lossy(columns.raw(record))
        );
        self.refuse(line, QuarantineReason::BadAmount, message)
    }

    fn close_check(&mut self) -> Result<(), ReadError> {
        if std::mem::replace(&mut self.owner, Owner::Nobody) != Owner::Check {
            return Ok(());
        }
        let Oddities {
            sum_differs,
            is_out_of_sequence,
        } = self
            .check
            .finish(&self.head, self.layout, &mut self.rows, &mut self.intake)?;
        self.sums.add(sum_differs, self.check.line);
        self.sequences.add(is_out_of_sequence, self.check.line);
        Ok(())
    }

    fn end_batch(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        self.close_check()?;
        let Some(batch) = self.batch.take() else {
            return self.misplaced(line, "7", "5 record that begins a batch");
        };
        let declared = self.compare("batch", "checks", line, record, batch)?;
        if let Some(lockbox) = &mut self.lockbox {
            lockbox.checks += declared.checks;
            lockbox.total += declared.total;
        }
        Ok(())
    }

    fn end_lockbox(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        self.close_batch(line.number)?;
        match self.lockbox.take() {
            Some(lockbox) => {
                self.compare("lockbox", "batches", line, record, lockbox)?;
                Ok(())
            }
            None => self.misplaced(line, "8", "5 record that begins a batch of the lockbox"),
        }
    }

    fn misplaced(&mut self, line: &Line<'_>, code: &str, owner: &str) -> Result<(), ReadError> {
        let message = format!("a {code} record without a {owner} before it: nothing to total");
        self.refuse(line, QuarantineReason::MisplacedRecord, message)
    }

    fn end_file(&mut self, line: &Line<'_>, record: &[u8]) -> Result<(), ReadError> {
        self.close_batch(line.number)?;
        self.close_lockbox(line.number)?;
        let (records, columns) = (self.records, self.layout.record_count);
        self.records = 0;
        self.is_open = false;
        let Some(declared) = whole_number(columns.trimmed(record)) else {
            let message = format!(
                "the number of records in {} is `{}`, expected digits",
                columns.spoken(),
                String::from_utf8_lossy(columns.raw(record))
            );
            return self.refuse(line, QuarantineReason::BadStructure, message);
        };
        if declared != records {
            let found = format!("the file says that it has {declared} records");
            let expected = format!("{records}, as many as were read");
            self.untied(FindingCode::ControlCount, line.number, found, expected)?;
        }
        Ok(())
    }

    /// Closes a batch that has no 7 record.
    fn close_batch(&mut self, line: u64) -> Result<(), ReadError> {
        self.close_check()?;
        let Some(batch) = self.batch.take() else {
            return Ok(());
        };
        if let Some(lockbox) = &mut self.lockbox {
            lockbox.checks += batch.checks;
            lockbox.total += batch.total;
        }
        let found = format!("the batch that begins on line {} has no total", batch.line);
        self.missing(line, found, "a 7 record before this line")
    }

    /// Closes a lockbox that has no 8 record.
    fn close_lockbox(&mut self, line: u64) -> Result<(), ReadError> {
        if self.lockbox.take().is_none() {
            return Ok(());
        }
        let found = format!("lockbox {} has no total", self.head.lockbox);
        self.missing(line, found, "an 8 record before this line")
    }

    /// A file that ends, or begins anew, without its 9 record.
    fn close_file(&mut self) -> Result<(), ReadError> {
        self.close_check()?;
        let inside = match (self.batch.take(), self.lockbox.take()) {
            (Some(batch), _) => format!(" inside the batch that begins on line {}", batch.line),
            (None, Some(_)) => format!(" inside lockbox {}", self.head.lockbox),
            (None, None) => String::new(),
        };
        Ok(self.intake.report(Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: None,
            found: format!("the file ends{inside} without its 9 record"),
            expected: "a 9 record with the number of records".to_owned(),
            action: "Ask for the file again: checks may be missing. What is here is read.".into(),
        })?)
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        if self.is_open || self.batch.is_some() || self.lockbox.is_some() {
            self.close_file()?;
        }
        self.close_check()?;
        self.rows.flush(&mut self.intake)?;
        self.report_oddities()?;
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }
}
