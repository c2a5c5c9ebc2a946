//! A ledger that nobody keeps: to decide history again without touching the one there is.

use std::path::Path;
use std::sync::Arc;

use crate::journal::{Journal, store};
use crate::{LedgerError, LedgerWriter};

/// A journal without tables that is gone with its handle. Nothing of it is made durable.
pub struct Scratch {
    journal: Arc<Journal>,
}

impl Scratch {
    /// An empty one.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the temporary folder cannot be written.
    pub fn new() -> Result<Self, LedgerError> {
        let path = Path::new("the temporary journal");
        let database = store::scratch(path)?;
        Ok(Self {
            journal: Arc::new(Journal::of_writer(database, path)?),
        })
    }

    /// What was committed.
    pub fn journal(&self) -> Arc<Journal> {
        Arc::clone(&self.journal)
    }

    /// Begins the next posting; dropped before it is finished, it leaves nothing.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn post(&self) -> Result<LedgerWriter, LedgerError> {
        LedgerWriter::of_scratch(self.journal())
    }
}
