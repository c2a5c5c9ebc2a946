//! Fields of lines of fixed width.

/// Columns `first` to `last` of a line, counted from 1, both included. What a line that lost its
/// trailing blanks does not have is empty.
#[inline]
pub(crate) fn columns(line: &[u8], first: usize, last: usize) -> &[u8] {
    let end = last.min(line.len());
    line.get(first - 1..end).unwrap_or_default()
}

/// The same without blanks at both ends.
#[inline]
pub(crate) fn trimmed(line: &[u8], first: usize, last: usize) -> &[u8] {
    columns(line, first, last).trim_ascii()
}

/// The number that digits name; none for anything else, or for more than 38 digits.
#[inline]
pub(crate) fn digits(text: &[u8]) -> Option<i128> {
    /// Digits that a `u64` holds whatever they are, and adds up in a third of the time.
    const SHORT: usize = 19;
    if text.is_empty() || text.len() > 38 {
        return None;
    }
    let (long, short) = text.split_at(text.len().saturating_sub(SHORT));
    let (long, short) = (short_number(long)?, short_number(short)?);
    Some(i128::from(long) * 10_i128.pow(SHORT as u32) + i128::from(short))
}

/// The number that at most 19 digits name, which a `u64` always holds.
#[inline]
pub(crate) fn short_number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number.wrapping_mul(10).wrapping_add(digit.into()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_have_empty_columns() {
        assert_eq!(columns(b"16 42", 4, 9), b"42");
        assert_eq!(columns(b"16 42", 8, 9), b"");
        assert_eq!(trimmed(b"16 42  ", 3, 7), b"42");
        assert_eq!(digits(b"0042"), Some(42));
        assert_eq!(digits(b"4 2"), None);
        assert_eq!(digits(b""), None);
    }
}
