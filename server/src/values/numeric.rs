//! Numerics in binary: digits to the base 10,000, exact at any length.

use crate::wire::{Body, Refusal, malformed, state};

const NEGATIVE: u16 = 0x4000;
const DIGITS_PER_GROUP: usize = 4;

/// Writes the decimal `text` (`-1234.50`).
pub fn write(text: &str, out: &mut Vec<u8>) {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (NEGATIVE, digits),
        None => (0, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let mut groups: Vec<u16> = Vec::with_capacity(digits.len() / DIGITS_PER_GROUP + 2);
    let first = whole.len() % DIGITS_PER_GROUP;
    let (head, tail) = whole.split_at(first);
    if !head.is_empty() {
        groups.push(group(head, 0));
    }
    let whole_groups = tail.as_bytes().chunks(DIGITS_PER_GROUP);
    groups.extend(whole_groups.map(|chunk| group_of_bytes(chunk, 0)));
    let mut weight = groups.len() as i16 - 1;
    let fraction_groups = fraction.as_bytes().chunks(DIGITS_PER_GROUP);
    groups
        .extend(fraction_groups.map(|chunk| group_of_bytes(chunk, DIGITS_PER_GROUP - chunk.len())));
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let leading = groups.iter().take_while(|&&digit| digit == 0).count();
    groups.drain(..leading);
    weight = if groups.is_empty() {
        0
    } else {
        weight - leading as i16
    };
    let sign = if groups.is_empty() { 0 } else { sign };
    out.extend((groups.len() as u16).to_be_bytes());
    out.extend(weight.to_be_bytes());
    out.extend(sign.to_be_bytes());
    out.extend((fraction.len() as u16).to_be_bytes());
    for digit in groups {
        out.extend(digit.to_be_bytes());
    }
}

fn push_group(text: &mut String, group: u16) {
    for unit in [1000, 100, 10, 1] {
        text.push(char::from(b'0' + (group / unit % 10) as u8));
    }
}

fn group(digits: &str, zeros: usize) -> u16 {
    group_of_bytes(digits.as_bytes(), zeros)
}

fn group_of_bytes(digits: &[u8], zeros: usize) -> u16 {
    let value = digits.iter().fold(0, |value, digit| {
        value * 10 + u16::from(digit.saturating_sub(b'0'))
    });
    value * 10_u16.pow(zeros as u32)
}

/// Reads a binary numeric as decimal text.
///
/// # Errors
/// A [`Refusal`] if it is none, or no number (`NaN`, an infinity).
pub fn read(bytes: &[u8]) -> Result<String, Refusal> {
    let mut body = Body(bytes);
    let count = u16::from_be_bytes(body.number()?);
    let weight = i16::from_be_bytes(body.number()?);
    let sign = u16::from_be_bytes(body.number()?);
    let scale = usize::from(u16::from_be_bytes(body.number()?));
    if sign != 0 && sign != NEGATIVE {
        let found = "NaN and infinity are no amounts";
        return Err(Refusal::new(state::NUMERIC_VALUE_OUT_OF_RANGE, found));
    }
    let mut groups = Vec::with_capacity(usize::from(count).min(bytes.len()));
    for _ in 0..count {
        let digit = u16::from_be_bytes(body.number()?);
        if digit > 9999 {
            return Err(malformed("a numeric has a digit over 9999"));
        }
        groups.push(digit);
    }
    body.end()?;
    let at = |place: i32| -> u16 {
        let place = usize::try_from(i32::from(weight) - place);
        place
            .ok()
            .and_then(|place| groups.get(place))
            .copied()
            .unwrap_or(0)
    };
    let mut text = String::from(if sign == NEGATIVE { "-" } else { "" });
    let mut whole = String::new();
    for place in (0..=i32::from(weight.max(0))).rev() {
        push_group(&mut whole, at(place));
    }
    let trimmed = whole.trim_start_matches('0');
    text.push_str(if trimmed.is_empty() { "0" } else { trimmed });
    if scale > 0 {
        let mut fraction = String::new();
        for place in 1..=scale.div_ceil(DIGITS_PER_GROUP) {
            push_group(&mut fraction, at(-(place as i32)));
        }
        text.push('.');
        text.push_str(&fraction[..scale]);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "99999999",
            "0.0001",
            "0.00001",
            "-0.5",
            "1234.50",
            "123456789012345678.12345",
            "100000000.00000",
            "-170141183460469231731687303715884105727",
        ] {
            let mut bytes = Vec::new();
            write(text, &mut bytes);
            assert_eq!(read(&bytes).unwrap(), text);
        }
    }

    /// From a PostgreSQL 15: `select numeric_send(1234.5)`.
    #[test]
    fn the_bytes_are_those_of_postgres() {
        let mut bytes = Vec::new();
        write("1234.5", &mut bytes);
        assert_eq!(bytes, [0, 2, 0, 0, 0, 0, 0, 1, 4, 210, 19, 136]);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        assert!(read(&[]).is_err());
        assert!(read(&[0, 0, 0, 0, 0xc0, 0, 0, 0]).is_err());
        assert!(read(&[0, 1, 0, 0, 0, 0, 0, 0]).is_err());
        assert!(read(&[0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff]).is_err());
    }
}
