//! A movement as a row.

use std::borrow::Cow;

use tieout_core::{Date, FindingCode, IdentityHasher, LineId, Severity};

use super::account::Account;
use super::communication::{Communication, characters, squeezed};
use super::movement::Movement;
use crate::fixed::{columns, trimmed};
use crate::format::ReadError;
use crate::national::{Desk, Oddity, append_words, decode};
use crate::rows::BankLine;

const BROKEN_REFERENCE: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::CheckDigit,
    what: "structured communications whose check digits are wrong",
    expected: "the first ten digits modulo 97, or ISO 11649",
    action: "They are kept as text; look for the invoice by amount or payer.",
};

/// Writes `movement` as a row, with what its `parts` say behind its own text.
pub(super) fn write(
    movement: &Movement,
    parts: &[&Movement],
    account: &Account,
    desk: &mut Desk<'_>,
) -> Result<(), ReadError> {
    let first = movement.first.bytes();
    let characters = characters(movement);
    let is_structured = columns(first, 62, 62) == b"1";
    let mut communication = Communication::read(&characters, is_structured);
    if let Some(reference) = communication.broken_reference.take() {
        desk.note(&BROKEN_REFERENCE, movement.first.number(), || reference);
    }
    for part in parts {
        append_words(&mut communication.text, &text_of(part));
    }
    if movement.informed_name.is_empty() {
        append_words(&mut communication.text, &squeezed(&movement.information));
    }
    let last = parts.last().map_or(movement, |part| *part);
    let second = movement.second.bytes();
    let type_code = decode(trimmed(first, 54, 61));
    let reason = decode(trimmed(second, 114, 117));
    let returned = trimmed(second, 113, 113);
    let Some(direction) = movement.direction else {
        return Ok(());
    };
    let reference = decode(trimmed(first, 11, 31));
    desk.bank_line(&BankLine {
        source_line: movement.first.number(),
        account: &account.number,
        booking_date: movement.booking_date,
        value_date: movement.value_date,
        direction,
        amount: movement.amount,
        type_code: &type_code,
        bank_reference: &reference,
        entry_reference: &reference,
        end_to_end_id: &decode(trimmed(second, 64, 98)),
        counterparty_name: &name_of(movement),
        counterparty_account: &decode(trimmed(movement.third.bytes(), 11, 44)),
        remittance_text: &communication.text,
        creditor_reference: &communication.creditor_reference,
        mandate_id: &communication.mandate_id,
        reversal: communication.is_return
            || !matches!(returned, b"" | b"0")
            || is_correction(&type_code),
        return_reason: if reason.is_empty() {
            &communication.return_reason
        } else {
            &reason
        },
        statement_id: &account.statement_id,
        bytes: movement.bytes().start..last.bytes().end,
        ..BankLine::blank(identity(movement, &characters, account), account.currency)
    })
}

/// The text of a part that is no row of its own.
fn text_of(part: &Movement) -> String {
    let characters = characters(part);
    let is_structured = columns(part.first.bytes(), 62, 62) == b"1";
    let mut text = Communication::read(&characters, is_structured).text;
    append_words(&mut text, &squeezed(&part.information));
    text
}

fn name_of(movement: &Movement) -> Cow<'_, str> {
    let name = trimmed(movement.third.bytes(), 48, 82);
    decode(if name.is_empty() {
        &movement.informed_name
    } else {
        name
    })
}

/// Operation 49 cancels or corrects a debit, 99 a credit.
fn is_correction(type_code: &str) -> bool {
    matches!(type_code.get(3..5), Some("49" | "99"))
}

fn identity(movement: &Movement, characters: &[u8], account: &Account) -> LineId {
    let mut hasher = IdentityHasher::new("coda");
    hasher.field(account.statement_id.as_bytes());
    hasher.field(columns(movement.first.bytes(), 11, 61));
    let booked = movement.booking_date.map(Date::days).unwrap_or_default();
    hasher.field(&booked.to_le_bytes());
    hasher.field(characters.trim_ascii_end());
    hasher.field(trimmed(movement.second.bytes(), 64, 125));
    hasher.field(trimmed(movement.third.bytes(), 11, 82));
    hasher.finish()
}
