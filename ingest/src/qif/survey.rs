//! The first pass over a QIF file: by which habits its dates and amounts are written.
//!
//! One date such as `23/10/2013` settles the order for all. Where no date does, Quicken's
//! apostrophe (`1/ 2'04`), which comes from the United States, or the order of the lines does:
//! programs write them by date, and the wrong order shuffles them. Where nothing does, only dates
//! that read the same either way are read.

use tieout_core::{Date, FindingCode, Severity};

use super::date::{Order, Written};
use super::section::{Section, is_end};
use crate::decimal::{Point, decimal_point};
use crate::intake::Notice;
use crate::lines::Line;

/// Dates from which on their sequence counts.
const SEQUENCE_DATES_MIN: u64 = 3;

/// Whether dates come in sequence when they are read in one order.
#[derive(Clone, Copy, Default)]
struct Sequence {
    last: Option<Date>,
    rises: bool,
    falls: bool,
}

impl Sequence {
    fn add(&mut self, date: Option<Date>) {
        if let (Some(last), Some(date)) = (self.last, date) {
            self.rises |= date > last;
            self.falls |= date < last;
        }
        self.last = date.or(self.last);
    }

    fn is_sorted(self) -> bool {
        !(self.rises && self.falls)
    }
}

/// A date or an amount that can be read one way only.
type Witness = (u64, String);

/// What was seen.
#[derive(Default)]
pub(super) struct Survey {
    section: Section,
    day_first: Option<Witness>,
    month_first: Option<Witness>,
    apostrophe: Option<Witness>,
    /// The first date that reads as two different days.
    unclear: Option<Witness>,
    by_day_first: Sequence,
    by_month_first: Sequence,
    dates: u64,
    point: Option<Witness>,
    comma: Option<Witness>,
    unclear_amount: Option<Witness>,
}

/// How dates and amounts are to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Habits {
    /// None if the dates do not tell.
    pub order: Option<Order>,
    /// None if the amounts do not tell.
    pub point: Option<u8>,
}

impl Survey {
    /// Looks at the next line.
    pub fn line(&mut self, line: &Line<'_>) {
        let bytes = line.bytes.trim_ascii();
        if let Some(section) = Section::of(bytes) {
            self.section = section;
            return;
        }
        let Some((&code, value)) = bytes.split_first() else {
            return;
        };
        if is_end(bytes) || line.is_cut {
            return;
        }
        match (self.section, code) {
            (Section::Lines(_), b'D') | (Section::Account, b'/') => self.date(value, line.number),
            (Section::Lines(_), b'T' | b'U' | b'$') | (Section::Account, b'$' | b'L') => {
                self.amount(value.trim_ascii(), line.number);
            }
            _ => {}
        }
    }

    fn date(&mut self, text: &[u8], line: u64) {
        let Some(written) = Written::of(text) else {
            return;
        };
        let Written::Numbers { has_apostrophe, .. } = written else {
            return;
        };
        let witness = || (line, String::from_utf8_lossy(text).into_owned());
        self.dates += 1;
        let day_first = written.day(Some(Order::DayFirst));
        let month_first = written.day(Some(Order::MonthFirst));
        self.by_day_first.add(day_first);
        self.by_month_first.add(month_first);
        match (day_first, month_first) {
            (Some(_), None) => _ = self.day_first.get_or_insert_with(witness),
            (None, Some(_)) => _ = self.month_first.get_or_insert_with(witness),
            (Some(one), Some(other)) if one != other => {
                self.unclear.get_or_insert_with(witness);
            }
            _ => {}
        }
        if has_apostrophe {
            self.apostrophe.get_or_insert_with(witness);
        }
    }

    fn amount(&mut self, text: &[u8], line: u64) {
        let witness = || (line, String::from_utf8_lossy(text).into_owned());
        match decimal_point(text) {
            Point::Is(b'.') => _ = self.point.get_or_insert_with(witness),
            Point::Is(_) => _ = self.comma.get_or_insert_with(witness),
            Point::Unclear(_) => _ = self.unclear_amount.get_or_insert_with(witness),
            Point::Absent => {}
        }
    }

    /// What was found, in words and for reading.
    pub fn conclude(&self) -> (Habits, Vec<Notice>) {
        let (order, mut notices) = self.order();
        let point = match (&self.point, &self.comma) {
            (Some(_), None) => Some(b'.'),
            (None, Some(_)) => Some(b','),
            _ => None,
        };
        if let (None, Some((line, text))) = (point, &self.unclear_amount) {
            notices.push(uncertain(
                *line,
                format!("amounts such as `{text}` may have thousands or decimals"),
                "one amount that shows which character is the decimal point",
                "Amounts that read both ways are in quarantine; export the file with decimals.",
            ));
        }
        if let Some((line, text)) = self.comma.as_ref().filter(|_| self.point.is_none()) {
            let found = format!("decimals stand after a comma (`{text}` here)");
            notices.push(inferred(*line, found, Severity::Info));
        }
        (Habits { order, point }, notices)
    }

    fn order(&self) -> (Option<Order>, Vec<Notice>) {
        let told = |order: Order, (line, text): &Witness| {
            let found = format!("dates are {} (`{text}` here)", order.words());
            (Some(order), vec![inferred(*line, found, Severity::Info)])
        };
        match (&self.day_first, &self.month_first) {
            (Some(witness), None) => return told(Order::DayFirst, witness),
            (None, Some(witness)) => return told(Order::MonthFirst, witness),
            (Some((line, day)), Some((_, month))) => {
                let found = format!("`{day}` here is day/month/year, `{month}` month/day/year");
                return (
                    None,
                    vec![uncertain(*line, found, "one order", DATE_ACTION)],
                );
            }
            (None, None) => {}
        }
        let Some((line, text)) = &self.unclear else {
            return (None, Vec::new());
        };
        if let Some(witness) = &self.apostrophe {
            return told(Order::MonthFirst, witness);
        }
        let sorted = (
            self.by_day_first.is_sorted(),
            self.by_month_first.is_sorted(),
        );
        let order = match sorted {
            _ if self.dates < SEQUENCE_DATES_MIN => None,
            (true, false) => Some(Order::DayFirst),
            (false, true) => Some(Order::MonthFirst),
            _ => None,
        };
        if let Some(order) = order {
            let found = format!(
                "dates are {}, since only so they come in sequence (`{text}` here)",
                order.words()
            );
            return (Some(order), vec![inferred(*line, found, Severity::Warning)]);
        }
        let found = format!("dates such as `{text}` read as day/month or month/day");
        let expected = "one date with a day above 12";
        (None, vec![uncertain(*line, found, expected, DATE_ACTION)])
    }
}

const DATE_ACTION: &str = "Lines whose date reads both ways are in quarantine; export the file \
                           with another date format, or over a whole month.";

fn inferred(line: u64, found: String, severity: Severity) -> Notice {
    Notice {
        severity,
        code: FindingCode::LayoutInferred,
        line: Some(line),
        found,
        expected: String::new(),
        action: "Compare a few lines with the account.".into(),
    }
}

fn uncertain(line: u64, found: String, expected: &str, action: &'static str) -> Notice {
    Notice {
        severity: Severity::Error,
        code: FindingCode::LayoutUncertain,
        line: Some(line),
        found,
        expected: expected.to_owned(),
        action: action.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(dates: &[&str]) -> Option<Order> {
        let mut survey = Survey {
            section: Section::of(b"!Type:Bank").unwrap_or_default(),
            ..Survey::default()
        };
        for date in dates {
            survey.date(date.as_bytes(), 1);
        }
        survey.conclude().0.order
    }

    #[test]
    fn the_whole_file_tells_the_order() {
        assert_eq!(order(&["3/4/26", "23/4/26"]), Some(Order::DayFirst));
        assert_eq!(order(&["3/4/26", "4/23/26"]), Some(Order::MonthFirst));
        assert_eq!(order(&["3/4'26"]), Some(Order::MonthFirst));
        assert_eq!(
            order(&["10/1/26", "11/1/26", "2/2/26", "3/2/26"]),
            Some(Order::DayFirst)
        );
        assert_eq!(order(&["3/4/26", "3/5/26"]), None);
        assert_eq!(order(&["13/4/26", "4/13/26"]), None);
        assert_eq!(order(&["5/5/26"]), None);
    }
}
