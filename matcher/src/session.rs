//! The state of a run, and the order in which decisions take effect.

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::RecordBatch;
use hashbrown::HashMap;
use rayon::prelude::*;
use thiserror::Error;
use tieout_core::{Date, Decision, Unbalanced};

use crate::columns::BadBatch;
use crate::decide::{Known, Pass, Verdict, View, decide};
use crate::items::{Items, ItemsError, LoadedBatch};
use crate::labels::Labels;
use crate::parties::Parties;
use crate::payment::{Payment, PaymentColumns};
use crate::reading::Reads;
use crate::recipe::Recipe;
use crate::remittance::Remittances;
use crate::scope::{self, DepositGap, Lockboxes};

/// Payments that one thread takes at a time.
const PAYMENTS_PER_TASK: usize = 64;

/// A mistake in the program; what is wrong in files never comes this far.
#[derive(Debug, Error)]
pub enum MatchError {
    /// Not the shape of the table.
    #[error(transparent)]
    BadBatch(#[from] BadBatch),
    /// A decision that does not balance.
    #[error(transparent)]
    Unbalanced(#[from] Unbalanced),
    /// A decision that takes more than is open.
    #[error("payment {payment} would take more of an item than is open")]
    OverApplied {
        /// The payment's sequence number.
        payment: u32,
    },
    /// More payments than sequence numbers.
    #[error("more than 4,294,967,294 payments in one run")]
    TooManyPayments,
}

/// One run of matching. Payments are numbered from 0 in the order of their arrival.
pub struct Session {
    recipe: Recipe,
    as_of: Option<Date>,
    explain: bool,
    items: Items,
    parties: Parties,
    remittances: Remittances,
    lockboxes: Lockboxes,
    cheques: Cheques,
    labels: Arc<Labels>,
    next: u32,
    /// The advice of payments that wait.
    linked: HashMap<u32, u32, RandomState>,
}

impl Session {
    /// A run by `recipe`. `as_of` decides what is past due (each payment's own day where none
    /// is given); `explain` keeps the details of the evidence, which no decision depends on.
    pub fn new(recipe: Recipe, as_of: Option<Date>, explain: bool) -> Self {
        Self {
            recipe,
            as_of,
            explain,
            items: Items::default(),
            parties: Parties::default(),
            remittances: Remittances::default(),
            lockboxes: Lockboxes::default(),
            cheques: Cheques::default(),
            labels: Arc::default(),
            next: 0,
            linked: HashMap::default(),
        }
    }

    /// Adds rows of the table `parties`; returns the rows whose party came before.
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of that table.
    pub fn load_parties(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, MatchError> {
        Ok(self.parties.load(batch)?)
    }

    /// Adds rows of the table `open_items`, saying of each what came of it.
    ///
    /// # Errors
    /// An [`ItemsError`] if the batch is not of that table or the store is full.
    pub fn load_items(&mut self, batch: &RecordBatch) -> Result<LoadedBatch, ItemsError> {
        self.items.load(batch, &mut self.parties)
    }

    /// Adds remittance advice that came apart from its payments (table `remittance_lines`).
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of that table.
    pub fn load_remittances(&mut self, batch: &RecordBatch) -> Result<(), MatchError> {
        Ok(self.remittances.load(batch)?)
    }

    /// Builds the indexes, once everything that the business knows is loaded.
    pub fn finish_loading(&mut self) {
        self.parties.finish_loading();
        self.items.finish_loading(self.parties.len());
        let parties = 0..self.parties.len() as u32;
        self.labels = Arc::new(Labels {
            parties: parties.map(|party| self.parties.id(party).into()).collect(),
            ..self.items.labels()
        });
    }

    /// What outputs call items and parties, once everything is loaded.
    pub fn labels(&self) -> Arc<Labels> {
        Arc::clone(&self.labels)
    }

    /// The open items as they are now.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// The parties.
    pub fn parties(&self) -> &Parties {
        &self.parties
    }

    /// The advice that came apart from its payments, with its links.
    pub fn remittances(&self) -> &Remittances {
        &self.remittances
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Lockboxes whose deposits on the statements differ from their cheques, after all passes.
    pub fn deposit_gaps(&self) -> Vec<DepositGap> {
        self.lockboxes.gaps()
    }

    /// Takes the next payments (`parsed_transactions` with their `parsed_remittance_lines`) and
    /// decides those that name what they pay. The others get no decision yet: they come again
    /// in [`Session::amounts`].
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn references(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
    ) -> Result<Vec<Option<Decision>>, MatchError> {
        let first = self.next;
        let count = u32::try_from(transactions.num_rows()).unwrap_or(u32::MAX);
        self.next = first
            .checked_add(count)
            .filter(|&next| next < u32::MAX)
            .ok_or(MatchError::TooManyPayments)?;
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        let mut payments = Vec::with_capacity(transactions.num_rows());
        for row in 0..transactions.num_rows() {
            let payment = columns.get(row);
            let sequence = first + row as u32;
            let known = self.know(&columns, row, &payment, sequence);
            payments.push((sequence, payment, known));
        }
        let remittances = std::mem::take(&mut self.remittances);
        let result = self.decide_all(payments, &remittances, Pass::References);
        self.remittances = remittances;
        result
    }

    /// Decides the payments that [`Session::references`] left, given again in the order of
    /// their `sequences`.
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn amounts(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        sequences: &[u32],
    ) -> Result<Vec<Decision>, MatchError> {
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        let mut payments = Vec::with_capacity(sequences.len());
        for (row, &sequence) in sequences.iter().enumerate() {
            let payment = columns.get(row);
            let scope = scope::is_deposit(&self.recipe, &payment)
                .then(|| self.lockboxes.add_deposit(&payment));
            self.link_what_is_left(&payment, sequence);
            let known = Known {
                scope,
                resubmits: None,
                linked: self.linked.contains_key(&sequence),
            };
            payments.push((sequence, payment, known));
        }
        let remittances = std::mem::take(&mut self.remittances);
        let decisions = self.decide_all(payments, &remittances, Pass::Amounts);
        self.remittances = remittances;
        Ok(decisions?.into_iter().flatten().collect())
    }

    /// By now every advice that names its payment is linked; what is left is told by its amount.
    fn link_what_is_left(&mut self, payment: &Payment, sequence: u32) {
        if payment.lines.is_empty()
            && payment.is_credit
            && !self.linked.contains_key(&sequence)
            && let Some(advice) = self.remittances.link_by_amount(payment, sequence)
        {
            self.linked.insert(sequence, advice);
        }
    }

    /// What arrival alone tells: scope, resubmission, and the link to advice.
    fn know(
        &mut self,
        columns: &PaymentColumns,
        row: usize,
        payment: &Payment,
        sequence: u32,
    ) -> Known {
        let mut known = Known {
            scope: scope::of_line(&self.recipe, payment),
            ..Known::default()
        };
        if known.scope.is_some() || scope::is_deposit(&self.recipe, payment) {
            return known;
        }
        if payment.is_lockbox {
            self.lockboxes.add_cheque(columns.account(row), payment);
        }
        known.resubmits = self.cheques.resubmitted(payment, sequence);
        if known.resubmits.is_none()
            && payment.lines.is_empty()
            && !self.remittances.is_empty()
            && let Some(advice) = self.remittances.link_by_reference(payment, sequence)
        {
            self.linked.insert(sequence, advice);
            known.linked = true;
        }
        known
    }

    fn decide_all<'a>(
        &mut self,
        mut payments: Vec<(u32, Payment<'a>, Known)>,
        remittances: &'a Remittances,
        pass: Pass,
    ) -> Result<Vec<Option<Decision>>, MatchError> {
        for (sequence, payment, _) in &mut payments {
            if let Some(&advice) = self.linked.get(sequence) {
                payment.lines = remittances.lines(advice)?;
            }
        }
        let view = self.view();
        let deposits = pass == Pass::References;
        let verdicts: Vec<Result<Verdict, Unbalanced>> = payments
            .par_iter()
            .with_min_len(PAYMENTS_PER_TASK)
            .map(|(_, payment, known)| {
                if deposits && known.scope.is_none() && scope::is_deposit(view.recipe, payment) {
                    return Ok(Verdict {
                        decision: None,
                        reads: Reads::default(),
                    });
                }
                decide(&view, payment, *known, pass)
            })
            .collect();
        let mut changes = Changes::default();
        let mut decisions = Vec::with_capacity(payments.len());
        for ((sequence, payment, known), verdict) in payments.iter().zip(verdicts) {
            let mut verdict = verdict?;
            if changes.touch(&verdict.reads) {
                verdict = decide(&self.view(), payment, *known, pass)?;
            }
            if let Some(decision) = &verdict.decision {
                self.commit(*sequence, decision, &mut changes)?;
            }
            decisions.push(verdict.decision);
        }
        Ok(decisions)
    }

    fn view(&self) -> View<'_> {
        View {
            items: &self.items,
            parties: &self.parties,
            recipe: &self.recipe,
            explain: self.explain,
            as_of: self.as_of,
        }
    }

    /// Lets the decision take effect on the items.
    fn commit(
        &mut self,
        sequence: u32,
        decision: &Decision,
        changes: &mut Changes,
    ) -> Result<(), MatchError> {
        if !decision.takes_effect() {
            return Ok(());
        }
        for part in decision.applications() {
            if !self.items.take(part.item, part.total(), sequence) {
                return Err(MatchError::OverApplied { payment: sequence });
            }
            changes.items.insert(part.item.0, ());
            if let Some(party) = self.items.party(part.item) {
                changes.families.insert(self.parties.root(party), ());
            }
        }
        Ok(())
    }
}

/// What the payments of one batch have changed so far.
#[derive(Default)]
struct Changes {
    items: HashMap<u32, (), RandomState>,
    families: HashMap<u32, (), RandomState>,
}

impl Changes {
    /// Whether anything that a decision rests on has changed.
    fn touch(&self, reads: &Reads) -> bool {
        reads.items.iter().any(|item| self.items.contains_key(item))
            || reads
                .families
                .iter()
                .any(|family| self.families.contains_key(family))
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
        let [high, low] = self.hash.each_ref().map(|state| state.hash_one(cheque));
        let key = u128::from(high) << 64 | u128::from(low);
        let first = *self.seen.entry(key).or_insert(sequence);
        (first != sequence).then_some(first)
    }
}
