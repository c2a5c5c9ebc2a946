//! Adyen's notifications: a word about each step of a payment, as Adyen sends it to a merchant's
//! server. None of them settles; the settlement detail report does.

use tieout_core::QuarantineReason;

use super::calendar::{self, Order};
use super::figure::Figure;
use super::objects::{Object, Outcome};
use super::profile::Profile;
use super::settlement::{Refusal, Settlement, Word};

/// Takes one notification.
pub(super) fn take(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
) -> Outcome {
    let inner = object.at(&["NotificationRequestItem"]);
    let item = inner.map_or(object, |inner| object.with(inner));
    let event = item.text(&["eventCode"]);
    if event.is_empty() {
        let message = "the object has no `eventCode`; it is no notification of Adyen";
        return Ok(Err(Refusal::new(QuarantineReason::BadStructure, message)));
    }
    let currency = item.currency(&["amount", "currency"]).ok();
    let amount = currency.and_then(|currency| {
        let amount = item.minor(&["amount", "value"], profile.exponent(currency));
        amount.ok().flatten()
    });
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
        date: calendar::date(item.text(&["eventDate"]), Order::DayMonth).ok(),
        currency,
        amount: amount.map(Figure::to_amount),
        ..Word::default()
    };
    settlement.word(&word, object.line).map(Ok)
}
