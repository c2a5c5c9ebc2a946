//! A collection title: what one record, or two that go together, say of it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use tieout_core::{
    Amount, Date, Direction, Feed, FindingCode, IdentityHasher, LineId, Severity, StatusLevel,
};

use super::events::{Events, Order, order};
use super::real;
use crate::format::ReadError;
use crate::national::{Desk, Oddity, decode};
use crate::rows::{BankLine, DocumentLine, PaymentInstruction, PaymentStatus};

const UNLISTED: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::UnknownCode,
    what: "events that the list does not have",
    expected: "an event of FEBRABAN's list",
    action: "They were read as words about their titles, not as money.",
};

/// Whose titles they are, and in which file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Company {
    /// The format's name.
    pub format: &'static str,
    /// The bank's code.
    pub bank: String,
    pub account: String,
    pub name: String,
    /// What names the file: its date and its number.
    pub file_id: String,
    pub statement_id: String,
    pub events: Events,
}

/// One title. Empty fields and amounts of zero are absent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Title<'a> {
    pub line: u64,
    pub bytes: Range<u64>,
    /// What happened to it, or what is ordered.
    pub event: Cow<'a, str>,
    /// What the bank calls it (nosso número).
    pub our_number: Cow<'a, str>,
    /// What the company calls it (seu número).
    pub document: Cow<'a, str>,
    /// What the company wrote beside it.
    pub company_use: Cow<'a, str>,
    pub payer_name: Cow<'a, str>,
    pub payer_id: Cow<'a, str>,
    /// Codes of the reasons for the event.
    pub reasons: Cow<'a, str>,
    pub event_date: Option<Date>,
    pub due_date: Option<Date>,
    pub credit_date: Option<Date>,
    pub face: Amount,
    /// What came into the account.
    pub credited: Amount,
    pub discount: Amount,
    pub rebate: Amount,
    /// Interest, fines and other credits.
    pub interest: Amount,
    pub fee: Amount,
}

impl Title<'_> {
    /// Writes what the bank tells: money that came in, or a word about the title.
    pub fn returned(&self, company: &Company, desk: &mut Desk<'_>) -> Result<(), ReadError> {
        let Some(event) = company.events.get(&self.event) else {
            let code = self.event.to_string();
            desk.note(&UNLISTED, self.line, || code);
            return self.write_status(company, desk, "NOTC", "");
        };
        if event.is_paid && self.credited.is_positive() {
            return self.settle(company, desk);
        }
        self.write_status(company, desk, event.status, event.words)
    }

    /// Writes the title as money that came in, with the document it pays.
    fn settle(&self, company: &Company, desk: &mut Desk<'_>) -> Result<(), ReadError> {
        let fee = self.withheld_fee();
        let text = self.text(fee.is_none());
        desk.bank_line(&BankLine {
            source_line: self.line,
            account: &company.account,
            booking_date: self.credit_date.or(self.event_date),
            value_date: self.credit_date,
            direction: Direction::Credit,
            amount: self.credited,
            type_code: &self.event,
            bank_reference: &self.our_number,
            end_to_end_id: &self.document,
            counterparty_name: &self.payer_name,
            remittance_text: &text,
            statement_id: &company.statement_id,
            bytes: self.bytes.clone(),
            // The statement has the day's titles of a portfolio in one line.
            feed: Feed::Detail,
            charges: fee,
            ..BankLine::blank(self.identity(company), real())
        })?;
        let discount = self.discount + self.rebate;
        let adjustment = self.credited - (self.face - discount);
        let reason = if adjustment.is_zero() {
            String::new()
        } else {
            self.adjustment_reason(fee)
        };
        desk.document(&DocumentLine {
            source_line: self.line,
            payment_reference: &self.our_number,
            payer_name: &self.payer_name,
            payment_date: self.credit_date.or(self.event_date),
            payment_amount: Some(self.credited),
            currency: real(),
            document_number: self.number(),
            gross: Some(self.face),
            discount: Some(discount).filter(|amount| !amount.is_zero()),
            adjustment: Some(adjustment).filter(|amount| !amount.is_zero()),
            adjustment_reason: &reason,
            net: Some(self.credited),
        });
        Ok(())
    }

    fn write_status(
        &self,
        company: &Company,
        desk: &mut Desk<'_>,
        status: &str,
        word: &str,
    ) -> Result<(), ReadError> {
        let mut information = word.to_owned();
        if !self.reasons.bytes().all(|byte| matches!(byte, b'0' | b' ')) {
            let _ = write!(information, ", reasons {}", self.reasons);
        }
        if !self.fee.is_zero() {
            let _ = write!(information, ", fee {}", self.fee);
        }
        desk.status(&PaymentStatus {
            source_line: self.line,
            message_type: company.format,
            message_id: &company.file_id,
            original_instruction_id: &self.document,
            original_end_to_end_id: self.number(),
            original_transaction_reference: &self.our_number,
            status,
            reason: &self.event,
            information: &information,
            status_date: self.event_date,
            currency: Some(real()),
            amount: Some(self.face),
            bytes: self.bytes.clone(),
            ..PaymentStatus::blank(StatusLevel::Transaction)
        })
    }

    /// Writes what a company orders: a title to collect, or a word about one.
    pub fn ordered(&self, company: &Company, desk: &mut Desk<'_>) -> Result<(), ReadError> {
        match order(&self.event) {
            Order::Entry => self.write_instruction(company, desk),
            Order::Withdrawal => self.write_status(company, desk, "CANC", "withdrawal ordered"),
            Order::Change => self.write_status(company, desk, "NOTC", "change ordered"),
        }
    }

    fn write_instruction(&self, company: &Company, desk: &mut Desk<'_>) -> Result<(), ReadError> {
        let mut text = String::new();
        if !self.payer_id.is_empty() {
            let _ = write!(text, "CPF/CNPJ {}", self.payer_id);
        }
        desk.instruction(&PaymentInstruction {
            source_line: self.line,
            message_type: company.format,
            message_id: &company.file_id,
            instruction_id: &self.document,
            end_to_end_id: self.number(),
            transaction_reference: &self.our_number,
            // The creditor collects.
            direction: Direction::Debit,
            method: &self.event,
            requested_date: self.due_date,
            amount: self.face,
            debtor_name: &self.payer_name,
            creditor_name: &company.name,
            creditor_account: &company.account,
            creditor_agent: &company.bank,
            remittance_text: &text,
            bytes: self.bytes.clone(),
            ..PaymentInstruction::blank(real())
        })
    }

    /// What the title is called: by the company, or else by the bank.
    fn number(&self) -> &str {
        [&self.document, &self.company_use, &self.our_number]
            .into_iter()
            .find(|number| !number.is_empty())
            .map_or("", |number| number)
    }

    /// What should come in without a fee.
    fn due_amount(&self) -> Amount {
        self.face - self.discount - self.rebate + self.interest
    }

    /// The fee, where the bank took it off what came in. Others charge it beside.
    fn withheld_fee(&self) -> Option<Amount> {
        let is_withheld = self.due_amount() - self.fee == self.credited;
        Some(self.fee).filter(|fee| is_withheld && !fee.is_zero())
    }

    fn text(&self, tells_fee: bool) -> String {
        let mut text = self.document.to_string();
        if !self.company_use.is_empty() && self.company_use != self.document {
            let blank = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{blank}{}", self.company_use);
        }
        if tells_fee && !self.fee.is_zero() {
            let blank = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{blank}fee charged beside {}", self.fee);
        }
        text
    }

    fn adjustment_reason(&self, fee: Option<Amount>) -> String {
        let mut reason = String::new();
        if let Some(fee) = fee {
            let _ = write!(reason, "fee {fee}");
        }
        if !self.interest.is_zero() {
            let blank = if reason.is_empty() { "" } else { ", " };
            let _ = write!(reason, "{blank}interest {}", self.interest);
        }
        if reason.is_empty() {
            reason.push_str("not explained by the bank");
        }
        reason
    }

    fn identity(&self, company: &Company) -> LineId {
        let mut hasher = IdentityHasher::new(company.format);
        hasher.field(company.account.as_bytes());
        for text in [
            &self.event,
            &self.our_number,
            &self.document,
            &self.company_use,
        ] {
            hasher.field(text.as_bytes());
        }
        for date in [self.event_date, self.credit_date] {
            hasher.field(&date.map(Date::days).unwrap_or_default().to_le_bytes());
        }
        for amount in [self.face, self.credited, self.fee] {
            hasher.field(&amount.units().to_le_bytes());
        }
        hasher.finish()
    }
}

/// A text field as it is, without blanks at both ends; zeros alone are nothing.
pub(crate) fn said(field: &[u8]) -> Cow<'_, str> {
    if field.iter().all(|&byte| byte == b'0') {
        return Cow::Borrowed("");
    }
    decode(field)
}
