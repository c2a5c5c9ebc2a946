//! What a person asks for.

use serde_json::{Value, json};
use tieout_core::{Amount, Date};

use super::refuse;
use crate::EngineError;

/// What may be written off where a request does not say otherwise, in units of the currency.
const WRITE_OFF_LIMIT: Amount = Amount::from_units(100 * 100_000);

/// How much of the payment one item gets, and what else it loses. Amounts have the sign of the
/// item: above zero for what a customer owes, below for credits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// The item.
    pub item_id: String,
    /// Cash.
    pub applied: Amount,
    /// Discount granted.
    pub discount: Amount,
    /// Small difference written off.
    pub write_off: Amount,
    /// Kept back by the customer.
    pub deduction: Amount,
    /// The customer's reason for that.
    pub deduction_reason: Option<String>,
}

/// What is to be done with a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Apply what is proposed.
    Confirm,
    /// Do not apply what is proposed.
    Reject,
    /// Apply to these items; the rest goes on account.
    Apply {
        /// The items with their parts.
        parts: Vec<Part>,
    },
    /// Write off what is left of items that the payment was applied to, or of others.
    WriteOff {
        /// The items with what is written off.
        parts: Vec<Part>,
    },
    /// Put all of the money on a customer's account.
    OnAccount,
    /// Take an application back: the items are open again.
    Unmatch,
    /// Let the next run decide.
    Reopen,
    /// Say that it repeats an earlier payment.
    Duplicate {
        /// That payment.
        of: String,
    },
    /// Say that it repeats none, and let the next run decide.
    NotDuplicate,
    /// Only say something.
    Comment,
    /// Say who sees to it, and until when.
    Assign {
        /// Who.
        owner: String,
        /// Until when.
        deadline: Option<Date>,
    },
}

impl Action {
    /// The word for it, as the journal has it.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reject => "reject",
            Self::Apply { .. } => "apply",
            Self::WriteOff { .. } => "write_off",
            Self::OnAccount => "on_account",
            Self::Unmatch => "unmatch",
            Self::Reopen => "reopen",
            Self::Duplicate { .. } => "duplicate",
            Self::NotDuplicate => "not_duplicate",
            Self::Comment => "comment",
            Self::Assign { .. } => "assign",
        }
    }

    /// Whether the payment has another decision afterwards.
    pub const fn decides(&self) -> bool {
        !matches!(self, Self::Comment | Self::Assign { .. })
    }
}

/// Who wants what, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What.
    pub action: Action,
    /// The payment.
    pub payment_id: String,
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The customer, where the action needs one that is not known.
    pub party: Option<String>,
    /// The version of the decision that the person saw; refused if it is another by now.
    pub version: Option<u64>,
    /// The most that may be written off.
    pub write_off_limit: Amount,
}

impl Request {
    /// A request of `actor`.
    pub fn new(action: Action, payment_id: &str, actor: &str, reason: &str) -> Self {
        Self {
            action,
            payment_id: payment_id.to_owned(),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            party: None,
            version: None,
            write_off_limit: WRITE_OFF_LIMIT,
        }
    }

    pub(super) fn check(&self) -> Result<(), EngineError> {
        if self.actor.trim().is_empty() || self.reason.trim().is_empty() {
            return refuse("an action needs a name and a reason".to_owned());
        }
        let (Action::Apply { parts } | Action::WriteOff { parts }) = &self.action else {
            return Ok(());
        };
        if parts.is_empty() {
            return refuse("name the items with their amounts".to_owned());
        }
        let negative = parts.iter().find(|part| {
            [part.discount, part.write_off, part.deduction]
                .iter()
                .any(|amount| amount.is_negative())
        });
        match negative {
            None => Ok(()),
            Some(part) => refuse(format!(
                "item {}: discount, write-off and deduction cannot be below zero",
                part.item_id
            )),
        }
    }

    pub(super) fn to_json(&self, id: &str) -> Value {
        let mut said = json!({
            "action": self.action.code(),
            "payment_id": id,
            "actor": self.actor,
            "reason": self.reason,
        });
        if let Some(party) = &self.party {
            said["party_id"] = json!(party);
        }
        match &self.action {
            Action::Apply { parts } | Action::WriteOff { parts } => {
                said["parts"] = parts.iter().map(part_json).collect();
            }
            Action::Duplicate { of } => said["duplicate_of"] = json!(of),
            Action::NotDuplicate => said["not_duplicate"] = json!(true),
            Action::Assign { owner, deadline } => {
                said["owner"] = json!(owner);
                said["deadline"] = json!(deadline.map(|day| day.to_string()));
            }
            _ => {}
        }
        said
    }
}

fn part_json(part: &Part) -> Value {
    json!({
        "item_id": part.item_id,
        "applied": part.applied.to_string(),
        "discount": part.discount.to_string(),
        "write_off": part.write_off.to_string(),
        "deduction": part.deduction.to_string(),
        "deduction_reason": part.deduction_reason,
    })
}
