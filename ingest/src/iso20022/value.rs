//! Amounts, dates and indicators.

use tieout_core::{Amount, Currency, Date, Direction, QuarantineReason};

use crate::xml::Element;

/// Why an element is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// An amount with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Money {
    pub amount: Amount,
    pub currency: Currency,
}

/// The amount of `element`; `otherwise` is the currency if it names none.
///
/// # Errors
/// The reason for quarantine.
pub(super) fn money(element: Element<'_>, otherwise: Option<Currency>) -> Result<Money, Refusal> {
    let text = element.text();
    let amount = Amount::parse(text.as_bytes()).map_err(|error| {
        let message = format!("`{}` is `{text}`: {error}", element.name());
        (QuarantineReason::BadAmount, message)
    })?;
    let code = element.currency();
    let currency = match (Currency::parse(code.as_bytes()), otherwise) {
        (Ok(currency), _) => currency,
        (Err(_), Some(currency)) if code.is_empty() => currency,
        (Err(error), _) => {
            let message = format!("the currency of `{}` is `{code}`: {error}", element.name());
            return Err((QuarantineReason::BadCurrency, message));
        }
    };
    Ok(Money { amount, currency })
}

/// Bytes of a text that many rows repeat; the standard allows 140 characters at most.
const SHARED_TEXT_BYTES_MAX: usize = 600;

/// A text that many rows repeat, cut where it is longer than any that the standard allows.
pub(super) fn shared(text: &str) -> &str {
    let mut end = text.len().min(SHARED_TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// An element that is too large to keep.
pub(super) fn too_large(element: Element<'_>) -> Refusal {
    let message = format!("`{}` is larger than is kept at a time", element.name());
    (QuarantineReason::TooLong, message)
}

/// The amount at `path`; none where it is absent or does not read.
pub(super) fn money_at(
    element: Element<'_>,
    path: &[&str],
    otherwise: Option<Currency>,
) -> Option<Money> {
    money(element.at(path)?, otherwise).ok()
}

/// The date at `path`: text of `Dt` or `DtTm` inside, or of the element itself.
///
/// # Errors
/// The reason for quarantine if there is text and it is no date.
pub(super) fn date_at(element: Element<'_>, path: &[&str]) -> Result<Option<Date>, Refusal> {
    let Some(found) = element.at(path) else {
        return Ok(None);
    };
    let text = match found.first_text(&[&["Dt"], &["DtTm"]]) {
        "" => found.text(),
        inner => inner,
    };
    if text.is_empty() {
        return Ok(None);
    }
    day(text).map(Some).ok_or_else(|| {
        let message = format!("`{}` is `{text}`, expected YYYY-MM-DD", found.name());
        (QuarantineReason::BadDate, message)
    })
}

/// The day of a date or of a date with a time, without regard to the time zone.
pub(super) fn day(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    let is_end = |byte: u8| matches!(byte, b'T' | b't' | b' ' | b'Z' | b'+' | b'-');
    if bytes.get(10).is_some_and(|&byte| !is_end(byte)) {
        return None;
    }
    Date::parse_iso(bytes.get(..10)?).ok()
}

/// The indicator in `CdtDbtInd`, if there is one.
///
/// # Errors
/// The reason for quarantine if it is neither of the two.
pub(super) fn direction(element: Element<'_>) -> Result<Option<Direction>, Refusal> {
    match element.text_at(&["CdtDbtInd"]) {
        "" => Ok(None),
        "CRDT" => Ok(Some(Direction::Credit)),
        "DBIT" => Ok(Some(Direction::Debit)),
        other => {
            let message = format!("`CdtDbtInd` is `{other}`, expected CRDT or DBIT");
            Err((QuarantineReason::BadValue, message))
        }
    }
}

/// `amount` as it changes the account.
pub(super) fn signed(amount: Amount, direction: Direction) -> Amount {
    match direction {
        Direction::Credit => amount,
        Direction::Debit => -amount,
    }
}

/// The opposite direction.
pub(super) const fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Credit => Direction::Debit,
        Direction::Debit => Direction::Credit,
    }
}

/// A reference that is one: banks write words where they have none.
pub(super) fn reference(text: &str) -> &str {
    let words = ["NOTPROVIDED", "NOT PROVIDED", "NONREF"];
    if words.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        ""
    } else {
        text
    }
}

/// The code of a choice between a code of the standard and one of the bank.
pub(super) fn code_or_proprietary(element: Element<'_>) -> &str {
    element.first_text(&[&["Cd"], &["Prtry"], &["Prtry", "Cd"], &["Prtry", "Id"]])
}

/// The code at `path`, which is such a choice.
pub(super) fn code_at<'t>(element: Element<'t>, path: &[&str]) -> &'t str {
    element.at(path).map_or("", code_or_proprietary)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_dates_and_times() {
        let expected = Date::from_ymd(2026, 3, 9).ok();
        for text in ["2026-03-09", "2026-03-09T23:59:59+01:00", "2026-03-09Z"] {
            assert_eq!(day(text), expected);
        }
        for text in ["", "2026-02-30", "2026-03-091", "20260309"] {
            assert_eq!(day(text), None);
        }
    }
}
