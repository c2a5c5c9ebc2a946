//! Amounts whose last character is digit and sign in one.

use crate::fixed::digits;

/// The minor units that 14 characters name: `{` and A to I end a positive number with 0 to 9,
/// `}` and J to R a negative one. In the French character set é and è stand for the braces. A
/// plain digit is positive.
pub(super) fn minor_units(field: &[u8]) -> Option<i128> {
    let (&last, leading) = field.split_last()?;
    let (digit, is_negative) = match last {
        b'{' | 0xe9 | 0x82 => (0, false),
        b'}' | 0xe8 | 0x8a => (0, true),
        b'A'..=b'I' => (last - b'A' + 1, false),
        b'J'..=b'R' => (last - b'J' + 1, true),
        b'0'..=b'9' => (last - b'0', false),
        _ => return None,
    };
    let number = digits(leading)? * 10 + i128::from(digit);
    Some(if is_negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_character_is_digit_and_sign() {
        for (text, number) in [
            (&b"0000000001904}"[..], Some(-19_040)),
            (b"0000000002412J", Some(-24_121)),
            (b"0000000118711D", Some(1_187_114)),
            (b"0000000040000{", Some(400_000)),
            (b"0000000040000\xe8", Some(-400_000)),
            (b"00000000000001", Some(1)),
            (b"0000000000000S", None),
            (b"              ", None),
            (b"", None),
        ] {
            assert_eq!(minor_units(text), number, "{}", text.escape_ascii());
        }
    }
}
