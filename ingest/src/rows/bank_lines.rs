//! Canonical batches of bank lines, written field by field into Arrow's builders.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, FixedSizeBinaryBuilder,
    RecordBatch, StringBuilder, UInt32Builder, UInt64Builder,
};
use arrow::error::ArrowError;
use tieout_core::schema::{AMOUNT_TYPE, parsed_remittance_lines, parsed_transactions};
use tieout_core::{Amount, Channel, Currency, Date, Direction, Feed, LineId};

use crate::format::{Batch, ReadError};
use crate::intake::Intake;

/// Text bytes after which a batch is handed over however few rows it has, so that Arrow's
/// 32-bit offsets always hold them.
pub(super) const BATCH_TEXT_BYTES_MAX: usize = 64 << 20;

/// A line of a statement, or a cheque. Empty text becomes null.
#[derive(Clone, Debug)]
pub(crate) struct BankLine<'a> {
    pub identity: LineId,
    pub source_line: u64,
    pub account: &'a str,
    pub booking_date: Option<Date>,
    pub value_date: Option<Date>,
    pub direction: Direction,
    pub currency: Currency,
    pub amount: Amount,
    pub type_code: &'a str,
    pub bank_reference: &'a str,
    pub end_to_end_id: &'a str,
    pub check_number: &'a str,
    pub counterparty_name: &'a str,
    pub counterparty_account: &'a str,
    pub remittance_text: &'a str,
    pub reversal: bool,
    pub status: BookingStatus,
    pub channel: Channel,
    pub statement_id: &'a str,
    pub bytes: Range<u64>,
    /// How final the report is.
    pub feed: Feed,
    /// What a statement's line and the report of its single payments both call it.
    pub entry_reference: &'a str,
    /// The reference that the creditor gave the payer, in a form with check digits (ISO 11649,
    /// Swiss QR, KID, OGM).
    pub creditor_reference: &'a str,
    pub mandate_id: &'a str,
    /// Why money came back.
    pub return_reason: &'a str,
    /// What the bank took off, in the line's currency.
    pub charges: Option<Amount>,
}

impl BankLine<'_> {
    /// A line with nothing optional in it: a booked credit of nothing on a statement.
    pub fn blank(identity: LineId, currency: Currency) -> Self {
        Self {
            identity,
            source_line: 0,
            account: "",
            booking_date: None,
            value_date: None,
            direction: Direction::Credit,
            currency,
            amount: Amount::ZERO,
            type_code: "",
            bank_reference: "",
            end_to_end_id: "",
            check_number: "",
            counterparty_name: "",
            counterparty_account: "",
            remittance_text: "",
            reversal: false,
            status: BookingStatus::Booked,
            channel: Channel::Statement,
            statement_id: "",
            bytes: 0..0,
            feed: Feed::Statement,
            entry_reference: "",
            creditor_reference: "",
            mandate_id: "",
            return_reason: "",
            charges: None,
        }
    }
}

/// Whether the money has moved, in the terms of ISO 20022.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BookingStatus {
    Booked,
    /// Announced; the account does not have it yet.
    Pending,
    /// Told for information only.
    Information,
}

impl BookingStatus {
    const fn code(self) -> &'static str {
        match self {
            Self::Booked => "BOOK",
            Self::Pending => "PDNG",
            Self::Information => "INFO",
        }
    }
}

/// A document that the line before it names. Empty text becomes null.
#[derive(Clone, Debug)]
pub(crate) struct DocumentLine<'a> {
    pub source_line: u64,
    pub payment_reference: &'a str,
    pub payer_name: &'a str,
    pub payment_date: Option<Date>,
    pub payment_amount: Option<Amount>,
    pub currency: Currency,
    pub document_number: &'a str,
    pub gross: Option<Amount>,
    pub discount: Option<Amount>,
    pub adjustment: Option<Amount>,
    pub adjustment_reason: &'a str,
    pub net: Option<Amount>,
}

/// Builds `transactions` with their `remittance_lines`.
pub(crate) struct BankLines {
    file_name: String,
    batch_rows: usize,
    text_bytes: usize,
    rows: usize,
    identity: FixedSizeBinaryBuilder,
    file: StringBuilder,
    line: UInt64Builder,
    account: StringBuilder,
    booking_date: Date32Builder,
    value_date: Date32Builder,
    direction: StringBuilder,
    currency: StringBuilder,
    amount: Decimal128Builder,
    type_code: StringBuilder,
    bank_reference: StringBuilder,
    end_to_end_id: StringBuilder,
    check_number: StringBuilder,
    counterparty_name: StringBuilder,
    counterparty_account: StringBuilder,
    remittance_text: StringBuilder,
    reversal: BooleanBuilder,
    status: StringBuilder,
    channel: StringBuilder,
    statement_id: StringBuilder,
    customer_number: StringBuilder,
    byte_start: UInt64Builder,
    byte_end: UInt64Builder,
    feed: StringBuilder,
    entry_reference: StringBuilder,
    creditor_reference: StringBuilder,
    mandate_id: StringBuilder,
    return_reason: StringBuilder,
    charges: Decimal128Builder,
    documents: DocumentLines,
}

impl BankLines {
    pub fn new(file_name: &str, batch_rows: usize) -> Self {
        Self {
            file_name: file_name.to_owned(),
            batch_rows: batch_rows.max(1),
            text_bytes: 0,
            rows: 0,
            identity: FixedSizeBinaryBuilder::new(16),
            file: StringBuilder::new(),
            line: UInt64Builder::new(),
            account: StringBuilder::new(),
            booking_date: Date32Builder::new(),
            value_date: Date32Builder::new(),
            direction: StringBuilder::new(),
            currency: StringBuilder::new(),
            amount: amounts(),
            type_code: StringBuilder::new(),
            bank_reference: StringBuilder::new(),
            end_to_end_id: StringBuilder::new(),
            check_number: StringBuilder::new(),
            counterparty_name: StringBuilder::new(),
            counterparty_account: StringBuilder::new(),
            remittance_text: StringBuilder::new(),
            reversal: BooleanBuilder::new(),
            status: StringBuilder::new(),
            channel: StringBuilder::new(),
            statement_id: StringBuilder::new(),
            customer_number: StringBuilder::new(),
            byte_start: UInt64Builder::new(),
            byte_end: UInt64Builder::new(),
            feed: StringBuilder::new(),
            entry_reference: StringBuilder::new(),
            creditor_reference: StringBuilder::new(),
            mandate_id: StringBuilder::new(),
            return_reason: StringBuilder::new(),
            charges: amounts(),
            documents: DocumentLines::new(),
        }
    }

    /// Adds a line; hands over a batch first if one is full.
    pub fn push(&mut self, line: &BankLine<'_>, intake: &mut Intake<'_>) -> Result<(), ReadError> {
        if self.rows >= self.batch_rows || self.text_bytes >= BATCH_TEXT_BYTES_MAX {
            self.flush(intake)?;
        }
        self.append(line).map_err(|error| intake.internal(&error))
    }

    fn append(&mut self, line: &BankLine<'_>) -> Result<(), ArrowError> {
        self.identity.append_value(line.identity.to_bytes())?;
        self.file.append_value(&self.file_name);
        self.line.append_value(line.source_line);
        append_text(&mut self.account, line.account);
        append_date(&mut self.booking_date, line.booking_date);
        append_date(&mut self.value_date, line.value_date);
        self.direction.append_value(line.direction.code());
        self.currency.append_value(line.currency.as_str());
        self.amount.append_value(line.amount.units());
        append_text(&mut self.type_code, line.type_code);
        append_text(&mut self.bank_reference, line.bank_reference);
        append_text(&mut self.end_to_end_id, line.end_to_end_id);
        append_text(&mut self.check_number, line.check_number);
        append_text(&mut self.counterparty_name, line.counterparty_name);
        append_text(&mut self.counterparty_account, line.counterparty_account);
        append_text(&mut self.remittance_text, line.remittance_text);
        self.reversal.append_value(line.reversal);
        self.status.append_value(line.status.code());
        self.channel.append_value(line.channel.code());
        append_text(&mut self.statement_id, line.statement_id);
        self.customer_number.append_null();
        self.byte_start.append_value(line.bytes.start);
        self.byte_end.append_value(line.bytes.end);
        self.feed.append_value(line.feed.code());
        append_text(&mut self.entry_reference, line.entry_reference);
        append_text(&mut self.creditor_reference, line.creditor_reference);
        append_text(&mut self.mandate_id, line.mandate_id);
        append_text(&mut self.return_reason, line.return_reason);
        self.charges.append_option(line.charges.map(Amount::units));
        // No column of a line is longer than the line itself.
        self.text_bytes += self.file_name.len() + (line.bytes.end - line.bytes.start) as usize;
        self.rows += 1;
        Ok(())
    }

    /// Adds a document of the line pushed last.
    pub fn push_document(&mut self, document: &DocumentLine<'_>) {
        let row = self.rows.saturating_sub(1) as u32;
        self.documents.append(row, &self.file_name, document);
        self.text_bytes += self.file_name.len() + document.payer_name.len();
    }

    /// Hands over what is built so far.
    pub fn flush(&mut self, intake: &mut Intake<'_>) -> Result<(), ReadError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        self.text_bytes = 0;
        let transactions = RecordBatch::try_new(parsed_transactions(), self.finish_columns());
        let documents = self.documents.finish();
        let batch = transactions.and_then(|transactions| {
            Ok(Batch::Transactions {
                transactions,
                remittance_lines: documents?,
            })
        });
        let batch = batch.map_err(|error| intake.internal(&error))?;
        Ok(intake.hand_over(batch)?)
    }

    fn finish_columns(&mut self) -> Vec<ArrayRef> {
        vec![
            Arc::new(self.identity.finish()),
            Arc::new(self.file.finish()),
            Arc::new(self.line.finish()),
            Arc::new(self.account.finish()),
            Arc::new(self.booking_date.finish()),
            Arc::new(self.value_date.finish()),
            Arc::new(self.direction.finish()),
            Arc::new(self.currency.finish()),
            Arc::new(self.amount.finish()),
            Arc::new(self.type_code.finish()),
            Arc::new(self.bank_reference.finish()),
            Arc::new(self.end_to_end_id.finish()),
            Arc::new(self.check_number.finish()),
            Arc::new(self.counterparty_name.finish()),
            Arc::new(self.counterparty_account.finish()),
            Arc::new(self.remittance_text.finish()),
            Arc::new(self.reversal.finish()),
            Arc::new(self.status.finish()),
            Arc::new(self.channel.finish()),
            Arc::new(self.statement_id.finish()),
            Arc::new(self.customer_number.finish()),
            Arc::new(self.byte_start.finish()),
            Arc::new(self.byte_end.finish()),
            Arc::new(self.feed.finish()),
            Arc::new(self.entry_reference.finish()),
            Arc::new(self.creditor_reference.finish()),
            Arc::new(self.mandate_id.finish()),
            Arc::new(self.return_reason.finish()),
            Arc::new(self.charges.finish()),
        ]
    }
}

struct DocumentLines {
    row: UInt32Builder,
    file: StringBuilder,
    line: UInt64Builder,
    payment_reference: StringBuilder,
    payer_name: StringBuilder,
    payment_date: Date32Builder,
    payment_amount: Decimal128Builder,
    currency: StringBuilder,
    document_number: StringBuilder,
    gross: Decimal128Builder,
    discount: Decimal128Builder,
    adjustment: Decimal128Builder,
    adjustment_reason: StringBuilder,
    net: Decimal128Builder,
}

impl DocumentLines {
    fn new() -> Self {
        Self {
            row: UInt32Builder::new(),
            file: StringBuilder::new(),
            line: UInt64Builder::new(),
            payment_reference: StringBuilder::new(),
            payer_name: StringBuilder::new(),
            payment_date: Date32Builder::new(),
            payment_amount: amounts(),
            currency: StringBuilder::new(),
            document_number: StringBuilder::new(),
            gross: amounts(),
            discount: amounts(),
            adjustment: amounts(),
            adjustment_reason: StringBuilder::new(),
            net: amounts(),
        }
    }

    fn append(&mut self, row: u32, file_name: &str, document: &DocumentLine<'_>) {
        self.row.append_value(row);
        self.file.append_value(file_name);
        self.line.append_value(document.source_line);
        append_text(&mut self.payment_reference, document.payment_reference);
        append_text(&mut self.payer_name, document.payer_name);
        append_date(&mut self.payment_date, document.payment_date);
        self.payment_amount
            .append_option(document.payment_amount.map(Amount::units));
        self.currency.append_value(document.currency.as_str());
        append_text(&mut self.document_number, document.document_number);
        self.gross.append_option(document.gross.map(Amount::units));
        self.discount
            .append_option(document.discount.map(Amount::units));
        self.adjustment
            .append_option(document.adjustment.map(Amount::units));
        append_text(&mut self.adjustment_reason, document.adjustment_reason);
        self.net.append_option(document.net.map(Amount::units));
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.row.finish()),
            Arc::new(self.file.finish()),
            Arc::new(self.line.finish()),
            Arc::new(self.payment_reference.finish()),
            Arc::new(self.payer_name.finish()),
            Arc::new(self.payment_date.finish()),
            Arc::new(self.payment_amount.finish()),
            Arc::new(self.currency.finish()),
            Arc::new(self.document_number.finish()),
            Arc::new(self.gross.finish()),
            Arc::new(self.discount.finish()),
            Arc::new(self.adjustment.finish()),
            Arc::new(self.adjustment_reason.finish()),
            Arc::new(self.net.finish()),
        ];
        RecordBatch::try_new(parsed_remittance_lines(), columns)
    }
}

fn amounts() -> Decimal128Builder {
    Decimal128Builder::new().with_data_type(AMOUNT_TYPE)
}

#[inline]
fn append_text(column: &mut StringBuilder, text: &str) {
    if text.is_empty() {
        column.append_null();
    } else {
        column.append_value(text);
    }
}

#[inline]
fn append_date(column: &mut Date32Builder, date: Option<Date>) {
    column.append_option(date.map(Date::days));
}
