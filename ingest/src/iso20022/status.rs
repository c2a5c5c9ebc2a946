//! pain.002, pacs.002, pacs.004, camt.029, camt.055 and camt.056: what became of payments.
//!
//! A status may be told of a whole message, of a batch, and of a payment; a payment without one of
//! its own has that of its batch, and a batch that of the message.

use std::borrow::Cow;

use tieout_core::{Date, FindingCode, QuarantineReason, Severity, StatusLevel};

use super::message::Message;
use super::reader::{Body, Output, Trouble};
use super::value::{Money, code_at, date_at, day, money_at, reference, too_large};
use crate::format::ReadError;
use crate::intake::Notice;
use crate::rows::PaymentStatus;
use crate::xml::{Element, Extent};

/// Elements that say nothing about a payment.
const STRUCTURE: [&str; 14] = [
    "Case",
    "OrgnlNbOfTxs",
    "OrgnlCtrlSum",
    "NbOfTxsPerSts",
    "NbOfTxsPerCxlSts",
    "NbOfTxs",
    "CtrlSum",
    "SplmtryData",
    "StmtDtls",
    "ModDtls",
    "ClmNonRctDtls",
    "CrrctnTx",
    "RsltnRltdInf",
    "PmtInfCxl",
];

/// Status and reason of a message or batch.
#[derive(Clone, Debug, Default)]
struct Told {
    id: String,
    status: String,
    reason: String,
    information: String,
    line: u64,
    bytes: std::ops::Range<u64>,
    is_written: bool,
}

impl Told {
    fn take_reasons(&mut self, element: Element<'_>) {
        let (reason, information) = reasons_of(element);
        if !reason.is_empty() {
            reason.clone_into(&mut self.reason);
        }
        if !information.is_empty() {
            self.information = information.into_owned();
        }
    }
}

/// Reads words about payments.
pub(super) struct Statuses {
    message: &'static Message,
    identifier: String,
    message_id: String,
    date: Option<Date>,
    group: Told,
    batch: Told,
    told_number: Option<u64>,
    number: u64,
    line: u64,
}

impl Statuses {
    pub fn new(message: &'static Message, identifier: String) -> Self {
        Self {
            message,
            identifier,
            message_id: String::new(),
            date: None,
            group: Told::default(),
            batch: Told::default(),
            told_number: None,
            number: 0,
            line: 0,
        }
    }

    /// The status that the message itself is: a return, or a request for cancellation.
    fn own_status(&self) -> &'static str {
        match self.message.name {
            "pacs.004" => "RTRN",
            "camt.055" | "camt.056" => "CANC",
            _ => "",
        }
    }

    fn header(&mut self, header: Element<'_>) {
        let id = header.first_text(&[&["MsgId"], &["Id"]]);
        id.clone_into(&mut self.message_id);
        self.date = day(header.text_at(&["CreDtTm"]));
        self.line = header.line();
        self.told_number = header.text_at(&["NbOfTxs"]).parse().ok();
    }

    fn group(&mut self, element: Element<'_>, out: &mut Output<'_>) -> Result<(), ReadError> {
        let group = &mut self.group;
        element.text_at(&["OrgnlMsgId"]).clone_into(&mut group.id);
        let is_cancelled = matches!(element.text_at(&["GrpCxl"]), "true" | "1");
        let told = match element.first_text(&[&["GrpSts"], &["GrpCxlSts"]]) {
            "" if is_cancelled => "CANC",
            told => told,
        };
        // A camt.029 says it of the whole case beforehand, and then not again here.
        if told.is_empty() {
            return Ok(());
        }
        told.clone_into(&mut group.status);
        group.take_reasons(element);
        group.line = element.line();
        group.bytes = element.bytes();
        self.write_told(StatusLevel::Group, out)
    }

    /// What a camt.029 says of the whole case.
    fn confirmation(
        &mut self,
        element: Element<'_>,
        out: &mut Output<'_>,
    ) -> Result<(), ReadError> {
        let told = element.first_text(&[
            &["Conf"],
            &["RjctdMod"],
            &["RjctdMod", "Cd"],
            &["AssgnmtCxlConf"],
        ]);
        told.clone_into(&mut self.group.status);
        self.group.line = element.line();
        self.group.bytes = element.bytes();
        self.write_told(StatusLevel::Group, out)
    }

    fn write_told(&mut self, level: StatusLevel, out: &mut Output<'_>) -> Result<(), ReadError> {
        let told = match level {
            StatusLevel::Group => &self.group,
            _ => &self.batch,
        };
        if told.status.is_empty() {
            return Ok(());
        }
        let row = PaymentStatus {
            source_line: told.line,
            message_type: &self.identifier,
            message_id: &self.message_id,
            original_message_id: &self.group.id,
            original_payment_information_id: &self.batch.id,
            status: &told.status,
            reason: &told.reason,
            information: &told.information,
            status_date: self.date,
            bytes: told.bytes.clone(),
            ..PaymentStatus::blank(level)
        };
        out.statuses.push(&row, &mut out.intake)
    }

    /// Writes the batch's own row, before those of its payments.
    fn close_batch_header(&mut self, out: &mut Output<'_>) -> Result<(), ReadError> {
        if std::mem::replace(&mut self.batch.is_written, true) {
            return Ok(());
        }
        self.write_told(StatusLevel::PaymentInformation, out)
    }

    fn of_batch(&mut self, element: Element<'_>, parent: &str, out: &mut Output<'_>) {
        let batch = &mut self.batch;
        batch.bytes.end = element.bytes().end;
        if batch.bytes.start == 0 {
            batch.bytes.start = element.bytes().start;
        }
        match element.name() {
            "OrgnlPmtInfId" => element.text().clone_into(&mut batch.id),
            "PmtInfSts" | "PmtInfCxlSts" => element.text().clone_into(&mut batch.status),
            "StsRsnInf" | "CxlStsRsnInf" | "CxlRsnInf" => {
                let (reason, information) = reason_of(element);
                reason.clone_into(&mut batch.reason);
                batch.information = information.into_owned();
            }
            "OrgnlGrpInf" => {
                let id = element.text_at(&["OrgnlMsgId"]);
                id.clone_into(&mut self.group.id);
            }
            name => {
                if name == "PmtInfCxl" && matches!(element.text(), "true" | "1") {
                    "CANC".clone_into(&mut batch.status);
                }
                if !STRUCTURE.contains(&name) {
                    out.oddities.unknown_element(name, parent, element.line());
                }
            }
        }
    }

    fn payment(&mut self, element: Element<'_>, out: &mut Output<'_>) -> Result<(), Trouble> {
        self.number += 1;
        self.close_batch_header(out)?;
        let told = element.first_text(&[&["TxSts"], &["TxCxlSts"]]);
        let candidates = [
            told,
            self.own_status(),
            &self.batch.status,
            &self.group.status,
        ];
        let Some(status) = candidates.into_iter().find(|text| !text.is_empty()) else {
            let message = "neither the payment nor its batch or message has a status".to_owned();
            return Err((QuarantineReason::MissingField, message).into());
        };
        let (reason, information) = reasons_of(element);
        let money = amount_of(element);
        let message_id = element.text_at(&["OrgnlGrpInf", "OrgnlMsgId"]);
        let row = PaymentStatus {
            source_line: element.line(),
            message_type: &self.identifier,
            message_id: &self.message_id,
            original_message_id: or(message_id, &self.group.id),
            original_payment_information_id: or(
                element.text_at(&["OrgnlPmtInfId"]),
                &self.batch.id,
            ),
            original_instruction_id: element.text_at(&["OrgnlInstrId"]),
            original_end_to_end_id: reference(element.text_at(&["OrgnlEndToEndId"])),
            original_transaction_reference: element.first_text(&[&["OrgnlUETR"], &["OrgnlTxId"]]),
            status,
            reason: or(reason, or(&self.batch.reason, &self.group.reason)),
            information: &information,
            status_date: date_of(element).or(self.date),
            currency: money.map(|money| money.currency),
            amount: money.map(|money| money.amount),
            bytes: element.bytes(),
            ..PaymentStatus::blank(StatusLevel::Transaction)
        };
        out.statuses.push(&row, &mut out.intake)?;
        Ok(())
    }
}

fn or<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

/// The reasons inside `element`: the first code, and what stands beside the codes.
fn reasons_of(element: Element<'_>) -> (&str, Cow<'_, str>) {
    const HOLDERS: [&str; 4] = ["StsRsnInf", "RtrRsnInf", "CxlStsRsnInf", "CxlRsnInf"];
    let mut code = "";
    let mut beside = Cow::Borrowed("");
    let holders = element.children();
    for holder in holders.filter(|child| HOLDERS.contains(&child.name())) {
        let (own, information) = reason_of(holder);
        if code.is_empty() {
            code = own;
        } else if own != code {
            add(&mut beside, own);
        }
        add(&mut beside, &information);
    }
    (code, beside)
}

fn reason_of(holder: Element<'_>) -> (&str, Cow<'_, str>) {
    let mut information = Cow::Borrowed("");
    for text in holder.all("AddtlInf") {
        add(&mut information, text.text());
    }
    (code_at(holder, &["Rsn"]), information)
}

fn add(text: &mut Cow<'_, str>, more: &str) {
    if more.is_empty() {
        return;
    }
    let text = text.to_mut();
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(more);
}

fn amount_of(element: Element<'_>) -> Option<Money> {
    let places: [&[&str]; 9] = [
        &["RtrdIntrBkSttlmAmt"],
        &["RtrdInstdAmt"],
        &["OrgnlIntrBkSttlmAmt"],
        &["OrgnlInstdAmt"],
        &["OrgnlTxRef", "IntrBkSttlmAmt"],
        &["OrgnlTxRef", "Amt", "InstdAmt"],
        &["OrgnlTxRef", "Amt", "EqvtAmt", "Amt"],
        &["OrgnlTxRef", "InstdAmt"],
        &["RsltnRltdInf", "IntrBkSttlmAmt"],
    ];
    places.iter().find_map(|path| money_at(element, path, None))
}

fn date_of(element: Element<'_>) -> Option<Date> {
    let places = [["IntrBkSttlmDt"], ["FctvIntrBkSttlmDt"], ["AccptncDtTm"]];
    let mut dates = places.iter().map(|path| date_at(element, path));
    dates.find_map(|date| date.ok().flatten())
}

impl Body for Statuses {
    fn is_container(&self, name: &str) -> bool {
        matches!(
            name,
            "CxlDtls" | "Undrlyg" | "OrgnlPmtInfAndSts" | "OrgnlPmtInfAndCxl"
        )
    }

    fn enter(&mut self, _name: &str, line: u64) {
        self.batch = Told {
            line,
            ..Told::default()
        };
    }

    fn unit(
        &mut self,
        element: Element<'_>,
        parent: &str,
        extent: Extent,
        out: &mut Output<'_>,
    ) -> Result<(), Trouble> {
        match element.name() {
            _ if extent != Extent::Whole => return Err(too_large(element).into()),
            "GrpHdr" | "Assgnmt" => self.header(element),
            "CtrlData" => self.told_number = element.text_at(&["NbOfTxs"]).parse().ok(),
            "RslvdCase" => {
                let id = element.text_at(&["Id"]);
                id.clone_into(&mut self.group.id);
            }
            "Sts" => self.confirmation(element, out)?,
            "OrgnlGrpInfAndSts" | "OrgnlGrpInfAndCxl" => self.group(element, out)?,
            "OrgnlGrpInf" if parent == self.message.element => self.group(element, out)?,
            "TxInfAndSts" | "TxInf" => return self.payment(element, out),
            _ => self.of_batch(element, parent, out),
        }
        Ok(())
    }

    fn leave(&mut self, _name: &str, out: &mut Output<'_>) -> Result<(), ReadError> {
        self.close_batch_header(out)?;
        self.batch = Told::default();
        Ok(())
    }

    fn finish(&mut self, out: &mut Output<'_>) -> Result<(), ReadError> {
        let number = self.number;
        let told = self.told_number.filter(|&told| told != number);
        out.tell(told.map(|told| Notice {
            severity: Severity::Error,
            code: FindingCode::ControlCount,
            line: Some(self.line),
            found: format!("the message says {told} payments"),
            expected: format!("{number}, as many as it has"),
            action: "Ask the sender for a whole file; what is here is read.".into(),
        }))
    }
}
