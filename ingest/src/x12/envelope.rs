//! Interchange, functional group and transaction set: what their trailers say against what came.

use ahash::RandomState;
use hashbrown::HashSet;
use tieout_core::{Date, FindingCode, QuarantineReason, Severity};

use super::fields::{Fields, parse_date};
use super::segment::Segment;
use super::separators::ISA_BYTES_MAX;
use super::set::Heading;
use super::tables::{Oddity, Tables};
use crate::format::ReadError;
use crate::intake::Notice;

/// Interchange control numbers that are remembered to see one twice.
const INTERCHANGES_MAX: usize = 10_000;

static NO_INTERCHANGE: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "groups or transaction sets outside an interchange",
    expected: "ISA and IEA around them",
    action: "The separators were told from the text; ask for the file with its envelope, whose \
             counts show that nothing is missing.",
};

static TEST_DATA: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::TestData,
    what: "interchanges that their sender marks as a test (ISA15)",
    expected: "P, for production",
    action: "Remove the file if its money is not real; it was read like any other.",
};

/// A level of the envelope that is open.
#[derive(Clone, Debug)]
struct Level {
    name: &'static str,
    control: String,
    line: u64,
    /// What it holds: groups, sets, or segments.
    members: u64,
}

/// What an interchange or group says about the sets in it.
#[derive(Clone, Debug, Default)]
struct Origin {
    sender: String,
    date: Option<Date>,
}

/// Where in its envelope the file stands.
#[derive(Default)]
pub(super) struct Envelope {
    interchange: Option<Level>,
    group: Option<Level>,
    set: Option<Level>,
    interchange_origin: Origin,
    group_origin: Origin,
    /// Senders with the numbers of their interchanges.
    seen: HashSet<(String, String), RandomState>,
}

impl Envelope {
    /// Whether a transaction set is open.
    pub fn is_in_set(&self) -> bool {
        self.set.is_some()
    }

    /// Whether an interchange is open.
    pub fn is_in_interchange(&self) -> bool {
        self.interchange.is_some()
    }

    /// Counts a segment of the open transaction set.
    pub fn count_segment(&mut self) {
        if let Some(set) = &mut self.set {
            set.members += 1;
        }
    }

    /// GS04, or else ISA09.
    pub fn date(&self) -> Option<Date> {
        self.group_origin.date.or(self.interchange_origin.date)
    }

    pub fn open_interchange(
        &mut self,
        isa: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        self.expect_closed(0, isa.line, tables)?;
        let sender = isa.text(6).into_owned();
        let level = Level::open("interchange", isa, 13);
        let key = (sender.clone(), level.control.clone());
        if self.seen.contains(&key) {
            tables.report(repeated(&level))?;
        } else if self.seen.len() < INTERCHANGES_MAX && isa.text.len() <= ISA_BYTES_MAX {
            self.seen.insert(key);
        }
        if isa.element(15) == b"T" {
            tables.count(&TEST_DATA, isa.line);
        }
        self.interchange_origin = Origin {
            sender,
            date: parse_date(isa.element(9)).ok(),
        };
        self.group_origin = Origin::default();
        self.interchange = Some(level);
        Ok(())
    }

    pub fn open_group(
        &mut self,
        gs: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        self.expect_closed(1, gs.line, tables)?;
        match &mut self.interchange {
            Some(interchange) => interchange.members += 1,
            None => tables.count(&NO_INTERCHANGE, gs.line),
        }
        self.group_origin = Origin {
            sender: gs.text(2).into_owned(),
            date: parse_date(gs.element(4)).ok(),
        };
        self.group = Some(Level::open("group", gs, 6));
        Ok(())
    }

    pub fn open_set(
        &mut self,
        st: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<Heading, ReadError> {
        self.expect_closed(2, st.line, tables)?;
        match (&mut self.group, &self.interchange) {
            (Some(group), _) => group.members += 1,
            (None, None) => tables.count(&NO_INTERCHANGE, st.line),
            (None, Some(_)) => tables.report(no_group(st))?,
        }
        let level = Level::open("transaction set", st, 2);
        let origin = [&self.group_origin, &self.interchange_origin];
        let sender = origin.iter().map(|origin| &origin.sender);
        let heading = Heading {
            number: st.element(1).try_into().unwrap_or_default(),
            control: level.control.clone(),
            group: self
                .group
                .as_ref()
                .map(|group| group.control.clone())
                .unwrap_or_default(),
            sender: sender
                .into_iter()
                .find(|sender| !sender.is_empty())
                .cloned()
                .unwrap_or_default(),
            date: self.date(),
            line: st.line,
            start: st.start,
        };
        self.set = Some(Level {
            members: 1,
            ..level
        });
        Ok(heading)
    }

    /// SE: its count has itself in it already.
    pub fn close_set(
        &mut self,
        se: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        let set = self.set.take();
        close(set, "segments", "ST", se, tables)
    }

    pub fn close_group(
        &mut self,
        ge: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        self.expect_closed(2, ge.line, tables)?;
        let group = self.group.take();
        close(group, "transaction sets", "GS", ge, tables)
    }

    pub fn close_interchange(
        &mut self,
        iea: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        self.expect_closed(1, iea.line, tables)?;
        let interchange = self.interchange.take();
        close(interchange, "groups", "ISA", iea, tables)
    }

    /// Nothing from `depth` on (0 for interchanges) may be open at `line`.
    fn expect_closed(
        &mut self,
        depth: usize,
        line: u64,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        for (level, trailer) in self.open_levels(depth).into_iter().rev() {
            tables.report(Notice {
                severity: Severity::Error,
                code: FindingCode::MissingRecord,
                line: Some(line),
                found: format!("the {} is not closed", level.said()),
                expected: format!("{trailer} before this line"),
                action: MISSING.into(),
            })?;
        }
        Ok(())
    }

    /// Takes what is open from `depth` on, the outermost first.
    fn open_levels(&mut self, depth: usize) -> Vec<(Level, &'static str)> {
        let levels = [
            (&mut self.interchange, "IEA"),
            (&mut self.group, "GE"),
            (&mut self.set, "SE"),
        ];
        let open = levels.into_iter().skip(depth);
        open.filter_map(|(level, trailer)| Some((level.take()?, trailer)))
            .collect()
    }

    /// The file ends: whatever is open was cut off.
    pub fn finish(&mut self, line: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let open = self.open_levels(0);
        if open.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = open.iter().map(|(level, _)| level.said()).collect();
        let trailers: Vec<&str> = open.iter().rev().map(|(_, trailer)| *trailer).collect();
        tables.report(Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: Some(line),
            found: format!("the file ends within the {}", names.join(", ")),
            expected: trailers.join(", "),
            action: "Ask the sender for the whole file.".into(),
        })
    }
}

const MISSING: &str = "Segments may be missing; ask the sender for the file again.";

impl Level {
    fn open(name: &'static str, segment: &Segment<'_>, control: usize) -> Self {
        Self {
            name,
            control: segment.text(control).into_owned(),
            line: segment.line,
            members: 0,
        }
    }

    fn said(&self) -> String {
        format!("{} {} of line {}", self.name, self.control, self.line)
    }
}

/// Compares a trailer with what it closes.
fn close(
    level: Option<Level>,
    members: &str,
    header: &str,
    trailer: &Segment<'_>,
    tables: &mut Tables<'_>,
) -> Result<(), ReadError> {
    let Some(level) = level else {
        let message = format!("a trailer without its {header}; ask for the file again");
        return tables.refuse(trailer, QuarantineReason::MisplacedRecord, &message);
    };
    let (count, control) = (trailer.text(1), trailer.text(2));
    if count.parse() != Ok(level.members) {
        tables.report(Notice {
            severity: Severity::Error,
            code: FindingCode::ControlCount,
            line: Some(trailer.line),
            found: format!(
                "the trailer says `{count}` {members} in the {}",
                level.said()
            ),
            expected: format!("{}, as many as were read", level.members),
            action: "Compare with the sender's file; segments may be missing or split by a \
                     separator in a text."
                .into(),
        })?;
    }
    if without_zeros(&control) != without_zeros(&level.control) {
        tables.report(Notice {
            severity: Severity::Error,
            code: FindingCode::ControlNumber,
            line: Some(trailer.line),
            found: format!("the trailer closes number `{control}`"),
            expected: format!("`{}`, the number of the {}", level.control, level.said()),
            action: MISSING.into(),
        })?;
    }
    Ok(())
}

/// Some fill control numbers up with zeros in one place and not in the other.
fn without_zeros(control: &str) -> &str {
    control.trim_start_matches('0')
}

fn repeated(level: &Level) -> Notice {
    Notice {
        severity: Severity::Warning,
        code: FindingCode::ControlNumber,
        line: Some(level.line),
        found: format!("interchange {} comes twice in the file", level.control),
        expected: "a number once a sender".to_owned(),
        action: "Ask the sender whether the second is a copy; its rows count again.".into(),
    }
}

fn no_group(st: &Segment<'_>) -> Notice {
    Notice {
        severity: Severity::Warning,
        code: FindingCode::MissingRecord,
        line: Some(st.line),
        found: format!("transaction set {} stands in no group", st.text(2)),
        expected: "GS before it".to_owned(),
        action: "Nothing to do if the sender leaves groups out.".into(),
    }
}
