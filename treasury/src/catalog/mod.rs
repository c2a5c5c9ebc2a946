//! What a session has: the ledger's tables, the views over them, and what each means.
//!
//! The words about tables are in `treasury/catalog/tables.toml`, those about a view stand at the
//! head of its SQL file in `treasury/views/`; both are data, read once.

mod as_of;
mod bound;
mod listing;
mod public;
mod query;
mod words;

pub(crate) use as_of::{AS_OF, AsOf};
pub(crate) use listing::LISTING;
use listing::listing;
pub(crate) use public::Public;
pub(crate) use query::QueryFunction;
pub use words::{Described, DescribedColumn, Kind, Parameter, relations};
pub(crate) use words::{Query, queries, query};
