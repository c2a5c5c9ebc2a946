//! The reading of a payment whose remittance gives an amount for each document.

use tieout_core::{Amount, Application, Feature, ItemIx, Reason, Rule};

use crate::cited::{Cited, damaged, meant};
use crate::decide::View;
use crate::family::Family;
use crate::named::{judge_owners, note_weakest};
use crate::payer::Payer;
use crate::payment::{Line, Payment};
use crate::reading::{Reading, Reads};
use crate::score::weight;
use crate::settle::{Settled, Stated, settle};

/// One line with the item that it pays.
struct Paid<'a> {
    cited: Cited<'a>,
    settled: Settled,
    /// The line has no minus sign, and its item is a credit.
    is_credit_unsigned: bool,
}

/// What the lines say.
pub fn read(view: &View, payment: &Payment, payer: &Payer, reads: &mut Reads) -> Option<Reading> {
    let mut paid: Vec<Paid> = Vec::with_capacity(payment.lines.len());
    let mut problem = None;
    let mut on_account = Amount::ZERO;
    for line in &payment.lines {
        let net = line.net.unwrap_or(Amount::ZERO);
        if line.document.is_empty() {
            on_account += net;
            continue;
        }
        match pay(view, payment, payer, line, reads) {
            Ok(found) => paid.push(found),
            Err(reason) => {
                problem = Some(problem.map_or(reason, |known: Reason| known.min(reason)));
            }
        }
    }
    if paid.is_empty() {
        return None;
    }
    let items: Vec<ItemIx> = paid.iter().map(|part| part.cited.item).collect();
    let mut reading = Reading::new(Rule::RemittanceLines, view.items.party(items[0]));
    judge_owners(view, payer, &items, &mut reading);
    note_lines(view, &paid, &mut reading);
    reading.parts = combine(view, &paid, &mut reading);
    if let Some(reason) = problem {
        reading.hold(reason);
    }
    check_sum(view, payment, &paid, on_account, &mut reading);
    Some(reading)
}

fn note_lines(view: &View, paid: &[Paid], reading: &mut Reading) {
    let weakest = paid.iter().min_by_key(|part| weight(part.cited.feature));
    note_weakest(view, weakest.map(|part| part.cited), reading);
    if let Some(part) = paid.iter().min_by_key(|part| weight(part.settled.feature)) {
        let number = view.items.number(part.cited.item);
        reading.note(part.settled.feature, view.detail(|| number.to_owned()));
    }
}

/// The applications, several lines for one item joined.
fn combine(view: &View, paid: &[Paid], reading: &mut Reading) -> Vec<Application> {
    let mut parts: Vec<Application> = Vec::with_capacity(paid.len());
    for line in paid {
        let part = &line.settled.application;
        if line.settled.over.is_positive() {
            reading.because(Reason::OverPayment);
        } else if part.total() != view.items.open(part.item) {
            reading.because(Reason::ShortPayment);
        }
        match parts.iter_mut().find(|known| known.item == part.item) {
            None => parts.push(part.clone()),
            // Each line was held against all that is open; together they may exceed it.
            Some(known) => {
                known.applied += part.applied;
                known.discount += part.discount;
                known.write_off += part.write_off;
                known.deduction += part.deduction;
            }
        }
    }
    parts
}

/// The lines must add up to the payment.
fn check_sum(
    view: &View,
    payment: &Payment,
    paid: &[Paid],
    on_account: Amount,
    reading: &mut Reading,
) {
    let lines: Amount = payment.lines.iter().filter_map(|line| line.net).sum();
    let applied: Amount = reading.parts.iter().map(|part| part.applied).sum();
    // Credits may be listed without their minus sign; what is applied then tells, and not the lines.
    let signs_hold = paid.iter().all(|part| !part.is_credit_unsigned);
    let ties = lines == payment.amount && signs_hold || applied + on_account == payment.amount;
    if !ties || applied > payment.amount {
        reading.hold(Reason::RemittanceDoesNotTie);
    }
    if !crate::decide::fits_open(view.items, &reading.parts) {
        reading.hold(Reason::RemittanceDoesNotTie);
        reading.parts.clear();
    }
}

/// The item that a line pays, and how.
fn pay<'a>(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    line: &Line<'a>,
    reads: &mut Reads,
) -> Result<Paid<'a>, Reason> {
    let meant = meant(view, payment, payer, line.document);
    reads.items.extend(meant.items.iter().map(|item| item.0));
    let feature = meant.feature.unwrap_or(Feature::ReferenceOneEdit);
    let mut found: Vec<Paid> = meant
        .items
        .iter()
        .filter_map(|&item| paid_with(view, payment, line, item, feature))
        .collect();
    if found.len() > 1 {
        found.retain(|part| part.settled.closes_exactly());
        if found.len() != 1 {
            return Err(Reason::AmbiguousItems);
        }
    }
    let plain = found.pop();
    if plain.is_none() && is_paid(view, line, &meant.items) {
        return Err(Reason::ItemsAlreadyPaid);
    }
    if plain.as_ref().is_some_and(|part| is_plain(view, part)) {
        return plain.ok_or(Reason::ReferenceNotFound);
    }
    match repaired(view, payment, payer, line, reads)? {
        Some(part) => Ok(part),
        None => plain.ok_or(if meant.items.is_empty() {
            Reason::ReferenceNotFound
        } else {
            Reason::ItemsAlreadyPaid
        }),
    }
}

/// Whether the line names a closed item by its full amount: paid before, not misread.
fn is_paid(view: &View, line: &Line, items: &[ItemIx]) -> bool {
    let net = line.net.unwrap_or(Amount::ZERO);
    let gross = net + line.discount + line.adjustment;
    items.iter().any(|&item| {
        !view.items.is_open(item)
            && (view.items.was_open_for(item, net) || view.items.was_open_for(item, gross))
    })
}

/// Whether the line's amount leaves no doubt that its number was read right.
fn is_plain(view: &View, part: &Paid) -> bool {
    part.settled.closes_exactly()
        || part.settled.feature == Feature::AmountWithinTolerance
        || view.items.open(part.cited.item).is_negative() && !part.is_credit_unsigned
}

fn paid_with<'a>(
    view: &View,
    payment: &Payment,
    line: &Line<'a>,
    item: ItemIx,
    feature: Feature,
) -> Option<Paid<'a>> {
    let stated = Stated {
        net: line.net?,
        discount: line.discount,
        deduction: line.adjustment,
        reason: line.reason,
    };
    let policy = view.policy_of(view.items.party(item));
    let settled = settle(view.items, policy, item, stated, payment.date)?;
    let cited = Cited {
        reference: line.document,
        item,
        feature,
    };
    Some(Paid {
        cited,
        settled,
        is_credit_unsigned: stated.net.is_positive() && view.items.open(item).is_negative(),
    })
}

/// The item of the payer's family that has the line's amount and nearly its number.
fn repaired<'a>(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    line: &Line<'a>,
    reads: &mut Reads,
) -> Result<Option<Paid<'a>>, Reason> {
    let (Some(party), Some(net)) = (payer.party, line.net) else {
        return Ok(None);
    };
    let gross = net + line.discount + line.adjustment;
    let mut near: Vec<Paid> = Family::of(view, party, reads)
        .with_amount(view, payment, gross)
        .into_iter()
        .filter_map(|item| {
            let feature = damaged(view.items, line.document, item)?;
            paid_with(view, payment, line, item, feature)
        })
        .collect();
    match near.len() {
        0 => Ok(None),
        1 => Ok(near.pop()),
        _ => Err(Reason::AmbiguousItems),
    }
}
