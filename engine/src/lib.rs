//! Tie out money: what people embed.

mod summary;

pub use summary::{CurrencySummary, FileSummary, Summary, Tally};
