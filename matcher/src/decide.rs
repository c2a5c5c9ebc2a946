//! From a payment to its decision. Reads the state, never changes it.

mod aside;

use tieout_core::{
    Alternative, Application, Date, Decision, DecisionBuilder, Evidence, Feature, ItemIx, Reason,
    Rule, Status, Unbalanced,
};

use crate::items::Items;
use crate::memory::Memory;
use crate::parties::Parties;
use crate::payer::Payer;
use crate::payment::Payment;
use crate::reading::{self, Reading, Reads};
use crate::recipe::{Action, Policies, Policy, Recipe, Step, Treatment};
use crate::rivals::Rivals;
use crate::together::{self, Stage};
use crate::{cited, ladder, lines, named};
use aside::{already_paid, out_of_scope, resubmitted};

/// Alternatives and candidates that a decision keeps.
pub const ALTERNATIVES_MAX: usize = 5;

/// What a decision may look at.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub items: &'a Items,
    pub parties: &'a Parties,
    pub recipe: &'a Recipe,
    pub policies: &'a Policies,
    /// What people's decisions have taught.
    pub memory: &'a Memory,
    /// Payments of one amount, where they compete for items.
    pub rivals: &'a Rivals,
    /// What is known of payments that want the same items.
    pub stage: Stage<'a>,
    /// What the recipe's conditions say of the payment.
    pub treatment: Treatment,
    /// Whether anybody will read the evidence.
    pub explain: bool,
    /// Whether somebody learns from the kinds of answers.
    pub observes: bool,
    /// The day that decides what is past due; the payment's own where none is given.
    pub as_of: Option<Date>,
}

impl<'a> View<'a> {
    /// What holds for the payment.
    pub fn policy(&self) -> &'a Policy {
        self.policies.get(self.treatment.policy)
    }

    /// What holds for the payment where it concerns `party`.
    pub fn policy_of(&self, party: Option<u32>) -> &'a Policy {
        self.policies.of_party(self.treatment.policy, party)
    }

    /// Why a person decides, whatever the payment says.
    pub fn held(&self) -> Option<Reason> {
        match self.treatment.action(self.recipe) {
            _ if self.treatment.undated => Some(Reason::NoVersionHolds),
            Action::Hold(reason) => Some(reason),
            Action::Decide | Action::LeaveOut(_) => None,
        }
    }

    /// Adds the rule of the recipe that holds to the evidence.
    pub fn note_rule(&self, evidence: &mut Vec<Evidence>) {
        let Some(rule) = self.treatment.rule else {
            return;
        };
        evidence.push(Evidence {
            feature: Feature::RecipeRule,
            weight: 0,
            detail: self.recipe.rules[usize::from(rule)].name.as_str().into(),
        });
    }

    /// The text, if anybody will read it.
    pub fn detail(&self, text: impl FnOnce() -> String) -> Box<str> {
        if self.explain {
            text().into_boxed_str()
        } else {
            Box::default()
        }
    }
}

/// What was settled about a payment before its items are looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// Why the line is not a payment to be applied.
    pub scope: Option<Scope>,
    /// The payment that this one resubmits.
    pub resubmits: Option<u32>,
    /// Whether its lines come from linked remittance advice.
    pub linked: bool,
    /// Whether it undoes an earlier payment.
    pub reverses: bool,
    /// What the recipe's conditions say of it.
    pub treatment: Treatment,
}

/// A line that is no customer's single payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing to apply.
    Out(Reason),
    /// Customers' money whose detail did not come.
    DetailMissing,
}

/// How far a payment is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Only what documents named by the payer say; all else waits.
    References,
    /// Also readings by amount alone, now that every named item has been paid.
    Amounts,
}

/// A decision and what it depends on; no decision where the payment waits for the next pass.
#[derive(Default)]
pub struct Verdict {
    pub decision: Option<Decision>,
    pub reads: Reads,
}

/// Decides about `payment`.
pub fn decide(
    view: &View,
    payment: &Payment,
    known: Known,
    pass: Pass,
) -> Result<Verdict, Unbalanced> {
    let view = &View {
        treatment: known.treatment,
        ..*view
    };
    let mut reads = Reads::default();
    let decision = if let Some(scope) = known.scope {
        Some(out_of_scope(view, payment, scope)?)
    } else if let Some(earlier) = known.resubmits {
        Some(resubmitted(view, payment, earlier)?)
    } else if pass == Pass::References && view.held().is_some() {
        None
    } else {
        decide_payment(view, payment, known, pass, &mut reads)?
    };
    Ok(Verdict { decision, reads })
}

/// What the documents that a payment names lead to.
struct ByReference {
    readings: Vec<Reading>,
    repeats: Option<(ItemIx, u32)>,
    names_documents: bool,
}

fn by_reference(
    view: &View,
    payment: &Payment,
    payer: &Payer,
    known: Known,
    reads: &mut Reads,
) -> ByReference {
    if payer.party.is_none() && !view.policy().takes(Step::Documents) {
        return ByReference {
            readings: Vec::new(),
            repeats: None,
            names_documents: false,
        };
    }
    let mut readings: Vec<Reading> = Vec::new();
    if payment.lines.iter().any(|line| line.net.is_some()) {
        readings.extend(lines::read(view, payment, payer, reads));
    }
    weigh(view, &mut readings);
    // Lines that settle their items need no second look at the documents that they name. Where less
    // or more was paid, a damaged number may be another item's, which has the very amount.
    let settles = |reading: &Reading| reading.reason.is_none() && applies(view, reading);
    let citations =
        (!readings.iter().any(settles)).then(|| cited::citations(view, payment, payer, reads));
    if let Some(citations) = &citations {
        let mut named = named::read(view, payment, payer, citations, reads);
        weigh(view, &mut named);
        readings.append(&mut named);
    }
    if known.linked {
        for reading in &mut readings {
            reading.note(Feature::LinkedRemittance, "");
        }
    }
    let is_open = !any_applies(view, &readings);
    let repeats = citations
        .as_ref()
        .filter(|_| is_open)
        .and_then(|citations| named::already_paid(view, payment, citations));
    ByReference {
        readings,
        repeats,
        names_documents: citations.is_none_or(|citations| !citations.is_empty()),
    }
}

/// Weighs the evidence as the recipe does, and adds what people's decisions about answers of the
/// same kind say.
fn weigh(view: &View, readings: &mut [Reading]) {
    for reading in readings {
        view.recipe.weights().weigh(reading);
        let Some((more, right, wrong)) = view.memory.correction(reading) else {
            continue;
        };
        let detail = view.detail(|| format!("{right} confirmed, {wrong} corrected"));
        reading.note_weighted(Feature::RememberedDecisions, more, detail);
    }
}

fn any_applies(view: &View, readings: &[Reading]) -> bool {
    readings.iter().any(|reading| applies(view, reading))
}

fn decide_payment(
    view: &View,
    payment: &Payment,
    known: Known,
    pass: Pass,
    reads: &mut Reads,
) -> Result<Option<Decision>, Unbalanced> {
    let mut payer = Payer::by_marks(view, payment);
    payer.by_number_in(view, payment.text);
    if view.policy().name_comes_first()
        && let Ok(party) = payer.by_name(view)
    {
        payer.assume(party);
    }
    let mut found = by_reference(view, payment, &payer, known, reads);
    for reading in &mut found.readings {
        if applies(view, reading) && payer.is_by_name_another(view, reading) {
            reading.hold(Reason::CustomerConflict);
        }
    }
    let is_paid_in_part = found.readings.iter().any(|reading| {
        let mut evidence = reading.evidence.iter();
        applies(view, reading) && evidence.any(|it| it.feature == Feature::AmountPartial)
    });
    if payer.party.is_none()
        && found.names_documents
        && found.repeats.is_none()
        && (is_paid_in_part || !any_applies(view, &found.readings))
        && let Ok(party) = payer.by_name(view)
    {
        // Among one customer's documents a damaged number can be told.
        payer.assume(party);
        let mut again = by_reference(view, payment, &payer, known, reads);
        if !is_paid_in_part {
            again.readings.append(&mut found.readings);
        }
        if !is_paid_in_part || any_applies(view, &again.readings) {
            found = again;
        }
    }
    let decided = any_applies(view, &found.readings);
    if let Some(earlier) = found.repeats
        && !decided
    {
        return already_paid(view, payment, earlier).map(Some);
    }
    if !decided && pass == Pass::References {
        return Ok(None);
    }
    let mut failure = None;
    let wants_claim = matches!(view.stage, Stage::Claims);
    let by_documents = found.readings.len();
    let mut unsettled = None;
    if !decided && found.names_documents {
        failure = Some(Reason::ReferenceNotFound);
    } else if !decided {
        let by_amount = match view.stage {
            Stage::Settled(_, kept) if !kept.is_empty() => {
                ladder::again(view, &mut payer, kept, reads)
            }
            _ => ladder::read(view, payment, &mut payer, reads),
        };
        match by_amount {
            Ok(mut readings) => {
                if wants_claim {
                    reads.by_amount.clone_from(&readings);
                    if readings.iter().any(|reading| reading.is_rivalled) {
                        let mut free = together::each_alone(&readings);
                        weigh(view, &mut free);
                        unsettled = Some(free);
                    }
                }
                together::tell_apart(view, &mut readings);
                weigh(view, &mut readings);
                found.readings.append(&mut readings);
            }
            Err(reason) => failure = Some(reason),
        }
    }
    if wants_claim {
        let (named, by_amount) = found.readings.split_at(by_documents);
        let by_amount = unsettled.as_deref().unwrap_or(by_amount);
        reads.claim = together::claim(view, payment, named.iter().chain(by_amount));
        if reads.claim.is_none() {
            reads.by_amount = Vec::new();
        }
    }
    together::note_outcome(view, &mut found.readings);
    conclude(view, payment, payer, found.readings, failure, reads).map(Some)
}

/// Whether the reading is good enough to apply itself, runner-up aside.
pub fn applies(view: &View, reading: &Reading) -> bool {
    reading.may_apply && reading.score() >= view.policy_of(reading.party).threshold
}

fn conclude(
    view: &View,
    payment: &Payment,
    payer: Payer,
    mut readings: Vec<Reading>,
    failure: Option<Reason>,
    reads: &mut Reads,
) -> Result<Decision, Unbalanced> {
    let held = view.held();
    if let Some(reason) = held {
        for reading in &mut readings {
            reading.reason = None;
            reading.hold(reason);
        }
    }
    // Stable, so that of equal readings the one of the stronger rule stays in front.
    readings.sort_by_key(|reading| (!reading.may_apply, std::cmp::Reverse(reading.weight())));
    reading::distinct(&mut readings, Reading::items);
    reading::complete_first(&mut readings, payment.amount);
    if view.observes {
        reads.patterns = readings.iter().map(Reading::pattern).collect();
    }
    let mut readings = readings.into_iter();
    let Some(best) = readings.next() else {
        return without_reading(view, payment, payer, failure, reads);
    };
    let others: Vec<Reading> = readings.collect();
    // A reading that is held for what speaks against it is no rival of one that is not.
    let runner_up = others
        .iter()
        .filter(|other| other.may_apply || !best.may_apply)
        .map(Reading::score)
        .fold(0.0, f64::max);
    let score = best.score();
    let margin = ((score - runner_up).max(0.0) * 10_000.0).round() / 10_000.0;
    let policy = view.policy_of(best.party);
    let rest = payment.amount - best.paid();
    let may_rest = rest.is_zero() || policy.on_account;
    let takes_effect = applies(view, &best) && margin >= policy.margin && may_rest;
    let mut parts = DecisionBuilder::new(payment.amount);
    parts.party = best.party.or(payer.party);
    parts.score = score;
    parts.margin = margin;
    parts.reason = best.reason;
    if view.explain {
        parts.evidence = with_prior(&best);
        view.note_rule(&mut parts.evidence);
    }
    parts.alternatives = alternatives(&others, score);
    parts.set_applications(best.parts);
    if !takes_effect {
        parts.unapplied(payment.amount);
        if parts.reason.is_none() || best.may_apply {
            let reason = if score >= policy.threshold {
                Reason::AmbiguousItems
            } else {
                Reason::BelowThreshold
            };
            parts.reason = Some(parts.reason.map_or(reason, |known| known.min(reason)));
        }
        return parts.build(Status::Proposed, best.rule);
    }
    if rest.is_zero() {
        parts.build(Status::Applied, best.rule)
    } else {
        parts.on_account(rest);
        parts.build(Status::PartiallyApplied, best.rule)
    }
}

/// The evidence, with what any answer starts with in front: together they are the score.
fn with_prior(reading: &Reading) -> Vec<Evidence> {
    let prior = Evidence {
        feature: Feature::Prior,
        weight: reading.prior,
        detail: Box::default(),
    };
    let evidence = reading.evidence.iter().cloned();
    std::iter::once(prior).chain(evidence).collect()
}

fn alternatives(others: &[Reading], best: f64) -> Vec<Alternative> {
    others
        .iter()
        .take(ALTERNATIVES_MAX)
        .map(|reading| Alternative {
            items: reading.items(),
            score: reading.score(),
            why: lost_because(reading, best),
        })
        .collect()
}

fn lost_because(reading: &Reading, best: f64) -> Box<str> {
    match reading.reason {
        Some(reason) if !reading.may_apply => reason.sentence().into(),
        _ => format!(
            "{} of {:.4} against {best:.4}",
            reading.rule,
            reading.score()
        )
        .into(),
    }
}

fn without_reading(
    view: &View,
    payment: &Payment,
    mut payer: Payer,
    failure: Option<Reason>,
    reads: &mut Reads,
) -> Result<Decision, Unbalanced> {
    let mut parts = DecisionBuilder::new(payment.amount);
    let party = match payer.by_name(view) {
        Ok(party) => party,
        Err(reason) => {
            view.note_rule(&mut parts.evidence);
            let reason = failure.map_or(reason, |known| known.min(reason));
            parts.reason = Some(view.held().unwrap_or(reason));
            parts.alternatives =
                ladder::of_suspects(view, payment, &payer, ALTERNATIVES_MAX, reads);
            parts.unapplied(payment.amount);
            return parts.build(Status::Unidentified, Rule::NoRule);
        }
    };
    payer.assume(party);
    let mut reading = Reading::new(Rule::CustomerOnly, Some(party));
    payer.judge(view, party, &mut reading);
    view.recipe.weights().weigh(&mut reading);
    parts.reason = failure;
    let names_nothing = failure == Some(Reason::NoReadingFits);
    parts.alternatives = ladder::candidates(view, payment, &payer, party, names_nothing, reads);
    parts.party = Some(party);
    parts.score = reading.score();
    parts.margin = parts.score;
    if view.explain {
        parts.evidence = with_prior(&reading);
        view.note_rule(&mut parts.evidence);
    }
    if let Some(reason) = view.held() {
        parts.reason = Some(reason);
        parts.unapplied(payment.amount);
        return parts.build(Status::Proposed, Rule::Recipe);
    }
    if !view.policy_of(Some(party)).on_account {
        parts.unapplied(payment.amount);
        return parts.build(Status::Unidentified, Rule::CustomerOnly);
    }
    parts.on_account(payment.amount);
    parts.build(Status::OnAccount, Rule::CustomerOnly)
}

/// Whether the parts stay within what is open, whatever order they are taken in.
pub fn fits_open(items: &Items, parts: &[Application]) -> bool {
    parts.iter().enumerate().all(|(place, part)| {
        let open = items.open(part.item);
        let total = part.total();
        let once = parts[..place].iter().all(|other| other.item != part.item);
        once && if open.is_negative() {
            !total.is_positive() && total >= open
        } else {
            !total.is_negative() && total <= open
        }
    })
}
