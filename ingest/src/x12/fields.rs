//! Elements as amounts, dates and currencies; what does not read goes into quarantine.

use tieout_core::{Amount, AmountError, Currency, Date, DateError, QuarantineReason};

use super::segment::Segment;
use crate::format::ReadError;

/// Reads elements, and takes the segments that do not read.
pub(super) trait Fields {
    /// Puts a segment into quarantine.
    fn refuse(
        &mut self,
        segment: &Segment<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError>;

    /// The amount in an element; none if it is empty or does not read.
    fn amount(
        &mut self,
        segment: &Segment<'_>,
        element: usize,
    ) -> Result<Option<Amount>, ReadError> {
        self.amount_in(segment, element, segment.element(element))
    }

    /// The same where the element's text is at hand.
    fn amount_in(
        &mut self,
        segment: &Segment<'_>,
        element: usize,
        text: &[u8],
    ) -> Result<Option<Amount>, ReadError> {
        self.money(segment, element, text, Amount::parse)
    }

    /// The same for an element with two implied decimals. Some write the point all the same, and
    /// then it says where the decimals begin.
    fn implied_amount(
        &mut self,
        segment: &Segment<'_>,
        element: usize,
    ) -> Result<Option<Amount>, ReadError> {
        self.money(segment, element, segment.element(element), implied)
    }

    /// The amount that `parse` finds in the text of an element.
    fn money(
        &mut self,
        segment: &Segment<'_>,
        element: usize,
        text: &[u8],
        parse: fn(&[u8]) -> Result<Amount, AmountError>,
    ) -> Result<Option<Amount>, ReadError> {
        if text.is_empty() {
            return Ok(None);
        }
        match parse(text) {
            Ok(amount) => Ok(Some(amount)),
            Err(error) => {
                let found = String::from_utf8_lossy(text);
                let message = format!("element {element}, an amount, is `{found}`: {error}");
                self.refuse(segment, QuarantineReason::BadAmount, &message)?;
                Ok(None)
            }
        }
    }

    /// The date in an element; none if it is empty or does not read.
    fn date(&mut self, segment: &Segment<'_>, element: usize) -> Result<Option<Date>, ReadError> {
        let text = segment.element(element);
        if text.is_empty() {
            return Ok(None);
        }
        if let Ok(date) = parse_date(text) {
            return Ok(Some(date));
        }
        let found = String::from_utf8_lossy(text);
        let message = format!("element {element}, a date, is `{found}`, not CCYYMMDD or YYMMDD");
        self.refuse(segment, QuarantineReason::BadDate, &message)?;
        Ok(None)
    }

    /// The currency of a `CUR`; none if it does not read.
    fn currency(&mut self, cur: &Segment<'_>) -> Result<Option<Currency>, ReadError> {
        match Currency::parse(cur.element(2)) {
            Ok(currency) => Ok(Some(currency)),
            Err(error) => {
                let message = format!("element 2: {error}; the amounts count as USD");
                self.refuse(cur, QuarantineReason::BadCurrency, &message)?;
                Ok(None)
            }
        }
    }
}

fn implied(text: &[u8]) -> Result<Amount, AmountError> {
    let amount = Amount::parse(text)?;
    if text.contains(&b'.') {
        return Ok(amount);
    }
    // The digits name cents.
    Ok(Amount::from_units(amount.units() / 100))
}

/// A date of eight digits, or of six in the releases before 4010.
pub(super) fn parse_date(text: &[u8]) -> Result<Date, DateError> {
    match text.len() {
        6 => Date::parse_yymmdd(text),
        _ => Date::parse_yyyymmdd(text),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn decimals_are_implied_unless_written() {
        for (text, amount) in [("28566", "285.66"), ("-5", "-0.05"), ("285.66", "285.66")] {
            assert_eq!(implied(text.as_bytes()).unwrap().to_string(), amount);
        }
        assert!(implied(b"12a").is_err());
    }
}
