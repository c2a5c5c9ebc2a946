//! Segments of a file of any size, one at a time, out of one buffer.
//!
//! A segment runs to the terminator that its interchange names. Line breaks and blanks around a
//! segment are layout; line breaks within one come from wrapping at a record length and are taken
//! out. An ISA at the beginning of a line begins an interchange even if the segment before it was
//! not ended, so that a lost terminator costs one segment and not the next interchange. What is
//! read does not depend on how the bytes arrive.

use std::io::{self, Read};

use memchr::{memchr2, memchr3};

use super::segment::{Segment, tag_of};
use super::separators::{FRAGMENT_BYTES_MAX, ISA_BYTES_MAX, Separators};

/// Bytes of a segment that are kept; of a longer one the rest is skipped.
pub(super) const SEGMENT_BYTES_MAX: usize = 1 << 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where a segment ends, seen from the buffer's position.
#[derive(Clone, Copy)]
struct End {
    /// Bytes of it that are in the buffer.
    kept: usize,
    /// Bytes of it in the file.
    length: u64,
    has_breaks: bool,
    is_terminated: bool,
}

/// Reads segments. Memory stays below two chunks plus [`SEGMENT_BYTES_MAX`].
pub(super) struct Segments<R> {
    source: R,
    chunk_bytes: usize,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold something.
    filled: usize,
    /// Where the next segment begins in the buffer.
    position: usize,
    /// Offset of the buffer's first byte in the file.
    base: u64,
    /// The line of the position, from 1.
    line: u64,
    /// Whether something stands on that line before the position.
    is_line_begun: bool,
    /// The last line ended with CR, so that an LF now belongs to it.
    after_return: bool,
    separators: Option<Separators>,
    /// The last segment without its line breaks, if it had any.
    unwrapped: Vec<u8>,
}

impl<R: Read> Segments<R> {
    /// Reads `source`, asking for `chunk_bytes` at a time.
    pub fn new(source: R, chunk_bytes: usize) -> Self {
        Self {
            source,
            chunk_bytes: chunk_bytes.max(1),
            buffer: Vec::new(),
            filled: 0,
            position: 0,
            base: 0,
            line: 1,
            is_line_begun: false,
            after_return: false,
            separators: None,
            unwrapped: Vec::new(),
        }
    }

    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        self.line - u64::from(!self.is_line_begun)
    }

    /// Bytes read so far; at the end, the size of the file.
    pub fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    /// The next segment, or none at the end.
    pub fn next_segment(&mut self) -> io::Result<Option<Segment<'_>>> {
        if !self.skip_layout()? {
            return Ok(None);
        }
        let separators = self.find_separators()?;
        let line = self.line;
        let start = self.base + self.position as u64;
        let end = self.find_end(separators.terminator)?;
        let from = self.position;
        self.step_over(end, separators.terminator);
        let raw = self.buffer[from..from + end.kept].trim_ascii_end();
        let is_cut = end.length > end.kept as u64;
        let length = if is_cut { end.length } else { raw.len() as u64 };
        let text = if end.has_breaks {
            self.unwrapped.clear();
            let kept = raw.iter().filter(|&&byte| !matches!(byte, b'\r' | b'\n'));
            self.unwrapped.extend(kept);
            &self.unwrapped
        } else {
            raw
        };
        Ok(Some(Segment {
            tag: tag_of(text, separators.element),
            text,
            raw,
            line,
            start,
            end: start + length,
            separators,
            is_terminated: end.is_terminated,
            is_cut,
        }))
    }

    /// Goes on to the next byte that is neither layout nor an empty segment's end; false at the
    /// end of the file.
    fn skip_layout(&mut self) -> io::Result<bool> {
        let terminator = self.separators.map_or(b'\n', |s| s.terminator);
        loop {
            while let Some(&byte) = self.buffer[..self.filled].get(self.position) {
                match byte {
                    b'\r' | b'\n' => self.count_line_end(byte),
                    b' ' | b'\t' | 0 | 0x1a => self.after_return = false,
                    0xef if self.is_at_mark()? => self.position += BYTE_ORDER_MARK.len() - 1,
                    _ => {
                        self.after_return = false;
                        self.is_line_begun = true;
                        if byte != terminator {
                            return Ok(true);
                        }
                    }
                }
                self.position += 1;
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    fn count_line_end(&mut self, byte: u8) {
        if byte == b'\r' || !self.after_return {
            self.line += 1;
        }
        self.after_return = byte == b'\r';
        self.is_line_begun = false;
    }

    fn is_at_mark(&mut self) -> io::Result<bool> {
        self.ensure(BYTE_ORDER_MARK.len())?;
        Ok(self.rest().starts_with(BYTE_ORDER_MARK))
    }

    /// What an ISA here says, or else what is known, or can be told.
    fn find_separators(&mut self) -> io::Result<Separators> {
        let is_interchange = self.is_at_interchange(0)?;
        if is_interchange {
            self.ensure(ISA_BYTES_MAX)?;
            if let Some(said) = Separators::of_interchange(self.rest()) {
                self.separators = Some(said);
            }
        }
        if self.separators.is_none() {
            self.ensure(FRAGMENT_BYTES_MAX)?;
            let told = Separators::of_fragment(self.rest());
            self.separators = Some(told.unwrap_or_default());
        }
        Ok(self.separators.unwrap_or_default())
    }

    /// Whether an ISA stands `offset` bytes after the position.
    fn is_at_interchange(&mut self, offset: usize) -> io::Result<bool> {
        let first = self.rest().get(offset);
        if first.is_some_and(|byte| !byte.eq_ignore_ascii_case(&b'I')) {
            return Ok(false);
        }
        self.ensure(offset + 4)?;
        let [tag @ .., after] = self.rest().get(offset..offset + 4).unwrap_or_default() else {
            return Ok(false);
        };
        Ok(tag.eq_ignore_ascii_case(b"ISA") && !after.is_ascii_alphanumeric())
    }

    fn find_end(&mut self, terminator: u8) -> io::Result<End> {
        let mut scanned = 0;
        let mut has_breaks = false;
        loop {
            let rest = self.rest();
            let within = &rest[..rest.len().min(SEGMENT_BYTES_MAX + 1)];
            let Some(at) = find_mark(terminator, &within[scanned..]) else {
                scanned = within.len();
                if scanned > SEGMENT_BYTES_MAX {
                    return self.find_end_of_long_segment(terminator, has_breaks);
                }
                if self.fill()? {
                    continue;
                }
                return Ok(End::at(scanned, has_breaks, false));
            };
            let at = scanned + at;
            if is_end(within[at], terminator) {
                return Ok(End::at(at, has_breaks, true));
            }
            let is_counted = within[at] == b'\r' || !within[..at].ends_with(b"\r");
            if self.is_at_interchange(at + 1)? {
                return Ok(End::at(at, has_breaks, true));
            }
            self.line += u64::from(is_counted);
            has_breaks = true;
            scanned = at + 1;
        }
    }

    /// Reads on to the end of a segment that is over the limit, and forgets all but its
    /// beginning.
    fn find_end_of_long_segment(&mut self, terminator: u8, has_breaks: bool) -> io::Result<End> {
        self.move_to_front();
        let mut dropped = 0;
        let mut last = 0;
        loop {
            let excess = &self.buffer[SEGMENT_BYTES_MAX..self.filled];
            let mut scanned = 0;
            while let Some(at) = find_mark(terminator, &excess[scanned..]) {
                let at = scanned + at;
                let byte = excess[at];
                if is_end(byte, terminator) {
                    // The bytes before the terminator leave the buffer, it stays.
                    let length = (SEGMENT_BYTES_MAX + at) as u64 + dropped;
                    self.drop_excess(at);
                    return Ok(End {
                        kept: SEGMENT_BYTES_MAX,
                        length,
                        has_breaks,
                        is_terminated: true,
                    });
                }
                let before = if at == 0 { last } else { excess[at - 1] };
                self.line += u64::from(byte == b'\r' || before != b'\r');
                scanned = at + 1;
            }
            last = excess.last().copied().unwrap_or(last);
            dropped += excess.len() as u64;
            self.drop_excess(excess.len());
            if !self.fill()? {
                return Ok(End {
                    kept: SEGMENT_BYTES_MAX,
                    length: SEGMENT_BYTES_MAX as u64 + dropped,
                    has_breaks,
                    is_terminated: false,
                });
            }
        }
    }

    /// Forgets `count` bytes after the limit; what follows them moves up.
    fn drop_excess(&mut self, count: usize) {
        let from = SEGMENT_BYTES_MAX + count;
        self.buffer
            .copy_within(from..self.filled, SEGMENT_BYTES_MAX);
        self.filled -= count;
        self.base += count as u64;
    }

    fn step_over(&mut self, end: End, terminator: u8) {
        self.position += end.kept;
        let buffer = &self.buffer[..self.filled];
        // A line end that ends the segment is counted as layout; of CR LF the CR was counted
        // already if only the LF ended it.
        let last = buffer[..self.position].last();
        self.after_return = last == Some(&b'\r');
        self.is_line_begun = !matches!(last, Some(b'\r' | b'\n'));
        if terminator != b'\n' && buffer.get(self.position) == Some(&terminator) {
            self.after_return = false;
            self.is_line_begun = true;
            self.position += 1;
        }
    }

    fn rest(&self) -> &[u8] {
        &self.buffer[self.position..self.filled]
    }

    /// Reads until `count` bytes follow the position, or the file ends.
    fn ensure(&mut self, count: usize) -> io::Result<()> {
        while self.filled - self.position < count && self.fill()? {}
        Ok(())
    }

    /// Whether more bytes came.
    fn fill(&mut self) -> io::Result<bool> {
        self.move_to_front();
        if self.buffer.len() < self.filled + self.chunk_bytes {
            self.buffer.resize(self.filled + self.chunk_bytes, 0);
        }
        let room = &mut self.buffer[self.filled..self.filled + self.chunk_bytes];
        let count = loop {
            match self.source.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome?,
            }
        };
        self.filled += count;
        Ok(count > 0)
    }

    fn move_to_front(&mut self) {
        if self.position > 0 {
            self.buffer.copy_within(self.position..self.filled, 0);
            self.base += self.position as u64;
            self.filled -= self.position;
            self.position = 0;
        }
    }
}

impl End {
    fn at(length: usize, has_breaks: bool, is_terminated: bool) -> Self {
        Self {
            kept: length,
            length: length as u64,
            has_breaks,
            is_terminated,
        }
    }
}

/// The place of the next terminator or line break.
fn find_mark(terminator: u8, bytes: &[u8]) -> Option<usize> {
    if terminator == b'\n' {
        memchr2(b'\n', b'\r', bytes)
    } else {
        memchr3(terminator, b'\n', b'\r', bytes)
    }
}

fn is_end(byte: u8, terminator: u8) -> bool {
    byte == terminator || (terminator == b'\n' && byte == b'\r')
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    const ISA: &str = "ISA*00* *00* *ZZ*A*ZZ*B*260301*0700*U*00401*000000001*0*P*";

    type Read = (u64, u64, u64, String, bool, bool);

    fn read(bytes: &[u8], chunk_bytes: usize) -> (Vec<Read>, u64, u64) {
        let mut segments = Segments::new(bytes, chunk_bytes);
        let mut read = Vec::new();
        while let Some(s) = segments.next_segment().unwrap() {
            let text = String::from_utf8_lossy(s.text).into_owned();
            read.push((s.line, s.start, s.end, text, s.is_terminated, s.is_cut));
        }
        (read, segments.lines(), segments.bytes())
    }

    fn texts(bytes: &str) -> Vec<(u64, String)> {
        let read = read(bytes.as_bytes(), 3).0;
        read.into_iter().map(|s| (s.0, s.3)).skip(1).collect()
    }

    #[test]
    fn layout_and_wrapping_are_no_content() {
        let found = texts(&format!(
            "\u{feff}\r\n{ISA}>~\r\n  N1*PR*A~~\r\n\r\nN1*P\r\nE*B~\x1a"
        ));
        assert_eq!(
            found,
            [(3, "N1*PR*A".to_owned()), (5, "N1*PE*B".to_owned())]
        );
        for (end, lines) in [("", 2), ("~", 2), ("\n", 2), ("~\r\n", 2), ("\n\n", 3)] {
            let text = format!("{ISA}>~\nN1*A{end}");
            assert_eq!(read(text.as_bytes(), 9).1, lines, "{end:?}");
        }
        let found = texts(&format!("{ISA}>\r\nN1*PR*A\r\n  N1*PE*B"));
        assert_eq!(
            found,
            [(2, "N1*PR*A".to_owned()), (3, "N1*PE*B".to_owned())]
        );
    }

    #[test]
    fn each_interchange_has_its_own_separators() {
        let second = ISA.replace('*', "|");
        let found = texts(&format!("{ISA}>~N1*A~IEA*1*1\n{second}^!N1|B*~!"));
        let found: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(found, ["N1*A", "IEA*1*1", &format!("{second}^"), "N1|B*~"]);
    }

    #[test]
    fn an_interchange_begins_where_a_terminator_was_lost() {
        for end in ["\n", "\r\n", "\r"] {
            let found = texts(&format!("{ISA}>~IEA*1*1{end}{ISA}>~{end}N1*A~"));
            let lines: Vec<u64> = found.iter().map(|(line, _)| *line).collect();
            assert_eq!((lines, &*found[0].1), (vec![1, 2, 3], "IEA*1*1"), "{end:?}");
        }
    }

    #[test]
    fn long_segments_are_cut_at_the_limit_and_not_before() {
        for (excess, chunk_bytes) in [(0, 1_000), (1, 1_000), (70_000, 100_000), (1, 1 << 20)] {
            let mut bytes = format!("{ISA}>~").into_bytes();
            let start = bytes.len();
            bytes.resize(start + SEGMENT_BYTES_MAX + excess, b'x');
            bytes.extend_from_slice(b"~\nN1*A~\n");
            let (found, lines, total) = read(&bytes, chunk_bytes);
            assert_eq!((lines, total), (2, bytes.len() as u64));
            assert_eq!(found.len(), 3);
            let end = (start + SEGMENT_BYTES_MAX + excess) as u64;
            assert_eq!((found[1].2, found[1].5), (end, excess > 0));
            assert_eq!(found[1].3.len(), SEGMENT_BYTES_MAX);
            assert_eq!((found[2].0, found[2].1), (2, end + 2));
        }
    }

    proptest! {
        #[test]
        fn chunks_do_not_matter(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'~'), Just(b'I'), Just(b'S'),
                    Just(b'A'), Just(b'*'), any::<u8>()], 0..80),
            begins in any::<bool>(),
            chunk_bytes in 1..40_usize,
        ) {
            let mut text = if begins { format!("{ISA}>~").into_bytes() } else { Vec::new() };
            text.extend(bytes);
            prop_assert_eq!(read(&text, chunk_bytes), read(&text, 1 << 12));
        }
    }
}
