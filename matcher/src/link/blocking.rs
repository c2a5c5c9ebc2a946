//! Which pairs are compared: those that share keys that few rows have.

use ahash::RandomState;
use rayon::prelude::*;
use smallvec::SmallVec;

use super::compare::Kind;
use super::values::{Column, Lists, MISSING};

/// Rows that may share a key; a key that more have is not looked up, nor joined with others to one
/// that fewer have.
const POSTINGS_MAX: usize = 256;
/// The rarest keys of a row that are looked up.
const KEYS_LOOKED_UP: usize = 48;
/// Rows compared with each row: those that share the rarest keys.
const CANDIDATES_MAX: usize = 16;

type Keys = SmallVec<[u64; 64]>;

/// The pairs to compare, in ascending order.
pub fn candidates(lists: &Lists) -> Vec<(u32, u32)> {
    let hash = RandomState::with_seeds(71, 72, 73, 74);
    let of_values: Vec<Vec<Keys>> = lists
        .columns
        .par_iter()
        .enumerate()
        .map(|(field, column)| keys_of_values(&hash, field, column))
        .collect();
    let keys = |row: u32, is_left: bool| row_keys(lists, &of_values, &hash, row, is_left);
    let mut postings: Vec<(u64, u32)> = (0..lists.left as u32)
        .into_par_iter()
        .flat_map_iter(|row| keys(row, true).into_iter().map(move |key| (key, row)))
        .collect();
    postings.par_sort_unstable();
    let mut pairs: Vec<(u32, u32)> = (0..lists.right as u32)
        .into_par_iter()
        .flat_map_iter(|row| {
            let best = best(
                &postings,
                &keys(row, false),
                lists.left,
                lists.single.then_some(row),
            );
            best.into_iter().map(move |other| (other, row))
        })
        .collect();
    if lists.single {
        for pair in &mut pairs {
            *pair = (pair.0.min(pair.1), pair.0.max(pair.1));
        }
    }
    pairs.par_sort_unstable();
    pairs.dedup();
    pairs
}

/// The rows that share the rarest keys with a row of those `keys`; not the row itself.
fn best(postings: &[(u64, u32)], keys: &[u64], rows: usize, itself: Option<u32>) -> Vec<u32> {
    let mut lists: SmallVec<[&[(u64, u32)]; 64]> = keys
        .iter()
        .map(|&key| holders(postings, key))
        .filter(|list| !list.is_empty() && list.len() <= POSTINGS_MAX)
        .collect();
    lists.sort_by_key(|list| list.len());
    lists.truncate(KEYS_LOOKED_UP);
    // Thousandths of a bit, so that the order of the keys makes no difference.
    let rarity = |list: &[(u64, u32)]| ((rows as f64 / list.len() as f64).log2() * 1000.0) as u64;
    let mut shares: Vec<(u32, u64)> = lists
        .iter()
        .flat_map(|list| {
            let rarity = rarity(list);
            list.iter().map(move |&(_, row)| (row, rarity))
        })
        .filter(|&(row, _)| Some(row) != itself)
        .collect();
    shares.sort_unstable();
    let mut sums: Vec<(std::cmp::Reverse<u64>, u32)> = shares
        .chunk_by(|one, other| one.0 == other.0)
        .map(|chunk| {
            let sum = chunk.iter().map(|&(_, rarity)| rarity).sum();
            (std::cmp::Reverse(sum), chunk[0].0)
        })
        .collect();
    if sums.len() > CANDIDATES_MAX {
        sums.select_nth_unstable(CANDIDATES_MAX);
        sums.truncate(CANDIDATES_MAX);
    }
    sums.into_iter().map(|(_, row)| row).collect()
}

fn holders(postings: &[(u64, u32)], key: u64) -> &[(u64, u32)] {
    let start = postings.partition_point(|posting| posting.0 < key);
    let rest = &postings[start..];
    let many = rest.len().min(POSTINGS_MAX + 1);
    let count = rest[..many].partition_point(|posting| posting.0 == key);
    &rest[..count]
}

/// The keys of a row: those of its values, and each two of its common values as one.
fn row_keys(
    lists: &Lists,
    of_values: &[Vec<Keys>],
    hash: &RandomState,
    row: u32,
    is_left: bool,
) -> Keys {
    let mut keys = Keys::new();
    let mut common: SmallVec<[(usize, u32); 16]> = SmallVec::new();
    for (field, column) in lists.columns.iter().enumerate() {
        let rows = if is_left {
            &column.left[..]
        } else {
            column.right()
        };
        let value = rows[row as usize];
        if value == MISSING {
            continue;
        }
        keys.extend_from_slice(&of_values[field][value as usize]);
        if column.counts[value as usize] as usize > POSTINGS_MAX {
            for &other in &common {
                keys.push(hash.hash_one((other, (field, value))));
            }
            common.push((field, value));
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What is looked up of each value of a field.
fn keys_of_values(hash: &RandomState, field: usize, column: &Column) -> Vec<Keys> {
    let values = column.values.par_iter();
    values
        .map(|value| {
            let mut keys = Keys::new();
            let letters = value.letters.as_bytes();
            if column.kind == Kind::Text {
                // Words that stand in another field find each other too.
                keys.push(hash.hash_one(("value", &value.letters)));
                keys.extend(value.name.words().map(|word| hash.hash_one(("word", word))));
                keys.extend(
                    value
                        .name
                        .triples()
                        .iter()
                        .map(|triple| hash.hash_one(("triple", triple))),
                );
            } else {
                keys.push(hash.hash_one(("value", field, &value.letters)));
                for left_out in 0..letters.len().min(24) {
                    let rest = (&letters[..left_out], &letters[left_out + 1..]);
                    keys.push(hash.hash_one(("but one", field, [rest.0, rest.1].concat())));
                }
            }
            keys
        })
        .collect()
}
