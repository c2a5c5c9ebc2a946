//! Many questions to one ledger.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tieout_ledger::journal::Digest;
use tieout_ledger::{Ledger, Moment};
use tieout_treasury::{BlockingTreasury, Limits};

use crate::EngineError;
use crate::query::{Answer, open_as_of};

/// A ledger that is open for questions. It stays as it was when it was opened, until somebody wants
/// it looked at again.
pub struct Questions {
    treasury: BlockingTreasury,
    ledger_dir: PathBuf,
    /// What is seen; none for a moment that was asked for, which stays.
    seen: Option<Seen>,
}

/// What tells one state of a ledger from another.
#[derive(PartialEq, Eq)]
struct Seen {
    postings: u64,
    head: Option<(u64, Digest)>,
}

impl Seen {
    fn of(ledger: &Ledger) -> Self {
        Self {
            postings: ledger.postings(),
            head: ledger.head(),
        }
    }
}

impl Questions {
    /// Opens the ledger in `ledger_dir` as it was known by `moment`; by now where none is given.
    ///
    /// # Errors
    /// [`EngineError::Ledger`] if there is no ledger, [`EngineError::Query`] if its tables cannot
    /// be read or a folder that `limits` allows is not there.
    pub fn open(
        ledger_dir: &Path,
        moment: Option<Moment>,
        limits: &Limits,
    ) -> Result<Self, EngineError> {
        let ledger = open_as_of(ledger_dir, moment)?;
        Ok(Self {
            treasury: BlockingTreasury::open(&ledger, limits)?,
            ledger_dir: ledger_dir.to_owned(),
            seen: moment.is_none().then(|| Seen::of(&ledger)),
        })
    }

    /// Sees what was recorded since the ledger was opened or looked at again. One that is open as of
    /// a moment stays as it is.
    ///
    /// # Errors
    /// Those of [`Questions::open`]; what was seen before is still there then.
    pub fn look_again(&mut self) -> Result<(), EngineError> {
        let Some(seen) = &mut self.seen else {
            return Ok(());
        };
        let ledger = Ledger::open(&self.ledger_dir)?;
        let now = Seen::of(&ledger);
        if *seen != now {
            self.treasury.open_after(&ledger)?;
            *seen = now;
        }
        Ok(())
    }

    /// Answers `sql`.
    ///
    /// # Errors
    /// [`EngineError::Query`] if the text is no query or names what is not there. What goes wrong
    /// later comes with the rows.
    pub fn ask(&self, sql: &str) -> Result<Answer, EngineError> {
        Ok(Answer(self.treasury.query(sql)?))
    }

    /// From now on Ctrl-C stops the question that was asked last, and not the program.
    pub fn stop_on_interrupt(&self) {
        self.treasury.stop_on_interrupt();
    }

    /// Waits for `time`, or until Ctrl-C, where [`Questions::stop_on_interrupt`] holds; whether the
    /// time went by. An interrupt since `begin_to_wait` counts.
    pub fn wait(&self, time: Duration) -> bool {
        self.treasury.wait(time)
    }

    /// Forgets interrupts so far: what they were about is over.
    pub fn begin_to_wait(&self) {
        self.treasury.begin_to_wait();
    }
}
