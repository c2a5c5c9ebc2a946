//! Amounts as people and their programs write them, with either character as the decimal point
//! and the other one between thousands.

use tieout_core::Amount;

/// What a separator in an amount's text says about the decimal point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
    /// There is no separator.
    Absent,
    /// Only this character can be the decimal point.
    Is(u8),
    /// The one separator (this character) stands before three digits: it may be either.
    Unclear(u8),
}

/// What the separators of `text` say about the decimal point.
pub(crate) fn decimal_point(text: &[u8]) -> Point {
    let mut separators = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b'.' | b','));
    let Some((first_at, &first)) = separators.next() else {
        return Point::Absent;
    };
    let Some((_, &last)) = separators.next_back() else {
        return if may_be_thousands(&text[..first_at], &text[first_at + 1..]) {
            Point::Unclear(first)
        } else {
            Point::Is(first)
        };
    };
    // Repeated, it stands between thousands, and the other one is the point.
    Point::Is(if first == last { other(first) } else { last })
}

/// Whether what stands before a separator may be thousands of what stands behind it: `10,000`,
/// but not `0,125`.
fn may_be_thousands(before: &[u8], behind: &[u8]) -> bool {
    let digits = before.iter().filter(|byte| byte.is_ascii_digit());
    let is_zero = before.iter().all(|byte| !matches!(byte, b'1'..=b'9'));
    behind.len() == 3 && digits.count() <= 3 && !is_zero
}

fn other(separator: u8) -> u8 {
    if separator == b'.' { b',' } else { b'.' }
}

/// Reads `text` with `point` as the decimal point; the other separator, and apostrophes, may
/// stand between thousands.
///
/// # Errors
/// What is wrong with the text, for people.
pub(crate) fn read_decimal(text: &[u8], point: u8) -> Result<Amount, String> {
    let refused = |error: String| format!("`{}`: {error}", String::from_utf8_lossy(text));
    let grouping = other(point);
    let integer = text.split(|&byte| byte == point).next().unwrap_or(text);
    let mut groups = integer
        .split(|&byte| byte == grouping || byte == b'\'')
        .skip(1);
    if groups.any(|group| group.len() != 3) {
        return Err(refused("thousands are not separated in threes".to_owned()));
    }
    let decimals = &text[integer.len()..];
    if decimals.contains(&grouping) {
        return Err(refused("two decimal points".to_owned()));
    }
    let digits: Vec<u8> = text
        .iter()
        .copied()
        .filter(|&byte| byte != grouping && byte != b'\'')
        .collect();
    Amount::parse_with_point(&digits, point).map_err(|error| refused(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn separators_tell_the_point_where_they_can() {
        for (text, point) in [
            ("-48", Point::Absent),
            ("-48.00", Point::Is(b'.')),
            ("12,5", Point::Is(b',')),
            ("1,234", Point::Unclear(b',')),
            ("-10.000", Point::Unclear(b'.')),
            ("0,125", Point::Is(b',')),
            ("1234.567", Point::Is(b'.')),
            ("1.234,56", Point::Is(b',')),
            ("1,234,567", Point::Is(b'.')),
        ] {
            assert_eq!(decimal_point(text.as_bytes()), point, "{text}");
        }
    }

    #[test]
    fn thousands_stand_in_threes() {
        let read = |text: &str, point| read_decimal(text.as_bytes(), point);
        assert_eq!(read("-1.234,56", b',').unwrap().to_string(), "-1234.56");
        assert_eq!(read("1'234'567.8", b'.').unwrap().to_string(), "1234567.80");
        assert!(read("12,34.5", b'.').is_err());
        assert!(read("1.5,000", b'.').is_err());
        assert!(read("1.2.3", b'.').is_err());
        assert!(read("", b'.').is_err());
    }
}
