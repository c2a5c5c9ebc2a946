//! An index from the hash of a key to the places of items: a sorted array with a table of where
//! each stretch of hashes begins. Built in one go and side by side, which for millions of items
//! is several times faster than inserting into a hash table, and half as large.

use rayon::prelude::*;

/// Entries of one hash that are looked at; so many items of one number cannot be told apart.
pub const SAME_KEY_MAX: usize = 64;

/// Entries of a stretch among which a hash is looked for ahead of time.
const STRETCH_LOOKED_AT: usize = 4;

/// No entry; it sorts behind all others, because no place is so high.
const NONE: u64 = u64::MAX;

/// An index that maps 32 bits of a key's hash to places. The caller compares the keys.
#[derive(Default)]
pub struct Directory {
    /// Hash above, place below; ascending.
    entries: Vec<u64>,
    /// Where the entries begin whose hashes have these upper bits; one more than stretches.
    starts: Vec<u32>,
    shift: u32,
}

impl Directory {
    /// The index of the items 0 to `count`, each under the hashes that `hashes_of` gives.
    pub fn build<const N: usize>(
        count: u32,
        hashes_of: impl Fn(u32) -> [Option<u64>; N] + Sync,
    ) -> Self {
        let own = (0..count).into_par_iter().map(|place| {
            let entry = |hash| hash >> 32 << 32 | u64::from(place);
            hashes_of(place).map(|hash| hash.map_or(NONE, entry))
        });
        let own: Vec<[u64; N]> = own.collect();
        let mut entries = own.into_flattened();
        entries.par_sort_unstable();
        entries.truncate(entries.partition_point(|&entry| entry != NONE));
        let bits = (usize::BITS - entries.len().leading_zeros()).clamp(1, 24);
        let shift = u64::BITS - bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for entry in &entries {
            starts[(entry >> shift) as usize + 1] += 1;
        }
        for stretch in 1..starts.len() {
            starts[stretch] += starts[stretch - 1];
        }
        Self {
            entries,
            starts,
            shift,
        }
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<u64>() + size_of_val(&self.starts[..])
    }

    /// The first place of each of `hashes`, of nearly all that have one. All steps of the way are taken for all
    /// hashes together, so that memory answers side by side what it would else be asked for one
    /// after the other.
    pub fn first_places(&self, hashes: &[u64], places: &mut Vec<u32>) {
        let stretch = |hash: u64| (hash >> self.shift.min(u64::BITS - 1)) as usize;
        places.clear();
        places.extend(
            hashes
                .iter()
                .map(|&hash| self.starts.get(stretch(hash)).copied().unwrap_or(u32::MAX)),
        );
        let mut found = 0;
        for at in 0..places.len() {
            // There are about as many stretches as entries.
            let near = self.entries.iter().skip(places[at] as usize);
            let mut near = near.take(STRETCH_LOOKED_AT);
            if let Some(&entry) = near.find(|&&entry| entry >> 32 == hashes[at] >> 32) {
                places[found] = entry as u32;
                found += 1;
            }
        }
        places.truncate(found);
    }

    /// Places whose key has this hash, ascending, at most [`SAME_KEY_MAX`].
    pub fn places(&self, hash: u64) -> impl Iterator<Item = u32> + '_ {
        let stretch = (hash >> self.shift.min(u64::BITS - 1)) as usize;
        let bounds = self.starts.get(stretch..stretch + 2);
        let entries = bounds.map_or(&[] as &[u64], |bounds| {
            &self.entries[bounds[0] as usize..bounds[1] as usize]
        });
        entries
            .iter()
            .filter(move |&&entry| entry >> 32 == hash >> 32)
            .take(SAME_KEY_MAX)
            .map(|&entry| entry as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_place_of_a_hash_and_no_other() {
        let hash = |place: u32| u64::from(place % 7) << 61 | u64::from(place % 3) << 40;
        let directory = Directory::build(1_000, |place| [(place % 5 != 0).then(|| hash(place))]);
        for wanted in 0..50 {
            let expected: Vec<u32> = (0..1_000)
                .filter(|&place| place % 5 != 0 && hash(place) >> 32 == hash(wanted) >> 32)
                .take(SAME_KEY_MAX)
                .collect();
            let found: Vec<u32> = directory.places(hash(wanted)).collect();
            assert_eq!(found, expected);
        }
        assert_eq!(Directory::default().places(5).count(), 0);
        assert_eq!(Directory::build(0, |_| [None]).places(u64::MAX).count(), 0);
    }
    #[test]
    fn nearly_every_first_place_is_found_ahead_of_time() {
        let hash = |place: u32| u64::from(place / 2).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let directory = Directory::build(2_000, |place| [Some(hash(place))]);
        let wanted: Vec<u64> = (0..1_200).map(|place| hash(2 * place)).collect();
        let mut found = vec![7];
        directory.first_places(&wanted, &mut found);
        // Two hundred of them are of no item.
        assert!(found.len() > 980 && found.len() <= 1_000);
        assert!(found.iter().all(|place| place % 2 == 0));
        assert!(found.is_sorted());
        Directory::default().first_places(&[5], &mut found);
        assert!(found.is_empty());
    }
}
