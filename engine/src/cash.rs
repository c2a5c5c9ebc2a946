//! The bank's lines: admitted, matched in two passes, written.

use arrow::array::{RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::compute::take_record_batch;
use tieout_core::schema::Table;
use tieout_core::{Currency, Decision, Finding, FindingCode, Severity};
use tieout_ingest::{Batch, Counts};
use tieout_matcher::Session;

use crate::files::Known;
use crate::intake::{Admitted, Intake, arrow, column, internal, renumber};
use crate::report::Report;
use crate::tables::{Decided, remittance_lines};
use crate::waiting::{Waiting, WaitingBatch};
use crate::{EngineError, Progress};

/// The payments of a run.
pub struct Cash<'a> {
    session: &'a mut Session,
    recipe: String,
    intake: Intake,
    waiting: Waiting,
    known_before: u64,
    /// Bytes of the file that is being read, as far as the progress was told.
    bytes_told: u64,
}

impl<'a> Cash<'a> {
    /// No payment yet.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if there is no room for payments that wait.
    pub fn new(session: &'a mut Session) -> Result<Self, EngineError> {
        Ok(Self {
            recipe: session.recipe().label(),
            session,
            intake: Intake::default(),
            waiting: Waiting::new()?,
            known_before: 0,
            bytes_told: 0,
        })
    }

    /// Takes a batch of the file at `place`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped, or for a mistake in the program.
    pub fn take(
        &mut self,
        place: usize,
        batch: Batch,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        match batch {
            Batch::Transactions {
                transactions,
                remittance_lines,
            } => {
                self.tell(&transactions, progress)?;
                let admitted = self
                    .intake
                    .admit(place as u32, &transactions, &remittance_lines)?;
                self.known_before += admitted.known_before;
                self.match_references(admitted, report, progress)
            }
            // Read in their turn.
            Batch::Rows(Table::Parties | Table::OpenItems | Table::RemittanceLines, _) => Ok(()),
            Batch::Rows(table, rows) => report.desk.send(table, rows),
            Batch::Finding(finding) => report.findings(&[finding]),
            Batch::Quarantine(line) => report.quarantine(&line),
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
        admitted: Admitted,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let Admitted {
            transactions,
            remittance_lines: lines,
            ..
        } = admitted;
        if transactions.num_rows() == 0 {
            return Ok(());
        }
        let findings = self.intake.currency_conflicts(&transactions)?;
        if !findings.is_empty() {
            report.findings(&findings)?;
        }
        report
            .desk
            .send(Table::Transactions, transactions.clone())?;
        if report.desk.wants(Table::RemittanceLines) && lines.num_rows() > 0 {
            let rows = remittance_lines(&lines, &transactions)?;
            report.desk.send(Table::RemittanceLines, rows)?;
        }
        let first = self.intake.payments() - transactions.num_rows() as u32;
        let decisions = self
            .session
            .references(&transactions, &lines)
            .map_err(internal)?;
        let (decided, waiting) = split(&decisions);
        if waiting.is_empty() {
            let decisions: Vec<Decision> = decisions.into_iter().flatten().collect();
            return self.emit(&transactions, &decisions, report, progress);
        }
        self.waiting
            .push(select(&transactions, &lines, &waiting, first)?)?;
        let decisions: Vec<Decision> = decisions.into_iter().flatten().collect();
        let transactions =
            take_record_batch(&transactions, &UInt32Array::from(decided)).map_err(arrow)?;
        self.emit(&transactions, &decisions, report, progress)
    }

    /// Decides what waits, and says what only the end of all files tells.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped, or for a mistake in the program.
    pub fn finish(
        mut self,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let waiting = std::mem::replace(&mut self.waiting, Waiting::new()?);
        for batch in waiting.into_batches()? {
            let WaitingBatch {
                transactions,
                remittance_lines,
                sequences,
            } = batch?;
            let decisions = self
                .session
                .amounts(&transactions, &remittance_lines, &sequences)
                .map_err(internal)?;
            self.emit(&transactions, &decisions, report, progress)?;
        }
        self.advice(report)?;
        let gaps: Vec<Finding> = self.session.deposit_gaps().iter().map(gap).collect();
        report.findings(&gaps)
    }

    /// Writes the advice that came apart from its payments, with the payments it was linked to.
    fn advice(&self, report: &Report) -> Result<(), EngineError> {
        for (lines, payments) in self.session.remittances().linked() {
            let ids: StringArray = payments
                .into_iter()
                .map(|sequence| Some(self.intake.id(sequence?)?.to_string()))
                .collect();
            let mut columns = lines.columns().to_vec();
            columns[0] = std::sync::Arc::new(ids);
            let rows = RecordBatch::try_new(lines.schema(), columns).map_err(arrow)?;
            report.desk.send(Table::RemittanceLines, rows)?;
        }
        Ok(())
    }

    fn emit(
        &self,
        transactions: &RecordBatch,
        decisions: &[Decision],
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        count(transactions, decisions, report)?;
        progress.decided(decisions.len() as u64);
        let decided = Decided {
            transactions,
            decisions,
            session: self.session,
            recipe: &self.recipe,
        };
        let desk = &report.desk;
        if desk.wants(Table::Payments) {
            desk.send(Table::Payments, decided.payments()?)?;
            desk.send(Table::Applications, decided.applications()?)?;
            desk.send(Table::Exceptions, decided.exceptions()?)?;
            let duplicates = decided.duplicates(|sequence| self.intake.id(sequence))?;
            desk.send(Table::Duplicates, duplicates)?;
        }
        if desk.wants(Table::Evidence) {
            desk.send(Table::Evidence, decided.evidence()?)?;
        }
        Ok(())
    }
}

fn count(
    transactions: &RecordBatch,
    decisions: &[Decision],
    report: &mut Report,
) -> Result<(), EngineError> {
    let place = Table::Transactions.column("currency");
    let currencies = column::<StringArray>(transactions, place)?;
    for (row, decision) in decisions.iter().enumerate() {
        let currency = currencies.value(row).parse().unwrap_or(Currency::USD);
        report.figures.decided(currency, decision);
    }
    Ok(())
}

/// The rows that are decided, and those that wait.
fn split(decisions: &[Option<Decision>]) -> (Vec<u32>, Vec<u32>) {
    (0..decisions.len() as u32).partition(|&row| decisions[row as usize].is_some())
}

/// The `rows` of the batches; `first` is the sequence number of the first row.
fn select(
    transactions: &RecordBatch,
    lines: &RecordBatch,
    rows: &[u32],
    first: u32,
) -> Result<WaitingBatch, EngineError> {
    let owners = column::<UInt32Array>(lines, 0)?;
    let of_rows: UInt32Array = owners
        .values()
        .iter()
        .enumerate()
        .filter(|(_, owner)| rows.binary_search(owner).is_ok())
        .map(|(line, _)| Some(line as u32))
        .collect();
    let lines = take_record_batch(lines, &of_rows).map_err(arrow)?;
    let lines = renumber(&lines, |owner| {
        rows.binary_search(&owner).unwrap_or_default() as u32
    })?;
    let indices = UInt32Array::from(rows.to_vec());
    Ok(WaitingBatch {
        transactions: take_record_batch(transactions, &indices).map_err(arrow)?,
        remittance_lines: lines,
        sequences: rows.iter().map(|row| first + row).collect(),
    })
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
