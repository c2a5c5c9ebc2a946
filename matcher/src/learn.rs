//! Weights learned from payments without their answers, by expectation and maximisation.
//!
//! An answer is compared with its payment by payer, reference and amount; how it agrees in each is
//! a level (a [`Feature`]). With `m` as the share of a level among right answers and `u` among
//! others, the level weighs `log2(m/u)`. Of the answers of a payment at most one is right: from the
//! weights follows how likely each is (expectation), from that follow `m` and `u` (maximisation),
//! until nothing changes.
//!
//! What disagrees by chance is hardly among the answers, because indexes lead to those that agree. So
//! `u` of payers and amounts is how often a payment and an item taken at random agree, by how
//! often each party and each amount occurs. A payment has one right answer among as many as the
//! prior says.

use std::collections::{BTreeMap, HashMap};

use ahash::RandomState;
use tieout_core::{Amount, Decision, Feature, ItemIx};

use crate::cited;
use crate::items::Items;
use crate::memory::Pattern;
use crate::parties::{Parties, scattered};
use crate::score::{SIMILARITY_SPAN, odds_share};
use crate::weights::Weights;

/// Rounds after which it ends, whatever still changes.
const ROUNDS_MAX: usize = 100;
/// Right answers below which a level keeps its weight.
const ANSWERS_MIN: f64 = 20.0;
/// Names compared at random.
const NAME_PAIRS: u64 = 200_000;
/// Documents' numbers compared at random.
const NUMBER_PAIRS: u64 = 2_000_000;
/// Of evidence that stands alone, less than this above even odds: below every sensible threshold.
const ALONE_MAX: i32 = 600;
/// The largest difference that counts as within tolerance, as in the shipped recipe.
const TOLERANCE: Amount = Amount::from_units(100_000);

const PAYER: [Feature; 6] = [
    Feature::PayerAccount,
    Feature::CustomerNumber,
    Feature::RelatedCustomer,
    Feature::NameExact,
    Feature::NameSimilar,
    Feature::NameDiffers,
];
/// Purchase orders keep their weight: how many items one has is a habit of the customer.
const REFERENCE: [Feature; 4] = [
    Feature::ReferenceExact,
    Feature::ReferenceNormalized,
    Feature::ReferenceTruncated,
    Feature::ReferenceOneEdit,
];
const AMOUNT: [Feature; 6] = [
    Feature::AmountExact,
    Feature::AmountNetOfDiscount,
    Feature::AmountWithinTolerance,
    Feature::AmountWithDeduction,
    Feature::AmountPartial,
    Feature::AmountOver,
];

/// What is seen of a run, to learn from.
#[derive(Default)]
pub struct Observer {
    /// How often the answers of one payment were of these kinds.
    answers: BTreeMap<Vec<Pattern>, u64>,
    amounts: Vec<Amount>,
    payers: HashMap<u32, u64, RandomState>,
    /// What items were open for, ascending; for those with a discount, less that.
    open: Vec<Amount>,
    discounted: Vec<Amount>,
    owners: HashMap<u32, u64, RandomState>,
    roots: Vec<u32>,
    /// Of names at random: the share that are similar, and that differ.
    names: (f64, f64),
    name_share: f64,
    /// Of documents' numbers at random: the share that agree as a reference and a number do.
    numbers: BTreeMap<Feature, f64>,
}

/// What was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// The weights.
    pub weights: Weights,
    /// Payments with an answer.
    pub payments: u64,
    /// Their answers.
    pub answers: u64,
    /// Rounds until nothing changed.
    pub rounds: usize,
}

impl Observer {
    /// Notes what the business knows, once all of it is loaded.
    pub fn of(items: &Items, parties: &Parties) -> Self {
        let mut seen = Self {
            roots: (0..parties.len() as u32)
                .map(|party| parties.root(party))
                .collect(),
            names: parties.chance_of_names(NAME_PAIRS),
            name_share: parties.usual_name_share(),
            numbers: chance_of_numbers(items),
            ..Self::default()
        };
        for place in 0..items.len() as u32 {
            let item = ItemIx(place);
            let open = items.open(item);
            if !open.is_positive() {
                continue;
            }
            seen.open.push(open);
            let discount = items.discount(item);
            seen.discounted.extend(discount.map(|less| open - less));
            if let Some(party) = items.party(item) {
                *seen.owners.entry(party).or_default() += 1;
            }
        }
        seen.open.sort_unstable();
        seen.discounted.sort_unstable();
        seen
    }

    /// Notes a decision and the kinds of its answers, the best first.
    pub fn add(&mut self, decision: &Decision, patterns: Vec<Pattern>) {
        if patterns.is_empty() {
            return;
        }
        self.amounts.push(decision.amount());
        if let Some(party) = decision.party() {
            *self.payers.entry(party).or_default() += 1;
        }
        *self.answers.entry(patterns).or_default() += 1;
    }

    /// The weights that the answers come to, beginning with `weights`.
    pub fn learn(&self, weights: &Weights) -> Learned {
        let chance = self.chances();
        let mut learned = weights.clone();
        learned.name_share = Some(self.name_share);
        let mut rounds = 0;
        while rounds < ROUNDS_MAX {
            rounds += 1;
            let next = self.maximised(&self.expected(&learned), &chance, weights, &learned);
            let is_still = next == learned;
            learned = next;
            if is_still {
                break;
            }
        }
        let count = |of: fn(&[Pattern]) -> u64| {
            let kinds = self.answers.iter();
            kinds.map(|(kinds, times)| of(kinds) * times).sum()
        };
        Learned {
            weights: learned,
            payments: count(|_| 1),
            answers: count(|kinds| kinds.len() as u64),
            rounds,
        }
    }

    /// By level: answers that are right, and that are not, as far as the weights tell.
    fn expected(&self, weights: &Weights) -> BTreeMap<Feature, (f64, f64)> {
        let mut counts: BTreeMap<Feature, (f64, f64)> = BTreeMap::new();
        for (kinds, &times) in &self.answers {
            let odds = kinds.iter().map(|kind| {
                let sum: i32 = kind.features().map(|feature| weights.of(feature)).sum();
                let share = odds_share(weights.prior + sum);
                share / (1.0 - share).max(1e-12)
            });
            let odds: Vec<f64> = odds.collect();
            let all = 1.0 + odds.iter().sum::<f64>();
            for (kind, odds) in kinds.iter().zip(odds) {
                let right = odds / all;
                for feature in kind.features() {
                    let count = counts.entry(feature).or_default();
                    count.0 += right * times as f64;
                    count.1 += (1.0 - right) * times as f64;
                }
            }
        }
        counts
    }

    fn maximised(
        &self,
        counts: &BTreeMap<Feature, (f64, f64)>,
        chance: &BTreeMap<Feature, f64>,
        first: &Weights,
        last: &Weights,
    ) -> Weights {
        let mut next = last.clone();
        let payments = self.amounts.len().max(1) as f64;
        // Answers that a payment could have had, by the prior.
        let possible = payments / odds_share(first.prior);
        let highest = ALONE_MAX - first.prior;
        for levels in [&PAYER[..], &REFERENCE, &AMOUNT] {
            let count = |feature: &Feature| counts.get(feature).copied().unwrap_or_default();
            let stated: f64 = levels.iter().map(|feature| count(feature).0).sum();
            for feature in levels {
                let (right, wrong) = count(feature);
                if right < ANSWERS_MIN {
                    continue;
                }
                let share = right / stated;
                // Half an answer for what was never seen.
                let by_search = (wrong + 0.5) / possible;
                let by_chance = chance.get(feature).copied().unwrap_or(0.0);
                let bits = (share / (by_search + by_chance)).log2();
                let mut weight = ((bits * 100.0).round() as i32).min(highest);
                if *feature == Feature::NameSimilar {
                    // It is what names weigh that are all but the same; others weigh less.
                    weight -= SIMILARITY_SPAN;
                }
                next.set(*feature, weight);
            }
        }
        next
    }

    /// How often a payment and an item at random have a level.
    fn chances(&self) -> BTreeMap<Feature, f64> {
        let same = agreement(&self.payers, &self.owners);
        let by_root = |counts: &HashMap<u32, u64, RandomState>| {
            let mut roots: HashMap<u32, u64, RandomState> = HashMap::default();
            for (&party, count) in counts {
                let root = self.roots.get(party as usize).copied().unwrap_or(party);
                *roots.entry(root).or_default() += count;
            }
            roots
        };
        let family = agreement(&by_root(&self.payers), &by_root(&self.owners));
        // By which mark a payer is told, among the answers that are best.
        let marks = self.marks();
        let mark = |feature: Feature| marks.get(&feature).copied().unwrap_or(0.0);
        let named =
            mark(Feature::NameExact) + mark(Feature::NameSimilar) + mark(Feature::NameDiffers);
        let marked = mark(Feature::PayerAccount) + mark(Feature::CustomerNumber);
        let (similar, differs) = self.names;
        let exact = self.share_within(&self.open, Amount::ZERO);
        let discounted = self.share_within(&self.discounted, Amount::ZERO)
            * self.discounted.len() as f64
            / self.open.len().max(1) as f64;
        let (less, more) = self.below_and_above();
        let mut chances = BTreeMap::from([
            (Feature::PayerAccount, mark(Feature::PayerAccount) * same),
            (
                Feature::CustomerNumber,
                mark(Feature::CustomerNumber) * same,
            ),
            (
                Feature::RelatedCustomer,
                (marked + mark(Feature::RelatedCustomer)) * (family - same).max(0.0),
            ),
            (Feature::NameExact, mark(Feature::NameExact) * same),
            (
                Feature::NameSimilar,
                mark(Feature::NameSimilar) * same + named * similar,
            ),
            (Feature::NameDiffers, named * differs),
            (Feature::AmountExact, exact),
            (Feature::AmountNetOfDiscount, discounted),
            (
                Feature::AmountWithinTolerance,
                self.share_within(&self.open, TOLERANCE) - exact,
            ),
            (Feature::AmountWithDeduction, exact),
            (Feature::AmountPartial, more),
            (Feature::AmountOver, less),
        ]);
        chances.extend(&self.numbers);
        chances
    }

    fn marks(&self) -> BTreeMap<Feature, f64> {
        let mut marks: BTreeMap<Feature, f64> = BTreeMap::new();
        let mut all = 0.0;
        for (kinds, &times) in &self.answers {
            let Some(best) = kinds.first() else { continue };
            for feature in best.features().filter(|feature| PAYER.contains(feature)) {
                *marks.entry(feature).or_default() += times as f64;
                all += times as f64;
            }
        }
        for share in marks.values_mut() {
            *share /= all;
        }
        marks
    }

    /// The share of all pairs of a payment and one of `values` in which the value is the amount, or
    /// up to `more` above it.
    fn share_within(&self, values: &[Amount], more: Amount) -> f64 {
        let pairs = self.amounts.len() as f64 * values.len() as f64;
        let count = |amount: &Amount| {
            let from = values.partition_point(|value| value < amount);
            let to = values.partition_point(|value| *value <= *amount + more);
            (to - from) as f64
        };
        self.amounts.iter().map(count).sum::<f64>() / pairs.max(1.0)
    }

    /// The shares of pairs in which the item is open for less, and for more.
    fn below_and_above(&self) -> (f64, f64) {
        let pairs = (self.amounts.len() as f64 * self.open.len() as f64).max(1.0);
        let (mut below, mut above) = (0.0, 0.0);
        for amount in &self.amounts {
            below += self.open.partition_point(|value| value < amount) as f64;
            above += (self.open.len() - self.open.partition_point(|value| value <= amount)) as f64;
        }
        (below / pairs, above / pairs)
    }
}

/// How often one item's number is, as a reference, another item's number. The pairs are always the
/// same.
fn chance_of_numbers(items: &Items) -> BTreeMap<Feature, f64> {
    let mut hits: BTreeMap<Feature, u64> = REFERENCE.iter().map(|&level| (level, 0)).collect();
    if items.len() < 2 {
        return BTreeMap::new();
    }
    for pair in 0..NUMBER_PAIRS {
        let place = |part| ItemIx((scattered(2 * pair + part) % items.len() as u64) as u32);
        let (left, right) = (place(0), place(1));
        if left == right {
            continue;
        }
        if let Some(level) = cited::agreement(items, items.number(left), right) {
            *hits.entry(level).or_default() += 1;
        }
    }
    // Half a pair for what was never seen.
    let share = |count: u64| (count as f64 + 0.5) / NUMBER_PAIRS as f64;
    hits.into_iter()
        .map(|(level, count)| (level, share(count)))
        .collect()
}

/// How likely two are the same that are drawn from each.
fn agreement(left: &HashMap<u32, u64, RandomState>, right: &HashMap<u32, u64, RandomState>) -> f64 {
    let sum = |counts: &HashMap<u32, u64, RandomState>| counts.values().sum::<u64>().max(1) as f64;
    let (all_left, all_right) = (sum(left), sum(right));
    // In the order of parties, so that the sum of floats is always the same.
    let mut parties: Vec<_> = left.iter().collect();
    parties.sort_unstable();
    parties
        .into_iter()
        .map(|(party, &count)| {
            let other = right.get(party).copied().unwrap_or_default();
            (count as f64 / all_left) * (other as f64 / all_right)
        })
        .sum()
}
