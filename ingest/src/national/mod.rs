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
    let mut rest = words;
    loop {
        let (_, word) = rest.split_at(blanks(rest.as_bytes()));
        if word.is_empty() {
            return;
        }
        let length = word.bytes().position(|byte| byte.is_ascii_whitespace());
        let (word, behind) = word.split_at(length.unwrap_or(word.len()));
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
        rest = behind;
    }
}

/// How many blanks `text` begins with. Records are filled up with them, so that they are counted
/// eight at a time.
fn blanks(text: &[u8]) -> usize {
    let (eights, _) = text.as_chunks::<8>();
    let count = eights.iter().take_while(|&eight| eight == b"        ");
    let count = 8 * count.count();
    let rest = text.iter().skip(count);
    count + rest.take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// A creditor reference of ISO 11649 that stands as a word in `text`.
pub(crate) fn iso_reference_in(text: &str) -> Option<&str> {
    text.split_ascii_whitespace()
        .find(|word| is_iso_11649(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_what_splitting_gives(words in "([ab\u{e9}]{0,3}[ \t]{0,20}){0,4}") {
            let mut text = String::new();
            append_words(&mut text, &words);
            let split: Vec<&str> = words.split_ascii_whitespace().collect();
            prop_assert_eq!(text, split.join(" "));
        }
    }
}
