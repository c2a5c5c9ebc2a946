//! Remittance advice in the addenda: segments of an X12 820 or one of the short forms that the
//! banking conventions allow (`RMR`, `TXP`, `DED`).
//!
//! An interchange names its separators (`ISA`); without one the element separator is the
//! character behind the first segment's name, and a segment ends with `\` or `~`. Both may be
//! characters of several bytes.

use std::ops::Neg;

use tieout_core::{Amount, AmountError, Date};

/// Names that remittance begins with where no interchange is around it.
const FIRST_SEGMENTS: [&str; 18] = [
    "ISA", "GS", "ST", "BPR", "BPS", "TRN", "CUR", "REF", "DTM", "N1", "ENT", "NM1", "RMR", "RMT",
    "ADX", "TXP", "DED", "NTE",
];
/// Elements of `ISA` before its last, which is the component separator.
const ISA_ELEMENTS: usize = 16;

/// A document that a payment pays, or an adjustment of the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Document<'t> {
    pub number: &'t str,
    pub gross: Option<Amount>,
    pub discount: Option<Amount>,
    /// What is taken off; segments write it with the other sign.
    pub adjustment: Option<Amount>,
    pub adjustment_reason: &'t str,
    pub net: Option<Amount>,
}

/// What the segments say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Advice<'t> {
    /// The payment's amount (`BPR`).
    pub total: Option<Amount>,
    /// The payment's reference (`TRN`).
    pub reference: &'t str,
    pub payer: &'t str,
    pub date: Option<Date>,
    pub documents: Vec<Document<'t>>,
    /// Amounts that do not read.
    pub unread: u64,
    /// The last document may still be adjusted.
    is_inside_document: bool,
}

impl<'t> Advice<'t> {
    /// Reads `text`; none if it does not begin with a segment.
    pub fn of(text: &'t str) -> Option<Self> {
        let text = text.trim_ascii_start();
        let (element, terminator) = separators(text)?;
        let mut advice = Self::default();
        for segment in text.split(terminator) {
            advice.segment(&Segment {
                text: segment.trim_ascii(),
                separator: element,
            });
        }
        Some(advice)
    }

    /// What the documents add up to; none unless each has an amount.
    pub fn sum(&self) -> Option<Amount> {
        if self.documents.is_empty() {
            return None;
        }
        self.documents.iter().map(|document| document.net).sum()
    }

    fn segment(&mut self, segment: &Segment<'t>) {
        match segment.element(0) {
            "BPR" | "BPS" => {
                self.total = self.amount(segment.element(2));
                self.date = date(segment.element(16));
            }
            "TRN" => self.reference = segment.element(2),
            "N1" if segment.element(1) == "PR" => self.payer = segment.element(2),
            "ENT" | "SE" => self.is_inside_document = false,
            "RMR" => self.document(segment, 4),
            // Releases before 4010.
            "RMT" => self.document(segment, 3),
            "ADX" => self.adjustment(segment),
            "TXP" => self.taxes(segment),
            "DED" => self.deduction(segment),
            _ => {}
        }
    }

    fn document(&mut self, segment: &Segment<'t>, net: usize) {
        self.is_inside_document = true;
        let document = Document {
            number: segment.element(2),
            net: self.amount(segment.element(net)),
            gross: self.amount(segment.element(net + 1)),
            discount: self.amount(segment.element(net + 2)),
            adjustment_reason: segment.element(net + 3),
            adjustment: self.amount(segment.element(net + 4)).map(Neg::neg),
        };
        self.documents.push(document);
    }

    /// Behind a document it explains that document's net; before any it stands for itself.
    fn adjustment(&mut self, segment: &Segment<'t>) {
        let amount = self.amount(segment.element(1));
        let reason = segment.element(2);
        let last = self.documents.last_mut();
        if let Some(document) = last.filter(|_| self.is_inside_document) {
            let before = document.adjustment.unwrap_or_default();
            document.adjustment = amount.map(|amount| before - amount).or(document.adjustment);
            if document.adjustment_reason.is_empty() {
                document.adjustment_reason = reason;
            }
            return;
        }
        self.documents.push(Document {
            number: segment.element(4),
            adjustment: amount.map(Neg::neg),
            adjustment_reason: reason,
            net: amount,
            ..Document::default()
        });
    }

    /// Tax payments: taxpayer, tax, period, then up to three kinds with their cents.
    fn taxes(&mut self, segment: &Segment<'t>) {
        for at in [4, 6, 8] {
            if let Some(amount) = self.cents(segment.element(at + 1)) {
                self.documents.push(Document {
                    number: segment.element(1),
                    gross: Some(amount),
                    net: Some(amount),
                    ..Document::default()
                });
            }
        }
    }

    /// What an employer withholds for a court: kind, case, day, cents.
    fn deduction(&mut self, segment: &Segment<'t>) {
        let amount = self.cents(segment.element(4));
        self.documents.push(Document {
            number: segment.element(2),
            gross: amount,
            net: amount,
            ..Document::default()
        });
    }

    fn amount(&mut self, text: &str) -> Option<Amount> {
        self.read(text, Amount::parse(text.as_bytes()))
    }

    fn cents(&mut self, text: &str) -> Option<Amount> {
        let cents = text.parse().ok().filter(|cents: &i128| *cents >= 0);
        let amount = cents.map(|cents| Amount::from_minor(cents, 2));
        self.read(text, amount.unwrap_or(Err(AmountError::NotANumber)))
    }

    fn read(&mut self, text: &str, amount: Result<Amount, AmountError>) -> Option<Amount> {
        let is_unread = amount.is_err() && !text.is_empty();
        self.unread += u64::from(is_unread);
        amount.ok()
    }
}

#[derive(Clone, Copy)]
struct Segment<'t> {
    text: &'t str,
    separator: char,
}

impl<'t> Segment<'t> {
    /// Element `number`; the segment's name is number 0.
    fn element(&self, number: usize) -> &'t str {
        let element = self.text.split(self.separator).nth(number);
        element.unwrap_or_default().trim_ascii()
    }
}

/// The separators of elements and segments.
fn separators(text: &str) -> Option<(char, char)> {
    let name_length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let (name, rest) = text.split_at(name_length);
    let element = rest.chars().next()?;
    if !FIRST_SEGMENTS.contains(&name) || element.is_ascii_whitespace() {
        return None;
    }
    if name == "ISA" {
        let last = text.split(element).nth(ISA_ELEMENTS)?;
        // Where the component separator is missing, its place holds the terminator.
        let mut characters = last.chars();
        let component = characters.next()?;
        let terminator = characters
            .next()
            .filter(|next| !next.is_ascii_alphanumeric());
        return Some((element, terminator.unwrap_or(component)));
    }
    let terminator = rest
        .chars()
        .find(|&next| matches!(next, '\\' | '~') && next != element);
    Some((element, terminator.unwrap_or('\\')))
}

fn date(text: &str) -> Option<Date> {
    let text = text.as_bytes();
    let date = if text.len() == 6 {
        Date::parse_yymmdd(text)
    } else {
        Date::parse_yyyymmdd(text)
    };
    date.ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn money(text: &str) -> Option<Amount> {
        text.parse().ok()
    }

    #[test]
    fn separators_come_from_the_interchange_or_the_first_segment() {
        let isa = "ISA§00§§00§§ZZ§A§ZZ§B§260316§0605§U§00401§1§0§P§^~GS§RA~BPR§C§7.5~";
        let advice = Advice::of(isa).unwrap();
        assert_eq!(advice.total, money("7.50"));
        assert_eq!(separators("BPR*C*1~TRN*1*A\\B~"), Some(('*', '~')));
        assert_eq!(separators("RMR|IV|1"), Some(('|', '\\')));
        assert_eq!(separators("Invoice 4711"), None);
        assert_eq!(separators("REF 4711"), None);
        assert_eq!(separators("RMR"), None);
    }

    #[test]
    fn documents_carry_their_own_adjustments_and_the_payment_the_rest() {
        let text = "ST*820*1\\BPR*C*93*C*ACH*CTX***********20260316\\TRN*1*T9\\N1*PR*ACME\\ENT*1\\\
                    ADX*-5*01*IV*A7\\RMR*IV*4711*PO*98*100*2\\RMR*CM*88**0*1.5x\\ADX*-1.5*CR\\SE*9*1\\";
        let advice = Advice::of(text).unwrap();
        let found: Vec<_> = advice.documents.iter().map(|d| (d.number, d.net)).collect();
        assert_eq!(
            found,
            [
                ("A7", money("-5")),
                ("4711", money("98")),
                ("88", money("0"))
            ]
        );
        assert_eq!(advice.documents[1].discount, money("2"));
        assert_eq!(advice.documents[2].adjustment, money("1.5"));
        assert_eq!((advice.total, advice.sum()), (money("93"), money("93")));
        assert_eq!(
            (advice.reference, advice.payer, advice.unread),
            ("T9", "ACME", 1)
        );
        assert_eq!(advice.date.unwrap().to_string(), "2026-03-16");
    }

    #[test]
    fn tax_amounts_are_cents() {
        let advice = Advice::of("TXP*12*941*260331*1*12345*2*1000\\   ").unwrap();
        assert_eq!(advice.sum(), money("133.45"));
        let advice = Advice::of("DED*CS*CASE 1*260316*5000*123456789*Y\\").unwrap();
        assert_eq!(advice.documents[0].number, "CASE 1");
        assert_eq!(advice.sum(), money("50"));
    }
}
