//! One family's desk: which of its items are still unpaid this morning, and how a payment is
//! drafted from them. The scenarios themselves are in `referenced`, `unreferenced`, `several`
//! and `repeats`.

use super::dice::Dice;
use super::items::{Item, Items, Kind};
use super::mix::{Channel, INVOICES_PER_PAYMENT, Scenario};
use super::parties::{Family, Parties, Party};
use super::plan::{Line, NONE, Payer, Plan};
use super::readings::Readings;
use super::reference::Form;

/// A payment in the making.
#[derive(Clone)]
pub struct Draft {
    /// What happens.
    pub scenario: Scenario,
    /// How it arrives.
    pub channel: Channel,
    /// Which of the family pays.
    pub member: u32,
    /// What can be seen of the payer.
    pub payer: Payer,
    /// How references are written.
    pub form: Form,
    /// The mangled line.
    pub odd_line: u8,
    /// What it does to items.
    pub lines: Vec<Line>,
    /// What stays on account, or is nobody's.
    pub on_account: i64,
    /// Check number.
    pub check: u32,
    /// The payment that it repeats.
    pub original: u32,
    /// Place in its file.
    pub order: u64,
}

impl Draft {
    /// Orders are below this.
    pub const ORDERS: u64 = 1_000_000_000;

    /// What the payer pays.
    pub fn amount(&self) -> i64 {
        self.on_account + self.lines.iter().map(|line| line.cash).sum::<i64>()
    }
}

/// The state of one family while its payments are drafted.
pub struct Desk<'a> {
    all: &'a Parties,
    family: &'a Family,
    /// The family's open items.
    pub items: &'a [Item],
    /// Index of the first of them.
    base: u32,
    /// What their amounts can mean.
    pub readings: Readings<'a>,
    /// Per member: places of what it owes and no payment has used.
    pub unpaid: Vec<Vec<u32>>,
    /// Per member: places of its unused credit memos.
    pub credits: Vec<Vec<u32>>,
    /// Clean checks that can be repeated.
    pub repeatable: Vec<u32>,
    next_check: Vec<u32>,
    /// Per member: payments still to be drafted, which want an item each.
    pub to_come: Vec<usize>,
    /// Chance.
    pub dice: &'a mut Dice,
}

impl<'a> Desk<'a> {
    /// The desk of a family at the start of the morning.
    pub fn new(all: &'a Parties, family: &'a Family, items: &'a Items, dice: &'a mut Dice) -> Self {
        let base = items.starts[family.first as usize];
        let end = items.starts[(family.first + family.len) as usize];
        let own = &items.list[base as usize..end as usize];
        let mut unpaid = vec![Vec::new(); family.len as usize];
        let mut credits = unpaid.clone();
        for (place, item) in own.iter().enumerate() {
            let member = (item.party - family.first) as usize;
            match item.kind {
                Kind::Invoice | Kind::DebitMemo => unpaid[member].push(place as u32),
                Kind::CreditMemo => credits[member].push(place as u32),
                Kind::OnAccount => {}
            }
        }
        let next_check = (0..family.len)
            .map(|_| dice.between(1_000, 900_000) as u32)
            .collect();
        let payments = |member: u32| all.list[(family.first + member) as usize].payments as usize;
        let to_come = (0..family.len).map(payments).collect();
        Self {
            all,
            family,
            items: own,
            base,
            readings: Readings::new(own),
            unpaid,
            credits,
            repeatable: Vec::new(),
            next_check,
            to_come,
            dice,
        }
    }

    /// A member of the family.
    pub fn party(&self, member: u32) -> &'a Party {
        &self.all.list[self.party_number(member) as usize]
    }

    /// A member's number among all parties.
    pub fn party_number(&self, member: u32) -> u32 {
        self.family.first + member
    }

    /// How many the family has.
    pub fn members(&self) -> u32 {
        self.family.len
    }

    /// Drafts a payment of the scenario, or a plainer one if the family lacks what it needs;
    /// with the second check of twins.
    pub fn draft(
        &mut self,
        scenario: Scenario,
        channel: Channel,
        member: u32,
        slots_left: usize,
        plan: &Plan,
    ) -> (Draft, Option<Draft>) {
        self.to_come[member as usize] -= 1;
        let mut draft = self.blank(scenario, channel, member);
        if scenario == Scenario::TwinChecks && slots_left > 1 && self.twins(&mut draft) {
            let twin = self.second_twin(&mut draft);
            return (draft, Some(twin));
        }
        if scenario == Scenario::InParts && slots_left > 1 && self.in_parts(&mut draft) {
            let rest = self.second_part(&mut draft);
            return (draft, Some(rest));
        }
        if self.fill(&mut draft, plan) {
            return (draft, None);
        }
        draft = Draft {
            check: draft.check,
            ..self.blank(Scenario::Clean, channel, member)
        };
        if !self.fill(&mut draft, plan) {
            draft.scenario = Scenario::OnAccount;
            self.on_account(&mut draft);
        }
        (draft, None)
    }

    fn blank(&mut self, scenario: Scenario, channel: Channel, member: u32) -> Draft {
        let accounts = self.party(member).accounts.len() as u64;
        Draft {
            scenario,
            channel,
            member,
            payer: Payer::Known(self.dice.below(accounts) as u8),
            form: Form::Clean,
            odd_line: u8::MAX,
            lines: Vec::new(),
            on_account: 0,
            check: self.next_check(member),
            original: NONE,
            order: self.dice.below(Draft::ORDERS),
        }
    }

    /// The next number of the member's check book.
    pub fn next_check(&mut self, member: u32) -> u32 {
        let check = &mut self.next_check[member as usize];
        *check += 1 + self.dice.below(3) as u32;
        *check
    }

    fn fill(&mut self, draft: &mut Draft, plan: &Plan) -> bool {
        match draft.scenario {
            Scenario::NoReference | Scenario::NoReferenceNewAccount => self.no_reference(draft),
            Scenario::SeveralItems => self.several(draft),
            Scenario::OnAccount => self.on_account(draft),
            Scenario::ClearAccount => self.clear_account(draft),
            Scenario::ClearPastDue => self.clear_past_due(draft),
            Scenario::TwoReadings | Scenario::SharedAmount => self.two_readings(draft),
            Scenario::GarbageUnknown => self.garbage(draft),
            Scenario::DuplicateCheck => self.same_check(draft, plan),
            Scenario::DuplicateInvoice => self.same_invoice(draft, plan),
            Scenario::NearDuplicate => self.same_invoice_otherwise(draft, plan),
            Scenario::TwinChecks
            | Scenario::InParts
            | Scenario::SeveralUnclear
            | Scenario::LockboxDeposit
            | Scenario::Debit => false,
            _ => self.referenced(draft),
        }
    }

    /// Keeps what a later payment may repeat.
    pub fn remember(&mut self, index: u32, draft: &Draft) {
        let known = matches!(draft.payer, Payer::Known(_));
        if draft.scenario == Scenario::Clean && draft.channel.is_check() && known {
            self.repeatable.push(index);
        }
    }

    /// How many invoices the payment should cover, leaving one for every payment to come.
    pub fn draw_size(&mut self, member: u32) -> usize {
        let (_, low, high) =
            INVOICES_PER_PAYMENT[self.dice.weighted(INVOICES_PER_PAYMENT.iter().map(|r| r.0))];
        let size = self.dice.between(low, high) as usize;
        let spare = self.unpaid[member as usize]
            .len()
            .saturating_sub(self.to_come[member as usize]);
        size.min(spare.max(1))
    }

    /// Takes an unpaid item that passes, looking at no more than `tries`.
    pub fn take(&mut self, member: u32, tries: usize, pass: impl Fn(&Item) -> bool) -> Option<u32> {
        let list = &mut self.unpaid[member as usize];
        let mut at = list.len();
        for _ in 0..tries.min(list.len()) {
            at -= 1;
            if pass(&self.items[list[at] as usize]) {
                return Some(list.swap_remove(at));
            }
        }
        None
    }

    /// Gives an item back.
    pub fn put_back(&mut self, member: u32, place: u32) {
        self.unpaid[member as usize].push(place);
    }

    /// Adds a line that pays the item in full.
    pub fn pay_in_full(&self, draft: &mut Draft, place: u32) {
        draft.lines.push(Line {
            item: self.base + place,
            cash: self.items[place as usize].signed(),
            discount: 0,
            write_off: 0,
            deduction: 0,
            reason: 0,
            cited: true,
        });
    }

    /// The item of a line.
    pub fn item(&self, line: &Line) -> &'a Item {
        &self.items[self.place(line)]
    }

    /// The place of a line's item among the family's.
    pub fn place(&self, line: &Line) -> usize {
        (line.item - self.base) as usize
    }
}
