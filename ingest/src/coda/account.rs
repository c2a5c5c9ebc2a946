//! A statement of one account, from its old balance (1) to its new one (8).

use tieout_core::{Amount, Currency, Date, Direction, QuarantineReason};

use super::DECIMALS;
use crate::fixed::{columns, trimmed};
use crate::format::NumberedStatement;
use crate::lines::Line;
use crate::national::{Ledger, Refusal, decode, minor_amount, optional_date};

/// A statement that is open.
pub(super) struct Account {
    pub line: u64,
    pub number: String,
    pub currency: Currency,
    pub sequence: u32,
    pub statement_id: String,
    pub ledger: Ledger,
    structure: u8,
}

/// An account's balance on a day.
pub(super) struct Standing {
    pub date: Option<Date>,
    pub amount: Amount,
}

impl Account {
    /// From a 1 record.
    pub fn open(line: &Line<'_>) -> Result<(Self, Standing), Refusal> {
        let structure = columns(line.bytes, 2, 2).first().copied().unwrap_or(b' ');
        let (number, code) = account_of(columns(line.bytes, 6, 42), structure);
        if number.is_empty() {
            let message = "the account number is empty".to_owned();
            return Err((QuarantineReason::MissingField, message));
        }
        let currency = Currency::parse(code).map_err(|error| {
            let message = format!("the currency is `{}`: {error}", decode(code));
            (QuarantineReason::BadCurrency, message)
        })?;
        let standing = standing(line, 43)?;
        let sequence = sequence_of(columns(line.bytes, 3, 5));
        let number = decode(number).into_owned();
        let date = standing.date.map(|date| date.to_string());
        let account = Self {
            line: line.number,
            statement_id: format!("{number}/{}/{sequence:03}", date.unwrap_or_default()),
            number,
            currency,
            sequence,
            ledger: Ledger {
                opening: Some(standing.amount),
                ..Ledger::default()
            },
            structure,
        };
        Ok((account, standing))
    }

    /// What an 8 record says of the account.
    pub fn closing(line: &Line<'_>) -> Result<Standing, Refusal> {
        standing(line, 42)
    }

    /// The statement as it is held against those of other files, once its new balance is known.
    pub fn numbered(&self, closing: &Standing) -> NumberedStatement {
        NumberedStatement {
            file: String::new(),
            line: self.line,
            series: "coda",
            account: self.number.clone(),
            currency: self.currency,
            number: self.sequence.into(),
            page: 0,
            date: closing.date,
            opening: self.ledger.opening,
            closing: Some(closing.amount),
        }
    }

    /// The statement number of an 8 record, where it is not this statement's.
    pub fn other_sequence(&self, line: &Line<'_>) -> Option<u32> {
        Some(sequence_of(columns(line.bytes, 2, 4))).filter(|&found| found != self.sequence)
    }

    /// The account of an 8 record, where it is not this one.
    pub fn other_account(&self, line: &Line<'_>) -> Option<String> {
        let (number, _) = account_of(columns(line.bytes, 5, 41), self.structure);
        Some(decode(number).into_owned()).filter(|found| *found != self.number)
    }
}

/// Account number and currency of 37 characters. A Belgian number has 12 digits; all others
/// have 34 characters.
fn account_of(field: &[u8], structure: u8) -> (&[u8], &[u8]) {
    if structure == b'0' {
        (trimmed(field, 1, 12), columns(field, 14, 16))
    } else {
        (trimmed(field, 1, 34), columns(field, 35, 37))
    }
}

fn sequence_of(digits: &[u8]) -> u32 {
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

/// Sign, amount and date, which stand together from column `first`.
fn standing(line: &Line<'_>, first: usize) -> Result<Standing, Refusal> {
    let direction = direction_of(columns(line.bytes, first, first))?;
    let amount = columns(line.bytes, first + 1, first + 15);
    let amount = minor_amount(amount, DECIMALS, "balance")?;
    let date = columns(line.bytes, first + 16, first + 21);
    Ok(Standing {
        date: optional_date(date, Date::parse_ddmmyy, "date of the balance")?,
        amount: match direction {
            Direction::Credit => amount,
            Direction::Debit => -amount,
        },
    })
}

/// The direction that a sign names.
pub(super) fn direction_of(sign: &[u8]) -> Result<Direction, Refusal> {
    match sign {
        b"0" => Ok(Direction::Credit),
        b"1" => Ok(Direction::Debit),
        _ => {
            let message = format!(
                "the sign is `{}`; expected 0 for credit or 1 for debit",
                String::from_utf8_lossy(sign)
            );
            Err((QuarantineReason::BadValue, message))
        }
    }
}
