//! A field of a message: its tag and its lines, as they stand in the file.

use std::ops::Range;

use crate::lines::Line;

/// Bytes that one field may have. The standard allows less than a thousand.
const FIELD_BYTES_MAX: usize = 64 * 1024;
/// Lines that one field may have.
const FIELD_LINES_MAX: usize = 1_000;

/// A field's name: two digits with or without a letter (`61`, `62F`), the number of a message
/// (`940`, as Rabobank writes above its messages), or `NS`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tag([u8; 3]);

impl Tag {
    /// The tag that a line begins with, and where its value begins.
    pub fn at_start(line: &[u8]) -> Option<(Self, usize)> {
        let name = line.strip_prefix(b":")?;
        let length = name.iter().take(4).position(|&byte| byte == b':')?;
        let tag = Self::named(&name[..length])?;
        Some((tag, length + 2))
    }

    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"NS" => Some(Self(*b"NS ")),
            [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => Some(Self([*a, *b, b' '])),
            [a, b, c]
                if a.is_ascii_digit()
                    && b.is_ascii_digit()
                    && (c.is_ascii_digit() || c.is_ascii_uppercase()) =>
            {
                Some(Self([*a, *b, *c]))
            }
            _ => None,
        }
    }

    /// The two characters before the option letter.
    pub const fn number(self) -> [u8; 2] {
        [self.0[0], self.0[1]]
    }

    /// The letter behind the number, or a blank.
    pub const fn option(self) -> u8 {
        self.0[2]
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default().trim_end()
    }

    /// The message that the tag names.
    pub fn message_type(self) -> Option<u16> {
        let digits = std::str::from_utf8(&self.0).ok()?;
        digits.parse().ok().filter(|number| *number >= 100)
    }
}

/// Where a line of a field lies.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldLine {
    number: u64,
    start: u64,
    end: u64,
    at: Range<usize>,
}

/// A field. Its buffers are used again for the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    pub tag: Tag,
    /// The lines as they stand in the file, with a line feed between two.
    raw: Vec<u8>,
    value_at: usize,
    lines: Vec<FieldLine>,
}

impl Field {
    /// Begins anew with the line that holds the tag.
    pub fn begin(&mut self, tag: Tag, value_at: usize, line: &Line<'_>) {
        self.clear();
        self.tag = tag;
        self.value_at = value_at;
        self.add(line);
    }

    pub fn clear(&mut self) {
        self.raw.clear();
        self.lines.clear();
        self.value_at = 0;
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether another line may be added.
    pub fn has_room(&self, line: &Line<'_>) -> bool {
        self.lines.len() < FIELD_LINES_MAX && self.raw.len() + line.bytes.len() < FIELD_BYTES_MAX
    }

    /// Adds a line that goes on with the value.
    pub fn add(&mut self, line: &Line<'_>) {
        if !self.lines.is_empty() {
            self.raw.push(b'\n');
        }
        let from = self.raw.len();
        self.raw.extend_from_slice(line.bytes);
        self.lines.push(FieldLine {
            number: line.number,
            start: line.start,
            end: line.end,
            at: from..self.raw.len(),
        });
    }

    /// Adds the value of another field.
    pub fn add_value_of(&mut self, other: &Self) {
        for (place, line) in other.lines().enumerate() {
            let from = if place == 0 { other.value_at } else { 0 };
            self.add(&Line {
                bytes: line.bytes.get(from..).unwrap_or_default(),
                ..line
            });
        }
    }

    /// The value, its lines divided by line feeds.
    pub fn value(&self) -> &[u8] {
        self.raw.get(self.value_at..).unwrap_or_default()
    }

    /// The value's first line, without blanks at its ends.
    pub fn first_line(&self) -> &[u8] {
        let value = self.value();
        let end = memchr::memchr(b'\n', value).unwrap_or(value.len());
        value[..end].trim_ascii()
    }

    /// The number of the first line.
    pub fn line(&self) -> u64 {
        self.lines.first().map_or(0, |line| line.number)
    }

    /// From the first byte to after the last.
    pub fn bytes(&self) -> Range<u64> {
        let start = self.lines.first().map_or(0, |line| line.start);
        start..self.lines.last().map_or(start, |line| line.end)
    }

    /// The lines as they stand in the file.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.lines.iter().map(|line| Line {
            number: line.number,
            start: line.start,
            end: line.end,
            bytes: &self.raw[line.at.clone()],
            is_cut: false,
        })
    }
}
