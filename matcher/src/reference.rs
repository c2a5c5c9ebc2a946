//! Document references as people and scanners write them, and how far two of them agree.

use smallvec::SmallVec;
pub use tieout_core::Significant;

/// A truncated reference must keep this many characters to say anything.
const TRUNCATED_BYTES_MIN: usize = 4;
/// A truncated reference may lack this many characters.
pub const TRUNCATED_MISSING_MAX: usize = 4;
/// A reference with an edit must have this many characters to say anything.
const EDITED_BYTES_MIN: usize = 4;
/// A number needs this many digits to be looked for by its last digits, or to be missed when no
/// document has it.
pub const DIGITS_MIN: usize = 4;
/// Pieces taken from one payment's free text; a cheque for more invoices is cut here.
const TOKENS_MAX: usize = 1_000;

/// How far a reference agrees with a document number; the smaller, the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Agreement {
    /// Letter by letter.
    Exact,
    /// But for prefix, zeros, case and separators.
    Normalized,
    /// One is the beginning or the end of the other.
    Truncated,
    /// One character apart.
    OneEdit,
}

/// Whether `reference` may be `number` with damage: cut, without zeros inside, or one character
/// off.
pub fn damage(reference: &[u8], number: &[u8]) -> Option<Agreement> {
    let (left, right) = (Significant::of(reference), Significant::of(number));
    let run = Significant::last_run(number);
    let (left, right, run) = (left.as_bytes(), right.as_bytes(), run.as_bytes());
    let cut = is_truncation(left, right) || is_truncation(right, left) || is_truncation(left, run);
    if cut
        || is_truncation(&digits_with_zeros(reference), &digits_with_zeros(number))
        || lacks_inner_zeros(left, number, run)
    {
        return Some(Agreement::Truncated);
    }
    let long_enough = left.len().min(right.len()) >= EDITED_BYTES_MIN;
    // Equal ones come here when what stands in front of them differs.
    (long_enough && (left == right || is_one_edit(left, right))).then_some(Agreement::OneEdit)
}

/// `SI-2593172` for `SI-25-0093172`: year and number pushed together.
fn lacks_inner_zeros(significant: &[u8], number: &[u8], run: &[u8]) -> bool {
    let front = before_last_run(number);
    let digits = front.iter().position(u8::is_ascii_digit);
    digits.is_some_and(|start| {
        significant.len() == front.len() - start + run.len()
            && significant.starts_with(&front[start..])
            && significant.ends_with(run)
    })
}

/// A number cut at its end keeps its leading zeros, and they count as characters kept.
fn digits_with_zeros(reference: &[u8]) -> Prefix {
    let mut digits: Prefix = reference
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .skip_while(|byte| byte.is_ascii_alphabetic())
        .copied()
        .collect();
    digits.make_ascii_uppercase();
    digits
}

fn run_start(digits_at_end: &[u8]) -> usize {
    digits_at_end
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |before| before + 1)
}

/// Words in front of a number that say no more than that it is an invoice's.
const INVOICE_WORDS: [&[u8]; 8] = [
    b"INV",
    b"INVOICE",
    b"INVOICES",
    b"NO",
    b"INVNO",
    b"REF",
    b"BILL",
    b"DOC",
];

/// How far `reference` agrees with the document `number`, whose last digits or significant part
/// it shares; none where the two say different things in front of them.
///
/// `is_invoice` tells whether the document is one, as the words for invoices then say nothing.
pub fn agreement(reference: &[u8], number: &[u8], is_invoice: bool) -> Option<Agreement> {
    let reference = reference.trim_ascii();
    if reference == number.trim_ascii() {
        return Some(Agreement::Exact);
    }
    let significant = Significant::of(reference);
    if significant == Significant::of(number)
        || significant == Significant::without_inner_zeros(number)
    {
        let (left, right) = (letters_in_front(reference), letters_in_front(number));
        let agree = left == right || left.is_empty() || right.is_empty();
        let says_invoice = is_invoice && INVOICE_WORDS.contains(&left.as_slice());
        return (agree || says_invoice).then_some(Agreement::Normalized);
    }
    let (left, right) = (before_last_run(reference), before_last_run(number));
    let says_invoice = is_invoice && INVOICE_WORDS.contains(&left.as_slice());
    let digits = |prefix: &Prefix| prefix.iter().any(u8::is_ascii_digit);
    // `SI-25-0093121` may lose all that stands before its last digits, or the letters only.
    let lost = left.is_empty() || (!digits(&left) && right.starts_with(&left));
    (left == right || lost || says_invoice || (right.is_empty() && !digits(&left)))
        .then_some(Agreement::Normalized)
}

type Prefix = SmallVec<[u8; 16]>;

fn letters_in_front(reference: &[u8]) -> Prefix {
    reference
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .take_while(|byte| byte.is_ascii_alphabetic())
        .map(u8::to_ascii_uppercase)
        .collect()
}

/// The letters and digits before the last run of digits.
fn before_last_run(reference: &[u8]) -> Prefix {
    let end = reference
        .iter()
        .rposition(u8::is_ascii_digit)
        .map_or(0, |end| run_start(&reference[..=end]));
    reference[..end]
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric())
        .map(u8::to_ascii_uppercase)
        .collect()
}

fn is_truncation(short: &[u8], long: &[u8]) -> bool {
    short.len() >= TRUNCATED_BYTES_MIN
        && short.len() < long.len()
        && long.len() - short.len() <= TRUNCATED_MISSING_MAX
        && (long.starts_with(short) || long.ends_with(short))
}

/// One substitution, insertion, deletion or swap of neighbours.
fn is_one_edit(left: &[u8], right: &[u8]) -> bool {
    let (short, long) = if left.len() <= right.len() {
        (left, right)
    } else {
        (right, left)
    };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same_start = short.iter().zip(long).take_while(|(a, b)| a == b).count();
    let (short, long) = (&short[same_start..], &long[same_start..]);
    if short.len() < long.len() {
        return short == &long[1..];
    }
    match (short, long) {
        ([_, short @ ..], [_, long @ ..]) if short == long => true,
        ([a, b, short @ ..], [c, d, long @ ..]) => a == d && b == c && short == long,
        _ => false,
    }
}

/// The pieces of a free text that may be references or parts of one, cut at blanks and
/// punctuation that numbers do not contain.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| {
        letter.is_whitespace()
            || matches!(
                letter,
                ',' | ';' | '/' | '&' | '+' | ':' | '|' | '=' | '(' | ')' | '"' | '\''
            )
    })
    .map(|token| token.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()))
    .filter(|token| !token.is_empty())
    .take(TOKENS_MAX)
}

/// Whether `token` is long enough to be somebody's document number.
pub fn says_something(token: &str) -> bool {
    Significant::of(token.as_bytes()).digits() >= DIGITS_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn significant(text: &str) -> String {
        String::from_utf8_lossy(Significant::of(text.as_bytes()).as_bytes()).into_owned()
    }

    #[test]
    fn one_number_written_many_ways_is_one() {
        for text in [
            "INV-0048213",
            "inv 48213",
            "#48213",
            "0048213",
            "Invoice No. 00048213",
        ] {
            assert_eq!(significant(text), "48213", "{text}");
        }
        assert_eq!(significant("SI-24-0093121"), "240093121");
        assert_eq!(significant("4B213"), "4B213");
        assert_eq!(significant("ABC"), "ABC");
        assert_eq!(significant("000"), "");
    }

    #[test]
    fn damage_is_told_apart() {
        let agree = |left: &str, right: &str| damage(left.as_bytes(), right.as_bytes());
        assert_eq!(agree("48213", "4821377"), Some(Agreement::Truncated));
        assert_eq!(agree("21377", "4821377"), Some(Agreement::Truncated));
        assert_eq!(agree("4B21377", "4821377"), Some(Agreement::OneEdit));
        assert_eq!(agree("4281377", "4821377"), Some(Agreement::OneEdit));
        assert_eq!(agree("48213777", "4821377"), Some(Agreement::Truncated));
        assert_eq!(agree("4821X377", "4821377"), Some(Agreement::OneEdit));
        assert_eq!(agree("482", "4821377"), None);
        assert_eq!(agree("4921387", "4821377"), None);
        assert_eq!(
            agree("INV-00482", "INV-0048213"),
            Some(Agreement::Truncated)
        );
        assert_eq!(
            agree("INVO048213", "INV-0048213"),
            Some(Agreement::Truncated)
        );
        assert_eq!(agree("3871", "SI-26-0093871"), Some(Agreement::Truncated));
        assert_eq!(
            agree("SI-2593172", "SI-25-0093172"),
            Some(Agreement::Truncated)
        );
        assert_eq!(agree("CM-48213", "INV-48213"), Some(Agreement::OneEdit));
    }

    #[test]
    fn free_text_falls_into_tokens() {
        let found: Vec<_> = tokens("PAYING INV-00123, 456/789 & #12-34 thanks").collect();
        assert_eq!(
            found,
            ["PAYING", "INV-00123", "456", "789", "12-34", "thanks"]
        );
        assert!(
            says_something("INV-01234") && !says_something("PAYING") && !says_something("0456")
        );
    }

    #[test]
    fn prefixes_may_be_lost_but_not_contradicted() {
        let agree = |left: &str, right: &str| agreement(left.as_bytes(), right.as_bytes(), true);
        for (written, number) in [
            ("0093121", "SI-25-0093121"),
            ("93121", "SI-25-0093121"),
            ("SI-25-93121", "SI-25-0093121"),
            ("SI250093121", "SI-25-0093121"),
            ("250093121", "SI-25-0093121"),
            ("INV 48213", "0048213"),
            ("INV-48213", "SI-25-0048213"),
            ("482-1377", "4821377"),
            ("SI-2593121", "SI-25-0093121"),
            ("2593121", "SI-25-0093121"),
        ] {
            assert_eq!(
                agree(written, number),
                Some(Agreement::Normalized),
                "{written} {number}"
            );
        }
        assert_eq!(agree("4821377", "4821377"), Some(Agreement::Exact));
        assert_eq!(agree("CM-0048213", "INV-0048213"), None);
        assert_eq!(agree("SI-24-0093121", "SI-25-0093121"), None);
        assert_eq!(agree("CM-2593121", "SI-25-0093121"), None);
        assert_eq!(agreement(b"INV-0003107", b"CM-0003107", false), None);
    }
}
