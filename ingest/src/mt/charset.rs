//! The character set of a line's text, where it is not UTF-8.
//!
//! Messages do not name it. Banks of Central Europe write ISO 8859-2 or the code page of their
//! DOS systems (852), others Windows-1252; the letters and the currency tell which.

use std::borrow::Cow;

use encoding_rs::{ISO_8859_2, WINDOWS_1252};
use tieout_core::Currency;

/// Currencies whose countries write letters that Windows-1252 does not have.
const CENTRAL_EUROPEAN: [&str; 7] = ["CZK", "HRK", "HUF", "PLN", "RON", "RSD", "BAM"];

/// The upper half of code page 852.
const CODE_PAGE_852: &str = "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»\
                             ░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀\
                             ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";

/// How bytes above ASCII are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    Utf8,
    Windows1252,
    Latin2,
    CodePage852,
}

impl Charset {
    /// The character set of `texts`, which belong together.
    pub fn of(texts: &[&[u8]], currency: Currency) -> Self {
        if texts.iter().all(|text| std::str::from_utf8(text).is_ok()) {
            return Self::Utf8;
        }
        if !CENTRAL_EUROPEAN.contains(&currency.as_str()) {
            return Self::Windows1252;
        }
        let bytes = || texts.iter().copied().flatten();
        // Letters of the one stand where the other has few or none.
        let dos = bytes().filter(|byte| matches!(byte, 0x80..=0xaf)).count();
        let latin = bytes().filter(|byte| matches!(byte, 0xc0..)).count();
        if dos > latin {
            Self::CodePage852
        } else {
            Self::Latin2
        }
    }

    /// The text of `bytes`.
    pub fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return Cow::Borrowed(text);
        }
        match self {
            Self::Utf8 | Self::Windows1252 => WINDOWS_1252.decode_without_bom_handling(bytes).0,
            Self::Latin2 => ISO_8859_2.decode_without_bom_handling(bytes).0,
            Self::CodePage852 => bytes.iter().map(|&byte| of_code_page_852(byte)).collect(),
        }
    }
}

fn of_code_page_852(byte: u8) -> char {
    match byte.checked_sub(0x80) {
        Some(place) => CODE_PAGE_852
            .chars()
            .nth(place.into())
            .unwrap_or('\u{fffd}'),
        None => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(bytes: &[u8], currency: &str) -> (Charset, String) {
        let charset = Charset::of(&[bytes], currency.parse().unwrap());
        (charset, charset.decode(bytes).into_owned())
    }

    #[test]
    fn letters_and_currency_tell_the_character_set() {
        assert_eq!(CODE_PAGE_852.chars().count(), 128);
        for (bytes, currency, charset, text) in [
            (&b"\xc3\xa4"[..], "HUF", Charset::Utf8, "ä"),
            (b"Geb\xfchr", "EUR", Charset::Windows1252, "Gebühr"),
            (b"\xe1tutal\xe1s \xf5", "HUF", Charset::Latin2, "átutalás ő"),
            (
                b"\xa0tutal\xa0s \x8b",
                "HUF",
                Charset::CodePage852,
                "átutalás ő",
            ),
            (b"p\xb3atno\xb6\xe6", "PLN", Charset::Latin2, "płatność"),
        ] {
            assert_eq!(read(bytes, currency), (charset, text.to_owned()));
        }
    }
}
