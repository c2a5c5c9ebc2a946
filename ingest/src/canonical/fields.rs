//! Separated fields: where each begins and ends.
//!
//! A field is quoted if its first byte is a quote; inside, separators and line ends are text
//! and a doubled quote is one quote. A quote further on in an unquoted field is text. A record
//! ends at the first LF outside quotes; a CR before it belongs to the line end.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

/// Bytes of a record; a longer one is refused.
pub(super) const RECORD_BYTES_MAX: usize = 1 << 20;

/// Where one field's text lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub start: usize,
    pub end: usize,
    /// Whether the text has doubled quotes, each of which is one quote.
    pub has_doubled_quotes: bool,
}

impl Field {
    fn plain(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
            has_doubled_quotes: false,
        }
    }
}

/// How a record's bytes keep to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Sound,
    /// Something stands between a closing quote and the next separator.
    TextAfterQuote,
    /// A quote is not closed before the end.
    OpenQuote,
    /// More than [`RECORD_BYTES_MAX`] bytes.
    TooLong,
}

/// One record, its line end not included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub range: Range<usize>,
    /// Where the next record begins.
    pub next: usize,
    pub shape: Shape,
    /// Whether a field is quoted, so that the record may span lines.
    pub is_quoted: bool,
}

/// Finds the record that begins at `start`, and its fields.
pub(super) fn scan(bytes: &[u8], start: usize, separator: u8, fields: &mut Vec<Field>) -> Extent {
    fields.clear();
    let mut shape = Shape::Sound;
    let mut is_quoted = false;
    let mut at = start;
    loop {
        if at - start > RECORD_BYTES_MAX {
            let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            return finish(bytes, start..end, Shape::TooLong, is_quoted);
        }
        let (field, end) = if bytes.get(at) == Some(&b'"') {
            is_quoted = true;
            quoted(bytes, at, separator, &mut shape)
        } else {
            let end = field_end(bytes, at, separator);
            (Field::plain(at..end), end)
        };
        fields.push(field);
        if bytes.get(end) == Some(&separator) {
            at = end + 1;
            continue;
        }
        let extent = finish(bytes, start..end, shape, is_quoted);
        trim_return(fields, &extent);
        return extent;
    }
}

fn finish(bytes: &[u8], range: Range<usize>, shape: Shape, is_quoted: bool) -> Extent {
    let next = bytes.len().min(range.end + 1);
    let has_return = bytes[range.clone()].last() == Some(&b'\r');
    let range = range.start..range.end - usize::from(has_return);
    let is_long = range.len() > RECORD_BYTES_MAX;
    Extent {
        range,
        next,
        shape: if is_long { Shape::TooLong } else { shape },
        is_quoted,
    }
}

fn trim_return(fields: &mut [Field], extent: &Extent) {
    if let Some(last) = fields.last_mut() {
        last.end = last.end.min(extent.range.end).max(last.start);
    }
}

/// The quoted field whose opening quote is at `open`, and where it ends.
fn quoted(bytes: &[u8], open: usize, separator: u8, shape: &mut Shape) -> (Field, usize) {
    let start = open + 1;
    let mut at = start;
    let mut has_doubled_quotes = false;
    while let Some(length) = memchr(b'"', &bytes[at..]) {
        let close = at + length;
        if bytes.get(close + 1) == Some(&b'"') {
            has_doubled_quotes = true;
            at = close + 2;
            continue;
        }
        let end = field_end(bytes, close + 1, separator);
        if !matches!(bytes[close + 1..end], [] | [b'\r']) {
            *shape = Shape::TextAfterQuote;
        }
        let field = Field {
            start,
            end: close,
            has_doubled_quotes,
        };
        return (field, end);
    }
    *shape = Shape::OpenQuote;
    (Field::plain(start..bytes.len()), bytes.len())
}

const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);

/// Where the field that begins at `from` meets a separator, an LF, or the end.
///
/// Eight bytes at a time: fields are short, so that one or two steps find the end where a
/// search made for long distances would spend its time on starting.
fn field_end(bytes: &[u8], from: usize, separator: u8) -> usize {
    let separators = LOW.wrapping_mul(u64::from(separator));
    let line_ends = LOW.wrapping_mul(u64::from(b'\n'));
    let mut at = from;
    while let Some(word) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*word);
        let hits = zero_bytes(word ^ separators) | zero_bytes(word ^ line_ends);
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    let is_end = |&byte: &u8| byte == separator || byte == b'\n';
    at + rest.iter().position(is_end).unwrap_or(rest.len())
}

/// The high bit of each byte that is zero; bits above the lowest such one may be set wrongly.
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// Line ends in `bytes`.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(line: &str) -> (Vec<String>, Shape) {
        let mut fields = Vec::new();
        let extent = scan(line.as_bytes(), 0, b',', &mut fields);
        let texts = fields.iter().map(|field| {
            let text = line[field.start..field.end].to_owned();
            if field.has_doubled_quotes {
                text.replace("\"\"", "\"")
            } else {
                text
            }
        });
        (texts.collect(), extent.shape)
    }

    #[test]
    fn quotes_hold_separators_line_ends_and_quotes() {
        let (texts, shape) = fields("a,\"b,\n\"\"c\"\"\",,5\" pipe,\"\"\r\nnext");
        assert_eq!(texts, ["a", "b,\n\"c\"", "", "5\" pipe", ""]);
        assert_eq!(shape, Shape::Sound);
    }

    #[test]
    fn breaches_are_named() {
        assert_eq!(fields("a,\"b\"c,d\n").1, Shape::TextAfterQuote);
        assert_eq!(fields("a,\"b,c\n").1, Shape::OpenQuote);
    }

    #[test]
    fn the_limit_is_where_it_says() {
        for line in [
            "x,".repeat(RECORD_BYTES_MAX / 2),
            "x".repeat(RECORD_BYTES_MAX),
        ] {
            for (end, shape) in [
                ("", Shape::Sound),
                ("\r\n", Shape::Sound),
                ("y\n", Shape::TooLong),
            ] {
                let line = line.clone() + end;
                let extent = scan(line.as_bytes(), 0, b',', &mut Vec::new());
                assert_eq!((extent.shape, extent.next), (shape, line.len()));
            }
        }
    }

    proptest! {
        #[test]
        fn unquoted_fields_are_what_splitting_gives(line in "[a-c,;é]{0,40}") {
            let (texts, shape) = fields(&line);
            prop_assert_eq!(texts, line.split(',').collect::<Vec<_>>());
            prop_assert_eq!(shape, Shape::Sound);
        }

        #[test]
        fn scanning_always_goes_on(bytes in proptest::collection::vec(
            prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), any::<u8>()], 1..80),
        ) {
            let mut at = 0;
            let mut fields = Vec::new();
            while at < bytes.len() {
                let extent = scan(&bytes, at, b',', &mut fields);
                prop_assert!(extent.next > at && extent.range.end <= extent.next);
                prop_assert!(fields.iter().all(|field| field.start <= field.end));
                at = extent.next;
            }
        }
    }
}
