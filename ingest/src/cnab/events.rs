//! What event codes mean.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What a company orders for a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// Collect it.
    Entry,
    /// Collect it no more.
    Withdrawal,
    /// Something about it changes.
    #[serde(skip)]
    Change,
}

#[derive(Default, Deserialize)]
struct EventsFile {
    words: BTreeMap<String, String>,
    status: BTreeMap<String, Vec<String>>,
    settled: BTreeMap<String, Vec<String>>,
    orders: BTreeMap<Order, Vec<String>>,
}

static EVENTS: LazyLock<EventsFile> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    toml::from_str(include_str!("events.toml")).unwrap_or_default()
});

/// Whether money came in by the event `code`, as `bank` uses it in files of `format`.
pub(crate) fn is_settlement(format: &str, bank: &str, code: &str) -> bool {
    let settled = &EVENTS.settled;
    let own = settled.get(&format!("{format}.{bank}"));
    own.or_else(|| settled.get(format))
        .is_some_and(|codes| codes.iter().any(|known| known == code))
}

/// What the event is, in words; none if the list does not have it.
pub(super) fn words(code: &str) -> Option<&'static str> {
    EVENTS.words.get(code).map(String::as_str)
}

/// The status that the event is a word about.
pub(super) fn status(code: &str) -> &'static str {
    let mut known = EVENTS.status.iter();
    known
        .find(|(_, codes)| codes.iter().any(|known| known == code))
        .map_or("NOTC", |(status, _)| status)
}

/// What the movement code of a company's file orders.
pub(crate) fn order(code: &str) -> Order {
    let mut known = EVENTS.orders.iter();
    known
        .find(|(_, codes)| codes.iter().any(|known| known == code))
        .map_or(Order::Change, |(order, _)| *order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_and_banks_may_differ() {
        assert!(is_settlement("cnab240", "104", "06"));
        assert!(!is_settlement("cnab240", "104", "02"));
        assert!(is_settlement("cnab400", "237", "15"));
        assert!(!is_settlement("cnab400", "341", "15"));
        assert!(is_settlement("cnab400", "001", "05"));
        assert_eq!((status("03"), status("02"), status("99")), ("RJCT", "ACTC", "NOTC"));
        assert_eq!((order("01"), order("02"), order("06")), (Order::Entry, Order::Withdrawal, Order::Change));
        assert_eq!(words("06"), Some("paid"));
    }
}
