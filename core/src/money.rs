//! Exact amounts.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};
use std::str::FromStr;

use rust_decimal::Decimal;
use thiserror::Error;

/// Decimal places that an [`Amount`] keeps; ISO 20022 allows at most five.
pub const AMOUNT_SCALE: u32 = 5;
const UNITS_PER_ONE: i128 = 100_000;
/// Integer digits that an [`Amount`] may have.
const INTEGER_DIGITS_MAX: usize = 18;
/// Bytes of an amount whose units fit a `u64` whatever its digits are.
const PLAIN_BYTES_MAX: usize = 14;
const POWERS_OF_TEN: [u64; AMOUNT_SCALE as usize + 1] = [1, 10, 100, 1_000, 10_000, 100_000];
/// One more than the largest amount: 18 integer digits and 5 decimals.
const UNITS_LIMIT: i128 = 10_i128.pow(23);

/// An exact signed amount, counted in hundred-thousandths of a currency's major unit.
///
/// The currency is kept beside it, by whoever holds the amount; two amounts of different
/// currencies are never added. Every amount that comes from text is below 10^23 units, so
/// that sums of any realistic number of them cannot overflow the `i128` that holds them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(i128);

/// Why a text is not an [`Amount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AmountError {
    /// Nothing to read.
    #[error("the amount is empty")]
    Empty,
    /// A character that is not a digit, a leading sign or the one decimal point.
    #[error("not a decimal number (digits, one point, an optional leading sign)")]
    NotANumber,
    /// More than eighteen digits before the decimal point.
    #[error("more than 18 digits before the decimal point")]
    TooLarge,
    /// More than five decimals.
    #[error("more than 5 decimals")]
    TooPrecise,
}

impl Amount {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// From a count of hundred-thousandths.
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// The count of hundred-thousandths; Arrow's `Decimal128(23, 5)` holds the same number.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// From minor units (cents for an exponent of 2), as bank files write them.
    ///
    /// # Errors
    /// [`AmountError::TooLarge`] beyond 18 integer digits, [`AmountError::TooPrecise`] for an
    /// exponent above 5.
    pub fn from_minor(minor: i128, exponent: u32) -> Result<Self, AmountError> {
        let places = AMOUNT_SCALE
            .checked_sub(exponent)
            .ok_or(AmountError::TooPrecise)?;
        minor
            .checked_mul(i128::from(POWERS_OF_TEN[places as usize]))
            .filter(|units| units.abs() < UNITS_LIMIT)
            .map(Self)
            .ok_or(AmountError::TooLarge)
    }

    /// From the decimal number in `text`: an optional sign, digits, at most one point.
    ///
    /// # Errors
    /// An [`AmountError`] that says what is wrong with the text.
    pub fn parse(text: &[u8]) -> Result<Self, AmountError> {
        Self::parse_with_point(text, b'.')
    }

    /// As [`Amount::parse`], with another character as the decimal point (`,` in SWIFT messages).
    ///
    /// # Errors
    /// An [`AmountError`] that says what is wrong with the text.
    pub fn parse_with_point(text: &[u8], point: u8) -> Result<Self, AmountError> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] | rest => (false, rest),
        };
        let units = parse_unsigned(digits, point)?;
        Ok(Self(if negative { -units } else { units }))
    }

    /// The amount without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.abs())
    }

    /// Whether there is no money.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether the amount is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether the amount is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// The share `percent` of this amount, rounded toward zero to a whole unit.
    ///
    /// Rounding down keeps a percentage tolerance from ever allowing more than it says.
    #[must_use]
    pub fn percent(self, percent: Decimal) -> Self {
        let hundredth = percent.mantissa() * self.0;
        Self(hundredth / (100 * 10_i128.pow(percent.scale())))
    }

    /// Appends the decimal number to `out`: at least two decimals, at most five.
    pub fn write_to(self, out: &mut Vec<u8>) {
        if self.0 < 0 {
            out.push(b'-');
        }
        let units = self.0.unsigned_abs();
        let mut digits = itoa::Buffer::new();
        // A division of 64 bits takes a tenth of the time, and nearly every amount fits.
        let fraction = if let Ok(units) = u64::try_from(units) {
            let one = UNITS_PER_ONE as u64;
            out.extend_from_slice(digits.format(units / one).as_bytes());
            (units % one) as u32
        } else {
            let one = UNITS_PER_ONE.unsigned_abs();
            out.extend_from_slice(digits.format(units / one).as_bytes());
            (units % one) as u32
        };
        let mut decimals = [b'0'; AMOUNT_SCALE as usize];
        let mut rest = fraction;
        for digit in decimals.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        let mut kept = decimals.len();
        while kept > 2 && decimals[kept - 1] == b'0' {
            kept -= 1;
        }
        out.push(b'.');
        out.extend_from_slice(&decimals[..kept]);
    }
}

fn parse_unsigned(text: &[u8], point: u8) -> Result<i128, AmountError> {
    match parse_plain(text, point) {
        Some(units) => Ok(units.into()),
        None => parse_any(text, point),
    }
}

/// The units of what nearly all amounts are: few digits, of which five at most are decimals.
fn parse_plain(text: &[u8], point: u8) -> Option<u64> {
    if text.len() > PLAIN_BYTES_MAX {
        return None;
    }
    let mut value = 0;
    let mut integer_digits = None;
    for (at, &byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            // So few digits never reach the limit, and each check would wait for the one before.
            value = u64::wrapping_add(u64::wrapping_mul(value, 10), digit.into());
        } else if byte == point && integer_digits.is_none() {
            integer_digits = Some(at);
        } else {
            return None;
        }
    }
    let decimals = integer_digits.map_or(0, |digits| text.len() - digits - 1);
    let has_digits = text.len() > usize::from(integer_digits.is_some());
    let places = (AMOUNT_SCALE as usize).checked_sub(decimals)?;
    has_digits.then(|| value * POWERS_OF_TEN[places])
}

fn parse_any(text: &[u8], point: u8) -> Result<i128, AmountError> {
    let (integer, decimals) = match text.iter().position(|&byte| byte == point) {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &text[text.len()..]),
    };
    if integer.is_empty() && decimals.is_empty() {
        return Err(if text.is_empty() {
            AmountError::Empty
        } else {
            AmountError::NotANumber
        });
    }
    if !integer.iter().chain(decimals).all(u8::is_ascii_digit) {
        return Err(AmountError::NotANumber);
    }
    let leading_zeros = integer.iter().take_while(|&&digit| digit == b'0').count();
    let integer = &integer[leading_zeros..];
    if integer.len() > INTEGER_DIGITS_MAX {
        return Err(AmountError::TooLarge);
    }
    let trailing_zeros = decimals.iter().rev().take_while(|&&d| d == b'0').count();
    let decimals = &decimals[..decimals.len() - trailing_zeros];
    if decimals.len() > AMOUNT_SCALE as usize {
        return Err(AmountError::TooPrecise);
    }
    let major = digits_value(integer);
    let fraction = digits_value(decimals) * POWERS_OF_TEN[AMOUNT_SCALE as usize - decimals.len()];
    Ok(i128::from(major) * UNITS_PER_ONE + i128::from(fraction))
}

/// At most 18 digits, so that a `u64` holds them.
fn digits_value(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |value, &digit| value * 10 + u64::from(digit - b'0'))
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        Self::parse(text.as_bytes())
    }
}

impl TryFrom<Decimal> for Amount {
    type Error = AmountError;

    fn try_from(value: Decimal) -> Result<Self, AmountError> {
        let value = value.normalize();
        Self::from_minor(value.mantissa(), value.scale())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(24);
        self.write_to(&mut text);
        formatter.pad(&String::from_utf8_lossy(&text))
    }
}

impl Add for Amount {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Amount {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_and_writes_what_people_write() {
        for (text, written) in [
            ("0", "0.00"),
            ("-12.5", "-12.50"),
            ("+0012.34500", "12.345"),
            (".05", "0.05"),
            ("7.", "7.00"),
            ("999999999999999999.99999", "999999999999999999.99999"),
        ] {
            assert_eq!(Amount::parse(text.as_bytes()).unwrap().to_string(), written);
        }
    }

    #[test]
    fn refuses_with_the_reason() {
        for (text, error) in [
            ("", AmountError::Empty),
            (".", AmountError::NotANumber),
            ("-", AmountError::Empty),
            ("1,00", AmountError::NotANumber),
            ("12.3.4", AmountError::NotANumber),
            ("1e5", AmountError::NotANumber),
            ("--1", AmountError::NotANumber),
            ("1000000000000000000", AmountError::TooLarge),
            ("0.000001", AmountError::TooPrecise),
        ] {
            assert_eq!(Amount::parse(text.as_bytes()), Err(error), "{text:?}");
        }
    }

    #[test]
    fn minor_units_follow_the_exponent() {
        assert_eq!(Amount::from_minor(12345, 2).unwrap().to_string(), "123.45");
        assert_eq!(
            Amount::from_minor(12345, 0).unwrap().to_string(),
            "12345.00"
        );
        assert_eq!(Amount::from_minor(12345, 3).unwrap().to_string(), "12.345");
        assert_eq!(Amount::from_minor(i128::MAX, 2), Err(AmountError::TooLarge));
        assert_eq!(Amount::from_minor(1, 6), Err(AmountError::TooPrecise));
    }

    #[test]
    fn percent_never_rounds_up() {
        let two_percent = Decimal::new(2, 0);
        let amount = Amount::from_units(149);
        assert_eq!(amount.percent(two_percent), Amount::from_units(2));
    }

    proptest! {
        #[test]
        fn text_round_trips(units in -(UNITS_LIMIT - 1)..UNITS_LIMIT) {
            let amount = Amount::from_units(units);
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.0-9a ]{0,30}") {
            if let Ok(amount) = text.parse::<Amount>() {
                prop_assert!(amount.units().abs() < UNITS_LIMIT);
            }
        }
    }
}
