//! What a controller reads after a run.

use std::time::Duration;

use tieout_core::{Amount, Channel, Currency, Finding, Reason, Severity, Status};

use crate::outputs::Repeated;

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// The path as given.
    pub file: String,
    /// The format's name, or `unknown`.
    pub format: String,
    /// The layout profile, for formats that have them.
    pub profile: Option<String>,
    /// Bytes read.
    pub bytes: u64,
    /// Lines read.
    pub lines: u64,
    /// Rows that the lines became.
    pub rows: u64,
    /// Lines in quarantine.
    pub quarantined: u64,
    /// Rows that an earlier delivery had brought already.
    pub known_before: u64,
    /// Why it was not read, or not to its end.
    pub failed: Option<String>,
}

/// The payments of one status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// Their amounts.
    pub amount: Amount,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, amount: Amount) {
        self.count += 1;
        self.amount += amount;
    }
}

/// What kind of money some payments are; figures of two kinds are never added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// What came into a bank account.
    MoneyIn,
    /// What left a bank account.
    MoneyOut,
    /// What a processor took in.
    Charges,
    /// What a processor gave back.
    Refunds,
    /// Items of the books that pay what mirrors them.
    Mirrors,
    /// Items of the books that take back what mirrors them.
    MirrorCredits,
}

impl Flow {
    /// That of lines that came by `channel`.
    pub fn of(channel: Option<Channel>, is_credit: bool) -> Self {
        match (channel, is_credit) {
            (Some(Channel::Processor), true) => Self::Charges,
            (Some(Channel::Processor), false) => Self::Refunds,
            (Some(Channel::Books), true) => Self::Mirrors,
            (Some(Channel::Books), false) => Self::MirrorCredits,
            (_, true) => Self::MoneyIn,
            (_, false) => Self::MoneyOut,
        }
    }

    /// What a controller calls it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::MoneyIn => "Money in",
            Self::MoneyOut => "Money out",
            Self::Charges => "Charges",
            Self::Refunds => "Refunds and disputes",
            Self::Mirrors => "Mirrored items",
            Self::MirrorCredits => "Mirrored credits",
        }
    }
}

/// The figures of one currency and flow. `money_in` is the sum of all payments in scope, and
/// `money_in = applied + on_account + unapplied`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrencySummary {
    /// The currency.
    pub currency: Currency,
    /// What kind of money it is.
    pub flow: Flow,
    /// Payments in scope.
    pub money_in: Tally,
    /// Cash applied to items.
    pub applied: Amount,
    /// Cash on customers' accounts.
    pub on_account: Amount,
    /// Cash in proposals, exceptions and held duplicates.
    pub unapplied: Amount,
    /// Discounts granted.
    pub discount: Amount,
    /// Small differences written off.
    pub write_off: Amount,
    /// Deductions with the customers' reasons.
    pub deduction: Amount,
    /// By status, in the order of [`Status::ALL`], statuses without payments left out.
    pub by_status: Vec<(Status, Tally)>,
    /// Payments that a person looks at, by reason, in the order of [`Reason::ALL`].
    pub exceptions: Vec<(Reason, Tally)>,
}

/// A run's figures.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Files, in the order they were read.
    pub files: Vec<FileSummary>,
    /// Open items read.
    pub open_items: u64,
    /// Parties read.
    pub parties: u64,
    /// Applications that took effect.
    pub applications: u64,
    /// Figures by currency, in the order of their codes, and flow.
    pub currencies: Vec<CurrencySummary>,
    /// Payments of earlier runs of the ledger that what came now has matched.
    pub rematched: Tally,
    /// The posting that keeps the run, if a ledger does and anything was new.
    pub posting: Option<u64>,
    /// What the ledger could not do once the posting was on disk, and why, as sentences. A later run
    /// does it.
    pub undone: Vec<String>,
    /// The posting whose files these are, if nothing of them was new: the output tables are its.
    pub repeats: Option<u64>,
    /// Payments held as duplicates.
    pub duplicates: u64,
    /// Lines in quarantine.
    pub quarantined: u64,
    /// Control totals, counts and balances that do not tie.
    pub out_of_balance: u64,
    /// The gravest findings, at most [`Summary::FINDINGS_MAX`], and how many there are in all.
    pub findings: Vec<Finding>,
    /// Findings by severity: info, warning, error.
    pub finding_counts: [u64; 3],
    /// Wall time.
    pub elapsed: Duration,
}

impl Summary {
    /// Findings that a summary keeps; the table `findings` has them all.
    pub const FINDINGS_MAX: usize = 50;

    /// Lines of all files.
    pub fn lines(&self) -> u64 {
        self.files.iter().map(|file| file.lines).sum()
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Payments in scope, of all currencies.
    pub fn payments(&self) -> u64 {
        self.currencies
            .iter()
            .map(|totals| totals.money_in.count)
            .sum()
    }

    /// Takes over what the posting had to say whose files came again.
    pub(crate) fn repeat(&mut self, repeated: &Repeated) {
        self.repeats = Some(repeated.posting);
        self.quarantined += repeated.quarantined;
        // What is wrong with files that were never read is said again by this run itself.
        let errors = &mut self.finding_counts[Severity::Error as usize - 1];
        *errors = (*errors).max(repeated.errors);
    }

    /// Whether everything was read and every control total ties.
    pub fn is_clean(&self) -> bool {
        self.quarantined == 0 && self.finding_counts[Severity::Error as usize - 1] == 0
    }
}
