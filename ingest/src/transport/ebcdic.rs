//! EBCDIC as Latin-1: files of mainframes, most of them with records of one length and no line ends.

use std::io::{self, Read};

/// Bytes of text that it takes to tell.
const TEXT_BYTES_MIN: usize = 16;

/// Latin-1's characters at their places in code page 037; new line and line feed are both LF.
pub(crate) const LATIN_OF_EBCDIC: &[u8; 256] = b"\
\x00\x01\x02\x03\x9c\x09\x86\x7f\x97\x8d\x8e\x0b\x0c\x0d\x0e\x0f\
\x10\x11\x12\x13\x9d\x0a\x08\x87\x18\x19\x92\x8f\x1c\x1d\x1e\x1f\
\x80\x81\x82\x83\x84\x0a\x17\x1b\x88\x89\x8a\x8b\x8c\x05\x06\x07\
\x90\x91\x16\x93\x94\x95\x96\x04\x98\x99\x9a\x9b\x14\x15\x9e\x1a\
\x20\xa0\xe2\xe4\xe0\xe1\xe3\xe5\xe7\xf1\xa2.<(+|\
&\xe9\xea\xeb\xe8\xed\xee\xef\xec\xdf!$*);\xac\
-/\xc2\xc4\xc0\xc1\xc3\xc5\xc7\xd1\xa6,%_>?\
\xf8\xc9\xca\xcb\xc8\xcd\xce\xcf\xcc`:#@'=\"\
\xd8abcdefghi\xab\xbb\xf0\xfd\xfe\xb1\
\xb0jklmnopqr\xaa\xba\xe6\xb8\xc6\xa4\
\xb5~stuvwxyz\xa1\xbf\xd0\xdd\xde\xae\
^\xa3\xa5\xb7\xa9\xa7\xb6\xbc\xbd\xbe[]\xaf\xa8\xb4\xd7\
{ABCDEFGHI\xad\xf4\xf6\xf2\xf3\xf5\
}JKLMNOPQR\xb9\xfb\xfc\xf9\xfa\xff\
\\\xf7STUVWXYZ\xb2\xd4\xd6\xd2\xd3\xd5\
0123456789\xb3\xdb\xdc\xd9\xda\x9f";

/// Whether `head` is text in EBCDIC. Its letters and digits are where ASCII has nothing, and ASCII's
/// blank and digits are where EBCDIC has none that text is made of.
pub(super) fn is_text(head: &[u8]) -> bool {
    if head.len() < TEXT_BYTES_MIN {
        return false;
    }
    let is_word = |byte: &&u8| **byte > 0x80 && latin(**byte).is_ascii_alphanumeric();
    let words = head.iter().filter(is_word).count();
    let is_text = |&byte: &u8| {
        let character = latin(byte);
        matches!(byte, 0x05 | 0x0d | 0x15 | 0x25)
            || byte >= 0x40 && (character == b' ' || character.is_ascii_graphic())
    };
    words * 5 >= head.len() && head.iter().all(is_text)
}

fn latin(byte: u8) -> u8 {
    LATIN_OF_EBCDIC[usize::from(byte)]
}

/// Decodes as it reads, byte by byte.
pub(super) struct Ebcdic<R>(pub R);

impl<R: Read> Read for Ebcdic<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        for byte in &mut buffer[..read] {
            *byte = latin(*byte);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Vec<u8> {
        let place = |byte| LATIN_OF_EBCDIC.iter().rposition(|&known| known == byte);
        text.bytes()
            .filter_map(place)
            .map(|place| place as u8)
            .collect()
    }

    #[test]
    fn text_is_told_and_read() {
        let text = "101 091000019 1234567892603160930A094101DEST NAME              ORIGIN";
        let bytes = written(text);
        assert_eq!(&bytes[..5], b"\xf1\xf0\xf1\x40\xf0");
        assert!(is_text(&bytes));
        let mut read = String::new();
        let count = Ebcdic(&bytes[..]).read_to_string(&mut read);
        assert_eq!((count.ok(), &*read), (Some(text.len()), text));
    }

    #[test]
    fn other_bytes_are_not() {
        let cyrillic =
            "\u{41f}\u{43b}\u{430}\u{442}\u{435}\u{436} 42 \u{440}\u{443}\u{431}\u{43b}\u{44f}";
        for bytes in [
            &b"PAYMENT.OF(INVOICE)<42>"[..],
            b"01,091000019,4400128871,260316",
            // An image cash letter with lengths, whose reader knows both character sets.
            &[&[0, 0, 0, 80], &*written("0103T0910000190210000212026")].concat(),
            &written("                    A"),
            &[0xf1; 15],
            cyrillic.as_bytes(),
        ] {
            assert!(!is_text(bytes), "{bytes:?}");
        }
    }
}
