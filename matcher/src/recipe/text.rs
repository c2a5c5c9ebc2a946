//! A recipe as it is written: the schema of the TOML.

use rust_decimal::Decimal;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeText {
    pub name: Spanned<String>,
    pub version: u32,
    #[serde(default)]
    pub about: String,
    pub effective_from: Option<Spanned<Datetime>>,
    pub effective_to: Option<Spanned<Datetime>>,
    pub weights: Option<Spanned<String>>,
    #[serde(default)]
    pub payments: PaymentsText,
    #[serde(default)]
    pub items: ItemsText,
    #[serde(default)]
    pub identification: IdentificationText,
    #[serde(default)]
    pub amounts: AmountsText,
    #[serde(default)]
    pub dates: DatesText,
    #[serde(default)]
    pub decision: DecisionText,
    #[serde(default)]
    pub ladder: LadderText,
    #[serde(default)]
    pub scope: ScopeText,
    #[serde(default)]
    pub reversals: ReversalsText,
    #[serde(default)]
    pub rules: Vec<RuleText>,
    #[serde(default)]
    pub overrides: Vec<OverrideText>,
    #[serde(default)]
    pub versions: Vec<VersionText>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentsText {
    pub from: Option<Vec<Spanned<String>>>,
    pub direction: Option<Spanned<String>>,
    pub r#where: Option<Spanned<String>>,
    pub party: Option<Spanned<String>>,
    pub references: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ItemsText {
    pub from: Option<Vec<Spanned<String>>>,
    pub paid_by_credits: Option<Vec<Spanned<String>>>,
    pub paid_by_debits: Option<Vec<Spanned<String>>>,
    pub r#where: Option<Spanned<String>>,
    pub party: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentificationText {
    pub order: Option<Vec<Spanned<String>>>,
    pub name_similarity: Option<Spanned<f64>>,
    pub name_margin: Option<Spanned<f64>>,
    pub unknown_references: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AmountsText {
    pub write_off: Option<Spanned<Decimal>>,
    pub write_off_percent: Option<Spanned<Decimal>>,
    pub discount_grace_days: Option<Spanned<i64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatesText {
    pub days_before: Option<Spanned<i64>>,
    pub days_after: Option<Spanned<i64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DecisionText {
    pub threshold: Option<Spanned<f64>>,
    pub margin: Option<Spanned<f64>>,
    pub cost_of_wrong: Option<Spanned<Decimal>>,
    pub cost_of_review: Option<Spanned<Decimal>>,
    pub on_account: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LadderText {
    pub single_item: Option<bool>,
    pub group: Option<bool>,
    pub clear_account: Option<bool>,
    pub clear_past_due: Option<bool>,
    pub subset: Option<bool>,
    pub rival_pairs: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScopeText {
    pub lockbox_deposits: Vec<String>,
    pub not_payments: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReversalsText {
    pub treat_as: Option<Spanned<String>>,
    pub type_codes: Vec<String>,
    pub r#where: Option<Spanned<String>>,
    pub days: Option<Spanned<i64>>,
}

/// What may be set for some payments otherwise than for the rest.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    pub name: Spanned<String>,
    pub when: Option<Spanned<String>>,
    pub effective_from: Option<Spanned<Datetime>>,
    pub effective_to: Option<Spanned<Datetime>>,
    pub hold: Option<Spanned<String>>,
    pub out_of_scope: Option<Spanned<String>>,
    #[serde(default)]
    pub identification: IdentificationText,
    #[serde(default)]
    pub amounts: AmountsText,
    #[serde(default)]
    pub dates: DatesText,
    #[serde(default)]
    pub decision: DecisionText,
    #[serde(default)]
    pub ladder: LadderText,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideText {
    pub name: Spanned<String>,
    pub when: Option<Spanned<String>>,
    #[serde(default)]
    pub customers: Vec<Spanned<String>>,
    pub effective_from: Option<Spanned<Datetime>>,
    pub effective_to: Option<Spanned<Datetime>>,
    #[serde(default)]
    pub identification: IdentificationText,
    #[serde(default)]
    pub amounts: AmountsText,
    #[serde(default)]
    pub dates: DatesText,
    #[serde(default)]
    pub decision: DecisionText,
    #[serde(default)]
    pub ladder: LadderText,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VersionText {
    pub version: Spanned<u32>,
    pub effective_from: Option<Spanned<Datetime>>,
    pub effective_to: Option<Spanned<Datetime>>,
    #[serde(default)]
    pub identification: IdentificationText,
    #[serde(default)]
    pub amounts: AmountsText,
    #[serde(default)]
    pub dates: DatesText,
    #[serde(default)]
    pub decision: DecisionText,
    #[serde(default)]
    pub ladder: LadderText,
}
