//! The 03 record's balances and summaries, and whether they roll forward.

use tieout_core::{Amount, Currency, Date, FindingCode, Severity};

use super::fields::{Fields, Short, count, minor_units};
use crate::intake::Notice;

/// One status or summary of a 03 record; the amount is none where it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Summary<'a> {
    pub type_code: &'a [u8],
    pub amount: Option<i128>,
    pub item_count: Option<u64>,
}

/// What is wrong with a 03 record, and the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadSummary<'a> {
    Amount(&'a [u8]),
    Code(&'a [u8]),
    Funds,
}

/// Reads quadruples of type code, amount, item count and funds type, those without a code left
/// out.
pub(super) struct Summaries<'a> {
    fields: Fields<'a>,
    is_ended: bool,
}

impl<'a> Summaries<'a> {
    pub fn of(fields: Fields<'a>) -> Self {
        Self {
            fields,
            is_ended: false,
        }
    }

    fn read(&mut self, type_code: &'a [u8]) -> Result<Summary<'a>, BadSummary<'a>> {
        let amount = self.fields.next_or_empty();
        let item_count = self.fields.next_or_empty();
        // What is missing at the end of the record is empty.
        if self.fields.funds() == Err(Short::BadFunds) {
            return Err(BadSummary::Funds);
        }
        if type_code.len() != 3 || !type_code.iter().all(u8::is_ascii_digit) {
            return Err(BadSummary::Code(type_code));
        }
        let minor = minor_units(amount);
        if minor.is_none() && !amount.is_empty() {
            return Err(BadSummary::Amount(amount));
        }
        Ok(Summary {
            type_code,
            amount: minor,
            item_count: count(item_count),
        })
    }
}

impl<'a> Iterator for Summaries<'a> {
    type Item = Result<Summary<'a>, BadSummary<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_ended {
            let type_code = self.fields.next()?;
            if !type_code.is_empty() {
                let summary = self.read(type_code);
                self.is_ended = summary.is_err();
                return Some(summary);
            }
            for _ in 0..3 {
                self.fields.next();
            }
        }
        None
    }
}

/// An account of a group, from its 03 to its 49.
#[derive(Debug, Default)]
pub(super) struct Account {
    pub line: u64,
    pub number: String,
    /// None if its code does not read, and then nothing of the account becomes a row.
    pub currency: Option<Currency>,
    pub as_of: Option<Date>,
    pub statement_id: String,
    /// The day is not over, or its report is not the last.
    pub is_interim: bool,
    /// Sum of every amount as written.
    pub total: i128,
    credits: i128,
    debits: i128,
    opening_ledger: Option<i128>,
    closing_ledger: Option<i128>,
    opening_available: Option<i128>,
    closing_available: Option<i128>,
    total_credits: Option<i128>,
    total_debits: Option<i128>,
}

impl Account {
    /// An account whose 03 record is on line `line`.
    pub fn open(
        line: u64,
        number: String,
        currency: Option<Currency>,
        as_of: Option<Date>,
    ) -> Self {
        Self {
            line,
            currency,
            as_of,
            statement_id: match as_of {
                Some(date) => format!("{number}/{date}"),
                None => number.clone(),
            },
            number,
            ..Self::default()
        }
    }

    pub fn add_summary(&mut self, type_code: &[u8], amount: i128) {
        self.total += amount;
        let place = match type_code {
            b"010" => &mut self.opening_ledger,
            b"015" => &mut self.closing_ledger,
            b"040" => &mut self.opening_available,
            b"045" => &mut self.closing_available,
            b"100" => &mut self.total_credits,
            b"400" => &mut self.total_debits,
            _ => return,
        };
        *place = Some(amount);
    }

    pub fn add_credit(&mut self, amount: i128) {
        self.credits += amount;
    }

    pub fn add_debit(&mut self, amount: i128) {
        self.debits += amount;
    }

    /// What to say if the opening balance and the movements do not give the closing balance.
    pub fn roll_forward(&self) -> Option<Notice> {
        let ledger = self.opening_ledger.zip(self.closing_ledger);
        let available = self.opening_available.zip(self.closing_available);
        let (what, severity, (opening, closing)) = match (ledger, available) {
            (Some(balances), _) => ("ledger", Severity::Error, balances),
            // Float makes money available on another day than it is booked.
            (None, Some(balances)) => ("available", Severity::Warning, balances),
            (None, None) => return None,
        };
        let credits = self.total_credits.unwrap_or(self.credits);
        let debits = self.total_debits.unwrap_or(self.debits);
        let expected = opening + credits - debits;
        (expected != closing).then(|| Notice {
            severity,
            code: FindingCode::BalanceRollForward,
            line: Some(self.line),
            found: format!(
                "account {}: closing {what} balance {}",
                self.number,
                self.in_words(closing)
            ),
            expected: format!(
                "{}: opening {} plus credits {} less debits {}",
                self.in_words(expected),
                self.in_words(opening),
                self.in_words(credits),
                self.in_words(debits)
            ),
            action: "Ask the bank for the missing movements, or whether the report is partial."
                .into(),
        })
    }

    fn in_words(&self, minor: i128) -> String {
        let exponent = self.currency.map_or(2, Currency::exponent);
        Amount::from_minor(minor, exponent)
            .map_or_else(|_| minor.to_string(), |amount| amount.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(fields: &str) -> Vec<(String, Option<i128>, Option<u64>)> {
        Summaries::of(Fields::of(fields.as_bytes()))
            .map_while(Result::ok)
            .map(|s| {
                let code = String::from_utf8_lossy(s.type_code).into_owned();
                (code, s.amount, s.item_count)
            })
            .collect()
    }

    #[test]
    fn quadruples_with_and_without_their_parts() {
        let code = |code: &str, amount, count| (code.to_owned(), amount, count);
        assert_eq!(codes(",,,"), []);
        assert_eq!(codes(""), []);
        assert_eq!(
            codes(",,,,060,13,,,100,000,0,"),
            [code("060", Some(13), None), code("100", Some(0), Some(0))]
        );
        assert_eq!(
            codes("190,70,4,0,110,70,15,D,3,0,2,1,3,3,2,010,5"),
            [
                code("190", Some(70), Some(4)),
                code("110", Some(70), Some(15)),
                code("010", Some(5), None)
            ]
        );
        assert_eq!(
            codes("100,2085,00003,V,060316,,400,2085,8,V,060316,"),
            [
                code("100", Some(2085), Some(3)),
                code("400", Some(2085), Some(8))
            ]
        );
    }

    #[test]
    fn what_does_not_read_is_named() {
        let bad = |fields: &'static str| {
            Summaries::of(Fields::of(fields.as_bytes())).find_map(Result::err)
        };
        assert_eq!(bad("010,12x,,"), Some(BadSummary::Amount(b"12x")));
        assert_eq!(bad("01,12,,"), Some(BadSummary::Code(b"01")));
        assert_eq!(bad("010,12,,Q"), Some(BadSummary::Funds));
    }

    #[test]
    fn balances_roll_forward() {
        let mut account = Account::default();
        account.add_summary(b"010", 100);
        account.add_summary(b"015", 120);
        account.add_credit(50);
        account.add_debit(30);
        assert!(account.roll_forward().is_none());
        account.add_debit(1);
        assert_eq!(
            account.roll_forward().map(|notice| notice.expected),
            Some("1.19: opening 1.00 plus credits 0.50 less debits 0.31".to_owned())
        );
        account.add_summary(b"100", 20);
        account.add_summary(b"400", 0);
        assert!(account.roll_forward().is_none());
    }
}
