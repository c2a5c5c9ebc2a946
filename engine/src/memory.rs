//! What a ledger has learned from people's decisions, as a table; and how to make it forget.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema};
use serde_json::json;
use tieout_ledger::Ledger;
use tieout_ledger::journal::{EventKind, Remembered};

use crate::EngineError;
use crate::acts::refuse;
use crate::intake::arrow;

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryFilter {
    /// Only of this kind: `alias`, `account` or `weight`.
    pub kind: Option<String>,
    /// Only about this customer.
    pub party: Option<String>,
    /// Only these, by their names.
    pub ids: Vec<String>,
}

impl MemoryFilter {
    fn takes(&self, entry: &Remembered) -> bool {
        let is = |wanted: &Option<String>, has: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| has == Some(wanted))
        };
        is(&self.kind, Some(&entry.kind))
            && is(&self.party, entry.party_id.as_ref())
            && (self.ids.is_empty() || self.ids.contains(&entry.id))
    }
}

/// What the ledger in `ledger_dir` has learned, in the order in which it did: `memory_id`, `kind`,
/// `key`, `party_id`, `right`, `payment_id`, `event`, `learned_at`, `actor`, `reason`.
///
/// # Errors
/// [`EngineError::Ledger`] if there is no ledger or it cannot be read.
pub fn memory(ledger_dir: &Path, filter: &MemoryFilter) -> Result<RecordBatch, EngineError> {
    let entries = Ledger::open(ledger_dir)?.journal()?.memory()?;
    let taken: Vec<_> = entries.iter().filter(|entry| filter.takes(entry)).collect();
    table(&taken)
}

/// Makes the ledger forget the entries that `filter` names, and returns how many they were. When
/// this returns, it is on disk; the journal keeps that they were there.
///
/// # Errors
/// [`EngineError::Request`] if nothing is named, an entry is not there, or who and why are missing;
/// [`EngineError::Ledger`] if the ledger cannot be written.
pub fn forget(
    ledger_dir: &Path,
    filter: &MemoryFilter,
    actor: &str,
    reason: &str,
) -> Result<u64, EngineError> {
    if actor.trim().is_empty() || reason.trim().is_empty() {
        return refuse("to forget needs a name and a reason".to_owned());
    }
    drop(Ledger::open(ledger_dir)?);
    let mut ledger = Ledger::post(ledger_dir)?;
    let entries = ledger.journal()?.memory()?;
    let named: Vec<&str> = entries
        .iter()
        .filter(|entry| filter.takes(entry))
        .map(|entry| entry.id.as_str())
        .collect();
    if let Some(absent) = filter.ids.iter().find(|id| !named.contains(&id.as_str())) {
        return refuse(format!(
            "there is no memory {absent} like that: `tieout memory list` has them"
        ));
    }
    if named.is_empty() {
        return refuse("nothing that was learned is like that".to_owned());
    }
    let said = json!({
        "action": "forget",
        "actor": actor,
        "reason": reason,
        "forget": named,
    });
    ledger.append(EventKind::Action, "memory", said)?;
    let count = named.len() as u64;
    ledger.commit()?;
    Ok(count)
}

fn table(entries: &[&Remembered]) -> Result<RecordBatch, EngineError> {
    let text = |of: fn(&Remembered) -> Option<String>| -> ArrayRef {
        Arc::new(
            entries
                .iter()
                .map(|entry| of(entry))
                .collect::<StringArray>(),
        )
    };
    let right: BooleanArray = entries.iter().map(|entry| entry.right).collect();
    let events: UInt64Array = entries.iter().map(|entry| Some(entry.event)).collect();
    let columns: [(&str, DataType, ArrayRef); 10] = [
        ("memory_id", DataType::Utf8, text(|e| Some(e.id.clone()))),
        ("kind", DataType::Utf8, text(|e| Some(e.kind.clone()))),
        ("key", DataType::Utf8, text(|e| Some(e.key.clone()))),
        ("party_id", DataType::Utf8, text(|e| e.party_id.clone())),
        ("right", DataType::Boolean, Arc::new(right)),
        (
            "payment_id",
            DataType::Utf8,
            text(|e| Some(e.payment_id.clone())),
        ),
        ("event", DataType::UInt64, Arc::new(events)),
        (
            "learned_at",
            DataType::Utf8,
            text(|e| Some(e.at.to_string())),
        ),
        ("actor", DataType::Utf8, text(|e| Some(e.actor.clone()))),
        ("reason", DataType::Utf8, text(|e| Some(e.reason.clone()))),
    ];
    let fields = columns
        .iter()
        .map(|(name, kind, _)| Field::new(*name, kind.clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let values = columns.into_iter().map(|(.., values)| values).collect();
    RecordBatch::try_new(schema, values).map_err(arrow)
}
