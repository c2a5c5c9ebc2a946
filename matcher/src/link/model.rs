//! What each level of each field is worth, learned from the lists themselves.

use rayon::prelude::*;

use super::compare::{Level, compare};
use super::values::Lists;

/// What is known of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldWeights {
    /// How often each of [`Level::WEIGHED`] is seen among pairs that are the same.
    pub same: [f64; LEVELS],
    /// How often among pairs that are not.
    pub other: [f64; LEVELS],
}

const LEVELS: usize = Level::WEIGHED.len();
/// Pairs drawn to see what pairs that are not the same have in common.
const DRAWN: usize = 400_000;
const ROUNDS_MAX: usize = 100;
/// A round that changes the expected number of pairs by less, as a share of it, is the last.
const SETTLED: f64 = 1e-7;
/// Pairs whose sums are made together; sums of sums are in a fixed order, whatever the threads.
const BLOCK: usize = 4_096;
/// What is thought to be common before anything is known: most values are the same.
const BEGIN: [f64; LEVELS] = [0.75, 0.1, 0.05, 0.03, 0.02, 0.05];
/// Sightings of each level that are taken for granted, so that none is impossible.
const GRANTED: f64 = 0.5;

/// Log-odds by field and level.
pub struct Model {
    fields: Vec<FieldWeights>,
    expected: f64,
    pairs: f64,
}

impl Model {
    /// Learns from the `candidates` of `lists` and their `levels`.
    pub fn learn(lists: &Lists, candidates: &[(u32, u32)], levels: &[Level]) -> Self {
        let fields = lists.columns.len();
        let other = unrelated(lists);
        let begin = |other| FieldWeights { same: BEGIN, other };
        let mut model = Self {
            fields: other.into_iter().map(begin).collect(),
            expected: (lists.left.min(lists.right).max(2) as f64 / 2.0)
                .min(lists.pairs().max(2.0) / 2.0),
            pairs: lists.pairs().max(2.0),
        };
        if fields == 0 {
            model.expected = 0.0;
            return model;
        }
        for _ in 0..ROUNDS_MAX {
            let before = model.expected;
            let sums = model.expectation(lists, candidates, levels);
            model.maximise(&sums);
            if (model.expected - before).abs() <= SETTLED * before {
                break;
            }
        }
        model
    }

    /// The probability-weighted counts of each level by field, and of the pairs, at the end.
    fn expectation(&self, lists: &Lists, pairs: &[(u32, u32)], levels: &[Level]) -> Vec<f64> {
        let fields = self.fields.len();
        let sums: Vec<Vec<f64>> = pairs
            .par_chunks(BLOCK)
            .zip(levels.par_chunks(BLOCK * fields))
            .map(|(pairs, levels)| {
                let mut sums = vec![0.0; fields * LEVELS + 1];
                for (&pair, levels) in pairs.iter().zip(levels.chunks(fields)) {
                    let probability = probability(self.weight(lists, pair, levels));
                    for (field, &level) in levels.iter().enumerate() {
                        if level != Level::Missing {
                            sums[field * LEVELS + level as usize] += probability;
                        }
                    }
                    sums[fields * LEVELS] += probability;
                }
                sums
            })
            .collect();
        let mut total = vec![0.0; fields * LEVELS + 1];
        for block in sums {
            for (total, sum) in total.iter_mut().zip(block) {
                *total += sum;
            }
        }
        total
    }

    fn maximise(&mut self, sums: &[f64]) {
        for (field, sums) in self.fields.iter_mut().zip(sums.chunks(LEVELS)) {
            let all = sums.iter().sum::<f64>() + GRANTED * LEVELS as f64;
            for (same, sum) in field.same.iter_mut().zip(sums) {
                *same = (sum + GRANTED) / all;
            }
        }
        let found = sums.last().copied().unwrap_or_default();
        // Never none, so that the odds of the next round are finite.
        self.expected = found.clamp(0.5, self.pairs / 2.0);
    }

    /// The log-odds in bits that a pair of these levels is the same.
    pub fn weight(&self, lists: &Lists, pair: (u32, u32), levels: &[Level]) -> f64 {
        let mut weight = self.prior();
        for (field, &level) in levels.iter().enumerate() {
            weight += self.bits(lists, field, pair, level);
        }
        weight
    }

    /// What each field adds to the weight of a pair.
    pub fn evidence(&self, lists: &Lists, pair: (u32, u32), levels: &[Level]) -> Vec<(Level, f64)> {
        let levels = levels.iter().enumerate();
        levels
            .map(|(field, &level)| (level, self.bits(lists, field, pair, level)))
            .collect()
    }

    fn bits(&self, lists: &Lists, field: usize, pair: (u32, u32), level: Level) -> f64 {
        if level == Level::Missing {
            return 0.0;
        }
        let weights = &self.fields[field];
        let column = &lists.columns[field];
        // That two rows share a value is the less likely by chance, the rarer it is.
        let other = match column.pair(pair) {
            Some((value, _)) if level == Level::Same => column.frequency(value),
            _ => weights.other[level as usize],
        };
        (weights.same[level as usize] / other).log2()
    }

    /// The number of pairs expected to be the same.
    pub fn expected(&self) -> f64 {
        self.expected
    }

    /// The log-odds of a pair of which nothing is known, in bits.
    pub fn prior(&self) -> f64 {
        let share = self.expected / self.pairs;
        (share / (1.0 - share)).log2()
    }

    /// What each field was found to be worth.
    pub fn into_weights(self) -> Vec<FieldWeights> {
        self.fields
    }
}

/// The probability of log-odds in bits.
pub fn probability(weight: f64) -> f64 {
    1.0 / (1.0 + (-weight).exp2())
}

/// How often each level is seen in pairs drawn without looking, by field.
fn unrelated(lists: &Lists) -> Vec<[f64; LEVELS]> {
    let drawn: Vec<(u32, u32)> = (0..DRAWN as u64)
        .filter_map(|draw| drawn(lists, draw))
        .collect();
    (0..lists.columns.len())
        .map(|field| {
            let blocks: Vec<[u32; LEVELS]> = drawn
                .par_chunks(BLOCK)
                .map(|pairs| {
                    let mut counts = [0; LEVELS];
                    for &pair in pairs {
                        if let Some(count) = counts.get_mut(compare(lists, field, pair) as usize) {
                            *count += 1;
                        }
                    }
                    counts
                })
                .collect();
            frequencies(&blocks)
        })
        .collect()
}

fn frequencies(blocks: &[[u32; LEVELS]]) -> [f64; LEVELS] {
    let mut counts = [GRANTED; LEVELS];
    for block in blocks {
        for (count, seen) in counts.iter_mut().zip(block) {
            *count += f64::from(*seen);
        }
    }
    let all: f64 = counts.iter().sum();
    counts.map(|count| count / all)
}

/// A pair, the same for the same number on every machine (splitmix64).
fn drawn(lists: &Lists, draw: u64) -> Option<(u32, u32)> {
    let mut mixed = draw.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    let row = |part: u64, rows: usize| (((part & 0xFFFF_FFFF) * rows as u64) >> 32) as u32;
    let (left, right) = (row(mixed, lists.left), row(mixed >> 32, lists.right));
    let is_pair = lists.left > 0 && lists.right > 0 && !(lists.single && left == right);
    is_pair.then_some((left, right))
}
