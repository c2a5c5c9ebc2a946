//! Payments by a company: what it orders, and what the bank says became of it.

use tieout_core::{Direction, StatusLevel};

use super::batch::Batch;
use super::layout::{PaymentColumns, status};
use crate::cnab::{account_name, date_at, field, money_at, real, said};
use crate::fixed::columns;
use crate::format::ReadError;
use crate::lines::Line;
use crate::national::{Desk, Refusal, decode};
use crate::rows::{PaymentInstruction, PaymentStatus};

/// Writes a payment that is ordered.
pub(super) fn ordered(
    line: &Line<'_>,
    at: &PaymentColumns,
    batch: &Batch,
    desk: &mut Desk<'_>,
) -> Result<Result<(), Refusal>, ReadError> {
    let record = line.bytes;
    let amount = money_at(record, at.amount, "amount");
    let date = date_at(record, at.date, "date of the payment");
    let (amount, date) = match amount.and_then(|amount| Ok((amount, date?))) {
        Ok(read) => read,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let agent = said(field(record, at.agent));
    let account = field(record, at.account);
    // Where no bank is named, the account is the digits of a bar code.
    let creditor_account = if agent.is_empty() {
        said(account).into_owned()
    } else {
        account_name(agent.as_bytes(), account)
    };
    let row = PaymentInstruction {
        source_line: line.number,
        message_type: batch.company.format,
        message_id: &batch.company.file_id,
        payment_information_id: &decode(columns(record, 4, 7)),
        instruction_id: &said(field(record, at.document)),
        end_to_end_id: &said(field(record, at.document)),
        transaction_reference: &said(field(record, at.our_number)),
        direction: Direction::Credit,
        method: &decode(columns(record, 14, 14)),
        requested_date: date,
        amount,
        debtor_name: &batch.company.name,
        debtor_account: &batch.company.account,
        debtor_agent: &batch.company.bank,
        creditor_name: &decode(field(record, at.payee)),
        creditor_account: &creditor_account,
        creditor_agent: &agent,
        remittance_text: &decode(field(record, at.text)),
        bytes: line.start..line.end,
        ..PaymentInstruction::blank(real())
    };
    desk.instruction(&row).map(Ok)
}

/// Writes what became of a payment.
pub(super) fn returned(
    line: &Line<'_>,
    at: &PaymentColumns,
    batch: &Batch,
    desk: &mut Desk<'_>,
) -> Result<Result<(), Refusal>, ReadError> {
    let record = line.bytes;
    let ordered = money_at(record, at.amount, "amount");
    let paid = money_at(record, at.paid, "amount paid");
    let date = date_at(record, at.paid_date, "date of the payment");
    let read = ordered.and_then(|ordered| Ok((ordered, paid?, date?)));
    let (ordered, paid, date) = match read {
        Ok(read) => read,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let occurrences = decode(columns(record, 231, 240).trim_ascii());
    let document = said(field(record, at.document));
    let row = PaymentStatus {
        source_line: line.number,
        message_type: batch.company.format,
        message_id: &batch.company.file_id,
        original_payment_information_id: &decode(columns(record, 4, 7)),
        original_instruction_id: &document,
        original_end_to_end_id: &document,
        original_transaction_reference: &said(field(record, at.our_number)),
        status: status(occurrences.get(..2).unwrap_or_default()),
        reason: &occurrences,
        information: &decode(field(record, at.payee)),
        status_date: date,
        currency: Some(real()),
        amount: Some(if paid.is_zero() { ordered } else { paid }),
        bytes: line.start..line.end,
        ..PaymentStatus::blank(StatusLevel::Transaction)
    };
    desk.status(&row).map(Ok)
}
