//! Puts the lines of a file together to fields, and the fields to messages.

use tieout_core::{Direction, FindingCode, QuarantineReason, Severity};

use super::confirmation;
use super::envelope::{self, Piece};
use super::field::{Field, Tag};
use super::message::{self, Envelope, Fields, MESSAGE_BYTES_MAX};
use super::output::{Oddity, Output};
use super::recognition::{HEADER_LINE_BYTES_MAX, HEADER_LINES_MAX};
use super::statement::{End, Statements};
use super::transfer;
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;

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

/// A line that waits for what comes after it.
struct HeldLine {
    number: u64,
    start: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl HeldLine {
    fn of(line: &Line<'_>) -> Self {
        Self {
            number: line.number,
            start: line.start,
            end: line.end,
            bytes: line.bytes.to_vec(),
        }
    }

    fn line(&self) -> Line<'_> {
        Line {
            number: self.number,
            start: self.start,
            end: self.end,
            bytes: &self.bytes,
            is_cut: false,
        }
    }
}

pub(super) struct Reader<'a> {
    out: Output<'a>,
    statements: Statements,
    mode: Mode,
    envelope: Envelope,
    /// The block of the text was opened and not closed.
    in_text_block: bool,
    /// The field that may still go on.
    field: Field,
    /// Fields of a message that is undecided or read as a whole.
    fields: Vec<Field>,
    fields_bytes: usize,
    /// Lines outside any message, which may be a bank's header of the next one.
    held: Vec<HeldLine>,
    /// A line `:20:` inside a text, which begins a message only if the next line goes on so.
    doubtful: Option<HeldLine>,
    /// Messages of kinds that are not read: the first, its line, how many.
    foreign: Option<(u16, u64, u64)>,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            out: Output::new(intake, batch_rows),
            statements: Statements::default(),
            mode: Mode::Closed,
            envelope: Envelope::default(),
            in_text_block: false,
            field: Field::default(),
            fields: Vec::new(),
            fields_bytes: 0,
            held: Vec::new(),
            doubtful: None,
            foreign: None,
        }
    }

    /// Reads the next line.
    pub fn line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if line.is_blank() {
            return Ok(());
        }
        if let Some(held) = self.doubtful.take() {
            let tag = Tag::at_start(line.bytes).map(|(tag, _)| tag.number());
            match tag.as_ref() {
                Some(b"21" | b"25" | b"28") => self.start_field(&held.line())?,
                _ => self.add_to_field(&held.line())?,
            }
        }
        if line.is_cut {
            self.close_field()?;
            return self.out.refuse_long_line(line);
        }
        if ends_message(line.bytes) {
            return self.terminator(line);
        }
        let signs = line
            .bytes
            .iter()
            .take_while(|&&byte| envelope::is_separator(byte));
        let signs = signs.count();
        if envelope::is_block(&line.bytes[signs..]) {
            return self.blocks(&after(line, signs));
        }
        self.text_line(line)
    }

    /// A line of a message's text, or outside of any.
    fn text_line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        match Tag::at_start(line.bytes) {
            Some((tag, value_at)) if self.begins_field(tag, &line.bytes[value_at..]) => {
                if self.is_doubtful(tag) {
                    self.doubtful = Some(HeldLine::of(line));
                    return Ok(());
                }
                self.start_field(line)
            }
            _ => self.add_to_field(line),
        }
    }

    /// Inside a text a line may look like a field by chance (`:12:30 Uhr`).
    fn begins_field(&self, tag: Tag, value: &[u8]) -> bool {
        if self.field.is_empty() || !matches!(&self.field.tag.number(), b"86" | b"NS") {
            return true;
        }
        let next = value.first().copied().unwrap_or_default();
        match &tag.number() {
            b"86" | b"NS" | b"20" => true,
            b"61" => value.len() >= 6 && value[..6].iter().all(u8::is_ascii_digit),
            b"60" | b"62" | b"64" | b"65" => {
                matches!(next, b'C' | b'D' | b'c' | b'd') && tag.option() != b' '
                    || matches!(&tag.number(), b"64" | b"65") && matches!(next, b'C' | b'D')
            }
            b"90" | b"94" => next.is_ascii_digit() || tag.message_type().is_some(),
            _ => false,
        }
    }

    /// A message may not begin inside a statement without closing balance, unless its next field
    /// follows.
    fn is_doubtful(&self, tag: Tag) -> bool {
        tag.number() == *b"20"
            && self.mode == Mode::Statement
            && self.field.tag.number() == *b"86"
            && !self.field.is_empty()
            && !self.statements.is_closed()
    }

    fn start_field(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let Some((tag, value_at)) = Tag::at_start(line.bytes) else {
            return self.add_to_field(line);
        };
        self.close_field()?;
        if let Some(number) = tag.message_type() {
            self.end_message(End::Whole)?;
            self.drop_held();
            self.envelope.message_type = Some(number);
            return Ok(());
        }
        let begins = tag.number() == *b"20" && !self.is_new();
        if begins {
            self.end_message(End::Whole)?;
        }
        if self.mode == Mode::Closed {
            self.begin_message(line.number);
        }
        self.refuse_held()?;
        self.field.begin(tag, value_at, line);
        Ok(())
    }

    /// Whether the open message has no fields yet.
    fn is_new(&self) -> bool {
        match self.mode {
            Mode::Closed => true,
            Mode::Undecided | Mode::Whole(_) => self.fields.is_empty(),
            Mode::Statement => self.statements.is_new(),
            Mode::Foreign(_) => false,
        }
    }

    fn begin_message(&mut self, line: u64) {
        let named = self
            .held
            .iter()
            .find_map(|line| message_number(&line.bytes));
        self.drop_held();
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

    /// Goes on with the open field, if it may have several lines.
    fn add_to_field(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let has_lines = match self.mode {
            Mode::Closed => false,
            Mode::Whole(_) | Mode::Foreign(_) => true,
            Mode::Undecided | Mode::Statement => !has_one_line(self.field.tag),
        };
        if self.field.is_empty() || !has_lines {
            return self.hold(line);
        }
        if !self.field.has_room(line) {
            let message = "the field that it continues is longer than 64 KiB or 1,000 lines";
            return self
                .out
                .refuse_line(line, QuarantineReason::TooLong, message);
        }
        self.field.add(line);
        Ok(())
    }

    /// Keeps a line outside any field until it is known what follows.
    fn hold(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let has_room =
            self.held.len() < HEADER_LINES_MAX && line.bytes.len() <= HEADER_LINE_BYTES_MAX;
        if has_room {
            self.held.push(HeldLine::of(line));
            return Ok(());
        }
        self.out
            .refuse_line(line, QuarantineReason::UnknownRecord, OUTSIDE)
    }

    /// The lines were a bank's header of a message.
    fn drop_held(&mut self) {
        self.held.clear();
    }

    fn refuse_held(&mut self) -> Result<(), ReadError> {
        for held in std::mem::take(&mut self.held) {
            self.out
                .refuse_line(&held.line(), QuarantineReason::UnknownRecord, OUTSIDE)?;
        }
        Ok(())
    }

    /// `-`, or `-}` with blocks behind it.
    fn terminator(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.close_field()?;
        self.end_message(End::Whole)?;
        let trimmed = line.bytes.trim_ascii_start();
        match trimmed.strip_prefix(b"-}") {
            Some(rest) if !rest.trim_ascii().is_empty() => {
                self.blocks(&after(line, line.bytes.len() - rest.len()))
            }
            _ => Ok(()),
        }
    }

    fn blocks(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let mut rest = line.bytes;
        while let Some((piece, next)) = envelope::next_piece(rest) {
            let at = line.bytes.len() - rest.len();
            match piece {
                Piece::Separator => {}
                Piece::Block(id, content) => self.block(id, content, line.number)?,
                Piece::Text(text) => {
                    self.close_field()?;
                    self.end_message(End::Whole)?;
                    self.drop_held();
                    self.in_text_block = true;
                    if !text.trim_ascii().is_empty() {
                        self.text_line(&after(line, line.bytes.len() - text.len()))?;
                    }
                }
                Piece::Unknown(_) => self.unknown_block(&after(line, at))?,
            }
            rest = next;
        }
        Ok(())
    }

    fn block(&mut self, id: u8, content: &[u8], line: u64) -> Result<(), ReadError> {
        if id == b'4' {
            return self.answer(content, line);
        }
        self.close_field()?;
        self.end_message(End::Whole)?;
        if id == b'1' {
            self.drop_held();
            self.envelope = Envelope::default();
        }
        self.envelope.read(id, content);
        Ok(())
    }

    /// A block that does not end on its line. Those before the text may be damaged without harm;
    /// it is told.
    fn unknown_block(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if let Some(at) = memchr::memmem::find(line.bytes, b"{4:").filter(|&at| at > 0) {
            self.out.note(Oddity::Envelope, line.number);
            return self.blocks(&after(line, at));
        }
        let message = "a block that does not end, or signs behind one; correct the line";
        self.out
            .refuse_line(line, QuarantineReason::BadStructure, message)
    }

    fn answer(&mut self, content: &[u8], line: u64) -> Result<(), ReadError> {
        self.out.note(Oddity::Envelope, line);
        match envelope::answer(content) {
            Some(false) | None => Ok(()),
            Some(true) => self.out.report(Notice {
                severity: Severity::Error,
                code: FindingCode::UnknownCode,
                line: Some(line),
                found: "the network refused a message (451:1)".to_owned(),
                expected: "451:0".to_owned(),
                action: "Correct the message and send it again; it moved no money.".into(),
            }),
        }
    }

    /// The open field is whole.
    fn close_field(&mut self) -> Result<(), ReadError> {
        if self.field.is_empty() {
            return Ok(());
        }
        match self.mode {
            Mode::Undecided if is_of_statement(self.field.tag) => self.decide_statement()?,
            Mode::Undecided if is_of_whole(self.field.tag) => self.mode = Mode::Whole(None),
            _ => {}
        }
        match self.mode {
            Mode::Statement => self.statements.field(&mut self.field, &mut self.out)?,
            Mode::Undecided | Mode::Whole(_) => self.keep_field()?,
            Mode::Foreign(number) => {
                let message = format!("messages {number} are not read");
                let refusal = (QuarantineReason::UnknownType, message);
                self.out.refuse(&self.field, &refusal)?;
            }
            Mode::Closed => {}
        }
        self.field.clear();
        Ok(())
    }

    fn keep_field(&mut self) -> Result<(), ReadError> {
        if matches!(self.mode, Mode::Whole(_)) && !is_known(self.field.tag) {
            let tag = self.field.tag.as_str();
            let message = format!("messages of this kind have no field `{tag}`; correct its tag");
            let refusal = (QuarantineReason::UnknownRecord, message);
            return self.out.refuse(&self.field, &refusal);
        }
        let bytes = self.field.bytes();
        self.fields_bytes += (bytes.end - bytes.start) as usize;
        if self.fields_bytes > MESSAGE_BYTES_MAX {
            let message = "the message is longer than 1 MiB".to_owned();
            return self
                .out
                .refuse(&self.field, &(QuarantineReason::TooLong, message));
        }
        self.fields.push(std::mem::take(&mut self.field));
        Ok(())
    }

    /// The message turns out to be a statement: its header was kept until now.
    fn decide_statement(&mut self) -> Result<(), ReadError> {
        let line = self.fields.first().map_or(self.field.line(), Field::line);
        self.statements.begin(line, false);
        self.mode = Mode::Statement;
        self.fields_bytes = 0;
        for mut field in std::mem::take(&mut self.fields) {
            self.statements.field(&mut field, &mut self.out)?;
        }
        Ok(())
    }

    /// The message is whole, or the file is.
    fn end_message(&mut self, end: End) -> Result<(), ReadError> {
        if self.mode == Mode::Undecided {
            self.decide_statement()?;
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
        self.in_text_block = false;
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
        if let Some(held) = self.doubtful.take() {
            self.add_to_field(&held.line())?;
        }
        self.close_field()?;
        let end = if self.in_text_block {
            End::Cut
        } else {
            End::File
        };
        self.end_message(end)?;
        self.refuse_held()?;
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

const OUTSIDE: &str = "the line belongs to no field of a message; correct it or its tag";

/// The part of a line from `at` on.
fn after<'l>(line: &Line<'l>, at: usize) -> Line<'l> {
    Line {
        start: line.start + at as u64,
        bytes: line.bytes.get(at..).unwrap_or_default(),
        ..*line
    }
}

/// `-` alone or with signs of control behind it, `-}`, or what ING writes at the end of its files.
fn ends_message(line: &[u8]) -> bool {
    let end = line
        .iter()
        .rposition(|&byte| byte > b' ')
        .map_or(0, |last| last + 1);
    let line = line[..end].trim_ascii_start();
    line.starts_with(b"-}") || matches!(line, b"-" | b"-XXX")
}

/// The number of the message in a bank's header (`940`, `940 00`).
fn message_number(line: &[u8]) -> Option<u16> {
    let number = line.trim_ascii().split(|&byte| byte == b' ').next()?;
    let number: u16 = std::str::from_utf8(number).ok()?.parse().ok()?;
    matches!(number, 900 | 910 | 940 | 942 | 950).then_some(number)
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
