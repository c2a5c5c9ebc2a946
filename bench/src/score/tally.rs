//! The counts behind every rate.

use super::answers::{Answer, Status};
use super::truth::{Expected, Truth};
use super::verdict::{Verdict, Wrong};
use crate::generate::mix::Outcome;

/// A part of a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// How many.
    pub part: u64,
    /// Of how many.
    pub whole: u64,
}

impl Share {
    /// Counts one more of the whole, and of the part if `hit`.
    pub fn count(&mut self, hit: bool) {
        self.add(1, hit);
    }

    /// Adds `size` to the whole, and to the part if `hit`.
    pub fn add(&mut self, size: u64, hit: bool) {
        self.whole += size;
        self.part += if hit { size } else { 0 };
    }

    /// Between 0 and 1; none of an empty whole.
    pub fn ratio(&self) -> Option<f64> {
        (self.whole > 0).then(|| self.part as f64 / self.whole as f64)
    }
}

/// What became of the payments of one scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByFate {
    /// Lines of the truth.
    pub all: u64,
    /// Applied exactly.
    pub right: u64,
    /// Applied wrongly.
    pub wrong: u64,
    /// Held, by [`Status`].
    pub held: [u64; Status::ALL.len()],
    /// Not among the payments.
    pub missing: u64,
    /// With known items and in `exceptions.csv`: the truth is the first candidate.
    pub first_candidate: Share,
    /// The same: the truth is among the candidates.
    pub any_candidate: Share,
}

impl ByFate {
    /// Counts one verdict.
    pub fn count(&mut self, verdict: Verdict) {
        self.all += 1;
        match verdict {
            Verdict::Right => self.right += 1,
            Verdict::Wrong(_) => self.wrong += 1,
            Verdict::Held(status) => self.held[status as usize] += 1,
            Verdict::Missing => self.missing += 1,
        }
    }
}

/// Lower ends of the score's buckets; the last one holds what claims to be all but certain.
pub const BUCKETS: [f64; 8] = [0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999];

/// What was observed where the engine claimed a score.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bucket {
    /// Sum of the scores.
    pub claimed: f64,
    /// Answers that were the truth.
    pub right: Share,
}

/// Scores claimed beside what was observed, by bucket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reliability {
    /// As [`BUCKETS`].
    pub buckets: [Bucket; BUCKETS.len()],
}

impl Reliability {
    /// Counts one answer.
    pub fn count(&mut self, score: f64, right: bool) {
        let bucket = BUCKETS.iter().rposition(|&low| score >= low);
        let bucket = &mut self.buckets[bucket.unwrap_or(0)];
        bucket.claimed += score;
        bucket.right.count(right);
    }

    /// The expected calibration error: how far the mean score of a bucket is from the share of
    /// its answers that were right, by the answers in it. None where there are no answers.
    pub fn error(&self) -> Option<f64> {
        let all: u64 = self.buckets.iter().map(|bucket| bucket.right.whole).sum();
        let apart = self
            .buckets
            .iter()
            .map(|bucket| (bucket.claimed - bucket.right.part as f64).abs());
        (all > 0).then(|| apart.sum::<f64>() / all as f64)
    }
}

/// Everything that is counted payment by payment.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Payments whose payer can be known: the customer is right.
    pub customer: Share,
    /// Payments to apply: applied at all.
    pub applied: Share,
    /// Payments to apply: applied exactly.
    pub exact: Share,
    /// Lines of payments to apply: in effect exactly.
    pub lines: Share,
    /// Money of payments to apply, in units of 1e-5: applied exactly.
    pub value: Share,
    /// Applied payments: wrong.
    pub false_apply: Share,
    /// Wrong ones by kind, as [`Wrong::ALL`].
    pub wrong: [u64; Wrong::ALL.len()],
    /// Payments that nobody could decide: applied.
    pub undecidable_applied: Share,
    /// Duplicates: found.
    pub duplicates_found: Share,
    /// Duplicates: applied, the dangerous miss.
    pub duplicates_applied: Share,
    /// Payments called duplicates: they are none.
    pub duplicates_false: Share,
    /// Twins (two true payments that look alike): called duplicates.
    pub twins_held: Share,
    /// Payments on account: right customer, all of it on account.
    pub on_account: Share,
    /// Lines out of scope: left alone.
    pub out_of_scope: Share,
    /// Proposals: exactly the truth.
    pub proposals: Share,
    /// Decidable payments that wait in `exceptions.csv`: the truth is the first candidate.
    pub first_candidate: Share,
    /// The same: the truth is among the candidates.
    pub any_candidate: Share,
    /// Payments that only the customer can decide: what it meant is the first candidate, though
    /// another set of items fits as well.
    pub first_unclear: Share,
    /// The same: what it meant is among the candidates.
    pub any_unclear: Share,
    /// Payments with an answer: amount and currency as in the file.
    pub read: Share,
    /// Payments with an answer: the parts add up, and to the applications.
    pub balanced: Share,
    /// Lines of the truth without an answer, bank lines out of scope excepted.
    pub missing: u64,
    /// Bank lines out of scope without an answer.
    pub missing_out_of_scope: u64,
    /// By scenario.
    pub scenarios: Vec<ByFate>,
    /// Scores of all answers, applied or proposed.
    pub reliability: Reliability,
    /// Scores of the answers to payments that can be decided. For the others the truth knows no
    /// answer, so that none that is proposed could be found right.
    pub reliability_decidable: Reliability,
}

/// One payment with its answer, judged.
pub struct Judged<'a> {
    /// The truth.
    pub expected: &'a Expected,
    /// The answer; none if it is missing.
    pub answer: Option<&'a Answer>,
    /// The verdict.
    pub verdict: Verdict,
    /// Cash of all applications in effect.
    pub cash: i64,
    /// Lines of the truth that are in effect exactly.
    pub lines_right: u64,
    /// Whether a proposal, if there is one, is the truth.
    pub proposed: Option<bool>,
}

impl Tally {
    /// A tally for a truth.
    pub fn new(truth: &Truth) -> Self {
        Self {
            scenarios: vec![ByFate::default(); truth.scenarios.len()],
            ..Self::default()
        }
    }

    /// Counts one payment.
    pub fn count(&mut self, truth: &Truth, judged: &Judged) {
        let expected = judged.expected;
        self.scenarios[expected.scenario as usize].count(judged.verdict);
        self.count_customer(truth, judged);
        self.count_applied(truth, judged);
        self.count_held(judged);
        match judged.answer {
            Some(answer) => self.count_answer(judged, answer),
            None if expected.outcome == Outcome::OutOfScope => self.missing_out_of_scope += 1,
            None => self.missing += 1,
        }
    }

    /// Counts a payment whose items the truth knows and that waits in `exceptions.csv`, by the
    /// rank of the truth among its candidates.
    pub fn count_candidates(&mut self, expected: &Expected, rank: Option<usize>) {
        let fate = &mut self.scenarios[expected.scenario as usize];
        let all = if expected.decidable {
            (&mut self.first_candidate, &mut self.any_candidate)
        } else {
            (&mut self.first_unclear, &mut self.any_unclear)
        };
        for share in [all.0, &mut fate.first_candidate] {
            share.count(rank == Some(0));
        }
        for share in [all.1, &mut fate.any_candidate] {
            share.count(rank.is_some());
        }
    }

    fn count_customer(&mut self, truth: &Truth, judged: &Judged) {
        let expected = judged.expected;
        if expected.party != super::numbering::NONE {
            let right = |answer: &Answer| truth.is_customer(expected, answer.party);
            self.customer.count(judged.answer.is_some_and(right));
        }
    }

    fn count_applied(&mut self, truth: &Truth, judged: &Judged) {
        let expected = judged.expected;
        let applied = matches!(judged.verdict, Verdict::Right | Verdict::Wrong(_));
        let exact = judged.verdict == Verdict::Right;
        if applied {
            self.false_apply.count(!exact);
        }
        if let Verdict::Wrong(wrong) = judged.verdict {
            self.wrong[wrong as usize] += 1;
        }
        if expected.to_apply() {
            self.applied.count(applied);
            self.exact.count(exact);
            self.lines.whole += truth.lines_of(expected).len() as u64;
            self.lines.part += judged.lines_right;
            self.value.add(expected.amount.unsigned_abs(), exact);
        }
        if !expected.decidable {
            self.undecidable_applied.count(applied);
        }
    }

    fn count_held(&mut self, judged: &Judged) {
        let expected = judged.expected;
        let held = judged.verdict == Verdict::Held(Status::Duplicate);
        let applied = matches!(judged.verdict, Verdict::Right | Verdict::Wrong(_));
        match expected.outcome {
            Outcome::Duplicate => {
                self.duplicates_found.count(held);
                self.duplicates_applied.count(applied);
            }
            Outcome::OnAccount => self.on_account.count(is_on_account(judged)),
            Outcome::OutOfScope if judged.answer.is_some() => {
                let left = judged.verdict == Verdict::Held(Status::OutOfScope);
                self.out_of_scope.count(left);
            }
            _ => {}
        }
        if held {
            self.duplicates_false
                .count(expected.outcome != Outcome::Duplicate);
        }
    }

    fn count_answer(&mut self, judged: &Judged, answer: &Answer) {
        let expected = judged.expected;
        self.read
            .count(answer.amount == expected.amount && answer.currency == expected.currency);
        self.balanced
            .count(answer.balances() && answer.applied == judged.cash);
        if let Some(right) = judged.proposed {
            self.proposals.count(right);
        }
        let applied = matches!(judged.verdict, Verdict::Right | Verdict::Wrong(_));
        if applied || judged.proposed.is_some() {
            let right = judged.verdict == Verdict::Right || judged.proposed == Some(true);
            self.reliability.count(answer.score, right);
            if expected.decidable || applied {
                self.reliability_decidable.count(answer.score, right);
            }
        }
    }
}

fn is_on_account(judged: &Judged) -> bool {
    judged.answer.is_some_and(|answer| {
        judged.verdict == Verdict::Held(Status::OnAccount)
            && answer.party == judged.expected.party
            && answer.on_account == judged.expected.amount
    })
}
