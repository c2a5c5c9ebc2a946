//! The figures of a run, added up as decisions are made.

use std::collections::BTreeMap;

use tieout_core::{Amount, Currency, Decision, Finding, FindingCode, Reason, Severity, Status};

use crate::tables::is_exception;
use crate::{CurrencySummary, Flow, Summary, Tally};

/// Adds up what is decided and what is found.
#[derive(Default)]
pub struct Figures {
    currencies: BTreeMap<(Currency, Flow), Totals>,
    applications: u64,
    duplicates: u64,
    out_of_balance: u64,
    findings: Vec<Finding>,
    finding_counts: [u64; 3],
}

#[derive(Default)]
struct Totals {
    money_in: Tally,
    applied: Amount,
    on_account: Amount,
    unapplied: Amount,
    discount: Amount,
    write_off: Amount,
    deduction: Amount,
    by_status: BTreeMap<Status, Tally>,
    exceptions: BTreeMap<Reason, Tally>,
}

impl Figures {
    /// Counts a decision about a payment in `currency`.
    pub fn decided(&mut self, currency: Currency, flow: Flow, decision: &Decision) {
        let totals = self.currencies.entry((currency, flow)).or_default();
        totals
            .by_status
            .entry(decision.status())
            .or_default()
            .add(decision.amount());
        if decision.status() == Status::OutOfScope {
            return;
        }
        totals.money_in.add(decision.amount());
        totals.applied += decision.applied();
        totals.on_account += decision.on_account();
        totals.unapplied += decision.unapplied();
        if decision.takes_effect() {
            self.applications += decision.applications().len() as u64;
            for part in decision.applications() {
                let kept = [part.discount, part.write_off, part.deduction]
                    .map(|kept| if decision.opens_items() { -kept } else { kept });
                totals.discount += kept[0];
                totals.write_off += kept[1];
                totals.deduction += kept[2];
            }
        }
        self.duplicates += u64::from(decision.status() == Status::Duplicate);
        if let Some(reason) = decision.reason().filter(|_| is_exception(decision)) {
            totals
                .exceptions
                .entry(reason)
                .or_default()
                .add(decision.amount());
        }
    }

    /// Counts a finding.
    pub fn found(&mut self, finding: &Finding) {
        self.finding_counts[finding.severity as usize - 1] += 1;
        let unbalanced = matches!(
            finding.code,
            FindingCode::ControlTotal
                | FindingCode::ControlCount
                | FindingCode::BalanceRollForward
                | FindingCode::LockboxDeposit
        );
        self.out_of_balance += u64::from(unbalanced && finding.severity == Severity::Error);
        self.findings.push(finding.clone());
        // The gravest stay; pruned now and then so that a bad file cannot fill the memory.
        if self.findings.len() >= 4 * Summary::FINDINGS_MAX {
            self.prune();
        }
    }

    fn prune(&mut self) {
        // Stable: within a severity the order of reading stays.
        self.findings
            .sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.findings.truncate(Summary::FINDINGS_MAX);
    }

    /// Puts the figures into `summary`.
    pub fn finish(mut self, summary: &mut Summary) {
        self.prune();
        summary.currencies = self
            .currencies
            .into_iter()
            .map(|((currency, flow), totals)| totals.summary(currency, flow))
            .collect();
        summary.applications = self.applications;
        summary.duplicates = self.duplicates;
        summary.out_of_balance = self.out_of_balance;
        summary.findings = self.findings;
        summary.finding_counts = self.finding_counts;
    }
}

impl Totals {
    fn summary(self, currency: Currency, flow: Flow) -> CurrencySummary {
        CurrencySummary {
            currency,
            flow,
            money_in: self.money_in,
            applied: self.applied,
            on_account: self.on_account,
            unapplied: self.unapplied,
            discount: self.discount,
            write_off: self.write_off,
            deduction: self.deduction,
            by_status: self.by_status.into_iter().collect(),
            exceptions: self.exceptions.into_iter().collect(),
        }
    }
}
