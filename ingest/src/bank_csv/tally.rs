//! What is counted while rows are read, and what is to be said of it.

use std::collections::BTreeSet;

use tieout_core::{Amount, Currency, Date, FindingCode, Severity};

use super::money::Way;
use super::running_balance::LineOrder;
use super::shared::Shared;
use super::words::Meaning;
use crate::intake::Notice;

/// Currencies that are told apart; beyond them it is enough to know that there are several.
const CURRENCIES_MAX: usize = 2;

/// How often, and on which line first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Occurrences {
    count: u64,
    first: u64,
}

impl Occurrences {
    pub fn add(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        self.count += 1;
    }
}

/// A line with a balance beside it.
#[derive(Clone, Debug)]
pub(super) struct Neighbour {
    /// The account, and what else lines of it share.
    pub place: Shared,
    pub line: u64,
    pub effect: Amount,
    pub balance: Amount,
    pub currency: Currency,
    pub date: Date,
}

/// A balance that a line of its own gives.
#[derive(Clone, Debug)]
pub(super) struct Stated {
    pub line: u64,
    pub is_opening: bool,
    pub amount: Amount,
    pub account: String,
    pub currency: Currency,
    pub date: Option<Date>,
}

/// Currencies seen, up to a limit.
#[derive(Debug, Default)]
pub(super) struct Currencies(BTreeSet<Currency>);

impl Currencies {
    pub fn insert(&mut self, currency: Currency) {
        if self.0.len() < CURRENCIES_MAX {
            self.0.insert(currency);
        }
    }

    fn is_one(&self) -> bool {
        self.0.len() < CURRENCIES_MAX
    }
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub first_refused: Option<u64>,
    pub remarks: Occurrences,
    pub without_money: Occurrences,
    pub without_currency: Occurrences,
    pub unknown_statuses: Occurrences,
    pub unread_balances: Occurrences,
    pub currencies: Currencies,
    /// The line before, if its balance is to be followed.
    pub neighbour: Option<Neighbour>,
    first: Option<Neighbour>,
    last: Option<Neighbour>,
    has_several_accounts: bool,
    pairs: u64,
    breaks: Occurrences,
    broken: Option<(Amount, Amount)>,
    credits: Amount,
    debits: Amount,
    totals: Occurrences,
    wrong_total: Option<(Amount, Amount)>,
    opening: Vec<Stated>,
    closing: Vec<Stated>,
    /// The last line with a date, and how many cells it has.
    last_width: Option<(u64, usize)>,
    /// The fewest cells of the lines before it.
    width_min: Option<usize>,
}

impl Tally {
    pub fn add_width(&mut self, line: u64, width: usize) {
        if let Some((_, width)) = self.last_width.replace((line, width)) {
            self.width_min = Some(self.width_min.map_or(width, |least| least.min(width)));
        }
    }

    pub fn add_effect(&mut self, effect: Amount) {
        if effect.is_negative() {
            self.debits += effect.abs();
        } else {
            self.credits += effect;
        }
    }

    /// Holds a balance against that of the line before; none interrupts.
    pub fn roll_forward(&mut self, order: LineOrder, below: Option<Neighbour>) {
        let above = std::mem::replace(&mut self.neighbour, below);
        let Some(below) = &self.neighbour else { return };
        if self.first.is_none() {
            self.first = Some(below.clone());
        }
        self.has_several_accounts |= self
            .first
            .as_ref()
            .is_some_and(|first| first.place != below.place);
        self.last = Some(below.clone());
        let Some(above) = above.filter(|above| above.place == below.place) else {
            return;
        };
        self.pairs += 1;
        let (expected, found) =
            order.expected((above.effect, above.balance), (below.effect, below.balance));
        if expected != found {
            self.broken.get_or_insert((expected, found));
            self.breaks.add(match order {
                LineOrder::OldestFirst => below.line,
                LineOrder::NewestFirst => above.line,
            });
        }
    }

    /// Holds a total against the lines above it. A total of debits has either sign.
    pub fn total(&mut self, line: u64, meaning: Option<Meaning>, way: Way, total: Amount) {
        if !self.currencies.is_one() {
            return;
        }
        let net = self.credits - self.debits;
        let (expected, found) = match meaning {
            Some(Meaning::Debit) => (self.debits, total.abs()),
            Some(_) => (self.credits, total),
            None if way == Way::Turned => (net, -total),
            None => (net, total),
        };
        if expected != found {
            self.wrong_total.get_or_insert((expected, found));
            self.totals.add(line);
        }
    }

    /// Remembers a stated balance; a second one of its kind makes both useless as a check.
    pub fn stated(&mut self, stated: Stated) {
        let list = if stated.is_opening {
            &mut self.opening
        } else {
            &mut self.closing
        };
        if list.len() < 2 {
            list.push(stated);
        }
    }

    /// The line whose balance is the last, if all balances of one account tie.
    pub fn closing(&self, order: LineOrder) -> Option<Neighbour> {
        let is_sure = self.breaks.count == 0 && self.pairs > 0 && !self.has_several_accounts;
        let last = match order {
            LineOrder::OldestFirst => &self.last,
            LineOrder::NewestFirst => &self.first,
        };
        last.clone().filter(|_| is_sure)
    }

    /// What is to be said, in a fixed order.
    pub fn notices(&self) -> Vec<Notice> {
        let notices = [
            self.roll_forward_notice(),
            self.stated_notice(),
            self.total_notice(),
            self.cut_notice(),
            notice(
                Severity::Warning,
                FindingCode::MissingColumn,
                self.without_currency,
                "lines whose currency nothing in the file tells",
                "a column or a sign of currency, or a code in the heading",
                "They are in the currency XXX, which ties to nothing: give the currency in a \
                 profile.",
            ),
            notice(
                Severity::Warning,
                FindingCode::BalanceRollForward,
                self.unread_balances,
                "lines whose balance does not read",
                "a balance like the others",
                "The lines were read without it; compare them with the bank's statement.",
            ),
            notice(
                Severity::Warning,
                FindingCode::UnknownCode,
                self.unknown_statuses,
                "lines with a status that is not known",
                "a word for booked, pending or void",
                "They were read as booked; compare them with the bank's statement.",
            ),
            notice(
                Severity::Info,
                FindingCode::UnexpectedRecord,
                self.without_money,
                "lines with a date and no amount",
                "",
                "They are kept for information.",
            ),
            notice(
                Severity::Info,
                FindingCode::UnexpectedRecord,
                self.remarks,
                "lines of text that are no transactions",
                "",
                "",
            ),
        ];
        notices.into_iter().flatten().collect()
    }

    fn roll_forward_notice(&self) -> Option<Notice> {
        let (expected, found) = self.broken?;
        Some(Notice {
            severity: Severity::Error,
            code: FindingCode::BalanceRollForward,
            line: Some(self.breaks.first),
            found: format!(
                "{} of {} balances do not follow from their neighbours, the first here: {found}",
                self.breaks.count, self.pairs
            ),
            expected: expected.to_string(),
            action: "Lines may be missing or changed; ask the bank for the statement.".into(),
        })
    }

    /// The opening balance and all lines must give the closing balance.
    fn stated_notice(&self) -> Option<Notice> {
        let ([opening], [closing]) = (&self.opening[..], &self.closing[..]) else {
            return None;
        };
        let expected = opening.amount + self.credits - self.debits;
        let ties = expected == closing.amount || !self.currencies.is_one();
        (!ties).then(|| Notice {
            severity: Severity::Error,
            code: FindingCode::BalanceRollForward,
            line: Some(closing.line),
            found: format!("closing balance {}", closing.amount),
            expected: format!(
                "{expected}: opening balance {} and all lines",
                opening.amount
            ),
            action: "Lines may be missing or changed; ask the bank for the statement.".into(),
        })
    }

    /// A file that was cut off ends with a line of fewer cells than all before it.
    fn cut_notice(&self) -> Option<Notice> {
        let ((line, found), expected) = (self.last_width?, self.width_min?);
        (found < expected).then(|| Notice {
            severity: Severity::Warning,
            code: FindingCode::TruncatedFile,
            line: Some(line),
            found: format!("the last line has {found} cells"),
            expected: format!("{expected}, as the lines before it"),
            action: "The file may be cut off; ask for it again.".into(),
        })
    }

    fn total_notice(&self) -> Option<Notice> {
        let (expected, found) = self.wrong_total?;
        Some(Notice {
            severity: Severity::Error,
            code: FindingCode::ControlTotal,
            line: Some(self.totals.first),
            found: format!("total {found}"),
            expected: format!("{expected}, the sum of the lines above"),
            action: "Lines may be missing or changed; ask the bank for the file again.".into(),
        })
    }
}

fn notice(
    severity: Severity,
    code: FindingCode,
    seen: Occurrences,
    what: &str,
    expected: &str,
    action: &'static str,
) -> Option<Notice> {
    (seen.count > 0).then(|| Notice {
        severity,
        code,
        line: Some(seen.first),
        found: format!("{} {what}, the first here", seen.count),
        expected: expected.to_owned(),
        action: action.into(),
    })
}
