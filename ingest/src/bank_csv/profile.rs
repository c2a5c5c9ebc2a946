//! How one bank's CSV is to be read, where what is inferred is wrong or open: a profile in TOML.
//!
//! ```toml
//! format = "bank_csv"
//! name = "harbor"
//! contains = "Harbor Bank export"  # text in the first lines, if columns are given by number
//! skip_lines = 2                   # lines before the heading
//! heading = true                   # whether there is one
//! separator = ";"
//! encoding = "windows-1252"
//! decimal = ","
//! thousands = "."
//! dates = "DMY"                    # or MDY, YMD
//! sign = "as_written"              # or reversed
//! credit_words = ["Eingang"]       # what the direction column says
//! debit_words = ["Ausgang"]
//! currency = "EUR"
//! account = "DE89370400440532013000"
//!
//! [columns]                        # by name, or by number from 1
//! date = "Gebucht"
//! amount = "Summe"
//! text = ["Zweck", 7]
//! fee = "Entgelt"
//! ```
//!
//! The names under `[columns]` say which files a profile is for, so that one with headings in no
//! language that is known is read too.

use std::collections::BTreeMap;
use std::sync::Arc;

use encoding_rs::Encoding;
use serde::Deserialize;
use tieout_core::Currency;

use super::amount::Mark;
use super::columns::Columns;
use super::date::DateOrder;
use super::row::Row;
use super::words::{Meaning, fold};
use crate::lockbox::LayoutError;

/// Columns that a table may have.
const COLUMNS_MAX: usize = 1_000;
/// Lines within which a heading stands.
pub(super) const HEADING_WITHIN_LINES: usize = 60;

/// A checked profile.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Profile {
    pub name: String,
    contains: Option<String>,
    skip_lines: u64,
    has_heading: bool,
    pub separator: Option<char>,
    pub encoding: Option<&'static Encoding>,
    pub mark: Option<Mark>,
    pub thousands: Option<char>,
    pub dates: Option<DateOrder>,
    pub is_reversed: Option<bool>,
    pub credit_words: Vec<String>,
    pub debit_words: Vec<String>,
    pub currency: Option<Currency>,
    pub account: Option<String>,
    columns: Vec<(Meaning, Place)>,
}

/// A column by its folded name, or its place from 0.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Name(String),
    Number(usize),
}

/// A profile as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileText {
    format: String,
    name: String,
    #[serde(default)]
    #[expect(dead_code, reason = "a remark of the profile's author")]
    about: String,
    contains: Option<String>,
    #[serde(default)]
    skip_lines: u64,
    #[serde(default = "yes")]
    heading: bool,
    separator: Option<char>,
    encoding: Option<String>,
    decimal: Option<char>,
    thousands: Option<char>,
    dates: Option<String>,
    sign: Option<String>,
    #[serde(default)]
    credit_words: Vec<String>,
    #[serde(default)]
    debit_words: Vec<String>,
    currency: Option<String>,
    account: Option<String>,
    #[serde(default)]
    columns: BTreeMap<Meaning, OneOrMany>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(PlaceText),
    Many(Vec<PlaceText>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PlaceText {
    Number(usize),
    Name(String),
}

impl Profile {
    /// Reads the profile that `text` describes.
    ///
    /// # Errors
    /// A [`LayoutError`] that names the file, the key and what is wrong with it.
    pub fn parse(file: &str, text: &str) -> Result<Self, LayoutError> {
        let wrong = |field: &str, problem: String| LayoutError {
            file: file.to_owned(),
            field: field.to_owned(),
            problem,
        };
        let text: ProfileText = toml::from_str(text)
            .map_err(|error| wrong("the file", format!("does not read: {}", error.message())))?;
        if text.format != "bank_csv" {
            return Err(wrong(
                "format",
                format!("is {:?}, expected \"bank_csv\"", text.format),
            ));
        }
        Self::check(text).map_err(|(field, problem)| wrong(field, problem))
    }

    fn check(text: ProfileText) -> Result<Self, (&'static str, String)> {
        let columns = places(&text.columns)?;
        let is_by_number = columns
            .iter()
            .all(|(_, place)| matches!(place, Place::Number(_)));
        if is_by_number && text.contains.is_none() {
            let problem = "is missing: without names of columns it tells which files the profile \
                           is for";
            return Err(("contains", problem.to_owned()));
        }
        if !text.heading && !is_by_number {
            return Err((
                "columns",
                "expected numbers where heading = false".to_owned(),
            ));
        }
        let mark = chosen(
            "decimal",
            text.decimal,
            &[('.', Mark::Point), (',', Mark::Comma)],
        )?;
        if text.thousands.is_some() && text.thousands == text.decimal {
            return Err(("thousands", "is the decimal mark too".to_owned()));
        }
        let orders = [
            ("DMY", DateOrder::Day),
            ("MDY", DateOrder::Month),
            ("YMD", DateOrder::Year),
        ];
        let signs = [("as_written", false), ("reversed", true)];
        Ok(Self {
            mark,
            dates: chosen("dates", text.dates.as_deref(), &orders)?,
            is_reversed: chosen("sign", text.sign.as_deref(), &signs)?,
            encoding: text.encoding.as_deref().map(encoding).transpose()?,
            currency: text.currency.as_deref().map(currency).transpose()?,
            name: text.name,
            contains: text.contains,
            skip_lines: text.skip_lines,
            has_heading: text.heading,
            separator: text.separator,
            thousands: text.thousands,
            credit_words: text.credit_words.iter().map(|word| fold(word)).collect(),
            debit_words: text.debit_words.iter().map(|word| fold(word)).collect(),
            account: text.account,
            columns,
        })
    }

    /// The columns of `rows`, if the profile is for them.
    pub fn columns(&self, rows: &[Row]) -> Option<Columns> {
        let is_named = |row: &Row| row.cells().any(|cell| self.is_in(cell));
        if self.contains.is_some() && !rows.iter().take(HEADING_WITHIN_LINES).any(is_named) {
            return None;
        }
        let mut below = rows.iter().filter(|row| row.line > self.skip_lines);
        if !self.has_heading {
            let columns = Columns::of_meanings(Vec::new(), true).below_line(self.skip_lines);
            return self.placed(columns, None);
        }
        below
            .by_ref()
            .take(HEADING_WITHIN_LINES)
            .filter(|row| row.filled() > 1)
            .find_map(|row| self.placed(Columns::of_heading(row), Some(row)))
    }

    fn is_in(&self, cell: &str) -> bool {
        self.contains
            .as_ref()
            .is_some_and(|text| cell.contains(text.as_str()))
    }

    /// `columns` with the profile's own meanings over those of the names.
    fn placed(&self, mut columns: Columns, heading: Option<&Row>) -> Option<Columns> {
        if !self.columns.is_empty() {
            columns = match heading {
                Some(row) => columns.unassigned().with_names(row),
                None => columns,
            };
        }
        for (meaning, place) in &self.columns {
            let column = match place {
                Place::Number(number) => *number,
                Place::Name(name) => heading?.cells().position(|cell| fold(cell) == *name)?,
            };
            columns.set(column, *meaning);
        }
        columns.is_statement().then_some(columns)
    }
}

fn places(
    texts: &BTreeMap<Meaning, OneOrMany>,
) -> Result<Vec<(Meaning, Place)>, (&'static str, String)> {
    let mut places = Vec::new();
    for (&meaning, text) in texts {
        let texts = match text {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        };
        if texts.len() > 1 && meaning != Meaning::Text {
            return Err((
                "columns",
                format!("{}: expected one column", meaning.words()),
            ));
        }
        for text in texts {
            places.push((meaning, place(meaning, text)?));
        }
    }
    Ok(places)
}

fn place(meaning: Meaning, text: &PlaceText) -> Result<Place, (&'static str, String)> {
    match text {
        PlaceText::Name(name) => Ok(Place::Name(fold(name))),
        PlaceText::Number(number @ 1..=COLUMNS_MAX) => Ok(Place::Number(number - 1)),
        PlaceText::Number(_) => Err((
            "columns",
            format!("{}: columns count from 1 to {COLUMNS_MAX}", meaning.words()),
        )),
    }
}

fn chosen<K: PartialEq + std::fmt::Debug, V: Copy>(
    field: &'static str,
    given: Option<K>,
    known: &[(K, V)],
) -> Result<Option<V>, (&'static str, String)> {
    let Some(given) = given else { return Ok(None) };
    let found = known.iter().find(|(name, _)| *name == given);
    let names: Vec<String> = known.iter().map(|(name, _)| format!("{name:?}")).collect();
    match found {
        Some((_, value)) => Ok(Some(*value)),
        None => Err((
            field,
            format!("is {given:?}, expected {}", names.join(" or ")),
        )),
    }
}

fn encoding(label: &str) -> Result<&'static Encoding, (&'static str, String)> {
    let problem = || format!("is {label:?}, expected a name such as \"windows-1252\"");
    Encoding::for_label(label.as_bytes()).ok_or_else(|| ("encoding", problem()))
}

fn currency(code: &str) -> Result<Currency, (&'static str, String)> {
    code.parse()
        .map_err(|error| ("currency", format!("is {code:?}: {error}")))
}

/// The profiles that a run knows, in the order in which they are tried.
///
/// ```
/// use tieout_ingest::CsvProfiles;
///
/// let mut profiles = CsvProfiles::default();
/// let error = profiles.add("mybank.toml", "format = \"bank_csv\"").unwrap_err();
/// assert!(error.to_string().contains("missing field `name`"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct CsvProfiles {
    all: Vec<Arc<Profile>>,
}

impl CsvProfiles {
    /// Adds a profile; one of the same name as an earlier one replaces it.
    ///
    /// # Errors
    /// A [`LayoutError`] that names the file, the key and what is wrong with it.
    pub fn add(&mut self, file_name: &str, toml_text: &str) -> Result<(), LayoutError> {
        let profile = Arc::new(Profile::parse(file_name, toml_text)?);
        match self.all.iter_mut().find(|other| other.name == profile.name) {
            Some(other) => *other = profile,
            None => self.all.push(profile),
        }
        Ok(())
    }

    pub(super) fn all(&self) -> &[Arc<Profile>] {
        &self.all
    }
}

/// Whether `text` is a profile: TOML that names the format before its first table.
pub(super) fn is_profile(text: &str) -> bool {
    let lines = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with('['));
    lines
        .filter_map(|line| line.split_once('='))
        .any(|(key, value)| {
            let value = value.split('#').next().unwrap_or_default().trim();
            key.trim() == "format" && matches!(value, "\"bank_csv\"" | "'bank_csv'")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let text = format!("format = \"bank_csv\"\nname = \"own\"\n{text}");
        Profile::parse("own.toml", &text).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn problems_name_file_field_and_what_is_wrong() {
        let named = "[columns]\ndate = \"Posted\"\n";
        assert_eq!(problem(named), "");
        for (text, expected) in [
            (
                "",
                "own.toml: contains: is missing: without names of columns it tells which files the profile is for",
            ),
            (
                "dates = \"YDM\"\n",
                "own.toml: dates: is \"YDM\", expected \"DMY\" or \"MDY\" or \"YMD\"",
            ),
            (
                "decimal = \";\"\n",
                "own.toml: decimal: is ';', expected '.' or ','",
            ),
            (
                "decimal = \",\"\nthousands = \",\"\n",
                "own.toml: thousands: is the decimal mark too",
            ),
            (
                "encoding = \"latin-99\"\n",
                "own.toml: encoding: is \"latin-99\", expected a name such as \"windows-1252\"",
            ),
            (
                "currency = \"eur\"\n",
                "own.toml: currency: is \"eur\": not a currency code (three capital letters, such as USD)",
            ),
            (
                "heading = false\n",
                "own.toml: columns: expected numbers where heading = false",
            ),
        ] {
            let text = if text.is_empty() {
                String::new()
            } else {
                format!("{text}{named}")
            };
            assert_eq!(problem(&text), expected);
        }
        assert!(problem("[columns]\nnonsense = 3\n").contains("unknown variant `nonsense`"));
        assert!(
            problem("contains = \"x\"\n[columns]\ndate = 0\n").contains("columns count from 1")
        );
    }
}
