//! XML as a stream: one element at a time, in bounded memory, whatever the size of the file.
//!
//! [`scanner`] cuts the bytes into tokens, [`XmlReader`] checks that elements nest, and reads
//! those that a format asks for into a [`Tree`], whose memory is used again for the next.
//! Prefixes of namespaces are dropped from names. Nothing is ever expanded: a document type is
//! skipped, and references to entities other than XML's own five stay as they are written.

mod scanner;
mod text;
mod tree;

use std::io::{self, Read};

use crate::lines::Line;
pub(crate) use scanner::each_attribute;
use scanner::{Scanner, Token, Unreadable};
use text::Characters;
pub(crate) use tree::{Element, Tree};

/// Elements that may be open at a time.
const DEPTH_MAX: usize = 128;
/// Namespaces that are remembered.
const NAMESPACES_MAX: usize = 64;

/// Why no more of a document can be read.
#[derive(Debug)]
pub(crate) enum XmlError {
    /// The operating system refused.
    Io(io::Error),
    /// The bytes are not XML that nests; what was found.
    Malformed(String),
    /// The file ends inside an element.
    Truncated,
}

impl From<Unreadable> for XmlError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Io(error) => Self::Io(error),
            Unreadable::Malformed(message) => Self::Malformed(message),
            Unreadable::Truncated => Self::Truncated,
        }
    }
}

/// The next step through a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// An element begins; [`XmlReader::name`] is its name.
    Open,
    /// The innermost element ends.
    Close,
    /// Text that is more than white space, where only elements are expected.
    Text,
    /// The file ends, with no element open.
    End,
}

/// How an element was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it is in the tree.
    Whole,
    /// It is larger than a tree may be; the tree holds its beginning.
    Cut,
    /// It is large and goes on: the tree holds what it had so far of the many equal parts that
    /// make it large, and [`XmlReader::read_on`] replaces them by the next ones.
    Paused,
}

/// The names of the elements that are open.
#[derive(Default)]
struct Nesting {
    names: Vec<u8>,
    ends: Vec<usize>,
}

impl Nesting {
    fn push(&mut self, name: &[u8]) {
        self.names.extend_from_slice(name);
        self.ends.push(self.names.len());
    }

    fn innermost(&self) -> &[u8] {
        let start = self.ends.iter().rev().nth(1).copied().unwrap_or(0);
        self.names.get(start..).unwrap_or_default()
    }

    fn pop(&mut self) {
        self.ends.pop();
        self.names.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// Reads a document step by step.
pub(crate) struct XmlReader<R> {
    scanner: Scanner<R>,
    nesting: Nesting,
    characters: Characters,
    /// The element that was opened last has no content.
    is_empty: bool,
    /// How many elements are open with the one that a tree is read of.
    depth: usize,
    /// Namespaces that are declared outside of trees, at most [`NAMESPACES_MAX`].
    namespaces: Vec<String>,
    /// Line of the first document type, if there is one.
    pub document_type: Option<u64>,
}

impl<R: Read> XmlReader<R> {
    /// Reads `source`, asking for `chunk_bytes` at a time.
    pub fn new(source: R, chunk_bytes: usize) -> Self {
        Self {
            scanner: Scanner::new(source, chunk_bytes),
            nesting: Nesting::default(),
            characters: Characters::default(),
            is_empty: false,
            depth: 0,
            namespaces: Vec::new(),
            document_type: None,
        }
    }

    /// The local name of the innermost open element.
    pub fn name(&self) -> &str {
        std::str::from_utf8(self.nesting.innermost()).unwrap_or_default()
    }

    /// Namespaces that were declared, the last one first.
    pub fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.namespaces.iter().rev().map(String::as_str)
    }

    /// Line number, from 1, of the token read last.
    pub fn line(&mut self) -> u64 {
        self.scanner.token_line()
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.scanner.bytes()
    }

    /// Lines read so far, at the end of the file.
    pub fn lines(&mut self) -> u64 {
        self.scanner.lines()
    }

    /// Line of the first text that was not of the declared character set, and how many there are.
    pub fn converted(&self) -> Option<(u64, u64)> {
        self.characters.converted
    }

    /// The declared character set, if it is not known.
    pub fn unknown_encoding(&self) -> Option<&str> {
        self.characters.unknown.as_deref()
    }

    /// Keeps the bytes from the token read last on, for [`XmlReader::kept`].
    pub fn keep(&mut self) {
        self.scanner.keep();
    }

    /// What was kept, as a piece of the file for quarantine.
    pub fn kept(&mut self) -> Line<'_> {
        self.scanner.kept()
    }

    /// Reads on to the end of the file without looking.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn skip_rest(&mut self) -> io::Result<()> {
        self.scanner.skip_rest()
    }

    /// The next step.
    ///
    /// # Errors
    /// An [`XmlError`]; nothing can be read after it.
    pub fn step(&mut self) -> Result<Step, XmlError> {
        if std::mem::take(&mut self.is_empty) {
            self.nesting.pop();
            return Ok(Step::Close);
        }
        loop {
            let Some(token) = self.scanner.next()? else {
                return if self.nesting.ends.is_empty() {
                    Ok(Step::End)
                } else {
                    Err(XmlError::Truncated)
                };
            };
            match token {
                Token::Open {
                    name,
                    attributes,
                    is_empty,
                    ..
                } => {
                    self.is_empty = is_empty;
                    add_namespaces(&mut self.namespaces, attributes);
                    open(&mut self.nesting, name)?;
                    return Ok(Step::Open);
                }
                Token::Close(name) => {
                    close(&mut self.nesting, name)?;
                    return Ok(Step::Close);
                }
                Token::Text(text) | Token::Raw(text) if !is_blank(text) => {
                    return Ok(Step::Text);
                }
                Token::Text(_) | Token::Raw(_) => {}
                Token::Declaration(content) => self.characters.declare(content),
                Token::DocumentType => self.note_document_type(),
            }
        }
    }

    fn note_document_type(&mut self) {
        let line = self.scanner.token_line();
        self.document_type.get_or_insert(line);
    }

    /// Reads the element that was opened last to its end, or to a pause.
    ///
    /// # Errors
    /// An [`XmlError`]; nothing can be read after it.
    pub fn read_tree(&mut self, tree: &mut Tree) -> Result<Extent, XmlError> {
        self.depth = self.nesting.ends.len();
        tree.clear();
        tree.open(self.nesting.innermost(), b"", self.scanner.place());
        if std::mem::take(&mut self.is_empty) {
            self.nesting.pop();
            tree.close(self.scanner.position());
            return Ok(Extent::Whole);
        }
        self.fill_tree(tree)
    }

    /// Reads on in an element that was read to a pause.
    ///
    /// # Errors
    /// An [`XmlError`]; nothing can be read after it.
    pub fn read_on(&mut self, tree: &mut Tree) -> Result<Extent, XmlError> {
        tree.release();
        self.fill_tree(tree)
    }

    fn fill_tree(&mut self, tree: &mut Tree) -> Result<Extent, XmlError> {
        while self.nesting.ends.len() >= self.depth {
            let token = self.scanner.next()?.ok_or(XmlError::Truncated)?;
            match token {
                Token::Open {
                    name,
                    attributes,
                    is_empty,
                    place,
                } => {
                    if is_empty {
                        check_depth(&self.nesting)?;
                    } else {
                        open(&mut self.nesting, name)?;
                    }
                    let currency = scanner::attribute(attributes, b"Ccy");
                    tree.open(name, currency, place);
                    if is_empty {
                        tree.close(self.scanner.position());
                    }
                }
                Token::Close(name) => {
                    close(&mut self.nesting, name)?;
                    tree.close(self.scanner.position());
                    if tree.pauses() {
                        self.characters.place(tree.line());
                        return Ok(Extent::Paused);
                    }
                }
                Token::Text(raw) => tree.add_text(raw, &mut self.characters, true),
                Token::Raw(raw) => tree.add_text(raw, &mut self.characters, false),
                Token::Declaration(_) => {}
                Token::DocumentType => self.note_document_type(),
            }
        }
        self.characters.place(tree.line());
        Ok(tree.extent())
    }
}

fn add_namespaces(known: &mut Vec<String>, attributes: &[u8]) {
    each_attribute(attributes, |name, value| {
        if name.starts_with(b"xmlns") {
            if known.len() >= NAMESPACES_MAX {
                known.remove(0);
            }
            known.push(String::from_utf8_lossy(value).into_owned());
        }
    });
}

/// White space, or the padding that some systems write behind a file.
fn is_blank(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1a))
}

fn check_depth(nesting: &Nesting) -> Result<(), XmlError> {
    if nesting.ends.len() < DEPTH_MAX {
        return Ok(());
    }
    let message = format!("elements are nested deeper than {DEPTH_MAX}");
    Err(XmlError::Malformed(message))
}

fn open(nesting: &mut Nesting, name: &[u8]) -> Result<(), XmlError> {
    check_depth(nesting)?;
    nesting.push(name);
    Ok(())
}

fn close(nesting: &mut Nesting, name: &[u8]) -> Result<(), XmlError> {
    if nesting.ends.is_empty() || nesting.innermost() != name {
        return Err(XmlError::Malformed(format!(
            "`</{}>` where `</{}>` is expected",
            name.escape_ascii(),
            nesting.innermost().escape_ascii()
        )));
    }
    nesting.pop();
    Ok(())
}

/// Calls `visit` with the name and the attributes of each element that begins in `head`, until it
/// gives something.
pub(crate) fn visit_opened<T>(
    head: &[u8],
    mut visit: impl FnMut(&[u8], &[u8]) -> Option<T>,
) -> Option<T> {
    let trimmed = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    if !trimmed.trim_ascii_start().starts_with(b"<") {
        return None;
    }
    let mut scanner = Scanner::new(head, head.len());
    while let Ok(Some(token)) = scanner.next() {
        if let Token::Open {
            name, attributes, ..
        } = token
            && let Some(found) = visit(name, attributes)
        {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests;
