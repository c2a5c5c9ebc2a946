//! The payments that name what they pay, as they arrive: decided side by side, some thousand at a
//! time, and then let take effect in their order.

use std::ops::Range;

use arrow::array::RecordBatch;
use rayon::prelude::*;

use super::{
    Batch, Changes, Decisions, MatchError, PAYMENTS_PER_ROUND, PAYMENTS_PER_TASK, Session,
};
use crate::arrivals::Arrived;
use crate::decide::{Known, Pass, Verdict};
use crate::payment::{Named, PaymentColumns};
use crate::recipe::Treatment;
use crate::reference::{self, DIGITS_MIN, Significant};
use crate::scope;

/// Words of a payment's text whose documents are looked at ahead of time.
const WORDS_AHEAD_MAX: usize = 16;

impl Session {
    /// Decides those of the next payments (`parsed_transactions` with their
    /// `parsed_remittance_lines`, as they `arrived`) that name what they pay. The others come
    /// again in [`Session::amounts`].
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn references(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        arrived: Arrived,
    ) -> Result<Decisions, MatchError> {
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        let mut known = arrived.known;
        if self.recipe.has_conditions() {
            for known in &mut known {
                known.treatment = self.policies.find(&self.recipe, known.treatment);
            }
        }
        if self.recipe.reopens() {
            for (row, known) in known.iter().enumerate() {
                let sequence = arrived.first + row as u32;
                self.originals
                    .add(sequence, &columns.head(row), known.reverses);
            }
        }
        self.link_by_reference(&columns, &mut known, arrived.first);
        let sequences = (arrived.first..).take(known.len()).collect();
        self.decide_all(&Batch {
            columns,
            known,
            sequences,
            pass: Pass::References,
        })
    }

    /// Links the advice that names a payment's reference.
    fn link_by_reference(&mut self, columns: &PaymentColumns, known: &mut [Known], first: u32) {
        if self.remittances.is_empty() {
            return;
        }
        for (row, known) in known.iter_mut().enumerate() {
            if known.scope.is_some()
                || known.resubmits.is_some()
                || known.reverses
                || columns.has_lines(row)
            {
                continue;
            }
            let (payment, sequence) = (columns.head(row), first + row as u32);
            if scope::is_deposit(&self.recipe, &payment) {
                continue;
            }
            if let Some(advice) = self.remittances.link_by_reference(&payment, sequence) {
                self.linked.insert(sequence, advice);
                known.linked = true;
            }
        }
    }

    fn decide_all(&mut self, batch: &Batch) -> Result<Decisions, MatchError> {
        let count = batch.known.len();
        let mut decided = Decisions::default();
        decided.rows.reserve(count);
        decided.decisions.reserve(count);
        let mut verdicts = Vec::with_capacity(count.min(PAYMENTS_PER_ROUND));
        for first in (0..count).step_by(PAYMENTS_PER_ROUND) {
            let end = count.min(first + PAYMENTS_PER_ROUND);
            (first..end)
                .into_par_iter()
                .with_min_len(PAYMENTS_PER_TASK)
                .map(|row| {
                    if (row - first).is_multiple_of(PAYMENTS_PER_TASK) {
                        self.look_ahead(batch, row..end.min(row + PAYMENTS_PER_TASK));
                    }
                    self.decide(batch, row, batch.known[row])
                })
                .collect_into_vec(&mut verdicts);
            self.take_effect(batch, first, &mut verdicts, &mut decided)?;
        }
        Ok(decided)
    }

    /// Brings the items that these payments name into the cache, all side by side. Millions of items
    /// lie in memory, and deciding would wait for it at each step to each of them: to the index,
    /// its entry, the item, its number.
    fn look_ahead(&self, batch: &Batch, rows: Range<usize>) {
        let mut keys: Vec<Significant> = Vec::with_capacity(2 * rows.len());
        for row in rows {
            let key = |word: &str| Significant::of(word.as_bytes());
            let is_told = |key: &Significant| key.digits() >= DIGITS_MIN;
            match batch.columns.named(row) {
                Named::Documents(documents) => keys.extend(documents.map(key)),
                Named::Text(text) => {
                    let words = reference::tokens(text).take(WORDS_AHEAD_MAX);
                    keys.extend(words.map(key).filter(is_told));
                }
            }
        }
        self.items.look_ahead(&keys);
    }

    /// Lets decisions of the rows from `first` on take effect, one after the other.
    fn take_effect(
        &mut self,
        batch: &Batch,
        first: usize,
        verdicts: &mut Vec<Result<Verdict, MatchError>>,
        decided: &mut Decisions,
    ) -> Result<(), MatchError> {
        let mut changes = Changes::default();
        for (row, verdict) in (first..).zip(verdicts.drain(..)) {
            let mut verdict = verdict?;
            let (known, sequence) = (batch.known[row], batch.sequences[row]);
            if known.reverses && known.scope.is_none() {
                verdict.decision = self.undo(batch, row)?;
            } else if let Some(earlier) = known.resubmits
                && self.originals.is_undone(earlier)
            {
                // The first one bounced: this is no repeat of it.
                let known = Known {
                    resubmits: None,
                    ..known
                };
                verdict = self.decide(batch, row, known)?;
            } else if changes.touch(&verdict.reads) {
                verdict = self.decide(batch, row, known)?;
            }
            let Some(decision) = verdict.decision else {
                self.keep_waiting(batch, row);
                decided.waiting.push(row as u32);
                continue;
            };
            self.commit(sequence, &decision, &mut changes)?;
            if let Some(observer) = &mut self.observer {
                observer.add(&decision, verdict.reads.patterns);
            }
            if self.recipe.reopens() {
                self.originals.decided(sequence, &decision);
            }
            decided.rows.push(row as u32);
            decided.decisions.push(decision);
        }
        Ok(())
    }

    /// Remembers of a payment that waits what is asked again when its amount decides.
    fn keep_waiting(&mut self, batch: &Batch, row: usize) {
        let treatment = batch.known[row].treatment;
        if treatment != Treatment::default() {
            self.treatments.insert(batch.sequences[row], treatment);
        }
        if self.recipe.tells_rivals() {
            self.rivals.add(&batch.columns.head(row));
        }
    }
}
