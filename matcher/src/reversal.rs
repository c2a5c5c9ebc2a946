//! Lines that undo earlier ones: returns, cheques that bounced, reversals, disputes. What the
//! earlier line did to items is undone with it.

use ahash::RandomState;
use hashbrown::HashMap;
use smallvec::SmallVec;
use tieout_core::{
    Amount, Application, Currency, Date, Decision, DecisionBuilder, Direction, Evidence, Feature,
    Reason, Rule, Status, Unbalanced,
};

use crate::cited;
use crate::decide::{View, fits_open};
use crate::payer::Payer;
use crate::payment::Payment;
use crate::reference;
use crate::score::{PRIOR, probability, weight};

/// A shorter mark names nothing.
const MARK_BYTES_MIN: usize = 4;
/// What stands for "no reference".
const NO_MARK: [&str; 4] = ["NONREF", "NOTPROVIDED", "NOTAVAILABLE", "NONE"];

/// The weight of a reference where less comes back than was paid, which is usual for refunds and
/// disputes: the amounts then say nothing, and a reference of its own names the line.
const PARTLY_UNDONE_WEIGHT: i32 = 1_900;

/// A line that a later one may undo.
struct Line {
    amount: Amount,
    currency: Currency,
    direction: Direction,
    date: Date,
    /// How much of it has been undone.
    undone: Amount,
    outcome: Option<Outcome>,
}

/// What became of it.
pub(crate) struct Outcome {
    pub(crate) status: Status,
    pub(crate) party: Option<u32>,
    pub(crate) parts: Vec<Application>,
    pub(crate) opens: bool,
    pub(crate) on_account: Amount,
}

/// The lines so far, for those that undo them.
pub struct Originals {
    lines: HashMap<u32, Line, RandomState>,
    by_mark: HashMap<u64, SmallVec<[u32; 2]>, RandomState>,
    hash: RandomState,
}

impl Default for Originals {
    fn default() -> Self {
        Self {
            lines: HashMap::default(),
            by_mark: HashMap::default(),
            hash: RandomState::with_seeds(41, 42, 43, 44),
        }
    }
}

/// How the line that is undone was told.
struct Told {
    original: u32,
    feature: Feature,
}

/// A mark in one form, if it names anything.
fn in_one_form(mark: &str) -> Option<String> {
    let letters = mark.chars().filter(char::is_ascii_alphanumeric);
    let form: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
    (form.len() >= MARK_BYTES_MIN && !NO_MARK.contains(&form.as_str())).then_some(form)
}

impl Originals {
    fn mark(&self, payment: &Payment, direction: Direction, kind: u8, mark: &str) -> u64 {
        self.hash
            .hash_one((kind, payment.currency, direction, mark))
    }

    /// What a line may be named by: its references, the numbers in its text, and its account.
    pub(crate) fn keys(&self, payment: &Payment, undoes: bool) -> SmallVec<[u64; 4]> {
        let own = [
            payment.end_to_end_id,
            payment.bank_reference,
            payment.check_number,
        ];
        let words = reference::tokens(payment.text);
        let words = words.filter(|word| undoes || reference::says_something(word));
        let marks = own
            .into_iter()
            .flatten()
            .chain(words)
            .filter_map(in_one_form);
        let account = payment.payer_account.and_then(in_one_form);
        let direction = payment.direction();
        marks
            .map(|mark| (0, mark))
            .chain(account.map(|account| (1, account)))
            .map(|(kind, mark)| self.mark(payment, direction, kind, &mark))
            .collect()
    }

    /// Whether the line is known.
    pub(crate) fn has(&self, sequence: u32) -> bool {
        self.lines.contains_key(&sequence)
    }

    /// Notes a line of an earlier run, of which `undone` has been undone.
    pub(crate) fn carry(
        &mut self,
        sequence: u32,
        payment: &Payment,
        undoes: bool,
        (outcome, undone): (Outcome, Amount),
    ) {
        self.add(sequence, payment, undoes);
        if let Some(line) = self.lines.get_mut(&sequence) {
            line.outcome = Some(outcome);
            line.undone = undone;
        }
    }

    /// Notes a line, by its references and the numbers in its text. One that undoes another may be
    /// undone itself, by what names the first.
    pub fn add(&mut self, sequence: u32, payment: &Payment, undoes: bool) {
        let direction = payment.direction();
        for key in self.keys(payment, undoes) {
            let lines = self.by_mark.entry(key).or_default();
            if lines.last() != Some(&sequence) {
                lines.push(sequence);
            }
        }
        self.lines.insert(
            sequence,
            Line {
                amount: payment.amount,
                currency: payment.currency,
                direction,
                date: payment.date,
                undone: Amount::ZERO,
                outcome: None,
            },
        );
    }

    /// Notes what became of a line.
    pub fn decided(&mut self, sequence: u32, decision: &Decision) {
        let took = decision.takes_effect();
        let outcome = Outcome {
            status: decision.status(),
            party: decision.party(),
            parts: if took {
                decision.applications().to_vec()
            } else {
                Vec::new()
            },
            opens: decision.opens_items(),
            on_account: decision.on_account(),
        };
        let counts = !matches!(outcome.status, Status::Proposed | Status::Unidentified);
        if let Some(line) = self.lines.get_mut(&sequence) {
            line.outcome = Some(outcome);
        }
        if let Some(original) = decision.reverses().filter(|_| counts)
            && let Some(line) = self.lines.get_mut(&original)
        {
            line.undone += decision.amount();
        }
    }

    /// Whether all of the line was undone.
    pub fn is_undone(&self, sequence: u32) -> bool {
        let line = self.lines.get(&sequence);
        line.is_some_and(|line| line.undone >= line.amount)
    }

    /// Decides about a line that undoes another; none while that may still be decided.
    pub fn undo(
        &self,
        view: &View,
        payment: &Payment,
        sequence: u32,
        is_last_pass: bool,
    ) -> Result<Option<Decision>, Unbalanced> {
        let told = match self.find(view, payment, sequence) {
            Ok(told) => told,
            Err(Reason::OriginalNotFound) if !is_last_pass => return Ok(None),
            Err(reason) => return not_told(payment, reason).map(Some),
        };
        let line = &self.lines[&told.original];
        match &line.outcome {
            Some(outcome) => undone(view, payment, &told, line, outcome).map(Some),
            None if is_last_pass => not_told(payment, Reason::OriginalNotFound).map(Some),
            None => Ok(None),
        }
    }

    /// The line that `payment` undoes.
    fn find(&self, view: &View, payment: &Payment, sequence: u32) -> Result<Told, Reason> {
        let original = Feature::OriginalReference;
        let found = match self.one_of(view, payment, sequence, &self.by_marks(payment), true)? {
            Some(found) => Some((found, original)),
            None => self
                .one_of(view, payment, sequence, &by_documents(view, payment), true)?
                .map(|found| (found, original)),
        };
        let found = match found {
            Some(found) => Some(found),
            None => self
                .one_of(view, payment, sequence, &self.by_account(payment), false)?
                .map(|found| (found, Feature::PayerAccount)),
        };
        let (original, feature) = found.ok_or(Reason::OriginalNotFound)?;
        Ok(Told { original, feature })
    }

    /// By what the line that `payment` undoes may be named.
    pub(crate) fn sought(&self, payment: &Payment) -> Vec<u64> {
        let account = payment.payer_account.and_then(in_one_form);
        let direction = payment.direction().opposite();
        let account = account.map(|account| self.mark(payment, direction, 1, &account));
        self.marks_sought(payment).chain(account).collect()
    }

    fn marks_sought<'a>(&'a self, payment: &'a Payment) -> impl Iterator<Item = u64> + 'a {
        let own = [
            payment.end_to_end_id,
            payment.bank_reference,
            payment.check_number,
        ];
        let documents = payment.lines.iter().map(|line| line.document);
        let words = own.into_iter().flatten().chain(documents);
        let words = words.chain(reference::tokens(payment.text));
        let direction = payment.direction().opposite();
        words
            .filter_map(in_one_form)
            .map(move |mark| self.mark(payment, direction, 0, &mark))
    }

    fn by_marks(&self, payment: &Payment) -> Vec<u32> {
        let mut lines: Vec<u32> = self
            .marks_sought(payment)
            .filter_map(|key| self.by_mark.get(&key))
            .flatten()
            .copied()
            .collect();
        lines.sort_unstable();
        lines.dedup();
        lines
    }

    fn by_account(&self, payment: &Payment) -> Vec<u32> {
        let direction = payment.direction().opposite();
        let account = payment.payer_account.and_then(in_one_form);
        let lines = account.and_then(|account| {
            self.by_mark
                .get(&self.mark(payment, direction, 1, &account))
        });
        lines.map(|lines| lines.to_vec()).unwrap_or_default()
    }

    /// The one of `lines` that has the amount; else, with `partly`, the one that has more.
    fn one_of(
        &self,
        view: &View,
        payment: &Payment,
        sequence: u32,
        lines: &[u32],
        partly: bool,
    ) -> Result<Option<u32>, Reason> {
        let left: Vec<(u32, Amount)> = lines
            .iter()
            .filter(|&&line| line != sequence)
            .filter_map(|&number| Some((number, self.lines.get(&number)?)))
            .filter(|(_, line)| may_be(view, payment, line))
            .map(|(number, line)| (number, line.amount - line.undone))
            .collect();
        let exact = |&&(_, left): &&(u32, Amount)| left == payment.amount;
        let more = |&&(_, left): &&(u32, Amount)| partly && left > payment.amount;
        for fitting in [
            left.iter().filter(exact).collect::<Vec<_>>(),
            left.iter().filter(more).collect(),
        ] {
            match fitting.as_slice() {
                [] => {}
                [(number, _)] => return Ok(Some(*number)),
                _ => return Err(Reason::AmbiguousItems),
            }
        }
        Ok(None)
    }
}

/// Whether `line` went the other way in the days before `payment`.
fn may_be(view: &View, payment: &Payment, line: &Line) -> bool {
    let days = payment.date.days() - line.date.days();
    line.direction != payment.direction()
        && line.currency == payment.currency
        && (0..=view.recipe.reversals.days).contains(&days)
}

/// The payments of the items that the line names.
pub(crate) fn by_documents(view: &View, payment: &Payment) -> Vec<u32> {
    let mirrored = Payment {
        is_credit: !payment.is_credit,
        ..payment.clone()
    };
    let payer = Payer::by_marks(view, &mirrored);
    let documents = payment.lines.iter().map(|line| line.document);
    let mut payments: Vec<u32> = documents
        .chain(reference::tokens(payment.text))
        .flat_map(|word| cited::meant(view, &mirrored, &payer, word).items)
        .filter_map(|item| view.items.paid_by(item))
        .collect();
    payments.sort_unstable();
    payments.dedup();
    payments
}

fn not_told(payment: &Payment, reason: Reason) -> Result<Decision, Unbalanced> {
    let mut parts = DecisionBuilder::new(payment.amount);
    parts.unapplied(payment.amount);
    parts.reason = Some(reason);
    parts.build(Status::Unidentified, Rule::Reversal)
}

/// The decision that undoes `outcome`, or leaves it to a person.
fn undone(
    view: &View,
    payment: &Payment,
    told: &Told,
    line: &Line,
    outcome: &Outcome,
) -> Result<Decision, Unbalanced> {
    let mut parts = DecisionBuilder::new(payment.amount);
    let is_whole = line.undone.is_zero() && line.amount == payment.amount;
    let evidence = |feature, weight| Evidence {
        feature,
        weight,
        detail: Box::default(),
    };
    parts.evidence = if line.amount - line.undone == payment.amount {
        vec![
            evidence(told.feature, weight(told.feature)),
            evidence(Feature::AmountExact, weight(Feature::AmountExact)),
        ]
    } else {
        vec![evidence(told.feature, PARTLY_UNDONE_WEIGHT)]
    };
    let log_odds: i32 = parts.evidence.iter().map(|part| part.weight).sum();
    view.note_rule(&mut parts.evidence);
    parts.score = probability(PRIOR + log_odds);
    parts.margin = parts.score;
    parts.party = outcome.party;
    parts.reverses = Some(told.original);
    parts.opens_items = !outcome.opens;
    let applications = match outcome.parts.as_slice() {
        all if is_whole => Some(all.to_vec()),
        [one] if outcome.on_account.is_zero() && payment.amount <= one.applied => {
            Some(vec![part_of(one, payment.amount)])
        }
        [] => Some(Vec::new()),
        _ => None,
    };
    let fits = |parts: &[Application]| !outcome.opens || fits_open(view.items, parts);
    let is_certain = parts.score >= view.policy_of(outcome.party).threshold;
    let Some(applications) = applications.filter(|all| fits(all)).filter(|_| is_certain) else {
        parts.reason = Some(if is_certain {
            Reason::AmbiguousItems
        } else {
            Reason::BelowThreshold
        });
        parts.unapplied(payment.amount);
        return parts.build(Status::Proposed, Rule::Reversal);
    };
    if !applications.is_empty() {
        for part in applications {
            parts.push(part);
        }
        let rest = payment.amount - parts.cash_applied();
        if rest.is_zero() {
            return parts.build(Status::Applied, Rule::Reversal);
        }
        parts.on_account(rest);
        return parts.build(Status::PartiallyApplied, Rule::Reversal);
    }
    parts.opens_items = false;
    match outcome.status {
        Status::OnAccount => {
            parts.reason = Some(Reason::OriginalNotApplied);
            parts.on_account(payment.amount);
            parts.build(Status::OnAccount, Rule::Reversal)
        }
        Status::OutOfScope => {
            parts.reason = Some(Reason::Reversal);
            parts.unapplied(payment.amount);
            parts.build(Status::OutOfScope, Rule::Reversal)
        }
        _ => {
            parts.reason = Some(Reason::OriginalNotApplied);
            parts.unapplied(payment.amount);
            parts.build(Status::Proposed, Rule::Reversal)
        }
    }
}

fn part_of(whole: &Application, cash: Amount) -> Application {
    crate::settle::application(whole.item, cash)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tieout_core::ItemIx;

    use super::*;
    use crate::items::Items;
    use crate::parties::Parties;
    use crate::recipe::{Policies, Recipe, Treatment};
    use crate::rivals::Rivals;

    const RECIPE: &str =
        "name = \"x\"\nversion = 1\n[reversals]\ntreat_as = \"reopen\"\ndays = 30\n";

    fn units(cents: i128) -> Amount {
        Amount::from_units(cents * 1_000)
    }

    fn line(is_credit: bool, cents: i128, day: i32, id: &str) -> Payment<'_> {
        Payment {
            amount: units(cents),
            currency: Currency::USD,
            date: Date::from_days(day),
            is_credit,
            is_lockbox: false,
            is_summary: false,
            is_pending: false,
            is_reversal: !is_credit,
            is_return: false,
            type_code: "",
            payer_account: None,
            payer_name: None,
            check_number: None,
            bank_reference: None,
            end_to_end_id: Some(id).filter(|id| !id.is_empty()),
            customer_number: None,
            text: "",
            creditor_reference: None,
            lines: SmallVec::new(),
        }
    }

    /// Payments of one item each, by sequence number: cents, day and end-to-end identifier.
    fn paid(payments: &[(i128, i32, &str)]) -> Originals {
        let mut originals = Originals::default();
        for (sequence, &(cents, day, id)) in (0..).zip(payments) {
            originals.add(sequence, &line(true, cents, day, id), false);
            let mut parts = DecisionBuilder::new(units(cents));
            parts.apply(ItemIx(sequence), units(cents));
            let decision = parts.build(Status::Applied, Rule::References);
            originals.decided(sequence, &decision.unwrap());
        }
        originals
    }

    /// What becomes of a return as the line number 90: its status, and the items opened by what.
    fn undo(
        originals: &mut Originals,
        (cents, day, id): (i128, i32, &str),
    ) -> (Status, Vec<(u32, Amount)>) {
        let recipe = Recipe::parse(RECIPE).unwrap();
        let (items, parties, rivals) = (Items::default(), Parties::default(), Rivals::default());
        let view = View {
            items: &items,
            parties: &parties,
            recipe: &recipe,
            memory: &crate::memory::Memory::default(),
            policies: &Policies::of(&recipe),
            rivals: &rivals,
            stage: crate::together::Stage::Alone,
            treatment: Treatment::default(),
            explain: true,
            observes: false,
            as_of: None,
        };
        let payment = line(false, cents, day, id);
        originals.add(90, &payment, true);
        let decision = originals.undo(&view, &payment, 90, true).unwrap().unwrap();
        originals.decided(90, &decision);
        let parts = decision.applications().iter();
        let opened = parts.map(|part| (part.item.0, part.applied)).collect();
        assert_eq!(decision.opens_items(), decision.takes_effect());
        (decision.status(), opened)
    }

    #[test]
    fn a_return_opens_what_its_payment_paid_once() {
        let mut originals = paid(&[(500, 1, "T0001"), (500, 1, "T0002")]);
        let opened = undo(&mut originals, (500, 3, "T0002"));
        assert_eq!(opened, (Status::Applied, vec![(1, units(500))]));
        assert!(originals.is_undone(1) && !originals.is_undone(0));
        let again = undo(&mut originals, (500, 4, "T0002"));
        assert_eq!(again, (Status::Unidentified, vec![]));
    }

    #[test]
    fn a_part_may_come_back_and_then_the_rest_but_no_more() {
        let mut originals = paid(&[(500, 1, "T0001")]);
        let part = undo(&mut originals, (200, 3, "T0001"));
        assert_eq!(part, (Status::Applied, vec![(0, units(200))]));
        let more = undo(&mut originals, (400, 4, "T0001"));
        assert_eq!(more.0, Status::Unidentified);
        let rest = undo(&mut originals, (300, 5, "T0001"));
        assert_eq!(rest, (Status::Applied, vec![(0, units(300))]));
        assert!(originals.is_undone(0));
    }

    #[test]
    fn of_two_that_fit_neither_is_undone() {
        let mut originals = paid(&[(500, 1, "T0001"), (500, 2, "T0001")]);
        assert_eq!(
            undo(&mut originals, (500, 3, "T0001")).0,
            Status::Unidentified
        );
    }

    #[test]
    fn days_direction_and_reference_have_to_fit() {
        for wrong in [
            (500, 40, "T0001"),
            (500, 0, "T0001"),
            (500, 3, "T0009"),
            (500, 3, ""),
        ] {
            let mut originals = paid(&[(500, 1, "T0001")]);
            assert_eq!(
                undo(&mut originals, wrong).0,
                Status::Unidentified,
                "{wrong:?}"
            );
        }
    }
}
