//! Tie out money: what people embed.

mod error;
mod options;
mod run;
mod summary;

pub use error::EngineError;
pub use options::{NoProgress, Output, Progress, RunOptions};
pub use run::run;
pub use summary::{CurrencySummary, FileSummary, Summary, Tally};
pub use tieout_core as core;
pub use tieout_ingest::{FORMATS, Format, Role, Settings};
pub use tieout_ledger::{FileFormat, Ledger, LedgerError};
pub use tieout_matcher::{Recipe, RecipeError};
