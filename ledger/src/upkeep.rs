//! What is done to a ledger as a whole: files are joined or moved, and what has to go goes.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use crate::history;
use crate::journal::purge::write_without;
use crate::journal::{Clock, JOURNAL, Journal, Purge, SystemClock, WriterLock, seal, store};
use crate::manifest::{Elsewhere, Manifest};
use crate::objects::{Address, Objects, Seat};
use crate::posted::sync_dir;
use crate::publish::{NEW_JOURNAL, UNPUBLISHED, publish_anew, publish_from, remove_file};
use crate::sweep::{sweep, unswept};
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
    /// Whether the old files are removed; somebody may still read them, or a store has not answered.
    pub is_swept: bool,
}

impl Ledger {
    /// Joins the files of single postings by month; with `all` those too that were joined before.
    /// Objects that are missing are made again from the journal. Returns whether there was anything
    /// to join.
    ///
    /// # Errors
    /// [`LedgerError::Busy`] while another process writes, [`LedgerError::Damaged`] or
    /// [`LedgerError::Object`] if a file is not as it was written, [`LedgerError::Write`] if the disk
    /// refuses.
    pub fn join(dir: &Path, all: bool) -> Result<bool, LedgerError> {
        drop(Self::open(dir)?);
        let _lock = WriterLock::take(dir)?;
        let mut manifest = found_again(dir)?;
        let joined = history::join(dir, &mut manifest, all)?;
        sweep(dir, &manifest)?;
        Ok(joined)
    }

    /// Puts joined files to `place` from now on, and those that there are; without a place into the
    /// ledger's folder. Returns whether there were any.
    ///
    /// # Errors
    /// [`LedgerError::Address`] if anything else lies there, [`LedgerError::Object`] if the store
    /// refuses or an object is not as it was written, and those of [`Ledger::join`].
    pub fn move_history(dir: &Path, place: Option<&Address>) -> Result<bool, LedgerError> {
        let mut first = None;
        Self::open(dir)?.journal()?.events(1, |event| {
            first = Some(event);
            Ok(false)
        })?;
        let first = first.ok_or_else(|| LedgerError::NotALedger(dir.to_owned()))?;
        let to = place.map(|place| Elsewhere {
            ledger: first.hash.to_string(),
            url: place.to_string(),
        });
        let _lock = WriterLock::take(dir)?;
        let mut manifest = found_again(dir)?;
        if manifest.history == to {
            // Whoever names the place once more wants it for this folder.
            if let Some(to) = &to {
                Objects::at(&to.url)?.take_over(&Seat::of(dir, &to.ledger)?)?;
            }
            return Ok(false);
        }
        if let (Some(place), Some(to)) = (place, &to) {
            check_apart(dir, place)?;
            let (objects, seat) = (Objects::at(&to.url)?, Seat::of(dir, &to.ledger)?);
            if objects.is_free(&seat)? {
                unswept::note(dir, to)?;
                objects.claim(&seat)?;
            }
        }
        let moved = history::move_to(dir, &mut manifest, to)?;
        sweep(dir, &manifest)?;
        Ok(moved)
    }

    /// The URL where joined files are put, if not in the ledger's folder.
    pub fn history(&self) -> Option<&str> {
        self.manifest().history.as_ref().map(|own| own.url.as_str())
    }

    /// Takes a person's data, or what is old, out of the journal and the tables. When this returns,
    /// no file of the ledger has it; files that somebody reads by an earlier manifest are removed by
    /// the next writer, see [`Purged::is_swept`].
    ///
    /// # Errors
    /// [`LedgerError::NotKnown`] if there is no such party, account or payment, or one of its payments
    /// waits for a decision; [`LedgerError::Busy`] while another process writes;
    /// [`LedgerError::Object`] if the history's store does not answer; [`LedgerError::Write`] if the
    /// disk refuses. Then nothing has happened.
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
        // What cannot be reached cannot be removed.
        if let Some(history) = Manifest::read(dir)?.and_then(|manifest| manifest.history) {
            Objects::at(&history.url)?.check_seat(&Seat::of(dir, &history.ledger)?)?;
        }
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
            is_swept: sweep(dir, &manifest)?,
        })
    }
}

/// The manifest, in which objects that are missing were made again.
fn found_again(dir: &Path) -> Result<Manifest, LedgerError> {
    let manifest = Manifest::read(dir)?;
    let manifest = manifest.ok_or_else(|| LedgerError::NotALedger(dir.to_owned()))?;
    let lost = history::lost(&manifest)?;
    if lost.is_empty() {
        return Ok(manifest);
    }
    let path = dir.join(JOURNAL);
    let journal = Journal::of_writer(store::open(&path)?, &path)?;
    publish_anew(dir, &journal, |own| lost.contains(&own.posting))
}

/// A history is not put into the ledger's own folder, nor around it.
fn check_apart(dir: &Path, place: &Address) -> Result<(), LedgerError> {
    let Some(folder) = place.folder() else {
        return Ok(());
    };
    let own = dir.canonicalize().map_err(LedgerError::read(dir))?;
    // The part of it that is there says where it really lies.
    let real = folder.ancestors().find_map(|part| {
        let rest = folder.strip_prefix(part).ok()?;
        Some(part.canonicalize().ok()?.join(rest))
    });
    let real = real.unwrap_or(folder);
    if real.starts_with(&own) || own.starts_with(&real) {
        return Err(LedgerError::Address {
            url: place.to_string(),
            found: "that is the ledger's own folder or around it; name another, or the ledger's \
                    folder as such to have the history there"
                .to_owned(),
        });
    }
    Ok(())
}
