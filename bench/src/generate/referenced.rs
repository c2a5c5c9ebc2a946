//! Scenarios whose remittance names items: whole, mangled, short, over, or netted.

use super::desk::{Desk, Draft};
use super::items::Item;
use super::mix::{Channel, Scenario};
use super::plan::{NO_REASON, Payer, REASONS};
use super::readings::FAMILY_ITEMS_MAX;
use super::reference::Form;

/// How many unpaid items are looked at for a special one.
const TRIES: usize = 60;
/// Fewer invoices than these are no family's check.
const FAMILY_LINES_MIN: usize = 8;
/// Invoices of one check: their number in the lockbox file has two digits.
const CHECK_LINES_MAX: usize = 99;
/// Invoices of one advice.
const ADVICE_LINES_MAX: usize = 600;

impl Desk<'_> {
    /// Drafts a payment that names its items; false when the family lacks what it needs.
    pub fn referenced(&mut self, draft: &mut Draft) -> bool {
        self.choose_payer(draft);
        match draft.scenario {
            Scenario::ParentPays => self.parent_pays(draft),
            Scenario::Truncated => self.one_odd(draft, Form::Truncated),
            Scenario::OcrSlip => self.one_odd(draft, Form::OcrSlip),
            Scenario::PurchaseOrder => self.purchase_order(draft),
            Scenario::Discount => self.discount(draft),
            Scenario::Tolerance => self.tolerance(draft),
            Scenario::Deduction => self.deduction(draft),
            Scenario::DeductionWithoutCode => {
                let paid = self.deduction(draft);
                if let Some(line) = draft.lines.first_mut() {
                    line.reason = NO_REASON;
                }
                paid
            }
            Scenario::LateDiscount => self.late_discount(draft),
            Scenario::FamilyCheck => self.family_check(draft),
            Scenario::PartPaid => self.part_paid(draft),
            Scenario::Overpaid => self.overpaid(draft),
            Scenario::CreditNetted => self.credit_netted(draft),
            Scenario::CreditSilent => self.credit_silent(draft),
            Scenario::ShortSeveral => self.short_several(draft),
            Scenario::Prefix => self.in_form(draft, Form::Prefix),
            Scenario::Zeros => self.in_form(draft, Form::Zeros),
            Scenario::Separators => self.in_form(draft, Form::Separators),
            _ => self.in_form(draft, Form::Clean),
        }
    }

    fn choose_payer(&mut self, draft: &mut Draft) {
        draft.payer = match draft.scenario {
            Scenario::Clean | Scenario::ParentPays => draft.payer,
            Scenario::NewAccount if self.dice.chance(250) => Payer::Unreadable,
            Scenario::NewAccount => Payer::NewAccount,
            Scenario::ThirdParty => Payer::Stranger,
            _ if self.dice.chance(100) => Payer::NewAccount,
            _ => draft.payer,
        };
    }

    /// Takes up to `size` items that pass and pays each in full.
    fn pay_some(
        &mut self,
        draft: &mut Draft,
        member: u32,
        size: usize,
        pass: impl Fn(&Item) -> bool,
    ) -> bool {
        for _ in 0..size {
            let Some(place) = self.take(member, TRIES, &pass) else {
                break;
            };
            self.pay_in_full(draft, place);
        }
        !draft.lines.is_empty()
    }

    fn in_form(&mut self, draft: &mut Draft, form: Form) -> bool {
        let size = match draft.scenario {
            Scenario::ThirdParty => 1,
            _ => self.draw_size(draft.member),
        };
        if !self.pay_some(draft, draft.member, size, |_| true) {
            return false;
        }
        draft.form = form;
        if form != Form::Clean
            && draft
                .lines
                .iter()
                .any(|line| self.has_namesake(self.item(line)))
        {
            draft.form = Form::Clean;
            draft.scenario = Scenario::Clean;
        }
        true
    }

    /// Whether the family has another item of the same digits, so that only the prefix tells
    /// them apart.
    pub fn has_namesake(&self, item: &Item) -> bool {
        self.items
            .iter()
            .any(|other| other.sequence == item.sequence && other.rank != item.rank)
    }

    /// One number mangled, and the amount (of the line, or what the others leave) points at
    /// one item of the family only.
    fn one_odd(&mut self, draft: &mut Draft, form: Form) -> bool {
        let list = &self.unpaid[draft.member as usize];
        let unique = list
            .iter()
            .rev()
            .take(TRIES)
            .position(|&place| self.readings.singles(self.items[place as usize].open) == 1);
        let Some(back) = unique else { return false };
        let at = list.len() - 1 - back;
        let place = self.unpaid[draft.member as usize].swap_remove(at);
        self.pay_in_full(draft, place);
        draft.odd_line = 0;
        draft.form = form;
        let more = self.draw_size(draft.member) - 1;
        self.pay_some(draft, draft.member, more, |_| true)
    }

    fn parent_pays(&mut self, draft: &mut Draft) -> bool {
        if self.members() < 2 {
            return false;
        }
        let accounts = self.party(0).accounts.len() as u64;
        draft.payer = Payer::Known(self.dice.below(accounts) as u8);
        let first = 1 + self.dice.below(u64::from(self.members()) - 1) as u32;
        let size = self.draw_size(draft.member);
        let paid = self.pay_some(draft, first, size, |_| true);
        if paid && self.dice.chance(300) {
            let second = 1 + self.dice.below(u64::from(self.members()) - 1) as u32;
            self.pay_some(draft, second, 1, |_| true);
        }
        draft.member = 0;
        paid
    }

    /// Most of what the children owe, in one sum, an item left for each payment to come.
    fn family_check(&mut self, draft: &mut Draft) -> bool {
        let accounts = self.party(0).accounts.len() as u64;
        let most = match draft.channel {
            Channel::LockboxInvoice => CHECK_LINES_MAX,
            _ => ADVICE_LINES_MAX,
        };
        let spare = |desk: &Self, member: usize| {
            desk.unpaid[member]
                .len()
                .saturating_sub(desk.to_come[member] * 3 / 2)
        };
        let members = self.members() as usize;
        let all: usize = (1..members).map(|member| spare(self, member)).sum();
        if all < FAMILY_LINES_MIN {
            return false;
        }
        draft.payer = Payer::Known(self.dice.below(accounts) as u8);
        for member in 1..members {
            let size = spare(self, member).min(most - draft.lines.len());
            self.pay_some(draft, member as u32, size, |_| true);
        }
        draft.member = 0;
        true
    }

    /// One invoice, less a discount whose date is past; no other item has the amount.
    fn late_discount(&mut self, draft: &mut Draft) -> bool {
        // A discount within tolerance is written off, late or not.
        let is_late = |i: &Item| i.discount > 100 && !i.discount_available();
        let Some(place) = self.take(draft.member, TRIES, is_late) else {
            return false;
        };
        let discount = self.items[place as usize].discount;
        self.pay_in_full(draft, place);
        let line = &mut draft.lines[0];
        line.cash -= discount;
        let net = line.cash;
        // The one reading of the net amount is the item itself.
        if self.readings.singles(net) > 1 || self.readings.singles(-discount) > 0 {
            self.put_back(draft.member, place);
            return false;
        }
        true
    }

    fn purchase_order(&mut self, draft: &mut Draft) -> bool {
        let size = self.draw_size(draft.member).min(3);
        draft.form = Form::PurchaseOrder;
        self.pay_some(draft, draft.member, size, |item| item.order != 0)
    }

    fn discount(&mut self, draft: &mut Draft) -> bool {
        let size = self.draw_size(draft.member);
        let paid = self.pay_some(draft, draft.member, size, Item::discount_available);
        for line in &mut draft.lines {
            line.discount = self.item(line).discount;
            line.cash -= line.discount;
        }
        paid
    }

    /// Short by little. Without amounts per line it is one item, so that it is clear which one
    /// is written down.
    fn tolerance(&mut self, draft: &mut Draft) -> bool {
        let most = if draft.channel.has_line_amounts() {
            4
        } else {
            1
        };
        let size = self.draw_size(draft.member).min(most);
        let paid = self.pay_some(draft, draft.member, size, |i| {
            i.discount == 0 && i.open > 5_000
        });
        if let Some(line) = draft.lines.last_mut() {
            line.write_off = self.dice.between(1, 100);
            line.cash -= line.write_off;
        }
        paid
    }

    fn deduction(&mut self, draft: &mut Draft) -> bool {
        let size = self.draw_size(draft.member);
        let paid = self.pay_some(draft, draft.member, size, |i| {
            i.discount == 0 && i.open > 10_000
        });
        if let Some(line) = draft.lines.first_mut() {
            line.deduction = line.cash * self.dice.between(30, 250) / 1000 + 101;
            line.cash -= line.deduction;
            line.reason = self.dice.below(REASONS.len() as u64) as u8;
        }
        paid
    }

    /// Part of one invoice; what is missing is no credit's amount, so that there is one reading.
    fn part_paid(&mut self, draft: &mut Draft) -> bool {
        let Some(place) = self.take(draft.member, TRIES, |i| i.discount == 0 && i.open > 20_000)
        else {
            return false;
        };
        self.pay_in_full(draft, place);
        let line = &mut draft.lines[0];
        let short = line.cash * self.dice.between(100, 700) / 1000;
        line.cash -= short;
        if self.readings.singles(-short) > 0 {
            self.put_back(draft.member, place);
            return false;
        }
        true
    }

    fn overpaid(&mut self, draft: &mut Draft) -> bool {
        let Some(place) = self.take(draft.member, TRIES, |i| i.discount == 0) else {
            return false;
        };
        let extra = self.dice.between(501, 30_000);
        let open = self.items[place as usize].open;
        if self.readings.near(extra, 100) || self.readings.singles(open + extra) > 0 {
            self.put_back(draft.member, place);
            return false;
        }
        self.pay_in_full(draft, place);
        draft.on_account = extra;
        true
    }

    fn credit_netted(&mut self, draft: &mut Draft) -> bool {
        let Some(credit) = self.credits[draft.member as usize].pop() else {
            return false;
        };
        let least = self.items[credit as usize].open + 1_000;
        let size = self.draw_size(draft.member);
        if !self.pay_some(draft, draft.member, size, |i| i.open > least) {
            self.credits[draft.member as usize].push(credit);
            return false;
        }
        self.pay_in_full(draft, credit);
        true
    }

    /// Short by one credit memo that nobody mentions: decidable when it is the only credit,
    /// and no two things together, of that amount.
    fn credit_silent(&mut self, draft: &mut Draft) -> bool {
        let Some(&credit) = self.credits[draft.member as usize].last() else {
            return false;
        };
        let value = self.items[credit as usize].open;
        let clear = self.items.len() <= FAMILY_ITEMS_MAX
            && self.readings.singles(-value) == 1
            && !self.readings.pair(-value);
        if !clear
            || !self.pay_some(draft, draft.member, 1, |i| {
                i.discount == 0 && i.open > value + 1_000
            })
        {
            return false;
        }
        self.credits[draft.member as usize].pop();
        self.pay_in_full(draft, credit);
        draft.lines[1].cited = false;
        true
    }

    /// Several invoices, less than their sum, and nothing says which one is short.
    fn short_several(&mut self, draft: &mut Draft) -> bool {
        let size = 2 + self.dice.below(3) as usize;
        let pass = |i: &Item| i.discount == 0 && i.open > 20_000;
        self.pay_some(draft, draft.member, size, pass);
        let least = draft.lines.iter().map(|line| line.cash).min().unwrap_or(0);
        let short = least * self.dice.between(100, 500) / 1000;
        if draft.lines.len() < 2 || self.readings.singles(-short) > 0 {
            return self.undo(draft);
        }
        draft.on_account = -short;
        true
    }

    /// Gives all items back.
    fn undo(&mut self, draft: &mut Draft) -> bool {
        for line in std::mem::take(&mut draft.lines) {
            let item = self.item(&line);
            if let Some(place) = self.items.iter().position(|i| i.rank == item.rank) {
                self.put_back(draft.member, place as u32);
            }
        }
        false
    }
}
