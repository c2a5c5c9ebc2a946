//! Check digits of accounts and references.
//!
//! Each function takes the text as written, in capital letters and without blanks or separators,
//! and says whether it has the form and its check digits are right.

/// An International Bank Account Number (ISO 13616): country, two check digits, 11 to 30
/// characters; modulo 97.
pub fn is_iban(text: &[u8]) -> bool {
    (15..=34).contains(&text.len())
        && text[..2].iter().all(u8::is_ascii_uppercase)
        && text[2..4].iter().all(u8::is_ascii_digit)
        && rotated_modulo_97(text) == Some(1)
}

/// A creditor reference of ISO 11649: `RF`, two check digits, up to 21 characters; modulo 97.
pub fn is_iso_11649(text: &[u8]) -> bool {
    (5..=25).contains(&text.len())
        && text.starts_with(b"RF")
        && text[2..4].iter().all(u8::is_ascii_digit)
        && rotated_modulo_97(text) == Some(1)
}

/// A Swiss QR or ESR reference: 27 digits, the last by the recursive modulo 10.
pub fn is_swiss_qr(text: &[u8]) -> bool {
    const NEXT: [u8; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
    if text.len() != 27 || !text.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let carry = text[..26].iter().fold(0, |carry, digit| {
        NEXT[usize::from((carry + digit - b'0') % 10)]
    });
    (10 - carry) % 10 == text[26] - b'0'
}

/// A Belgian structured communication: 12 digits, the last two the first ten modulo 97 (97 for
/// none).
pub fn is_belgian_ogm(text: &[u8]) -> bool {
    if text.len() != 12 {
        return false;
    }
    let (Some(number), Some(check)) = (number(&text[..10]), number(&text[10..])) else {
        return false;
    };
    let rest = number % 97;
    check == if rest == 0 { 97 } else { rest }
}

/// A Norwegian KID: 2 to 25 digits, the last by modulo 10 (Luhn) or modulo 11 (`-` for ten).
pub fn is_norwegian_kid(text: &[u8]) -> bool {
    let Some((&last, digits)) = text.split_last() else {
        return false;
    };
    if !(1..=24).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    luhn(digits) == last || modulo_11(digits) == last
}

/// A routing transit number of a US bank: nine digits, weights 3, 7, 1.
pub fn is_routing_number(text: &[u8]) -> bool {
    text.len() == 9
        && text.iter().all(u8::is_ascii_digit)
        && text
            .iter()
            .zip([3, 7, 1].into_iter().cycle())
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum::<u32>()
            .is_multiple_of(10)
}

/// The text with its first four characters behind, letters as 10 to 35, modulo 97.
fn rotated_modulo_97(text: &[u8]) -> Option<u32> {
    let rotated = text[4..].iter().chain(&text[..4]);
    rotated.copied().try_fold(0, |rest, character| {
        let value = char::from(character).to_digit(36)?;
        let is_allowed = character.is_ascii_digit() || character.is_ascii_uppercase();
        let factor = if value > 9 { 100 } else { 10 };
        is_allowed.then_some((rest * factor + value) % 97)
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

fn luhn(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| {
            let product = u32::from(digit - b'0') * weight;
            product / 10 + product % 10
        })
        .sum();
    b'0' + ((10 - sum % 10) % 10) as u8
}

fn modulo_11(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .rev()
        .zip((2..=7).cycle())
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    match (11 - sum % 11) % 11 {
        10 => b'-',
        check => b'0' + check as u8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_digits_pass_and_one_changed_digit_does_not() {
        type Check = fn(&[u8]) -> bool;
        let cases: [(Check, &str); 8] = [
            (is_iban, "DE89370400440532013000"),
            (is_iban, "NO9386011117947"),
            (is_iso_11649, "RF18539007547034"),
            (is_swiss_qr, "210000000003139471430009017"),
            (is_belgian_ogm, "090933755493"),
            (is_norwegian_kid, "2345676"),
            (is_routing_number, "021000021"),
            (is_routing_number, "091000019"),
        ];
        for (check, text) in cases {
            assert!(check(text.as_bytes()), "{text}");
            let mut wrong = text.as_bytes().to_vec();
            let last = wrong.len() - 1;
            wrong[last] = if wrong[last] == b'9' {
                b'0'
            } else {
                wrong[last] + 1
            };
            assert!(!check(&wrong), "{text}");
            assert!(!check(b""));
        }
    }
}
