//! Decisions about lines that take nothing from any item: out of scope, presented again, paid before.

use tieout_core::{
    Decision, DecisionBuilder, Evidence, Feature, ItemIx, Reason, Rule, Status, Unbalanced,
};

use super::{Scope, View};
use crate::payment::Payment;
use crate::recipe::Action;

/// The line is no customer's single payment.
pub fn out_of_scope(view: &View, payment: &Payment, scope: Scope) -> Result<Decision, Unbalanced> {
    let mut parts = DecisionBuilder::new(payment.amount);
    parts.unapplied(payment.amount);
    parts.score = 1.0;
    parts.margin = 1.0;
    parts.evidence.push(Evidence {
        feature: Feature::LineKind,
        weight: 0,
        detail: view.detail(|| format!("type code {}", payment.type_code)),
    });
    view.note_rule(&mut parts.evidence);
    let (reason, status) = match scope {
        Scope::Out(reason) => (reason, Status::OutOfScope),
        Scope::DetailMissing => (Reason::LockboxDetailMissing, Status::Unidentified),
    };
    parts.reason = Some(reason);
    let by_rule = matches!(view.treatment.action(view.recipe), Action::LeaveOut(_));
    parts.build(status, if by_rule { Rule::Recipe } else { Rule::Scope })
}

/// The payment is an earlier one that is presented again.
pub fn resubmitted(view: &View, payment: &Payment, earlier: u32) -> Result<Decision, Unbalanced> {
    let payer = payment
        .payer_account
        .and_then(|account| view.parties.by_account(account));
    let detail = format!(
        "account {} cheque {} amount {} {}",
        payment.payer_account.unwrap_or_default(),
        payment.check_number.unwrap_or_default(),
        payment.amount,
        payment.currency
    );
    duplicate(payment, earlier, payer, Reason::ResubmittedPayment, detail)
}

/// An earlier payment has paid what this one names.
pub fn already_paid(
    view: &View,
    payment: &Payment,
    (item, earlier): (ItemIx, u32),
) -> Result<Decision, Unbalanced> {
    let owner = view.items.party(item);
    let detail = format!("{} was paid before", view.items.number(item));
    duplicate(payment, earlier, owner, Reason::ItemsAlreadyPaid, detail)
}

/// All of the payment is held, because an earlier one has done what it would do.
fn duplicate(
    payment: &Payment,
    earlier: u32,
    party: Option<u32>,
    reason: Reason,
    detail: String,
) -> Result<Decision, Unbalanced> {
    let mut parts = DecisionBuilder::new(payment.amount);
    parts.unapplied(payment.amount);
    parts.party = party;
    parts.reason = Some(reason);
    parts.duplicate_of = Some(earlier);
    parts.score = 1.0;
    parts.margin = 1.0;
    parts.evidence.push(Evidence {
        feature: Feature::EarlierPayment,
        weight: 0,
        detail: detail.into(),
    });
    parts.build(Status::Duplicate, Rule::Duplicate)
}
