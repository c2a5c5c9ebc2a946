//! History decided again under another recipe, in a ledger that nobody keeps. Files are not read
//! again: what they brought, and in which order, is in the journal.
//!
//! What people did stays done: where somebody decided about a payment, the replay goes on from
//! that decision, as the ledger did.

mod compare;
mod past;
mod rows;
mod word;

use std::collections::HashSet;
use std::path::Path;

use serde_json::Value;
use tieout_ledger::journal::{Event, EventKind, Journal, Payload, what};
use tieout_ledger::{Ledger, LedgerError, LedgerWriter, Moment, Reversed, Scratch};
use tieout_matcher::{Arrivals, Recipe};

use crate::admission::{Payments, Taken};
use crate::books::Again;
use crate::carried::{Earlier, known_at_cutoff};
use crate::cash::Cash;
use crate::conditions::Conditions;
use crate::intake::internal;
use crate::outputs::{Desk, End, Outputs};
use crate::report::Report;
use crate::run::{matching_pool, posted};
use crate::{EngineError, NoProgress};
use past::{PastPosting, PastRun};

pub use compare::{Difference, Replayed, Side, StatusTotal};
pub use rows::difference_rows;
pub use word::Verdict;

/// What is to be decided again.
#[derive(Clone, Debug)]
pub struct ReplayOptions {
    /// The recipe to decide by.
    pub recipe: Recipe,
    /// Runs before this one stay as they were; all are decided again where none is given.
    pub from: Option<Moment>,
    /// Later runs are left out.
    pub to: Option<Moment>,
    /// Threads that match; the results do not depend on it.
    pub threads: usize,
}

/// Decides the runs of the ledger in `ledger_dir` again, and says what would differ. The ledger is
/// only read.
///
/// # Errors
/// [`EngineError::Ledger`] if there is no ledger or it is damaged, [`EngineError::Request`] if
/// no run of it can be decided by this recipe.
pub fn replay(ledger_dir: &Path, options: &ReplayOptions) -> Result<Replayed, EngineError> {
    let ledger = Ledger::open(ledger_dir)?;
    let journal = ledger.journal()?;
    let replay = Replay {
        options,
        conditions: Conditions::compile(&options.recipe)?,
        pool: matching_pool(options.threads)?,
        scratch: Scratch::new()?,
        journal: &journal,
    };
    let first = match options.from {
        None => 1,
        Some(moment) => journal.posting_from(moment)?,
    };
    let last = match options.to {
        None => ledger.postings(),
        Some(moment) => journal.posting_as_of(moment)?.min(ledger.postings()),
    };
    let postings = past::postings(&journal, last)?;
    let again = chosen(&postings, first, last, &options.recipe)?;
    let mut misfits = 0;
    for posting in &postings {
        if again.contains(&posting.number) {
            replay.decide(posting)?;
        } else if posting.number < first || posting.is_run() {
            replay.copy(posting)?;
        } else if !replay.act(posting)? {
            misfits += 1;
        }
    }
    let mut compared = compare::compare(&journal, &replay.scratch.journal(), &again)?;
    compared.recipe = options.recipe.label();
    compared.earlier_recipes = labels(&postings, &again);
    compared.first = first;
    compared.last = last;
    compared.misfits = misfits;
    Ok(compared)
}

fn labels(postings: &[PastPosting], again: &HashSet<u64>) -> Vec<String> {
    let decided = postings
        .iter()
        .filter(|posting| again.contains(&posting.number));
    let mut labels: Vec<String> = decided
        .filter_map(|posting| posting.recipe.clone())
        .collect();
    labels.dedup();
    labels.sort();
    labels.dedup();
    labels
}

/// The runs that are decided again: where runs were by recipes of several names, those of the
/// recipe's own.
fn chosen(
    postings: &[PastPosting],
    first: u64,
    last: u64,
    recipe: &Recipe,
) -> Result<HashSet<u64>, EngineError> {
    let runs: Vec<(u64, &str)> = postings
        .iter()
        .filter(|posting| (first..=last).contains(&posting.number))
        .filter_map(|posting| Some((posting.number, posting.recipe.as_deref()?)))
        .map(|(number, label)| (number, label.split('@').next().unwrap_or(label)))
        .collect();
    let mut names: Vec<&str> = runs.iter().map(|(_, name)| *name).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Err(EngineError::Request(format!(
            "no run to decide again between postings {first} and {last}"
        )));
    }
    let is_own = |name: &str| names.len() == 1 || name == recipe.name;
    let own: HashSet<u64> = runs
        .iter()
        .filter(|(_, name)| is_own(name))
        .map(|(number, _)| *number)
        .collect();
    if own.is_empty() {
        return Err(EngineError::Request(format!(
            "the runs were by the recipes {}, none by {}: give the recipe one of these names",
            names.join(", "),
            recipe.name
        )));
    }
    Ok(own)
}

struct Replay<'a> {
    options: &'a ReplayOptions,
    conditions: Conditions,
    pool: rayon::ThreadPool,
    scratch: Scratch,
    journal: &'a Journal,
}

impl Replay<'_> {
    /// Decides a run again.
    fn decide(&self, posting: &PastPosting) -> Result<(), EngineError> {
        let run = PastRun::of(self.journal, posting)?;
        let outputs = Outputs::of_ledger(self.scratch.post()?);
        posted(outputs, &self.options.recipe.label(), |desk, earlier| {
            let decided = self.pool.install(|| self.tie_out(&run, desk, earlier))?;
            Ok(((), decided))
        })
        .map(drop)
    }

    fn tie_out(&self, run: &PastRun, desk: Desk, earlier: &Earlier) -> Result<End, EngineError> {
        let recipe = &self.options.recipe;
        let mut report = Report::new(desk, earlier);
        let again = Again {
            recipe,
            conditions: &self.conditions,
            as_of: run.as_of,
            earlier,
        };
        let mut session = again.load(&mut report, |table| run.rows(self.journal, table))?;
        let mut cash = Cash::new(&mut session, &self.conditions, earlier, &report)?;
        // Which report has the same money as which is told by the reports, not by the recipe.
        let detailed = Taken::Detailed(run.detailed.clone());
        cash.take(detailed, &mut report, &NoProgress)?;
        let mut arrivals = Arrivals::new(recipe);
        earlier.carry_lockboxes(&mut arrivals);
        for place in 0..run.payments.len() {
            let lines = run.payments(self.journal, place)?;
            earlier.carry_cheques(&lines.transactions, &mut arrivals)?;
            let answers = self.conditions.answers(&lines.transactions)?;
            let arrived = arrivals
                .take(
                    &lines.transactions,
                    &lines.remittance_lines,
                    answers.as_ref(),
                )
                .map_err(internal)?;
            let payments = Payments {
                ids: past::ids(&lines.transactions)?,
                transactions: lines.transactions,
                remittance_lines: lines.remittance_lines,
                arrived,
            };
            cash.take(Taken::Payments(payments), &mut report, &NoProgress)?;
        }
        let booked = Taken::Booked(run.again.clone());
        cash.take(booked, &mut report, &NoProgress)?;
        cash.finish(arrivals, &mut report, &NoProgress)?;
        Ok(End {
            has_news: true,
            repeats: None,
            known: known_at_cutoff(&session, run.as_of, &Value::Null),
        })
    }

    /// Keeps a posting as it was.
    fn copy(&self, posting: &PastPosting) -> Result<(), EngineError> {
        let mut writer = self.scratch.post()?;
        for event in posting.events(self.journal)? {
            self.copy_event(&mut writer, &event)?;
        }
        writer.commit().map(drop).map_err(EngineError::from)
    }

    fn copy_event(&self, writer: &mut LedgerWriter, event: &Event) -> Result<(), EngineError> {
        match event.kind {
            // The scratch has its own.
            EventKind::Opened => return Ok(()),
            // What was purged is purged in the payloads; the posting keeps its number.
            EventKind::Purge => return note(writer, "purge"),
            _ => {}
        }
        let payload = self.journal.payload_bytes(event.sequence)?;
        let payload = payload.ok_or_else(|| past::purged(event))?;
        Ok(writer.copy(event, &payload)?)
    }

    /// Does again what people did. Says no where that does not fit by now, because the recipe
    /// has given the items to others.
    fn act(&self, posting: &PastPosting) -> Result<bool, EngineError> {
        let events = posting.events(self.journal)?;
        let mut writer = self.scratch.post()?;
        let done = self.act_in(&mut writer, &events);
        match done {
            Ok(()) => {
                writer.commit()?;
                Ok(true)
            }
            Err(EngineError::Ledger(LedgerError::Refused { .. })) => {
                drop(writer);
                // Postings keep their numbers.
                let mut writer = self.scratch.post()?;
                writer.append(
                    EventKind::Action,
                    "",
                    serde_json::json!({ "action": "misfit" }),
                )?;
                writer.commit()?;
                Ok(false)
            }
            Err(other) => Err(other),
        }
    }

    fn act_in(&self, writer: &mut LedgerWriter, events: &[Event]) -> Result<(), EngineError> {
        let now = self.scratch.journal();
        for event in events {
            match event.kind {
                EventKind::Reversal => {
                    let ids = past::reversed(self.journal, event, what::PAYMENT)?;
                    let mut reversed = Vec::with_capacity(ids.len());
                    for id in ids {
                        if let Some(state) = now.payment(&id)?.filter(|it| it.status.is_some()) {
                            reversed.push(Reversed {
                                what: what::PAYMENT,
                                id,
                                posting: state.posting,
                            });
                        }
                    }
                    writer.reverse(&reversed)?;
                }
                _ => self.copy_event(writer, event)?,
            }
        }
        Ok(())
    }
}

/// An event that changes nothing.
fn note(writer: &mut LedgerWriter, action: &str) -> Result<(), EngineError> {
    let said = serde_json::json!({ "action": action });
    Ok(writer.append(EventKind::Action, "", said).map(drop)?)
}

/// What an event says that is JSON.
fn said(journal: &Journal, sequence: u64) -> Result<Value, EngineError> {
    match journal.payload(sequence)? {
        Payload::Json(said) => Ok(said),
        Payload::Batches(_) => Ok(Value::Null),
    }
}
