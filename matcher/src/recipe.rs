//! Recipes: what may be applied without a person, as data.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use serde::Deserialize;
use thiserror::Error;
use tieout_core::Amount;

const DEFAULT: &str = include_str!("../recipes/cash-application.toml");

/// A recipe as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecipeText {
    name: String,
    version: u32,
    #[serde(default)]
    identification: Identification,
    #[serde(default)]
    amounts: AmountsText,
    #[serde(default)]
    decision: DecisionText,
    #[serde(default)]
    ladder: Ladder,
    #[serde(default)]
    scope: Scope,
}

/// How a payer is told.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub struct Identification {
    /// Names at least this alike are held for the same, between 0 and 1.
    pub name_similarity: f64,
    /// How much less alike the next customer's name must be.
    pub name_margin: f64,
}

impl Default for Identification {
    fn default() -> Self {
        Self {
            name_similarity: 0.86,
            name_margin: 0.05,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AmountsText {
    write_off: Decimal,
    write_off_percent: Decimal,
    discount_grace_days: i32,
}

impl Default for AmountsText {
    fn default() -> Self {
        Self {
            write_off: Decimal::ONE,
            write_off_percent: Decimal::from(5),
            discount_grace_days: 0,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DecisionText {
    threshold: f64,
    margin: f64,
}

impl Default for DecisionText {
    fn default() -> Self {
        Self {
            threshold: 0.99,
            margin: 0.5,
        }
    }
}

/// Which readings of a payment without references are tried.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Ladder {
    /// One item with the amount.
    pub single_item: bool,
    /// Everything that is open.
    pub clear_account: bool,
    /// Everything that is past due.
    pub clear_past_due: bool,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            single_item: true,
            clear_account: true,
            clear_past_due: true,
        }
    }
}

/// Which lines of a statement are customers' payments.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// Type codes of credits that are totals of lockboxes.
    pub lockbox_deposits: Vec<String>,
    /// Type codes of credits that no customer paid (interest, transfers of one's own money).
    pub not_payments: Vec<String>,
}

/// A checked recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// Its version; goes up with every change.
    pub version: u32,
    /// How a payer is told.
    pub identification: Identification,
    /// The largest difference that is written off.
    pub write_off: Amount,
    /// The same as a percentage of what the items are open for; the smaller of the two holds.
    pub write_off_percent: Decimal,
    /// Days after the discount date on which a discount is still granted.
    pub discount_grace_days: i32,
    /// A decision applies itself from this probability on.
    pub threshold: f64,
    /// And if the runner-up's is this much lower.
    pub margin: f64,
    /// Which readings of a payment without references are tried.
    pub ladder: Ladder,
    /// Which lines are payments.
    pub scope: Scope,
}

/// A recipe that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecipeError {
    /// Not TOML, or a field that recipes do not have; the message points at the line.
    #[error("{0}")]
    Syntax(String),
    /// A value outside its range.
    #[error("{field} is {found}, expected {expected}")]
    Value {
        /// The field.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What may stand there.
        expected: &'static str,
    },
}

impl Recipe {
    /// The recipe that holds when none is given.
    ///
    /// # Panics
    /// Never: a test parses the shipped recipe.
    #[allow(
        clippy::expect_used,
        reason = "the text is a constant that a test parses"
    )]
    pub fn cash_application() -> Self {
        Self::parse(DEFAULT).expect("the shipped recipe parses")
    }

    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// A [`RecipeError`] that names the line or the field.
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        let recipe: RecipeText =
            toml::from_str(text).map_err(|error| RecipeError::Syntax(error.to_string()))?;
        for (field, value) in [
            ("decision.threshold", recipe.decision.threshold),
            ("decision.margin", recipe.decision.margin),
            (
                "identification.name_similarity",
                recipe.identification.name_similarity,
            ),
            (
                "identification.name_margin",
                recipe.identification.name_margin,
            ),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(value_error(field, &value, "a number between 0 and 1"));
            }
        }
        let percent = recipe.amounts.write_off_percent;
        if percent.is_sign_negative() || percent > Decimal::from(100) {
            return Err(value_error(
                "amounts.write_off_percent",
                &percent,
                "0 to 100",
            ));
        }
        if !(0..=366).contains(&recipe.amounts.discount_grace_days) {
            let found = recipe.amounts.discount_grace_days;
            return Err(value_error(
                "amounts.discount_grace_days",
                &found,
                "0 to 366",
            ));
        }
        let write_off = Amount::try_from(recipe.amounts.write_off)
            .ok()
            .filter(|amount| !amount.is_negative())
            .ok_or_else(|| {
                value_error(
                    "amounts.write_off",
                    &recipe.amounts.write_off,
                    "an amount of zero or more with at most 5 decimals",
                )
            })?;
        Ok(Self {
            name: recipe.name,
            version: recipe.version,
            identification: recipe.identification,
            write_off,
            write_off_percent: percent,
            discount_grace_days: recipe.amounts.discount_grace_days,
            threshold: recipe.decision.threshold,
            margin: recipe.decision.margin,
            ladder: recipe.ladder,
            scope: recipe.scope,
        })
    }

    /// Name and version, as decisions keep them.
    pub fn label(&self) -> String {
        let mut label = self.name.clone();
        let _ = write!(label, "@{}", self.version);
        label
    }

    /// Whether a difference of `short` on items open for `open` may be written off.
    pub fn within_tolerance(&self, short: Amount, open: Amount) -> bool {
        short.abs() <= self.write_off && short.abs() <= open.abs().percent(self.write_off_percent)
    }
}

fn value_error(field: &'static str, found: &impl ToString, expected: &'static str) -> RecipeError {
    RecipeError::Value {
        field,
        found: found.to_string(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_shipped_recipe_parses() {
        let recipe = Recipe::cash_application();
        assert_eq!(recipe.label(), "cash-application@1");
        assert!(recipe.within_tolerance("0.99".parse().unwrap(), "100".parse().unwrap()));
        assert!(!recipe.within_tolerance("1.01".parse().unwrap(), "100".parse().unwrap()));
        assert!(!recipe.within_tolerance("0.99".parse().unwrap(), "10".parse().unwrap()));
    }

    #[test]
    fn mistakes_are_named() {
        let error =
            Recipe::parse("name = \"x\"\nversion = 1\n[amounts]\nwriteoff = 1\n").unwrap_err();
        assert!(error.to_string().contains("line 4"), "{error}");
        let error =
            Recipe::parse("name = \"x\"\nversion = 1\n[decision]\nthreshold = 7.0\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "decision.threshold is 7, expected a number between 0 and 1"
        );
    }
}
