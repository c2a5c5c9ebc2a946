//! A `STMTTRN` becomes a row.

use tieout_core::check_digits::is_iban;
use tieout_core::{
    Amount, Currency, Date, Direction, Feed, IdentityHasher, LineId, QuarantineReason,
};

use super::date::read_date;
use super::element::Field;
use super::money::read_amount;
use super::token::Place;
use crate::format::ReadError;
use crate::intake::{Intake, RAW_BYTES_MAX};
use crate::lines::Line;
use crate::rows::{BankLine, BankLines, BookingStatus};

/// Why a line is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// Whose lines follow.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub bank: String,
    pub number: String,
    /// As written.
    pub currency: String,
}

/// The line that is being read.
#[derive(Default)]
pub(super) struct Entry {
    values: [String; Field::COUNT],
    place: Place,
    raw: Vec<u8>,
    pub is_pending: bool,
    /// A value was longer than the limit.
    pub is_too_long: bool,
}

/// The values of a line that had to be checked.
pub(super) struct Checked {
    pub amount: Amount,
    pub direction: Direction,
    pub is_marked: bool,
    currency: Currency,
    posted: Option<Date>,
    available: Option<Date>,
}

impl Entry {
    /// Begins anew at `place`.
    pub fn begin(&mut self, place: Place, bytes: &[u8], is_pending: bool) {
        self.values.iter_mut().for_each(String::clear);
        self.raw.clear();
        self.place = place;
        self.is_pending = is_pending;
        self.is_too_long = false;
        self.extend(place, bytes);
    }

    /// Takes bytes that belong to the line, for quarantine.
    pub fn extend(&mut self, place: Place, bytes: &[u8]) {
        self.place.end = self.place.end.max(place.end);
        let room = RAW_BYTES_MAX.saturating_sub(self.raw.len());
        self.raw.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Whether its first tag stands at `place`.
    pub fn begins_at(&self, place: Place) -> bool {
        self.place.start == place.start
    }

    /// Adds a value; one that comes twice is kept twice.
    pub fn add(&mut self, field: Field, text: &str) {
        let value = &mut self.values[field as usize];
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(text);
    }

    pub fn value(&self, field: Field) -> &str {
        &self.values[field as usize]
    }

    pub fn line_number(&self) -> u64 {
        self.place.line
    }

    /// The line as written, for quarantine.
    pub fn line(&self) -> Line<'_> {
        Line {
            number: self.place.line,
            start: self.place.start,
            end: self.place.end,
            bytes: &self.raw,
            is_cut: false,
        }
    }

    /// Checks the values.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn check(&self, account: &Account) -> Result<Checked, Refusal> {
        if self.is_too_long {
            let message = "a value of the line has more than 64 KiB".to_owned();
            return Err((QuarantineReason::TooLong, message));
        }
        let currency = self.currency(account)?;
        let written = self.value(Field::Amount);
        if written.is_empty() {
            let message = "the amount (TRNAMT) is absent or empty".to_owned();
            return Err((QuarantineReason::MissingField, message));
        }
        let (signed, is_marked) = read_amount(written, currency)
            .map_err(|message| (QuarantineReason::BadAmount, message))?;
        let date = |field| {
            read_date(self.value(field)).map_err(|message| (QuarantineReason::BadDate, message))
        };
        let posted = date(Field::Posted)?.or(date(Field::Initiated)?);
        if posted.is_none() {
            let message = "the date (DTPOSTED) is absent or empty".to_owned();
            return Err((QuarantineReason::MissingField, message));
        }
        Ok(Checked {
            amount: signed.abs(),
            // The sign tells the effect on the account: money out is negative.
            direction: if signed.is_negative() {
                Direction::Debit
            } else {
                Direction::Credit
            },
            is_marked,
            currency,
            posted,
            available: date(Field::Available)?,
        })
    }

    /// The currency of the amount: its own, or the account's.
    fn currency(&self, account: &Account) -> Result<Currency, Refusal> {
        let own = self.value(Field::Currency);
        let code = if own.is_empty() {
            &account.currency
        } else {
            own
        };
        Currency::parse(code.to_ascii_uppercase().as_bytes()).map_err(|error| {
            let message = format!("the currency (CURDEF) is `{code}`: {error}");
            (QuarantineReason::BadCurrency, message)
        })
    }

    /// Writes the row.
    pub fn write(
        &self,
        checked: &Checked,
        account: &Account,
        rows: &mut BankLines,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        let is_withdrawn = self.value(Field::Correction).eq_ignore_ascii_case("DELETE");
        let row = BankLine {
            source_line: self.place.line,
            account: &account.number,
            booking_date: checked.posted,
            value_date: checked.available.or(checked.posted),
            direction: checked.direction,
            amount: checked.amount,
            type_code: self.value(Field::Type),
            bank_reference: self.value(Field::BankId),
            end_to_end_id: self.value(Field::Reference),
            check_number: self.value(Field::CheckNumber).trim_start_matches('0'),
            counterparty_name: self.first_of(Field::PayeeName, Field::Name),
            counterparty_account: &self.counterparty_account(),
            remittance_text: &self.text(),
            status: match (is_withdrawn, self.is_pending) {
                (true, _) => BookingStatus::Information,
                (false, true) => BookingStatus::Pending,
                (false, false) => BookingStatus::Booked,
            },
            bytes: self.place.start..self.place.end,
            feed: if self.is_pending {
                Feed::Interim
            } else {
                Feed::Statement
            },
            ..BankLine::blank(self.identity(checked, account), checked.currency)
        };
        rows.push(&row, intake)
    }

    fn first_of(&self, one: Field, other: Field) -> &str {
        let value = self.value(one);
        if value.is_empty() {
            self.value(other)
        } else {
            value
        }
    }

    /// What is said about the line. NAME is the payee or a description, as the bank likes, so
    /// that without a memo it may be what names the documents paid.
    fn text(&self) -> String {
        let parts = [self.value(Field::ExtendedName), self.value(Field::Memo)];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return self.value(Field::Name).to_owned();
        }
        parts.join(" ")
    }

    /// As `bank:account`, or an IBAN.
    fn counterparty_account(&self) -> String {
        let (bank, number) = (self.value(Field::ToBank), self.value(Field::ToAccount));
        if bank.is_empty() || number.is_empty() || is_iban(number.as_bytes()) {
            number.to_owned()
        } else {
            format!("{bank}:{number}")
        }
    }

    fn identity(&self, checked: &Checked, account: &Account) -> LineId {
        let mut hasher = IdentityHasher::new("ofx");
        hasher.field(account.bank.as_bytes());
        hasher.field(account.number.as_bytes());
        hasher.field(checked.direction.code().as_bytes());
        hasher.field(&checked.amount.units().to_le_bytes());
        hasher.field(checked.currency.as_str().as_bytes());
        let posted = checked.posted.map(Date::days);
        hasher.field(&posted.unwrap_or_default().to_le_bytes());
        // The fields that are hashed as amount, currency and date are not hashed as written: a
        // bank may write `-80` today and `-80.00` tomorrow.
        for field in [
            Field::Type,
            Field::BankId,
            Field::CheckNumber,
            Field::Reference,
            Field::Name,
            Field::PayeeName,
            Field::ExtendedName,
            Field::Memo,
            Field::Corrects,
            Field::Correction,
        ] {
            hasher.field(self.value(field).as_bytes());
        }
        hasher.finish()
    }
}
