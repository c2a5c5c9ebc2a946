//! A column of text in which values repeat.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray, StringBuilder};

/// Builds a column of text. What repeats (an account, a currency, nothing at all) is counted, and
/// written once it changes; a column that never changes is written in one go.
pub(super) struct TextColumn {
    built: StringBuilder,
    last: String,
    /// Rows that have `last` and are not yet in `built`.
    repeats: usize,
    /// Whether empty text becomes null.
    is_nullable: bool,
}

impl TextColumn {
    /// A column whose empty texts are nulls.
    pub fn nullable() -> Self {
        Self::new(true)
    }

    pub fn new(is_nullable: bool) -> Self {
        Self {
            built: StringBuilder::with_capacity(0, 0),
            last: String::new(),
            repeats: 0,
            is_nullable,
        }
    }

    #[inline]
    pub fn append(&mut self, text: &str) {
        if !is_same(text, &self.last) {
            self.write_repeats();
            self.last.clear();
            self.last.push_str(text);
        }
        self.repeats += 1;
    }

    #[inline]
    fn write_repeats(&mut self) {
        match self.repeats {
            0 => {}
            repeats if self.is_null() => self.built.append_nulls(repeats),
            1 => self.built.append_value(&self.last),
            repeats => self.built.append_value_n(&self.last, repeats),
        }
        self.repeats = 0;
    }

    fn is_null(&self) -> bool {
        self.is_nullable && self.last.is_empty()
    }

    /// The column so far; the next one begins empty.
    pub fn finish(&mut self) -> ArrayRef {
        let is_constant = self.built.offsets_slice().len() <= 1;
        if is_constant {
            let rows = std::mem::take(&mut self.repeats);
            return Arc::new(if self.is_null() {
                StringArray::new_null(rows)
            } else {
                StringArray::new_repeated(&self.last, rows)
            });
        }
        self.write_repeats();
        let column = self.built.finish();
        // The next batch will be much like this one.
        let bytes = column.values().len();
        self.built = StringBuilder::with_capacity(column.offsets().len(), bytes + bytes / 8);
        Arc::new(column)
    }
}

/// Whether two texts are the same. Both are often empty, and text that is empty has no address:
/// comparing no bytes there may cost the processor a fault that it has to suppress. The compiler
/// must not drop the question as one that changes nothing.
#[inline]
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.len() == other.len() && (black_box(one.is_empty()) || one == other)
}

#[cfg(test)]
mod tests {
    use arrow::array::Array as _;
    use proptest::prelude::*;

    use super::*;

    fn built(column: &mut TextColumn, texts: &[&str]) -> ArrayRef {
        for text in texts {
            column.append(text);
        }
        column.finish()
    }

    proptest! {
        #[test]
        fn repeats_change_nothing(
            batches in proptest::collection::vec(
                proptest::collection::vec("[ab]{0,2}", 0..12), 1..4),
        ) {
            let mut nullable = TextColumn::nullable();
            let mut whole = TextColumn::new(false);
            for batch in batches {
                let texts: Vec<&str> = batch.iter().map(String::as_str).collect();
                let filled = texts.iter().map(|text| Some(*text).filter(|text| !text.is_empty()));
                let expected: StringArray = filled.collect();
                let column = built(&mut nullable, &texts);
                prop_assert_eq!(column.to_data(), expected.to_data());
                let expected = StringArray::from_iter_values(&texts);
                prop_assert_eq!(built(&mut whole, &texts).to_data(), expected.to_data());
            }
        }
    }
}
