//! A ledger that its writer keeps open, for postings that come one by one and have to be on disk
//! before anybody is told.
//!
//! What is recorded at the same time is put on disk by one commit. The tables lag behind by a
//! moment: what they would need, directories and files of their own for each posting, costs many
//! times the commit, and the journal has the rows.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use parking_lot::{Mutex, MutexGuard};
use redb::WriteTransaction;
use serde_json::Value;
use tieout_core::schema::Table;

use crate::history;
use crate::journal::{Clock, Event, Journal, Posting, SystemClock, WriterLock, store};
use crate::kept::lock_to_write;
use crate::manifest::{Manifest, Posted};
use crate::posted::{self, PostedTables};
use crate::publish::{NEW_TABLES, UNPUBLISHED, publish, remove_file};
use crate::recording::{
    Recorded, forget_new, mark, name_journal, open_to_write, recipe_of, writer_of,
};
use crate::{Ledger, LedgerError, LedgerWriter};

/// Postings, and rows, that readers wait for at most.
const SHOWN_POSTINGS: u64 = 1_024;
const SHOWN_ROWS: usize = 1 << 16;
/// How long readers wait, if other postings follow.
const SHOWN_AFTER: Duration = Duration::from_secs(1);

/// The one writer of a ledger, kept open. Postings may come from several threads.
///
/// A posting is on disk when [`Session::post`] returns. Readers see it within a second if others
/// follow, else after [`Session::show`] or once the session is closed; if it is killed, whoever
/// opens the ledger next sees all that was on disk.
pub struct Session {
    // In this order: what is open is closed before the lock is given back.
    work: Mutex<Work>,
    /// The last posting on disk. Whoever holds it puts on disk what all others have recorded.
    durable: Mutex<u64>,
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    dir: PathBuf,
    lock: Mutex<Option<WriterLock>>,
}

/// What one thread at a time has.
struct Work {
    manifest: Manifest,
    is_new: bool,
    /// The last posting that was recorded.
    recorded: u64,
    group: Group,
    hidden: Option<Hidden>,
    /// After a commit that failed nobody knows what is on disk, so nothing may follow.
    has_failed: bool,
    /// Why tables could not be written. They are made again, from the journal, by whoever opens the
    /// ledger next.
    blind: Option<String>,
}

/// Postings that are put on disk together.
#[derive(Default)]
struct Group {
    transaction: Option<WriteTransaction>,
    /// Their events, to be recorded again if a posting behind them fails and the transaction with
    /// it.
    events: Vec<(Event, Vec<u8>)>,
}

/// Postings that readers do not see yet.
struct Hidden {
    tables: PostedTables,
    first: u64,
    begun_at: String,
    last: u64,
    last_event: Event,
    recipe: Option<String>,
    rows: usize,
    since: Instant,
}

impl Session {
    /// Opens the ledger in `dir` for its one writer; makes it if there is none.
    ///
    /// # Errors
    /// Those of [`Ledger::post`].
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        Self::open_at(dir, Arc::new(SystemClock))
    }

    /// The same by another clock.
    ///
    /// # Errors
    /// Those of [`Ledger::post`].
    pub fn open_at(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, LedgerError> {
        let lock = lock_to_write(dir)?;
        let (journal, manifest, is_new) = open_to_write(dir)?;
        mark(dir)?;
        let recorded = manifest.last();
        Ok(Self {
            work: Mutex::new(Work {
                manifest,
                is_new,
                recorded,
                group: Group::default(),
                hidden: None,
                has_failed: false,
                blind: None,
            }),
            durable: Mutex::new(recorded),
            journal,
            clock,
            dir: dir.to_owned(),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// The journal, to read from any thread: what is on disk.
    pub fn journal(&self) -> Arc<Journal> {
        Arc::clone(&self.journal)
    }

    /// Records one posting, which `work` writes, and returns once it is on disk. If `work` fails,
    /// nothing of it is recorded.
    ///
    /// # Errors
    /// What `work` returns; [`LedgerError::Write`] if the disk refuses. After that the session
    /// takes no more.
    pub fn post<T, E: From<LedgerError>>(
        &self,
        work: impl FnOnce(&mut LedgerWriter) -> Result<T, E>,
    ) -> Result<T, E> {
        let (number, made) = self.record(work)?;
        self.settle(number)?;
        Ok(made)
    }

    /// Shows readers all that was recorded.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn show(&self) -> Result<(), LedgerError> {
        let mut durable = self.durable.lock();
        let mut work = self.work.lock();
        self.commit(&mut work, &mut durable)?;
        self.show_hidden(&mut work)
    }

    /// Shows readers all that was recorded, and gives the ledger back.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses; what was recorded is safe.
    pub fn close(self) -> Result<Ledger, LedgerError> {
        self.show()?;
        let dir = self.dir.clone();
        drop(self);
        Ledger::open(&dir)
    }

    fn record<T, E: From<LedgerError>>(
        &self,
        fill: impl FnOnce(&mut LedgerWriter) -> Result<T, E>,
    ) -> Result<(u64, T), E> {
        let mut work = self.work.lock();
        self.check(&work)?;
        let (made, recorded) = self.record_in(&mut work, fill)?;
        let Recorded {
            number,
            posting,
            rows,
        } = recorded;
        work.recorded = number;
        let events = posting.events.iter().map(|(event, _)| event.clone());
        work.group.events.extend(events.zip(posting.payloads));
        work.group.transaction = Some(posting.transaction);
        if work.blind.is_none()
            && let Err(error) = self.hide(&mut work, number, &posting.events, &rows)
        {
            work.blind = Some(error.to_string());
            work.hidden = None;
        }
        MutexGuard::unlock_fair(work);
        Ok((number, made))
    }

    fn record_in<T, E: From<LedgerError>>(
        &self,
        work: &mut Work,
        fill: impl FnOnce(&mut LedgerWriter) -> Result<T, E>,
    ) -> Result<(T, Recorded), E> {
        let transaction = self.transaction_of(&mut work.group)?;
        let (journal, clock) = (Arc::clone(&self.journal), Arc::clone(&self.clock));
        let mut writer = LedgerWriter::of_session(journal, transaction, clock)?;
        let made = fill(&mut writer)?;
        Ok((made, writer.record()?))
    }

    /// The group's transaction. Where a posting that failed took it along, the others are recorded
    /// again.
    fn transaction_of(&self, group: &mut Group) -> Result<WriteTransaction, LedgerError> {
        match group.transaction.take() {
            Some(transaction) => Ok(transaction),
            None => Posting::again(
                writer_of(&self.journal)?,
                self.journal.path(),
                &group.events,
            ),
        }
    }

    fn check(&self, work: &Work) -> Result<(), LedgerError> {
        if work.has_failed {
            return Err(store::refused_before(self.journal.path().to_owned()));
        }
        Ok(())
    }

    /// Puts what all have recorded on disk, unless somebody else has done so for this posting.
    fn settle(&self, number: u64) -> Result<(), LedgerError> {
        let mut durable = self.durable.lock();
        if *durable >= number {
            return Ok(());
        }
        // Behind all that are recording: theirs go with it.
        let mut work = self.work.lock();
        self.commit(&mut work, &mut durable)?;
        if work.is_due() {
            // The posting is on disk, whether readers see it by now or not.
            let _ = self.show_hidden(&mut work);
        }
        MutexGuard::unlock_fair(work);
        Ok(())
    }

    /// Puts on disk what was recorded.
    fn commit(&self, work: &mut Work, durable: &mut u64) -> Result<(), LedgerError> {
        self.check(work)?;
        if *durable == work.recorded {
            return Ok(());
        }
        let group = std::mem::take(&mut work.group);
        let committed = self.commit_group(group, work.is_new);
        work.has_failed = committed.is_err();
        committed?;
        work.is_new = false;
        *durable = work.recorded;
        Ok(())
    }

    fn commit_group(&self, mut group: Group, is_new: bool) -> Result<(), LedgerError> {
        let transaction = self.transaction_of(&mut group)?;
        transaction
            .commit()
            .map_err(store::failed(self.journal.path()))?;
        if is_new {
            name_journal(&self.dir)?;
        }
        Ok(())
    }

    /// Keeps a posting's rows for the next showing.
    fn hide(
        &self,
        work: &mut Work,
        number: u64,
        events: &[(Event, Value)],
        rows: &[(Table, RecordBatch)],
    ) -> Result<(), LedgerError> {
        let Some((last, _)) = events.last() else {
            return Ok(());
        };
        let hidden = match &mut work.hidden {
            Some(hidden) => hidden,
            none => none.insert(Hidden {
                tables: PostedTables::begin(&self.dir.join(NEW_TABLES), number)?,
                first: number,
                begun_at: last.at.to_string(),
                last: number,
                last_event: last.clone(),
                recipe: None,
                rows: 0,
                since: Instant::now(),
            }),
        };
        hidden.last = number;
        hidden.last_event = last.clone();
        hidden.recipe = recipe_of(events).or(hidden.recipe.take());
        hidden.tables.go_on_with(number);
        for (table, rows) in rows {
            hidden.rows += rows.num_rows();
            hidden.tables.write(*table, rows)?;
        }
        hidden.tables.write_journal(events)
    }

    /// Puts the tables of what is on disk beside those that readers see.
    fn show_hidden(&self, work: &mut Work) -> Result<(), LedgerError> {
        if let Some(why) = &work.blind {
            let source = std::io::Error::other(format!(
                "{why}; the tables are made when the ledger is opened next"
            ));
            return Err(LedgerError::write(&self.dir)(source));
        }
        let Some(hidden) = work.hidden.take() else {
            return Ok(());
        };
        let shown = self.show_these(&mut work.manifest, hidden);
        // Later ones would not follow those that are missing.
        work.blind = shown.as_ref().err().map(ToString::to_string);
        shown
    }

    fn show_these(&self, manifest: &mut Manifest, hidden: Hidden) -> Result<(), LedgerError> {
        let stored = hidden.tables.close()?;
        let mut posted = Posted::of(hidden.last, &hidden.last_event, hidden.recipe, stored);
        if hidden.first < hidden.last {
            posted.first = Some(hidden.first);
            posted.begun_at = Some(hidden.begun_at);
        }
        publish(&self.dir, manifest, posted)?;
        manifest.write(&self.dir)?;
        // To join files can wait for the next one.
        let _ = history::join_due(&self.dir, manifest, false);
        Ok(())
    }
}

impl Work {
    /// Whether readers have waited long enough.
    fn is_due(&self) -> bool {
        self.hidden.as_ref().is_some_and(|hidden| {
            self.manifest.postings.is_empty()
                || hidden.last - hidden.first + 1 >= SHOWN_POSTINGS
                || hidden.rows >= SHOWN_ROWS
                || hidden.since.elapsed() >= SHOWN_AFTER
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let is_shown = self.show().is_ok();
        let work = self.work.get_mut();
        work.hidden = None;
        // What cannot be removed is removed by the next writer.
        let _ = posted::remove(&self.dir.join(NEW_TABLES));
        if work.is_new {
            forget_new(&self.dir, self.lock.get_mut().take());
        } else if is_shown {
            let _ = remove_file(&self.dir.join(UNPUBLISHED));
        }
    }
}
