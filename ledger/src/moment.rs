//! Moments of the past that a ledger can be asked about.

use std::fmt;
use std::str::FromStr;

use chrono::DateTime;
use tieout_core::Date;

use crate::journal::Timestamp;

/// A moment by which something was known. Days and times are those of recording, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The end of a day.
    Day(Date),
    /// A point in time.
    At(Timestamp),
    /// Right after a posting.
    Posting(u64),
}

impl Moment {
    /// The last microsecond that belongs to it, where it is a time.
    pub fn last(self) -> Option<Timestamp> {
        match self {
            Self::Day(day) => {
                let next = Timestamp::start_of(Date::from_days(day.days() + 1));
                Some(Timestamp::from_micros(next.micros() - 1))
            }
            Self::At(at) => Some(at),
            Self::Posting(_) => None,
        }
    }

    /// The first microsecond that belongs to it, where it is a time.
    pub(crate) fn first(self) -> Option<Timestamp> {
        match self {
            Self::Day(day) => Some(Timestamp::start_of(day)),
            _ => self.last(),
        }
    }

    /// The last day that belongs to it, where it is a time.
    pub fn date(self) -> Option<Date> {
        self.last().map(Timestamp::date)
    }
}

/// `2026-03-31` (the end of that day), `2026-03-31T10:00:00Z`, or the number of a posting.
impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Posting(number));
        }
        if let Ok(day) = Date::parse_iso(text.as_bytes()) {
            return Ok(Self::Day(day));
        }
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self::At(Timestamp::from_micros(time.timestamp_micros())))
            .map_err(|_| {
                "write a day as 2026-03-31, a time as 2026-03-31T10:00:00Z, or the number of a \
                 posting"
                    .to_owned()
            })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Day(day) => write!(formatter, "the end of {day} (UTC)"),
            Self::At(at) => at.fmt(formatter),
            Self::Posting(number) => write!(formatter, "posting {number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_moment_is_a_day_a_time_or_a_posting() {
        let day: Moment = "2026-03-31".parse().unwrap();
        assert_eq!(
            day.last().unwrap().to_string(),
            "2026-03-31T23:59:59.999999Z"
        );
        let at: Moment = "2026-03-31T12:00:00+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2026-03-31T10:00:00.000000Z");
        assert_eq!("7".parse(), Ok(Moment::Posting(7)));
        for wrong in ["", "-1", "31.3.2026", "2026-02-30", "2026-03-31 10:00"] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
