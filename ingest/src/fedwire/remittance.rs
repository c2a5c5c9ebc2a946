//! Structured remittance: the documents that a customer transfer plus (CTP) pays, {8400} to
//! {8750}.

use tieout_core::{Amount, Currency, Date};

use super::message::{Message, money};
use super::tags::{Tag, elements};
use crate::rows::{BankLines, DocumentLine, decode};

/// A document as its tags say.
#[derive(Default)]
struct Document<'a> {
    line: u64,
    number: &'a [u8],
    currency: Option<Currency>,
    paid: Option<Amount>,
    gross: Option<Amount>,
    discount: Option<Amount>,
    adjustment: Option<Amount>,
    reason: &'a [u8],
}

/// The documents of one message.
#[derive(Default)]
pub(super) struct Documents<'a> {
    found: Vec<Document<'a>>,
    /// The line of the first amount that does not read.
    pub unreadable: Option<u64>,
}

impl<'a> Documents<'a> {
    /// Collects the documents of `message`; each begins with {8400}.
    pub fn of(message: &'a Message) -> Self {
        let mut documents = Self::default();
        for (tag, value, line) in message.tags() {
            documents.take(tag, value, line);
        }
        documents
    }

    fn take(&mut self, tag: Tag, value: &'a [u8], line: u64) {
        let elements = elements(tag, value);
        let element = |place: usize| elements.get(place).copied().unwrap_or_default();
        match tag {
            8400 => self.found.push(Document {
                line,
                number: element(2),
                ..Document::default()
            }),
            8450 | 8500 | 8550 => {
                let amount = self.amount(element(0), element(1), line);
                let Some(document) = self.found.last_mut() else {
                    return;
                };
                match tag {
                    8450 => document.paid = amount,
                    8500 => document.gross = amount,
                    _ => document.discount = amount,
                }
            }
            8600 => {
                let amount = self.amount(element(2), element(3), line);
                let Some(document) = self.found.last_mut() else {
                    return;
                };
                // A credit to the payer takes off what is paid; a debit adds to it.
                let is_debit = element(1) == b"DBIT";
                document.adjustment = amount.map(|amount| if is_debit { amount } else { -amount });
                document.reason = element(0);
            }
            _ => {}
        }
    }

    fn amount(&mut self, currency: &[u8], number: &[u8], line: u64) -> Option<Amount> {
        let Some((currency, amount)) = money(currency, number) else {
            self.unreadable.get_or_insert(line);
            return None;
        };
        if let Some(document) = self.found.last_mut() {
            document.currency = Some(currency);
        }
        Some(amount)
    }

    /// Whether gross less discount plus adjustment is what was paid, for every document that has
    /// both.
    pub fn tie(&self) -> bool {
        self.found.iter().all(|document| {
            let (Some(gross), Some(paid)) = (document.gross, document.paid) else {
                return true;
            };
            let discount = document.discount.unwrap_or_default();
            gross - discount + document.adjustment.unwrap_or_default() == paid
        })
    }

    /// Adds the documents to the line pushed last.
    pub fn push(
        &self,
        reference: &str,
        payer: &[u8],
        date: Option<Date>,
        amount: Amount,
        rows: &mut BankLines,
    ) {
        for document in &self.found {
            rows.push_document(&DocumentLine {
                source_line: document.line,
                payment_reference: reference,
                payer_name: &decode(payer),
                payment_date: date,
                payment_amount: Some(amount),
                currency: document.currency.unwrap_or(Currency::USD),
                document_number: &decode(document.number),
                gross: document.gross,
                discount: document.discount,
                adjustment: document.adjustment,
                adjustment_reason: &decode(document.reason),
                net: document.paid,
            });
        }
    }
}
