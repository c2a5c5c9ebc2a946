//! The open items of a customer and its relatives.

use smallvec::SmallVec;
use tieout_core::{Amount, Currency, ItemIx};

use crate::decide::View;
use crate::reading::Reads;

/// A customer with its relatives, as far as a payment may be for them.
pub struct Family {
    /// The customer first.
    members: SmallVec<[u32; 4]>,
}

impl Family {
    /// The family of `party`; the decision then depends on all that its members have open.
    pub fn of(view: &View, party: u32, reads: &mut Reads) -> Self {
        reads.families.push(view.parties.root(party));
        let members = std::iter::once(party)
            .chain(view.parties.relatives(party))
            .collect();
        Self { members }
    }

    /// Items that are open for exactly `amount`, as they were at the start.
    pub fn with_amount(&self, view: &View, currency: Currency, amount: Amount) -> Vec<ItemIx> {
        self.members
            .iter()
            .flat_map(|&party| view.items.of_party_with_amount(party, currency, amount))
            .filter(|&item| view.items.kind(item).is_receivable())
            .collect()
    }

    /// All that is open, or none if that is more than `most` items.
    pub fn open_items(&self, view: &View, currency: Currency, most: usize) -> Option<Vec<ItemIx>> {
        let size: usize = self
            .members
            .iter()
            .map(|&party| view.items.count_of(party))
            .sum();
        // Closed items still count in `size`; a family of ten times as many is not worth the walk.
        if size > most.saturating_mul(10) {
            return None;
        }
        let items: Vec<ItemIx> = self
            .members
            .iter()
            .flat_map(|&party| view.items.of_party(party, currency))
            .filter(|&item| view.items.kind(item).is_receivable())
            .collect();
        (items.len() <= most).then_some(items)
    }
}
