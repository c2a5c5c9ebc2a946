//! Terms of an invoice: `ITD`, and what `TDS` says about its discount.

use tieout_core::{Amount, Date};

use super::fields::Fields;
use super::segment::Segment;
use super::tables::Tables;
use crate::fixed::digits;
use crate::format::ReadError;

/// When an invoice is due, and what early payment takes off.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    due: Term,
    discount: Term,
    discount_amount: Option<Amount>,
    /// Percent of the amount that is subject to discount.
    discount_percent: Option<Amount>,
}

/// A day, as the terms name it.
#[derive(Clone, Copy, Debug, Default)]
enum Term {
    #[default]
    None,
    On(Date),
    /// Days after the invoice.
    After(i32),
    /// Days after it was shipped.
    AfterShipment(i32),
}

/// The days that terms may count from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Days {
    pub issued: Option<Date>,
    pub shipped: Option<Date>,
}

/// Days beyond which terms are a mistake: some three years.
const DAYS_MAX: i128 = 1_100;

impl Terms {
    /// Reads an `ITD`; the first one that names a discount or a due date counts.
    pub fn read(&mut self, itd: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let due = Term::read(itd, 6, 7, tables)?;
        let discount = Term::read(itd, 4, 5, tables)?;
        let amount = tables.implied_amount(itd, 8)?;
        let percent = tables.amount(itd, 3)?;
        if matches!(self.due, Term::None) {
            self.due = due;
        }
        let is_first = self.discount_amount.is_none() && self.discount_percent.is_none();
        if is_first && (amount.is_some() || percent.is_some()) {
            self.discount = discount;
            self.discount_amount = amount;
            self.discount_percent = percent;
        }
        Ok(())
    }

    /// The discount that the invoice's total names in full.
    pub fn set_discount(&mut self, amount: Option<Amount>) {
        self.discount_amount = self.discount_amount.or(amount);
    }

    pub fn due_date(&self, days: Days) -> Option<Date> {
        self.due.date(days)
    }

    pub fn discount_date(&self, days: Days) -> Option<Date> {
        self.discount.date(days)
    }

    /// What early payment takes off `subject`, to whole cents; nothing is no discount.
    pub fn discount(&self, subject: Amount) -> Option<Amount> {
        let amount = self
            .discount_amount
            .or_else(|| percent_of(subject, self.discount_percent?));
        amount.filter(|amount| amount.is_positive())
    }
}

impl Term {
    /// A date in one element or days in another, counted from what element 2 names. Days from a
    /// receipt are of no use: nobody here knows when something was received.
    fn read(
        itd: &Segment<'_>,
        date: usize,
        days: usize,
        tables: &mut Tables<'_>,
    ) -> Result<Self, ReadError> {
        if let Some(date) = tables.date(itd, date)? {
            return Ok(Self::On(date));
        }
        let Some(days) = digits(itd.element(days)).filter(|days| *days <= DAYS_MAX) else {
            return Ok(Self::None);
        };
        let days = days as i32;
        Ok(match itd.element(2) {
            b"" | b"3" => Self::After(days),
            b"1" => Self::AfterShipment(days),
            _ => Self::None,
        })
    }

    fn date(self, days: Days) -> Option<Date> {
        match self {
            Self::None => None,
            Self::On(date) => Some(date),
            Self::After(count) => Some(days.issued?.plus_days(count)),
            Self::AfterShipment(count) => Some(days.shipped?.plus_days(count)),
        }
    }
}

/// A percentage, rounded down to whole cents so that it never allows more than the terms do.
fn percent_of(subject: Amount, percent: Amount) -> Option<Amount> {
    const UNITS_PER_CENT: i128 = 1_000;
    let hundred = 100 * 100_000;
    let units = subject.units().checked_mul(percent.units())? / hundred;
    Some(Amount::from_units(units / UNITS_PER_CENT * UNITS_PER_CENT))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn percentages_round_down_to_cents() {
        let percent = |subject: &str, percent: &str| {
            let given = percent_of(subject.parse().unwrap(), percent.parse().unwrap());
            given.unwrap().to_string()
        };
        assert_eq!(percent("2554.38", "1.000"), "25.54");
        assert_eq!(percent("99.99", "2"), "1.99");
        assert_eq!(percent("0.49", "2"), "0.00");
        let most = "999999999999999999".parse().unwrap();
        assert_eq!(percent_of(most, most), None);
    }
}
