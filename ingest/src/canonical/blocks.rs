//! A file cut into blocks of whole records, which can be parsed side by side.
//!
//! A block ends at a line end outside quotes. To know which line ends those are, only the
//! quotes are looked at: one opens a field if a separator or a line end stands before it. Two
//! things cannot be cut and are put aside here: a line that goes on beyond the limit, and the
//! first line of a record whose quote is not closed within the limit or the file, after which
//! reading resumes at the next line.

use std::io::{self, Read};

use memchr::{memchr, memrchr};
use tieout_core::{QuarantineReason, QuarantinedLine};

use crate::canonical::fields::{RECORD_BYTES_MAX, line_ends};
use crate::intake::RAW_BYTES_MAX;

/// Reads that make a block.
const READS_PER_BLOCK: usize = 4;
/// Bytes of a block, so that offsets into its text fit Arrow's 32 bits.
const BLOCK_BYTES_MAX: usize = 64 << 20;
/// Blocks whose buffers are kept to be filled again.
const SPARE_BUFFERS_MAX: usize = 16;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole records.
#[derive(Debug)]
pub(super) struct Block {
    pub bytes: Vec<u8>,
    /// Offset of the first byte in the file.
    pub start: u64,
    /// Number of the first line, from 1.
    pub first_line: u64,
}

/// The next part of the file.
#[derive(Debug)]
pub(super) enum Piece {
    Records(Block),
    Refused(QuarantinedLine),
}

/// Cuts `source`. Memory stays below a block and a record.
pub(super) struct Blocks<R> {
    source: R,
    file: String,
    read_bytes: usize,
    block_bytes: usize,
    /// What is read and not handed out; begins with a record.
    buffer: Vec<u8>,
    spare: Vec<Vec<u8>>,
    search: Search,
    is_at_end: bool,
    /// Offset of the buffer's first byte in the file.
    start: u64,
    /// Number of the buffer's first line, from 1.
    line: u64,
    /// Whether the last byte handed out ended a line.
    is_line_ended: bool,
}

/// How far the buffer is searched for the ends of records.
#[derive(Default)]
struct Search {
    /// Separates fields; none if quotes mean nothing.
    separator: Option<u8>,
    /// Up to where it is searched.
    at: usize,
    is_quoted: bool,
    /// End of the last whole record.
    boundary: usize,
}

impl<R: Read> Blocks<R> {
    /// Reads `source`, asking for `chunk_bytes` at a time; `file` is what outputs call it.
    pub fn new(source: R, file: &str, chunk_bytes: usize) -> Self {
        let read_bytes = chunk_bytes.clamp(1, BLOCK_BYTES_MAX);
        Self {
            source,
            file: file.to_owned(),
            read_bytes,
            block_bytes: (read_bytes * READS_PER_BLOCK).min(BLOCK_BYTES_MAX),
            buffer: Vec::new(),
            spare: Vec::new(),
            search: Search::default(),
            is_at_end: false,
            start: 0,
            line: 1,
            is_line_ended: true,
        }
    }

    /// Fields are separated by `separator` and may be quoted, from here on.
    pub fn expect_fields(&mut self, separator: u8) {
        self.search.separator = Some(separator);
    }

    /// Lines handed out so far; at the end, of the file.
    pub fn lines(&self) -> u64 {
        self.line - u64::from(self.is_line_ended)
    }

    /// Bytes handed out so far; at the end, of the file.
    pub fn bytes(&self) -> u64 {
        self.start
    }

    /// Gives a block's buffer back to be filled again.
    pub fn recycle(&mut self, mut buffer: Vec<u8>) {
        if self.spare.len() < SPARE_BUFFERS_MAX {
            buffer.clear();
            self.spare.push(buffer);
        }
    }

    /// Steps over a byte order mark; for before anything else.
    pub fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        while self.buffer.len() < BYTE_ORDER_MARK.len() && self.read_more()? {}
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.hand_out(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// The first line that is not empty, without a byte order mark; for before the first block.
    pub fn first_line(&mut self) -> io::Result<Option<Block>> {
        self.skip_byte_order_mark()?;
        loop {
            let line = self.read_line()?;
            let is_empty = line.bytes.iter().all(u8::is_ascii_whitespace);
            if !is_empty {
                return Ok(Some(line));
            }
            if self.buffer.is_empty() && !self.read_more()? {
                return Ok(None);
            }
        }
    }

    /// The next line with its end, cut at the limit.
    fn read_line(&mut self) -> io::Result<Block> {
        let mut searched = 0;
        loop {
            if let Some(length) = memchr(b'\n', &self.buffer[searched..]) {
                return Ok(self.hand_out((searched + length + 1).min(RECORD_BYTES_MAX)));
            }
            searched = self.buffer.len();
            if searched >= RECORD_BYTES_MAX || !self.read_more()? {
                return Ok(self.hand_out(searched.min(RECORD_BYTES_MAX)));
            }
        }
    }

    /// Counts what is left without looking at it.
    pub fn skip_to_end(&mut self) -> io::Result<()> {
        loop {
            let block = self.hand_out(self.buffer.len());
            self.recycle(block.bytes);
            if !self.read_more()? {
                return Ok(());
            }
        }
    }

    /// The next piece, or none at the end.
    pub fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            self.search.advance(&self.buffer, self.is_at_end);
            if let Some(reason) = self.search.breach(self.buffer.len(), self.is_at_end) {
                return self.step_over(reason).map(Some);
            }
            if self.is_at_end {
                return Ok(self.last_records());
            }
            if self.search.boundary > 0 && self.buffer.len() >= self.block_bytes {
                let boundary = self.search.boundary;
                return Ok(Some(Piece::Records(self.hand_out(boundary))));
            }
            self.read_more()?;
        }
    }

    fn last_records(&mut self) -> Option<Piece> {
        let all = self.buffer.len();
        (all > 0).then(|| Piece::Records(self.hand_out(all)))
    }

    /// Hands out what is before the record that breaks the limits, or else refuses its line.
    fn step_over(&mut self, reason: QuarantineReason) -> io::Result<Piece> {
        let boundary = self.search.boundary;
        if boundary > 0 {
            let block = self.hand_out(boundary);
            self.search.restart();
            return Ok(Piece::Records(block));
        }
        // A record that is not inside quotes goes on at least to where the search stands.
        let searched = if self.search.is_quoted {
            0
        } else {
            self.search.at
        };
        let line = self.refuse_line(reason, searched)?;
        self.search.restart();
        Ok(Piece::Refused(line))
    }

    /// Puts the record at the buffer's beginning aside, up to the first line end after
    /// `searched`, reading on to it.
    fn refuse_line(
        &mut self,
        reason: QuarantineReason,
        searched: usize,
    ) -> io::Result<QuarantinedLine> {
        let (line, byte_start) = (self.line, self.start);
        let mut raw = Vec::new();
        let mut end = memchr(b'\n', &self.buffer[searched..]).map(|length| searched + length);
        while end.is_none() {
            // A CR stays until it is known whether it belongs to the line end.
            let has_return = self.buffer.last() == Some(&b'\r');
            self.set_aside(self.buffer.len() - usize::from(has_return), &mut raw);
            if !self.read_more()? {
                break;
            }
            end = memchr(b'\n', &self.buffer);
        }
        let rest = end.map_or(self.buffer.len(), |end| end + 1);
        let content = line_content(&self.buffer[..rest]).len();
        self.set_aside(content, &mut raw);
        let byte_end = self.start;
        let line_end = self.hand_out(rest - content);
        self.recycle(line_end.bytes);
        Ok(QuarantinedLine {
            file: self.file.clone(),
            line,
            byte_start,
            byte_end,
            reason,
            message: breach_message(reason),
            raw,
        })
    }

    fn set_aside(&mut self, length: usize, raw: &mut Vec<u8>) {
        let part = self.hand_out(length);
        let room = RAW_BYTES_MAX - raw.len();
        raw.extend_from_slice(&part.bytes[..room.min(part.bytes.len())]);
        self.recycle(part.bytes);
    }

    /// Takes the first `length` bytes off the buffer.
    fn hand_out(&mut self, length: usize) -> Block {
        let mut rest = self.spare.pop().unwrap_or_default();
        rest.extend_from_slice(&self.buffer[length..]);
        self.buffer.truncate(length);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        let block = Block {
            start: self.start,
            first_line: self.line,
            bytes,
        };
        self.start += length as u64;
        self.line += line_ends(&block.bytes);
        if let Some(last) = block.bytes.last() {
            self.is_line_ended = *last == b'\n';
        }
        self.search.move_back(length);
        block
    }

    /// Whether more bytes came.
    fn read_more(&mut self) -> io::Result<bool> {
        let mut room = (&mut self.source).take(self.read_bytes as u64);
        let count = room.read_to_end(&mut self.buffer)?;
        self.is_at_end = count == 0;
        Ok(count > 0)
    }
}

impl Search {
    /// Searches on to the end of `buffer`, or to a last byte whose meaning the next one decides.
    fn advance(&mut self, buffer: &[u8], is_at_end: bool) {
        while self.at < buffer.len() {
            let quote = self
                .separator
                .and_then(|_| memchr(b'"', &buffer[self.at..]));
            let quote = quote.map(|length| self.at + length);
            if !self.is_quoted {
                self.search_unquoted(buffer, quote);
                continue;
            }
            match quote {
                None => self.at = buffer.len(),
                Some(close) if self.is_beyond_limit(close) => {
                    self.at = close;
                    return;
                }
                Some(close) => match buffer.get(close + 1) {
                    Some(b'"') => self.at = close + 2,
                    None if !is_at_end => {
                        self.at = close;
                        return;
                    }
                    _ => {
                        self.at = close + 1;
                        self.is_quoted = false;
                    }
                },
            }
        }
    }

    fn search_unquoted(&mut self, buffer: &[u8], quote: Option<usize>) {
        let end = quote.unwrap_or(buffer.len());
        if let Some(line_end) = memrchr(b'\n', &buffer[self.at..end]) {
            self.boundary = self.at + line_end + 1;
        }
        self.at = end;
        if let Some(open) = quote {
            self.is_quoted = self.opens_field(buffer, open) && !self.is_beyond_limit(open);
            self.at = open + 1;
        }
    }

    fn opens_field(&self, buffer: &[u8], quote: usize) -> bool {
        match quote.checked_sub(1) {
            Some(before) => buffer[before] == b'\n' || Some(buffer[before]) == self.separator,
            None => true,
        }
    }

    fn is_beyond_limit(&self, at: usize) -> bool {
        at > self.boundary + RECORD_BYTES_MAX
    }

    /// Why the record after the boundary cannot be handed out whole, if it is known.
    fn breach(&self, length: usize, is_at_end: bool) -> Option<QuarantineReason> {
        if self.is_quoted && self.is_beyond_limit(self.at) {
            return Some(QuarantineReason::TooLong);
        }
        if self.is_quoted && is_at_end {
            return Some(QuarantineReason::BadStructure);
        }
        // One byte more than the limit may be the CR of a line end still to come.
        let is_long = !self.is_quoted && length > self.boundary + RECORD_BYTES_MAX + 1;
        (is_long && !is_at_end).then_some(QuarantineReason::TooLong)
    }

    fn restart(&mut self) {
        *self = Self {
            separator: self.separator,
            ..Self::default()
        };
    }

    fn move_back(&mut self, length: usize) {
        self.at = self.at.saturating_sub(length);
        self.boundary = self.boundary.saturating_sub(length);
    }
}

/// The line without its end.
fn line_content(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What to say of a record that breaks the limits.
pub(super) fn breach_message(reason: QuarantineReason) -> String {
    match reason {
        QuarantineReason::TooLong => format!(
            "the record has more than the {RECORD_BYTES_MAX} bytes that a record may have; \
             reading resumed at the next line; check for a quote that is not closed and for \
             missing line ends"
        ),
        _ => "a quote is opened and not closed before the end of the file; reading resumed at \
              the next line; close the quote, or double a quote that is part of the text"
            .to_owned(),
    }
}
