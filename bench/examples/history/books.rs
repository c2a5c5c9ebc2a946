//! One business day after the other: what is invoiced, paid, decided, and told by the banks.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};
use tieout_bench::generate::dice::Dice;
use tieout_core::Date;
use tieout_core::schema::Table;

use crate::Sink;
use crate::rows::{Cell, NONE, cells};
use crate::world::{Account, Party, accounts, business_days, identity, parties};

/// Cents, as hundred-thousandths.
pub const CENT: i128 = 1_000;
/// Business days from an invoice to its due date.
const TERMS: usize = 21;
/// Business days for which customers were invoiced before the first day.
const BEFORE: usize = 60;

/// An invoice, credit memo or bill.
#[derive(Clone)]
pub struct Item {
    pub number: u64,
    pub party: usize,
    pub amount: i128,
}

impl Item {
    pub fn id(&self) -> String {
        format!("OI{:09}", self.number)
    }
}

/// A customer's payment and what became of it.
pub struct Payment {
    pub id: String,
    pub day: i32,
    pub value_date: i32,
    pub line: u64,
    pub by_cheque: bool,
    pub text: String,
    pub amount: i128,
    pub kept_back: i128,
    pub extra: i128,
    pub status: &'static str,
    pub reason: Option<&'static str>,
    pub rule: &'static str,
    pub items: Vec<Item>,
}

/// A row that a later posting gives anew, with the posting that it is in.
enum Anew {
    Payment(u64, Payment),
    Item(u64, Item, i32),
}

/// What is known so far.
pub struct Books {
    pub dice: Dice,
    pub accounts: Vec<Account>,
    pub parties: Vec<Party>,
    /// Items by the place of the day on which they are paid.
    due: BTreeMap<usize, Vec<Item>>,
    anew: Vec<Anew>,
    place: usize,
    lines_a_day: u64,
    items_a_day: u64,
    items: u64,
    pub lines: u64,
    payments: u64,
    /// Line of the file that is told of.
    pub line: u64,
    /// Last event.
    pub sequence: u64,
}

impl Books {
    pub fn new(seed: u64, lines: u64, days: usize) -> Self {
        let mut dice = Dice::new(seed, 1);
        let lines_a_day = lines.div_ceil(days as u64);
        let count = usize::try_from(lines / 2_500)
            .unwrap_or(20_000)
            .clamp(400, 20_000);
        Self {
            accounts: accounts(),
            parties: parties(&mut dice, count),
            dice,
            due: BTreeMap::new(),
            anew: Vec::new(),
            place: BEFORE,
            lines_a_day,
            items_a_day: lines_a_day * 6 / 10,
            items: 0,
            lines: 0,
            payments: 0,
            line: 0,
            sequence: 0,
        }
    }

    pub fn told(&self) -> Value {
        json!({"transactions": self.lines, "payments": self.payments, "items": self.items,
            "parties": self.parties.len(), "accounts": self.accounts.len()})
    }

    /// All that happens on `day`, recorded in `posting`.
    pub fn day(&mut self, sink: &mut Sink, posting: u64, day: i32) -> Result<()> {
        let file = format!("in/{}/statement.txt", Date::from_days(day));
        self.line = 0;
        if self.place == BEFORE {
            self.begin(sink, posting, day)?;
        }
        self.decide_anew(sink, posting, &file)?;
        self.invoice(sink, posting, day, self.place)?;
        let opening: Vec<i128> = self.accounts.iter().map(|own| own.ledger).collect();
        let before = self.lines;
        self.receive(sink, posting, day, &file)?;
        while self.lines - before < self.lines_a_day {
            self.spend(sink, posting, day, &file)?;
        }
        self.tell_balances(sink, posting, day, &file, &opening)?;
        self.tell_rates(sink, posting, day)?;
        self.note(sink, posting, day, "cutoff", NONE, NONE)?;
        self.place += 1;
        Ok(())
    }

    fn begin(&mut self, sink: &mut Sink, posting: u64, day: i32) -> Result<()> {
        for (place, own) in self.accounts.iter().enumerate() {
            // Two that nobody has described.
            if place % 20 < 19 {
                sink.push(
                    Table::Accounts,
                    cells![
                        &own.number,
                        &own.entity,
                        own.bank,
                        own.currency,
                        "operating",
                        "in/accounts.csv",
                        place as u64 + 2,
                        NONE,
                        posting
                    ],
                )?;
            }
        }
        for (place, party) in self.parties.iter().enumerate() {
            sink.push(
                Table::Parties,
                cells![
                    &party.id,
                    "customer",
                    &party.name,
                    NONE,
                    NONE,
                    &party.account,
                    "in/parties.csv",
                    place as u64 + 2,
                    NONE,
                    posting
                ],
            )?;
        }
        let earlier = business_days(
            Date::from_days(day - BEFORE as i32 * 7 / 5),
            Date::from_days(day - 1),
        );
        let skipped = BEFORE.saturating_sub(earlier.len());
        for (place, &day) in earlier.iter().enumerate() {
            self.invoice(sink, posting, day, place + skipped)?;
        }
        Ok(())
    }

    fn invoice(&mut self, sink: &mut Sink, posting: u64, day: i32, place: usize) -> Result<()> {
        for _ in 0..self.items_a_day {
            let customer = self.dice.below(self.parties.len() as u64) as usize;
            let cents = 1_000 + self.dice.below(20_000) * (1 + self.dice.below(40));
            let item = Item {
                number: self.items,
                party: customer,
                amount: i128::from(cents) * CENT,
            };
            self.items += 1;
            self.tell_item(sink, posting, day, &item)?;
            if self.dice.chance(10) {
                self.anew.push(Anew::Item(posting, item.clone(), day));
            }
            // Some are never paid; every fiftieth number is no invoice.
            if item.number % 50 >= 2 && !self.dice.chance(25) {
                let party = &self.parties[customer];
                let late = party.late + self.dice.between(-party.spread, party.spread);
                let days = (TERMS as i64 + late).max(1) as usize;
                self.due.entry(place + days).or_default().push(item);
            }
        }
        Ok(())
    }

    /// What customers pay today: each what is due from it, up to three items at once.
    fn receive(&mut self, sink: &mut Sink, posting: u64, day: i32, file: &str) -> Result<()> {
        let mut due: Vec<Item> = Vec::new();
        while let Some(entry) = self
            .due
            .first_entry()
            .filter(|entry| *entry.key() <= self.place)
        {
            due.extend(entry.remove());
        }
        due.sort_by_key(|item| (item.party, item.number));
        for of_party in due.chunk_by(|one, other| one.party == other.party) {
            for items in of_party.chunks(3) {
                self.pay(sink, posting, day, file, items)?;
            }
        }
        Ok(())
    }

    fn pay(
        &mut self,
        sink: &mut Sink,
        posting: u64,
        day: i32,
        file: &str,
        items: &[Item],
    ) -> Result<()> {
        let customer = &self.parties[items[0].party];
        let by_cheque = customer.by_cheque && self.accounts[customer.home].is_american;
        let owed: i128 = items.iter().map(|item| item.amount).sum();
        let (status, reason, rule) = match self.dice.below(1000) {
            0..880 => ("applied", NONE, "remittance_lines"),
            880..910 => ("partially_applied", NONE, "references"),
            910..935 => ("on_account", Some("reference_not_found"), "customer_only"),
            935..950 => ("unidentified", Some("payer_unknown"), "none"),
            950..975 => ("proposed", Some("ambiguous_items"), "single_item"),
            975..985 => ("duplicate", Some("resubmitted_payment"), "duplicate"),
            _ => ("out_of_scope", NONE, "scope"),
        };
        let kept_back = if self.dice.chance(40) {
            items[0].amount / CENT / 20 * CENT
        } else {
            0
        };
        let extra = if status == "partially_applied" {
            2_500 * CENT
        } else {
            0
        };
        let texts = items.iter().map(|item| format!("INV-{:08}", item.number));
        let payment = Payment {
            id: identity(&mut self.dice),
            day,
            value_date: day + self.dice.pick(&[0, 0, 0, 0, 0, 0, 0, 1, 1, 3]),
            line: self.line,
            by_cheque,
            text: texts.collect::<Vec<_>>().join(" "),
            amount: owed - kept_back + extra,
            kept_back,
            extra,
            status,
            reason,
            rule,
            items: items.to_vec(),
        };
        self.tell_credit(sink, posting, file, &payment)?;
        self.decide(sink, posting, file, &payment)?;
        self.payments += 1;
        if status == "proposed" && self.dice.chance(700) {
            self.anew.push(Anew::Payment(posting, payment));
        }
        Ok(())
    }

    /// What a person decided, and what a source gave again, since yesterday.
    fn decide_anew(&mut self, sink: &mut Sink, posting: u64, file: &str) -> Result<()> {
        for anew in std::mem::take(&mut self.anew) {
            let (what, id, before) = match &anew {
                Anew::Payment(before, payment) => ("payment", payment.id.clone(), *before),
                Anew::Item(before, item, _) => ("item", item.id(), *before),
            };
            if before == posting {
                self.anew.push(anew);
                continue;
            }
            sink.push(Table::Reversals, cells![what, &id, before, posting])?;
            match anew {
                Anew::Item(_, item, day) => self.tell_item(sink, posting, day, &item)?,
                Anew::Payment(_, payment) => {
                    let decided = Payment {
                        status: "applied",
                        reason: NONE,
                        rule: "person",
                        ..payment
                    };
                    self.decide(sink, posting, file, &decided)?;
                }
            }
        }
        Ok(())
    }
}
