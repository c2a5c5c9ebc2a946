//! One message: its tags in their order, and what they say.

use std::ops::Range;

use tieout_core::{Amount, Currency, Date, QuarantineReason};

use super::framing::Piece;
use super::tags::{Tag, elements};
use crate::decimal::{Point, decimal_point, read_decimal};
use crate::fixed::digits;
use crate::intake::RAW_BYTES_MAX;
use crate::lines::Line;

/// Bytes that a message may have.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// Why a message is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// A tag's value in the message's text.
struct Held {
    tag: Tag,
    value: Range<usize>,
    line: u64,
}

/// The message that is being read.
#[derive(Default)]
pub(super) struct Message {
    held: Vec<Held>,
    text: Vec<u8>,
    line: u64,
    bytes: Range<u64>,
    is_too_long: bool,
}

/// Who takes part in a payment: an account with its holder, or a bank.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Party<'a> {
    /// What the identifier is: `D` an account number, `F` a routing number, `B` a BIC, `T` a BIC
    /// with an account, digits for identity documents.
    pub code: &'a [u8],
    pub identifier: &'a [u8],
    pub name: &'a [u8],
}

impl<'a> Party<'a> {
    /// The account number, if the identifier is one.
    pub fn account(self) -> &'a [u8] {
        match self.code {
            b"D" => self.identifier,
            b"T" => {
                let slash = self.identifier.iter().position(|&byte| byte == b'/');
                slash.map_or(&b""[..], |at| &self.identifier[at + 1..])
            }
            _ => b"",
        }
    }
}

impl Message {
    /// Whether `tag` cannot belong to this message: it begins one, and came already.
    pub fn is_complete_before(&self, tag: Tag) -> bool {
        const ONCE: &[Tag] = &[1100, 1110, 1120, 1500, 1510, 1520, 2000];
        ONCE.contains(&tag) && self.has(tag)
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub fn has(&self, tag: Tag) -> bool {
        self.held.iter().any(|held| held.tag == tag)
    }

    /// Adds a piece; one without a tag is what a value had too much.
    pub fn add(&mut self, piece: &Piece<'_>) {
        if self.is_empty() {
            self.line = piece.line;
            self.bytes.start = piece.start;
        }
        self.bytes.end = piece.end.max(self.bytes.end);
        let is_over = self.text.len() + piece.bytes.len() > MESSAGE_BYTES_MAX;
        self.is_too_long |= is_over || piece.tag.is_none();
        if is_over {
            return;
        }
        self.text.extend_from_slice(piece.bytes);
        let end = self.text.len();
        if let Some(tag) = piece.tag {
            self.held.push(Held {
                tag,
                value: end - piece.value.len()..end,
                line: piece.line,
            });
        }
        self.text.push(b'\n');
    }

    pub fn line_number(&self) -> u64 {
        self.line
    }

    pub fn bytes(&self) -> Range<u64> {
        self.bytes.clone()
    }

    /// The message as written, for quarantine.
    pub fn line(&self) -> Line<'_> {
        Line {
            number: self.line,
            start: self.bytes.start,
            end: self.bytes.end,
            bytes: &self.text[..self.text.len().min(RAW_BYTES_MAX)],
            is_cut: self.is_too_long,
        }
    }

    /// The tags with their values and lines, in their order.
    pub fn tags(&self) -> impl Iterator<Item = (Tag, &[u8], u64)> {
        let held = self.held.iter();
        held.map(|held| (held.tag, &self.text[held.value.clone()], held.line))
    }

    /// The whole value of `tag`, or empty.
    pub fn value(&self, tag: Tag) -> &[u8] {
        let mut tags = self.tags().filter(|(found, ..)| *found == tag);
        tags.next().map_or(b"", |(_, value, _)| value)
    }

    /// Element number `place` of `tag`, from 0, or empty.
    pub fn element(&self, tag: Tag, place: usize) -> &[u8] {
        let elements = elements(tag, self.value(tag));
        elements.get(place).copied().unwrap_or_default()
    }

    /// The elements of `tag` that have content, from number `from` on, with blanks between.
    pub fn text(&self, tag: Tag, from: usize) -> Vec<u8> {
        let elements = elements(tag, self.value(tag));
        let parts = elements.get(from..).unwrap_or_default().iter();
        let parts: Vec<&[u8]> = parts.copied().filter(|part| !part.is_empty()).collect();
        parts.join(&b' ')
    }

    pub fn party(&self, tag: Tag) -> Party<'_> {
        Party {
            code: self.element(tag, 0),
            identifier: self.element(tag, 1),
            name: self.element(tag, 2),
        }
    }

    /// The amount in dollars.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn amount(&self) -> Result<Amount, Refusal> {
        if self.is_too_long {
            let message = "the message has more than 1 MiB, or a value more than 64 KiB".to_owned();
            return Err((QuarantineReason::TooLong, message));
        }
        let written = self.value(2000);
        let found = String::from_utf8_lossy(written);
        if written.is_empty() {
            let message = "the message has no amount {2000}".to_owned();
            return Err((QuarantineReason::MissingField, message));
        }
        let cents = digits(written.trim_ascii());
        let amount = cents.and_then(|cents| Amount::from_minor(cents, 2).ok());
        amount.ok_or_else(|| {
            let message = format!("the amount {{2000}} is `{found}`; expected twelve digits");
            (QuarantineReason::BadAmount, message)
        })
    }

    /// The day of the Fedwire cycle; none if the message has none.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn cycle_date(&self) -> Result<Option<Date>, Refusal> {
        let written = self.element(1520, 0);
        if written.is_empty() {
            return Ok(None);
        }
        Date::parse_yyyymmdd(written).map(Some).map_err(|error| {
            let found = String::from_utf8_lossy(written);
            let message = format!("the cycle date {{1520}} is `{found}`: {error} (CCYYMMDD)");
            (QuarantineReason::BadDate, message)
        })
    }
}

/// An amount as the remittance tags write it, with its currency.
pub(super) fn money(currency: &[u8], number: &[u8]) -> Option<(Currency, Amount)> {
    let currency = Currency::parse(currency).ok()?;
    let point = match decimal_point(number) {
        Point::Is(point) | Point::Unclear(point) => point,
        Point::Absent => b'.',
    };
    Some((currency, read_decimal(number, point).ok()?))
}
