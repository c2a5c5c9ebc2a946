//! One posting in the making: what is recorded together.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt64Array};
use redb::WriteTransaction;
use serde_json::{Value, json};
use tieout_core::LineId;
use tieout_core::schema::Table;

use crate::history::{self, ReaderLock};
use crate::journal::{
    Clock, Event, EventKind, HandedOver, JOURNAL, Journal, Posting, SystemClock, WriterLock, store,
};
use crate::kept::Reversed;
use crate::manifest::{Manifest, Posted};
use crate::posted::{self, PostedTables, sync_dir};
use crate::publish::{NEW_JOURNAL, NEW_TABLES, UNPUBLISHED, publish, publish_from, remove_file};
use crate::{Ledger, LedgerError, balanced};

/// A posting in the making. Dropped before it is finished, it leaves the ledger as it was.
pub struct LedgerWriter {
    dir: PathBuf,
    // In this order: what is open is closed before the lock is given back.
    posting: Option<Posting>,
    tables: Tables,
    journal: Option<Arc<Journal>>,
    manifest: Manifest,
    is_new: bool,
    lock: Option<WriterLock>,
}

/// Where the rows of a posting go beside the journal.
enum Tables {
    /// To files of its own.
    Files(PostedTables),
    /// To whoever keeps the ledger open.
    Rows(Vec<(Table, RecordBatch)>),
    /// Nowhere: it is only decided, and never kept.
    None,
}

/// A posting of a session, its transaction, and the rows of its tables.
pub(crate) struct Recorded {
    pub(crate) number: u64,
    pub(crate) posting: HandedOver,
    pub(crate) rows: Vec<(Table, RecordBatch)>,
}

/// The journal in `dir` for its writer, the manifest of the tables that are there, and whether the
/// journal is new, and so has no name yet.
pub(crate) fn open_to_write(dir: &Path) -> Result<(Arc<Journal>, Manifest, bool), LedgerError> {
    let path = dir.join(JOURNAL);
    if path.is_file() {
        let journal = Journal::of_writer(store::open(&path)?, &path)?;
        let manifest = publish_from(dir, &journal)?;
        return Ok((Arc::new(journal), manifest, false));
    }
    // A new one would take the place of all that was recorded.
    if let Some(manifest) = Manifest::read(dir)? {
        let last = manifest.last();
        return Err(LedgerError::Journal {
            path,
            found: format!("the file is missing, and the tables of {last} postings are there"),
        });
    }
    let partial = dir.join(NEW_JOURNAL);
    remove_file(&partial)?;
    let journal = Journal::of_writer(store::create(&partial)?, &partial)?;
    Ok((Arc::new(journal), Manifest::empty(), true))
}

/// Gives a new journal its name, now that something is in it.
pub(crate) fn name_journal(dir: &Path) -> Result<(), LedgerError> {
    let path = dir.join(JOURNAL);
    fs::rename(dir.join(NEW_JOURNAL), &path).map_err(LedgerError::write(&path))?;
    sync_dir(dir)
}

/// Says, on disk, that the tables may lag behind the journal from here on.
pub(crate) fn mark(dir: &Path) -> Result<(), LedgerError> {
    let marker = dir.join(UNPUBLISHED);
    File::create(&marker).map_err(LedgerError::write(&marker))?;
    sync_dir(dir)
}

/// Removes what was begun in `dir` for a ledger that has come to nothing.
pub(crate) fn forget_new(dir: &Path, lock: Option<WriterLock>) {
    // What cannot be removed is removed by the next writer.
    let _ = remove_file(&dir.join(NEW_JOURNAL));
    let _ = remove_file(&dir.join(UNPUBLISHED));
    if let Some(lock) = lock {
        lock.remove();
    }
}

/// The recipe of the run that `events` are, if they are one.
pub(crate) fn recipe_of(events: &[(Event, Value)]) -> Option<String> {
    let mut last_first = events.iter().rev();
    let cutoff = last_first.find(|(event, _)| event.kind == EventKind::Cutoff);
    cutoff.and_then(|(_, said)| said["recipe"].as_str().map(str::to_owned))
}

impl LedgerWriter {
    pub(crate) fn begin(
        dir: &Path,
        lock: WriterLock,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let is_new = !dir.join(JOURNAL).is_file();
        let mut writer = Self {
            dir: dir.to_owned(),
            posting: None,
            tables: Tables::None,
            journal: None,
            manifest: Manifest::empty(),
            is_new,
            lock: Some(lock),
        };
        let (journal, manifest, _) = open_to_write(dir)?;
        writer.manifest = manifest;
        writer.journal = Some(Arc::clone(&journal));
        let posting = Posting::begin(writer_of(&journal)?, journal.path(), clock)?;
        let tables = PostedTables::begin(&dir.join(NEW_TABLES), posting.number())?;
        writer.tables = Tables::Files(tables);
        writer.posting = Some(posting);
        Ok(writer)
    }

    /// Begins a posting of a [`Scratch`](crate::Scratch).
    pub(crate) fn of_scratch(journal: Arc<Journal>) -> Result<Self, LedgerError> {
        let clock = Arc::new(SystemClock);
        let posting = Posting::begin_scratch(writer_of(&journal)?, journal.path(), clock)?;
        Ok(Self::homeless(journal, posting, Tables::None))
    }

    /// Begins a posting of a [`Session`](crate::Session) in a transaction, which may have others
    /// already.
    pub(crate) fn of_session(
        journal: Arc<Journal>,
        transaction: WriteTransaction,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, LedgerError> {
        let posting = Posting::begin_in(transaction, journal.path(), clock)?;
        Ok(Self::homeless(journal, posting, Tables::Rows(Vec::new())))
    }

    /// Without a folder of its own.
    fn homeless(journal: Arc<Journal>, posting: Posting, tables: Tables) -> Self {
        Self {
            dir: PathBuf::new(),
            posting: Some(posting),
            tables,
            journal: Some(journal),
            manifest: Manifest::empty(),
            is_new: false,
            lock: None,
        }
    }

    /// What was committed before, to read from any thread.
    ///
    /// # Errors
    /// [`LedgerError::NotALedger`] once the posting is finished.
    pub fn journal(&self) -> Result<Arc<Journal>, LedgerError> {
        let journal = self.journal.as_ref();
        journal
            .map(Arc::clone)
            .ok_or_else(|| LedgerError::NotALedger(self.dir.clone()))
    }

    /// The number of the posting, from 1.
    pub fn number(&self) -> u64 {
        self.posting.as_ref().map_or(0, Posting::number)
    }

    fn posting(&mut self) -> Result<&mut Posting, LedgerError> {
        let posting = self.posting.as_mut();
        posting.ok_or_else(|| LedgerError::NotALedger(self.dir.clone()))
    }

    /// Shows rows to readers.
    fn show(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        match &mut self.tables {
            Tables::Files(tables) => tables.write(table, batch)?,
            Tables::Rows(rows) => rows.push((table, batch.clone())),
            Tables::None => {}
        }
        Ok(())
    }

    /// Writes rows of `table`, with all of its columns.
    ///
    /// # Errors
    /// [`LedgerError::Shape`] and [`LedgerError::Unbalanced`] if the rows are wrong,
    /// [`LedgerError::Refused`] if they contradict the ledger, [`LedgerError::Write`] if the
    /// disk refuses.
    pub fn write(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        if DECISIONS.contains(&table) {
            return self.decide(&[(table, batch)]);
        }
        balanced::check(table, batch)?;
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.posting()?.receive(table, batch)?;
        self.show(table, batch)
    }

    /// Writes what became of payments: rows of the tables that say so, for the same payments.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::write`].
    pub fn decide(&mut self, decided: &[(Table, &RecordBatch)]) -> Result<(), LedgerError> {
        for (table, batch) in decided {
            balanced::check(*table, batch)?;
        }
        if decided.iter().all(|(_, batch)| batch.num_rows() == 0) {
            return Ok(());
        }
        self.posting()?.decide(decided)?;
        for (table, batch) in decided {
            self.show(*table, batch)?;
        }
        Ok(())
    }

    /// Takes back rows and decisions of earlier postings; what they applied is open again. A
    /// payment needs another decision before the posting is finished.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::write`].
    pub fn reverse(&mut self, reversed: &[Reversed]) -> Result<(), LedgerError> {
        if reversed.is_empty() {
            return Ok(());
        }
        let own = self.number();
        let texts = |of: fn(&Reversed) -> &str| -> StringArray {
            reversed.iter().map(|row| Some(of(row))).collect()
        };
        let postings = reversed.iter().map(|row| row.posting);
        let batch = RecordBatch::try_new(
            Table::Reversals.schema(),
            vec![
                Arc::new(texts(|row| row.what)),
                Arc::new(texts(|row| &row.id)),
                Arc::new(UInt64Array::from_iter_values(postings)),
                Arc::new(UInt64Array::from(vec![own; reversed.len()])),
            ],
        );
        let batch = batch.map_err(|error| LedgerError::Shape {
            table: Table::Reversals.name(),
            found: error.to_string(),
        })?;
        self.posting()?.reverse(&batch)?;
        self.show(Table::Reversals, &batch)
    }

    /// Keeps payments that nobody has decided finally, with their documents, for the next run.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::write`].
    pub fn wait(&mut self, payments: &RecordBatch, lines: &RecordBatch) -> Result<(), LedgerError> {
        self.posting()?.wait(payments, lines)
    }

    /// Keeps the identities of rows that have none of their own, so that they are known when they
    /// come again.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::write`].
    pub fn know(&mut self, ids: &[LineId]) -> Result<(), LedgerError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.posting()?.know(ids)
    }

    /// Appends an event that is JSON.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::write`].
    pub fn append(
        &mut self,
        kind: EventKind,
        subject: &str,
        said: Value,
    ) -> Result<u64, LedgerError> {
        self.posting()?.append_json(kind, subject, said)
    }

    /// Appends what an event of another journal says; tables are not made of it.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] if it does not fit here.
    pub fn copy(&mut self, event: &Event, payload: &[u8]) -> Result<(), LedgerError> {
        self.posting()?.copy(event, payload)
    }

    /// Ends a run by `recipe`: its cutoff, and all of it on disk. When this returns, it is there.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::commit`].
    pub fn finish(self, recipe: &str) -> Result<Ledger, LedgerError> {
        self.cut_off(recipe, &Value::Null)
    }

    /// The same, with what the next run has to know.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::commit`].
    pub fn cut_off(mut self, recipe: &str, known: &Value) -> Result<Ledger, LedgerError> {
        let cutoff = json!({ "recipe": recipe, "known": known });
        self.append(EventKind::Cutoff, "", cutoff)?;
        self.commit()
    }

    /// Puts everything on disk, and shows it to readers.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses; then nothing has happened.
    pub fn commit(mut self) -> Result<Ledger, LedgerError> {
        let tables = std::mem::replace(&mut self.tables, Tables::None);
        let Tables::Files(mut tables) = tables else {
            self.posting.take().map(Posting::commit).transpose()?;
            return Ok(self.as_ledger(Manifest::empty(), Vec::new()));
        };
        let (Some(posting), Some(journal)) = (self.posting.take(), self.journal.take()) else {
            return Err(LedgerError::NotALedger(self.dir.clone()));
        };
        tables.write_journal(posting.events())?;
        let stored = tables.close()?;
        mark(&self.dir)?;
        let number = posting.number();
        let events = posting.commit()?;
        if self.is_new {
            name_journal(&self.dir)?;
            self.is_new = false;
        }
        let recipe = recipe_of(&events);
        let mut undone = Vec::new();
        if let Some((last, _)) = events.last() {
            let is_run = recipe.is_some();
            let posted = Posted::of(number, last, recipe, stored);
            publish(&self.dir, &mut self.manifest, posted)?;
            self.manifest.write(&self.dir)?;
            // Those who read give way to the writer until it is done.
            let _ = fs::create_dir(self.dir.join(NEW_TABLES));
            // From here on the posting is there; what follows can wait for the next one.
            if let Err(error) = history::join_due(&self.dir, &mut self.manifest, is_run) {
                undone.push(format!(
                    "the files of earlier postings could not be joined: {error}"
                ));
            }
            if is_run && let Err(error) = journal.carry_forward() {
                undone.push(format!(
                    "what is open could not be carried forward: {error}; the next run reads all \
                     that ever was, and tries again"
                ));
            }
        }
        remove_file(&self.dir.join(UNPUBLISHED))?;
        drop(journal);
        let manifest = std::mem::replace(&mut self.manifest, Manifest::empty());
        Ok(self.as_ledger(manifest, undone))
    }

    /// Hands everything to the session, which puts it on disk.
    pub(crate) fn record(mut self) -> Result<Recorded, LedgerError> {
        let number = self.number();
        let Some(posting) = self.posting.take() else {
            return Err(LedgerError::NotALedger(self.dir.clone()));
        };
        let rows = match std::mem::replace(&mut self.tables, Tables::None) {
            Tables::Rows(rows) => rows,
            Tables::Files(_) | Tables::None => Vec::new(),
        };
        Ok(Recorded {
            number,
            posting: posting.hand_over()?,
            rows,
        })
    }

    fn as_ledger(&self, manifest: Manifest, undone: Vec<String>) -> Ledger {
        Ledger::of(&self.dir, manifest, undone, ReaderLock::take(&self.dir))
    }
}

/// The store of a writer's journal.
pub(crate) fn writer_of(journal: &Journal) -> Result<&redb::Database, LedgerError> {
    let database = journal.database();
    database.ok_or_else(|| LedgerError::NotALedger(journal.path().to_owned()))
}

impl Drop for LedgerWriter {
    fn drop(&mut self) {
        self.posting = None;
        self.tables = Tables::None;
        self.journal = None;
        if self.dir.as_os_str().is_empty() {
            return;
        }
        // What cannot be removed is removed by the next writer.
        let _ = posted::remove(&self.dir.join(NEW_TABLES));
        if self.is_new {
            forget_new(&self.dir, self.lock.take());
        }
    }
}

/// The tables that say what became of payments.
const DECISIONS: [Table; 5] = [
    Table::Payments,
    Table::Applications,
    Table::Exceptions,
    Table::Duplicates,
    Table::Evidence,
];
