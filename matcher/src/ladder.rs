//! Readings of a payment that names no document: by amount alone, and only where one fits.

mod several;

use smallvec::SmallVec;
use tieout_core::{Alternative, Amount, Application, Feature, ItemIx, Reason, Rule};

use crate::decide::{ALTERNATIVES_MAX, View};
use crate::family::{Family, OpenItem};
use crate::payer::Payer;
use crate::payment::Payment;
use crate::reading::{Reading, Reads, distinct};
use crate::settle::application;
use several::Beside;

/// Open items of a family up to which an amount alone can decide; among more, some pair of
/// items has nearly every amount.
const FAMILY_ITEMS_MAX: usize = 300;
/// Items of a customer that are ranked as candidates for a person.
const RANKED_MAX: usize = 2_000;

/// One set of items that has the amount.
#[derive(Clone)]
struct Set {
    rule: Rule,
    feature: Feature,
    parts: Vec<Application>,
    /// A discount would have to be granted after its date.
    late: bool,
    /// What is taken from the agreement for what chance does, in hundredths of a bit.
    by_chance: i32,
}

impl Set {
    fn new(rule: Rule, feature: Feature, parts: Vec<Application>) -> Self {
        Self {
            rule,
            feature,
            parts,
            late: false,
            by_chance: 0,
        }
    }

    fn is_total(&self) -> bool {
        matches!(self.rule, Rule::ClearAccount | Rule::ClearPastDue)
    }

    /// Whether an item that is not in the set, in full or net of its discount, has the amount of one
    /// that is.
    fn may_be_swapped(&self, items: &[OpenItem]) -> bool {
        let has = |amount: Amount| self.parts.iter().any(|part| part.applied == amount);
        let others = items
            .iter()
            .filter(|open| self.parts.iter().all(|part| part.item != open.item));
        others.into_iter().any(|open| {
            let net = open.discount.map(|discount| open.open - discount);
            has(open.open) || net.is_some_and(has)
        })
    }

    fn items(&self) -> Vec<ItemIx> {
        let mut items: Vec<_> = self.parts.iter().map(|part| part.item).collect();
        items.sort_unstable();
        items
    }
}

/// The readings by amount.
///
/// # Errors
/// The reason why there is none.
pub fn read(
    view: &View,
    payment: &Payment,
    payer: &mut Payer,
    reads: &mut Reads,
) -> Result<Vec<Reading>, Reason> {
    let party = payer.by_name(view)?;
    payer.assume(party);
    let family = Family::of(view, party, reads);
    if view.policy().ladder.is_by_index() {
        return by_index(view, payment, payer, &family);
    }
    let Some(items) = family.open_items(view, payment, FAMILY_ITEMS_MAX) else {
        return among_many(view, payment, payer, &family);
    };
    if items.is_empty() {
        return Err(Reason::NoOpenItems);
    }
    let mut sets = groups(view, payment, &family);
    sets.extend(singles(payment, &items));
    for scope in scopes(&items) {
        totals(payment, &scope, &mut sets);
    }
    distinct(&mut sets, Set::items);
    let plain = sets.len();
    let mut rivals = Rivals::among(&sets);
    let others = match sets.as_slice() {
        [] => Beside::Nothing,
        sets if sets.iter().all(Set::is_total) => Beside::Totals,
        _ => Beside::Items,
    };
    let several = several::beside(view, payment, &items, others);
    if sets
        .iter()
        .any(|set| set.is_total() && set.may_be_swapped(&items))
    {
        rivals = Rivals::Others;
    }
    if plain > 0 {
        // What is one with a plain set does not stand against it.
        sets.extend(several.sets);
        distinct(&mut sets, Set::items);
        if sets.len() > plain {
            rivals = Rivals::Others;
        }
    } else {
        rivals = if several.is_counted {
            Rivals::among(&several.sets)
        } else {
            Rivals::Others
        };
        sets = likely(view, payer, several.sets);
    }
    if sets.is_empty() {
        return Err(Reason::NoReadingFits);
    }
    let readings = sets
        .into_iter()
        .map(|set| reading(view, payer, set, rivals));
    Ok(readings.collect())
}

/// The sets, where one of them is more likely than not; an unlikely one only as what stands against
/// the others.
fn likely(view: &View, payer: &Payer, sets: Vec<Set>) -> Vec<Set> {
    let is_likely = |set: &Set| {
        let mut reading = reading(view, payer, set.clone(), Rivals::Readings);
        view.recipe.weights().weigh(&mut reading);
        reading.weight() > 0
    };
    if sets.iter().any(is_likely) {
        sets
    } else {
        Vec::new()
    }
}

/// The readings that [`read`] has `kept` of the payment, while nothing else is open than then.
///
/// # Errors
/// The reason why there is none.
pub fn again(
    view: &View,
    payer: &mut Payer,
    kept: &[Reading],
    reads: &mut Reads,
) -> Result<Vec<Reading>, Reason> {
    let party = payer.by_name(view)?;
    payer.assume(party);
    reads.families.push(view.parties.root(party));
    Ok(kept.to_vec())
}

/// What else has the amount.
#[derive(Clone, Copy)]
enum Rivals {
    /// Nothing.
    None,
    /// The other readings.
    Readings,
    /// Something that is no reading.
    Others,
}

impl Rivals {
    fn among(sets: &[Set]) -> Self {
        if sets.len() == 1 {
            Self::None
        } else {
            Self::Readings
        }
    }
}

fn reading(view: &View, payer: &Payer, set: Set, rivals: Rivals) -> Reading {
    let owner = set
        .parts
        .first()
        .and_then(|part| view.items.party(part.item));
    let mut reading = Reading::new(set.rule, owner);
    if let Some(owner) = owner {
        payer.judge(view, owner, &mut reading);
    }
    reading.note(set.feature, "");
    if set.rule == Rule::Subset {
        let detail = view.detail(|| format!("{} items", set.parts.len()));
        reading.note_weighted(Feature::SeveralItems, set.by_chance, detail);
    }
    match rivals {
        Rivals::None => reading.note(Feature::OnlyReading, ""),
        // Payments that need the others may leave this one.
        Rivals::Readings => reading.is_rivalled = true,
        Rivals::Others => {
            reading.note(Feature::OtherReading, "");
            reading.hold(Reason::AmbiguousItems);
        }
    }
    let wanted = view.policy_of(owner).ladder;
    let allowed = match set.rule {
        Rule::Group => wanted.group,
        Rule::ClearAccount => wanted.clear_account,
        Rule::ClearPastDue => wanted.clear_past_due,
        Rule::Subset => wanted.subset,
        _ => wanted.single_item,
    };
    if set.late || !allowed {
        reading.hold(Reason::BelowThreshold);
    }
    reading.parts = set.parts;
    reading
}

/// Items and groups that an index of amounts leads to, however many the family has.
fn by_index(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    family: &Family,
) -> Result<Vec<Reading>, Reason> {
    let mut sets = groups(view, payment, family);
    if view.policy().ladder.single_item {
        let items = family.with_amount(view, payment, payment.amount);
        let near = items
            .into_iter()
            .filter(|&item| view.policy().is_near(view.items.issued(item), payment.date));
        sets.extend(near.map(|item| single(item, payment.amount, Amount::ZERO, false)));
    }
    distinct(&mut sets, Set::items);
    let first = sets.first().and_then(|set| set.parts.first());
    let Some(first) = first.map(|part| part.item) else {
        return Err(Reason::NoReadingFits);
    };
    // Another payment of the same amount may be the one that the item is for.
    let rivals = if view.rivals.compete(view, payment, first) {
        Rivals::Others
    } else {
        Rivals::among(&sets)
    };
    let readings = sets
        .into_iter()
        .map(|set| reading(view, payer, set, rivals));
    Ok(readings.collect())
}

/// What is open on one order or payout, where that is the amount.
fn groups(view: &View, payment: &Payment, family: &Family) -> Vec<Set> {
    if !view.policy().ladder.group {
        return Vec::new();
    }
    let is_near = |items: &Vec<ItemIx>| {
        let mut issued = items.iter().map(|&item| view.items.issued(item));
        issued.any(|day| view.policy().is_near(day, payment.date))
    };
    family
        .groups_with_amount(view, payment)
        .into_iter()
        .filter(is_near)
        .map(|items| {
            let in_full = |item| application(item, view.items.open(item));
            let parts = items.into_iter().map(in_full).collect();
            Set::new(Rule::Group, Feature::AmountExact, parts)
        })
        .collect()
}

/// Of a family with very many items, those with the amount, for a person.
fn among_many(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    family: &Family,
) -> Result<Vec<Reading>, Reason> {
    let readings: Vec<Reading> = family
        .with_amount(view, payment, payment.amount)
        .into_iter()
        .map(|item| {
            let set = single(item, payment.amount, Amount::ZERO, false);
            reading(view, payer, set, Rivals::Others)
        })
        .collect();
    if readings.is_empty() {
        Err(Reason::NoReadingFits)
    } else {
        Ok(readings)
    }
}

fn single(item: ItemIx, cash: Amount, discount: Amount, late: bool) -> Set {
    let mut part = application(item, cash);
    part.discount = discount;
    let feature = if discount.is_zero() {
        Feature::AmountExact
    } else {
        Feature::AmountNetOfDiscount
    };
    Set {
        late,
        ..Set::new(Rule::SingleItem, feature, vec![part])
    }
}

fn singles(payment: &Payment, items: &[OpenItem]) -> Vec<Set> {
    let mut sets = Vec::new();
    for open in items {
        if open.open == payment.amount {
            sets.push(single(open.item, open.open, Amount::ZERO, false));
        } else if let Some(discount) = open.discount
            && open.open - discount == payment.amount
        {
            sets.push(single(open.item, payment.amount, discount, !open.is_earned));
        }
    }
    sets
}

/// What may be cleared as a whole: the customer's account, and its family's.
fn scopes(items: &[OpenItem]) -> SmallVec<[Vec<OpenItem>; 2]> {
    let own: Vec<OpenItem> = items.iter().copied().filter(|open| open.is_own).collect();
    let mut scopes = SmallVec::new();
    if own.len() < items.len() {
        scopes.push(items.to_vec());
    }
    scopes.push(own);
    scopes
}

fn totals(payment: &Payment, scope: &[OpenItem], sets: &mut Vec<Set>) {
    let past_due: Vec<OpenItem> = scope
        .iter()
        .copied()
        .filter(|open| open.is_past_due)
        .collect();
    let owed: Vec<OpenItem> = past_due
        .iter()
        .copied()
        .filter(|open| open.open.is_positive())
        .collect();
    for (rule, items) in [
        (Rule::ClearAccount, scope),
        (Rule::ClearPastDue, &past_due),
        (Rule::ClearPastDue, &owed),
    ] {
        if items.len() > 1 {
            sets.extend(total(payment, rule, items));
        }
    }
}

fn total(payment: &Payment, rule: Rule, items: &[OpenItem]) -> Option<Set> {
    let sum: Amount = items.iter().map(|open| open.open).sum();
    let discounts: Amount = items.iter().map(OpenItem::earned).sum();
    let with_discounts = if sum == payment.amount {
        false
    } else if sum - discounts == payment.amount {
        true
    } else {
        return None;
    };
    let parts = items.iter().map(|open| {
        let kept = if with_discounts {
            open.earned()
        } else {
            Amount::ZERO
        };
        let mut part = application(open.item, open.open - kept);
        part.discount = kept;
        part
    });
    let feature = if with_discounts {
        Feature::AmountNetOfDiscount
    } else {
        Feature::AmountExact
    };
    Some(Set::new(rule, feature, parts.collect()))
}

/// Items with the amount whose customers are called nearly as the payer, for a person.
pub fn of_suspects(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    most: usize,
    reads: &mut Reads,
) -> Vec<Alternative> {
    let mut ranked: Vec<Alternative> = Vec::new();
    for &party in &*payer.suspects(view) {
        let items = Family::of(view, party, reads).with_amount(view, payment, payment.amount);
        for item in items {
            if ranked.iter().any(|known| known.items == [item]) {
                continue;
            }
            let owner = view.items.party(item).unwrap_or(party);
            let mut reading = Reading::new(Rule::SingleItem, Some(owner));
            payer.judge(view, owner, &mut reading);
            reading.note(Feature::AmountExact, "");
            reading.note(Feature::OtherReading, "");
            ranked.push(Alternative {
                items: vec![item],
                score: reading.score(),
                why: view.detail(|| {
                    let name = view.parties.name(owner).unwrap_or_default();
                    format!("has the amount, and {name} is nearly the payer's name")
                }),
            });
        }
    }
    // Stable: the customers most alike come first.
    ranked.sort_by(|one, other| other.score.total_cmp(&one.score));
    ranked.truncate(most);
    ranked
}

/// What the payment may be for of what the customer has open, for a person: items and sets of items
/// that have the amount, then the items nearest to it. Where the payment names documents that are not
/// open, sets that chance may have made are none.
pub fn candidates(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    party: u32,
    names_nothing: bool,
    reads: &mut Reads,
) -> Vec<Alternative> {
    let most = ALTERNATIVES_MAX;
    let family = Family::of(view, party, reads);
    let nearest = nearest(view, payment, party, most);
    let exact = nearest.iter().filter(|near| near.0.is_zero()).count();
    let mut ranked: Vec<Alternative> = nearest
        .into_iter()
        .map(|(distance, item)| one_item(view, payment, payer, party, (distance, item)))
        .collect();
    let several = family
        .open_items(view, payment, FAMILY_ITEMS_MAX)
        .map(|items| several::beside(view, payment, &items, Beside::Nothing))
        .unwrap_or_default();
    let sets = if names_nothing {
        several.sets
    } else {
        likely(view, payer, several.sets)
    };
    let sets = sets.into_iter().map(|set| {
        let parts = set.parts.len();
        let mut reading = reading(view, payer, set, Rivals::Others);
        view.recipe.weights().weigh(&mut reading);
        Alternative {
            items: reading.items(),
            score: reading.score(),
            why: view.detail(|| format!("{parts} items that have the amount together")),
        }
    });
    ranked.splice(exact..exact, sets.collect::<Vec<_>>());
    ranked.truncate(most);
    ranked
}

/// The customer's items nearest to the amount, with how far they are from it.
fn nearest(view: &View, payment: &Payment, party: u32, most: usize) -> Vec<(Amount, ItemIx)> {
    let mut ranked: Vec<(Amount, ItemIx)> = view
        .items
        .of_party(party, payment.currency)
        .take(RANKED_MAX)
        .filter(|&item| {
            view.items.open(item).is_positive()
                && view.items.is_settled_by(item, payment.direction())
        })
        .map(|item| ((view.items.open(item) - payment.amount).abs(), item))
        .collect();
    if ranked.len() > most {
        ranked.select_nth_unstable(most);
        ranked.truncate(most);
    }
    ranked.sort_unstable();
    ranked
}

fn one_item(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    party: u32,
    (distance, item): (Amount, ItemIx),
) -> Alternative {
    let mut reading = Reading::new(Rule::SingleItem, Some(party));
    payer.judge(view, party, &mut reading);
    let open = view.items.open(item);
    reading.note(
        match open.cmp(&payment.amount) {
            std::cmp::Ordering::Equal => Feature::AmountExact,
            std::cmp::Ordering::Less => Feature::AmountOver,
            std::cmp::Ordering::Greater => Feature::AmountPartial,
        },
        "",
    );
    reading.note(Feature::OtherReading, "");
    view.recipe.weights().weigh(&mut reading);
    Alternative {
        items: vec![item],
        score: reading.score(),
        why: view.detail(|| format!("open for {open}, {distance} away")),
    }
}
