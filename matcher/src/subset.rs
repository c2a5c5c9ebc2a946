//! Which subset of some amounts has a given sum: exact, and bounded by steps, not by time, so
//! that the answer is the same on every machine.

use tieout_core::Amount;

/// Amounts that a search takes.
pub const SUBSET_ITEMS_MAX: usize = 64;
/// Steps after which a search gives up.
const STEPS_MAX: u32 = 20_000;

/// The answer of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subset {
    /// No subset has the sum.
    None,
    /// Exactly one has; the places of its amounts, ascending.
    One(Vec<usize>),
    /// Several have; one of them.
    Many(Vec<usize>),
    /// Too many to look through.
    Unknown,
}

/// Searches the non-empty subsets of `amounts` (all above zero) for the sum `target`.
pub fn subset(amounts: &[Amount], target: Amount) -> Subset {
    if !target.is_positive() {
        return Subset::None;
    }
    let mut search = Search {
        order: (0..amounts.len())
            .filter(|&i| amounts[i] <= target)
            .collect(),
        amounts,
        rest: Vec::new(),
        chosen: Vec::new(),
        found: None,
        several: false,
        steps: 0,
    };
    if search.order.len() > SUBSET_ITEMS_MAX {
        return Subset::Unknown;
    }
    // The largest first: the sum of what is left then shrinks fastest.
    search
        .order
        .sort_by_key(|&i| (std::cmp::Reverse(amounts[i]), i));
    search.rest = vec![Amount::ZERO; search.order.len() + 1];
    for place in (0..search.order.len()).rev() {
        search.rest[place] = search.rest[place + 1] + amounts[search.order[place]];
    }
    search.descend(0, target);
    match (search.found, search.several) {
        (Some(found), true) => Subset::Many(found),
        (_, _) if search.steps >= STEPS_MAX => Subset::Unknown,
        (Some(found), false) => Subset::One(found),
        (None, _) => Subset::None,
    }
}

struct Search<'a> {
    amounts: &'a [Amount],
    order: Vec<usize>,
    /// The sum of the amounts from a place on.
    rest: Vec<Amount>,
    chosen: Vec<usize>,
    found: Option<Vec<usize>>,
    several: bool,
    steps: u32,
}

impl Search<'_> {
    fn descend(&mut self, place: usize, missing: Amount) {
        if self.several || self.steps >= STEPS_MAX {
            return;
        }
        self.steps += 1;
        if missing.is_zero() {
            let mut places = self.chosen.clone();
            places.sort_unstable();
            if self.found.is_some() {
                self.several = true;
            } else {
                self.found = Some(places);
            }
            return;
        }
        if place == self.order.len() || self.rest[place] < missing {
            return;
        }
        let index = self.order[place];
        if self.amounts[index] <= missing {
            self.chosen.push(index);
            self.descend(place + 1, missing - self.amounts[index]);
            self.chosen.pop();
        }
        self.descend(place + 1, missing);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amounts(units: &[i128]) -> Vec<Amount> {
        units.iter().copied().map(Amount::from_units).collect()
    }

    /// The slow way: every subset.
    fn count_all(units: &[i128], target: i128) -> usize {
        (1_u32..1 << units.len())
            .filter(|mask| {
                let sum: i128 = (0..units.len())
                    .filter(|place| mask & (1 << place) != 0)
                    .map(|place| units[place])
                    .sum();
                sum == target
            })
            .count()
    }

    proptest! {
        #[test]
        fn agrees_with_the_slow_way(
            units in prop::collection::vec(1_i128..30, 0..10),
            target in 0_i128..100,
        ) {
            let count = if target > 0 { count_all(&units, target) } else { 0 };
            let found = subset(&amounts(&units), Amount::from_units(target));
            match found {
                Subset::None => prop_assert_eq!(count, 0),
                Subset::One(places) => {
                    prop_assert_eq!(count, 1);
                    prop_assert_eq!(places.iter().map(|&p| units[p]).sum::<i128>(), target);
                }
                Subset::Many(places) => {
                    prop_assert!(count > 1);
                    prop_assert_eq!(places.iter().map(|&p| units[p]).sum::<i128>(), target);
                }
                Subset::Unknown => prop_assert!(false, "so few are always searched through"),
            }
        }
    }

    #[test]
    fn a_hopeless_search_ends() {
        let units: Vec<i128> = (0..60).map(|n| 1_000 + 2 * n).collect();
        let found = subset(&amounts(&units), Amount::from_units(30_001));
        assert!(matches!(found, Subset::Unknown | Subset::None));
        assert_eq!(
            subset(&amounts(&[1; 65]), Amount::from_units(3)),
            Subset::Unknown
        );
    }
}
