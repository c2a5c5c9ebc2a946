//! What a lockbox deposit or batch says it comes to, against the cheques that were read.

use tieout_core::{Amount, FindingCode, Severity};

use super::tables::Tables;
use crate::format::ReadError;
use crate::intake::Notice;

/// Totals and quantities that one deposit or batch may give.
const CONTROLS_MAX: usize = 16;
const ACTION: &str = "Look in quarantine for cheques that were not read; if there are none, ask \
                      the bank which figure is right.";

/// What was read, and what the file says about it.
#[derive(Default)]
pub(super) struct Control {
    line: u64,
    total: Amount,
    checks: u64,
    says_totals: Vec<Amount>,
    says_counts: Vec<String>,
}

impl Control {
    /// Nothing was read yet of what begins at `line`.
    pub fn at(line: u64) -> Self {
        Self {
            line,
            ..Self::default()
        }
    }

    /// One cheque more, with what it adds to the total.
    pub fn add(&mut self, amount: Amount) {
        self.checks += 1;
        self.total += amount;
    }

    /// The file says this total.
    pub fn says_total(&mut self, total: Option<Amount>) {
        self.says_totals.extend(total);
        self.says_totals.truncate(CONTROLS_MAX);
    }

    /// The file says this quantity.
    pub fn says_count(&mut self, count: String) {
        if self.says_counts.len() < CONTROLS_MAX {
            self.says_counts.push(count);
        }
    }

    /// The totals and quantities against what was read. Banks qualify quantities in their own
    /// ways, so that one may be of cheques or of batches.
    pub fn compare(
        &self,
        name: &str,
        batches: Option<u64>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        for total in self
            .says_totals
            .iter()
            .filter(|total| **total != self.total)
        {
            tables.report(Notice {
                severity: Severity::Error,
                code: FindingCode::ControlTotal,
                line: Some(self.line),
                found: format!("{name} says a total of {total}"),
                expected: format!("{}, the sum of its cheques", self.total),
                action: ACTION.into(),
            })?;
        }
        for count in &self.says_counts {
            let said = count.parse::<u64>().ok();
            if said.is_some_and(|said| said == self.checks || Some(said) == batches) {
                continue;
            }
            let batches = batches.map_or(String::new(), |count| format!(" and {count} batches"));
            tables.report(Notice {
                severity: Severity::Error,
                code: FindingCode::ControlCount,
                line: Some(self.line),
                found: format!("{name} says a quantity of {count}"),
                expected: format!("{} cheques{batches}, as many as were read", self.checks),
                action: ACTION.into(),
            })?;
        }
        Ok(())
    }
}
