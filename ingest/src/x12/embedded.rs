//! An 820 that another file carries in its text, whole or in part: the addenda of an ACH entry have
//! interchanges, single sets, and segments that the banking conventions allow alone (`RMR`, `TXP`,
//! `DED`).

use std::borrow::Cow;

use tieout_core::{Amount, Currency, Date, QuarantineReason};

use super::advice::Document;
use super::fields::Fields;
use super::payment::Payment;
use super::remittance::{MISFIT, OTHER_CURRENCY, Orders, Remittance, Sums};
use super::segment::Segment;
use super::stream::Segments;
use super::tables::Oddity;
use crate::format::ReadError;

/// Names that remittance begins with where no interchange is around it.
const FIRST_SEGMENTS: [&str; 18] = [
    "ISA", "GS", "ST", "BPR", "BPS", "TRN", "CUR", "REF", "DTM", "N1", "ENT", "NM1", "RMR", "RMT",
    "ADX", "TXP", "DED", "NTE",
];
/// Characters of one byte that no text has, in place of separators that have several.
const SEPARATORS: [char; 2] = ['\u{1d}', '\u{1c}'];
/// Elements of `ISA` before its last, which is the component separator.
const ISA_ELEMENTS: usize = 16;

/// What such a text says.
#[derive(Clone, Debug, Default)]
pub(crate) struct EmbeddedAdvice {
    /// The payment's amount (`BPR`).
    pub total: Option<Amount>,
    /// The payment's reference (`TRN`).
    pub reference: String,
    pub payer: String,
    pub date: Option<Date>,
    /// The currency of all amounts; USD unless the text says another.
    pub currency: Option<Currency>,
    pub documents: Vec<Document>,
    /// What the documents add up to; none unless each has an amount.
    pub sum: Option<Amount>,
    /// Amounts, dates and currencies that do not read.
    pub unread: u64,
    /// Documents whose net is not gross less discount plus adjustments.
    pub misfits: u64,
    /// Documents in another currency than the payment.
    pub other_currencies: u64,
}

impl EmbeddedAdvice {
    /// Reads `text`; none if it does not begin with a segment.
    ///
    /// # Errors
    /// None that the text could cause: it is in memory.
    pub fn of(text: &str) -> Result<Option<Self>, ReadError> {
        let text = text.trim_ascii();
        if !begins_with_segment(text) {
            return Ok(None);
        }
        let text = with_short_separators(text);
        let mut advice = Self::default();
        let mut remittance = Remittance::new(1, 0);
        let mut segments = Segments::new(text.as_bytes(), text.len());
        while let Ok(Some(segment)) = segments.next_segment() {
            remittance.segment(&segment, &mut advice)?;
        }
        remittance.finish(text.len() as u64, &mut advice)?;
        Ok(Some(advice))
    }
}

impl Fields for EmbeddedAdvice {
    fn refuse(
        &mut self,
        _segment: &Segment<'_>,
        reason: QuarantineReason,
        _message: &str,
    ) -> Result<(), ReadError> {
        use QuarantineReason::{BadAmount, BadCurrency, BadDate};
        self.unread += u64::from(matches!(reason, BadAmount | BadCurrency | BadDate));
        Ok(())
    }
}

impl Orders for EmbeddedAdvice {
    fn document(&mut self, document: &Document, _payment: &Payment) -> Result<(), ReadError> {
        self.documents.push(document.clone());
        Ok(())
    }

    /// The text around it is kept whole, and its number may still name an item.
    fn unread_document(
        &mut self,
        segment: &Segment<'_>,
        _payment: &Payment,
    ) -> Result<(), ReadError> {
        let number = if segment.tag == *b"ADX" { 4 } else { 2 };
        self.documents.push(Document {
            line: segment.line,
            number: segment.text(number).into_owned(),
            ..Document::default()
        });
        Ok(())
    }

    fn payment(&mut self, payment: &Payment, sums: &Sums, _end: u64) -> Result<(), ReadError> {
        self.total = payment.amount;
        self.reference.clone_from(&payment.reference);
        self.payer.clone_from(&payment.payer.text);
        self.date = payment.date;
        self.currency = Some(payment.currency);
        self.sum = Some(sums.net).filter(|_| sums.lines > 0 && !sums.is_open);
        Ok(())
    }

    fn count(&mut self, oddity: &'static Oddity, _line: u64) {
        self.misfits += u64::from(std::ptr::eq(oddity, &raw const MISFIT));
        self.other_currencies += u64::from(std::ptr::eq(oddity, &raw const OTHER_CURRENCY));
    }
}

fn begins_with_segment(text: &str) -> bool {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, rest) = text.split_at(length);
    let element = rest.chars().next();
    FIRST_SEGMENTS.contains(&name) && element.is_some_and(|mark| !mark.is_ascii_whitespace())
}

/// The text with separators of one byte each, whatever the interchange names.
fn with_short_separators(text: &str) -> Cow<'_, str> {
    let marks = text.chars().find(|mark| !mark.is_ascii_alphanumeric());
    let Some(element) = marks else {
        return Cow::Borrowed(text);
    };
    // Behind the component separator stands the terminator.
    let last = text.split(element).nth(ISA_ELEMENTS);
    let terminator = last
        .filter(|_| text.starts_with("ISA"))
        .and_then(|last| last.chars().nth(1));
    let mut short = Cow::Borrowed(text);
    for (mark, by) in [Some(element), terminator].into_iter().zip(SEPARATORS) {
        if let Some(mark) = mark.filter(|mark| !mark.is_ascii() && !text.contains(by)) {
            let mut buffer = [0; 4];
            short = Cow::Owned(short.replace(mark, by.encode_utf8(&mut buffer)));
        }
    }
    short
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn money(text: &str) -> Option<Amount> {
        text.parse().ok()
    }

    fn read(text: &str) -> EmbeddedAdvice {
        EmbeddedAdvice::of(text).unwrap().unwrap()
    }

    #[test]
    fn separators_may_have_several_bytes() {
        let isa = "ISA§00§§00§§ZZ§A§ZZ§B§260316§0605§U§00401§1§0§P§^~GS§RA~BPR§C§7.5~";
        assert_eq!(read(isa).total, money("7.50"));
        let isa = isa.replace('~', "¶");
        assert_eq!(read(&isa).total, money("7.50"));
        assert_eq!(read("RMR|IV|1||5").sum, money("5"));
        for text in ["Invoice 4711", "REF 4711", "RMR"] {
            assert!(EmbeddedAdvice::of(text).unwrap().is_none(), "{text}");
        }
    }

    #[test]
    fn documents_carry_their_own_adjustments_and_the_payment_the_rest() {
        let advice = read(
            "ST*820*1\\BPR*C*93*C*ACH*CTX***********20260316\\TRN*1*T9\\N1*PR*ACME\\ENT*1\\\
             ADX*-5*01*IV*A7\\RMR*IV*4711*PO*98*100*2\\RMR*CM*88**0*1.5\\ADX*1.5*CR\\SE*9*1\\",
        );
        let found: Vec<_> = advice
            .documents
            .iter()
            .map(|d| (d.number.as_str(), d.net, d.adjustment))
            .collect();
        assert_eq!(
            found,
            [
                ("A7", money("-5"), money("-5")),
                ("4711", money("98"), None),
                ("88", money("0"), money("1.5")),
            ]
        );
        assert_eq!((advice.total, advice.sum), (money("93"), money("93")));
        assert_eq!((&*advice.reference, &*advice.payer), ("T9", "ACME"));
        assert_eq!((advice.unread, advice.misfits), (0, 0));
        assert_eq!(advice.date.unwrap().to_string(), "2026-03-16");
    }

    #[test]
    fn a_document_whose_amount_does_not_read_keeps_its_number() {
        let advice = read("RMR*IV*A-1**5\\RMR*IV*A-2**1O0\\ADX*-1*01\\");
        assert_eq!(advice.documents[1].number, "A-2");
        assert_eq!((advice.documents.len(), advice.unread), (2, 1));
        assert_eq!(advice.sum, None);
    }

    #[test]
    fn tax_amounts_are_cents() {
        let advice = read("TXP*12*941*260331*1*12345*2*1000\\   ");
        assert_eq!(advice.sum, money("133.45"));
        let advice = read("DED*CS*CASE 1*260316*5000*123456789*Y\\");
        assert_eq!(advice.documents[0].number, "CASE 1");
        assert_eq!(advice.sum, money("50"));
    }
}
