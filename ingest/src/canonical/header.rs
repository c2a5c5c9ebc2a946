//! The names of a file's columns against the canonical list.

use std::borrow::Cow;

use memchr::memchr;
use tieout_core::{FindingCode, Severity};

use crate::canonical::columns::Kind;
use crate::canonical::fields::{Shape, scan};
use crate::canonical::text::decode;
use crate::canonical::unread::is_run_output;
use crate::format::Stopped;
use crate::intake::{Intake, Notice};

/// What may separate fields, in the order of preference.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A header of separated names that is of a canonical kind.
#[derive(Debug)]
pub(super) struct Header {
    pub kind: Kind,
    pub separator: u8,
    pub names: Vec<String>,
}

/// A column of the file that the canonical list does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownColumn {
    pub position: usize,
    pub name: String,
}

/// A file's columns against those of its kind.
#[derive(Debug)]
pub(super) struct Mapping {
    pub kind: Kind,
    /// The columns as the file names them.
    names: Vec<String>,
    /// For each canonical column, its position in the file.
    pub positions: Vec<Option<usize>>,
    pub unknown: Vec<UnknownColumn>,
    /// Required columns that are absent; alternatives as `net or gross`.
    pub missing: Vec<String>,
    /// Optional columns that are absent.
    pub absent: Vec<&'static str>,
}

impl Header {
    /// Reads the first line of `head`, if it is the header of a canonical kind.
    pub fn read(head: &[u8]) -> Option<Self> {
        let line = first_line(head);
        if is_run_output(line) {
            return None;
        }
        SEPARATORS.into_iter().find_map(|separator| {
            let names = names(line, separator)?;
            let kind = Kind::of(&names)?;
            Some(Self {
                kind,
                separator,
                names,
            })
        })
    }
}

/// The first line with something in it, without a byte order mark.
pub(super) fn first_line(head: &[u8]) -> &[u8] {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let head = head.trim_ascii_start();
    let end = memchr(b'\n', head).unwrap_or(head.len());
    &head[..end]
}

/// The names, in small letters and without blanks around them.
fn names(line: &[u8], separator: u8) -> Option<Vec<String>> {
    let text = decode(line).0;
    let mut fields = Vec::new();
    let extent = scan(text.as_bytes(), 0, separator, &mut fields);
    if extent.shape != Shape::Sound {
        return None;
    }
    let fields = fields.iter().map(|field| {
        let name = &text[field.start..field.end];
        name.trim().to_ascii_lowercase()
    });
    Some(fields.collect())
}

impl Mapping {
    /// Holds `names` against the columns of `kind`. Of columns with one name the first counts.
    pub fn new(kind: Kind, names: &[String]) -> Self {
        let position = |wanted: &str| names.iter().position(|name| name == wanted);
        let columns = kind.columns().iter();
        let is_absent = |name: &&str| position(name).is_none();
        let missing = kind
            .required()
            .iter()
            .filter(|group| group.iter().all(is_absent));
        let missing: Vec<_> = missing.map(|group| group.join(" or ")).collect();
        let is_required = |name: &str| kind.required().iter().any(|group| *group == [name]);
        Self {
            kind,
            names: names.to_vec(),
            positions: columns
                .clone()
                .map(|column| position(column.name))
                .collect(),
            unknown: unknown(kind, names),
            missing,
            absent: columns
                .map(|column| column.name)
                .filter(|name| is_absent(name) && !is_required(name))
                .collect(),
        }
    }

    /// Says what is missing, or else what is absent and unknown; `line` is the header's.
    pub fn report(&self, intake: &mut Intake<'_>, line: Option<u64>) -> Result<(), Stopped> {
        if !self.missing.is_empty() {
            return intake.report(self.missing_notice(line));
        }
        if !self.absent.is_empty() {
            intake.report(self.absent_notice(line))?;
        }
        for column in &self.unknown {
            intake.report(unknown_notice(self.kind, &column.name, line))?;
        }
        Ok(())
    }

    /// The unknown columns whose values go into the table.
    pub fn kept_unknown(&self) -> Vec<UnknownColumn> {
        if self.kind.has_extra() {
            self.unknown.clone()
        } else {
            Vec::new()
        }
    }

    fn missing_notice(&self, line: Option<u64>) -> Notice {
        Notice {
            severity: Severity::Error,
            code: FindingCode::MissingColumn,
            line,
            found: format!(
                "no column {}; the columns are {}",
                self.missing.join(", "),
                self.names.join(", ")
            ),
            expected: format!("every required column of {}", self.kind.title()),
            action: Cow::Borrowed(
                "nothing of the file was read; add or rename the columns and run again",
            ),
        }
    }

    fn absent_notice(&self, line: Option<u64>) -> Notice {
        Notice {
            severity: Severity::Warning,
            code: FindingCode::MissingColumn,
            line,
            found: format!("no column {}", self.absent.join(", ")),
            expected: format!("every column of {}", self.kind.title()),
            action: Cow::Borrowed(
                "the rows were read without them; add the columns if the business has them",
            ),
        }
    }
}

/// What is said of a column that the canonical list does not have.
pub(super) fn unknown_notice(kind: Kind, name: &str, line: Option<u64>) -> Notice {
    let is_kept = kind.has_extra();
    Notice {
        severity: Severity::Info,
        code: FindingCode::UnknownColumn,
        line,
        found: format!("column {name}"),
        expected: format!("a column of {}", kind.title()),
        action: Cow::Borrowed(if is_kept {
            "its values are kept in the column extra; rename it if it is one of the list"
        } else {
            "its values are not used; rename it if it is one of the list"
        }),
    }
}

fn unknown(kind: Kind, names: &[String]) -> Vec<UnknownColumn> {
    let is_canonical = |name: &str| kind.columns().iter().any(|column| column.name == name);
    let mut unknown = Vec::new();
    for (position, name) in names.iter().enumerate() {
        let is_repeated = names[..position].contains(name);
        if is_repeated || name.is_empty() {
            let name = format!("column_{}", position + 1);
            unknown.push(UnknownColumn { position, name });
        } else if !is_canonical(name) {
            let name = name.clone();
            unknown.push(UnknownColumn { position, name });
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn separators_quotes_case_and_marks_are_read() {
        for head in [
            "party_id,name\nC1,Acme",
            "\u{feff}\r\n\"PARTY_ID\";\"Name\"\r\nC1;Acme",
            "name\tparty_id",
            " Party_Id | Name ",
        ] {
            assert_eq!(Header::read(head.as_bytes()).unwrap().kind, Kind::Parties);
        }
        let header = Header::read(b"name\tparty_id\n").unwrap();
        assert_eq!(
            (header.separator, header.names[1].as_str()),
            (b'\t', "party_id")
        );
    }

    #[test]
    fn other_files_are_not_claimed() {
        for head in [
            "",
            "01,091000019,4400128871,260316,0605,1,,,2/\n",
            "100HARBORST0000910000192603160615",
            "truth_file,truth_line,scenario,decidable,party_id,status,currency,amount,item_id",
            "{\"party_id\":\"C1\",\"name\":\"Acme\"}",
            "PAR1",
            "\"party_id,name\n",
        ] {
            assert!(Header::read(head.as_bytes()).is_none(), "{head}");
        }
    }

    #[test]
    fn columns_are_mapped_by_name() {
        let names = ["name", "city", "party_id", "", "name"].map(str::to_owned);
        let mapping = Mapping::new(Kind::Parties, &names);
        assert_eq!(mapping.positions[..3], [Some(2), None, Some(0)]);
        let unknown: Vec<_> = mapping.unknown.iter().map(|c| c.name.as_str()).collect();
        assert_eq!(unknown, ["city", "column_4", "column_5"]);
        assert_eq!(mapping.absent, ["role", "aliases", "parent_id", "accounts"]);
        assert!(mapping.missing.is_empty());
    }

    #[test]
    fn alternatives_are_named_together() {
        let names = ["document_number", "currency"].map(str::to_owned);
        let mapping = Mapping::new(Kind::Remittances, &names);
        let missing = ["net or gross", "payment_reference or payment_amount"];
        assert_eq!(mapping.missing, missing);
    }
}
