//! The header of a statement, and whether the statement is whole and ties.

use tieout_core::{Currency, Date, FindingCode, Severity};

use super::sequence::{Stated, StatementNumber};
use super::totals::Totals;
use super::values::StatedBalance;
use crate::format::NumberedStatement;
use crate::intake::Notice;

/// How a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// With its `-`, or where the next message begins.
    Whole,
    /// With the file, without its `-`.
    File,
    /// With the file, inside the block of its text.
    Cut,
}

/// The header of a statement, and what was counted below it.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    /// The line where the message begins.
    pub line: u64,
    pub account: String,
    pub currency: Option<Currency>,
    /// Field 28 as written.
    pub number_text: String,
    pub number: StatementNumber,
    pub opening: Option<StatedBalance>,
    pub is_page: bool,
    pub closing: Option<StatedBalance>,
    /// The date of field 13.
    pub reported: Option<Date>,
    /// A report during the day (942).
    pub is_interim: bool,
    pub has_floor: bool,
    pub has_fields: bool,
    /// Account, number and date.
    pub statement_id: String,
}

impl Header {
    /// Makes the statement's identity anew from what is known.
    pub fn identify(&mut self) {
        let date = self.opening.map(|balance| balance.date).or(self.reported);
        self.statement_id.clone_from(&self.account);
        if !self.number_text.is_empty() {
            self.statement_id.push('/');
            self.statement_id.push_str(&self.number_text);
        }
        if let Some(date) = date {
            self.statement_id.push('/');
            self.statement_id.push_str(&date.to_string());
        }
    }

    /// What the message lacks.
    pub fn lacks(&self, end: End, has_totals: bool) -> Option<Notice> {
        let mut missing = Vec::new();
        if self.account.is_empty() {
            missing.push("25 (account)");
        }
        if self.opening.is_none() && !self.is_interim {
            missing.push("60 (opening balance)");
        }
        if self.closing.is_none() && !self.is_interim {
            missing.push("62 (closing balance)");
        }
        let is_cut = match end {
            End::Whole => false,
            End::File if self.is_interim => !has_totals,
            End::File => self.closing.is_none(),
            End::Cut => true,
        };
        if !is_cut && missing.is_empty() {
            return None;
        }
        let lacks = if missing.is_empty() {
            "its end".to_owned()
        } else {
            missing.join(", ")
        };
        let (code, found) = if is_cut {
            let found = format!("the file ends inside a statement, which lacks {lacks}");
            (FindingCode::TruncatedFile, found)
        } else {
            (
                FindingCode::MissingRecord,
                format!("the statement lacks {lacks}"),
            )
        };
        Some(Notice {
            severity: Severity::Error,
            code,
            line: Some(self.line),
            found,
            expected: "a whole statement".to_owned(),
            action: "Ask the bank for it again: lines may be missing. What is here is read.".into(),
        })
    }

    /// Opening balance and lines give the closing balance.
    pub fn balances_tie(&self, totals: &Totals) -> Option<Notice> {
        let (opening, closing) = (self.opening?, self.closing?);
        let expected = opening.amount + totals.sum();
        if expected == closing.amount {
            return None;
        }
        let aside = match totals.refused {
            0 => String::new(),
            count => format!(" ({count} lines are in quarantine)"),
        };
        Some(Notice {
            severity: Severity::Error,
            code: FindingCode::BalanceRollForward,
            line: Some(self.line),
            found: format!(
                "closing balance {} of account {}",
                closing.amount, self.account
            ),
            expected: format!(
                "{expected}: opening balance {} and lines of {}{aside}",
                opening.amount,
                totals.sum()
            ),
            action: "Compare the lines with the bank's statement: one may be missing or wrong."
                .into(),
        })
    }

    /// The statement as it is held against those of other files, if it has a number.
    pub fn numbered(&self, currency: Currency) -> Option<NumberedStatement> {
        let balances = [self.closing, self.opening].into_iter().flatten();
        Some(NumberedStatement {
            file: String::new(),
            line: self.line,
            series: "mt",
            account: self.account.clone(),
            currency,
            number: self.number.number?,
            page: self.number.page.unwrap_or_default(),
            date: balances
                .map(|balance| balance.date)
                .next()
                .or(self.reported),
            opening: self.opening.map(|balance| balance.amount),
            closing: self.closing.map(|balance| balance.amount),
        })
    }

    /// What the next statement of the account is compared with, if the account is known.
    pub fn stated(&self) -> Option<(Currency, Stated)> {
        let currency = self.currency?;
        if self.account.is_empty() || self.is_interim {
            return None;
        }
        let amount = |balance: Option<StatedBalance>| balance.map(|balance| balance.amount);
        let stated = Stated {
            line: self.line,
            number: self.number,
            opening: amount(self.opening),
            is_page: self.is_page,
            closing: amount(self.closing),
        };
        Some((currency, stated))
    }
}
