//! From parsed lines to payments: what came before is left out, what is in several reports counts
//! once, and each payment gets its number. Runs on the reader's thread, ahead of the matching.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt32Array};
use arrow::compute::take_record_batch;
use serde_json::Value;
use tieout_core::schema::{Table, parsed_transactions};
use tieout_core::{Channel, Finding, FindingCode, LineId, Severity};
use tieout_ingest::Batch;
use tieout_matcher::{Arrivals, Arrived, Recipe};

use crate::EngineError;
use crate::carried::{self, Earlier};
use crate::conditions::Conditions;
use crate::intake::{Admitted, Intake, arrow, column, internal, renumber};
use crate::overlap::{Lines, Overlap, PENDING, Turn};
use crate::reading::{Give, Stage};
use crate::report::repeated_delivery;
use crate::sides::Parsed;
use crate::statements::Statements;
use crate::waiting::{Waiting, WaitingBatch};

/// What admission hands on.
pub enum Taken {
    /// New payments.
    Payments(Payments),
    /// So many lines of the file that ends here came before.
    KnownBefore(u64),
    /// All details are read: these statement's lines of earlier runs are made up of some.
    Detailed(Vec<LineId>),
    /// All statements are read: they have these details of earlier runs.
    Booked(Vec<LineId>),
    /// Anything else that was read.
    Other(Batch),
}

/// New payments of a run, in the order of their arrival.
pub struct Payments {
    /// Rows of the table `transactions`.
    pub transactions: RecordBatch,
    /// Their documents; the first column is the row of the line.
    pub remittance_lines: RecordBatch,
    /// The identifier of each.
    pub ids: Vec<LineId>,
    /// What arrival tells of them.
    pub arrived: Arrived,
}

/// Admits the lines of a run.
pub struct Admission<'a> {
    conditions: &'a Conditions,
    earlier: &'a Earlier,
    /// Details of earlier runs, which are numbered before those of this one.
    carried_details: usize,
    /// Those of them that no statement had by then, with their numbers.
    pending: Vec<(usize, LineId)>,
    /// Whether all details are read.
    has_details: bool,
    /// The earliest day of the lines that are held back.
    first_held: i32,
    intake: Intake,
    arrivals: Arrivals,
    overlap: Overlap,
    statements: Statements,
    /// Lines that wait until the statements are read; their numbers are their deliveries.
    held: Waiting,
    /// Lines of each file that a statement has too, and those that it does not have yet.
    superseded: BTreeMap<String, u64>,
    not_booked: BTreeMap<String, u64>,
    /// Lines of each file that waited, and that an earlier delivery had brought.
    repeated: BTreeMap<String, u64>,
    known_before: u64,
}

impl<'a> Admission<'a> {
    /// Nothing admitted yet but what `earlier` runs have admitted.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if there is no room for lines that wait,
    /// [`EngineError::Ledger`] if the journal cannot be read.
    pub fn new(
        recipe: &Recipe,
        conditions: &'a Conditions,
        earlier: &'a Earlier,
    ) -> Result<Self, EngineError> {
        let mut arrivals = Arrivals::new(recipe);
        earlier.carry_lockboxes(&mut arrivals);
        let mut overlap = carried_overlap(earlier)?;
        let pending = carry_pending(earlier, &mut overlap)?;
        Ok(Self {
            conditions,
            earlier,
            carried_details: overlap.details(),
            pending,
            has_details: false,
            first_held: i32::MAX,
            intake: Intake::default(),
            arrivals,
            overlap,
            statements: carried::statements(earlier),
            held: Waiting::new(&parsed_transactions()),
            superseded: BTreeMap::new(),
            not_booked: BTreeMap::new(),
            repeated: BTreeMap::new(),
            known_before: 0,
        })
    }

    /// The numbered statements that the next run has to know.
    pub fn statements(&self) -> Value {
        self.statements.left()
    }

    /// What arrival told, once nothing arrives any more.
    pub fn into_arrivals(self) -> Arrivals {
        self.arrivals
    }

    /// Takes payments that came among the business's own files, as delivery number `place`.
    ///
    /// # Errors
    /// Those of the stage.
    pub fn take_of_books(
        &mut self,
        place: usize,
        payments: &Parsed,
        give: Give<Taken>,
    ) -> Result<(), EngineError> {
        let lines = &payments.transactions;
        self.admit(place as u32, lines, &payments.remittance_lines, give)?;
        let repeated = std::mem::take(&mut self.known_before);
        if repeated == 0 {
            return Ok(());
        }
        let files = Table::Transactions.column("source_file");
        let file = column::<StringArray>(lines, files)?.value(0);
        give(Taken::Other(Batch::Finding(repeated_delivery(
            file, repeated, "lines",
        ))))
    }

    /// Admits lines, and hands on those that are new.
    fn admit(
        &mut self,
        delivery: u32,
        transactions: &RecordBatch,
        remittance_lines: &RecordBatch,
        give: Give<Taken>,
    ) -> Result<(), EngineError> {
        self.earlier
            .look_up(transactions, &mut self.intake, &mut self.arrivals)?;
        let admitted = self
            .intake
            .admit(delivery, transactions, remittance_lines)?;
        self.known_before += admitted.known_before;
        if admitted.ids.is_empty() {
            return Ok(());
        }
        for finding in self.intake.currency_conflicts(&admitted.transactions)? {
            give(Taken::Other(Batch::Finding(finding)))?;
        }
        let Admitted {
            transactions,
            remittance_lines,
            ids,
            ..
        } = admitted;
        let answers = self.conditions.answers(&transactions)?;
        let arrived = self
            .arrivals
            .take(&transactions, &remittance_lines, answers.as_ref())
            .map_err(internal)?;
        give(Taken::Payments(Payments {
            transactions,
            remittance_lines,
            ids,
            arrived,
        }))
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
                self.first_held = self.first_held.min(lines.days(row).unwrap_or(i32::MAX));
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

    /// Says which lines of earlier runs the details make up, once these are read.
    fn close_details(&mut self, give: Give<Taken>) -> Result<(), EngineError> {
        if std::mem::replace(&mut self.has_details, true) {
            return Ok(());
        }
        let mut detailed = Vec::new();
        if self.overlap.details() > self.carried_details {
            for waiting in &self.earlier.left.waiting {
                let lines = Lines::of(&waiting.payments)?;
                let ids = column::<StringArray>(&waiting.payments, 0)?;
                for row in 0..waiting.payments.num_rows() {
                    if self.overlap.summarize_waiting(&lines, row) {
                        detailed.push(ids.value(row).parse().map_err(internal)?);
                    }
                }
            }
        }
        give(Taken::Detailed(detailed))
    }

    /// Takes what waited for the statements, as far as they do not have it.
    fn take_held(&mut self, give: Give<Taken>) -> Result<(), EngineError> {
        let empty = Waiting::new(&parsed_transactions());
        let held = std::mem::replace(&mut self.held, empty);
        let mut details = self.carried_details;
        for (number, batch) in held.into_batches()?.enumerate() {
            let batch = batch?;
            if number == 0 {
                self.book_earlier()?;
            }
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
            let transactions = with_text(&kept.transactions, "status", &pending, PENDING)?;
            let file = files.value(0).to_owned();
            self.admit(delivery, &transactions, &kept.remittance_lines, give)?;
            let repeated = std::mem::take(&mut self.known_before);
            if repeated > 0 {
                *self.repeated.entry(file).or_default() += repeated;
            }
        }
        for finding in self.overlaps() {
            give(Taken::Other(Batch::Finding(finding)))?;
        }
        let pending = self.pending.iter();
        let booked = pending.filter(|(number, _)| self.overlap.is_taken(*number));
        give(Taken::Booked(booked.map(|(_, id)| *id).collect()))
    }

    /// Lines that waited may be on a statement of an earlier run.
    fn book_earlier(&mut self) -> Result<(), EngineError> {
        for batch in self.earlier.lines_since(self.first_held)? {
            let batch = batch?;
            let lines = Lines::of(&batch)?;
            (0..batch.num_rows()).for_each(|row| self.overlap.book_earlier(&lines, row));
        }
        Ok(())
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
}

impl Stage for Admission<'_> {
    type Item = Taken;

    fn take(&mut self, place: usize, batch: Batch, give: Give<Taken>) -> Result<(), EngineError> {
        let (transactions, remittance_lines) = match batch {
            Batch::Transactions {
                transactions,
                remittance_lines,
            } => (transactions, remittance_lines),
            Batch::Statement(statement) => {
                self.statements.take(statement);
                return Ok(());
            }
            // Another file may have what this one lacks.
            Batch::Finding(finding) if finding.code == FindingCode::StatementGap => {
                self.statements.keep(finding);
                return Ok(());
            }
            other => return give(Taken::Other(other)),
        };
        let delivery = place as u32;
        if !is_of_details(&transactions)? {
            self.close_details(give)?;
        }
        let (transactions, remittance_lines) =
            self.hold_back(delivery, transactions, remittance_lines)?;
        self.admit(delivery, &transactions, &remittance_lines, give)
    }

    fn done(&mut self, give: Give<Taken>) -> Result<(), EngineError> {
        give(Taken::KnownBefore(std::mem::take(&mut self.known_before)))
    }

    fn finish(&mut self, give: Give<Taken>) -> Result<(), EngineError> {
        self.close_details(give)?;
        self.take_held(give)?;
        let mut gaps = self.statements.gaps().into_iter();
        gaps.try_for_each(|gap| give(Taken::Other(Batch::Finding(gap))))
    }
}

/// Lines of earlier runs that a statement may have only now, without those that one has had by
/// then. Each batch counts as a file.
fn carried_overlap(earlier: &Earlier) -> Result<Overlap, EngineError> {
    let mut overlap = Overlap::default();
    let mut first = i32::MAX;
    for (batch, delivery) in earlier.left.provisional.iter().zip((0..=u32::MAX).rev()) {
        let lines = Lines::of(batch)?;
        for row in 0..batch.num_rows() {
            if overlap.carry(&lines, row, delivery) {
                first = first.min(lines.days(row).unwrap_or(first));
            }
        }
    }
    for batch in earlier.lines_since(first)? {
        let batch = batch?;
        let lines = Lines::of(&batch)?;
        (0..batch.num_rows()).for_each(|row| overlap.summarize_earlier(&lines, row));
    }
    Ok(overlap)
}

/// Lets the details of earlier runs that no statement had by then be found by those of this run.
fn carry_pending(
    earlier: &Earlier,
    overlap: &mut Overlap,
) -> Result<Vec<(usize, LineId)>, EngineError> {
    let mut pending = Vec::new();
    // Numbers of deliveries that no file has, nor a batch of lines that have counted.
    let first = u32::MAX - earlier.left.provisional.len() as u32;
    for (waiting, delivery) in earlier.left.waiting.iter().zip((0..first).rev()) {
        let lines = Lines::of(&waiting.payments)?;
        let ids = column::<StringArray>(&waiting.payments, 0)?;
        for row in (0..waiting.payments.num_rows()).filter(|&row| lines.is_pending_detail(row)) {
            let number = overlap.carry_pending(&lines, row, delivery);
            pending.push((number, ids.value(row).parse().map_err(internal)?));
        }
    }
    Ok(pending)
}

fn is_of_details(batch: &RecordBatch) -> Result<bool, EngineError> {
    let lines = Lines::of(batch)?;
    Ok((0..batch.num_rows()).all(|row| lines.is_detail(row)))
}

/// The batch with `text` in the column `name` of the `rows`.
///
/// # Errors
/// [`EngineError::Internal`] if the batch does not have its shape.
pub fn with_text(
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
///
/// # Errors
/// [`EngineError::Internal`] if the batches do not have their shapes.
pub fn select(
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
