//! How a document number is written by those who pay: as issued, or the way it gets mangled.

use super::dice::Dice;
use super::items::Item;

/// What happened to a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As issued.
    Clean,
    /// Prefix dropped or added.
    Prefix,
    /// Leading zeros dropped or added.
    Zeros,
    /// Other separators.
    Separators,
    /// First or last digits missing.
    Truncated,
    /// One character misread.
    OcrSlip,
    /// The purchase order.
    PurchaseOrder,
    /// No reference at all.
    Missing,
    /// Words that name nothing.
    Garbage,
    /// Words that say "on account".
    OnAccount,
}

/// The item's number, written in this form.
pub fn written(item: &Item, form: Form, dice: &mut Dice) -> String {
    let number = item.number();
    match form {
        Form::Prefix => prefix(&number, dice),
        Form::Zeros => zeros(&number, dice),
        Form::Separators => separators(&number, dice),
        Form::Truncated => truncated(&number, dice),
        Form::OcrSlip => ocr_slip(&number, dice),
        Form::PurchaseOrder => purchase_order(item.order),
        Form::Clean | Form::Missing | Form::Garbage | Form::OnAccount => number,
    }
}

/// A purchase order's number.
pub fn purchase_order(order: u32) -> String {
    format!("4{order}")
}

/// Splits a number into what precedes its last run of digits, and that run.
fn halves(number: &str) -> (&str, &str) {
    let tail = number.bytes().rev().take_while(u8::is_ascii_digit).count();
    number.split_at(number.len() - tail)
}

fn prefix(number: &str, dice: &mut Dice) -> String {
    let (head, digits) = halves(number);
    if head.is_empty() {
        return format!("{}{digits}", dice.pick(&["INV", "INV#", "#", "INV-"]));
    }
    if head.len() <= 4 && dice.chance(200) {
        return format!("#{number}");
    }
    match head.split_once('-') {
        Some((_, year)) if !year.is_empty() && dice.chance(300) => format!("{year}{digits}"),
        _ => digits.to_owned(),
    }
}

fn zeros(number: &str, dice: &mut Dice) -> String {
    let (head, digits) = halves(number);
    let bare = digits.trim_start_matches('0');
    if bare.len() == digits.len() {
        return format!(
            "{head}{}{digits}",
            if dice.chance(500) { "0" } else { "00" }
        );
    }
    let head = if dice.chance(300) {
        head.trim_end_matches('-')
    } else {
        head
    };
    format!("{head}{bare}")
}

fn separators(number: &str, dice: &mut Dice) -> String {
    if !number.contains('-') {
        let (head, digits) = halves(number);
        let (left, right) = digits.split_at(digits.len() - 4);
        return format!("{head}{left}{}{right}", dice.pick(&["-", "."]));
    }
    number.replace('-', dice.pick(&["", "", ".", "_", " "]))
}

/// Loses one or two digits at one end; at least four stay.
fn truncated(number: &str, dice: &mut Dice) -> String {
    let (head, digits) = halves(number);
    let lost = 1 + dice.below(2) as usize;
    if dice.chance(600) {
        return format!("{head}{}", &digits[..digits.len() - lost]);
    }
    let bare = digits.trim_start_matches('0');
    let lost = lost.min(bare.len().saturating_sub(4));
    bare[lost..].to_owned()
}

/// Misreads one of the last five digits: into a letter that looks alike, or another digit.
fn ocr_slip(number: &str, dice: &mut Dice) -> String {
    const LOOKS_LIKE: [&[u8]; 10] = [
        b"O8DO6", b"I7L7", b"Z7", b"8", b"9A", b"S6S3", b"G85", b"1T1", b"B3B6", b"4g0",
    ];
    let mut letters = number.as_bytes().to_vec();
    let at = letters.len() - 1 - dice.below(5.min(letters.len() as u64)) as usize;
    if letters[at].is_ascii_digit() {
        letters[at] = dice.pick(LOOKS_LIKE[usize::from(letters[at] - b'0')]);
    }
    String::from_utf8_lossy(&letters).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_stay_readable() {
        let mut dice = Dice::new(1, 1);
        for _ in 0..200 {
            for number in ["INV-0048213", "4821377", "SI-25-0093121"] {
                assert_eq!(ocr_slip(number, &mut dice).len(), number.len());
                assert!(truncated(number, &mut dice).len() >= 4);
                assert!(prefix(number, &mut dice).len() <= 15);
                assert_ne!(separators(number, &mut dice), number);
                assert_ne!(zeros(number, &mut dice), number);
            }
        }
    }

    #[test]
    fn the_digits_survive_a_change_of_form() {
        let mut dice = Dice::new(2, 1);
        for _ in 0..50 {
            assert!(prefix("INV-0048213", &mut dice).contains("0048213"));
            assert!(zeros("SI-25-0093121", &mut dice).ends_with("93121"));
        }
    }
}
