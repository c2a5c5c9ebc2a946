//! Whether the fields of a 6 record hold what they should, or the line is shifted.

use tieout_core::{Amount, Date};

use super::columns::{Columns, DateColumns, whole_number};
use super::layout::{CheckColumns, Layout};

/// How far a line may be shifted for the message to say so.
const SHIFT_MAX: usize = 3;
/// Days between a check's date and its deposit that are not astonishing.
const CHECK_AGE_DAYS_MAX: u32 = 400;

/// Why a 6 record is not read: what stands where, and what should.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub field: &'static str,
    pub columns: Columns,
    pub expected: &'static str,
    pub is_amount: bool,
}

/// The amount of a 6 record each of whose fields holds what it should. Text in a number's
/// columns mostly means that the line is shifted, and then its amount is wrong as well.
pub(super) fn fit(record: &[u8], columns: &CheckColumns) -> Result<Amount, Misfit> {
    let misfit = |field, columns, expected| Misfit {
        field,
        columns,
        expected,
        is_amount: false,
    };
    let amount = match columns.amount.read(record) {
        Ok(Some(amount)) if !amount.is_negative() => amount,
        _ => {
            return Err(Misfit {
                is_amount: true,
                ..misfit("amount", columns.amount.columns, "digits")
            });
        }
    };
    for (field, place) in [("batch", columns.batch), ("item", columns.item)] {
        if whole_number(place.raw(record)).is_none() {
            return Err(misfit(field, place, "digits"));
        }
    }
    for (field, place) in [
        ("transit number", columns.transit),
        ("check number", columns.check_number),
    ] {
        if let Some(place) = place
            && !place.raw(record).iter().all(|&b| is_micr_digit(b))
        {
            return Err(misfit(
                field,
                place,
                "digits, or blanks or ? where unreadable",
            ));
        }
    }
    if let Some(date) = columns.check_date
        && !date.columns.raw(record).iter().all(|&b| is_micr_digit(b))
    {
        return Err(misfit("check date", date.columns, date.order.name()));
    }
    Ok(amount)
}

/// Digits alone do not tell that a line is shifted. A check date far from the deposit and a
/// transit number whose check digit is wrong do, if both are right in other columns.
pub(super) fn refuse_shifted(
    record: &[u8],
    layout: &Layout,
    deposit_date: Option<Date>,
) -> Result<(), Misfit> {
    let (Some(date), Some(transit)) = (layout.check.check_date, layout.check.transit) else {
        return Ok(());
    };
    if has_check_digit(transit.raw(record)) || is_near(date, record, deposit_date) {
        return Ok(());
    }
    if shift_of(record, layout).is_none() {
        return Ok(());
    }
    Err(Misfit {
        field: "check date",
        columns: date.columns,
        expected: "a day near the deposit",
        is_amount: false,
    })
}

fn is_near(date: DateColumns, record: &[u8], deposit_date: Option<Date>) -> bool {
    let digits = date.columns.raw(record);
    let days = date.order.read(digits).map(Date::days);
    match (days, deposit_date) {
        (Ok(day), Some(deposit)) => day.abs_diff(deposit.days()) <= CHECK_AGE_DAYS_MAX,
        (Ok(_), None) => true,
        (Err(_), _) => digits.trim_ascii().is_empty(),
    }
}

/// By how many columns the check record is shifted to the right, if it would fit otherwise.
pub(super) fn shift_of(record: &[u8], layout: &Layout) -> Option<isize> {
    let mut shifted = Vec::with_capacity(record.len() + SHIFT_MAX);
    let shifts = (1..=SHIFT_MAX).flat_map(|by| [(by, by as isize), (by, -(by as isize))]);
    for (by, shift) in shifts {
        shifted.clear();
        shifted.push(b'6');
        if shift > 0 {
            shifted.extend(record.iter().skip(1 + by));
        } else {
            shifted.resize(1 + by, b'0');
            shifted.extend(record.iter().skip(1));
        }
        if fits_well(&shifted, &layout.check) {
            return Some(shift);
        }
    }
    None
}

/// Whether all fields hold what they should, dates and check digits included.
fn fits_well(record: &[u8], columns: &CheckColumns) -> bool {
    fit(record, columns).is_ok()
        && columns
            .transit
            .is_none_or(|transit| has_check_digit(transit.raw(record)))
        && columns
            .check_date
            .is_none_or(|date| date.order.read(date.columns.raw(record)).is_ok())
}

/// Whether a transit number's last digit is the check digit that its first eight ask for;
/// where it could not be read there is nothing to check.
fn has_check_digit(transit: &[u8]) -> bool {
    let digits = transit.trim_ascii();
    if digits.len() != 9 || !digits.iter().all(u8::is_ascii_digit) {
        return true;
    }
    let weights = [3, 7, 1].into_iter().cycle();
    let sum: u32 = digits
        .iter()
        .zip(weights)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    sum.is_multiple_of(10)
}

fn is_micr_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b' ' | b'?' | b'-')
}
