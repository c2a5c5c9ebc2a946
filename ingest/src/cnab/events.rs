//! What event codes mean.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Codes with their words and status.
type Codes = BTreeMap<String, (String, String)>;

/// The status of an event that brought money.
const PAID: &str = "paid";
/// The list that all others change.
const USUAL: &str = "usual";

static LISTS: LazyLock<BTreeMap<String, Codes>> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    toml::from_str(include_str!("events.toml")).unwrap_or_default()
});

/// The events of one bank in one format.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events(Vec<(&'static str, Event)>);

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// In words.
    pub words: &'static str,
    /// The status that it is a word about (`ACSC` for money that came in).
    pub status: &'static str,
    /// Whether money came in.
    pub is_paid: bool,
}

impl Events {
    /// The events as `bank` uses them in files of `format`.
    pub fn of(format: &str, bank: &str) -> Self {
        let names = [USUAL, format, &format!("{format}.{bank}")].map(|name| LISTS.get(name));
        let mut events: BTreeMap<&str, Event> = BTreeMap::new();
        for (code, (words, status)) in names.into_iter().flatten().flatten() {
            let is_paid = status == PAID;
            let status = if is_paid { "ACSC" } else { status };
            let event = Event {
                words,
                status,
                is_paid,
            };
            events.insert(code, event);
        }
        Self(events.into_iter().collect())
    }

    /// The event with this code; none if the list does not have it.
    pub fn get(&self, code: &str) -> Option<Event> {
        let place = self.0.binary_search_by_key(&code, |(known, _)| known);
        self.0.get(place.ok()?).map(|(_, event)| *event)
    }
}

/// What a company orders for a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Collect it.
    Entry,
    /// Collect it no more.
    Withdrawal,
    /// Something about it changes.
    Change,
}

/// What the movement code of a company's file orders; these two are the same at every bank.
pub(super) fn order(code: &str) -> Order {
    match code {
        "01" => Order::Entry,
        "02" => Order::Withdrawal,
        _ => Order::Change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banks_may_differ() {
        let is_paid = |format, bank, code| Events::of(format, bank).get(code).map(|e| e.is_paid);
        assert_eq!(is_paid("cnab240", "104", "06"), Some(true));
        assert_eq!(is_paid("cnab240", "104", "02"), Some(false));
        assert_eq!(is_paid("cnab240", "104", "15"), Some(false));
        assert_eq!(is_paid("cnab400", "237", "15"), Some(true));
        assert_eq!(is_paid("cnab400", "341", "15"), Some(false));
        assert_eq!(is_paid("cnab400", "001", "05"), Some(true));
        assert_eq!(is_paid("cnab400", "001", "99"), None);
    }
}
