//! Where rows go: the folder of output tables, the ledger, or nowhere.

use arrow::array::RecordBatch;
use crossbeam::channel::{Receiver, Sender};
use tieout_core::schema::Table;
use tieout_ledger::{Columns, Folder, Ledger, LedgerWriter};

use crate::tables::Decided;
use crate::{EngineError, RunOptions};

/// Batches that may wait to be written.
pub const BATCHES_MAX: usize = 8;

/// The sinks of a run.
pub struct Outputs {
    folder: Option<Folder>,
    ledger: Option<LedgerWriter>,
}

/// Rows on their way to the sinks.
pub enum Rows {
    /// Of one table.
    Of(Table, RecordBatch),
    /// Of every table that says what became of payments; they become rows on the writer's thread.
    Decided(Box<Decided>),
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
            .map(|out| Folder::create(&out.dir, &Table::OUTPUTS, out.format, Columns::Contract));
        let ledger = options.ledger.as_deref().map(Ledger::create);
        Ok(Self {
            ledger: ledger.transpose()?,
            folder: folder.transpose()?,
        })
    }

    /// Whether anybody wants the rows of `table`.
    pub fn wants(&self, table: Table) -> bool {
        self.ledger.is_some() || (self.folder.is_some() && Table::OUTPUTS.contains(&table))
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
            }
        }
        Ok(self)
    }

    fn write_decided(&mut self, decided: &Decided) -> Result<(), EngineError> {
        self.write(Table::Payments, &decided.payments()?)?;
        self.write(Table::Applications, &decided.applications()?)?;
        self.write(Table::Exceptions, &decided.exceptions()?)?;
        self.write(Table::Duplicates, &decided.duplicates()?)?;
        if self.wants(Table::Evidence) {
            self.write(Table::Evidence, &decided.evidence()?)?;
        }
        Ok(())
    }

    fn write(&mut self, table: Table, batch: &RecordBatch) -> Result<(), EngineError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let outputs = Table::OUTPUTS.contains(&table);
        if let Some(folder) = self.folder.as_mut().filter(|_| outputs) {
            folder.write(table, batch)?;
        }
        if let Some(ledger) = &mut self.ledger {
            ledger.write(table, batch)?;
        }
        Ok(())
    }

    /// Shows what was written.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the disk refuses.
    pub fn finish(self, recipe: &str) -> Result<(), EngineError> {
        if let Some(folder) = self.folder {
            folder.finish()?;
        }
        if let Some(ledger) = self.ledger {
            ledger.finish(recipe)?;
        }
        Ok(())
    }
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
        if !self.wants(Table::Payments) {
            return Ok(());
        }
        self.hand_over(Rows::Decided(Box::new(decided)))
    }

    fn hand_over(&self, rows: Rows) -> Result<(), EngineError> {
        self.sender
            .send(rows)
            .map_err(|_| crate::intake::internal("the writer has stopped"))
    }
}
