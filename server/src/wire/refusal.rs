//! What is told to a client whose wish is not done.

use datafusion::error::DataFusionError;
use tieout_treasury::QueryError;

use crate::ServerError;

/// SQLSTATE codes, by the names that PostgreSQL gives them.
pub mod state {
    #![allow(missing_docs, reason = "the names say all")]
    pub const PROTOCOL_VIOLATION: &str = "08P01";
    pub const FEATURE_NOT_SUPPORTED: &str = "0A000";
    pub const DATA_EXCEPTION: &str = "22000";
    pub const NUMERIC_VALUE_OUT_OF_RANGE: &str = "22003";
    pub const DIVISION_BY_ZERO: &str = "22012";
    pub const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
    pub const INVALID_PARAMETER_VALUE: &str = "22023";
    pub const INVALID_TEXT_REPRESENTATION: &str = "22P02";
    pub const INVALID_BINARY_REPRESENTATION: &str = "22P03";
    pub const READ_ONLY_SQL_TRANSACTION: &str = "25006";
    pub const NO_ACTIVE_SQL_TRANSACTION: &str = "25P01";
    pub const IN_FAILED_SQL_TRANSACTION: &str = "25P02";
    pub const INVALID_SQL_STATEMENT_NAME: &str = "26000";
    pub const INVALID_AUTHORIZATION: &str = "28000";
    pub const INVALID_PASSWORD: &str = "28P01";
    pub const INVALID_CURSOR_NAME: &str = "34000";
    pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
    pub const SYNTAX_ERROR: &str = "42601";
    pub const AMBIGUOUS_COLUMN: &str = "42702";
    pub const UNDEFINED_COLUMN: &str = "42703";
    pub const UNDEFINED_OBJECT: &str = "42704";
    pub const UNDEFINED_FUNCTION: &str = "42883";
    pub const UNDEFINED_TABLE: &str = "42P01";
    pub const DUPLICATE_CURSOR: &str = "42P03";
    pub const DUPLICATE_PREPARED_STATEMENT: &str = "42P05";
    pub const UNDEFINED_PARAMETER: &str = "42P02";
    pub const DISK_FULL: &str = "53100";
    pub const OUT_OF_MEMORY: &str = "53200";
    pub const TOO_MANY_CONNECTIONS: &str = "53300";
    pub const CONFIGURATION_LIMIT_EXCEEDED: &str = "53400";
    pub const STATEMENT_TOO_COMPLEX: &str = "54001";
    pub const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
    pub const QUERY_CANCELED: &str = "57014";
    pub const IO_ERROR: &str = "58030";
    pub const INTERNAL_ERROR: &str = "XX000";
}

/// An error as clients get it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({state})")]
pub struct Refusal {
    /// SQLSTATE.
    pub state: &'static str,
    /// A sentence with what to do.
    pub message: String,
    /// Whether the connection ends with it.
    pub is_fatal: bool,
}

impl Refusal {
    /// An error after which the connection goes on.
    pub fn new(state: &'static str, message: impl Into<String>) -> Self {
        Self {
            state,
            message: message.into(),
            is_fatal: false,
        }
    }

    /// An error that ends the connection.
    pub fn fatal(state: &'static str, message: impl Into<String>) -> Self {
        Self {
            is_fatal: true,
            ..Self::new(state, message)
        }
    }

    /// A ledger that can no longer be opened.
    pub fn unreadable(error: &ServerError) -> Self {
        Self::new(
            state::IO_ERROR,
            format!("the ledger cannot be read: {error}"),
        )
    }

    /// The same, and the connection ends with it.
    pub fn and_end(self) -> Self {
        Self {
            is_fatal: true,
            ..self
        }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        let state = match &error {
            QueryError::Syntax(_) => state::SYNTAX_ERROR,
            QueryError::TooLong(_) => state::STATEMENT_TOO_COMPLEX,
            QueryError::ReadOnly(_) => state::READ_ONLY_SQL_TRANSACTION,
            QueryError::UnknownTable { .. } => state::UNDEFINED_TABLE,
            QueryError::UnknownColumn { .. } => state::UNDEFINED_COLUMN,
            QueryError::AmbiguousColumn(_) => state::AMBIGUOUS_COLUMN,
            QueryError::Memory { .. } => state::OUT_OF_MEMORY,
            QueryError::Time { .. } | QueryError::Cancelled => state::QUERY_CANCELED,
            QueryError::Refused(found) => refused(found),
            QueryError::Unreadable { .. } => state::IO_ERROR,
            _ => state::INTERNAL_ERROR,
        };
        Self::new(state, error.to_string())
    }
}

/// The code of an error that has only words.
fn refused(found: &str) -> &'static str {
    let words = [
        ("Invalid function", state::UNDEFINED_FUNCTION),
        ("is not supported", state::FEATURE_NOT_SUPPORTED),
        ("Divide by zero", state::DIVISION_BY_ZERO),
        ("Cannot cast string", state::INVALID_TEXT_REPRESENTATION),
        ("Overflow", state::NUMERIC_VALUE_OUT_OF_RANGE),
        ("overflow", state::NUMERIC_VALUE_OUT_OF_RANGE),
    ];
    let known = words.iter().find(|(word, _)| found.contains(word));
    known.map_or(state::DATA_EXCEPTION, |(_, state)| state)
}

/// Whether a query ran out of room for temporary files, not of memory.
pub fn is_disk_full(error: &DataFusionError) -> bool {
    error.to_string().contains("disk usage")
}
