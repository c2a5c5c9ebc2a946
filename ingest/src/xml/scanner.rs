//! Bytes to tokens, out of one buffer.
//!
//! Any chunk size gives the same tokens. A tag, a text or a declaration has a limit, so that no
//! file fills the memory; comments may have any length and are skipped.

use std::io::{self, Read};
use std::ops::Range;

use memchr::{memchr, memchr2, memchr2_iter, memchr3, memmem};

use crate::intake::RAW_BYTES_MAX;
use crate::lines::Line;

/// Bytes that a tag, a declaration or a section may have.
const TOKEN_BYTES_MAX: usize = 1 << 20;
/// Bytes of text that come as one token; more of it comes as several.
const TEXT_BYTES_MAX: usize = 1 << 20;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A piece of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'b> {
    /// An element begins; `name` is without its prefix.
    Open {
        name: &'b [u8],
        attributes: &'b [u8],
        is_empty: bool,
        place: Place,
    },
    /// An element ends.
    Close(&'b [u8]),
    /// Text with its references.
    Text(&'b [u8]),
    /// Text without references (CDATA).
    Raw(&'b [u8]),
    /// What the XML declaration says.
    Declaration(&'b [u8]),
    /// A document type was skipped.
    DocumentType,
}

/// Why there is no next token.
#[derive(Debug)]
pub(crate) enum Unreadable {
    Io(io::Error),
    Malformed(String),
    /// The file ends inside a token.
    Truncated,
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where a token begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub line: u64,
    pub start: u64,
}

pub(super) struct Scanner<R> {
    source: R,
    chunk_bytes: usize,
    buffer: Vec<u8>,
    filled: usize,
    /// Where the next token begins in the buffer.
    position: usize,
    /// Where the last one began.
    token: usize,
    /// Offset of the buffer's first byte in the file.
    base: u64,
    is_ended: bool,
    /// Lines that ended before `counted` in the buffer.
    line_ends: u64,
    counted: usize,
    /// Up to where, from `counted` on, the buffer is known to have no line end.
    unbroken: usize,
    after_return: bool,
    /// The last byte of the file so far, which may have left the buffer.
    last: Option<u8>,
    kept: Kept,
}

/// Bytes kept for quarantine.
#[derive(Default)]
struct Kept {
    line: u64,
    start: u64,
    /// Those that have left the buffer.
    bytes: Vec<u8>,
}

impl<R: Read> Scanner<R> {
    pub fn new(source: R, chunk_bytes: usize) -> Self {
        Self {
            source,
            chunk_bytes: chunk_bytes.max(1),
            buffer: Vec::new(),
            filled: 0,
            position: 0,
            token: 0,
            base: 0,
            is_ended: false,
            line_ends: 0,
            counted: 0,
            unbroken: 0,
            after_return: false,
            last: None,
            kept: Kept::default(),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.base + self.filled as u64
    }

    pub fn position(&self) -> u64 {
        self.base + self.position as u64
    }

    pub fn token_start(&self) -> u64 {
        self.base + self.token as u64
    }

    pub fn token_line(&mut self) -> u64 {
        self.count_lines(self.token);
        self.line_ends + 1
    }

    pub fn place(&mut self) -> Place {
        Place {
            line: self.token_line(),
            start: self.token_start(),
        }
    }

    pub fn lines(&mut self) -> u64 {
        self.count_lines(self.filled);
        let is_open = self.last.is_some_and(|byte| byte != b'\n' && byte != b'\r');
        self.line_ends + u64::from(is_open)
    }

    fn count_lines(&mut self, to: usize) {
        if to <= self.counted {
            return;
        }
        // A line has many tokens.
        if to <= self.unbroken {
            self.after_return = false;
            self.counted = to;
            return;
        }
        let bytes = &self.buffer[self.counted..to];
        let mut lines = 0;
        let mut last = None;
        for at in memchr2_iter(b'\n', b'\r', bytes) {
            let follows = match at {
                0 => self.after_return,
                _ => last == Some(at - 1) && bytes[at - 1] == b'\r',
            };
            lines += u64::from(bytes[at] == b'\r' || !follows);
            last = Some(at);
        }
        self.after_return = bytes.last() == Some(&b'\r');
        self.line_ends += lines;
        self.counted = to;
        let ahead = &self.buffer[to..self.filled];
        self.unbroken = to + memchr2(b'\n', b'\r', ahead).unwrap_or(ahead.len());
    }

    pub fn keep(&mut self) {
        self.kept.line = self.token_line();
        self.kept.start = self.token_start();
        self.kept.bytes.clear();
    }

    pub fn kept(&mut self) -> Line<'_> {
        self.copy_kept();
        Line {
            number: self.kept.line,
            start: self.kept.start,
            end: self.position(),
            bytes: &self.kept.bytes,
            is_cut: false,
        }
    }

    /// Copies what is kept and not copied yet.
    fn copy_kept(&mut self) {
        let copied = self.kept.start + self.kept.bytes.len() as u64;
        let from = copied.saturating_sub(self.base) as usize;
        let room = RAW_BYTES_MAX.saturating_sub(self.kept.bytes.len());
        let to = self.position.min(from + room);
        if let Some(bytes) = self.buffer.get(from..to) {
            self.kept.bytes.extend_from_slice(bytes);
        }
    }

    /// Drops what lies before the next token and reads more. False at the end of the file.
    fn fill(&mut self) -> io::Result<bool> {
        if self.is_ended {
            return Ok(false);
        }
        if self.filled + self.chunk_bytes > self.buffer.len() {
            self.compact();
            self.make_room(self.filled + self.chunk_bytes);
        }
        let end = self.filled + self.chunk_bytes;
        let read = read_some(&mut self.source, &mut self.buffer[self.filled..end])?;
        self.last = self.buffer[self.filled..self.filled + read]
            .last()
            .copied()
            .or(self.last);
        self.filled += read;
        self.is_ended = read == 0;
        Ok(read > 0)
    }

    fn make_room(&mut self, wanted: usize) {
        if self.buffer.is_empty() {
            // Zeroed by the operating system, page by page as they are used.
            self.buffer = vec![0; wanted];
        } else if wanted > self.buffer.len() {
            self.buffer.resize(wanted, 0);
        }
    }

    fn compact(&mut self) {
        let dropped = self.token.min(self.position);
        if dropped == 0 {
            return;
        }
        self.count_lines(dropped);
        self.copy_kept();
        self.buffer.copy_within(dropped..self.filled, 0);
        self.base += dropped as u64;
        self.filled -= dropped;
        self.position -= dropped;
        self.token -= dropped;
        self.counted -= dropped.min(self.counted);
        self.unbroken = self.unbroken.saturating_sub(dropped);
    }

    pub fn skip_rest(&mut self) -> io::Result<()> {
        loop {
            self.position = self.filled;
            self.copy_kept();
            self.token = self.filled;
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// The next token, or none at the end.
    pub fn next(&mut self) -> Result<Option<Token<'_>>, Unreadable> {
        loop {
            self.token = self.position;
            if self.position() == 0 && self.begins_with(BYTE_ORDER_MARK)? {
                self.position += BYTE_ORDER_MARK.len();
                continue;
            }
            match self.window().first().copied() {
                Some(b'<') => {
                    if let Some(found) = self.markup()? {
                        return Ok(Some(self.take(&found)));
                    }
                }
                Some(_) => {
                    let end = self.text_end()?;
                    self.position += end;
                    return Ok(Some(Token::Text(&self.buffer[self.token..self.position])));
                }
                None if !self.fill()? => return Ok(None),
                None => {}
            }
        }
    }

    fn window(&self) -> &[u8] {
        &self.buffer[self.position..self.filled]
    }

    fn begins_with(&mut self, start: &[u8]) -> io::Result<bool> {
        loop {
            let window = self.window();
            let common = window.len().min(start.len());
            if window[..common] != start[..common] {
                return Ok(false);
            }
            if common == start.len() {
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    fn text_end(&mut self) -> io::Result<usize> {
        let mut searched = 0;
        loop {
            let window = self.window();
            if let Some(at) = memchr(b'<', &window[searched..]) {
                return Ok((searched + at).min(TEXT_BYTES_MAX));
            }
            searched = window.len();
            if searched >= TEXT_BYTES_MAX {
                return Ok(TEXT_BYTES_MAX);
            }
            if !self.fill()? {
                return Ok(searched);
            }
        }
    }

    fn skip_comment(&mut self) -> Result<(), Unreadable> {
        const END: &[u8] = b"-->";
        self.position += 4;
        loop {
            self.token = self.position;
            if let Some(at) = memmem::find(self.window(), END) {
                self.position += at + END.len();
                return Ok(());
            }
            let passed = self.window().len().saturating_sub(END.len() - 1);
            self.position += passed;
            self.token = self.position;
            if !self.fill()? {
                return Err(Unreadable::Truncated);
            }
        }
    }

    /// What begins with `<`; none for what is passed over.
    fn markup(&mut self) -> Result<Option<Found>, Unreadable> {
        while self.window().len() < 2 {
            if !self.fill()? {
                return Err(Unreadable::Truncated);
            }
        }
        match self.window()[1] {
            b'/' => {
                let end = self.close_end()?;
                Ok(Some(Found::new(Kind::Close, 2..end, end + 1)))
            }
            b'?' => self.instruction(),
            b'!' => self.declaration(),
            _ => self.element().map(Some),
        }
    }

    fn instruction(&mut self) -> Result<Option<Found>, Unreadable> {
        let end = self.find(b"?>", 2)?;
        if self.window().starts_with(b"<?xml ") {
            return Ok(Some(Found::new(Kind::Declaration, 5..end, end + 2)));
        }
        self.position += end + 2;
        Ok(None)
    }

    fn declaration(&mut self) -> Result<Option<Found>, Unreadable> {
        if self.begins_with(b"<!--")? {
            self.skip_comment()?;
            return Ok(None);
        }
        if self.begins_with(b"<![CDATA[")? {
            let end = self.find(b"]]>", 9)?;
            return Ok(Some(Found::new(Kind::Raw, 9..end, end + 3)));
        }
        let end = self.document_type_end()?;
        Ok(Some(Found::new(Kind::DocumentType, 0..0, end)))
    }

    fn element(&mut self) -> Result<Found, Unreadable> {
        let end = self.tag_end()?;
        let window = self.window();
        let is_empty = window[end - 1] == b'/';
        let content = 1..if is_empty { end - 1 } else { end };
        let name = name_of(&window[content.clone()]);
        if name.is_empty() || memchr(b'<', name).is_some() {
            let shown = &window[..window.len().min(40).min(end + 1)];
            let message = format!("`{}` is no tag", shown.escape_ascii());
            return Err(Unreadable::Malformed(message));
        }
        Ok(Found::new(Kind::Open { is_empty }, content, end + 1))
    }

    /// The `>` of a tag that ends an element.
    fn close_end(&mut self) -> Result<usize, Unreadable> {
        let mut searched = 2;
        loop {
            let window = self.window();
            if let Some(at) = memchr(b'>', window.get(searched..).unwrap_or_default()) {
                return within_limit(searched + at);
            }
            searched = window.len().max(2);
            within_limit(searched)?;
            if !self.fill()? {
                return Err(Unreadable::Truncated);
            }
        }
    }

    /// Where `needle` begins, seen from the token's first byte; the first `skip` bytes are passed.
    fn find(&mut self, needle: &[u8], skip: usize) -> Result<usize, Unreadable> {
        let mut searched = skip;
        loop {
            let window = self.window();
            if let Some(at) = memmem::find(window.get(searched..).unwrap_or_default(), needle) {
                return within_limit(searched + at);
            }
            searched = window.len().saturating_sub(needle.len() - 1).max(skip);
            within_limit(searched)?;
            if !self.fill()? {
                return Err(Unreadable::Truncated);
            }
        }
    }

    /// The `>` that ends a tag: not one in quotes.
    fn tag_end(&mut self) -> Result<usize, Unreadable> {
        let mut searched = 1;
        let mut quote = None;
        loop {
            let window = self.window();
            while let Some(at) = find_quote_or_end(&window[searched..], quote) {
                let at = searched + at;
                searched = at + 1;
                match (quote, window[at]) {
                    (None, b'>') => return within_limit(at),
                    (None, mark) => quote = Some(mark),
                    (Some(_), _) => quote = None,
                }
            }
            searched = window.len();
            within_limit(searched)?;
            if !self.fill()? {
                return Err(Unreadable::Truncated);
            }
        }
    }

    /// The end of a document type, which may have declarations in brackets.
    fn document_type_end(&mut self) -> Result<usize, Unreadable> {
        let end = self.find(b">", 2)?;
        let has_declarations = memchr(b'[', &self.window()[..end]).is_some();
        if has_declarations {
            let end = self.find(b"]", 2)?;
            return Ok(self.find(b">", end)? + 1);
        }
        Ok(end + 1)
    }

    fn take(&mut self, found: &Found) -> Token<'_> {
        let place = self.place();
        self.position += found.end;
        let bytes = &self.buffer[self.token..self.position];
        let content = &bytes[found.content.clone()];
        match found.kind {
            Kind::Declaration => Token::Declaration(content),
            Kind::Raw => Token::Raw(content),
            Kind::DocumentType => Token::DocumentType,
            Kind::Close => Token::Close(local(content.trim_ascii())),
            Kind::Open { is_empty } => {
                let name = name_of(content);
                Token::Open {
                    name: local(name),
                    attributes: &content[name.len()..],
                    is_empty,
                    place,
                }
            }
        }
    }
}

enum Kind {
    Declaration,
    Raw,
    DocumentType,
    Close,
    Open { is_empty: bool },
}

/// A token's place, seen from its first byte.
struct Found {
    kind: Kind,
    content: Range<usize>,
    end: usize,
}

impl Found {
    fn new(kind: Kind, content: Range<usize>, end: usize) -> Self {
        Self { kind, content, end }
    }
}

fn within_limit(length: usize) -> Result<usize, Unreadable> {
    if length <= TOKEN_BYTES_MAX {
        return Ok(length);
    }
    let message = format!("a tag or section of more than {TOKEN_BYTES_MAX} bytes");
    Err(Unreadable::Malformed(message))
}

fn find_quote_or_end(bytes: &[u8], quote: Option<u8>) -> Option<usize> {
    match quote {
        None => memchr3(b'>', b'"', b'\'', bytes),
        Some(mark) => memchr(mark, bytes),
    }
}

/// The name that a tag begins with.
fn name_of(content: &[u8]) -> &[u8] {
    let end = content.iter().position(u8::is_ascii_whitespace);
    &content[..end.unwrap_or(content.len())]
}

/// A name without its prefix.
fn local(name: &[u8]) -> &[u8] {
    memchr(b':', name).map_or(name, |colon| &name[colon + 1..])
}

/// Calls `visit` with the name and the value of each attribute.
pub(crate) fn each_attribute<'a>(attributes: &'a [u8], mut visit: impl FnMut(&'a [u8], &'a [u8])) {
    let mut rest = attributes;
    while let Some(equals) = memchr(b'=', rest) {
        let name = rest[..equals].trim_ascii();
        let value = rest[equals + 1..].trim_ascii_start();
        let Some(&quote) = value.first() else { return };
        let Some(end) = memchr(quote, &value[1..]) else {
            return;
        };
        visit(name, &value[1..=end]);
        rest = &value[end + 2..];
    }
}

/// The value of the attribute of this name, or nothing.
pub(super) fn attribute<'a>(attributes: &'a [u8], name: &[u8]) -> &'a [u8] {
    let mut found: &[u8] = b"";
    each_attribute(attributes, |key, value| {
        if key == name {
            found = value;
        }
    });
    found
}

fn read_some(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
