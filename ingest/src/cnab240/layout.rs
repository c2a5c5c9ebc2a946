//! Where each bank puts its fields.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use toml::Table;

use crate::cnab::{Span, merged};

/// The name of the standard.
const USUAL_NAME: &str = "febraban";

/// The columns of one bank.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Layout {
    pub name: String,
    #[serde(default)]
    pub code: String,
    pub title: TitleColumns,
    pub paid: PaidColumns,
    pub order: OrderColumns,
}

/// Segment T.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TitleColumns {
    pub our_number: Span,
    pub document: Span,
    pub due_date: Span,
    pub face: Span,
    pub company_use: Span,
    pub payer_id: Span,
    pub payer_name: Span,
    pub fee: Span,
    pub reasons: Span,
}

/// Segment U.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaidColumns {
    pub interest: Span,
    pub discount: Span,
    pub rebate: Span,
    pub paid: Span,
    pub credited: Span,
    pub other_credits: Span,
    pub event_date: Span,
    pub credit_date: Span,
}

/// Segments P and Q.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderColumns {
    pub our_number: Span,
    pub document: Span,
    pub due_date: Span,
    pub face: Span,
    pub company_use: Span,
    pub payer_id: Span,
    pub payer_name: Span,
}

/// A segment of a payment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PaymentColumns {
    pub agent: Span,
    pub account: Span,
    pub payee: Span,
    pub document: Span,
    pub date: Span,
    pub amount: Span,
    pub our_number: Span,
    pub paid_date: Span,
    pub paid: Span,
    pub text: Span,
}

/// What categories of statement lines mean.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Categories {
    pub reversals: Vec<String>,
    pub cheques: Vec<String>,
}

#[derive(Default, Deserialize)]
struct LayoutsFile {
    base: Table,
    bank: Vec<Table>,
    segment: BTreeMap<String, PaymentColumns>,
    occurrences: BTreeMap<String, Vec<String>>,
    statement: Categories,
}

struct Known {
    layouts: Vec<Layout>,
    file: LayoutsFile,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    let file: LayoutsFile = toml::from_str(include_str!("layouts.toml")).unwrap_or_default();
    let mut usual = Table::new();
    usual.insert("name".to_owned(), USUAL_NAME.into());
    let tables = std::iter::once(&usual).chain(&file.bank);
    let layouts = tables.map(|own| merged(&file.base, own).try_into());
    Known {
        layouts: layouts.filter_map(Result::ok).collect(),
        file,
    }
});

/// The standard, and then the layouts of banks.
pub(super) fn all() -> &'static [Layout] {
    &KNOWN.layouts
}

/// The layout of a bank, or the standard; none only if there are none at all.
pub(super) fn of_bank(code: &str) -> Option<&'static Layout> {
    let own = all().iter().find(|layout| layout.code == code);
    own.or_else(|| all().first())
}

/// The columns of a payment's segment.
pub(super) fn payment(segment: &str) -> Option<&'static PaymentColumns> {
    KNOWN.file.segment.get(segment)
}

/// The status that an occurrence stands for.
pub(super) fn status(occurrence: &str) -> &'static str {
    let mut known = KNOWN.file.occurrences.iter();
    known
        .find(|(_, codes)| codes.iter().any(|known| known == occurrence))
        .map_or("RJCT", |(status, _)| status)
}

/// What categories of statement lines mean.
pub(super) fn categories() -> &'static Categories {
    &KNOWN.file.statement
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_table_reads() {
        let file: LayoutsFile = toml::from_str(include_str!("layouts.toml")).unwrap();
        assert_eq!(all().len(), file.bank.len() + 1);
        assert_eq!(of_bank("033").map(|l| l.title.face), Some([78, 92]));
        assert_eq!(of_bank("999").map(|l| l.title.face), Some([82, 96]));
        assert!(payment("A").is_some());
        assert_eq!((status("00"), status("AB")), ("ACSC", "RJCT"));
    }
}
