//! Records of separated text: fields in quotes may hold separators and line ends.
//!
//! A quote that never closes would swallow the rest of the file: after a bounded look ahead only
//! the line with that quote is given up, and the lines after it are read as they stand.

use std::collections::VecDeque;
use std::io::{self, Read};

use memchr::memchr;

use crate::lines::{LINE_BYTES_MAX, Line, LineReader};

/// Lines that one record may have.
const RECORD_LINES_MAX: usize = 50;

/// Why a record cannot be taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Breach {
    /// A quote is never closed.
    OpenQuote,
    /// A line over the limit.
    TooLong,
}

/// A line that was read ahead.
struct Held {
    number: u64,
    start: u64,
    end: u64,
    is_cut: bool,
    bytes: Vec<u8>,
}

/// One record with its bytes; its line is that of its first byte.
pub(super) struct Records<R> {
    lines: LineReader<R>,
    ahead: VecDeque<Held>,
    current: Held,
}

impl<R: Read> Records<R> {
    pub fn new(lines: LineReader<R>) -> Self {
        Self {
            lines,
            ahead: VecDeque::new(),
            current: Held {
                number: 0,
                start: 0,
                end: 0,
                is_cut: false,
                bytes: Vec::new(),
            },
        }
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        self.lines.lines()
    }

    /// The next record, whose fields `separator` separates, and what is wrong with it.
    pub fn next(&mut self, separator: u8) -> io::Result<Option<(Line<'_>, Option<Breach>)>> {
        if !self.next_line()? {
            return Ok(None);
        }
        let breach = if self.current.is_cut {
            Some(Breach::TooLong)
        } else if is_open(false, &self.current.bytes, separator) {
            self.close_quote(separator)?
        } else {
            None
        };
        let record = &self.current;
        let line = Line {
            number: record.number,
            start: record.start,
            end: record.end,
            bytes: &record.bytes,
            is_cut: record.is_cut,
        };
        Ok(Some((line, breach)))
    }

    /// Makes the next line the current one; says whether there was one.
    fn next_line(&mut self) -> io::Result<bool> {
        if let Some(held) = self.ahead.pop_front() {
            self.current = held;
            return Ok(true);
        }
        let Some(line) = self.lines.read_line()? else {
            return Ok(false);
        };
        let current = &mut self.current;
        (current.number, current.start, current.end) = (line.number, line.start, line.end);
        current.is_cut = line.is_cut;
        current.bytes.clear();
        current.bytes.extend_from_slice(line.bytes);
        Ok(true)
    }

    fn fetch(&mut self) -> io::Result<Option<Held>> {
        let line = self.lines.read_line()?;
        Ok(line.map(|line| Held {
            number: line.number,
            start: line.start,
            end: line.end,
            is_cut: line.is_cut,
            bytes: line.bytes.to_vec(),
        }))
    }

    /// Adds lines until the open quote is closed; if none closes it, the record stays one line.
    fn close_quote(&mut self, separator: u8) -> io::Result<Option<Breach>> {
        let mut joined = self.current.bytes.clone();
        for count in 1..RECORD_LINES_MAX {
            if self.ahead.len() < count {
                match self.fetch()? {
                    Some(line) => self.ahead.push_back(line),
                    None => break,
                }
            }
            let Some(line) = self.ahead.get(count - 1) else {
                break;
            };
            if line.is_cut || joined.len() + line.bytes.len() >= LINE_BYTES_MAX {
                break;
            }
            joined.push(b'\n');
            joined.extend_from_slice(&line.bytes);
            if !is_open(true, &line.bytes, separator) {
                self.current.end = line.end;
                self.current.bytes = joined;
                self.ahead.drain(..count);
                return Ok(None);
            }
        }
        Ok(Some(Breach::OpenQuote))
    }
}

/// Whether a line ends within quotes, which may have begun before it.
fn is_open(mut is_quoted: bool, line: &[u8], separator: u8) -> bool {
    if memchr(b'"', line).is_none() {
        return is_quoted;
    }
    let mut at_start = true;
    let mut rest = line.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if is_quoted {
            if byte == b'"' && rest.next_if_eq(&b'"').is_none() {
                is_quoted = false;
            }
        } else if byte == b'"' && at_start {
            is_quoted = true;
        } else if byte == separator {
            at_start = true;
            continue;
        }
        at_start = at_start && !is_quoted && byte == b' ';
    }
    is_quoted
}

/// The fields of `text`; reuses what `fields` holds.
pub(super) fn split(text: &str, separator: u8, fields: &mut Vec<String>) {
    let mut count = 0;
    let mut rest = Some(text);
    while let Some(text) = rest {
        if fields.len() == count {
            fields.push(String::new());
        }
        rest = take_field(text, separator, &mut fields[count]);
        count += 1;
    }
    fields.truncate(count);
}

/// Writes the first field of `text` without blanks around it; gives what follows its separator.
fn take_field<'t>(text: &'t str, separator: u8, field: &mut String) -> Option<&'t str> {
    field.clear();
    let start = text.trim_start_matches(' ');
    let Some(mut rest) = start.strip_prefix('"') else {
        let end = memchr(separator, text.as_bytes());
        field.push_str(text[..end.unwrap_or(text.len())].trim());
        return end.map(|end| &text[end + 1..]);
    };
    loop {
        let Some(at) = memchr(b'"', rest.as_bytes()) else {
            field.push_str(rest);
            return None;
        };
        field.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => break,
        }
    }
    // What stands between the closing quote and the separator belongs to the field.
    let end = memchr(separator, rest.as_bytes());
    field.push_str(rest[..end.unwrap_or(rest.len())].trim_end());
    let trimmed = field.trim().len();
    if trimmed < field.len() {
        *field = field.trim().to_owned();
    }
    end.map(|end| &rest[end + 1..])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    type Read = (u64, String, Option<Breach>);

    fn records(text: &str) -> Vec<Read> {
        let mut records = Records::new(LineReader::new(text.as_bytes(), 3).unwrap());
        let mut found = Vec::new();
        while let Some((line, breach)) = records.next(b',').unwrap() {
            let bytes = String::from_utf8(line.bytes.to_vec()).unwrap();
            found.push((line.number, bytes, breach));
        }
        found
    }

    #[test]
    fn quotes_may_hold_line_ends_and_need_not_close() {
        let read = records("a,\"b\nc\",d\ne,\"f\ng,h\n");
        assert_eq!(read[0], (1, "a,\"b\nc\",d".to_owned(), None));
        assert_eq!(read[1], (3, "e,\"f".to_owned(), Some(Breach::OpenQuote)));
        assert_eq!(read[2], (4, "g,h".to_owned(), None));
        assert_eq!(records("6\" pipe,2\" nail\n").len(), 1);
    }

    #[test]
    fn fields_lose_their_quotes_and_no_more() {
        let mut fields = Vec::new();
        split(" a ,\"b \"\"c\"\", d\",,\"e\"f", b',', &mut fields);
        assert_eq!(fields, ["a", "b \"c\", d", "", "ef"]);
        split("", b',', &mut fields);
        assert_eq!(fields, [""]);
    }
}
