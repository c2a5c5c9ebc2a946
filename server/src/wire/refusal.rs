//! What is told to a client whose wish is not done.

use datafusion::error::DataFusionError;
use tieout_treasury::QueryError;

use crate::ServerError;

/// SQLSTATE codes, by the names that PostgreSQL gives them: those of queries, and those of clients.
pub mod state {
    #![allow(missing_docs, reason = "the names say all")]
    pub use tieout_treasury::state::*;

    pub const PROTOCOL_VIOLATION: &str = "08P01";
    pub const CHARACTER_NOT_IN_REPERTOIRE: &str = "22021";
    pub const INVALID_PARAMETER_VALUE: &str = "22023";
    pub const INVALID_BINARY_REPRESENTATION: &str = "22P03";
    pub const NO_ACTIVE_SQL_TRANSACTION: &str = "25P01";
    pub const IN_FAILED_SQL_TRANSACTION: &str = "25P02";
    pub const INVALID_SQL_STATEMENT_NAME: &str = "26000";
    pub const INVALID_AUTHORIZATION: &str = "28000";
    pub const INVALID_PASSWORD: &str = "28P01";
    pub const INVALID_CURSOR_NAME: &str = "34000";
    pub const INSUFFICIENT_PRIVILEGE: &str = "42501";
    pub const UNDEFINED_OBJECT: &str = "42704";
    pub const DUPLICATE_CURSOR: &str = "42P03";
    pub const DUPLICATE_PREPARED_STATEMENT: &str = "42P05";
    pub const UNDEFINED_PARAMETER: &str = "42P02";
    pub const DISK_FULL: &str = "53100";
    pub const TOO_MANY_CONNECTIONS: &str = "53300";
    pub const CONFIGURATION_LIMIT_EXCEEDED: &str = "53400";
    pub const PROGRAM_LIMIT_EXCEEDED: &str = "54000";
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
        Self::new(error.state(), error.to_string())
    }
}

/// Whether a query ran out of room for temporary files, not of memory.
pub fn is_disk_full(error: &DataFusionError) -> bool {
    error.to_string().contains("disk usage")
}
