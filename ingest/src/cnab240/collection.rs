//! Titles: segments T and U from the bank, P and Q from the company.

use std::borrow::Cow;

use super::batch::Batch;
use crate::cnab::{Title, date_at, field, money_at, said};
use crate::fixed::columns;
use crate::format::ReadError;
use crate::national::{Desk, Kept, Refusal, decode};

/// Writes a title that the bank tells about: its T, and its U if it came.
pub(super) fn returned(
    title: &Kept,
    paid: &Kept,
    batch: &Batch,
    desk: &mut Desk<'_>,
) -> Result<Result<(), Refusal>, ReadError> {
    let title = match read_returned(title, paid, batch) {
        Ok(title) => title,
        Err(refusal) => return Ok(Err(refusal)),
    };
    title.returned(&batch.company, desk).map(Ok)
}

fn read_returned<'l>(title: &'l Kept, paid: &'l Kept, batch: &Batch) -> Result<Title<'l>, Refusal> {
    let (record, at) = (title.bytes(), &batch.layout.title);
    let (second, in_second) = (paid.bytes(), &batch.layout.paid);
    let total = money_at(second, in_second.paid, "amount paid")?;
    let credited = money_at(second, in_second.credited, "amount credited")?;
    Ok(Title {
        line: title.number(),
        bytes: bytes(title, paid),
        event: decode(columns(record, 16, 17)),
        our_number: said(field(record, at.our_number)),
        document: said(field(record, at.document)),
        company_use: said(field(record, at.company_use)),
        payer_name: said(field(record, at.payer_name)),
        payer_id: said(field(record, at.payer_id)),
        reasons: decode(field(record, at.reasons)),
        event_date: date_at(second, in_second.event_date, "date of the event")?,
        due_date: date_at(record, at.due_date, "due date")?,
        credit_date: date_at(second, in_second.credit_date, "credit date")?,
        face: money_at(record, at.face, "amount of the title")?,
        credited: if credited.is_zero() { total } else { credited },
        discount: money_at(second, in_second.discount, "discount")?,
        rebate: money_at(second, in_second.rebate, "rebate")?,
        interest: money_at(second, in_second.interest, "interest")?
            + money_at(second, in_second.other_credits, "other credits")?,
        fee: money_at(record, at.fee, "fee")?,
    })
}

/// Writes a title that a company sends: its P, and its Q if it came.
pub(super) fn ordered(
    title: &Kept,
    payer: &Kept,
    batch: &Batch,
    desk: &mut Desk<'_>,
) -> Result<Result<(), Refusal>, ReadError> {
    match read_ordered(title, payer, batch) {
        Ok(title) => title.ordered(&batch.company, desk).map(Ok),
        Err(refusal) => Ok(Err(refusal)),
    }
}

fn read_ordered<'l>(title: &'l Kept, payer: &'l Kept, batch: &Batch) -> Result<Title<'l>, Refusal> {
    let (record, at) = (title.bytes(), &batch.layout.order);
    Ok(Title {
        line: title.number(),
        bytes: bytes(title, payer),
        event: decode(columns(record, 16, 17)),
        our_number: said(field(record, at.our_number)),
        document: said(field(record, at.document)),
        company_use: said(field(record, at.company_use)),
        payer_name: said(field(payer.bytes(), at.payer_name)),
        payer_id: said(field(payer.bytes(), at.payer_id)),
        reasons: Cow::Borrowed(""),
        due_date: date_at(record, at.due_date, "due date")?,
        face: money_at(record, at.face, "amount of the title")?,
        ..Title::default()
    })
}

fn bytes(first: &Kept, second: &Kept) -> std::ops::Range<u64> {
    if second.is_empty() {
        return first.range();
    }
    first.range().start..second.range().end
}
