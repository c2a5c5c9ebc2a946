//! Finds the records of a file: one a line, or several on a line, or one behind the other in a
//! file without line ends.
//!
//! A record has 94 characters, which are more than 94 bytes where some of them take two. A line
//! may be shorter, since many programs strip blanks at its end. Whatever is longer and does not
//! fall into records comes whole. What is read does not depend on how the bytes arrive.

use std::io::{self, Read};

use memchr::memchr2;

use crate::lines::Line;

/// Characters of a record.
pub(super) const RECORD_CHARACTERS: usize = 94;
/// Bytes in which the end of a record is looked for; a record has at most four a character.
const WINDOW_BYTES: usize = 1_024;
/// Bytes of a line end.
const LINE_END_BYTES: usize = 2;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Bytes that must lie in the buffer before a record is taken out of it.
const AHEAD_BYTES: usize = WINDOW_BYTES + LINE_END_BYTES + BYTE_ORDER_MARK.len();

/// Gives the records of `source`. Memory stays below the chunk size and two windows.
pub(super) struct Framing<R> {
    source: R,
    chunk_bytes: usize,
    buffer: Vec<u8>,
    filled: usize,
    position: usize,
    /// Offset of the buffer's first byte in the file.
    base: u64,
    is_at_end: bool,
    lines: u64,
    /// The file has no line ends, so that each record counts as a line; none before its
    /// beginning is read.
    is_unbroken: Option<bool>,
    /// The piece given last did not end its line.
    is_inside_line: bool,
}

impl<R: Read> Framing<R> {
    /// Reads `source`, asking for `chunk_bytes` at a time.
    pub fn new(source: R, chunk_bytes: usize) -> Self {
        let chunk_bytes = chunk_bytes.max(1);
        Self {
            source,
            chunk_bytes,
            buffer: vec![0; AHEAD_BYTES + chunk_bytes],
            filled: 0,
            position: 0,
            base: 0,
            is_at_end: false,
            lines: 0,
            is_unbroken: None,
            is_inside_line: false,
        }
    }

    /// Lines read so far; records, in a file without line ends.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes read so far; at the end, the size of the file.
    pub fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// The next record with the number of its line, or none at the end. Lines without content
    /// come too.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.fill()?;
        if self.is_unbroken.is_none() {
            self.look_at_beginning();
        }
        if self.position == self.filled {
            return Ok(None);
        }
        let window = self.window();
        let line_end = memchr2(b'\n', b'\r', window);
        let line = &window[..line_end.unwrap_or(window.len())];
        let length = record_length(line);
        let is_whole_line = line_end == Some(length);
        let start = self.position;
        if !self.is_inside_line || self.is_unbroken == Some(true) {
            self.lines += 1;
        }
        self.is_inside_line = !is_whole_line;
        self.position += length;
        if is_whole_line {
            self.skip_line_end();
        }
        Ok(Some(Line {
            number: self.lines,
            start: self.base + start as u64,
            end: self.base + (start + length) as u64,
            bytes: &self.buffer[start..start + length],
            is_cut: false,
        }))
    }

    fn window(&self) -> &[u8] {
        let end = self.filled.min(self.position + WINDOW_BYTES);
        &self.buffer[self.position..end]
    }

    fn look_at_beginning(&mut self) {
        if self.buffer[..self.filled].starts_with(BYTE_ORDER_MARK) {
            self.position = BYTE_ORDER_MARK.len();
        }
        self.is_unbroken = Some(memchr2(b'\n', b'\r', self.window()).is_none());
    }

    fn skip_line_end(&mut self) {
        let rest = &self.buffer[self.position..self.filled];
        self.position += if rest.starts_with(b"\r\n") { 2 } else { 1 };
    }

    /// Makes sure that a whole window lies in the buffer, or all that is left.
    fn fill(&mut self) -> io::Result<()> {
        if self.is_at_end || self.filled - self.position >= AHEAD_BYTES {
            return Ok(());
        }
        self.buffer.copy_within(self.position..self.filled, 0);
        self.base += self.position as u64;
        self.filled -= self.position;
        self.position = 0;
        while !self.is_at_end && self.filled < AHEAD_BYTES {
            let room = &mut self.buffer[self.filled..self.filled + self.chunk_bytes];
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => {
                    let count = outcome?;
                    self.filled += count;
                    self.is_at_end = count == 0;
                }
            }
        }
        Ok(())
    }
}

/// How many bytes of `line` are its first record; all of them unless more records follow.
fn record_length(line: &[u8]) -> usize {
    if line.len() <= RECORD_CHARACTERS {
        return line.len();
    }
    let by_characters = bytes_of_characters(line);
    if by_characters == Some(line.len()) {
        return line.len();
    }
    let candidates = [by_characters, Some(RECORD_CHARACTERS)];
    let mut candidates = candidates.into_iter().flatten();
    candidates
        .find(|&length| begins_record(&line[length..]))
        .unwrap_or(line.len())
}

/// The bytes of the first 94 characters, or of all if there are fewer; none if they are not UTF-8.
fn bytes_of_characters(line: &[u8]) -> Option<usize> {
    if line[..RECORD_CHARACTERS].is_ascii() {
        return Some(RECORD_CHARACTERS);
    }
    let (text, is_whole) = match std::str::from_utf8(line) {
        Ok(text) => (text, true),
        Err(error) => (
            std::str::from_utf8(&line[..error.valid_up_to()]).ok()?,
            false,
        ),
    };
    let mut ends = text
        .char_indices()
        .map(|(at, character)| at + character.len_utf8());
    let end = ends.nth(RECORD_CHARACTERS - 1);
    end.or(is_whole.then_some(line.len()))
}

fn begins_record(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(b'1' | b'5'..=b'9'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(bytes: &[u8], chunk_bytes: usize) -> Vec<(u64, u64, String)> {
        let mut framing = Framing::new(bytes, chunk_bytes);
        let mut records = Vec::new();
        while let Some(line) = framing.next().unwrap() {
            let text = String::from_utf8_lossy(line.bytes).into_owned();
            records.push((line.number, line.start, text));
        }
        assert_eq!(framing.bytes(), bytes.len() as u64);
        records
    }

    #[test]
    fn records_stand_on_lines_or_one_behind_the_other() {
        let (a, b) = (format!("5{:93}", "a"), format!("6{:91}é1", "bé"));
        let lines = format!("\u{feff}{a}\r\n{b}\rshort\n\n{a}{b}\nlast");
        let unbroken = format!("{a}{b}8 short");
        for chunk_bytes in [1, 3, 95, 4_096] {
            let records = read(lines.as_bytes(), chunk_bytes);
            let numbers: Vec<_> = records.iter().map(|record| (record.0, record.1)).collect();
            let starts = [
                (1, 3),
                (2, 99),
                (3, 196),
                (4, 202),
                (5, 203),
                (5, 297),
                (6, 394),
            ];
            assert_eq!(numbers, starts);
            assert_eq!((&records[4].2, &records[5].2), (&a, &b));
            let records = read(unbroken.as_bytes(), chunk_bytes);
            let texts = [
                (1, 0, a.clone()),
                (2, 94, b.clone()),
                (3, 190, "8 short".into()),
            ];
            assert_eq!(records, texts);
        }
    }

    #[test]
    fn long_lines_that_are_no_records_come_whole_or_by_the_window() {
        let blanks = format!("5{:99}", "");
        assert_eq!(read(format!("{blanks}\n").as_bytes(), 7), [(1, 0, blanks)]);
        let text = "x".repeat(WINDOW_BYTES + 5);
        let pieces: Vec<usize> = read(text.as_bytes(), 7).iter().map(|r| r.2.len()).collect();
        assert_eq!(pieces, [WINDOW_BYTES, 5]);
    }
}
