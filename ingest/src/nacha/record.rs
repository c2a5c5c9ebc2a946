//! The columns of a record.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::WINDOWS_1252;

use super::framing::RECORD_CHARACTERS;
use crate::fixed::short_number;

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Unit {
    #[default]
    Byte,
    /// The record has characters of several bytes, and 94 of them.
    Character,
}

/// The text of a record, from which columns are taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    text: &'a str,
    unit: Unit,
}

/// A record: UTF-8 or else Windows-1252, with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct Record<'a> {
    text: Cow<'a, str>,
    unit: Unit,
    /// Whether the bytes were not UTF-8.
    pub is_converted: bool,
}

impl<'a> Record<'a> {
    /// The record that `bytes` hold.
    pub fn of(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self {
                text: Cow::Borrowed(text),
                unit: unit_of(text),
                is_converted: false,
            },
            Err(_) => Self {
                text: WINDOWS_1252.decode_without_bom_handling(bytes).0,
                unit: Unit::Character,
                is_converted: true,
            },
        }
    }

    pub fn fields(&self) -> Fields<'_> {
        Fields {
            text: &self.text,
            unit: self.unit,
        }
    }
}

/// Who fills a record to 94 bytes counts bytes; who fills it to more counts characters.
fn unit_of(text: &str) -> Unit {
    if text.len() == RECORD_CHARACTERS || text.is_ascii() {
        Unit::Byte
    } else {
        Unit::Character
    }
}

impl<'a> Fields<'a> {
    /// Columns `first` to `last`, counted from 1, both included; what a record that lost its
    /// trailing blanks does not have is empty.
    #[inline]
    pub fn columns(self, first: usize, last: usize) -> &'a str {
        let range = match self.unit {
            Unit::Byte => self.byte(first - 1)..self.byte(last),
            Unit::Character => self.place(first - 1)..self.place(last),
        };
        self.text.get(range).unwrap_or_default()
    }

    /// The same without blanks at both ends.
    #[inline]
    pub fn trimmed(self, first: usize, last: usize) -> &'a str {
        self.columns(first, last).trim_ascii()
    }

    /// The number in these columns, which must all be digits.
    #[inline]
    pub fn number(self, first: usize, last: usize) -> Option<u64> {
        let digits = self.columns(first, last).as_bytes();
        if digits.len() != last + 1 - first || digits.len() > 19 {
            return None;
        }
        short_number(digits)
    }

    /// Whether anything stands behind column 94.
    pub fn is_too_long(self) -> bool {
        let end = match self.unit {
            Unit::Byte => self.byte(RECORD_CHARACTERS),
            Unit::Character => self.place(RECORD_CHARACTERS),
        };
        let rest = self.text.get(end..).unwrap_or_default();
        !rest
            .bytes()
            .all(|byte| matches!(byte, b' ' | b'\t' | 0 | 0x1a))
    }

    /// A column's offset; a character that it falls into counts to the column before.
    fn byte(self, column: usize) -> usize {
        let mut at = column.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at += 1;
        }
        at
    }

    fn place(self, column: usize) -> usize {
        let mut characters = self.text.char_indices();
        characters.nth(column).map_or(self.text.len(), |(at, _)| at)
    }
}

/// A record that is kept until its addenda are read.
#[derive(Debug, Default)]
pub(super) struct Kept {
    text: String,
    unit: Unit,
    pub line: u64,
    pub bytes: Range<u64>,
}

impl Kept {
    /// Keeps `fields` in place of what was kept before.
    pub fn keep(&mut self, fields: Fields<'_>, line: u64, bytes: Range<u64>) {
        self.text.clear();
        self.text.push_str(fields.text);
        self.unit = fields.unit;
        self.line = line;
        self.bytes = bytes;
    }

    pub fn fields(&self) -> Fields<'_> {
        Fields {
            text: &self.text,
            unit: self.unit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_unless_the_record_has_94_bytes() {
        let by_bytes = format!("7é{:91}", "x");
        let by_characters = format!("7é{:92}", "x");
        assert_eq!(Record::of(by_bytes.as_bytes()).fields().columns(4, 5), "x ");
        assert_eq!(Record::of(by_bytes.as_bytes()).fields().columns(2, 2), "é");
        let record = Record::of(by_characters.as_bytes());
        assert_eq!(record.fields().columns(3, 4), "x ");
        assert!(!record.fields().is_too_long());
        let record = Record::of(b"7\xe9x");
        assert_eq!(
            (record.fields().columns(2, 9), record.is_converted),
            ("éx", true)
        );
        assert!(Record::of(&[b'1'; 95]).fields().is_too_long());
    }

    #[test]
    fn numbers_fill_their_columns() {
        let record = Record::of(b"8220000042 7");
        assert_eq!(record.fields().number(5, 10), Some(42));
        assert_eq!(record.fields().number(11, 12), None);
        assert_eq!(record.fields().number(10, 13), None);
    }
}
