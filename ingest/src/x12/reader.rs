//! Leads the segments of a file to the readers of their transaction sets.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::acknowledgment::interchange_status;
use super::envelope::Envelope;
use super::fields::Fields;
use super::segment::{Segment, Tag};
use super::set::{self, TransactionSet};
use super::stream::SEGMENT_BYTES_MAX;
use super::tables::{Oddity, Tables};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};

/// Kinds of sets without money that are told one by one.
const OTHER_SETS_MAX: usize = 32;

static CONVERTED: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::ConvertedCharacters,
    what: "segments that are not UTF-8",
    expected: "UTF-8",
    action: "They were read as Windows-1252.",
};

/// A kind of transaction set that holds nothing to tie out.
struct OtherSet {
    number: String,
    first_line: u64,
    sets: u64,
    segments: u64,
}

pub(super) struct Reader<'a> {
    tables: Tables<'a>,
    envelope: Envelope,
    /// The open set; none for one that is passed over.
    set: Option<Box<dyn TransactionSet>>,
    number: Tag,
    /// What it may have that its reader has no use for.
    known_segments: &'static [Tag],
    other: Vec<OtherSet>,
    /// Which of them is open.
    open_other: Option<usize>,
    last_line: u64,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            tables: Tables::new(intake, batch_rows),
            envelope: Envelope::default(),
            set: None,
            number: Tag::default(),
            known_segments: &[],
            other: Vec::new(),
            open_other: None,
            last_line: 1,
        }
    }

    /// Reads the next segment.
    pub fn segment(&mut self, segment: &Segment<'_>) -> Result<(), ReadError> {
        self.last_line = segment.line;
        if !segment.text.is_ascii() && std::str::from_utf8(segment.text).is_err() {
            self.tables.count(&CONVERTED, segment.line);
        }
        self.envelope.count_segment();
        if segment.is_cut {
            let message = format!(
                "the segment has more than the {SEGMENT_BYTES_MAX} bytes that one may have; \
                 check its terminator"
            );
            return self.refuse(segment, QuarantineReason::TooLong, &message);
        }
        match &segment.tag {
            b"ISA" => self.interchange(segment),
            b"GS " => {
                self.close_set(segment.start)?;
                self.envelope.open_group(segment, &mut self.tables)
            }
            b"ST " => self.open_set(segment),
            b"SE " => {
                self.close_set(segment.end)?;
                self.envelope.close_set(segment, &mut self.tables)
            }
            b"GE " => {
                self.close_set(segment.start)?;
                self.envelope.close_group(segment, &mut self.tables)
            }
            b"IEA" => {
                self.close_set(segment.start)?;
                self.envelope.close_interchange(segment, &mut self.tables)
            }
            _ if self.envelope.is_in_set() => self.body(segment),
            _ => self.outside(segment),
        }
    }

    fn interchange(&mut self, segment: &Segment<'_>) -> Result<(), ReadError> {
        self.close_set(segment.start)?;
        if segment.elements().count() < 16 {
            let message = "the ISA has fewer than 16 elements; the separators before it hold on";
            self.refuse(segment, QuarantineReason::BadStructure, message)?;
        }
        self.envelope.open_interchange(segment, &mut self.tables)
    }

    fn open_set(&mut self, segment: &Segment<'_>) -> Result<(), ReadError> {
        self.close_set(segment.start)?;
        let heading = self.envelope.open_set(segment, &mut self.tables)?;
        self.number = heading.number;
        self.known_segments = set::known_segments(heading.number);
        self.set = set::open(heading);
        self.open_other = match self.set {
            Some(_) => None,
            None => Some(self.other_set(segment)),
        };
        Ok(())
    }

    fn other_set(&mut self, segment: &Segment<'_>) -> usize {
        let number = segment.text(1);
        let known = self.other.iter().position(|other| other.number == number);
        let place = known.unwrap_or_else(|| {
            if self.other.len() < OTHER_SETS_MAX {
                let is_last = self.other.len() + 1 == OTHER_SETS_MAX;
                self.other.push(OtherSet {
                    number: if is_last {
                        "of other kinds".to_owned()
                    } else {
                        number.into_owned()
                    },
                    first_line: segment.line,
                    sets: 0,
                    segments: 0,
                });
            }
            self.other.len() - 1
        });
        self.other[place].sets += 1;
        place
    }

    fn body(&mut self, segment: &Segment<'_>) -> Result<(), ReadError> {
        if !segment.is_terminated {
            let message = "the file ends within the segment; ask the sender for the whole file";
            return self.refuse(segment, QuarantineReason::BadStructure, message);
        }
        if let Some(other) = self.open_other.and_then(|place| self.other.get_mut(place)) {
            other.segments += 1;
            return Ok(());
        }
        let Some(set) = &mut self.set else {
            return Ok(());
        };
        let is_read = set.segment(segment, &mut self.tables)?;
        if is_read || self.known_segments.contains(&segment.tag) {
            return Ok(());
        }
        let message = format!(
            "transaction set {} has no such segment; check the segment before it for a \
             terminator within a text",
            String::from_utf8_lossy(&self.number)
        );
        self.refuse(segment, QuarantineReason::UnknownRecord, &message)
    }

    /// A segment between sets: a word about an interchange, or something out of place.
    fn outside(&mut self, segment: &Segment<'_>) -> Result<(), ReadError> {
        match &segment.tag {
            b"TA1" => interchange_status(segment, &mut self.tables),
            // Services and security of the interchange: structure.
            b"ISB" | b"ISE" | b"TA3" if self.envelope.is_in_interchange() => Ok(()),
            _ => {
                let message = "the segment stands in no transaction set";
                self.refuse(segment, QuarantineReason::MisplacedRecord, message)
            }
        }
    }

    fn close_set(&mut self, end: u64) -> Result<(), ReadError> {
        self.open_other = None;
        match self.set.take() {
            Some(mut set) => set.finish(end, &mut self.tables),
            None => Ok(()),
        }
    }

    fn refuse(
        &mut self,
        segment: &Segment<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        self.tables.refuse(segment, reason, message)
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        self.close_set(bytes)?;
        self.envelope.finish(self.last_line, &mut self.tables)?;
        for other in &self.other {
            self.tables.report(other.notice())?;
        }
        self.tables.finish(bytes, lines)
    }
}

impl OtherSet {
    fn notice(&self) -> Notice {
        Notice {
            severity: Severity::Info,
            code: FindingCode::NotMoneyFile,
            line: Some(self.first_line),
            found: format!(
                "{} transaction sets {} with {} segments, the first here",
                self.sets, self.number, self.segments
            ),
            expected: String::new(),
            action: "Nothing to do: they hold nothing to tie out and were passed over.".into(),
        }
    }
}
