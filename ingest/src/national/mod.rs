//! What the fixed-width formats of single countries share: CODA, CFONB 120, Norma 43 and CNAB.
//!
//! `records` gives records of one width however lines end, `charset` their text, `kept` holds a
//! record until the ones that go with it have come, `ledger` adds up an account's movements, and
//! `desk` takes rows, oddities and refusals and hands them over.

mod charset;
mod desk;
mod kept;
mod ledger;
mod records;

pub(crate) use charset::decode;
pub(crate) use desk::{Desk, Oddity, Refusal};
pub(crate) use kept::Kept;
pub(crate) use ledger::{Ledger, control_count, control_total};
pub(crate) use records::{RecordReader, first_line, read_records};

use tieout_core::check_digits::is_iso_11649;
use tieout_core::{Amount, Date, QuarantineReason};

use crate::fixed::digits;

/// The amount that digits in minor units name; blanks are none.
pub(crate) fn minor_amount(field: &[u8], decimals: u32, what: &str) -> Result<Amount, Refusal> {
    let field = field.trim_ascii();
    if field.is_empty() {
        return Ok(Amount::ZERO);
    }
    digits(field)
        .and_then(|minor| Amount::from_minor(minor, decimals).ok())
        .ok_or_else(|| {
            let message = format!(
                "the {what} is `{}`; expected digits, at most 18 before the decimals",
                String::from_utf8_lossy(field)
            );
            (QuarantineReason::BadAmount, message)
        })
}

/// A date, or none where the field is blank, zeros or nines.
pub(crate) fn optional_date<E>(
    field: &[u8],
    parse: impl Fn(&[u8]) -> Result<Date, E>,
    what: &str,
) -> Result<Option<Date>, Refusal> {
    let is_filler = |byte: &u8| matches!(byte, b'0' | b' ');
    if field.iter().all(is_filler) || field.iter().all(|&byte| byte == b'9') {
        return Ok(None);
    }
    parse(field).map(Some).map_err(|_| {
        let message = format!(
            "the {what} is `{}`; expected a day of the calendar",
            String::from_utf8_lossy(field)
        );
        (QuarantineReason::BadDate, message)
    })
}

/// Appends the words of `words`, with single blanks between all.
pub(crate) fn append_words(text: &mut String, words: &str) {
    for word in words.split_ascii_whitespace() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
}

/// A creditor reference of ISO 11649 that stands as a word in `text`.
pub(crate) fn iso_reference_in(text: &str) -> Option<&str> {
    text.split_ascii_whitespace()
        .find(|word| is_iso_11649(word.as_bytes()))
}
