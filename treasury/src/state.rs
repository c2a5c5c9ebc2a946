//! SQLSTATE codes of queries without an answer, by the names that PostgreSQL gives them.
#![allow(missing_docs, reason = "the names say all")]

use crate::QueryError;

pub const FEATURE_NOT_SUPPORTED: &str = "0A000";
pub const DATA_EXCEPTION: &str = "22000";
pub const NUMERIC_VALUE_OUT_OF_RANGE: &str = "22003";
pub const DIVISION_BY_ZERO: &str = "22012";
pub const INVALID_TEXT_REPRESENTATION: &str = "22P02";
pub const READ_ONLY_SQL_TRANSACTION: &str = "25006";
pub const SYNTAX_ERROR: &str = "42601";
pub const AMBIGUOUS_COLUMN: &str = "42702";
pub const UNDEFINED_COLUMN: &str = "42703";
pub const UNDEFINED_FUNCTION: &str = "42883";
pub const UNDEFINED_TABLE: &str = "42P01";
pub const OUT_OF_MEMORY: &str = "53200";
pub const STATEMENT_TOO_COMPLEX: &str = "54001";
pub const QUERY_CANCELED: &str = "57014";
pub const IO_ERROR: &str = "58030";
pub const INTERNAL_ERROR: &str = "XX000";

impl QueryError {
    /// Its SQLSTATE.
    pub fn state(&self) -> &'static str {
        match self {
            Self::Syntax(_) => SYNTAX_ERROR,
            Self::TooLong(_) => STATEMENT_TOO_COMPLEX,
            Self::ReadOnly(_) => READ_ONLY_SQL_TRANSACTION,
            Self::UnknownTable { .. } => UNDEFINED_TABLE,
            Self::UnknownColumn { .. } => UNDEFINED_COLUMN,
            Self::AmbiguousColumn(_) => AMBIGUOUS_COLUMN,
            Self::Memory { .. } => OUT_OF_MEMORY,
            Self::Time { .. } | Self::Cancelled => QUERY_CANCELED,
            Self::Refused(found) => refused(found),
            Self::Unreadable { .. } => IO_ERROR,
            _ => INTERNAL_ERROR,
        }
    }
}

/// The code of an error that has only words.
fn refused(found: &str) -> &'static str {
    let words = [
        ("Invalid function", UNDEFINED_FUNCTION),
        ("is not supported", FEATURE_NOT_SUPPORTED),
        ("Divide by zero", DIVISION_BY_ZERO),
        ("Cannot cast string", INVALID_TEXT_REPRESENTATION),
        ("Overflow", NUMERIC_VALUE_OUT_OF_RANGE),
        ("overflow", NUMERIC_VALUE_OUT_OF_RANGE),
    ];
    let known = words.iter().find(|(word, _)| found.contains(word));
    known.map_or(DATA_EXCEPTION, |(_, state)| state)
}
