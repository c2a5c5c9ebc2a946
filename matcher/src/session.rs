//! The state of a run, and the order in which decisions take effect.

mod amounts;
mod references;

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{BooleanArray, RecordBatch};
use hashbrown::HashMap;
use thiserror::Error;
use tieout_core::{Date, Decision, ItemIx, Unbalanced};

use crate::arrivals::Arrivals;
use crate::columns::BadBatch;
use crate::decide::{Known, Pass, Verdict, View, decide};
use crate::items::{CarriedItem, Items, ItemsError, LoadedBatch};
use crate::labels::Labels;
use crate::learn::{Learned, Observer};
use crate::memory::{Lesson, Memory};
use crate::parties::Parties;
use crate::payment::{self, Payment, PaymentColumns};
use crate::reading::Reads;
use crate::recipe::{Answers, Policies, Recipe, Treatment};
use crate::remittance::Remittances;
use crate::reversal::Originals;
use crate::rivals::Rivals;
use crate::scope::{self, DepositGap, LockboxTotals, Lockboxes};
use crate::together::Stage;
use amounts::Amounts;

/// Payments that one thread takes at a time.
const PAYMENTS_PER_TASK: usize = 64;

/// Payments that are decided before any of them takes effect; their verdicts fit into a cache.
const PAYMENTS_PER_ROUND: usize = 2_048;

/// A mistake in the program; what is wrong in files never comes this far.
#[derive(Debug, Error)]
pub enum MatchError {
    /// Not the shape of the table.
    #[error(transparent)]
    BadBatch(#[from] BadBatch),
    /// A decision that does not balance.
    #[error(transparent)]
    Unbalanced(#[from] Unbalanced),
    /// A decision that takes more than is open.
    #[error("payment {payment} would take more of an item than is open")]
    OverApplied {
        /// The payment's sequence number.
        payment: u32,
    },
    /// More payments than sequence numbers.
    #[error("more than 2,147,483,648 payments in one run")]
    TooManyPayments,
}

/// Payments of earlier runs are numbered from here on.
pub const CARRIED: u32 = 1 << 31;

/// What a batch of payments came to.
#[derive(Default)]
pub struct Decisions {
    /// The rows that are decided, ascending.
    pub rows: Vec<u32>,
    /// One decision for each of them.
    pub decisions: Vec<Decision>,
    /// The rows that wait for the amounts, or for the next round of them, ascending.
    pub waiting: Vec<u32>,
}

/// How payments of earlier runs are decided again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// By documents that they or their advice name.
    Documents,
    /// The same, with advice that only the amount tells.
    Advice,
    /// By amounts too, and whatever comes of it: it is the first time that they count.
    Amounts,
}

/// Payments that are decided together.
struct Batch<'a> {
    columns: PaymentColumns<'a>,
    known: Vec<Known>,
    sequences: Vec<u32>,
    pass: Pass,
}

/// One run of matching. Payments are numbered from 0 in the order of their arrival, see
/// [`Arrivals`].
pub struct Session {
    recipe: Recipe,
    policies: Policies,
    /// What the recipe's conditions say of payments that wait.
    treatments: HashMap<u32, Treatment, RandomState>,
    pub(crate) originals: Originals,
    rivals: Rivals,
    amounts: Amounts,
    memory: Memory,
    observer: Option<Observer>,
    as_of: Option<Date>,
    explain: bool,
    items: Items,
    parties: Parties,
    remittances: Remittances,
    lockboxes: Lockboxes,
    labels: Arc<Labels>,
    /// The advice of payments that wait.
    linked: HashMap<u32, u32, RandomState>,
}

impl Session {
    /// A run by `recipe`. `as_of` decides what is past due (each payment's own day where none
    /// is given); `explain` keeps the details of the evidence, which no decision depends on.
    pub fn new(recipe: Recipe, as_of: Option<Date>, explain: bool) -> Self {
        Self {
            policies: Policies::of(&recipe),
            recipe,
            treatments: HashMap::default(),
            originals: Originals::default(),
            rivals: Rivals::default(),
            amounts: Amounts::default(),
            memory: Memory::default(),
            observer: None,
            as_of,
            explain,
            items: Items::default(),
            parties: Parties::default(),
            remittances: Remittances::default(),
            lockboxes: Lockboxes::default(),
            labels: Arc::default(),
            linked: HashMap::default(),
        }
    }

    /// Adds rows of the table `parties`; returns the rows whose party came before.
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of that table.
    pub fn load_parties(&mut self, batch: &RecordBatch) -> Result<Vec<usize>, MatchError> {
        Ok(self.parties.load(batch)?)
    }

    /// Adds rows of the table `open_items`, saying of each what came of it. Rows that `taken`
    /// says no to are never matched.
    ///
    /// # Errors
    /// An [`ItemsError`] if the batch is not of that table or the store is full.
    pub fn load_items(
        &mut self,
        batch: &RecordBatch,
        taken: Option<&BooleanArray>,
    ) -> Result<LoadedBatch, ItemsError> {
        let side = &self.recipe.items;
        self.items.load(batch, taken, side, &mut self.parties)
    }

    /// Adds items of earlier runs with what those have left of them.
    ///
    /// # Errors
    /// An [`ItemsError`] if the batch is not of the table `open_items` or the store is full.
    pub fn carry_items(
        &mut self,
        batch: &RecordBatch,
        taken: Option<&BooleanArray>,
        carried: &[CarriedItem],
    ) -> Result<LoadedBatch, ItemsError> {
        let side = &self.recipe.items;
        self.items
            .load_carried(batch, taken, carried, side, &mut self.parties)
    }

    /// Notes of closed items that were not carried how long their numbers are, as
    /// bits: a word of such a length is missed where it leads to nothing.
    pub fn note_closed_lengths(&mut self, lengths: u64) {
        self.items.note_lengths(lengths);
    }

    /// What cheques and deposits add up to, after [`Session::close`] and all passes.
    pub fn lockboxes(&self) -> Vec<LockboxTotals> {
        self.lockboxes.totals()
    }

    /// Adds remittance advice that came apart from its payments (table `remittance_lines`).
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of that table.
    pub fn load_remittances(&mut self, batch: &RecordBatch) -> Result<(), MatchError> {
        Ok(self.remittances.load(batch)?)
    }

    /// Adds what a person's decision taught, once the parties are loaded.
    pub fn learn(&mut self, lesson: &Lesson) {
        self.memory.learn(lesson, &self.parties);
    }

    /// Builds the indexes, once everything that the business knows is loaded.
    pub fn finish_loading(&mut self) {
        self.parties.finish_loading();
        let groups = self.recipe.sums_groups();
        self.items.finish_loading(self.parties.len(), groups);
        self.policies.name_customers(&self.recipe, &self.parties);
        let parties = 0..self.parties.len() as u32;
        self.labels = Arc::new(Labels {
            parties: parties.map(|party| self.parties.id(party).into()).collect(),
            ..self.items.labels()
        });
    }

    /// Keeps what weights can be learned from, from here on; once everything is loaded.
    pub fn observe(&mut self) {
        self.observer = Some(Observer::of(&self.items, &self.parties));
    }

    /// The weights that what was kept comes to; none where nothing was.
    pub fn learned(&self) -> Option<Learned> {
        let observer = self.observer.as_ref()?;
        Some(observer.learn(self.recipe.weights()))
    }

    /// What outputs call items and parties, once everything is loaded.
    pub fn labels(&self) -> Arc<Labels> {
        Arc::clone(&self.labels)
    }

    /// Name and version of the recipe that holds for each row of the table `transactions`; none
    /// where one version holds for all.
    ///
    /// # Errors
    /// [`MatchError::BadBatch`] if the batch is not of that table.
    pub fn labels_by_day(&self, transactions: &RecordBatch) -> Result<Vec<String>, MatchError> {
        if self.recipe.versions().len() == 1 {
            return Ok(Vec::new());
        }
        let days = payment::days(transactions)?;
        Ok(days.map(|day| self.recipe.label_on(day)).collect())
    }

    /// The open items as they are now.
    pub fn items(&self) -> &Items {
        &self.items
    }

    /// The parties.
    pub fn parties(&self) -> &Parties {
        &self.parties
    }

    /// The advice that came apart from its payments, with its links.
    pub fn remittances(&self) -> &Remittances {
        &self.remittances
    }

    /// The recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Lockboxes whose deposits on the statements differ from their cheques, after all passes.
    pub fn deposit_gaps(&self) -> Vec<DepositGap> {
        self.lockboxes.gaps()
    }

    /// Takes back what arrival told, when nothing arrives any more.
    pub fn close(&mut self, arrivals: Arrivals) {
        self.lockboxes = arrivals.into_lockboxes();
        self.amounts = Amounts::default();
    }

    /// Decides payments of earlier runs again, as far as documents that they name decide them by
    /// now: what was late may have come. Only what takes effect counts; the others stay as they
    /// were decided before. `answers` is what the recipe's conditions say.
    ///
    /// # Errors
    /// A [`MatchError`], which is a mistake in the program.
    pub fn again(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        sequences: &[u32],
        answers: Option<&Answers>,
        late: Late,
    ) -> Result<Decisions, MatchError> {
        let columns = PaymentColumns::of(transactions, remittance_lines)?;
        let mut known = Vec::with_capacity(sequences.len());
        for (row, &sequence) in sequences.iter().enumerate() {
            let payment = columns.head(row);
            let treatment = answers
                .map(|answers| Treatment::of(&self.recipe, answers, row, payment.date))
                .unwrap_or_default();
            let scope = scope::of_line(&self.recipe, &payment, treatment);
            let reverses = scope::is_undoing(&self.recipe, &payment, treatment);
            if scope.is_none() && !reverses && !columns.has_lines(row) {
                self.link_late(&payment, sequence, late);
            }
            known.push(Known {
                scope,
                resubmits: None,
                linked: self.linked.contains_key(&sequence),
                reverses,
                treatment: if self.recipe.has_conditions() {
                    self.policies.find(&self.recipe, treatment)
                } else {
                    treatment
                },
            });
        }
        let batch = Batch {
            columns,
            known,
            sequences: sequences.to_vec(),
            pass: match late {
                Late::Documents | Late::Advice => Pass::References,
                Late::Amounts => Pass::Amounts,
            },
        };
        let mut changes = Changes::default();
        let mut decided = Decisions::default();
        for (row, &sequence) in sequences.iter().enumerate() {
            let known = batch.known[row];
            let decision = if known.reverses && known.scope.is_none() {
                self.undo(&batch, row)?
            } else {
                self.decide(&batch, row, known)?.decision
            };
            // A line that single payments make up stands for none any more.
            let replaces = |decision: &Decision| {
                late == Late::Amounts
                    || decision.takes_effect()
                    || batch.columns.head(row).is_summary
            };
            let Some(decision) = decision.filter(replaces) else {
                decided.waiting.push(row as u32);
                continue;
            };
            self.commit(sequence, &decision, &mut changes)?;
            if self.recipe.reopens() {
                self.originals.decided(sequence, &decision);
            }
            decided.rows.push(row as u32);
            decided.decisions.push(decision);
        }
        Ok(decided)
    }

    fn link_late(&mut self, payment: &Payment, sequence: u32, late: Late) {
        if self.linked.contains_key(&sequence) {
            return;
        }
        if late != Late::Documents {
            self.link_what_is_left(payment, sequence);
        } else if let Some(advice) = self.remittances.link_by_reference(payment, sequence) {
            self.linked.insert(sequence, advice);
        }
    }

    /// By now every advice that names its payment is linked; what is left is told by its amount.
    fn link_what_is_left(&mut self, payment: &Payment, sequence: u32) {
        if payment.is_credit
            && !self.linked.contains_key(&sequence)
            && let Some(advice) = self.remittances.link_by_amount(payment, sequence)
        {
            self.linked.insert(sequence, advice);
        }
    }

    /// Decides about a line that undoes another, if that is decided already.
    fn undo(&self, batch: &Batch, row: usize) -> Result<Option<Decision>, MatchError> {
        let view = View {
            treatment: batch.known[row].treatment,
            ..self.view()
        };
        let (payment, sequence) = (batch.columns.get(row), batch.sequences[row]);
        let is_last_pass = batch.pass == Pass::Amounts;
        let decision = self
            .originals
            .undo(&view, &payment, sequence, is_last_pass)?;
        Ok(decision)
    }

    fn decide(&self, batch: &Batch, row: usize, known: Known) -> Result<Verdict, MatchError> {
        self.decide_at(batch, row, known, Stage::Alone)
    }

    fn decide_at(
        &self,
        batch: &Batch,
        row: usize,
        known: Known,
        stage: Stage,
    ) -> Result<Verdict, MatchError> {
        let mut payment = batch.columns.get(row);
        let is_deposit =
            || batch.pass == Pass::References && scope::is_deposit(&self.recipe, &payment);
        // What undoes a line is decided in the order of arrival.
        if known.scope.is_none() && (known.reverses || is_deposit()) {
            return Ok(Verdict {
                decision: None,
                reads: Reads::default(),
            });
        }
        if known.linked
            && let Some(&advice) = self.linked.get(&batch.sequences[row])
        {
            payment.lines = self.remittances.lines(advice)?;
        }
        let view = View {
            stage,
            ..self.view()
        };
        Ok(decide(&view, &payment, known, batch.pass)?)
    }

    pub(crate) fn view(&self) -> View<'_> {
        View {
            items: &self.items,
            parties: &self.parties,
            recipe: &self.recipe,
            policies: &self.policies,
            memory: &self.memory,
            rivals: &self.rivals,
            stage: Stage::Alone,
            treatment: Treatment::default(),
            explain: self.explain,
            observes: self.observer.is_some(),
            as_of: self.as_of,
        }
    }

    /// Lets the decision take effect on the items.
    fn commit(
        &mut self,
        sequence: u32,
        decision: &Decision,
        changes: &mut Changes,
    ) -> Result<(), MatchError> {
        if !decision.takes_effect() {
            return Ok(());
        }
        for part in decision.applications() {
            if decision.opens_items() {
                self.items.give(part.item, part.total());
            } else if !self.items.take(part.item, part.total(), sequence) {
                return Err(MatchError::OverApplied { payment: sequence });
            }
            changes.add(part.item.0, &self.items, &self.parties);
        }
        Ok(())
    }
}

/// What payments change of what is open.
#[derive(Default)]
struct Changes {
    items: HashMap<u32, (), RandomState>,
    families: HashMap<u32, (), RandomState>,
}

impl Changes {
    fn add(&mut self, item: u32, items: &Items, parties: &Parties) {
        self.items.insert(item, ());
        if let Some(party) = items.party(ItemIx(item)) {
            self.families.insert(parties.root(party), ());
        }
    }

    /// Whether anything that a decision rests on has changed.
    fn touch(&self, reads: &Reads) -> bool {
        reads.items.iter().any(|item| self.items.contains_key(item))
            || reads
                .families
                .iter()
                .any(|family| self.families.contains_key(family))
    }
}
