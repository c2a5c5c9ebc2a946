//! The text of a statement line: which words say who pays, and which say what for.

use std::sync::LazyLock;

use serde::Deserialize;

use super::record::TextLine;

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The record's own text, before any tag.
    Own,
    Remittance,
    DebtorName,
    DebtorAccount,
    DebtorBank,
    CreditorName,
    CreditorAccount,
    CreditorBank,
    EndToEndId,
    CheckNumber,
    Other,
}

const MEANINGS: usize = Meaning::Other as usize + 1;

#[derive(Deserialize)]
struct TagsFile {
    line: TagLists,
    anywhere: TagLists,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct TagLists {
    remittance: Vec<String>,
    debtor_name: Vec<String>,
    debtor_account: Vec<String>,
    debtor_bank: Vec<String>,
    creditor_name: Vec<String>,
    creditor_account: Vec<String>,
    creditor_bank: Vec<String>,
    end_to_end_id: Vec<String>,
    check_number: Vec<String>,
    other: Vec<String>,
}

struct Tag {
    word: String,
    meaning: Meaning,
}

/// Tags, the longest first, by their first byte.
struct Tags(Vec<Vec<Tag>>);

struct Tables {
    line: Tags,
    anywhere: Tags,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    let file = toml::from_str::<TagsFile>(include_str!("tags.toml"));
    let (line, anywhere) = file.map_or_else(
        |_| (TagLists::default(), TagLists::default()),
        |file| (file.line, file.anywhere),
    );
    Tables {
        line: Tags::of(line),
        anywhere: Tags::of(anywhere),
    }
});

impl Tags {
    fn of(lists: TagLists) -> Self {
        let mut by_first: Vec<Vec<Tag>> = (0..256).map(|_| Vec::new()).collect();
        for (words, meaning) in [
            (lists.remittance, Meaning::Remittance),
            (lists.debtor_name, Meaning::DebtorName),
            (lists.debtor_account, Meaning::DebtorAccount),
            (lists.debtor_bank, Meaning::DebtorBank),
            (lists.creditor_name, Meaning::CreditorName),
            (lists.creditor_account, Meaning::CreditorAccount),
            (lists.creditor_bank, Meaning::CreditorBank),
            (lists.end_to_end_id, Meaning::EndToEndId),
            (lists.check_number, Meaning::CheckNumber),
            (lists.other, Meaning::Other),
        ] {
            for word in words.into_iter().filter(|word| !word.is_empty()) {
                by_first[usize::from(word.as_bytes()[0])].push(Tag { word, meaning });
            }
        }
        for tags in &mut by_first {
            tags.sort_by_key(|tag| std::cmp::Reverse(tag.word.len()));
        }
        Self(by_first)
    }

    /// The tag that `text` begins with, and its length.
    fn at(&self, text: &[u8]) -> Option<(Meaning, usize)> {
        let (first, second) = (usize::from(*text.first()?), text.get(1));
        self.0[first]
            .iter()
            .find(|tag| {
                let word = tag.word.as_bytes();
                // The second byte nearly always says no.
                (word.len() == 1 || second == word.get(1)) && text.starts_with(word)
            })
            .map(|tag| (tag.meaning, tag.word.len()))
    }
}

/// The tag at the beginning of a line: a listed one, or words before `:=`.
fn line_tag(line: &[u8]) -> Option<(Meaning, usize)> {
    TABLES.line.at(line).or_else(|| {
        let mut equals = memchr::memchr_iter(b'=', line);
        let end = equals.find_map(|at| at.checked_sub(1).filter(|&colon| line[colon] == b':'))?;
        let is_words = line[..end]
            .iter()
            .all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ');
        (end > 0 && is_words).then_some((Meaning::Other, end + 2))
    })
}

/// The parts of a text. Its buffers are used again for the next one.
#[derive(Default)]
pub(super) struct Narrative {
    values: [Vec<u8>; MEANINGS],
}

impl Narrative {
    /// Takes apart the lines of `text`.
    pub fn read(&mut self, text: &[u8], lines: &[TextLine]) {
        self.values.iter_mut().for_each(Vec::clear);
        let mut meaning = Meaning::Own;
        let mut before: Option<&TextLine> = None;
        for line in lines {
            let bytes = &text[line.range.clone()];
            if let Some((tag, length)) = line_tag(bytes.trim_ascii_start()) {
                meaning = self.open(tag);
                let value = &bytes.trim_ascii_start()[length..];
                self.values[meaning as usize].extend_from_slice(value.trim_ascii());
            } else {
                let value = &mut self.values[meaning as usize];
                append(value, before, bytes);
            }
            before = Some(line);
        }
        self.read_own_tags();
    }

    /// Where the value of a tag goes: of a name or number the first one counts, of remittance
    /// every one.
    fn open(&mut self, tag: Meaning) -> Meaning {
        let value = &mut self.values[tag as usize];
        if tag == Meaning::Remittance {
            separate(value);
        } else if !value.is_empty() {
            return Meaning::Other;
        }
        tag
    }

    /// Tags inside the record's own text; the text itself stays whole.
    fn read_own_tags(&mut self) {
        let own = std::mem::take(&mut self.values[Meaning::Own as usize]);
        let mut open: Option<(Meaning, usize)> = None;
        let behind_blanks = memchr::memchr_iter(b' ', &own).map(|blank| blank + 1);
        let words = std::iter::once(0).chain(behind_blanks);
        for at in words.filter(|&at| own.get(at).is_some_and(u8::is_ascii_uppercase)) {
            if let Some((tag, length)) = TABLES.anywhere.at(&own[at..]) {
                self.close_own_tag(open, &own[..at]);
                open = Some((tag, at + length));
            }
        }
        self.close_own_tag(open, &own);
        self.values[Meaning::Own as usize] = own;
    }

    fn close_own_tag(&mut self, open: Option<(Meaning, usize)>, until: &[u8]) {
        if let Some((tag, from)) = open
            && let Some(value) = until.get(from..)
        {
            let meaning = self.open(tag);
            self.values[meaning as usize].extend_from_slice(value.trim_ascii());
        }
    }

    /// What the text says of `meaning`, or nothing.
    pub fn value(&self, meaning: Meaning) -> &[u8] {
        self.values[meaning as usize].trim_ascii()
    }

    /// What the payment is for: what stands under a remittance tag, or else the own text.
    pub fn remittance(&self) -> &[u8] {
        match self.value(Meaning::Remittance) {
            b"" => self.value(Meaning::Own),
            remittance => remittance,
        }
    }
}

/// Goes on with a value on the next line, with a blank if the line break was between words.
fn append(value: &mut Vec<u8>, before: Option<&TextLine>, next: &[u8]) {
    let is_between_words = before.is_some_and(|line| {
        let ends = value.last().copied().unwrap_or(b' ');
        let begins = next.first().copied().unwrap_or(b' ');
        line.has_blank
            || begins == b' '
            || !line.is_full && ends.is_ascii_alphanumeric() && begins.is_ascii_alphanumeric()
    });
    if is_between_words {
        separate(value);
    }
    value.extend_from_slice(next.trim_ascii_start());
}

fn separate(value: &mut Vec<u8>) {
    if value.last().is_some_and(|&byte| byte != b' ') {
        value.push(b' ');
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::record::{Record, content};
    use super::*;

    fn read(lines: &[&str]) -> Narrative {
        let mut record = Record::default();
        for line in lines {
            record.add_text(content(line.as_bytes()));
        }
        let mut narrative = Narrative::default();
        narrative.read(&record.text, &record.text_lines);
        narrative
    }

    fn value(lines: &[&str], meaning: Meaning) -> String {
        String::from_utf8(read(lines).value(meaning).to_vec()).unwrap()
    }

    #[test]
    fn the_table_reads() {
        let file: TagsFile = toml::from_str(include_str!("tags.toml")).unwrap();
        assert!(file.line.remittance.contains(&"OBI:=".to_owned()));
        assert!(file.anywhere.debtor_name.len() == 1);
    }

    #[test]
    fn tags_say_who_and_what_for() {
        let lines = [
            "FED NO: 20100831L1B77D1C",
            "SENDER BNK:=ETRADE BANK",
            "ORG:=OPTIONS LINK WIRE CLEARING",
            "ORG ADDRESS:=2/AV MAIN 2/AVENUE DE ANGELLIST 3/MX",
            "/MEXICO ;",
            "BNF NAME:=YOUR NAME HERE INC",
            "NEW WORD:=X",
            "OBI:=INVOICE 123456",
        ];
        assert_eq!(
            value(&lines, Meaning::DebtorName),
            "OPTIONS LINK WIRE CLEARING"
        );
        assert_eq!(value(&lines, Meaning::CreditorName), "YOUR NAME HERE INC");
        assert_eq!(read(&lines).remittance(), b"INVOICE 123456");
    }

    #[test]
    fn a_value_goes_on_as_the_writer_broke_it() {
        let long = "INV-0000001/INV-0000002/INV-0000003/INV-0000004/INV-0000005/INV-0";
        for (lines, joined) in [
            (
                ["REMI: INV-1, INV-2, ", "INV-3"],
                "INV-1, INV-2, INV-3".to_owned(),
            ),
            (
                ["REMI: INV-1,INV-2,", "INV-3"],
                "INV-1,INV-2,INV-3".to_owned(),
            ),
            (
                ["REMI: INV-1/INV-2", "/INV-3"],
                "INV-1/INV-2/INV-3".to_owned(),
            ),
            (
                ["REMI: INV-1 / INV-2 ", "/ INV-3"],
                "INV-1 / INV-2 / INV-3".to_owned(),
            ),
            (
                ["REMI: INV-1 INV-2", "INV-3"],
                "INV-1 INV-2 INV-3".to_owned(),
            ),
            (
                ["REMI: INV-1 INV-2", "  INV-3"],
                "INV-1 INV-2 INV-3".to_owned(),
            ),
            (["REMI: INV-1", "REMI: INV-2"], "INV-1 INV-2".to_owned()),
            (
                [&format!("REMI: {long}"), "000006"],
                format!("{long}000006"),
            ),
        ] {
            assert_eq!(value(&lines, Meaning::Remittance), joined);
        }
    }

    #[test]
    fn without_a_tag_the_own_text_is_what_the_payment_is_for() {
        let lines = ["LOCKBOX DEPOSIT", "BOX 0061001"];
        assert_eq!(read(&lines).remittance(), b"LOCKBOX DEPOSIT BOX 0061001");
        assert_eq!(read(&[]).remittance(), b"");
    }

    #[test]
    fn tags_inside_the_own_text_count_and_the_text_stays_whole() {
        let lines = ["ORIG CO NAME:ACME INC       ORIG ID:123 SEC:CTX PMT INFO:INV 7"];
        assert_eq!(value(&lines, Meaning::DebtorName), "ACME INC");
        assert_eq!(value(&lines, Meaning::Own), lines[0]);
        assert_eq!(read(&lines).remittance(), b"INV 7");
    }
}
