//! What a person's decision teaches: whose money the payer's name and account bring, and whether
//! the engine's own answer was right.

use arrow::array::{Array, Float64Array, StringArray};
use serde_json::{Value, json};
use tieout_core::schema::Table;
use tieout_core::{Feature, Rule, Status};
use tieout_matcher::Pattern;

use super::parts::{Current, Outcome, Resolved};
use super::request::{Action, Request};
use crate::EngineError;
use crate::intake::column;

/// Adds to `said`, the action as the journal keeps it, what it teaches. An action that decides
/// anew takes back what earlier ones on its payment taught.
pub fn add(
    said: &mut Value,
    request: &Request,
    current: &Current,
    outcome: &Outcome,
) -> Result<(), EngineError> {
    if matches!(request.action, Action::WriteOff { .. }) {
        // It changes nothing about whose money it is, or for what.
        return Ok(());
    }
    let mut lessons = payer(request, current, outcome)?;
    lessons.extend(answer(request, current, outcome)?);
    said["unlearns"] = json!(true);
    if !lessons.is_empty() {
        said["learned"] = Value::Array(lessons);
    }
    Ok(())
}

/// Whose money the payer's account and name bring, where the decision did not rest on that.
fn payer(
    request: &Request,
    current: &Current,
    outcome: &Outcome,
) -> Result<Vec<Value>, EngineError> {
    let teaches = matches!(
        request.action,
        Action::Confirm | Action::Apply { .. } | Action::OnAccount
    );
    let Some(party) = customer(request, outcome).filter(|_| teaches) else {
        return Ok(Vec::new());
    };
    let evidence = evidence(current)?;
    let is_same = current.party().as_ref() == Some(&party);
    let is_known = |known: Feature| is_same && evidence.contains(&known);
    let mut lessons = Vec::new();
    let mut teach = |kind: &str, key: Option<String>, is_known: bool| {
        if let Some(key) = key.filter(|key| !is_known && !key.trim().is_empty()) {
            lessons.push(json!({ "kind": kind, "key": key, "party_id": party }));
        }
    };
    teach(
        "account",
        current.text("payer_account"),
        is_known(Feature::PayerAccount),
    );
    teach(
        "alias",
        current.text("payer_name"),
        is_known(Feature::NameExact),
    );
    Ok(lessons)
}

/// The one customer whose money it is; none where the items are of several and nobody says.
fn customer(request: &Request, outcome: &Outcome) -> Option<String> {
    if let Some(party) = &request.party {
        return Some(party.clone());
    }
    let mut owners = outcome.parts.iter().map(|part| part.party.as_ref());
    match owners.next() {
        None => outcome.party.clone(),
        Some(first) => owners
            .all(|owner| owner == first)
            .then(|| first.cloned())
            .flatten(),
    }
}

/// Whether the engine's answer, if it gave one, was the person's.
fn answer(
    request: &Request,
    current: &Current,
    outcome: &Outcome,
) -> Result<Option<Value>, EngineError> {
    let given = current.parts()?;
    let rule = current.text("rule").and_then(|code| Rule::from_code(&code));
    let Some(rule) = rule.filter(|&rule| rule != Rule::Person && !given.is_empty()) else {
        return Ok(None);
    };
    let right = match request.action {
        Action::Confirm => true,
        Action::Apply { .. } => same(&given, &outcome.parts),
        Action::Reject | Action::OnAccount | Action::Unmatch => false,
        // Somebody may only want to see it later.
        _ => return Ok(None),
    };
    let features = evidence(current)?;
    if features.is_empty() || outcome.status == Status::Duplicate {
        return Ok(None);
    }
    let pattern = Pattern::of(rule, features);
    Ok(Some(
        json!({ "kind": "weight", "key": pattern.to_string(), "right": right }),
    ))
}

fn same(given: &[Resolved], decided: &[Resolved]) -> bool {
    let sorted = |parts: &[Resolved]| {
        let mut parts: Vec<_> = parts
            .iter()
            .map(|part| (part.part.item_id.clone(), part.part.applied))
            .collect();
        parts.sort_unstable();
        parts
    };
    sorted(given) == sorted(decided)
}

/// What weighed in the decision as it stands.
fn evidence(current: &Current) -> Result<Vec<Feature>, EngineError> {
    let Some(rows) = &current.evidence else {
        return Ok(Vec::new());
    };
    let text = |name| column::<StringArray>(rows, Table::Evidence.column(name));
    let (kinds, names) = (text("kind")?, text("name")?);
    let weights: &Float64Array = column(rows, Table::Evidence.column("weight"))?;
    let weighed = |row: &usize| {
        kinds.value(*row) == "evidence" && weights.is_valid(*row) && weights.value(*row).abs() > 0.0
    };
    Ok((0..rows.num_rows())
        .filter(weighed)
        .filter_map(|row| Feature::from_code(names.value(row)))
        .collect())
}
