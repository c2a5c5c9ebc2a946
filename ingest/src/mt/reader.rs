//! Puts the lines of a file together to fields, and tells where messages begin and end.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::envelope::{self, Piece};
use super::field::{Field, Tag};
use super::header::End;
use super::message::Envelope;
use super::messages::Messages;
use super::output::{Oddity, Output};
use super::recognition::{HEADER_LINE_BYTES_MAX, HEADER_LINES_MAX};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;

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
    messages: Messages<'a>,
    /// The block of the text was opened and not closed.
    in_text_block: bool,
    /// The field that may still go on.
    field: Field,
    /// Lines outside any message, which may be a bank's header of the next one.
    held: Vec<HeldLine>,
    /// A line `:20:` inside a text, which begins a message only if the next line goes on so.
    doubtful: Option<HeldLine>,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            messages: Messages::new(Output::new(intake, batch_rows)),
            in_text_block: false,
            field: Field::default(),
            held: Vec::new(),
            doubtful: None,
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
            return self.messages.out.refuse_long_line(line);
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
            && self.field.tag.number() == *b"86"
            && !self.field.is_empty()
            && self.messages.is_inside_statement()
    }

    fn start_field(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let Some((tag, value_at)) = Tag::at_start(line.bytes) else {
            return self.add_to_field(line);
        };
        self.close_field()?;
        if let Some(number) = tag.message_type() {
            self.end_message(End::Whole)?;
            self.drop_held();
            self.messages.envelope.message_type = Some(number);
            return Ok(());
        }
        let begins = tag.number() == *b"20" && !self.messages.is_new();
        if begins {
            self.end_message(End::Whole)?;
        }
        if !self.messages.is_open() {
            let mut header = self.held.iter();
            let named = header.find_map(|line| message_number(&line.bytes));
            self.messages.begin(line.number, named);
            self.drop_held();
        }
        self.refuse_held()?;
        self.field.begin(tag, value_at, line);
        Ok(())
    }

    /// Goes on with the open field, if it may have several lines.
    fn add_to_field(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if self.field.is_empty() || !self.messages.has_lines(self.field.tag) {
            return self.hold(line);
        }
        if !self.field.has_room(line) {
            let message = "the field that it continues is longer than 64 KiB or 1,000 lines";
            return self
                .messages
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
        self.messages
            .out
            .refuse_line(line, QuarantineReason::UnknownRecord, OUTSIDE)
    }

    /// The lines were a bank's header of a message.
    fn drop_held(&mut self) {
        self.held.clear();
    }

    fn refuse_held(&mut self) -> Result<(), ReadError> {
        for held in std::mem::take(&mut self.held) {
            self.messages.out.refuse_line(
                &held.line(),
                QuarantineReason::UnknownRecord,
                OUTSIDE,
            )?;
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
        let mut is_damaged = false;
        while let Some((piece, mut next)) = envelope::next_piece(rest) {
            match piece {
                Piece::Separator => {}
                Piece::Block(id, content) => self.block(id, content, line.number)?,
                Piece::Text(text) => {
                    self.open_text()?;
                    if !text.trim_ascii().is_empty() {
                        self.text_line(&after(line, line.bytes.len() - text.len()))?;
                    }
                }
                Piece::Unknown(unknown) => match memchr::memmem::find(unknown, b"{4:") {
                    // A damaged block before the text does no harm, if it is one.
                    Some(at) if at > 0 && !is_damaged => {
                        self.messages.out.note(Oddity::Envelope, line.number);
                        (is_damaged, next) = (true, &unknown[at..]);
                    }
                    _ => self.unknown_block(&after(line, line.bytes.len() - unknown.len()))?,
                },
            }
            rest = next;
        }
        Ok(())
    }

    /// The block of a message's text begins.
    fn open_text(&mut self) -> Result<(), ReadError> {
        self.close_field()?;
        self.end_message(End::Whole)?;
        self.drop_held();
        self.in_text_block = true;
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
            self.messages.envelope = Envelope::default();
        }
        self.messages.envelope.read(id, content);
        Ok(())
    }

    fn unknown_block(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let message = "a block that does not end, or signs behind one; correct the line";
        let reason = QuarantineReason::BadStructure;
        self.messages.out.refuse_line(line, reason, message)
    }

    fn answer(&mut self, content: &[u8], line: u64) -> Result<(), ReadError> {
        self.messages.out.note(Oddity::Envelope, line);
        match envelope::answer(content) {
            Some(false) | None => Ok(()),
            Some(true) => self.messages.out.report(Notice {
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
        if !self.field.is_empty() {
            self.messages.field(&mut self.field)?;
            self.field.clear();
        }
        Ok(())
    }

    fn end_message(&mut self, end: End) -> Result<(), ReadError> {
        if self.messages.is_open() {
            self.in_text_block = false;
        }
        self.messages.end(end)
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
        self.messages.finish(bytes, lines)
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
