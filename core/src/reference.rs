//! Document references as people and scanners write them.

use smallvec::SmallVec;

/// The longest significant part that is compared; longer references keep their end.
const SIGNIFICANT_BYTES_MAX: usize = 32;
/// What is left of a reference without separators, case, letters in front and leading zeros:
/// `INV-0048213`, `inv 48213` and `#48213` all become `48213`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Significant {
    bytes: [u8; SIGNIFICANT_BYTES_MAX],
    length: u8,
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
        self.as_bytes()
            .iter()
            .filter(|byte| byte.is_ascii_digit())
            .count()
    }

    /// The digits at the end of `reference`, without leading zeros: what is left of a number
    /// whose prefix, year or separators were dropped.
    pub fn last_run(reference: &[u8]) -> Self {
        let start = reference
            .iter()
            .rposition(u8::is_ascii_digit)
            .map_or(0, |end| run_start(&reference[..=end]));
        let end = reference
            .iter()
            .rposition(u8::is_ascii_digit)
            .map_or(0, |end| end + 1);
        Self::of(&reference[start..end])
    }

    /// The significant part without the zeros that lead each run of digits: `SI-26-0274396`
    /// becomes `26274396`, as those write it who push year and number together.
    pub fn without_inner_zeros(reference: &[u8]) -> Self {
        let mut kept: SmallVec<[u8; 2 * SIGNIFICANT_BYTES_MAX]> = SmallVec::new();
        let mut leads = true;
        for &byte in reference {
            if !(leads && byte == b'0') {
                kept.push(byte);
            }
            leads = !byte.is_ascii_digit() || (leads && byte == b'0');
        }
        Self::of(&kept)
    }

    /// What people may call the document with this number: the last digits of it, all that is
    /// significant in it, and that without zeros inside.
    pub fn names_of(number: &[u8]) -> [Self; 3] {
        [
            Self::last_run(number),
            Self::of(number),
            Self::without_inner_zeros(number),
        ]
    }

    /// A hash to be stored, of 48 bits; none where there is no digit, as nothing is found by that.
    pub fn stable_hash(&self) -> Option<u64> {
        let hash = blake3::hash(self.as_bytes());
        let (bytes, _) = hash.as_bytes().split_first_chunk::<8>()?;
        (self.digits() > 0).then(|| u64::from_be_bytes(*bytes) >> 16)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// A hash for the reference index.
    pub fn hash(&self, state: &ahash::RandomState) -> u64 {
        state.hash_one(self.as_bytes())
    }
}

fn run_start(digits_at_end: &[u8]) -> usize {
    digits_at_end
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |before| before + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_run_is_what_survives() {
        let run = |text: &str| {
            String::from_utf8_lossy(Significant::last_run(text.as_bytes()).as_bytes()).into_owned()
        };
        assert_eq!(run("SI-25-0093121"), "93121");
        assert_eq!(run("INV-0048213 "), "48213");
        assert_eq!(run("ABC"), "");
    }
}
