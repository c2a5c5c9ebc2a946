//! Payments for several arbitrary invoices without a reference. Whether one can be decided is
//! known only when all payments of the family are: those that name their documents come first,
//! whatever the order of the files.

use super::desk::{Desk, Draft};
use super::items::Item;
use super::mix::Scenario;
use super::plan::{Line, Payment, Plan};
use super::reference::Form;
use super::subsets::{Part, ways};

/// The most open items of a family for which a payment is called decidable.
const FAMILY_ITEMS_MAX: usize = 16;
/// The most items among which a second reading, or any, is looked for.
const SHOWN_ITEMS_MAX: usize = 22;
/// Shares of payments for two, three, four and five invoices.
const SIZES: [u32; 4] = [110, 55, 22, 13];
/// Cents by which one item alone may be above an amount and still be meant.
const TOLERANCE: i64 = 100;

impl Desk<'_> {
    /// Two to five invoices of the customer, anywhere in its list; an item is left for each
    /// payment to come.
    pub fn several(&mut self, draft: &mut Draft) -> bool {
        draft.form = Form::Missing;
        let member = draft.member as usize;
        let spare = self.unpaid[member]
            .len()
            .saturating_sub(self.to_come[member]);
        let size = (2 + self.dice.weighted(SIZES)).min(spare);
        if size < 2 {
            return false;
        }
        for _ in 0..size {
            let at = self.dice.below(self.unpaid[member].len() as u64) as usize;
            let place = self.unpaid[member].swap_remove(at);
            self.pay_in_full(draft, place);
        }
        if self.dice.chance(300) {
            for line in &mut draft.lines {
                let item = self.item(line);
                if item.discount_available() {
                    line.discount = item.discount;
                    line.cash -= line.discount;
                }
            }
        }
        true
    }

    /// Says of the family's payments without a reference, planned from `first` on, what can be
    /// decided: `several_items` where the family's open items have the amount in one way,
    /// `several_items_unclear` where the customer's own have it in two. A payment of which
    /// neither can be shown names its documents after all, and one on account whose amount some
    /// items have says that it is on account.
    pub fn settle_several(&self, plan: &mut Plan, first: usize) {
        let waits = |p: &Payment| {
            p.scenario == Scenario::SeveralItems
                || p.scenario == Scenario::OnAccount && p.form == Form::Missing
        };
        if !plan.payments[first..].iter().any(waits) {
            return;
        }
        let unnamed = self.left(plan, first, |p| p.form != Form::Missing);
        let untouched = self.left(plan, first, |_| true);
        for index in first..plan.payments.len() {
            let payment = &plan.payments[index];
            if !waits(payment) {
                continue;
            }
            let amount = payment.amount;
            let (scenario, form) = if payment.scenario == Scenario::OnAccount {
                let form = if self.fits(&unnamed, amount) {
                    Form::OnAccount
                } else {
                    Form::Missing
                };
                (Scenario::OnAccount, form)
            } else {
                let lines = plan.lines_of(payment);
                if self.is_only_reading(&unnamed, amount) {
                    (Scenario::SeveralItems, Form::Missing)
                } else if self.has_two_readings(&untouched, payment.party, lines, amount) {
                    (Scenario::SeveralUnclear, Form::Missing)
                } else if lines.iter().any(|line| line.discount > 0) {
                    (Scenario::Discount, Form::Clean)
                } else {
                    (Scenario::Clean, Form::Clean)
                }
            };
            let payment = &mut plan.payments[index];
            (payment.scenario, payment.form) = (scenario, form);
        }
    }

    /// By place: what stays open when the payments that pass are applied.
    fn left(&self, plan: &Plan, first: usize, pass: impl Fn(&Payment) -> bool) -> Vec<i64> {
        let mut left: Vec<i64> = self.items.iter().map(|item| item.open).collect();
        let applied = |p: &&Payment| p.scenario.row().outcome.has_items() && pass(p);
        for payment in plan.payments[first..].iter().filter(applied) {
            for line in plan.lines_of(payment) {
                let lost = line.cash + line.discount + line.write_off + line.deduction;
                left[self.place(line)] -= lost.abs();
            }
        }
        left
    }

    /// Whether a small family's open items have the amount in one way, a discount taken late
    /// and one item within tolerance counted as ways too.
    fn is_only_reading(&self, left: &[i64], amount: i64) -> bool {
        let parts = self.parts(left);
        let near = |value: i64| (amount..=amount + TOLERANCE).contains(&value);
        parts.len() <= FAMILY_ITEMS_MAX
            && !parts
                .iter()
                .any(|p| near(p.full) || p.net.is_some_and(near))
            && ways(&parts, amount) == 1
    }

    /// Whether any of the open items have the amount; not known of many.
    fn fits(&self, left: &[i64], amount: i64) -> bool {
        let parts = self.parts(left);
        parts.len() <= SHOWN_ITEMS_MAX && ways(&parts, amount) > 0
    }

    fn parts(&self, left: &[i64]) -> Vec<Part> {
        let open = self.items.iter().zip(left).filter(|(_, left)| **left > 0);
        open.map(|(item, &left)| Part {
            full: if item.kind.is_credit() { -left } else { left },
            net: (item.discount > 0).then(|| left - item.discount),
        })
        .collect()
    }

    /// Whether the customer's own invoices that no other payment touches have the amount in
    /// two ways, only discounts that are still open taken.
    fn has_two_readings(&self, left: &[i64], party: u32, own: &[Line], amount: i64) -> bool {
        let part = |item: &Item| Part {
            full: item.open,
            net: item.discount_available().then(|| item.open - item.discount),
        };
        let others = self.items.iter().zip(left).filter(|(item, left)| {
            item.party == party
                && !item.kind.is_credit()
                && item.open == **left
                && item.open <= amount
        });
        let parts: Vec<Part> = own
            .iter()
            .map(|line| self.item(line))
            .chain(others.map(|(item, _)| item))
            .take(SHOWN_ITEMS_MAX)
            .map(part)
            .collect();
        ways(&parts, amount) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::mix::Mix;
    use super::super::{items, parties, plan};
    use super::*;

    /// Every payment without a reference for several items beside a count over all subsets.
    #[test]
    fn what_is_called_decidable_has_one_reading() {
        let parties = parties::create(7, 20_000, 40_000);
        let items = items::create(7, &parties);
        let plan = plan::create(7, &parties, &items, Mix::Wide);
        let mut open: Vec<i64> = items.list.iter().map(|item| item.open).collect();
        for payment in &plan.payments {
            if payment.form != Form::Missing && payment.scenario.row().outcome.has_items() {
                for line in plan.lines_of(payment) {
                    let lost = line.cash + line.discount + line.write_off + line.deduction;
                    open[line.item as usize] -= lost.abs();
                }
            }
        }
        let mut seen = [0; 3];
        for payment in &plan.payments {
            let family = parties
                .families
                .iter()
                .find(|family| family.parties().contains(&payment.party));
            let family = family.unwrap().parties();
            let range = items.starts[family.start as usize] as usize
                ..items.starts[family.end as usize] as usize;
            let places: Vec<usize> = range.filter(|&place| open[place] > 0).collect();
            let clear = match payment.scenario {
                Scenario::SeveralItems => true,
                Scenario::SeveralUnclear => false,
                _ => continue,
            };
            let lines = plan.lines_of(payment);
            assert!((2..=5).contains(&lines.len()));
            assert_eq!(lines.iter().map(|l| l.cash).sum::<i64>(), payment.amount);
            seen[usize::from(clear)] += 1;
            seen[2] += usize::from(lines.iter().any(|line| line.discount > 0));
            if !clear && places.len() > 12 {
                continue;
            }
            let count = readings(&items.list, &open, &places, payment.amount);
            assert_eq!(count == 1, clear, "{count} readings");
        }
        assert!(seen.iter().all(|&count| count > 10), "{seen:?}");
    }

    fn readings(items: &[Item], open: &[i64], places: &[usize], amount: i64) -> usize {
        let Some((&place, rest)) = places.split_first() else {
            return usize::from(amount == 0);
        };
        let item = &items[place];
        let full = if item.kind.is_credit() {
            -open[place]
        } else {
            open[place]
        };
        let mut count = readings(items, open, rest, amount);
        count += readings(items, open, rest, amount - full);
        if item.discount_available() {
            count += readings(items, open, rest, amount - full + item.discount);
        }
        count
    }
}
