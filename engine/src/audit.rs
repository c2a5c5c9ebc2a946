//! The proof that a ledger is as it was written, and the chain for whoever checks it elsewhere.

use std::io::Write;
use std::path::Path;

use tieout_ledger::journal::{Digest, Verified, write_chain};
use tieout_ledger::{Ledger, Purged};

use crate::EngineError;

pub use tieout_ledger::journal::{Purge, PurgeScope};
pub use tieout_ledger::objects::Address;

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

/// Takes a person's data, or what is old, out of the ledger in `ledger_dir`. What is left verifies,
/// and all totals stay as they were.
///
/// # Errors
/// [`EngineError::Request`] without a name or a reason; [`EngineError::Ledger`] if there is no such
/// party, account or payment, one of its payments still waits for a decision, or the disk refuses.
pub fn purge(ledger_dir: &Path, purge: &Purge) -> Result<Purged, EngineError> {
    if purge.actor.trim().is_empty() || purge.reason.trim().is_empty() {
        return Err(EngineError::Request(
            "a purge needs a name and a reason".to_owned(),
        ));
    }
    Ok(Ledger::purge(ledger_dir, purge)?)
}

/// Joins the files of single postings in the ledger in `ledger_dir` by month; runs do so by
/// themselves. Returns whether there was anything to join.
///
/// # Errors
/// [`EngineError::Ledger`] if a file is not as it was written, or the disk refuses.
pub fn join(ledger_dir: &Path) -> Result<bool, EngineError> {
    Ok(Ledger::join(ledger_dir, true)?)
}

/// Where a ledger's joined files lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    /// In the ledger's folder.
    AtHand,
    /// At a URL.
    At(Address),
}

impl History {
    /// What `text` names: a URL, or the folder of the ledger in `ledger_dir`.
    ///
    /// # Errors
    /// [`EngineError::Request`] for another folder, [`EngineError::Ledger`] if the URL names no place.
    pub fn named(text: &str, ledger_dir: &Path) -> Result<Self, EngineError> {
        if text.contains("://") {
            return Ok(Self::At(text.parse()?));
        }
        let own = ledger_dir.canonicalize().ok();
        if own.is_some() && Path::new(text).canonicalize().ok() == own {
            return Ok(Self::AtHand);
        }
        Err(EngineError::Request(format!(
            "{text} is no place for a history: give a URL (file:///mnt/books, s3://bucket/books), or \
             the ledger's own folder to have it there again"
        )))
    }
}

/// Puts the history of the ledger in `ledger_dir` there, now and from now on, and joins what is not
/// joined. Returns whether there was anything to move or to join.
///
/// # Errors
/// [`EngineError::Ledger`] if anything else lies there, the store or the disk refuses, or a file is
/// not as it was written. Then the history is where it was.
pub fn move_history(ledger_dir: &Path, to: &History) -> Result<bool, EngineError> {
    let place = match to {
        History::AtHand => None,
        History::At(address) => Some(address),
    };
    let moved = Ledger::move_history(ledger_dir, place)?;
    Ok(Ledger::join(ledger_dir, true)? || moved)
}
