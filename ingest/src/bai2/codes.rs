//! Type codes: which way money moves, and the words for balances.

use std::sync::LazyLock;

use serde::Deserialize;
use tieout_core::Direction;

/// Codes have three digits.
const CODES: usize = 1_000;

/// What a 16 record of some type code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Movement {
    Money(Direction),
    /// Text without money.
    Information,
}

/// What is known of a type code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TypeCode {
    /// None where the code does not say which way money moves.
    pub movement: Option<Movement>,
    /// Whether the table has it.
    pub is_listed: bool,
    /// Whether the customer reference is a check number.
    pub is_check: bool,
    /// Whether it takes back an earlier line.
    pub is_reversal: bool,
}

#[derive(Deserialize)]
struct CodesFile {
    checks: Vec<String>,
    reversals: Vec<String>,
    balance: toml::Table,
    credit: toml::Table,
    debit: toml::Table,
    information: toml::Table,
}

struct Codes {
    types: Vec<TypeCode>,
    balances: Vec<Option<String>>,
}

static CODES_TABLE: LazyLock<Codes> = LazyLock::new(Codes::load);

/// What is known of the type code `code`; none if it is not three digits.
pub(super) fn type_code(code: &[u8]) -> Option<TypeCode> {
    CODES_TABLE.types.get(number(code)?).copied()
}

/// The word for the balance or summary `code`.
pub(super) fn balance_type(code: &[u8]) -> &'static str {
    let word = number(code).and_then(|number| CODES_TABLE.balances.get(number));
    match word {
        Some(Some(word)) => word,
        _ if code.first() == Some(&b'0') => "status",
        _ => "summary",
    }
}

fn number(code: &[u8]) -> Option<usize> {
    match code {
        [a, b, c] if code.iter().all(u8::is_ascii_digit) => Some(
            [a, b, c]
                .iter()
                .fold(0, |n, d| n * 10 + usize::from(**d - b'0')),
        ),
        _ => None,
    }
}

impl Codes {
    fn load() -> Self {
        let mut codes = Self {
            types: (0..CODES).map(by_range).collect(),
            balances: vec![None; CODES],
        };
        // A test reads the file, so that it always parses.
        if let Ok(file) = toml::from_str::<CodesFile>(tieout_core::codes::BAI2) {
            codes.fill(&file);
        }
        codes
    }

    fn fill(&mut self, file: &CodesFile) {
        for (list, movement) in [
            (&file.credit, Movement::Money(Direction::Credit)),
            (&file.debit, Movement::Money(Direction::Debit)),
            (&file.information, Movement::Information),
        ] {
            for code in list.keys().filter_map(|code| number(code.as_bytes())) {
                self.types[code].movement = Some(movement);
                self.types[code].is_listed = true;
            }
        }
        for code in file
            .checks
            .iter()
            .filter_map(|code| number(code.as_bytes()))
        {
            self.types[code].is_check = true;
        }
        for code in file
            .reversals
            .iter()
            .filter_map(|code| number(code.as_bytes()))
        {
            self.types[code].is_reversal = true;
        }
        for (code, word) in &file.balance {
            if let Some(code) = number(code.as_bytes()) {
                self.balances[code] = word.as_str().map(str::to_owned);
            }
        }
    }
}

fn by_range(code: usize) -> TypeCode {
    let direction = match code {
        101..=399 | 920..=959 => Some(Direction::Credit),
        401..=699 | 960..=999 => Some(Direction::Debit),
        _ => None,
    };
    TypeCode {
        movement: direction.map(Movement::Money),
        is_listed: false,
        is_check: false,
        is_reversal: false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_table_reads_and_agrees_with_the_ranges() {
        let file: CodesFile = toml::from_str(tieout_core::codes::BAI2).unwrap();
        for (list, direction) in [
            (&file.credit, Direction::Credit),
            (&file.debit, Direction::Debit),
        ] {
            for code in list.keys() {
                let by_range = by_range(number(code.as_bytes()).unwrap()).movement;
                assert_eq!(by_range, Some(Movement::Money(direction)), "{code}");
            }
        }
        for code in file.checks.iter().chain(&file.reversals) {
            let code = type_code(code.as_bytes()).unwrap();
            assert!(code.is_listed);
        }
    }

    #[test]
    fn codes_say_which_way_money_moves() {
        let movement = |code: &str| type_code(code.as_bytes()).unwrap().movement;
        assert_eq!(movement("142"), Some(Movement::Money(Direction::Credit)));
        assert_eq!(movement("475"), Some(Movement::Money(Direction::Debit)));
        assert_eq!(movement("890"), Some(Movement::Information));
        assert_eq!(movement("931"), Some(Movement::Money(Direction::Credit)));
        assert_eq!(movement("720"), None);
        assert_eq!(movement("100"), None);
        assert_eq!(movement("010"), None);
        assert!(type_code(b"1x2").is_none());
        assert!(!type_code(b"931").unwrap().is_listed);
        assert!(type_code(b"475").unwrap().is_check);
        assert_eq!(balance_type(b"015"), "closing_ledger");
        assert_eq!(balance_type(b"099"), "status");
        assert_eq!(balance_type(b"190"), "summary");
    }
}
