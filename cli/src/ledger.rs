//! Which ledger a question goes to.

use std::path::PathBuf;

use crate::failure::Failure;

/// Names the ledger where the command line does not.
const VARIABLE: &str = "TIEOUT_LEDGER";

/// The folder on the command line, or the one that the environment names.
pub fn chosen(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let named = || std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
    given.or_else(|| named().map(PathBuf::from)).ok_or_else(|| {
        Failure::with_action(
            "no ledger is named",
            format!(
                "run `tieout run PATH... --ledger DIR`, then give the same --ledger here or set \
                 {VARIABLE}=DIR"
            ),
        )
    })
}
