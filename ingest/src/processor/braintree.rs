//! Braintree's transactions, refunds and disputes, and the flat records that merchants make of
//! them. Amounts are unsigned text; the kind says which way the money goes. Fees are billed apart.
//!
//! A transaction counts once it is disbursed, a dispute once it is lost: until then each is a word
//! about a payment. A dispute that was won has taken money and given it back.

use serde_json::Value;
use tieout_core::{Currency, QuarantineReason, SettlementType};

use super::calendar::Order;
use super::figure::{Figure, Style};
use super::objects::Object;
use super::profile::{Effect, Meaning, Profile};
use super::remarks::Remark;
use super::row::{bad_amount, date};
use super::settlement::{Figures, Refusal, Settlement, Taken, Word};
use crate::rows::SettlementLine;

/// Keys of the API's answers that hold lists.
pub(super) const PAGES: [&str; 5] = ["data", "search", "transactions", "refunds", "disputes"];

/// Takes one object, which may be the node of a list.
pub(super) fn take(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
) -> Taken {
    let object = object
        .at(&["node"])
        .map_or(object, |node| object.with(node));
    let fact = if object.has("amountDisputed") {
        dispute(object)
    } else if object.has("gross") {
        flat(object)
    } else if object.has("amount") && object.has("id") {
        transaction(object)
    } else {
        let message = "the object is no transaction, refund or dispute; deliver those";
        return Err(Refusal::new(QuarantineReason::BadStructure, message).into());
    };
    hand_over(profile, settlement, object, &fact?)
}

/// What an object says.
struct Fact<'a> {
    kind: &'a str,
    status: &'a str,
    currency: Currency,
    /// Unsigned, or with the sign of its effect.
    amount: Figure,
    is_disbursed: bool,
    booked: &'a str,
    settled: &'a str,
    reference: &'a str,
    original: &'a str,
    merchant_reference: &'a str,
    payout: &'a str,
    method: &'a str,
    customer: String,
}

fn dispute(object: Object<'_>) -> Result<Fact<'_>, Refusal> {
    let events = object.at(&["statusHistory"]).and_then(Value::as_array);
    let disbursed = events
        .into_iter()
        .flatten()
        .find_map(|event| event.get("disbursementDate").and_then(Value::as_str));
    Ok(Fact {
        kind: object.text(&["type"]),
        status: object.text(&["status"]),
        currency: object.currency(&["amountDisputed", "currencyCode"])?,
        amount: figure(object, &["amountDisputed", "value"])?,
        is_disbursed: true,
        booked: object.text(&["receivedDate"]),
        settled: disbursed.unwrap_or_default(),
        reference: object.text(&["id"]),
        original: object.text(&["transaction", "id"]),
        merchant_reference: object.text(&["transaction", "orderId"]),
        payout: "",
        method: method(object.at(&["transaction", "paymentMethodSnapshot"])),
        customer: object
            .text(&["transaction", "paymentMethodSnapshot", "username"])
            .to_owned(),
    })
}

fn transaction(object: Object<'_>) -> Result<Fact<'_>, Refusal> {
    let is_disbursed = object
        .at(&["disbursementDetails", "amount", "value"])
        .is_some();
    let amount: &[&str] = if is_disbursed {
        &["disbursementDetails", "amount"]
    } else {
        &["amount"]
    };
    let [value, code] = ["value", "currencyCode"].map(|key| [amount, &[key]].concat());
    let events = object.at(&["statusHistory"]).and_then(Value::as_array);
    let batch = events
        .into_iter()
        .flatten()
        .find_map(|event| event.get("settlementBatchId").and_then(Value::as_str));
    let is_refund = object.has("refundedTransaction");
    Ok(Fact {
        kind: if is_refund { "refund" } else { "transaction" },
        status: object.text(&["status"]),
        currency: object.currency(&code)?,
        amount: figure(object, &value)?,
        is_disbursed,
        booked: object.text(&["createdAt"]),
        settled: object.text(&["disbursementDetails", "date"]),
        reference: object.text(&["id"]),
        original: object.text(&["refundedTransaction", "id"]),
        merchant_reference: object.text(&["orderId"]),
        payout: batch.unwrap_or_default(),
        method: method(object.at(&["paymentMethodSnapshot"])),
        customer: object
            .text(&["paymentMethodSnapshot", "username"])
            .to_owned(),
    })
}

fn flat(object: Object<'_>) -> Result<Fact<'_>, Refusal> {
    let kind = object.text(&["type"]);
    let refund = object.text(&["gateway_refund_id"]);
    let own = object.text(&["gateway_txn_id"]);
    let name = format!(
        "{} {}",
        object.text(&["first_name"]),
        object.text(&["last_name"])
    );
    let is_chargeback = kind == "chargeback";
    let parent = object.text(&["gateway_parent_id"]);
    Ok(Fact {
        kind: if kind.is_empty() { "charge" } else { kind },
        status: "",
        currency: object.currency(&["currency"])?,
        amount: figure(object, &["gross"])?,
        is_disbursed: true,
        booked: object.text(&["date"]),
        settled: "",
        reference: if refund.is_empty() && !is_chargeback {
            own
        } else {
            refund
        },
        original: if parent.is_empty() && is_chargeback {
            own
        } else {
            parent
        },
        merchant_reference: object.text(&["invoice_id"]),
        payout: "",
        method: object.text(&["payment_method"]),
        customer: name.trim().to_owned(),
    })
}

fn hand_over(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
    fact: &Fact<'_>,
) -> Taken {
    let meaning = settlement.meaning(profile, fact.kind, object.line.number);
    let known = profile.statuses.get(&fact.status.to_lowercase());
    if known.is_none() && !fact.status.is_empty() {
        settlement.note(Remark::UnknownStatus, object.line.number, fact.status);
    }
    let is_moved = fact.is_disbursed && known.is_none_or(|effect| *effect == Effect::Moved);
    let (Meaning::Settles(line_type), true) = (meaning, is_moved) else {
        return tell(profile, settlement, object, fact);
    };
    let gross = match line_type {
        SettlementType::Charge => fact.amount,
        _ => fact.amount.abs().negated(),
    };
    let line = SettlementLine {
        source_line: object.line.number,
        processor: profile.processor,
        merchant_account: object.text(&["merchantAccountId"]),
        processor_type: fact.kind,
        booking_date: date(fact.booked, Order::DayMonth)?,
        settlement_date: date(fact.settled, Order::DayMonth)?,
        processor_reference: fact.reference,
        original_reference: fact.original,
        merchant_reference: fact.merchant_reference,
        payout_reference: fact.payout,
        payment_method: fact.method,
        customer_name: &fact.customer,
        description: fact.status,
        bytes: object.line.start..object.line.end,
        ..SettlementLine::blank(line_type, fact.currency)
    };
    let figures = Figures {
        gross,
        fee: Figure::ZERO,
        net: gross,
    };
    Ok(settlement.line(profile, figures, &line)?)
}

fn tell(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
    fact: &Fact<'_>,
) -> Taken {
    let word = Word {
        report: &profile.report,
        processor_reference: fact.reference,
        merchant_reference: fact.merchant_reference,
        status: fact.status,
        reason: fact.kind,
        information: fact.original,
        date: date(fact.booked, Order::DayMonth)?,
        currency: Some(fact.currency),
        amount: Some(fact.amount.to_amount()),
        ..Word::default()
    };
    Ok(settlement.word(&word, object.line)?)
}

fn figure(object: Object<'_>, path: &[&str]) -> Result<Figure, Refusal> {
    let text = object.text(path);
    Figure::parse(text, Style::Point, 2).map_err(|error| bad_amount(text, error))
}

fn method(snapshot: Option<&Value>) -> &'static str {
    match snapshot {
        Some(snapshot) if snapshot.get("venmoUserId").is_some() => "venmo",
        Some(snapshot) if snapshot.get("payer").is_some() => "paypal",
        Some(snapshot) if snapshot.get("brandCode").is_some() => "card",
        _ => "",
    }
}
