//! Lines of earlier runs that those of this run undo, or whose cheques come again: what is looked
//! for, and how what was found takes its place among the lines of this run.

use ahash::RandomState;
use arrow::array::RecordBatch;
use hashbrown::HashSet;
use tieout_core::schema::parsed_remittance_lines;
use tieout_core::{Amount, Application, Date, Status};

use crate::arrivals::Arrived;
use crate::payment::PaymentColumns;
use crate::recipe::{Answers, Recipe, Treatment};
use crate::reversal::{Originals, Outcome, by_documents};
use crate::scope;
use crate::session::{CARRIED, MatchError, Session};

/// What is looked for among the lines of earlier runs.
#[derive(Default)]
pub struct Sought {
    /// The first and the last day on which they can be.
    pub days: Option<(Date, Date)>,
    /// Their numbers, where those are known.
    pub numbers: HashSet<u32, RandomState>,
    keys: HashSet<u64, RandomState>,
}

/// Lines of one batch that are looked for, or that undo others.
#[derive(Default)]
pub struct Candidates {
    /// The rows that have something in common with what is looked for, and whether they undo
    /// others themselves.
    pub alike: Vec<(u32, bool)>,
    /// The rows that undo others.
    pub undoing: Vec<u32>,
}

/// What an earlier run made of a line.
pub struct EarlierOutcome {
    /// How it ended.
    pub status: Status,
    /// The customer's identifier.
    pub party_id: Option<String>,
    /// What it did to items.
    pub parts: Vec<EarlierPart>,
    /// Whether it has opened those items again.
    pub opens: bool,
    /// Cash on account.
    pub on_account: Amount,
    /// How much of it has been undone since.
    pub undone: Amount,
}

/// What an earlier run did to one item.
pub struct EarlierPart {
    /// The item's identifier.
    pub item_id: String,
    /// Its document number, or nothing.
    pub item_number: String,
    /// Its party's identifier.
    pub party_id: Option<String>,
    /// The amounts; which item they are of is not looked at.
    pub application: Application,
}

impl Sought {
    fn on(&mut self, date: Date, within_days: i32) {
        let first = Date::from_days(date.days().saturating_sub(within_days));
        let (earliest, latest) = self.days.unwrap_or((first, date));
        self.days = Some((earliest.min(first), latest.max(date)));
    }
}

impl Session {
    /// What of earlier runs the payments of a batch may undo or repeat; none where nothing does.
    /// The arguments are those of [`Session::references`].
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batches do not have their shapes.
    pub fn seeks(
        &self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        arrived: &Arrived,
    ) -> Result<Option<Sought>, MatchError> {
        if !self.recipe().reopens() {
            return Ok(None);
        }
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        let within_days = self.recipe().reversals.days;
        let mut sought = Sought::default();
        for (row, known) in arrived.known.iter().enumerate() {
            let again = known.resubmits.filter(|&earlier| self.is_unknown(earlier));
            let undoes = known.reverses && known.scope.is_none();
            if !undoes && again.is_none() {
                continue;
            }
            let payment = columns.get(row);
            sought.on(payment.date, within_days);
            sought.numbers.extend(again);
            if undoes {
                sought.keys.extend(self.originals.sought(&payment));
                let named = by_documents(&self.view(), &payment).into_iter();
                sought
                    .numbers
                    .extend(named.filter(|&earlier| self.is_unknown(earlier)));
            }
        }
        Ok(sought.days.is_some().then_some(sought))
    }

    fn is_unknown(&self, earlier: u32) -> bool {
        earlier >= CARRIED && !self.originals.has(earlier)
    }

    /// The lines of an earlier run among `transactions` that may be `sought`; `answers` is what the
    /// recipe's conditions say of them, and `number` gives the number of a row where this run has
    /// one for it.
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of that table.
    pub fn candidates(
        &self,
        transactions: &RecordBatch,
        sought: &Sought,
        answers: Option<&Answers>,
        number: impl Fn(u32) -> Option<u32>,
    ) -> Result<Candidates, MatchError> {
        let is_numbered = |row: u32| number(row).is_some_and(|own| sought.numbers.contains(&own));
        let recipe = self.recipe();
        candidates(
            recipe,
            &self.originals,
            transactions,
            sought,
            answers,
            is_numbered,
        )
    }

    /// Lets the line in `row` of `transactions` (one of [`Candidates::alike`]), which an earlier run has decided, stand as number
    /// `sequence` among the lines that may be undone.
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of that table.
    pub fn carry_line(
        &mut self,
        sequence: u32,
        transactions: &RecordBatch,
        (row, undoes): (u32, bool),
        earlier: &EarlierOutcome,
    ) -> Result<(), MatchError> {
        if self.originals.has(sequence) {
            return Ok(());
        }
        let no_lines = RecordBatch::new_empty(parsed_remittance_lines());
        let columns = PaymentColumns::of(transactions, &no_lines)?;
        let payment = columns.head(row as usize);
        let party = |id: Option<&str>| id.and_then(|id| self.parties().find(id));
        let parts = earlier.parts.iter().map(|part| {
            let owner = party(part.party_id.as_deref());
            let item = self
                .items()
                .named(&part.item_id, &part.item_number, owner)?;
            Some(Application {
                item,
                ..part.application.clone()
            })
        });
        // Without one of its items nobody can say what undoing it comes to.
        let Some(parts) = parts.collect::<Option<Vec<_>>>() else {
            return Ok(());
        };
        let outcome = Outcome {
            status: earlier.status,
            party: party(earlier.party_id.as_deref()),
            parts,
            opens: earlier.opens,
            on_account: earlier.on_account,
        };
        self.originals
            .carry(sequence, &payment, undoes, (outcome, earlier.undone));
        Ok(())
    }
}

/// The rows of an earlier run that may be `sought`.
fn candidates(
    recipe: &Recipe,
    originals: &Originals,
    transactions: &RecordBatch,
    sought: &Sought,
    answers: Option<&Answers>,
    is_numbered: impl Fn(u32) -> bool,
) -> Result<Candidates, MatchError> {
    let mut found = Candidates::default();
    let Some((first, last)) = sought.days else {
        return Ok(found);
    };
    let no_lines = RecordBatch::new_empty(parsed_remittance_lines());
    let columns = PaymentColumns::of(transactions, &no_lines)?;
    for row in 0..transactions.num_rows() as u32 {
        let payment = columns.head(row as usize);
        if payment.date < first {
            continue;
        }
        let treatment =
            answers.map(|answers| Treatment::of(recipe, answers, row as usize, payment.date));
        let treatment = treatment.unwrap_or_default();
        let undoes = scope::is_undoing(recipe, &payment, treatment);
        if undoes {
            found.undoing.push(row);
        }
        let is_alike = || {
            let keys = originals.keys(&payment, undoes);
            keys.iter().any(|key| sought.keys.contains(key))
        };
        if payment.date <= last && (is_alike() || is_numbered(row)) {
            found.alike.push((row, undoes));
        }
    }
    Ok(found)
}

/// What the lines of a run may undo or repeat, told before any of them is matched; rather more than
/// less.
#[derive(Default)]
pub struct Undoing {
    sought: Sought,
    originals: Originals,
}

impl Undoing {
    /// Takes lines of this run; the arguments are those of [`Session::references`], with what the
    /// recipe's conditions say of the rows. `repeats` are rows whose cheque came before.
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batches do not have their shapes.
    pub fn take(
        &mut self,
        recipe: &Recipe,
        (transactions, remittance_lines): (&RecordBatch, &RecordBatch),
        answers: Option<&Answers>,
        repeats: impl Fn(usize) -> bool,
    ) -> Result<(), MatchError> {
        if !recipe.reopens() {
            return Ok(());
        }
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        for row in 0..transactions.num_rows() {
            let payment = columns.get(row);
            let treatment = answers
                .map(|answers| Treatment::of(recipe, answers, row, payment.date))
                .unwrap_or_default();
            let undoes = scope::is_undoing(recipe, &payment, treatment);
            if undoes || repeats(row) {
                self.sought.on(payment.date, recipe.reversals.days);
            }
            if undoes {
                self.sought.keys.extend(self.originals.sought(&payment));
            }
        }
        Ok(())
    }

    /// The first day on which what is undone can be; none where nothing is.
    pub fn first_day(&self) -> Option<Date> {
        self.sought.days.map(|(first, _)| first)
    }

    /// The rows of a batch of an earlier run that may be meant; `is_named` tells those that are
    /// known by something else.
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of the table `transactions`.
    pub fn candidates(
        &self,
        recipe: &Recipe,
        transactions: &RecordBatch,
        answers: Option<&Answers>,
        is_named: impl Fn(u32) -> bool,
    ) -> Result<Vec<u32>, MatchError> {
        let (originals, sought) = (&self.originals, &self.sought);
        let found = candidates(recipe, originals, transactions, sought, answers, is_named)?;
        Ok(found.alike.into_iter().map(|(row, _)| row).collect())
    }
}
