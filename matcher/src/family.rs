//! The open items of a customer and its relatives.

use smallvec::SmallVec;
use tieout_core::{Amount, ItemIx};

use crate::decide::View;
use crate::payment::Payment;
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
    pub fn with_amount(&self, view: &View, payment: &Payment, amount: Amount) -> Vec<ItemIx> {
        let currency = payment.currency;
        self.members
            .iter()
            .flat_map(|&party| view.items.of_party_with_amount(party, currency, amount))
            .filter(|&item| view.items.is_settled_by(item, payment.direction()))
            .collect()
    }

    /// The items of each order or payout on which exactly the payment's amount is open.
    pub fn groups_with_amount(&self, view: &View, payment: &Payment) -> Vec<Vec<ItemIx>> {
        let (currency, direction) = (payment.currency, payment.direction());
        let groups = self.members.iter().flat_map(|&party| {
            view.items
                .groups_with_amount(party, currency, direction, payment.amount)
        });
        groups.collect()
    }

    /// All that is open, or none if that is more than `most` items.
    pub fn open_items(&self, view: &View, payment: &Payment, most: usize) -> Option<Vec<OpenItem>> {
        let size: usize = self
            .members
            .iter()
            .map(|&party| view.items.count_of(party))
            .sum();
        // Closed items still count in `size`; a family of ten times as many is not worth the walk.
        if size > most.saturating_mul(10) {
            return None;
        }
        let items: Vec<OpenItem> = self
            .members
            .iter()
            .enumerate()
            .flat_map(|(place, &party)| {
                let own = place == 0;
                let items = view.items.of_party(party, payment.currency);
                items.map(move |item| OpenItem::of(view, payment, item, own))
            })
            .filter(|open| {
                view.items.is_settled_by(open.item, payment.direction())
                    && view
                        .policy()
                        .is_near(view.items.issued(open.item), payment.date)
            })
            .take(most + 1)
            .collect();
        (items.len() <= most).then_some(items)
    }
}

/// One open item with what readings by amount look at, copied so that they do not walk over
/// random items again and again.
#[derive(Clone, Copy)]
pub struct OpenItem {
    pub item: ItemIx,
    pub open: Amount,
    /// The discount, whatever its date.
    pub discount: Option<Amount>,
    /// Whether the payment is in time for the discount.
    pub is_earned: bool,
    pub is_past_due: bool,
    /// Whether it is the customer's own, not a relative's.
    pub is_own: bool,
}

impl OpenItem {
    fn of(view: &View, payment: &Payment, item: ItemIx, is_own: bool) -> Self {
        let grace = view.policy_of(view.items.party(item)).discount_grace_days;
        let day = view.as_of.unwrap_or(payment.date);
        Self {
            item,
            open: view.items.open(item),
            discount: view.items.discount(item),
            is_earned: view.items.discount_on(item, payment.date, grace).is_some(),
            is_past_due: view.items.due(item).is_some_and(|due| due < day),
            is_own,
        }
    }

    /// The discount that the payment may take.
    pub fn earned(&self) -> Amount {
        self.discount
            .filter(|_| self.is_earned)
            .unwrap_or(Amount::ZERO)
    }
}
