//! The records of one movement: 21 with its 22 and 23, and what 31 to 33 say about it.

use std::ops::Range;

use tieout_core::{Amount, Date, Direction};

use super::DECIMALS;
use super::account::direction_of;
use crate::fixed::columns;
use crate::lines::Line;
use crate::national::{Kept, Refusal, minor_amount, optional_date};

/// Bytes of information that a movement keeps.
const INFORMATION_BYTES_MAX: usize = 64 * 1024;

/// A movement, or a part of one.
#[derive(Default)]
pub(super) struct Movement {
    pub first: Kept,
    pub second: Kept,
    pub third: Kept,
    /// What the information records say, one after another.
    pub information: Vec<u8>,
    /// The name that a structured information record gives.
    pub informed_name: Vec<u8>,
    pub amount: Amount,
    pub direction: Option<Direction>,
    pub value_date: Option<Date>,
    pub booking_date: Option<Date>,
    end: u64,
}

impl Movement {
    /// Begins with a 21 record, in the memory of an older movement.
    pub fn begin(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let record = line.bytes;
        self.direction = Some(direction_of(columns(record, 32, 32))?);
        self.amount = minor_amount(columns(record, 33, 47), DECIMALS, "amount")?;
        let value_date = columns(record, 48, 53);
        self.value_date = optional_date(value_date, Date::parse_ddmmyy, "value date")?;
        let entry_date = columns(record, 116, 121);
        self.booking_date = optional_date(entry_date, Date::parse_ddmmyy, "entry date")?;
        self.first.set(line);
        self.second.clear();
        self.third.clear();
        self.information.clear();
        self.informed_name.clear();
        self.end = line.end;
        Ok(())
    }

    /// Adds a 22 or 23 record; false if there is one already.
    pub fn go_on(&mut self, line: &Line<'_>) -> bool {
        let part = if line.bytes.starts_with(b"22") {
            &mut self.second
        } else {
            &mut self.third
        };
        let is_new = part.is_empty();
        if is_new {
            part.set(line);
            self.end = line.end;
        }
        is_new
    }

    /// Adds an information record; false if there is too much already.
    pub fn inform(&mut self, line: &Line<'_>) -> bool {
        let text = match line.bytes.get(1) {
            Some(b'1') => columns(line.bytes, 41, 113),
            Some(b'2') => columns(line.bytes, 11, 115),
            _ => columns(line.bytes, 11, 100),
        };
        if self.information.len() + text.len() > INFORMATION_BYTES_MAX {
            return false;
        }
        if is_name(line.bytes) {
            let name = columns(line.bytes, 44, 113);
            self.informed_name.extend_from_slice(name.trim_ascii());
        }
        self.information.extend_from_slice(text);
        self.information.push(b' ');
        self.end = line.end;
        true
    }

    pub fn bytes(&self) -> Range<u64> {
        self.first.range().start..self.end
    }

    /// Number and detail number, which every record of a movement repeats.
    pub fn sequence(&self) -> &[u8] {
        sequence(self.first.bytes())
    }

    /// The kind of amount, first digit of the transaction code: 1 and 2 are totals, 5 to 7
    /// payments in them, 8 and 9 details of a payment.
    pub fn kind(&self) -> u8 {
        columns(self.first.bytes(), 54, 54)
            .first()
            .copied()
            .unwrap_or(b'0')
    }

    /// The amount with its sign, from the account's side.
    pub fn signed(&self) -> Amount {
        if self.direction == Some(Direction::Debit) {
            -self.amount
        } else {
            self.amount
        }
    }
}

/// Number and detail number of a record.
pub(super) fn sequence(record: &[u8]) -> &[u8] {
    columns(record, 3, 10)
}

/// Whether the record is a part of a movement.
pub(super) fn is_part(record: &[u8]) -> bool {
    columns(record, 7, 10) != b"0000"
}

/// Structured information of type 001: who the counterparty is.
fn is_name(record: &[u8]) -> bool {
    columns(record, 1, 2) == b"31" && columns(record, 40, 43) == b"1001"
}
