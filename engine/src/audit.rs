//! The proof that a ledger is as it was written, and the chain for whoever checks it elsewhere.

use std::io::Write;
use std::path::Path;

use tieout_ledger::Ledger;
use tieout_ledger::journal::{Digest, Verified, write_chain};

use crate::EngineError;

/// Verifies the ledger in `ledger_dir`: every event, its payload, the state that they come to, and
/// the tables made from them. `head` is what an earlier verification has told, `NUMBER:HASH`.
///
/// # Errors
/// [`EngineError::Ledger`] with the first event or file that does not fit,
/// [`EngineError::Request`] if `head` is no such thing.
pub fn verify(ledger_dir: &Path, head: Option<&str>) -> Result<Verified, EngineError> {
    let anchor = head.map(parse_head).transpose()?;
    Ok(Ledger::verify(ledger_dir, anchor)?)
}

fn parse_head(text: &str) -> Result<(u64, Digest), EngineError> {
    text.split_once(':')
        .and_then(|(number, hash)| Some((number.parse().ok()?, Digest::from_hex(hash)?)))
        .ok_or_else(|| {
            EngineError::Request(format!(
                "{text} is no head: give NUMBER:HASH as `tieout audit verify` printed it"
            ))
        })
}

/// Writes the chain of the ledger in `ledger_dir` as JSON lines, with the rows of `payments`, and
/// returns the number of events.
///
/// # Errors
/// [`EngineError::Ledger`] if the journal is damaged or `out` refuses.
pub fn export_chain(
    ledger_dir: &Path,
    payments: &[String],
    out: &mut dyn Write,
) -> Result<u64, EngineError> {
    let journal = Ledger::open(ledger_dir)?.journal()?;
    Ok(write_chain(&journal, payments, out)?)
}
