//! The objects of an API's answer, one at a time, whatever wraps them: lines of objects, an array,
//! a page `{"data": [...]}`, a map `{"resources": {...}}`. A single object is an item by itself.

use std::io::{self, Read};

/// Bytes that one item may have; of a longer one the rest is skipped.
pub(super) const ITEM_BYTES_MAX: usize = 1 << 20;
/// Bytes that a key of a wrapper may have.
const KEY_BYTES_MAX: usize = 256;
/// Keys whose array holds the items.
const LISTS: [&str; 7] = [
    "data",
    "edges",
    "items",
    "results",
    "transactions",
    "notificationItems",
    "nodes",
];
/// Keys whose object holds the items as values.
const MAPS: [&str; 1] = ["resources"];

/// One item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub line: u64,
    pub start: u64,
    pub end: u64,
    pub bytes: Vec<u8>,
    pub is_cut: bool,
    /// Whether the file ends within it.
    pub is_open: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrapper {
    /// Items, one after another.
    List,
    /// Keys with items.
    Map,
    /// A page around a list or a map.
    Page,
}

/// Reads items.
pub(super) struct JsonItems<R> {
    source: R,
    buffer: Vec<u8>,
    filled: usize,
    position: usize,
    base: u64,
    line: u64,
    last: Option<u8>,
    wrappers: Vec<Wrapper>,
    /// Keys whose object is a page itself.
    pages: &'static [&'static str],
    /// Lines of pages that say that others follow.
    pub more_pages: Vec<u64>,
}

/// How pages say that others follow.
const MORE: [&str; 2] = ["\"has_more\":true", "\"hasNextPage\":true"];
/// Bytes of a page before its items that are searched for whether other pages follow.
const PAGE_BYTES_MAX: usize = 4_096;
/// Pages that are remembered.
const PAGES_MAX: usize = 1_000;

impl<R: Read> JsonItems<R> {
    /// Reads `source`; below the keys `pages` stand other pages.
    pub fn new(source: R, chunk_bytes: usize, pages: &'static [&'static str]) -> Self {
        Self {
            source,
            buffer: vec![0; chunk_bytes.max(1)],
            filled: 0,
            position: 0,
            base: 0,
            line: 1,
            last: None,
            wrappers: Vec::new(),
            pages,
            more_pages: Vec::new(),
        }
    }

    /// Bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.base + self.position as u64
    }

    /// Lines read so far.
    pub fn lines(&self) -> u64 {
        let is_ended = matches!(self.last, None | Some(b'\r' | b'\n'));
        self.line - u64::from(is_ended)
    }

    /// Whether a wrapper is not closed.
    pub fn is_open(&self) -> bool {
        !self.wrappers.is_empty()
    }

    /// The next item.
    pub fn next_item(&mut self) -> io::Result<Option<Item>> {
        loop {
            let Some(byte) = self.peek()? else {
                return Ok(None);
            };
            match (byte, self.wrappers.last()) {
                (b' ' | b'\t' | b'\r' | b'\n' | b',' | 0 | 0x1a | 0xef | 0xbb | 0xbf, _) => {
                    self.bump();
                }
                (b']' | b'}', Some(_)) => {
                    self.bump();
                    self.wrappers.pop();
                }
                (b'[', None) => {
                    self.bump();
                    self.wrappers.push(Wrapper::List);
                }
                (b'"', Some(Wrapper::Map)) => {
                    self.key()?;
                }
                (b'"', Some(Wrapper::Page)) => self.member_of_page()?,
                (b'{', None) => {
                    if let Some(item) = self.page_or_item()? {
                        return Ok(Some(item));
                    }
                }
                (b']' | b'}', None) => {
                    let mut item = self.begin();
                    self.keep(&mut item);
                    return Ok(Some(self.ended(item)));
                }
                _ => {
                    let mut item = self.begin();
                    self.value(&mut item)?;
                    return Ok(Some(item));
                }
            }
        }
    }

    /// An object that stands by itself: a page, of which the items are read next, or an item.
    fn page_or_item(&mut self) -> io::Result<Option<Item>> {
        let mut item = self.begin();
        self.keep(&mut item);
        loop {
            match self.peek()? {
                None => {
                    item.is_open = true;
                    return Ok(Some(self.ended(item)));
                }
                Some(b'}') => {
                    self.keep(&mut item);
                    return Ok(Some(self.ended(item)));
                }
                Some(b'"') => {
                    let from = item.bytes.len();
                    self.string(&mut item)?;
                    let key = text_of(item.bytes.get(from..));
                    self.reach_value(&mut item)?;
                    if let Some(wrapper) = self.wrapper(&key)? {
                        let head = item.bytes.get(..item.bytes.len().min(PAGE_BYTES_MAX));
                        self.note_page(
                            &String::from_utf8_lossy(head.unwrap_or_default()),
                            item.line,
                        );
                        self.wrappers.push(Wrapper::Page);
                        self.wrappers.push(wrapper);
                        self.bump();
                        return Ok(None);
                    }
                    self.value(&mut item)?;
                }
                Some(_) => self.keep(&mut item),
            }
        }
    }

    /// A key of a page with its value, which is read past unless it holds items.
    fn member_of_page(&mut self) -> io::Result<()> {
        let line = self.line;
        let key = self.key()?;
        if let Some(wrapper) = self.wrapper(&key)? {
            self.bump();
            self.wrappers.push(wrapper);
            return Ok(());
        }
        let mut value = self.begin();
        self.value(&mut value)?;
        self.note_page(&format!("\"{key}\":{}", text_of(Some(&value.bytes))), line);
        Ok(())
    }

    fn note_page(&mut self, text: &str, line: u64) {
        let squeezed: String = text.split_whitespace().collect();
        let is_followed = MORE.iter().any(|more| squeezed.contains(more));
        if is_followed && self.more_pages.len() < PAGES_MAX {
            self.more_pages.push(line);
        }
    }

    /// Reads a key and its colon.
    fn key(&mut self) -> io::Result<String> {
        let mut key = self.begin();
        self.string(&mut key)?;
        let text = text_of(Some(&key.bytes));
        self.reach_value(&mut key)?;
        Ok(text)
    }

    /// Reads past the colon, up to the value.
    fn reach_value(&mut self, item: &mut Item) -> io::Result<()> {
        while let Some(b' ' | b'\t' | b'\r' | b'\n' | b':') = self.peek()? {
            self.keep(item);
        }
        Ok(())
    }

    /// What wraps items, if the value of `key` does.
    fn wrapper(&mut self, key: &str) -> io::Result<Option<Wrapper>> {
        Ok(match self.peek()? {
            Some(b'[') if LISTS.contains(&key) => Some(Wrapper::List),
            Some(b'{') if MAPS.contains(&key) => Some(Wrapper::Map),
            Some(b'{') if self.pages.contains(&key) => Some(Wrapper::Page),
            _ => None,
        })
    }

    /// Reads one value to its end.
    fn value(&mut self, item: &mut Item) -> io::Result<()> {
        match self.peek()? {
            Some(b'"') => self.string(item)?,
            Some(b'{' | b'[') => self.nested(item)?,
            _ => self.scalar(item)?,
        }
        item.end = self.bytes();
        Ok(())
    }

    /// Reads an object or array, which begins here.
    fn nested(&mut self, item: &mut Item) -> io::Result<()> {
        let mut depth = 0_u64;
        while let Some(byte) = self.peek()? {
            match byte {
                b'"' => {
                    self.string(item)?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.keep(item);
            if depth == 0 {
                return Ok(());
            }
        }
        item.is_open = true;
        Ok(())
    }

    /// Reads a number, a word, or what should be one.
    fn scalar(&mut self, item: &mut Item) -> io::Result<()> {
        while let Some(byte) = self.peek()? {
            if b",{}[]\" \t\r\n".contains(&byte) {
                break;
            }
            self.keep(item);
        }
        Ok(())
    }

    fn string(&mut self, item: &mut Item) -> io::Result<()> {
        self.keep(item);
        let mut is_escaped = false;
        while let Some(byte) = self.peek()? {
            self.keep(item);
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => return Ok(()),
                _ => {}
            }
        }
        item.is_open = true;
        Ok(())
    }

    fn begin(&self) -> Item {
        Item {
            line: self.line,
            start: self.bytes(),
            ..Item::default()
        }
    }

    fn ended(&self, item: Item) -> Item {
        Item {
            end: self.bytes(),
            ..item
        }
    }

    /// Takes a byte into the item.
    fn keep(&mut self, item: &mut Item) {
        if let Some(&byte) = self.buffer.get(self.position) {
            if item.bytes.len() < ITEM_BYTES_MAX {
                item.bytes.push(byte);
            } else {
                item.is_cut = true;
            }
        }
        self.bump();
    }

    fn bump(&mut self) {
        let byte = self.buffer.get(self.position).copied();
        let is_end = byte == Some(b'\n') && self.last != Some(b'\r');
        if is_end || byte == Some(b'\r') {
            self.line += 1;
        }
        self.last = byte;
        self.position += 1;
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.position >= self.filled {
            self.base += self.filled as u64;
            self.position = 0;
            self.filled = 0;
            self.filled = read_some(&mut self.source, &mut self.buffer)?;
            if self.filled == 0 {
                return Ok(None);
            }
        }
        Ok(self.buffer.get(self.position).copied())
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

/// Text of a key, without its quotes, or of anything else as it is.
fn text_of(bytes: Option<&[u8]>) -> String {
    let bytes = bytes.unwrap_or_default();
    let text = String::from_utf8_lossy(
        bytes
            .get(..bytes.len().min(KEY_BYTES_MAX))
            .unwrap_or_default(),
    );
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn items(text: &str) -> (Vec<String>, Vec<u64>) {
        let mut texts = Vec::new();
        let mut items = JsonItems::new(text.as_bytes(), 3, &["search"]);
        while let Some(item) = items.next_item().unwrap() {
            assert_eq!(
                &text.as_bytes()[item.start as usize..item.end as usize],
                &item.bytes[..]
            );
            texts.push(String::from_utf8(item.bytes).unwrap());
        }
        assert_eq!(items.bytes(), text.len() as u64);
        (texts, items.more_pages)
    }

    #[test]
    fn items_stand_alone_in_lines_arrays_pages_and_maps() {
        let two = vec!["{\"a\":1}".to_owned(), "{\"b\":[\"}\"]}".to_owned()];
        for text in [
            "{\"a\":1}\n{\"b\":[\"}\"]}\n",
            "[{\"a\":1}, {\"b\":[\"}\"]}]",
            "{\"object\":\"list\",\"data\":[{\"a\":1},{\"b\":[\"}\"]}],\"url\":\"/v1\"}",
            "{\"search\":{\"edges\":[{\"a\":1},{\"b\":[\"}\"]}],\"page\":{}},\"x\":1}",
            "{\"resources\": {\"x\": {\"a\":1}, \"y\":{\"b\":[\"}\"]}}}",
        ] {
            assert_eq!(items(text).0, two, "{text}");
        }
        let event = "{\"object\":\"event\",\"data\":{\"object\":{\"data\":[]}}}";
        assert_eq!(items(event).0, [event]);
    }

    #[test]
    fn pages_say_that_more_follow() {
        assert_eq!(
            items("{\"has_more\": true, \"data\":[]}\n{\"data\":[],\n\"has_more\":true}").1,
            [1, 3]
        );
        assert_eq!(
            items("{\"data\":[{\"has_more\":true}],\"has_more\":false}").1,
            [0; 0]
        );
    }

    #[test]
    fn what_is_cut_off_is_open() {
        let mut items = JsonItems::new(&b"[{\"a\":{\"b\":\"c"[..], 2, &[]);
        assert!(items.next_item().unwrap().unwrap().is_open);
        assert_eq!(items.next_item().unwrap(), None);
        assert!(items.is_open());
    }
}
