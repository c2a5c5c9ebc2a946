//! What can be seen of a payment: the payer's name and account as the bank reads them, and
//! the references as the payer writes them. Every writer starts from this.

use super::dice::Dice;
use super::items::Items;
use super::mix::Scenario;
use super::parties::{Account, Parties, new_account, routing_number};
use super::plan::{NONE, Payer, Payment, Plan};
use super::reference::{self, Form};
use super::words::{GARBAGE, ON_ACCOUNT, STRANGERS};

/// Everything that is known before a file is written.
pub struct Morning {
    /// The seed.
    pub seed: u64,
    /// The customers.
    pub parties: Parties,
    /// What they owe.
    pub items: Items,
    /// What they pay.
    pub plan: Plan,
}

/// One document that the remittance names.
pub struct Cited {
    /// Its number as written.
    pub number: String,
    /// Cash for it; negative for a credit.
    pub net: i64,
    /// Discount taken on it.
    pub discount: i64,
    /// Deduction, with the index of its reason.
    pub deduction: i64,
    /// Index in [`super::plan::REASONS`].
    pub reason: u8,
}

/// What can be seen of one payment.
pub struct Shown {
    /// The payer's name, at most 28 characters.
    pub name: String,
    /// The payer's account, if it can be read.
    pub account: Option<Account>,
    /// The documents named.
    pub cited: Vec<Cited>,
    /// Words in place of documents.
    pub words: &'static str,
    /// More chance for the layout of this payment.
    pub dice: Dice,
}

impl Morning {
    /// What can be seen of a payment. A check presented twice looks the same twice.
    pub fn shown(&self, index: u32) -> Shown {
        let payment = &self.plan.payments[index as usize];
        let source = match payment.scenario {
            Scenario::DuplicateCheck if payment.original != NONE => payment.original,
            _ => index,
        };
        let mut dice = Dice::new(self.seed, (1 << 40) + u64::from(source));
        let name = self.name(payment, &mut dice);
        let account = self.account(payment, &mut dice);
        let cited = self.cited(payment, &mut dice);
        let words = match payment.form {
            Form::Garbage => dice.pick(GARBAGE),
            Form::OnAccount => dice.pick(ON_ACCOUNT),
            _ => "",
        };
        Shown {
            name,
            account,
            cited,
            words,
            dice,
        }
    }

    /// Whether a payment is in Canadian dollars.
    pub fn currency(&self, payment: &Payment) -> &'static str {
        if self.parties.list[payment.party as usize].canadian {
            "CAD"
        } else {
            "USD"
        }
    }

    fn name(&self, payment: &Payment, dice: &mut Dice) -> String {
        if payment.payer == Payer::Stranger {
            return (dice.pick(STRANGERS)).to_owned();
        }
        let party = &self.parties.list[payment.party as usize];
        match &party.alias {
            Some(alias) if dice.chance(300) => alias.as_written(dice),
            _ => party.name.as_written(dice),
        }
    }

    fn account(&self, payment: &Payment, dice: &mut Dice) -> Option<Account> {
        match payment.payer {
            Payer::Known(which) => {
                Some(self.parties.list[payment.party as usize].accounts[usize::from(which)])
            }
            Payer::NewAccount | Payer::Stranger => {
                let bank = routing_number(dice);
                Some(new_account(&[bank], dice))
            }
            Payer::Unreadable => None,
        }
    }

    fn cited(&self, payment: &Payment, dice: &mut Dice) -> Vec<Cited> {
        if payment.form == Form::Missing {
            return Vec::new();
        }
        let overpaid = payment.scenario.row().outcome.has_items();
        let mut cited = Vec::with_capacity(payment.lines as usize);
        for (place, line) in self.plan.lines_of(payment).iter().enumerate() {
            if !line.cited {
                continue;
            }
            let odd = usize::from(payment.odd_line) == place || payment.odd_line == u8::MAX;
            let form = if odd { payment.form } else { Form::Clean };
            let item = &self.items.list[line.item as usize];
            let form = if item.kind.is_credit() {
                Form::Clean
            } else {
                form
            };
            cited.push(Cited {
                number: reference::written(item, form, dice),
                net: line.cash
                    + if place == 0 && overpaid {
                        payment.on_account
                    } else {
                        0
                    },
                discount: line.discount,
                deduction: line.deduction,
                reason: line.reason,
            });
        }
        cited
    }
}

/// How a list of documents is written as text.
pub fn as_text(shown: &mut Shown, purchase_orders: bool) -> String {
    const SEPARATORS: [&str; 5] = [" ", ", ", ",", "/", " / "];
    if shown.cited.is_empty() {
        return shown.words.to_owned();
    }
    let dice = &mut shown.dice;
    let separator = SEPARATORS[dice.weighted([35, 30, 15, 10, 10])];
    let lead = if purchase_orders {
        dice.pick(&["PO ", "PO# ", "P.O. "])
    } else {
        ["", "INV ", "INVOICE ", "INVOICES ", "PAYING ", "FOR "]
            [dice.weighted([50, 15, 10, 10, 8, 7])]
    };
    let tail = ["", " STMT 03/02/26", " THANK YOU"][dice.weighted([88, 7, 5])];
    let mut text = lead.to_owned();
    for (place, cited) in shown.cited.iter().enumerate() {
        if place > 0 {
            text.push_str(separator);
        }
        text.push_str(&cited.number);
    }
    text.push_str(tail);
    text
}
