//! Objects of Stripe's API. Amounts are whole numbers of minor units, times are seconds since 1970,
//! and many fields hold either an id or the whole object.
//!
//! A balance transaction is what moves the balance. A charge, refund or dispute has amounts of its
//! own, but not the fee: where its balance transaction is not expanded it is a word about a
//! payment, so that the money counts once. A payout counts as it stands, for its fee is nil.

use serde_json::Value;
use tieout_core::{Currency, Date, QuarantineReason, SettlementType};

use super::calendar::day_of_epoch;
use super::figure::Figure;
use super::objects::Object;
use super::profile::{Meaning, Profile};
use super::remarks::Remark;
use super::settlement::{Figures, Refusal, Settlement, Taken, Word};
use crate::rows::SettlementLine;

/// Kinds of objects that have money.
pub(super) const KINDS: [&str; 8] = [
    "balance_transaction",
    "charge",
    "refund",
    "dispute",
    "payout",
    "transfer",
    "topup",
    "application_fee",
];

/// Takes one object.
pub(super) fn take(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
) -> Taken {
    let kind = object.text(&["object"]);
    if kind == "event" {
        if let Some(inner) = object.at(&["data", "object"]) {
            return take(profile, settlement, object.with(inner));
        }
        foreign(settlement, object, kind);
        return Ok(());
    }
    if kind.is_empty() {
        let message =
            "the object does not say in `object` what it is; deliver it as the API gave it";
        return Err(Refusal::new(QuarantineReason::BadStructure, message).into());
    }
    if kind == "balance_transaction" {
        let source = object.at(&["source"]).filter(|source| source.is_object());
        return movement(
            profile,
            settlement,
            object,
            source.map(|source| object.with(source)),
        );
    }
    if !KINDS.contains(&kind) {
        foreign(settlement, object, kind);
        return Ok(());
    }
    let movements = expanded(object);
    for transaction in &movements {
        movement(profile, settlement, object.with(transaction), Some(object))?;
    }
    if !movements.is_empty() {
        return Ok(());
    }
    if kind == "payout" && !matches!(object.text(&["status"]), "failed" | "canceled") {
        return payout(profile, settlement, object);
    }
    tell(profile, settlement, object, kind)
}

fn foreign(settlement: &mut Settlement<'_>, object: Object<'_>, kind: &str) {
    settlement.note(Remark::Foreign, object.line.number, kind);
}

/// The balance transactions of an object that are there as a whole.
fn expanded(object: Object<'_>) -> Vec<&Value> {
    let one = object.at(&["balance_transaction"]);
    let several = object
        .at(&["balance_transactions"])
        .and_then(Value::as_array);
    let all = one.into_iter().chain(several.into_iter().flatten());
    all.filter(|value| value.is_object()).collect()
}

/// A balance transaction, with the object that caused it if that is known.
fn movement(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
    source: Option<Object<'_>>,
) -> Taken {
    let currency = object.currency(&["currency"])?;
    let exponent = profile.exponent(currency);
    let figure = |key: &str| object.minor(&[key], exponent);
    let figures = Figures::tied(figure("amount")?, figure("fee")?, figure("net")?)?;
    let category = object.text(&["reporting_category"]);
    let kind = if category.is_empty() {
        object.text(&["type"])
    } else {
        category
    };
    let Meaning::Settles(line_type) = settlement.meaning(profile, kind, object.line.number) else {
        foreign(settlement, object, kind);
        return Ok(());
    };
    let source_id = source.map_or(object.text(&["source"]), |source| source.text(&["id"]));
    let own = if source_id.is_empty() {
        object.text(&["id"])
    } else {
        source_id
    };
    let source = source.unwrap_or(object);
    let reference = merchant_reference(profile, source);
    let line = SettlementLine {
        processor_type: kind,
        booking_date: day(object, "created"),
        settlement_date: day(object, "available_on"),
        processor_reference: own,
        payout_reference: if line_type == SettlementType::Payout {
            own
        } else {
            ""
        },
        merchant_reference: &reference,
        description: object.text(&["description"]),
        ..described(profile, source, line_type, currency)
    };
    Ok(settlement.line(profile, figures, &line)?)
}

/// A payout without its balance transaction: the money that left the balance.
fn payout(profile: &Profile, settlement: &mut Settlement<'_>, object: Object<'_>) -> Taken {
    let currency = object.currency(&["currency"])?;
    let amount = object.minor(&["amount"], profile.exponent(currency))?;
    let net = amount.map(Figure::negated);
    let figures = Figures::tied(net, Some(Figure::ZERO), net)?;
    let reference = merchant_reference(profile, object);
    let line = SettlementLine {
        processor_type: "payout",
        booking_date: day(object, "created"),
        settlement_date: day(object, "arrival_date"),
        processor_reference: object.text(&["id"]),
        payout_reference: object.text(&["id"]),
        merchant_reference: &reference,
        description: object.text(&["description"]),
        ..described(profile, object, SettlementType::Payout, currency)
    };
    Ok(settlement.line(profile, figures, &line)?)
}

/// What every object says in the same fields.
fn described<'a>(
    profile: &'a Profile,
    object: Object<'a>,
    line_type: SettlementType,
    currency: Currency,
) -> SettlementLine<'a> {
    SettlementLine {
        source_line: object.line.number,
        processor: profile.processor,
        original_reference: original(object),
        payment_method: object.text(&["payment_method_details", "type"]),
        customer_name: object.text(&["billing_details", "name"]),
        bytes: object.line.start..object.line.end,
        ..SettlementLine::blank(line_type, currency)
    }
}

/// An object that moves no balance by itself.
fn tell(
    profile: &Profile,
    settlement: &mut Settlement<'_>,
    object: Object<'_>,
    kind: &str,
) -> Taken {
    let currency = object.currency(&["currency"]).ok();
    let amount = match currency {
        Some(currency) => object.minor(&["amount"], profile.exponent(currency))?,
        None => None,
    };
    let reference = merchant_reference(profile, object);
    let status = object.text(&["status"]);
    let word = Word {
        report: kind,
        processor_reference: object.text(&["id"]),
        merchant_reference: &reference,
        status: if status.is_empty() { kind } else { status },
        reason: object.text(&["reason"]),
        information: original(object),
        date: day(object, "created"),
        currency,
        amount: amount.map(Figure::to_amount),
        ..Word::default()
    };
    Ok(settlement.word(&word, object.line)?)
}

/// The id of the charge or payment that the object is about.
fn original(object: Object<'_>) -> &str {
    let ids = ["charge", "payment_intent"].into_iter().map(|key| {
        let id = object.text(&[key]);
        if id.is_empty() {
            object.text(&[key, "id"])
        } else {
            id
        }
    });
    ids.into_iter()
        .find(|id| !id.is_empty())
        .unwrap_or_default()
}

/// The merchant's own reference: of the metadata that the profile looks for in reports.
fn merchant_reference(profile: &Profile, object: Object<'_>) -> String {
    let Some(metadata) = object.at(&["metadata"]).and_then(Value::as_object) else {
        return String::new();
    };
    for wanted in &profile.columns.merchant_reference {
        for (key, value) in metadata {
            let name = format!("payment_metadata[{}]", key.to_lowercase());
            let is_wanted = match wanted.strip_suffix('*') {
                Some(prefix) => name.starts_with(prefix),
                None => name == *wanted,
            };
            match value.as_str() {
                Some(text) if is_wanted && !text.is_empty() => return text.to_owned(),
                _ => {}
            }
        }
    }
    String::new()
}

fn day(object: Object<'_>, key: &str) -> Option<Date> {
    object
        .at(&[key])
        .and_then(Value::as_i64)
        .and_then(day_of_epoch)
}
