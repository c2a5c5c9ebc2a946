//! Refusals as gRPC has them: a code for programs, and the SQLSTATE in the words.

use tonic::{Code, Status};

use crate::wire::{Refusal, state};

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        Self::new(code(refusal.state), refusal.to_string())
    }
}

fn code(sqlstate: &str) -> Code {
    match sqlstate {
        state::INSUFFICIENT_PRIVILEGE | state::READ_ONLY_SQL_TRANSACTION => Code::PermissionDenied,
        state::UNDEFINED_TABLE | state::UNDEFINED_OBJECT | state::INVALID_SQL_STATEMENT_NAME => {
            Code::NotFound
        }
        state::FEATURE_NOT_SUPPORTED => Code::Unimplemented,
        state::QUERY_CANCELED => Code::Cancelled,
        state::IO_ERROR => Code::Unavailable,
        state::INTERNAL_ERROR => Code::Internal,
        other => match &other[..2] {
            "53" | "54" => Code::ResourceExhausted,
            _ => Code::InvalidArgument,
        },
    }
}
