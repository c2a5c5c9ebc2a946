//! What a stated amount does to one item: paid in full, with discount, short, over.

use tieout_core::{Amount, Application, Date, Feature, ItemIx};

use crate::items::Items;
use crate::recipe::Policy;

/// What is said to be paid for one item.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    pub net: Amount,
    pub discount: Amount,
    pub deduction: Amount,
    pub reason: &'a str,
}

/// The application that follows from what is stated.
#[derive(Clone, Debug)]
pub struct Settled {
    pub application: Application,
    /// How the amounts agree.
    pub feature: Feature,
    /// Cash beyond what was open.
    pub over: Amount,
}

impl Settled {
    /// Whether the item is closed by amounts that agree in full.
    pub fn closes_exactly(&self) -> bool {
        matches!(
            self.feature,
            Feature::AmountExact | Feature::AmountNetOfDiscount | Feature::AmountWithDeduction
        )
    }
}

/// Settles `item` with what is stated, or none where the two cannot meet (a credit that is
/// paid for, an invoice that gives money back, a closed item).
pub fn settle(
    items: &Items,
    policy: &Policy,
    item: ItemIx,
    stated: Stated,
    date: Date,
) -> Option<Settled> {
    let open = items.open(item);
    if open.is_negative() {
        settle_credit(item, open, stated)
    } else if open.is_positive() && !stated.net.is_negative() {
        settle_debit(items, policy, item, stated, date)
    } else {
        None
    }
}

fn settle_credit(item: ItemIx, open: Amount, stated: Stated) -> Option<Settled> {
    // A credit may be listed with or without its minus sign.
    let taken = -stated.net.abs();
    if taken.is_zero() || !stated.deduction.is_zero() || taken < open {
        return None;
    }
    let feature = if taken == open {
        Feature::AmountExact
    } else {
        Feature::AmountPartial
    };
    Some(settled(application(item, taken), feature))
}

fn settle_debit(
    items: &Items,
    policy: &Policy,
    item: ItemIx,
    stated: Stated,
    date: Date,
) -> Option<Settled> {
    let open = items.open(item);
    let earned = items.discount_on(item, date, policy.discount_grace_days);
    let kept_back = stated.discount + stated.deduction;
    let short = open - stated.net;
    let mut part = application(item, stated.net);
    if short.is_zero() {
        return Some(settled(part, Feature::AmountExact));
    }
    if short.is_negative() {
        part.applied = open;
        return Some(Settled {
            application: part,
            feature: Feature::AmountOver,
            over: -short,
        });
    }
    if earned.is_some_and(|earned| earned == short && (kept_back.is_zero() || kept_back == short)) {
        part.discount = short;
        return Some(settled(part, Feature::AmountNetOfDiscount));
    }
    if stated.net.is_zero() && kept_back.is_zero() {
        return None;
    }
    // A discount that is not earned is a short payment, whatever the payer calls it.
    let discount = earned.unwrap_or(Amount::ZERO).min(stated.discount);
    let deduction = stated.deduction;
    if discount + deduction > short {
        return Some(settled(part, Feature::AmountPartial));
    }
    part.discount = discount;
    part.deduction = deduction;
    if deduction.is_positive() && !stated.reason.is_empty() {
        part.deduction_reason = Some(stated.reason.into());
    }
    let residue = short - discount - deduction;
    if residue.is_zero() {
        return Some(settled(part, Feature::AmountWithDeduction));
    }
    if policy.within_tolerance(residue, open) {
        part.write_off = residue;
        return Some(settled(part, Feature::AmountWithinTolerance));
    }
    Some(settled(part, Feature::AmountPartial))
}

fn settled(application: Application, feature: Feature) -> Settled {
    Settled {
        application,
        feature,
        over: Amount::ZERO,
    }
}

pub fn application(item: ItemIx, applied: Amount) -> Application {
    Application {
        item,
        applied,
        discount: Amount::ZERO,
        write_off: Amount::ZERO,
        deduction: Amount::ZERO,
        deduction_reason: None,
    }
}
