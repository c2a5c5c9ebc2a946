//! Document references as people and scanners write them, and how far two of them agree.

use std::hash::BuildHasher;

/// The longest significant part that is compared; longer references keep their end.
const SIGNIFICANT_BYTES_MAX: usize = 32;
/// A truncated reference must keep this many characters to say anything.
const TRUNCATED_BYTES_MIN: usize = 4;
/// A truncated reference may lack this many characters.
const TRUNCATED_MISSING_MAX: usize = 4;
/// A reference with an edit must have this many characters to say anything.
const EDITED_BYTES_MIN: usize = 4;
/// References taken from one payment's free text; a cheque for more invoices is cut here.
const TOKENS_MAX: usize = 1_000;

/// What is left of a reference without separators, case, letters in front and leading zeros:
/// `INV-0048213`, `inv 48213` and `#48213` all become `48213`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Significant {
    bytes: [u8; SIGNIFICANT_BYTES_MAX],
    length: u8,
}

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

impl Significant {
    /// The significant part of `reference`.
    pub fn of(reference: &[u8]) -> Self {
        let mut bytes = [0; SIGNIFICANT_BYTES_MAX];
        let mut length = 0;
        let mut in_prefix = true;
        for &byte in reference {
            if !byte.is_ascii_alphanumeric() {
                continue;
            }
            if in_prefix && byte.is_ascii_digit() {
                // The letters so far were a prefix; without a digit they stay as they are.
                in_prefix = false;
                length = 0;
            }
            if !in_prefix && length == 0 && byte == b'0' {
                continue;
            }
            if length == SIGNIFICANT_BYTES_MAX {
                bytes.copy_within(1.., 0);
                length -= 1;
            }
            bytes[length] = byte.to_ascii_uppercase();
            length += 1;
        }
        Self {
            bytes,
            length: length as u8,
        }
    }

    /// The characters.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// How many digits there are.
    pub fn digits(&self) -> usize {
        self.as_bytes().iter().filter(|byte| byte.is_ascii_digit()).count()
    }

    /// A hash for the reference index.
    pub fn hash(&self, state: &ahash::RandomState) -> u64 {
        state.hash_one(self.as_bytes())
    }

    /// Whether the two agree at all beyond being equal.
    pub fn damaged_agreement(&self, number: &Self) -> Option<Agreement> {
        let (left, right) = (self.as_bytes(), number.as_bytes());
        if is_truncation(left, right) || is_truncation(right, left) {
            Some(Agreement::Truncated)
        } else if left.len().min(right.len()) >= EDITED_BYTES_MIN && is_one_edit(left, right) {
            Some(Agreement::OneEdit)
        } else {
            None
        }
    }
}

/// How far `reference` agrees with the document `number`, given that their significant parts
/// are equal.
pub fn agreement(reference: &[u8], number: &[u8]) -> Agreement {
    if reference.trim_ascii() == number.trim_ascii() {
        Agreement::Exact
    } else {
        Agreement::Normalized
    }
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
        ([], []) => false,
        ([_, short @ ..], [_, long @ ..]) if short == long => true,
        ([a, b, short @ ..], [c, d, long @ ..]) => a == d && b == c && short == long,
        _ => false,
    }
}

/// The pieces of a free text that may be references: those with a digit, cut at blanks and
/// punctuation that numbers do not contain.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| {
        letter.is_whitespace() || matches!(letter, ',' | ';' | '/' | '&' | '+' | ':' | '|' | '=' | '(' | ')' | '"' | '\'')
    })
    .map(|token| token.trim_matches(|letter: char| !letter.is_ascii_alphanumeric()))
    .filter(|token| token.bytes().any(|byte| byte.is_ascii_digit()))
    .take(TOKENS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn significant(text: &str) -> String {
        String::from_utf8_lossy(Significant::of(text.as_bytes()).as_bytes()).into_owned()
    }

    #[test]
    fn one_number_written_many_ways_is_one() {
        for text in ["INV-0048213", "inv 48213", "#48213", "0048213", "Invoice No. 00048213"] {
            assert_eq!(significant(text), "48213", "{text}");
        }
        assert_eq!(significant("SI-24-0093121"), "240093121");
        assert_eq!(significant("4B213"), "4B213");
        assert_eq!(significant("ABC"), "ABC");
        assert_eq!(significant("000"), "");
    }

    #[test]
    fn damage_is_told_apart() {
        let agree = |left: &str, right: &str| {
            Significant::of(left.as_bytes()).damaged_agreement(&Significant::of(right.as_bytes()))
        };
        assert_eq!(agree("48213", "4821377"), Some(Agreement::Truncated));
        assert_eq!(agree("21377", "4821377"), Some(Agreement::Truncated));
        assert_eq!(agree("4B21377", "4821377"), Some(Agreement::OneEdit));
        assert_eq!(agree("4281377", "4821377"), Some(Agreement::OneEdit));
        assert_eq!(agree("48213777", "4821377"), Some(Agreement::Truncated));
        assert_eq!(agree("4821X377", "4821377"), Some(Agreement::OneEdit));
        assert_eq!(agree("482", "4821377"), None);
        assert_eq!(agree("4921387", "4821377"), None);
        assert_eq!(agree("4821377", "4821377"), None);
    }

    #[test]
    fn free_text_falls_into_tokens() {
        let found: Vec<_> = tokens("PAYING INV-00123, 456/789 & #12-34 thanks").collect();
        assert_eq!(found, ["INV-00123", "456", "789", "12-34"]);
    }
}
