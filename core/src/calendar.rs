//! Days on which banks work.

use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use thiserror::Error;

use crate::Date;

/// The most days that are counted at once: about a thousand years.
pub const DAYS_MAX: i32 = 366_000;

/// Whose holidays count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Calendar {
    /// Saturdays and Sundays only.
    #[default]
    Weekdays,
    /// TARGET, the euro's settlement system: 1 January, Good Friday, Easter Monday, 1 May, 25 and
    /// 26 December.
    Target,
    /// The Federal Reserve banks: the eleven federal holidays; one on a Sunday is kept on the
    /// Monday, one on a Saturday not at all.
    Fed,
    /// Banks of England and Wales: bank holidays; one at a weekend is kept on the next working
    /// day. Days of a single year (a jubilee, a funeral) are not known here.
    England,
}

/// No calendar has this name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no calendar {0}; the calendars are weekdays, target, fed, england")]
pub struct CalendarError(String);

impl FromStr for Calendar {
    type Err = CalendarError;

    fn from_str(name: &str) -> Result<Self, CalendarError> {
        match name.to_ascii_lowercase().as_str() {
            "weekdays" => Ok(Self::Weekdays),
            "target" => Ok(Self::Target),
            "fed" => Ok(Self::Fed),
            "england" => Ok(Self::England),
            _ => Err(CalendarError(name.to_owned())),
        }
    }
}

impl Calendar {
    /// Whether banks work on `date`.
    pub fn is_business_day(self, date: Date) -> bool {
        let day = naive(date);
        !is_weekend(day) && !self.is_holiday(day)
    }

    /// How many business days lie after `from` up to `to`, `to` included; below zero if `to` is
    /// the earlier one. None if they lie more than [`DAYS_MAX`] apart.
    pub fn business_days(self, from: Date, to: Date) -> Option<i64> {
        let apart = to.days().checked_sub(from.days())?;
        if apart.checked_abs()? > DAYS_MAX {
            return None;
        }
        let (first, last) = if apart < 0 { (to, from) } else { (from, to) };
        let count = (first.days() + 1..=last.days())
            .filter(|&day| self.is_business_day(Date::from_days(day)))
            .count() as i64;
        Some(if apart < 0 { -count } else { count })
    }

    /// The business day that is `days` of them after `date`; for none, `date` itself or the next
    /// business day. None for a number below zero or above [`DAYS_MAX`] days away.
    pub fn after(self, date: Date, days: i64) -> Option<Date> {
        if days < 0 {
            return None;
        }
        let mut left = days;
        for ahead in 0..=DAYS_MAX {
            let day = Date::from_days(date.days().checked_add(ahead)?);
            if !self.is_business_day(day) {
                continue;
            }
            // The day itself is not one of those that pass.
            if ahead > 0 && left > 0 {
                left -= 1;
            }
            if left == 0 {
                return Some(day);
            }
        }
        None
    }

    fn is_holiday(self, day: NaiveDate) -> bool {
        match self {
            Self::Weekdays => false,
            Self::Target => {
                is_one_of(day, &[(1, 1), (5, 1), (12, 25), (12, 26)]) || is_easter(day, &[-2, 1])
            }
            Self::Fed => is_federal(day),
            Self::England => is_english(day),
        }
    }
}

fn naive(date: Date) -> NaiveDate {
    let epoch = NaiveDate::default();
    let days = Days::new(date.days().unsigned_abs().into());
    let there = if date.days() < 0 {
        epoch.checked_sub_days(days)
    } else {
        epoch.checked_add_days(days)
    };
    // Further away than calendars go nobody works.
    there.unwrap_or(epoch)
}

fn is_weekend(day: NaiveDate) -> bool {
    matches!(day.weekday(), Weekday::Sat | Weekday::Sun)
}

fn is_one_of(day: NaiveDate, days: &[(u32, u32)]) -> bool {
    days.contains(&(day.month(), day.day()))
}

fn is_easter(day: NaiveDate, away: &[i64]) -> bool {
    let easter = easter(day.year());
    easter.is_some_and(|easter| away.contains(&day.signed_duration_since(easter).num_days()))
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher), with their letters.
#[expect(
    clippy::many_single_char_names,
    reason = "as the rule is written everywhere"
)]
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let sum = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, (sum / 31) as u32, (sum % 31 + 1) as u32)
}

/// Whether `day` is the `nth` of its weekday in its month.
fn is_nth(day: NaiveDate, month: u32, weekday: Weekday, nth: u32) -> bool {
    day.month() == month && day.weekday() == weekday && (day.day() - 1) / 7 + 1 == nth
}

fn is_last(day: NaiveDate, month: u32, weekday: Weekday) -> bool {
    let week_later = day.checked_add_days(Days::new(7));
    day.month() == month
        && day.weekday() == weekday
        && week_later.is_none_or(|later| later.month() != month)
}

fn is_federal(day: NaiveDate) -> bool {
    let fixed = |day: NaiveDate| {
        is_one_of(day, &[(1, 1), (7, 4), (11, 11), (12, 25)])
            // Juneteenth has been one since 2021.
            || (day.year() >= 2021 && is_one_of(day, &[(6, 19)]))
    };
    let sunday_before = day.weekday() == Weekday::Mon && day.pred_opt().is_some_and(fixed);
    fixed(day)
        || sunday_before
        || is_nth(day, 1, Weekday::Mon, 3)
        || is_nth(day, 2, Weekday::Mon, 3)
        || is_last(day, 5, Weekday::Mon)
        || is_nth(day, 9, Weekday::Mon, 1)
        || is_nth(day, 10, Weekday::Mon, 2)
        || is_nth(day, 11, Weekday::Thu, 4)
}

fn is_english(day: NaiveDate) -> bool {
    is_easter(day, &[-2, 1])
        || is_nth(day, 5, Weekday::Mon, 1)
        || is_last(day, 5, Weekday::Mon)
        || is_last(day, 8, Weekday::Mon)
        || is_new_year_kept(day)
        || is_christmas_kept(day)
}

fn is_new_year_kept(day: NaiveDate) -> bool {
    day.month() == 1
        && match day.weekday() {
            Weekday::Mon => day.day() <= 3,
            _ => day.day() == 1,
        }
}

/// 25 and 26 December, or the first two working days from there on.
fn is_christmas_kept(day: NaiveDate) -> bool {
    let Some(christmas) = NaiveDate::from_ymd_opt(day.year(), 12, 25) else {
        return false;
    };
    let kept: &[u32] = match christmas.weekday() {
        Weekday::Fri => &[25, 28],
        Weekday::Sat => &[27, 28],
        Weekday::Sun => &[26, 27],
        _ => &[25, 26],
    };
    day.month() == 12 && kept.contains(&day.day())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn calendars_know_their_holidays() {
        for (calendar, closed, open) in [
            (
                Calendar::Target,
                &["2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25"][..],
                &["2026-01-02", "2026-07-03", "2026-12-24"][..],
            ),
            (
                Calendar::Fed,
                // The fourth of July 2027 is a Sunday, that of 2026 a Saturday.
                &[
                    "2026-01-19",
                    "2026-02-16",
                    "2026-05-25",
                    "2026-06-19",
                    "2026-09-07",
                    "2026-10-12",
                    "2026-11-11",
                    "2026-11-26",
                    "2027-07-05",
                ],
                &["2026-07-03", "2026-04-03", "2020-06-19", "2026-12-28"],
            ),
            (
                Calendar::England,
                &[
                    "2026-01-01",
                    "2026-04-03",
                    "2026-05-04",
                    "2026-05-25",
                    "2026-08-31",
                    "2026-12-25",
                    "2026-12-28",
                    "2022-01-03",
                    "2021-12-27",
                    "2021-12-28",
                ],
                &["2026-05-01", "2026-12-29", "2026-01-05"],
            ),
        ] {
            for &text in closed {
                assert!(!calendar.is_business_day(day(text)), "{calendar:?} {text}");
            }
            for &text in open {
                assert!(calendar.is_business_day(day(text)), "{calendar:?} {text}");
            }
        }
    }

    #[test]
    fn days_are_counted_both_ways() {
        let count = |from, to| Calendar::Weekdays.business_days(day(from), day(to));
        assert_eq!(count("2026-03-13", "2026-03-16"), Some(1));
        assert_eq!(count("2026-03-16", "2026-03-13"), Some(-1));
        assert_eq!(count("2026-03-14", "2026-03-15"), Some(0));
        assert_eq!(count("2026-03-02", "2026-03-16"), Some(10));
        assert_eq!(count("0001-01-01", "9999-01-01"), None);
        let fed = Calendar::Fed.business_days(day("2026-11-25"), day("2026-11-30"));
        assert_eq!(fed, Some(2));
    }

    #[test]
    fn float_ends_on_a_business_day() {
        let after = |from, days| Calendar::Weekdays.after(day(from), days);
        assert_eq!(after("2026-03-13", 0), Some(day("2026-03-13")));
        assert_eq!(after("2026-03-13", 1), Some(day("2026-03-16")));
        assert_eq!(after("2026-03-14", 0), Some(day("2026-03-16")));
        assert_eq!(after("2026-03-14", 1), Some(day("2026-03-16")));
        assert_eq!(after("2026-03-13", 2), Some(day("2026-03-17")));
        assert_eq!(after("2026-03-13", -1), None);
        let target = Calendar::Target.after(day("2026-04-02"), 1);
        assert_eq!(target, Some(day("2026-04-07")));
    }
}
