//! A record that waits for the ones that go with it.

use std::ops::Range;

use crate::lines::Line;

/// A copy of a line. Empty where nothing is kept; its memory is used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    number: u64,
    start: u64,
    end: u64,
    bytes: Vec<u8>,
}

impl Kept {
    pub fn set(&mut self, line: &Line<'_>) {
        self.number = line.number;
        self.start = line.start;
        self.end = line.end;
        self.bytes.clear();
        self.bytes.extend_from_slice(line.bytes);
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    pub fn range(&self) -> Range<u64> {
        self.start..self.end
    }

    pub fn line(&self) -> Line<'_> {
        Line {
            number: self.number,
            start: self.start,
            end: self.end,
            bytes: &self.bytes,
            is_cut: false,
        }
    }
}
