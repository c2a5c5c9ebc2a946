//! Dates of QIF, which programs write by the habits of their country.

use tieout_core::Date;

/// Which of the first two numbers of a date is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    DayFirst,
    MonthFirst,
}

impl Order {
    pub fn words(self) -> &'static str {
        match self {
            Self::DayFirst => "day/month/year",
            Self::MonthFirst => "month/day/year",
        }
    }
}

/// A date as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// The year comes first, then month and day.
    YearFirst(Date),
    /// Two numbers of which either may be the day, and the year.
    Numbers {
        first: u32,
        second: u32,
        year: i32,
        /// Quicken's mark of years from 2000 on.
        has_apostrophe: bool,
    },
}

impl Written {
    /// Takes a date apart; none if it is none.
    pub fn of(text: &[u8]) -> Option<Self> {
        let kept: Vec<u8> = text.iter().copied().filter(|byte| *byte != b' ').collect();
        if kept.len() == 8 && kept.iter().all(u8::is_ascii_digit) {
            return Date::parse_yyyymmdd(&kept).ok().map(Self::YearFirst);
        }
        let is_separator = |byte: &u8| matches!(byte, b'/' | b'-' | b'.' | b'\'');
        let mut parts = kept.split(is_separator);
        let (first, second, third) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let has_apostrophe = kept.contains(&b'\'');
        if first.len() == 4 {
            let date = Date::from_ymd(number(first)? as i32, number(second)?, number(third)?);
            return date.ok().map(Self::YearFirst);
        }
        Some(Self::Numbers {
            first: number(first)?,
            second: number(second)?,
            year: year(third, has_apostrophe)?,
            has_apostrophe,
        })
    }

    /// The day in `order`; without one, the day that both orders give, or the only one.
    pub fn day(self, order: Option<Order>) -> Option<Date> {
        let Self::Numbers {
            first,
            second,
            year,
            ..
        } = self
        else {
            let Self::YearFirst(date) = self else {
                return None;
            };
            return Some(date);
        };
        let day_first = || Date::from_ymd(year, second, first).ok();
        let month_first = || Date::from_ymd(year, first, second).ok();
        match order {
            Some(Order::DayFirst) => day_first(),
            Some(Order::MonthFirst) => month_first(),
            None => match (day_first(), month_first()) {
                (Some(one), Some(other)) if one != other => None,
                (one, other) => one.or(other),
            },
        }
    }
}

fn number(digits: &[u8]) -> Option<u32> {
    let is_number = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_number.then(|| {
        let digits = digits.iter();
        digits.fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
    })
}

fn year(digits: &[u8], has_apostrophe: bool) -> Option<i32> {
    let number = number(digits)? as i32;
    Some(match digits.len() {
        4 => number,
        1 | 2 if has_apostrophe || number < 70 => 2000 + number,
        2 => 1900 + number,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_day_is_read() {
        let day = |text: &str, order| {
            let written = Written::of(text.as_bytes());
            written
                .and_then(|written| written.day(order))
                .map(|date| date.to_string())
        };
        for (text, order, date) in [
            ("1/ 2'04", Some(Order::MonthFirst), "2004-01-02"),
            ("23/10/2013", Some(Order::DayFirst), "2013-10-23"),
            ("02.03.26", Some(Order::DayFirst), "2026-03-02"),
            ("12/31/98", Some(Order::MonthFirst), "1998-12-31"),
            ("2022-09-08", None, "2022-09-08"),
            ("20220908", None, "2022-09-08"),
            ("23/10/2013", None, "2013-10-23"),
            ("5/5'26", None, "2026-05-05"),
        ] {
            assert_eq!(day(text, order).as_deref(), Some(date), "{text}");
        }
        for text in ["3/4/2026", "2022-13-01", "1/2", "1/2/3/4", "x/2/2026", ""] {
            assert_eq!(day(text, None), None, "{text}");
        }
    }
}
