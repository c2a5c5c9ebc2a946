//! Business days.

use datafusion::error::Result;
use tieout_core::calendar::Calendar;

use super::scalar::{DAY, Function, FunctionWords, NUMBER, Row, TEXT, Work, refused};

pub(super) fn functions() -> Vec<Function> {
    vec![
        Function::new(
            FunctionWords {
                name: "business_days",
                usage: "business_days(from, to [, calendar])",
                comment: "Business days after the one date up to the other; below zero if it is \
                          earlier. Calendars: weekdays (the default), target, fed, england",
            },
            &[DAY, DAY, TEXT],
            2,
            Work::Number(Box::new(|row| {
                let dates = row.date(0).zip(row.date(1)).zip(calendar(row)?);
                let Some(((from, to), calendar)) = dates else {
                    return Ok(None);
                };
                match calendar.business_days(from, to) {
                    Some(days) => Ok(Some(days)),
                    None => refused(format_args!("{from} and {to} lie too far apart to count")),
                }
            })),
        ),
        Function::new(
            FunctionWords {
                name: "float_date",
                usage: "float_date(date, days [, calendar])",
                comment: "The business day on which money with that many days of float can be \
                          used; for 0 days the date itself or the next business day",
            },
            &[DAY, NUMBER, TEXT],
            2,
            Work::Day(Box::new(|row| {
                let float = row.date(0).zip(row.number(1)).zip(calendar(row)?);
                let Some(((date, days), calendar)) = float else {
                    return Ok(None);
                };
                match calendar.after(date, days) {
                    Some(day) => Ok(Some(day)),
                    None => refused(format_args!("{days} days of float cannot be counted")),
                }
            })),
        ),
    ]
}

/// The calendar in the third place; weekdays where none is given, none where it is null.
fn calendar(row: &Row<'_>) -> Result<Option<Calendar>> {
    if row.is_null(2) {
        return Ok(None);
    }
    match row.text(2).map(str::parse) {
        None => Ok(Some(Calendar::default())),
        Some(Ok(calendar)) => Ok(Some(calendar)),
        Some(Err(error)) => refused(error),
    }
}
