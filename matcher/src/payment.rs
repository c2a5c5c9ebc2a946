//! One payment as the matcher sees it, borrowed from the canonical batches.

use arrow::array::{Array, RecordBatch, UInt32Array};
use smallvec::SmallVec;
use tieout_core::{Amount, Channel, Currency, Date, Direction};

use crate::columns::{BadBatch, Days, Flags, Money, Text};

/// The status of a line that is not booked (ISO 20022).
const PENDING: &str = "PDNG";

/// One document line of remittance advice.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The document's number as written.
    pub document: &'a str,
    /// What is paid for it; negative or of a credit's number where a credit is taken.
    pub net: Option<Amount>,
    /// The discount that the payer says to have taken.
    pub discount: Amount,
    /// The deduction that the payer says to have taken.
    pub adjustment: Amount,
    /// The payer's reason for the deduction.
    pub reason: &'a str,
}

/// A payment with its own remittance lines.
#[derive(Clone, Debug)]
pub struct Payment<'a> {
    pub amount: Amount,
    pub currency: Currency,
    /// The booking date, or the value date, or 1970-01-01 when the file gives neither.
    pub date: Date,
    pub is_credit: bool,
    pub is_lockbox: bool,
    /// A total whose payments are read one by one.
    pub is_summary: bool,
    /// Announced, and not on the account yet.
    pub is_pending: bool,
    /// It undoes an earlier line.
    pub is_reversal: bool,
    /// The bank says why its money comes back.
    pub is_return: bool,
    pub type_code: &'a str,
    pub payer_account: Option<&'a str>,
    pub payer_name: Option<&'a str>,
    pub check_number: Option<&'a str>,
    pub bank_reference: Option<&'a str>,
    pub end_to_end_id: Option<&'a str>,
    pub customer_number: Option<&'a str>,
    pub text: &'a str,
    /// The creditor's own reference, with check digits.
    pub creditor_reference: Option<&'a str>,
    pub lines: SmallVec<[Line<'a>; 1]>,
}

/// The columns of a batch of `transactions`.
pub struct PaymentColumns<'a> {
    account: Text<'a>,
    amount: Money<'a>,
    currency: Text<'a>,
    booking_date: Days<'a>,
    value_date: Days<'a>,
    direction: Text<'a>,
    channel: Text<'a>,
    type_code: Text<'a>,
    payer_account: Text<'a>,
    payer_name: Text<'a>,
    check_number: Text<'a>,
    bank_reference: Text<'a>,
    end_to_end_id: Text<'a>,
    customer_number: Text<'a>,
    text: Text<'a>,
    creditor_reference: Text<'a>,
    return_reason: Text<'a>,
    status: Text<'a>,
    reversal: Flags<'a>,
    lines: LineColumns<'a>,
    /// Where the lines of each row begin; one more entry than rows.
    first_line: Vec<u32>,
}

/// The columns of a batch of `remittance_lines`.
pub struct LineColumns<'a> {
    document: Text<'a>,
    net: Money<'a>,
    gross: Money<'a>,
    discount: Money<'a>,
    adjustment: Money<'a>,
    reason: Text<'a>,
}

impl<'a> LineColumns<'a> {
    pub fn of(batch: &'a RecordBatch) -> Result<Self, BadBatch> {
        Ok(Self {
            document: Text::of(batch, "document_number")?,
            net: Money::of(batch, "net")?,
            gross: Money::of(batch, "gross")?,
            discount: Money::of(batch, "discount")?,
            adjustment: Money::of(batch, "adjustment")?,
            reason: Text::of(batch, "adjustment_reason")?,
        })
    }

    pub fn get(&self, row: usize) -> Line<'a> {
        let discount = self.discount.or_zero(row).abs();
        let stated = self.adjustment.or_zero(row);
        let (gross, net) = (self.gross.get(row), self.net.get(row));
        let is_added = stated.is_positive()
            && gross.is_some_and(|gross| net == Some(gross - discount + stated));
        // Advices write a deduction with either sign; what counts is that it is kept back. What
        // gross and net show to be added keeps nothing back.
        let adjustment = if is_added { Amount::ZERO } else { stated.abs() };
        let net = net.or_else(|| Some(gross? - discount - adjustment));
        Line {
            document: self.document.text(row),
            net,
            discount,
            adjustment,
            reason: self.reason.text(row),
        }
    }
}

/// The day of each row of a batch of `transactions`: its booking date, or its value date, or
/// 1970-01-01 where it has neither.
pub fn days(transactions: &RecordBatch) -> Result<impl Iterator<Item = Date>, BadBatch> {
    let booking = Days::of(transactions, "booking_date")?;
    let value = Days::of(transactions, "value_date")?;
    let rows = 0..transactions.num_rows();
    Ok(rows.map(move |row| {
        let day = booking.get(row).or_else(|| value.get(row));
        day.unwrap_or(Date::from_days(0))
    }))
}

impl Payment<'_> {
    /// Which way the money moves.
    pub fn direction(&self) -> Direction {
        if self.is_credit {
            Direction::Credit
        } else {
            Direction::Debit
        }
    }
}

/// Where a payment says what it pays.
pub enum Named<'a, Documents> {
    /// The numbers of its lines.
    Documents(Documents),
    /// Its text.
    Text(&'a str),
}

impl<'a> PaymentColumns<'a> {
    /// The columns of `transactions`, with the `remittance_lines` whose `transaction_row`
    /// (ascending) names the row that they belong to.
    pub fn of(
        transactions: &'a RecordBatch,
        remittance_lines: &'a RecordBatch,
    ) -> Result<Self, BadBatch> {
        Ok(Self {
            account: Text::of(transactions, "account")?,
            amount: Money::of(transactions, "amount")?,
            currency: Text::of(transactions, "currency")?,
            booking_date: Days::of(transactions, "booking_date")?,
            value_date: Days::of(transactions, "value_date")?,
            direction: Text::of(transactions, "direction")?,
            channel: Text::of(transactions, "channel")?,
            type_code: Text::of(transactions, "type_code")?,
            payer_account: Text::of(transactions, "counterparty_account")?,
            payer_name: Text::of(transactions, "counterparty_name")?,
            check_number: Text::of(transactions, "check_number")?,
            bank_reference: Text::of(transactions, "bank_reference")?,
            end_to_end_id: Text::of(transactions, "end_to_end_id")?,
            customer_number: Text::of(transactions, "customer_number")?,
            text: Text::of(transactions, "remittance_text")?,
            creditor_reference: Text::of(transactions, "creditor_reference")?,
            return_reason: Text::of(transactions, "return_reason")?,
            status: Text::of(transactions, "status")?,
            reversal: Flags::of(transactions, "reversal")?,
            lines: LineColumns::of(remittance_lines)?,
            first_line: first_lines(transactions.num_rows(), remittance_lines),
        })
    }

    /// The account that the line in `row` belongs to; for a cheque its lockbox.
    pub fn account(&self, row: usize) -> &'a str {
        self.account.text(row)
    }

    /// Whether the payment in `row` came with lines of its own.
    pub fn has_lines(&self, row: usize) -> bool {
        self.first_line[row] < self.first_line[row + 1]
    }

    /// The documents that the lines of the payment in `row` name, or, without lines, its text.
    pub fn named(&self, row: usize) -> Named<'a, impl Iterator<Item = &'a str> + '_> {
        if self.has_lines(row) {
            let lines = self.first_line[row] as usize..self.first_line[row + 1] as usize;
            Named::Documents(lines.map(|line| self.lines.document.text(line)))
        } else {
            Named::Text(self.text.text(row))
        }
    }

    /// The payment in `row`.
    pub fn get(&self, row: usize) -> Payment<'a> {
        let lines = self.first_line[row] as usize..self.first_line[row + 1] as usize;
        Payment {
            lines: lines.map(|line| self.lines.get(line)).collect(),
            ..self.head(row)
        }
    }

    /// The payment in `row` without its lines.
    pub fn head(&self, row: usize) -> Payment<'a> {
        Payment {
            amount: self.amount.or_zero(row),
            currency: self.currency.text(row).parse().unwrap_or(Currency::USD),
            date: self
                .booking_date
                .get(row)
                .or_else(|| self.value_date.get(row))
                .unwrap_or(Date::from_days(0)),
            is_credit: self.direction.text(row) == Direction::Credit.code(),
            is_lockbox: self.channel.text(row) == Channel::Lockbox.code(),
            is_summary: self.channel.text(row) == Channel::Summary.code(),
            is_pending: self.status.text(row) == PENDING,
            is_reversal: self.reversal.get(row),
            is_return: self.return_reason.get(row).is_some(),
            type_code: self.type_code.text(row),
            payer_account: self.payer_account.get(row),
            payer_name: self.payer_name.get(row),
            check_number: self.check_number.get(row),
            bank_reference: self.bank_reference.get(row),
            end_to_end_id: self.end_to_end_id.get(row),
            customer_number: self.customer_number.get(row),
            text: self.text.text(row),
            creditor_reference: self.creditor_reference.get(row),
            lines: SmallVec::new(),
        }
    }
}

fn first_lines(rows: usize, remittance_lines: &RecordBatch) -> Vec<u32> {
    let owners = remittance_lines
        .column(0)
        .as_any()
        .downcast_ref::<UInt32Array>();
    let mut first = Vec::with_capacity(rows + 1);
    let mut line = 0;
    let count = owners.map_or(0, Array::len);
    for row in 0..=rows {
        if let Some(owners) = owners {
            while line < count && (owners.value(line) as usize) < row {
                line += 1;
            }
        }
        first.push(line as u32);
    }
    first
}
