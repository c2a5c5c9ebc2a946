//! Balances: `LEDGERBAL`, `AVAILBAL`, and the cash of an investment account.

use tieout_core::{Currency, Date, QuarantineReason};

use super::entry::{Account, Refusal};
use super::money::read_amount;
use super::token::Place;
use crate::lines::Line;
use crate::rows::Balance;

/// The kind of a balance, as OFX calls it and in words.
pub(super) type Kind = (&'static str, &'static str);

pub(super) const LEDGER: Kind = ("LEDGERBAL", "ledger balance");
pub(super) const AVAILABLE: Kind = ("AVAILBAL", "available balance");

/// The balance of an investment account that element `name` of `INVBAL` is.
pub(super) fn of_investment(name: &[u8]) -> Option<Kind> {
    Some(match name {
        b"AVAILCASH" => ("AVAILCASH", "cash available"),
        b"MARGINBALANCE" => ("MARGINBALANCE", "margin balance"),
        b"SHORTBALANCE" => ("SHORTBALANCE", "short balance"),
        b"BUYPOWER" => ("BUYPOWER", "buying power"),
        _ => return None,
    })
}

/// A balance as the file gives it.
pub(super) struct Given<'a> {
    pub kind: Kind,
    pub amount: &'a str,
    pub as_of: Option<Date>,
    /// The line that it begins on.
    pub line: u64,
    /// Where its amount stands.
    pub place: Place,
}

impl Given<'_> {
    /// The row, and whether a currency's mark stood before the amount.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn row<'r>(&'r self, account: &'r Account) -> Result<(Balance<'r>, bool), Refusal> {
        let (code, words) = self.kind;
        let written = account.currency.to_ascii_uppercase();
        let currency = Currency::parse(written.as_bytes()).map_err(|error| {
            let found = &account.currency;
            let message = format!("{code} has no currency: CURDEF is `{found}`, {error}");
            (QuarantineReason::BadCurrency, message)
        })?;
        let (amount, is_marked) = read_amount(self.amount, currency).map_err(|message| {
            let message = format!("{code}: {message}");
            (QuarantineReason::BadAmount, message)
        })?;
        let row = Balance {
            source_line: self.line,
            account: &account.number,
            currency,
            type_code: code,
            balance_type: words,
            as_of_date: self.as_of,
            amount,
            item_count: None,
        };
        Ok((row, is_marked))
    }

    /// The amount as written, for quarantine.
    pub fn line(&self) -> Line<'_> {
        Line {
            number: self.place.line,
            start: self.place.start,
            end: self.place.end,
            bytes: self.amount.as_bytes(),
            is_cut: false,
        }
    }
}
