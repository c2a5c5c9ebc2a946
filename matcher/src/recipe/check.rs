//! Checks of single values, each with an error that points at its line.

use std::fmt::Display;
use std::ops::Range;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use tieout_core::{Amount, Date, Reason};
use toml::Spanned;
use toml::value::Datetime;

use super::error::RecipeError;
use super::policy::Step;
use super::text::{AmountsText, DecisionText};
use super::{Days, Sql};

/// Days that a recipe may count.
const DAYS_MAX: i64 = 3_660;

/// Checks values of a recipe's text.
pub struct Checker<'a> {
    pub source: &'a str,
}

impl Checker<'_> {
    /// An error about the bytes `span`.
    pub fn error(&self, span: Range<usize>, message: impl Into<String>) -> RecipeError {
        RecipeError::at(self.source, span, message)
    }

    fn value<T: Display>(&self, field: &str, found: &Spanned<T>, expected: &str) -> RecipeError {
        let message = format!("{field} is {}, expected {expected}", found.get_ref());
        self.error(found.span(), message)
    }

    /// A number between 0 and 1.
    pub fn share(
        &self,
        field: &str,
        found: Option<&Spanned<f64>>,
    ) -> Result<Option<f64>, RecipeError> {
        let Some(found) = found else { return Ok(None) };
        if (0.0..=1.0).contains(found.get_ref()) {
            Ok(Some(*found.get_ref()))
        } else {
            Err(self.value(field, found, "a number between 0 and 1"))
        }
    }

    /// An amount that is not negative.
    pub fn amount(
        &self,
        field: &str,
        found: Option<&Spanned<Decimal>>,
    ) -> Result<Option<Amount>, RecipeError> {
        let Some(found) = found else { return Ok(None) };
        let amount = Amount::try_from(*found.get_ref()).ok();
        let amount = amount.filter(|amount| !amount.is_negative());
        let expected = "an amount of zero or more with at most 5 decimals";
        amount
            .map(Some)
            .ok_or_else(|| self.value(field, found, expected))
    }

    /// A percentage from 0 to 100.
    pub fn percent(
        &self,
        field: &str,
        found: Option<&Spanned<Decimal>>,
    ) -> Result<Option<Decimal>, RecipeError> {
        let Some(found) = found else { return Ok(None) };
        let percent = *found.get_ref();
        if percent.is_sign_negative() || percent > Decimal::from(100) {
            return Err(self.value(field, found, "0 to 100"));
        }
        Ok(Some(percent))
    }

    /// A number of days.
    pub fn days(
        &self,
        field: &str,
        found: Option<&Spanned<i64>>,
    ) -> Result<Option<i32>, RecipeError> {
        let Some(found) = found else { return Ok(None) };
        if !(0..=DAYS_MAX).contains(found.get_ref()) {
            return Err(self.value(field, found, "0 to 3660 days"));
        }
        Ok(Some(*found.get_ref() as i32))
    }

    /// One of some words.
    pub fn one_of<T: Copy>(
        &self,
        field: &str,
        found: Option<&Spanned<String>>,
        words: &[(&str, T)],
    ) -> Result<Option<T>, RecipeError> {
        let Some(found) = found else { return Ok(None) };
        let value = words.iter().find(|(word, _)| word == found.get_ref());
        value.map(|&(_, value)| Some(value)).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.value(field, found, &format!("one of {}", all.join(", ")))
        })
    }

    /// A list of some words, none of them twice.
    pub fn some_of<T: Copy + PartialEq>(
        &self,
        field: &str,
        found: Option<&[Spanned<String>]>,
        words: &[(&str, T)],
    ) -> Result<Option<Vec<T>>, RecipeError> {
        let Some(found) = found else { return Ok(None) };
        let mut values = Vec::with_capacity(found.len());
        for word in found {
            if let Some(value) = self.one_of(field, Some(word), words)? {
                if values.contains(&value) {
                    let message = format!("{field} names {} twice", word.get_ref());
                    return Err(self.error(word.span(), message));
                }
                values.push(value);
            }
        }
        Ok(Some(values))
    }

    /// The order of identification.
    pub fn order(
        &self,
        found: Option<&[Spanned<String>]>,
    ) -> Result<Option<Vec<Step>>, RecipeError> {
        let words = Step::ALL.map(|step| (step.code(), step));
        self.some_of("identification.order", found, &words)
    }

    /// A reason of the closed list.
    pub fn reason(
        &self,
        field: &str,
        found: Option<&Spanned<String>>,
    ) -> Result<Option<Reason>, RecipeError> {
        let words: Vec<_> = Reason::ALL.iter().map(|&it| (it.code(), it)).collect();
        self.one_of(field, found, &words)
    }

    /// An SQL expression; whether it is one is for those to say who can evaluate it.
    pub fn sql(
        &self,
        field: impl Into<String>,
        found: Option<&Spanned<String>>,
    ) -> Result<Option<Sql>, RecipeError> {
        let Some(found) = found else { return Ok(None) };
        let field = field.into();
        if found.get_ref().trim().is_empty() {
            return Err(self.error(found.span(), format!("{field} is empty")));
        }
        Ok(Some(Sql {
            text: found.get_ref().clone(),
            field,
            span: found.span(),
        }))
    }

    /// Tolerances of which one forbids what the other allows.
    pub fn tolerances(&self, amounts: &AmountsText) -> Result<(), RecipeError> {
        let (Some(most), Some(percent)) = (&amounts.write_off, &amounts.write_off_percent) else {
            return Ok(());
        };
        if most.get_ref().is_zero() == percent.get_ref().is_zero() {
            return Ok(());
        }
        let message = format!(
            "amounts.write_off {} and amounts.write_off_percent {} contradict: the smaller of the \
             two holds, so nothing would be written off; make both zero or none",
            most.get_ref(),
            percent.get_ref()
        );
        Err(self.error(percent.span(), message))
    }

    /// Threshold and margin that follow from what a wrong application and a review cost.
    ///
    /// Applying costs `(1 - p) * wrong`, a review costs `review`: apply from the probability on
    /// at which the first is less. And of two answers that exclude each other the better one has
    /// the share `p / (p + r)`, which must be as high.
    pub fn costs(
        &self,
        decision: &DecisionText,
    ) -> Result<(Option<f64>, Option<f64>), RecipeError> {
        let (wrong, review) = match (&decision.cost_of_wrong, &decision.cost_of_review) {
            (None, None) => return Ok((None, None)),
            (Some(wrong), Some(review)) => (wrong, review),
            (Some(one), None) | (None, Some(one)) => {
                let message = "decision.cost_of_wrong and decision.cost_of_review go together";
                return Err(self.error(one.span(), message));
            }
        };
        if review.get_ref() <= &Decimal::ZERO {
            return Err(self.value("decision.cost_of_review", review, "more than zero"));
        }
        if wrong.get_ref() <= &(*review.get_ref() * Decimal::TWO) {
            let expected = "more than twice decision.cost_of_review";
            return Err(self.value("decision.cost_of_wrong", wrong, expected));
        }
        let ratio = review.get_ref().checked_div(*wrong.get_ref());
        let ratio = ratio.and_then(|ratio| ratio.to_f64()).unwrap_or(0.0);
        let threshold = 1.0 - ratio;
        // Four decimals are what scores have.
        let rounded = |value: f64| (value * 10_000.0).round() / 10_000.0;
        let margin = (2.0 * threshold - 1.0) / threshold;
        Ok((Some(rounded(threshold)), Some(rounded(margin))))
    }

    /// The days from `from` to `to`, both included.
    pub fn period(
        &self,
        from: Option<&Spanned<Datetime>>,
        to: Option<&Spanned<Datetime>>,
    ) -> Result<Days, RecipeError> {
        let days = Days {
            from: from
                .map(|from| self.day("effective_from", from))
                .transpose()?,
            to: to.map(|to| self.day("effective_to", to)).transpose()?,
        };
        if let (Some(first), Some(last)) = (days.from, days.to)
            && last < first
            && let Some(to) = to
        {
            let message = format!("effective_to is {last}, before effective_from {first}");
            return Err(self.error(to.span(), message));
        }
        Ok(days)
    }

    fn day(&self, field: &str, found: &Spanned<Datetime>) -> Result<Date, RecipeError> {
        let written = found.get_ref();
        let date = written.date.filter(|_| written.time.is_none());
        let date = date.and_then(|date| {
            Date::from_ymd(date.year.into(), date.month.into(), date.day.into()).ok()
        });
        date.ok_or_else(|| self.value(field, found, "a day such as 2026-03-31"))
    }
}
