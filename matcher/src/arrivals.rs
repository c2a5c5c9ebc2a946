//! What the arrival of payments alone tells: their numbers, their scope, and what was resubmitted.
//! It needs no open item, so it can be found out ahead of the matching.

use ahash::RandomState;
use arrow::array::RecordBatch;
use hashbrown::HashMap;
use tieout_core::{Amount, Currency};

use crate::decide::Known;
use crate::payment::{Payment, PaymentColumns};
use crate::recipe::{Answers, Recipe, Treatment};
use crate::scope::{self, LockboxTotals, Lockboxes};
use crate::session::{CARRIED, MatchError};

/// Everything that arrived so far, numbered from 0.
pub struct Arrivals {
    recipe: Recipe,
    next: u32,
    cheques: Cheques,
    lockboxes: Lockboxes,
}

/// One batch of payments that arrived.
pub struct Arrived {
    /// The number of its first payment.
    pub first: u32,
    /// What is known of each payment.
    pub(crate) known: Vec<Known>,
}

impl Arrivals {
    /// Nothing arrived yet; `recipe` says which lines are payments.
    pub fn new(recipe: &Recipe) -> Self {
        Self {
            recipe: recipe.clone(),
            next: 0,
            cheques: Cheques::default(),
            lockboxes: Lockboxes::default(),
        }
    }

    /// Goes on from the cheques and deposits that earlier runs have counted.
    pub fn carry_lockbox(&mut self, totals: &LockboxTotals) {
        self.lockboxes.carry(totals);
    }

    /// Notes a cheque that the earlier payment number `sequence` brought.
    pub fn carry_cheque(
        &mut self,
        account: &str,
        number: &str,
        amount: Amount,
        currency: Currency,
        sequence: u32,
    ) {
        let key = self.cheques.key((account, number, amount, currency));
        self.cheques.seen.entry(key).or_insert(sequence);
    }

    /// Takes the next lines (`parsed_transactions` with their `parsed_remittance_lines`) in the
    /// order of their arrival, and what the recipe's conditions say of them where it has any.
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program, or more payments than numbers.
    pub fn take(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        answers: Option<&Answers>,
    ) -> Result<Arrived, MatchError> {
        let first = self.next;
        let count = u32::try_from(transactions.num_rows()).unwrap_or(u32::MAX);
        self.next = first
            .checked_add(count)
            .filter(|&next| next <= CARRIED)
            .ok_or(MatchError::TooManyPayments)?;
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        let known = (0..count).map(|row| {
            let payment = columns.head(row as usize);
            let treatment = answers
                .map(|answers| Treatment::of(&self.recipe, answers, row as usize, payment.date));
            let treatment = treatment.unwrap_or_default();
            self.know(
                treatment,
                columns.account(row as usize),
                &payment,
                first + row,
            )
        });
        Ok(Arrived {
            first,
            known: known.collect(),
        })
    }

    fn know(
        &mut self,
        treatment: Treatment,
        account: &str,
        payment: &Payment,
        sequence: u32,
    ) -> Known {
        let mut known = Known {
            scope: scope::of_line(&self.recipe, payment, treatment),
            reverses: scope::is_undoing(&self.recipe, payment, treatment),
            treatment,
            ..Known::default()
        };
        if known.scope.is_some() || scope::is_deposit(&self.recipe, payment) {
            return known;
        }
        if payment.is_lockbox {
            self.lockboxes.add_cheque(account, payment);
        }
        if known.reverses {
            return known;
        }
        known.resubmits = self.cheques.resubmitted(payment, sequence);
        known
    }

    /// The lockboxes whose cheques came.
    pub(crate) fn into_lockboxes(self) -> Lockboxes {
        self.lockboxes
    }
}

/// Cheques seen: payer's account, number, amount and currency, as 128 bits of hash.
struct Cheques {
    seen: HashMap<u128, u32, RandomState>,
    hash: [RandomState; 2],
}

impl Default for Cheques {
    fn default() -> Self {
        Self {
            seen: HashMap::default(),
            hash: [
                RandomState::with_seeds(21, 22, 23, 24),
                RandomState::with_seeds(31, 32, 33, 34),
            ],
        }
    }
}

impl Cheques {
    /// The earlier payment with the same cheque, if there is one.
    fn resubmitted(&mut self, payment: &Payment, sequence: u32) -> Option<u32> {
        let cheque = (
            payment.payer_account?,
            payment.check_number?,
            payment.amount,
            payment.currency,
        );
        let key = self.key(cheque);
        let first = *self.seen.entry(key).or_insert(sequence);
        (first != sequence).then_some(first)
    }

    fn key(&self, cheque: (&str, &str, Amount, Currency)) -> u128 {
        let [high, low] = self.hash.each_ref().map(|state| state.hash_one(cheque));
        u128::from(high) << 64 | u128::from(low)
    }
}
