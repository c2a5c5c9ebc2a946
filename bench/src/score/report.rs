//! A score for people and for programs.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::Score;
use super::answers::Status;
use super::tally::{BUCKETS, Reliability, Share};
use super::verdict::Wrong;

impl Score {
    /// Every rate with its name, in the order of reports.
    fn shares(&self) -> [(&'static str, Share); 19] {
        let tally = &self.tally;
        [
            ("customer_identified", tally.customer),
            ("decidable_applied", tally.applied),
            ("decidable_applied_exactly", tally.exact),
            ("lines_applied_exactly", tally.lines),
            ("value_applied_exactly", tally.value),
            ("false_apply", tally.false_apply),
            ("undecidable_applied", tally.undecidable_applied),
            ("duplicates_found", tally.duplicates_found),
            ("duplicates_applied", tally.duplicates_applied),
            ("duplicates_false", tally.duplicates_false),
            ("twins_held", tally.twins_held),
            ("on_account_right", tally.on_account),
            ("out_of_scope_right", tally.out_of_scope),
            ("proposals_right", tally.proposals),
            ("exceptions_truth_first", tally.first_candidate),
            ("exceptions_truth_listed", tally.any_candidate),
            ("unclear_truth_first", tally.first_unclear),
            ("unclear_truth_listed", tally.any_unclear),
            ("amount_and_currency_read", tally.read),
        ]
    }

    /// Counts that must all be zero, with their names.
    pub(super) fn breaches(&self) -> Vec<(&'static str, u64)> {
        let tally = &self.tally;
        let mut breaches = vec![
            ("payments_missing", tally.missing),
            ("payments_doubled", self.doubled),
            ("unknown_rows_applied", self.unknown.part),
            ("applications_of_no_payment", self.astray),
            (
                "payments_out_of_balance",
                tally.balanced.whole - tally.balanced.part,
            ),
        ];
        if let Some(stock) = self.stock {
            breaches.push(("items_applied_beyond_open", stock.beyond_open));
            breaches.push(("items_unknown", stock.unknown));
        }
        breaches
    }

    /// Applied payments per wrong one; none if none is wrong.
    fn one_in(&self) -> Option<u64> {
        let Share { part, whole } = self.tally.false_apply;
        whole.checked_div(part)
    }

    /// As text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.push_shares(&mut text);
        for (name, count) in self.breaches() {
            let _ = writeln!(text, "{name:28} {count:9}");
        }
        let _ = writeln!(
            text,
            "{:28} {:9}   (bank lines out of scope without a row: {})",
            "unknown_rows", self.unknown.whole, self.tally.missing_out_of_scope
        );
        self.push_wrong(&mut text);
        self.push_scenarios(&mut text);
        self.push_reliability(&mut text);
        for line in &self.listed {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    fn push_shares(&self, text: &mut String) {
        for (name, share) in self.shares() {
            let percent = share
                .ratio()
                .map_or_else(|| "-".to_owned(), |ratio| format!("{:.4}%", 100.0 * ratio));
            let (part, whole) = match name {
                "value_applied_exactly" => (share.part / 100_000, share.whole / 100_000),
                _ => (share.part, share.whole),
            };
            let _ = write!(text, "{name:28} {part:9} of {whole:9} {percent:>10}");
            if name == "false_apply" {
                let odds = self.one_in().map_or_else(
                    || "   none wrong".to_owned(),
                    |count| format!("   1 in {count}"),
                );
                text.push_str(&odds);
            }
            text.push('\n');
        }
    }

    fn push_wrong(&self, text: &mut String) {
        text.push_str("\nApplied wrongly, by kind\n");
        for (wrong, count) in Wrong::ALL.iter().zip(self.tally.wrong) {
            let _ = writeln!(text, "{:28} {count:9}", wrong.word());
        }
    }

    fn push_scenarios(&self, text: &mut String) {
        let _ = write!(text, "\n{:25}", "scenario");
        for column in [
            "n", "right", "wrong", "proposed", "on_acct", "unident", "duplic", "scope", "missing",
            "waiting", "first", "listed",
        ] {
            let _ = write!(text, "{column:>9}");
        }
        text.push('\n');
        for (name, fate) in self.scenarios.iter().zip(&self.tally.scenarios) {
            let held = |status: Status| fate.held[status as usize];
            let columns = [
                fate.all,
                fate.right,
                fate.wrong,
                held(Status::Proposed),
                held(Status::OnAccount),
                held(Status::Unidentified),
                held(Status::Duplicate),
                held(Status::OutOfScope),
                fate.missing,
                fate.first_candidate.whole,
                fate.first_candidate.part,
                fate.any_candidate.part,
            ];
            let _ = write!(text, "{name:25}");
            for count in columns {
                let _ = write!(text, "{count:>9}");
            }
            text.push('\n');
        }
    }

    fn push_reliability(&self, text: &mut String) {
        let tally = &self.tally;
        for (title, reliability) in [
            (
                "answers to decidable payments",
                &tally.reliability_decidable,
            ),
            ("all answers", &tally.reliability),
        ] {
            let _ = write!(text, "\nReliability of {title}");
            if let Some(error) = reliability.error() {
                let _ = write!(text, ": calibration error {:.4}%", 100.0 * error);
            }
            text.push_str("\nscore from         n     claimed   observed\n");
            for (low, bucket) in BUCKETS.iter().zip(&reliability.buckets) {
                if let Some(observed) = bucket.right.ratio() {
                    let claimed = bucket.claimed / bucket.right.whole as f64;
                    let count = bucket.right.whole;
                    let _ = writeln!(text, "{low:<10} {count:9}   {claimed:.6}   {observed:.6}");
                }
            }
        }
    }

    /// As JSON: every rate as `{part, whole}`, every count by name.
    ///
    /// # Errors
    /// When it cannot be written as text.
    pub fn json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(&self.value())?;
        text.push('\n');
        Ok(text)
    }

    fn value(&self) -> Value {
        let shares: serde_json::Map<String, Value> = self
            .shares()
            .into_iter()
            .map(|(name, share)| {
                let value = json!({ "part": share.part, "whole": share.whole });
                (name.to_owned(), value)
            })
            .collect();
        json!({
            "rates": shares,
            "applied_per_wrong": self.one_in(),
            "breaches": counts(self.breaches()),
            "unknown_rows": self.unknown.whole,
            "out_of_scope_without_row": self.tally.missing_out_of_scope,
            "items_touched": self.stock.map(|stock| stock.touched),
            "wrong": counts(Wrong::ALL.iter().map(|w| w.word()).zip(self.tally.wrong)),
            "scenarios": self.scenario_values(),
            "reliability": reliability_values(&self.tally.reliability),
            "reliability_decidable": reliability_values(&self.tally.reliability_decidable),
            "calibration_error": self.tally.reliability.error(),
            "calibration_error_decidable": self.tally.reliability_decidable.error(),
            "listed": self.listed,
        })
    }

    fn scenario_values(&self) -> Value {
        let rows = self.scenarios.iter().zip(&self.tally.scenarios);
        rows.map(|(name, fate)| {
            let held = Status::ALL.iter().map(|s| s.word()).zip(fate.held);
            json!({
                "scenario": name,
                "all": fate.all,
                "right": fate.right,
                "wrong": fate.wrong,
                "held": counts(held),
                "missing": fate.missing,
                "waiting": fate.first_candidate.whole,
                "truth_first": fate.first_candidate.part,
                "truth_listed": fate.any_candidate.part,
            })
        })
        .collect()
    }
}

fn reliability_values(reliability: &Reliability) -> Value {
    let buckets = BUCKETS.iter().zip(&reliability.buckets);
    buckets
        .map(|(low, bucket)| {
            json!({
                "from": low,
                "claimed": bucket.claimed / bucket.right.whole.max(1) as f64,
                "part": bucket.right.part,
                "whole": bucket.right.whole,
            })
        })
        .collect()
}

fn counts(pairs: impl IntoIterator<Item = (&'static str, u64)>) -> Value {
    let pairs = pairs.into_iter();
    Value::Object(
        pairs
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect(),
    )
}
