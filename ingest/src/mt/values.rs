//! Amounts, dates, balances and accounts as SWIFT messages write them.

use tieout_core::check_digits::is_iban;
use tieout_core::{Amount, Currency, Date, Direction, QuarantineReason};

/// Ways of writing that the standard does not have and that are read all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looseness {
    DecimalPoint,
    ThousandSeparators,
    LowercaseMark,
    MonthOfThirtyDays,
}

/// A value, and how it was written if not by the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Loose<T> {
    pub value: T,
    pub looseness: Option<Looseness>,
}

impl<T> Loose<T> {
    const fn strict(value: T) -> Self {
        Self {
            value,
            looseness: None,
        }
    }
}

/// Digits with a decimal comma (`1234,5`, `12,`). A point stands for the comma, and separators
/// of thousands pass, where only one reading is possible.
pub(super) fn amount(text: &[u8], currency: Option<Currency>) -> Option<Loose<Amount>> {
    if !text.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    if let Ok(amount) = Amount::parse_with_point(text, b',') {
        return Some(Loose::strict(amount));
    }
    let decimal = *text.iter().rfind(|byte| matches!(byte, b',' | b'.'))?;
    let is_single = memchr::memchr_iter(decimal, text).count() == 1;
    let (digits, looseness) = match decimal {
        b'.' if is_single && !text.contains(&b',') => {
            let decimals = text.rsplit(|&byte| byte == b'.').next()?.len();
            let is_thousand = decimals == 3 && currency.is_none_or(|code| code.exponent() != 3);
            if is_thousand {
                return None;
            }
            (text.to_vec(), Looseness::DecimalPoint)
        }
        _ if is_single => (ungrouped(text, decimal)?, Looseness::ThousandSeparators),
        _ => return None,
    };
    Some(Loose {
        value: Amount::parse_with_point(&digits, decimal).ok()?,
        looseness: Some(looseness),
    })
}

/// The number without its separators of thousands, if they stand where they must.
fn ungrouped(text: &[u8], decimal: u8) -> Option<Vec<u8>> {
    let separator = if decimal == b',' { b'.' } else { b',' };
    let at = text.iter().position(|&byte| byte == decimal)?;
    let groups: Vec<&[u8]> = text[..at].split(|&byte| byte == separator).collect();
    let (first, rest) = groups.split_first()?;
    let is_grouped = (1..=3).contains(&first.len()) && rest.iter().all(|group| group.len() == 3);
    let mut digits = groups.concat();
    digits.extend_from_slice(&text[at..]);
    is_grouped.then_some(digits)
}

/// `YYMMDD`. Banks that count months of thirty days write 30 February: its last day is meant.
pub(super) fn date(text: &[u8]) -> Option<Loose<Date>> {
    if let Ok(date) = Date::parse_yymmdd(text) {
        return Some(Loose::strict(date));
    }
    let [y1, y2, b'0', b'2', b'2' | b'3', b'9' | b'0'] = text else {
        return None;
    };
    let year = [*y1, *y2];
    let mut ends = [*b"0229", *b"0228"].into_iter();
    let value = ends.find_map(|end| Date::parse_yymmdd(&[&year[..], &end].concat()).ok())?;
    Some(Loose {
        value,
        looseness: Some(Looseness::MonthOfThirtyDays),
    })
}

/// Days within which no date of another year is nearer.
const SURELY_NEAR_DAYS: u32 = 100;

/// `MMDD` in the year that brings it nearest to `near`, of which `near_text` is the `YYMMDD`.
pub(super) fn entry_date(text: &[u8], near_text: &[u8], near: Date) -> Option<Loose<Date>> {
    let year = u32::from(near_text.first()?.checked_sub(b'0')?) * 10
        + u32::from(near_text.get(1)?.checked_sub(b'0')?);
    let &[m1, m2, d1, d2] = text else { return None };
    let of_year = |year: u32| {
        let [y1, y2] = [year / 10 % 10, year % 10].map(|digit| b'0' + digit as u8);
        date(&[y1, y2, m1, m2, d1, d2])
    };
    let away = |date: &Loose<Date>| date.value.days().abs_diff(near.days());
    // Nearly always it is the same year, and then the others need no look.
    let same = of_year(year);
    if same
        .as_ref()
        .is_some_and(|date| away(date) <= SURELY_NEAR_DAYS)
    {
        return same;
    }
    let years = [of_year(year + 99), same, of_year(year + 1)];
    years.into_iter().flatten().min_by_key(away)
}

/// The letter that says which way money goes, or on which side a balance is.
pub(super) fn mark(letter: u8) -> Option<Direction> {
    match letter.to_ascii_uppercase() {
        b'C' => Some(Direction::Credit),
        b'D' => Some(Direction::Debit),
        _ => None,
    }
}

/// Fields 60, 62, 64 and 65: mark, date, currency, amount. Some banks leave out the currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StatedBalance {
    pub date: Date,
    pub currency: Option<Currency>,
    /// Negative for a debit balance.
    pub amount: Amount,
    pub looseness: Option<Looseness>,
}

impl StatedBalance {
    /// The balance, or what of it does not read.
    pub fn parse(
        text: &[u8],
        currency: Option<Currency>,
    ) -> Result<Self, (QuarantineReason, &'static str)> {
        const MARK: (QuarantineReason, &str) = (
            QuarantineReason::BadStructure,
            "it begins with neither C nor D",
        );
        const DATE: (QuarantineReason, &str) =
            (QuarantineReason::BadDate, "its date does not read (YYMMDD)");
        const AMOUNT: (QuarantineReason, &str) = (
            QuarantineReason::BadAmount,
            "its amount does not read (digits with a decimal comma)",
        );
        let (&letter, rest) = text.split_first().ok_or(MARK)?;
        let side = mark(letter).ok_or(MARK)?;
        let (day, rest) = rest.split_at_checked(6).ok_or(DATE)?;
        let date = date(day).ok_or(DATE)?;
        let own = rest.get(..3).and_then(|code| Currency::parse(code).ok());
        let digits = if own.is_some() { &rest[3..] } else { rest };
        let money = own.or(currency);
        let size = amount(digits.trim_ascii(), money).ok_or(AMOUNT)?;
        let is_lowercase = letter
            .is_ascii_lowercase()
            .then_some(Looseness::LowercaseMark);
        Ok(Self {
            date: date.value,
            currency: money,
            amount: signed(size.value, side),
            looseness: size.looseness.or(date.looseness).or(is_lowercase),
        })
    }
}

/// The amount as its effect on the account.
pub(super) fn signed(amount: Amount, side: Direction) -> Amount {
    match side {
        Direction::Credit => amount,
        Direction::Debit => -amount,
    }
}

/// Field 25: the account, without the currency that some banks write behind it.
pub(super) fn account(text: &[u8]) -> (&[u8], Option<Currency>) {
    let text = text.trim_ascii();
    let Some(at) = text.len().checked_sub(3).filter(|&at| at > 0) else {
        return (text, None);
    };
    let (number, code) = text.split_at(at);
    let is_behind = matches!(number.last(), Some(b'0'..=b'9' | b' ' | b'/'));
    match Currency::parse(code) {
        Ok(currency) if is_behind && (is_iban(number.trim_ascii()) || !is_iban(text)) => {
            let number = number.strip_suffix(b"/").unwrap_or(number);
            (number.trim_ascii(), Some(currency))
        }
        _ => (text, None),
    }
}

/// Whether the text stands for no reference at all.
pub(super) fn is_no_reference(text: &[u8]) -> bool {
    matches!(
        text,
        b"" | b"NONREF" | b"NOREF" | b"NOTPROVIDED" | b"NOT PROVIDED" | b"NONE"
    )
}

/// Whether the text has the shape of an IBAN; banks that mask numbers break its check digits.
pub(super) fn has_iban_shape(text: &[u8]) -> bool {
    (15..=34).contains(&text.len())
        && text[..2].iter().all(u8::is_ascii_uppercase)
        && text[2..4].iter().all(u8::is_ascii_digit)
        && text[4..]
            .iter()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Option<String> {
        amount(text.as_bytes(), None).map(|amount| amount.value.to_string())
    }

    #[test]
    fn amounts_have_one_reading_or_none() {
        for (text, value) in [
            ("1234,5", Some("1234.50")),
            ("12,", Some("12.00")),
            ("000000001000,00", Some("1000.00")),
            ("40000", Some("40000.00")),
            ("10235.43", Some("10235.43")),
            ("1.234.567,80", Some("1234567.80")),
            ("1,234.80", Some("1234.80")),
            ("1.234", None),
            ("12.34,5.6", None),
            ("1.23,40", None),
            (",5", None),
            ("-5,", None),
            ("", None),
        ] {
            assert_eq!(read(text).as_deref(), value, "{text}");
        }
    }

    #[test]
    fn the_year_of_an_entry_date_is_the_nearest() {
        for (near, entry, date) in [
            ("091231", "0101", "2010-01-01"),
            ("090101", "1231", "2008-12-31"),
            ("090101", "0201", "2009-02-01"),
            ("990105", "1230", "1998-12-30"),
            ("000102", "1230", "1999-12-30"),
            ("160230", "0301", "2016-03-01"),
        ] {
            let value = super::date(near.as_bytes()).unwrap().value;
            let read = entry_date(entry.as_bytes(), near.as_bytes(), value).unwrap();
            let mut text = Vec::new();
            read.value.write_to(&mut text);
            assert_eq!(String::from_utf8(text).unwrap(), date);
        }
    }

    #[test]
    fn a_currency_behind_the_account_is_not_part_of_it() {
        for (text, number, currency) in [
            ("51210600/9223382012EUR", "51210600/9223382012", Some("EUR")),
            ("NL10BUNQ2290325473 EUR", "NL10BUNQ2290325473", Some("EUR")),
            ("NL02ABNA0123456789EUR", "NL02ABNA0123456789", Some("EUR")),
            ("UBRTHUHB/123ABC002/HUF", "UBRTHUHB/123ABC002", Some("HUF")),
            ("808XXXXXX292", "808XXXXXX292", None),
            (
                "MT84MALT011000012345MTLCAST001S",
                "MT84MALT011000012345MTLCAST001S",
                None,
            ),
            ("EUR", "EUR", None),
        ] {
            let (read, code) = account(text.as_bytes());
            assert_eq!(read, number.as_bytes());
            assert_eq!(code.map(|code| code.to_string()).as_deref(), currency);
        }
    }
}
