//! The ledger: a folder with the journal, and the tables that are made from it.
//!
//! | name | what |
//! |---|---|
//! | `journal.redb` | the journal and its state: the truth |
//! | `postings/000001/*.parquet` | the tables of each posting, for SQL; made from the journal |
//! | `ledger.json` | which postings there are, with the digest of each file: the readers' snapshot |
//! | `.lock` | locked by the one writer |
//! | `.unpublished` | there while tables may lag behind the journal |
//! | `.*.partial` | what is being written; removed by the next writer if it was left |

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt64Array};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tieout_core::schema::Table;

use crate::journal::{
    Clock, Digest, Event, EventKind, JOURNAL, Journal, LOCK, Posting, SystemClock, Verified,
    WriterLock, store, verify,
};
use crate::posted::{self, PostedTables, StoredTable, digest_of, file_name, sync_dir};
use crate::{LedgerError, balanced};

/// The file that says what readers see.
pub const MANIFEST: &str = "ledger.json";
/// The version of the folder's layout that this program writes and reads.
const FORMAT_VERSION: u32 = 2;
const POSTINGS: &str = "postings";
const UNPUBLISHED: &str = ".unpublished";
const NEW_TABLES: &str = ".posting.partial";
const NEW_JOURNAL: &str = ".journal.redb.partial";
const NEW_MANIFEST: &str = ".ledger.json.partial";

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Manifest {
    format_version: u32,
    postings: Vec<Posted>,
    /// BLAKE3 of the postings as they are written here.
    digest: String,
}

/// One posting whose tables can be read.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Posted {
    posting: u64,
    recorded_at: String,
    /// Of a run; a person's action has none.
    recipe: Option<String>,
    /// Its last event, and that event's hash.
    sequence: u64,
    hash: String,
    tables: BTreeMap<String, StoredTable>,
}

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
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    manifest: Manifest,
}

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
        let manifest = read_manifest(dir)?;
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
        })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The Parquet files of `table`, one a posting that has rows of it. Their columns are those
    /// of [`stored_schema`](crate::stored_schema).
    pub fn files(&self, table: Table) -> Vec<PathBuf> {
        let with_rows = self
            .manifest
            .postings
            .iter()
            .filter(|posted| posted.tables.contains_key(table.name()));
        with_rows
            .map(|posted| posting_dir(&self.dir, posted.posting).join(file_name(table)))
            .collect()
    }

    /// How many rows `table` has in all postings, those that no longer hold too.
    pub fn rows(&self, table: Table) -> u64 {
        let tables = self.manifest.postings.iter();
        let rows = tables.filter_map(|posted| posted.tables.get(table.name()));
        rows.map(|table| table.rows).sum()
    }

    /// How many postings there are.
    pub fn postings(&self) -> u64 {
        self.manifest.postings.len() as u64
    }

    /// The last event and its hash.
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
        first.map_or("", |posted| posted.recorded_at.as_str())
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
        let manifest = read_manifest(dir);
        let ledger = match &manifest {
            Ok(Some(manifest)) => Some(Self {
                dir: dir.to_owned(),
                manifest: manifest.clone(),
            }),
            _ => None,
        };
        let head = ledger.as_ref().and_then(Self::head);
        let anchors: Vec<_> = head.into_iter().chain(anchor).collect();
        let verified = verify(&path, &anchors)?;
        manifest?;
        if let Some(ledger) = ledger {
            ledger.verify_tables()?;
        }
        Ok(verified)
    }

    fn verify_tables(&self) -> Result<(), LedgerError> {
        for posted in &self.manifest.postings {
            for (name, stored) in &posted.tables {
                let path = posting_dir(&self.dir, posted.posting)
                    .join(format!("{name}.{}", crate::FileFormat::Parquet.extension()));
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
            manifest: empty_manifest(),
            is_new,
            lock: Some(lock),
        };
        let (journal, manifest) = if is_new {
            let partial = dir.join(NEW_JOURNAL);
            remove_file(&partial)?;
            let database = store::create(&partial)?;
            (Journal::of_writer(database, &partial)?, empty_manifest())
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

    fn parts(&mut self) -> Result<(&mut Posting, &mut PostedTables), LedgerError> {
        match (&mut self.posting, &mut self.tables) {
            (Some(posting), Some(tables)) => Ok((posting, tables)),
            _ => Err(LedgerError::NotALedger(self.dir.clone())),
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
        let (posting, tables) = self.parts()?;
        posting.receive(table, batch)?;
        tables.write(table, batch)
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
        let (posting, tables) = self.parts()?;
        posting.decide(decided)?;
        for (table, batch) in decided {
            tables.write(*table, batch)?;
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
        let (posting, tables) = self.parts()?;
        posting.reverse(&batch)?;
        tables.write(Table::Reversals, &batch)
    }

    /// Keeps payments that nobody has decided finally, with their documents, for the next run.
    ///
    /// # Errors
    /// Those of [`LedgerWriter::write`].
    pub fn wait(&mut self, payments: &RecordBatch, lines: &RecordBatch) -> Result<(), LedgerError> {
        self.parts()?.0.wait(payments, lines)
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
        self.parts()?.0.append_json(kind, subject, said)
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
            let posted = posted_entry(number, last, recipe, stored);
            publish(&self.dir, &mut self.manifest, posted)?;
        }
        remove_file(&marker)?;
        drop(journal);
        Ok(Ledger {
            dir: self.dir.clone(),
            manifest: std::mem::replace(&mut self.manifest, empty_manifest()),
        })
    }
}

impl Drop for LedgerWriter {
    fn drop(&mut self) {
        self.posting = None;
        self.tables = None;
        self.journal = None;
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

fn posted_entry(
    number: u64,
    last: &Event,
    recipe: Option<String>,
    tables: BTreeMap<String, StoredTable>,
) -> Posted {
    Posted {
        posting: number,
        recorded_at: last.at.to_string(),
        recipe,
        sequence: last.sequence,
        hash: last.hash.to_string(),
        tables,
    }
}

/// Gives the new tables their name and adds them to what readers see.
fn publish(dir: &Path, manifest: &mut Manifest, posted: Posted) -> Result<(), LedgerError> {
    let postings = dir.join(POSTINGS);
    fs::create_dir_all(&postings).map_err(LedgerError::write(&postings))?;
    let target = posting_dir(dir, posted.posting);
    posted::remove(&target)?;
    fs::rename(dir.join(NEW_TABLES), &target).map_err(LedgerError::write(&target))?;
    sync_dir(&postings)?;
    manifest
        .postings
        .retain(|known| known.posting < posted.posting);
    manifest.postings.push(posted);
    write_manifest(dir, manifest)
}

/// Publishes, as the writer of the moment, what a killed one has committed.
fn publish_what_lags(dir: &Path) -> Result<Manifest, LedgerError> {
    let _lock = WriterLock::take(dir)?;
    let path = dir.join(JOURNAL);
    if !path.is_file() {
        return Err(LedgerError::NotALedger(dir.to_owned()));
    }
    let journal = Journal::of_writer(store::open(&path)?, &path)?;
    publish_from(dir, &journal)
}

/// Makes the tables of every posting of the journal that does not have them whole.
fn publish_from(dir: &Path, journal: &Journal) -> Result<Manifest, LedgerError> {
    let mut manifest = read_manifest(dir)?.unwrap_or_else(empty_manifest);
    let last = journal.last()?.map_or(0, |event| event.posting);
    let whole = manifest
        .postings
        .iter()
        .zip(1..)
        .take_while(|(posted, number)| posted.posting == *number && is_there(dir, posted))
        .count();
    let damaged_after = manifest.postings.len() > whole;
    manifest.postings.truncate(whole);
    let mut first = manifest
        .postings
        .last()
        .map_or(1, |posted| posted.sequence + 1);
    for number in whole as u64 + 1..=last {
        if let Some(rebuilt) = posted::rebuild(journal, first, number, &dir.join(NEW_TABLES))? {
            first = rebuilt.last.sequence + 1;
            let posted = posted_entry(number, &rebuilt.last, rebuilt.recipe, rebuilt.stored);
            publish(dir, &mut manifest, posted)?;
        }
    }
    if damaged_after && last <= whole as u64 {
        write_manifest(dir, &mut manifest)?;
    }
    remove_file(&dir.join(UNPUBLISHED))?;
    Ok(manifest)
}

fn posting_dir(dir: &Path, number: u64) -> PathBuf {
    dir.join(POSTINGS).join(format!("{number:06}"))
}

fn are_there(dir: &Path, manifest: &Manifest) -> bool {
    manifest.postings.iter().all(|posted| is_there(dir, posted))
}

/// Whether the files of a posting are there in their sizes.
fn is_there(dir: &Path, posted: &Posted) -> bool {
    posted.tables.iter().all(|(name, stored)| {
        let name = format!("{name}.{}", crate::FileFormat::Parquet.extension());
        let path = posting_dir(dir, posted.posting).join(name);
        fs::metadata(path).is_ok_and(|about| about.len() == stored.bytes)
    })
}

fn is_begun(dir: &Path) -> Result<bool, LedgerError> {
    Ok(read_manifest(dir)?.is_some() || dir.join(JOURNAL).is_file())
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
        if ![LOCK, UNPUBLISHED, NEW_TABLES, NEW_JOURNAL, NEW_MANIFEST].contains(&&*name) {
            return Err(LedgerError::Occupied {
                path: dir.to_owned(),
                example: name.into_owned(),
            });
        }
    }
    Ok(())
}

fn empty_manifest() -> Manifest {
    Manifest {
        format_version: FORMAT_VERSION,
        postings: Vec::new(),
        digest: String::new(),
    }
}

fn read_manifest(dir: &Path) -> Result<Option<Manifest>, LedgerError> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u32,
    }
    let path = dir.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(LedgerError::read(&path)(error)),
    };
    let unreadable = |error: serde_json::Error| damaged(&path, &error.to_string());
    let Version { format_version } = serde_json::from_str(&text).map_err(unreadable)?;
    if format_version > FORMAT_VERSION {
        return Err(LedgerError::Newer {
            path,
            version: format_version.into(),
            known: FORMAT_VERSION.into(),
        });
    }
    if format_version < FORMAT_VERSION {
        let found = format!(
            "the ledger's format is version {format_version}, which kept one run without a \
             journal; this program knows version {FORMAT_VERSION}"
        );
        return Err(damaged(&path, &found));
    }
    let manifest: Manifest = serde_json::from_str(&text).map_err(unreadable)?;
    if manifest.digest != digest(&manifest.postings).map_err(unreadable)? {
        return Err(damaged(&path, "the file is not as it was written"));
    }
    Ok(Some(manifest))
}

fn digest(postings: &[Posted]) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string(postings)?;
    Ok(Digest::of(text.as_bytes()).to_string())
}

fn write_manifest(dir: &Path, manifest: &mut Manifest) -> Result<(), LedgerError> {
    let path = dir.join(MANIFEST);
    let partial = dir.join(NEW_MANIFEST);
    let unwritable = |error: serde_json::Error| LedgerError::write(&path)(error.into());
    manifest.digest = digest(&manifest.postings).map_err(unwritable)?;
    let text = serde_json::to_string_pretty(manifest).map_err(unwritable)?;
    File::create(&partial)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&partial, &path))
        .map_err(LedgerError::write(&path))?;
    sync_dir(dir)
}

fn remove_file(path: &Path) -> Result<(), LedgerError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LedgerError::write(path)(error))
        }
        _ => Ok(()),
    }
}

fn damaged(path: &Path, found: &str) -> LedgerError {
    LedgerError::Damaged {
        path: path.to_owned(),
        found: found.to_owned(),
    }
}
