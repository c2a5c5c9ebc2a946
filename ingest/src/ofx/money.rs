//! Amounts of OFX: signed, with a point or a comma before the decimals.

use tieout_core::{Amount, Currency};

use crate::decimal::{Point, decimal_point, read_decimal};

/// Characters that a currency's mark may have (`R$`, `EUR`).
const MARK_CHARACTERS_MAX: usize = 3;

/// Reads an amount in `currency`; the second value says whether a currency's mark stood before
/// it, which OFX does not provide for.
///
/// # Errors
/// What is wrong with the text, for people.
pub(super) fn read_amount(text: &str, currency: Currency) -> Result<(Amount, bool), String> {
    let (is_negative, number, is_marked) = without_mark(text.trim());
    let point = match decimal_point(number.as_bytes()) {
        Point::Unclear(b',') if currency.exponent() != 3 => {
            return Err(format!(
                "the amount is `{text}`: its comma may stand before thousands or before decimals"
            ));
        }
        Point::Is(point) | Point::Unclear(point) => point,
        Point::Absent => b'.',
    };
    let amount =
        read_decimal(number.as_bytes(), point).map_err(|error| format!("the amount is {error}"))?;
    Ok((if is_negative { -amount } else { amount }, is_marked))
}

/// Whether a minus stands before the currency's mark, what stands behind the mark, and whether
/// there is one.
fn without_mark(text: &str) -> (bool, &str, bool) {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let is_mark = |&character: &char| character.is_alphabetic() || "$€£¥".contains(character);
    let mark: String = unsigned.chars().take_while(is_mark).collect();
    if mark.is_empty() || mark.chars().count() > MARK_CHARACTERS_MAX {
        return (false, text, false);
    }
    let number = unsigned.get(mark.len()..).unwrap_or_default().trim();
    (is_negative, number, true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<String, String> {
        read_amount(text, Currency::USD).map(|(amount, _)| amount.to_string())
    }

    #[test]
    fn amounts_of_every_bank_are_read() {
        for (text, amount) in [
            ("-80", "-80.00"),
            ("+00000000000115.8331", "115.8331"),
            ("-200,00", "-200.00"),
            ("1.234,56", "1234.56"),
            ("R$\u{a0} 5.326,43", "5326.43"),
            ("-R$ 1,5", "-1.50"),
            ("$120", "120.00"),
            ("10.125", "10.125"),
        ] {
            assert_eq!(read(text).unwrap(), amount, "{text}");
        }
        assert!(read_amount("$1", Currency::USD).unwrap().1);
        for text in ["", "1,234", "--1", "abc", "EURO 5", "-"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
