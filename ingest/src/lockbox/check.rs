//! One check: its 6 record with the 4 records that follow, until it becomes a row.

use std::fmt::Write as _;
use std::ops::Range;

use tieout_core::{Amount, Channel, Currency, Date, IdentityHasher, LineId};

use super::columns::{Columns, NotDigits, whole_number};
use super::fields::{self, Misfit};
use super::layout::{CheckColumns, Layout, RemittanceColumns};
use super::text::decode;
use crate::format::ReadError;
use crate::intake::Intake;
use crate::lines::Line;
use crate::rows::{BankLine, BankLines, DocumentLine};

/// Documents that one check may pay; a sequence number has two digits, so that no bank writes
/// as many.
pub(super) const DOCUMENTS_MAX: usize = 9_999;

/// The batch that a check came in.
#[derive(Debug, Default)]
pub(super) struct BatchHead {
    pub lockbox: String,
    pub deposit_date: Option<Date>,
    /// How the statement's identity begins, before the batch's number.
    pub statement: String,
}

struct Document {
    line: u64,
    number: Range<usize>,
    reason: Range<usize>,
    net: Option<Amount>,
    deduction: Amount,
}

/// A check whose record was read and whose remittance is still coming. Its buffers are used
/// again for the next check.
#[derive(Default)]
pub(super) struct Check {
    pub line: u64,
    bytes: Range<u64>,
    record: Vec<u8>,
    amount: Amount,
    written_on: Option<Date>,
    text: Vec<u8>,
    documents: Vec<Document>,
    /// Document numbers and reasons.
    words: Vec<u8>,
    nets: Option<Amount>,
    is_net_missing: bool,
    remittance_records: u64,
    is_ended: bool,
    is_out_of_sequence: bool,
    account_text: String,
    statement_text: String,
}

/// What is odd about a check that is read all the same.
pub(super) struct Oddities {
    /// The documents add up to another amount.
    pub sum_differs: bool,
    /// The 4 records are not numbered 1, 2, 3 or do not end with the last one's mark.
    pub is_out_of_sequence: bool,
}

impl Check {
    /// Starts with the 6 record `record`.
    ///
    /// # Errors
    /// A [`Misfit`] if a field does not hold what it should.
    pub fn start(
        &mut self,
        line: &Line<'_>,
        record: &[u8],
        layout: &Layout,
        deposit_date: Option<Date>,
    ) -> Result<Amount, Misfit> {
        let amount = fields::fit(record, &layout.check)?;
        fields::refuse_shifted(record, layout, deposit_date)?;
        self.record.clear();
        self.record.extend_from_slice(record);
        self.line = line.number;
        self.bytes = line.start..line.end;
        self.amount = amount;
        self.written_on = layout
            .check
            .check_date
            .and_then(|date| date.order.read(date.columns.raw(record)).ok());
        self.text.clear();
        self.documents.clear();
        self.words.clear();
        self.nets = None;
        self.is_net_missing = false;
        self.remittance_records = 0;
        self.is_ended = false;
        self.is_out_of_sequence = false;
        Ok(amount)
    }

    /// Whether a 4 record names this check's batch and item.
    pub fn owns(&self, record: &[u8], layout: &Layout) -> bool {
        let (check, remittance) = (&layout.check, &layout.remittance);
        check.batch.raw(&self.record) == remittance.batch.raw(record)
            && check.item.raw(&self.record) == remittance.item.raw(record)
    }

    pub fn is_full(&self) -> bool {
        self.remittance_records >= DOCUMENTS_MAX as u64
    }

    /// Adds the 4 record `record`.
    ///
    /// # Errors
    /// The field's name and columns if an amount does not read; the rest of the check stays.
    pub fn add(
        &mut self,
        line: &Line<'_>,
        record: &[u8],
        columns: &RemittanceColumns,
    ) -> Result<(), (&'static str, Columns)> {
        self.bytes.end = line.end;
        self.follow_sequence(record, columns);
        let net = columns.net.map_or(Ok(None), |net| net.read(record));
        let deduction = columns.deduction.map_or(Ok(None), |d| d.read(record));
        let (net, deduction) = match (net, deduction) {
            (Ok(net), Ok(deduction)) => (net, deduction),
            (Err(NotDigits), _) => {
                return Err(self.unread("net amount", columns.net.map(|a| a.columns)));
            }
            (_, Err(NotDigits)) => {
                return Err(self.unread("deduction", columns.deduction.map(|a| a.columns)));
            }
        };
        if let Some(text) = columns.text {
            self.add_text(text, record);
        }
        if let Some(number) = columns.document_number {
            let number = number.trimmed(record);
            if !number.is_empty() || net.is_some() {
                let reason = columns.reason.map_or(&[][..], |c| c.trimmed(record));
                self.add_document(
                    line.number,
                    number,
                    reason,
                    net,
                    deduction.unwrap_or_default(),
                );
            }
        }
        Ok(())
    }

    fn unread(&mut self, field: &'static str, columns: Option<Columns>) -> (&'static str, Columns) {
        self.is_net_missing = true;
        (field, columns.unwrap_or_default())
    }

    fn follow_sequence(&mut self, record: &[u8], columns: &RemittanceColumns) {
        self.remittance_records += 1;
        self.is_out_of_sequence |= self.is_ended && columns.indicator.is_some();
        if let Some(sequence) = columns.sequence {
            let expected = self.remittance_records % 10_u64.pow(sequence.width() as u32);
            self.is_out_of_sequence |= whole_number(sequence.trimmed(record)) != Some(expected);
        }
        self.is_ended = columns.indicator.is_none_or(|c| c.raw(record) == b"9");
    }

    /// The text goes on as it stands; the blanks that fill a line count as one.
    fn add_text(&mut self, columns: Columns, record: &[u8]) {
        let piece = columns.raw(record).trim_ascii_end();
        if piece.is_empty() {
            return;
        }
        self.text.extend_from_slice(piece);
        if piece.len() < columns.width() {
            self.text.push(b' ');
        }
    }

    fn add_document(
        &mut self,
        line: u64,
        number: &[u8],
        reason: &[u8],
        net: Option<Amount>,
        deduction: Amount,
    ) {
        let number_start = self.words.len();
        self.words.extend_from_slice(number);
        let reason_start = self.words.len();
        self.words.extend_from_slice(reason);
        self.documents.push(Document {
            line,
            number: number_start..reason_start,
            reason: reason_start..self.words.len(),
            net,
            deduction,
        });
        match net {
            Some(net) => self.nets = Some(self.nets.unwrap_or_default() + net),
            None => self.is_net_missing = true,
        }
    }

    /// Writes the check as a row, with its documents.
    pub fn finish(
        &mut self,
        batch: &BatchHead,
        layout: &Layout,
        rows: &mut BankLines,
        intake: &mut Intake<'_>,
    ) -> Result<Oddities, ReadError> {
        self.write_composed(batch, &layout.check);
        let record = self.record.as_slice();
        let columns = &layout.check;
        let number = without_zeros(trimmed(columns.check_number, record));
        let number = if number.contains(&b'?') { &[] } else { number };
        let (number, payer) = (decode(number), decode(trimmed(columns.remitter, record)));
        let row = BankLine {
            source_line: self.line,
            account: &batch.lockbox,
            booking_date: batch.deposit_date,
            value_date: batch.deposit_date,
            amount: self.amount,
            check_number: &number,
            counterparty_name: &payer,
            counterparty_account: &self.account_text,
            remittance_text: &decode(self.text.trim_ascii()),
            channel: Channel::Lockbox,
            statement_id: &self.statement_text,
            bytes: self.bytes.clone(),
            ..BankLine::blank(self.identity(layout), layout.currency)
        };
        rows.push(&row, intake)?;
        let payment_date = self.written_on.or(batch.deposit_date);
        self.push_documents(&number, &payer, payment_date, layout.currency, rows);
        Ok(Oddities {
            sum_differs: !self.is_net_missing && self.nets.is_some_and(|nets| nets != self.amount),
            is_out_of_sequence: self.is_out_of_sequence
                || (self.remittance_records > 0 && !self.is_ended),
        })
    }

    fn push_documents(
        &self,
        check_number: &str,
        payer: &str,
        payment_date: Option<Date>,
        currency: Currency,
        rows: &mut BankLines,
    ) {
        for document in &self.documents {
            rows.push_document(&DocumentLine {
                source_line: document.line,
                payment_reference: check_number,
                payer_name: payer,
                payment_date,
                payment_amount: Some(self.amount),
                currency,
                document_number: &decode(&self.words[document.number.clone()]),
                gross: None,
                discount: None,
                // The layout's field says what is taken off.
                adjustment: Some(-document.deduction).filter(|deduction| !deduction.is_zero()),
                adjustment_reason: &decode(&self.words[document.reason.clone()]),
                net: document.net,
            });
        }
    }

    /// Writes the texts that are put together from several fields.
    fn write_composed(&mut self, batch: &BatchHead, columns: &CheckColumns) {
        self.account_text.clear();
        let transit = trimmed(columns.transit, &self.record);
        let account = trimmed(columns.account, &self.record);
        if is_readable(transit) && is_readable(account) {
            let (transit, account) = (decode(transit), decode(account));
            // Writing to a string cannot fail.
            let _ = write!(self.account_text, "{transit}:{account}");
        }
        self.statement_text.clear();
        self.statement_text.push_str(&batch.statement);
        let number = decode(columns.batch.trimmed(&self.record));
        self.statement_text.push_str(&number);
    }

    fn identity(&self, layout: &Layout) -> LineId {
        let columns = &layout.check;
        let record = self.record.as_slice();
        let mut hasher = IdentityHasher::new("lockbox");
        hasher.field(self.statement_text.as_bytes());
        hasher.field(columns.item.trimmed(record));
        hasher.field(&self.amount.units().to_le_bytes());
        hasher.field(layout.currency.as_str().as_bytes());
        hasher.field(trimmed(columns.transit, record));
        hasher.field(trimmed(columns.account, record));
        hasher.field(trimmed(columns.check_number, record));
        hasher.field(trimmed(columns.check_date.map(|d| d.columns), record));
        hasher.field(trimmed(columns.remitter, record));
        hasher.field(self.text.trim_ascii());
        for document in &self.documents {
            hasher.field(&self.words[document.number.clone()]);
            hasher.field(&self.words[document.reason.clone()]);
            let units = document.net.map(Amount::units).unwrap_or_default();
            hasher.field(&units.to_le_bytes());
            hasher.field(&document.deduction.units().to_le_bytes());
        }
        hasher.finish()
    }
}

fn trimmed(columns: Option<Columns>, record: &[u8]) -> &[u8] {
    columns.map_or(&[], |columns| columns.trimmed(record))
}

/// Whether the reader of the MICR line could make out every digit, and there is one.
fn is_readable(micr: &[u8]) -> bool {
    !without_zeros(micr).is_empty() && !micr.contains(&b'?')
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    &digits[zeros..]
}
