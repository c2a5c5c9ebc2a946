//! UTF-16 as UTF-8.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, UTF_16BE, UTF_16LE};

const CHUNK_BYTES: usize = 64 * 1024;
/// Code units of text without a byte order mark that must look like UTF-16.
const UNITS_TOLD_BY: usize = 16;

/// Which byte of a code unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ByteOrder {
    LittleEndian,
    BigEndian,
}

impl ByteOrder {
    /// The byte order of a file that begins with `head`, or none if it is not UTF-16.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0xff, 0xfe, ..] => Some(Self::LittleEndian),
            [0xfe, 0xff, ..] => Some(Self::BigEndian),
            _ => Self::of_text(head),
        }
    }

    /// Text of western scripts has a NUL in every code unit of its first words.
    fn of_text(head: &[u8]) -> Option<Self> {
        let units = head.get(..2 * UNITS_TOLD_BY)?.chunks_exact(2);
        let is_text = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        if units.clone().all(|unit| is_text(unit[0]) && unit[1] == 0) {
            return Some(Self::LittleEndian);
        }
        let is_big = units.clone().all(|unit| unit[0] == 0 && is_text(unit[1]));
        is_big.then_some(Self::BigEndian)
    }
}

/// Decodes as it reads; what is no character becomes U+FFFD.
pub(super) struct Utf16<R> {
    source: R,
    decoder: Decoder,
    /// Bytes that are read and not decoded: `encoded[from..to]`.
    encoded: Vec<u8>,
    from: usize,
    to: usize,
    /// Text that is decoded and not given: `text[given..ready]`.
    text: Vec<u8>,
    given: usize,
    ready: usize,
    is_at_end: bool,
    is_flushed: bool,
}

impl<R: Read> Utf16<R> {
    pub fn new(source: R, order: ByteOrder) -> Self {
        let encoding = match order {
            ByteOrder::LittleEndian => UTF_16LE,
            ByteOrder::BigEndian => UTF_16BE,
        };
        Self {
            source,
            decoder: encoding.new_decoder_with_bom_removal(),
            encoded: vec![0; CHUNK_BYTES],
            from: 0,
            to: 0,
            text: vec![0; CHUNK_BYTES],
            given: 0,
            ready: 0,
            is_at_end: false,
            is_flushed: false,
        }
    }

    fn decode_more(&mut self) -> io::Result<()> {
        if self.from == self.to && !self.is_at_end {
            self.from = 0;
            self.to = self.source.read(&mut self.encoded)?;
            self.is_at_end = self.to == 0;
        }
        let encoded = &self.encoded[self.from..self.to];
        let (result, read, written, _) =
            self.decoder
                .decode_to_utf8(encoded, &mut self.text, self.is_at_end);
        self.from += read;
        self.given = 0;
        self.ready = written;
        self.is_flushed = self.is_at_end && result == CoderResult::InputEmpty;
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.ready && !self.is_flushed {
            self.decode_more()?;
        }
        let text = &self.text[self.given..self.ready];
        let length = text.len().min(buffer.len());
        buffer[..length].copy_from_slice(&text[..length]);
        self.given += length;
        Ok(length)
    }
}
