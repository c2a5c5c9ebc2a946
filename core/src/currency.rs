//! Currency codes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// An ISO 4217 alphabetic currency code, such as `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

/// The text is not three capital letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a currency code (three capital letters, such as USD)")]
pub struct CurrencyError;

/// Currencies whose minor unit is the major unit itself (ISO 4217, exponent 0).
const NO_MINOR_UNIT: [&[u8; 3]; 16] = [
    b"BIF", b"CLP", b"DJF", b"GNF", b"ISK", b"JPY", b"KMF", b"KRW", b"PYG", b"RWF", b"UGX", b"UYI",
    b"VND", b"VUV", b"XAF", b"XOF",
];
/// Currencies with a thousandth as minor unit (ISO 4217, exponent 3).
const THOUSANDTHS: [&[u8; 3]; 7] = [b"BHD", b"IQD", b"JOD", b"KWD", b"LYD", b"OMR", b"TND"];

impl Currency {
    /// The United States dollar, which US bank formats mean when they name none.
    pub const USD: Self = Self(*b"USD");

    /// The code for no currency (ISO 4217): of money whose currency nothing tells.
    pub const NONE: Self = Self(*b"XXX");

    /// From three capital letters.
    ///
    /// # Errors
    /// [`CurrencyError`] for anything else.
    pub fn parse(text: &[u8]) -> Result<Self, CurrencyError> {
        match <[u8; 3]>::try_from(text) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(CurrencyError),
        }
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        // The constructor admits capital letters only.
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the decimal point that amounts in minor units imply.
    pub fn exponent(self) -> u32 {
        if NO_MINOR_UNIT.contains(&&self.0) {
            0
        } else if THOUSANDTHS.contains(&&self.0) {
            3
        } else {
            2
        }
    }
}

impl FromStr for Currency {
    type Err = CurrencyError;

    fn from_str(text: &str) -> Result<Self, CurrencyError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("USD", 2), ("JPY", 0), ("KWD", 3)] {
            assert_eq!(code.parse().map(Currency::exponent), Ok(exponent));
        }
        assert_eq!("usd".parse::<Currency>(), Err(CurrencyError));
        assert_eq!("US".parse::<Currency>(), Err(CurrencyError));
    }
}
