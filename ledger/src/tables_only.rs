//! A ledger's tables without its journal: all that SQL reads, and nothing that a run could go on
//! with. So a history of any size is there in the time that its files take to write.

use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use tieout_core::schema::Table;

use crate::LedgerError;
use crate::history::NEW_HISTORY;
use crate::journal::Digest;
use crate::manifest::{HISTORY, Manifest, POSTINGS, Posted};
use crate::posted::{self, PostedTables, sync_dir};

/// Writes the tables of postings into a folder that [`Ledger::open`](crate::Ledger::open) reads.
pub struct TablesOnly {
    dir: PathBuf,
    manifest: Manifest,
}

/// The postings of one folder in the making.
pub struct TablesOfPostings {
    tables: PostedTables,
    first: u64,
    last: u64,
}

impl TablesOnly {
    /// Begins in the folder `dir`.
    ///
    /// # Errors
    /// [`LedgerError::Occupied`] if anything is there, [`LedgerError::Write`] if the disk refuses.
    pub fn create(dir: &Path) -> Result<Self, LedgerError> {
        let there = fs::read_dir(dir)
            .ok()
            .and_then(|mut entries| entries.next());
        if let Some(Ok(entry)) = there {
            return Err(LedgerError::Occupied {
                path: dir.to_owned(),
                example: entry.file_name().to_string_lossy().into_owned(),
            });
        }
        fs::create_dir_all(dir).map_err(LedgerError::write(dir))?;
        Ok(Self {
            dir: dir.to_owned(),
            manifest: Manifest::empty(),
        })
    }

    /// Begins the next posting, or with `count` above 1 the next ones, joined.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn begin(&self, count: u64) -> Result<TablesOfPostings, LedgerError> {
        let first = self.manifest.last() + 1;
        Ok(TablesOfPostings {
            tables: PostedTables::begin_history(&self.dir.join(NEW_HISTORY), first)?,
            first,
            last: first + count.max(1) - 1,
        })
    }

    /// Keeps postings that were recorded from `begun_at` to `recorded_at` (RFC 3339) by `recipe`.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn keep(
        &mut self,
        postings: TablesOfPostings,
        (begun_at, recorded_at): (&str, &str),
        recipe: &str,
    ) -> Result<(), LedgerError> {
        let TablesOfPostings {
            tables,
            first,
            last,
        } = postings;
        let tables = tables.close()?;
        let is_joined = first < last;
        let mut posted = Posted {
            first: is_joined.then_some(first),
            posting: last,
            begun_at: is_joined.then(|| begun_at.to_owned()),
            recorded_at: recorded_at.to_owned(),
            recipe: Some(recipe.to_owned()),
            sequence: last,
            hash: Digest::of(&last.to_be_bytes()).to_string(),
            folder: None,
            elsewhere: false,
            purged: None,
            tables,
        };
        if is_joined {
            let month = posted.month().to_owned();
            posted.folder = Some(format!("{HISTORY}/{month}/{first:06}-{last:06}"));
        }
        let target = self.dir.join(posted.folder());
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(LedgerError::write(parent))?;
        }
        posted::remove(&target)?;
        fs::rename(self.dir.join(NEW_HISTORY), &target).map_err(LedgerError::write(&target))?;
        self.manifest.postings.push(posted);
        Ok(())
    }

    /// Shows the postings to readers.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn finish(mut self) -> Result<(), LedgerError> {
        // Readers lock this folder.
        let postings = self.dir.join(POSTINGS);
        fs::create_dir_all(&postings).map_err(LedgerError::write(&postings))?;
        sync_dir(&self.dir)?;
        self.manifest.write(&self.dir)
    }
}

impl TablesOfPostings {
    /// The first of its postings.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// Adds rows of `table`, which have all columns of
    /// [`stored_schema`](crate::stored_schema).
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses or the columns are others.
    pub fn write(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        self.tables.write(table, batch)
    }
}
