//! What is done to a ledger as a whole: files are joined, and what has to go goes.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use crate::history;
use crate::journal::purge::write_without;
use crate::journal::{Clock, JOURNAL, Journal, Purge, SystemClock, WriterLock, seal};
use crate::manifest::Manifest;
use crate::posted::sync_dir;
use crate::publish::{NEW_JOURNAL, UNPUBLISHED, publish_from, remove_file};
use crate::{Ledger, LedgerError};

/// What a purge came to; nothing where there was nothing to purge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// The event that says so; 0 if there was nothing.
    pub event: u64,
    /// Payments whose data went.
    pub payments: u64,
    /// Rows that were changed.
    pub rows: u64,
    /// Payloads that were changed.
    pub payloads: u64,
    /// Whether the old files are removed; somebody may still read them.
    pub is_swept: bool,
}

impl Ledger {
    /// Joins the files of single postings by month; with `all` those too that were joined before.
    /// Returns whether there was anything to join.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] while another process writes, [`LedgerError::Damaged`] if a file is not
    /// as it was written, [`LedgerError::Write`] if the disk refuses.
    pub fn join(dir: &Path, all: bool) -> Result<bool, LedgerError> {
        drop(Self::open(dir)?);
        let _lock = WriterLock::take(dir)?;
        let Some(mut manifest) = Manifest::read(dir)? else {
            return Err(LedgerError::NotALedger(dir.to_owned()));
        };
        let joined = history::join(dir, &mut manifest, all)?;
        history::sweep(dir, &manifest)?;
        Ok(joined)
    }

    /// Takes a person's data, or what is old, out of the journal and the tables. When this returns,
    /// no file of the ledger has it; files that somebody reads by an earlier manifest are removed by
    /// the next writer, see [`Purged::is_swept`].
    ///
    /// # Errors
    /// [`LedgerError::NotKnown`] if there is no such party, account or payment, or one of its payments
    /// waits for a decision; [`LedgerError::Busy`] while another process writes;
    /// [`LedgerError::Write`] if the disk refuses. Then nothing has happened.
    pub fn purge(dir: &Path, purge: &Purge) -> Result<Purged, LedgerError> {
        Self::purge_at(dir, purge, Arc::new(SystemClock))
    }

    /// The same by another clock.
    ///
    /// # Errors
    /// Those of [`Ledger::purge`].
    pub fn purge_at(
        dir: &Path,
        purge: &Purge,
        clock: Arc<dyn Clock>,
    ) -> Result<Purged, LedgerError> {
        // Puts in order what a killed writer has left.
        drop(Self::open(dir)?.journal()?);
        let _lock = WriterLock::take(dir)?;
        let path = dir.join(JOURNAL);
        let partial = dir.join(NEW_JOURNAL);
        remove_file(&partial)?;
        let journal = Journal::open(&path)?;
        let written = write_without(&journal, purge, clock, &partial);
        drop(journal);
        let (database, done) = match written {
            Ok(Some(written)) => written,
            Ok(None) => {
                remove_file(&partial)?;
                return Ok(Purged::default());
            }
            Err(error) => {
                // The error is the one to show.
                let _ = remove_file(&partial);
                return Err(error);
            }
        };
        let marker = dir.join(UNPUBLISHED);
        File::create(&marker).map_err(LedgerError::write(&marker))?;
        seal::break_seal(dir).map_err(LedgerError::write(dir))?;
        fs::rename(&partial, &path).map_err(LedgerError::write(&path))?;
        sync_dir(dir)?;
        let journal = Journal::of_writer(database, &path)?;
        let manifest = publish_from(dir, &journal)?;
        drop(journal);
        Ok(Purged {
            event: done.event,
            payments: done.payments,
            rows: done.rows,
            payloads: done.payloads,
            is_swept: history::sweep(dir, &manifest)?,
        })
    }
}
