//! A person's data, or what is old, is taken out of the payloads; amounts, dates, identifiers and
//! decisions stay, so that all totals still tie.
//!
//! The event's header keeps the digest of the payload as it was: the chain verifies as before. A
//! purge is an event of its own, with who and why, and names each payload that it changed with the
//! digest of what is left. So a payload that is not as it was written is one that a purge left so,
//! or one that somebody altered. The journal is written anew into another file, because a store
//! keeps old pages for a while.

mod personal;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use redb::{ReadableTable as _, WriteTransaction};
use serde_json::{Value, json};

use super::pack::{Packer, Unpacker};
use super::posting::Posting;
use super::state::{said, texts};
use super::store::{self, ABOUT, EVENTS, PAYLOADS};
use super::{Clock, Digest, Event, EventKind, Journal, Payload, Timestamp, fold, payload};
use crate::LedgerError;
use personal::{Mask, Subject};

/// What stands where a text was purged.
pub const PURGED_TEXT: &str = "[purged]";
/// Payments that are named when they cannot be purged.
const NAMED_MAX: usize = 3;

/// Whose data goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PurgeScope {
    /// A party's: its row, its payments, what names it.
    Party(String),
    /// Of whoever paid from this account.
    Account(String),
    /// One payment's.
    Payment(String),
    /// Of payments that were decided finally before a moment, and what was set aside before it.
    Before(Timestamp),
}

/// What is to go, who wants it, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purge {
    /// What.
    pub scope: PurgeScope,
    /// Who.
    pub actor: String,
    /// Why. It is kept: it should name nobody.
    pub reason: String,
}

impl Purge {
    /// The purge as an event says it; an account is no word for it.
    fn to_json(&self, subject: &Subject, left: &BTreeMap<u64, Left>) -> Value {
        let (scope, of) = match &self.scope {
            PurgeScope::Party(id) => ("party", id.clone()),
            PurgeScope::Account(_) => ("account", String::new()),
            PurgeScope::Payment(id) => ("payment", id.clone()),
            PurgeScope::Before(at) => ("before", at.to_string()),
        };
        let events = left.iter().map(|(sequence, left)| {
            json!([sequence, left.posting, left.bytes, left.digest.to_string()])
        });
        json!({
            "action": "purge",
            "actor": self.actor,
            "reason": self.reason,
            "scope": scope,
            "of": of,
            "payments": subject.payments.len(),
            "events": events.collect::<Vec<_>>(),
        })
    }
}

/// What a purge has left of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The posting of the event.
    pub posting: u64,
    /// The event of the purge.
    pub purge: u64,
    /// Bytes of what is left.
    pub bytes: u64,
    /// Digest of what is left.
    pub digest: Digest,
}

impl Left {
    fn pack(&self) -> Vec<u8> {
        Packer::default()
            .number(self.posting)
            .number(self.purge)
            .number(self.bytes)
            .bytes(&self.digest.0)
            .finish()
    }

    /// The value in the table of purged events.
    pub(crate) fn unpack(bytes: &[u8]) -> Option<Self> {
        let mut read = Unpacker(bytes);
        Some(Self {
            posting: read.number()?,
            purge: read.number()?,
            bytes: read.number()?,
            digest: Digest(read.bytes()?.try_into().ok()?),
        })
    }
}

/// What a purge came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub event: u64,
    pub payments: u64,
    pub rows: u64,
    pub payloads: u64,
}

/// The entries that a purge event makes in the table of purged events.
pub(crate) fn entries(event: &Event, said: &Value) -> Result<Vec<(u64, Vec<u8>)>, String> {
    let entry = |entry: &Value| {
        let digest = entry[3].as_str().and_then(Digest::from_hex)?;
        let left = Left {
            posting: entry[1].as_u64()?,
            purge: event.sequence,
            bytes: entry[2].as_u64()?,
            digest,
        };
        Some((entry[0].as_u64()?, left.pack()))
    };
    let all = said["events"].as_array();
    let all = all.ok_or("the purge names no events")?;
    let entries: Option<Vec<_>> = all.iter().map(entry).collect();
    entries.ok_or_else(|| "the purge's events cannot be read".to_owned())
}

/// Writes `journal` without what `purge` names into the new store `out`, with the purge as its last
/// event; nothing if there is nothing to purge. The database must be closed once the file has its
/// place.
///
/// # Errors
/// [`LedgerError::NotKnown`] if there is no such party, account or payment, or a payment of it still
/// waits for a decision; [`LedgerError::Write`] if the disk refuses.
pub(crate) fn write_without(
    journal: &Journal,
    purge: &Purge,
    clock: Arc<dyn Clock>,
    out: &Path,
) -> Result<Option<(redb::Database, Done)>, LedgerError> {
    let subject = Subject::of(journal, &purge.scope)?;
    check_decided(journal, purge, &subject)?;
    let database = store::create(out)?;
    let transaction = store::begin(&database, out)?;
    let mut copy = Copy {
        journal,
        transaction: &transaction,
        out,
        mask: Mask::new(&subject),
        left: BTreeMap::new(),
    };
    copy.about()?;
    journal.events(1, |event| copy.event(&event).map(|()| true))?;
    let (left, rows) = (copy.left, copy.mask.rows);
    if left.is_empty() {
        return Ok(None);
    }
    let mut posting = Posting::begin_in(transaction, out, clock)?;
    let event = posting.append_json(EventKind::Purge, "", purge.to_json(&subject, &left))?;
    posting.commit()?;
    let done = Done {
        event,
        payments: subject.payments.len() as u64,
        rows,
        payloads: left.len() as u64,
    };
    Ok(Some((database, done)))
}

/// Whoever waits for a decision is needed as they are.
fn check_decided(journal: &Journal, purge: &Purge, subject: &Subject) -> Result<(), LedgerError> {
    let mut waiting = Vec::new();
    for id in &subject.payments {
        let state = journal.payment(id)?;
        if state.is_some_and(|state| state.is_waiting()) {
            waiting.push(id.as_str());
        }
    }
    let found = if !waiting.is_empty() {
        waiting.sort_unstable();
        let count = waiting.len();
        waiting.truncate(NAMED_MAX);
        format!(
            "{count} payments wait for a decision and cannot be purged yet: {}; decide them with \
             `tieout act`; nothing was purged",
            waiting.join(", ")
        )
    } else if subject.is_nobody() {
        let scope = match &purge.scope {
            PurgeScope::Party(id) => format!("party {id}"),
            PurgeScope::Account(_) => "such account".to_owned(),
            PurgeScope::Payment(id) => format!("payment {id}"),
            PurgeScope::Before(_) => return Ok(()),
        };
        format!("there is no {scope}; nothing was purged")
    } else {
        return Ok(());
    };
    Err(LedgerError::NotKnown {
        path: journal.path().to_owned(),
        found,
    })
}

/// A journal that is written again.
struct Copy<'a> {
    journal: &'a Journal,
    transaction: &'a WriteTransaction,
    out: &'a Path,
    mask: Mask<'a>,
    left: BTreeMap<u64, Left>,
}

impl Copy<'_> {
    fn about(&self) -> Result<(), LedgerError> {
        let failed = || store::failed(self.out);
        let read = self.journal.read()?;
        let mut about = self
            .transaction
            .open_table(ABOUT)
            .map_err(store::failed(self.out))?;
        let Some(known) = self.journal.table(&read, ABOUT)? else {
            return Ok(());
        };
        for entry in known.iter().map_err(failed())? {
            let (name, value) = entry.map_err(failed())?;
            // What was carried forward has the texts, and is made anew without them.
            if name.value() != "format" {
                continue;
            }
            about
                .insert(name.value(), value.value())
                .map_err(failed())?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event) -> Result<(), LedgerError> {
        let damaged = |found: String| self.journal.damaged(event.sequence, &found);
        let bytes = self.journal.payload_bytes(event.sequence)?;
        let bytes = bytes.ok_or_else(|| damaged("the payload is not there".to_owned()))?;
        let masked = match self.journal.payload(event.sequence)? {
            Payload::Json(said) => self
                .mask
                .action(event, said)
                .map(|said| payload::of_json(&said)),
            Payload::Batches(batches) => {
                let masked = self.mask.batches(event, &batches).map_err(damaged)?;
                let pack = |batches: Vec<(String, RecordBatch)>| {
                    let named: Vec<_> = batches
                        .iter()
                        .map(|(name, batch)| (name.as_str(), batch))
                        .collect();
                    payload::of_batches(&named)
                };
                masked.map(pack).transpose().map_err(damaged)?
            }
        };
        if let Some(masked) = &masked {
            self.left.insert(
                event.sequence,
                Left {
                    posting: event.posting,
                    purge: 0,
                    bytes: masked.len() as u64,
                    digest: Digest::of(masked),
                },
            );
        }
        self.store(event, masked.as_deref().unwrap_or(&bytes))
    }

    fn store(&self, event: &Event, bytes: &[u8]) -> Result<(), LedgerError> {
        let failed = || store::failed(self.out);
        {
            let mut events = self
                .transaction
                .open_table(EVENTS)
                .map_err(store::failed(self.out))?;
            events
                .insert(event.sequence, event.to_bytes().as_slice())
                .map_err(failed())?;
            let mut payloads = self
                .transaction
                .open_table(PAYLOADS)
                .map_err(store::failed(self.out))?;
            payloads.insert(event.sequence, bytes).map_err(failed())?;
        }
        let folded = fold::apply(self.transaction, event, bytes);
        folded.map_err(|misfit| self.journal.damaged(event.sequence, &misfit.to_string()))
    }
}

impl Journal {
    /// What a purge has left of the payload of an event; none if it is as it was written.
    ///
    /// # Errors
    /// [`LedgerError::Journal`] if the store cannot be read.
    pub fn purged(&self, sequence: u64) -> Result<Option<Left>, LedgerError> {
        let Some(purged) = self.table(&self.read()?, store::PURGED)? else {
            return Ok(None);
        };
        let left = purged.get(sequence).map_err(store::failed(self.path()))?;
        Ok(left.and_then(|bytes| Left::unpack(bytes.value())))
    }

    /// The postings with purged payloads, each with the last purge that it went through.
    pub(crate) fn purged_postings(&self) -> Result<BTreeMap<u64, u64>, LedgerError> {
        let mut postings = BTreeMap::new();
        let Some(purged) = self.table(&self.read()?, store::PURGED)? else {
            return Ok(postings);
        };
        for entry in purged.iter().map_err(store::failed(self.path()))? {
            let (_, bytes) = entry.map_err(store::failed(self.path()))?;
            if let Some(left) = Left::unpack(bytes.value()) {
                let last = postings.entry(left.posting).or_insert(left.purge);
                *last = left.purge.max(*last);
            }
        }
        Ok(postings)
    }
}
