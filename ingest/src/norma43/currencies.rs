//! Currencies by their three-digit codes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use tieout_core::{Currency, QuarantineReason};

use crate::national::{Refusal, decode};

static CURRENCIES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    // A test reads the file, so that it always parses.
    toml::from_str(include_str!("numeric_currencies.toml")).unwrap_or_default()
});

/// The currency whose ISO 4217 number is `code`.
pub(super) fn currency(code: &[u8]) -> Result<Currency, Refusal> {
    let number = decode(code);
    let letters = CURRENCIES.get(&*number);
    letters
        .and_then(|letters| letters.parse().ok())
        .ok_or_else(|| {
            let message = format!("the currency is `{number}`; expected a number of ISO 4217");
            (QuarantineReason::BadCurrency, message)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads() {
        assert_eq!(currency(b"978").map(|c| c.to_string()), Ok("EUR".into()));
        assert_eq!(currency(b"008").map(|c| c.to_string()), Ok("ALL".into()));
        assert!(currency(b"000").is_err());
        for letters in CURRENCIES.values() {
            assert!(letters.parse::<Currency>().is_ok(), "{letters}");
        }
    }
}
