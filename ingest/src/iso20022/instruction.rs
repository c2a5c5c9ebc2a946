//! pain.001, pain.008, pacs.003, pacs.008 and pacs.009: payments that somebody is told to make.

use tieout_core::{Amount, Date, Direction, FindingCode, QuarantineReason, Severity};

use super::message::Message;
use super::party::{CREDITOR, DEBTOR, OwnedParty, Party};
use super::reader::{Body, Output, Trouble};
use super::remittance::{Document, Remittance};
use super::value::{Money, Refusal, code_at, date_at, day, money, reference, too_large};
use crate::format::ReadError;
use crate::intake::Notice;
use crate::rows::{AdviceLine, PaymentInstruction};
use crate::xml::{Element, Extent};

/// Elements of a batch that say nothing about money.
const STRUCTURE: [&str; 12] = [
    "BtchBookg",
    "PmtTpInf",
    "PoolgAdjstmntDt",
    "DbtrAgtAcct",
    "CdtrAgtAcct",
    "InstrForDbtrAgt",
    "ChrgBr",
    "ChrgsAcct",
    "ChrgsAcctAgt",
    "CdtrSchmeId",
    "AdvcInd",
    "SplmtryData",
];

/// Number and sum that a message or a batch says, and what was read.
#[derive(Debug, Default)]
struct Control {
    line: u64,
    told_number: Option<u64>,
    told_sum: Option<Amount>,
    number: u64,
    sum: Amount,
    refused: u64,
}

impl Control {
    fn tell(&mut self, number: &str, sum: &str) {
        self.told_number = number.parse().ok().or(self.told_number);
        self.told_sum = Amount::parse(sum.as_bytes()).ok().or(self.told_sum);
    }

    fn check(&self, what: &str) -> impl Iterator<Item = Notice> {
        let number = self.told_number.filter(|&told| told != self.number);
        let sum = self
            .told_sum
            .filter(|&told| told != self.sum && self.refused == 0);
        let notice = |code, found, expected| Notice {
            severity: Severity::Error,
            code,
            line: Some(self.line),
            found,
            expected,
            action: "Ask the sender for a whole file; what is here is read.".into(),
        };
        let number = number.map(|told| {
            notice(
                FindingCode::ControlCount,
                format!("the {what} says {told} payments"),
                format!("{}, as many as it has", self.number),
            )
        });
        let sum = sum.map(|told| {
            notice(
                FindingCode::ControlTotal,
                format!("the {what} says a control sum of {told}"),
                format!("{}, the sum of its payments", self.sum),
            )
        });
        number.into_iter().chain(sum)
    }
}

/// What all payments of a batch share.
#[derive(Debug, Default)]
struct Batch {
    id: String,
    method: String,
    date: Option<Date>,
    debtor: OwnedParty,
    creditor: OwnedParty,
    control: Control,
}

/// Reads instructed payments.
pub(super) struct Instructions {
    identifier: String,
    direction: Direction,
    message_id: String,
    date: Option<Date>,
    control: Control,
    batch: Batch,
}

impl Instructions {
    pub fn new(message: &'static Message, identifier: String, line: u64) -> Self {
        let is_debit = matches!(message.name, "pain.008" | "pacs.003");
        Self {
            identifier,
            direction: if is_debit {
                Direction::Debit
            } else {
                Direction::Credit
            },
            message_id: String::new(),
            date: None,
            control: Control {
                line,
                ..Control::default()
            },
            batch: Batch::default(),
        }
    }

    fn header(&mut self, header: Element<'_>) {
        header.text_at(&["MsgId"]).clone_into(&mut self.message_id);
        self.date = day(header.text_at(&["IntrBkSttlmDt"]));
        let sum = header.first_text(&[&["CtrlSum"], &["TtlIntrBkSttlmAmt"]]);
        self.control.line = header.line();
        self.control.tell(header.text_at(&["NbOfTxs"]), sum);
    }

    fn of_batch(
        &mut self,
        element: Element<'_>,
        parent: &str,
        out: &mut Output<'_>,
    ) -> Result<(), Refusal> {
        let batch = &mut self.batch;
        match element.name() {
            "PmtInfId" => element.text().clone_into(&mut batch.id),
            "PmtMtd" => element.text().clone_into(&mut batch.method),
            "NbOfTxs" => batch.control.tell(element.text(), ""),
            "CtrlSum" => batch.control.tell("", element.text()),
            "ReqdExctnDt" | "ReqdColltnDt" => batch.date = date_at(element, &[])?,
            name => {
                let is_party =
                    batch.debtor.take(DEBTOR, element) || batch.creditor.take(CREDITOR, element);
                if !is_party && !STRUCTURE.contains(&name) {
                    out.oddities.unknown_element(name, parent, element.line());
                }
            }
        }
        Ok(())
    }

    fn payment(&mut self, element: Element<'_>, out: &mut Output<'_>) -> Result<(), Trouble> {
        self.control.number += 1;
        self.batch.control.number += 1;
        let money = match amount_of(element) {
            Ok(money) => money,
            Err(refusal) => {
                self.control.refused += 1;
                self.batch.control.refused += 1;
                return Err(refusal.into());
            }
        };
        self.control.sum += money.amount;
        self.batch.control.sum += money.amount;
        self.write(element, money, out)?;
        Ok(())
    }

    fn write(
        &self,
        element: Element<'_>,
        money: Money,
        out: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let batch = &self.batch;
        let parties = Some(element);
        let debtor = Party::of(DEBTOR, parties, parties).or(&batch.debtor);
        let creditor = Party::of(CREDITOR, parties, parties).or(&batch.creditor);
        let remittance = Remittance::of(element.at(&["RmtInf"]));
        out.oddities.note_remittance(&remittance, element.line());
        let row = PaymentInstruction {
            source_line: element.line(),
            message_type: &self.identifier,
            message_id: &self.message_id,
            payment_information_id: &batch.id,
            instruction_id: element.text_at(&["PmtId", "InstrId"]),
            end_to_end_id: reference(element.text_at(&["PmtId", "EndToEndId"])),
            transaction_reference: element.first_text(&[&["PmtId", "UETR"], &["PmtId", "TxId"]]),
            direction: self.direction,
            method: self.method_of(element),
            requested_date: date_of(element).or(batch.date).or(self.date),
            amount: money.amount,
            debtor_name: debtor.name,
            debtor_account: &debtor.account,
            debtor_agent: debtor.agent,
            creditor_name: creditor.name,
            creditor_account: &creditor.account,
            creditor_agent: creditor.agent,
            mandate_id: element.text_at(&["DrctDbtTx", "MndtRltdInf", "MndtId"]),
            purpose: purpose_of(element),
            remittance_text: &remittance.text,
            creditor_reference: &remittance.reference.text,
            bytes: element.bytes(),
            ..PaymentInstruction::blank(money.currency)
        };
        out.instructions.push(&row, &mut out.intake)?;
        for document in &remittance.documents {
            out.advice
                .push(&advice_line(document, &row), &mut out.intake)?;
        }
        Ok(())
    }

    fn method_of<'r>(&'r self, element: Element<'r>) -> &'r str {
        match self.batch.method.as_str() {
            "" => code_at(element, &["PmtTpInf", "LclInstrm"]),
            method => method,
        }
    }
}

/// A document that the payment of `row` pays.
fn advice_line<'l>(document: &'l Document<'_>, row: &PaymentInstruction<'l>) -> AdviceLine<'l> {
    let references = [
        row.end_to_end_id,
        row.transaction_reference,
        row.instruction_id,
    ];
    let reference = references.into_iter().find(|text| !text.is_empty());
    AdviceLine {
        source_line: document.line,
        payment_reference: reference.unwrap_or_default(),
        payer_name: row.debtor_name,
        payment_date: row.requested_date,
        payment_amount: Some(row.amount),
        currency: document.currency.or(Some(row.currency)),
        document_number: &document.number,
        gross: document.gross,
        discount: document.discount,
        adjustment: document.adjustment,
        adjustment_reason: document.adjustment_reason,
        net: document.net,
    }
}

fn amount_of(element: Element<'_>) -> Result<Money, Refusal> {
    let places: [&[&str]; 4] = [
        &["IntrBkSttlmAmt"],
        &["Amt", "InstdAmt"],
        &["Amt", "EqvtAmt", "Amt"],
        &["InstdAmt"],
    ];
    let found = places.iter().find_map(|path| element.at(path));
    let found = found.ok_or_else(|| {
        let message = "the payment has no amount".to_owned();
        (QuarantineReason::MissingField, message)
    })?;
    let money = money(found, None)?;
    if money.amount.is_negative() {
        let message = format!("the payment's amount is {}, below zero", money.amount);
        return Err((QuarantineReason::BadAmount, message));
    }
    Ok(money)
}

fn date_of(element: Element<'_>) -> Option<Date> {
    let places = [["IntrBkSttlmDt"], ["ReqdExctnDt"], ["ReqdColltnDt"]];
    let mut dates = places.iter().map(|path| date_at(element, path));
    dates.find_map(|date| date.ok().flatten())
}

fn purpose_of(element: Element<'_>) -> &str {
    match code_at(element, &["Purp"]) {
        "" => code_at(element, &["PmtTpInf", "CtgyPurp"]),
        purpose => purpose,
    }
}

impl Body for Instructions {
    fn is_container(&self, name: &str) -> bool {
        name == "PmtInf"
    }

    fn enter(&mut self, _name: &str, line: u64) {
        self.batch = Batch::default();
        self.batch.control.line = line;
    }

    fn unit(
        &mut self,
        element: Element<'_>,
        parent: &str,
        extent: Extent,
        out: &mut Output<'_>,
    ) -> Result<(), Trouble> {
        match element.name() {
            _ if extent != Extent::Whole => Err(too_large(element).into()),
            "CdtTrfTxInf" | "DrctDbtTxInf" => self.payment(element, out),
            "GrpHdr" => {
                self.header(element);
                Ok(())
            }
            _ => Ok(self.of_batch(element, parent, out)?),
        }
    }

    fn leave(&mut self, _name: &str, out: &mut Output<'_>) -> Result<(), ReadError> {
        for notice in self.batch.control.check("batch") {
            out.tell(Some(notice))?;
        }
        self.batch = Batch::default();
        Ok(())
    }

    fn finish(&mut self, out: &mut Output<'_>) -> Result<(), ReadError> {
        for notice in self.control.check("message") {
            out.tell(Some(notice))?;
        }
        Ok(())
    }
}
