//! The ledger: a folder with the journal, and the tables that are made from it.
//!
//! | name | what |
//! |---|---|
//! | `journal.redb` | the journal and its state: the truth |
//! | `journal.seal` | digests of the journal's file, from a clean close to the next opening |
//! | `postings/000001/*.parquet` | the tables of each posting, for SQL; made from the journal |
//! | `postings/000002-000080/*.parquet` | the same of postings that one session recorded |
//! | `history/2026-03/000001-000032/*.parquet` | the same of many postings, joined by month |
//! | `ledger.json` | which postings there are, with the digest of each file: the readers' snapshot |
//! | `.unswept` | there while objects may lie at a URL that no manifest names |
//! | `.lock` | locked by the one writer |
//! | `.unpublished` | there while tables may lag behind the journal |
//! | `.*.partial` | what is being written; removed by the next writer if it was left |

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tieout_core::schema::Table;

use crate::history::{NEW_HISTORY, ReaderLock};
use crate::journal::{
    Clock, Digest, Event, JOURNAL, Journal, LOCK, SystemClock, Verified, WriterLock, seal, store,
    verify,
};
use crate::manifest::{MANIFEST, Manifest, NEW_MANIFEST, Posted, damaged, object_name};
use crate::objects::{Objects, Shelf, Shelved, local_object};
use crate::posted::{self, file_name};
use crate::publish::{
    NEW_JOURNAL, NEW_TABLES, UNPUBLISHED, are_there, is_written, publish_what_lags,
};
use crate::recording::LedgerWriter;
use crate::{LedgerError, Moment};

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
    /// What its writer could not do behind its last posting.
    undone: Vec<String>,
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
        LedgerWriter::begin(dir, lock_to_write(dir)?, clock)
    }

    pub(crate) fn of(
        dir: &Path,
        manifest: Manifest,
        undone: Vec<String>,
        lock: ReaderLock,
    ) -> Self {
        Self {
            dir: dir.to_owned(),
            manifest,
            until: None,
            undone,
            lock: Arc::new(lock),
        }
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
            undone: Vec::new(),
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

    /// Whether somebody writes into the ledger in `dir` at the moment, as far as its files say.
    pub fn is_written(dir: &Path) -> bool {
        is_written(dir)
    }

    /// What its writer could not do once its posting was on disk, as sentences: later runs do it, and
    /// are slower until then. Nothing for a ledger that was opened to read.
    pub fn undone(&self) -> &[String] {
        &self.undone
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

    /// The Parquet files of `table` in the ledger's folder: of the postings that have rows of it, some
    /// of which are joined by month. Their columns are those of
    /// [`stored_schema`](crate::stored_schema). Where a history lies elsewhere, [`Ledger::shelf`] has
    /// the other files too.
    pub fn files(&self, table: Table) -> Vec<PathBuf> {
        let with_rows = self.with_rows(table).filter(|posted| !posted.elsewhere);
        with_rows
            .map(|posted| self.dir.join(posted.folder()).join(file_name(table)))
            .collect()
    }

    fn with_rows(&self, table: Table) -> impl Iterator<Item = &Posted> {
        let postings = self.manifest.postings.iter();
        postings.filter(move |posted| posted.tables.contains_key(table.name()))
    }

    /// The files of `table` as the [`Shelf`] names them, in the order of their postings.
    pub fn names(&self, table: Table) -> Vec<String> {
        let with_rows = self.with_rows(table);
        with_rows
            .map(|posted| format!("{}/{}", posted.folder(), file_name(table)))
            .collect()
    }

    /// All files as one store, if some of them lie elsewhere.
    ///
    /// # Errors
    /// [`LedgerError::Address`] if the place cannot be opened with this program.
    pub fn shelf(&self) -> Result<Option<Shelf>, LedgerError> {
        if !self.manifest.postings.iter().any(|own| own.elsewhere) {
            return Ok(None);
        }
        let objects = self.objects()?;
        let mut shelf = Shelf::default();
        for posted in &self.manifest.postings {
            let at = posted.recorded_at.parse().unwrap_or_default();
            for (name, stored) in posted.files() {
                let (url, (store, path)) = if posted.elsewhere {
                    let object = object_name(&name);
                    (objects.url(object), objects.object(object))
                } else {
                    let file = self.dir.join(&name);
                    (file.display().to_string(), local_object(&file)?)
                };
                let file = Shelved {
                    store,
                    path,
                    url,
                    bytes: stored.bytes,
                    at,
                    is_at_hand: !posted.elsewhere,
                };
                shelf.put(&name, file);
            }
        }
        Ok(Some(shelf))
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
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
                undone: Vec::new(),
                lock: Arc::new(ReaderLock::take(dir)),
            }),
            _ => None,
        };
        let head = ledger.as_ref().and_then(Self::head);
        let anchors: Vec<_> = head.into_iter().chain(anchor).collect();
        let tables = || ledger.as_ref().map_or(Ok(()), Self::verify_tables);
        let (verified, (sealed, tables)) = std::thread::scope(|scope| {
            let files = scope.spawn(|| (seal::check(dir), tables()));
            let verified = verify(&path, &anchors);
            let files = files.join();
            (
                verified,
                files.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            )
        });
        // What is wrong with the journal comes before what is wrong with files made from it.
        let verified = verified?;
        let is_sealed = sealed?;
        manifest?;
        tables?;
        Ok(Verified {
            is_sealed,
            ..verified
        })
    }

    fn verify_tables(&self) -> Result<(), LedgerError> {
        self.manifest.postings.iter().try_for_each(|posted| {
            if posted.elsewhere {
                return self.verify_objects(posted);
            }
            let mut files = posted.files();
            files.try_for_each(|(name, stored)| posted::check(&self.dir.join(name), stored))
        })
    }

    fn verify_objects(&self, posted: &Posted) -> Result<(), LedgerError> {
        let objects = self.objects()?;
        let mut names = posted.objects();
        names.try_for_each(|(name, stored)| objects.check(&name, stored))
    }

    /// Where its joined files lie.
    fn objects(&self) -> Result<Objects, LedgerError> {
        let Some(history) = &self.manifest.history else {
            let path = self.dir.join(MANIFEST);
            return Err(damaged(&path, "it does not say where the history lies"));
        };
        Objects::at(&history.url)
    }
}

/// The right to write the ledger in `dir`, which is made if there is none.
pub(crate) fn lock_to_write(dir: &Path) -> Result<WriterLock, LedgerError> {
    if !is_begun(dir)? {
        check_free(dir)?;
        fs::create_dir_all(dir).map_err(LedgerError::write(dir))?;
    }
    WriterLock::take(dir)
}

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
