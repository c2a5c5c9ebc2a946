//! Rows of the table `open_items`.

use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date, ItemKind};

use super::table::{Cell, TableRow};

/// An open item that a document brings (an invoice in X12 810). Empty text becomes null.
#[derive(Clone, Debug)]
pub(crate) struct OpenItem<'a> {
    pub item_id: &'a str,
    pub entity: &'a str,
    pub party_id: &'a str,
    pub kind: ItemKind,
    pub number: &'a str,
    pub po_number: &'a str,
    pub currency: Currency,
    pub amount: Amount,
    pub open_amount: Amount,
    pub issue_date: Option<Date>,
    pub due_date: Option<Date>,
    pub discount_amount: Option<Amount>,
    pub discount_date: Option<Date>,
    pub source_line: u64,
}

impl TableRow for OpenItem<'_> {
    const TABLE: Table = Table::OpenItems;

    fn cells(&self) -> impl IntoIterator<Item = Cell<'_>> {
        [
            Cell::Text(self.item_id),
            Cell::Text(self.entity),
            Cell::Text(self.party_id),
            Cell::Text(self.kind.code()),
            Cell::Text(self.number),
            Cell::Text(self.po_number),
            Cell::Text(self.currency.as_str()),
            Cell::Money(Some(self.amount)),
            Cell::Money(Some(self.open_amount)),
            Cell::Day(self.issue_date),
            Cell::Day(self.due_date),
            Cell::Money(self.discount_amount),
            Cell::Day(self.discount_date),
            Cell::File,
            Cell::Count(Some(self.source_line)),
            Cell::Null,
        ]
    }
}

impl OpenItem<'_> {
    /// A row with nothing in it.
    pub const fn blank(kind: ItemKind, currency: Currency) -> Self {
        Self {
            item_id: "",
            entity: "",
            party_id: "",
            kind,
            number: "",
            po_number: "",
            currency,
            amount: Amount::ZERO,
            open_amount: Amount::ZERO,
            issue_date: None,
            due_date: None,
            discount_amount: None,
            discount_date: None,
            source_line: 0,
        }
    }
}
