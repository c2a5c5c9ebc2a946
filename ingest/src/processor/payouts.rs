//! What the lines of each payout add up to, against the payout's own line.

use std::collections::BTreeMap;

use tieout_core::{Amount, Currency, FindingCode, SettlementType, Severity};

use super::figure::Figure;
use super::profile::Profile;
use crate::intake::Notice;
use crate::rows::{SettlementLine, is_same};

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

/// Payout, account and currency.
type Key = (String, String, Currency);

/// Sums of payouts.
#[derive(Debug, Default)]
pub(super) struct Payouts {
    sums: BTreeMap<Key, Sum>,
    /// The payout of the line before, which most lines share, and its sum.
    open: Option<(Key, Sum)>,
    not_added: u64,
}

impl Payouts {
    /// Adds a line; its exact net, before it was rounded, counts.
    pub fn add(&mut self, line: &SettlementLine<'_>, net: Figure, profile: &Profile) {
        if line.payout_reference.is_empty() {
            return;
        }
        let account = if profile.payout_per_account {
            line.merchant_account
        } else {
            ""
        };
        let Some(sum) = self.sum_of(line.payout_reference, account, line.currency) else {
            self.not_added += 1;
            return;
        };
        sum.total = sum.total.plus(net);
        sum.tolerance = sum.tolerance.max(profile.payout_tolerance);
        if line.line_type == SettlementType::Payout {
            let (paid, first) = sum.paid.unwrap_or((Figure::ZERO, line.source_line));
            sum.paid = Some((paid.plus(net), first));
        } else {
            sum.lines += 1;
        }
    }

    /// The sum of a payout; none if it is not added up.
    fn sum_of(&mut self, payout: &str, account: &str, currency: Currency) -> Option<&mut Sum> {
        let is_open = self
            .open
            .as_ref()
            .is_some_and(|((reference, of, code), _)| {
                is_same(reference, payout) && is_same(of, account) && *code == currency
            });
        if !is_open {
            self.close();
            let key = (payout.to_owned(), account.to_owned(), currency);
            let known = self.sums.remove(&key);
            let has_room = self.sums.len() < PAYOUTS_MAX && payout.len() <= REFERENCE_BYTES_MAX;
            let sum = known.or_else(|| has_room.then(Sum::default))?;
            self.open = Some((key, sum));
        }
        self.open.as_mut().map(|(_, sum)| sum)
    }

    fn close(&mut self) {
        self.sums.extend(self.open.take());
    }

    /// What does not tie, in the order of the payouts' lines.
    pub fn notices(&mut self) -> Vec<Notice> {
        self.close();
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
