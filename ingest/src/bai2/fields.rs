//! Fields between commas: amounts, and the field lists whose length depends on a field.

use crate::fixed;

/// Digits of an amount that are read; sums of any number of such amounts fit an `i128`.
const AMOUNT_DIGITS_MAX: usize = 24;

/// An amount as written, in minor units: digits with an optional sign.
pub(super) fn minor_units(field: &[u8]) -> Option<i128> {
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.len() > AMOUNT_DIGITS_MAX {
        return None;
    }
    let value = fixed::digits(digits)?;
    Some(if negative { -value } else { value })
}

/// A count as written.
pub(super) fn count(field: &[u8]) -> Option<u64> {
    minor_units(field).and_then(|count| u64::try_from(count).ok())
}

/// When the money of an amount can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Funds<'a> {
    /// The value date as written (type `V`), or empty.
    pub value_date: &'a [u8],
}

/// Reads fields one after another.
#[derive(Clone)]
pub(super) struct Fields<'a> {
    rest: Option<&'a [u8]>,
}

/// Why a list of fields stops short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Short {
    /// More fields have to follow, on the next line.
    Unfinished,
    /// A funds type that is not one.
    BadFunds,
}

impl<'a> Fields<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { rest: Some(bytes) }
    }

    /// The next field without blanks around it; none if there are no more.
    pub fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let (field, rest) = match memchr::memchr(b',', rest) {
            Some(comma) => (&rest[..comma], Some(&rest[comma + 1..])),
            None => (rest, None),
        };
        self.rest = rest;
        Some(field.trim_ascii())
    }

    /// The next field, or nothing if there are no more.
    pub fn next_or_empty(&mut self) -> &'a [u8] {
        self.next().unwrap_or_default()
    }

    /// The fields behind the next `fields`.
    pub fn after(mut self, fields: usize) -> Self {
        for _ in 0..fields {
            self.next();
        }
        self
    }

    /// All that follows, commas included.
    pub fn rest(self) -> Option<&'a [u8]> {
        self.rest
    }

    /// The funds type and the fields that it brings. Missing altogether it is unknown.
    pub fn funds(&mut self) -> Result<Funds<'a>, Short> {
        let mut funds = Funds::default();
        match self.next_or_empty() {
            b"" | b"Z" | b"z" | b"0" | b"1" | b"2" => {}
            b"S" | b"s" => self.skip(3)?,
            b"V" | b"v" => {
                funds.value_date = self.next().ok_or(Short::Unfinished)?;
                self.skip(1)?;
            }
            b"D" | b"d" => {
                let count = self.next().ok_or(Short::Unfinished)?;
                let parts = count_of_parts(count).ok_or(Short::BadFunds)?;
                self.skip(2 * parts)?;
            }
            _ => return Err(Short::BadFunds),
        }
        Ok(funds)
    }

    fn skip(&mut self, fields: usize) -> Result<(), Short> {
        for _ in 0..fields {
            self.next().ok_or(Short::Unfinished)?;
        }
        Ok(())
    }
}

/// Parts of a distributed availability; a bank has no more than a few.
fn count_of_parts(field: &[u8]) -> Option<usize> {
    count(field)
        .filter(|&parts| parts <= 999)
        .map(|parts| parts as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_digits_with_a_sign() {
        for (field, value) in [
            ("00", Some(0)),
            ("-3500", Some(-3500)),
            ("+000000000010", Some(10)),
            ("", None),
            ("-", None),
            ("12.5", None),
            ("1 2", None),
        ] {
            assert_eq!(minor_units(field.as_bytes()), value, "{field}");
        }
    }

    #[test]
    fn funds_types_bring_their_fields() {
        for (fields, next) in [
            ("Z,REF", "REF"),
            (",REF", "REF"),
            ("1,REF", "REF"),
            ("S,100,200,300,REF", "REF"),
            ("V,040622,,REF", "REF"),
            ("V,040622,1200,REF", "REF"),
            ("D,2,0,10,1,20,REF", "REF"),
            ("D,0,REF", "REF"),
        ] {
            let mut fields = Fields::of(fields.as_bytes());
            assert!(fields.funds().is_ok());
            assert_eq!(fields.next(), Some(next.as_bytes()));
        }
        let funds = |fields: &'static str| Fields::of(fields.as_bytes()).funds();
        assert_eq!(funds("V,040622,").map(|f| f.value_date), Ok(&b"040622"[..]));
        assert_eq!(funds("D,3,0,20000000"), Err(Short::Unfinished));
        assert_eq!(funds("S"), Err(Short::Unfinished));
        assert_eq!(funds("D,x"), Err(Short::BadFunds));
        assert_eq!(funds("Q"), Err(Short::BadFunds));
    }
}
