//! Rows of the table `payment_statuses`.

use std::ops::Range;

use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date, StatusLevel};

use super::table::{Cell, TableRow};

/// A word about a payment that was instructed. Empty text becomes null.
#[derive(Clone, Debug)]
pub(crate) struct PaymentStatus<'a> {
    pub source_line: u64,
    pub message_type: &'a str,
    pub message_id: &'a str,
    /// What it is about.
    pub level: StatusLevel,
    pub original_message_id: &'a str,
    pub original_payment_information_id: &'a str,
    pub original_instruction_id: &'a str,
    pub original_end_to_end_id: &'a str,
    pub original_transaction_reference: &'a str,
    /// The status as the message writes it (`ACSC`, `RJCT`; `RTRN` for a return, `NOTC` for a
    /// notification of change, `CANC` for a cancellation).
    pub status: &'a str,
    /// The reason code (`AC04`, `R01`, `C02`).
    pub reason: &'a str,
    /// What stands beside the code: text, corrected data.
    pub information: &'a str,
    pub status_date: Option<Date>,
    pub currency: Option<Currency>,
    pub amount: Option<Amount>,
    pub bytes: Range<u64>,
}

impl TableRow for PaymentStatus<'_> {
    const TABLE: Table = Table::PaymentStatuses;

    fn cells(&self) -> impl IntoIterator<Item = Cell<'_>> {
        [
            Cell::File,
            Cell::Count(Some(self.source_line)),
            Cell::Text(self.message_type),
            Cell::Text(self.message_id),
            Cell::Text(self.level.code()),
            Cell::Text(self.original_message_id),
            Cell::Text(self.original_payment_information_id),
            Cell::Text(self.original_instruction_id),
            Cell::Text(self.original_end_to_end_id),
            Cell::Text(self.original_transaction_reference),
            Cell::Text(self.status),
            Cell::Text(self.reason),
            Cell::Text(self.information),
            Cell::Day(self.status_date),
            Cell::currency(self.currency.as_ref()),
            Cell::Money(self.amount),
            Cell::Count(Some(self.bytes.start)),
            Cell::Count(Some(self.bytes.end)),
        ]
    }
}

impl PaymentStatus<'_> {
    /// A row with nothing in it.
    pub const fn blank(level: StatusLevel) -> Self {
        Self {
            source_line: 0,
            message_type: "",
            message_id: "",
            level,
            original_message_id: "",
            original_payment_information_id: "",
            original_instruction_id: "",
            original_end_to_end_id: "",
            original_transaction_reference: "",
            status: "",
            reason: "",
            information: "",
            status_date: None,
            currency: None,
            amount: None,
            bytes: 0..0,
        }
    }
}
