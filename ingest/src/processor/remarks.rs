//! What is said once for a whole file, with a count.

use std::collections::BTreeMap;

use tieout_core::{FindingCode, Severity};

use crate::intake::Notice;

/// Words of one kind that are named in a finding.
const WORDS_MAX: usize = 12;
/// Characters of a word that are named.
const WORD_CHARS_MAX: usize = 80;

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Remark {
    UnknownKind,
    UnknownStatus,
    /// A row tells of a payment, but moves no balance.
    Told,
    /// An object holds no money.
    Foreign,
    Rounded,
    Converted,
    /// A balance does not follow from the one before.
    RunningBalance,
    /// A list is a page of a longer one.
    MorePages,
}

/// How it is said.
struct Saying {
    severity: Severity,
    code: FindingCode,
    what: &'static str,
    expected: &'static str,
    action: &'static str,
}

const fn saying(
    severity: Severity,
    code: FindingCode,
    what: &'static str,
    expected: &'static str,
    action: &'static str,
) -> Saying {
    Saying {
        severity,
        code,
        what,
        expected,
        action,
    }
}

const UNKNOWN_KIND: Saying = saying(
    Severity::Warning,
    FindingCode::UnknownCode,
    "lines of a kind that the profile does not have",
    "a kind of the profile",
    "They were read as adjustments; see what they are, and add the word to the profile.",
);
const UNKNOWN_STATUS: Saying = saying(
    Severity::Warning,
    FindingCode::UnknownCode,
    "lines with a status that the profile does not have",
    "a status of the profile",
    "They were read as moving the balance; see whether they do.",
);
const TOLD: Saying = saying(
    Severity::Info,
    FindingCode::NoEffect,
    "rows that move no balance",
    "",
    "They are in the table payment_statuses.",
);
const FOREIGN: Saying = saying(
    Severity::Info,
    FindingCode::NoEffect,
    "objects that hold no money",
    "",
    "Nothing of them was read.",
);
const ROUNDED: Saying = saying(
    Severity::Info,
    FindingCode::RoundedAmounts,
    "lines with more decimals than an amount keeps",
    "at most 5 decimals",
    "Gross and net were rounded to the nearest; the fee is their difference.",
);
const CONVERTED: Saying = saying(
    Severity::Info,
    FindingCode::ConvertedCharacters,
    "rows that are not UTF-8",
    "UTF-8",
    "They were read as Windows-1252.",
);
const RUNNING_BALANCE: Saying = saying(
    Severity::Warning,
    FindingCode::BalanceRollForward,
    "lines whose balance does not follow from the one before",
    "the balance before and the net",
    "Rows may be missing or filtered out; download the whole period.",
);
const MORE_PAGES: Saying = saying(
    Severity::Warning,
    FindingCode::TruncatedFile,
    "lists of which more pages follow",
    "every page",
    "Fetch the other pages too.",
);

impl Remark {
    const fn saying(self) -> &'static Saying {
        match self {
            Self::UnknownKind => &UNKNOWN_KIND,
            Self::UnknownStatus => &UNKNOWN_STATUS,
            Self::Told => &TOLD,
            Self::Foreign => &FOREIGN,
            Self::Rounded => &ROUNDED,
            Self::Converted => &CONVERTED,
            Self::RunningBalance => &RUNNING_BALANCE,
            Self::MorePages => &MORE_PAGES,
        }
    }
}

#[derive(Debug, Default)]
struct Note {
    first: u64,
    count: u64,
    words: BTreeMap<String, u64>,
}

/// The remarks about one file.
#[derive(Debug, Default)]
pub(super) struct Remarks(BTreeMap<Remark, Note>);

impl Remarks {
    /// Counts a remark about `line`; `word` is what it was.
    pub fn note(&mut self, remark: Remark, line: u64, word: &str) {
        let note = self.0.entry(remark).or_default();
        if note.count == 0 {
            note.first = line;
        }
        note.count += 1;
        if note.words.len() < WORDS_MAX || note.words.contains_key(word) {
            let word = word.chars().take(WORD_CHARS_MAX).collect();
            *note.words.entry(word).or_default() += 1;
        }
    }

    /// What there is to say.
    pub fn notices(&self) -> Vec<Notice> {
        let notices = self
            .0
            .iter()
            .map(|(remark, note)| note.said(remark.saying()));
        notices.collect()
    }
}

impl Note {
    fn said(&self, saying: &Saying) -> Notice {
        Notice {
            severity: saying.severity,
            code: saying.code,
            line: Some(self.first),
            found: format!("{} {}{}", self.count, saying.what, self.named()),
            expected: saying.expected.to_owned(),
            action: saying.action.into(),
        }
    }

    /// The words with their counts.
    fn named(&self) -> String {
        let named = self.words.iter().filter(|(word, _)| !word.is_empty());
        let named: Vec<String> = named
            .map(|(word, count)| format!("{word} {count}"))
            .collect();
        if named.is_empty() {
            return String::new();
        }
        format!(": {}", named.join(", "))
    }
}
