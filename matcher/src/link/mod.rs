//! Links two lists of parties or people that share no identifier, or finds the rows of one list
//! that are the same.
//!
//! A [`Sheet`] holds the values of a list by field. [`link`] looks up *candidates* by rare keys that
//! two rows share (whole values, words, letter triples, numbers with a digit less), compares each
//! field of a candidate pair to a [`Level`], and learns what each level is worth: how often it is
//! seen among pairs that are the same (*m*, by expectation-maximisation) and among pairs that are
//! not (*u*, from pairs drawn without looking). That is the model of Fellegi and Sunter; equal values count
//! by how rare the value is. Nobody has to give a weight, a threshold or an example.
//!
//! ```
//! use tieout_matcher::link::{Assignment, Field, Kind, Sheet, link};
//!
//! let fields = vec![Field::new("name", Kind::Text), Field::new("phone", Kind::Number)];
//! let rows = |rows: &[[&str; 2]]| {
//!     Sheet::new(2, rows.iter().map(|row| row.iter().map(|text| (*text).into()).collect()))
//! };
//! let left = rows(&[["Harbor Steel Inc", "5550134"], ["Copper Canyon Foods", "5550188"]]);
//! let right = rows(&[["COPPER CANYON FOOD", "5550188"], ["Harbour Steel", "5550134"]]);
//! let links = link(&fields, &left, Some(&right), Assignment::OneToOne);
//! let pairs: Vec<(u32, u32)> = links.pairs.iter().map(|pair| (pair.left, pair.right)).collect();
//! assert_eq!(pairs, [(0, 1), (1, 0)]);
//! ```

mod assign;
mod blocking;
mod compare;
mod model;
mod values;

use rayon::prelude::*;

pub use compare::{Kind, Level};
pub use model::FieldWeights;
use values::Lists;

/// Fields that can be compared; more than any list of parties has.
pub const FIELDS_MAX: usize = 64;

/// What is compared, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What the evidence calls it.
    pub name: String,
    /// How its values are compared.
    pub kind: Kind,
}

impl Field {
    /// A field of that name and kind.
    pub fn new(name: impl Into<String>, kind: Kind) -> Self {
        let name = name.into();
        Self { name, kind }
    }
}

/// The values of a list: one column a field, all of one length, an empty text where nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    columns: Vec<Vec<Box<str>>>,
    rows: usize,
}

impl Sheet {
    /// A list of `fields` columns; a row that is shorter lacks the last values, what a longer one has
    /// beyond them is not looked at.
    pub fn new(fields: usize, rows: impl IntoIterator<Item = Vec<Box<str>>>) -> Self {
        let mut sheet = Self {
            columns: vec![Vec::new(); fields],
            rows: 0,
        };
        for row in rows {
            sheet.push(row);
        }
        sheet
    }

    /// Adds a row.
    pub fn push(&mut self, row: Vec<Box<str>>) {
        let mut values = row.into_iter();
        for column in &mut self.columns {
            column.push(values.next().unwrap_or_default());
        }
        self.rows += 1;
    }

    /// Its rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether it has no row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The values of a field.
    pub fn column(&self, field: usize) -> &[Box<str>] {
        &self.columns[field]
    }
}

/// How many partners a row may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assignment {
    /// Any number.
    Free,
    /// At most one: the pairs of the greatest weight first. A rival lowers a pair's probability.
    OneToOne,
}

/// Two rows that may be the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The row of the left list.
    pub left: u32,
    /// The row of the right list, or the later one of a single list.
    pub right: u32,
    /// The log-odds that they are the same, in bits.
    pub weight: f64,
    /// The probability that they are the same.
    pub probability: f64,
    /// How alike they are in each field, and the bits that this adds to the weight.
    pub evidence: Vec<(Level, f64)>,
}

/// What was found and what was learned.
#[derive(Clone, Debug, PartialEq)]
pub struct Links {
    /// Pairs in the order of the left row, those of one row by falling weight.
    pub pairs: Vec<Pair>,
    /// Pairs that were compared.
    pub compared: usize,
    /// The number of pairs expected to be the same.
    pub expected: f64,
    /// The log-odds of a pair of which nothing is known, in bits.
    pub prior: f64,
    /// What each level of each field is worth.
    pub weights: Vec<FieldWeights>,
}

/// Links `left` with `right`, or finds the pairs within `left` if there is no other list. The
/// result is the same for any number of threads. Fields beyond [`FIELDS_MAX`] are not looked at.
pub fn link(
    fields: &[Field],
    left: &Sheet,
    right: Option<&Sheet>,
    assignment: Assignment,
) -> Links {
    let fields = &fields[..fields.len().min(FIELDS_MAX)];
    let lists = Lists::of(fields, left, right);
    let candidates = blocking::candidates(&lists);
    let levels = compare::levels(&lists, &candidates);
    let model = model::Model::learn(&lists, &candidates, &levels);
    let weights: Vec<f64> = candidates
        .par_iter()
        .zip(levels.par_chunks(fields.len().max(1)))
        .map(|(&pair, levels)| model.weight(&lists, pair, levels))
        .collect();
    let kept = match assignment {
        Assignment::Free => assign::free(&weights),
        Assignment::OneToOne => assign::one_to_one(&candidates, &weights),
    };
    let mut pairs: Vec<Pair> = kept
        .into_iter()
        .map(|(place, probability)| {
            let (left, right) = candidates[place];
            let levels = &levels[place * fields.len()..][..fields.len()];
            Pair {
                left,
                right,
                weight: weights[place],
                probability,
                evidence: model.evidence(&lists, (left, right), levels),
            }
        })
        .collect();
    pairs.sort_by(|one, other| {
        let by_weight = other.weight.total_cmp(&one.weight);
        (one.left.cmp(&other.left))
            .then(by_weight)
            .then(one.right.cmp(&other.right))
    });
    Links {
        pairs,
        compared: candidates.len(),
        expected: model.expected(),
        prior: model.prior(),
        weights: model.into_weights(),
    }
}
