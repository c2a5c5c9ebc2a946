//! Money as integers: cents where the generator makes it, hundred-thousandths where the score
//! reads it, because an engine may print up to five decimals.

use anyhow::{Context, Result, bail};

/// Digits after the point that the score keeps.
pub const DECIMALS: usize = 5;
/// Score units per cent.
pub const UNITS_PER_CENT: i64 = 1_000;

/// Appends `cents` as a decimal with two places (`-12.05`).
pub fn push_cents(out: &mut Vec<u8>, cents: i64) {
    if cents < 0 {
        out.push(b'-');
    }
    let magnitude = cents.unsigned_abs();
    out.extend_from_slice(itoa::Buffer::new().format(magnitude / 100).as_bytes());
    let rest = (magnitude % 100) as u8;
    out.extend_from_slice(&[b'.', b'0' + rest / 10, b'0' + rest % 10]);
}

/// `cents` as a decimal with two places.
pub fn cents_text(cents: i64) -> String {
    let mut out = Vec::with_capacity(16);
    push_cents(&mut out, cents);
    String::from_utf8_lossy(&out).into_owned()
}

/// Parses a decimal into units of 1e-5; an empty text is zero.
///
/// # Errors
/// When the text is not a decimal of at most five places that fits.
pub fn parse_units(text: &str) -> Result<i64> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > DECIMALS && fraction[DECIMALS..].bytes().any(|b| b != b'0') {
        bail!("amount {text:?} has more than {DECIMALS} decimals");
    }
    if whole.is_empty() && fraction.is_empty() {
        bail!("amount {text:?} has no digit");
    }
    let mut units: i64 = 0;
    let places = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(DECIMALS);
    for byte in whole.bytes().chain(places) {
        if !byte.is_ascii_digit() {
            bail!("amount {text:?} is not a decimal");
        }
        units = units
            .checked_mul(10)
            .and_then(|u| u.checked_add(i64::from(byte - b'0')))
            .with_context(|| format!("amount {text:?} does not fit"))?;
    }
    Ok(if negative { -units } else { units })
}

/// Units as a decimal of two places, rounded toward zero: for reports only.
pub fn units_text(units: i64) -> String {
    cents_text(units / UNITS_PER_CENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_keep_their_sign_and_zeros() {
        assert_eq!(cents_text(-1205), "-12.05");
        assert_eq!(cents_text(7), "0.07");
        assert_eq!(cents_text(-7), "-0.07");
    }

    #[test]
    fn units_are_exact() {
        assert_eq!(parse_units("12.05").unwrap(), 1_205_000);
        assert_eq!(parse_units("-0.00001").unwrap(), -1);
        assert_eq!(parse_units("").unwrap(), 0);
        assert_eq!(parse_units("3.1000000").unwrap(), 310_000);
        assert!(parse_units("1.2.3").is_err());
        assert!(parse_units("0.000001").is_err());
        assert!(parse_units("-").is_err());
    }
}
