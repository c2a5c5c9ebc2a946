//! Statement lines: segment E.

use tieout_core::{Direction, IdentityHasher, LineId, QuarantineReason};

use super::batch::{Batch, Standing, account_at, standing};
use super::layout::categories;
use crate::cnab::{account_name, date_at, money_at, real, said};
use crate::fixed::{columns, digits, trimmed};
use crate::format::ReadError;
use crate::lines::Line;
use crate::national::{Desk, Refusal, append_words, control_total, decode};
use crate::rows::{Balance, BankLine};

/// Takes the opening balance from a batch header.
pub(super) fn open(
    line: &Line<'_>,
    batch: &mut Batch,
    desk: &mut Desk<'_>,
) -> Result<Result<(), Refusal>, ReadError> {
    let opening = match standing(line.bytes) {
        Ok(opening) => opening,
        Err(refusal) => return Ok(Err(refusal)),
    };
    batch.ledger.opening = Some(opening.amount);
    let number = decode(trimmed(line.bytes, 174, 178));
    let date = opening.date.map(|date| date.to_string());
    batch.company.statement_id = format!(
        "{}/{}/{number}",
        batch.company.account,
        date.unwrap_or_default()
    );
    balance(line, &opening, ("E1", "opening_ledger"), batch, desk).map(Ok)
}

fn balance(
    line: &Line<'_>,
    standing: &Standing,
    (type_code, balance_type): (&str, &str),
    batch: &Batch,
    desk: &mut Desk<'_>,
) -> Result<(), ReadError> {
    desk.balance(&Balance {
        source_line: line.number,
        account: &batch.company.account,
        currency: real(),
        type_code,
        balance_type,
        as_of_date: standing.date,
        amount: standing.amount,
        item_count: None,
    })
}

/// Writes a statement line.
pub(super) fn entry(
    line: &Line<'_>,
    batch: &mut Batch,
    desk: &mut Desk<'_>,
) -> Result<Result<(), Refusal>, ReadError> {
    let record = line.bytes;
    let amount = money_at(record, [151, 168], "amount");
    let booking = date_at(record, [143, 150], "booking date");
    let value = date_at(record, [135, 142], "value date");
    let direction = direction_of(columns(record, 169, 169));
    let read = amount.and_then(|amount| Ok((amount, booking?, value?, direction?)));
    let (amount, booking_date, value_date, direction) = match read {
        Ok(read) => read,
        Err(refusal) => return Ok(Err(refusal)),
    };
    batch.ledger.add(direction, amount);
    let category = decode(columns(record, 170, 172));
    let document = said(trimmed(record, 202, 240));
    let is_of = |list: &[String]| list.iter().any(|known| *known == category);
    let number = account_at(record, 53, [33, 52]);
    let account = account_name(columns(record, 1, 3), number.as_bytes());
    let mut text = decode(trimmed(record, 177, 201)).into_owned();
    append_words(&mut text, &decode(columns(record, 114, 133)));
    let row = BankLine {
        source_line: line.number,
        account: &account,
        booking_date,
        value_date,
        direction,
        amount,
        type_code: &decode(trimmed(record, 170, 176)),
        bank_reference: &document,
        entry_reference: &document,
        check_number: if is_of(&categories().cheques) {
            &document
        } else {
            ""
        },
        remittance_text: &text,
        reversal: is_of(&categories().reversals),
        statement_id: &batch.company.statement_id,
        bytes: line.start..line.end,
        feed: batch.feed,
        ..BankLine::blank(identity(record, &account, batch), real())
    };
    desk.bank_line(&row).map(Ok)
}

fn direction_of(sign: &[u8]) -> Result<Direction, Refusal> {
    match sign {
        b"C" => Ok(Direction::Credit),
        b"D" => Ok(Direction::Debit),
        _ => {
            let message = format!("the sign is `{}`; expected C or D", decode(sign));
            Err((QuarantineReason::BadValue, message))
        }
    }
}

fn identity(record: &[u8], account: &str, batch: &Batch) -> LineId {
    let mut hasher = IdentityHasher::new("cnab240.E");
    hasher.field(account.as_bytes());
    hasher.field(batch.company.statement_id.as_bytes());
    hasher.field(columns(record, 109, 240).trim_ascii_end());
    hasher.finish()
}

/// Compares a batch trailer with the lines.
pub(super) fn close(
    line: &Line<'_>,
    batch: &Batch,
    desk: &mut Desk<'_>,
) -> Result<Result<(), Refusal>, ReadError> {
    let closing = match standing(line.bytes) {
        Ok(closing) => closing,
        Err(refusal) => return Ok(Err(refusal)),
    };
    balance(line, &closing, ("E5", "closing_ledger"), batch, desk)?;
    let ledger = batch.ledger;
    for (span, what, read) in [
        (
            [177, 194],
            "the statement's total of debits is",
            ledger.debits,
        ),
        (
            [195, 212],
            "the statement's total of credits is",
            ledger.credits,
        ),
    ] {
        // Banks that give no totals leave them blank.
        if digits(columns(line.bytes, span[0], span[1])).is_some() {
            let total = money_at(line.bytes, span, "total").unwrap_or_default();
            desk.report(control_total(what, line.number, total, read))?;
        }
    }
    let account = &batch.company.account;
    desk.report(ledger.roll_forward(account, line.number, closing.amount))?;
    Ok(Ok(()))
}
