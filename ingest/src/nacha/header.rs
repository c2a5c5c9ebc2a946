//! Files and batches: what their headers say.

use tieout_core::Date;

use super::control::{FileTally, Tally};
use super::kinds::{BatchKind, UNLISTED, batch_kind};
use super::record::Fields;

/// A file, from its header to its control.
#[derive(Debug, Default)]
pub(super) struct Transmission {
    /// Where it comes from, its day, and its letter of that day.
    pub reference: String,
    pub created: Option<Date>,
    /// A batch of it was an advice of the operator; then its control has wider totals.
    pub is_advice: bool,
    /// Records so far, this header and the control included.
    pub records: u64,
    pub tally: FileTally,
}

impl Transmission {
    /// What the file header says.
    pub fn of(fields: Fields<'_>) -> Self {
        let (origin, day) = (fields.trimmed(14, 23), fields.trimmed(24, 29));
        let modifier = fields.trimmed(34, 34);
        Self {
            reference: reference(&[origin, day, modifier]),
            created: Date::parse_yymmdd(day.as_bytes()).ok(),
            ..Self::default()
        }
    }
}

/// A batch, from its header to its control: entries of one company, one type and one day.
#[derive(Debug)]
pub(super) struct Batch {
    pub line: u64,
    pub service_class: String,
    pub company_name: String,
    pub company_id: String,
    /// The type, such as `PPD`.
    pub code: String,
    pub kind: &'static BatchKind,
    pub is_listed: bool,
    pub description: String,
    /// As written, `YYMMDD`.
    pub effective: String,
    pub effective_date: Option<Date>,
    /// The day the money moves.
    pub settlement_date: Option<Date>,
    /// The bank that sends it, as written: eight digits.
    pub originating_bank: String,
    /// The same with its check digit.
    pub originating_agent: String,
    pub number: String,
    /// What statement and entries call the batch: company, number, effective day.
    pub reference: String,
    /// `nacha.PPD`.
    pub message_type: String,
    pub is_reversal: bool,
    pub tally: Tally,
    pub last_trace: String,
}

impl Batch {
    /// What the batch header says; `created` is the day of its file.
    pub fn of(fields: Fields<'_>, line: u64, created: Option<Date>) -> Self {
        let text = |first, last| fields.trimmed(first, last).to_owned();
        let code = text(51, 53);
        let is_international = code == "IAT";
        let effective = text(70, 75);
        let effective_date = Date::parse_yymmdd(effective.as_bytes()).ok();
        let near = effective_date.or(created);
        let day = fields
            .number(76, 78)
            .and_then(|day| i32::try_from(day).ok());
        let (company_id, number) = (text(41, 50), text(88, 94));
        let kind = batch_kind(&code);
        let description = text(54, 63);
        Self {
            line,
            service_class: text(2, 4),
            // An international batch has the terms of conversion there; its addenda name the
            // originator.
            company_name: if is_international {
                String::new()
            } else {
                text(5, 20)
            },
            kind: kind.unwrap_or(&UNLISTED),
            is_listed: kind.is_some(),
            effective_date,
            settlement_date: near.zip(day).and_then(|(near, day)| nearest(near, day)),
            originating_agent: with_check_digit(fields.trimmed(80, 87)),
            originating_bank: text(80, 87),
            reference: reference(&[&company_id, &number, &effective]),
            message_type: format!("nacha.{code}"),
            is_reversal: description.eq_ignore_ascii_case("REVERSAL"),
            tally: Tally::default(),
            last_trace: String::new(),
            effective,
            company_id,
            number,
            description,
            code,
        }
    }

    pub fn is_advice(&self) -> bool {
        self.code == "ADV"
    }

    pub fn is_international(&self) -> bool {
        self.code == "IAT"
    }

    /// The day the money moves, or is meant to.
    pub fn booking_date(&self) -> Option<Date> {
        self.settlement_date.or(self.effective_date)
    }
}

/// A routing number of eight digits with the ninth that belongs to it; other text as it is.
pub(super) fn with_check_digit(eight: &str) -> String {
    let mut text = eight.to_owned();
    if eight.len() == 8 && eight.bytes().all(|byte| byte.is_ascii_digit()) {
        let products = eight.bytes().zip([3, 7, 1].into_iter().cycle());
        let sum: u32 = products
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum();
        text.extend(char::from_digit((10 - sum % 10) % 10, 10));
    }
    text
}

/// The parts that are there, between slashes.
fn reference(parts: &[&str]) -> String {
    let given = parts.iter().filter(|part| !part.is_empty());
    given.copied().collect::<Vec<_>>().join("/")
}

/// The date nearest to `near` that is the day number `day` of its year.
fn nearest(near: Date, day: i32) -> Option<Date> {
    let year: i32 = near.to_string().get(..4)?.parse().ok()?;
    let dates = (year - 1..=year + 1).filter_map(|year| day_of_year(year, day));
    dates.min_by_key(|date| date.days().abs_diff(near.days()))
}

fn day_of_year(year: i32, day: i32) -> Option<Date> {
    let first = Date::from_ymd(year, 1, 1).ok()?;
    let next = Date::from_ymd(year + 1, 1, 1).ok()?;
    let date = first.plus_days(day - 1);
    (day > 0 && date < next).then_some(date)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn routing_numbers_get_their_check_digit() {
        assert_eq!(with_check_digit("09100001"), "091000019");
        assert_eq!(with_check_digit("0910000x"), "0910000x");
    }

    #[test]
    fn the_settlement_day_has_the_year_nearest_to_the_effective_date() {
        let found = |near: &str, day| {
            let date = nearest(near.parse().unwrap(), day);
            date.map(|date| date.to_string()).unwrap_or_default()
        };
        assert_eq!(found("2026-03-16", 75), "2026-03-16");
        assert_eq!(found("2026-12-31", 2), "2027-01-02");
        assert_eq!(found("2027-01-01", 365), "2026-12-31");
        assert_eq!(found("2024-12-31", 366), "2024-12-31");
        assert_eq!(found("2026-12-31", 0), "");
        assert_eq!(found("2026-06-30", 367), "");
    }
}
