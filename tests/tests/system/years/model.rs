//! What a ledger has to hold: items, payments and what became of each, in cents.

use std::collections::BTreeMap;

/// What a person may write off at once.
const WRITE_OFF_LIMIT: i64 = 10_000;

#[derive(Clone, Debug)]
pub struct Item {
    pub number: String,
    /// Which customer's.
    pub party: u8,
    pub open: i64,
}

/// How a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Nobody has decided finally.
    Held,
    Applied,
    PartiallyApplied,
    OnAccount,
    Duplicate,
}

impl Stand {
    /// As tables say it; what is only proposed is held.
    fn code(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Applied => "applied",
            Self::PartiallyApplied => "partially_applied",
            Self::OnAccount => "on_account",
            Self::Duplicate => "duplicate",
        }
    }
}

/// Cash and write-off.
type Part = (i64, i64);

#[derive(Clone, Debug)]
pub struct Payment {
    pub cents: i64,
    pub stand: Stand,
    /// By item.
    pub parts: BTreeMap<String, Part>,
    pub on_account: i64,
    /// Whether a run may decide it: nobody has, or somebody wants that.
    pub waits: bool,
    /// The documents that are known to be meant.
    pub numbers: Vec<String>,
    /// Whether it came back, or is what came back.
    pub is_returned: bool,
}

/// An application, or one that a return took back: payment, item, cash, write-off.
type Taken = (String, String, i64, i64);

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub items: BTreeMap<String, Item>,
    /// By the bank's reference.
    pub payments: BTreeMap<String, Payment>,
    /// What returns took back, by the return's reference.
    taken_back: Vec<Taken>,
    pub postings: u64,
    /// What was known after each posting.
    pub known: Vec<Vec<String>>,
}

impl Model {
    /// Something was recorded.
    pub fn posted(&mut self) {
        self.postings += 1;
        self.known.push(self.rows());
    }

    /// A line that names documents, before anything is decided about it.
    pub fn receive(&mut self, reference: &str, cents: i64, numbers: Vec<String>) {
        let payment = Payment {
            cents,
            stand: Stand::Held,
            parts: BTreeMap::new(),
            on_account: 0,
            waits: true,
            numbers,
            is_returned: false,
        };
        self.payments.insert(reference.to_owned(), payment);
    }

    /// A run decides what waits: a payment of just what its documents are open for is applied.
    pub fn decide(&mut self) {
        let waiting = self.payments.values_mut().filter(|own| own.waits);
        for payment in waiting {
            let named: Vec<&String> = payment
                .numbers
                .iter()
                .filter_map(|number| {
                    let mut items = self.items.iter();
                    items.find(|(_, item)| item.number == *number)
                })
                .map(|(id, _)| id)
                .collect();
            let open: i64 = named.iter().map(|id| self.items[*id].open).sum();
            if named.is_empty() || named.len() < payment.numbers.len() || open != payment.cents {
                continue;
            }
            let named: Vec<String> = named.into_iter().cloned().collect();
            for id in named {
                let item = self.items.get_mut(&id).unwrap();
                payment.parts.insert(id, (item.open, 0));
                item.open = 0;
            }
            payment.stand = Stand::Applied;
            payment.waits = false;
        }
    }

    /// A person applies cash of a held payment to an item, the rest on account; or is refused.
    pub fn apply(&mut self, reference: &str, item: &str, cents: i64) -> bool {
        let (Some(payment), Some(open)) =
            (self.payments.get_mut(reference), self.items.get_mut(item))
        else {
            return false;
        };
        let is_held = matches!(payment.stand, Stand::Held | Stand::OnAccount);
        if !is_held || cents > payment.cents || cents > open.open {
            return false;
        }
        open.open -= cents;
        payment.parts.insert(item.to_owned(), (cents, 0));
        payment.on_account = payment.cents - cents;
        payment.stand = if payment.on_account == 0 {
            Stand::Applied
        } else {
            Stand::PartiallyApplied
        };
        payment.waits = false;
        true
    }

    /// A person writes off of an item, beside what a payment has paid; or is refused.
    pub fn write_off(&mut self, reference: &str, item: &str, cents: i64) -> bool {
        let (Some(payment), Some(open)) =
            (self.payments.get_mut(reference), self.items.get_mut(item))
        else {
            return false;
        };
        let is_applied = matches!(payment.stand, Stand::Applied | Stand::PartiallyApplied);
        if !is_applied || cents > WRITE_OFF_LIMIT || cents > open.open {
            return false;
        }
        open.open -= cents;
        payment.parts.entry(item.to_owned()).or_default().1 += cents;
        true
    }

    /// A person takes an application back.
    pub fn unmatch(&mut self, reference: &str) -> bool {
        let Some(payment) = self.payments.get_mut(reference) else {
            return false;
        };
        if !matches!(payment.stand, Stand::Applied | Stand::PartiallyApplied) {
            return false;
        }
        for (item, (cash, written)) in std::mem::take(&mut payment.parts) {
            self.items.get_mut(&item).unwrap().open += cash + written;
        }
        payment.stand = Stand::Held;
        payment.on_account = 0;
        true
    }

    /// A person lets the next run decide.
    pub fn reopen(&mut self, reference: &str) -> bool {
        self.held(reference, true, |payment| {
            payment.stand = Stand::Held;
            payment.on_account = 0;
            payment.waits = true;
        })
    }

    /// A person puts all of it on a customer's account.
    pub fn on_account(&mut self, reference: &str) -> bool {
        self.held(reference, false, |payment| {
            payment.stand = Stand::OnAccount;
            payment.on_account = payment.cents;
            payment.waits = false;
        })
    }

    /// A person says that it repeats another.
    pub fn duplicate(&mut self, reference: &str) -> bool {
        self.held(reference, true, |payment| {
            payment.stand = Stand::Duplicate;
            payment.on_account = 0;
            payment.waits = false;
        })
    }

    fn held(
        &mut self,
        reference: &str,
        or_on_account: bool,
        change: impl FnOnce(&mut Payment),
    ) -> bool {
        let Some(payment) = self.payments.get_mut(reference) else {
            return false;
        };
        let is_allowed =
            payment.stand == Stand::Held || or_on_account && payment.stand == Stand::OnAccount;
        if is_allowed {
            change(payment);
        }
        is_allowed
    }

    /// The bank takes a payment back that was applied to items: they are open again.
    pub fn give_back(&mut self, reference: &str, by: &str) {
        let payment = self.payments.get_mut(reference).unwrap();
        payment.is_returned = true;
        let mut returned = payment.clone();
        for (item, (cash, _)) in std::mem::take(&mut returned.parts) {
            self.items.get_mut(&item).unwrap().open += cash;
            self.taken_back.push((by.to_owned(), item, cash, 0));
        }
        self.payments.insert(by.to_owned(), returned);
    }

    /// What there is no two ways about, of the model itself: no payment is spent twice, no item paid
    /// beyond what it was.
    pub fn check(&self, given: &BTreeMap<String, i64>) {
        for (reference, payment) in &self.payments {
            let cash: i64 = payment.parts.values().map(|part| part.0).sum();
            assert!(cash + payment.on_account <= payment.cents, "{reference}");
        }
        for (id, item) in &self.items {
            let parts = self.payments.values().filter_map(|own| own.parts.get(id));
            let taken: i64 = parts.map(|(cash, written)| cash + written).sum();
            let back = self.taken_back.iter().filter(|(_, item, ..)| item == id);
            let back: i64 = back.map(|(_, _, cash, _)| cash).sum();
            assert_eq!(item.open, given[id] - taken + back, "{id}");
            assert!(item.open >= 0, "{id}");
        }
    }

    /// All of it as the rows that a ledger is asked for, in order.
    pub fn rows(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for (reference, own) in &self.payments {
            let back = self.taken_back.iter().filter(|(by, ..)| by == reference);
            let back: i64 = back.map(|(_, _, cash, _)| cash).sum();
            let cash = own.parts.values().map(|part| part.0).sum::<i64>() + back;
            let [cents, cash, on_account, unapplied] = [
                own.cents,
                cash,
                own.on_account,
                own.cents - cash - own.on_account,
            ]
            .map(money);
            let code = own.stand.code();
            rows.push(format!(
                "payment,{reference},{code},{cents},{cash},{on_account},{unapplied}"
            ));
            for (item, (cash, written)) in &own.parts {
                let [cash, written] = [*cash, *written].map(money);
                rows.push(format!("applied,{reference},{item},{cash},{written},,"));
            }
        }
        for (by, item, cash, written) in &self.taken_back {
            let [cash, written] = [*cash, *written].map(money);
            rows.push(format!("reversed,{by},{item},{cash},{written},,"));
        }
        let open = self.items.iter().filter(|(_, item)| item.open != 0);
        rows.extend(open.map(|(id, item)| format!("open,{id},,{},,,", money(item.open))));
        rows.push(format!("postings,{},,,,,", self.postings));
        rows.sort_unstable();
        rows
    }
}

pub fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
