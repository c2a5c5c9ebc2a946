//! The bank's lines: admitted, matched in two passes, written.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::compute::take_record_batch;
use tieout_core::schema::{Table, parsed_transactions};
use tieout_core::{Channel, Currency, Decision, Finding, FindingCode, Severity};
use tieout_ingest::{Batch, Counts};
use tieout_matcher::Session;

use crate::files::Known;
use crate::intake::{Admitted, Intake, arrow, column, internal, renumber};
use crate::overlap::{Lines, Overlap, Turn};
use crate::report::{Report, repeated_delivery};
use crate::tables::{Decided, remittance_lines};
use crate::waiting::{Waiting, WaitingBatch};
use crate::{EngineError, Progress};

/// The payments of a run.
pub struct Cash<'a> {
    session: &'a mut Session,
    recipe: Arc<str>,
    intake: Intake,
    overlap: Overlap,
    /// Lines that wait until the statements are read; their numbers are their deliveries.
    held: Waiting,
    waiting: Waiting,
    /// Lines of each file that a statement has too, and those that it does not have yet.
    superseded: BTreeMap<String, u64>,
    not_booked: BTreeMap<String, u64>,
    /// Lines of each file that waited, and that an earlier delivery had brought.
    repeated: BTreeMap<String, u64>,
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
            recipe: session.recipe().label().into(),
            session,
            intake: Intake::default(),
            overlap: Overlap::default(),
            held: Waiting::new(&parsed_transactions())?,
            waiting: Waiting::new(&Table::Transactions.schema())?,
            superseded: BTreeMap::new(),
            not_booked: BTreeMap::new(),
            repeated: BTreeMap::new(),
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
                let delivery = place as u32;
                let (transactions, remittance_lines) =
                    self.hold_back(delivery, transactions, remittance_lines)?;
                self.admit(delivery, &transactions, &remittance_lines, report, progress)
            }
            // Read in their turn.
            Batch::Rows(Table::Parties | Table::OpenItems | Table::RemittanceLines, _) => Ok(()),
            Batch::Rows(table, rows) => report.rows(table, rows),
            Batch::Finding(finding) => report.findings(&[finding]),
            Batch::Quarantine(line) => report.quarantine(&line),
        }
    }

    /// Admits lines and matches those that are new.
    fn admit(
        &mut self,
        delivery: u32,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let admitted = self
            .intake
            .admit(delivery, transactions, remittance_lines)?;
        self.known_before += admitted.known_before;
        self.match_references(admitted, report, progress)
    }

    /// Keeps back what waits for the statements, and gives the rest: a statement's lines, those
    /// that details make up marked as summaries.
    fn hold_back(
        &mut self,
        delivery: u32,
        transactions: RecordBatch,
        remittance_lines: RecordBatch,
    ) -> Result<(RecordBatch, RecordBatch), EngineError> {
        let lines = Lines::of(&transactions)?;
        let (mut now, mut later) = (Vec::new(), Vec::new());
        let mut summaries = Vec::new();
        for row in 0..transactions.num_rows() {
            if lines.turn(row) == Turn::Later {
                if lines.is_detail(row) {
                    self.overlap.announce(&lines, row, delivery);
                }
                later.push(row as u32);
                continue;
            }
            if lines.is_of_statement(row) && self.overlap.book(&lines, row) {
                summaries.push(now.len());
            }
            now.push(row as u32);
        }
        if later.is_empty() && summaries.is_empty() {
            return Ok((transactions, remittance_lines));
        }
        if !later.is_empty() {
            let numbers = vec![delivery; later.len()];
            self.held
                .push(select(&transactions, &remittance_lines, &later, numbers)?)?;
        }
        let taken = select(&transactions, &remittance_lines, &now, Vec::new())?;
        let marked = with_text(
            &taken.transactions,
            "channel",
            &summaries,
            Channel::Summary.code(),
        )?;
        Ok((marked, taken.remittance_lines))
    }

    /// Takes what waited for the statements, as far as they do not have it.
    fn take_held(
        &mut self,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        let empty = Waiting::new(&parsed_transactions())?;
        let held = std::mem::replace(&mut self.held, empty);
        let mut details = 0;
        for batch in held.into_batches()? {
            let batch = batch?;
            let delivery = batch.numbers.first().copied().unwrap_or_default();
            let lines = Lines::of(&batch.transactions)?;
            let files: &StringArray = column(
                &batch.transactions,
                Table::Transactions.column("source_file"),
            )?;
            let (mut kept, mut pending) = (Vec::new(), Vec::new());
            for row in 0..batch.transactions.num_rows() {
                let file = files.value(row);
                if lines.is_detail(row) {
                    if !self.overlap.counts(details, &lines, row) {
                        *self.not_booked.entry(file.to_owned()).or_default() += 1;
                        pending.push(kept.len());
                    }
                    details += 1;
                } else if self.overlap.is_booked(&lines, row) {
                    *self.superseded.entry(file.to_owned()).or_default() += 1;
                    continue;
                }
                kept.push(row as u32);
            }
            let kept = select(
                &batch.transactions,
                &batch.remittance_lines,
                &kept,
                Vec::new(),
            )?;
            let transactions = with_text(&kept.transactions, "status", &pending, "PDNG")?;
            let file = files.value(0).to_owned();
            self.admit(
                delivery,
                &transactions,
                &kept.remittance_lines,
                report,
                progress,
            )?;
            let repeated = std::mem::take(&mut self.known_before);
            if repeated > 0 {
                *self.repeated.entry(file).or_default() += repeated;
            }
        }
        report.findings(&self.overlaps())
    }

    fn overlaps(&self) -> Vec<Finding> {
        let superseded = self.superseded.iter().map(|(file, count)| Finding {
            severity: Severity::Info,
            code: FindingCode::Superseded,
            file: file.clone(),
            line: None,
            found: format!("{count} lines that the account's statement has too"),
            expected: String::new(),
            action: "nothing: they were counted once".to_owned(),
        });
        let not_booked = self.not_booked.iter().map(|(file, count)| Finding {
            severity: Severity::Warning,
            code: FindingCode::NotBooked,
            file: file.clone(),
            line: None,
            found: format!("{count} payments that the account's statement does not have"),
            expected: "a line of the statement for each, or for their sum".to_owned(),
            action: "run again when the next statement is there; until then they are not applied"
                .to_owned(),
        });
        let repeated = self.repeated.iter();
        let repeated = repeated.map(|(file, &count)| repeated_delivery(file, count, "lines"));
        superseded.chain(not_booked).chain(repeated).collect()
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
            return self.emit(transactions, decisions, report, progress);
        }
        let sequences = waiting.iter().map(|row| first + row).collect();
        self.waiting
            .push(select(&transactions, &lines, &waiting, sequences)?)?;
        let decisions: Vec<Decision> = decisions.into_iter().flatten().collect();
        let transactions =
            take_record_batch(&transactions, &UInt32Array::from(decided)).map_err(arrow)?;
        self.emit(transactions, decisions, report, progress)
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
        self.take_held(report, progress)?;
        let empty = Waiting::new(&Table::Transactions.schema())?;
        let waiting = std::mem::replace(&mut self.waiting, empty);
        for batch in waiting.into_batches()? {
            let WaitingBatch {
                transactions,
                remittance_lines,
                numbers: sequences,
            } = batch?;
            let decisions = self
                .session
                .amounts(&transactions, &remittance_lines, &sequences)
                .map_err(internal)?;
            self.emit(transactions, decisions, report, progress)?;
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
            columns[0] = Arc::new(ids);
            let rows = RecordBatch::try_new(lines.schema(), columns).map_err(arrow)?;
            report.desk.send(Table::RemittanceLines, rows)?;
        }
        Ok(())
    }

    fn emit(
        &self,
        transactions: RecordBatch,
        decisions: Vec<Decision>,
        report: &mut Report,
        progress: &dyn Progress,
    ) -> Result<(), EngineError> {
        count(&transactions, &decisions, report)?;
        progress.decided(decisions.len() as u64);
        let repeated = decisions.iter().filter_map(Decision::duplicate_of);
        let originals = repeated.filter_map(|sequence| self.intake.id(sequence));
        report.desk.send_decided(Decided {
            originals: originals.collect(),
            transactions,
            decisions,
            labels: self.session.labels(),
            recipe: Arc::clone(&self.recipe),
        })
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

/// The batch with `text` in the column `name` of the `rows`.
fn with_text(
    batch: &RecordBatch,
    name: &str,
    rows: &[usize],
    text: &str,
) -> Result<RecordBatch, EngineError> {
    if rows.is_empty() {
        return Ok(batch.clone());
    }
    let place = Table::Transactions.column(name);
    let before = column::<StringArray>(batch, place)?;
    let values = before.iter().enumerate().map(|(row, value)| {
        let is_named = rows.binary_search(&row).is_ok();
        if is_named { Some(text) } else { value }
    });
    let mut columns = batch.columns().to_vec();
    columns[place] = Arc::new(values.collect::<StringArray>());
    RecordBatch::try_new(batch.schema(), columns).map_err(arrow)
}

/// The `rows` of the batches, with a number for each.
fn select(
    transactions: &RecordBatch,
    lines: &RecordBatch,
    rows: &[u32],
    numbers: Vec<u32>,
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
        numbers,
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
