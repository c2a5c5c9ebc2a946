//! Which candidate pairs are kept, and how probable each is beside its rivals.

use super::model::probability;

/// Log-odds beyond which nothing is more certain.
const BITS_MAX: f64 = 200.0;

/// All pairs, each with its own probability.
pub fn free(weights: &[f64]) -> Vec<(usize, f64)> {
    let all = weights.iter().enumerate();
    all.map(|(place, &weight)| (place, probability(weight)))
        .collect()
}

/// At most one pair a row: the greatest weight first, of equal weights the first rows. A row has one
/// partner at most, so that each pair of a row leaves less to the others.
pub fn one_to_one(pairs: &[(u32, u32)], weights: &[f64]) -> Vec<(usize, f64)> {
    let odds: Vec<f64> = weights
        .iter()
        .map(|weight| weight.min(BITS_MAX).exp2())
        .collect();
    let (lefts, rights) = (rows(pairs, |pair| pair.0), rows(pairs, |pair| pair.1));
    let (mut left_odds, mut right_odds) = (vec![0.0; lefts], vec![0.0; rights]);
    for (pair, odds) in pairs.iter().zip(&odds) {
        left_odds[pair.0 as usize] += odds;
        right_odds[pair.1 as usize] += odds;
    }
    let mut order: Vec<usize> = (0..pairs.len()).collect();
    order.sort_by(|&one, &other| {
        weights[other]
            .total_cmp(&weights[one])
            .then(one.cmp(&other))
    });
    let (mut left_taken, mut right_taken) = (vec![false; lefts], vec![false; rights]);
    let mut kept = Vec::new();
    for place in order {
        let (left, right) = (pairs[place].0 as usize, pairs[place].1 as usize);
        if left_taken[left] || right_taken[right] {
            continue;
        }
        (left_taken[left], right_taken[right]) = (true, true);
        let rivals = left_odds[left].max(right_odds[right]);
        kept.push((place, odds[place] / (1.0 + rivals)));
    }
    kept
}

fn rows(pairs: &[(u32, u32)], row: impl Fn(&(u32, u32)) -> u32) -> usize {
    pairs
        .iter()
        .map(row)
        .max()
        .map_or(0, |last| last as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_one_partner() {
        let pairs = [(0, 0), (0, 1), (1, 0), (1, 1)];
        let kept = one_to_one(&pairs, &[3.0, 9.0, 8.0, 7.0]);
        let places: Vec<usize> = kept.iter().map(|&(place, _)| place).collect();
        assert_eq!(places, [1, 2]);
        assert!(kept[0].1 < 512.0 / 513.0);
    }
}
