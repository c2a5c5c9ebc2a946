//! Weights of evidence, in hundredths of a bit of log-odds.
//!
//! A reading starts at [`PRIOR`], each feature adds its weight, and the sum is the log-odds that
//! the reading is right. The weights are estimates, set so that no single kind of evidence can
//! carry a reading over the threshold: a reference, a payer and an amount must agree, at least
//! two of the three.

use tieout_core::Feature;

/// Log-odds of a reading that nothing speaks for.
pub const PRIOR: i32 = -1_200;

/// The weight of `feature`.
pub const fn weight(feature: Feature) -> i32 {
    match feature {
        Feature::PayerAccount => 1_200,
        Feature::AmountExact | Feature::OriginalReference => 1_000,
        // Amounts that agree to the last cent once what is kept back is added.
        Feature::AmountNetOfDiscount | Feature::AmountWithDeduction => 970,
        Feature::CustomerNumber | Feature::RelatedCustomer | Feature::ReferenceExact => 900,
        Feature::NameExact | Feature::ReferenceNormalized => 800,
        Feature::ReferencePurchaseOrder => 500,
        Feature::ReferenceTruncated
        | Feature::AmountWithinTolerance
        | Feature::OnlyReading
        | Feature::OnlyAssignment
        | Feature::EarlierPayment
        // One decision of a person; those that follow add to it, see `Recalled::more`.
        | Feature::RememberedAccount
        | Feature::RememberedName => 400,
        // Similar names go from here up to certainty with the likeness, see `name_weight`.
        Feature::ReferenceOneEdit | Feature::CreditNetted | Feature::NameSimilar => 300,
        Feature::DocumentOwner
        | Feature::LinkedRemittance
        | Feature::LineKind
        | Feature::RecipeRule
        | Feature::DecidedTogether
        // As unlikely as chance makes such a set, see `ladder::several`.
        | Feature::SeveralItems
        // Of the weights as a whole, not of a feature.
        | Feature::Prior
        // As much as people's decisions about such answers say, see `Memory::correction`.
        | Feature::RememberedDecisions => 0,
        Feature::AmountOver => -100,
        Feature::AmountPartial | Feature::ReferenceMissing => -200,
        // Third parties pay for customers: a strange name says little against a number and an
        // amount that agree. Another customer's name is a conflict, and held.
        Feature::NameDiffers => -30,
        Feature::OtherReading | Feature::OtherPayment => -1_000,
    }
}

/// How much more names weigh that are all but the same than such as are just similar.
pub const SIMILARITY_SPAN: i32 = 450;

/// The weight of names that are `similarity` alike (between the recipe's floor and 1).
pub fn name_weight(similarity: f64) -> i32 {
    let above = ((similarity - 0.86) / 0.14).clamp(0.0, 1.0);
    weight(Feature::NameSimilar) + (above * f64::from(SIMILARITY_SPAN)) as i32
}

/// The probability that belongs to log-odds of `weight`, unrounded.
pub fn odds_share(weight: i32) -> f64 {
    let odds = (f64::from(weight) / 100.0).exp2();
    odds / (1.0 + odds)
}

/// The log-odds that belong to a probability between 0 and 1, in hundredths of a bit.
pub fn log_odds(probability: f64) -> i32 {
    let odds = probability / (1.0 - probability);
    (odds.log2() * 100.0).round().clamp(-10_000.0, 10_000.0) as i32
}

/// The probability that belongs to log-odds of `weight`.
pub fn probability(weight: i32) -> f64 {
    let probability = odds_share(weight);
    // Four decimals are what outputs show; rounding here keeps every consumer the same.
    (probability * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_single_kind_of_evidence_reaches_the_threshold() {
        for feature in Feature::ALL {
            assert!(probability(PRIOR + weight(*feature)) < 0.99, "{feature}");
        }
    }

    #[test]
    fn two_agreeing_kinds_do() {
        for pair in [
            [Feature::PayerAccount, Feature::ReferenceExact],
            [Feature::ReferenceExact, Feature::AmountExact],
            [Feature::PayerAccount, Feature::AmountExact],
        ] {
            let sum: i32 = pair.iter().map(|&feature| weight(feature)).sum();
            assert!(probability(PRIOR + sum) > 0.99, "{pair:?}");
        }
    }

    #[test]
    fn probabilities_are_between_zero_and_one() {
        assert!(probability(-5_000) >= 0.0);
        assert!(probability(5_000) <= 1.0);
        assert!((probability(0) - 0.5).abs() < 1e-9);
    }
}
