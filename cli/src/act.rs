//! `tieout act`: what a person decides about a payment.

use std::io::{self, Write};

use tieout::core::Amount;
use tieout::{Action, Part, Request};

use crate::Outcome;
use crate::arguments::{ActArguments, ActionKind};
use crate::failure::Failure;
use crate::ledger;

/// Does it, and says how the payment stands.
pub fn act(arguments: ActArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger.clone())?;
    let action = action(&arguments)?;
    let mut request = Request::new(
        action,
        &arguments.payment_id,
        &arguments.by,
        &arguments.reason,
    );
    request.party = arguments.party;
    request.version = arguments.version;
    let acted = tieout::act(&dir, &request)?;
    writeln!(
        io::stdout(),
        "{}: {} applied, {} on account, {} unapplied (event {}, version {})",
        acted.status,
        acted.applied,
        acted.on_account,
        acted.unapplied,
        acted.event,
        acted.version
    )?;
    Ok(Outcome::Clean)
}

fn action(arguments: &ActArguments) -> Result<Action, Failure> {
    let parts = parts(arguments);
    let action = match arguments.action {
        ActionKind::Confirm => Action::Confirm,
        ActionKind::Reject => Action::Reject,
        ActionKind::Apply => Action::Apply { parts },
        ActionKind::WriteOff => Action::WriteOff { parts },
        ActionKind::OnAccount => Action::OnAccount,
        ActionKind::Unmatch => Action::Unmatch,
        ActionKind::Reopen => Action::Reopen,
        ActionKind::Duplicate => Action::Duplicate {
            of: arguments
                .of
                .clone()
                .ok_or_else(|| missing("--of", "the payment that it repeats"))?,
        },
        ActionKind::NotDuplicate => Action::NotDuplicate,
        ActionKind::Comment => Action::Comment,
        ActionKind::Assign => Action::Assign {
            owner: arguments
                .owner
                .clone()
                .ok_or_else(|| missing("--owner", "who sees to it"))?,
            deadline: arguments.deadline,
        },
    };
    Ok(action)
}

fn missing(option: &str, what: &str) -> Failure {
    Failure::with_action(
        format!("{option} is missing"),
        format!("say {what} with {option}"),
    )
}

/// One part an item, in the order in which the items are named.
fn parts(arguments: &ActArguments) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut add = |named: &[(String, Amount)], set: fn(&mut Part, Amount)| {
        for (item, amount) in named {
            let place = parts.iter().position(|part| part.item_id == *item);
            let place = place.unwrap_or_else(|| {
                parts.push(Part {
                    item_id: item.clone(),
                    ..Part::default()
                });
                parts.len() - 1
            });
            set(&mut parts[place], *amount);
        }
    };
    add(&arguments.item, |part, amount| part.applied += amount);
    add(&arguments.discount, |part, amount| part.discount += amount);
    add(&arguments.write_off, |part, amount| {
        part.write_off += amount;
    });
    add(&arguments.deduction, |part, amount| {
        part.deduction += amount;
    });
    parts
}
