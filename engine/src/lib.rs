//! Tie out money: what people embed.
//!
//! [`run`] takes [`RunOptions`], reads every file under their paths by content, ties the
//! payments out against the open items and returns a [`Summary`]. With an [`Output`] or a
//! ledger it also keeps the tables.
//!
//! ```
//! use tieout::{NoProgress, RunOptions};
//!
//! let options = RunOptions::new(vec!["../datasets/distributor".into()]);
//! let summary = tieout::run(&options, &NoProgress)?;
//! for currency in &summary.currencies {
//!     let accounted = currency.applied + currency.on_account + currency.unapplied;
//!     assert_eq!(currency.money_in.amount, accounted);
//! }
//! # Ok::<(), tieout::EngineError>(())
//! ```

pub mod acts;
mod admission;
pub mod audit;
mod books;
mod carried;
mod cash;
mod conditions;
mod error;
pub mod explain;
pub mod export;
mod files;
pub mod inspect;
mod intake;
mod learn;
pub mod link;
mod memory;
mod options;
mod originals;
mod outputs;
mod overlap;
mod past;
mod profiles;
mod query;
mod questions;
mod queue;
mod reading;
mod redelivery;
pub mod replay;
mod report;
mod rows;
mod run;
mod sides;
mod spoken;
mod standing;
mod statements;
mod summary;
mod tables;
mod tally;
mod waiting;
pub mod watch;

pub use acts::{Acted, Action, Part, Request, act};
pub use arrow::array::RecordBatch;
pub use arrow::datatypes::Schema;
pub use conditions::{read_recipe, read_recipe_in};
pub use error::EngineError;
pub use explain::{Explanation, explain, explain_as_of};
pub use inspect::{Inspection, inspect};
pub use learn::learn;
pub use link::{LinkOptions, Linked, link};
pub use memory::{MemoryFilter, forget, memory};
pub use options::{NoProgress, Output, Progress, RunOptions};
pub use past::{Known, KnownTable, known};
pub use query::{Answer, query, query_as_of, write_answer, write_rows};
pub use questions::Questions;
pub use queue::{QueueFilter, queue, queue_as_of};
pub use run::run;
pub use summary::{CurrencySummary, FileSummary, Flow, Summary, Tally};
pub use tieout_core as core;
pub use tieout_ingest::{FORMATS, Role, Settings};
pub use tieout_ledger::journal::{Timestamp, Verified};
pub use tieout_ledger::{Cells, FileFormat, Ledger, LedgerError, Moment};
pub use tieout_matcher::{Learned, Recipe, RecipeError, SHIPPED as RECIPES, Source, Weights};
pub use tieout_treasury::{Canceller, FunctionWords, Limits, QueryError, functions};
pub use watch::{WatchOptions, Watched, Watcher, watch};
