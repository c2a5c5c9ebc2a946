//! Cuts a file into tags with their values: `{1500}30...{1510}1000...`, on lines or not.

use std::io::{self, Read};

use memchr::memchr_iter;

use super::tags::Tag;
use crate::stream::ByteStream;

/// Bytes of a tag with its braces.
const TAG_BYTES: usize = 6;
/// Bytes that a value may have; what is beyond is a piece of its own without a tag.
pub(super) const VALUE_BYTES_MAX: usize = 64 * 1024;

/// A tag with its value, or bytes that belong to none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub tag: Option<Tag>,
    /// Without blanks and line ends behind it.
    pub value: &'a [u8],
    pub line: u64,
    pub start: u64,
    /// After the last byte of the value.
    pub end: u64,
    /// The value with its tag.
    pub bytes: &'a [u8],
}

impl Piece<'_> {
    /// Whether it is a tag that the end of the file cuts in two.
    pub fn is_unfinished_tag(&self) -> bool {
        self.tag.is_none() && self.bytes.starts_with(b"{") && self.bytes.len() < TAG_BYTES
    }
}

pub(super) struct Pieces<R> {
    stream: ByteStream<R>,
    taken: usize,
}

impl<R: Read> Pieces<R> {
    pub fn new(stream: ByteStream<R>) -> Self {
        Self { stream, taken: 0 }
    }

    /// Bytes and lines read so far.
    pub fn size(&self) -> (u64, u64) {
        let unfinished = u64::from(self.stream.is_inside_line());
        (self.stream.offset(), self.stream.line() - 1 + unfinished)
    }

    /// The next piece, or none at the end.
    pub fn read(&mut self) -> io::Result<Option<Piece<'_>>> {
        self.stream.step(std::mem::take(&mut self.taken));
        let (start, line) = (self.stream.offset(), self.stream.line());
        let tag = tag_at(self.stream.window(TAG_BYTES)?);
        let length = self.find_end(if tag.is_some() { TAG_BYTES } else { 0 })?;
        if length == 0 {
            return Ok(None);
        }
        self.taken = length;
        let window = self.stream.window(length)?;
        let bytes = without_padding(&window[..length]);
        Ok(Some(Piece {
            tag,
            value: bytes
                .get(if tag.is_some() { TAG_BYTES } else { 0 }..)
                .unwrap_or_default(),
            line,
            start,
            end: start + bytes.len() as u64,
            bytes,
        }))
    }

    /// Bytes to the next tag that is not among the first `from` bytes, to the limit, or to the
    /// end.
    fn find_end(&mut self, from: usize) -> io::Result<usize> {
        let most = from + VALUE_BYTES_MAX;
        let mut length = 1_024;
        loop {
            // A tag that begins within the limit is seen whole.
            let window = self.stream.window(length + TAG_BYTES)?;
            let is_whole = window.len() < length + TAG_BYTES;
            let seen = if is_whole { window.len() } else { length };
            let seen = seen.min(most);
            for at in memchr_iter(b'{', window.get(from..seen).unwrap_or_default()) {
                if tag_at(&window[from + at..]).is_some() {
                    return Ok(from + at);
                }
            }
            if is_whole && seen == window.len() {
                return Ok(from + without_unfinished_tag(&window[from..]).len());
            }
            if seen == most {
                return Ok(seen);
            }
            length = (2 * length).min(most);
        }
    }
}

/// The tag that `bytes` begin with.
pub(super) fn tag_at(bytes: &[u8]) -> Option<Tag> {
    match bytes {
        [b'{', digits @ .., b'}'] if digits.len() == 4 => number(digits),
        [b'{', a, b, c, d, b'}', ..] => number(&[*a, *b, *c, *d]),
        _ => None,
    }
}

/// The bytes before a tag that the end of the file cuts in two; all of them if they are it.
fn without_unfinished_tag(bytes: &[u8]) -> &[u8] {
    let begin = bytes.len().saturating_sub(TAG_BYTES - 1);
    let last = bytes.iter().skip(begin).position(|&byte| byte == b'{');
    let at = last.map_or(bytes.len(), |at| begin + at);
    let is_unfinished = bytes.iter().skip(at + 1).all(u8::is_ascii_digit);
    if is_unfinished && at > 0 {
        &bytes[..at]
    } else {
        bytes
    }
}

/// The bytes without blanks, line ends and what pads a file at its end.
fn without_padding(bytes: &[u8]) -> &[u8] {
    let is_padding = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1a);
    let kept = bytes.iter().rposition(|byte| !is_padding(byte));
    &bytes[..kept.map_or(0, |last| last + 1)]
}

fn number(digits: &[u8]) -> Option<Tag> {
    let text = std::str::from_utf8(digits).ok()?;
    let is_number = digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pieces(text: &str, chunk_bytes: usize) -> Vec<(Option<Tag>, String, u64, u64)> {
        let mut pieces = Pieces::new(ByteStream::new(text.as_bytes(), chunk_bytes));
        let mut seen = Vec::new();
        while let Some(piece) = pieces.read().unwrap() {
            let value = String::from_utf8_lossy(piece.value).into_owned();
            seen.push((piece.tag, value, piece.line, piece.end));
        }
        seen
    }

    #[test]
    fn tags_end_values_and_braces_do_not() {
        for chunk_bytes in [1, 5, 4_096] {
            assert_eq!(
                pieces("{1500}30{x} {15}\r\n{2000}01{1510}", chunk_bytes),
                [
                    (Some(1500), "30{x} {15}".to_owned(), 1, 16),
                    (Some(2000), "01".to_owned(), 2, 26),
                    (Some(1510), String::new(), 2, 32),
                ]
            );
            assert_eq!(
                pieces("{6000}abc{15", chunk_bytes),
                [
                    (Some(6000), "abc".to_owned(), 1, 9),
                    (None, "{15".to_owned(), 1, 12)
                ]
            );
        }
    }

    #[test]
    fn long_values_are_cut_alike() {
        let text = format!("{{6000}}{}{{1500}}", "x".repeat(VALUE_BYTES_MAX + 3));
        for chunk_bytes in [7, 1 << 20] {
            let seen = pieces(&text, chunk_bytes);
            let lengths: Vec<_> = seen.iter().map(|piece| (piece.0, piece.1.len())).collect();
            assert_eq!(
                lengths,
                [(Some(6000), VALUE_BYTES_MAX), (None, 3), (Some(1500), 0)]
            );
        }
    }
}
