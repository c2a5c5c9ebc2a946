//! Rows of separated text, one at a time.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use encoding_rs::Encoding;
use memchr::{memchr, memchr_iter};

use crate::lines::{Line, LineReader};
use crate::rows::decode;

/// Lines over which one quoted cell may run; of a longer one the first line is taken alone, so
/// that a stray quote costs one line and not the file.
const QUOTED_LINES_MAX: usize = 64;
/// Bytes over which it may run.
const QUOTED_BYTES_MAX: usize = 64 * 1024;

/// A row of a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// The number of its first line, from 1.
    pub line: u64,
    pub start: u64,
    pub end: u64,
    /// Its bytes.
    pub raw: Vec<u8>,
    /// Whether it was longer than a line may be.
    pub is_cut: bool,
    /// Whether a quote in it does not end.
    pub is_unclosed: bool,
    text: String,
    cells: Vec<Range<usize>>,
    /// Cells that hold a number of their own, whatever convention texts follow.
    numbers: Vec<usize>,
}

impl Row {
    /// The cell at `place`, without blanks around it; empty if there is none.
    pub fn cell(&self, place: usize) -> &str {
        let range = self.cells.get(place).cloned().unwrap_or_default();
        self.text.get(range).unwrap_or_default()
    }

    /// Adds the cell that stands in `text`.
    fn push_range(&mut self, range: Range<usize>) {
        let written = self.text.get(range.clone()).unwrap_or_default();
        let inner = written.trim_start();
        let from = range.start + written.len() - inner.len();
        self.cells.push(from..from + inner.trim_end().len());
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.cells.len()).map(|place| self.cell(place))
    }

    /// How many cells it has, empty ones at its end not counted.
    pub fn width(&self) -> usize {
        let empty = (0..self.cells.len())
            .rev()
            .take_while(|&place| self.cell(place).is_empty());
        self.cells.len() - empty.count()
    }

    /// How many cells stand in it.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// How many cells have something in them.
    pub fn filled(&self) -> usize {
        self.cells().filter(|cell| !cell.is_empty()).count()
    }

    /// Whether no cell has anything in it.
    pub fn is_blank(&self) -> bool {
        self.cells().all(str::is_empty)
    }

    /// Whether the cell holds a number of its own, written with a point.
    pub fn is_number(&self, place: usize) -> bool {
        self.numbers.contains(&place)
    }

    /// It as a line for quarantine.
    pub fn as_line(&self) -> Line<'_> {
        Line {
            number: self.line,
            start: self.start,
            end: self.end,
            bytes: &self.raw,
            is_cut: self.is_cut,
        }
    }

    /// Begins an empty row.
    pub fn restart(&mut self, line: u64) {
        self.raw.clear();
        self.line = line;
        (self.start, self.end) = (0, 0);
        self.is_cut = false;
        self.is_unclosed = false;
        self.clear_cells();
    }

    fn clear_cells(&mut self) {
        self.text.clear();
        self.cells.clear();
        self.numbers.clear();
    }

    /// Puts a cell at `place`, with empty ones before it where there are none.
    pub fn push_at(&mut self, place: usize, text: &str, is_number: bool) {
        let end = self.text.len();
        while self.cells.len() < place {
            self.cells.push(end..end);
        }
        self.text.push_str(text);
        self.push_range(end..self.text.len());
        if is_number {
            self.numbers.push(place);
        }
    }

    /// Cuts `text` into cells; says whether a quote is left open.
    fn split(&mut self, text: &str, separator: char) -> bool {
        self.clear_cells();
        if let Ok(separator) = u8::try_from(separator)
            && separator.is_ascii()
            && memchr(b'"', text.as_bytes()).is_none()
        {
            self.split_unquoted(text, separator);
            return false;
        }
        let mut rest = text;
        loop {
            let from = self.text.len();
            let (after, is_open) = push_cell(rest, separator, &mut self.text);
            self.push_range(from..self.text.len());
            if is_open {
                return true;
            }
            match after.strip_prefix(separator) {
                Some(next) => rest = next,
                None => return false,
            }
        }
    }

    fn split_unquoted(&mut self, text: &str, separator: u8) {
        self.text.push_str(text);
        let mut from = 0;
        for end in memchr_iter(separator, text.as_bytes()) {
            self.push_range(from..end);
            from = end + 1;
        }
        self.push_range(from..text.len());
    }
}

/// Appends the first cell of `text` to `out`; gives what stands behind it and whether its quote
/// is open.
fn push_cell<'a>(text: &'a str, separator: char, out: &mut String) -> (&'a str, bool) {
    let Some(mut rest) = text.trim_start_matches(' ').strip_prefix('"') else {
        let end = text.find(separator).unwrap_or(text.len());
        let (cell, rest) = text.split_at(end);
        out.push_str(cell);
        return (rest, false);
    };
    loop {
        let Some((inside, behind)) = rest.split_once('"') else {
            out.push_str(rest);
            return ("", true);
        };
        out.push_str(inside);
        if let Some(doubled) = behind.strip_prefix('"') {
            out.push('"');
            rest = doubled;
            continue;
        }
        let end = behind.find(separator).unwrap_or(behind.len());
        let (tail, rest) = behind.split_at(end);
        out.push_str(tail);
        return (rest, false);
    }
}

/// How text is cut into rows and cells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    pub separator: char,
    /// The character set, if it is known; else UTF-8, and Windows-1252 where that fails.
    pub encoding: Option<&'static Encoding>,
}

impl Cut {
    pub fn by(separator: char) -> Self {
        Self {
            separator,
            encoding: None,
        }
    }

    fn split(&self, row: &mut Row, bytes: &[u8]) -> bool {
        let text = match self.encoding {
            Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
            None => decode(bytes),
        };
        row.split(&text, self.separator)
    }
}

struct Pending {
    line: u64,
    start: u64,
    end: u64,
    bytes: Vec<u8>,
    is_cut: bool,
}

/// Reads rows of separated text.
pub(super) struct TextRows<R> {
    lines: LineReader<R>,
    cut: Cut,
    /// Lines that were looked at for the end of a quote and turned out to be rows.
    pending: VecDeque<Pending>,
    /// The first line that is not UTF-8, and how many there are.
    pub converted: Option<(u64, u64)>,
}

impl<R: Read> TextRows<R> {
    pub fn new(lines: LineReader<R>, cut: Cut) -> Self {
        Self {
            lines,
            cut,
            pending: VecDeque::new(),
            converted: None,
        }
    }

    /// Bytes and lines read; at the end, those of the file.
    pub fn extent(&self) -> (u64, u64) {
        (self.lines.bytes(), self.lines.lines())
    }

    /// Reads the next row into `row`; says whether there was one.
    pub fn next(&mut self, row: &mut Row) -> io::Result<bool> {
        if !self.first_line(row)? {
            return Ok(false);
        }
        let raw = std::mem::take(&mut row.raw);
        let text = std::str::from_utf8(&raw);
        if text.is_err() {
            self.converted.get_or_insert((row.line, 0)).1 += 1;
        }
        let is_open = match (text, self.cut.encoding) {
            (Ok(text), None) => row.split(text, self.cut.separator),
            _ => self.cut.split(row, &raw),
        };
        row.raw = raw;
        if is_open && !row.is_cut {
            self.close_quote(row)?;
        }
        Ok(true)
    }

    fn first_line(&mut self, row: &mut Row) -> io::Result<bool> {
        if let Some(line) = self.pending.pop_front() {
            row.restart(line.line);
            (row.start, row.end, row.is_cut) = (line.start, line.end, line.is_cut);
            row.raw = line.bytes;
            return Ok(true);
        }
        let Some(line) = self.lines.read_line()? else {
            return Ok(false);
        };
        row.restart(line.number);
        (row.start, row.end, row.is_cut) = (line.start, line.end, line.is_cut);
        row.raw.extend_from_slice(line.bytes);
        Ok(true)
    }

    /// Reads on to the line that ends the open quote, or leaves the row as it is.
    fn close_quote(&mut self, row: &mut Row) -> io::Result<()> {
        let mut joined = row.raw.clone();
        for taken in 0..QUOTED_LINES_MAX {
            if self.pending.len() <= taken && !self.look_ahead()? {
                break;
            }
            let Some(line) = self.pending.get(taken) else {
                break;
            };
            if line.is_cut || joined.len() + line.bytes.len() > QUOTED_BYTES_MAX {
                break;
            }
            joined.push(b'\n');
            joined.extend_from_slice(&line.bytes);
            if line.bytes.contains(&b'"') && !self.cut.split(row, &joined) {
                row.end = line.end;
                row.raw = joined;
                self.pending.drain(..=taken);
                return Ok(());
            }
        }
        let raw = std::mem::take(&mut row.raw);
        self.cut.split(row, &raw);
        row.raw = raw;
        row.is_unclosed = true;
        Ok(())
    }

    fn look_ahead(&mut self) -> io::Result<bool> {
        let Some(line) = self.lines.read_line()? else {
            return Ok(false);
        };
        self.pending.push_back(Pending {
            line: line.number,
            start: line.start,
            end: line.end,
            bytes: line.bytes.to_vec(),
            is_cut: line.is_cut,
        });
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>, bool)> {
        let lines = LineReader::new(text.as_bytes(), 5).unwrap();
        let mut rows = TextRows::new(lines, Cut::by(','));
        let mut row = Row::default();
        let mut read = Vec::new();
        while rows.next(&mut row).unwrap() {
            let cells = row.cells().map(str::to_owned).collect();
            read.push((row.line, cells, row.is_unclosed));
        }
        read
    }

    #[test]
    fn quotes_keep_separators_quotes_and_line_ends() {
        let rows = read("a,\"b, \"\"c\"\"\nd\", e\nf,g\"h,\n");
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].1, ["a", "b, \"c\"\nd", "e"]);
        assert_eq!(
            (rows[1].0, &rows[1].1[..]),
            (3, &["f", "g\"h", ""].map(str::to_owned)[..])
        );
    }

    #[test]
    fn a_stray_quote_costs_one_line() {
        let rows = read("a,\"b\nc,d\ne,f\n");
        let seen: Vec<(u64, bool)> = rows.iter().map(|row| (row.0, row.2)).collect();
        assert_eq!(seen, [(1, true), (2, false), (3, false)]);
    }
}
