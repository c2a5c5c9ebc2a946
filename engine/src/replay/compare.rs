//! What differs between the decisions of a ledger and those of a replay.

use std::collections::{BTreeMap, HashMap, HashSet};

use tieout_core::{Amount, Rule};
use tieout_ledger::journal::{EventKind, Journal};

use super::said;
use super::word::{Outcome, Verdict, Word, outcomes};
use crate::EngineError;

/// What came of a replay.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// Runs that were decided again.
    pub runs: u64,
    /// The first posting that was looked at.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// The recipe of the replay, name and version.
    pub recipe: String,
    /// Those of the runs.
    pub earlier_recipes: Vec<String>,
    /// Payments that both decided.
    pub payments: u64,
    /// As it was.
    pub was: Side,
    /// As it would be.
    pub would: Side,
    /// What differs, the most money first.
    pub differences: Vec<Difference>,
    /// What people did that does not fit what the recipe would have done before.
    pub misfits: u64,
}

/// One recipe's decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Payments by currency and status.
    pub statuses: BTreeMap<(String, String), StatusTotal>,
    /// Decisions that took effect by themselves and that people confirmed, or made so.
    pub right: u64,
    /// Those that people decided otherwise.
    pub wrong: u64,
}

/// Payments of one currency and status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusTotal {
    /// How many.
    pub payments: u64,
    /// Their amounts.
    pub amount: Amount,
    /// Cash applied.
    pub applied: Amount,
    /// Cash on account.
    pub on_account: Amount,
    /// The rest.
    pub unapplied: Amount,
}

impl Side {
    /// The part of the judged decisions that was right; none where nobody judged any.
    pub fn precision(&self) -> Option<f64> {
        let judged = self.right + self.wrong;
        (judged > 0).then(|| self.right as f64 / judged as f64)
    }

    fn count(&mut self, outcome: &Outcome) {
        let key = (outcome.currency.clone(), outcome.status.clone());
        let total = self.statuses.entry(key).or_default();
        total.payments += 1;
        total.amount += outcome.amount;
        total.applied += outcome.applied;
        total.on_account += outcome.on_account;
        total.unapplied += outcome.unapplied;
    }

    fn judge(&mut self, verdict: Option<Verdict>) {
        match verdict {
            Some(Verdict::Right) => self.right += 1,
            Some(Verdict::Wrong) => self.wrong += 1,
            None => {}
        }
    }
}

impl Replayed {
    /// Whether the replay's decisions are as often right as `least` wants. Where nobody has judged
    /// any, only if nothing differs.
    pub fn reaches(&self, least: f64) -> bool {
        match self.would.precision() {
            Some(precision) => precision >= least,
            None => self.differences.is_empty(),
        }
    }

    /// Money that would end elsewhere, by currency.
    pub fn at_stake(&self) -> BTreeMap<&str, Amount> {
        let mut all: BTreeMap<&str, Amount> = BTreeMap::new();
        for difference in &self.differences {
            *all.entry(&difference.would.currency).or_default() += difference.at_stake;
        }
        all
    }
}

/// A decision that would be another.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The payment.
    pub payment_id: String,
    pub(super) was: Outcome,
    pub(super) would: Outcome,
    /// Money that would end elsewhere.
    pub at_stake: Amount,
    /// What somebody did with the payment last.
    pub action: Option<String>,
    /// What became of it then.
    pub(super) person: Option<Outcome>,
    /// What people's word makes of the decision as it was.
    pub was_verdict: Option<Verdict>,
    /// What it makes of the one that would be.
    pub would_verdict: Option<Verdict>,
}

impl Difference {
    /// How the payment ended, and how it would.
    pub fn statuses(&self) -> (&str, &str) {
        (&self.was.status, &self.would.status)
    }

    /// The payment's amount and currency.
    pub fn amount(&self) -> (Amount, &str) {
        (self.would.amount, &self.would.currency)
    }
}

/// The last decision of the program about each payment.
#[derive(Default)]
struct Decided {
    last: HashMap<String, (u64, [u8; 16])>,
    /// Every decision about the payments that people acted on: posting and event.
    trails: HashMap<String, Vec<(u64, u64)>>,
}

/// An action that somebody did: posting, payment, word.
type Deed = (u64, String, String);

/// Compares what `was` decided in the postings `again` with what `would` be.
pub fn compare(
    was: &Journal,
    would: &Journal,
    again: &HashSet<u64>,
) -> Result<Replayed, EngineError> {
    let deeds = deeds(was)?;
    let acted: HashSet<&str> = deeds.iter().map(|(_, id, _)| id.as_str()).collect();
    let mut compared = Replayed {
        runs: again.len() as u64,
        ..Replayed::default()
    };
    let before = decided(was, again, &acted)?;
    let after = decided(would, again, &HashSet::new())?;
    let words = words(was, &deeds, &before.trails)?;
    let mut wanted: HashMap<&str, (u64, u64)> = HashMap::new();
    for (id, &(old, old_identity)) in &before.last {
        let Some(&(new, new_identity)) = after.last.get(id) else {
            return Err(crate::intake::internal(format!(
                "the replay has not decided payment {id}"
            )));
        };
        if old_identity != new_identity || words.contains_key(id) {
            wanted.insert(id, (old, new));
        }
    }
    compared.payments = before.last.len() as u64;
    let mut old = look_up(was, &before, &wanted, false, &mut compared.was)?;
    let mut new = look_up(would, &after, &wanted, true, &mut compared.would)?;
    for id in wanted.into_keys() {
        let (Some(old), Some(new)) = (old.remove(id), new.remove(id)) else {
            continue;
        };
        compared.add(id, old, new, words.get(id));
    }
    compared.differences.sort_by(|one, other| {
        let by_money = other.at_stake.cmp(&one.at_stake);
        by_money.then_with(|| one.payment_id.cmp(&other.payment_id))
    });
    Ok(compared)
}

impl Replayed {
    fn add(&mut self, id: &str, was: Outcome, would: Outcome, word: Option<&Word>) {
        let was_verdict = word.and_then(|word| word.judge(&was));
        let would_verdict = word.and_then(|word| word.judge(&would));
        self.was.judge(was_verdict);
        self.would.judge(would_verdict);
        if was.identity() == would.identity() {
            return;
        }
        let wanted = word.filter(|word| !word.is_refusal);
        self.differences.push(Difference {
            payment_id: id.to_owned(),
            at_stake: would.at_stake(&was),
            action: word.map(|word| word.action.clone()),
            person: wanted.map(|word| word.outcome.clone()),
            was,
            would,
            was_verdict,
            would_verdict,
        });
    }
}

/// What people did, in its order.
fn deeds(journal: &Journal) -> Result<Vec<Deed>, EngineError> {
    let mut actions = Vec::new();
    journal.events(1, |event| {
        if event.kind == EventKind::Action {
            actions.push((event.posting, event.sequence));
        }
        Ok(true)
    })?;
    let mut deeds = Vec::new();
    for (posting, sequence) in actions {
        let action = said(journal, sequence)?;
        let word = action["action"].as_str().unwrap_or_default();
        if let Some(id) = action["payment_id"].as_str()
            && !["comment", "assign"].contains(&word)
        {
            deeds.push((posting, id.to_owned(), word.to_owned()));
        }
    }
    Ok(deeds)
}

fn decided(
    journal: &Journal,
    again: &HashSet<u64>,
    acted: &HashSet<&str>,
) -> Result<Decided, EngineError> {
    let mut decisions = Vec::new();
    journal.events(1, |event| {
        let is_asked = again.contains(&event.posting) || !acted.is_empty();
        if event.kind == EventKind::Decisions && is_asked {
            decisions.push((event.posting, event.sequence));
        }
        Ok(true)
    })?;
    let mut decided = Decided::default();
    for (posting, event) in decisions {
        let is_own = again.contains(&posting);
        outcomes(&journal.batches(event)?, |id, outcome| {
            if acted.contains(id) {
                let trail = decided.trails.entry(id.to_owned()).or_default();
                trail.push((posting, event));
            }
            // Nobody can decide again by what is not there any more.
            if outcome.is_purged {
                decided.last.remove(id);
            } else if is_own && outcome.rule != Rule::Person.code() {
                decided
                    .last
                    .insert(id.to_owned(), (event, outcome.identity()));
            }
        })?;
    }
    Ok(decided)
}

/// The last word of people about each payment that they acted on.
fn words(
    journal: &Journal,
    deeds: &[Deed],
    trails: &HashMap<String, Vec<(u64, u64)>>,
) -> Result<HashMap<String, Word>, EngineError> {
    let mut words = HashMap::new();
    for (posting, id, action) in deeds {
        words.remove(id);
        let Some(trail) = trails.get(id) else {
            continue;
        };
        let place = trail.iter().position(|(own, _)| own == posting);
        let is_refusal = ["reject", "unmatch"].contains(&action.as_str());
        let place = match place {
            Some(place) if is_refusal => place.checked_sub(1),
            other => other,
        };
        let leaves_open = ["reopen", "not_duplicate"].contains(&action.as_str());
        let Some(place) = place.filter(|_| !leaves_open) else {
            continue;
        };
        let mut own = None;
        outcomes(&journal.batches(trail[place].1)?, |other, outcome| {
            if other == id {
                own = Some(outcome);
            }
        })?;
        if let Some(outcome) = own {
            let word = Word {
                action: action.clone(),
                outcome,
                is_refusal,
            };
            words.insert(id.clone(), word);
        }
    }
    Ok(words)
}

/// Adds up all last decisions, and gives those of the payments `wanted`.
fn look_up(
    journal: &Journal,
    decided: &Decided,
    wanted: &HashMap<&str, (u64, u64)>,
    is_new: bool,
    side: &mut Side,
) -> Result<HashMap<String, Outcome>, EngineError> {
    let mut events: Vec<u64> = decided.last.values().map(|(event, _)| *event).collect();
    events.sort_unstable();
    events.dedup();
    let mut found = HashMap::new();
    for event in events {
        outcomes(&journal.batches(event)?, |id, outcome| {
            if decided.last.get(id).is_none_or(|(last, _)| *last != event) {
                return;
            }
            side.count(&outcome);
            let is_wanted = wanted
                .get(id)
                .is_some_and(|(old, new)| event == if is_new { *new } else { *old });
            if is_wanted {
                found.insert(id.to_owned(), outcome);
            }
        })?;
    }
    Ok(found)
}
