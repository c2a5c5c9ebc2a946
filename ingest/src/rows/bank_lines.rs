//! Canonical batches of bank lines, written field by field into Arrow's builders.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Decimal128Array, Decimal128Builder,
    FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use arrow::buffer::Buffer;
use arrow::error::ArrowError;
use tieout_core::schema::{AMOUNT_TYPE, parsed_remittance_lines, parsed_transactions};
use tieout_core::{Amount, Channel, Currency, Date, Direction, Feed, LineId};

use super::text::TextColumn;
use crate::format::{Batch, ReadError};
use crate::intake::Intake;

/// Text bytes after which a batch is handed over however few rows it has, so that Arrow's
/// 32-bit offsets always hold them.
pub(super) const BATCH_TEXT_BYTES_MAX: usize = 64 << 20;

/// Bytes of an identity.
const IDENTITY_BYTES: i32 = 16;

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
    identities: Vec<u8>,
    file: TextColumn,
    line: Vec<u64>,
    account: TextColumn,
    booking_date: Date32Builder,
    value_date: Date32Builder,
    direction: TextColumn,
    currency: TextColumn,
    amount: Vec<i128>,
    type_code: TextColumn,
    bank_reference: TextColumn,
    end_to_end_id: TextColumn,
    check_number: TextColumn,
    counterparty_name: TextColumn,
    counterparty_account: TextColumn,
    remittance_text: TextColumn,
    reversal: BooleanBuilder,
    status: TextColumn,
    channel: TextColumn,
    statement_id: TextColumn,
    byte_start: Vec<u64>,
    byte_end: Vec<u64>,
    feed: TextColumn,
    entry_reference: TextColumn,
    creditor_reference: TextColumn,
    mandate_id: TextColumn,
    return_reason: TextColumn,
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
            identities: Vec::new(),
            file: TextColumn::nullable(),
            line: Vec::new(),
            account: TextColumn::nullable(),
            booking_date: Date32Builder::new(),
            value_date: Date32Builder::new(),
            direction: TextColumn::nullable(),
            currency: TextColumn::nullable(),
            amount: Vec::new(),
            type_code: TextColumn::nullable(),
            bank_reference: TextColumn::nullable(),
            end_to_end_id: TextColumn::nullable(),
            check_number: TextColumn::nullable(),
            counterparty_name: TextColumn::nullable(),
            counterparty_account: TextColumn::nullable(),
            remittance_text: TextColumn::nullable(),
            reversal: BooleanBuilder::new(),
            status: TextColumn::nullable(),
            channel: TextColumn::nullable(),
            statement_id: TextColumn::nullable(),
            byte_start: Vec::new(),
            byte_end: Vec::new(),
            feed: TextColumn::nullable(),
            entry_reference: TextColumn::nullable(),
            creditor_reference: TextColumn::nullable(),
            mandate_id: TextColumn::nullable(),
            return_reason: TextColumn::nullable(),
            charges: amounts(),
            documents: DocumentLines::new(),
        }
    }

    /// Adds a line; hands over a batch first if one is full.
    pub fn push(&mut self, line: &BankLine<'_>, intake: &mut Intake<'_>) -> Result<(), ReadError> {
        if self.rows >= self.batch_rows || self.text_bytes >= BATCH_TEXT_BYTES_MAX {
            self.flush(intake)?;
        }
        self.append(line);
        Ok(())
    }

    fn append(&mut self, line: &BankLine<'_>) {
        self.identities.extend_from_slice(&line.identity.to_bytes());
        self.file.append(&self.file_name);
        self.line.push(line.source_line);
        self.account.append(line.account);
        append_date(&mut self.booking_date, line.booking_date);
        append_date(&mut self.value_date, line.value_date);
        self.direction.append(line.direction.code());
        self.currency.append(line.currency.as_str());
        self.amount.push(line.amount.units());
        self.type_code.append(line.type_code);
        self.bank_reference.append(line.bank_reference);
        self.end_to_end_id.append(line.end_to_end_id);
        self.check_number.append(line.check_number);
        self.counterparty_name.append(line.counterparty_name);
        self.counterparty_account.append(line.counterparty_account);
        self.remittance_text.append(line.remittance_text);
        self.reversal.append_value(line.reversal);
        self.status.append(line.status.code());
        self.channel.append(line.channel.code());
        self.statement_id.append(line.statement_id);
        self.byte_start.push(line.bytes.start);
        self.byte_end.push(line.bytes.end);
        self.feed.append(line.feed.code());
        self.entry_reference.append(line.entry_reference);
        self.creditor_reference.append(line.creditor_reference);
        self.mandate_id.append(line.mandate_id);
        self.return_reason.append(line.return_reason);
        self.charges.append_option(line.charges.map(Amount::units));
        // No column of a line is longer than the line itself.
        self.text_bytes += self.file_name.len() + (line.bytes.end - line.bytes.start) as usize;
        self.rows += 1;
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
        let columns = self.finish_columns();
        let transactions =
            columns.and_then(|columns| RecordBatch::try_new(parsed_transactions(), columns));
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

    fn finish_columns(&mut self) -> Result<Vec<ArrayRef>, ArrowError> {
        let rows = self.line.len();
        let identities = Buffer::from_vec(take_full(&mut self.identities));
        let identities = FixedSizeBinaryArray::try_new(IDENTITY_BYTES, identities, None)?;
        let amounts = Decimal128Array::from(take_full(&mut self.amount));
        let amounts = amounts.with_data_type(AMOUNT_TYPE);
        Ok(vec![
            Arc::new(identities),
            self.file.finish(),
            Arc::new(UInt64Array::from(take_full(&mut self.line))),
            self.account.finish(),
            Arc::new(self.booking_date.finish()),
            Arc::new(self.value_date.finish()),
            self.direction.finish(),
            self.currency.finish(),
            Arc::new(amounts),
            self.type_code.finish(),
            self.bank_reference.finish(),
            self.end_to_end_id.finish(),
            self.check_number.finish(),
            self.counterparty_name.finish(),
            self.counterparty_account.finish(),
            self.remittance_text.finish(),
            Arc::new(self.reversal.finish()),
            self.status.finish(),
            self.channel.finish(),
            self.statement_id.finish(),
            Arc::new(StringArray::new_null(rows)),
            Arc::new(UInt64Array::from(take_full(&mut self.byte_start))),
            Arc::new(UInt64Array::from(take_full(&mut self.byte_end))),
            self.feed.finish(),
            self.entry_reference.finish(),
            self.creditor_reference.finish(),
            self.mandate_id.finish(),
            self.return_reason.finish(),
            Arc::new(self.charges.finish()),
        ])
    }
}

struct DocumentLines {
    row: Vec<u32>,
    file: TextColumn,
    line: Vec<u64>,
    payment_reference: TextColumn,
    payer_name: TextColumn,
    payment_date: Date32Builder,
    payment_amount: Decimal128Builder,
    currency: TextColumn,
    document_number: TextColumn,
    gross: Decimal128Builder,
    discount: Decimal128Builder,
    adjustment: Decimal128Builder,
    adjustment_reason: TextColumn,
    net: Decimal128Builder,
}

impl DocumentLines {
    fn new() -> Self {
        Self {
            row: Vec::new(),
            file: TextColumn::nullable(),
            line: Vec::new(),
            payment_reference: TextColumn::nullable(),
            payer_name: TextColumn::nullable(),
            payment_date: Date32Builder::new(),
            payment_amount: amounts(),
            currency: TextColumn::nullable(),
            document_number: TextColumn::nullable(),
            gross: amounts(),
            discount: amounts(),
            adjustment: amounts(),
            adjustment_reason: TextColumn::nullable(),
            net: amounts(),
        }
    }

    fn append(&mut self, row: u32, file_name: &str, document: &DocumentLine<'_>) {
        self.row.push(row);
        self.file.append(file_name);
        self.line.push(document.source_line);
        self.payment_reference.append(document.payment_reference);
        self.payer_name.append(document.payer_name);
        append_date(&mut self.payment_date, document.payment_date);
        self.payment_amount
            .append_option(document.payment_amount.map(Amount::units));
        self.currency.append(document.currency.as_str());
        self.document_number.append(document.document_number);
        self.gross.append_option(document.gross.map(Amount::units));
        self.discount
            .append_option(document.discount.map(Amount::units));
        self.adjustment
            .append_option(document.adjustment.map(Amount::units));
        self.adjustment_reason.append(document.adjustment_reason);
        self.net.append_option(document.net.map(Amount::units));
    }

    fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from(take_full(&mut self.row))),
            self.file.finish(),
            Arc::new(UInt64Array::from(take_full(&mut self.line))),
            self.payment_reference.finish(),
            self.payer_name.finish(),
            Arc::new(self.payment_date.finish()),
            Arc::new(self.payment_amount.finish()),
            self.currency.finish(),
            self.document_number.finish(),
            Arc::new(self.gross.finish()),
            Arc::new(self.discount.finish()),
            Arc::new(self.adjustment.finish()),
            self.adjustment_reason.finish(),
            Arc::new(self.net.finish()),
        ];
        RecordBatch::try_new(parsed_remittance_lines(), columns)
    }
}

fn amounts() -> Decimal128Builder {
    Decimal128Builder::new().with_data_type(AMOUNT_TYPE)
}

/// Takes the values and leaves room for as many, which the next batch will have.
fn take_full<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

#[inline]
fn append_date(column: &mut Date32Builder, date: Option<Date>) {
    column.append_option(date.map(Date::days));
}
