//! remt.001: remittance advice apart from its payment.

use tieout_core::Date;

use super::party::name_of;
use super::reader::{Body, Output, Trouble};
use super::remittance::{Document, Remittance};
use super::value::{Money, date_at, money, reference};
use crate::format::ReadError;
use crate::rows::AdviceLine;
use crate::xml::{Element, Extent};

/// Reads advices.
#[derive(Default)]
pub(super) struct Advices;

/// The payment that an advice is about.
struct Payment<'t> {
    reference: &'t str,
    payer: &'t str,
    date: Option<Date>,
    money: Option<Money>,
}

impl<'t> Payment<'t> {
    fn of(advice: Element<'t>) -> Self {
        let original = advice.at(&["OrgnlPmtInf"]);
        let text = |path: &[&str]| original.map_or("", |payment| payment.text_at(path));
        let references = [
            reference(text(&["Refs", "EndToEndId"])),
            text(&["Refs", "UETR"]),
            text(&["Refs", "TxId"]),
            text(&["Refs", "InstrId"]),
            advice.text_at(&["RmtId"]),
        ];
        let payer = original.and_then(|payment| payment.at(&["Dbtr"]));
        let amount = original.and_then(|payment| {
            let amounts = [&["Amt", "InstdAmt"], &["Amt", "IntrBkSttlmAmt"]];
            amounts.iter().find_map(|path| payment.at(*path))
        });
        let date = |path: &[&str]| date_at(original?, path).ok().flatten();
        Self {
            reference: references
                .into_iter()
                .find(|text| !text.is_empty())
                .unwrap_or(""),
            payer: payer.map_or("", name_of),
            date: date(&["ReqdExctnDt"]).or_else(|| date(&["IntrBkSttlmDt"])),
            money: amount.and_then(|amount| money(amount, None).ok()),
        }
    }

    fn line<'l>(&'l self, document: &'l Document<'_>) -> AdviceLine<'l> {
        let currency = self.money.map(|money| money.currency);
        AdviceLine {
            source_line: document.line,
            payment_reference: self.reference,
            payer_name: self.payer,
            payment_date: self.date,
            payment_amount: self.money.map(|money| money.amount),
            currency: document.currency.or(currency),
            document_number: &document.number,
            gross: document.gross,
            discount: document.discount,
            adjustment: document.adjustment,
            adjustment_reason: document.adjustment_reason,
            net: document.net,
        }
    }
}

fn write(advice: Element<'_>, out: &mut Output<'_>) -> Result<(), ReadError> {
    let payment = Payment::of(advice);
    let remittance = Remittance::of(Some(advice));
    out.oddities.note_remittance(&remittance, advice.line());
    let text = remittance.text.clone();
    let mut documents = remittance.into_documents();
    if documents.is_empty() {
        // Free text is all that the advice has, and may be nothing.
        documents.push(Document {
            line: advice.line(),
            number: text,
            ..Document::default()
        });
    }
    for document in &documents {
        let line = payment.line(document);
        out.advice.push(&line, &mut out.intake)?;
    }
    Ok(())
}

impl Body for Advices {
    fn is_container(&self, _name: &str) -> bool {
        false
    }

    fn enter(&mut self, _name: &str, _line: u64) {}

    fn unit(
        &mut self,
        element: Element<'_>,
        parent: &str,
        extent: Extent,
        out: &mut Output<'_>,
    ) -> Result<(), Trouble> {
        match element.name() {
            "RmtInf" if extent == Extent::Whole => Ok(write(element, out)?),
            "RmtInf" => Err(super::value::too_large(element).into()),
            "GrpHdr" | "SplmtryData" => Ok(()),
            name => {
                out.oddities.unknown_element(name, parent, element.line());
                Ok(())
            }
        }
    }

    fn leave(&mut self, _name: &str, _out: &mut Output<'_>) -> Result<(), ReadError> {
        Ok(())
    }

    fn finish(&mut self, _out: &mut Output<'_>) -> Result<(), ReadError> {
        Ok(())
    }
}
