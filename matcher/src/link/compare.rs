//! How alike two values are: one of a few levels, whose worth is learned and not set.

use rayon::prelude::*;
use smallvec::SmallVec;
use strsim::{jaro_winkler, osa_distance};
use tieout_core::{Date, Name};

use super::values::{Lists, MISSING};

/// How the values of a field are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words: names, streets, places. The order of words, legal forms and usual abbreviations make
    /// no difference.
    Text,
    /// Letters and digits without blanks: identifiers, account, phone and house numbers.
    Number,
    /// A day.
    Date,
}

/// How alike two rows are in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The same value.
    Same,
    /// A slip of the pen: one letter wrong, too many, missing, or exchanged with its neighbour.
    Near,
    /// Alike: some letters differ.
    Alike,
    /// Something in common: a word, the beginning, two parts of a date.
    Partly,
    /// What the one row has here stands in another field of the other.
    Elsewhere,
    /// Nothing in common.
    Different,
    /// A row has no value, which says nothing.
    Missing,
}

impl Level {
    /// Those that are worth something, in order.
    pub const WEIGHED: [Self; 6] = [
        Self::Same,
        Self::Near,
        Self::Alike,
        Self::Partly,
        Self::Elsewhere,
        Self::Different,
    ];

    /// The word for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Near => "near",
            Self::Alike => "alike",
            Self::Partly => "partly",
            Self::Elsewhere => "elsewhere",
            Self::Different => "different",
            Self::Missing => "missing",
        }
    }
}

/// A value made comparable.
pub struct Value {
    /// Its letters and digits in capitals, without blanks.
    pub letters: Box<str>,
    /// Its words, if it is text.
    pub name: Name,
}

/// Letters compared of one value; a longer one differs in what comes first or not at all.
const LETTERS_MAX: usize = 100;
/// Words compared of one value.
const WORDS_MAX: usize = 20;

impl Value {
    /// The value of `text`; none if it has no letter and no digit.
    pub fn of(kind: Kind, text: &str) -> Option<Self> {
        let mut letters: String = text
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .flat_map(char::to_uppercase)
            .take(LETTERS_MAX)
            .collect();
        if letters.is_empty() {
            return None;
        }
        let mut name = Name::default();
        match kind {
            Kind::Text => {
                name = Name::of(text);
                name.truncate(WORDS_MAX);
            }
            Kind::Number => {}
            Kind::Date => {
                if let Some(date) = date(text) {
                    letters = date.to_string().replace('-', "");
                }
            }
        }
        let letters = letters.into_boxed_str();
        Some(Self { letters, name })
    }

    /// Equal for values that count as the same.
    pub fn identity(&self) -> Box<str> {
        if self.name.is_empty() {
            self.letters.clone()
        } else {
            self.name.joined().into()
        }
    }
}

/// The day that is written; `YYYY-MM-DD` or `YYYYMMDD`, the two ways that have one reading.
pub fn date(text: &str) -> Option<Date> {
    let text = text.trim().as_bytes();
    let iso = Date::parse_iso(text.get(..10).unwrap_or(text));
    iso.or_else(|_| Date::parse_yyyymmdd(text)).ok()
}

/// The levels of all fields of each pair, one pair after the other.
pub fn levels(lists: &Lists, pairs: &[(u32, u32)]) -> Vec<Level> {
    let fields = lists.columns.len();
    let mut levels = vec![Level::Missing; pairs.len() * fields];
    if fields > 0 {
        levels
            .par_chunks_mut(fields)
            .zip(pairs)
            .for_each(|(levels, &pair)| {
                for (field, level) in levels.iter_mut().enumerate() {
                    *level = compare(lists, field, pair);
                }
            });
    }
    levels
}

/// How alike the rows of a pair are in a field.
pub fn compare(lists: &Lists, field: usize, pair: (u32, u32)) -> Level {
    let column = &lists.columns[field];
    let Some((left, right)) = column.pair(pair) else {
        return Level::Missing;
    };
    if left == right {
        return Level::Same;
    }
    let (left, right) = (
        &column.values[left as usize],
        &column.values[right as usize],
    );
    let level = match column.kind {
        Kind::Text => text_level(left, right),
        Kind::Number => number_level(&left.letters, &right.letters),
        Kind::Date => date_level(&left.letters, &right.letters),
    };
    if level >= Level::Partly && column.kind == Kind::Text && stands_elsewhere(lists, field, pair) {
        return Level::Elsewhere;
    }
    level
}

/// Whether the value of a text field of one row stands in another text field of the other row.
fn stands_elsewhere(lists: &Lists, field: usize, (left, right): (u32, u32)) -> bool {
    let here = &lists.columns[field];
    let mine = here.left[left as usize];
    let yours = here.right()[right as usize];
    lists.columns.iter().enumerate().any(|(place, column)| {
        if place == field || column.kind != Kind::Text {
            return false;
        }
        let is = |value: u32, other: u32| {
            other != MISSING
                && is_slip(
                    &here.values[value as usize].letters,
                    &column.values[other as usize].letters,
                )
        };
        is(mine, column.right()[right as usize]) || is(yours, column.left[left as usize])
    })
}

/// Letters from which on one wrong letter is a slip and not another value.
const SLIP_LETTERS_MIN: usize = 4;

fn is_slip(left: &str, right: &str) -> bool {
    left == right
        || (left.len().abs_diff(right.len()) <= 1
            && distance(left, right) <= 1
            && long_enough(left, right))
}

fn long_enough(left: &str, right: &str) -> bool {
    left.len().min(right.len()) >= SLIP_LETTERS_MIN
}

/// Edits between the two, where a letter exchanged with its neighbour is one.
fn distance(left: &str, right: &str) -> usize {
    osa_distance(left, right)
}

fn text_level(left: &Value, right: &Value) -> Level {
    let (one, other) = (&*left.letters, &*right.letters);
    let longest = one.len().max(other.len());
    let edits = if one.len().abs_diff(other.len()) <= longest / 4 {
        distance(one, other)
    } else {
        longest
    };
    if edits <= 1 && long_enough(one, other) {
        return Level::Near;
    }
    let similarity = left.name.similarity(&right.name);
    if similarity >= 0.8 || edits * 4 <= longest {
        return Level::Alike;
    }
    if similarity >= 0.35 || edits == 1 || jaro_winkler(one, other) >= 0.8 {
        return Level::Partly;
    }
    Level::Different
}

fn number_level(left: &str, right: &str) -> Level {
    let longest = left.len().max(right.len());
    match distance(left, right) {
        0 => Level::Same,
        1 if long_enough(left, right) => Level::Near,
        2 if left.len().min(right.len()) >= 6 => Level::Alike,
        edits if edits * 2 <= longest => Level::Partly,
        _ => Level::Different,
    }
}

fn date_level(left: &str, right: &str) -> Level {
    let edits = distance(left, right);
    if edits <= 1 {
        return Level::Near;
    }
    let (Some(one), Some(other)) = (parts(left), parts(right)) else {
        return number_level(left, right);
    };
    let turned = one[0] == other[0] && one[1] == other[2] && one[2] == other[1];
    if edits == 2 || turned {
        return Level::Alike;
    }
    let equal = one.iter().zip(&other).filter(|(one, other)| one == other);
    if equal.count() == 2 {
        Level::Partly
    } else {
        Level::Different
    }
}

/// Year, month and day of `YYYYMMDD`.
fn parts(date: &str) -> Option<SmallVec<[&str; 3]>> {
    let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    is_date.then(|| SmallVec::from_slice(&[&date[..4], &date[4..6], &date[6..]]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn texts(left: &str, right: &str) -> Level {
        let value = |text| Value::of(Kind::Text, text).unwrap();
        text_level(&value(left), &value(right))
    }

    #[test]
    fn texts_have_levels() {
        assert_eq!(texts("light street", "light setreet"), Level::Near);
        assert_eq!(texts("north ryde", "northr yde"), Level::Near);
        assert_eq!(
            texts("salkauskas crescent", "salkauskis crecsent"),
            Level::Alike
        );
        assert_eq!(texts("bega flats", "bega"), Level::Partly);
        assert_eq!(texts("nsw", "vic"), Level::Different);
    }

    #[test]
    fn numbers_and_dates_have_levels() {
        assert_eq!(number_level("5304218", "5304281"), Level::Near);
        assert_eq!(number_level("5304218", "5304999"), Level::Partly);
        assert_eq!(number_level("8", "3"), Level::Different);
        assert_eq!(date_level("19151111", "19151112"), Level::Near);
        assert_eq!(date_level("19150412", "19151204"), Level::Alike);
        assert_eq!(date_level("19150412", "19680412"), Level::Alike);
        assert_eq!(date_level("19150412", "20680712"), Level::Different);
    }

    #[test]
    fn values_that_mean_the_same_are_the_same() {
        let identity = |kind, text| Value::of(kind, text).unwrap().identity();
        assert_eq!(
            identity(Kind::Text, "Ryde, North Inc."),
            identity(Kind::Text, "NORTH RYDE")
        );
        assert_eq!(
            identity(Kind::Date, "1915-11-11"),
            identity(Kind::Date, "19151111")
        );
        assert_eq!(
            identity(Kind::Number, "555-0134"),
            identity(Kind::Number, "5550134")
        );
        assert!(Value::of(Kind::Text, " - ").is_none());
    }
}
