//! The indexes of the store, built once all items are there.

use std::num::NonZeroU64;

use ahash::RandomState;
use hashbrown::{HashMap, HashTable};
use rayon::prelude::*;
use smallvec::SmallVec;
use tieout_core::{Amount, Direction, ItemIx};

use super::{GroupKey, Items, amount_key};
use crate::directory::Directory;
use crate::parties::NO_PARTY;

impl Items {
    /// Builds the indexes, once all items are there; with `groups` also that of what is open on
    /// one order or payout.
    pub fn finish_loading(&mut self, parties: usize, groups: bool) {
        self.by_id = HashTable::new();
        self.blocks = std::mem::take(&mut self.loading).into_kept();
        let count = self.len() as u32;
        self.by_number = Directory::build(count, |place| {
            let [run, all, joined] = self.names_of(ItemIx(place));
            let all = Some(all).filter(|all| *all != run);
            let joined = Some(joined).filter(|joined| *joined != run && Some(*joined) != all);
            let keys = [Some(run), all, joined];
            keys.map(|key| {
                key.filter(|key| !key.is_empty())
                    .map(|key| key.hash(&self.hash))
            })
        });
        if groups {
            self.groups = self.sum_groups();
        }
        let order = |place| [self.blocks.order(place).map(NonZeroU64::get)];
        self.by_order = Directory::build(count, order);
        self.blocks.drop_orders();
        self.number_lengths |= (0..count)
            .into_par_iter()
            .map(|place| 1_u64 << self.significant(ItemIx(place)).as_bytes().len())
            .reduce(|| 0, |left, right| left | right);
        self.group_by_party(parties);
        for item in self.blocks.iter_mut().filter(|item| item.was_closed) {
            item.open = Amount::ZERO;
            *self.closed_before.entry(item.party).or_default() += 1;
        }
    }

    /// Bytes of memory that each index takes, the rows of the items not counted.
    pub fn index_bytes(&self) -> [(&'static str, usize); 4] {
        let orders: usize = self.groups.values().map(heap_bytes).sum();
        [
            ("number", self.by_number.bytes()),
            ("order", self.by_order.bytes()),
            ("group", self.groups.allocation_size() + orders),
            (
                "party",
                self.by_party.capacity() * size_of::<(u32, u32)>()
                    + size_of_val(&self.party_start[..]),
            ),
        ]
    }

    /// What is open on each order or payout of several items.
    fn sum_groups(&self) -> HashMap<GroupKey, SmallVec<[u64; 1]>, RandomState> {
        let mut sums: HashMap<(u64, u32, u8, Direction), (Amount, u32), RandomState> =
            HashMap::default();
        let items = self.blocks.iter().zip(0..);
        let items = items.map(|(item, place)| (item, self.blocks.order(place)));
        for (item, order) in items.filter(|(item, _)| !item.was_closed) {
            let (Some(order), Some(direction)) = (order, item.settled_by) else {
                continue;
            };
            let key = (order.get(), item.party, item.currency, direction);
            let sum = sums.entry(key).or_default();
            sum.0 += item.open;
            sum.1 += 1;
        }
        let mut groups: HashMap<GroupKey, SmallVec<[u64; 1]>, RandomState> = HashMap::default();
        for ((order, party, currency, direction), (amount, count)) in sums {
            if count > 1 && amount.is_positive() {
                let key = (party, currency, direction, amount);
                groups.entry(key).or_default().push(order);
            }
        }
        for orders in groups.values_mut() {
            orders.sort_unstable();
        }
        groups
    }

    fn group_by_party(&mut self, parties: usize) {
        let mut start = vec![0_u32; parties + 1];
        for item in self.blocks.iter() {
            if item.party != NO_PARTY {
                start[item.party as usize + 1] += 1;
            }
        }
        for party in 0..parties {
            start[party + 1] += start[party];
        }
        let mut by_party = vec![(0_u32, 0_u32); start[parties] as usize];
        let mut next = start.clone();
        for (place, item) in self.blocks.iter().enumerate() {
            if item.party != NO_PARTY {
                let slot = &mut next[item.party as usize];
                by_party[*slot as usize] = (amount_key(item.open), place as u32);
                *slot += 1;
            }
        }
        let mut groups = Vec::with_capacity(parties);
        let mut rest = by_party.as_mut_slice();
        for party in 0..parties {
            let length = (start[party + 1] - start[party]) as usize;
            let (own, others) = rest.split_at_mut(length);
            groups.push(own);
            rest = others;
        }
        groups.into_par_iter().for_each(<[_]>::sort_unstable);
        self.by_party = by_party;
        self.party_start = start;
    }
}

/// Bytes that the list has besides its own place.
fn heap_bytes(orders: &SmallVec<[u64; 1]>) -> usize {
    if orders.spilled() {
        orders.capacity() * size_of::<u64>()
    } else {
        0
    }
}
