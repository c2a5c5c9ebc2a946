//! Exchange rates.

use thiserror::Error;

use crate::schema::RATE_SCALE;

/// Digits that a rate may have before the point.
const INTEGER_DIGITS_MAX: usize = 16;

/// An exact exchange rate above zero, counted in 10^-12: units of one currency for one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(i128);

/// Why a text is not a [`Rate`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RateError {
    /// A character that is not a digit or the one decimal point.
    #[error("not a decimal number (digits and one point)")]
    NotANumber,
    /// Nothing is worth nothing.
    #[error("not above zero")]
    NotAboveZero,
    /// More than sixteen digits before the decimal point.
    #[error("more than 16 digits before the decimal point")]
    TooLarge,
    /// More than twelve decimals.
    #[error("more than 12 decimals")]
    TooPrecise,
}

impl Rate {
    /// The count of 10^-12; Arrow's `Decimal128(28, 12)` holds the same number.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// From decimal text such as `1.0843`.
    ///
    /// # Errors
    /// A [`RateError`] for any other text, for nought, and for more digits than are kept.
    pub fn parse(text: &[u8]) -> Result<Self, RateError> {
        let point = text.iter().position(|&byte| byte == b'.');
        let (whole, decimals) = match point {
            Some(point) => (&text[..point], &text[point + 1..]),
            None => (text, &[][..]),
        };
        let are_digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
        if whole.is_empty() || !are_digits(whole) || !are_digits(decimals) {
            return Err(RateError::NotANumber);
        }
        let kept = decimals.iter().rposition(|&digit| digit != b'0');
        let decimals = &decimals[..kept.map_or(0, |last| last + 1)];
        let zeros = whole.iter().take_while(|&&digit| digit == b'0').count();
        let scale = RATE_SCALE as usize;
        if decimals.len() > scale {
            return Err(RateError::TooPrecise);
        }
        if whole.len() - zeros > INTEGER_DIGITS_MAX {
            return Err(RateError::TooLarge);
        }
        let fill = std::iter::repeat_n(&b'0', scale - decimals.len());
        let digits = whole[zeros..].iter().chain(decimals).chain(fill);
        let units = digits.fold(0_i128, |units, &digit| {
            units * 10 + i128::from(digit - b'0')
        });
        if units == 0 {
            return Err(RateError::NotAboveZero);
        }
        Ok(Self(units))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_exact() {
        let units = |text: &str| Rate::parse(text.as_bytes()).map(Rate::units);
        assert_eq!(units("1.0843"), Ok(1_084_300_000_000));
        assert_eq!(units("0161"), Ok(161_000_000_000_000));
        assert_eq!(units("0.000000000001"), Ok(1));
        assert_eq!(units("1.0000000000000"), Ok(1_000_000_000_000));
        assert_eq!(units("0.0000000000001"), Err(RateError::TooPrecise));
        assert_eq!(units("12345678901234567"), Err(RateError::TooLarge));
        assert_eq!(units("0.00"), Err(RateError::NotAboveZero));
        for text in ["", ".5", "-1", "1,5", "1e3", "1.2.3"] {
            assert_eq!(units(text), Err(RateError::NotANumber), "{text}");
        }
    }
}
