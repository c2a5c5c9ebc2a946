//! Which subsets of some amounts have a given sum: exact, counted, and bounded by steps, not by
//! time, so that the answer is the same on every machine.
//!
//! The larger members are walked through with bounds on what the others can still add; what is then
//! missing is looked up among all sums of the smaller members.

use std::ops::Range;

use smallvec::SmallVec;
use tieout_core::Amount;

/// Members that a search takes.
const MEMBERS_MAX: usize = 64;
/// Steps after which a search gives up.
const STEPS_MAX: u32 = 20_000;
/// Sums of the smaller members that are listed.
const SUMS_MAX: usize = 8_192;
/// Subsets after which a search gives up.
const FOUND_MAX: usize = 64;

/// The amounts of which a member of a subset is one, an open item's in full or net of its discount,
/// say; below zero for a credit.
pub type Ways = SmallVec<[Amount; 2]>;

/// A subset: each member's place, ascending, and which of its amounts it is.
pub type Picks = Vec<(usize, usize)>;

/// The answer of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subsets {
    /// Subsets with the sum, those of fewest members first. One that has another in it, so that
    /// the rest of it comes to nothing, is none.
    pub found: Vec<Picks>,
    /// Whether there are no others.
    pub is_all: bool,
}

impl Subsets {
    /// The subset, where exactly one has the sum.
    pub fn only(mut self) -> Option<Picks> {
        match self.found.len() {
            1 if self.is_all => self.found.pop(),
            _ => None,
        }
    }
}

/// Searches the subsets of `members` for the sum `target`.
pub fn subsets(members: &[Ways], target: Amount) -> Subsets {
    let nothing = |is_all| Subsets {
        found: Vec::new(),
        is_all,
    };
    if !target.is_positive() {
        return nothing(true);
    }
    let Some(mut search) = Search::of(members, target) else {
        return nothing(false);
    };
    search.descend(0, target);
    let is_all = search.is_within_bounds();
    let mut found = search.found;
    found.sort_unstable_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
    let all = found.clone();
    found.retain(|picks| !all.iter().any(|other| is_part(other, picks)));
    Subsets { found, is_all }
}

/// Whether all of `part` is in `whole`, and more is.
fn is_part(part: &Picks, whole: &Picks) -> bool {
    part.len() < whole.len() && part.iter().all(|pick| whole.contains(pick))
}

struct Search<'a> {
    members: &'a [Ways],
    /// Places, the largest amounts first: what the others can add then shrinks fastest.
    order: Vec<usize>,
    /// The least and the most that the members from a place of `order` on can add.
    rest: Vec<(Amount, Amount)>,
    /// Places of `order` from here on are listed in `sums`.
    listed: usize,
    /// Sums of the members listed, ascending, each with the digits that tell which they are.
    sums: Vec<(Amount, u32)>,
    chosen: Picks,
    found: Vec<Picks>,
    steps: u32,
}

impl<'a> Search<'a> {
    /// None where there are too many members.
    fn of(members: &'a [Ways], target: Amount) -> Option<Self> {
        let extremes = |place: usize| {
            let ways = members[place].iter().copied();
            ways.fold((Amount::ZERO, Amount::ZERO), |(least, most), way| {
                (least.min(way), most.max(way))
            })
        };
        let credits: Amount = (0..members.len()).map(|place| extremes(place).0).sum();
        // What is more than the target and all credits together is in no subset.
        let is_usable = |place: &usize| {
            let mut ways = members[*place].iter();
            ways.any(|&way| way <= target - credits)
        };
        let mut order: Vec<usize> = (0..members.len()).filter(is_usable).collect();
        if order.len() > MEMBERS_MAX {
            return None;
        }
        order.sort_by_key(|&place| {
            let (least, most) = extremes(place);
            (std::cmp::Reverse(most.max(-least)), place)
        });
        let mut rest = vec![(Amount::ZERO, Amount::ZERO); order.len() + 1];
        for at in (0..order.len()).rev() {
            let (least, most) = extremes(order[at]);
            rest[at] = (rest[at + 1].0 + least, rest[at + 1].1 + most);
        }
        let mut search = Self {
            members,
            listed: order.len(),
            order,
            rest,
            sums: vec![(Amount::ZERO, 0)],
            chosen: Vec::new(),
            found: Vec::new(),
            steps: 0,
        };
        search.list_sums();
        Some(search)
    }

    /// Lists about as many sums as are left to walk through.
    fn list_sums(&mut self) {
        let choices = |at: usize| self.members[self.order[at]].len() + 1;
        let mut walked: f64 = (0..self.order.len()).map(|at| choices(at) as f64).product();
        while self.listed > 0 {
            let at = self.listed - 1;
            let count = self.sums.len() * choices(at);
            if count > SUMS_MAX || (self.sums.len() as f64) >= walked {
                break;
            }
            walked /= choices(at) as f64;
            let before = std::mem::take(&mut self.sums);
            let (base, ways) = (choices(at) as u32, &self.members[self.order[at]]);
            self.sums.reserve_exact(count);
            for (sum, digits) in before {
                self.sums.push((sum, digits * base));
                let taken = (1..)
                    .zip(ways)
                    .map(|(digit, &way)| (sum + way, digits * base + digit));
                self.sums.extend(taken);
            }
            self.listed = at;
        }
        self.sums.sort_unstable();
    }

    fn is_within_bounds(&self) -> bool {
        self.steps < STEPS_MAX && self.found.len() < FOUND_MAX
    }

    fn descend(&mut self, at: usize, missing: Amount) {
        let (least, most) = self.rest[at];
        if missing < least || missing > most || !self.is_within_bounds() {
            return;
        }
        self.steps += 1;
        if at == self.listed {
            for place in self.with_sum(missing) {
                if self.is_within_bounds() {
                    self.steps += 1;
                    self.add(self.sums[place].1);
                }
            }
            return;
        }
        self.descend(at + 1, missing);
        let place = self.order[at];
        for (way, &amount) in self.members[place].iter().enumerate() {
            self.chosen.push((place, way));
            self.descend(at + 1, missing - amount);
            self.chosen.pop();
        }
    }

    fn with_sum(&self, sum: Amount) -> Range<usize> {
        let from = self.sums.partition_point(|listed| listed.0 < sum);
        let count = self.sums[from..].partition_point(|listed| listed.0 == sum);
        from..from + count
    }

    fn add(&mut self, mut digits: u32) {
        let mut picks = self.chosen.clone();
        // The last member that was listed has the last digit.
        for &place in &self.order[self.listed..] {
            let base = self.members[place].len() as u32 + 1;
            if let Some(way) = (digits % base).checked_sub(1) {
                picks.push((place, way as usize));
            }
            digits /= base;
        }
        picks.sort_unstable();
        self.found.push(picks);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;

    fn ways(units: &[Vec<i128>]) -> Vec<Ways> {
        let member = |units: &Vec<i128>| units.iter().copied().map(Amount::from_units).collect();
        units.iter().map(member).collect()
    }

    /// The slow way: every subset.
    fn all(units: &[Vec<i128>], target: i128) -> Vec<Picks> {
        let mut all: Vec<(Picks, i128)> = vec![(Vec::new(), 0)];
        for (place, member) in units.iter().enumerate() {
            for (picks, sum) in all.clone() {
                all.extend(member.iter().enumerate().map(|(way, amount)| {
                    let picks = picks.iter().copied().chain([(place, way)]);
                    (picks.collect(), sum + amount)
                }));
            }
        }
        all.retain(|(picks, sum)| !picks.is_empty() && *sum == target);
        all.into_iter().map(|(picks, _)| picks).collect()
    }

    proptest! {
        #[test]
        fn agrees_with_the_slow_way(
            units in prop::collection::vec(prop::collection::vec(-12_i128..30, 1..3), 0..7),
            target in 1_i128..80,
        ) {
            let slow = all(&units, target);
            let smallest = |picks: &&Picks| !slow.iter().any(|other| is_part(other, picks));
            let mut expected: Vec<Picks> = slow.iter().filter(smallest).cloned().collect();
            expected.sort_unstable_by_key(|picks| (picks.len(), picks.clone()));
            let answer = subsets(&ways(&units), Amount::from_units(target));
            if answer.is_all {
                prop_assert_eq!(answer.found, expected);
            } else {
                prop_assert!(slow.len() >= FOUND_MAX, "so few are always searched through");
            }
        }

        #[test]
        fn sixteen_with_two_amounts_each_are_searched_through(
            units in prop::collection::vec((1_000_i128..900_000, 1_i128..900), 16),
            chosen in 1_u32..1 << 16,
        ) {
            let units: Vec<Vec<i128>> = units.iter().map(|&(a, b)| vec![a, a - b]).collect();
            let picks = (0..16).filter(|place| chosen >> place & 1 == 1);
            let target = picks.map(|place| units[place][0]).sum();
            let answer = subsets(&ways(&units), Amount::from_units(target));
            prop_assert!(answer.is_all || answer.found.len() > 1);
            for picks in &answer.found {
                let sum: i128 = picks.iter().map(|&(place, way)| units[place][way]).sum();
                prop_assert_eq!(sum, target);
            }
        }
    }

    #[test]
    fn what_comes_to_nothing_is_left_out() {
        let units = [vec![100], vec![70], vec![-70]];
        let answer = subsets(&ways(&units), Amount::from_units(100));
        assert_eq!(answer.only(), Some(vec![(0, 0)]));
    }

    #[test]
    fn a_hopeless_search_ends() {
        let units: Vec<Vec<i128>> = (0..60).map(|n| vec![1_000 + 2 * n]).collect();
        let answer = subsets(&ways(&units), Amount::from_units(30_001));
        assert!(answer.found.is_empty());
        let same: Vec<Ways> = vec![smallvec![Amount::from_units(1)]; 65];
        assert!(!subsets(&same, Amount::from_units(3)).is_all);
        let answer = subsets(&same[..60], Amount::from_units(3));
        assert!(!answer.is_all && answer.found.len() > 1);
    }
}
