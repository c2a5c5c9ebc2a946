//! The plan of the morning: every payment with what it pays, before anything is written.

use super::desk::{Desk, Draft};
use super::dice::Dice;
use super::items::Items;
use super::mix::{Channel, MIX, Mix, Scenario, weights};
use super::parties::{Family, Habit, Parties};
use super::reference::Form;

/// No payment.
pub const NONE: u32 = u32::MAX;

/// Cents of a check, as many as the ten digits of a lockbox file hold.
const CHECK_CENTS_MAX: i64 = 9_999_999_999;

/// Reason codes of deductions, as the customers send them.
pub const REASONS: [&str; 6] = ["SH", "DM", "PR", "FR", "PM", "RT"];

/// In place of a reason's index: none is given.
pub const NO_REASON: u8 = u8::MAX;

/// The code of a reason's index; empty where none is given.
pub fn reason_code(reason: u8) -> &'static str {
    REASONS.get(usize::from(reason)).copied().unwrap_or("")
}

/// What a payer shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer {
    /// An account that the books know: which of the party's.
    Known(u8),
    /// An account that nobody has seen.
    NewAccount,
    /// No account can be read.
    Unreadable,
    /// Somebody who is no customer.
    Stranger,
}

/// What a payment does to one item.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Index of the item.
    pub item: u32,
    /// Cash on the item; negative for a credit that is used up.
    pub cash: i64,
    /// Discount taken.
    pub discount: i64,
    /// Written off within tolerance.
    pub write_off: i64,
    /// Deducted for a reason.
    pub deduction: i64,
    /// Index in [`REASONS`].
    pub reason: u8,
    /// Whether the remittance names the item.
    pub cited: bool,
}

/// One payment.
pub struct Payment {
    /// What happens.
    pub scenario: Scenario,
    /// How it arrives.
    pub channel: Channel,
    /// The customer whose payment it is.
    pub party: u32,
    /// What can be seen of it.
    pub payer: Payer,
    /// How its references are written.
    pub form: Form,
    /// The one line whose reference is mangled, when only one is.
    pub odd_line: u8,
    /// First of its lines.
    pub first_line: u32,
    /// Number of its lines.
    pub lines: u32,
    /// Cents.
    pub amount: i64,
    /// Cents that stay on account.
    pub on_account: i64,
    /// Check number.
    pub check: u32,
    /// The payment that it repeats, or [`NONE`].
    pub original: u32,
    /// Place among the payments of its channel.
    pub order: u64,
}

/// All payments, with their lines.
#[derive(Default)]
pub struct Plan {
    /// By family.
    pub payments: Vec<Payment>,
    /// In the order of the payments.
    pub lines: Vec<Line>,
}

impl Plan {
    /// The lines of a payment.
    pub fn lines_of(&self, payment: &Payment) -> &[Line] {
        &self.lines[payment.first_line as usize..(payment.first_line + payment.lines) as usize]
    }

    /// The payments of some channels, in the order in which they arrive.
    pub fn arriving(&self, wanted: impl Fn(&Payment) -> bool) -> Vec<u32> {
        let mut chosen: Vec<(u64, u32)> = self
            .payments
            .iter()
            .enumerate()
            .filter(|(_, payment)| wanted(payment))
            .map(|(index, payment)| (payment.order, index as u32))
            .collect();
        chosen.sort_unstable();
        chosen.into_iter().map(|(_, index)| index).collect()
    }
}

/// Plans all payments.
pub fn create(seed: u64, parties: &Parties, items: &Items, mix: Mix) -> Plan {
    let count: u32 = parties.list.iter().map(|p| p.payments).sum();
    let mut plan = Plan::default();
    plan.payments.reserve(count as usize);
    plan.lines.reserve(count as usize * 3 / 2);
    for (number, family) in parties.families.iter().enumerate() {
        let mut dice = Dice::new(seed, (1 << 32) + number as u64);
        plan_family(&mut plan, (parties, items), family, mix, &mut dice);
    }
    plan
}

fn plan_family(
    plan: &mut Plan,
    (all, items): (&Parties, &Items),
    family: &Family,
    mix: Mix,
    dice: &mut Dice,
) {
    let mut slots: Vec<u32> = Vec::new();
    for party in family.parties() {
        let member = party - family.first;
        slots.extend(std::iter::repeat_n(
            member,
            all.list[party as usize].payments as usize,
        ));
    }
    dice.shuffle(&mut slots);
    let mut desk = Desk::new(all, family, items, dice);
    let first = plan.payments.len();
    let mut waiting: Option<Draft> = None;
    for (done, &slot) in slots.iter().enumerate() {
        if let Some(draft) = waiting.take() {
            desk.to_come[slot as usize] -= 1;
            book(plan, &mut desk, draft);
            continue;
        }
        let channel = draw_channel(&mut desk, slot, family.habit);
        let scenario = draw_scenario(&mut desk, channel, family.habit, mix);
        let (draft, twin) = desk.draft(scenario, channel, slot, slots.len() - done, plan);
        let twin_of = draft.order;
        book(plan, &mut desk, draft);
        waiting = twin.map(|mut twin| {
            twin.order = twin_of + 1;
            twin
        });
    }
    desk.settle_several(plan, first);
}

fn draw_channel(desk: &mut Desk<'_>, slot: u32, habit: Habit) -> Channel {
    if desk.party(slot).canadian {
        return desk.dice.pick(&[Channel::BankAdvice, Channel::BankText]);
    }
    let channel = Channel::ALL[desk.dice.weighted(Channel::PER_THOUSAND)];
    if habit != Habit::Ordinary && channel == Channel::BankAdvice {
        return Channel::LockboxText;
    }
    channel
}

fn draw_scenario(desk: &mut Desk<'_>, channel: Channel, habit: Habit, mix: Mix) -> Scenario {
    match habit {
        Habit::ClearsAccount => Scenario::ClearAccount,
        Habit::ClearsPastDue => Scenario::ClearPastDue,
        Habit::Ordinary => MIX[desk.dice.weighted(weights(channel, mix))].scenario,
    }
}

/// Writes a draft into the plan; what no check can be written for comes by wire.
fn book(plan: &mut Plan, desk: &mut Desk<'_>, mut draft: Draft) {
    if draft.amount() > CHECK_CENTS_MAX {
        draft.channel = draft.channel.by_wire();
    }
    let index = plan.payments.len() as u32;
    if draft.original != NONE {
        // The first of the two moves to the first half of its file, the repeat comes later.
        let first = &mut plan.payments[draft.original as usize];
        first.order /= 2;
    }
    let order = match draft.original {
        NONE => draft.order,
        original => {
            let first = plan.payments[original as usize].order;
            first + Draft::ORDERS / 4 + desk.dice.below(Draft::ORDERS / 4)
        }
    };
    desk.remember(index, &draft);
    plan.payments.push(Payment {
        scenario: draft.scenario,
        channel: draft.channel,
        party: desk.party_number(draft.member),
        payer: draft.payer,
        form: draft.form,
        odd_line: draft.odd_line,
        first_line: plan.lines.len() as u32,
        lines: draft.lines.len() as u32,
        amount: draft.amount(),
        on_account: draft.on_account,
        check: draft.check,
        original: draft.original,
        order,
    });
    plan.lines.extend(draft.lines);
}
