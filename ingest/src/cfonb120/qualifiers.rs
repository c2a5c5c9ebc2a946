//! What the qualifiers of 05 records mean.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// What an 05 record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Subject {
    Text,
    PayerName,
    PayeeName,
    UltimatePayerName,
    UltimatePayeeName,
    CustomerReference,
    BankReference,
    Mandate,
    PayerAccount,
    PayeeAccount,
}

#[derive(Default, Deserialize)]
struct QualifiersFile {
    whole: BTreeMap<Subject, Vec<String>>,
    halves: BTreeMap<Subject, Vec<String>>,
}

type Known = BTreeMap<Vec<u8>, (Subject, bool)>;

static QUALIFIERS: LazyLock<Known> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    let file: QualifiersFile = toml::from_str(include_str!("qualifiers.toml")).unwrap_or_default();
    let mut known = Known::new();
    for (subjects, is_half) in [(file.whole, false), (file.halves, true)] {
        for (subject, qualifiers) in subjects {
            let names = qualifiers.into_iter().map(String::into_bytes);
            known.extend(names.map(|name| (name, (subject, is_half))));
        }
    }
    known
});

/// The subject of `qualifier`, and whether only the first 35 characters are about it.
pub(super) fn subject(qualifier: &[u8]) -> Option<(Subject, bool)> {
    QUALIFIERS.get(qualifier).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads() {
        assert_eq!(subject(b"NPY"), Some((Subject::PayerName, false)));
        assert_eq!(subject(b"RUM"), Some((Subject::Mandate, true)));
        assert_eq!(subject(b"AAA"), None);
    }
}
