//! References and names, as the matcher compares them.

use tieout_core::{Name, Significant};

use super::scalar::{Function, FunctionWords, TEXT, Work};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            FunctionWords {
                name: "normalize_reference",
                usage: "normalize_reference(reference)",
                comment: "What is left of a document number without separators, case, letters in \
                          front and leading zeros, as the matcher compares it",
            },
            &[TEXT],
            1,
            Work::Text(Box::new(|row| {
                let significant = row.text(0).map(|text| Significant::of(text.as_bytes()));
                Ok(significant.map(|kept| String::from_utf8_lossy(kept.as_bytes()).into_owned()))
            })),
        ),
        Function::new(
            FunctionWords {
                name: "name_similarity",
                usage: "name_similarity(name, name)",
                comment: "How alike two company names are for the matcher: 0 nothing in common, 1 \
                          the same words",
            },
            &[TEXT, TEXT],
            2,
            Work::Ratio(Box::new(|row| {
                let names = row.text(0).zip(row.text(1));
                Ok(names.map(|(left, right)| Name::of(left).similarity(&Name::of(right))))
            })),
        ),
    ]
}
