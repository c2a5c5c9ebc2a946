//! A reading: one consistent answer to "what does this payment pay?", with its evidence.

use ahash::RandomState;
use hashbrown::HashSet;
use smallvec::SmallVec;
use tieout_core::{Amount, Application, Evidence, Feature, ItemIx, Reason, Rule};

use crate::memory::Pattern;
use crate::score::{PRIOR, probability, weight};
use crate::together::Claim;

/// What a decision depends on: when one of these changes before the decision is committed, the
/// decision is made again.
#[derive(Debug, Default)]
pub struct Reads {
    pub items: SmallVec<[u32; 8]>,
    /// Families (by the party at their top) whose open items were looked through.
    pub families: SmallVec<[u32; 2]>,
    /// The kinds of the answers that there were, the best first, where somebody learns from them.
    pub patterns: Vec<Pattern>,
    /// What the payment may pay, where only that is asked.
    pub claim: Option<Claim>,
    /// The readings by amount that the claim rests on.
    pub by_amount: Vec<Reading>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Reading {
    pub rule: Rule,
    pub party: Option<u32>,
    pub parts: Vec<Application>,
    /// Why it is not simply applied, if it is not.
    pub reason: Option<Reason>,
    /// Whether it may apply itself, if the score allows.
    pub may_apply: bool,
    /// Whether another set of items has the amount just as well.
    pub is_rivalled: bool,
    pub evidence: SmallVec<[Evidence; 6]>,
    /// Log-odds before any evidence, in hundredths of a bit.
    pub prior: i32,
}

impl Reading {
    pub fn new(rule: Rule, party: Option<u32>) -> Self {
        Self {
            rule,
            party,
            parts: Vec::new(),
            reason: None,
            may_apply: true,
            is_rivalled: false,
            evidence: SmallVec::new(),
            prior: PRIOR,
        }
    }

    /// Adds a feature with its usual weight.
    pub fn note(&mut self, feature: Feature, detail: impl Into<Box<str>>) {
        self.note_weighted(feature, weight(feature), detail);
    }

    /// Adds a feature with a weight of its own.
    pub fn note_weighted(&mut self, feature: Feature, weight: i32, detail: impl Into<Box<str>>) {
        self.evidence.push(Evidence {
            feature,
            weight,
            detail: detail.into(),
        });
    }

    /// Says why a person should look; of several reasons the one with the lowest number stays.
    pub fn because(&mut self, reason: Reason) {
        self.reason = Some(self.reason.map_or(reason, |known| known.min(reason)));
    }

    /// Leaves the decision to a person.
    pub fn hold(&mut self, reason: Reason) {
        self.because(reason);
        self.may_apply = false;
    }

    /// Log-odds, in hundredths of a bit.
    pub fn weight(&self) -> i32 {
        self.prior + self.evidence.iter().map(|part| part.weight).sum::<i32>()
    }

    /// The kind of answer that it is.
    pub fn pattern(&self) -> Pattern {
        Pattern::of(self.rule, self.evidence.iter().map(|part| part.feature))
    }

    pub fn score(&self) -> f64 {
        probability(self.weight())
    }

    pub fn items(&self) -> Vec<ItemIx> {
        let mut items: Vec<_> = self.parts.iter().map(|part| part.item).collect();
        items.sort_unstable();
        items
    }

    /// What is paid for its items together.
    pub fn paid(&self) -> Amount {
        self.parts.iter().map(|part| part.applied).sum()
    }
}

/// Leaves of what has the same `items` the first.
pub fn distinct<T>(all: &mut Vec<T>, items: impl Fn(&T) -> Vec<ItemIx>) {
    if all.len() > 1 {
        let mut seen: HashSet<Vec<ItemIx>, RandomState> = HashSet::default();
        all.retain(|one| seen.insert(items(one)));
    }
}

/// Puts a reading that uses up `amount` before the best one, where that is held because a document
/// named is not open, leaves part of the amount, and all its items are among the other's: the rest is
/// for the document that could not be read.
pub fn complete_first(readings: &mut [Reading], amount: Amount) {
    let Some((best, others)) = readings.split_first() else {
        return;
    };
    let lacks_document = matches!(
        best.reason,
        Some(Reason::ReferenceNotFound | Reason::ItemsAlreadyPaid)
    );
    if best.may_apply || !lacks_document || best.parts.is_empty() || best.paid() >= amount {
        return;
    }
    let named = best.items();
    let complete = others.iter().position(|other| {
        let items = other.items();
        other.paid() == amount && named.iter().all(|item| items.contains(item))
    });
    if let Some(place) = complete {
        readings[..=place + 1].rotate_right(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(reason: Reason, parts: &[(u32, i128)]) -> Reading {
        let mut reading = Reading::new(Rule::RemittanceLines, None);
        let applied = |&(item, cents): &(u32, i128)| {
            crate::settle::application(ItemIx(item), Amount::from_units(cents))
        };
        reading.parts = parts.iter().map(applied).collect();
        reading.hold(reason);
        reading
    }

    fn order(mut readings: Vec<Reading>) -> Vec<Vec<u32>> {
        complete_first(&mut readings, Amount::from_units(1_000));
        let items = |reading: &Reading| reading.items().iter().map(|item| item.0).collect();
        readings.iter().map(items).collect()
    }

    #[test]
    fn of_the_same_items_the_first_stays() {
        let mut readings = vec![
            held(Reason::OverPayment, &[(1, 600), (2, 400)]),
            held(Reason::OverPayment, &[(3, 1_000)]),
            held(Reason::OverPayment, &[(2, 500), (1, 500)]),
        ];
        distinct(&mut readings, Reading::items);
        let applied: Vec<Amount> = readings.iter().map(|it| it.parts[0].applied).collect();
        assert_eq!(applied, [600, 1_000].map(Amount::from_units));
    }

    #[test]
    fn what_uses_up_the_amount_comes_before_what_lacks_a_document() {
        let readings = |reason| {
            vec![
                held(reason, &[(1, 600)]),
                held(reason, &[(3, 1_000)]),
                held(reason, &[(2, 400), (1, 600)]),
            ]
        };
        for reason in [Reason::ReferenceNotFound, Reason::ItemsAlreadyPaid] {
            assert_eq!(order(readings(reason)), [vec![1, 2], vec![1], vec![3]]);
        }
        // Nothing more was named: the rest may well be on account.
        let as_named = [vec![1], vec![3], vec![1, 2]];
        assert_eq!(order(readings(Reason::OverPayment)), as_named);
        let mut free = readings(Reason::ReferenceNotFound);
        free[0].may_apply = true;
        assert_eq!(order(free), as_named);
    }
}
