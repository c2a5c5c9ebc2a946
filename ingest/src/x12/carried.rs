//! An 820 that another message carries: the addenda of an ACH entry (CTX, CCD), put together.
//!
//! It may be a whole interchange, a transaction set, or a single `RMR`; its separators are told
//! from what stands there, and may be characters of several bytes.
#![allow(
    dead_code,
    reason = "for the formats that carry an 820 within their entries"
)]

use std::borrow::Cow;

use tieout_core::{Amount, Currency, Date, QuarantineReason};

use super::advice::Document;
use super::fields::Fields;
use super::payment::Payment;
use super::segment::Segment;
use super::stream::Segments;
use crate::format::ReadError;

/// What was carried.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CarriedAdvice {
    /// TRN02.
    pub reference: String,
    pub payer_name: String,
    pub payment_date: Option<Date>,
    /// BPR02.
    pub amount: Option<Amount>,
    pub currency: Option<Currency>,
    pub documents: Vec<CarriedDocument>,
    /// What did not read, and why.
    pub unread: Vec<String>,
}

/// One document that it names. `gross - discount + adjustment` is the net.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CarriedDocument {
    pub number: String,
    pub gross: Option<Amount>,
    pub discount: Option<Amount>,
    pub adjustment: Option<Amount>,
    pub adjustment_reason: String,
    pub net: Option<Amount>,
}

/// Reads the segments of an 820 in `payload`; none if there is neither a payment nor a document
/// in it.
pub(crate) fn read_carried(payload: &[u8]) -> Option<CarriedAdvice> {
    let payload = with_plain_separators(payload);
    let mut segments = Segments::new(&payload[..], payload.len().max(1));
    let mut reading = Reading::default();
    // Reading from memory does not fail, and nothing is handed over that could be stopped.
    while let Ok(Some(segment)) = segments.next_segment() {
        if reading.segment(&segment).is_err() {
            break;
        }
    }
    reading.finish()
}

#[derive(Default)]
struct Reading {
    payment: Option<Payment>,
    documents: Vec<Document>,
    is_in_detail: bool,
    /// The document before did not read.
    is_unread: bool,
    unread: Unread,
}

/// Keeps why segments were not read.
#[derive(Default)]
struct Unread(Vec<String>);

impl Fields for Unread {
    fn refuse(
        &mut self,
        segment: &Segment<'_>,
        _reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        let text = String::from_utf8_lossy(segment.text);
        self.0.push(format!("`{text}`: {message}"));
        Ok(())
    }
}

impl Reading {
    fn segment(&mut self, segment: &Segment<'_>) -> Result<(), ReadError> {
        let fields = &mut self.unread;
        match &segment.tag {
            b"BPR" | b"BPS" => self.payment = Some(Payment::read(segment, fields)?),
            b"RMR" => {
                let document = Document::from_rmr(segment, fields)?;
                self.add(document);
            }
            b"RMT" if segment.element(1) != b"IX" => {
                let document = Document::from_rmt(segment, fields)?;
                self.add(document);
            }
            b"ADX" if self.is_unread => {
                let message = "the document that it adjusts did not read";
                fields.refuse(segment, QuarantineReason::MisplacedRecord, message)?;
            }
            b"ADX" => match self.documents.last_mut() {
                Some(document) => document.adjust(segment, fields)?,
                None => self.documents.extend(Document::from_adx(segment, fields)?),
            },
            b"TRN" | b"CUR" | b"N1 " if !self.is_in_detail => {
                let unknown = || Payment::unknown(segment.line, segment.start);
                let payment = self.payment.get_or_insert_with(unknown);
                payment.read_beside(segment, fields)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, document: Option<Document>) {
        self.is_in_detail = true;
        self.is_unread = document.is_none();
        self.documents.extend(document);
    }

    fn finish(self) -> Option<CarriedAdvice> {
        if self.payment.is_none() && self.documents.is_empty() {
            return None;
        }
        let payment = self.payment.as_ref();
        let documents = self.documents.into_iter().map(CarriedDocument::of);
        Some(CarriedAdvice {
            reference: payment.map_or_else(String::new, |p| p.reference.clone()),
            payer_name: payment.map_or_else(String::new, |p| p.payer.text.clone()),
            payment_date: payment.and_then(|p| p.date),
            amount: payment.and_then(|p| p.amount),
            currency: payment.map(|p| p.currency),
            documents: documents.collect(),
            unread: self.unread.0,
        })
    }
}

impl CarriedDocument {
    fn of(mut document: Document) -> Self {
        document.close();
        Self {
            number: document.number,
            gross: document.gross,
            discount: document.discount,
            adjustment: document.adjustment,
            adjustment_reason: document.reason,
            net: document.net,
        }
    }
}

/// The payload with the unit separator for an element separator of several bytes.
fn with_plain_separators(payload: &[u8]) -> Cow<'_, [u8]> {
    let separator = std::str::from_utf8(payload).ok().and_then(|text| {
        let text = text.trim_start();
        let place = text.find(|c: char| !c.is_ascii_alphanumeric())?;
        text[place..].chars().next().filter(|c| !c.is_ascii())
    });
    match (separator, std::str::from_utf8(payload)) {
        (Some(separator), Ok(text)) => Cow::Owned(text.replace(separator, "\u{1f}").into_bytes()),
        _ => Cow::Borrowed(payload),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn a_set_without_its_interchange_is_read() {
        let text = "ST*820*0001\\BPR*C*90.5*C*ACH*CTX*********20260302\\TRN*1*T-77\\\
                    N1*PR*NORTHWIND MILLS\\ENT*1\\RMR*IV*A 1**100*110*10\\\
                    RMR*CM*C 1**9.5\\SE*8*0001\\";
        let advice = read_carried(text.as_bytes()).unwrap();
        assert_eq!(advice.reference, "T-77");
        assert_eq!(advice.payer_name, "NORTHWIND MILLS");
        assert_eq!(advice.amount, Some(amount("90.5")));
        let documents = advice.documents.iter();
        let nets: Vec<_> = documents.filter_map(|document| document.net).collect();
        assert_eq!(nets, [amount("100"), amount("-9.5")]);
        assert_eq!(advice.unread, [""; 0]);
    }

    #[test]
    fn a_single_segment_and_odd_separators_are_read() {
        let advice = read_carried(b"RMR*IV*INV-5512**42.10\\  ").unwrap();
        assert_eq!(advice.documents[0].number, "INV-5512");
        assert_eq!(advice.documents[0].net, Some(amount("42.10")));
        let advice =
            read_carried("RMR\u{a4}IV\u{a4}A\u{a4}\u{a4}x~RMR\u{a4}IV\u{a4}B~".as_bytes()).unwrap();
        assert_eq!((advice.documents.len(), advice.unread.len()), (1, 1));
        assert_eq!(read_carried(b"thank you for your payment"), None);
        assert_eq!(read_carried(b""), None);
    }
}
