//! What a row does to the account.

use tieout_core::{Amount, Currency, QuarantineReason};

use super::amount::{Mark, Written};
use super::columns::Columns;
use super::row::Row;
use super::words::{Meaning, fold, words};

/// Why a row is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// Why money is not read. It becomes a [`Refusal`] only where it is told: while the conventions
/// are open, many an amount does not read under one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// What stands in this column is no amount.
    Amount(usize),
    /// There is both a debit and a credit.
    BothWays,
    /// The word in this column is no direction.
    Direction(usize),
}

/// How the way that money moves is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By the amount's sign.
    Signed,
    /// By the amount's sign, turned.
    Turned,
    /// By the column of two in which the amount stands.
    Pair,
    /// By a word in this column. Where no credit is negative, a sign says the same once more.
    Word {
        column: usize,
        has_double_sign: bool,
    },
}

/// How money is read.
#[derive(Clone, Debug)]
pub(super) struct MoneyReading {
    pub mark: Mark,
    pub thousands: Option<char>,
    pub way: Way,
    /// Every amount in the debit column is negative: the sign says the same once more.
    pub has_signed_debits: bool,
    /// A fee is taken off the account beside the amount.
    pub has_fee_beside: bool,
    pub credit_words: Vec<String>,
    pub debit_words: Vec<String>,
}

/// What a row does to the account: below zero, money leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    pub amount: Amount,
    /// The currency that stands with the amount, and whether its sign means no other.
    pub currency: Option<(Currency, bool)>,
}

impl MoneyReading {
    /// The effect of a row; none if it has no money.
    ///
    /// # Errors
    /// [`Unread`] if it cannot be told.
    pub fn effect(&self, columns: &Columns, row: &Row) -> Result<Option<Effect>, Unread> {
        let Some(effect) = self.moved(columns, row)? else {
            return Ok(None);
        };
        let fee = if self.has_fee_beside {
            self.fee(columns, row)?.unwrap_or_default()
        } else {
            Amount::ZERO
        };
        Ok(Some(Effect {
            amount: effect.amount - fee,
            ..effect
        }))
    }

    /// The fee in its column, whatever its sign; none if there is none.
    ///
    /// # Errors
    /// [`Unread`] if it is no amount.
    pub fn fee(&self, columns: &Columns, row: &Row) -> Result<Option<Amount>, Unread> {
        let Some(column) = columns.place(Meaning::Fee) else {
            return Ok(None);
        };
        let fee = self.amount(row, column)?;
        let fee = fee.map(|fee| fee.amount.abs());
        Ok(fee.filter(|fee| !fee.is_zero()))
    }

    fn moved(&self, columns: &Columns, row: &Row) -> Result<Option<Effect>, Unread> {
        if self.way == Way::Pair {
            return self.pair(columns, row);
        }
        let Some(column) = columns.place(Meaning::Amount) else {
            return Ok(None);
        };
        let Some(found) = self.amount(row, column)? else {
            return Ok(None);
        };
        let amount = match self.way {
            Way::Turned => -found.amount,
            Way::Word {
                column,
                has_double_sign,
            } => {
                let amount = if has_double_sign {
                    found.amount.abs()
                } else {
                    found.amount
                };
                match self.direction(row.cell(column)) {
                    Some(true) => amount,
                    Some(false) => -amount,
                    None => return Err(Unread::Direction(column)),
                }
            }
            Way::Signed | Way::Pair => found.amount,
        };
        Ok(Some(Effect { amount, ..found }))
    }

    fn pair(&self, columns: &Columns, row: &Row) -> Result<Option<Effect>, Unread> {
        let read = |meaning| match columns.place(meaning) {
            Some(column) => self.amount(row, column),
            None => Ok(None),
        };
        let (debit, credit) = (read(Meaning::Debit)?, read(Meaning::Credit)?);
        let is_money = |effect: &Effect| !effect.amount.is_zero();
        match (debit.filter(is_money), credit.filter(is_money)) {
            (Some(_), Some(_)) => Err(Unread::BothWays),
            (Some(debit), None) => {
                let amount = if self.has_signed_debits {
                    debit.amount.abs()
                } else {
                    debit.amount
                };
                Ok(Some(Effect {
                    amount: -amount,
                    ..debit
                }))
            }
            (None, Some(credit)) => Ok(Some(credit)),
            (None, None) => Ok(debit.or(credit)),
        }
    }

    /// The amount in one cell; none if nothing is written there.
    ///
    /// # Errors
    /// [`Unread::Amount`] if it is no amount by these conventions.
    pub fn amount(&self, row: &Row, column: usize) -> Result<Option<Effect>, Unread> {
        let text = row.cell(column);
        // A dash stands where there is nothing.
        let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
        if !has_digit && !text.contains(char::is_alphanumeric) {
            return Ok(None);
        }
        let (mark, thousands) = if row.is_number(column) {
            (Mark::Point, None)
        } else {
            (self.mark, self.thousands)
        };
        let read = Written::of(text).and_then(|written| {
            let currency = written.currency;
            written
                .amount(mark, thousands)
                .map(|amount| Effect { amount, currency })
        });
        read.map(Some).ok_or(Unread::Amount(column))
    }

    /// The reason for quarantine of a row whose money is not read.
    pub fn refusal(&self, unread: Unread, columns: &Columns, row: &Row) -> Refusal {
        let is = |column| format!("{} is {:?}", columns.name(column), row.cell(column));
        match unread {
            Unread::Amount(column) => {
                let mark = if row.is_number(column) {
                    Mark::Point
                } else {
                    self.mark
                };
                let expected = format!("expected an amount with a {}", mark.words());
                let message = format!("{}, {expected}", is(column));
                (QuarantineReason::BadAmount, message)
            }
            Unread::BothWays => {
                let message = "the line has both a debit and a credit; expected one of them";
                (QuarantineReason::BadValue, message.to_owned())
            }
            Unread::Direction(column) => {
                let message = format!(
                    "{}, which does not say whether money comes or leaves; name its words in a \
                     profile",
                    is(column)
                );
                (QuarantineReason::UnknownType, message)
            }
        }
    }

    /// Whether a word says that money comes, or none if it says nothing.
    pub fn direction(&self, word: &str) -> Option<bool> {
        let word = fold(word);
        if self.credit_words.contains(&word) || words().credit.contains(&word) {
            return Some(true);
        }
        (self.debit_words.contains(&word) || words().debit.contains(&word)).then_some(false)
    }
}
