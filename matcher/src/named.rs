//! Readings of a payment that names documents, without an amount for each.

use smallvec::{SmallVec, smallvec};
use tieout_core::{Amount, Application, Feature, ItemIx, Reason, Rule};

use crate::cited::{Citations, Cited, damaged};
use crate::decide::View;
use crate::family::Family;
use crate::payer::Payer;
use crate::payment::Payment;
use crate::reading::{Reading, Reads};
use crate::settle::application;
use crate::subset::{Ways, subsets};

/// References of one payment that are suspected of damage.
const SUSPECTS_MAX: usize = 64;
/// Items that may be what the rest of a payment is for.
const RESTS_MAX: usize = 5;

/// The readings that follow from what is named, the plain one first.
pub fn read(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    citations: &Citations,
    reads: &mut Reads,
) -> Vec<Reading> {
    let mut readings = Vec::new();
    if citations.open.is_empty() && citations.missing.is_empty() {
        return readings;
    }
    if !citations.open.is_empty() && citations.several.is_empty() {
        readings.push(as_named(view, payment, payer, citations, reads));
    }
    let fits = readings.iter().any(|reading| {
        let closes = |part: &tieout_core::Evidence| {
            matches!(
                part.feature,
                Feature::AmountExact | Feature::AmountNetOfDiscount | Feature::CreditNetted
            )
        };
        reading.evidence.iter().any(closes)
    });
    if !fits {
        let repaired = repaired(view, payment, payer, citations, reads);
        if repaired.is_empty()
            && let Some(named) = readings.first()
        {
            let with = with_rest(view, payment, payer, citations, named, reads);
            readings.extend(with);
        }
        readings.extend(repaired);
    }
    readings
}

/// The earlier payment of the items that this one names, if it names nothing else.
pub fn already_paid(
    view: &View,
    payment: &Payment,
    citations: &Citations,
) -> Option<(ItemIx, u32)> {
    let [first, others @ ..] = citations.closed.as_slice() else {
        return None;
    };
    if !citations.open.is_empty() || !citations.several.is_empty() {
        return None;
    }
    let earlier = view.items.paid_by(first.item)?;
    let same_payment = others
        .iter()
        .all(|other| view.items.paid_by(other.item) == Some(earlier));
    // A single number may be misread into one that is paid: the amount has to agree too.
    let same_amount = !others.is_empty() || view.items.was_open_for(first.item, payment.amount);
    (same_payment && same_amount).then_some((first.item, earlier))
}

/// Everything named, and what the amount makes of it.
fn as_named(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    citations: &Citations,
    reads: &mut Reads,
) -> Reading {
    let items: SmallVec<[ItemIx; 8]> = citations.open.iter().map(|cited| cited.item).collect();
    let mut reading = Reading::new(Rule::References, view.items.party(items[0]));
    judge_owners(view, payer, &items, &mut reading);
    note_weakest(view, citations.weakest(), &mut reading);
    if let Some(missing) = citations.missing.first() {
        reading.note(
            Feature::ReferenceMissing,
            view.detail(|| (*missing).to_owned()),
        );
    }
    let open: Amount = items.iter().map(|&item| view.items.open(item)).sum();
    let short = open - payment.amount;
    if short.is_zero() {
        reading.parts = in_full(view, &items);
        reading.note(Feature::AmountExact, "");
    } else if short.is_negative() {
        over(view, payment, payer, citations, &items, &mut reading, reads);
    } else {
        less(view, payment, payer, &items, short, &mut reading, reads);
    }
    reading
}

/// Where more was paid than what is `named` and a person has to decide: what is named, and each other
/// item that has the rest, whose number was left out or damaged beyond reading. Never applied.
fn with_rest(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    citations: &Citations,
    named: &Reading,
    reads: &mut Reads,
) -> Vec<Reading> {
    let mut items: SmallVec<[ItemIx; 8]> = citations.open.iter().map(|cited| cited.item).collect();
    let open: Amount = items.iter().map(|&item| view.items.open(item)).sum();
    let rest = payment.amount - open;
    let party = payer.party.or_else(|| view.items.party(items[0]));
    let (Some(party), Some(reason)) = (party, named.reason) else {
        return Vec::new();
    };
    if named.may_apply || !rest.is_positive() {
        return Vec::new();
    }
    let mut others = Family::of(view, party, reads).with_amount(view, payment, rest);
    others.retain(|other| !items.contains(other));
    let with = others.into_iter().take(RESTS_MAX).map(|other| {
        items.push(other);
        let mut reading = Reading::new(Rule::PartialReference, view.items.party(items[0]));
        reading.parts = in_full(view, &items);
        judge_owners(view, payer, &items, &mut reading);
        items.pop();
        note_weakest(view, citations.weakest(), &mut reading);
        reading.note(Feature::AmountExact, "");
        reading.note(Feature::OtherReading, "");
        reading.hold(reason);
        reading
    });
    with.collect()
}

/// What is paid for each item if all are paid in full.
fn in_full(view: &View, items: &[ItemIx]) -> Vec<Application> {
    items
        .iter()
        .map(|&item| application(item, view.items.open(item)))
        .collect()
}

/// Notes the reference that agrees least; a chain of evidence is as strong as that.
pub fn note_weakest(view: &View, weakest: Option<Cited>, reading: &mut Reading) {
    if let Some(cited) = weakest {
        let number = view.items.number(cited.item);
        reading.note(
            cited.feature,
            view.detail(|| format!("{} ~ {number}", cited.reference)),
        );
    }
}

/// Judges the payer against every owner of the items; unrelated owners are for a person.
pub fn judge_owners(view: &View, payer: &Payer, items: &[ItemIx], reading: &mut Reading) {
    let mut owners: SmallVec<[u32; 4]> = SmallVec::new();
    for &item in items {
        match view.items.party(item) {
            Some(owner) if owners.contains(&owner) => {}
            Some(owner) => owners.push(owner),
            None => reading.hold(Reason::CustomerConflict),
        }
    }
    let Some(&first) = owners.first() else { return };
    if owners
        .iter()
        .any(|&owner| !view.parties.related(first, owner))
    {
        reading.hold(Reason::CustomerConflict);
    }
    // One owner is judged: relatives of the payer weigh the same, and others are held anyway.
    let farthest = owners
        .iter()
        .copied()
        .find(|&owner| payer.party.is_some_and(|party| party != owner))
        .unwrap_or(first);
    payer.judge(view, farthest, reading);
}

/// The payment is `short` of what is open: discounts, a small difference, a credit, a part.
fn less(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    items: &[ItemIx],
    short: Amount,
    reading: &mut Reading,
    reads: &mut Reads,
) {
    reading.parts = in_full(view, items);
    if take_discounts(view, payment, items, short, reading)
        || write_off(view, payment, items, short, reading)
        || net_credit(view, payment, payer, items, short, reading, reads)
    {
        return;
    }
    reading.rule = Rule::ReferenceRemainder;
    reading.note(
        Feature::AmountPartial,
        view.detail(|| format!("{short} short")),
    );
    if items.len() > 1 || view.items.open(items[0]).is_negative() {
        reading.hold(Reason::ShortPayment);
        reading.parts.clear();
        return;
    }
    reading.because(Reason::ShortPayment);
    reading.parts[0].applied = payment.amount;
    hold_if_another_has(view, payment, payer, items, payment.amount, reading, reads);
}

fn take_discounts(
    view: &View,
    payment: &Payment,
    items: &[ItemIx],
    short: Amount,
    reading: &mut Reading,
) -> bool {
    let earned: Vec<(usize, Amount)> = earned_discounts(view, payment, items);
    let total: Amount = earned.iter().map(|&(_, amount)| amount).sum();
    let taken: Vec<usize> = if total == short {
        (0..earned.len()).collect()
    } else {
        let amounts: Vec<Ways> = earned.iter().map(|&(_, it)| smallvec![it]).collect();
        let Some(picks) = subsets(&amounts, short).only() else {
            return false;
        };
        picks.into_iter().map(|(place, _)| place).collect()
    };
    for place in taken {
        let (item, discount) = earned[place];
        reading.parts[item].applied -= discount;
        reading.parts[item].discount = discount;
    }
    reading.note(
        Feature::AmountNetOfDiscount,
        view.detail(|| format!("discount {short}")),
    );
    true
}

fn earned_discounts(view: &View, payment: &Payment, items: &[ItemIx]) -> Vec<(usize, Amount)> {
    items
        .iter()
        .enumerate()
        .filter_map(|(place, &item)| {
            let grace = view.policy_of(view.items.party(item)).discount_grace_days;
            Some((place, view.items.discount_on(item, payment.date, grace)?))
        })
        .collect()
}

/// A difference within tolerance, before or after the discounts; it falls on the last item.
fn write_off(
    view: &View,
    payment: &Payment,
    items: &[ItemIx],
    short: Amount,
    reading: &mut Reading,
) -> bool {
    let Some(last) = items
        .iter()
        .rposition(|&item| view.items.open(item).is_positive())
    else {
        return false;
    };
    let open = view.items.open(items[last]);
    let earned = earned_discounts(view, payment, items);
    let total: Amount = earned.iter().map(|&(_, amount)| amount).sum();
    let after_discounts = short - total;
    let policy = view.policy_of(view.items.party(items[last]));
    let (residue, discounts) = if policy.within_tolerance(short, open) {
        (short, &earned[..0])
    } else if after_discounts.is_positive() && policy.within_tolerance(after_discounts, open) {
        (after_discounts, &earned[..])
    } else {
        return false;
    };
    for &(item, discount) in discounts {
        reading.parts[item].applied -= discount;
        reading.parts[item].discount = discount;
    }
    reading.parts[last].applied -= residue;
    reading.parts[last].write_off = residue;
    reading.note(
        Feature::AmountWithinTolerance,
        view.detail(|| format!("{residue} short")),
    );
    true
}

/// The one open credit of the family that explains the difference.
fn net_credit(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    items: &[ItemIx],
    short: Amount,
    reading: &mut Reading,
    reads: &mut Reads,
) -> bool {
    let Some(party) = payer.party.or_else(|| view.items.party(items[0])) else {
        return false;
    };
    let mut credits = Family::of(view, party, reads).with_amount(view, payment, -short);
    credits.retain(|credit| !items.contains(credit));
    let [credit] = credits.as_slice() else {
        if credits.len() > 1 {
            reading.hold(Reason::AmbiguousItems);
        }
        return false;
    };
    reading.rule = Rule::ReferencesWithCredit;
    reading.parts.push(application(*credit, -short));
    let number = view.items.number(*credit);
    reading.note(Feature::CreditNetted, view.detail(|| number.to_owned()));
    true
}

/// The payment is more than what is open: the rest goes on account, unless something speaks
/// for another document.
fn over(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    citations: &Citations,
    items: &[ItemIx],
    reading: &mut Reading,
    reads: &mut Reads,
) {
    let open: Amount = items.iter().map(|&item| view.items.open(item)).sum();
    let rest = payment.amount - open;
    reading.rule = Rule::ReferenceRemainder;
    reading.parts = in_full(view, items);
    reading.because(Reason::OverPayment);
    reading.note(Feature::AmountOver, view.detail(|| format!("{rest} over")));
    if !citations.missing.is_empty() || !citations.closed.is_empty() {
        reading.hold(Reason::ReferenceNotFound);
    }
    hold_if_another_has(view, payment, payer, items, rest, reading, reads);
    if items.len() == 1 {
        hold_if_another_has(view, payment, payer, items, payment.amount, reading, reads);
    }
}

/// Leaves it to a person where another item of the family is open for exactly `amount`.
fn hold_if_another_has(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    items: &[ItemIx],
    amount: Amount,
    reading: &mut Reading,
    reads: &mut Reads,
) {
    let Some(party) = payer.party.or_else(|| view.items.party(items[0])) else {
        return;
    };
    let others = Family::of(view, party, reads).with_amount(view, payment, amount);
    if others.iter().any(|other| !items.contains(other)) {
        reading.hold(Reason::AmbiguousItems);
    }
}

/// One reference is damaged: the item that the others leave the amount of, and whose number is
/// near what was written.
fn repaired(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    citations: &Citations,
    reads: &mut Reads,
) -> Vec<Reading> {
    let first_owner = citations
        .open
        .first()
        .and_then(|cited| view.items.party(cited.item));
    let Some(party) = payer.party.or(first_owner) else {
        return Vec::new();
    };
    let family = Family::of(view, party, reads);
    let open: Amount = citations
        .open
        .iter()
        .map(|cited| view.items.open(cited.item))
        .sum();
    let missing = citations.missing.iter().map(|&reference| (reference, None));
    let misread = citations
        .open
        .iter()
        .map(|cited| (cited.reference, Some(cited.item)));
    let several = citations
        .several
        .iter()
        .map(|&(reference, _)| (reference, None));
    let mut readings: Vec<Reading> = Vec::new();
    for (reference, instead_of) in missing.chain(misread).chain(several).take(SUSPECTS_MAX) {
        let others = open - instead_of.map_or(Amount::ZERO, |item| view.items.open(item));
        for item in family.with_amount(view, payment, payment.amount - others) {
            let named_twice = citations.open.iter().any(|cited| cited.item == item);
            if named_twice {
                continue;
            }
            if let Some(feature) = damaged(view.items, reference, item) {
                let found = Cited {
                    reference,
                    item,
                    feature,
                };
                readings.push(with_repair(view, payer, citations, instead_of, found));
            }
        }
    }
    readings
}

fn with_repair(
    view: &View,
    payer: &Payer,
    citations: &Citations,
    instead_of: Option<ItemIx>,
    found: Cited,
) -> Reading {
    let mut items: SmallVec<[ItemIx; 8]> = citations
        .open
        .iter()
        .map(|cited| cited.item)
        .filter(|&item| Some(item) != instead_of)
        .collect();
    items.push(found.item);
    let mut reading = Reading::new(Rule::PartialReference, view.items.party(found.item));
    reading.parts = in_full(view, &items);
    judge_owners(view, payer, &items, &mut reading);
    note_weakest(view, Some(found), &mut reading);
    reading.note(Feature::AmountExact, "");
    reading
}
