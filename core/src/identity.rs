//! Identity from content: the same line delivered twice is one line, true twins are two.

use std::cell::Cell;
use std::fmt;
use std::str::FromStr;

use ahash::RandomState;
use hashbrown::HashMap;

/// The identity of one bank line or cheque: 128 bits of BLAKE3 over its content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(u128);

impl LineId {
    /// From the sixteen bytes that [`LineId::to_bytes`] gave.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The sixteen bytes, most significant first.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }

    /// The thirty-two hexadecimal digits, as outputs show them.
    pub fn to_hex(self) -> [u8; 32] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = [0; 32];
        for (pair, byte) in hex.chunks_exact_mut(2).zip(self.to_bytes()) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        hex
    }

    /// The identity of the occurrence number `occurrence` (from 0) of identical lines.
    #[must_use]
    pub fn occurrence(self, occurrence: u32) -> Self {
        if occurrence == 0 {
            return self;
        }
        let mut hasher = IdentityHasher::new("occurrence");
        hasher.field(&self.to_bytes());
        hasher.field(&occurrence.to_be_bytes());
        hasher.finish()
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl fmt::Debug for LineId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for LineId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

/// Bytes that the fields of a line usually have.
const FIELDS_BYTES_USUAL: usize = 512;

thread_local! {
    /// Room for the fields of a line, which the lines of a thread use in turn.
    static ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Hashes the fields that make a line what it is.
///
/// Each field is preceded by its length, so that no two lists of fields look alike. The fields
/// are kept until the end: hashing them in one go takes little more than half the time.
pub struct IdentityHasher(Vec<u8>);

impl IdentityHasher {
    /// A hasher for one kind of thing; `domain` keeps kinds apart.
    #[inline]
    pub fn new(domain: &str) -> Self {
        let mut hasher = Self(ROOM.take());
        hasher.0.reserve(FIELDS_BYTES_USUAL);
        hasher.field(domain.as_bytes());
        hasher
    }

    /// Adds one field.
    #[inline]
    pub fn field(&mut self, bytes: &[u8]) {
        self.0
            .extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// The identity of the fields added so far.
    pub fn finish(&self) -> LineId {
        let hash = blake3::hash(&self.0);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        LineId::from_bytes(bytes)
    }
}

impl Drop for IdentityHasher {
    fn drop(&mut self) {
        self.0.clear();
        ROOM.set(std::mem::take(&mut self.0));
    }
}

/// Whether a line was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Not seen before; the identity with its occurrence number.
    New(LineId),
    /// The same line came in an earlier delivery; the identity it has there.
    Known(LineId),
}

/// Remembers every line seen, and tells a redelivered line from a true twin.
///
/// A delivery (a file) that holds *n* identical lines accounts for *n* occurrences. A later
/// delivery of the same statement with *n* such lines adds nothing, one with *n + 1* adds
/// one: it is the larger count that is true, in whichever order the two arrive.
#[derive(Default)]
pub struct Identities {
    seen: HashMap<LineId, Occurrences, RandomState>,
}

#[derive(Clone, Copy)]
struct Occurrences {
    delivery: u32,
    in_delivery: u32,
    known: u32,
}

impl Identities {
    /// Decides whether the line `content` of delivery number `delivery` is new.
    pub fn admit(&mut self, delivery: u32, content: LineId) -> Admission {
        self.admit_after(delivery, content, |_| 0)
    }

    /// The same where `before` says how many such lines there were when this began.
    pub fn admit_after(
        &mut self,
        delivery: u32,
        content: LineId,
        before: impl FnOnce(&LineId) -> u32,
    ) -> Admission {
        let entry = self
            .seen
            .entry(content)
            .or_insert_with_key(|content| Occurrences {
                delivery,
                in_delivery: 0,
                known: before(content),
            });
        if entry.delivery != delivery {
            entry.delivery = delivery;
            entry.in_delivery = 0;
        }
        let occurrence = entry.in_delivery;
        entry.in_delivery += 1;
        let id = content.occurrence(occurrence);
        if occurrence < entry.known {
            Admission::Known(id)
        } else {
            entry.known += 1;
            Admission::New(id)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LineId {
        let mut hasher = IdentityHasher::new("line");
        hasher.field(text.as_bytes());
        hasher.finish()
    }

    #[test]
    fn twins_stay_and_redeliveries_vanish() {
        let mut identities = Identities::default();
        let a = line("a");
        let first = identities.admit(1, a);
        let twin = identities.admit(1, a);
        assert!(matches!((first, twin), (Admission::New(x), Admission::New(y)) if x != y));
        // The same statement again, now with a third twin that was posted later.
        assert!(matches!(identities.admit(2, a), Admission::Known(_)));
        assert!(matches!(identities.admit(2, a), Admission::Known(_)));
        assert!(matches!(identities.admit(2, a), Admission::New(_)));
        assert!(matches!(identities.admit(3, a), Admission::Known(_)));
    }

    #[test]
    fn lines_of_earlier_runs_are_known() {
        let mut identities = Identities::default();
        let a = line("a");
        assert!(matches!(identities.admit_after(1, a, |_| 2), Admission::Known(id) if id == a));
        assert!(matches!(
            identities.admit_after(1, a, |_| 2),
            Admission::Known(_)
        ));
        let third = identities.admit_after(1, a, |_| 2);
        assert!(matches!(third, Admission::New(id) if id == a.occurrence(2)));
    }

    #[test]
    fn field_boundaries_count() {
        let mut left = IdentityHasher::new("x");
        left.field(b"ab");
        left.field(b"c");
        let mut right = IdentityHasher::new("x");
        right.field(b"a");
        right.field(b"bc");
        assert_ne!(left.finish(), right.finish());
    }

    #[test]
    fn identities_never_change() {
        // Stored ledgers hold them.
        assert_eq!(line("a").to_string(), "97e9539668471accba80071ac06e6cc9");
    }

    #[test]
    fn hex_round_trips() {
        let id = line("x");
        assert_eq!(id.to_string().as_bytes(), id.to_hex());
        assert_eq!(id.to_string().parse(), Ok(id));
    }
}
