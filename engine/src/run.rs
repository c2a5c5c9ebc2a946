//! The pipeline.

use crate::{EngineError, Progress, RunOptions, Summary};

/// Reads, ties out and writes what `options` says.
///
/// # Errors
/// An [`EngineError`] if the run could not be done; what is wrong in the files is in the
/// summary and the tables.
pub fn run(_options: &RunOptions, _progress: &dyn Progress) -> Result<Summary, EngineError> {
    Err(EngineError::Internal("not joined yet".to_owned()))
}
