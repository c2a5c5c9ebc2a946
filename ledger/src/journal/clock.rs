//! When things were recorded.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use tieout_core::Date;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A moment in UTC, to the microsecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The beginning of a day in UTC.
    pub fn start_of(day: Date) -> Self {
        Self(i64::from(day.days()) * MICROS_PER_DAY)
    }

    /// The day in UTC.
    pub fn date(self) -> Date {
        Date::from_days(self.0.div_euclid(MICROS_PER_DAY) as i32)
    }
}

/// RFC 3339 in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::<Utc>::from_timestamp_micros(self.0).unwrap_or_default();
        formatter.pad(&moment.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// Where the ledger's times come from. No decision depends on them but through the journal.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp(Utc::now().timestamp_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_rfc_3339() {
        let moment = Timestamp::from_micros(1_774_951_200_000_001);
        assert_eq!(moment.to_string(), "2026-03-31T10:00:00.000001Z");
        assert_eq!(moment.date().to_string(), "2026-03-31");
        assert_eq!(Timestamp::from_micros(-1).date().to_string(), "1969-12-31");
    }
}
