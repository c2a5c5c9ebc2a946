//! The list of formats, and the choice among them.

use crate::format::Format;

/// Bytes of a file's beginning by which it is recognised.
pub const HEAD_BYTES: usize = 64 * 1024;

/// Every format.
pub static FORMATS: &[&dyn Format] = &[];

/// The format of a file that begins with `head`, if one knows it.
pub fn recognize(head: &[u8]) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.recognizes(head))
}
