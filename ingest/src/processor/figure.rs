//! Figures as reports write them: decimal point or comma, thousands apart, minor units, and more
//! decimals than an amount keeps.

use tieout_core::{Amount, AmountError};

/// Decimals that a figure keeps. Reports of foreign exchange write six and more.
const SCALE: u32 = 12;
const SCALE_OF_AMOUNT: u32 = 5;
/// Digits before the decimal point that a figure may have.
const INTEGER_DIGITS_MAX: usize = 18;

/// How a report writes its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Style {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
    /// `123456` hundredths, whatever the currency.
    Hundredths,
    /// `123456` in the currency's minor unit.
    MinorUnits,
}

/// An exact signed figure, before it is an amount.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Figure(i128);

impl Figure {
    pub const ZERO: Self = Self(0);

    /// Reads `text`; `exponent` counts only for minor units.
    pub fn parse(text: &str, style: Style, exponent: u32) -> Result<Self, AmountError> {
        let (is_negative, digits) = unsigned(text.trim());
        let units = match style {
            Style::Point => decimal(digits, '.', ',')?,
            Style::Comma => decimal(digits, ',', '.')?,
            Style::Hundredths => minor(digits, 2)?,
            Style::MinorUnits => minor(digits, exponent)?,
        };
        Ok(Self(if is_negative { -units } else { units }))
    }

    /// From a count of minor units.
    pub fn from_minor(minor: i64, exponent: u32) -> Result<Self, AmountError> {
        Amount::from_minor(i128::from(minor), exponent).map(Self::from)
    }

    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The sum. Only sums of absurd figures reach the limit, and those tie with nothing.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, with the same limit.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    pub const fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// The nearest amount, a tie to the even one.
    pub fn to_amount(self) -> Amount {
        let one = 10_i128.pow(SCALE - SCALE_OF_AMOUNT);
        let (whole, rest) = (self.0.div_euclid(one), self.0.rem_euclid(one));
        let is_up = rest * 2 > one || (rest * 2 == one && whole % 2 != 0);
        Amount::from_units(whole + i128::from(is_up))
    }

    /// Whether [`Figure::to_amount`] leaves something out.
    pub fn is_rounded(self) -> bool {
        Self::from(self.to_amount()) != self
    }
}

impl From<Amount> for Figure {
    fn from(amount: Amount) -> Self {
        Self(
            amount
                .units()
                .saturating_mul(10_i128.pow(SCALE - SCALE_OF_AMOUNT)),
        )
    }
}

/// Takes the sign off, which may be a hyphen, the mathematical minus, a plus, or parentheses.
fn unsigned(text: &str) -> (bool, &str) {
    let inner = text.strip_prefix('(').and_then(|t| t.strip_suffix(')'));
    if let Some(inner) = inner {
        return (true, inner);
    }
    match text.strip_prefix(['-', '\u{2212}']) {
        Some(digits) => (true, digits.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn minor(digits: &str, exponent: u32) -> Result<i128, AmountError> {
    let number = whole(digits)?;
    let places = SCALE.checked_sub(exponent).ok_or(AmountError::TooPrecise)?;
    Ok(number * 10_i128.pow(places))
}

fn decimal(text: &str, point: char, group: char) -> Result<i128, AmountError> {
    let (integer, decimals) = text.split_once(point).unwrap_or((text, ""));
    if integer.is_empty() && decimals.is_empty() {
        return Err(empty_or_not(text));
    }
    if decimals.len() > SCALE as usize {
        return Err(AmountError::TooPrecise);
    }
    let integer = ungrouped(integer, group)?;
    let integer = if integer.is_empty() {
        0
    } else {
        whole(&integer)?
    };
    let fraction = if decimals.is_empty() {
        0
    } else {
        whole(decimals)?
    };
    let places = SCALE - decimals.len() as u32;
    Ok(integer * 10_i128.pow(SCALE) + fraction * 10_i128.pow(places))
}

fn empty_or_not(text: &str) -> AmountError {
    if text.is_empty() {
        AmountError::Empty
    } else {
        AmountError::NotANumber
    }
}

/// The digits without what sets thousands apart, which must set apart three digits each.
fn ungrouped(integer: &str, group: char) -> Result<String, AmountError> {
    let is_group = |c: char| c == group || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'');
    let mut groups = integer.split(is_group);
    let mut digits = groups.next().unwrap_or_default().to_owned();
    for part in groups {
        if digits.is_empty() || part.len() != 3 {
            return Err(AmountError::NotANumber);
        }
        digits.push_str(part);
    }
    Ok(digits)
}

fn whole(digits: &str) -> Result<i128, AmountError> {
    if digits.is_empty() {
        return Err(AmountError::Empty);
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(AmountError::NotANumber);
    }
    if digits.len() > INTEGER_DIGITS_MAX {
        return Err(AmountError::TooLarge);
    }
    Ok(digits
        .bytes()
        .fold(0, |number, digit| number * 10 + i128::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn amount(text: &str, style: Style) -> String {
        Figure::parse(text, style, 0)
            .unwrap()
            .to_amount()
            .to_string()
    }

    #[test]
    fn reads_what_reports_write() {
        assert_eq!(amount("-1,058.09", Style::Point), "-1058.09");
        assert_eq!(amount("4.626,81", Style::Comma), "4626.81");
        assert_eq!(amount("\u{2212}12\u{a0}431,37", Style::Comma), "-12431.37");
        assert_eq!(amount("15000", Style::Hundredths), "150.00");
        assert_eq!(amount("3120", Style::MinorUnits), "3120.00");
        assert_eq!(amount(".11", Style::Point), "0.11");
    }

    #[test]
    fn refuses_what_could_be_read_two_ways() {
        for (text, style) in [
            ("4,626.81", Style::Comma),
            ("12,5", Style::Point),
            ("1.5", Style::Hundredths),
            ("--1", Style::Point),
            ("", Style::Point),
            ("1.2302025304E+022", Style::Point),
        ] {
            assert!(Figure::parse(text, style, 2).is_err(), "{text}");
        }
    }

    #[test]
    fn rounds_to_the_nearest_amount() {
        for (text, rounded) in [
            ("253.952491", "253.95249"),
            ("3.219065", "3.21906"),
            ("3.219075", "3.21908"),
            ("-0.057909", "-0.05791"),
            ("-3.219065", "-3.21906"),
        ] {
            let figure = Figure::parse(text, Style::Point, 0).unwrap();
            assert!(figure.is_rounded());
            assert_eq!(figure.to_amount().to_string(), rounded);
        }
    }
}
