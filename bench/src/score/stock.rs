//! Whether any open item was applied beyond what was open.

use std::path::Path;

use anyhow::Result;

use super::answers::Application;
use super::table::Table;
use super::truth::{Line, Truth};

/// What the applications did to the open items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// Items that lost something.
    pub touched: u64,
    /// Items that lost more than was open, or lost in the wrong direction.
    pub beyond_open: u64,
    /// Items that are not among the open items.
    pub unknown: u64,
}

/// What one item lost: all of it, and the part that went the way of a debit.
#[derive(Clone, Copy, Default)]
struct Lost {
    touched: bool,
    debit: i64,
    credit: i64,
}

impl Lost {
    fn add(&mut self, line: &Line) {
        self.touched = true;
        for part in line.allowances.into_iter().chain([line.cash]) {
            if part < 0 {
                self.credit -= part;
            } else {
                self.debit += part;
            }
        }
    }

    /// A debit loses what is positive, a credit what is negative, neither more than is open.
    fn fits(&self, open: i64, is_credit: bool) -> bool {
        let (lost, wrong_way) = if is_credit {
            (self.credit, self.debit)
        } else {
            (self.debit, self.credit)
        };
        wrong_way == 0 && lost <= open
    }
}

/// Compares what took effect with `open_items.csv`.
///
/// # Errors
/// When the file cannot be read.
pub fn check(path: &Path, truth: &Truth, applications: &[Application]) -> Result<Stock> {
    let mut lost = vec![Lost::default(); truth.items.len()];
    for application in applications.iter().filter(|a| a.effective) {
        if let Some(lost) = lost.get_mut(application.line.item as usize) {
            lost.add(&application.line);
        }
    }
    let touched = lost.iter().filter(|lost| lost.touched).count() as u64;
    let mut stock = Stock {
        touched,
        beyond_open: 0,
        unknown: touched,
    };
    let mut table = Table::open(path, &["item_id", "kind", "open_amount"], &[])?;
    while table.advance()? {
        let Some(number) = truth.items.find(table.field(0)) else {
            continue;
        };
        let lost = lost[number as usize];
        if lost.touched {
            let is_credit = matches!(table.field(1), b"credit_memo" | b"on_account");
            stock.unknown -= 1;
            stock.beyond_open += u64::from(!lost.fits(table.money(2)?, is_credit));
        }
    }
    Ok(stock)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(parts: &[i64]) -> Lost {
        let mut lost = Lost::default();
        for &cash in parts {
            lost.add(&Line {
                item: 0,
                cash,
                allowances: [0; 3],
            });
        }
        lost
    }

    #[test]
    fn an_item_loses_at_most_what_is_open_and_in_its_direction() {
        assert!(lost(&[60, 40]).fits(100, false));
        assert!(!lost(&[60, 41]).fits(100, false));
        assert!(!lost(&[60, -1]).fits(100, false));
        assert!(lost(&[-60]).fits(60, true));
        assert!(!lost(&[-61]).fits(60, true));
        assert!(!lost(&[10]).fits(60, true));
    }
}
