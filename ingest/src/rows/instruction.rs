//! Rows of the table `payment_instructions`.

use std::ops::Range;

use tieout_core::schema::Table;
use tieout_core::{Amount, Currency, Date, Direction};

use super::table::{Cell, TableRow};

/// A payment that somebody was told to make. Empty text becomes null.
#[derive(Clone, Debug)]
pub(crate) struct PaymentInstruction<'a> {
    pub source_line: u64,
    /// The message, such as `pain.001.001.09` or `nacha.CTX`.
    pub message_type: &'a str,
    pub message_id: &'a str,
    /// The batch within the message.
    pub payment_information_id: &'a str,
    pub instruction_id: &'a str,
    pub end_to_end_id: &'a str,
    /// What the banks call it: UETR, transaction id, trace number, IMAD.
    pub transaction_reference: &'a str,
    /// `Credit` for a credit transfer (the debtor sends), `Debit` for a direct debit (the creditor
    /// collects).
    pub direction: Direction,
    /// How it is to be paid, as the message writes it (`TRF`, `CHK`, `DD`, a SEC code).
    pub method: &'a str,
    pub requested_date: Option<Date>,
    pub currency: Currency,
    pub amount: Amount,
    pub debtor_name: &'a str,
    pub debtor_account: &'a str,
    pub debtor_agent: &'a str,
    pub creditor_name: &'a str,
    pub creditor_account: &'a str,
    pub creditor_agent: &'a str,
    pub mandate_id: &'a str,
    pub purpose: &'a str,
    pub remittance_text: &'a str,
    pub creditor_reference: &'a str,
    pub bytes: Range<u64>,
}

impl TableRow for PaymentInstruction<'_> {
    const TABLE: Table = Table::PaymentInstructions;

    fn cells(&self) -> impl IntoIterator<Item = Cell<'_>> {
        [
            Cell::File,
            Cell::Count(Some(self.source_line)),
            Cell::Text(self.message_type),
            Cell::Text(self.message_id),
            Cell::Text(self.payment_information_id),
            Cell::Text(self.instruction_id),
            Cell::Text(self.end_to_end_id),
            Cell::Text(self.transaction_reference),
            Cell::Text(self.direction.code()),
            Cell::Text(self.method),
            Cell::Day(self.requested_date),
            Cell::Text(self.currency.as_str()),
            Cell::Money(Some(self.amount)),
            Cell::Text(self.debtor_name),
            Cell::Text(self.debtor_account),
            Cell::Text(self.debtor_agent),
            Cell::Text(self.creditor_name),
            Cell::Text(self.creditor_account),
            Cell::Text(self.creditor_agent),
            Cell::Text(self.mandate_id),
            Cell::Text(self.purpose),
            Cell::Text(self.remittance_text),
            Cell::Text(self.creditor_reference),
            Cell::Count(Some(self.bytes.start)),
            Cell::Count(Some(self.bytes.end)),
        ]
    }
}

impl PaymentInstruction<'_> {
    /// A row with nothing in it.
    pub const fn blank(currency: Currency) -> Self {
        Self {
            source_line: 0,
            message_type: "",
            message_id: "",
            payment_information_id: "",
            instruction_id: "",
            end_to_end_id: "",
            transaction_reference: "",
            direction: Direction::Credit,
            method: "",
            requested_date: None,
            currency,
            amount: Amount::ZERO,
            debtor_name: "",
            debtor_account: "",
            debtor_agent: "",
            creditor_name: "",
            creditor_account: "",
            creditor_agent: "",
            mandate_id: "",
            purpose: "",
            remittance_text: "",
            creditor_reference: "",
            bytes: 0..0,
        }
    }
}
