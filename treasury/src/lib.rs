//! SQL over a ledger.
//!
//! A [`Treasury`] opens a ledger and answers queries; each [`Answer`] is a stream of Arrow
//! batches. [`BlockingTreasury`] does the same for callers without an async runtime, whose
//! [`Rows`] are an iterator. Every table of [`tieout_core::schema::Table`] is there under its
//! own name, beside views and functions over them; [`relations`] and [`functions`] say what each
//! means. A query reads, and it reads the ledger only, or files of folders that [`Limits`] allows.
//! What cannot be answered is a [`QueryError`], one sentence with what to do.
//!
//! ```
//! use tieout_ledger::Ledger;
//! use tieout_treasury::{BlockingTreasury, Limits};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let ledger = Ledger::post(dir.path())?.finish("cash-application")?;
//! let treasury = BlockingTreasury::open(&ledger, &Limits::default())?;
//! let rows = treasury.query("select status, sum(amount) from payments group by 1")?;
//! assert_eq!(rows.schema().field(0).name(), "status");
//! assert_eq!(rows.map(|batch| batch.map_or(0, |rows| rows.num_rows())).sum::<usize>(), 0);
//! # Ok(())
//! # }
//! ```

mod blocking;
mod catalog;
mod condition;
mod error;
mod extent;
mod external;
mod few_rows;
mod filters;
mod functions;
mod holding;
mod lookups;
mod parts;
mod patience;
mod reversed;
mod selected;
mod session;
mod shelved;
mod sorted;
mod sought;
pub mod state;
mod stored;
mod tables;
mod texts;
mod totals;

pub use blocking::{BlockingTreasury, Rows};
pub use catalog::{Described, DescribedColumn, Kind, Parameter, relations};
pub use condition::{Condition, Expressions, TextExpression};
pub use error::QueryError;
pub use extent::check_extent;
pub use external::{OwnFormat, OwnTable};
pub use functions::{FunctionWords, functions};
pub use patience::Patience;
pub use session::{Answer, Canceller, Limits, Treasury, read_only};
pub use sorted::{or_else, sorted};
