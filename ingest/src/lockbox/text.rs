//! Characters of fixed-column lines: one byte each, whatever the file's character set.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

/// What a line's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CharacterSet {
    /// ASCII, or UTF-8 whose characters all have one byte in Windows-1252.
    Usual,
    /// Not UTF-8; taken as Windows-1252.
    Windows1252,
    /// UTF-8 with characters that become question marks.
    Other,
}

/// The line with one Windows-1252 byte per character, so that columns count characters.
#[inline]
pub(super) fn one_byte_each<'a>(
    line: &'a [u8],
    scratch: &'a mut Vec<u8>,
) -> (&'a [u8], CharacterSet) {
    if line.is_ascii() {
        return (line, CharacterSet::Usual);
    }
    let Ok(text) = std::str::from_utf8(line) else {
        return (line, CharacterSet::Windows1252);
    };
    scratch.clear();
    let mut set = CharacterSet::Usual;
    for character in text.chars() {
        let byte = windows_1252(character).unwrap_or_else(|| {
            set = CharacterSet::Other;
            b'?'
        });
        scratch.push(byte);
    }
    (scratch, set)
}

fn windows_1252(character: char) -> Option<u8> {
    let mut utf8 = [0; 4];
    let (bytes, _, unmappable) = WINDOWS_1252.encode(character.encode_utf8(&mut utf8));
    match (bytes.as_ref(), unmappable) {
        ([byte], false) => Some(*byte),
        _ => None,
    }
}

/// The text of bytes that [`one_byte_each`] gave.
#[inline]
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => Cow::Borrowed(text),
        _ => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_keep_their_columns() {
        let mut scratch = Vec::new();
        for (line, set, text) in [
            (&b"ACME"[..], CharacterSet::Usual, "ACME"),
            (
                "CAF\u{c9} \u{20ac}".as_bytes(),
                CharacterSet::Usual,
                "CAF\u{c9} \u{20ac}",
            ),
            (
                b"CAF\xc9 \x80",
                CharacterSet::Windows1252,
                "CAF\u{c9} \u{20ac}",
            ),
            ("\u{6771}X".as_bytes(), CharacterSet::Other, "?X"),
        ] {
            let (bytes, found) = one_byte_each(line, &mut scratch);
            assert_eq!(found, set);
            assert_eq!(bytes.len(), text.chars().count());
            assert_eq!(decode(bytes), text);
        }
    }
}
