//! Walks the records of a CNAB 240 file.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::batch::{Batch, Service, account_at};
use super::{collection, layout, payment, statement};
use crate::cnab::{Company, Events, account_name, date_at};
use crate::fixed::{columns, digits, trimmed};
use crate::format::{Counts, ReadError};
use crate::lines::Line;
use crate::national::{Desk, Kept, Oddity, RecordReader, Refusal, control_count, decode};

/// Segments that go with the one before: discounts and fines, messages, other parties, invoices,
/// bank details, authentication.
const COMPLEMENTS: &[u8] = b"BCFRSVWYZ5";

const UNKNOWN_BANK: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::ProfileUncertain,
    what: "batches of a bank whose layout is not known",
    expected: "a bank whose columns are known",
    action: "They are read by FEBRABAN's standard; compare every field with the bank's guide \
             before you rely on it.",
};
const COMPLEMENT: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::UnexpectedRecord,
    what: "segments that go with the one before (fines, messages, other parties)",
    expected: "",
    action: "It is read without them.",
};
const LONELY: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "titles (T) without what was paid (U)",
    expected: "a segment U behind every T",
    action: "They are read as words about their titles, not as money.",
};
const NO_HEADER: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "batches without a file header before them",
    expected: "a record of type 0",
    action: "They are read; the direction is taken from the batch.",
};
const NO_TRAILER: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "files without a trailer",
    expected: "a record of type 9",
    action: "Its batches are whole, but one more may be missing; ask for the file again.",
};

pub(super) struct Reader<'a> {
    desk: Desk<'a>,
    /// What the file header says; its account is empty until then.
    company: Company,
    is_open: bool,
    is_return: bool,
    batch: Option<Batch>,
    records: u64,
    batches: u64,
    last_line: u64,
    /// The segment T or P that is read, and the U or Q that goes with it.
    title: Kept,
    second: Kept,
    /// A detail came that complements may follow.
    has_detail: bool,
}

impl<'a> RecordReader<'a> for Reader<'a> {
    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.last_line = line.number;
        let kind = columns(line.bytes, 8, 8);
        if kind == b"0" {
            self.begin(line)?;
        }
        self.records += 1;
        if let Some(batch) = &mut self.batch {
            batch.records += 1;
        }
        let outcome = match kind {
            b"0" => Ok(()),
            b"1" => self.open_batch(line)?,
            b"3" => self.detail(line)?,
            b"2" | b"4" if self.batch.is_some() => {
                self.desk.note(&COMPLEMENT, line.number, String::new);
                Ok(())
            }
            b"5" => self.close_batch(line)?,
            b"9" => self.end(line)?,
            _ => Err((
                QuarantineReason::UnknownRecord,
                "column 8 has none of 0, 1, 3, 5, 9".to_owned(),
            )),
        };
        outcome.or_else(|refusal| self.desk.refuse(line, refusal))
    }

    fn desk(&mut self) -> &mut Desk<'a> {
        &mut self.desk
    }
}

impl<'a> Reader<'a> {
    pub fn new(desk: Desk<'a>) -> Self {
        Self {
            desk,
            company: Company::default(),
            is_open: false,
            is_return: false,
            batch: None,
            records: 0,
            batches: 0,
            last_line: 0,
            title: Kept::default(),
            second: Kept::default(),
            has_detail: false,
        }
    }

    fn begin(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.leave_batch(line.number)?;
        if self.is_open {
            let found = "the file before this header has no trailer".to_owned();
            self.desk
                .missing(line.number, found, "a record of type 9 before this line")?;
        }
        let record = line.bytes;
        let bank = decode(columns(record, 1, 3)).into_owned();
        let date = date_at(record, [144, 151], "").ok().flatten();
        let date = date.map(|date| date.to_string()).unwrap_or_default();
        let number = account_at(record, 53, [33, 52]);
        let account = account_name(bank.as_bytes(), number.as_bytes());
        self.company = Company {
            format: "cnab240",
            file_id: format!("{bank}/{date}/{}", decode(trimmed(record, 158, 163))),
            statement_id: format!("{account}/{date}"),
            account,
            name: decode(trimmed(record, 73, 102)).into_owned(),
            events: Events::default(),
            bank,
        };
        self.is_return = columns(record, 143, 143) == b"2";
        self.is_open = true;
        self.records = 0;
        self.batches = 0;
        Ok(())
    }

    fn open_batch(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.leave_batch(line.number)?;
        if !self.is_open {
            self.desk.note(&NO_HEADER, line.number, String::new);
            self.company.format = "cnab240";
            self.is_return = columns(line.bytes, 9, 9) == b"T";
        }
        self.batches += 1;
        let Some(mut batch) = Batch::open(line, &self.company) else {
            return Ok(Ok(()));
        };
        batch.records = 1;
        if batch.layout.code.is_empty() {
            let bank = batch.company.bank.clone();
            self.desk.note(&UNKNOWN_BANK, line.number, || bank);
        }
        self.desk.set_profile(&batch.layout.name);
        let outcome = if batch.service == Service::Statement {
            statement::open(line, &mut batch, &mut self.desk)?
        } else {
            Ok(())
        };
        self.batch = Some(batch);
        Ok(outcome)
    }

    fn detail(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        let segment = columns(line.bytes, 14, 14);
        if segment == b"U" || segment == b"Q" {
            return Ok(self.second(line));
        }
        if !is_complement(line.bytes) {
            self.write_title()?;
            self.has_detail = false;
        }
        let Some(batch) = &mut self.batch else {
            let message = "a detail outside a batch; ask for the batch header".to_owned();
            return Ok(Err((QuarantineReason::MisplacedRecord, message)));
        };
        if is_complement(line.bytes) {
            return Ok(self.complement(line));
        }
        let outcome = match (segment, batch.service) {
            (b"T" | b"P", _) => {
                self.title.set(line);
                Ok(())
            }
            (b"E", Service::Statement) => statement::entry(line, batch, &mut self.desk)?,
            _ => return self.payment(line),
        };
        self.has_detail = outcome.is_ok();
        Ok(outcome)
    }

    fn payment(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        let segment = decode(columns(line.bytes, 14, 14));
        let Some((at, batch)) = layout::payment(&segment).zip(self.batch.as_ref()) else {
            let message = format!("segment `{segment}` is none of A, E, J, N, O, P, Q, T, U");
            return Ok(Err((QuarantineReason::UnknownRecord, message)));
        };
        let outcome = if self.is_return {
            payment::returned(line, at, batch, &mut self.desk)?
        } else {
            payment::ordered(line, at, batch, &mut self.desk)?
        };
        self.has_detail = outcome.is_ok();
        Ok(outcome)
    }

    /// A segment U or Q, which completes the T or P before.
    fn second(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let first: &[u8] = if columns(line.bytes, 14, 14) == b"U" {
            b"T"
        } else {
            b"P"
        };
        let belongs = columns(self.title.bytes(), 14, 14) == first && self.second.is_empty();
        if belongs {
            self.second.set(line);
            return Ok(());
        }
        let message = "it completes no segment T or P before it".to_owned();
        Err((QuarantineReason::MisplacedRecord, message))
    }

    fn complement(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        if self.has_detail {
            self.desk.note(&COMPLEMENT, line.number, String::new);
            return Ok(());
        }
        let message = "it goes with no segment before it, or with one in quarantine".to_owned();
        Err((QuarantineReason::MisplacedRecord, message))
    }

    /// Writes the title that is whole.
    fn write_title(&mut self) -> Result<(), ReadError> {
        let Some(batch) = self.batch.as_ref().filter(|_| !self.title.is_empty()) else {
            return Ok(());
        };
        let is_returned = columns(self.title.bytes(), 14, 14) == b"T";
        if is_returned && self.second.is_empty() {
            self.desk.note(&LONELY, self.title.number(), String::new);
        }
        let (title, second) = (&self.title, &self.second);
        let outcome = if is_returned {
            collection::returned(title, second, batch, &mut self.desk)?
        } else {
            collection::ordered(title, second, batch, &mut self.desk)?
        };
        if let Err((reason, message)) = outcome {
            for part in [title, second] {
                if !part.is_empty() {
                    self.desk.refuse(&part.line(), (reason, message.clone()))?;
                }
            }
        }
        self.title.clear();
        self.second.clear();
        Ok(())
    }

    fn close_batch(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.write_title()?;
        self.has_detail = false;
        let Some(batch) = self.batch.take() else {
            let message = "a batch trailer without a batch header".to_owned();
            return Ok(Err((QuarantineReason::MisplacedRecord, message)));
        };
        let (span, what) = match batch.service {
            Service::Statement => ((171, 176), "the statement's count of records is"),
            _ => ((18, 23), "the batch trailer's count of records is"),
        };
        self.compare(line, span, what, batch.records)?;
        if batch.service == Service::Statement {
            return statement::close(line, &batch, &mut self.desk);
        }
        Ok(Ok(()))
    }

    fn compare(
        &mut self,
        line: &Line<'_>,
        (first, last): (usize, usize),
        what: &str,
        read: u64,
    ) -> Result<(), ReadError> {
        let count = digits(columns(line.bytes, first, last));
        let notice = count
            .and_then(|count| u64::try_from(count).ok())
            .and_then(|count| control_count(what, line.number, count, read));
        self.desk.report(notice)
    }

    /// Closes a batch that has no trailer.
    fn leave_batch(&mut self, line: u64) -> Result<(), ReadError> {
        self.write_title()?;
        self.has_detail = false;
        let Some(batch) = self.batch.take() else {
            return Ok(());
        };
        let found = format!(
            "the batch that begins on line {} has no trailer",
            batch.line
        );
        self.desk
            .missing(line, found, "a record of type 5 before this line")
    }

    fn end(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.leave_batch(line.number)?;
        if !std::mem::take(&mut self.is_open) {
            let message = "a file trailer without a file header".to_owned();
            return Ok(Err((QuarantineReason::MisplacedRecord, message)));
        }
        let (batches, records) = (self.batches, self.records);
        self.compare(line, (18, 23), "the file's count of batches is", batches)?;
        self.compare(line, (24, 29), "the file's count of records is", records)?;
        Ok(Ok(()))
    }

    /// Hands over what is left.
    pub fn finish(mut self, size: (u64, u64)) -> Result<Counts, ReadError> {
        self.write_title()?;
        if self.batch.is_some() || self.batches == 0 {
            let found = "the file ends without its trailers".to_owned();
            self.desk
                .truncated(found, "records of types 5 and 9 with counts")?;
        } else if self.is_open {
            self.desk.note(&NO_TRAILER, self.last_line, String::new);
        }
        self.desk.finish(size)
    }
}

/// Whether the record goes with the segment before it. An optional part of J is marked 52.
fn is_complement(record: &[u8]) -> bool {
    let segment = columns(record, 14, 14).first().copied();
    let is_known = segment.is_some_and(|segment| COMPLEMENTS.contains(&segment));
    let is_part_of_title = segment == Some(b'J')
        && columns(record, 18, 19) == b"52"
        && !matches!(date_at(record, [145, 152], ""), Ok(Some(_)));
    is_known || is_part_of_title
}
