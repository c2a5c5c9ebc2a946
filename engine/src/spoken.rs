//! Closed items that a run may speak of. A ledger's start reads what is open; of what was paid
//! before, the matcher needs what a payment, its advice or a line that undoes another may name. So
//! the bank's files are read once ahead, and what they may name is looked up: rather more than
//! less, since an item that nothing names changes no decision.

use ahash::{HashSet, HashSetExt as _};
use arrow::array::{RecordBatch, StringArray};
use tieout_core::LineId;
use tieout_core::Significant;
use tieout_core::schema::Table;
use tieout_ingest::Batch;
use tieout_ledger::journal::{Journal, Place};
use tieout_matcher::{Recipe, Undoing, may_name};

use crate::carried::{Earlier, seen_cheques};
use crate::conditions::Conditions;
use crate::intake::{column, internal};
use crate::originals::Decided;
use crate::{EngineError, sides};

/// Names that are kept before those that came twice are left out.
const NAMES_MAX: usize = 1 << 22;

/// What the rows of a run may name.
pub struct Spoken<'a> {
    recipe: &'a Recipe,
    conditions: &'a Conditions,
    earlier: &'a Earlier,
    journal: &'a Journal,
    names: Vec<u64>,
    undoing: Undoing,
    /// Payments whose cheques come again.
    repeated: HashSet<LineId>,
}

impl<'a> Spoken<'a> {
    /// Nothing yet but what earlier runs have left waiting; none where all items are carried
    /// anyway.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn of(
        recipe: &'a Recipe,
        conditions: &'a Conditions,
        earlier: &'a Earlier,
    ) -> Result<Option<Self>, EngineError> {
        let Some(journal) = earlier.journal() else {
            return Ok(None);
        };
        if journal.closed_lengths()?.is_none() {
            return Ok(None);
        }
        let mut spoken = Self {
            recipe,
            conditions,
            earlier,
            journal,
            names: Vec::new(),
            undoing: Undoing::default(),
            repeated: HashSet::new(),
        };
        for received in &earlier.left.advice {
            spoken.advice(&received.rows)?;
        }
        for waiting in &earlier.left.waiting {
            spoken.as_matched(&waiting.payments, &waiting.lines)?;
        }
        Ok(Some(spoken))
    }

    /// Takes rows of the table `remittance_lines`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if they are not.
    pub fn advice(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        let documents: &StringArray =
            column(rows, Table::RemittanceLines.column("document_number"))?;
        documents.iter().flatten().for_each(|text| self.text(text));
        Ok(())
    }

    /// Takes what a file has.
    ///
    /// # Errors
    /// [`EngineError::Condition`] if a value of the recipe cannot be computed,
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn batch(&mut self, batch: &Batch) -> Result<(), EngineError> {
        match batch {
            Batch::Transactions {
                transactions,
                remittance_lines,
            } => self.lines(transactions, remittance_lines),
            Batch::Rows(Table::RemittanceLines, rows) => self.advice(rows),
            _ => Ok(()),
        }
    }

    /// Takes parsed lines with their documents.
    ///
    /// # Errors
    /// Those of [`Spoken::batch`].
    pub fn lines(
        &mut self,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
    ) -> Result<(), EngineError> {
        let table = sides::as_table(transactions)?;
        let as_matched = self.as_matched(&table, remittance_lines)?;
        if !self.recipe.reopens() {
            return Ok(());
        }
        let cheques = seen_cheques(self.journal, transactions)?;
        let repeats: HashSet<usize> = cheques.iter().map(|cheque| cheque.row).collect();
        let payments = cheques.iter().map(|cheque| cheque.payment);
        self.repeated.extend(payments);
        let answers = self.conditions.answers(&table)?;
        self.undoing
            .take(
                self.recipe,
                (&as_matched, remittance_lines),
                answers.as_ref(),
                |row| repeats.contains(&row),
            )
            .map_err(internal)
    }

    /// Notes what rows of the table `transactions` may name; returns them as they are matched.
    fn as_matched(
        &mut self,
        table: &RecordBatch,
        remittance_lines: &RecordBatch,
    ) -> Result<RecordBatch, EngineError> {
        let as_matched = self.conditions.lines_as_matched(table)?;
        let texts = |name| column::<StringArray>(&as_matched, Table::Transactions.column(name));
        let (words, references) = (texts("remittance_text")?, texts("creditor_reference")?);
        let words = words.iter().chain(references).flatten();
        words.for_each(|text| self.text(text));
        let documents = remittance_lines.column_by_name("document_number");
        let documents = documents.and_then(|column| column.as_any().downcast_ref::<StringArray>());
        let documents = documents.ok_or_else(|| internal("the documents have no numbers"))?;
        documents.iter().flatten().for_each(|text| self.text(text));
        Ok(as_matched)
    }

    fn text(&mut self, text: &str) {
        let names = &mut self.names;
        may_name(text, |reference| {
            let reference = reference.as_bytes();
            let (all, run) = (Significant::of(reference), Significant::last_run(reference));
            names.extend(all.stable_hash());
            if run != all {
                names.extend(run.stable_hash());
            }
        });
        if names.len() >= NAMES_MAX && names.len() == names.capacity() {
            names.sort_unstable();
            names.dedup();
        }
    }

    /// The rows of the closed items that are spoken of, ascending.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn places(mut self) -> Result<Vec<Place>, EngineError> {
        self.names.sort_unstable();
        self.names.dedup();
        let mut places = self.journal.closed_named(&self.names)?;
        self.names = Vec::new();
        if let Some(first) = self.undoing.first_day() {
            self.undone(first.days(), &mut places)?;
            places.sort_unstable();
            places.dedup();
        }
        Ok(places)
    }

    /// Adds the items of payments that a line of this run may undo.
    fn undone(&mut self, first: i32, places: &mut Vec<Place>) -> Result<(), EngineError> {
        let mut named = std::mem::take(&mut self.repeated);
        self.journal.items_left::<EngineError>(places, |items| {
            let payers = items.states.iter().map(|state| state.paid_by.as_str());
            let payers = payers.filter(|id| !id.is_empty());
            named.extend(payers.filter_map(|id| id.parse::<LineId>().ok()));
            Ok(())
        })?;
        let mut decided = Decided::of(self.journal);
        for batch in self.earlier.lines_since(first)? {
            let batch = batch?;
            let answers = self.conditions.answers(&batch)?;
            let batch = self.conditions.lines_as_matched(&batch)?;
            let ids: &StringArray = column(&batch, 0)?;
            let is_named = |row: u32| {
                let id = ids.value(row as usize).parse();
                id.is_ok_and(|id: LineId| named.contains(&id))
            };
            let found = self
                .undoing
                .candidates(self.recipe, &batch, answers.as_ref(), is_named);
            for row in found.map_err(internal)? {
                let Some(outcome) = decided.outcome(ids.value(row as usize))? else {
                    continue;
                };
                for part in outcome.parts {
                    let state = self.journal.item(&part.item_id)?;
                    places.extend(state.filter(|it| it.open.is_zero()).map(|it| it.source));
                }
            }
        }
        Ok(())
    }
}
