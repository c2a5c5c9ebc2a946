//! What a row does to the account.

use tieout_core::{Amount, Currency, QuarantineReason};

use super::amount::{Mark, Written};
use super::columns::Columns;
use super::row::Row;
use super::words::{Meaning, fold, words};

/// Why a row is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

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
    /// The reason for quarantine.
    pub fn effect(&self, columns: &Columns, row: &Row) -> Result<Option<Effect>, Refusal> {
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
    /// The reason for quarantine.
    pub fn fee(&self, columns: &Columns, row: &Row) -> Result<Option<Amount>, Refusal> {
        let Some(column) = columns.place(Meaning::Fee) else {
            return Ok(None);
        };
        let fee = self.amount(columns, row, column)?;
        let fee = fee.map(|fee| fee.amount.abs());
        Ok(fee.filter(|fee| !fee.is_zero()))
    }

    fn moved(&self, columns: &Columns, row: &Row) -> Result<Option<Effect>, Refusal> {
        if self.way == Way::Pair {
            return self.pair(columns, row);
        }
        let Some(column) = columns.place(Meaning::Amount) else {
            return Ok(None);
        };
        let Some(found) = self.amount(columns, row, column)? else {
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
                if self.is_credit(columns, row, column)? {
                    amount
                } else {
                    -amount
                }
            }
            Way::Signed | Way::Pair => found.amount,
        };
        Ok(Some(Effect { amount, ..found }))
    }

    fn pair(&self, columns: &Columns, row: &Row) -> Result<Option<Effect>, Refusal> {
        let read = |meaning| match columns.place(meaning) {
            Some(column) => self.amount(columns, row, column),
            None => Ok(None),
        };
        let (debit, credit) = (read(Meaning::Debit)?, read(Meaning::Credit)?);
        let is_money = |effect: &Effect| !effect.amount.is_zero();
        match (debit.filter(is_money), credit.filter(is_money)) {
            (Some(_), Some(_)) => Err((
                QuarantineReason::BadValue,
                "the line has both a debit and a credit; expected one of them".to_owned(),
            )),
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
    /// The reason for quarantine.
    pub fn amount(
        &self,
        columns: &Columns,
        row: &Row,
        column: usize,
    ) -> Result<Option<Effect>, Refusal> {
        let text = row.cell(column);
        // A dash stands where there is nothing.
        if !text.contains(char::is_alphanumeric) {
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
        read.map(Some).ok_or_else(|| {
            let message = format!(
                "{} is {:?}, expected an amount with a {}",
                columns.name(column),
                text,
                mark.words()
            );
            (QuarantineReason::BadAmount, message)
        })
    }

    fn is_credit(&self, columns: &Columns, row: &Row, column: usize) -> Result<bool, Refusal> {
        self.direction(row.cell(column)).ok_or_else(|| {
            let message = format!(
                "{} is {:?}, which does not say whether money comes or leaves; name its words in \
                 a profile",
                columns.name(column),
                row.cell(column)
            );
            (QuarantineReason::UnknownType, message)
        })
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
