//! Differences as rows.

use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{Field, Schema};
use tieout_core::Amount;
use tieout_core::schema::AMOUNT_TYPE;

use super::compare::Difference;
use super::word::{Outcome, Verdict};
use crate::EngineError;
use crate::intake::arrow;

/// One side of a difference.
type Of = fn(&Difference) -> &Outcome;

/// The differences as rows, in their order: the payment, its decision as it `was` and as it
/// `would` be, the money at stake, what people said. Items stand as `I1=500.00|I2=20.00`.
///
/// # Errors
/// [`EngineError::Internal`], which is a mistake in the program.
pub fn difference_rows(differences: &[Difference]) -> Result<RecordBatch, EngineError> {
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    let mut put = |name: &str, values: ArrayRef| {
        fields.push(Field::new(name, values.data_type().clone(), true));
        columns.push(values);
    };
    let text = |of: &dyn Fn(&Difference) -> Option<String>| -> ArrayRef {
        Arc::new(differences.iter().map(of).collect::<StringArray>())
    };
    let money = |of: fn(&Difference) -> Amount| -> ArrayRef {
        let units = differences.iter().map(|own| Some(of(own).units()));
        Arc::new(
            units
                .collect::<Decimal128Array>()
                .with_data_type(AMOUNT_TYPE),
        )
    };
    let booked = differences.iter().map(|own| own.would.booking_date);
    let booked: Date32Array = booked.map(|day| day.map(tieout_core::Date::days)).collect();
    put("payment_id", text(&|own| Some(own.payment_id.clone())));
    put("booking_date", Arc::new(booked));
    put("currency", text(&|own| Some(own.would.currency.clone())));
    put("amount", money(|own| own.would.amount));
    put("payer_name", text(&|own| own.would.payer_name.clone()));
    put("at_stake", money(|own| own.at_stake));
    let sides: [(&str, Of); 2] = [("was", |own| &own.was), ("would", |own| &own.would)];
    for (side, of) in sides {
        let name = |column: &str| format!("{side}_{column}");
        put(&name("status"), text(&|own| Some(of(own).status.clone())));
        put(&name("party_id"), text(&|own| of(own).party.clone()));
        put(&name("items"), text(&|own| items(of(own))));
        put(&name("reason"), text(&|own| of(own).reason.clone()));
        put(&name("rule"), text(&|own| Some(of(own).rule.clone())));
        let scores = differences.iter().map(|own| of(own).score);
        put(&name("score"), Arc::new(scores.collect::<Float64Array>()));
    }
    put("action", text(&|own| own.action.clone()));
    let person = |own: &Difference| own.person.as_ref().and_then(items);
    put("person_items", text(&person));
    let code = |verdict: Option<Verdict>| verdict.map(|own| own.code().to_owned());
    put("was_verdict", text(&|own| code(own.was_verdict)));
    put("would_verdict", text(&|own| code(own.would_verdict)));

    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow)
}

fn items(outcome: &Outcome) -> Option<String> {
    let mut listed = String::new();
    for (item, parts) in &outcome.items {
        if !listed.is_empty() {
            listed.push('|');
        }
        let _ = write!(listed, "{item}={}", parts[0]);
    }
    Some(listed).filter(|listed| !listed.is_empty())
}
