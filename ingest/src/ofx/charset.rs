//! Which character set an OFX file says it has, and text in it.

use std::borrow::Cow;

use encoding_rs::{Encoding, WINDOWS_1252};
use memchr::memchr2;

/// The character set of a file's text, where it is not UTF-8.
pub(super) struct Charset {
    declared: &'static Encoding,
    /// The first line that is not UTF-8, and how many values there are.
    pub converted: Option<(u64, u64)>,
}

impl Default for Charset {
    fn default() -> Self {
        Self {
            declared: WINDOWS_1252,
            converted: None,
        }
    }
}

impl Charset {
    pub fn name(&self) -> &'static str {
        self.declared.name()
    }

    /// Reads what stands before the `<OFX>`: `CHARSET:1252` of version 1, `encoding="..."` of
    /// version 2. Programs write them wrongly, so that they count only for text that is not
    /// UTF-8.
    pub fn declare(&mut self, header: &[u8]) {
        let header = String::from_utf8_lossy(header).to_ascii_lowercase();
        let named = ["charset:", "encoding="].into_iter().find_map(|key| {
            let value = header
                .split(key)
                .nth(1)?
                .trim_start_matches(['"', '\'', ' ']);
            let is_name =
                |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
            value.split(|character| !is_name(character)).next()
        });
        // In a header on one line the next key follows at once.
        let named = named.map(|name| name.strip_suffix("compression").unwrap_or(name));
        let Some(named) = named else { return };
        let page = format!("windows-{named}");
        let found =
            Encoding::for_label(named.as_bytes()).or_else(|| Encoding::for_label(page.as_bytes()));
        // UTF-16 was read as such before, or is not what the bytes are.
        let found = found.filter(|encoding| encoding.is_ascii_compatible());
        self.declared = found
            .filter(|encoding| *encoding != encoding_rs::UTF_8)
            .unwrap_or(self.declared);
    }

    /// The text of a value that stands on `line`, with entities resolved and blanks at its ends
    /// taken off.
    pub fn text<'a>(&mut self, bytes: &'a [u8], line: u64) -> Cow<'a, str> {
        let bytes = bytes.trim_ascii();
        if let Ok(text) = std::str::from_utf8(bytes) {
            return on_one_line(Cow::Borrowed(text));
        }
        self.converted.get_or_insert((line, 0)).1 += 1;
        on_one_line(self.declared.decode_without_bom_handling(bytes).0)
    }
}

/// The text with a blank for each break of a line.
fn on_one_line(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr2(b'\r', b'\n', text.as_bytes()).is_none() {
        return text;
    }
    let is_break = |character: char| matches!(character, '\r' | '\n');
    let lines: Vec<&str> = text
        .split(is_break)
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    Cow::Owned(lines.join(" "))
}

/// Appends `text` to `value` with entities resolved; what is none, such as a bare `&`, stays.
pub(super) fn append_resolved(value: &mut Vec<u8>, text: &[u8]) {
    let mut pieces = text.split(|&byte| byte == b'&');
    value.extend_from_slice(pieces.next().unwrap_or_default());
    for piece in pieces {
        if let Some((character, length)) = entity(piece) {
            let mut room = [0; 4];
            value.extend_from_slice(character.encode_utf8(&mut room).as_bytes());
            value.extend_from_slice(&piece[length..]);
        } else {
            value.push(b'&');
            value.extend_from_slice(piece);
        }
    }
}

/// The character of the entity whose name `piece` begins with, and the name's length with `;`.
fn entity(piece: &[u8]) -> Option<(char, usize)> {
    let end = piece.iter().take(10).position(|&byte| byte == b';')?;
    let name = std::str::from_utf8(&piece[..end]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        _ => numbered(name)?,
    };
    Some((character, end + 1))
}

fn numbered(name: &str) -> Option<char> {
    let digits = name.strip_prefix('#')?;
    let number = match digits.strip_prefix(['x', 'X']) {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => digits.parse().ok()?,
    };
    char::from_u32(number).filter(|character| !character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_resolved_and_bare_ampersands_stay() {
        let resolved = |text: &str| {
            let mut value = Vec::new();
            append_resolved(&mut value, text.as_bytes());
            String::from_utf8_lossy(&value).into_owned()
        };
        assert_eq!(resolved("A &amp; B & C"), "A & B & C");
        assert_eq!(resolved("x&lt;y&#233;&#xe9;&bogus;&"), "x<yéé&bogus;&");
        assert_eq!(resolved("a&amp;lt;b"), "a&lt;b");
    }

    #[test]
    fn declared_sets_count_for_what_is_not_utf_8() {
        for (header, text) in [
            ("OFXHEADER:100\nCHARSET:1251\n", "Счёт"),
            ("CHARSET:1251COMPRESSION:NONE", "Счёт"),
            ("?xml version=\"1.0\" encoding=\"windows-1251\"?", "Счёт"),
            ("CHARSET:NONE", "Ñ÷¸ò"),
        ] {
            let mut charset = Charset::default();
            charset.declare(header.as_bytes());
            assert_eq!(charset.text(b"\xd1\xf7\xb8\xf2", 7), text, "{header}");
            assert_eq!(charset.converted, Some((7, 1)));
            assert_eq!(charset.text("é\r\n  b ".as_bytes(), 8), "é b");
        }
    }
}
