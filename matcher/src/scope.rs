//! Which lines are customers' payments, and the lockbox deposits that repeat them in one sum.

use ahash::RandomState;
use hashbrown::HashMap;
use tieout_core::{Amount, Currency, Reason};

use crate::decide::Scope;
use crate::payment::Payment;
use crate::recipe::{Action, Recipe, Treatment, Undoing};
use crate::reference::{self, Significant};

/// What one lockbox's cheques and the bank's deposits of it add up to.
#[derive(Clone, Copy, Default)]
struct Totals {
    cheques: Amount,
    deposits: Amount,
    /// Earlier runs have begun to count: the last cheques are not deposited yet.
    is_carried: bool,
}

/// What one lockbox's cheques and deposits add up to so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockboxTotals {
    /// The lockbox's number, without leading zeros.
    pub lockbox: String,
    /// The currency.
    pub currency: Currency,
    /// The sum of its cheques.
    pub cheques: Amount,
    /// The sum of its deposits.
    pub deposits: Amount,
}

/// A lockbox whose deposits on the statements are not the sum of its cheques.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepositGap {
    /// The lockbox's number, without leading zeros.
    pub lockbox: String,
    /// The currency.
    pub currency: Currency,
    /// The sum of its cheques.
    pub cheques: Amount,
    /// The sum of its deposits.
    pub deposits: Amount,
}

/// The lockboxes whose cheques came.
#[derive(Default)]
pub struct Lockboxes {
    totals: HashMap<(Box<[u8]>, Currency), Totals, RandomState>,
}

impl Lockboxes {
    /// Counts a cheque of the lockbox `account`.
    pub fn add_cheque(&mut self, account: &str, payment: &Payment) {
        let key = key_of(account, payment.currency);
        self.totals.entry(key).or_default().cheques += payment.amount;
    }

    /// Counts a deposit and says whether the cheques of its lockbox came.
    pub fn add_deposit(&mut self, payment: &Payment) -> Scope {
        let words = [payment.end_to_end_id, payment.bank_reference]
            .into_iter()
            .flatten()
            .chain(reference::tokens(payment.text));
        for word in words {
            if let Some(totals) = self.totals.get_mut(&key_of(word, payment.currency)) {
                totals.deposits += payment.amount;
                return Scope::Out(Reason::LockboxDeposit);
            }
        }
        Scope::DetailMissing
    }

    /// Goes on from what earlier runs have counted.
    pub fn carry(&mut self, earlier: &LockboxTotals) {
        let totals = Totals {
            cheques: earlier.cheques,
            deposits: earlier.deposits,
            is_carried: true,
        };
        self.totals.insert(
            (earlier.lockbox.as_bytes().into(), earlier.currency),
            totals,
        );
    }

    /// What is counted so far, in the order of the lockboxes.
    pub fn totals(&self) -> Vec<LockboxTotals> {
        let totals = self.totals.iter();
        let mut totals: Vec<_> = totals
            .map(|((lockbox, currency), totals)| LockboxTotals {
                lockbox: String::from_utf8_lossy(lockbox).into_owned(),
                currency: *currency,
                cheques: totals.cheques,
                deposits: totals.deposits,
            })
            .collect();
        totals.sort_by(|left, right| {
            (&left.lockbox, left.currency).cmp(&(&right.lockbox, right.currency))
        });
        totals
    }

    /// Lockboxes that a statement mentions, with deposits that differ from the cheques.
    pub fn gaps(&self) -> Vec<DepositGap> {
        let mut gaps: Vec<DepositGap> = self
            .totals
            .iter()
            .filter(|(_, totals)| {
                // Cheques of the last days reach the statement in a later run.
                let is_short = totals.deposits < totals.cheques && !totals.is_carried;
                let is_over = totals.deposits > totals.cheques;
                totals.deposits.is_positive() && (is_short || is_over)
            })
            .map(|((lockbox, currency), totals)| DepositGap {
                lockbox: String::from_utf8_lossy(lockbox).into_owned(),
                currency: *currency,
                cheques: totals.cheques,
                deposits: totals.deposits,
            })
            .collect();
        gaps.sort_by(|left, right| {
            (&left.lockbox, left.currency).cmp(&(&right.lockbox, right.currency))
        });
        gaps
    }
}

fn key_of(number: &str, currency: Currency) -> (Box<[u8]>, Currency) {
    let key = Significant::of(number.as_bytes());
    (key.as_bytes().into(), currency)
}

/// Whether the line undoes an earlier one, and the recipe wants that tied out.
pub fn is_undoing(recipe: &Recipe, payment: &Payment, treatment: Treatment) -> bool {
    let reversals = &recipe.reversals;
    let has_code = || {
        let mut codes = reversals.type_codes.iter();
        codes.any(|code| code == payment.type_code)
    };
    recipe.reopens()
        && (payment.is_reversal || payment.is_return || treatment.reverses || has_code())
}

/// Whether the line itself, or the recipe, says that it is out of scope.
pub fn of_line(recipe: &Recipe, payment: &Payment, treatment: Treatment) -> Option<Scope> {
    let undoes = is_undoing(recipe, payment, treatment);
    let side = &recipe.payments;
    if payment.is_credit && !side.credits && !undoes {
        Some(Scope::Out(Reason::Credit))
    } else if !payment.is_credit && !side.debits && !undoes {
        Some(Scope::Out(Reason::Debit))
    } else if payment.is_summary {
        Some(Scope::Out(Reason::DetailedElsewhere))
    } else if payment.is_pending {
        Some(Scope::Out(Reason::NotBooked))
    } else if payment.is_reversal && recipe.reversals.undoing == Undoing::LeftOut {
        Some(Scope::Out(Reason::Reversal))
    } else if treatment.left_out {
        Some(Scope::Out(Reason::LeftOut))
    } else if let Action::LeaveOut(reason) = treatment.action(recipe) {
        Some(Scope::Out(reason))
    } else if !payment.amount.is_positive()
        || !undoes
            && recipe
                .scope
                .not_payments
                .iter()
                .any(|code| code == payment.type_code)
    {
        Some(Scope::Out(Reason::NotMoney))
    } else {
        None
    }
}

/// Whether the line is the deposit of a lockbox in one sum.
pub fn is_deposit(recipe: &Recipe, payment: &Payment) -> bool {
    !payment.is_lockbox
        && payment.is_credit
        && recipe
            .scope
            .lockbox_deposits
            .iter()
            .any(|code| code == payment.type_code)
}
