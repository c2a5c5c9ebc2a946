//! What people's decisions taught: entries that name the event, the person and the payment.
//!
//! An action carries what it teaches (`learned`), whether it takes back what earlier actions on its
//! payment taught (`unlearns`), and which entries are to be forgotten (`forget`). So memory is a
//! fold over the actions, like all other state.

use redb::WriteTransaction;
use serde_json::{Value, json};

use super::clock::Timestamp;
use super::event::Event;
use super::fold::Misfit;
use super::store::MEMORY;

/// One thing that was learned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// How it is called: its event and its place among what that taught (`17.1`).
    pub id: String,
    /// `alias`, `account` or `weight`.
    pub kind: String,
    /// The payer's name or account, or the kind of answer.
    pub key: String,
    /// Whose money it is, for names and accounts.
    pub party_id: Option<String>,
    /// Whether the answer was right, for kinds of answers.
    pub right: Option<bool>,
    /// The payment that was decided.
    pub payment_id: String,
    /// The event that taught it.
    pub event: u64,
    /// When that was.
    pub at: Timestamp,
    /// Who decided.
    pub actor: String,
    /// Why.
    pub reason: String,
}

/// Lets `action` take effect on what is remembered.
///
/// # Errors
/// [`Misfit::Found`] if something is to be forgotten that is not there.
pub fn learn(transaction: &WriteTransaction, event: &Event, action: &Value) -> Result<(), Misfit> {
    let payment = action["payment_id"].as_str().unwrap_or_default();
    let mut memory = transaction.open_table(MEMORY)?;
    if action["unlearns"] == json!(true) {
        let (from, to) = (format!("{payment}:"), format!("{payment};"));
        memory.retain_in(from.as_str()..to.as_str(), |_, _| false)?;
    }
    for id in action["forget"].as_array().into_iter().flatten() {
        let id = id.as_str().unwrap_or_default();
        let mut found = false;
        memory.retain(|key, _| {
            let is_it = id_of(key).is_some_and(|own| own == id);
            found |= is_it;
            !is_it
        })?;
        if !found {
            return Err(Misfit::Found(format!("there is no memory {id}")));
        }
    }
    let learned = action["learned"].as_array();
    for (place, lesson) in (1..).zip(learned.into_iter().flatten()) {
        let mut entry = lesson.clone();
        entry["at"] = json!(event.at.micros());
        entry["actor"] = action["actor"].clone();
        entry["reason"] = action["reason"].clone();
        let key = format!("{payment}:{:020}.{place}", event.sequence);
        memory.insert(key.as_str(), entry.to_string().as_bytes())?;
    }
    Ok(())
}

/// The name of the entry with this key.
fn id_of(key: &str) -> Option<String> {
    let (event, place) = key.rsplit_once(':')?.1.split_once('.')?;
    let event: u64 = event.parse().ok()?;
    Some(format!("{event}.{place}"))
}

/// The entry that is kept under `key`.
pub fn entry(key: &str, bytes: &[u8]) -> Option<Remembered> {
    let said: Value = serde_json::from_slice(bytes).ok()?;
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    let (payment, _) = key.rsplit_once(':')?;
    let id = id_of(key)?;
    Some(Remembered {
        event: id.split_once('.')?.0.parse().ok()?,
        id,
        kind: text("kind")?,
        key: text("key")?,
        party_id: text("party_id"),
        right: said["right"].as_bool(),
        payment_id: payment.to_owned(),
        at: Timestamp::from_micros(said["at"].as_i64()?),
        actor: text("actor").unwrap_or_default(),
        reason: text("reason").unwrap_or_default(),
    })
}
