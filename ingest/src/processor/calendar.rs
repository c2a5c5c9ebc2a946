//! Dates as reports write them. The day is the one that the report writes, in its own time zone.

use tieout_core::{Date, DateError};

/// The order of day and month where a date does not begin with its year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    DayMonth,
    MonthDay,
}

impl Order {
    pub const fn shown(self) -> &'static str {
        match self {
            Self::DayMonth => "day, month, year",
            Self::MonthDay => "month, day, year",
        }
    }
}

/// Reads the date at the beginning of `text`; a time may follow.
pub(super) fn date(text: &str, order: Order) -> Result<Date, DateError> {
    let (first, second, third) = parts(text).ok_or(DateError)?;
    if first.len() == 4 {
        return ymd(first, second, third);
    }
    match order {
        Order::DayMonth => ymd(third, second, first),
        Order::MonthDay => ymd(third, first, second),
    }
}

/// The order that `text` must have, if only one gives a date.
pub(super) fn order_of(text: &str) -> Option<Order> {
    let (first, _, _) = parts(text)?;
    if first.len() == 4 {
        return None;
    }
    let day_first = date(text, Order::DayMonth).is_ok();
    match (day_first, date(text, Order::MonthDay).is_ok()) {
        (true, false) => Some(Order::DayMonth),
        (false, true) => Some(Order::MonthDay),
        _ => None,
    }
}

/// The three numbers of a date, without the time behind it.
fn parts(text: &str) -> Option<(&str, &str, &str)> {
    let end = text.find([' ', 'T']).unwrap_or(text.len());
    let mut parts = text.get(..end)?.split(['/', '-', '.']);
    let three = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(three)
}

fn ymd(year: &str, month: &str, day: &str) -> Result<Date, DateError> {
    let full = match year.len() {
        2 => 2000 + number(year)?,
        4 => number(year)?,
        _ => return Err(DateError),
    };
    Date::from_ymd(full as i32, number(month)?, number(day)?)
}

fn number(digits: &str) -> Result<u32, DateError> {
    let is_number = (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if !is_number {
        return Err(DateError);
    }
    digits.parse().map_err(|_| DateError)
}

/// The day in UTC of a count of seconds since 1970.
pub(super) fn day_of_epoch(seconds: i64) -> Option<Date> {
    let days = i32::try_from(seconds.div_euclid(86_400)).ok()?;
    // Beyond the year 9999 it is no date but a count of milliseconds.
    (0..2_932_897)
        .contains(&days)
        .then(|| Date::from_days(days))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str, order: Order) -> Option<String> {
        date(text, order).ok().map(|date| date.to_string())
    }

    #[test]
    fn reads_what_reports_write() {
        let iso = Some("2026-01-30".to_owned());
        for text in [
            "2026-01-30",
            "2026-01-30 10:11:12",
            "2026/01/30 16:14:16 -0800",
            "2026-01-30T08:12:16.150190Z",
            "30/1/2026",
            "30.01.26",
        ] {
            assert_eq!(shown(text, Order::DayMonth), iso, "{text}");
        }
        assert_eq!(shown("1/30/2026", Order::MonthDay), iso);
        for text in ["", "2026-02-30", "30/1", "1/2/3/4", "tomorrow", "+1/2/2026"] {
            assert_eq!(shown(text, Order::DayMonth), None, "{text}");
        }
    }

    #[test]
    fn one_date_may_tell_the_order() {
        assert_eq!(order_of("9/27/2018"), Some(Order::MonthDay));
        assert_eq!(order_of("29/12/2015"), Some(Order::DayMonth));
        assert_eq!(order_of("9/4/2018"), None);
        assert_eq!(order_of("2018-09-27"), None);
    }

    #[test]
    fn seconds_give_the_day() {
        let day = day_of_epoch(1_234_567_890).map(|date| date.to_string());
        assert_eq!(day.as_deref(), Some("2009-02-13"));
        assert_eq!(day_of_epoch(1_234_567_890_000), None);
    }
}
