//! One document that a payment names: `RMR` with its `ADX`, `RMT` before release 3030.

use tieout_core::Amount;

use super::fields::Fields;
use super::payment::Payment;
use super::segment::Segment;
use super::tables::Tables;
use crate::format::ReadError;
use crate::rows::{AdviceLine, DocumentLine, decode};

/// Bytes of reason codes after which no more are added.
const REASONS_BYTES_MAX: usize = 200;

/// A document line, as far as its segments were read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    pub line: u64,
    pub number: String,
    pub gross: Option<Amount>,
    pub discount: Option<Amount>,
    /// As segments write it: what is taken off is below zero.
    pub adjustment: Option<Amount>,
    pub reason: String,
    pub net: Option<Amount>,
}

impl Document {
    /// Reads an `RMR`; none if an amount does not read. A credit memo reduces the payment,
    /// whichever sign the sender writes.
    pub(super) fn from_rmr(
        rmr: &Segment<'_>,
        fields: &mut dyn Fields,
    ) -> Result<Option<Self>, ReadError> {
        let document = Self::read(rmr, [4, 5, 6, 8], 7, fields)?;
        let is_credit = rmr.element(1) == b"CM";
        Ok(document.map(|document| {
            if is_credit {
                document.reducing()
            } else {
                document
            }
        }))
    }

    /// Reads an `RMT` likewise: RMT03 is what is paid, RMT04 the document's amount.
    pub(super) fn from_rmt(
        rmt: &Segment<'_>,
        fields: &mut dyn Fields,
    ) -> Result<Option<Self>, ReadError> {
        Self::read(rmt, [3, 4, 7, 8], 9, fields)
    }

    /// Reads net, gross, discount and adjustment from these elements, in this order.
    fn read(
        segment: &Segment<'_>,
        elements: [usize; 4],
        reason: usize,
        fields: &mut dyn Fields,
    ) -> Result<Option<Self>, ReadError> {
        let texts: [&[u8]; 9] = segment.first();
        let mut amounts = [None; 4];
        for (amount, element) in amounts.iter_mut().zip(elements) {
            let text = texts[element - 1];
            *amount = fields.amount_in(segment, element, text)?;
            if amount.is_none() && !text.is_empty() {
                return Ok(None);
            }
        }
        let [net, gross, discount, adjustment] = amounts;
        Ok(Some(Self {
            line: segment.line,
            number: decode(texts[1]).into_owned(),
            gross,
            discount,
            adjustment,
            reason: decode(texts[reason - 1]).into_owned(),
            net,
        }))
    }

    fn reducing(self) -> Self {
        let below_zero = |amount: Option<Amount>| amount.map(|amount| -amount.abs());
        let is_positive = self.net.or(self.gross).is_some_and(Amount::is_positive);
        Self {
            net: below_zero(self.net),
            gross: below_zero(self.gross),
            discount: below_zero(self.discount),
            adjustment: self.adjustment.map(|a| if is_positive { -a } else { a }),
            ..self
        }
    }

    /// Reads an `ADX` that belongs to no document: a line of its own.
    pub(super) fn from_adx(
        adx: &Segment<'_>,
        fields: &mut dyn Fields,
    ) -> Result<Option<Self>, ReadError> {
        let Some(adjustment) = fields.amount(adx, 1)? else {
            return Ok(None);
        };
        Ok(Some(Self {
            line: adx.line,
            number: adx.text(4).into_owned(),
            adjustment: Some(adjustment),
            reason: adx.text(2).into_owned(),
            net: Some(adjustment),
            ..Self::default()
        }))
    }

    /// Reads what is withheld for a tax or a court: its number, and an amount in cents.
    pub(super) fn withheld(
        segment: &Segment<'_>,
        number: usize,
        amount: usize,
        fields: &mut dyn Fields,
    ) -> Result<Option<Self>, ReadError> {
        let amount = fields.implied_amount(segment, amount)?;
        Ok(amount.map(|amount| Self {
            line: segment.line,
            number: segment.text(number).into_owned(),
            gross: Some(amount),
            net: Some(amount),
            ..Self::default()
        }))
    }

    /// Adds the `ADX` below the document. Its amount is in the net already.
    pub(super) fn adjust(
        &mut self,
        adx: &Segment<'_>,
        fields: &mut dyn Fields,
    ) -> Result<(), ReadError> {
        if let Some(amount) = fields.amount(adx, 1)? {
            self.adjustment = Some(self.adjustment.unwrap_or_default() + amount);
        }
        self.add_reason(&adx.text(2));
        Ok(())
    }

    /// Adds a reason code that is not there yet.
    pub(super) fn add_reason(&mut self, reason: &str) {
        let is_known = self.reason.split(' ').any(|known| known == reason);
        if is_known || self.reason.len() > REASONS_BYTES_MAX {
            return;
        }
        if !self.reason.is_empty() {
            self.reason.push(' ');
        }
        self.reason.push_str(reason);
    }

    /// Nothing more belongs to the document: its net is what the other amounts give if it is not
    /// written, and has to be what they give if it is; false if it is not.
    pub(super) fn close(&mut self) -> bool {
        let Some(gross) = self.gross else { return true };
        let given = gross - self.discount.unwrap_or_default() + self.adjustment.unwrap_or_default();
        *self.net.get_or_insert(given) == given
    }

    /// Writes the line as advice of a payment that comes apart.
    pub(super) fn write(
        &self,
        payment: &Payment,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        let row = AdviceLine {
            source_line: self.line,
            payment_reference: &payment.reference,
            payer_name: &payment.payer.text,
            payment_date: payment.date,
            payment_amount: payment.amount,
            currency: Some(payment.currency),
            document_number: &self.number,
            gross: self.gross,
            discount: self.discount,
            adjustment: self.adjustment,
            adjustment_reason: &self.reason,
            net: self.net,
        };
        tables.push_advice(&row)
    }

    /// The line as a document of the cheque `payment`.
    pub(super) fn of_check<'a>(&'a self, payment: &'a Payment, check: &'a str) -> DocumentLine<'a> {
        DocumentLine {
            source_line: self.line,
            payment_reference: check,
            payer_name: &payment.payer.text,
            payment_date: payment.date,
            payment_amount: payment.amount,
            currency: payment.currency,
            document_number: &self.number,
            gross: self.gross,
            discount: self.discount,
            adjustment: self.adjustment,
            adjustment_reason: &self.reason,
            net: self.net,
        }
    }
}
