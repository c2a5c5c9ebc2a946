//! Text of files that are older than Unicode.

use std::borrow::Cow;

use crate::rows;

/// What code page 850 has from 0x80 to 0xA8, where its letters of western Europe are.
const CODE_PAGE_850: [char; 41] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', 'É', 'æ', 'Æ',
    'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', 'ø', '£', 'Ø', '×', 'ƒ', 'á', 'í', 'ó', 'ú', 'ñ', 'Ñ',
    'ª', 'º', '¿',
];

/// The text of `bytes`: UTF-8, else code page 850 if every byte that is not ASCII is a letter
/// there and a sign in Windows-1252, else Windows-1252.
#[inline]
pub(crate) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if is_code_page_850(bytes) => {
            Cow::Owned(bytes.iter().map(|&byte| letter(byte)).collect())
        }
        Err(_) => rows::decode(bytes),
    }
}

fn is_code_page_850(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte <= 0xa8)
}

fn letter(byte: u8) -> char {
    let place = usize::from(byte).checked_sub(0x80);
    let letter = place.and_then(|place| CODE_PAGE_850.get(place));
    letter.copied().unwrap_or(char::from(byte))
}

/// A record in UTF-8 whose columns are counted in characters, with one byte a character.
pub(super) fn one_byte_a_character(bytes: &[u8], width: usize) -> Cow<'_, [u8]> {
    if bytes.is_ascii() || bytes.len() == width {
        return Cow::Borrowed(bytes);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text.chars().map(latin).collect()),
        Err(_) => Cow::Borrowed(bytes),
    }
}

fn latin(character: char) -> u8 {
    u8::try_from(u32::from(character)).unwrap_or(b'?')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_character_sets_apart() {
        assert_eq!(decode(b"MU\xa5OZ IB\xa0\xa5EZ"), "MUÑOZ IBáÑEZ");
        assert_eq!(decode(b"MU\xd1OZ N\xba 4"), "MUÑOZ Nº 4");
        assert_eq!(decode("MUÑOZ".as_bytes()), "MUÑOZ");
        assert_eq!(one_byte_a_character("Ñ1".as_bytes(), 2), &b"\xd11"[..]);
        assert_eq!(one_byte_a_character("Ñ1".as_bytes(), 3), "Ñ1".as_bytes());
    }
}
