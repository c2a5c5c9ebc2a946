//! Transaction sets 997 and 999, and `TA1`: whether what was sent could be read.

use tieout_core::{FindingCode, QuarantineReason, Severity, StatusLevel};

use super::fields::Fields;
use super::segment::Segment;
use super::set::{Heading, TransactionSet};
use super::tables::{Oddity, Tables};
use crate::format::ReadError;
use crate::intake::Notice;
use crate::rows::PaymentStatus;

/// Codes of AK5, IK5 and AK9: accepted, with errors, rejected, partially.
const STATUSES: &[&[u8]] = &[b"A", b"E", b"M", b"P", b"R", b"W", b"X"];
/// Bytes of notes about one set that are kept.
const NOTES_BYTES_MAX: usize = 4_096;

static UNKNOWN_STATUS: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnknownCode,
    what: "acknowledgments with a code that is not of the list",
    expected: "A, E, M, P, R, W or X",
    action: "The code is kept; ask the sender what it means.",
};

static NO_GROUP: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "acknowledgments without a word about a group",
    expected: "AK1 and AK9",
    action: "Nothing was acknowledged; ask the sender for it again.",
};

static UNANSWERED: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "sets that an acknowledgment names without a word about them",
    expected: "AK5 or IK5 after AK2",
    action: "Ask the sender what became of them.",
};

/// Reads one 997 or 999.
pub(super) struct Acknowledgment {
    heading: Heading,
    message_type: &'static str,
    group: Option<Answered>,
    set: Option<Answered>,
    /// Sets spoken of, and how many of them were accepted.
    sets: u64,
    accepted: u64,
    is_group_answered: bool,
}

/// What is acknowledged.
struct Answered {
    /// AK101 or AK201: the kind of group or set.
    kind: String,
    control: String,
    line: u64,
    start: u64,
    notes: String,
}

impl Acknowledgment {
    pub fn new(heading: Heading) -> Self {
        let message_type = if heading.number == *b"999" {
            "x12.999"
        } else {
            "x12.997"
        };
        Self {
            heading,
            message_type,
            group: None,
            set: None,
            sets: 0,
            accepted: 0,
            is_group_answered: false,
        }
    }

    fn note(&mut self, segment: &Segment<'_>) -> bool {
        let Some(set) = &mut self.set else {
            return false;
        };
        set.note(segment);
        true
    }

    /// AK5 or IK5: one set.
    fn set_status(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        let Some(set) = self.set.take() else {
            return Ok(false);
        };
        self.sets += 1;
        let status = segment.element(1);
        self.accepted += u64::from(matches!(status, b"A" | b"E"));
        check_status(segment, tables);
        let row = PaymentStatus {
            original_message_id: self.group.as_ref().map_or("", |group| &group.control),
            original_instruction_id: &set.control,
            information: &set.said(),
            bytes: set.start..segment.end,
            ..self.row(StatusLevel::Transaction)
        };
        write(segment, row, 2, tables)?;
        Ok(true)
    }

    /// The set before was not answered if it is still there.
    fn leave_set(&mut self, tables: &mut Tables<'_>) {
        if let Some(set) = self.set.take() {
            tables.count(&UNANSWERED, set.line);
        }
    }

    /// AK9: the group.
    fn group_status(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        self.leave_set(tables);
        let Some(group) = self.group.take() else {
            return Ok(false);
        };
        self.is_group_answered = true;
        check_status(segment, tables);
        let counts = [2, 3, 4].map(|element| segment.text(element));
        let information = format!(
            "{}: {} sets sent, {} received, {} accepted",
            group.kind, counts[0], counts[1], counts[2]
        );
        let row = PaymentStatus {
            original_message_id: &group.control,
            information: &information,
            bytes: group.start..segment.end,
            ..self.row(StatusLevel::Group)
        };
        write(segment, row, 5, tables)?;
        self.compare(segment, tables)?;
        Ok(true)
    }

    fn row(&self, level: StatusLevel) -> PaymentStatus<'_> {
        PaymentStatus {
            message_type: self.message_type,
            message_id: &self.heading.group,
            status_date: self.heading.date,
            ..PaymentStatus::blank(level)
        }
    }

    /// The group's counts, where it speaks of each set.
    fn compare(&self, ak9: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let says = |element: usize| ak9.text(element).parse::<u64>().ok();
        let is_each_named = says(3) == Some(self.sets);
        if self.sets == 0 || (is_each_named && says(4) == Some(self.accepted)) {
            return Ok(());
        }
        // Sets that were accepted need not be named.
        let is_some_named = says(3).is_some_and(|received| received > self.sets);
        if is_some_named {
            return Ok(());
        }
        tables.report(Notice {
            severity: Severity::Warning,
            code: FindingCode::ControlCount,
            line: Some(ak9.line),
            found: format!(
                "the group says {} sets received and {} accepted",
                ak9.text(3),
                ak9.text(4)
            ),
            expected: format!("{} and {}, as its sets say", self.sets, self.accepted),
            action: "Ask the sender what became of the sets.".into(),
        })
    }
}

impl Answered {
    fn open(segment: &Segment<'_>) -> Self {
        Self {
            kind: segment.text(1).into_owned(),
            control: segment.text(2).into_owned(),
            line: segment.line,
            start: segment.start,
            notes: String::new(),
        }
    }

    /// Keeps what an error segment says, as it stands.
    fn note(&mut self, segment: &Segment<'_>) {
        let text = crate::rows::decode(segment.text);
        if self.notes.len() + text.len() <= NOTES_BYTES_MAX {
            self.notes
                .push_str(if self.notes.is_empty() { ": " } else { "; " });
            self.notes.push_str(&text);
        }
    }

    fn said(&self) -> String {
        format!("{}{}", self.kind, self.notes)
    }
}

impl TransactionSet for Acknowledgment {
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        let has_place = match &segment.tag {
            b"AK1" => {
                self.group = Some(Answered::open(segment));
                true
            }
            b"AK2" => {
                self.leave_set(tables);
                self.set = Some(Answered::open(segment));
                true
            }
            b"AK3" | b"AK4" | b"IK3" | b"IK4" | b"CTX" => self.note(segment),
            b"AK5" | b"IK5" => self.set_status(segment, tables)?,
            b"AK9" => self.group_status(segment, tables)?,
            _ => return Ok(false),
        };
        if !has_place {
            let message = "the segment speaks of a set or group that no AK1 or AK2 names";
            tables.refuse(segment, QuarantineReason::MisplacedRecord, message)?;
        }
        Ok(true)
    }

    fn finish(&mut self, _end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.leave_set(tables);
        if !self.is_group_answered {
            tables.count(&NO_GROUP, self.heading.line);
        }
        Ok(())
    }
}

/// Writes `row` with the code of `segment` and the error codes from element `first` on.
fn write(
    segment: &Segment<'_>,
    row: PaymentStatus<'_>,
    first: usize,
    tables: &mut Tables<'_>,
) -> Result<(), ReadError> {
    let row = PaymentStatus {
        source_line: segment.line,
        status: &segment.text(1),
        reason: &codes_from(segment, first),
        ..row
    };
    tables.push_status(&row)
}

/// A `TA1`: what became of a whole interchange.
pub(super) fn interchange_status(
    ta1: &Segment<'_>,
    tables: &mut Tables<'_>,
) -> Result<(), ReadError> {
    check_status(ta1, tables);
    let row = PaymentStatus {
        source_line: ta1.line,
        message_type: "x12.TA1",
        original_message_id: &ta1.text(1),
        status: &ta1.text(4),
        reason: &ta1.text(5),
        status_date: tables.date(ta1, 2)?,
        bytes: ta1.start..ta1.end,
        ..PaymentStatus::blank(StatusLevel::Group)
    };
    tables.push_status(&row)
}

fn check_status(segment: &Segment<'_>, tables: &mut Tables<'_>) {
    let place = if segment.tag == *b"TA1" { 4 } else { 1 };
    if !STATUSES.contains(&segment.element(place)) {
        tables.count(&UNKNOWN_STATUS, segment.line);
    }
}

/// The error codes from element `first` on.
fn codes_from(segment: &Segment<'_>, first: usize) -> String {
    let codes = segment.elements().skip(first - 1);
    let codes: Vec<_> = codes
        .filter(|code| !code.is_empty())
        .map(crate::rows::decode)
        .collect();
    codes.join(" ")
}
