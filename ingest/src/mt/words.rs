//! The lists of words by which field 86 is read; see `words.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// What a piece of the text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Text under no word.
    Plain,
    Remittance,
    Purpose,
    /// What the ten subfields of the purpose had no room for.
    MorePurpose,
    BookingText,
    Name,
    DebtorName,
    CreditorName,
    Account,
    Bank,
    /// Account, bank, name and city between slashes.
    Counterparty,
    EndToEndId,
    MandateId,
    ReturnReason,
    /// What the German form calls the extension of the text key.
    TextKey,
    /// An amount that ends at the next slash.
    Charges,
    Money,
    Other,
}

/// How many parts there are.
pub(super) const PARTS: usize = Part::Other as usize + 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsFile {
    subfields: Lists,
    purpose: Lists,
    code_words: Lists,
    plain: Lists,
    returns: Returns,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Returns {
    codes: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Lists {
    remittance: Vec<String>,
    purpose: Vec<String>,
    more_purpose: Vec<String>,
    booking_text: Vec<String>,
    name: Vec<String>,
    debtor_name: Vec<String>,
    creditor_name: Vec<String>,
    account: Vec<String>,
    bank: Vec<String>,
    counterparty: Vec<String>,
    end_to_end_id: Vec<String>,
    mandate_id: Vec<String>,
    return_reason: Vec<String>,
    text_key: Vec<String>,
    charges: Vec<String>,
    money: Vec<String>,
    other: Vec<String>,
}

/// The words of one dialect by their first byte, the longest first.
pub(super) struct Words {
    by_first: Vec<Vec<(String, Part)>>,
    /// Whether any begins with the byte.
    begins: [bool; 256],
}

/// Every list.
pub(super) struct Tables {
    pub subfields: Words,
    pub purpose: Words,
    pub code_words: Words,
    pub plain: Words,
    returns: Vec<String>,
}

pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    let file = toml::from_str(include_str!("words.toml")).unwrap_or_else(|_| WordsFile {
        subfields: Lists::default(),
        purpose: Lists::default(),
        code_words: Lists::default(),
        plain: Lists::default(),
        returns: Returns::default(),
    });
    Tables {
        subfields: Words::of(file.subfields),
        purpose: Words::of(file.purpose),
        code_words: Words::of(file.code_words),
        plain: Words::of(file.plain),
        returns: file.returns.codes,
    }
});

impl Tables {
    /// Whether the German business transaction code says that a payment came back.
    pub fn is_return(&self, code: &[u8]) -> bool {
        self.returns.iter().any(|listed| listed.as_bytes() == code)
    }
}

impl Words {
    fn of(lists: Lists) -> Self {
        let mut by_first: Vec<Vec<(String, Part)>> = (0..256).map(|_| Vec::new()).collect();
        for (words, part) in [
            (lists.remittance, Part::Remittance),
            (lists.purpose, Part::Purpose),
            (lists.more_purpose, Part::MorePurpose),
            (lists.booking_text, Part::BookingText),
            (lists.name, Part::Name),
            (lists.debtor_name, Part::DebtorName),
            (lists.creditor_name, Part::CreditorName),
            (lists.account, Part::Account),
            (lists.bank, Part::Bank),
            (lists.counterparty, Part::Counterparty),
            (lists.end_to_end_id, Part::EndToEndId),
            (lists.mandate_id, Part::MandateId),
            (lists.return_reason, Part::ReturnReason),
            (lists.text_key, Part::TextKey),
            (lists.charges, Part::Charges),
            (lists.money, Part::Money),
            (lists.other, Part::Other),
        ] {
            for word in words {
                if let Some(&first) = word.as_bytes().first() {
                    by_first[usize::from(first)].push((word, part));
                }
            }
        }
        for words in &mut by_first {
            words.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
        }
        let mut begins = [false; 256];
        for (begins, words) in begins.iter_mut().zip(&by_first) {
            *begins = !words.is_empty();
        }
        Self { by_first, begins }
    }

    /// How many bytes come before one that a word or a slash may begin with.
    pub fn before_next(&self, text: &[u8]) -> usize {
        let begins = |&byte: &u8| byte == b'/' || self.begins[usize::from(byte)];
        text.iter().position(begins).unwrap_or(text.len())
    }

    /// The word that `text` begins with, and its length.
    pub fn at(&self, text: &[u8]) -> Option<(Part, usize)> {
        let (first, second) = (usize::from(*text.first()?), text.get(1));
        self.by_first[first]
            .iter()
            .find(|(word, _)| {
                let word = word.as_bytes();
                // The second byte nearly always says no.
                (word.len() == 1 || second == word.get(1)) && text.starts_with(word)
            })
            .map(|(word, part)| (*part, word.len()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_table_reads() {
        let file: WordsFile = toml::from_str(include_str!("words.toml")).unwrap();
        assert!(file.code_words.remittance.contains(&"/REMI/".to_owned()));
        assert!(TABLES.is_return(b"109"));
        assert_eq!(TABLES.plain.at(b"TYT.: X"), Some((Part::Remittance, 5)));
    }
}
