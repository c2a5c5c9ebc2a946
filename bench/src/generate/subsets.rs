//! In how many ways an amount is the sum of some of a few items: the count behind what the
//! truth says of payments for several items without a reference.

/// What one item can add to a sum, in cents.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// What is open; negative for credits.
    pub full: i64,
    /// The same less the discount, where one may be taken.
    pub net: Option<i64>,
}

/// The ways in which some of the parts, each in full or net, add up to `amount`, which is not
/// zero. Counting stops at two. Time and memory grow with 3 to the power of half the parts, so
/// that callers bound them.
pub fn ways(parts: &[Part], amount: i64) -> usize {
    let (left, right) = parts.split_at(parts.len() / 2);
    let (left, right) = (sums(left), sums(right));
    let mut found = 0;
    let mut end = right.len();
    for sum in left {
        let rest = amount - sum;
        while end > 0 && right[end - 1] > rest {
            end -= 1;
        }
        found += right[..end]
            .iter()
            .rev()
            .take_while(|&&other| other == rest)
            .take(2)
            .count();
        if found > 1 {
            return 2;
        }
    }
    found
}

/// Every sum of some of the parts, that of none included, in ascending order.
fn sums(parts: &[Part]) -> Vec<i64> {
    let mut sums = vec![0];
    for part in parts {
        let before = sums.len();
        sums.extend_from_within(..);
        sums[before..].iter_mut().for_each(|sum| *sum += part.full);
        if let Some(net) = part.net {
            sums.extend_from_within(..before);
            let from = 2 * before;
            sums[from..].iter_mut().for_each(|sum| *sum += net);
        }
    }
    sums.sort_unstable();
    sums
}

#[cfg(test)]
mod tests {
    use super::super::dice::Dice;
    use super::*;

    /// One after the other, as a check of the halves.
    fn ways_one_by_one(parts: &[Part], amount: i64) -> usize {
        match parts {
            [] => usize::from(amount == 0),
            [part, rest @ ..] => {
                let net = part
                    .net
                    .map_or(0, |net| ways_one_by_one(rest, amount - net));
                ways_one_by_one(rest, amount) + ways_one_by_one(rest, amount - part.full) + net
            }
        }
    }

    #[test]
    fn halves_find_what_a_plain_count_finds() {
        let mut dice = Dice::new(3, 0);
        let mut seen = [0; 3];
        for _ in 0..2_000 {
            let parts: Vec<Part> = (0..dice.below(9))
                .map(|_| {
                    let full = dice.between(-30, 90);
                    let net = dice.chance(300).then_some(full - 2);
                    Part { full, net }
                })
                .collect();
            let amount = dice.between(1, 200);
            let expected = ways_one_by_one(&parts, amount).min(2);
            assert_eq!(ways(&parts, amount), expected, "{amount} of {parts:?}");
            seen[expected] += 1;
        }
        assert!(seen.iter().all(|&count| count > 100), "{seen:?}");
    }
}
