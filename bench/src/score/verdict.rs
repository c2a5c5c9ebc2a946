//! One payment judged: what the engine did beside what was right.

use super::answers::{Answer, Application, Status};
use super::truth::{Expected, Truth};
use crate::generate::mix::Outcome;

/// Why an applied payment is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// Nobody could know; it should have waited for a person.
    Undecidable,
    /// It was paid before.
    Duplicate,
    /// It is no customer's payment.
    OutOfScope,
    /// It belongs on account.
    OnAccount,
    /// To items that it does not pay.
    Item,
    /// The right items, the wrong amounts of cash on them, or the rest not on account.
    Amount,
    /// The right cash, the wrong discount, write-off or deduction.
    Allowance,
    /// The right items and amounts for the wrong customer.
    Customer,
}

impl Wrong {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Undecidable,
        Self::Duplicate,
        Self::OutOfScope,
        Self::OnAccount,
        Self::Item,
        Self::Amount,
        Self::Allowance,
        Self::Customer,
    ];

    /// A word for reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Undecidable => "undecidable_applied",
            Self::Duplicate => "duplicate_applied",
            Self::OutOfScope => "out_of_scope_applied",
            Self::OnAccount => "on_account_applied",
            Self::Item => "wrong_item",
            Self::Amount => "wrong_amount",
            Self::Allowance => "wrong_allowance",
            Self::Customer => "wrong_customer",
        }
    }
}

/// What became of one line of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Applied exactly as the truth has it.
    Right,
    /// Applied, and wrong.
    Wrong(Wrong),
    /// Not applied: the engine's status.
    Held(Status),
    /// Not among the payments.
    Missing,
}

/// Judges an answer with its applications.
pub fn judge(
    truth: &Truth,
    expected: &Expected,
    answer: &Answer,
    applications: &[Application],
) -> Verdict {
    let effective = applications.iter().any(|a| a.effective);
    if !answer.status.is_applied() && !effective {
        return Verdict::Held(answer.status);
    }
    match fault(truth, expected, answer, applications) {
        None => Verdict::Right,
        Some(wrong) => Verdict::Wrong(wrong),
    }
}

fn fault(
    truth: &Truth,
    expected: &Expected,
    answer: &Answer,
    applications: &[Application],
) -> Option<Wrong> {
    match expected.outcome {
        Outcome::Person => return Some(Wrong::Undecidable),
        Outcome::Duplicate => return Some(Wrong::Duplicate),
        Outcome::OutOfScope => return Some(Wrong::OutOfScope),
        Outcome::OnAccount => return Some(Wrong::OnAccount),
        Outcome::Applied | Outcome::PartiallyApplied => {}
    }
    let effective = || applications.iter().filter(|a| a.effective).map(|a| &a.line);
    let lines = truth.lines_of(expected);
    if !effective().map(|l| l.item).eq(lines.iter().map(|l| l.item)) {
        return Some(Wrong::Item);
    }
    let cash: i64 = lines.iter().map(|line| line.cash).sum();
    if !effective().map(|l| l.cash).eq(lines.iter().map(|l| l.cash))
        || answer.on_account != expected.amount - cash
    {
        return Some(Wrong::Amount);
    }
    if !effective().eq(lines) {
        return Some(Wrong::Allowance);
    }
    (!truth.is_customer(expected, answer.party)).then_some(Wrong::Customer)
}

/// Whether a proposal is what the truth has.
pub fn proposes_truth(truth: &Truth, expected: &Expected, applications: &[Application]) -> bool {
    let proposed = applications.iter().filter(|a| !a.effective);
    !truth.lines_of(expected).is_empty() && proposed.map(|a| &a.line).eq(truth.lines_of(expected))
}
