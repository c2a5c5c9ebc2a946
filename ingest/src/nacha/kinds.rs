//! Batch types and transaction codes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use tieout_core::Direction;

/// First and last column, counted from 1, both included.
pub(super) type Columns = (usize, usize);

/// A batch type, and where its entries have what.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchKind {
    identification: Option<Columns>,
    #[serde(default = "name")]
    pub name: Columns,
    pub check: Option<Columns>,
    pub addenda_count: Option<Columns>,
}

const fn name() -> Columns {
    (55, 76)
}

impl BatchKind {
    /// Where the originator's name for the payment stands; a cheque has its number there.
    pub fn identification(&self) -> Option<Columns> {
        let usual = self.check.is_none().then_some((40, 54));
        self.identification.or(usual)
    }
}

/// A type that the table does not have is read as PPD is.
pub(super) static UNLISTED: BatchKind = BatchKind {
    identification: None,
    name: name(),
    check: None,
    addenda_count: None,
};

static KINDS: LazyLock<BTreeMap<String, BatchKind>> =
    LazyLock::new(|| toml::from_str(include_str!("kinds.toml")).unwrap_or_default());

/// The batch type `code`, if the table has it.
pub(super) fn batch_kind(code: &str) -> Option<&'static BatchKind> {
    KINDS.get(code)
}

/// What an entry is, by its transaction code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Money moves.
    Live,
    /// A return, or a notification of change.
    Return,
    /// A trial without money.
    Prenote,
    /// Remittance without money, or an acknowledgment.
    ZeroDollar,
    /// The operator tells what it booked.
    Advice,
}

/// A transaction code taken apart. Debits and credits are seen from the account of the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TransactionCode {
    pub direction: Direction,
    pub purpose: Purpose,
}

impl TransactionCode {
    /// The meaning of the two digits `code`: the first names the kind of account (2 checking, 3
    /// savings, 4 general ledger, 5 loan, 8 an advice), the second what happens to it.
    pub fn of(code: &str) -> Option<Self> {
        let (direction, purpose) = match code.as_bytes() {
            [b'8', b'1' | b'3' | b'5' | b'7'] => (Direction::Credit, Purpose::Advice),
            [b'8', b'2' | b'4' | b'6' | b'8'] => (Direction::Debit, Purpose::Advice),
            [b'2'..=b'5', b'1'] => (Direction::Credit, Purpose::Return),
            [b'2'..=b'5', b'2'] => (Direction::Credit, Purpose::Live),
            [b'2'..=b'5', b'3'] => (Direction::Credit, Purpose::Prenote),
            [b'2'..=b'5', b'4'] => (Direction::Credit, Purpose::ZeroDollar),
            // A loan account is debited only to take back a credit.
            [b'5', b'5'] | [b'2'..=b'4', b'7'] => (Direction::Debit, Purpose::Live),
            [b'2'..=b'5', b'6'] => (Direction::Debit, Purpose::Return),
            [b'2'..=b'4', b'8'] => (Direction::Debit, Purpose::Prenote),
            [b'2'..=b'4', b'9'] => (Direction::Debit, Purpose::ZeroDollar),
            _ => return None,
        };
        Some(Self { direction, purpose })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads() {
        assert_eq!(KINDS.len(), 23);
        assert_eq!(batch_kind("CIE").map(|kind| kind.name), Some((40, 54)));
        assert!(batch_kind("XYZ").is_none());
    }

    #[test]
    fn codes_say_which_way_and_why() {
        let meaning = |code| TransactionCode::of(code).map(|c| (c.direction, c.purpose));
        assert_eq!(meaning("26"), Some((Direction::Debit, Purpose::Return)));
        assert_eq!(meaning("33"), Some((Direction::Credit, Purpose::Prenote)));
        assert_eq!(meaning("55"), Some((Direction::Debit, Purpose::Live)));
        assert_eq!(meaning("82"), Some((Direction::Debit, Purpose::Advice)));
        assert_eq!(meaning("25"), None);
        assert_eq!(meaning("57"), None);
        assert_eq!(meaning("2"), None);
    }
}
