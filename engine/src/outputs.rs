//! Where rows go: the folder of output tables, the ledger, or nowhere.

use arrow::array::RecordBatch;
use crossbeam::channel::{Receiver, Sender};
use tieout_core::schema::Table;
use tieout_ledger::{Columns, Folder, Ledger, LedgerWriter};

use crate::{EngineError, RunOptions};

/// Batches that may wait to be written.
pub const BATCHES_MAX: usize = 16;

/// The sinks of a run.
pub struct Outputs {
    folder: Option<Folder>,
    ledger: Option<LedgerWriter>,
}

/// Rows on their way to the sinks.
pub type Rows = (Table, RecordBatch);

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
        for (table, batch) in rows {
            if let Some(folder) = self
                .folder
                .as_mut()
                .filter(|_| Table::OUTPUTS.contains(&table))
            {
                folder.write(table, &batch)?;
            }
            if let Some(ledger) = &mut self.ledger {
                ledger.write(table, &batch)?;
            }
        }
        Ok(self)
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
        self.sender
            .send((table, batch))
            .map_err(|_| crate::intake::internal("the writer has stopped"))
    }
}
