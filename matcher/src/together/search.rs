//! The heaviest way to give answers to payments, where each item goes to one of them.

use super::{Choice, Claim};

/// Steps of one search.
pub const STEPS_MAX: u32 = 20_000;

/// One way to give answers to payments.
#[derive(Clone, Copy, Default)]
pub struct Way {
    /// What its answers weigh together.
    pub total: i64,
    /// A bit for each answer.
    pub chosen: u64,
}

/// A search for the way that weighs most: by branches, with a bound, exact within its steps.
pub struct Search {
    /// Where the answers of each payment start, and where those of the last one end.
    pub starts: Vec<usize>,
    pub weights: Vec<i64>,
    /// The answers that each one rules out, as bits.
    conflicts: Vec<u64>,
    best: Way,
    steps: u32,
}

impl Search {
    /// A search among the answers of these payments, of at most 64.
    pub fn of(members: &[&Claim]) -> Self {
        let choices: Vec<&Choice> = members.iter().flat_map(|claim| &claim.choices).collect();
        let shares = |one: &Choice, other: &Choice| {
            one.items
                .iter()
                .any(|item| other.items.binary_search(item).is_ok())
        };
        let conflicts = choices.iter().map(|one| {
            let places = choices.iter().enumerate();
            places
                .filter(|(_, other)| shares(one, other))
                .fold(0, |bits, (place, _)| bits | (1 << place))
        });
        let mut starts = vec![0];
        for claim in members {
            starts.push(starts[starts.len() - 1] + claim.choices.len());
        }
        Self {
            starts,
            weights: choices.iter().map(|it| i64::from(it.weight)).collect(),
            conflicts: conflicts.collect(),
            best: Way::default(),
            steps: 0,
        }
    }

    /// The best way without the answers `ruled_out`; none where that takes too many steps.
    pub fn run(&mut self, ruled_out: u64) -> Option<Way> {
        self.best = Way::default();
        self.steps = 0;
        self.descend(0, ruled_out, Way::default());
        (self.steps < STEPS_MAX).then_some(self.best)
    }

    fn descend(&mut self, payment: usize, ruled_out: u64, way: Way) {
        if self.steps >= STEPS_MAX {
            return;
        }
        self.steps += 1;
        if way.total > self.best.total {
            self.best = way;
        }
        if payment + 1 == self.starts.len()
            || way.total + self.most(payment, ruled_out) <= self.best.total
        {
            return;
        }
        for choice in self.starts[payment]..self.starts[payment + 1] {
            if ruled_out & (1 << choice) == 0 {
                let with = Way {
                    total: way.total + self.weights[choice],
                    chosen: way.chosen | (1 << choice),
                };
                self.descend(payment + 1, ruled_out | self.conflicts[choice], with);
            }
        }
        self.descend(payment + 1, ruled_out, way);
    }

    /// No less than what the payments from `payment` on can add.
    fn most(&self, payment: usize, ruled_out: u64) -> i64 {
        let rest = self.starts[payment..].windows(2);
        rest.map(|ends| {
            let own = ends[0]..ends[1];
            let free = own.filter(|choice| ruled_out & (1 << choice) == 0);
            free.map(|choice| self.weights[choice]).max().unwrap_or(0)
        })
        .sum()
    }
}
