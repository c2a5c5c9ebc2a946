//! Sums and counts from what files say of their rows, in place of the rows.
//!
//! Joined files have totals: how many rows there are for each day, account, code and status, and what their
//! amounts add up to. A query that adds amounts up by such columns, and asks for nothing else, has the same
//! answer from these, a hundredth as many. So its plan reads them where files have them, and rows elsewhere.
//! Rows that were taken back are taken off the totals of their file.

mod chain;
mod known;
mod rule;
mod split;
mod sums;
mod table;

pub(crate) use known::KnownTotals;
pub(crate) use rule::FromTotals;
pub(crate) use split::{Split, parted};
