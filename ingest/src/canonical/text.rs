//! Text from bytes of UTF-8 or of an older character set.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;

/// The text, and whether it had to be converted.
///
/// What is not UTF-8 is read as Windows-1252, where every byte is a character: nothing is lost.
pub(super) fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(bytes).0, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_becomes_a_character() {
        assert_eq!(decode("é".as_bytes()), (Cow::Borrowed("é"), false));
        assert_eq!(decode(b"Caf\xe9 \x80"), (Cow::Borrowed("Café €"), true));
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(decode(&all).0.chars().count(), 256);
    }
}
