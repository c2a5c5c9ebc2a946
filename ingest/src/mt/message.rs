//! A message that is read as a whole: a confirmation (900, 910) or a transfer (101, 102, 103).

use tieout_core::{Amount, Currency, Date, QuarantineReason};

use super::entry::Refusal;
use super::field::Field;
use super::values;

/// Bytes of a message that is read as a whole; the network allows 10,000.
pub(super) const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// What the blocks around a message say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Envelope {
    /// The number of the message.
    pub message_type: Option<u16>,
    /// The sender's reference (block 3, 108).
    pub user_reference: String,
    /// The reference that all banks of the chain use (block 3, 121).
    pub transaction_reference: String,
}

/// The fields of a message, or of one part of it.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a [Field]);

impl<'a> Fields<'a> {
    /// The first field with this number, whatever its option.
    pub fn find(self, number: [u8; 2]) -> Option<&'a Field> {
        self.0.iter().find(|field| field.tag.number() == number)
    }

    /// The first field with this number and option.
    pub fn find_option(self, number: [u8; 2], option: u8) -> Option<&'a Field> {
        let mut fields = self.0.iter();
        fields.find(|field| field.tag.number() == number && field.tag.option() == option)
    }

    /// The first line of the field with this number, or nothing.
    pub fn text(self, number: [u8; 2]) -> &'a [u8] {
        self.find(number).map(Field::first_line).unwrap_or_default()
    }

    pub fn has(self, number: [u8; 2]) -> bool {
        self.find(number).is_some()
    }
}

/// The number of a message without envelope, by the fields that only it has.
pub(super) fn message_type(fields: Fields<'_>) -> Option<u16> {
    let has_total = fields.find_option(*b"32", b'A').is_some();
    match (
        fields.has(*b"59"),
        fields.find_option(*b"32", b'B').is_some(),
    ) {
        (true, true) if has_total => Some(102),
        (true, true) => Some(101),
        (true, false) if has_total => Some(103),
        (false, false) if has_total && fields.has(*b"50") => Some(910),
        _ => None,
    }
}

/// Field 32: date (option A only), currency, amount.
pub(super) fn money(field: &Field) -> Result<(Option<Date>, Currency, Amount), Refusal> {
    let text = field.first_line();
    let (day, rest) = match field.tag.option() {
        b'B' => (None, text),
        _ => text
            .split_at_checked(6)
            .map_or((Some(text), text), |(day, rest)| (Some(day), rest)),
    };
    let date = match day {
        Some(day) => {
            Some(values::date(day).ok_or_else(|| refusal(QuarantineReason::BadDate, day))?)
        }
        None => None,
    };
    let currency = rest.get(..3).and_then(|code| Currency::parse(code).ok());
    let currency = currency.ok_or_else(|| refusal(QuarantineReason::BadCurrency, rest))?;
    let amount = rest
        .get(3..)
        .and_then(|digits| values::amount(digits, Some(currency)));
    let amount = amount.ok_or_else(|| refusal(QuarantineReason::BadAmount, rest))?;
    Ok((date.map(|date| date.value), currency, amount.value))
}

fn refusal(reason: QuarantineReason, found: &[u8]) -> Refusal {
    let message = format!(
        "`{}` stands in field 32; expected YYMMDD (in option A), a currency and an amount with a \
         decimal comma",
        String::from_utf8_lossy(found)
    );
    (reason, message)
}

/// Fields 50 to 59: an account on a line with a slash, then a bank's code or name and address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Party<'a> {
    pub account: &'a [u8],
    /// The name, or the bank's code.
    pub name: &'a [u8],
}

impl<'a> Party<'a> {
    pub fn of(field: Option<&'a Field>) -> Self {
        let value = field.map(Field::value).unwrap_or_default();
        let mut lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let mut first = lines.next().unwrap_or_default();
        let account = match first.strip_prefix(b"/") {
            Some(account) => {
                first = lines.next().unwrap_or_default();
                without_side(account)
            }
            None => b"",
        };
        // Option F numbers its lines; 1 is the name.
        let name = first.strip_prefix(b"1/").unwrap_or(first);
        Self { account, name }
    }
}

/// An account may have `C/` or `D/` before it, for the side that it is booked on.
fn without_side(account: &[u8]) -> &[u8] {
    let number = account.strip_prefix(b"C/").or(account.strip_prefix(b"D/"));
    number.unwrap_or(account).trim_ascii()
}

/// The lines of a text field, put together with blanks; `//` marks one that goes on.
pub(super) fn text_of(field: Option<&Field>) -> Vec<u8> {
    let value = field.map(Field::value).unwrap_or_default();
    let lines: Vec<&[u8]> = value
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_prefix(b"//").unwrap_or(line).trim_ascii())
        .filter(|line| !line.is_empty())
        .collect();
    lines.join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::super::field::{Field, Tag};
    use super::*;
    use crate::lines::Line;

    fn field(line: &str) -> Field {
        let mut field = Field::default();
        for (number, text) in line.split('\n').enumerate() {
            let line = Line {
                number: number as u64 + 1,
                start: 0,
                end: text.len() as u64,
                bytes: text.as_bytes(),
                is_cut: false,
            };
            match Tag::at_start(text.as_bytes()) {
                Some((tag, value_at)) => field.begin(tag, value_at, &line),
                None => field.add(&line),
            }
        }
        field
    }

    #[test]
    fn parties_have_an_account_a_name_or_both() {
        for (text, account, name) in [
            (":50K:/0123\nACME LTD\nROAD 1", "0123", "ACME LTD"),
            (":50F:/D/DE02\n1/ACME\n2/ROAD", "DE02", "ACME"),
            (":52A:BANKDEFF", "", "BANKDEFF"),
            (":59:/77", "77", ""),
        ] {
            let field = field(text);
            let party = Party::of(Some(&field));
            assert_eq!(
                (party.account, party.name),
                (account.as_bytes(), name.as_bytes())
            );
        }
    }

    #[test]
    fn money_has_a_date_in_option_a_only() {
        let reason = |text| money(&field(text)).map(|money| money.2.to_string());
        assert_eq!(reason(":32A:240105EUR12,5"), Ok("12.50".to_owned()));
        assert_eq!(reason(":32B:EUR7,"), Ok("7.00".to_owned()));
        let code = |text| money(&field(text)).err().map(|refusal| refusal.0);
        assert_eq!(code(":32A:EUR7,"), Some(QuarantineReason::BadDate));
        assert_eq!(
            code(":32A:240105eur7,"),
            Some(QuarantineReason::BadCurrency)
        );
        assert_eq!(code(":32B:EUR7;5"), Some(QuarantineReason::BadAmount));
        assert_eq!(code(":32B:"), Some(QuarantineReason::BadCurrency));
    }
}
