//! Days as numbers: the morning happens on one fixed business day and every date is relative
//! to it, so that a data set never ages.

/// Days since 1970-01-01.
pub type Day = i32;

/// The business day of the morning: Monday, 2026-03-16.
pub const TODAY: Day = day(2026, 3, 16);

/// Year, month, day of a day number (proleptic Gregorian, after H. Hinnant).
pub const fn civil(day: Day) -> (i32, u32, u32) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + (month <= 2) as i32;
    (year, month as u32, (doy - (153 * mp + 2) / 5 + 1) as u32)
}

/// The day number of a date.
pub const fn day(year: i32, month: i32, day: i32) -> Day {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468
}

/// `YYYY-MM-DD`.
pub fn iso(day: Day) -> [u8; 10] {
    let (y, m, d) = civil(day);
    let mut out = *b"0000-00-00";
    put(&mut out[0..4], y as u32);
    put(&mut out[5..7], m);
    put(&mut out[8..10], d);
    out
}

/// `YYMMDD`, as bank records write it.
pub fn yymmdd(day: Day) -> String {
    let (y, m, d) = civil(day);
    format!("{:02}{m:02}{d:02}", y % 100)
}

/// `MMDDYY`, as the check date of a lockbox record is written.
pub fn mmddyy(day: Day) -> String {
    let (y, m, d) = civil(day);
    format!("{m:02}{d:02}{:02}", y % 100)
}

fn put(digits: &mut [u8], mut value: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_there_and_back() {
        assert_eq!(civil(TODAY), (2026, 3, 16));
        assert_eq!(day(1970, 1, 1), 0);
        assert_eq!(civil(day(2024, 2, 29)), (2024, 2, 29));
        assert_eq!(&iso(day(2025, 12, 31)), b"2025-12-31");
        assert_eq!(mmddyy(TODAY), "031626");
        assert_eq!(yymmdd(TODAY), "260316");
    }
}
