//! Where rows go: the folder of output tables, the ledger, or nowhere.

use arrow::array::RecordBatch;
use crossbeam::channel::{Receiver, Sender};
use serde_json::Value;
use tieout_core::schema::Table;
use tieout_ledger::{Columns, Folder, Ledger, LedgerWriter, Reversed};

use crate::carried::Earlier;
use crate::tables::Decided;
use crate::{EngineError, RunOptions};

/// Batches that may wait to be written.
pub const BATCHES_MAX: usize = 8;

/// The sinks of a run.
pub struct Outputs {
    folder: Option<Folder>,
    ledger: Option<LedgerWriter>,
}

/// Tables that say what became of payments.
const DECIDED: [Table; 4] = [
    Table::Payments,
    Table::Applications,
    Table::Exceptions,
    Table::Duplicates,
];

/// Rows on their way to the sinks.
pub enum Rows {
    /// Of one table.
    Of(Table, RecordBatch),
    /// Of every table that says what became of payments; they become rows on the writer's thread.
    Decided(Box<Decided>),
    /// Of earlier runs, that no longer hold.
    Reversed(Vec<Reversed>),
    /// Payments that nobody has decided finally, and their documents.
    Waiting(RecordBatch, RecordBatch),
}

impl Outputs {
    /// Begins the sinks that `options` asks for.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if one cannot be begun.
    pub fn create(options: &RunOptions) -> Result<Self, EngineError> {
        let folder = options
            .out
            .as_ref()
            .map(|out| Folder::create(&out.dir, &out.tables, out.format, Columns::Contract));
        let ledger = options.ledger.as_deref().map(Ledger::post);
        Ok(Self {
            ledger: ledger.transpose()?,
            folder: folder.transpose()?,
        })
    }

    /// Only a posting of a ledger.
    pub fn of_ledger(ledger: LedgerWriter) -> Self {
        Self {
            folder: None,
            ledger: Some(ledger),
        }
    }

    /// What earlier runs of the ledger have left.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if its journal is damaged.
    pub fn earlier(&self) -> Result<Earlier, EngineError> {
        match &self.ledger {
            Some(ledger) => Earlier::of(ledger.journal()?),
            None => Ok(Earlier::default()),
        }
    }

    /// Whether anybody wants the rows of `table`.
    pub fn wants(&self, table: Table) -> bool {
        self.ledger.is_some() || self.shows(table)
    }

    /// Whether the folder has the table.
    fn shows(&self, table: Table) -> bool {
        let folder = self.folder.as_ref();
        folder.is_some_and(|folder| folder.has(table))
    }

    /// Whether decisions have to be explained.
    pub fn explains(&self) -> bool {
        self.ledger.is_some()
    }

    /// Writes rows until nobody sends any more.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the disk refuses; the senders then find the channel closed.
    pub fn drain(mut self, rows: Receiver<Rows>) -> Result<Self, EngineError> {
        for rows in rows {
            match rows {
                Rows::Of(table, batch) => self.write(table, &batch)?,
                Rows::Decided(decided) => self.write_decided(&decided)?,
                Rows::Reversed(reversed) => self.reverse(&reversed)?,
                Rows::Waiting(payments, lines) => {
                    if let Some(ledger) = &mut self.ledger {
                        ledger.wait(&payments, &lines)?;
                    }
                }
            }
        }
        Ok(self)
    }

    fn write_decided(&mut self, decided: &Decided) -> Result<(), EngineError> {
        let mut tables = Vec::with_capacity(DECIDED.len());
        for table in DECIDED.into_iter().filter(|&table| self.wants(table)) {
            let rows = match table {
                Table::Applications => decided.applications()?,
                Table::Exceptions => decided.exceptions()?,
                Table::Duplicates => decided.duplicates()?,
                _ => decided.payments()?,
            };
            tables.push((table, rows));
        }
        for (table, rows) in tables.iter().filter(|(_, rows)| rows.num_rows() > 0) {
            if let Some(folder) = self.folder.as_mut().filter(|folder| folder.has(*table)) {
                folder.write(*table, rows)?;
            }
        }
        self.reverse(&decided.reversed)?;
        if let Some(ledger) = &mut self.ledger {
            let evidence = decided.evidence()?;
            let mut tables: Vec<_> = tables.iter().map(|(table, rows)| (*table, rows)).collect();
            tables.push((Table::Evidence, &evidence));
            ledger.decide(&tables)?;
        }
        Ok(())
    }

    fn reverse(&mut self, reversed: &[Reversed]) -> Result<(), EngineError> {
        match &mut self.ledger {
            Some(ledger) => Ok(ledger.reverse(reversed)?),
            None => Ok(()),
        }
    }

    fn write(&mut self, table: Table, batch: &RecordBatch) -> Result<(), EngineError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if let Some(folder) = self.folder.as_mut().filter(|folder| folder.has(table)) {
            folder.write(table, batch)?;
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.write(table, batch)?;
        }
        Ok(())
    }

    /// Shows what was written. The output tables come first: a run that is killed between the
    /// two is done again and writes them again.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the disk refuses.
    pub fn finish(self, recipe: &str, end: &End) -> Result<(), EngineError> {
        if let Some(folder) = self.folder {
            // Tables of an earlier run beside those of this one would not tie.
            let absent = Table::OUTPUTS
                .into_iter()
                .filter(|&table| !folder.has(table));
            folder.remove(absent)?;
            folder.finish()?;
        }
        if let Some(ledger) = self.ledger.filter(|_| end.has_news) {
            ledger.cut_off(recipe, &end.known)?;
        }
        Ok(())
    }
}

/// How a run ended, for the ledger.
pub struct End {
    /// Whether any file was new.
    pub has_news: bool,
    /// What the next run has to know.
    pub known: Value,
}

/// The sending side of the outputs.
pub struct Desk {
    sender: Sender<Rows>,
    wanted: Vec<Table>,
    /// Whether decisions have to be explained.
    pub explains: bool,
}

impl Desk {
    /// A desk that sends to `sender` what `outputs` wants.
    pub fn new(outputs: &Outputs, sender: Sender<Rows>) -> Self {
        Self {
            sender,
            wanted: Table::ALL
                .into_iter()
                .filter(|&table| outputs.wants(table))
                .collect(),
            explains: outputs.explains(),
        }
    }

    /// Whether anybody wants the rows of `table`.
    pub fn wants(&self, table: Table) -> bool {
        self.wanted.contains(&table)
    }

    /// Sends rows, waiting until there is room.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped; its own error is the one to show.
    pub fn send(&self, table: Table, batch: RecordBatch) -> Result<(), EngineError> {
        if batch.num_rows() == 0 || !self.wants(table) {
            return Ok(());
        }
        self.hand_over(Rows::Of(table, batch))
    }

    /// Sends payments with their decisions, waiting until there is room.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped; its own error is the one to show.
    pub fn send_decided(&self, decided: Decided) -> Result<(), EngineError> {
        if !DECIDED.into_iter().any(|table| self.wants(table)) {
            return Ok(());
        }
        self.hand_over(Rows::Decided(Box::new(decided)))
    }

    /// Sends what of earlier runs no longer holds.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped; its own error is the one to show.
    pub fn reverse(&self, reversed: Vec<Reversed>) -> Result<(), EngineError> {
        if reversed.is_empty() {
            return Ok(());
        }
        self.hand_over(Rows::Reversed(reversed))
    }

    /// Sends payments that wait for the next run, with their documents.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped; its own error is the one to show.
    pub fn wait(&self, payments: RecordBatch, lines: RecordBatch) -> Result<(), EngineError> {
        self.hand_over(Rows::Waiting(payments, lines))
    }

    fn hand_over(&self, rows: Rows) -> Result<(), EngineError> {
        self.sender
            .send(rows)
            .map_err(|_| crate::intake::internal("the writer has stopped"))
    }
}
