//! Messages 900 and 910: one debit or credit, confirmed before the statement.

use tieout_core::{Date, Direction, Feed, FindingCode, IdentityHasher, QuarantineReason, Severity};

use super::field::Field;
use super::message::{Fields, Party, money, text_of};
use super::output::{Oddity, Output};
use super::values::{self, is_no_reference};
use crate::format::ReadError;
use crate::intake::Notice;
use crate::rows::{BankLine, decode};

const REFUSED: &str = "the message has no amount (field 32A)";

/// Writes the row of a message, or puts it into quarantine.
pub(super) fn read(
    fields: Fields<'_>,
    direction: Direction,
    is_whole: bool,
    out: &mut Output<'_>,
) -> Result<(), ReadError> {
    let stated = fields.find(*b"32").map_or_else(
        || Err((QuarantineReason::MissingField, REFUSED.to_owned())),
        money,
    );
    let (date, currency, amount) = match stated {
        Ok(stated) => stated,
        Err(refusal) => {
            return fields
                .0
                .iter()
                .try_for_each(|field| out.refuse(field, &refusal));
        }
    };
    note_conversion(fields, out);
    let (account, _) = values::account(fields.text(*b"25"));
    let reference = |number| Some(fields.text(number)).filter(|text| !is_no_reference(text));
    let own = reference(*b"20").unwrap_or_default();
    let related = reference(*b"21").unwrap_or_default();
    let reported = fields.text(*b"13").get(..6).and_then(values::date);
    let party = other_side(fields);
    let text = text_of(fields.find(*b"72"));
    let mut hasher = IdentityHasher::new("mt");
    for part in [
        account,
        direction.code().as_bytes(),
        own,
        related,
        currency.as_str().as_bytes(),
    ] {
        hasher.field(part);
    }
    hasher.field(&amount.units().to_le_bytes());
    hasher.field(&date.map_or(0, Date::days).to_le_bytes());
    out.row(&BankLine {
        source_line: fields.0.first().map_or(0, Field::line),
        account: &decode(account),
        booking_date: reported.map(|date| date.value).or(date),
        value_date: date,
        direction,
        amount,
        type_code: match direction {
            Direction::Credit => "MT910",
            Direction::Debit => "MT900",
        },
        bank_reference: &decode(own),
        end_to_end_id: &decode(related),
        counterparty_name: &decode(party.name),
        counterparty_account: &decode(party.account),
        remittance_text: &decode(&text),
        bytes: bytes_of(fields),
        feed: Feed::Interim,
        entry_reference: &decode(own),
        ..BankLine::blank(hasher.finish(), currency)
    })?;
    let line = fields.0.first().map(Field::line);
    match lack(account, is_whole) {
        Some((code, found)) => out.report(Notice {
            severity: Severity::Error,
            code,
            line,
            found: found.to_owned(),
            expected: "a whole message".to_owned(),
            action: "Ask the bank for it again. What is here is read.".into(),
        }),
        None => Ok(()),
    }
}

/// What a message lacks.
fn lack(account: &[u8], is_whole: bool) -> Option<(FindingCode, &'static str)> {
    if !is_whole {
        let found = "the file ends inside a confirmation";
        return Some((FindingCode::TruncatedFile, found));
    }
    let found = "a confirmation without its account (field 25)";
    account
        .is_empty()
        .then_some((FindingCode::MissingRecord, found))
}

/// Who paid (50), or else through which bank (52).
fn other_side(fields: Fields<'_>) -> Party<'_> {
    Party::of(fields.find(*b"50").or_else(|| fields.find(*b"52")))
}

/// From the first field to the last.
pub(super) fn bytes_of(fields: Fields<'_>) -> std::ops::Range<u64> {
    let start = fields.0.first().map_or(0, |field| field.bytes().start);
    start..fields.0.last().map_or(start, |field| field.bytes().end)
}

/// Counts lines in an older character set.
pub(super) fn note_conversion(fields: Fields<'_>, out: &mut Output<'_>) {
    for line in fields.0.iter().flat_map(Field::lines) {
        if std::str::from_utf8(line.bytes).is_err() {
            out.note(Oddity::Windows1252, line.number);
        }
    }
}
