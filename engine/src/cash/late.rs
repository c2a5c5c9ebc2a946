//! What reaches beyond one run: payments and advice of earlier runs that something late decides,
//! and those of this run that are left to the next.

use std::sync::Arc;

use ahash::RandomState;
use arrow::array::{RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use hashbrown::HashMap;
use tieout_core::schema::Table;
use tieout_core::{Channel, LineId};
use tieout_ledger::Reversed;
use tieout_ledger::journal::{WaitingRows, what};
use tieout_matcher::{Decisions, Late};

use super::Cash;
use crate::admission::{select, with_text};
use crate::carried::Earlier;
use crate::intake::{arrow, column, internal};
use crate::overlap::Lines;
use crate::report::Report;
use crate::tables::is_exception;
use crate::waiting::WaitingBatch;
use crate::{EngineError, Progress};

/// The status of a line that a statement has.
const BOOKED: &str = "BOOK";

/// Payments of an earlier run, to be decided again.
pub struct Again {
    /// Their numbers are their sequences.
    batch: WaitingBatch,
    /// The postings that have decided them.
    postings: Vec<u64>,
}

/// The payments of earlier runs that wait: for what decides them, and for a statement that has them.
///
/// # Errors
/// [`EngineError::Internal`] for a mistake in the program.
pub fn again(earlier: &Earlier) -> Result<(Vec<Again>, Vec<Again>), EngineError> {
    let (mut again, mut pending) = (Vec::new(), Vec::new());
    for waiting in &earlier.left.waiting {
        let all = Again::of(waiting, earlier)?;
        let lines = Lines::of(&waiting.payments)?;
        let rows = 0..waiting.payments.num_rows() as u32;
        let (details, others): (Vec<u32>, Vec<u32>) =
            rows.partition(|&row| lines.is_pending_detail(row as usize));
        for (rows, list) in [(others, &mut again), (details, &mut pending)] {
            if !rows.is_empty() {
                list.push(all.select(&rows)?);
            }
        }
    }
    Ok((again, pending))
}

impl Again {
    fn of(waiting: &WaitingRows, earlier: &Earlier) -> Result<Self, EngineError> {
        let ids = column::<StringArray>(&waiting.payments, 0)?;
        let numbers: Result<Vec<u32>, EngineError> = ids
            .iter()
            .flatten()
            .map(|id| Ok(earlier.number_of(id.parse().map_err(internal)?)))
            .collect();
        Ok(Self {
            batch: WaitingBatch {
                transactions: waiting.payments.clone(),
                remittance_lines: waiting.lines.clone(),
                numbers: numbers?,
            },
            postings: waiting.postings.clone(),
        })
    }

    /// The rows of the payments `ids`, ascending.
    fn rows_of(&self, ids: &[LineId]) -> Result<Vec<u32>, EngineError> {
        let own = column::<StringArray>(&self.batch.transactions, 0)?;
        let named = |id: Option<&str>| {
            id.and_then(|id| id.parse().ok())
                .is_some_and(|id| ids.contains(&id))
        };
        let rows = (0..).zip(own).filter(|&(_, id)| named(id));
        Ok(rows.map(|(row, _)| row).collect())
    }

    fn select(&self, rows: &[u32]) -> Result<Self, EngineError> {
        let numbers = rows
            .iter()
            .filter_map(|&row| self.batch.numbers.get(row as usize).copied());
        let postings = rows
            .iter()
            .filter_map(|&row| self.postings.get(row as usize).copied());
        Ok(Self {
            postings: postings.collect(),
            batch: select(
                &self.batch.transactions,
                &self.batch.remittance_lines,
                rows,
                numbers.collect(),
            )?,
        })
    }

    /// The decisions about the `rows`, which these replace.
    fn reversed(&self, rows: &[u32]) -> Result<Vec<Reversed>, EngineError> {
        let ids = column::<StringArray>(&self.batch.transactions, 0)?;
        let reversed = rows.iter().filter_map(|&row| {
            Some(Reversed {
                what: what::PAYMENT,
                id: ids.value(row as usize).to_owned(),
                posting: *self.postings.get(row as usize)?,
            })
        });
        Ok(reversed.collect())
    }
}

impl Cash<'_> {
    /// Decides payments of earlier runs again, now that the advice and the items that came since
    /// are there.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped, or for a mistake in the program.
    pub fn try_again(
        &mut self,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        if std::mem::replace(&mut self.is_tried, true) {
            return Ok(());
        }
        self.decide_again(Late::Documents, report, progress)
    }

    /// Notes that details make up these statement's lines of earlier runs, which stand for no
    /// payment of their own any more.
    pub(super) fn summarize(&mut self, ids: &[LineId]) -> Result<(), EngineError> {
        for again in self.again.iter_mut().filter(|_| !ids.is_empty()) {
            let rows: Vec<usize> = again
                .rows_of(ids)?
                .iter()
                .map(|&row| row as usize)
                .collect();
            let lines = &again.batch.transactions;
            again.batch.transactions = with_text(lines, "channel", &rows, Channel::Summary.code())?;
        }
        Ok(())
    }

    /// Notes that a statement has these details of earlier runs now: they are payments.
    pub(super) fn book(&mut self, ids: &[LineId]) -> Result<(), EngineError> {
        for pending in self.pending.iter().filter(|_| !ids.is_empty()) {
            let rows = pending.rows_of(ids)?;
            if rows.is_empty() {
                continue;
            }
            let mut booked = pending.select(&rows)?;
            let all: Vec<usize> = (0..rows.len()).collect();
            let lines = &booked.batch.transactions;
            booked.batch.transactions = with_text(lines, "status", &all, BOOKED)?;
            self.booked.push(booked);
        }
        Ok(())
    }

    /// Decides the details that a statement has now, as payments are that came with it: first by
    /// documents, then by amounts, and then somehow.
    pub(super) fn decide_booked(
        &mut self,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let others = std::mem::replace(&mut self.again, std::mem::take(&mut self.booked));
        for late in [Late::Documents, Late::Advice, Late::Amounts] {
            self.decide_again(late, report, progress)?;
        }
        self.again = others;
        Ok(())
    }

    pub(super) fn decide_again(
        &mut self,
        late: Late,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        for again in std::mem::take(&mut self.again) {
            let WaitingBatch {
                transactions,
                remittance_lines: lines,
                numbers,
            } = &again.batch;
            let answers = self.conditions.answers(transactions)?;
            let as_matched = self.conditions.lines_as_matched(transactions)?;
            let decided = self
                .session
                .again(&as_matched, lines, numbers, answers.as_ref(), late)
                .map_err(internal)?;
            if !decided.waiting.is_empty() {
                self.again.push(again.select(&decided.waiting)?);
            }
            if decided.rows.is_empty() {
                continue;
            }
            for decision in &decided.decisions {
                report.rematched.add(decision.amount());
            }
            if late == Late::Amounts {
                let number = |row: u32| numbers.get(row as usize).copied().unwrap_or_default();
                self.keep_open(transactions, lines, &decided, number)?;
            }
            let reversed = again.reversed(&decided.rows)?;
            let transactions = again.batch.transactions;
            self.send(transactions, decided, reversed, report, progress)?;
        }
        Ok(())
    }

    /// Keeps for the next run what nobody has decided finally; `number` gives the sequence of a
    /// row.
    pub(super) fn keep_open(
        &mut self,
        transactions: &RecordBatch,
        lines: &RecordBatch,
        decided: &Decisions,
        number: impl Fn(u32) -> u32,
    ) -> Result<(), EngineError> {
        let Some(left) = &mut self.left else {
            return Ok(());
        };
        let rows = decided.rows.iter().zip(&decided.decisions);
        // Details that no statement has yet are payments as soon as one has them.
        let own = Lines::of(transactions)?;
        let is_pending = |row: u32| own.is_pending_detail(row as usize);
        let open: Vec<u32> = rows
            .filter(|&(&row, decision)| is_exception(decision) || is_pending(row))
            .map(|(&row, _)| row)
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let numbers = open.iter().map(|&row| number(row)).collect();
        left.push(select(transactions, lines, &open, numbers)?)
    }

    /// Leaves to the next run what nobody has decided finally.
    pub(super) fn leave(&mut self, report: &Report) -> Result<(), EngineError> {
        let Some(left) = self.left.take() else {
            return Ok(());
        };
        let linked = self.session.remittances().linked();
        let advice = LinkedAdvice::of(&linked);
        for batch in left.into_batches()? {
            let batch = batch?;
            let lines = advice.add_to(batch.remittance_lines, &batch.numbers)?;
            report.desk.wait(batch.transactions, lines)?;
        }
        Ok(())
    }

    /// Writes the advice that came apart from its payments, with the payments it was linked to;
    /// of advice that has waited since an earlier run, only what is linked by now.
    pub(super) fn advice(&self, report: &Report) -> Result<(), EngineError> {
        let linked = self.session.remittances().linked();
        // What has waited was loaded last.
        let new = linked.len().saturating_sub(self.earlier.left.advice.len());
        for (place, (lines, payments)) in linked.into_iter().enumerate() {
            let waited = place
                .checked_sub(new)
                .and_then(|place| self.earlier.left.advice.get(place));
            let Some(waited) = waited else {
                self.send_advice(lines, &payments, report)?;
                continue;
            };
            let now: Vec<u32> = (0..)
                .zip(&payments)
                .filter(|(_, payment)| payment.is_some())
                .map(|(row, _)| row)
                .collect();
            report
                .desk
                .reverse(reversed_advice(lines, &now, waited.posting)?)?;
            let rows = UInt32Array::from(now);
            let lines = take_record_batch(lines, &rows).map_err(arrow)?;
            let payments: Vec<_> = payments.into_iter().flatten().map(Some).collect();
            self.send_advice(&lines, &payments, report)?;
        }
        Ok(())
    }

    fn send_advice(
        &self,
        lines: &RecordBatch,
        payments: &[Option<u32>],
        report: &Report,
    ) -> Result<(), EngineError> {
        let ids: StringArray = payments
            .iter()
            .map(|sequence| Some(self.id((*sequence)?)?.to_string()))
            .collect();
        let mut columns = lines.columns().to_vec();
        columns[0] = Arc::new(ids);
        let rows = RecordBatch::try_new(lines.schema(), columns).map_err(arrow)?;
        report.desk.send(Table::RemittanceLines, rows)
    }
}

/// Lines of advice that wait no longer.
fn reversed_advice(
    lines: &RecordBatch,
    rows: &[u32],
    posting: u64,
) -> Result<Vec<Reversed>, EngineError> {
    let files: &StringArray = column(lines, Table::RemittanceLines.column("source_file"))?;
    let numbers: &UInt64Array = column(lines, Table::RemittanceLines.column("source_line"))?;
    let reversed = rows.iter().map(|&row| row as usize).map(|row| Reversed {
        what: what::ADVICE,
        id: format!("{}:{}", files.value(row), numbers.value(row)),
        posting,
    });
    Ok(reversed.collect())
}

/// The advice of payments, by their sequence.
struct LinkedAdvice<'a> {
    lines: HashMap<u32, Vec<(&'a RecordBatch, u32)>, RandomState>,
}

impl<'a> LinkedAdvice<'a> {
    fn of(linked: &[(&'a RecordBatch, Vec<Option<u32>>)]) -> Self {
        let mut lines: HashMap<u32, Vec<_>, RandomState> = HashMap::default();
        for (batch, payments) in linked {
            for (row, payment) in (0..).zip(payments) {
                if let Some(payment) = payment {
                    lines.entry(*payment).or_default().push((*batch, row));
                }
            }
        }
        Self { lines }
    }

    /// Adds the linked advice of the payments to their own lines; a payment has one or the other.
    fn add_to(&self, own: RecordBatch, sequences: &[u32]) -> Result<RecordBatch, EngineError> {
        let schema = own.schema();
        let mut pieces = vec![own];
        for (row, sequence) in (0_u32..).zip(sequences) {
            for (batch, line) in self.lines.get(sequence).into_iter().flatten() {
                let mut columns = batch.slice(*line as usize, 1).columns().to_vec();
                columns[0] = Arc::new(UInt32Array::from(vec![row]));
                let piece = RecordBatch::try_new(Arc::clone(&schema), columns);
                pieces.push(piece.map_err(arrow)?);
            }
        }
        let all = concat_batches(&schema, &pieces).map_err(arrow)?;
        let owners = column::<UInt32Array>(&all, 0)?.values();
        let mut order: Vec<u32> = (0..owners.len() as u32).collect();
        order.sort_by_key(|&place| owners[place as usize]);
        take_record_batch(&all, &UInt32Array::from(order)).map_err(arrow)
    }
}
