//! Fields by columns that are data.

use tieout_core::{Amount, Date};
use toml::Table;

use crate::fixed::trimmed;
use crate::national::{Refusal, minor_amount, optional_date};

/// First and last column of a field, from 1; zeros where the layout does not have it.
pub(crate) type Span = [usize; 2];

/// Decimals of amounts.
const DECIMALS: u32 = 2;

/// The field without blanks at both ends.
#[inline]
pub(crate) fn field(record: &[u8], [first, last]: Span) -> &[u8] {
    if first == 0 {
        return b"";
    }
    trimmed(record, first, last)
}

/// The amount of a field.
pub(crate) fn money_at(record: &[u8], span: Span, what: &str) -> Result<Amount, Refusal> {
    minor_amount(field(record, span), DECIMALS, what)
}

/// The date of a field: day, month and year of two or four digits.
pub(crate) fn date_at(record: &[u8], span: Span, what: &str) -> Result<Option<Date>, Refusal> {
    let digits = field(record, span);
    if digits.len() == 8 {
        optional_date(digits, Date::parse_ddmmyyyy, what)
    } else {
        optional_date(digits, Date::parse_ddmmyy, what)
    }
}

/// `base` with what `own` says instead.
pub(crate) fn merged(base: &Table, own: &Table) -> Table {
    let mut merged = base.clone();
    for (key, value) in own {
        let sub = value
            .as_table()
            .zip(base.get(key).and_then(|v| v.as_table()));
        let value = sub.map_or_else(
            || value.clone(),
            |(own, base)| toml::Value::Table(merged_table(base, own)),
        );
        merged.insert(key.clone(), value);
    }
    merged
}

fn merged_table(base: &Table, own: &Table) -> Table {
    let mut table = base.clone();
    table.extend(own.clone());
    table
}
