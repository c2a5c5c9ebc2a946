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

/// The codes of ISO 4217, ascending: those in use, the offshore renminbi, and those that were
/// replaced in this century, which old items still have.
const LISTED: [&[u8; 3]; 204] = [
    b"AED", b"AFN", b"ALL", b"AMD", b"ANG", b"AOA", b"ARS", b"ATS", b"AUD", b"AWG", b"AZN", b"BAM",
    b"BBD", b"BDT", b"BEF", b"BGN", b"BHD", b"BIF", b"BMD", b"BND", b"BOB", b"BOV", b"BRL", b"BSD",
    b"BTN", b"BWP", b"BYN", b"BYR", b"BZD", b"CAD", b"CDF", b"CHE", b"CHF", b"CHW", b"CLF", b"CLP",
    b"CNH", b"CNY", b"COP", b"COU", b"CRC", b"CUC", b"CUP", b"CVE", b"CZK", b"DEM", b"DJF", b"DKK",
    b"DOP", b"DZD", b"EEK", b"EGP", b"ERN", b"ESP", b"ETB", b"EUR", b"FIM", b"FJD", b"FKP", b"FRF",
    b"GBP", b"GEL", b"GHS", b"GIP", b"GMD", b"GNF", b"GRD", b"GTQ", b"GYD", b"HKD", b"HNL", b"HRK",
    b"HTG", b"HUF", b"IDR", b"IEP", b"ILS", b"INR", b"IQD", b"IRR", b"ISK", b"ITL", b"JMD", b"JOD",
    b"JPY", b"KES", b"KGS", b"KHR", b"KMF", b"KPW", b"KRW", b"KWD", b"KYD", b"KZT", b"LAK", b"LBP",
    b"LKR", b"LRD", b"LSL", b"LTL", b"LVL", b"LYD", b"MAD", b"MDL", b"MGA", b"MKD", b"MMK", b"MNT",
    b"MOP", b"MRO", b"MRU", b"MUR", b"MVR", b"MWK", b"MXN", b"MXV", b"MYR", b"MZN", b"NAD", b"NGN",
    b"NIO", b"NLG", b"NOK", b"NPR", b"NZD", b"OMR", b"PAB", b"PEN", b"PGK", b"PHP", b"PKR", b"PLN",
    b"PTE", b"PYG", b"QAR", b"RON", b"RSD", b"RUB", b"RWF", b"SAR", b"SBD", b"SCR", b"SDG", b"SEK",
    b"SGD", b"SHP", b"SLE", b"SLL", b"SOS", b"SRD", b"SSP", b"STD", b"STN", b"SVC", b"SYP", b"SZL",
    b"THB", b"TJS", b"TMT", b"TND", b"TOP", b"TRY", b"TTD", b"TWD", b"TZS", b"UAH", b"UGX", b"USD",
    b"USN", b"UYI", b"UYU", b"UYW", b"UZS", b"VED", b"VEF", b"VES", b"VND", b"VUV", b"WST", b"XAD",
    b"XAF", b"XAG", b"XAU", b"XBA", b"XBB", b"XBC", b"XBD", b"XCD", b"XCG", b"XDR", b"XOF", b"XPD",
    b"XPF", b"XPT", b"XSU", b"XTS", b"XUA", b"XXX", b"YER", b"ZAR", b"ZMK", b"ZMW", b"ZWG", b"ZWL",
];

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

    /// Whether ISO 4217 has the code; one that it has not is taken as it stands.
    pub fn is_listed(self) -> bool {
        LISTED.binary_search(&&self.0).is_ok()
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
    fn codes_of_the_standard_are_told_from_others() {
        assert!(LISTED.is_sorted());
        for (code, listed) in [("USD", true), ("AED", true), ("ZWG", true), ("ZZZ", false)] {
            assert_eq!(code.parse().map(Currency::is_listed), Ok(listed), "{code}");
        }
        for code in NO_MINOR_UNIT.iter().chain(&THOUSANDTHS) {
            assert!(LISTED.contains(code));
        }
    }

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in [("USD", 2), ("JPY", 0), ("KWD", 3)] {
            assert_eq!(code.parse().map(Currency::exponent), Ok(exponent));
        }
        assert_eq!("usd".parse::<Currency>(), Err(CurrencyError));
        assert_eq!("US".parse::<Currency>(), Err(CurrencyError));
    }
}
