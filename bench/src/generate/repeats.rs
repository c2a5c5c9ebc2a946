//! Scenarios that come twice: the same check presented again, an invoice paid twice, and the
//! true twins that only look like one.

use super::desk::{Desk, Draft};
use super::mix::Scenario;
use super::plan::{NONE, Plan};
use super::reference::Form;

/// How many unpaid items are looked at for one that fits.
const TRIES: usize = 60;

impl Desk<'_> {
    /// The same check again: everything equal.
    pub fn same_check(&mut self, draft: &mut Draft, plan: &Plan) -> bool {
        let Some(original) = self.original(draft, plan, |_| true) else {
            return false;
        };
        draft.check = plan.payments[original as usize].check;
        true
    }

    /// A new check for an invoice that a check has paid.
    pub fn same_invoice(&mut self, draft: &mut Draft, plan: &Plan) -> bool {
        self.original(draft, plan, |lines| lines == 1).is_some()
    }

    /// A new check for an invoice that a check has paid, with the number written in another way.
    pub fn same_invoice_otherwise(&mut self, draft: &mut Draft, plan: &Plan) -> bool {
        let found = self.original(draft, plan, |lines| lines == 1).is_some();
        let is_sure = found && !self.has_namesake(self.item(&draft.lines[0]));
        draft.form = self.dice.pick(&[Form::Zeros, Form::Separators]);
        is_sure
    }

    /// Takes a check to repeat, and copies what it paid.
    fn original(
        &mut self,
        draft: &mut Draft,
        plan: &Plan,
        pass: impl Fn(u32) -> bool,
    ) -> Option<u32> {
        let at = self.repeatable.iter().rposition(|&index| {
            let payment = &plan.payments[index as usize];
            payment.channel == draft.channel && pass(payment.lines)
        })?;
        let index = self.repeatable.swap_remove(at);
        let payment = &plan.payments[index as usize];
        draft.original = index;
        draft.member = payment.party - self.party_number(0);
        draft.payer = payment.payer;
        draft.lines = plan.lines_of(payment).to_vec();
        if draft.scenario != Scenario::DuplicateCheck {
            draft.check = self.next_check(draft.member);
        }
        Some(index)
    }

    /// The first of two checks for two items of one amount.
    pub fn twins(&mut self, draft: &mut Draft) -> bool {
        let Some((first, second)) = self.equal_pair(draft.member) else {
            return false;
        };
        self.pay_in_full(draft, first);
        self.pay_in_full(draft, second);
        true
    }

    /// Splits the draft of twins: the second check has the next number and the second item.
    pub fn second_twin(&mut self, draft: &mut Draft) -> Draft {
        let mut twin = draft.clone();
        twin.lines.remove(0);
        draft.lines.truncate(1);
        twin.check = draft.check + 1;
        twin.original = NONE;
        // The book goes on after the second check.
        while self.next_check(draft.member) <= twin.check {}
        twin
    }

    /// One invoice that is paid by two checks; neither part is another item's amount.
    pub fn in_parts(&mut self, draft: &mut Draft) -> bool {
        let Some(place) = self.take(draft.member, TRIES, |i| i.discount == 0 && i.open > 20_000)
        else {
            return false;
        };
        self.pay_in_full(draft, place);
        let line = &mut draft.lines[0];
        let open = line.cash;
        line.cash = open * self.dice.between(300, 600) / 1000;
        let part = line.cash;
        let readings = &self.readings;
        let is_another = |amount| readings.singles(amount) > 0 || readings.singles(-amount) > 0;
        if is_another(part) || is_another(open - part) {
            self.put_back(draft.member, place);
            return false;
        }
        true
    }

    /// The check with the rest.
    pub fn second_part(&mut self, draft: &mut Draft) -> Draft {
        let mut rest = draft.clone();
        let line = &mut rest.lines[0];
        line.cash = self.item(line).open - line.cash;
        rest.check = self.next_check(draft.member);
        rest
    }
}
