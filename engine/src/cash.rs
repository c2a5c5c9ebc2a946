//! The bank's lines: matched in two passes, written.

mod late;

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt64Array};
use tieout_core::schema::Table;
use tieout_core::{
    Channel, Currency, Decision, Direction, Finding, FindingCode, LineId, Severity, Status,
};
use tieout_ingest::{Batch, Counts};
use tieout_ledger::Reversed;
use tieout_matcher::{Arrivals, Decisions, Late, Session};

use crate::admission::{Payments, Taken, select};
use crate::carried::Earlier;
use crate::conditions::Conditions;
use crate::files::Known;
use crate::intake::{column, internal};
use crate::originals;
use crate::report::Report;
use crate::tables::{Decided, remittance_lines};
use crate::waiting::{Waiting, WaitingBatch};
use crate::{EngineError, Flow, Progress};
use late::Again;

/// The payments of a run.
pub struct Cash<'a> {
    session: &'a mut Session,
    conditions: &'a Conditions,
    recipe: Arc<str>,
    /// The identifier of every payment, by its sequence number.
    ids: Vec<LineId>,
    waiting: Waiting,
    known_before: u64,
    /// Bytes of the file that is being read, as far as the progress was told.
    bytes_told: u64,
    earlier: &'a Earlier,
    /// Payments of earlier runs that nobody has decided finally.
    again: Vec<Again>,
    /// Details of earlier runs that no statement has had.
    pending: Vec<Again>,
    /// Those of them that one has now.
    booked: Vec<Again>,
    /// Whether the payments of earlier runs were decided again by documents.
    is_tried: bool,
    /// Those of this run, if a ledger keeps them for the next; their numbers are their sequences.
    left: Option<Waiting>,
}

impl<'a> Cash<'a> {
    /// No payment yet but those that `earlier` runs have left.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if there is no room for payments that wait.
    pub fn new(
        session: &'a mut Session,
        conditions: &'a Conditions,
        earlier: &'a Earlier,
        report: &Report,
    ) -> Result<Self, EngineError> {
        let is_kept = report.desk.explains;
        let left = is_kept.then(|| Waiting::new(&Table::Transactions.schema()));
        let (again, pending) = late::again(earlier)?;
        Ok(Self {
            earlier,
            again,
            pending,
            booked: Vec::new(),
            is_tried: false,
            left,
            recipe: session.recipe().label().into(),
            session,
            conditions,
            ids: Vec::new(),
            waiting: Waiting::new(&Table::Transactions.schema()),
            known_before: 0,
            bytes_told: 0,
        })
    }

    /// Takes what was read.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped, or for a mistake in the program.
    pub fn take(
        &mut self,
        taken: Taken,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        match taken {
            Taken::Payments(payments) => {
                self.tell(&payments.transactions, progress)?;
                self.match_references(payments, report, progress)
            }
            Taken::KnownBefore(lines) => {
                self.known_before = lines;
                Ok(())
            }
            Taken::Detailed(ids) => {
                self.summarize(&ids)?;
                self.try_again(report, progress)
            }
            Taken::Booked(ids) => self.book(&ids),
            Taken::Other(Batch::Finding(finding)) => report.findings(&[finding]),
            Taken::Other(Batch::Quarantine(line)) => report.quarantine(&line),
            // The business's own were read in their turn.
            Taken::Other(
                Batch::Rows(Table::Parties | Table::OpenItems | Table::RemittanceLines, _)
                | Batch::Transactions { .. }
                | Batch::Statement(_),
            ) => Ok(()),
            Taken::Other(Batch::Rows(table, rows)) => report.rows(table, rows),
        }
    }

    /// Tells the progress how far the file is read.
    fn tell(&mut self, batch: &RecordBatch, progress: &dyn Progress) -> Result<(), EngineError> {
        let ends = column::<UInt64Array>(batch, Table::Transactions.column("byte_end"))?;
        if let Some(&end) = ends.values().last() {
            progress.bytes(end.saturating_sub(self.bytes_told));
            self.bytes_told = self.bytes_told.max(end);
        }
        Ok(())
    }

    /// Closes the file at `place`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped.
    pub fn file_done(
        &mut self,
        file: &Known,
        counts: Counts,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        progress.bytes(counts.bytes.saturating_sub(self.bytes_told));
        self.bytes_told = 0;
        report.file(file, counts, std::mem::take(&mut self.known_before))
    }

    fn match_references(
        &mut self,
        payments: Payments,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let Payments {
            transactions,
            remittance_lines: lines,
            ids,
            arrived,
        } = payments;
        report
            .desk
            .send(Table::Transactions, transactions.clone())?;
        if report.desk.wants(Table::RemittanceLines) && lines.num_rows() > 0 {
            let rows = remittance_lines(&lines, &transactions)?;
            report.desk.send(Table::RemittanceLines, rows)?;
        }
        let first = arrived.first;
        self.ids.extend(ids);
        let as_matched = self.conditions.lines_as_matched(&transactions)?;
        originals::carry(
            self.session,
            self.earlier,
            self.conditions,
            (&as_matched, &lines, &arrived),
        )?;
        let decisions = self
            .session
            .references(&as_matched, &lines, arrived)
            .map_err(internal)?;
        if !decisions.waiting.is_empty() {
            let sequences = decisions.waiting.iter().map(|row| first + row).collect();
            let waiting = select(&transactions, &lines, &decisions.waiting, sequences)?;
            self.waiting.push(waiting)?;
        }
        self.keep_open(&transactions, &lines, &decisions, |row| first + row)?;
        self.emit(transactions, decisions, report, progress)
    }

    /// Decides what waits, and says what only the end of all files tells.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped, or for a mistake in the program.
    pub fn finish(
        mut self,
        arrivals: Arrivals,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        self.session.close(arrivals);
        self.match_amounts(report, progress)?;
        self.decide_again(Late::Advice, report, progress)?;
        self.decide_booked(report, progress)?;
        self.advice(report)?;
        self.leave(report)?;
        let gaps: Vec<Finding> = self.session.deposit_gaps().iter().map(gap).collect();
        report.findings(&gaps)
    }

    /// Decides by amounts, in rounds, what documents did not decide.
    fn match_amounts(
        &mut self,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let nothing = || Waiting::new(&Table::Transactions.schema());
        let mut waiting = std::mem::replace(&mut self.waiting, nothing());
        let mut is_first = true;
        while !waiting.is_empty() {
            let mut waited = waiting.close()?;
            if is_first {
                for batch in waited.batches()? {
                    let batch = self.as_matched(batch?)?;
                    self.session
                        .prepare(&batch.transactions, &batch.remittance_lines, &batch.numbers)
                        .map_err(internal)?;
                }
                is_first = false;
            }
            for batch in waited.batches()? {
                let batch = self.as_matched(batch?)?;
                self.session
                    .claim(&batch.transactions, &batch.remittance_lines, &batch.numbers)
                    .map_err(internal)?;
            }
            self.session.settle();
            waiting = nothing();
            for batch in waited.batches()? {
                let WaitingBatch {
                    transactions,
                    remittance_lines: lines,
                    numbers,
                } = batch?;
                let as_matched = self.conditions.lines_as_matched(&transactions)?;
                let decisions = self
                    .session
                    .amounts(&as_matched, &lines, &numbers)
                    .map_err(internal)?;
                let number = |row: u32| numbers.get(row as usize).copied().unwrap_or_default();
                if !decisions.waiting.is_empty() {
                    let numbers = decisions.waiting.iter().map(|&row| number(row)).collect();
                    waiting.push(select(&transactions, &lines, &decisions.waiting, numbers)?)?;
                }
                self.keep_open(&transactions, &lines, &decisions, number)?;
                self.emit(transactions, decisions, report, progress)?;
            }
            self.session.take_effect_together().map_err(internal)?;
        }
        Ok(())
    }

    /// A batch as the matcher takes it.
    fn as_matched(&self, batch: WaitingBatch) -> Result<WaitingBatch, EngineError> {
        Ok(WaitingBatch {
            transactions: self.conditions.lines_as_matched(&batch.transactions)?,
            ..batch
        })
    }

    /// The payment with this number, of this run or an earlier one.
    fn id(&self, sequence: u32) -> Option<LineId> {
        let own = self.ids.get(sequence as usize).copied();
        own.or_else(|| self.earlier.id(sequence))
    }

    /// Adds the decisions to the figures.
    fn count(
        &self,
        transactions: &RecordBatch,
        rows: &[u32],
        decisions: &[Decision],
        report: &mut Report,
    ) -> Result<(), EngineError> {
        let text = |name| column::<StringArray>(transactions, Table::Transactions.column(name));
        let (currencies, directions) = (text("currency")?, text("direction")?);
        let channels = text("channel")?;
        let side = &self.session.recipe().payments;
        for (&row, decision) in rows.iter().zip(decisions) {
            let row = row as usize;
            let currency = currencies.value(row).parse().unwrap_or(Currency::USD);
            let is_credit = directions.value(row) == Direction::Credit.code();
            // What a recipe of one direction leaves out stands with what it takes.
            let is_in = match decision.status() {
                Status::OutOfScope if side.credits != side.debits => side.credits,
                _ => is_credit,
            };
            let flow = Flow::of(Channel::from_code(channels.value(row)), is_in);
            report.figures.decided(currency, flow, decision);
        }
        Ok(())
    }

    fn emit(
        &self,
        transactions: RecordBatch,
        decided: Decisions,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        self.count(&transactions, &decided.rows, &decided.decisions, report)?;
        self.send(transactions, decided, Vec::new(), report, progress)
    }

    /// Hands decisions over, with those of earlier runs that they replace.
    fn send(
        &self,
        transactions: RecordBatch,
        decided: Decisions,
        reversed: Vec<Reversed>,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let Decisions {
            rows, decisions, ..
        } = decided;
        progress.decided(decisions.len() as u64);
        let repeated = decisions.iter().filter_map(Decision::duplicate_of);
        let originals = repeated.filter_map(|sequence| self.id(sequence));
        let undone = decisions.iter().filter_map(Decision::reverses);
        let undone = undone.filter_map(|sequence| self.id(sequence));
        let recipes = self
            .session
            .labels_by_day(&transactions)
            .map_err(internal)?;
        report.desk.send_decided(Decided {
            originals: originals.collect(),
            undone: undone.collect(),
            recipes,
            transactions,
            rows,
            decisions,
            labels: self.session.labels(),
            recipe: Arc::clone(&self.recipe),
            reversed,
        })
    }
}

fn gap(gap: &tieout_matcher::DepositGap) -> Finding {
    Finding {
        severity: Severity::Error,
        code: FindingCode::LockboxDeposit,
        file: "statements".to_owned(),
        line: None,
        found: format!(
            "deposits of {} {} for lockbox {}",
            gap.deposits, gap.currency, gap.lockbox
        ),
        expected: format!("{} {}, the sum of its cheques", gap.cheques, gap.currency),
        action: "ask the bank for the missing lockbox file, or for the deposit that is not on \
                 the statement"
            .to_owned(),
    }
}
