//! One link of the chain, byte by byte.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | version of this layout, 1 |
//! | 1 | kind |
//! | 2..10 | sequence, from 1 without gaps |
//! | 10..18 | posting that the event belongs to |
//! | 18..26 | microseconds since 1970 in UTC, never before those of the event in front |
//! | 26..34 | bytes of the payload as stored |
//! | 34..66 | BLAKE3 of the payload as stored |
//! | 66..98 | hash of the event in front; zeros for the first |
//! | 98..100 | bytes of the subject |
//! | 100.. | subject: what the event is about, UTF-8 |
//!
//! Numbers are little-endian. The hash of an event is BLAKE3 of these bytes, and is stored behind
//! them. The payload is stored apart: once it is purged, its digest still holds its place.

use std::fmt;

use crate::journal::Timestamp;

/// The version of the layout.
const LAYOUT: u8 = 1;
const FIXED_BYTES: usize = 100;
const HASH_BYTES: usize = 32;

/// BLAKE3, 256 bits.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub [u8; HASH_BYTES]);

impl Digest {
    /// Of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// From sixty-four hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        blake3::Hash::from_hex(text)
            .ok()
            .map(|hash| Self(*hash.as_bytes()))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What happened. Numbers are never reused: journals hold them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EventKind {
    /// The journal was begun.
    Opened = 1,
    /// A file was read to its end, or not.
    File = 2,
    /// Rows of a canonical table, as they were received.
    Rows = 3,
    /// What became of payments: rows of payments, applications, exceptions, duplicates, evidence.
    Decisions = 4,
    /// Earlier decisions or rows that no longer hold; what was applied is open again.
    Reversal = 5,
    /// Payments that nobody has decided finally, with their documents, for the next run.
    Waiting = 6,
    /// All that was there by now has been decided.
    Cutoff = 7,
    /// Somebody did something, and why.
    Action = 8,
    /// Decisions were handed to another system.
    Export = 9,
    /// Rows that have no identifier of their own came, by the hash of their content: when they come
    /// again they are known.
    Known = 10,
    /// How files are read: a lockbox layout or CSV profile, for later runs.
    Profile = 11,
    /// A person's data, or what is old, was taken out of earlier payloads.
    Purge = 12,
    /// A file that came into a watched folder was set aside, or taken after all.
    Aside = 13,
}

impl EventKind {
    /// Every kind, by number.
    pub const ALL: [Self; 13] = [
        Self::Opened,
        Self::File,
        Self::Rows,
        Self::Decisions,
        Self::Reversal,
        Self::Waiting,
        Self::Cutoff,
        Self::Action,
        Self::Export,
        Self::Known,
        Self::Profile,
        Self::Purge,
        Self::Aside,
    ];

    /// The word that tables and exports have.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::File => "file",
            Self::Rows => "rows",
            Self::Decisions => "decisions",
            Self::Reversal => "reversal",
            Self::Waiting => "waiting",
            Self::Cutoff => "cutoff",
            Self::Action => "action",
            Self::Export => "export",
            Self::Purge => "purge",
            Self::Known => "known",
            Self::Profile => "profile",
            Self::Aside => "aside",
        }
    }

    /// Whether the payload is JSON; batches of rows otherwise.
    pub const fn is_json(self) -> bool {
        matches!(
            self,
            Self::Opened
                | Self::Cutoff
                | Self::Action
                | Self::Export
                | Self::Profile
                | Self::Purge
                | Self::Aside
        )
    }

    fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == number)
    }
}

/// An event without its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its place, from 1 without gaps.
    pub sequence: u64,
    /// The posting that it belongs to, from 1: what was committed together.
    pub posting: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    pub kind: EventKind,
    /// What it is about: a table, a file, a payment.
    pub subject: String,
    /// Bytes of the payload as stored.
    pub payload_bytes: u64,
    /// Digest of the payload as stored.
    pub payload_digest: Digest,
    /// Hash of the event in front.
    pub previous: Digest,
    /// Its own hash.
    pub hash: Digest,
}

impl Event {
    /// The event with its hash.
    pub(crate) fn sealed(mut self) -> Self {
        self.hash = Digest::of(&self.header());
        self
    }

    /// The bytes that are hashed.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FIXED_BYTES + self.subject.len() + HASH_BYTES);
        bytes.extend([LAYOUT, self.kind as u8]);
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.posting.to_le_bytes());
        bytes.extend(self.at.micros().to_le_bytes());
        bytes.extend(self.payload_bytes.to_le_bytes());
        bytes.extend(self.payload_digest.0);
        bytes.extend(self.previous.0);
        bytes.extend((self.subject.len() as u16).to_le_bytes());
        bytes.extend(self.subject.as_bytes());
        bytes
    }

    /// The bytes that are stored.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.header();
        bytes.extend(self.hash.0);
        bytes
    }

    /// The event in these bytes.
    ///
    /// # Errors
    /// What does not fit, as a sentence.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let (header, hash) = bytes
            .len()
            .checked_sub(HASH_BYTES)
            .and_then(|length| bytes.split_at_checked(length))
            .ok_or("the event is cut off")?;
        let fixed = header.get(..FIXED_BYTES).ok_or("the event is cut off")?;
        if fixed[0] != LAYOUT {
            return Err(format!(
                "the event has layout {}, this program knows layout {LAYOUT}",
                fixed[0]
            ));
        }
        let kind = EventKind::of(fixed[1])
            .ok_or_else(|| format!("there is no kind of event {}", fixed[1]))?;
        let subject = &header[FIXED_BYTES..];
        let expected = u16::from_le_bytes([fixed[98], fixed[99]]);
        if subject.len() != usize::from(expected) {
            return Err("the event's subject is cut off".to_owned());
        }
        let event = Self {
            sequence: number(fixed, 2),
            posting: number(fixed, 10),
            at: Timestamp::from_micros(number(fixed, 18) as i64),
            kind,
            subject: std::str::from_utf8(subject)
                .map_err(|_| "the event's subject is no text")?
                .to_owned(),
            payload_bytes: number(fixed, 26),
            payload_digest: digest(&fixed[34..66]),
            previous: digest(&fixed[66..98]),
            hash: digest(hash),
        };
        if event.hash != Digest::of(header) {
            return Err("the event does not have its own hash".to_owned());
        }
        Ok(event)
    }
}

/// As much of a subject as its length can be told of.
pub(crate) fn clipped(subject: &str) -> String {
    subject[..subject.floor_char_boundary(usize::from(u16::MAX))].to_owned()
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(eight)
}

fn digest(bytes: &[u8]) -> Digest {
    let mut own = [0; HASH_BYTES];
    own.copy_from_slice(bytes);
    Digest(own)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn event() -> Event {
        Event {
            sequence: 7,
            posting: 2,
            at: Timestamp::from_micros(1_774_951_200_000_000),
            kind: EventKind::Decisions,
            subject: "décisions".to_owned(),
            payload_bytes: 3,
            payload_digest: Digest::of(b"abc"),
            previous: Digest::of(b"before"),
            hash: Digest::default(),
        }
        .sealed()
    }

    #[test]
    fn an_event_reads_back() {
        assert_eq!(Event::from_bytes(&event().to_bytes()), Ok(event()));
    }

    #[test]
    fn every_flipped_bit_of_an_event_is_found() {
        let bytes = event().to_bytes();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Event::from_bytes(&flipped).is_err(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(Event::from_bytes(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn the_layout_never_changes() {
        // Stored journals hold it.
        assert_eq!(
            event().hash.to_string(),
            "1bc4ceb3e81c6795aa3e869ba2541f4de22c5c0461e7ce0ee8d3c45902cf407f",
        );
    }
}
