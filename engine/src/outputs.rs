//! Where rows go: the folder of output tables, the ledger, or nowhere.

use arrow::array::{RecordBatch, StringArray};
use crossbeam::channel::{Receiver, Sender};
use serde_json::Value;
use tieout_core::schema::Table;
use tieout_core::{LineId, Severity};
use tieout_ledger::journal::EventKind;
use tieout_ledger::{Columns, Folder, Ledger, LedgerError, LedgerWriter, Reversed};

use crate::carried::Earlier;
use crate::tables::Decided;
use crate::{EngineError, Output, RunOptions};

/// Batches that may wait to be written.
pub const BATCHES_MAX: usize = 8;

/// The sinks of a run.
pub struct Outputs {
    folder: Option<Folder>,
    out: Option<Output>,
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
    /// Identities of rows that have none of their own, for later runs.
    Known(Vec<LineId>),
    /// A lockbox layout or CSV profile, for later runs.
    Profile(Value),
}

impl Outputs {
    /// Begins the sinks that `options` asks for.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if one cannot be begun.
    pub fn create(options: &RunOptions) -> Result<Self, EngineError> {
        let folder = options.out.as_ref().map(begin_folder);
        let ledger = options.ledger.as_deref().map(Ledger::post);
        Ok(Self {
            ledger: ledger.transpose()?,
            folder: folder.transpose()?,
            out: options.out.clone(),
        })
    }

    /// Only a posting of a ledger.
    pub fn of_ledger(ledger: LedgerWriter) -> Self {
        Self {
            folder: None,
            out: None,
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
                rows => self.keep(&rows)?,
            }
        }
        Ok(self)
    }

    /// Keeps what only later runs want.
    fn keep(&mut self, rows: &Rows) -> Result<(), EngineError> {
        let Some(ledger) = &mut self.ledger else {
            return Ok(());
        };
        match rows {
            Rows::Waiting(payments, lines) => ledger.wait(payments, lines)?,
            Rows::Known(ids) => ledger.know(ids)?,
            Rows::Profile(said) => {
                let name = said["name"].as_str().unwrap_or_default().to_owned();
                ledger.append(EventKind::Profile, &name, said.clone())?;
            }
            Rows::Of(..) | Rows::Decided(_) | Rows::Reversed(_) => {}
        }
        Ok(())
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
    /// two is done again and writes them again. Where nothing was new, they are those of the
    /// posting that has read the files, so that a run which is done again gives what it gave.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if the disk refuses.
    pub fn finish(mut self, recipe: &str, end: &End) -> Result<Finished, EngineError> {
        let repeated = match end.repeats.filter(|_| !end.has_news) {
            Some(posting) => Some(self.repeat(posting)?),
            None => None,
        };
        if let Some(folder) = self.folder {
            // Tables of an earlier run beside those of this one would not tie.
            let absent = Table::OUTPUTS
                .into_iter()
                .filter(|&table| !folder.has(table));
            folder.remove(absent)?;
            folder.finish()?;
        }
        let (mut posting, mut undone) = (None, Vec::new());
        if let Some(ledger) = self.ledger.filter(|_| end.has_news) {
            posting = Some(ledger.number());
            undone = ledger.cut_off(recipe, &end.known)?.undone().to_vec();
        }
        Ok(Finished {
            posting,
            undone,
            repeated,
        })
    }

    /// Writes the rows of an earlier posting instead of what this run had to say.
    fn repeat(&mut self, posting: u64) -> Result<Repeated, EngineError> {
        let mut repeated = Repeated {
            posting,
            ..Repeated::default()
        };
        let Some(ledger) = &self.ledger else {
            return Ok(repeated);
        };
        // Its files have the names that the new ones take.
        drop(self.folder.take());
        let mut folder = self.out.as_ref().map(begin_folder).transpose()?;
        ledger.journal()?.posted_rows(posting, |table, batch| {
            repeated.count(table, batch);
            match folder.as_mut().filter(|folder| folder.has(table)) {
                Some(folder) => folder.write(table, batch),
                None => Ok(()),
            }
        })?;
        self.folder = folder;
        Ok(repeated)
    }
}

fn begin_folder(out: &Output) -> Result<Folder, LedgerError> {
    Folder::create(&out.dir, &out.tables, out.format, Columns::Contract)
}

/// What was shown in the end.
pub struct Finished {
    /// The posting that keeps the run.
    pub posting: Option<u64>,
    /// What the ledger leaves to a later run, and why.
    pub undone: Vec<String>,
    /// What an earlier one had to say whose files came again.
    pub repeated: Option<Repeated>,
}

/// What an earlier posting, whose files came again, had to say of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Its number.
    pub posting: u64,
    /// Lines in quarantine.
    pub quarantined: u64,
    /// Findings that are errors.
    pub errors: u64,
}

impl Repeated {
    fn count(&mut self, table: Table, batch: &RecordBatch) {
        match table {
            Table::Quarantine => self.quarantined += batch.num_rows() as u64,
            Table::Findings => {
                let column = batch.column(Table::Findings.column("severity"));
                let severities = column.as_any().downcast_ref::<StringArray>();
                let errors = severities.into_iter().flatten().flatten();
                let errors = errors.filter(|&code| code == Severity::Error.code());
                self.errors += errors.count() as u64;
            }
            _ => {}
        }
    }
}

/// How a run ended, for the ledger.
pub struct End {
    /// Whether any file was new.
    pub has_news: bool,
    /// The last posting that has read one of the files, if one has.
    pub repeats: Option<u64>,
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

    /// Sends identities of rows that have none of their own.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped; its own error is the one to show.
    pub fn know(&self, ids: Vec<LineId>) -> Result<(), EngineError> {
        if ids.is_empty() || !self.explains {
            return Ok(());
        }
        self.hand_over(Rows::Known(ids))
    }

    /// Sends a lockbox layout or CSV profile.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the writer has stopped; its own error is the one to show.
    pub fn profile(&self, said: Value) -> Result<(), EngineError> {
        self.hand_over(Rows::Profile(said))
    }

    fn hand_over(&self, rows: Rows) -> Result<(), EngineError> {
        self.sender
            .send(rows)
            .map_err(|_| crate::intake::internal("the writer has stopped"))
    }
}
