//! The character set of a file, as far as it does not have ASCII's bytes.

use std::io::Read;

use super::ebcdic::{self, Ebcdic};
use super::utf16::{ByteOrder, Utf16};

/// How bytes are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Characters {
    /// ASCII's bytes, whatever the others are.
    Ascii,
    Utf16(ByteOrder),
    Ebcdic,
}

impl Characters {
    /// Those of a file that begins with `head`.
    pub fn of(head: &[u8]) -> Self {
        match ByteOrder::of(head) {
            Some(order) => Self::Utf16(order),
            None if ebcdic::is_text(head) => Self::Ebcdic,
            None => Self::Ascii,
        }
    }

    /// The text of `source` in bytes that have ASCII's.
    pub fn decoded(self, source: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        match self {
            Self::Ascii => source,
            Self::Utf16(order) => Box::new(Utf16::new(source, order)),
            Self::Ebcdic => Box::new(Ebcdic(source)),
        }
    }
}
