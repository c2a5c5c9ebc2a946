//! Weights of evidence, learned from files whose answers nobody has to know.

use tieout_matcher::Learned;

use crate::run::tied_out;
use crate::{EngineError, Progress, RunOptions};

/// Ties out what `options` says without keeping anything, and learns from it what each kind of
/// evidence weighs, beginning with the weights of the recipe.
///
/// # Errors
/// Those of [`run`](crate::run()).
pub fn learn(options: &RunOptions, progress: &dyn Progress) -> Result<Learned, EngineError> {
    let options = RunOptions {
        out: None,
        ledger: None,
        ..options.clone()
    };
    let (_, learned) = tied_out(&options, progress, true)?;
    learned.ok_or_else(|| crate::intake::internal("nothing was learned"))
}
