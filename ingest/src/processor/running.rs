//! The running balance that activity reports give beside each line, oldest or newest first.

use std::collections::BTreeMap;

use tieout_core::Currency;

use super::figure::Figure;

#[derive(Clone, Copy, Debug)]
struct Last {
    balance: Figure,
    net: Figure,
}

/// The last balance of each currency.
#[derive(Debug, Default)]
pub(super) struct Running(BTreeMap<Currency, Last>);

impl Running {
    /// Whether `balance` follows from the line before if `net` moved it; none for the first line
    /// of a currency.
    pub fn follows(&self, currency: Currency, balance: Figure, net: Figure) -> Option<bool> {
        let last = self.0.get(&currency)?;
        let is_later = last.balance.plus(net) == balance;
        let is_earlier = last.balance.minus(last.net) == balance;
        Some(is_later || is_earlier)
    }

    /// Remembers a line that moved the balance.
    pub fn moved(&mut self, currency: Currency, balance: Figure, net: Figure) {
        self.0.insert(currency, Last { balance, net });
    }
}
