//! Scenarios without a usable reference: decidable only where the family's open items leave
//! one reading, which is checked here, and those that nobody can decide.

use super::calendar::TODAY;
use super::desk::{Desk, Draft};
use super::items::Item;
use super::mix::Scenario;
use super::plan::Payer;
use super::reference::Form;

/// How many items or amounts are tried before giving up.
const TRIES: usize = 8;

impl Desk<'_> {
    /// One item, and nothing else that a clerk would try, has the amount.
    pub fn no_reference(&mut self, draft: &mut Draft) -> bool {
        draft.form = Form::Missing;
        if draft.scenario == Scenario::NoReferenceNewAccount {
            draft.payer = Payer::NewAccount;
        }
        let net = self.dice.chance(300);
        let discount = |item: &Item| {
            if net && item.discount_available() {
                item.discount
            } else {
                0
            }
        };
        let list = &self.unpaid[draft.member as usize];
        let found = list.iter().rev().take(TRIES).position(|&place| {
            let item = &self.items[place as usize];
            self.readings.only_one_item(item.open - discount(item))
        });
        let Some(back) = found else { return false };
        let at = list.len() - 1 - back;
        let place = self.unpaid[draft.member as usize].swap_remove(at);
        self.pay_in_full(draft, place);
        let line = &mut draft.lines[0];
        line.discount = discount(&self.items[place as usize]);
        line.cash -= line.discount;
        true
    }

    /// An amount that fits nothing; in a large family only with words that say so, because
    /// there some pair always fits.
    pub fn on_account(&mut self, draft: &mut Draft) -> bool {
        let says_so = self.dice.chance(600) || self.unpaid[draft.member as usize].is_empty();
        draft.form = if says_so {
            Form::OnAccount
        } else {
            Form::Missing
        };
        for _ in 0..TRIES {
            let round = self.dice.chance(500);
            let amount = self.dice.between(200, 20_000) * if round { 100 } else { 97 };
            let fits = if says_so {
                self.readings.near(amount, 100)
            } else {
                !self.readings.nothing(amount)
            };
            if !fits {
                draft.on_account = amount;
                return true;
            }
        }
        // The last resort is an amount larger than anything the family owes.
        draft.form = Form::OnAccount;
        draft.on_account = 1_000 + self.items.iter().map(|item| item.open).sum::<i64>();
        true
    }

    /// The whole account, credits netted: no other subset has this sum.
    pub fn clear_account(&mut self, draft: &mut Draft) -> bool {
        draft.form = Form::Missing;
        let sum: i64 = self.items.iter().map(Item::signed).sum();
        if sum <= 0 || !self.readings.only_one_subset(sum) {
            return false;
        }
        for place in 0..self.items.len() {
            self.pay_in_full(draft, place as u32);
        }
        self.unpaid[draft.member as usize].clear();
        true
    }

    /// All that is past due, where no credit blurs what "past due" means.
    pub fn clear_past_due(&mut self, draft: &mut Draft) -> bool {
        draft.form = Form::Missing;
        let late = |item: &&Item| item.due < TODAY;
        let count = self.items.iter().filter(late).count();
        let sum: i64 = self.items.iter().filter(late).map(Item::signed).sum();
        let blurred = self
            .items
            .iter()
            .filter(late)
            .any(|item| item.kind.is_credit());
        if blurred || count < 2 || count == self.items.len() || !self.readings.only_one_subset(sum)
        {
            return false;
        }
        for (place, item) in self.items.iter().enumerate() {
            if item.due < TODAY {
                self.pay_in_full(draft, place as u32);
            }
        }
        true
    }

    /// Two unpaid items of one amount, both kept out of all other payments.
    pub fn two_readings(&mut self, draft: &mut Draft) -> bool {
        let Some((first, _)) = self.equal_pair(draft.member) else {
            return false;
        };
        draft.form = Form::Missing;
        draft.on_account = self.items[first as usize].open;
        if draft.scenario == Scenario::SharedAmount {
            draft.payer = Payer::Stranger;
        }
        true
    }

    /// Nobody knows who, nobody knows what.
    pub fn garbage(&mut self, draft: &mut Draft) -> bool {
        draft.form = Form::Garbage;
        draft.payer = Payer::Stranger;
        draft.on_account = self.dice.between(2_000, 900_000);
        true
    }

    /// Takes two unpaid items of one open amount.
    pub fn equal_pair(&mut self, member: u32) -> Option<(u32, u32)> {
        let list = &mut self.unpaid[member as usize];
        for back in 1..=list.len().min(TRIES) {
            let at = list.len() - back;
            let open = self.items[list[at] as usize].open;
            let other = list[..at]
                .iter()
                .position(|&p| self.items[p as usize].open == open);
            if let Some(other) = other {
                let first = list.remove(at);
                return Some((first, list.remove(other)));
            }
        }
        None
    }
}
