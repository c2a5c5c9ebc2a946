//! Whether an amount can be read in one way only: the check behind every payment without a
//! usable reference that the truth calls decidable.

use super::calendar::TODAY;
use super::items::Item;

/// The most items of a family for which pairs are looked at; above it nothing without a
/// reference is called decidable, since some pair always fits.
pub const FAMILY_ITEMS_MAX: usize = 300;

/// The most items for which every subset is summed.
const SUBSET_ITEMS_MAX: usize = 14;

/// The readings of one family's open items.
pub struct Readings<'a> {
    items: &'a [Item],
    /// What one item alone explains, with its place: open amount, and net of discount
    /// (whatever the discount's date, since payers take it late). Credits are negative. Sorted.
    values: Vec<(i64, u32)>,
}

impl<'a> Readings<'a> {
    /// Over all open items of a family.
    pub fn new(items: &'a [Item]) -> Self {
        let mut values = Vec::with_capacity(items.len() + items.len() / 4);
        for (place, item) in items.iter().enumerate() {
            values.push((item.signed(), place as u32));
            if item.discount > 0 {
                values.push((item.open - item.discount, place as u32));
            }
        }
        values.sort_unstable();
        Self { items, values }
    }

    /// How many single readings there are.
    pub fn singles(&self, amount: i64) -> usize {
        let from = self.values.partition_point(|v| v.0 < amount);
        self.values[from..]
            .iter()
            .take_while(|v| v.0 == amount)
            .count()
    }

    /// Whether a single item is at most `tolerance` above the amount, or equal to it.
    pub fn near(&self, amount: i64, tolerance: i64) -> bool {
        let from = self.values.partition_point(|v| v.0 < amount);
        self.values
            .get(from)
            .is_some_and(|v| v.0 <= amount + tolerance)
    }

    /// Whether two different items add up to the amount.
    pub fn pair(&self, amount: i64) -> bool {
        self.values.iter().any(|&(value, place)| {
            let rest = amount - value;
            let from = self.values.partition_point(|v| v.0 < rest);
            self.values[from..]
                .iter()
                .take_while(|v| v.0 == rest)
                .any(|v| v.1 != place)
        })
    }

    /// Whether the amount is the whole account or all past due, of the family or one party.
    pub fn account_or_past_due(&self, amount: i64) -> bool {
        let parties = self.items.iter().map(|i| i.party);
        let (Some(first), Some(last)) = (parties.clone().min(), parties.max()) else {
            return false;
        };
        self.sums(|_| true).contains(&amount)
            || (first < last
                && (first..=last).any(|p| self.sums(|i| i.party == p).contains(&amount)))
    }

    /// The whole and the past due, gross and net of open discounts, of the items that pass.
    fn sums(&self, pass: impl Fn(&Item) -> bool) -> [i64; 4] {
        let mut sums = [0; 4];
        for item in self.items.iter().filter(|i| pass(i)) {
            let discount = if item.discount_available() {
                item.discount
            } else {
                0
            };
            sums[0] += item.signed();
            sums[1] += item.signed() - discount;
            if item.due < TODAY {
                sums[2] += item.signed();
                if !item.kind.is_credit() {
                    sums[3] += item.open;
                }
            }
        }
        sums
    }

    /// Whether one item, and nothing else that a clerk would try, has this amount.
    pub fn only_one_item(&self, amount: i64) -> bool {
        self.items.len() <= FAMILY_ITEMS_MAX
            && self.singles(amount) == 1
            && !self.pair(amount)
            && !(self.items.len() > 1 && self.account_or_past_due(amount))
    }

    /// Whether nothing that a clerk would try has this amount.
    pub fn nothing(&self, amount: i64) -> bool {
        self.items.len() <= FAMILY_ITEMS_MAX
            && !self.near(amount, 100)
            && !self.pair(amount)
            && !self.account_or_past_due(amount)
    }

    /// Whether exactly one subset of the items adds up to the amount.
    pub fn only_one_subset(&self, amount: i64) -> bool {
        if self.items.len() > SUBSET_ITEMS_MAX {
            return false;
        }
        let sum = |mask: u32| -> i64 {
            let chosen = self
                .items
                .iter()
                .enumerate()
                .filter(|(n, _)| mask >> n & 1 == 1);
            chosen.map(|(_, item)| item.signed()).sum()
        };
        (1..1_u32 << self.items.len())
            .filter(|&mask| sum(mask) == amount)
            .take(2)
            .count()
            == 1
    }
}

#[cfg(test)]
mod tests {
    use super::super::items::Kind;
    use super::*;

    fn item(open: i64, discount: i64, kind: Kind) -> Item {
        Item {
            party: 0,
            rank: 0,
            sequence: 1,
            order: 0,
            amount: open,
            open,
            discount,
            issued: TODAY - 10,
            due: TODAY + 20,
            discount_date: TODAY,
            entity: 0,
            kind,
        }
    }

    #[test]
    fn a_single_a_pair_and_a_discount_are_seen() {
        let items = [
            item(10_000, 200, Kind::Invoice),
            item(7_000, 0, Kind::Invoice),
            item(2_800, 0, Kind::Invoice),
            item(500, 0, Kind::CreditMemo),
        ];
        let readings = Readings::new(&items);
        assert!(readings.only_one_item(10_000));
        // 9,800 is the first net of discount, and also 7,000 + 2,800.
        assert_eq!(readings.singles(9_800), 1);
        assert!(!readings.only_one_item(9_800));
        // 6,500 is 7,000 less the credit.
        assert!(readings.pair(6_500));
        assert!(readings.account_or_past_due(19_300));
        assert!(readings.only_one_subset(19_300));
        assert!(!readings.only_one_subset(1));
        assert!(readings.near(6_950, 100) && !readings.nothing(6_950));
        assert!(readings.nothing(123));
    }
}
