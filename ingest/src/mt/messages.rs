//! The messages of a file: which kind each is, and who reads its fields.

use tieout_core::{Direction, FindingCode, QuarantineReason, Severity};

use super::confirmation;
use super::field::{Field, Tag};
use super::header::End;
use super::message::{self, Envelope, Fields, MESSAGE_BYTES_MAX};
use super::output::Output;
use super::statement::Statements;
use super::transfer;
use crate::format::{Counts, ReadError};
use crate::intake::Notice;

/// The message that is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    /// None is open.
    #[default]
    Closed,
    /// Its fields so far may be of any message.
    Undecided,
    /// Read field by field.
    Statement,
    /// Read once it is whole; the number, if the envelope gives it.
    Whole(Option<u16>),
    /// Of a kind that is not read.
    Foreign(u16),
}

/// Reads the fields of messages, one message after the other.
pub(super) struct Messages<'a> {
    pub out: Output<'a>,
    /// What the blocks before the next message, or around the open one, say.
    pub envelope: Envelope,
    statements: Statements,
    mode: Mode,
    /// Fields of a message that is undecided or read as a whole.
    fields: Vec<Field>,
    fields_bytes: usize,
    /// Messages of kinds that are not read: the first, its line, how many.
    foreign: Option<(u16, u64, u64)>,
}

impl<'a> Messages<'a> {
    pub fn new(out: Output<'a>) -> Self {
        Self {
            out,
            envelope: Envelope::default(),
            statements: Statements::default(),
            mode: Mode::Closed,
            fields: Vec::new(),
            fields_bytes: 0,
            foreign: None,
        }
    }

    pub fn is_open(&self) -> bool {
        self.mode != Mode::Closed
    }

    /// Whether a statement is open whose closing balance or totals did not come yet.
    pub fn is_inside_statement(&self) -> bool {
        self.mode == Mode::Statement && !self.statements.is_closed()
    }

    /// Whether a field may go on over several lines.
    pub fn has_lines(&self, tag: Tag) -> bool {
        match self.mode {
            Mode::Closed => false,
            Mode::Whole(_) | Mode::Foreign(_) => true,
            Mode::Undecided | Mode::Statement => !has_one_line(tag),
        }
    }

    /// Whether the open message has no fields yet.
    pub fn is_new(&self) -> bool {
        match self.mode {
            Mode::Closed => true,
            Mode::Undecided | Mode::Whole(_) => self.fields.is_empty(),
            Mode::Statement => self.statements.is_new(),
            Mode::Foreign(_) => false,
        }
    }

    /// A message begins, of the kind that its envelope or else the bank's own header names.
    pub fn begin(&mut self, line: u64, named: Option<u16>) {
        let number = self.envelope.message_type.or(named);
        self.mode = match number {
            Some(number @ (940 | 942 | 950)) => {
                self.statements.begin(line, number == 942);
                Mode::Statement
            }
            Some(900 | 910 | 101 | 102 | 103) => Mode::Whole(number),
            Some(number) => {
                self.foreign.get_or_insert((number, line, 0)).2 += 1;
                Mode::Foreign(number)
            }
            None => Mode::Undecided,
        };
    }

    /// Reads a field of the open message; its buffers may be taken.
    pub fn field(&mut self, field: &mut Field) -> Result<(), ReadError> {
        match self.mode {
            Mode::Undecided if is_of_statement(field.tag) => self.decide_statement(field.line())?,
            Mode::Undecided if is_of_whole(field.tag) => self.mode = Mode::Whole(None),
            _ => {}
        }
        match self.mode {
            Mode::Statement => self.statements.field(field, &mut self.out),
            Mode::Undecided | Mode::Whole(_) => self.keep_field(field),
            Mode::Foreign(number) => {
                let message = format!("messages {number} are not read");
                let refusal = (QuarantineReason::UnknownType, message);
                self.out.refuse(field, &refusal)
            }
            Mode::Closed => Ok(()),
        }
    }

    fn keep_field(&mut self, field: &mut Field) -> Result<(), ReadError> {
        if matches!(self.mode, Mode::Whole(_)) && !is_known(field.tag) {
            let tag = field.tag.as_str();
            let message = format!("messages of this kind have no field `{tag}`; correct its tag");
            let refusal = (QuarantineReason::UnknownRecord, message);
            return self.out.refuse(field, &refusal);
        }
        let bytes = field.bytes();
        self.fields_bytes += (bytes.end - bytes.start) as usize;
        if self.fields_bytes > MESSAGE_BYTES_MAX {
            let message = "the message is longer than 1 MiB".to_owned();
            return self
                .out
                .refuse(field, &(QuarantineReason::TooLong, message));
        }
        self.fields.push(std::mem::take(field));
        Ok(())
    }

    /// The message turns out to be a statement: its header was kept until now.
    fn decide_statement(&mut self, line: u64) -> Result<(), ReadError> {
        let line = self.fields.first().map_or(line, Field::line);
        self.statements.begin(line, false);
        self.mode = Mode::Statement;
        self.fields_bytes = 0;
        for mut field in std::mem::take(&mut self.fields) {
            self.statements.field(&mut field, &mut self.out)?;
        }
        Ok(())
    }

    /// The message is whole, or the file is.
    pub fn end(&mut self, end: End) -> Result<(), ReadError> {
        if self.mode == Mode::Undecided {
            self.decide_statement(0)?;
        }
        if self.mode == Mode::Closed {
            return Ok(());
        }
        let envelope = std::mem::take(&mut self.envelope);
        match std::mem::take(&mut self.mode) {
            Mode::Statement => self.statements.end(end, &mut self.out)?,
            Mode::Whole(number) => self.end_whole(number, &envelope, end)?,
            Mode::Closed | Mode::Undecided | Mode::Foreign(_) => {}
        }
        Ok(())
    }

    fn end_whole(
        &mut self,
        number: Option<u16>,
        envelope: &Envelope,
        end: End,
    ) -> Result<(), ReadError> {
        let fields = std::mem::take(&mut self.fields);
        self.fields_bytes = 0;
        let read = Fields(&fields);
        let is_whole = end == End::Whole;
        match number.or_else(|| message::message_type(read)) {
            Some(900) => confirmation::read(read, Direction::Debit, is_whole, &mut self.out),
            Some(910) => confirmation::read(read, Direction::Credit, is_whole, &mut self.out),
            Some(number) => {
                transfer::read(&fields, envelope, number, &mut self.out)?;
                self.report_cut(&fields, is_whole)
            }
            None => {
                let message = "the message does not say whether it is a debit (900), a credit \
                               (910) or a transfer; put it into its envelope";
                let refusal = (QuarantineReason::UnknownType, message.to_owned());
                fields
                    .iter()
                    .try_for_each(|field| self.out.refuse(field, &refusal))
            }
        }
    }

    fn report_cut(&mut self, fields: &[Field], is_whole: bool) -> Result<(), ReadError> {
        if is_whole {
            return Ok(());
        }
        self.out.report(Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: fields.first().map(Field::line),
            found: "the file ends inside a transfer".to_owned(),
            expected: "`-` behind its last field".to_owned(),
            action: "Ask for the file again. What is here is read.".into(),
        })
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        if let Some(number) = self.envelope.message_type {
            self.out.report(Notice {
                severity: Severity::Error,
                code: FindingCode::TruncatedFile,
                line: Some(lines),
                found: format!("the file ends before the text of a message {number}"),
                expected: "its fields".to_owned(),
                action: "Ask for the file again. What is before it is read.".into(),
            })?;
        }
        if let Some((number, line, count)) = self.foreign {
            self.out.report(Notice {
                severity: Severity::Warning,
                code: FindingCode::UnexpectedRecord,
                line: Some(line),
                found: format!("{count} messages of other kinds, the first a {number}"),
                expected: "messages 101, 102, 103, 900, 910, 940, 942 or 950".to_owned(),
                action: "They are in quarantine; the others are read.".into(),
            })?;
        }
        self.out.finish(bytes, lines)
    }
}

/// Fields of statements that have one line; option P of 25 has the bank's code below the account.
fn has_one_line(tag: Tag) -> bool {
    match &tag.number() {
        b"25" => tag.option() != b'P',
        b"13" | b"20" | b"21" | b"28" | b"34" | b"60" | b"62" | b"64" | b"65" | b"90" => true,
        _ => false,
    }
}

/// Fields that messages have that are read as a whole. Those that become no column are about
/// charges, rates and the banks between.
fn is_known(tag: Tag) -> bool {
    matches!(
        &tag.number(),
        b"13"
            | b"19"
            | b"20"
            | b"21"
            | b"23"
            | b"25"
            | b"26"
            | b"28"
            | b"30"
            | b"32"
            | b"33"
            | b"36"
            | b"50"
            | b"51"
            | b"52"
            | b"53"
            | b"54"
            | b"55"
            | b"56"
            | b"57"
            | b"59"
            | b"70"
            | b"71"
            | b"72"
            | b"77"
    )
}

/// Fields that only statements have.
fn is_of_statement(tag: Tag) -> bool {
    matches!(
        (&tag.number(), tag.option()),
        (
            b"60" | b"61" | b"62" | b"64" | b"65" | b"86" | b"90" | b"NS",
            _
        ) | (b"34", b'F')
    )
}

/// Fields that only messages have that are read as a whole.
fn is_of_whole(tag: Tag) -> bool {
    matches!(
        &tag.number(),
        b"32" | b"50" | b"52" | b"56" | b"57" | b"59" | b"23" | b"30" | b"72"
    )
}
