//! Balances of an account, and whether the entries lead from the first to the last.

use std::collections::BTreeMap;

use tieout_core::{Amount, Currency, Date, FindingCode, QuarantineReason, Severity};

use super::value::{Money, Refusal, code_or_proprietary, date_at, direction, money, signed};
use crate::intake::Notice;
use crate::rows::Balance;
use crate::xml::Element;

/// What the standard's codes mean.
const KINDS: [(&str, &str); 15] = [
    ("OPBD", "opening booked"),
    ("PRCD", "previously closed booked"),
    ("CLBD", "closing booked"),
    ("ITBD", "interim booked"),
    ("OPAV", "opening available"),
    ("CLAV", "closing available"),
    ("ITAV", "interim available"),
    ("FWAV", "forward available"),
    ("XPCD", "expected"),
    ("INFO", "information"),
    ("DISG", "disagreement"),
    ("BRWG", "borrowing"),
    ("OPNG", "opening"),
    ("CLSG", "closing"),
    ("ABAL", "account"),
];

/// Reads a `Bal`, with its amount as it is for the account's owner.
///
/// # Errors
/// The reason for quarantine.
pub(super) fn read<'t>(
    element: Element<'t>,
    account: &'t str,
    otherwise: Option<Currency>,
) -> Result<Balance<'t>, Refusal> {
    let amount = element.at(&["Amt"]);
    let amount = amount.ok_or_else(|| missing("Amt"))?;
    let Money { amount, currency } = money(amount, otherwise)?;
    let direction = direction(element)?.ok_or_else(|| missing("CdtDbtInd"))?;
    let kind = element.at(&["Tp"]);
    let code = kind.map_or("", |kind| {
        kind.at(&["CdOrPrtry"]).map_or("", code_or_proprietary)
    });
    Ok(Balance {
        source_line: element.line(),
        account,
        currency,
        type_code: code,
        balance_type: in_words(code),
        as_of_date: date_at(element, &["Dt"])?,
        amount: signed(amount, direction),
        item_count: None,
    })
}

fn missing(name: &str) -> Refusal {
    let message = format!("the balance has no `{name}`");
    (QuarantineReason::MissingField, message)
}

fn in_words(code: &str) -> &str {
    let known = KINDS.iter().find(|(known, _)| *known == code);
    known.map_or(code, |(_, words)| words)
}

/// The booked balances of one currency and the entries between them.
#[derive(Clone, Copy, Debug, Default)]
struct Roll {
    opening: Option<Amount>,
    previous: Option<Amount>,
    closing: Option<Amount>,
    /// Day of the closing balance, or else of the first one.
    date: Option<Date>,
    booked: Amount,
}

/// Booked balances and entries by currency.
#[derive(Debug, Default)]
pub(super) struct RollForward(BTreeMap<Currency, Roll>);

impl RollForward {
    /// Takes a balance: the first that opens and the last that closes count.
    pub fn balance(&mut self, balance: &Balance<'_>) {
        let roll = self.0.entry(balance.currency).or_default();
        match balance.type_code {
            "OPBD" => _ = roll.opening.get_or_insert(balance.amount),
            "PRCD" => _ = roll.previous.get_or_insert(balance.amount),
            "CLBD" => {
                roll.closing = Some(balance.amount);
                roll.date = balance.as_of_date;
            }
            _ => {}
        }
        roll.date = roll.date.or(balance.as_of_date);
    }

    /// What is stated in `currency`: opening balance, closing balance, and their day.
    pub fn stated(&self, currency: Currency) -> (Option<Amount>, Option<Amount>, Option<Date>) {
        let roll = self.0.get(&currency).copied().unwrap_or_default();
        (roll.opening.or(roll.previous), roll.closing, roll.date)
    }

    /// Takes a booked entry as it changes the account.
    pub fn entry(&mut self, currency: Currency, amount: Amount) {
        self.0.entry(currency).or_default().booked += amount;
    }

    /// Says for each currency that does not tie what is wrong.
    pub fn check(&self, account: &str, line: u64) -> impl Iterator<Item = Notice> {
        self.0.iter().filter_map(move |(currency, roll)| {
            let opening = roll.opening.or(roll.previous)?;
            let closing = roll.closing?;
            let reached = opening + roll.booked;
            (reached != closing).then(|| Notice {
                severity: Severity::Error,
                code: FindingCode::BalanceRollForward,
                line: Some(line),
                found: format!(
                    "account {account}: opening {opening} and entries of {} give {reached} \
                     {currency}",
                    roll.booked
                ),
                expected: format!("the closing balance of {closing}"),
                action: "Ask the bank whether entries are missing; what is here is read.".into(),
            })
        })
    }
}
