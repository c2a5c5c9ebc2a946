//! What people do: each action is an event with who, when and why, and the decision that follows
//! from it. A later action undoes an earlier one; nothing is edited.

mod lessons;
mod parts;
mod request;

use std::path::Path;

use tieout_core::schema::Table;
use tieout_core::{Amount, Reason, Status};
use tieout_ledger::Reversed;
use tieout_ledger::journal::{EventKind, Journal, PaymentState, what};
use tieout_ledger::{Ledger, LedgerWriter};

use crate::EngineError;
use parts::{Current, Outcome};

pub use request::{Action, Part, Request};

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// The event that holds the action.
    pub event: u64,
    /// How often the payment was decided by now; the next action may name it.
    pub version: u64,
    /// How the payment stands.
    pub status: Status,
    /// Cash applied.
    pub applied: Amount,
    /// Cash on the customer's account.
    pub on_account: Amount,
    /// Cash that is neither.
    pub unapplied: Amount,
}

/// Does what `request` asks for in the ledger in `ledger_dir`. When this returns, it is on disk.
///
/// # Errors
/// [`EngineError::Request`] with the reason if the action cannot be done as things stand,
/// [`EngineError::Changed`] if the payment was decided since the version that the request names,
/// [`EngineError::Ledger`] if the ledger cannot be written.
pub fn act(ledger_dir: &Path, request: &Request) -> Result<Acted, EngineError> {
    // Only one that is there can be acted on.
    drop(Ledger::open(ledger_dir)?);
    request.check()?;
    let mut ledger = Ledger::post(ledger_dir)?;
    let journal = ledger.journal()?;
    let id = whole_id(&journal, &request.payment_id)?;
    let state = decided(&journal, &id)?;
    if let Some(version) = request.version.filter(|&version| version != state.version) {
        return Err(EngineError::Changed {
            payment: id,
            version,
            now: state.version,
        });
    }
    let mut said = request.to_json(&id);
    let decided = if request.action.decides() {
        let current = Current::of(&journal, &id, &state)?;
        let outcome = outcome(request, &current, &state)?;
        lessons::add(&mut said, request, &current, &outcome)?;
        Some((current, outcome))
    } else {
        None
    };
    let event = ledger.append(EventKind::Action, &id, said)?;
    let acted = match &decided {
        Some((current, outcome)) => decide(&mut ledger, current, outcome, &id, &state)?,
        None => state,
    };
    drop(decided);
    drop(journal);
    ledger.commit()?;
    Ok(Acted {
        event,
        version: acted.version,
        status: acted.status.unwrap_or(Status::Unidentified),
        applied: acted.applied,
        on_account: acted.on_account,
        unapplied: acted.amount - acted.applied - acted.on_account,
    })
}

/// Replaces the decision about the payment.
fn decide(
    ledger: &mut LedgerWriter,
    current: &Current,
    outcome: &Outcome,
    id: &str,
    state: &PaymentState,
) -> Result<PaymentState, EngineError> {
    let tables = current.tables(id, outcome)?;
    ledger.reverse(&[Reversed {
        what: what::PAYMENT,
        id: id.to_owned(),
        posting: state.posting,
    }])?;
    let decided: Vec<_> = tables.iter().map(|(table, rows)| (*table, rows)).collect();
    ledger.decide(&decided)?;
    if outcome.waits {
        let (payments, lines) = parts::received(current.journal, id)?;
        ledger.wait(&payments, &lines)?;
    }
    Ok(PaymentState {
        version: state.version + 1,
        status: Some(outcome.status),
        applied: outcome.cash(),
        on_account: outcome.on_account,
        ..state.clone()
    })
}

/// What the action makes of the payment.
fn outcome(
    request: &Request,
    current: &Current,
    state: &PaymentState,
) -> Result<Outcome, EngineError> {
    let status = state.status.unwrap_or(Status::Unidentified);
    let from = |allowed: &[Status]| {
        if allowed.contains(&status) {
            return Ok(());
        }
        let allowed: Vec<_> = allowed.iter().map(|status| status.code()).collect();
        refuse(format!(
            "the payment is {status}; {} is for payments that are {}",
            request.action.code(),
            allowed.join(", ")
        ))
    };
    let open = [Status::Proposed, Status::Unidentified, Status::OnAccount];
    let applied = [Status::Applied, Status::PartiallyApplied];
    match &request.action {
        Action::Confirm => {
            from(&[Status::Proposed])?;
            Outcome::applied(current.party(), current.parts()?, state.amount)
        }
        Action::Reject => {
            from(&[Status::Proposed])?;
            Ok(Outcome::open(
                current.party(),
                current.reason(),
                state.amount,
            ))
        }
        Action::Apply { parts } => {
            from(&open)?;
            let parts = current.resolve(parts)?;
            let party = request.party.clone().or_else(|| current.party());
            let party = party.or_else(|| parts.iter().find_map(|part| part.party.clone()));
            Outcome::applied(party, parts, state.amount)
        }
        Action::WriteOff { parts } => {
            from(&applied)?;
            let written = parts.iter().map(|part| part.write_off).sum::<Amount>();
            if written > request.write_off_limit {
                return refuse(format!(
                    "{written} is more than the {} that may be written off",
                    request.write_off_limit
                ));
            }
            let mut all = current.parts()?;
            current.add(&mut all, parts)?;
            Outcome::applied(current.party(), all, state.amount)
        }
        Action::OnAccount => {
            from(&[Status::Proposed, Status::Unidentified])?;
            let Some(party) = request.party.clone().or_else(|| current.party()) else {
                return refuse("nobody knows whose account: name the party".to_owned());
            };
            Ok(Outcome::on_account(party, state.amount))
        }
        Action::Unmatch => {
            from(&applied)?;
            Ok(Outcome::open(
                current.party(),
                Reason::TakenBack,
                state.amount,
            ))
        }
        Action::Reopen => {
            from(&open)?;
            Ok(Outcome::open(current.party(), current.reason(), state.amount).waiting())
        }
        Action::Duplicate { of } => {
            from(&open)?;
            Ok(Outcome::duplicate(current.party(), of, state.amount))
        }
        Action::NotDuplicate => {
            from(&[Status::Duplicate])?;
            Ok(Outcome::open(current.party(), Reason::TakenBack, state.amount).waiting())
        }
        Action::Comment | Action::Assign { .. } => {
            refuse(format!("{} decides nothing", request.action.code()))
        }
    }
}

pub(crate) fn refuse<T>(sentence: String) -> Result<T, EngineError> {
    Err(EngineError::Request(sentence))
}

/// The payment whose identifier is `given`, in full.
fn whole_id(journal: &Journal, given: &str) -> Result<String, EngineError> {
    let id = given.trim().to_ascii_lowercase();
    match journal.payment(&id)? {
        Some(_) => Ok(id),
        None => refuse(format!(
            "no payment {given}: give its whole identifier, as the tables have it"
        )),
    }
}

fn decided(journal: &Journal, id: &str) -> Result<PaymentState, EngineError> {
    match journal.payment(id)?.filter(|state| state.status.is_some()) {
        Some(state) => Ok(state),
        None => refuse(format!("payment {id} is not decided")),
    }
}

/// The tables that an action writes.
pub(crate) const WRITTEN: [Table; 4] = [
    Table::Payments,
    Table::Applications,
    Table::Exceptions,
    Table::Duplicates,
];
