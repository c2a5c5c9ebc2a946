//! Payments of one amount that compete for items, where a recipe pairs lines with lines.

use ahash::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;
use tieout_core::{Date, ItemIx};

use crate::decide::View;
use crate::payment::Payment;

/// The days of payments that no document decides, by whom they are with and their amount.
pub struct Rivals {
    days: HashMap<u64, SmallVec<[i32; 2]>, RandomState>,
    hash: RandomState,
}

impl Default for Rivals {
    fn default() -> Self {
        Self {
            days: HashMap::default(),
            hash: RandomState::with_seeds(51, 52, 53, 54),
        }
    }
}

impl Rivals {
    fn key(&self, payment: &Payment) -> u64 {
        self.hash.hash_one((
            payment.customer_number,
            payment.currency,
            payment.direction(),
            payment.amount,
        ))
    }

    /// Counts a payment that waits for its amount to decide.
    pub fn add(&mut self, payment: &Payment) {
        let key = self.key(payment);
        self.days.entry(key).or_default().push(payment.date.days());
    }

    /// Whether another payment with whom and what `payment` has is as near to `item`.
    pub fn compete(&self, view: &View, payment: &Payment, item: ItemIx) -> bool {
        let issued = view.items.issued(item);
        let days = self.days.get(&self.key(payment));
        let near = days.into_iter().flatten().filter(|&&day| {
            let day = Date::from_days(day);
            view.policy().is_near(issued, day)
        });
        near.count() > 1
    }
}
