//! Banks' codes in words.

use std::sync::LazyLock;

use tieout_core::codes;
use toml::Table;

use super::scalar::{Function, FunctionWords, TEXT, Work, refused};

// Tests read the files, so that they always parse.
static BAI2: LazyLock<Table> = LazyLock::new(|| codes::BAI2.parse().unwrap_or_default());
static ISO20022: LazyLock<Table> = LazyLock::new(|| codes::ISO20022.parse().unwrap_or_default());

/// The parts of BAI2's list that have words.
const BAI2_PARTS: [&str; 4] = ["balance", "credit", "debit", "information"];
/// The sets of ISO 20022, in the order in which a code is looked for.
const ISO_SETS: [&str; 7] = [
    "balance",
    "status",
    "domain",
    "reason",
    "charge_bearer",
    "family",
    "sub_family",
];
/// The sets of the parts of a bank transaction code, `PMNT-RCDT-ESCT`.
const TRANSACTION_SETS: [&str; 3] = ["domain", "family", "sub_family"];

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            FunctionWords {
                name: "bai_type",
                usage: "bai_type(code)",
                comment: "What a BAI2 type code means; null for one that is not listed",
            },
            &[TEXT],
            1,
            Work::Text(Box::new(|row| Ok(row.text(0).and_then(bai_type)))),
        ),
        Function::new(
            FunctionWords {
                name: "iso_code",
                usage: "iso_code(code [, set])",
                comment: "What an ISO 20022 code means: a balance, status, reason, or a bank \
                          transaction such as PMNT-RCDT-ESCT; the set (balance, status, domain, \
                          reason, charge_bearer, family, sub_family) where a code is in several",
            },
            &[TEXT, TEXT],
            1,
            Work::Text(Box::new(|row| {
                let Some(code) = row.text(0).filter(|_| !row.is_null(1)) else {
                    return Ok(None);
                };
                match row.text(1) {
                    Some(set) if !ISO_SETS.contains(&set) => refused(format_args!(
                        "there is no set {set}; the sets are {}",
                        ISO_SETS.join(", ")
                    )),
                    Some(set) => Ok(iso_word(set, code.trim())),
                    None => Ok(iso_code(code.trim())),
                }
            })),
        ),
    ]
}

fn word(file: &Table, set: &str, code: &str) -> Option<String> {
    let words = file.get(set)?.as_table()?;
    Some(words.get(code)?.as_str()?.to_owned())
}

fn bai_type(code: &str) -> Option<String> {
    let code = code.trim();
    // A number has lost its leading zeros.
    let code = if code.len() < 3 && code.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{code:0>3}")
    } else {
        code.to_owned()
    };
    let word = BAI2_PARTS.iter().find_map(|part| word(&BAI2, part, &code));
    word.map(|word| word.replace('_', " "))
}

fn iso_word(set: &str, code: &str) -> Option<String> {
    word(&ISO20022, set, &code.to_ascii_uppercase())
}

fn iso_code(code: &str) -> Option<String> {
    if !code.contains('-') {
        return ISO_SETS.iter().find_map(|set| iso_word(set, code));
    }
    let parts = code.split('-').zip(TRANSACTION_SETS);
    let words: Vec<_> = parts.map_while(|(part, set)| iso_word(set, part)).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_read() {
        for part in BAI2_PARTS {
            assert!(BAI2.contains_key(part), "{part}");
        }
        for set in ISO_SETS {
            assert!(ISO20022.contains_key(set), "{set}");
        }
    }

    #[test]
    fn codes_have_words() {
        assert_eq!(bai_type("115").as_deref(), Some("lockbox deposit"));
        assert_eq!(bai_type("15").as_deref(), Some("closing ledger"));
        assert_eq!(bai_type("998"), None);
        assert_eq!(iso_code("CLBD").as_deref(), Some("closing booked"));
        assert_eq!(iso_code("am04").as_deref(), Some("insufficient funds"));
        assert_eq!(
            iso_code("PMNT-RCDT-ESCT").as_deref(),
            Some("payments, received credit transfers, SEPA credit transfer")
        );
        assert_eq!(iso_code("ZZZZ"), None);
        assert_eq!(
            iso_word("reason", "CUST").as_deref(),
            Some("requested by the customer")
        );
    }
}
