//! Bytes of a file of any size for formats that are not made of lines: one window that moves
//! over them and knows offset and line.
//!
//! A reader asks for a window of some length, decides on its bytes alone, and steps over what it
//! took, so that what is read does not depend on how the bytes arrive.

use std::io::{self, Read};

use memchr::{memchr_iter, memchr2};

use crate::format::{ReadError, Settings};
use crate::transport::SourceFile;

/// The unread bytes of a file. Memory stays below the chunk size plus the longest window asked
/// for.
pub(crate) struct ByteStream<R> {
    source: R,
    chunk_bytes: usize,
    buffer: Vec<u8>,
    /// Where the window begins in the buffer.
    start: usize,
    /// Bytes of the buffer that hold something.
    filled: usize,
    is_at_end: bool,
    /// Offset of the window's first byte in the file.
    offset: u64,
    /// Number of the line that the window begins in, from 1.
    line: u64,
    /// The byte before the window is CR, so that an LF now belongs to it.
    after_return: bool,
    is_inside_line: bool,
    /// Up to where, from `start` on, the buffer is known to have no line end.
    unbroken: usize,
}

/// Bytes of a file, however it is packed.
pub(crate) type FileBytes = ByteStream<Box<dyn Read + Send>>;

impl FileBytes {
    /// Opens `file` and steps over a byte order mark.
    pub fn open(file: &SourceFile, settings: &Settings) -> Result<Self, ReadError> {
        let source = file.open().map_err(|source| file.refused(source))?;
        let mut stream = Self::new(source, settings.chunk_bytes);
        let head = stream.window(3).map_err(|source| file.refused(source))?;
        if head.starts_with(b"\xef\xbb\xbf") {
            stream.step(3);
        }
        Ok(stream)
    }
}

impl<R: Read> ByteStream<R> {
    pub fn new(source: R, chunk_bytes: usize) -> Self {
        Self {
            source,
            chunk_bytes: chunk_bytes.max(1),
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            is_at_end: false,
            offset: 0,
            line: 1,
            after_return: false,
            is_inside_line: false,
            unbroken: 0,
        }
    }

    /// Offset of the next byte in the file; at the end, the size of the file.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Number of the line of the next byte.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Whether bytes of a line that has not ended were stepped over.
    pub fn is_inside_line(&self) -> bool {
        self.is_inside_line
    }

    /// The next bytes: at least `length`, or all that are left.
    pub fn window(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.filled - self.start < length && !self.is_at_end {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.filled])
    }

    /// Steps over the next `count` bytes, which a window has shown.
    pub fn step(&mut self, count: usize) {
        let end = self.filled.min(self.start + count);
        let passed = &self.buffer[self.start..end];
        let Some(&last) = passed.last() else {
            return;
        };
        self.offset += passed.len() as u64;
        self.start = end;
        // Most steps stay within a line.
        if end <= self.unbroken {
            self.after_return = false;
            self.is_inside_line = true;
            return;
        }
        // The LF of a CR LF ends no line again.
        let feeds = memchr_iter(b'\n', passed).filter(|&at| match at.checked_sub(1) {
            Some(before) => passed[before] != b'\r',
            None => !self.after_return,
        });
        self.line += (feeds.count() + memchr_iter(b'\r', passed).count()) as u64;
        self.after_return = last == b'\r';
        self.is_inside_line = !matches!(last, b'\r' | b'\n');
        let ahead = &self.buffer[end..self.filled];
        self.unbroken = end + memchr2(b'\n', b'\r', ahead).unwrap_or(ahead.len());
    }

    /// Steps over `count` bytes however many they are; gives how many of them the file has.
    pub fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let seen = self.window(1)?.len() as u64;
            if seen == 0 {
                break;
            }
            let step = seen.min(left);
            self.step(step as usize);
            left -= step;
        }
        Ok(count - left)
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.unbroken = self.unbroken.saturating_sub(self.start);
            self.start = 0;
        }
        let end = self.filled + self.chunk_bytes;
        if self.buffer.len() < end {
            self.buffer.resize(end, 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.filled..end]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => {
                    let count = outcome?;
                    self.is_at_end = count == 0;
                    self.filled += count;
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn offset_and_line_follow_the_bytes() {
        for chunk_bytes in [1, 2, 3, 100] {
            let mut stream = ByteStream::new(&b"a\r\nb\rc\nd"[..], chunk_bytes);
            let mut lines = Vec::new();
            while !stream.window(1).unwrap().is_empty() {
                lines.push((stream.offset(), stream.line()));
                stream.step(1);
            }
            let numbers: Vec<u64> = lines.iter().map(|place| place.1).collect();
            assert_eq!(numbers, [1, 1, 2, 2, 2, 3, 3, 4]);
            assert_eq!(stream.offset(), 8);
        }
    }

    #[test]
    fn skipping_ends_with_the_file() {
        let mut stream = ByteStream::new(&b"0123456789"[..], 3);
        assert_eq!(stream.skip(4).unwrap(), 4);
        assert_eq!(stream.window(2).unwrap()[..2], *b"45");
        assert_eq!(stream.skip(u64::MAX).unwrap(), 6);
    }
}
