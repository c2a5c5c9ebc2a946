//! A cheque (25) or a returned cheque (31) with its addenda becomes a row.
//!
//! A cheque of a cash letter is money that comes to whoever deposited it: a credit. A returned
//! one is taken back: a debit, marked as a reversal.

use std::ops::Range;

use tieout_core::check_digits::is_routing_number;
use tieout_core::{
    Amount, Channel, Currency, Date, Direction, Feed, IdentityHasher, LineId, QuarantineReason,
};

use super::record::Record;
use crate::fixed::{digits, trimmed};
use crate::format::ReadError;
use crate::intake::{Intake, RAW_BYTES_MAX};
use crate::lines::Line;
use crate::rows::{BankLine, BankLines, BookingStatus, decode};

/// Why an item is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// Where an item belongs.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    pub is_test: bool,
    /// Routing number of the bank that sent the cash letter.
    pub sender: String,
    /// The cash letter's identifier.
    pub letter: String,
    pub letter_date: Option<Date>,
    pub bundle: String,
    pub bundle_date: Option<Date>,
}

/// The item that is being read.
#[derive(Default)]
pub(super) struct Item {
    is_return: bool,
    routing: String,
    on_us: String,
    auxiliary: String,
    amount: String,
    sequence: String,
    reason: String,
    /// Where the cheque was deposited, by an addendum (26 or 32).
    deposit_account: String,
    /// Whose account it was drawn on, by an addendum (33).
    payer: String,
    line: u64,
    bytes: Range<u64>,
    raw: Vec<u8>,
}

/// What the cheque's magnetic ink says.
struct Micr {
    account: String,
    check_number: String,
}

impl Item {
    /// Begins with record 25 or 31.
    pub fn begin(record: &Record<'_>) -> Self {
        let is_return = record.text.starts_with(b"31");
        let text = |first, last| decode(trimmed(record.text, first, last)).into_owned();
        let mut item = if is_return {
            Self {
                routing: text(3, 11),
                on_us: text(12, 31),
                amount: text(32, 41),
                reason: text(42, 42),
                sequence: text(54, 68),
                ..Self::default()
            }
        } else {
            Self {
                auxiliary: text(3, 17),
                routing: text(19, 27),
                on_us: text(28, 47),
                amount: text(48, 57),
                sequence: text(58, 72),
                ..Self::default()
            }
        };
        item.is_return = is_return;
        item.line = record.number;
        item.bytes = record.start..record.end;
        item.keep(record);
        item
    }

    /// Takes an addendum.
    pub fn add(&mut self, record: &Record<'_>) {
        let text = |first, last| decode(trimmed(record.text, first, last)).into_owned();
        match record.text.get(..2) {
            // The first addendum is the bank of first deposit's own.
            Some(b"26" | b"32") if self.deposit_account.is_empty() => {
                self.deposit_account = text(36, 53);
            }
            Some(b"33") => {
                self.auxiliary = text(21, 35);
                self.payer = text(59, 80);
            }
            _ => {}
        }
        self.bytes.end = record.end;
        self.keep(record);
    }

    fn keep(&mut self, record: &Record<'_>) {
        let room = RAW_BYTES_MAX.saturating_sub(self.raw.len());
        self.raw
            .extend_from_slice(&record.raw[..record.raw.len().min(room)]);
    }

    pub fn line_number(&self) -> u64 {
        self.line
    }

    /// Its records as written, for quarantine.
    pub fn line(&self) -> Line<'_> {
        Line {
            number: self.line,
            start: self.bytes.start,
            end: self.bytes.end,
            bytes: &self.raw,
            is_cut: false,
        }
    }

    /// The routing number, if its check digit is wrong.
    pub fn wrong_routing(&self) -> Option<&str> {
        let is_wrong = !is_routing_number(self.routing.as_bytes());
        is_wrong.then_some(self.routing.as_str())
    }

    /// The amount in cents, for control totals.
    pub fn cents(&self) -> i128 {
        digits(self.amount.as_bytes()).unwrap_or_default()
    }

    fn checked_amount(&self) -> Result<Amount, Refusal> {
        if self.amount.is_empty() {
            let message = "the amount is empty; expected ten digits".to_owned();
            return Err((QuarantineReason::MissingField, message));
        }
        let amount = digits(self.amount.as_bytes());
        let amount = amount.and_then(|cents| Amount::from_minor(cents, 2).ok());
        amount.ok_or_else(|| {
            let message = format!("the amount is `{}`; expected ten digits", self.amount);
            (QuarantineReason::BadAmount, message)
        })
    }

    /// The account and the cheque's number: `account/number` between the on-us symbols, or the
    /// number in the field of its own that business cheques have.
    fn micr(&self) -> Micr {
        let mut parts = self.on_us.split('/').map(without_dashes);
        let mut parts = parts.by_ref().filter(|part| !part.is_empty());
        let account = parts.next().unwrap_or_default();
        let beside = parts.next().unwrap_or_default();
        let own = without_dashes(&self.auxiliary);
        let number = [own, beside].into_iter().find(|text| is_number(text));
        let number = number.unwrap_or_default();
        Micr {
            // A character that could not be read stands as an asterisk or a question mark.
            account: if account.contains(['*', '?']) {
                String::new()
            } else {
                account
            },
            check_number: number.trim_start_matches('0').to_owned(),
        }
    }

    /// Whether the account on the cheque could not be read.
    pub fn is_unreadable(&self) -> bool {
        self.micr().account.is_empty()
    }

    /// Writes the row.
    ///
    /// # Errors
    /// In the value: the reason for quarantine.
    pub fn write(
        &self,
        origin: &Origin,
        rows: &mut BankLines,
        intake: &mut Intake<'_>,
    ) -> Result<Result<(), Refusal>, ReadError> {
        let amount = match self.checked_amount() {
            Ok(amount) => amount,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let micr = self.micr();
        let counterparty = if micr.account.is_empty() || self.routing.is_empty() {
            String::new()
        } else {
            format!("{}:{}", self.routing, micr.account)
        };
        let date = origin.bundle_date.or(origin.letter_date);
        let row = BankLine {
            source_line: self.line,
            account: &self.deposit_account,
            booking_date: date,
            value_date: date,
            direction: if self.is_return {
                Direction::Debit
            } else {
                Direction::Credit
            },
            amount,
            type_code: if self.is_return { "31" } else { "25" },
            bank_reference: &self.sequence,
            check_number: &micr.check_number,
            counterparty_name: &self.payer,
            counterparty_account: &counterparty,
            reversal: self.is_return,
            return_reason: &self.reason,
            status: if origin.is_test {
                BookingStatus::Information
            } else {
                BookingStatus::Booked
            },
            channel: Channel::Cheque,
            statement_id: &origin.letter,
            entry_reference: &origin.letter,
            bytes: self.bytes.clone(),
            // The statement has one line for the whole cash letter.
            feed: Feed::Detail,
            ..BankLine::blank(self.identity(origin, amount), Currency::USD)
        };
        rows.push(&row, intake)?;
        Ok(Ok(()))
    }

    fn identity(&self, origin: &Origin, amount: Amount) -> LineId {
        let mut hasher = IdentityHasher::new("x937");
        let day = origin.letter_date.map(Date::days).unwrap_or_default();
        hasher.field(&day.to_le_bytes());
        hasher.field(&amount.units().to_le_bytes());
        for text in [
            &origin.sender,
            &origin.letter,
            &origin.bundle,
            &self.routing,
            &self.on_us,
            &self.auxiliary,
            &self.sequence,
            &self.reason,
        ] {
            hasher.field(text.as_bytes());
        }
        hasher.field(&[u8::from(self.is_return)]);
        hasher.finish()
    }
}

/// An account of a credit (61, 62), as magnetic ink writes it.
pub(super) fn account_of(on_us: &[u8]) -> String {
    let text = decode(on_us);
    let mut parts = text.split('/').map(without_dashes);
    parts.find(|part| !part.is_empty()).unwrap_or_default()
}

fn without_dashes(text: &str) -> String {
    text.chars()
        .filter(|character| !matches!(character, '-' | ' '))
        .collect()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magnetic_ink_gives_account_and_number() {
        for (on_us, auxiliary, account, number) in [
            ("1211-1234-56789/", "", "1211123456789", ""),
            ("/5558881/1002", "", "5558881", "1002"),
            ("5558881/12", "000123456", "5558881", "123456"),
            ("555*881/1002", "", "", "1002"),
            ("5558881", "12?4", "5558881", ""),
            ("", "", "", ""),
        ] {
            let item = Item {
                on_us: on_us.to_owned(),
                auxiliary: auxiliary.to_owned(),
                ..Item::default()
            };
            let micr = item.micr();
            assert_eq!(
                (&*micr.account, &*micr.check_number),
                (account, number),
                "{on_us}"
            );
        }
    }
}
