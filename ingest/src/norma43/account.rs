//! A statement of one account, from its 11 to its 33.

use tieout_core::{Amount, Currency, Date, Direction, QuarantineReason};

use super::DECIMALS;
use super::currencies::currency;
use crate::fixed::{columns, digits};
use crate::intake::Notice;
use crate::lines::Line;
use crate::national::{
    Ledger, Refusal, control_count, control_total, decode, minor_amount, optional_date,
};

/// A statement that is open.
pub(super) struct Account {
    pub line: u64,
    /// As written: bank, branch and number.
    pub number: String,
    pub currency: Currency,
    pub statement_id: String,
    pub ledger: Ledger,
    pub from: Option<Date>,
    pub to: Option<Date>,
}

/// What a 33 record says.
pub(super) struct Closing {
    pub number: String,
    pub amount: Amount,
    debit_count: u64,
    debits: Amount,
    credit_count: u64,
    credits: Amount,
}

impl Account {
    /// From an 11 record; also its opening balance.
    pub fn open(line: &Line<'_>) -> Result<(Self, Amount), Refusal> {
        let record = line.bytes;
        let opening = signed(record, 33, 47, "opening balance")?;
        let date = |first, last| {
            let date = columns(record, first, last);
            optional_date(date, Date::parse_yymmdd, "date of the period")
        };
        let (from, to) = (date(21, 26)?, date(27, 32)?);
        let number = number_of(record);
        let day = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        let account = Self {
            line: line.number,
            statement_id: format!("{number}/{}/{}", day(from), day(to)),
            number,
            currency: currency(columns(record, 48, 50))?,
            ledger: Ledger {
                opening: Some(opening),
                ..Ledger::default()
            },
            from,
            to,
        };
        Ok((account, opening))
    }

    /// What to say if the 33 record differs from what was read.
    pub fn compare(&self, closing: &Closing, line: u64) -> [Option<Notice>; 5] {
        let read = self.ledger;
        let name = &self.number;
        let what = |what| format!("account {name}: {what}");
        [
            control_count(
                &what("the count of debits is"),
                line,
                closing.debit_count,
                read.debit_count,
            ),
            control_total(
                &what("the total of debits is"),
                line,
                closing.debits,
                read.debits,
            ),
            control_count(
                &what("the count of credits is"),
                line,
                closing.credit_count,
                read.credit_count,
            ),
            control_total(
                &what("the total of credits is"),
                line,
                closing.credits,
                read.credits,
            ),
            read.roll_forward(name, line, closing.amount),
        ]
    }
}

impl Closing {
    /// From a 33 record.
    pub fn read(record: &[u8]) -> Result<Self, Refusal> {
        let total = |first, last, what| minor_amount(columns(record, first, last), DECIMALS, what);
        Ok(Self {
            number: number_of(record),
            debit_count: count(columns(record, 21, 25))?,
            debits: total(26, 39, "total of debits")?,
            credit_count: count(columns(record, 40, 44))?,
            credits: total(45, 58, "total of credits")?,
            amount: signed(record, 59, 73, "closing balance")?,
        })
    }
}

fn number_of(record: &[u8]) -> String {
    let part = |first, last| decode(columns(record, first, last)).into_owned();
    format!("{}:{}:{}", part(3, 6), part(7, 10), part(11, 20))
}

/// The count that digits name.
pub(super) fn count(field: &[u8]) -> Result<u64, Refusal> {
    let count = digits(field).and_then(|count| u64::try_from(count).ok());
    count.ok_or_else(|| {
        let message = format!("the count is `{}`; expected digits", decode(field));
        (QuarantineReason::BadStructure, message)
    })
}

/// The direction that a sign names.
pub(super) fn direction_of(sign: &[u8]) -> Result<Direction, Refusal> {
    match sign {
        b"1" => Ok(Direction::Debit),
        b"2" => Ok(Direction::Credit),
        _ => {
            let message = format!(
                "the sign is `{}`; expected 1 for debit or 2 for credit",
                decode(sign)
            );
            Err((QuarantineReason::BadValue, message))
        }
    }
}

/// The balance whose sign is in column `first` and whose digits follow.
fn signed(record: &[u8], first: usize, last: usize, what: &str) -> Result<Amount, Refusal> {
    let amount = minor_amount(columns(record, first + 1, last), DECIMALS, what)?;
    Ok(match direction_of(columns(record, first, first))? {
        Direction::Credit => amount,
        Direction::Debit => -amount,
    })
}
