//! Adyen's notifications: a word about each step of a payment, as Adyen sends it to a merchant's
//! server. None of them settles; the settlement detail report does.

use tieout_core::QuarantineReason;

use super::calendar::Order;
use super::figure::Figure;
use super::objects::Object;
use super::profile::Profile;
use super::row::date;
use super::settlement::{Refusal, Settlement, Taken, Word};

/// Takes one notification.
pub(super) fn take(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
) -> Taken {
    let inner = object.at(&["NotificationRequestItem"]);
    let item = inner.map_or(object, |inner| object.with(inner));
    let event = item.text(&["eventCode"]);
    if event.is_empty() {
        let message = "the object has no `eventCode`; it is no notification of Adyen";
        return Err(Refusal::new(QuarantineReason::BadStructure, message).into());
    }
    let currency = item.currency(&["amount", "currency"]).ok();
    let amount = match currency {
        Some(currency) => item.minor(&["amount", "value"], profile.exponent(currency))?,
        None => None,
    };
    let original = item.text(&["originalReference"]);
    let reason = item.text(&["reason"]);
    let parts = [original, reason]
        .into_iter()
        .filter(|part| !matches!(*part, "" | "null"));
    let information = parts.collect::<Vec<_>>().join("; ");
    let is_failed = item.text(&["success"]) == "false";
    let word = Word {
        report: &profile.report,
        processor_reference: item.text(&["pspReference"]),
        merchant_reference: item.text(&["merchantReference"]),
        status: event,
        reason: if is_failed { "failed" } else { "" },
        information: &information,
        date: date(item.text(&["eventDate"]), Order::DayMonth)?,
        currency,
        amount: amount.map(Figure::to_amount),
        ..Word::default()
    };
    Ok(settlement.word(&word, object.line)?)
}
