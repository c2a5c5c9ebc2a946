//! What a run is asked to do.

use std::path::PathBuf;

use tieout_core::Date;
use tieout_core::schema::Table;
use tieout_ingest::Settings;
use tieout_ledger::FileFormat;
use tieout_matcher::Recipe;

/// Where the output tables go.
#[derive(Clone, Debug)]
pub struct Output {
    /// The folder; made if it is not there.
    pub dir: PathBuf,
    /// The format of its files.
    pub format: FileFormat,
    /// The tables that are written, of [`Table::OUTPUTS`].
    pub tables: Vec<Table>,
}

impl Output {
    /// All output tables.
    pub fn all(dir: impl Into<PathBuf>, format: FileFormat) -> Self {
        Self {
            dir: dir.into(),
            format,
            tables: Table::OUTPUTS.to_vec(),
        }
    }
}

/// One run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// What may be applied without a person.
    pub recipe: Recipe,
    /// The day that decides what is past due; each payment's own day where none is given.
    pub as_of: Option<Date>,
    /// The output tables, if they are wanted.
    pub out: Option<Output>,
    /// The folder that keeps every table for SQL and explanations, if one is wanted.
    pub ledger: Option<PathBuf>,
    /// How files are read; `settings.threads` is also the number of matching threads, and
    /// `settings.batch_rows` of payments are matched side by side. Neither changes a decision.
    pub settings: Settings,
}

impl RunOptions {
    /// A run over `paths` that keeps nothing.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            recipe: Recipe::cash_application(),
            as_of: None,
            out: None,
            ledger: None,
            settings: Settings::default(),
        }
    }
}

/// Is told how far a run has come. Called from several threads.
pub trait Progress: Sync {
    /// A file begins; `total_bytes` is the size of all files together.
    fn file(&self, _name: &str, _total_bytes: u64) {}
    /// So many bytes more were read.
    fn bytes(&self, _more: u64) {}
    /// So many payments more were decided.
    fn decided(&self, _more: u64) {}
}

/// Nobody watches.
pub struct NoProgress;

impl Progress for NoProgress {}
