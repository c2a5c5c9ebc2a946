//! Control counts and totals: what the records 70, 90 and 99 say against what was read.

use tieout_core::{FindingCode, Severity};

use super::record::Record;
use crate::fixed::{digits, trimmed};
use crate::intake::Notice;

/// What was read under a header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Bundles of a cash letter, cash letters of a file.
    pub members: i128,
    /// Cheques and returned cheques.
    pub items: i128,
    /// Records of the items, with addenda and images.
    pub item_records: i128,
    pub cents: i128,
    pub images: i128,
    /// Credits (61, 62), which some writers count as items.
    pub credits: i128,
    pub credit_cents: i128,
}

impl Tally {
    /// Adds what stood in a member.
    pub fn add(&mut self, member: Self) {
        self.members += 1;
        self.items += member.items;
        self.item_records += member.item_records;
        self.cents += member.cents;
        self.images += member.images;
        self.credits += member.credits;
        self.credit_cents += member.credit_cents;
    }

    /// What an items count may say: items, items with credits, or every record of them.
    fn item_counts(&self) -> [i128; 3] {
        [self.items, self.items + self.credits, self.item_records]
    }

    fn totals(&self) -> [i128; 2] {
        [self.cents, self.cents + self.credit_cents]
    }
}

/// A figure of a control record: its columns, its name, and the values that are right.
struct Figure<'a> {
    columns: (usize, usize),
    what: &'static str,
    right: &'a [i128],
    code: FindingCode,
    severity: Severity,
}

/// Compares a bundle control (70).
pub(super) fn compare_bundle(record: &Record<'_>, read: &Tally) -> Vec<Notice> {
    let figures = [
        count((3, 6), "items", &read.item_counts()),
        total((7, 18), &read.totals()),
        images((31, 35), &[read.images]),
    ]
    .map(|figure| compare("bundle", record, &figure));
    figures.into_iter().flatten().collect()
}

/// Compares a cash letter control (90).
pub(super) fn compare_letter(record: &Record<'_>, read: &Tally) -> Vec<Notice> {
    let figures = [
        count((3, 8), "bundles", &[read.members]),
        count((9, 16), "items", &read.item_counts()),
        total((17, 30), &read.totals()),
        images((31, 39), &[read.images]),
    ]
    .map(|figure| compare("cash letter", record, &figure));
    figures.into_iter().flatten().collect()
}

/// Compares a file control (99); `records` counts all records of the file with this one.
pub(super) fn compare_file(record: &Record<'_>, read: &Tally, records: i128) -> Vec<Notice> {
    let figures = [
        count((3, 8), "cash letters", &[read.members]),
        count((9, 16), "records", &[records]),
        count((17, 24), "items", &read.item_counts()),
        total((25, 40), &read.totals()),
    ]
    .map(|figure| compare("file", record, &figure));
    figures.into_iter().flatten().collect()
}

fn count<'a>(columns: (usize, usize), what: &'static str, right: &'a [i128]) -> Figure<'a> {
    Figure {
        columns,
        what,
        right,
        code: FindingCode::ControlCount,
        severity: Severity::Error,
    }
}

fn images(columns: (usize, usize), right: &[i128]) -> Figure<'_> {
    Figure {
        severity: Severity::Warning,
        ..count(columns, "images", right)
    }
}

fn total(columns: (usize, usize), right: &[i128]) -> Figure<'_> {
    Figure {
        columns,
        what: "cents",
        right,
        code: FindingCode::ControlTotal,
        severity: Severity::Error,
    }
}

/// What is wrong with a figure. An empty one is not given; images may be left out.
fn compare(owner: &str, record: &Record<'_>, figure: &Figure<'_>) -> Option<Notice> {
    let (first, last) = figure.columns;
    let written = trimmed(record.text, first, last);
    let said = digits(written);
    if said.is_some_and(|said| figure.right.contains(&said)) {
        return None;
    }
    if written.is_empty() && figure.what == "images" {
        return None;
    }
    let read = figure.right.first().copied().unwrap_or_default();
    Some(Notice {
        severity: figure.severity,
        code: figure.code,
        line: Some(record.number),
        found: format!(
            "the {owner} says `{}` {}",
            String::from_utf8_lossy(written),
            figure.what
        ),
        expected: format!("{read}, as many as were read"),
        action: "Look in quarantine for records that were not read; if there are none, ask the \
                 sender which figure is right."
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, read: &Tally) -> Vec<String> {
        let record = Record {
            number: 9,
            start: 0,
            end: 0,
            raw: text.as_bytes(),
            text: text.as_bytes(),
        };
        let notices = compare_bundle(&record, read).into_iter();
        notices.map(|notice| notice.found).collect()
    }

    #[test]
    fn figures_tie_or_are_named() {
        let read = Tally {
            items: 2,
            item_records: 14,
            cents: 200_000,
            images: 2,
            ..Tally::default()
        };
        let none: [String; 0] = [];
        assert_eq!(found("70000200000020000000000020000000002", &read), none);
        assert_eq!(found("700014000000200000000000200000     ", &read), none);
        assert_eq!(
            found("70000300000020000100000020000000009", &read),
            [
                "the bundle says `0003` items",
                "the bundle says `000000200001` cents",
                "the bundle says `00009` images",
            ]
        );
        assert_eq!(found("70", &read).len(), 2);
    }
}
