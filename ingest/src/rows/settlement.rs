//! Rows of the table `settlement_lines`.

use std::ops::Range;

use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date, SettlementType};

use super::table::{Cell, TableRow};

/// A line of a processor's settlement report. `gross - fee = net`; amounts are signed, positive
/// in the merchant's favour. Empty text becomes null.
#[derive(Clone, Debug)]
pub(crate) struct SettlementLine<'a> {
    pub source_line: u64,
    pub processor: &'a str,
    pub merchant_account: &'a str,
    pub line_type: SettlementType,
    /// The kind as the processor writes it.
    pub processor_type: &'a str,
    pub booking_date: Option<Date>,
    /// When the money is available or paid out.
    pub settlement_date: Option<Date>,
    pub currency: Currency,
    pub gross: Amount,
    /// What the processor keeps; positive when it takes.
    pub fee: Amount,
    pub net: Amount,
    pub processor_reference: &'a str,
    /// The line that this one refers to: the charge of a refund or chargeback.
    pub original_reference: &'a str,
    pub merchant_reference: &'a str,
    /// The payout or batch in which it reached the bank.
    pub payout_reference: &'a str,
    pub payment_method: &'a str,
    pub customer_name: &'a str,
    pub description: &'a str,
    pub bytes: Range<u64>,
}

impl TableRow for SettlementLine<'_> {
    const TABLE: Table = Table::SettlementLines;

    fn cells(&self) -> impl IntoIterator<Item = Cell<'_>> {
        [
            Cell::File,
            Cell::Count(Some(self.source_line)),
            Cell::Text(self.processor),
            Cell::Text(self.merchant_account),
            Cell::Text(self.line_type.code()),
            Cell::Text(self.processor_type),
            Cell::Day(self.booking_date),
            Cell::Day(self.settlement_date),
            Cell::Text(self.currency.as_str()),
            Cell::Money(Some(self.gross)),
            Cell::Money(Some(self.fee)),
            Cell::Money(Some(self.net)),
            Cell::Text(self.processor_reference),
            Cell::Text(self.original_reference),
            Cell::Text(self.merchant_reference),
            Cell::Text(self.payout_reference),
            Cell::Text(self.payment_method),
            Cell::Text(self.customer_name),
            Cell::Text(self.description),
            Cell::Count(Some(self.bytes.start)),
            Cell::Count(Some(self.bytes.end)),
            Cell::Null,
        ]
    }
}

impl SettlementLine<'_> {
    /// A row with nothing in it.
    pub const fn blank(line_type: SettlementType, currency: Currency) -> Self {
        Self {
            source_line: 0,
            processor: "",
            merchant_account: "",
            line_type,
            processor_type: "",
            booking_date: None,
            settlement_date: None,
            currency,
            gross: Amount::ZERO,
            fee: Amount::ZERO,
            net: Amount::ZERO,
            processor_reference: "",
            original_reference: "",
            merchant_reference: "",
            payout_reference: "",
            payment_method: "",
            customer_name: "",
            description: "",
            bytes: 0..0,
        }
    }
}
