//! Many questions to one ledger.

use std::path::Path;

use tieout_ledger::Moment;
use tieout_treasury::{BlockingTreasury, Limits};

use crate::EngineError;
use crate::query::{Answer, open_as_of};

/// A ledger that is open for questions. It stays as it was when it was opened.
pub struct Questions(BlockingTreasury);

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
        Ok(Self(BlockingTreasury::open(&ledger, limits)?))
    }

    /// Answers `sql`.
    ///
    /// # Errors
    /// [`EngineError::Query`] if the text is no query or names what is not there. What goes wrong
    /// later comes with the rows.
    pub fn ask(&self, sql: &str) -> Result<Answer, EngineError> {
        Ok(Answer(self.0.query(sql)?))
    }

    /// From now on Ctrl-C stops the question that was asked last, and not the program.
    pub fn stop_on_interrupt(&self) {
        self.0.stop_on_interrupt();
    }
}
