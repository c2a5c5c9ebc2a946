//! Rows of the table `balances`.

use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date};

use super::table::{Cell, TableRow};

/// A balance or a summary that a statement gives.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_field_names,
    reason = "the fields are the columns of the table"
)]
pub(crate) struct Balance<'a> {
    pub source_line: u64,
    pub account: &'a str,
    pub currency: Currency,
    pub type_code: &'a str,
    /// The kind in words.
    pub balance_type: &'a str,
    pub as_of_date: Option<Date>,
    pub amount: Amount,
    pub item_count: Option<u64>,
}

impl TableRow for Balance<'_> {
    const TABLE: Table = Table::Balances;

    fn cells(&self) -> impl IntoIterator<Item = Cell<'_>> {
        [
            Cell::File,
            Cell::Count(Some(self.source_line)),
            Cell::Text(self.account),
            Cell::Text(self.currency.as_str()),
            Cell::Text(self.type_code),
            Cell::Text(self.balance_type),
            Cell::Day(self.as_of_date),
            Cell::Money(Some(self.amount)),
            Cell::Count(self.item_count),
        ]
    }
}
