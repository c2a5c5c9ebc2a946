//! Scenarios that come twice: the same check presented again, an invoice paid twice, and the
//! true twins that only look like one.

use super::desk::{Desk, Draft};
use super::mix::Scenario;
use super::plan::{NONE, Plan};

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
        if draft.scenario == Scenario::DuplicateInvoice {
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
}
