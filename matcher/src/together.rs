//! Payments that compete for items, settled together: the way to give items to payments that has
//! the most evidence, and only as far as no other way has nearly as much.
//!
//! A *claim* is what one payment may pay, each answer with its weight as if it were the only one.
//! Claims that share an item, directly or through others, are a component. Nothing here depends
//! on the order of the payments.

mod search;

use ahash::RandomState;
use hashbrown::HashMap;
use tieout_core::{Amount, Feature, Reason};

use crate::decide::{View, applies};
use crate::payment::Payment;
use crate::reading::Reading;
use crate::score::log_odds;
use search::{STEPS_MAX, Search};

/// Payments of a component that are settled together.
const PAYMENTS_MAX: usize = 16;
/// Their answers.
const CHOICES_MAX: usize = 64;

/// One answer of a payment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice {
    /// Ascending.
    items: Vec<u32>,
    /// Hundredths of a bit, above zero.
    weight: i32,
    /// Whether it would be applied if nothing else fitted.
    may_apply: bool,
    /// Whether the payment has another answer of the same kind.
    is_rivalled: bool,
}

/// What one payment may pay.
#[derive(Debug)]
pub struct Claim {
    /// The payment's number, for whoever knows it to set.
    pub sequence: u32,
    choices: Vec<Choice>,
    /// How far ahead its answer has to be, in hundredths of a bit.
    needed: i32,
}

/// What came of a payment's claim among those of others.
#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    payments: usize,
    choices: usize,
    result: Settled,
}

#[derive(Debug, PartialEq, Eq)]
enum Settled {
    /// These items are the payment's: every other way has less evidence by so much.
    Takes(Vec<u32>, i32),
    /// Other ways have nearly as much evidence.
    Abstains,
    /// The component is too large; the answer, if nobody else claims any of its items.
    TooLarge(Option<Vec<u32>>),
}

/// How far the claims of payments are settled when one of them is looked at.
#[derive(Clone, Copy)]
pub enum Stage<'a> {
    /// The payment has no competitors.
    Alone,
    /// So far as is known, and its claim is wanted too.
    Claims,
    /// This came of its claim, which rested on these readings by amount, if they were kept.
    Settled(&'a Outcome, &'a [Reading]),
}

/// The payment's claim, if any of its readings is more likely than not.
pub fn claim<'a>(
    view: &View,
    payment: &Payment,
    readings: impl Iterator<Item = &'a Reading>,
) -> Option<Claim> {
    let mut choices: Vec<Choice> = Vec::new();
    let mut needed = 1;
    let is_held = view.held().is_some();
    for reading in readings {
        let items: Vec<u32> = reading.items().into_iter().map(|item| item.0).collect();
        let weight = reading.weight();
        if items.is_empty() || weight <= 0 {
            continue;
        }
        let policy = view.policy_of(reading.party);
        needed = needed.max(log_odds(policy.threshold));
        let paid: Amount = reading.parts.iter().map(|part| part.applied).sum();
        choices.push(Choice {
            items,
            weight,
            may_apply: !is_held
                && applies(view, reading)
                && (policy.on_account || paid == payment.amount),
            is_rivalled: reading.is_rivalled,
        });
    }
    choices.sort_by(|one, other| {
        let by_items = one.items.cmp(&other.items);
        by_items.then(other.weight.cmp(&one.weight))
    });
    choices.dedup_by(|later, earlier| later.items == earlier.items);
    (!choices.is_empty()).then_some(Claim {
        sequence: 0,
        choices,
        needed,
    })
}

/// The readings as they are where other payments need what the others would take.
pub fn each_alone(readings: &[Reading]) -> Vec<Reading> {
    let mut alone = readings.to_vec();
    for reading in alone.iter_mut().filter(|reading| reading.is_rivalled) {
        reading.note(Feature::OnlyAssignment, "");
    }
    alone
}

/// Says of readings by amount, where several fit, which one is the payment's, if that is settled.
pub fn tell_apart(view: &View, readings: &mut [Reading]) {
    for reading in readings.iter_mut().filter(|reading| reading.is_rivalled) {
        if matches!(view.stage, Stage::Settled(outcome, _) if outcome.gives(reading)) {
            reading.note(Feature::OnlyAssignment, "");
        } else {
            reading.note(Feature::OtherReading, "");
            reading.hold(Reason::AmbiguousItems);
        }
    }
}

/// Adds to the readings of a payment with competitors what came of its claim.
pub fn note_outcome(view: &View, readings: &mut [Reading]) {
    let Stage::Settled(outcome, _) = view.stage else {
        return;
    };
    for reading in readings {
        reading.note(
            Feature::DecidedTogether,
            view.detail(|| outcome.to_string()),
        );
        if !reading.may_apply || outcome.gives(reading) {
            continue;
        }
        let weight = view.recipe.weights().of(Feature::OtherPayment);
        reading.note_weighted(Feature::OtherPayment, weight, "");
        reading.hold(Reason::AmbiguousItems);
    }
}

impl Outcome {
    fn gives(&self, reading: &Reading) -> bool {
        let items = match &self.result {
            Settled::Takes(items, _) | Settled::TooLarge(Some(items)) => items,
            Settled::Abstains | Settled::TooLarge(None) => return false,
        };
        let own = reading.items();
        own.iter().map(|item| item.0).eq(items.iter().copied())
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        let Self {
            payments, choices, ..
        } = self;
        write!(out, "{payments} payments with {choices} answers")?;
        match &self.result {
            Settled::Takes(_, ahead) => {
                let (bits, rest) = (ahead / 100, ahead % 100);
                write!(out, ", {bits}.{rest:02} bits ahead of any other way")
            }
            Settled::Abstains => write!(out, ", which fit together in other ways too"),
            Settled::TooLarge(_) => write!(
                out,
                ", more than {PAYMENTS_MAX}, {CHOICES_MAX} or {STEPS_MAX} steps: each by itself, \
                 and held where another claims the same item"
            ),
        }
    }
}

/// Settles the claims of payments that have competitors, by their numbers, and adds the items that
/// any payment may take to `taken`.
pub fn settle(claims: &[Claim], taken: &mut Vec<u32>) -> HashMap<u32, Outcome, RandomState> {
    let mut outcomes = HashMap::default();
    for component in components(claims).chunk_by(|one, other| one.0 == other.0) {
        if let &[(_, only)] = component {
            // It may be applied as it stands.
            let choices = claims[only].choices.iter();
            let choices = choices.filter(|choice| choice.may_apply);
            taken.extend(choices.flat_map(|choice| &choice.items));
            continue;
        }
        let members = component.iter().map(|&(_, place)| &claims[place]).collect();
        settle_together(members, taken, &mut outcomes);
    }
    outcomes
}

/// The place of each claim behind that of the first one of its component, ascending.
fn components(claims: &[Claim]) -> Vec<(usize, usize)> {
    let mut above: Vec<usize> = (0..claims.len()).collect();
    let mut holders: HashMap<u32, usize, RandomState> = HashMap::default();
    for (place, claim) in claims.iter().enumerate() {
        for &item in claim.choices.iter().flat_map(|choice| &choice.items) {
            let holder = *holders.entry(item).or_insert(place);
            let (one, other) = (top(&mut above, holder), top(&mut above, place));
            above[one.max(other)] = one.min(other);
        }
    }
    let places = 0..claims.len();
    let mut members: Vec<(usize, usize)> = places
        .map(|place| (top(&mut above, place), place))
        .collect();
    members.sort_unstable();
    members
}

fn top(above: &mut [usize], mut place: usize) -> usize {
    while above[place] != place {
        above[place] = above[above[place]];
        place = above[place];
    }
    place
}

fn settle_together(
    mut members: Vec<&Claim>,
    taken: &mut Vec<u32>,
    outcomes: &mut HashMap<u32, Outcome, RandomState>,
) {
    // Not the order of arrival: the steps of a search count.
    members.sort_by_key(|claim| (claim.choices.len(), &claim.choices, claim.sequence));
    let choices = members.iter().map(|claim| claim.choices.len()).sum();
    let results = within_bounds(&members, choices).unwrap_or_else(|| unclaimed(&members));
    for (claim, result) in members.iter().zip(results) {
        if let Settled::Takes(items, _) | Settled::TooLarge(Some(items)) = &result {
            taken.extend(items);
        }
        let outcome = Outcome {
            payments: members.len(),
            choices,
            result,
        };
        outcomes.insert(claim.sequence, outcome);
    }
}

/// What each payment of a component takes; none beyond the bounds.
fn within_bounds(members: &[&Claim], choices: usize) -> Option<Vec<Settled>> {
    if members.len() > PAYMENTS_MAX || choices > CHOICES_MAX {
        return None;
    }
    let mut search = Search::of(members);
    let best = search.run(0)?;
    let mut counting = Search::of(members);
    counting.weights.fill(1);
    let results = members.iter().enumerate().map(|(place, claim)| {
        let mine = search.starts[place]..search.starts[place + 1];
        let Some(chosen) = mine.clone().find(|&at| best.chosen & (1 << at) != 0) else {
            return Some(Settled::Abstains);
        };
        let choice = &claim.choices[chosen - mine.start];
        let ahead = best.total - search.run(1 << chosen)?.total;
        // Where several answers fit a payment, a way that serves as many payments is as good,
        // whatever else speaks for the one.
        let is_only = !choice.is_rivalled
            || counting.run(1 << chosen)?.total < i64::from(best.chosen.count_ones());
        let is_clear = ahead >= i64::from(claim.needed) && is_only && choice.may_apply;
        Some(if is_clear {
            Settled::Takes(
                choice.items.clone(),
                i32::try_from(ahead).unwrap_or(i32::MAX),
            )
        } else {
            Settled::Abstains
        })
    });
    results.collect()
}

/// Each payment by itself: its answer, where that is the only one and no other payment claims any
/// of its items.
fn unclaimed(members: &[&Claim]) -> Vec<Settled> {
    let mut claims: HashMap<u32, u32, RandomState> = HashMap::default();
    for claim in members {
        let mut items: Vec<u32> = claim
            .choices
            .iter()
            .flat_map(|it| it.items.clone())
            .collect();
        items.sort_unstable();
        items.dedup();
        for item in items {
            *claims.entry(item).or_default() += 1;
        }
    }
    let own = |claim: &&Claim| match claim.choices.as_slice() {
        [only] if only.may_apply && only.items.iter().all(|item| claims[item] == 1) => {
            Settled::TooLarge(Some(only.items.clone()))
        }
        _ => Settled::TooLarge(None),
    };
    members.iter().map(own).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn claim(sequence: u32, choices: &[(&[u32], i32)]) -> Claim {
        let is_rivalled = choices.len() > 1;
        let choices = choices.iter().map(|&(items, weight)| Choice {
            items: items.to_vec(),
            weight,
            may_apply: true,
            is_rivalled,
        });
        Claim {
            sequence,
            choices: choices.collect(),
            needed: 663,
        }
    }

    /// The items of each payment that gets any of those that have competitors.
    fn settled(claims: &[Claim]) -> Vec<(u32, Vec<u32>)> {
        let outcomes = settle(claims, &mut Vec::new());
        let mut taken: Vec<(u32, Vec<u32>)> = outcomes
            .into_iter()
            .filter_map(|(sequence, outcome)| match outcome.result {
                Settled::Takes(items, _) | Settled::TooLarge(Some(items)) => {
                    Some((sequence, items))
                }
                _ => None,
            })
            .collect();
        taken.sort_unstable();
        taken
    }

    #[test]
    fn the_one_that_can_go_elsewhere_does() {
        let first = claim(1, &[(&[10], 1400), (&[11], 1400)]);
        let second = claim(2, &[(&[10], 1400)]);
        assert_eq!(settled(&[first, second]), [(1, vec![11]), (2, vec![10])]);
    }

    #[test]
    fn a_chain_is_followed_to_its_end() {
        let claims = [
            claim(1, &[(&[10], 1400), (&[11], 1400)]),
            claim(2, &[(&[11], 1400), (&[12], 1400)]),
            claim(3, &[(&[12], 1400)]),
        ];
        let all = [(1, vec![10]), (2, vec![11]), (3, vec![12])];
        assert_eq!(settled(&claims), all);
    }

    #[test]
    fn two_ways_alike_are_nobodys() {
        let pair: &[(&[u32], i32)] = &[(&[10], 1400), (&[11], 1400)];
        assert_eq!(settled(&[claim(1, pair), claim(2, pair)]), []);
        // One item, two payments that say the same of it.
        let one: &[(&[u32], i32)] = &[(&[10], 1400)];
        assert_eq!(settled(&[claim(1, one), claim(2, one)]), []);
    }

    #[test]
    fn a_third_is_told_though_the_first_two_are_not() {
        let pair: &[(&[u32], i32)] = &[(&[10], 1400), (&[11], 1400)];
        let third = claim(3, &[(&[10], 1400), (&[12], 1400)]);
        let claims = [claim(1, pair), claim(2, pair), third];
        assert_eq!(settled(&claims), [(3, vec![12])]);
    }

    #[test]
    fn beyond_the_bound_only_what_nobody_else_claims_is_taken() {
        let mut claims: Vec<Claim> = (0..20).map(|n| claim(n, &[(&[n, n + 1], 1400)])).collect();
        assert_eq!(settled(&claims), []);
        // Its own item, though its other answer ties it to the rest.
        claims.push(claim(30, &[(&[5], 1400), (&[40], 1400)]));
        assert_eq!(settled(&claims), []);
        let outcomes = settle(&claims, &mut Vec::new());
        assert!(outcomes[&3].to_string().contains("more than 16"));
    }

    /// The slow way: the heaviest of all ways.
    fn heaviest(claims: &[Claim], used: &[u32]) -> i64 {
        let Some((first, rest)) = claims.split_first() else {
            return 0;
        };
        let with = first
            .choices
            .iter()
            .filter(|choice| choice.items.iter().all(|item| !used.contains(item)))
            .map(|choice| {
                let used = [used, &choice.items].concat();
                i64::from(choice.weight) + heaviest(rest, &used)
            });
        with.fold(heaviest(rest, used), i64::max)
    }

    fn claims() -> impl Strategy<Value = Vec<Claim>> {
        let items = prop::collection::btree_set(0_u32..7, 1..3);
        let choice = (items, 1_i32..2_000);
        let choices = prop::collection::vec(choice, 1..4);
        prop::collection::vec(choices, 1..7).prop_map(|all| {
            let numbered = (0..).zip(all);
            numbered
                .map(|(sequence, choices)| {
                    let choices: Vec<(Vec<u32>, i32)> = choices
                        .into_iter()
                        .map(|(items, weight)| (items.into_iter().collect(), weight))
                        .collect();
                    let choices: Vec<(&[u32], i32)> = choices
                        .iter()
                        .map(|(items, weight)| (items.as_slice(), *weight))
                        .collect();
                    claim(sequence, &choices)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_search_agrees_with_the_slow_way(claims in claims()) {
            let members: Vec<&Claim> = claims.iter().collect();
            let best = Search::of(&members).run(0).unwrap();
            prop_assert_eq!(best.total, heaviest(&claims, &[]));
        }

        #[test]
        fn the_order_of_payments_changes_nothing(claims in claims()) {
            let forth = settled(&claims);
            let back: Vec<Claim> = claims.into_iter().rev().collect();
            prop_assert_eq!(&forth, &settled(&back));
            let mut items: Vec<u32> = forth.into_iter().flat_map(|(_, items)| items).collect();
            let count = items.len();
            items.sort_unstable();
            items.dedup();
            prop_assert_eq!(items.len(), count, "no item twice");
        }
    }
}
