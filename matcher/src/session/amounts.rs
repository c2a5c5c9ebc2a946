//! The payments that no document decides, in rounds: what each may pay is asked of all of them,
//! those that compete are settled together, and only then does anything take effect. Payments for
//! which that changes what is open come again in the next round.

use std::collections::VecDeque;

use ahash::RandomState;
use arrow::array::RecordBatch;
use hashbrown::HashMap;
use rayon::prelude::*;
use tieout_core::{Application, Decision};

use super::{
    Batch, Changes, Decisions, MatchError, PAYMENTS_PER_ROUND, PAYMENTS_PER_TASK, Session,
};
use crate::decide::{Known, Pass, Verdict};
use crate::payment::PaymentColumns;
use crate::scope;
use crate::together::{Claim, Outcome, Stage, settle};

/// Rounds after which payments are decided by what is open then.
const ROUNDS_MAX: u32 = 8;

/// Decisions that are kept from the asking to the deciding; those of more payments are made again,
/// so that memory stays bounded.
const KEPT_MAX: usize = 65_536;

/// What is known of payments while their amounts decide.
#[derive(Default)]
pub struct Amounts {
    known: HashMap<u32, Known, RandomState>,
    /// Lines that undo what documents had decided.
    undone: HashMap<u32, Decision, RandomState>,
    claims: Vec<Claim>,
    /// What the first payments come to without competitors, in their order.
    kept: VecDeque<Asked>,
    /// The same of payments that came to wait for this round.
    earlier: HashMap<u32, Asked, RandomState>,
    /// What payments took in the round before.
    changed: Changes,
    outcomes: HashMap<u32, Outcome, RandomState>,
    /// What the payments of this round may take.
    touched: Changes,
    /// What they do take, once all are decided.
    taken: Vec<(u32, Vec<Application>)>,
    rounds: u32,
    /// Payments, not lines that undo others, that wait for the next round.
    waiting: u32,
    /// No payment waits after this round.
    is_last: bool,
    /// Only lines that undo others are left.
    is_over: bool,
}

/// What a payment comes to without competitors.
struct Asked {
    verdict: Verdict,
    /// The place of its claim among all.
    claim: Option<usize>,
}

impl Amounts {
    /// Whether a payment comes to the same as in the round before.
    fn stands(&self, asked: &Asked) -> bool {
        !self.changed.touch(&asked.verdict.reads)
    }

    /// Takes what a payment comes to; where it is none, that of the round before stands.
    fn ask(&mut self, sequence: u32, verdict: Option<Verdict>) {
        let earlier = || Some(self.earlier.remove(&sequence)?.verdict);
        let mut verdict = verdict.or_else(earlier).unwrap_or_default();
        let claim = verdict.reads.claim.take().map(|mut claim| {
            claim.sequence = sequence;
            self.claims.push(claim);
            self.claims.len() - 1
        });
        if self.kept.len() < KEPT_MAX {
            self.kept.push_back(Asked { verdict, claim });
        }
    }

    /// Hands the claims of this round back to the payments that wait for the next.
    fn end_round(&mut self) {
        self.changed = Changes::default();
        let claims = std::mem::take(&mut self.claims);
        let mut claims: Vec<Option<Claim>> = claims.into_iter().map(Some).collect();
        for asked in self.earlier.values_mut() {
            let place = asked.claim.take();
            asked.verdict.reads.claim = place.and_then(|place| claims[place].take());
        }
    }
}

impl Session {
    /// Makes the payments that [`Session::references`] left ready for [`Session::claim`], in the
    /// order of their `sequences`, after [`Session::close`]: links the advice that only amounts
    /// tell, and opens again what lines undo that are decided already.
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn prepare(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        sequences: &[u32],
    ) -> Result<(), MatchError> {
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        let mut known = Vec::with_capacity(sequences.len());
        for (row, &sequence) in sequences.iter().enumerate() {
            let payment = columns.head(row);
            let scope = scope::is_deposit(&self.recipe, &payment)
                .then(|| self.lockboxes.add_deposit(&payment));
            if !columns.has_lines(row) {
                self.link_what_is_left(&payment, sequence);
            }
            let treatment = self.treatments.remove(&sequence).unwrap_or_default();
            known.push(Known {
                scope,
                resubmits: None,
                linked: self.linked.contains_key(&sequence),
                reverses: scope::is_undoing(&self.recipe, &payment, treatment),
                treatment,
            });
        }
        self.amounts
            .known
            .extend(sequences.iter().copied().zip(known.iter().copied()));
        let batch = Batch {
            columns,
            known,
            sequences: sequences.to_vec(),
            // What is not decided yet may still be.
            pass: Pass::References,
        };
        for (row, &sequence) in sequences.iter().enumerate() {
            if is_undoing(batch.known[row])
                && let Some(decision) = self.undo(&batch, row)?
            {
                self.commit(sequence, &decision, &mut Changes::default())?;
                self.originals.decided(sequence, &decision);
                self.amounts.undone.insert(sequence, decision);
            }
        }
        Ok(())
    }

    /// Asks what each of the payments may pay as things stand. All that wait are asked before
    /// [`Session::settle`].
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn claim(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        sequences: &[u32],
    ) -> Result<(), MatchError> {
        if self.amounts.is_over {
            return Ok(());
        }
        let batch = self.batch(transactions, remittance_lines, sequences)?;
        let count = sequences.len();
        let mut verdicts = Vec::with_capacity(count.min(PAYMENTS_PER_ROUND));
        for first in (0..count).step_by(PAYMENTS_PER_ROUND) {
            (first..count.min(first + PAYMENTS_PER_ROUND))
                .into_par_iter()
                .with_min_len(PAYMENTS_PER_TASK)
                .map(|row| {
                    let earlier = self.amounts.earlier.get(&sequences[row]);
                    if earlier.is_some_and(|asked| self.amounts.stands(asked)) {
                        return Ok(None);
                    }
                    let known = batch.known[row];
                    self.decide_at(&batch, row, known, Stage::Claims).map(Some)
                })
                .collect_into_vec(&mut verdicts);
            for (row, verdict) in (first..).zip(verdicts.drain(..)) {
                self.amounts.ask(sequences[row], verdict?);
            }
        }
        Ok(())
    }

    /// Settles the claims of payments that compete for items.
    pub fn settle(&mut self) {
        let mut taken = Vec::new();
        self.amounts.outcomes = settle(&self.amounts.claims, &mut taken);
        self.amounts.earlier.clear();
        let mut touched = Changes::default();
        for item in taken {
            touched.add(item, &self.items, &self.parties);
        }
        self.amounts.touched = touched;
        self.amounts.rounds += 1;
        self.amounts.is_last |= self.amounts.rounds == ROUNDS_MAX;
    }

    /// Decides the payments whose claims are settled. Those wait for the next round for which
    /// others of this round change what is open; nothing changes before
    /// [`Session::take_effect_together`].
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn amounts(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        sequences: &[u32],
    ) -> Result<Decisions, MatchError> {
        let batch = self.batch(transactions, remittance_lines, sequences)?;
        let count = sequences.len();
        let mut decided = Decisions::default();
        let mut verdicts = Vec::with_capacity(count.min(PAYMENTS_PER_ROUND));
        for first in (0..count).step_by(PAYMENTS_PER_ROUND) {
            let rows = first..count.min(first + PAYMENTS_PER_ROUND);
            // None for what was kept and stands.
            rows.clone()
                .into_par_iter()
                .with_min_len(PAYMENTS_PER_TASK)
                .map(|row| {
                    let kept = self.amounts.kept.get(row - first);
                    let stage = match (self.amounts.outcomes.get(&sequences[row]), kept) {
                        (None, Some(_)) => return Ok(None),
                        (None, None) => Stage::Alone,
                        (Some(outcome), kept) => {
                            let readings = kept.map(|kept| &*kept.verdict.reads.by_amount);
                            Stage::Settled(outcome, readings.unwrap_or_default())
                        }
                    };
                    let known = batch.known[row];
                    self.decide_at(&batch, row, known, stage).map(Some)
                })
                .collect_into_vec(&mut verdicts);
            for (row, verdict) in rows.zip(verdicts.drain(..)) {
                let kept = self.amounts.kept.pop_front();
                self.decide_by_amount(&batch, row, (verdict?, kept), &mut decided)?;
            }
        }
        Ok(decided)
    }

    /// Lets all decisions of a round take effect.
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn take_effect_together(&mut self) -> Result<(), MatchError> {
        let taken = std::mem::take(&mut self.amounts.taken);
        self.amounts.is_over = self.amounts.waiting == 0;
        // What was touched was not taken: another round would say the same.
        self.amounts.is_last |= taken.is_empty();
        self.amounts.waiting = 0;
        self.amounts.end_round();
        for (payment, parts) in taken {
            for part in parts {
                let changed = &mut self.amounts.changed;
                changed.add(part.item.0, &self.items, &self.parties);
                if !self.items.take(part.item, part.total(), payment) {
                    return Err(MatchError::OverApplied { payment });
                }
            }
        }
        Ok(())
    }

    fn batch<'a>(
        &self,
        transactions: &'a RecordBatch,
        remittance_lines: &'a RecordBatch,
        sequences: &[u32],
    ) -> Result<Batch<'a>, MatchError> {
        let known = sequences.iter().map(|sequence| {
            let known = self.amounts.known.get(sequence);
            known.copied().unwrap_or_default()
        });
        Ok(Batch {
            columns: PaymentColumns::of(transactions, remittance_lines)?,
            known: known.collect(),
            sequences: sequences.to_vec(),
            pass: Pass::Amounts,
        })
    }

    fn decide_by_amount(
        &mut self,
        batch: &Batch,
        row: usize,
        (verdict, kept): (Option<Verdict>, Option<Asked>),
        decided: &mut Decisions,
    ) -> Result<(), MatchError> {
        let sequence = batch.sequences[row];
        let (mut verdict, claim, before) = match (verdict, kept) {
            (Some(verdict), before) => (verdict, None, before),
            (None, Some(asked)) => (asked.verdict, Some(asked.claim), None),
            (None, None) => (Verdict::default(), None, None),
        };
        let decision = if is_undoing(batch.known[row]) {
            let undone = self.amounts.undone.remove(&sequence);
            if undone.is_none() && self.amounts.is_over {
                let decision = self.undo(batch, row)?;
                if let Some(decision) = &decision {
                    self.commit(sequence, decision, &mut Changes::default())?;
                    self.originals.decided(sequence, decision);
                }
                decision
            } else {
                undone
            }
        } else {
            let waits = |decision: &Decision| {
                !self.amounts.is_last
                    && !decision.takes_effect()
                    && self.amounts.touched.touch(&verdict.reads)
            };
            let is_ready = verdict.decision.as_ref().is_some_and(|it| !waits(it));
            let ready = verdict.decision.take_if(|_| is_ready);
            match &ready {
                None => {
                    self.amounts.waiting += 1;
                    let own = claim.map(|claim| Asked {
                        verdict: std::mem::take(&mut verdict),
                        claim,
                    });
                    if let Some(asked) = before.or(own) {
                        self.amounts.earlier.insert(sequence, asked);
                    }
                }
                Some(decision) => {
                    if decision.takes_effect() {
                        let parts = decision.applications().to_vec();
                        self.amounts.taken.push((sequence, parts));
                    }
                    if self.recipe.reopens() {
                        self.originals.decided(sequence, decision);
                    }
                }
            }
            ready
        };
        let Some(decision) = decision else {
            decided.waiting.push(row as u32);
            return Ok(());
        };
        if let Some(observer) = &mut self.observer {
            observer.add(&decision, std::mem::take(&mut verdict.reads.patterns));
        }
        decided.rows.push(row as u32);
        decided.decisions.push(decision);
        Ok(())
    }
}

/// Whether the line is decided by the one that it undoes.
fn is_undoing(known: Known) -> bool {
    known.reverses && known.scope.is_none()
}
