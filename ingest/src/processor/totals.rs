//! The footers of PayPal's settlement report: totals and balances of one currency.

use tieout_core::{Currency, Date, FindingCode, Severity};

use super::figure::Figure;
use super::paypal::{figure, side};
use super::row::currency;
use super::settlement::{Figures, Refusal};
use crate::intake::Notice;
use crate::rows::Balance;

/// The balances of a footer, in its order; each has its side and its amount.
const BALANCES: [&str; 6] = [
    "opening_available",
    "closing_available",
    "opening_payable",
    "closing_payable",
    "opening_reserve",
    "closing_reserve",
];
/// Where the balances begin.
const BALANCES_FROM: usize = 6;

/// What rows of one currency add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    credits: Figure,
    debits: Figure,
    fee_credits: Figure,
    fee_debits: Figure,
}

impl Totals {
    pub fn add(&mut self, figures: Figures) {
        if figures.gross.is_negative() {
            self.debits = self.debits.minus(figures.gross);
        } else {
            self.credits = self.credits.plus(figures.gross);
        }
        if figures.fee.is_negative() {
            self.fee_credits = self.fee_credits.minus(figures.fee);
        } else {
            self.fee_debits = self.fee_debits.plus(figures.fee);
        }
    }

    /// Reports write the two fee totals in either order.
    fn with_fees_swapped(self) -> Self {
        Self {
            fee_credits: self.fee_debits,
            fee_debits: self.fee_credits,
            ..self
        }
    }

    fn net(self) -> Figure {
        let credits = self.credits.plus(self.fee_credits);
        credits.minus(self.debits).minus(self.fee_debits)
    }

    fn shown(self) -> String {
        let [credits, debits, fee_credits, fee_debits] =
            [self.credits, self.debits, self.fee_credits, self.fee_debits].map(Figure::to_amount);
        format!("credits {credits}, debits {debits}, fees {fee_credits} and {fee_debits}")
    }
}

/// A row SF or RF with totals.
#[derive(Clone, Debug)]
pub(super) struct Footer {
    pub currency: Currency,
    totals: Totals,
    balances: Vec<Figure>,
}

impl Footer {
    pub fn parse(fields: &[String]) -> Result<Self, Refusal> {
        let field = |place: usize| fields.get(place).map_or("", String::as_str);
        let mut balances = Vec::new();
        for place in (BALANCES_FROM..).step_by(2).take(BALANCES.len()) {
            if field(place + 1).is_empty() {
                break;
            }
            balances.push(side(field(place), figure(field(place + 1))?)?);
        }
        Ok(Self {
            currency: currency(field(1))?,
            totals: Totals {
                credits: figure(field(2))?,
                debits: figure(field(3))?,
                fee_credits: figure(field(4))?,
                fee_debits: figure(field(5))?,
            },
            balances,
        })
    }

    /// The balances of `account`; `days` are the first and the last of the section.
    pub fn balances<'a>(
        &self,
        account: &'a str,
        days: [Option<Date>; 2],
        line: u64,
    ) -> Vec<Balance<'a>> {
        let known = BALANCES
            .into_iter()
            .zip(&self.balances)
            .zip(days.into_iter().cycle());
        let balances = known.map(|((balance_type, amount), day)| Balance {
            source_line: line,
            account,
            currency: self.currency,
            type_code: "",
            balance_type,
            as_of_date: day,
            amount: amount.to_amount(),
            item_count: None,
        });
        balances.collect()
    }

    /// What does not tie with the rows that were read.
    pub fn notices(&self, code: &str, line: u64, read: Totals) -> Vec<Notice> {
        let currency = self.currency;
        let mut notices = Vec::new();
        if self.totals != read && self.totals.with_fees_swapped() != read {
            notices.push(Notice {
                severity: Severity::Error,
                code: FindingCode::ControlTotal,
                line: Some(line),
                found: format!("{code} {currency} says {}", self.totals.shown()),
                expected: format!("{}, the sums of its rows", read.shown()),
                action: "Fetch the report again; rows may be missing.".into(),
            });
        }
        if let [opening, closing, ..] = self.balances[..] {
            let expected = [self.totals, self.totals.with_fees_swapped()]
                .map(|totals| opening.plus(totals.net()));
            if !expected.contains(&closing) {
                notices.push(Notice {
                    severity: Severity::Warning,
                    code: FindingCode::BalanceRollForward,
                    line: Some(line),
                    found: format!(
                        "{code} {currency} closes available with {}",
                        closing.to_amount()
                    ),
                    expected: format!(
                        "{}, the opening balance and its totals",
                        expected[0].to_amount()
                    ),
                    action: "See whether money was held or released.".into(),
                });
            }
        }
        notices
    }
}
