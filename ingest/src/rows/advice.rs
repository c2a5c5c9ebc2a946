//! Rows of the table `remittance_lines` without a payment.

use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date};

use super::table::{Cell, TableRow};

/// A document line of remittance advice that comes apart from its payment. Empty text becomes
/// null.
#[derive(Clone, Debug)]
pub(crate) struct AdviceLine<'a> {
    pub source_line: u64,
    pub payment_reference: &'a str,
    pub payer_name: &'a str,
    pub payment_date: Option<Date>,
    pub payment_amount: Option<Amount>,
    pub currency: Option<Currency>,
    pub document_number: &'a str,
    pub gross: Option<Amount>,
    pub discount: Option<Amount>,
    pub adjustment: Option<Amount>,
    pub adjustment_reason: &'a str,
    pub net: Option<Amount>,
}

impl TableRow for AdviceLine<'_> {
    const TABLE: Table = Table::RemittanceLines;

    fn cells(&self) -> impl IntoIterator<Item = Cell<'_>> {
        [
            Cell::Null,
            Cell::File,
            Cell::Count(Some(self.source_line)),
            Cell::Text(self.payment_reference),
            Cell::Text(self.payer_name),
            Cell::Day(self.payment_date),
            Cell::Money(self.payment_amount),
            Cell::currency(self.currency.as_ref()),
            Cell::Text(self.document_number),
            Cell::Money(self.gross),
            Cell::Money(self.discount),
            Cell::Money(self.adjustment),
            Cell::Text(self.adjustment_reason),
            Cell::Money(self.net),
        ]
    }
}
