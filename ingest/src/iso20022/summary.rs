//! What a report says of the number and the sum of its entries (`TxsSummry`).

use tieout_core::{Amount, Currency, Direction, FindingCode, Severity};

use super::entry::Entry;
use super::value::{direction, signed};
use crate::intake::Notice;
use crate::rows::{Balance, BookingStatus};
use crate::xml::Element;

/// Number and sum of entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    number: u64,
    sum: Amount,
}

impl Tally {
    fn add(&mut self, amount: Amount) {
        self.number += 1;
        self.sum += amount;
    }
}

/// Entries of a report by direction.
#[derive(Clone, Copy, Debug, Default)]
struct Tallies {
    credits: Tally,
    debits: Tally,
}

impl Tallies {
    fn add(&mut self, entry: &Entry<'_>) {
        match entry.direction {
            Direction::Credit => self.credits.add(entry.amount),
            Direction::Debit => self.debits.add(entry.amount),
        }
    }

    fn of(self, kind: Kind) -> Tally {
        match kind {
            Kind::Credits => self.credits,
            Kind::Debits => self.debits,
            Kind::All => Tally {
                number: self.credits.number + self.debits.number,
                sum: self.credits.sum + self.debits.sum,
            },
        }
    }

    fn net(self) -> Amount {
        self.credits.sum - self.debits.sum
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    All,
    Credits,
    Debits,
}

/// One line of a summary.
#[derive(Clone, Copy, Debug)]
struct Told {
    kind: Kind,
    line: u64,
    number: Option<u64>,
    sum: Option<Amount>,
    net: Option<Amount>,
}

/// What the report says, and what was read.
#[derive(Debug, Default)]
pub(super) struct Summary {
    told: Vec<Told>,
    all: Tallies,
    booked: Tallies,
    currency: Option<Currency>,
    has_currencies: bool,
}

/// The parts of a `TxsSummry` that are compared.
const PARTS: [(&str, Kind, &str); 3] = [
    ("TtlNtries", Kind::All, "total of entries"),
    ("TtlCdtNtries", Kind::Credits, "total of credits"),
    ("TtlDbtNtries", Kind::Debits, "total of debits"),
];

impl Summary {
    /// Takes an entry.
    pub fn entry(&mut self, entry: &Entry<'_>) {
        let first = *self.currency.get_or_insert(entry.currency);
        self.has_currencies |= first != entry.currency;
        self.all.add(entry);
        if entry.status == BookingStatus::Booked {
            self.booked.add(entry);
        }
    }

    /// Whether no entry was taken.
    pub fn has_no_entries(&self) -> bool {
        self.all.of(Kind::All).number == 0
    }

    /// Takes what the report says.
    pub fn tell(&mut self, element: Element<'_>) {
        for part in element.children() {
            let known = PARTS.iter().find(|(name, ..)| *name == part.name());
            let Some((_, kind, _)) = known else { continue };
            self.told.push(Told {
                kind: *kind,
                line: part.line(),
                number: part.text_at(&["NbOfNtries"]).parse().ok(),
                sum: amount_at(part, &["Sum"]),
                net: net_of(part),
            });
        }
    }

    /// Says what does not tie. Figures may be told of all entries or of the booked ones.
    pub fn check(&self) -> impl Iterator<Item = Notice> {
        self.told.iter().flat_map(|told| {
            let (all, booked) = (self.all.of(told.kind), self.booked.of(told.kind));
            let figures = [
                told.number
                    .filter(|&number| number != all.number && number != booked.number)
                    .map(|number| {
                        let code = FindingCode::ControlCount;
                        (code, number.to_string(), all.number.to_string())
                    }),
                told.sum
                    .filter(|&sum| !self.has_currencies && sum != all.sum && sum != booked.sum)
                    .map(|sum| {
                        let code = FindingCode::ControlTotal;
                        (code, sum.to_string(), all.sum.to_string())
                    }),
                told.net
                    .filter(|net| {
                        let sums = [self.all.net(), self.booked.net()];
                        !self.has_currencies && !sums.contains(net)
                    })
                    .map(|net| {
                        let code = FindingCode::ControlTotal;
                        (
                            code,
                            format!("net {net}"),
                            format!("net {}", self.all.net()),
                        )
                    }),
            ];
            let figures = figures.into_iter().flatten();
            figures.map(move |(code, found, read)| notice(told, code, &found, &read))
        })
    }
}

fn notice(told: &Told, code: FindingCode, found: &str, read: &str) -> Notice {
    let (name, ..) = PARTS[told.kind as usize];
    Notice {
        severity: Severity::Error,
        code,
        line: Some(told.line),
        found: format!("`{name}` says {found}"),
        expected: format!("{read}, as the entries give"),
        action: "Ask the bank for a whole report; what is here is read.".into(),
    }
}

fn amount_at(element: Element<'_>, path: &[&str]) -> Option<Amount> {
    Amount::parse(element.text_at(path).as_bytes()).ok()
}

/// The net amount: directly up to version 02, in an element of its own from 03 on.
fn net_of(part: Element<'_>) -> Option<Amount> {
    let own = part.at(&["TtlNetNtry"]);
    let (holder, amount) = match own {
        Some(own) => (own, amount_at(own, &["Amt"])?),
        None => (part, amount_at(part, &["TtlNetNtryAmt"])?),
    };
    let direction = direction(holder).ok()??;
    Some(signed(amount, direction))
}

/// The lines of a summary as rows beside the balances.
pub(super) fn rows<'t>(
    element: Element<'t>,
    account: &'t str,
    currency: Currency,
) -> impl Iterator<Item = Balance<'t>> {
    element.children().filter_map(move |part| {
        let (name, _, words) = *PARTS.iter().find(|(name, ..)| *name == part.name())?;
        Some(Balance {
            source_line: part.line(),
            account,
            currency,
            type_code: name,
            balance_type: words,
            as_of_date: None,
            amount: amount_at(part, &["Sum"])?,
            item_count: part.text_at(&["NbOfNtries"]).parse().ok(),
        })
    })
}
