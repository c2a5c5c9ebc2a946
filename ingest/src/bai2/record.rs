//! Physical lines to logical records: several records on one line, and one over several.

use std::ops::Range;

use crate::lines::Line;

/// Bytes that a record with all its continuations may have.
const RECORD_BYTES_MAX: usize = 1 << 20;
/// Lines that a record with all its continuations may have.
const RECORD_LINES_MAX: usize = 10_000;
/// A line of text this long may be cut inside a word, because there was no more room; a shorter
/// one ends with a word.
const FULL_TEXT_BYTES: usize = 60;

/// A record's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    FileHeader,
    GroupHeader,
    Account,
    Detail,
    AccountTrailer,
    Continuation,
    GroupTrailer,
    FileTrailer,
}

impl Code {
    /// The code that `bytes` begin with, followed by a comma.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'0', b'1', b',', ..] => Some(Self::FileHeader),
            [b'0', b'2', b',', ..] => Some(Self::GroupHeader),
            [b'0', b'3', b',', ..] => Some(Self::Account),
            [b'1', b'6', b',', ..] => Some(Self::Detail),
            [b'4', b'9', b',', ..] => Some(Self::AccountTrailer),
            [b'8', b'8', b',', ..] => Some(Self::Continuation),
            [b'9', b'8', b',', ..] => Some(Self::GroupTrailer),
            [b'9', b'9', b',', ..] => Some(Self::FileTrailer),
            _ => None,
        }
    }
}

/// The pieces of a physical line that are records of their own: text may hold slashes, so that
/// a slash only ends a record inside a line if blanks and what can only be a record follow.
pub(super) fn pieces(line: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut start = Some(0);
    std::iter::from_fn(move || {
        let from = start?;
        let next = next_record(line, from);
        start = next.map(|(_, next)| next);
        Some(from..next.map_or(line.len(), |(end, _)| end))
    })
}

/// Where the record that begins at `from` ends and the next one begins, if it is on this line.
fn next_record(line: &[u8], from: usize) -> Option<(usize, usize)> {
    memchr::memchr_iter(b'/', &line[from..])
        .map(|slash| from + slash + 1)
        .find_map(|end| {
            let rest = line[end..].trim_ascii_start();
            let next = line.len() - rest.len();
            (next > end && can_only_be_record(rest)).then_some((end, next))
        })
}

/// Whether `bytes` have the fields that the record they begin with must have.
fn can_only_be_record(bytes: &[u8]) -> bool {
    let Some(code) = Code::of(bytes) else {
        return false;
    };
    let mut fields = bytes[3..].split(|&byte| byte == b',' || byte == b'/');
    let mut next = || fields.next().map(<[u8]>::trim_ascii).unwrap_or_default();
    match code {
        Code::FileHeader => false,
        Code::GroupHeader | Code::Account => {
            let commas = memchr::memchr_iter(b',', bytes).count();
            commas >= 4 && !next().contains(&b' ')
        }
        Code::Detail => {
            let (code, amount) = (next(), next());
            code.len() == 3 && is_digits(code) && is_digits(amount)
        }
        Code::AccountTrailer | Code::GroupTrailer | Code::FileTrailer => {
            let (total, count) = (next(), next());
            let digits = total.strip_prefix(b"-").unwrap_or(total);
            is_digits(digits.strip_prefix(b"+").unwrap_or(digits)) && is_digits(count)
        }
        Code::Continuation => bytes.trim_ascii_end().ends_with(b"/"),
    }
}

fn is_digits(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// Whether a line without a known code looks like a record whose code is damaged rather than
/// like text: a few characters, a comma, then a type code or an amount and another comma.
pub(super) fn looks_like_damaged_record(line: &[u8]) -> bool {
    let mut fields = line.trim_ascii_start().split(|&byte| byte == b',');
    let (Some(code), Some(second), Some(_)) = (fields.next(), fields.next(), fields.next()) else {
        return false;
    };
    code.len() <= 3 && (second.is_empty() || is_digits(second))
}

/// What a piece holds after its code, without its terminator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Content<'a> {
    pub bytes: &'a [u8],
    /// Ended by a slash.
    pub is_terminated: bool,
    /// Blanks followed the bytes.
    pub has_blank: bool,
}

/// Takes terminator and padding off `bytes`, which may be all of a line after its code.
pub(super) fn content(bytes: &[u8]) -> Content<'_> {
    let trimmed = bytes.trim_ascii_end();
    let (body, is_terminated) = match trimmed.strip_suffix(b"/") {
        Some(body) => (body, true),
        None => (bytes, false),
    };
    let kept = body.trim_ascii_end();
    Content {
        bytes: kept,
        is_terminated,
        has_blank: kept.len() < body.len(),
    }
}

/// One line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextLine {
    /// Where it lies in the record's text.
    pub range: Range<usize>,
    /// Blanks followed it.
    pub has_blank: bool,
    /// It filled its line, so that the next one may go on inside a word.
    pub is_full: bool,
}

#[derive(Debug)]
struct Source {
    number: u64,
    start: u64,
    end: u64,
    raw: Range<usize>,
}

/// A record with its continuations. Its buffers are used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// The fields, those of continuations behind a comma.
    pub fields: Vec<u8>,
    /// The text of a detail, one line after another with a line feed between.
    pub text: Vec<u8>,
    pub text_lines: Vec<TextLine>,
    /// The last line ended with a slash.
    pub is_terminated: bool,
    raw: Vec<u8>,
    sources: Vec<Source>,
}

impl Record {
    pub fn clear(&mut self) {
        self.fields.clear();
        self.text.clear();
        self.text_lines.clear();
        self.is_terminated = false;
        self.raw.clear();
        self.sources.clear();
    }

    /// Whether there is room for `line`.
    pub fn has_room(&self, line: &Line<'_>) -> bool {
        self.sources.len() < RECORD_LINES_MAX
            && self.raw.len() + line.bytes.len() <= RECORD_BYTES_MAX
    }

    /// Remembers where the record stands, for its row or for quarantine.
    pub fn add_source(&mut self, line: &Line<'_>) {
        let from = self.raw.len();
        self.raw.extend_from_slice(line.bytes);
        self.sources.push(Source {
            number: line.number,
            start: line.start,
            end: line.end,
            raw: from..self.raw.len(),
        });
    }

    /// The physical lines.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.sources.iter().map(|source| Line {
            number: source.number,
            start: source.start,
            end: source.end,
            bytes: &self.raw[source.raw.clone()],
            is_cut: false,
        })
    }

    /// The first line's number.
    pub fn line(&self) -> u64 {
        self.sources.first().map_or(0, |source| source.number)
    }

    /// From the first byte to after the last.
    pub fn bytes(&self) -> Range<u64> {
        let start = self.sources.first().map_or(0, |source| source.start);
        start..self.sources.last().map_or(start, |source| source.end)
    }

    /// Goes on with the fields; the end of a line ends a field too.
    pub fn add_fields(&mut self, content: Content<'_>) {
        if self.sources.len() > 1 {
            self.fields.push(b',');
        }
        self.fields.extend_from_slice(content.bytes);
        self.is_terminated = content.is_terminated;
    }

    /// Makes the last `length` bytes of the fields the beginning of the text.
    pub fn move_to_text(&mut self, length: usize, content: Content<'_>) {
        let at = self.fields.len() - length;
        let text = self.fields.split_off(at);
        if !text.is_empty() {
            let bytes = text.as_slice();
            self.add_text(Content { bytes, ..content });
        }
    }

    /// Goes on with the text.
    pub fn add_text(&mut self, content: Content<'_>) {
        self.is_terminated = content.is_terminated;
        // A comma before the slash ends an empty field that follows the text.
        let bytes = match content.bytes.strip_suffix(b",") {
            Some(bytes) if content.is_terminated => bytes,
            _ => content.bytes,
        };
        let from = self.text.len();
        self.text.extend_from_slice(bytes);
        self.text_lines.push(TextLine {
            range: from..self.text.len(),
            has_blank: content.has_blank,
            is_full: bytes.len() >= FULL_TEXT_BYTES,
        });
        self.text.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> Vec<&str> {
        pieces(line.as_bytes()).map(|piece| &line[piece]).collect()
    }

    #[test]
    fn records_joined_on_one_line_come_apart() {
        assert_eq!(
            split("01,1,2,3,4,5,,,2/   02,1,1,1,220919,2400,USD,2/"),
            ["01,1,2,3,4,5,,,2/", "02,1,1,1,220919,2400,USD,2/"]
        );
        assert_eq!(
            split("88,      11/         49,-1600,11/  03,1111111,,010,00,,/"),
            ["88,      11/", "49,-1600,11/", "03,1111111,,010,00,,/"]
        );
        assert_eq!(
            split("16,142,1,Z,,,A/ 88,B/ 16,451,2,Z,,,C/"),
            ["16,142,1,Z,,,A/", "88,B/", "16,451,2,Z,,,C/"]
        );
    }

    #[test]
    fn slashes_in_text_stay() {
        for line in [
            "88,ORG ADDRESS:=2/AV MAIN 2/AVENUE DE ANGELLIST 3/MX",
            "16,195,1,,,,PAID 12/ 16,000 UNITS",
            "88,SEE 1/ 88,50 EACH",
            "88,A/ 49 B/ 98,x",
            "88,REF 3/ 03,4",
            "/MEXICO ;",
            "",
        ] {
            assert_eq!(split(line), [line]);
        }
    }

    #[test]
    fn terminators_and_padding_come_off() {
        let content = |text: &'static str| {
            let content = content(text.as_bytes());
            let text = std::str::from_utf8(content.bytes).unwrap_or_default();
            (text, content.is_terminated, content.has_blank)
        };
        assert_eq!(content("TEXT     /"), ("TEXT", true, true));
        assert_eq!(content("TEXT/  "), ("TEXT", true, false));
        assert_eq!(content("TEXT  "), ("TEXT", false, true));
        assert_eq!(content("A//"), ("A/", true, false));
        assert_eq!(content("/"), ("", true, false));
    }

    #[test]
    fn damaged_codes_are_told_from_text() {
        assert!(looks_like_damaged_record(b"1x,142,500,Z,,,TEXT"));
        assert!(looks_like_damaged_record(b"6,142,500,Z"));
        assert!(looks_like_damaged_record(b"77,,"));
        assert!(!looks_like_damaged_record(b"111111111111111        "));
        assert!(!looks_like_damaged_record(b"INVOICE 4711, 4712, 4713"));
        assert!(!looks_like_damaged_record(b"12,500.00 USD"));
    }
}
