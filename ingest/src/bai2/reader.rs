//! Puts the lines of a BAI2 file together to records.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::detail::Detail;
use super::fields::Short;
use super::record::{Code, Content, Record, content, looks_like_damaged_record, pieces};
use super::statement::Statement;
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;

pub(super) struct Reader<'a> {
    statement: Statement<'a>,
    record: Record,
    /// The record that may still be continued.
    open: Option<Code>,
    /// Its fields go on with the next line.
    is_unfinished: bool,
    /// The first line that is not UTF-8, and how many there are.
    converted: Option<(u64, u64)>,
    /// The first continuation written `88:`, and how many there are.
    colons: Option<(u64, u64)>,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            statement: Statement::new(intake, batch_rows),
            record: Record::default(),
            open: None,
            is_unfinished: false,
            converted: None,
            colons: None,
        }
    }

    /// Reads the next line.
    pub fn line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if line.is_blank() {
            return Ok(());
        }
        if line.is_cut {
            self.close_record()?;
            self.statement.count(0, 1);
            return self.statement.refuse_long_line(line);
        }
        if !line.bytes.is_ascii() && std::str::from_utf8(line.bytes).is_err() {
            self.converted.get_or_insert((line.number, 0)).1 += 1;
        }
        for piece in pieces(line.bytes) {
            self.piece(&Line {
                start: line.start + piece.start as u64,
                end: line.start + piece.end as u64,
                bytes: &line.bytes[piece],
                ..*line
            })?;
        }
        Ok(())
    }

    fn piece(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        match Code::of(line.bytes) {
            Some(Code::Continuation) => self.continuation(line),
            Some(code) => self.begin(code, line),
            None if line.bytes.starts_with(b"88:") => {
                self.colons.get_or_insert((line.number, 0)).1 += 1;
                self.continuation(line)
            }
            None => self.text_without_code(line),
        }
    }

    fn begin(&mut self, code: Code, line: &Line<'_>) -> Result<(), ReadError> {
        self.close_record()?;
        self.statement.start_count(code);
        self.statement.count(1, 1);
        self.open = Some(code);
        self.record.clear();
        self.record.add_source(line);
        self.add_fields(content(&line.bytes[3..]));
        Ok(())
    }

    /// Adds fields to the open record; what follows a detail's fields is its text.
    fn add_fields(&mut self, content: Content<'_>) {
        self.record.add_fields(content);
        if self.open == Some(Code::Detail) {
            let text = Detail::parse(&self.record.fields).map(|detail| detail.text.len());
            self.is_unfinished = text == Err(Short::Unfinished);
            if let Ok(length) = text {
                self.record.move_to_text(length, content);
            }
        }
    }

    fn continuation(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.statement.count(1, 1);
        if self.open.is_none() {
            let message = "a continuation (88) of nothing, or of a record in quarantine";
            return self
                .statement
                .refuse(line, QuarantineReason::MisplacedRecord, message);
        }
        if !self.record.has_room(line) {
            let message = "the record that it continues is longer than 1 MiB or 10,000 lines";
            return self
                .statement
                .refuse(line, QuarantineReason::TooLong, message);
        }
        self.record.add_source(line);
        let content = content(&line.bytes[3..]);
        if self.open == Some(Code::Detail) && !self.is_unfinished {
            self.record.add_text(content);
        } else {
            self.add_fields(content);
        }
        Ok(())
    }

    /// A line without a code goes on with the text of the line before, unless that was ended.
    fn text_without_code(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.statement.count(0, 1);
        let is_damaged = looks_like_damaged_record(line.bytes);
        let goes_on = self.open == Some(Code::Detail)
            && !self.is_unfinished
            && !self.record.is_terminated
            && !is_damaged
            && self.record.has_room(line);
        if goes_on {
            self.record.add_source(line);
            self.record.add_text(content(line.bytes));
            return Ok(());
        }
        if is_damaged {
            self.close_record()?;
        }
        let message = "the line begins with none of the codes 01, 02, 03, 16, 49, 88, 98, 99 and \
                       does not go on with the text of a 16 record; correct its code";
        self.statement
            .refuse(line, QuarantineReason::UnknownRecord, message)
    }

    /// The open record is whole.
    fn close_record(&mut self) -> Result<(), ReadError> {
        self.is_unfinished = false;
        match self.open.take() {
            Some(code) => self.statement.record(code, &self.record),
            None => Ok(()),
        }
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        self.close_record()?;
        let oddities = [
            (
                self.converted,
                Severity::Info,
                FindingCode::ConvertedCharacters,
                "lines that are not UTF-8",
                "UTF-8",
                "They were read as Windows-1252.",
            ),
            (
                self.colons,
                Severity::Warning,
                FindingCode::UnexpectedRecord,
                "continuations written `88:`",
                "`88,`",
                "They were read as continuations; compare their text with the bank's report.",
            ),
        ];
        for (oddity, severity, code, what, expected, action) in oddities {
            if let Some((line, count)) = oddity {
                self.statement.report(Notice {
                    severity,
                    code,
                    line: Some(line),
                    found: format!("{count} {what}, the first here"),
                    expected: expected.to_owned(),
                    action: action.into(),
                })?;
            }
        }
        self.statement.finish(bytes, lines)
    }
}
