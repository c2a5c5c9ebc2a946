//! Lines of a file of any size, one at a time, out of one buffer.
//!
//! Lines end with LF, CR LF or CR; the last one may have no end. A byte order mark before the
//! first line, and NUL or SUB bytes after the last, belong to no line. What is read does not
//! depend on how the bytes arrive: any chunk size gives the same lines.

use std::io::{self, Read};
use std::ops::Range;

use memchr::memchr2;

use crate::format::{ReadError, Settings};
use crate::transport::SourceFile;

/// Bytes of a line that are kept; of a longer one the rest is skipped.
pub const LINE_BYTES_MAX: usize = 1 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// One line, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// Offset of its first byte in the file.
    pub start: u64,
    /// Offset after its last byte, its end not included.
    pub end: u64,
    /// Its bytes, at most [`LINE_BYTES_MAX`].
    pub bytes: &'a [u8],
    /// Whether it was longer than [`LINE_BYTES_MAX`].
    pub is_cut: bool,
}

impl Line<'_> {
    /// Whether there is nothing to read in it.
    pub fn is_blank(&self) -> bool {
        self.bytes
            .iter()
            .all(|&byte| byte == b' ' || byte == b'\t' || is_padding(byte))
    }
}

/// Where the next line lies: its bytes in the buffer and its range in the file.
struct Found {
    kept: Range<usize>,
    start: u64,
    end: u64,
    is_cut: bool,
}

/// Reads lines. Memory stays below the chunk size plus [`LINE_BYTES_MAX`].
pub struct LineReader<R> {
    source: R,
    chunk_bytes: usize,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold something.
    filled: usize,
    /// Where the next line begins in the buffer.
    position: usize,
    /// Up to where the buffer is known to hold no line end.
    scanned: usize,
    /// Offset of the buffer's first byte in the file.
    base: u64,
    /// The last line ended with CR, so that an LF now belongs to it.
    after_return: bool,
    number: u64,
}

/// Lines of a file, however it is packed.
pub type FileLines = LineReader<Box<dyn Read + Send>>;

impl FileLines {
    /// Opens `file`.
    ///
    /// # Errors
    /// [`ReadError::Io`] if the operating system refuses.
    pub fn open(file: &SourceFile, settings: &Settings) -> Result<Self, ReadError> {
        let source = file.open().map_err(|source| file.refused(source))?;
        Self::new(source, settings.chunk_bytes).map_err(|source| file.refused(source))
    }
}

impl<R: Read> LineReader<R> {
    /// Reads `source`, asking for `chunk_bytes` at a time.
    ///
    /// # Errors
    /// What the first read says.
    pub fn new(source: R, chunk_bytes: usize) -> io::Result<Self> {
        let mut reader = Self {
            source,
            chunk_bytes: chunk_bytes.max(1),
            buffer: Vec::new(),
            filled: 0,
            position: 0,
            scanned: 0,
            base: 0,
            after_return: false,
            number: 0,
        };
        reader.skip_byte_order_mark()?;
        Ok(reader)
    }

    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        self.number
    }

    /// Bytes read so far; at the end, the size of the file.
    pub fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// The next line, or none at the end.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn read_line(&mut self) -> io::Result<Option<Line<'_>>> {
        let Some(found) = self.find_line()? else {
            return Ok(None);
        };
        self.number += 1;
        Ok(Some(Line {
            number: self.number,
            start: found.start,
            end: found.end,
            bytes: &self.buffer[found.kept],
            is_cut: found.is_cut,
        }))
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        while self.filled < BYTE_ORDER_MARK.len() && self.fill()? {}
        if self.buffer[..self.filled].starts_with(BYTE_ORDER_MARK) {
            self.position = BYTE_ORDER_MARK.len();
            self.scanned = self.position;
        }
        Ok(())
    }

    fn find_line(&mut self) -> io::Result<Option<Found>> {
        if self.after_return && !self.skip_line_feed()? {
            return Ok(None);
        }
        loop {
            let unseen = &self.buffer[self.scanned..self.filled];
            if let Some(at) = memchr2(b'\n', b'\r', unseen) {
                return Ok(Some(self.take_line(self.scanned + at)));
            }
            self.scanned = self.filled;
            if self.filled - self.position > LINE_BYTES_MAX {
                return self.find_end_of_long_line();
            }
            if !self.fill()? {
                return Ok(self.take_last_line());
            }
        }
    }

    /// Whether there may be another line.
    fn skip_line_feed(&mut self) -> io::Result<bool> {
        if self.position == self.filled && !self.fill()? {
            return Ok(false);
        }
        self.after_return = false;
        if self.buffer[self.position] == b'\n' {
            self.position += 1;
            self.scanned = self.scanned.max(self.position);
        }
        Ok(true)
    }

    /// The line that ends before the line end at `end`.
    fn take_line(&mut self, end: usize) -> Found {
        let from = self.position;
        self.step_over(end);
        let kept = from..end.min(from + LINE_BYTES_MAX);
        Found {
            is_cut: kept.end < end,
            kept,
            start: self.base + from as u64,
            end: self.base + end as u64,
        }
    }

    fn step_over(&mut self, line_end: usize) {
        self.after_return = self.buffer[line_end] == b'\r';
        self.position = line_end + 1;
        self.scanned = self.position;
    }

    /// What stands after the last line end, if it is more than padding.
    fn take_last_line(&mut self) -> Option<Found> {
        let from = self.position;
        let length = without_padding(&self.buffer[from..self.filled]).len();
        self.position = self.filled;
        self.scanned = self.filled;
        (length > 0).then(|| Found {
            kept: from..from + length,
            start: self.base + from as u64,
            end: self.base + (from + length) as u64,
            is_cut: false,
        })
    }

    /// Reads on to the end of a line that is over the limit, and forgets all but its beginning.
    fn find_end_of_long_line(&mut self) -> io::Result<Option<Found>> {
        self.move_to_front();
        let start = self.base;
        let mut is_padding_only = true;
        let end = loop {
            let excess = &self.buffer[LINE_BYTES_MAX..self.filled];
            if let Some(at) = memchr2(b'\n', b'\r', excess) {
                self.step_over(LINE_BYTES_MAX + at);
                is_padding_only = false;
                break self.base + (LINE_BYTES_MAX + at) as u64;
            }
            is_padding_only &= without_padding(excess).is_empty();
            self.base += excess.len() as u64;
            self.filled = LINE_BYTES_MAX;
            if !self.fill_from(LINE_BYTES_MAX)? {
                self.position = self.filled;
                self.scanned = self.filled;
                break self.base + self.filled as u64;
            }
        };
        if is_padding_only {
            return Ok(self.unpadded_last_line(start));
        }
        Ok(Some(Found {
            kept: 0..LINE_BYTES_MAX,
            start,
            end,
            is_cut: true,
        }))
    }

    /// A last line that only padding made longer than the limit.
    fn unpadded_last_line(&self, start: u64) -> Option<Found> {
        let length = without_padding(&self.buffer[..LINE_BYTES_MAX]).len();
        (length > 0).then(|| Found {
            kept: 0..length,
            start,
            end: start + length as u64,
            is_cut: false,
        })
    }

    /// Whether more bytes came.
    fn fill(&mut self) -> io::Result<bool> {
        self.move_to_front();
        self.fill_from(self.filled)
    }

    fn move_to_front(&mut self) {
        if self.position > 0 {
            self.buffer.copy_within(self.position..self.filled, 0);
            self.base += self.position as u64;
            self.filled -= self.position;
            self.scanned -= self.position;
            self.position = 0;
        }
    }

    fn fill_from(&mut self, at: usize) -> io::Result<bool> {
        if self.buffer.len() < at + self.chunk_bytes {
            self.buffer.resize(at + self.chunk_bytes, 0);
        }
        let room = &mut self.buffer[at..at + self.chunk_bytes];
        let count = read_some(&mut self.source, room)?;
        self.filled = at + count;
        Ok(count > 0)
    }
}

fn read_some(source: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

fn is_padding(byte: u8) -> bool {
    byte == 0 || byte == 0x1a
}

fn without_padding(bytes: &[u8]) -> &[u8] {
    let padding = bytes.iter().rev().take_while(|&&b| is_padding(b)).count();
    &bytes[..bytes.len() - padding]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    type Read = (u64, u64, u64, Vec<u8>, bool);

    fn read(bytes: &[u8], chunk_bytes: usize) -> (Vec<Read>, u64) {
        let mut reader = LineReader::new(bytes, chunk_bytes).unwrap();
        let mut lines = Vec::new();
        while let Some(line) = reader.read_line().unwrap() {
            let bytes = line.bytes.to_vec();
            lines.push((line.number, line.start, line.end, bytes, line.is_cut));
        }
        assert_eq!(reader.lines(), lines.len() as u64);
        (lines, reader.bytes())
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        let lines = read(bytes, 3).0.into_iter();
        lines
            .map(|line| String::from_utf8(line.3).unwrap())
            .collect()
    }

    #[test]
    fn every_line_end_ends_a_line() {
        assert_eq!(texts(b"a\nb\r\nc\rd"), ["a", "b", "c", "d"]);
        assert_eq!(texts(b"a\n\nb\r\r\n"), ["a", "", "b", ""]);
        assert_eq!(texts(b""), [""; 0]);
        assert_eq!(texts(b"\n"), [""]);
    }

    #[test]
    fn padding_and_byte_order_mark_are_no_lines() {
        assert_eq!(texts(b"\xef\xbb\xbfa\nb\x1a\0\0"), ["a", "b"]);
        assert_eq!(texts(b"a\r\n\x1a\0"), ["a"]);
        assert_eq!(texts(b"\0\0"), [""; 0]);
        let (lines, bytes) = read(b"\xef\xbb\xbfa\nb\0", 1);
        assert_eq!((lines[0].1, lines[0].2), (3, 4));
        assert_eq!((lines[1].1, lines[1].2, bytes), (5, 6, 7));
    }

    #[test]
    fn long_lines_are_cut_at_the_limit_and_not_before() {
        for (excess, chunk_bytes) in [(0, 4096), (1, 4096), (70_000, 100_000), (1, 3 << 20)] {
            let mut bytes = vec![b'x'; LINE_BYTES_MAX + excess];
            bytes.extend_from_slice(b"\r\nnext\n");
            let (lines, total) = read(&bytes, chunk_bytes);
            assert_eq!(total, bytes.len() as u64);
            assert_eq!(lines.len(), 2);
            assert_eq!(lines[0].2, (LINE_BYTES_MAX + excess) as u64);
            assert_eq!((lines[0].3.len(), lines[0].4), (LINE_BYTES_MAX, excess > 0));
            let next = bytes.len() as u64 - 5;
            assert_eq!(lines[1], (2, next, next + 4, b"next".to_vec(), false));
        }
    }

    #[test]
    fn padding_beyond_the_limit_is_not_a_long_line() {
        let mut bytes = b"last".to_vec();
        bytes.resize(2 * LINE_BYTES_MAX + 5, 0);
        for chunk_bytes in [1 << 16, 4 << 20] {
            let (lines, total) = read(&bytes, chunk_bytes);
            assert_eq!(lines, [(1, 0, 4, b"last".to_vec(), false)]);
            assert_eq!(total, bytes.len() as u64);
        }
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(0), Just(b'a'), any::<u8>()], 0..60),
            chunk_bytes in 1..40_usize,
        ) {
            prop_assert_eq!(read(&bytes, chunk_bytes), read(&bytes, 1 << 12));
        }

        #[test]
        fn ranges_name_the_bytes(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60),
        ) {
            let mut last = 0;
            for (_, start, end, line, _) in read(&bytes, 7).0 {
                prop_assert!(start >= last);
                prop_assert_eq!(&bytes[start as usize..end as usize], &line[..]);
                last = end;
            }
        }
    }
}
