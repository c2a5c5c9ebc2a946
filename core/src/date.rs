//! Calendar dates.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate};
use thiserror::Error;

const EPOCH: NaiveDate = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date");

/// A calendar date, counted in days since 1970-01-01 as Arrow's `Date32` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(i32);

/// The text is not a date of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a date of the calendar")]
pub struct DateError;

impl Date {
    /// From days since 1970-01-01.
    pub const fn from_days(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01.
    pub const fn days(self) -> i32 {
        self.0
    }

    /// Today, by the machine's local calendar.
    pub fn today() -> Self {
        Self::from_naive(chrono::Local::now().date_naive())
    }

    fn from_naive(date: NaiveDate) -> Self {
        Self(date.signed_duration_since(EPOCH).num_days() as i32)
    }

    /// From year, month and day.
    ///
    /// # Errors
    /// [`DateError`] if the calendar has no such day.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Result<Self, DateError> {
        if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
            return Err(DateError);
        }
        // Years that begin in March, so that the leap day comes last; `153 / 5` is the mean
        // length of the months from March on, and four centuries have 146,097 days.
        let (year, month) = if month > 2 {
            (year, month - 3)
        } else {
            (year - 1, month + 9)
        };
        let century = year.div_euclid(400);
        let year = year.rem_euclid(400);
        let day_of_year = (153 * month as i32 + 2) / 5 + day as i32 - 1;
        let day = year * 365 + year / 4 - year / 100 + day_of_year;
        Ok(Self(century * 146_097 + day - DAYS_TO_EPOCH))
    }

    /// From ISO 8601 text, `YYYY-MM-DD`.
    ///
    /// # Errors
    /// [`DateError`] for any other text.
    pub fn parse_iso(text: &[u8]) -> Result<Self, DateError> {
        match text {
            [y @ .., b'-', m1, m2, b'-', d1, d2] if y.len() == 4 => Self::from_ymd(
                number(y)? as i32,
                number(&[*m1, *m2])?,
                number(&[*d1, *d2])?,
            ),
            _ => Err(DateError),
        }
    }

    /// From six digits `YYMMDD`, with years 70 to 99 in the twentieth century.
    ///
    /// # Errors
    /// [`DateError`] if the text is not six digits that name a day.
    pub fn parse_yymmdd(text: &[u8]) -> Result<Self, DateError> {
        match text {
            [y1, y2, m1, m2, d1, d2] => Self::from_ymd(
                full_year(number(&[*y1, *y2])?),
                number(&[*m1, *m2])?,
                number(&[*d1, *d2])?,
            ),
            _ => Err(DateError),
        }
    }

    /// From six digits `MMDDYY`, with years 70 to 99 in the twentieth century.
    ///
    /// # Errors
    /// [`DateError`] if the text is not six digits that name a day.
    pub fn parse_mmddyy(text: &[u8]) -> Result<Self, DateError> {
        match text {
            [m1, m2, d1, d2, y1, y2] => Self::from_ymd(
                full_year(number(&[*y1, *y2])?),
                number(&[*m1, *m2])?,
                number(&[*d1, *d2])?,
            ),
            _ => Err(DateError),
        }
    }

    /// From six digits `DDMMYY`, with years 70 to 99 in the twentieth century.
    ///
    /// # Errors
    /// [`DateError`] if the text is not six digits that name a day.
    pub fn parse_ddmmyy(text: &[u8]) -> Result<Self, DateError> {
        match text {
            [d1, d2, m1, m2, y1, y2] => Self::parse_yymmdd(&[*y1, *y2, *m1, *m2, *d1, *d2]),
            _ => Err(DateError),
        }
    }

    /// From eight digits `YYYYMMDD`.
    ///
    /// # Errors
    /// [`DateError`] if the text is not eight digits that name a day.
    pub fn parse_yyyymmdd(text: &[u8]) -> Result<Self, DateError> {
        match text {
            [y @ .., m1, m2, d1, d2] if y.len() == 4 => Self::from_ymd(
                number(y)? as i32,
                number(&[*m1, *m2])?,
                number(&[*d1, *d2])?,
            ),
            _ => Err(DateError),
        }
    }

    /// From eight digits `DDMMYYYY`.
    ///
    /// # Errors
    /// [`DateError`] if the text is not eight digits that name a day.
    pub fn parse_ddmmyyyy(text: &[u8]) -> Result<Self, DateError> {
        match text {
            [d1, d2, m1, m2, y @ ..] if y.len() == 4 => Self::from_ymd(
                number(y)? as i32,
                number(&[*m1, *m2])?,
                number(&[*d1, *d2])?,
            ),
            _ => Err(DateError),
        }
    }

    /// The date `days` later.
    #[must_use]
    pub const fn plus_days(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// Appends `YYYY-MM-DD` to `out`.
    pub fn write_to(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.ymd();
        let year = year.clamp(0, 9999) as u32;
        for digit in [year / 1000, year / 100 % 10, year / 10 % 10, year % 10] {
            out.push(b'0' + digit as u8);
        }
        for part in [month, day] {
            out.extend_from_slice(&[b'-', b'0' + (part / 10) as u8, b'0' + (part % 10) as u8]);
        }
    }

    fn ymd(self) -> (i32, u32, u32) {
        let date = if self.0 >= 0 {
            EPOCH.checked_add_days(Days::new(self.0.unsigned_abs().into()))
        } else {
            EPOCH.checked_sub_days(Days::new(self.0.unsigned_abs().into()))
        };
        date.map_or((0, 1, 1), |date| (date.year(), date.month(), date.day()))
    }
}

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i32 = 719_468;

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The pivot keeps every date within living memory: bank files are never 44 years ahead.
fn full_year(two_digits: u32) -> i32 {
    let century = if two_digits >= 70 { 1900 } else { 2000 };
    century + two_digits as i32
}

fn number(digits: &[u8]) -> Result<u32, DateError> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(DateError);
    }
    Ok(digits
        .iter()
        .fold(0, |value, &digit| value * 10 + u32::from(digit - b'0')))
}

impl FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        Self::parse_iso(text.as_bytes())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(10);
        self.write_to(&mut text);
        formatter.pad(&String::from_utf8_lossy(&text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_each_convention() {
        let day = Date::from_ymd(2026, 3, 16).unwrap();
        assert_eq!(Date::parse_iso(b"2026-03-16"), Ok(day));
        assert_eq!(Date::parse_yymmdd(b"260316"), Ok(day));
        assert_eq!(Date::parse_mmddyy(b"031626"), Ok(day));
        assert_eq!(day.to_string(), "2026-03-16");
        assert_eq!(
            Date::parse_yymmdd(b"991231").unwrap().to_string(),
            "1999-12-31"
        );
        assert_eq!(day.plus_days(-16).to_string(), "2026-02-28");
    }

    #[test]
    fn agrees_with_the_calendar_on_every_day() {
        let mut expected = NaiveDate::from_ymd_opt(1899, 12, 25).unwrap();
        for _ in 0..150_000 {
            let (year, month, day) = (expected.year(), expected.month(), expected.day());
            assert_eq!(
                Date::from_ymd(year, month, day),
                Ok(Date::from_naive(expected)),
                "{expected}"
            );
            assert_eq!(
                Date::from_ymd(year, month, day + 1).is_ok(),
                NaiveDate::from_ymd_opt(year, month, day + 1).is_some()
            );
            expected = expected.succ_opt().unwrap();
        }
    }

    #[test]
    fn refuses_days_the_calendar_lacks() {
        for text in [
            "2026-02-29",
            "2026-13-01",
            "26-03-16",
            "2026/03/16",
            "",
            "2026-3-16",
        ] {
            assert_eq!(Date::parse_iso(text.as_bytes()), Err(DateError), "{text}");
        }
        assert_eq!(Date::parse_yymmdd(b"000000"), Err(DateError));
        assert_eq!(Date::parse_yymmdd(b"26031x"), Err(DateError));
    }
}
