//! The ledger: a folder with the journal, and the tables that are made from it.
//!
//! | name | what |
//! |---|---|
//! | `journal.redb` | the journal and its state: the truth |
//! | `journal.seal` | digests of the journal's file, from a clean close to the next opening |
//! | `postings/000001/*.parquet` | the tables of each posting, for SQL; made from the journal |
//! | `history/2026-03/000001-000032/*.parquet` | the same of many postings, joined by month |
//! | `ledger.json` | which postings there are, with the digest of each file: the readers' snapshot |
//! | `.lock` | locked by the one writer |
//! | `.unpublished` | there while tables may lag behind the journal |
//! | `.*.partial` | what is being written; removed by the next writer if it was left |

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt64Array};
use serde_json::{Value, json};
use tieout_core::LineId;
use tieout_core::schema::Table;

use crate::history::{self, NEW_HISTORY, ReaderLock};
use crate::journal::{
    Clock, Digest, Event, EventKind, JOURNAL, Journal, LOCK, Posting, SystemClock, Verified,
    WriterLock, seal, store, verify,
};
use crate::manifest::{Manifest, NEW_MANIFEST, Posted, damaged};
use crate::posted::{self, PostedTables, digest_of, file_name, sync_dir};
use crate::publish::{
    NEW_JOURNAL, NEW_TABLES, UNPUBLISHED, are_there, publish, publish_from, publish_what_lags,
    remove_file,
};
use crate::{LedgerError, Moment, balanced};

/// A row or decision of an earlier posting that no longer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversed {
    /// What it is about, see [`what`](crate::journal::what).
    pub what: &'static str,
    /// Which.
    pub id: String,
    /// The posting that its row is in.
    pub posting: u64,
}

/// A ledger, as its readers see it: all postings up to one.
#[derive(Clone, Debug)]
pub struct Ledger {
    dir: PathBuf,
    manifest: Manifest,
    /// The last posting that is seen, where a file has later ones too.
    until: Option<u64>,
    lock: Arc<ReaderLock>,
}

/// Keeps the files that a [`Ledger`] names, as long as it lives.
#[derive(Clone, Debug)]
pub struct Kept(#[expect(dead_code, reason = "it is held")] Arc<ReaderLock>);

impl Ledger {
    /// Begins the next posting of the ledger in `dir`, the first if there is none.
    ///
    /// # Errors
    /// [`LedgerError::Occupied`] if `dir` holds anything else, [`LedgerError::Busy`] while
    /// another process writes, [`LedgerError::Newer`] for a ledger of a later version,
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn post(dir: &Path) -> Result<LedgerWriter, LedgerError> {
        Self::post_at(dir, Arc::new(SystemClock))
    }

    /// The same by another clock.
    ///
    /// # Errors
    /// Those of [`Ledger::post`].
    pub fn post_at(dir: &Path, clock: Arc<dyn Clock>) -> Result<LedgerWriter, LedgerError> {
        let is_new = !is_begun(dir)?;
        if is_new {
            check_free(dir)?;
            fs::create_dir_all(dir).map_err(LedgerError::write(dir))?;
        }
        let lock = WriterLock::take(dir)?;
        LedgerWriter::begin(dir, lock, clock)
    }

    /// Opens a ledger to read.
    ///
    /// # Errors
    /// [`LedgerError::NotALedger`] if there is none, [`LedgerError::Damaged`] if it is not whole
    /// or of a version unknown here, [`LedgerError::Read`] if it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        let lock = Arc::new(ReaderLock::take(dir));
        let manifest = Manifest::read(dir)?;
        let lags = dir.join(UNPUBLISHED).exists()
            || manifest.as_ref().map_or_else(
                || dir.join(JOURNAL).is_file(),
                |manifest| !are_there(dir, manifest),
            );
        let manifest = if lags {
            match publish_what_lags(dir) {
                Ok(published) => Some(published),
                // The writer is at it; what was there before is whole.
                Err(LedgerError::Busy { .. }) if manifest.is_some() => manifest,
                Err(error) => return Err(error),
            }
        } else {
            manifest
        };
        let manifest = manifest.ok_or_else(|| LedgerError::NotALedger(dir.to_owned()))?;
        Ok(Self {
            dir: dir.to_owned(),
            manifest,
            until: None,
            lock,
        })
    }

    /// The ledger as it was known by `moment`: later postings, and what they took back, are not
    /// there.
    ///
    /// # Errors
    /// [`LedgerError::NotKnown`] if nothing was recorded by then, or there is no such posting;
    /// [`LedgerError::Journal`] if the journal cannot be read.
    pub fn as_of(mut self, moment: Moment) -> Result<Self, LedgerError> {
        let postings = self.postings();
        let number = match moment {
            Moment::Posting(number) => number,
            Moment::Day(_) | Moment::At(_) => self.journal()?.posting_as_of(moment)?.min(postings),
        };
        if number == 0 || number > postings {
            let found = format!(
                "nothing is known as of {moment}: there are postings 1 to {postings}, the first \
                 recorded at {}",
                self.created_at()
            );
            return Err(LedgerError::NotKnown {
                path: self.dir,
                found,
            });
        }
        self.manifest
            .postings
            .retain(|posted| posted.first() <= number);
        if self.manifest.last() > number {
            self.until = Some(number);
        }
        Ok(self)
    }

    /// The last posting that is seen, where files have rows of later ones too.
    pub fn until(&self) -> Option<u64> {
        self.until
    }

    /// The last event that is seen.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the journal cannot be read.
    pub fn last_event(&self) -> Result<Option<Event>, LedgerError> {
        self.journal()?.last_of(self.postings())
    }

    /// What keeps its files while they are read.
    pub fn kept(&self) -> Kept {
        Kept(Arc::clone(&self.lock))
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The Parquet files of `table`: of the postings that have rows of it, some of which are joined
    /// by month. Their columns are those of [`stored_schema`](crate::stored_schema).
    pub fn files(&self, table: Table) -> Vec<PathBuf> {
        let with_rows = self
            .manifest
            .postings
            .iter()
            .filter(|posted| posted.tables.contains_key(table.name()));
        with_rows
            .map(|posted| self.dir.join(posted.folder()).join(file_name(table)))
            .collect()
    }

    /// How many rows the files of `table` have, those that no longer hold too.
    pub fn rows(&self, table: Table) -> u64 {
        let tables = self.manifest.postings.iter();
        let rows = tables.filter_map(|posted| posted.tables.get(table.name()));
        rows.map(|table| table.rows).sum()
    }

    /// How many postings there are.
    pub fn postings(&self) -> u64 {
        self.until.unwrap_or_else(|| self.manifest.last())
    }

    /// The last event that files are made of, and its hash.
    pub fn head(&self) -> Option<(u64, Digest)> {
        let last = self.manifest.postings.last()?;
        Some((last.sequence, Digest::from_hex(&last.hash)?))
    }

    /// The recipe of the last run.
    pub fn recipe(&self) -> &str {
        let recipes = self.manifest.postings.iter().rev();
        recipes
            .filter_map(|posted| posted.recipe.as_deref())
            .find(|recipe| !recipe.is_empty())
            .unwrap_or_default()
    }

    /// When the first posting was, RFC 3339 in UTC.
    pub fn created_at(&self) -> &str {
        let first = self.manifest.postings.first();
        first.map_or("", |posted| posted.begun_at())
    }

    /// The journal, to read; a writer may go on meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if it is damaged, [`LedgerError::Newer`] if a later version
    /// wrote it.
    pub fn journal(&self) -> Result<Journal, LedgerError> {
        let path = self.dir.join(JOURNAL);
        match Journal::open(&path) {
            Err(LedgerError::Journal { .. }) => {
                // A killed writer leaves a file that only a writer may put in order.
                let _lock = WriterLock::take(&self.dir)?;
                drop(store::open(&path)?);
                Journal::open(&path)
            }
            opened => opened,
        }
    }

    /// Verifies the journal and the tables made from it. `anchor` is an event's number and hash
    /// that were kept elsewhere.
    ///
    /// # Errors
    /// [`LedgerError::Altered`] with the first event that does not fit, [`LedgerError::Journal`]
    /// or [`LedgerError::Damaged`] for the file that does not.
    pub fn verify(dir: &Path, anchor: Option<(u64, Digest)>) -> Result<Verified, LedgerError> {
        let path = dir.join(JOURNAL);
        if !path.is_file() {
            return Err(LedgerError::NotALedger(dir.to_owned()));
        }
        // Nobody writes meanwhile; on a disk that is only read nobody can.
        let _lock = match WriterLock::take(dir) {
            Ok(lock) => Some(lock),
            Err(LedgerError::Write { .. }) => None,
            Err(error) => return Err(error),
        };
        let manifest = Manifest::read(dir);
        let ledger = match &manifest {
            Ok(Some(manifest)) => Some(Self {
                dir: dir.to_owned(),
                manifest: manifest.clone(),
                until: None,
                lock: Arc::new(ReaderLock::take(dir)),
            }),
            _ => None,
        };
        let head = ledger.as_ref().and_then(Self::head);
        let anchors: Vec<_> = head.into_iter().chain(anchor).collect();
        let mut verified = verify(&path, &anchors)?;
        verified.is_sealed = seal::check(dir)?;
        manifest?;
        if let Some(ledger) = ledger {
            ledger.verify_tables()?;
        }
        Ok(verified)
    }

    fn verify_tables(&self) -> Result<(), LedgerError> {
        for posted in &self.manifest.postings {
            for (path, stored) in posted.files(&self.dir) {
                let (digest, bytes) = digest_of(&path)?;
                if digest != stored.digest || bytes != stored.bytes {
                    return Err(damaged(&path, "the file is not as it was written"));
                }
            }
        }
        Ok(())
    }
}

/// A posting in the making. Dropped before it is finished, it leaves the ledger as it was.
pub struct LedgerWriter {
    dir: PathBuf,
    // In this order: what is open is closed before the lock is given back.
    posting: Option<Posting>,
    tables: Option<PostedTables>,
    journal: Option<Arc<Journal>>,
    manifest: Manifest,
    is_new: bool,
    /// Only decided, never kept: no tables, no folder.
    is_scratch: bool,
    lock: Option<WriterLock>,
}

impl LedgerWriter {
    fn begin(dir: &Path, lock: WriterLock, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        let path = dir.join(JOURNAL);
        let is_new = !path.is_file();
        let mut writer = Self {
            dir: dir.to_owned(),
            posting: None,
            tables: None,
            journal: None,
            manifest: Manifest::empty(),
            is_new,
            is_scratch: false,
            lock: Some(lock),
        };
        let (journal, manifest) = if is_new {
            let partial = dir.join(NEW_JOURNAL);
            remove_file(&partial)?;
            let database = store::create(&partial)?;
            (Journal::of_writer(database, &partial)?, Manifest::empty())
        } else {
            let journal = Journal::of_writer(store::open(&path)?, &path)?;
            let manifest = publish_from(dir, &journal)?;
            (journal, manifest)
        };
        let journal = Arc::new(journal);
        writer.manifest = manifest;
        writer.journal = Some(Arc::clone(&journal));
        let Some(database) = journal.database() else {
            return Err(LedgerError::NotALedger(dir.to_owned()));
        };
        let posting = Posting::begin(database, journal.path(), clock)?;
        writer.tables = Some(PostedTables::begin(
            &dir.join(NEW_TABLES),
            posting.number(),
        )?);
        writer.posting = Some(posting);
        Ok(writer)
    }

    /// Begins a posting of a [`Scratch`](crate::Scratch).
    pub(crate) fn of_scratch(journal: Arc<Journal>) -> Result<Self, LedgerError> {
        let Some(database) = journal.database() else {
            return Err(LedgerError::NotALedger(journal.path().to_owned()));
        };
        let posting = Posting::begin_scratch(database, journal.path(), Arc::new(SystemClock))?;
        Ok(Self {
            dir: PathBuf::new(),
            posting: Some(posting),
            tables: None,
            journal: Some(journal),
            manifest: Manifest::empty(),
            is_new: false,
            is_scratch: true,
            lock: None,
        })
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

    /// Writes rows to the table's file.
    fn show(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        match &mut self.tables {
            Some(tables) => tables.write(table, batch),
            None => Ok(()),
        }
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
        if self.is_scratch {
            self.posting.take().map(Posting::commit).transpose()?;
            return Ok(self.as_ledger(Manifest::empty()));
        }
        let (Some(posting), Some(mut tables), Some(journal)) =
            (self.posting.take(), self.tables.take(), self.journal.take())
        else {
            return Err(LedgerError::NotALedger(self.dir.clone()));
        };
        tables.write_journal(posting.events())?;
        let stored = tables.close()?;
        let marker = self.dir.join(UNPUBLISHED);
        File::create(&marker).map_err(LedgerError::write(&marker))?;
        sync_dir(&self.dir)?;
        let number = posting.number();
        let events = posting.commit()?;
        if self.is_new {
            let path = self.dir.join(JOURNAL);
            fs::rename(self.dir.join(NEW_JOURNAL), &path).map_err(LedgerError::write(&path))?;
            sync_dir(&self.dir)?;
            self.is_new = false;
        }
        let recipe = events
            .iter()
            .rev()
            .find(|(event, _)| event.kind == EventKind::Cutoff)
            .and_then(|(_, said)| said["recipe"].as_str().map(str::to_owned));
        if let Some((last, _)) = events.last() {
            let is_run = recipe.is_some();
            let posted = Posted::of(number, last, recipe, stored);
            publish(&self.dir, &mut self.manifest, posted)?;
            self.manifest.write(&self.dir)?;
            // From here on the posting is there; to join files can wait for the next one.
            if history::is_due(&self.manifest, is_run) {
                let _ = self.join(false);
            }
        }
        remove_file(&marker)?;
        drop(journal);
        let manifest = std::mem::replace(&mut self.manifest, Manifest::empty());
        Ok(self.as_ledger(manifest))
    }

    fn as_ledger(&self, manifest: Manifest) -> Ledger {
        Ledger {
            dir: self.dir.clone(),
            manifest,
            until: None,
            lock: Arc::new(ReaderLock::take(&self.dir)),
        }
    }

    /// Joins files, and gives the manifest back as it was if that fails.
    fn join(&mut self, all: bool) -> Result<bool, LedgerError> {
        let before = self.manifest.clone();
        let joined = history::join(&self.dir, &mut self.manifest, all);
        match joined {
            Ok(true) => {
                history::sweep(&self.dir, &self.manifest)?;
                Ok(true)
            }
            Ok(false) => Ok(false),
            Err(error) => {
                self.manifest = before;
                Err(error)
            }
        }
    }
}

impl Drop for LedgerWriter {
    fn drop(&mut self) {
        self.posting = None;
        self.tables = None;
        self.journal = None;
        if self.is_scratch {
            return;
        }
        // What cannot be removed is removed by the next writer.
        let _ = posted::remove(&self.dir.join(NEW_TABLES));
        if self.is_new {
            let _ = remove_file(&self.dir.join(NEW_JOURNAL));
            let _ = remove_file(&self.dir.join(UNPUBLISHED));
            if let Some(lock) = self.lock.take() {
                lock.remove();
            }
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

fn is_begun(dir: &Path) -> Result<bool, LedgerError> {
    Ok(Manifest::read(dir)?.is_some() || dir.join(JOURNAL).is_file())
}

fn check_free(dir: &Path) -> Result<(), LedgerError> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(LedgerError::read(dir)(error)),
    };
    for entry in entries {
        let name = entry.map_err(LedgerError::read(dir))?.file_name();
        let name = name.to_string_lossy();
        let own = [
            LOCK,
            UNPUBLISHED,
            NEW_TABLES,
            NEW_JOURNAL,
            NEW_MANIFEST,
            NEW_HISTORY,
        ];
        if !own.contains(&&*name) {
            return Err(LedgerError::Occupied {
                path: dir.to_owned(),
                example: name.into_owned(),
            });
        }
    }
    Ok(())
}
