//! Transaction set 824: what the receiver's application made of a transaction set or its items.

use tieout_core::{Amount, Date, FindingCode, QuarantineReason, Severity, StatusLevel};

use super::fields::Fields;
use super::segment::Segment;
use super::set::{Heading, TransactionSet};
use super::tables::{Oddity, Tables};
use crate::format::ReadError;
use crate::rows::{PaymentStatus, decode};

/// Bytes of notes about one answer that are kept.
const NOTES_BYTES_MAX: usize = 4_096;

static NO_ANSWER: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "application advices that answer nothing",
    expected: "OTI",
    action: "Ask the sender for the advice again.",
};

/// Reads one 824.
pub(super) struct ApplicationAdvice {
    heading: Heading,
    /// BGN02: what the sender calls the advice.
    reference: String,
    date: Option<Date>,
    answer: Option<Answer>,
    has_answers: bool,
}

/// One `OTI` with what stands below it.
struct Answer {
    line: u64,
    start: u64,
    end: u64,
    status: String,
    reference: String,
    group: String,
    control: String,
    reasons: String,
    notes: String,
    amount: Option<Amount>,
}

impl ApplicationAdvice {
    pub fn new(heading: Heading) -> Self {
        Self {
            date: heading.date,
            heading,
            reference: String::new(),
            answer: None,
            has_answers: false,
        }
    }

    fn begin(&mut self, bgn: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.reference = bgn.text(2).into_owned();
        self.date = tables.date(bgn, 3)?.or(self.date);
        Ok(())
    }

    fn close(&mut self, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let Some(answer) = self.answer.take() else {
            return Ok(());
        };
        let message_id = [&self.reference, &self.heading.group];
        let message_id = message_id.into_iter().find(|id| !id.is_empty());
        let row = PaymentStatus {
            source_line: answer.line,
            message_type: "x12.824",
            message_id: message_id.map_or("", |id| id),
            original_message_id: &answer.group,
            original_instruction_id: &answer.control,
            original_transaction_reference: &answer.reference,
            status: &answer.status,
            reason: &answer.reasons,
            information: &answer.notes,
            status_date: self.date,
            amount: answer.amount,
            bytes: answer.start..answer.end,
            ..PaymentStatus::blank(answer.level())
        };
        tables.push_status(&row)
    }

    /// What belongs to the answer before it; false if there is none.
    fn below(&mut self, segment: &Segment<'_>, tables: &mut Tables<'_>) -> Result<bool, ReadError> {
        let Some(answer) = &mut self.answer else {
            return Ok(false);
        };
        answer.end = segment.end;
        match &segment.tag {
            b"AMT" if answer.amount.is_none() => answer.amount = tables.amount(segment, 2)?,
            b"REF" if answer.reference.is_empty() => {
                answer.reference = segment.text(2).into_owned();
            }
            b"TED" => answer.technical_error(segment),
            b"RED" => answer.related_error(segment),
            b"NTE" => answer.note(&segment.text(2)),
            _ => {}
        }
        Ok(true)
    }
}

impl Answer {
    /// Reads an `OTI`. `NA` says that there is no reference.
    fn open(oti: &Segment<'_>) -> Self {
        let reference = oti.text(3);
        Self {
            line: oti.line,
            start: oti.start,
            end: oti.end,
            status: oti.text(1).into_owned(),
            reference: if reference == "NA" {
                String::new()
            } else {
                reference.into_owned()
            },
            group: oti.text(8).into_owned(),
            control: oti.text(9).into_owned(),
            reasons: String::new(),
            notes: String::new(),
            amount: None,
        }
    }

    /// The first letter says what is answered: a group, a batch, a set or an item of it.
    fn level(&self) -> StatusLevel {
        match self.status.as_bytes().first() {
            Some(b'G') => StatusLevel::Group,
            Some(b'B') => StatusLevel::PaymentInformation,
            _ => StatusLevel::Transaction,
        }
    }

    /// Adds an error code.
    fn add_reason(&mut self, code: &str) {
        if code.is_empty() || self.reasons.len() + code.len() > NOTES_BYTES_MAX {
            return;
        }
        if !self.reasons.is_empty() {
            self.reasons.push(' ');
        }
        self.reasons.push_str(code);
    }

    /// A `TED`: a code, then the text and the place of the error.
    fn technical_error(&mut self, ted: &Segment<'_>) {
        self.add_reason(&ted.text(1));
        let place = ted.elements().skip(1).filter(|element| !element.is_empty());
        let place: Vec<_> = place.map(decode).collect();
        self.note(&place.join(" "));
    }

    /// A `RED`: a text, and a code of another list.
    fn related_error(&mut self, red: &Segment<'_>) {
        self.add_reason(&red.text(6));
        let text = red.text(1);
        if text != "NA" {
            self.note(&text);
        }
    }

    fn note(&mut self, text: &str) {
        if text.is_empty() || self.notes.len() + text.len() > NOTES_BYTES_MAX {
            return;
        }
        if !self.notes.is_empty() {
            self.notes.push(' ');
        }
        self.notes.push_str(text);
    }
}

impl TransactionSet for ApplicationAdvice {
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        match &segment.tag {
            b"BGN" => self.begin(segment, tables)?,
            b"OTI" => {
                self.close(tables)?;
                self.answer = Some(Answer::open(segment));
                self.has_answers = true;
            }
            b"TED" | b"RED" => {
                if !self.below(segment, tables)? {
                    let message = "an error (TED, RED) without the OTI that it is about";
                    tables.refuse(segment, QuarantineReason::MisplacedRecord, message)?;
                }
            }
            b"AMT" | b"REF" | b"NTE" | b"DTM" | b"QTY" | b"NM1" | b"CTX" => {
                self.below(segment, tables)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(&mut self, _end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        if !self.has_answers {
            tables.count(&NO_ANSWER, self.heading.line);
        }
        self.close(tables)
    }
}
