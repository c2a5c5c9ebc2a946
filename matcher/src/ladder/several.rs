//! Several open items that nothing binds together but the amount.
//!
//! Among enough items some have any amount. How many sets of as many items would have it by chance
//! says what the agreement is worth: 2 of 10 items are told by their sum, 5 of 20 are not.

use smallvec::smallvec;
use tieout_core::{Amount, Application, Feature, Rule};

use super::Set;
use crate::decide::View;
use crate::family::OpenItem;
use crate::payment::Payment;
use crate::settle::application;
use crate::subset::{Picks, Ways, subsets};

/// Open items up to which every set is counted, so that an amount may decide.
const COUNTED_MAX: usize = 16;
/// Open items up to which any set stands against a single item or the whole account that has the
/// amount; among more, sets of three and more are chance, and far less likely.
const RIVALS_MAX: usize = 8;
/// Open items among which three are looked for.
const TRIPLES_MAX: usize = 64;
/// Sets of an amount that are kept; no more are told apart.
const SETS_MAX: usize = 6;
/// What the agreement of a single item is worth, as log-odds in hundredths of a bit: that of a set
/// is never worth more.
const SINGLE: f64 = 1_700.0;
/// What each item beyond two takes: the more are paid, the more payers say which.
const EACH_MORE: i32 = 150;
/// What each credit takes that the payer takes off without a word.
const EACH_CREDIT: i32 = 300;

/// Words of payers who pay before there is an invoice, or leave it to the payee what is paid.
const ON_ACCOUNT: [&str; 10] = [
    "on account",
    "on-account",
    "advance",
    "prepayment",
    "down payment",
    "akonto",
    "anzahlung",
    "acompte",
    "acconto",
    "a cuenta",
];

/// The sets of two and more items that have the amount of a payment.
#[derive(Default)]
pub struct Several {
    /// The least likely by chance first.
    pub sets: Vec<Set>,
    /// Whether there are no others.
    pub is_counted: bool,
}

/// What else has the amount.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nothing.
    Nothing,
    /// One item, alone or as an order's.
    Items,
    /// The whole account, or all past due.
    Totals,
}

/// Whether the payer says that the money is for nothing that is open yet.
fn says_on_account(text: &str) -> bool {
    let text = text.to_lowercase();
    ON_ACCOUNT.iter().any(|words| text.contains(words))
}

/// The sets among `items`, as far as the recipe wants to know; beside others that have the amount,
/// such as stand against them.
pub fn beside(view: &View, payment: &Payment, items: &[OpenItem], others: Beside) -> Several {
    let ladder = view.policy().ladder;
    let wanted = match others {
        Beside::Nothing => ladder.subset,
        Beside::Items | Beside::Totals => ladder.rival_pairs,
    };
    if !wanted || others == Beside::Nothing && says_on_account(payment.text) {
        return Several::default();
    }
    let credits: Amount = items.iter().map(|open| open.open.min(Amount::ZERO)).sum();
    let usable: Vec<OpenItem> = items
        .iter()
        .copied()
        .filter(|open| least(open) <= payment.amount - credits && !open.open.is_zero())
        .collect();
    let members: Vec<Ways> = usable.iter().map(ways).collect();
    let counted = match others {
        Beside::Nothing => COUNTED_MAX,
        Beside::Items | Beside::Totals => RIVALS_MAX,
    };
    let (mut found, is_all) = if usable.len() <= counted {
        let answer = subsets(&members, payment.amount);
        (answer.found, answer.is_all)
    } else {
        let mut found = pairs(&values(&members), 0, payment.amount);
        // Three items are as good as a total: what chance makes is held too.
        if others == Beside::Totals || others == Beside::Nothing && usable.len() <= TRIPLES_MAX {
            found.extend(triples(&members, payment.amount));
        }
        (found, false)
    };
    found.retain(|picks| picks.len() > 1);
    let is_counted = is_all && found.len() <= SETS_MAX;
    Several {
        sets: likeliest(&usable, &members, payment.amount, found),
        is_counted,
    }
}

fn likeliest(items: &[OpenItem], members: &[Ways], target: Amount, found: Vec<Picks>) -> Vec<Set> {
    if found.is_empty() {
        return Vec::new();
    }
    let chances = Chances::of(members, target);
    let mut sets: Vec<(i32, Picks)> = found
        .into_iter()
        .map(|picks| (-chances.weight(items, &picks), picks))
        .collect();
    sets.sort_unstable();
    sets.truncate(SETS_MAX);
    let sets = sets.into_iter();
    sets.map(|(less, picks)| set(items, &picks, -less))
        .collect()
}

fn ways(open: &OpenItem) -> Ways {
    let mut ways: Ways = smallvec![open.open];
    ways.extend(open.discount.map(|discount| open.open - discount));
    ways
}

fn least(open: &OpenItem) -> Amount {
    open.open - open.discount.unwrap_or(Amount::ZERO)
}

fn set(items: &[OpenItem], picks: &Picks, by_chance: i32) -> Set {
    let mut late = false;
    let mut nets = false;
    let parts = picks.iter().map(|&(place, way)| {
        let open = &items[place];
        let kept = open.discount.filter(|_| way == 1).unwrap_or(Amount::ZERO);
        late |= !kept.is_zero() && !open.is_earned;
        nets |= !kept.is_zero();
        let mut part = application(open.item, open.open - kept);
        part.discount = kept;
        part
    });
    let parts: Vec<Application> = parts.collect();
    let feature = if nets {
        Feature::AmountNetOfDiscount
    } else {
        Feature::AmountExact
    };
    Set {
        late,
        by_chance,
        ..Set::new(Rule::Subset, feature, parts)
    }
}

/// How often chance makes sets of some items agree with an amount.
struct Chances {
    /// All amounts, ascending.
    amounts: Vec<Amount>,
    /// What all amounts are multiples of.
    unit: i128,
    has_discounts: bool,
    target: Amount,
}

impl Chances {
    fn of(members: &[Ways], target: Amount) -> Self {
        let all = members.iter().flatten();
        let mut amounts: Vec<Amount> = members.iter().map(|ways| ways[0]).collect();
        amounts.sort_unstable();
        Self {
            amounts,
            unit: all
                .fold(0, |unit, amount| divisor(unit, amount.units()))
                .max(1),
            has_discounts: members.iter().any(|ways| ways.len() > 1),
            target,
        }
    }

    /// What is taken from the agreement of a set, in hundredths of a bit.
    fn weight(&self, items: &[OpenItem], picks: &Picks) -> i32 {
        let bits = -100.0 * self.agreeing(items, picks).max(f64::MIN_POSITIVE).log2();
        let by_chance = (bits - SINGLE).round().clamp(-4_000.0, 0.0) as i32;
        let is_credit = |&&(place, _): &&(usize, usize)| items[place].open.is_negative();
        let credits = picks.iter().filter(is_credit).count() as i32;
        by_chance - EACH_MORE * (picks.len() as i32 - 2) - EACH_CREDIT * credits
    }

    /// How many sets of as many items, with discounts taken in such a way, have an amount of this
    /// size by chance.
    fn agreeing(&self, items: &[OpenItem], picks: &Picks) -> f64 {
        let (all, count) = (self.amounts.len(), picks.len());
        let sum = |amounts: &[Amount]| -> i128 { amounts.iter().map(|it| it.units()).sum() };
        let spread = sum(&self.amounts[all - count..]) - sum(&self.amounts[..count]);
        // Sums that lie closer together than that are met as seldom as any one of them.
        let spread = spread.max(self.target.units());
        let discounted: Vec<usize> = picks
            .iter()
            .filter(|&&(place, _)| items[place].discount.is_some())
            .map(|&(_, way)| way)
            .collect();
        // All discounts or none: whoever takes some takes what there is.
        let is_uniform = discounted.windows(2).all(|pair| pair[0] == pair[1]);
        let discounts = match (self.has_discounts, is_uniform) {
            (false, _) => 1.0,
            (true, true) => 2.0,
            (true, false) => 2_f64.powi(discounted.len() as i32),
        };
        let sets = combinations(all, count) * discounts;
        sets * self.unit as f64 / (spread + self.unit) as f64
    }
}

fn combinations(all: usize, count: usize) -> f64 {
    (0..count).fold(1.0, |ways, n| ways * (all - n) as f64 / (n + 1) as f64)
}

fn divisor(mut one: i128, mut other: i128) -> i128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one.abs()
}

/// All amounts, ascending, with whose they are.
fn values(members: &[Ways]) -> Vec<(Amount, usize, usize)> {
    let mut values: Vec<(Amount, usize, usize)> = Vec::with_capacity(members.len() * 2);
    for (place, ways) in members.iter().enumerate() {
        values.extend(ways.iter().enumerate().map(|(way, &it)| (it, place, way)));
    }
    values.sort_unstable();
    values
}

/// Two members from the place `from` on that have the amount together, some [`SETS_MAX`] at least.
fn pairs(values: &[(Amount, usize, usize)], from: usize, target: Amount) -> Vec<Picks> {
    let mut found = Vec::new();
    let (mut low, mut high) = (0, values.len());
    while low < high && found.len() < 2 * SETS_MAX {
        let (amount, place, way) = values[low];
        let rest = target - amount;
        // What is above is too much for this amount, and for every larger one.
        while high > low && values[high - 1].0 > rest {
            high -= 1;
        }
        let partners = values[..high].iter().rev().take_while(|it| it.0 == rest);
        for &(_, other, other_way) in partners {
            if place != other && place.min(other) >= from {
                let mut pair = vec![(place, way), (other, other_way)];
                pair.sort_unstable();
                found.push(pair);
            }
        }
        low += 1;
    }
    found
}

/// Three members that have the amount, at most some [`SETS_MAX`].
fn triples(members: &[Ways], target: Amount) -> Vec<Picks> {
    let values = values(members);
    let mut found = Vec::new();
    for (place, ways) in members.iter().enumerate() {
        for (way, &amount) in ways.iter().enumerate() {
            let others = pairs(&values, place + 1, target - amount);
            found.extend(others.into_iter().map(|mut picks| {
                picks.insert(0, (place, way));
                picks
            }));
            if found.len() >= SETS_MAX {
                return found;
            }
        }
    }
    found
}
