//! The lines before the heading: whose account it is, and in which currency.

use tieout_core::Currency;
use tieout_core::check_digits::is_iban;

use super::date::Dated;
use super::row::Row;
use super::words::{fold, words};

/// Words behind `account` within which its number stands.
const WORDS_WITHIN: usize = 3;

/// What the lines before the heading tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preamble {
    pub account: String,
    pub currency: Option<Currency>,
    /// Lines with something in them.
    pub lines: u64,
}

impl Preamble {
    /// Takes the next line into account.
    pub fn add(&mut self, row: &Row) {
        self.lines += u64::from(row.filled() > 0);
        for place in 0..row.len() {
            let (label, value) = labelled(row, place);
            let label = fold(label);
            if words().account.contains(&label) && !value.is_empty() {
                self.set_account(iban_in(value).unwrap_or_else(|| value.to_owned()));
            } else if words().currency.contains(&label) {
                self.currency = self.currency.or_else(|| words().code(value));
            } else if let Some(account) =
                iban_in(row.cell(place)).or_else(|| named(row.cell(place)))
            {
                self.set_account(account);
            }
        }
    }

    fn set_account(&mut self, account: String) {
        if self.account.is_empty() && account.chars().any(|letter| letter.is_ascii_digit()) {
            self.account = account;
        }
    }
}

/// The account that a line between rows names: another one's rows follow.
pub(super) fn section(row: &Row) -> Option<String> {
    let mut preamble = Preamble::default();
    if row.filled() <= 2 {
        preamble.add(row);
    }
    Some(preamble.account).filter(|account| !account.is_empty())
}

/// A cell before its colon, and what stands behind it or in the next cell.
fn labelled(row: &Row, place: usize) -> (&str, &str) {
    let cell = row.cell(place);
    match cell.split_once(':') {
        Some((label, value)) if !value.trim().is_empty() => (label, value.trim()),
        Some((label, _)) => (label, row.cell(place + 1)),
        None => (cell, row.cell(place + 1)),
    }
}

/// The account number in `text` that its check digits confirm.
fn iban_in(text: &str) -> Option<String> {
    let joined: String = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .collect();
    let mut candidates = std::iter::once(&*joined).chain(text.split_whitespace());
    let iban = candidates.find(|candidate| is_iban(candidate.as_bytes()))?;
    Some(iban.to_owned())
}

/// A number soon behind the word `account`, as in a title.
fn named(text: &str) -> Option<String> {
    let mut rest = text.split_whitespace();
    rest.find(|word| words().account.contains(&fold(word)))?;
    let number = rest.take(WORDS_WITHIN).find(|word| {
        word.chars().filter(char::is_ascii_digit).count() > 2 && Dated::of(word).is_none()
    })?;
    Some(number.trim_end_matches([',', ';', '.']).to_owned())
}
