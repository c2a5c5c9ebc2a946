//! Blocks of separated fields into rows.

use arrow::error::ArrowError;
use tieout_core::{QuarantineReason, QuarantinedLine};

use crate::canonical::blocks::{Block, breach_message};
use crate::canonical::extra::ExtraObject;
use crate::canonical::fields::{self, Extent, Field, line_ends, scan};
use crate::canonical::flow::{BlockParser, Parsed};
use crate::canonical::header::UnknownColumn;
use crate::canonical::rows::{Record, Refusal, Rows, Shape};
use crate::canonical::text::decode;
use crate::intake::RAW_BYTES_MAX;

/// How the records of one file are read.
#[derive(Debug)]
pub(super) struct Separated {
    pub shape: Shape,
    pub separator: u8,
    /// Fields of a record.
    pub width: usize,
    pub unknown: Vec<UnknownColumn>,
}

/// Where one record's fields lie, and the text of those that had doubled quotes.
#[derive(Default)]
struct Found {
    fields: Vec<Field>,
    unescaped: String,
}

/// One record's fields.
struct Fields<'a> {
    text: &'a str,
    found: &'a Found,
}

impl Record for Fields<'_> {
    #[inline]
    fn value(&self, position: usize) -> &str {
        let Some(field) = self.found.fields.get(position) else {
            return "";
        };
        let text = if field.has_doubled_quotes {
            &self.found.unescaped
        } else {
            self.text
        };
        text.get(field.start..field.end).unwrap_or_default()
    }
}

impl Found {
    /// Makes one quote of each doubled one.
    fn unescape(&mut self, text: &str) {
        self.unescaped.clear();
        for field in &mut self.fields {
            if field.has_doubled_quotes {
                let quoted = text.get(field.start..field.end).unwrap_or_default();
                field.start = self.unescaped.len();
                self.unescaped.push_str(&quoted.replace("\"\"", "\""));
                field.end = self.unescaped.len();
            }
        }
    }
}

/// What is at hand while a block is read.
struct Sheet<'a> {
    layout: &'a Separated,
    block: &'a Block,
    rows: Rows<'a>,
    extra: ExtraObject,
    line: u64,
    parsed: Parsed,
}

impl BlockParser for Separated {
    fn parse(&self, block: &Block) -> Result<Parsed, ArrowError> {
        let expected = block.bytes.len() / (2 * self.width.max(1)) + 1;
        let mut sheet = Sheet {
            layout: self,
            block,
            rows: Rows::new(&self.shape, expected),
            extra: ExtraObject::default(),
            line: block.first_line,
            parsed: Parsed::default(),
        };
        sheet.read()?;
        sheet.parsed.batches = sheet.rows.finish()?;
        Ok(sheet.parsed)
    }
}

impl Sheet<'_> {
    fn read(&mut self) -> Result<(), ArrowError> {
        let bytes = &self.block.bytes;
        let text = std::str::from_utf8(bytes).ok();
        let mut found = Found::default();
        let mut at = 0;
        while at < bytes.len() {
            let extent = scan(bytes, at, self.layout.separator, &mut found.fields);
            at = extent.next;
            if !is_blank(&bytes[extent.range.clone()]) {
                let taken = self.take(&extent, text, &mut found);
                self.put_aside(&extent, taken);
                self.rows.close_full_batch()?;
            }
            self.line += 1;
            if extent.is_quoted {
                self.line += line_ends(&bytes[extent.range]);
            }
        }
        Ok(())
    }

    /// Takes a record as a row. `text` is the block's, if all of it is UTF-8.
    fn take(
        &mut self,
        extent: &Extent,
        text: Option<&str>,
        found: &mut Found,
    ) -> Result<(), Refusal> {
        self.check(extent, &found.fields)?;
        if let Some(text) = text {
            return self.push(text, extent.is_quoted, found);
        }
        let (text, is_converted) = decode(&self.block.bytes[extent.range.clone()]);
        if is_converted {
            self.parsed.notes.convert(self.line);
        }
        // With a line end of its own, so that a CR in its last field is not taken for one.
        let text = text.into_owned() + "\r\n";
        let separator = self.layout.separator;
        scan(text.as_bytes(), 0, separator, &mut found.fields);
        self.push(&text, extent.is_quoted, found)
    }

    fn check(&self, extent: &Extent, fields: &[Field]) -> Result<(), Refusal> {
        let (reason, message) = match extent.shape {
            fields::Shape::Sound if fields.len() == self.layout.width => return Ok(()),
            fields::Shape::Sound => (QuarantineReason::BadStructure, self.miscount(fields.len())),
            fields::Shape::TextAfterQuote => (
                QuarantineReason::BadStructure,
                "text follows a closing quote, expected a separator or the line's end; double \
                 a quote that is part of the text"
                    .to_owned(),
            ),
            fields::Shape::OpenQuote => {
                let reason = QuarantineReason::BadStructure;
                (reason, breach_message(reason))
            }
            fields::Shape::TooLong => {
                let reason = QuarantineReason::TooLong;
                (reason, breach_message(reason))
            }
        };
        Err(Refusal { reason, message })
    }

    #[cold]
    fn miscount(&self, found: usize) -> String {
        format!(
            "found {found} fields, expected {} as in the header; put quotes around values that \
             contain the separator `{}` or a line end",
            self.layout.width,
            char::from(self.layout.separator).escape_default()
        )
    }

    fn push(&mut self, text: &str, is_quoted: bool, found: &mut Found) -> Result<(), Refusal> {
        if is_quoted {
            found.unescape(text);
        }
        let record = Fields { text, found };
        self.extra.clear();
        for column in &self.layout.unknown {
            let value = record.value(column.position);
            self.extra.add_text(&column.name, value);
        }
        self.rows.push(&record, self.extra.finish(), self.line)
    }

    fn put_aside(&mut self, extent: &Extent, taken: Result<(), Refusal>) {
        if let Err(refusal) = taken {
            let raw = &self.block.bytes[extent.range.clone()];
            self.parsed.refused.push(QuarantinedLine {
                file: self.layout.shape.file.clone(),
                line: self.line,
                byte_start: self.block.start + extent.range.start as u64,
                byte_end: self.block.start + extent.range.end as u64,
                reason: refusal.reason,
                message: refusal.message,
                raw: raw[..raw.len().min(RAW_BYTES_MAX)].to_vec(),
            });
        }
    }
}

/// Whether a line has nothing to read; NUL and SUB pad files from older systems.
pub(super) fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1a))
}
