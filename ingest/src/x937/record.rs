//! Cuts an image cash letter into its records, whichever way they are framed.
//!
//! A record has four bytes of length before it (most significant first), or a line end behind
//! it, and is in ASCII or EBCDIC. Images are stepped over: only the first
//! [`RECORD_BYTES_KEPT`] bytes of a record are seen.

use std::io::{self, Read};

use memchr::memchr2;

use crate::stream::ByteStream;
use crate::transport::LATIN_OF_EBCDIC;

/// Bytes of a record that are kept; all fields that are read stand in the first 80.
pub(super) const RECORD_BYTES_KEPT: usize = 512;
/// Bytes that a record with a length before it may have; more means that the length is none.
const RECORD_BYTES_MAX: u32 = 64 << 20;
/// Bytes of the shortest record with its type.
const RECORD_BYTES_MIN: u32 = 2;

/// How records are told from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    Lengths,
    Lines,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub framing: Framing,
    pub is_ebcdic: bool,
}

impl Form {
    /// The form of a file that begins with `head`, if it begins with a file header (01).
    pub fn of(head: &[u8]) -> Option<Self> {
        if let [0, 0, _, _, record @ ..] = head {
            let is_ebcdic = record.starts_with(b"\xf0\xf1");
            return is_header(record, is_ebcdic).then_some(Self {
                framing: Framing::Lengths,
                is_ebcdic,
            });
        }
        is_header(head, false).then_some(Self {
            framing: Framing::Lines,
            is_ebcdic: false,
        })
    }
}

/// Whether `record` begins as a file header: type 01, a level of the standard, test or
/// production, and the routing numbers of receiver and sender.
fn is_header(record: &[u8], is_ebcdic: bool) -> bool {
    let Some(head) = record.get(..23) else {
        return false;
    };
    let head: Vec<u8> = head.iter().map(|&byte| ascii(byte, is_ebcdic)).collect();
    let is_number = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
    head.starts_with(b"01")
        && is_number(&head[2..4])
        && matches!(head[4], b'T' | b'P')
        && is_number(&head[5..23])
}

/// A record without its length or line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// Its number among the lines of the file, or among its records where there are no lines.
    pub number: u64,
    pub start: u64,
    pub end: u64,
    /// Its first bytes as they stand in the file.
    pub raw: &'a [u8],
    /// The same in ASCII.
    pub text: &'a [u8],
}

/// What comes next in a file.
pub(super) enum Next<'a> {
    Record(Record<'a>),
    /// Bytes up to the end of the file that have no length, or less than their length says.
    Broken(Record<'a>),
    End,
}

pub(super) struct Records<R> {
    stream: ByteStream<R>,
    form: Form,
    number: u64,
    raw: Vec<u8>,
    text: Vec<u8>,
}

impl<R: Read> Records<R> {
    /// Records of `stream`, whose form is told by its beginning; a file that does not begin as
    /// one is read as lines in ASCII.
    pub fn new(mut stream: ByteStream<R>) -> io::Result<Self> {
        while matches!(stream.window(1)?.first(), Some(b'\r' | b'\n' | b' ')) {
            stream.step(1);
        }
        let form = Form::of(stream.window(32)?);
        Ok(Self {
            stream,
            form: form.unwrap_or(Form {
                framing: Framing::Lines,
                is_ebcdic: false,
            }),
            number: 0,
            raw: Vec::new(),
            text: Vec::new(),
        })
    }

    /// Bytes and records, or lines, read so far.
    pub fn size(&self) -> (u64, u64) {
        let lines = self.stream.line() - 1 + u64::from(self.stream.is_inside_line());
        match self.form.framing {
            Framing::Lengths => (self.stream.offset(), self.number),
            Framing::Lines => (self.stream.offset(), lines),
        }
    }

    /// The next record.
    pub fn read(&mut self) -> io::Result<Next<'_>> {
        match self.form.framing {
            Framing::Lengths => self.read_by_length(),
            Framing::Lines => self.read_by_line(),
        }
    }

    fn read_by_length(&mut self) -> io::Result<Next<'_>> {
        let window = self.stream.window(4)?;
        let is_padding = window
            .iter()
            .all(|byte| matches!(byte, 0 | 0x1a | b'\r' | b'\n'));
        if window.is_empty() || (is_padding && self.is_padding_to_end()?) {
            return Ok(Next::End);
        }
        self.number += 1;
        let window = self.stream.window(4)?;
        let length = window.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let is_length = |length: &u32| (RECORD_BYTES_MIN..=RECORD_BYTES_MAX).contains(length);
        let Some(length) = length.filter(is_length) else {
            let broken = self.take(u64::MAX)?;
            return Ok(Next::Broken(self.record(broken)));
        };
        self.stream.step(4);
        let range = self.take(u64::from(length))?;
        if range.1 - range.0 < u64::from(length) {
            return Ok(Next::Broken(self.record(range)));
        }
        Ok(Next::Record(self.record(range)))
    }

    /// Whether only padding is left. Looks at what the end of a file may be padded with, and
    /// steps over it if it is.
    fn is_padding_to_end(&mut self) -> io::Result<bool> {
        const PADDING_MAX: usize = 64 * 1024;
        let window = self.stream.window(PADDING_MAX + 1)?;
        let is_padding = |byte: &u8| matches!(byte, 0 | 0x1a | b'\r' | b'\n');
        let is_all = window.len() <= PADDING_MAX && window.iter().all(is_padding);
        if is_all {
            self.stream.skip(u64::MAX)?;
        }
        Ok(is_all)
    }

    fn read_by_line(&mut self) -> io::Result<Next<'_>> {
        loop {
            let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0 | 0x1a);
            match self.stream.window(1)?.first() {
                None => return Ok(Next::End),
                Some(byte) if is_end(byte) => self.stream.step(1),
                Some(_) => break,
            }
        }
        self.number = self.stream.line();
        let start = self.stream.offset();
        self.raw.clear();
        loop {
            let window = self.stream.window(1)?;
            let end = memchr2(b'\r', b'\n', window);
            let length = end.unwrap_or(window.len());
            let room = RECORD_BYTES_KEPT - self.raw.len();
            self.raw.extend_from_slice(&window[..length.min(room)]);
            let is_last = end.is_some() || window.is_empty();
            self.stream.step(length);
            if is_last {
                break;
            }
        }
        let range = (start, self.stream.offset());
        Ok(Next::Record(self.record(range)))
    }

    /// Steps over `length` bytes, keeps the first of them, and gives their range.
    fn take(&mut self, length: u64) -> io::Result<(u64, u64)> {
        let start = self.stream.offset();
        let kept = length.min(RECORD_BYTES_KEPT as u64) as usize;
        let window = self.stream.window(kept)?;
        self.raw.clear();
        self.raw
            .extend_from_slice(&window[..kept.min(window.len())]);
        let taken = self.stream.skip(length)?;
        Ok((start, start + taken))
    }

    fn record(&mut self, (start, end): (u64, u64)) -> Record<'_> {
        let is_ebcdic = self.form.is_ebcdic;
        self.text.clear();
        self.text
            .extend(self.raw.iter().map(|&byte| ascii(byte, is_ebcdic)));
        Record {
            number: self.number,
            start,
            end,
            raw: &self.raw,
            text: &self.text,
        }
    }
}

/// The character as ASCII; what ASCII does not have is a blank, so that columns stay in place.
fn ascii(byte: u8, is_ebcdic: bool) -> u8 {
    let character = if is_ebcdic {
        LATIN_OF_EBCDIC[usize::from(byte)]
    } else {
        byte
    };
    if character.is_ascii_graphic() {
        character
    } else {
        b' '
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADER: &[u8] = b"0103P091000019021000021202603160930N";

    fn records(bytes: &[u8], chunk_bytes: usize) -> Vec<(char, u64, u64, String)> {
        let mut records = Records::new(ByteStream::new(bytes, chunk_bytes)).unwrap();
        let mut seen = Vec::new();
        loop {
            let (mark, record) = match records.read().unwrap() {
                Next::Record(record) => ('r', record),
                Next::Broken(record) => ('b', record),
                Next::End => return seen,
            };
            let text = String::from_utf8_lossy(record.text.trim_ascii()).into_owned();
            seen.push((mark, record.number, record.end, text));
        }
    }

    fn with_length(record: &[u8]) -> Vec<u8> {
        let length = (record.len() as u32).to_be_bytes();
        [&length[..], record].concat()
    }

    #[test]
    fn lengths_frame_records_and_images_are_stepped_over() {
        let image = [b"52".to_vec(), vec![0x0a; 70_000]].concat();
        let bytes = [
            with_length(HEADER),
            with_length(&image),
            with_length(b"99"),
            vec![0, 0, 0, 80, b'9'],
        ]
        .concat();
        for chunk_bytes in [1, 100, 1 << 20] {
            let seen = records(&bytes, chunk_bytes);
            let short: Vec<_> = seen.iter().map(|r| (r.0, r.1, r.3.as_str())).collect();
            let header = std::str::from_utf8(HEADER).unwrap();
            assert_eq!(
                short,
                [
                    ('r', 1, header),
                    ('r', 2, "52"),
                    ('r', 3, "99"),
                    ('b', 4, "9")
                ]
            );
        }
    }

    #[test]
    fn a_length_that_is_none_ends_the_reading() {
        let bytes = [with_length(HEADER), vec![0xff; 9]].concat();
        let seen = records(&bytes, 5);
        assert_eq!(
            (seen.len(), seen[1].0, seen[1].2),
            (2, 'b', bytes.len() as u64)
        );
    }

    #[test]
    fn characters_of_ebcdic_are_read() {
        let text = b"0103P";
        let place = |byte: &u8| {
            LATIN_OF_EBCDIC
                .iter()
                .position(|known| known == byte)
                .unwrap() as u8
        };
        let written: Vec<u8> = text.iter().map(place).collect();
        assert_eq!(written, [0xf0, 0xf1, 0xf0, 0xf3, 0xd7]);
        assert_eq!(ascii(0x40, true), b' ');
        assert_eq!(ascii(0x61, true), b'/');
    }

    #[test]
    fn other_files_that_begin_alike_are_not_claimed() {
        assert!(Form::of(HEADER).is_some());
        assert!(Form::of(&with_length(HEADER)).is_some());
        for other in [
            &b"01,091000019,4400128871,260316,0605,1,,,2/"[..],
            b"0130004    00012EUR2 00012345678  310326        ",
            b"01REMESSA01COBRANCA       ",
            b"101 091000019",
            b"",
        ] {
            assert_eq!(Form::of(other), None);
        }
    }
}
