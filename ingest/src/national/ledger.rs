//! The movements of an account added up, and what its closing record says against them.

use std::fmt::Display;

use tieout_core::{Amount, Direction, FindingCode, Severity};

use crate::intake::Notice;

/// Sums and counts of an account's movements.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ledger {
    pub opening: Option<Amount>,
    pub credits: Amount,
    pub debits: Amount,
    pub credit_count: u64,
    pub debit_count: u64,
}

impl Ledger {
    pub fn add(&mut self, direction: Direction, amount: Amount) {
        let (sum, count) = match direction {
            Direction::Credit => (&mut self.credits, &mut self.credit_count),
            Direction::Debit => (&mut self.debits, &mut self.debit_count),
        };
        *sum += amount;
        *count += 1;
    }

    /// What to say if the opening balance and the movements do not give `closing`.
    pub fn roll_forward(&self, account: &str, line: u64, closing: Amount) -> Option<Notice> {
        let opening = self.opening?;
        let expected = opening + self.credits - self.debits;
        (expected != closing).then(|| Notice {
            severity: Severity::Error,
            code: FindingCode::BalanceRollForward,
            line: Some(line),
            found: format!("account {account}: closing balance {closing}"),
            expected: format!(
                "{expected}: opening {opening} plus credits {} less debits {}",
                self.credits, self.debits
            ),
            action: "Ask the bank for the missing movements, or whether the statement is whole."
                .into(),
        })
    }
}

/// What to say if a total that a closing record gives is not the sum of what was read.
pub(crate) fn control_total(what: &str, line: u64, found: Amount, read: Amount) -> Option<Notice> {
    differs(FindingCode::ControlTotal, what, line, &found, &read)
}

/// What to say if a count that a closing record gives is not the number read.
pub(crate) fn control_count(what: &str, line: u64, found: u64, read: u64) -> Option<Notice> {
    differs(FindingCode::ControlCount, what, line, &found, &read)
}

fn differs<T: PartialEq + Display>(
    code: FindingCode,
    what: &str,
    line: u64,
    found: &T,
    read: &T,
) -> Option<Notice> {
    (found != read).then(|| Notice {
        severity: Severity::Error,
        code,
        line: Some(line),
        found: format!("{what} {found}"),
        expected: format!("{read}, as read"),
        action: "Ask the bank whether the file is whole and unchanged.".into(),
    })
}
