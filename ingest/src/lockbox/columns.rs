//! Fields of fixed columns: where they lie and how their digits read.

use tieout_core::{Amount, Date, DateError};

/// Columns of a line, from 0, the last one excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub start: usize,
    pub end: usize,
}

impl Columns {
    /// The bytes of `line` in these columns; fewer where the line ends early.
    #[inline]
    pub fn raw(self, line: &[u8]) -> &[u8] {
        let end = self.end.min(line.len());
        line.get(self.start..end).unwrap_or_default()
    }

    /// The same without blanks at either end.
    #[inline]
    pub fn trimmed(self, line: &[u8]) -> &[u8] {
        self.raw(line).trim_ascii()
    }

    pub const fn width(self) -> usize {
        self.end - self.start
    }

    /// As people count: from 1, the last one included.
    pub fn spoken(self) -> String {
        if self.width() == 1 {
            format!("column {}", self.end)
        } else {
            format!("columns {}-{}", self.start + 1, self.end)
        }
    }
}

/// Where a minus may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Never,
    Leading,
    Trailing,
}

/// An amount in whole numbers of the smallest unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AmountColumns {
    pub columns: Columns,
    pub decimals: u32,
    pub sign: Sign,
}

impl AmountColumns {
    /// The amount; none where the columns are blank.
    ///
    /// # Errors
    /// [`NotDigits`] for anything but digits and a sign where it may stand.
    #[inline]
    pub fn read(self, line: &[u8]) -> Result<Option<Amount>, NotDigits> {
        let text = self.columns.trimmed(line);
        if text.is_empty() {
            return Ok(None);
        }
        let (negative, digits) = match (self.sign, text) {
            (Sign::Leading, [b'-', digits @ ..]) | (Sign::Trailing, [digits @ .., b'-']) => {
                (true, digits)
            }
            _ => (false, text),
        };
        let minor = i128::from(whole_number(digits).ok_or(NotDigits)?);
        let minor = if negative { -minor } else { minor };
        let amount = Amount::from_minor(minor, self.decimals).map_err(|_| NotDigits)?;
        Ok(Some(amount))
    }
}

/// The columns hold something else than a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotDigits;

/// The number that `digits` are: at least one digit, at most eighteen.
#[inline]
pub(crate) fn whole_number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u64::from(byte - b'0'))
    })
}

/// In which order the parts of a date stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateOrder {
    YearMonthDay,
    MonthDayYear,
    DayMonthYear,
    LongYearMonthDay,
    MonthDayLongYear,
}

impl DateOrder {
    /// Every order with its name in a layout.
    pub const ALL: [(Self, &str); 5] = [
        (Self::YearMonthDay, "YYMMDD"),
        (Self::MonthDayYear, "MMDDYY"),
        (Self::DayMonthYear, "DDMMYY"),
        (Self::LongYearMonthDay, "YYYYMMDD"),
        (Self::MonthDayLongYear, "MMDDYYYY"),
    ];

    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(order, _)| *order == self)
            .map_or("", |(_, name)| name)
    }

    /// The date that `digits` are, as many as the order has.
    ///
    /// # Errors
    /// [`DateError`] if they name no day.
    pub fn read(self, digits: &[u8]) -> Result<Date, DateError> {
        match (self, digits) {
            (Self::YearMonthDay, _) => Date::parse_yymmdd(digits),
            (Self::MonthDayYear, _) => Date::parse_mmddyy(digits),
            (Self::DayMonthYear, [d1, d2, m1, m2, y1, y2]) => {
                Date::parse_yymmdd(&[*y1, *y2, *m1, *m2, *d1, *d2])
            }
            (Self::LongYearMonthDay, [y @ .., m1, m2, d1, d2])
            | (Self::MonthDayLongYear, [m1, m2, d1, d2, y @ ..])
                if y.len() == 4 =>
            {
                let part = |digits: &[u8]| whole_number(digits).ok_or(DateError);
                let (year, month, day) = (part(y)?, part(&[*m1, *m2])?, part(&[*d1, *d2])?);
                Date::from_ymd(year as i32, month as u32, day as u32)
            }
            _ => Err(DateError),
        }
    }
}

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateColumns {
    pub columns: Columns,
    pub order: DateOrder,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(sign: Sign, text: &str) -> Result<Option<String>, NotDigits> {
        let columns = Columns { start: 1, end: 11 };
        let columns = AmountColumns {
            columns,
            decimals: 2,
            sign,
        };
        let line = format!("4{text}");
        Ok(columns.read(line.as_bytes())?.map(|a| a.to_string()))
    }

    #[test]
    fn amounts_follow_the_sign_convention() {
        assert_eq!(
            amount(Sign::Leading, "0000012345"),
            Ok(Some("123.45".to_owned()))
        );
        assert_eq!(
            amount(Sign::Leading, "-000012345"),
            Ok(Some("-123.45".to_owned()))
        );
        assert_eq!(
            amount(Sign::Trailing, "000012345-"),
            Ok(Some("-123.45".to_owned()))
        );
        assert_eq!(amount(Sign::Never, "-000012345"), Err(NotDigits));
        assert_eq!(amount(Sign::Leading, "          "), Ok(None));
        assert_eq!(amount(Sign::Leading, ""), Ok(None));
        assert_eq!(amount(Sign::Leading, "-"), Err(NotDigits));
        assert_eq!(amount(Sign::Leading, "12.3"), Err(NotDigits));
    }

    #[test]
    fn dates_follow_their_order() {
        for (order, name) in DateOrder::ALL {
            let digits = match name {
                "YYMMDD" => "260316",
                "MMDDYY" => "031626",
                "DDMMYY" => "160326",
                "YYYYMMDD" => "20260316",
                _ => "03162026",
            };
            assert_eq!(digits.len(), name.len());
            assert_eq!(
                order.read(digits.as_bytes()).map(|d| d.to_string()),
                Ok("2026-03-16".to_owned())
            );
            assert_eq!(order.name(), name);
            assert!(order.read(b"999999").is_err());
            assert!(order.read(b"").is_err());
        }
    }
}
