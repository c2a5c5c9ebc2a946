//! Control totals and counts: what the trailers 49, 98 and 99 say against what was read.

use tieout_core::{FindingCode, Severity};

use super::fields::{Fields, count, minor_units};
use crate::intake::Notice;

/// Records and physical lines. They differ where banks join records on a line, or break text
/// over lines without a code; some count the one, some the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub records: u64,
    pub lines: u64,
}

impl Tally {
    pub fn add(&mut self, records: u64, lines: u64) {
        self.records += records;
        self.lines += lines;
    }
}

/// What was read under a trailer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Control<'a> {
    /// `account 123`, `group`, `file`.
    pub what: &'a str,
    /// What it is made of, with their number if the trailer gives it: accounts, groups.
    pub members: Option<(&'static str, u64)>,
    pub total: i128,
    pub tally: Tally,
}

/// Compares the trailer's `fields` with what was read; the second value is the trailer's total,
/// or none if it does not read.
pub(super) fn compare(fields: &[u8], line: u64, read: Control<'_>) -> (Vec<Notice>, Option<i128>) {
    let mut fields = Fields::of(fields);
    let mut notices = Vec::new();
    let total = minor_units(fields.next_or_empty());
    if let Some(total) = total.filter(|&total| total != read.total) {
        notices.push(Notice {
            severity: Severity::Error,
            code: FindingCode::ControlTotal,
            line: Some(line),
            found: format!("the {} says a control total of {total}", read.what),
            expected: format!("{}, the sum of the amounts below it", read.total),
            action: ACTION.into(),
        });
    }
    if let Some((name, number)) = read.members {
        let says = fields.next_or_empty();
        if count(says).is_some_and(|says| says != number) {
            let said = String::from_utf8_lossy(says);
            notices.push(wrong_count(read.what, line, &said, name, number, false));
        }
    }
    notices.extend(compare_records(fields.next_or_empty(), line, read));
    (notices, total)
}

fn compare_records(says: &[u8], line: u64, read: Control<'_>) -> Option<Notice> {
    let number = read.tally.records;
    let Some(said) = count(says) else {
        let says = String::from_utf8_lossy(says);
        return Some(wrong_count(
            read.what,
            line,
            &format!("`{says}`"),
            "records",
            number,
            true,
        ));
    };
    if [number, read.tally.lines].contains(&said) {
        return None;
    }
    // Some banks leave the trailer itself, or the header, out of the count.
    let is_custom = read.members.is_some() && said.abs_diff(number) == 1;
    let said = said.to_string();
    Some(wrong_count(
        read.what, line, &said, "records", number, is_custom,
    ))
}

const ACTION: &str = "Look in quarantine for records that were not read; if there are none, ask \
                      the bank which figure is right.";

fn wrong_count(
    what: &str,
    line: u64,
    said: &str,
    name: &str,
    number: u64,
    is_custom: bool,
) -> Notice {
    let (severity, action) = if is_custom {
        let custom = "Some banks count one more or one less, or not at all; nothing to do if \
                      yours does.";
        (Severity::Warning, custom)
    } else {
        (Severity::Error, ACTION)
    };
    Notice {
        severity,
        code: FindingCode::ControlCount,
        line: Some(line),
        found: format!("the {what} says {said} {name}"),
        expected: format!("{number}, as many as were read"),
        action: action.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(fields: &str, members: Option<(&'static str, u64)>) -> Vec<(Severity, String)> {
        let read = Control {
            what: "group",
            members,
            total: 500,
            tally: Tally {
                records: 7,
                lines: 9,
            },
        };
        let (notices, _) = compare(fields.as_bytes(), 3, read);
        notices.into_iter().map(|n| (n.severity, n.found)).collect()
    }

    #[test]
    fn figures_tie_or_are_named() {
        let members = Some(("accounts", 2));
        assert_eq!(found("500,2,7", members), []);
        assert_eq!(found("+500,2,9", members), []);
        assert_eq!(found("500,7", None), []);
        assert_eq!(
            found("500", None),
            [(Severity::Warning, "the group says `` records".to_owned())]
        );
        assert_eq!(
            found("501,3,12", members),
            [
                (
                    Severity::Error,
                    "the group says a control total of 501".to_owned()
                ),
                (Severity::Error, "the group says 3 accounts".to_owned()),
                (Severity::Error, "the group says 12 records".to_owned()),
            ]
        );
        assert_eq!(
            found("500,2,8", members),
            [(Severity::Warning, "the group says 8 records".to_owned())]
        );
        assert_eq!(
            found("500,8", None),
            [(Severity::Error, "the group says 8 records".to_owned())]
        );
    }
}
