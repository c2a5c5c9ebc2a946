//! Weights of evidence as data: a TOML file that a recipe can name, written by people or learned.

use std::fmt::Write as _;

use serde::Deserialize;
use std::collections::BTreeMap;
use tieout_core::Feature;
use toml::Spanned;

use crate::reading::Reading;
use crate::recipe::RecipeError;
use crate::score::{PRIOR, weight};

/// Weights that come with the program, by the names that recipes may give.
const SHIPPED: &[(&str, &str)] = &[(
    "cash-application",
    include_str!("../weights/cash-application.toml"),
)];

/// More than this no weight may be, in bits.
const BITS_MAX: f64 = 40.0;
/// Features beyond this number do not fit.
const FEATURES_MAX: usize = 64;
/// The most that a rare or common name adds or takes, in hundredths of a bit.
const RARITY_MAX: f64 = 200.0;
/// Parties that the usual share of a name's rarest word counts as, so that few parties say little.
const USUAL_PARTIES: f64 = 50.0;

/// What each kind of evidence weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Log-odds of an answer that nothing speaks for, in hundredths of a bit.
    pub prior: i32,
    /// Hundredths of a bit, by the feature's number.
    features: [i32; FEATURES_MAX],
    /// The share of parties that have the rarest word of a usual party's name; none where all
    /// names weigh the same.
    pub name_share: Option<f64>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    prior: Spanned<f64>,
    name_share: Option<Spanned<f64>>,
    #[serde(default)]
    bits: BTreeMap<String, Spanned<f64>>,
}

impl Default for Weights {
    fn default() -> Self {
        let mut features = [0; FEATURES_MAX];
        for &feature in Feature::ALL {
            features[feature as usize] = weight(feature);
        }
        Self {
            prior: PRIOR,
            features,
            name_share: None,
        }
    }
}

impl Weights {
    /// The weights that come with the program under this name, if there are any.
    pub fn shipped(name: &str) -> Option<Result<Self, RecipeError>> {
        let (_, text) = SHIPPED.iter().find(|(known, _)| *known == name)?;
        Some(Self::parse(text))
    }

    /// Reads a weights file. Features that it does not name weigh what they do by default.
    ///
    /// # Errors
    /// A [`RecipeError`] that points at the line.
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        let read: Text = toml::from_str(text).map_err(|error| match error.span() {
            Some(span) => RecipeError::at(text, span, error.message()),
            None => RecipeError::whole(error.message()),
        })?;
        let hundredths = |name: &str, bits: &Spanned<f64>| {
            let value = *bits.get_ref();
            if value.is_finite() && value.abs() <= BITS_MAX {
                return Ok((value * 100.0).round() as i32);
            }
            let message = format!("{name} is {value}, expected bits from -40 to 40");
            Err(RecipeError::at(text, bits.span(), message))
        };
        let mut weights = Self {
            prior: hundredths("prior", &read.prior)?,
            ..Self::default()
        };
        for (code, bits) in &read.bits {
            let Some(feature) = Feature::from_code(code) else {
                let message = format!("there is no evidence {code}");
                return Err(RecipeError::at(text, bits.span(), message));
            };
            weights.features[feature as usize] = hundredths(code, bits)?;
        }
        if let Some(share) = read.name_share {
            if !(*share.get_ref() > 0.0 && *share.get_ref() <= 1.0) {
                let message = format!("name_share is {}, expected 0 to 1", share.get_ref());
                return Err(RecipeError::at(text, share.span(), message));
            }
            weights.name_share = Some(*share.get_ref());
        }
        Ok(weights)
    }

    /// The weight of `feature`, in hundredths of a bit.
    pub fn of(&self, feature: Feature) -> i32 {
        self.features[feature as usize]
    }

    /// Sets the weight of `feature`.
    pub fn set(&mut self, feature: Feature, hundredths: i32) {
        self.features[feature as usize] = hundredths;
    }

    /// Gives the evidence of `reading`, noted with the default weights, these.
    pub fn weigh(&self, reading: &mut Reading) {
        reading.prior = self.prior;
        for part in &mut reading.evidence {
            part.weight += self.of(part.feature) - weight(part.feature);
        }
    }

    /// What a name adds whose rarest word `holders` of `parties` parties have: a rare name says
    /// more than a common one.
    pub fn rarity(&self, holders: u32, parties: u32) -> i32 {
        let Some(usual) = self.name_share else {
            return 0;
        };
        let others = f64::from(holders.saturating_sub(1));
        let share = (others + USUAL_PARTIES * usual)
            / (f64::from(parties.saturating_sub(1)) + USUAL_PARTIES);
        let bits = (usual / share).log2() * 100.0;
        bits.round().clamp(-RARITY_MAX, RARITY_MAX) as i32
    }

    /// The file that holds these weights, below the comment `about`.
    pub fn to_toml(&self, about: &str) -> String {
        let bits = |hundredths: i32| f64::from(hundredths) / 100.0;
        let mut text = String::new();
        for line in about.lines() {
            let _ = writeln!(text, "# {line}");
        }
        let _ = writeln!(text, "prior = {:.2}", bits(self.prior));
        if let Some(share) = self.name_share {
            let _ = writeln!(text, "name_share = {share:.6}");
        }
        let _ = writeln!(text, "\n[bits]");
        for &feature in Feature::ALL {
            let weight = bits(self.of(feature));
            if weight.abs() > 0.0 {
                let _ = writeln!(text, "{} = {weight:.2}", feature.code());
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::score::probability;

    #[test]
    fn the_shipped_weights_read_back() {
        let weights = Weights::shipped("cash-application").unwrap().unwrap();
        let again = Weights::parse(&weights.to_toml("again")).unwrap();
        assert_eq!(again, weights);
    }

    #[test]
    fn no_single_kind_of_shipped_evidence_reaches_the_threshold() {
        let weights = Weights::shipped("cash-application").unwrap().unwrap();
        for &feature in Feature::ALL {
            let alone = weights.prior + weights.of(feature);
            assert!(probability(alone) < 0.99, "{feature}");
        }
    }

    #[test]
    fn two_agreeing_kinds_of_shipped_evidence_do() {
        let weights = Weights::shipped("cash-application").unwrap().unwrap();
        for pair in [
            [Feature::PayerAccount, Feature::ReferenceExact],
            [Feature::ReferenceExact, Feature::AmountExact],
            [Feature::PayerAccount, Feature::AmountExact],
        ] {
            let sum: i32 = pair.iter().map(|&feature| weights.of(feature)).sum();
            assert!(probability(weights.prior + sum) > 0.99, "{pair:?}");
        }
    }

    #[test]
    fn mistakes_point_at_their_line() {
        for (text, line, says) in [
            (
                "prior = -12\n[bits]\nno_such = 1.0\n",
                3,
                "no evidence no_such",
            ),
            ("prior = -12\n[bits]\nname_exact = 99.0\n", 3, "-40 to 40"),
            ("prior = -12\nname_share = 2.0\n", 2, "0 to 1"),
            ("prior = -12\nother = 2.0\n", 2, "unknown field"),
        ] {
            let error = Weights::parse(text).unwrap_err();
            assert_eq!(error.line(), Some(line), "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn rare_names_say_more_than_common_ones() {
        let weights = Weights {
            name_share: Some(0.01),
            ..Weights::default()
        };
        assert!(weights.rarity(1, 10_000) > 0);
        assert!(weights.rarity(1_000, 10_000) < 0);
        // Of few parties nothing is known.
        assert!(weights.rarity(1, 2).abs() < 10);
        assert_eq!(Weights::default().rarity(1_000, 10_000), 0);
    }
}
