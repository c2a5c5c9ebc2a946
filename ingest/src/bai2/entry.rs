//! A 16 record becomes a row.

use std::borrow::Cow;

use tieout_core::{Amount, Currency, Date, Direction, Feed, IdentityHasher, QuarantineReason};

use super::account::Account;
use super::codes::{Movement, TypeCode, type_code};
use super::detail::Detail;
use super::fields::minor_units;
use super::narrative::{Meaning, Narrative};
use super::record::Record;
use crate::format::ReadError;
use crate::intake::Intake;
use crate::rows::{BankLine, BankLines, BookingStatus, decode};

/// Why a 16 record is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// The values of a 16 record that had to be checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    detail: Detail<'a>,
    pub code: TypeCode,
    movement: Movement,
    currency: Currency,
    amount: Amount,
    value_date: Option<Date>,
}

impl<'a> Entry<'a> {
    /// Checks the fields of `detail`.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn check(detail: Detail<'a>, account: &Account) -> Result<Self, Refusal> {
        let currency = account.currency.ok_or_else(|| {
            let message = format!(
                "the currency of account {} (line {}) does not read, so that this amount has none",
                account.number, account.line
            );
            (QuarantineReason::BadCurrency, message)
        })?;
        let (code, movement) = movement_of(detail.type_code)?;
        let amount = match movement {
            Movement::Money(_) => amount_of(detail.amount, currency)?,
            Movement::Information => Amount::ZERO,
        };
        Ok(Self {
            detail,
            code,
            movement,
            currency,
            amount,
            value_date: value_date_of(detail.value_date)?.or(account.as_of),
        })
    }

    /// Adds the amount to the account's credits or debits.
    pub fn count(&self, account: &mut Account) {
        let minor = minor_units(self.detail.amount).unwrap_or_default();
        match self.movement {
            Movement::Money(Direction::Credit) => account.add_credit(minor),
            Movement::Money(Direction::Debit) => account.add_debit(minor),
            Movement::Information => {}
        }
    }

    fn direction(&self) -> Direction {
        match self.movement {
            Movement::Money(direction) => direction,
            Movement::Information => Direction::Credit,
        }
    }

    /// Writes the row.
    pub fn write(
        &self,
        record: &Record,
        account: &Account,
        narrative: &Narrative,
        rows: &mut BankLines,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        let direction = self.direction();
        let (name, bank, number) = match direction {
            Direction::Credit => (
                Meaning::DebtorName,
                Meaning::DebtorBank,
                Meaning::DebtorAccount,
            ),
            Direction::Debit => (
                Meaning::CreditorName,
                Meaning::CreditorBank,
                Meaning::CreditorAccount,
            ),
        };
        let counterparty = account_of(narrative.value(bank), narrative.value(number));
        let row = BankLine {
            source_line: record.line(),
            account: &account.number,
            booking_date: account.as_of,
            value_date: self.value_date,
            direction,
            amount: self.amount,
            type_code: &decode(self.detail.type_code),
            bank_reference: &decode(self.detail.bank_reference),
            end_to_end_id: &decode(self.end_to_end_id(narrative)),
            check_number: &decode(self.check_number(narrative)),
            counterparty_name: &decode(narrative.value(name)),
            counterparty_account: &counterparty,
            remittance_text: &decode(narrative.remittance()),
            reversal: self.code.is_reversal,
            status: match self.movement {
                Movement::Money(_) => BookingStatus::Booked,
                Movement::Information => BookingStatus::Information,
            },
            statement_id: &account.statement_id,
            bytes: record.bytes(),
            feed: if account.is_interim {
                Feed::Interim
            } else {
                Feed::Statement
            },
            ..BankLine::blank(self.identity(record, account), self.currency)
        };
        rows.push(&row, intake)
    }

    fn end_to_end_id<'n>(&self, narrative: &'n Narrative) -> &'n [u8]
    where
        'a: 'n,
    {
        match narrative.value(Meaning::EndToEndId) {
            b"" if self.code.is_check => b"",
            b"" => self.detail.customer_reference,
            tagged => tagged,
        }
    }

    fn check_number<'n>(&self, narrative: &'n Narrative) -> &'n [u8]
    where
        'a: 'n,
    {
        if !self.code.is_check {
            return b"";
        }
        let candidates = [
            narrative.value(Meaning::CheckNumber),
            self.detail.customer_reference,
        ];
        let digits = candidates
            .into_iter()
            .find(|text| !text.is_empty() && text.iter().all(u8::is_ascii_digit))
            .unwrap_or_default();
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
        &digits[zeros..]
    }

    fn identity(&self, record: &Record, account: &Account) -> tieout_core::LineId {
        let mut hasher = IdentityHasher::new("bai2");
        hasher.field(account.statement_id.as_bytes());
        hasher.field(self.detail.type_code);
        hasher.field(&self.amount.units().to_le_bytes());
        hasher.field(self.currency.as_str().as_bytes());
        let value_date = self.value_date.map(Date::days);
        hasher.field(&value_date.unwrap_or_default().to_le_bytes());
        hasher.field(self.detail.bank_reference);
        hasher.field(self.detail.customer_reference);
        hasher.field(&record.text);
        hasher.finish()
    }
}

fn movement_of(code: &[u8]) -> Result<(TypeCode, Movement), Refusal> {
    let known = type_code(code);
    let movement = known.and_then(|known| Some((known, known.movement?)));
    movement.ok_or_else(|| {
        let message = format!(
            "type code `{}` does not say which way the money moves; ask the bank what it means \
             and book the line by hand",
            String::from_utf8_lossy(code)
        );
        (QuarantineReason::UnknownType, message)
    })
}

fn amount_of(field: &[u8], currency: Currency) -> Result<Amount, Refusal> {
    let found = String::from_utf8_lossy(field);
    if field.is_empty() {
        let message = "the amount is empty; expected digits".to_owned();
        return Err((QuarantineReason::MissingField, message));
    }
    let minor = minor_units(field).filter(|&minor| minor >= 0);
    let Some(minor) = minor else {
        let message = format!(
            "the amount is `{found}`; expected digits without a sign, since the type code says \
             which way the money moves"
        );
        return Err((QuarantineReason::BadAmount, message));
    };
    Amount::from_minor(minor, currency.exponent()).map_err(|error| {
        (
            QuarantineReason::BadAmount,
            format!("the amount `{found}` has {error}"),
        )
    })
}

/// The value date; none where it is empty or zeros.
fn value_date_of(field: &[u8]) -> Result<Option<Date>, Refusal> {
    if field.iter().all(|&byte| byte == b'0') {
        return Ok(None);
    }
    Date::parse_yymmdd(field).map(Some).map_err(|error| {
        let message = format!(
            "the value date is `{}`: {error} (YYMMDD)",
            String::from_utf8_lossy(field)
        );
        (QuarantineReason::BadDate, message)
    })
}

/// The counterparty's account as `ABA:account`, or an IBAN, or nothing.
fn account_of<'a>(bank: &'a [u8], number: &'a [u8]) -> Cow<'a, str> {
    if is_iban(number) {
        return decode(number);
    }
    let is_zero = |text: &[u8]| text.iter().all(|&byte| byte == b'0');
    if is_zero(bank) || is_zero(number) {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{}:{}", decode(bank), decode(number)))
}

fn is_iban(number: &[u8]) -> bool {
    (15..=34).contains(&number.len())
        && number[..2].iter().all(u8::is_ascii_uppercase)
        && number[2..4].iter().all(u8::is_ascii_digit)
        && number[4..].iter().all(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_one_form() {
        for (bank, number, account) in [
            ("026015079", "101152046", "026015079:101152046"),
            ("", "101152046", ""),
            ("026015079", "", ""),
            ("000000000", "12", ""),
            ("", "DE89370400440532013000", "DE89370400440532013000"),
            (
                "026015079",
                "ACHCONTROLINUSD01",
                "026015079:ACHCONTROLINUSD01",
            ),
        ] {
            assert_eq!(account_of(bank.as_bytes(), number.as_bytes()), account);
        }
    }

    #[test]
    fn value_dates_may_be_left_out() {
        assert_eq!(value_date_of(b"").map(|d| d.is_none()), Ok(true));
        assert_eq!(value_date_of(b"000000").map(|d| d.is_none()), Ok(true));
        assert_eq!(value_date_of(b"040622").map(|d| d.is_some()), Ok(true));
        assert!(value_date_of(b"043022").is_err());
    }
}
