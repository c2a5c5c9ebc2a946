//! Tags and text of OFX, be it SGML (version 1) or XML (version 2).
//!
//! Version 1 leaves out the end tags of elements that hold text, writes `&` and `<` bare, and is
//! read here by the same rules as version 2: a tag is `<`, a name, and `>` within
//! [`TAG_BYTES_MAX`] bytes; everything else is text.

use std::io::{self, Read};

use memchr::{memchr, memchr2, memmem};

use crate::stream::ByteStream;

/// Bytes that a tag may have.
pub(super) const TAG_BYTES_MAX: usize = 512;
/// Bytes of text that one token holds; longer text is several tokens.
const TEXT_BYTES_MAX: usize = 64 * 1024;

const COMMENT: &[u8] = b"<!--";
const COMMENT_END: &[u8] = b"-->";
const DATA: &[u8] = b"<![CDATA[";
const DATA_END: &[u8] = b"]]>";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `<NAME>`
    Open(&'a [u8]),
    /// `</NAME>`
    Close(&'a [u8]),
    /// `<NAME/>`
    Empty(&'a [u8]),
    /// Text in which `&amp;` stands for `&`.
    Text(&'a [u8]),
    /// Text of a CDATA section, as it stands.
    Verbatim(&'a [u8]),
    /// `<?xml ... ?>` and the like.
    Instruction(&'a [u8]),
    /// A comment, or the edge of a CDATA section.
    Nothing,
}

/// Where a token stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub line: u64,
    pub start: u64,
    pub end: u64,
}

/// What the next token is, and how many bytes it takes.
#[derive(Clone, Copy)]
enum Found {
    Tag(usize),
    Text(usize),
    Comment,
    Data,
}

/// Reads tokens. Memory stays below the chunk size plus [`TEXT_BYTES_MAX`].
pub(super) struct Tokens<R> {
    stream: ByteStream<R>,
    /// Bytes of the token given last, still to be stepped over.
    taken: usize,
    /// Inside a CDATA section.
    in_data: bool,
}

impl<R: Read> Tokens<R> {
    pub fn new(stream: ByteStream<R>) -> Self {
        Self {
            stream,
            taken: 0,
            in_data: false,
        }
    }

    /// Bytes and lines read so far.
    pub fn size(&self) -> (u64, u64) {
        let unfinished = u64::from(self.stream.is_inside_line());
        (self.stream.offset(), self.stream.line() - 1 + unfinished)
    }

    /// The next token with its place and its bytes as written, or none at the end.
    pub fn read(&mut self) -> io::Result<Option<(Token<'_>, Place, &[u8])>> {
        self.stream.step(std::mem::take(&mut self.taken));
        let start = self.stream.offset();
        let line = self.stream.line();
        if self.stream.window(1)?.is_empty() {
            return Ok(None);
        }
        let found = if self.in_data {
            self.find_data()?
        } else {
            self.find()?
        };
        let place = |length: usize| Place {
            line,
            start,
            end: start + length as u64,
        };
        let (Found::Tag(length) | Found::Text(length)) = found else {
            self.pass_marker(found)?;
            return Ok(Some((Token::Nothing, place(0), b"")));
        };
        self.taken = length;
        let in_data = self.in_data;
        let bytes = &self.stream.window(length)?[..length];
        let token = match found {
            Found::Tag(_) => tag(bytes),
            _ if in_data => Token::Verbatim(bytes),
            _ => Token::Text(bytes),
        };
        Ok(Some((token, place(length), bytes)))
    }

    fn find(&mut self) -> io::Result<Found> {
        let head = self.stream.window(DATA.len())?;
        if head.starts_with(COMMENT) {
            return Ok(Found::Comment);
        }
        if head.starts_with(DATA) {
            return Ok(Found::Data);
        }
        if head.first() == Some(&b'<') {
            if let Some(length) = self.find_tag_end()? {
                return Ok(Found::Tag(length));
            }
            return self.find_text(1);
        }
        self.find_text(0)
    }

    /// Bytes of the tag at the front, if it is one.
    fn find_tag_end(&mut self) -> io::Result<Option<usize>> {
        let window = self.stream.window(2)?;
        let begins = window
            .get(1)
            .is_some_and(|&byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'?' | b'!'));
        if !begins {
            return Ok(None);
        }
        // Most tags are short; only a longer one costs a second look.
        for length in [64, TAG_BYTES_MAX] {
            let window = self.stream.window(length)?;
            let seen = &window[1..window.len().min(length)];
            if let Some(at) = memchr2(b'>', b'<', seen) {
                return Ok((seen[at] == b'>').then_some(at + 2));
            }
        }
        Ok(None)
    }

    /// Text from the front to the next `<`, which is not among the first `from` bytes.
    fn find_text(&mut self, from: usize) -> io::Result<Found> {
        let mut length = 256;
        loop {
            let window = self.stream.window(length)?;
            let seen = &window[..window.len().min(TEXT_BYTES_MAX)];
            if let Some(at) = memchr(b'<', seen.get(from..).unwrap_or_default()) {
                return Ok(Found::Text(from + at));
            }
            if seen.len() == TEXT_BYTES_MAX || window.len() < length {
                return Ok(Found::Text(seen.len()));
            }
            length = (2 * length).min(TEXT_BYTES_MAX);
        }
    }

    /// Text of a CDATA section up to its end.
    fn find_data(&mut self) -> io::Result<Found> {
        let window = self.stream.window(TEXT_BYTES_MAX)?;
        let seen = &window[..window.len().min(TEXT_BYTES_MAX)];
        let found = match memmem::find(seen, DATA_END) {
            Some(0) => Found::Data,
            Some(at) => Found::Text(at),
            // An end that the limit cuts in two belongs to the next token.
            None if seen.len() == TEXT_BYTES_MAX => Found::Text(seen.len() - DATA_END.len()),
            None => Found::Text(seen.len()),
        };
        Ok(found)
    }

    fn pass_marker(&mut self, found: Found) -> io::Result<()> {
        match found {
            Found::Comment => {
                self.stream.step(COMMENT.len());
                self.skip_comment()
            }
            _ if self.in_data => {
                self.in_data = false;
                self.stream.step(DATA_END.len());
                Ok(())
            }
            _ => {
                self.in_data = true;
                self.stream.step(DATA.len());
                Ok(())
            }
        }
    }

    fn skip_comment(&mut self) -> io::Result<()> {
        loop {
            let window = self.stream.window(4_096)?;
            if let Some(at) = memmem::find(window, COMMENT_END) {
                self.stream.step(at + COMMENT_END.len());
                return Ok(());
            }
            let length = window.len();
            if length < 4_096 {
                self.stream.step(length);
                return Ok(());
            }
            self.stream.step(length - COMMENT_END.len());
        }
    }
}

/// The token of `bytes`, which begin with `<` and end with `>`.
fn tag(bytes: &[u8]) -> Token<'_> {
    let inside = bytes.get(1..bytes.len() - 1).unwrap_or_default();
    match inside {
        [b'/', name @ ..] => Token::Close(name.trim_ascii()),
        [b'?' | b'!', ..] => Token::Instruction(inside),
        [name @ .., b'/'] => Token::Empty(name_of(name)),
        name => Token::Open(name_of(name)),
    }
}

/// The name without attributes, which OFX does not have but XML allows.
fn name_of(inside: &[u8]) -> &[u8] {
    let end = inside.iter().position(u8::is_ascii_whitespace);
    &inside[..end.unwrap_or(inside.len())]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn tokens(text: &str, chunk_bytes: usize) -> Vec<String> {
        let mut tokens = Tokens::new(ByteStream::new(text.as_bytes(), chunk_bytes));
        let mut seen = Vec::new();
        while let Some((token, ..)) = tokens.read().unwrap() {
            let (mark, bytes) = match token {
                Token::Open(name) => ('+', name),
                Token::Close(name) => ('-', name),
                Token::Empty(name) => ('/', name),
                Token::Text(text) => ('t', text),
                Token::Verbatim(text) => ('v', text),
                Token::Instruction(text) => ('?', text),
                Token::Nothing => continue,
            };
            seen.push(format!("{mark}{}", String::from_utf8_lossy(bytes)));
        }
        seen
    }

    #[test]
    fn sgml_and_xml_are_told_from_text() {
        for chunk_bytes in [1, 3, 4_096] {
            assert_eq!(
                tokens("<?OFX A=\"1\"?><NAME>A & B < C</NAME><X/>", chunk_bytes),
                ["??OFX A=\"1\"?", "+NAME", "tA & B ", "t< C", "-NAME", "/X"]
            );
            assert_eq!(
                tokens("<A><![CDATA[x<y]]><!-- <B> --><<OFX>", chunk_bytes),
                ["+A", "vx<y", "t<", "+OFX"]
            );
        }
    }

    #[test]
    fn what_never_ends_is_text_or_nothing() {
        let long = format!("<A{}", "x".repeat(TAG_BYTES_MAX));
        assert_eq!(tokens(&long, 7), [format!("t{long}")]);
        assert_eq!(tokens("<!-- never closed", 3), [""; 0]);
        assert_eq!(tokens("<![CDATA[open", 3), ["vopen"]);
        assert_eq!(tokens("<", 1), ["t<"]);
    }
}
