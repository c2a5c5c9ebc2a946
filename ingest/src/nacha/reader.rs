//! What the records of a file say: files and batches open and close, entries collect their
//! addenda and become rows, controls are compared.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::addenda::Addenda;
use super::check::{check_addenda, check_advice, check_entry};
use super::control::{compare_batch, compare_file};
use super::entry::{Entry, Refusal};
use super::header::{Batch, Transmission};
use super::oddity::{Oddities, Oddity};
use super::record::{Fields, Kept, Record};
use super::rows::{Rows, Whole};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::x12::EmbeddedAdvice;

pub(super) struct Reader<'a> {
    intake: Intake<'a>,
    rows: Rows,
    file: Option<Transmission>,
    batch: Option<Batch>,
    /// The entry whose addenda may still come.
    entry: Kept,
    owner: Owner,
    addenda: Addenda,
    oddities: Oddities,
    /// The first line in quarantine.
    refused: Option<u64>,
}

/// What an addendum belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    Nothing,
    Entry,
    /// An entry in quarantine.
    Refused,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            rows: Rows::new(intake.file_name(), batch_rows),
            intake,
            file: None,
            batch: None,
            entry: Kept::default(),
            owner: Owner::Nothing,
            addenda: Addenda::default(),
            oddities: Oddities::default(),
            refused: None,
        }
    }

    /// Reads the next record.
    pub fn line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if line.is_blank() {
            return Ok(());
        }
        let record = Record::of(line.bytes);
        if record.is_converted {
            self.oddities
                .count(Oddity::Converted, line.number, String::new);
        }
        let fields = record.fields();
        if let Some(file) = &mut self.file {
            file.records += 1;
        }
        if fields.is_too_long() {
            return self.too_long(line);
        }
        match line.bytes {
            [b'7', ..] => self.addendum(line, fields),
            [b'6', ..] => self.begin_entry(line, fields),
            [b'5', ..] => self.begin_batch(line, fields),
            [b'8', ..] => self.end_batch(line, fields),
            nines if is_filler(nines) => self.close_entry(),
            [b'9', ..] => self.end_file(line, fields),
            [b'1', ..] => self.begin_file(line, fields),
            _ => {
                self.close_entry()?;
                let message = "the record begins with none of the types 1, 5, 6, 7, 8 and 9";
                self.refuse(line, (QuarantineReason::UnknownRecord, message.to_owned()))
            }
        }
    }

    fn too_long(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if !line.bytes.starts_with(b"7") {
            self.close_entry()?;
        }
        if let (Some(batch), [b'6' | b'7', ..]) = (&mut self.batch, line.bytes) {
            batch.tally.records += 1;
            if line.bytes.starts_with(b"6") {
                self.owner = Owner::Refused;
            }
        }
        let message = "the line has more than 94 characters and does not fall into records";
        self.refuse(line, (QuarantineReason::BadStructure, message.to_owned()))
    }

    fn begin_file(&mut self, line: &Line<'_>, fields: Fields<'_>) -> Result<(), ReadError> {
        self.close_batch(line.number)?;
        if self.file.take().is_some() {
            self.missing(line.number, "the file before has no control", "9")?;
        }
        let mut file = Transmission::of(fields);
        if file.created.is_none() {
            self.unread_date(line.number, fields.columns(24, 29));
        }
        file.records = 1;
        self.file = Some(file);
        Ok(())
    }

    fn begin_batch(&mut self, line: &Line<'_>, fields: Fields<'_>) -> Result<(), ReadError> {
        self.close_batch(line.number)?;
        if self.file.is_none() {
            self.missing(line.number, "a batch outside a file", "1")?;
        }
        let file = self.file.get_or_insert_with(|| Transmission {
            records: 1,
            ..Transmission::default()
        });
        let batch = Batch::of(fields, line.number, file.created);
        file.is_advice |= batch.is_advice();
        if !batch.is_listed {
            let example = || format!("`{}`", batch.code);
            self.oddities
                .count(Oddity::UnlistedKind, line.number, example);
        }
        let is_given = batch.effective.bytes().any(|byte| byte != b'0');
        if batch.effective_date.is_none() && is_given {
            self.unread_date(line.number, &batch.effective);
        }
        self.batch = Some(batch);
        Ok(())
    }

    fn begin_entry(&mut self, line: &Line<'_>, fields: Fields<'_>) -> Result<(), ReadError> {
        self.close_entry()?;
        self.owner = Owner::Refused;
        let Some(batch) = &mut self.batch else {
            return self.misplaced(line, "an entry (6) outside a batch (5)");
        };
        batch.tally.records += 1;
        let entry = match Entry::of(fields, batch) {
            Ok(entry) => entry,
            Err(refusal) => return self.refuse(line, refusal),
        };
        batch.tally.add_hash(entry.routing_number);
        batch.tally.add_amount(entry.meaning.direction, entry.cents);
        check_entry(&entry, batch, line.number, &mut self.oddities);
        if *entry.trace <= *batch.last_trace && !batch.last_trace.is_empty() {
            let example = || format!("{} after {}", entry.trace, batch.last_trace);
            self.oddities
                .count(Oddity::TraceOrder, line.number, example);
        }
        batch.last_trace.clear();
        batch.last_trace.push_str(entry.trace);
        self.entry.keep(fields, line.number, line.start..line.end);
        self.owner = Owner::Entry;
        Ok(())
    }

    fn addendum(&mut self, line: &Line<'_>, fields: Fields<'_>) -> Result<(), ReadError> {
        if let Some(batch) = &mut self.batch {
            batch.tally.records += 1;
        }
        match self.owner {
            Owner::Nothing => return self.misplaced(line, "an addendum (7) behind no entry (6)"),
            Owner::Refused => {
                return self.misplaced(line, "an addendum (7) of an entry in quarantine");
            }
            Owner::Entry => {}
        }
        let trace = self.entry.fields().trimmed(80, 94);
        let irregular = match self.addenda.add(fields, line.number, trace) {
            Ok(irregular) => irregular,
            Err(refusal) => return self.refuse(line, refusal),
        };
        if irregular.is_out_of_sequence {
            let example = || format!("number `{}`", fields.columns(84, 87));
            self.oddities
                .count(Oddity::AddendaSequence, line.number, example);
        }
        if irregular.is_of_another {
            let example = || format!("`{}` behind {trace}", fields.columns(88, 94));
            self.oddities
                .count(Oddity::AddendaOfAnother, line.number, example);
        }
        self.entry.bytes.end = line.end;
        Ok(())
    }

    /// The entry is whole.
    fn close_entry(&mut self) -> Result<(), ReadError> {
        let owner = std::mem::replace(&mut self.owner, Owner::Nothing);
        let Some(batch) = self.batch.as_ref().filter(|_| owner == Owner::Entry) else {
            return Ok(());
        };
        let file = self.file.as_ref();
        // It was read before it was kept.
        if let Ok(entry) = Entry::of(self.entry.fields(), batch) {
            let whole = Whole {
                entry: &entry,
                batch,
                addenda: &self.addenda,
                kept: &self.entry,
                file: file.map_or(("", None), |file| (&*file.reference, file.created)),
            };
            check_addenda(&whole, &mut self.oddities);
            let advice = EmbeddedAdvice::of(&self.addenda.payment)?;
            if let Some(advice) = &advice {
                check_advice(&whole, advice, &mut self.oddities);
            }
            self.rows.write(&whole, advice.as_ref(), &mut self.intake)?;
        }
        self.addenda.clear();
        Ok(())
    }

    fn end_batch(&mut self, line: &Line<'_>, fields: Fields<'_>) -> Result<(), ReadError> {
        self.close_entry()?;
        let Some(batch) = self.batch.take() else {
            return self.misplaced(line, "a batch control (8) outside a batch (5)");
        };
        self.check_names(&batch, line.number, fields);
        let what = format!("batch {}", batch.number);
        let is_advice = batch.is_advice();
        for notice in compare_batch(fields, line.number, &what, is_advice, batch.tally) {
            self.intake.report(notice)?;
        }
        if let Some(file) = &mut self.file {
            file.tally.add(batch.tally);
        }
        Ok(())
    }

    /// The control repeats what the header says.
    fn check_names(&mut self, batch: &Batch, line: u64, fields: Fields<'_>) {
        let company = if batch.is_advice() {
            &*batch.company_id
        } else {
            fields.trimmed(45, 54)
        };
        let pairs = [
            (&*batch.service_class, fields.trimmed(2, 4)),
            (&*batch.company_id, company),
            (&*batch.originating_bank, fields.trimmed(80, 87)),
            (&*batch.number, fields.trimmed(88, 94)),
        ];
        let mut filled = pairs.into_iter().filter(|(_, control)| !control.is_empty());
        if let Some((header, control)) = filled.find(|(header, control)| header != control) {
            let example = || format!("`{control}`, and the header says `{header}`");
            self.oddities.count(Oddity::OtherBatchNumber, line, example);
        }
    }

    fn end_file(&mut self, line: &Line<'_>, fields: Fields<'_>) -> Result<(), ReadError> {
        self.close_batch(line.number)?;
        let Some(file) = self.file.take() else {
            return self.misplaced(line, "a file control (9) outside a file (1)");
        };
        for notice in compare_file(
            fields,
            line.number,
            file.is_advice,
            file.records,
            file.tally,
        ) {
            self.intake.report(notice)?;
        }
        Ok(())
    }

    /// Closes a batch that has no control.
    fn close_batch(&mut self, line: u64) -> Result<(), ReadError> {
        self.close_entry()?;
        let Some(batch) = self.batch.take() else {
            return Ok(());
        };
        if let Some(file) = &mut self.file {
            file.tally.add(batch.tally);
        }
        let found = format!(
            "batch {} (line {}) has no control",
            batch.number, batch.line
        );
        self.missing(line, &found, "8")
    }

    fn unread_date(&mut self, line: u64, text: &str) {
        let example = || format!("`{text}`");
        self.oddities.count(Oddity::UnreadDate, line, example);
    }

    fn misplaced(&mut self, line: &Line<'_>, what: &str) -> Result<(), ReadError> {
        let message = format!("{what}; correct or ask for the records before it");
        self.refuse(line, (QuarantineReason::MisplacedRecord, message))
    }

    fn refuse(&mut self, line: &Line<'_>, (reason, text): Refusal) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, text)?)
    }

    fn missing(&mut self, line: u64, found: &str, record: &str) -> Result<(), ReadError> {
        let notice = Notice {
            severity: Severity::Error,
            code: FindingCode::MissingRecord,
            line: Some(line),
            found: found.to_owned(),
            expected: format!("record {record} before this line"),
            action: "Its entries are read, but not compared with a control total; ask the bank \
                     for a whole file."
                .into(),
        };
        Ok(self.intake.report(notice)?)
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        self.close_entry()?;
        self.report_truncation()?;
        self.rows.flush(&mut self.intake)?;
        self.oddities.report(&mut self.intake)?;
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }

    fn report_truncation(&mut self) -> Result<(), ReadError> {
        let inside = match (&self.batch, &self.file) {
            (Some(batch), _) => format!(" inside batch {}", batch.number),
            (None, Some(_)) => String::new(),
            (None, None) => return Ok(()),
        };
        let notice = Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: None,
            found: format!("the file ends{inside} without its control (9)"),
            expected: "record 9 with the control totals".to_owned(),
            action: "Ask for the file again: entries may be missing. What is here is read.".into(),
        };
        Ok(self.intake.report(notice)?)
    }
}

/// Whether the record only fills the last block.
fn is_filler(bytes: &[u8]) -> bool {
    let digits = bytes.iter().take_while(|&&byte| byte == b'9').count();
    let mut rest = bytes.iter().skip(digits);
    rest.all(|byte| matches!(byte, b' ' | b'\t' | 0 | 0x1a))
}
