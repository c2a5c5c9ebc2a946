//! What the lines of each payout add up to, against the payout's own line.

use std::collections::BTreeMap;

use tieout_core::{Amount, Currency, FindingCode, SettlementType, Severity};

use super::figure::Figure;
use super::profile::Profile;
use crate::intake::Notice;
use crate::rows::SettlementLine;

/// Payouts of one file that are added up; those after them are not.
const PAYOUTS_MAX: usize = 100_000;
/// Bytes that a payout's reference may have; with a longer one it is not added up.
const REFERENCE_BYTES_MAX: usize = 256;

#[derive(Debug, Default)]
struct Sum {
    /// Net of all lines, payouts among them.
    total: Figure,
    /// Net of the payout lines alone, and the line of the first.
    paid: Option<(Figure, u64)>,
    lines: u64,
    tolerance: Figure,
}

/// Sums by payout, account and currency.
#[derive(Debug, Default)]
pub(super) struct Payouts {
    sums: BTreeMap<(String, String, Currency), Sum>,
    not_added: u64,
}

impl Payouts {
    /// Adds a line; its exact net, before it was rounded, counts.
    pub fn add(&mut self, line: &SettlementLine<'_>, net: Figure, profile: &Profile) {
        if line.payout_reference.is_empty() {
            return;
        }
        let account = if profile.payout_per_account {
            line.merchant_account.to_owned()
        } else {
            String::new()
        };
        let key = (line.payout_reference.to_owned(), account, line.currency);
        let is_new = !self.sums.contains_key(&key);
        let has_room = self.sums.len() < PAYOUTS_MAX && key.0.len() <= REFERENCE_BYTES_MAX;
        if is_new && !has_room {
            self.not_added += 1;
            return;
        }
        let sum = self.sums.entry(key).or_default();
        sum.total = sum.total.plus(net);
        sum.tolerance = sum.tolerance.max(profile.payout_tolerance);
        if line.line_type == SettlementType::Payout {
            let (paid, first) = sum.paid.unwrap_or((Figure::ZERO, line.source_line));
            sum.paid = Some((paid.plus(net), first));
        } else {
            sum.lines += 1;
        }
    }

    /// What does not tie, in the order of the payouts' lines.
    pub fn notices(&self) -> Vec<Notice> {
        let mut notices: Vec<Notice> = self.sums.iter().filter_map(notice).collect();
        notices.sort_by_key(|notice| notice.line);
        notices.extend((self.not_added > 0).then(|| Notice {
            severity: Severity::Warning,
            code: FindingCode::ControlTotal,
            line: None,
            found: format!("{} lines of payouts that were not added up", self.not_added),
            expected: format!(
                "at most {PAYOUTS_MAX} payouts in a file, with references of at most \
                 {REFERENCE_BYTES_MAX} bytes"
            ),
            action: "Deliver the report in parts.".into(),
        }));
        notices
    }
}

/// A payout without lines in the file is a list of payouts, and a payout's lines may come
/// without it while it is not paid yet: neither can be added up.
fn notice(((reference, _, currency), sum): (&(String, String, Currency), &Sum)) -> Option<Notice> {
    let (paid, line) = sum.paid?;
    if sum.lines == 0 || sum.total.abs() <= sum.tolerance {
        return None;
    }
    let shown = |figure: Figure| -> Amount { figure.to_amount() };
    Some(Notice {
        severity: Severity::Error,
        code: FindingCode::ControlTotal,
        line: Some(line),
        found: format!(
            "payout {reference} pays {} {currency}",
            shown(paid.negated())
        ),
        expected: format!(
            "{}, the sum of its {} lines",
            shown(sum.total.minus(paid)),
            sum.lines
        ),
        action: "Ask the processor for the whole report, or look for the lines that differ.".into(),
    })
}
