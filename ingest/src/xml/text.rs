//! Bytes of a document to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::scanner::attribute;

/// The character set of a document.
#[derive(Default)]
pub(super) struct Characters {
    /// What it declares, if that is not UTF-8.
    encoding: Option<&'static Encoding>,
    /// A character set that it declares and nobody knows.
    pub unknown: Option<String>,
    /// Line of the first text that is not of the character set, and how many there are.
    pub converted: Option<(u64, u64)>,
    /// How many there are since the last line was told.
    converted_here: u64,
}

impl Characters {
    /// Takes the character set from an XML declaration.
    pub fn declare(&mut self, declaration: &[u8]) {
        let label = attribute(declaration, b"encoding");
        if label.is_empty() {
            return;
        }
        match Encoding::for_label(label) {
            // What was UTF-16 arrives here as UTF-8.
            Some(known) if [UTF_8, UTF_16LE, UTF_16BE].contains(&known) => self.encoding = None,
            Some(known) => self.encoding = Some(known),
            None => self.unknown = Some(String::from_utf8_lossy(label).into_owned()),
        }
    }

    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, str> {
        if let Some(encoding) = self.encoding {
            return encoding.decode_without_bom_handling(bytes).0;
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Cow::Borrowed(text);
        }
        self.converted_here += 1;
        WINDOWS_1252.decode_without_bom_handling(bytes).0
    }

    /// Says on which line the texts since the last call are.
    pub fn place(&mut self, line: u64) {
        if self.converted_here > 0 {
            self.converted.get_or_insert((line, 0)).1 += self.converted_here;
            self.converted_here = 0;
        }
    }
}

/// Appends `text` with its references resolved. A reference to an entity that a document type
/// would have to define stays as it is written.
pub(super) fn push_resolved(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let found = end.and_then(|end| Some((end, referenced(&rest[1..end])?)));
        let (end, character) = found.unwrap_or((0, '&'));
        out.push(character);
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
}

fn referenced(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}
