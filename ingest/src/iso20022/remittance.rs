//! What a payment is for: free text, creditor references and documents.

use std::borrow::Cow;

use tieout_core::{Amount, Currency};

use super::reference::CreditorReference;
use super::value::{Money, code_or_proprietary, money};
use crate::xml::Element;

/// Characters of one full piece of free text; what follows it goes on with the same word.
const PIECE_CHARACTERS: usize = 140;

/// The content of `RmtInf`.
#[derive(Clone, Debug, Default)]
pub(super) struct Remittance<'t> {
    line: u64,
    pub text: Cow<'t, str>,
    /// The last piece of the text is full.
    is_full: bool,
    /// The first creditor reference; others are documents.
    pub reference: CreditorReference,
    pub documents: Vec<Document<'t>>,
    /// References whose check digits are wrong.
    pub wrong_references: u64,
    /// Amounts that do not read.
    pub unread_amounts: u64,
}

/// A document that the payment pays.
#[derive(Clone, Debug, Default)]
pub(super) struct Document<'t> {
    pub line: u64,
    pub number: Cow<'t, str>,
    pub currency: Option<Currency>,
    pub gross: Option<Amount>,
    pub discount: Option<Amount>,
    /// What changes the net beside the discount; below zero if it is taken off.
    pub adjustment: Option<Amount>,
    pub adjustment_reason: &'t str,
    /// Below zero for a credit note.
    pub net: Option<Amount>,
}

impl<'t> Remittance<'t> {
    /// Reads `information`, which has `Ustrd` and `Strd`.
    pub fn of(information: Option<Element<'t>>) -> Self {
        let mut remittance = Self {
            line: information.map_or(0, Element::line),
            ..Self::default()
        };
        for part in information.into_iter().flat_map(Element::children) {
            match part.name() {
                "Ustrd" => remittance.add_piece(part.text()),
                "Strd" => remittance.add_structured(part),
                _ => {}
            }
        }
        remittance
    }

    /// The documents; where there are none, the creditor reference as one.
    pub fn into_documents(self) -> Vec<Document<'t>> {
        if !self.documents.is_empty() || self.reference.text.is_empty() {
            return self.documents;
        }
        vec![Document {
            line: self.line,
            number: Cow::Owned(self.reference.text),
            ..Document::default()
        }]
    }

    fn add_structured(&mut self, part: Element<'t>) {
        let reference = part.at(&["CdtrRefInf"]).and_then(CreditorReference::of);
        let is_wrong = reference.as_ref().is_some_and(|found| found.is_wrong);
        self.wrong_references += u64::from(is_wrong);
        let amounts = part.at(&["RfrdDocAmt"]);
        let named = part.all("RfrdDocInf").count();
        for document in part.all("RfrdDocInf") {
            // Several documents share the amounts, so that none of them has its own.
            let amounts = amounts.filter(|_| named == 1);
            let is_credit = code_is(document, &["CREN"]);
            let number = Cow::Borrowed(document.text_at(&["Nb"]));
            self.add_document(document.line(), number, amounts, is_credit);
        }
        let is_first = self.reference.text.is_empty();
        if named == 0 && (amounts.is_some() || !is_first) {
            let number = reference
                .as_ref()
                .map_or("", |found| &found.text)
                .to_owned();
            self.add_document(part.line(), Cow::Owned(number), amounts, false);
        }
        if let Some(reference) = reference.filter(|_| is_first) {
            self.reference = reference;
        }
        for text in part.all("AddtlRmtInf") {
            self.add_piece(text.text());
        }
    }

    fn add_piece(&mut self, piece: &'t str) {
        if piece.is_empty() {
            return;
        }
        if self.text.is_empty() {
            self.text = Cow::Borrowed(piece);
        } else {
            let text = self.text.to_mut();
            if !self.is_full {
                text.push(' ');
            }
            text.push_str(piece);
        }
        self.is_full = piece.chars().count() >= PIECE_CHARACTERS;
    }

    fn add_document(
        &mut self,
        line: u64,
        number: Cow<'t, str>,
        amounts: Option<Element<'t>>,
        is_credit: bool,
    ) {
        let mut document = Document {
            line,
            number,
            ..Document::default()
        };
        if let Some(amounts) = amounts {
            let mut reader = Amounts::default();
            amounts.children().for_each(|part| reader.add(part));
            self.unread_amounts += reader.unread;
            reader.fill(&mut document, is_credit);
        }
        self.documents.push(document);
    }
}

fn code_is(document: Element<'_>, codes: &[&str]) -> bool {
    let kind = document.at(&["Tp", "CdOrPrtry"]);
    let code = kind
        .or(document.at(&["Tp"]))
        .map_or("", code_or_proprietary);
    codes.contains(&code)
}

/// The amounts of one document.
#[derive(Default)]
struct Amounts<'t> {
    currency: Option<Currency>,
    due: Option<Amount>,
    discount: Option<Amount>,
    credit_note: Option<Amount>,
    /// With the sign that the indicators give.
    adjustment: Option<Amount>,
    reason: &'t str,
    remitted: Option<Amount>,
    unread: u64,
}

impl<'t> Amounts<'t> {
    fn add(&mut self, part: Element<'t>) {
        let element = part.at(&["Amt"]).unwrap_or(part);
        let Ok(Money { amount, currency }) = money(element, self.currency) else {
            self.unread += 1;
            return;
        };
        self.currency.get_or_insert(currency);
        match part.name() {
            "DuePyblAmt" => self.due = Some(amount),
            "DscntApldAmt" => *self.discount.get_or_insert_default() += amount,
            "CdtNoteAmt" => self.credit_note = Some(amount),
            "AdjstmntAmtAndRsn" => {
                let is_debit = part.text_at(&["CdtDbtInd"]) == "DBIT";
                let added = if is_debit { amount } else { -amount };
                *self.adjustment.get_or_insert_default() += added;
                if self.reason.is_empty() {
                    self.reason = part.first_text(&[&["Rsn"], &["AddtlInf"]]);
                }
            }
            "RmtdAmt" => self.remitted = Some(amount),
            _ => {}
        }
    }

    fn fill(self, document: &mut Document<'t>, is_credit: bool) {
        let is_credit = is_credit || (self.remitted.is_none() && self.credit_note.is_some());
        let of_kind = |amount: Amount| if is_credit { -amount.abs() } else { amount };
        document.currency = self.currency;
        document.gross = self.due.map(of_kind);
        document.discount = self.discount.map(of_kind);
        document.net = self.remitted.or(self.credit_note).map(of_kind);
        document.adjustment = self.adjustment.map(|sum| {
            let sum = self.as_added(sum);
            // A credit note written without its sign takes its adjustment with it.
            if is_credit && self.is_written_positive() {
                -sum
            } else {
                sum
            }
        });
        document.adjustment_reason = self.reason;
    }

    fn is_written_positive(&self) -> bool {
        let written = [self.remitted, self.credit_note, self.due];
        let first = written.into_iter().flatten().next();
        first.is_some_and(Amount::is_positive)
    }

    /// Senders disagree on which indicator takes money off; where the other amounts tell, they
    /// decide.
    fn as_added(&self, sum: Amount) -> Amount {
        let (Some(due), Some(remitted)) = (self.due, self.remitted) else {
            return sum;
        };
        let added = remitted - (due - self.discount.unwrap_or_default());
        if added == -sum { -sum } else { sum }
    }
}
