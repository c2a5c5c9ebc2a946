//! One segment and its elements.

use std::borrow::Cow;

use super::separators::Separators;
use crate::lines::Line;
use crate::rows::decode;

/// A segment's name in capitals, filled up with blanks.
pub(super) type Tag = [u8; 3];

/// One segment, without what ends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub tag: Tag,
    /// What stands in it, without line breaks.
    pub text: &'a [u8],
    /// Its bytes as they stand.
    pub raw: &'a [u8],
    /// The line of its first byte, from 1.
    pub line: u64,
    /// Offset of its first byte.
    pub start: u64,
    /// Offset after its last byte.
    pub end: u64,
    pub separators: Separators,
    /// Something ended it other than the end of the file.
    pub is_terminated: bool,
    /// It was longer than the limit.
    pub is_cut: bool,
}

impl<'a> Segment<'a> {
    /// The elements after the name, without blanks around them.
    pub fn elements(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let element = self.separators.element;
        let elements = self.text.split(move |&byte| byte == element);
        elements.skip(1).map(<[u8]>::trim_ascii)
    }

    /// The element of this number, counted from 1; empty if it is absent.
    pub fn element(&self, number: usize) -> &'a [u8] {
        self.elements().nth(number - 1).unwrap_or_default()
    }

    /// The first elements in one pass, for segments that come by the million.
    pub fn first<const COUNT: usize>(&self) -> [&'a [u8]; COUNT] {
        let mut first = [&[][..]; COUNT];
        for (place, element) in first.iter_mut().zip(self.elements()) {
            *place = element;
        }
        first
    }

    /// The element as text.
    pub fn text(&self, number: usize) -> Cow<'a, str> {
        decode(self.element(number))
    }

    /// The components of an element; the second is empty if there is one only.
    pub fn components(&self, number: usize) -> (&'a [u8], &'a [u8]) {
        let component = self.separators.component;
        let mut parts = self.element(number).split(|&byte| byte == component);
        let first = parts.next().unwrap_or_default();
        (first, parts.next().unwrap_or_default())
    }

    /// The bytes in the file, as quarantine keeps them.
    pub fn line(&self) -> Line<'a> {
        Line {
            number: self.line,
            start: self.start,
            end: self.end,
            bytes: self.raw,
            is_cut: self.is_cut,
        }
    }
}

/// The name of the segment `text`; one that no segment has if it is too long or too short.
pub(super) fn tag_of(text: &[u8], element: u8) -> Tag {
    let mut tag = *b"   ";
    let name = text.iter().take(4).take_while(|&&byte| byte != element);
    for (place, &byte) in name.enumerate() {
        match tag.get_mut(place) {
            Some(slot) if byte.is_ascii_alphanumeric() => *slot = byte.to_ascii_uppercase(),
            _ => return *b"   ",
        }
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case() {
        assert_eq!(tag_of(b"n1*PR", b'*'), *b"N1 ");
        assert_eq!(tag_of(b"RMR*IV", b'*'), *b"RMR");
        assert_eq!(tag_of(b"SE", b'*'), *b"SE ");
        assert_eq!(tag_of(b"RMRX*IV", b'*'), *b"   ");
        assert_eq!(tag_of(b"N-*1", b'*'), *b"   ");
    }
}
