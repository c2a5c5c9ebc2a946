//! The distinct values of each field, and which of them each row has.

use ahash::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use rayon::prelude::*;

use super::compare::{Kind, Value};
use super::{Field, Sheet};

/// A row has nothing in a field.
pub const MISSING: u32 = u32::MAX;

/// The distinct values of one field.
pub struct Column {
    /// How they are compared.
    pub kind: Kind,
    /// The values.
    pub values: Vec<Value>,
    /// Rows of both lists that have each.
    pub counts: Vec<u32>,
    /// The value of each row of the left list.
    pub left: Vec<u32>,
    /// The value of each row of the right list; empty if there is one list.
    right: Vec<u32>,
    /// Rows of both lists that have a value.
    pub present: usize,
}

/// Both lists, or the one, with numbered values.
pub struct Lists {
    /// One a field.
    pub columns: Vec<Column>,
    /// Rows of the left list.
    pub left: usize,
    /// Rows of the right list; those of the left one if there is one list.
    pub right: usize,
    /// Whether the pairs are within one list.
    pub single: bool,
}

impl Lists {
    /// Numbers the values.
    pub fn of(fields: &[Field], left: &Sheet, right: Option<&Sheet>) -> Self {
        let columns = fields
            .par_iter()
            .enumerate()
            .map(|(place, field)| {
                let right = right.map(|sheet| sheet.column(place));
                Column::of(field.kind, left.column(place), right)
            })
            .collect();
        Self {
            columns,
            left: left.len(),
            right: right.unwrap_or(left).len(),
            single: right.is_none(),
        }
    }

    /// The number of pairs that there are.
    pub fn pairs(&self) -> f64 {
        if self.single {
            self.left as f64 * (self.left as f64 - 1.0) / 2.0
        } else {
            self.left as f64 * self.right as f64
        }
    }
}

impl Column {
    fn of(kind: Kind, left: &[Box<str>], right: Option<&[Box<str>]>) -> Self {
        let mut column = Self {
            kind,
            values: Vec::new(),
            counts: Vec::new(),
            left: Vec::new(),
            right: Vec::new(),
            present: 0,
        };
        let mut known = HashMap::with_hasher(RandomState::with_seeds(61, 62, 63, 64));
        column.left = column.number(&mut known, left);
        column.right = column.number(&mut known, right.unwrap_or(&[]));
        column.present = column.counts.iter().map(|&count| count as usize).sum();
        column
    }

    fn number(
        &mut self,
        known: &mut HashMap<Box<str>, u32, RandomState>,
        texts: &[Box<str>],
    ) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(texts.len());
        for text in texts {
            let Some(value) = Value::of(self.kind, text) else {
                numbers.push(MISSING);
                continue;
            };
            let number = match known.entry(value.identity()) {
                Entry::Occupied(entry) => *entry.get(),
                Entry::Vacant(entry) => {
                    self.values.push(value);
                    self.counts.push(0);
                    *entry.insert(self.values.len() as u32 - 1)
                }
            };
            self.counts[number as usize] += 1;
            numbers.push(number);
        }
        numbers
    }

    /// The value of each row of the right list, or of the only one.
    pub fn right(&self) -> &[u32] {
        if self.right.is_empty() {
            &self.left
        } else {
            &self.right
        }
    }

    /// The values of a pair, if both rows have one.
    pub fn pair(&self, (left, right): (u32, u32)) -> Option<(u32, u32)> {
        let (left, right) = (self.left[left as usize], self.right()[right as usize]);
        (left != MISSING && right != MISSING).then_some((left, right))
    }

    /// How often a row has the value, of those that have any.
    pub fn frequency(&self, value: u32) -> f64 {
        f64::from(self.counts[value as usize]) / self.present as f64
    }
}
