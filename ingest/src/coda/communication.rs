//! What a movement is about: free text, or a structure that its first three digits name.

use std::borrow::Cow;

use memchr::memchr_iter;
use tieout_core::check_digits::{is_belgian_ogm, is_iso_11649};

use super::movement::Movement;
use crate::fixed::{columns, trimmed};
use crate::national::{append_words, decode, iso_reference_in};

/// The communication of a movement.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Communication<'a> {
    pub text: String,
    /// A reference with check digits, if they are right.
    pub creditor_reference: Cow<'a, str>,
    /// A reference whose check digits are wrong.
    pub broken_reference: Option<String>,
    pub mandate_id: Cow<'a, str>,
    /// Why a direct debit came back.
    pub return_reason: Cow<'a, str>,
    pub is_return: bool,
}

/// The characters of a movement's communication, as they follow each other in its records.
pub(super) fn characters(movement: &Movement) -> Vec<u8> {
    let parts = [
        (&movement.first, 63, 115, 53),
        (&movement.second, 11, 63, 53),
        (&movement.third, 83, 125, 43),
    ];
    let mut characters = Vec::with_capacity(149);
    let mut length = 0;
    for (record, first, last, width) in parts {
        characters.resize(length, b' ');
        characters.extend_from_slice(columns(record.bytes(), first, last));
        length += width;
    }
    characters
}

impl<'a> Communication<'a> {
    /// Reads `characters`, which the movement says are structured or not.
    pub fn read(characters: &'a [u8], is_structured: bool) -> Self {
        if !is_structured {
            return Self::free(characters);
        }
        match columns(characters, 1, 3) {
            b"100" => Self::iso_reference(characters),
            b"101" | b"102" => Self::belgian_reference(characters),
            b"127" => Self::direct_debit(characters),
            _ => Self {
                text: squeezed(characters),
                ..Self::default()
            },
        }
    }

    fn free(characters: &'a [u8]) -> Self {
        let text = squeezed(characters);
        let reference = reference_in(characters)
            .or_else(|| iso_reference_in(&text).map(str::to_owned))
            .unwrap_or_default();
        Self {
            text,
            creditor_reference: Cow::Owned(reference),
            ..Self::default()
        }
    }

    fn belgian_reference(characters: &'a [u8]) -> Self {
        let digits = columns(characters, 4, 15);
        let rest = squeezed(columns(characters, 16, 149));
        let mut communication = Self {
            text: with_rest(format!("+++{}+++", grouped(digits)), &rest),
            ..Self::default()
        };
        if is_belgian_ogm(digits) {
            communication.creditor_reference = decode(digits);
        } else {
            communication.broken_reference = Some(decode(digits).into_owned());
        }
        communication
    }

    fn iso_reference(characters: &'a [u8]) -> Self {
        let reference = trimmed(characters, 4, 28);
        let rest = squeezed(columns(characters, 29, 149));
        let mut communication = Self {
            text: with_rest(decode(reference).into_owned(), &rest),
            ..Self::default()
        };
        if is_iso_11649(reference) {
            communication.creditor_reference = decode(reference);
        } else {
            communication.broken_reference = Some(decode(reference).into_owned());
        }
        communication
    }

    /// A SEPA direct debit: date, kind, scheme, whether it was paid, creditor, mandate, text,
    /// kind of return and its reason.
    fn direct_debit(characters: &'a [u8]) -> Self {
        let returned = trimmed(characters, 145, 145);
        Self {
            text: squeezed(columns(characters, 83, 144)),
            mandate_id: decode(trimmed(characters, 48, 82)),
            return_reason: decode(trimmed(characters, 146, 149)),
            is_return: !matches!(returned, b"" | b"0"),
            ..Self::default()
        }
    }
}

fn with_rest(mut text: String, rest: &str) -> String {
    if !rest.is_empty() {
        text.push(' ');
        text.push_str(rest);
    }
    text
}

/// `123/4567/89012`, as it stands on a payment form.
fn grouped(digits: &[u8]) -> String {
    let part = |first, last| decode(columns(digits, first, last)).into_owned();
    format!("{}/{}/{}", part(1, 3), part(4, 7), part(8, 12))
}

/// The digits of a Belgian structured communication that a payer wrote into free text as
/// `123/4567/89012`, if its check digits are right.
fn reference_in(text: &[u8]) -> Option<String> {
    memchr_iter(b'/', text).find_map(|slash| {
        let window = text.get(slash.checked_sub(3)?..slash + 11)?;
        if window.get(8) != Some(&b'/') {
            return None;
        }
        let digits: Vec<u8> = window.iter().copied().filter(|&b| b != b'/').collect();
        is_belgian_ogm(&digits).then(|| decode(&digits).into_owned())
    })
}

/// Text with single blanks between its words.
pub(super) fn squeezed(text: &[u8]) -> String {
    let mut words = String::with_capacity(text.len());
    append_words(&mut words, &decode(text));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_where_their_check_digits_are_right() {
        let right = Communication::read(b"101090933755493  813", true);
        assert_eq!(right.creditor_reference, "090933755493");
        assert_eq!(right.text, "+++090/9337/55493+++ 813");
        let wrong = Communication::read(b"101090933755494", true);
        assert_eq!(wrong.creditor_reference, "");
        assert_eq!(wrong.broken_reference.as_deref(), Some("090933755494"));
        let free = Communication::read(b"factuur +++090/9337/55493+++ bedankt", false);
        assert_eq!(free.creditor_reference, "090933755493");
        let other = Communication::read(b"1/2/3 090/9337/55494", false);
        assert_eq!(other.creditor_reference, "");
    }
}
