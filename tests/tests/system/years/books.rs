//! A ledger on disk, what it has to hold, and each step done to both.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use super::files::{self, Format, Paid};
use super::model::{self, Model, Stand, money};
use super::steps::{Kind, Place, Step, pick};
use crate::command::{self, Told};
use crate::desk::{Desk, OPEN_ITEMS, PARTIES};

/// All that a ledger holds of payments and items, as the model writes it.
const STANDS: &str = "\
with own as (select *, case when check_number is not null then concat('K', ltrim(check_number, '0')) \
  else coalesce(end_to_end_id, bank_reference) end as reference from payments) \
select 'payment' as kind, reference as subject, \
  case when status in ('proposed', 'unidentified') then 'held' else status end as what, \
  amount, applied, on_account, unapplied from own \
union all select a.status, own.reference, a.item_id, a.applied, a.write_off, null, null \
  from applications a join own using (payment_id) \
  where a.status in ('applied', 'reversed') \
union all select 'open', item_id, null, open_amount, null, null, null \
  from items_open('2099-12-31') \
union all select 'postings', cast(max(posting) as text), null, null, null, null, null from journal";

const IDS: &str = "\
select case when check_number is not null then concat('K', ltrim(check_number, '0')) \
  else coalesce(end_to_end_id, bank_reference) end, payment_id from payments";

/// A ledger on disk, and what it has to hold.
pub struct Books {
    pub desk: Desk,
    model: Model,
    /// What each item was given as.
    given: BTreeMap<String, i64>,
    /// Files so far: format, lines, and as they were written.
    files: Vec<(Format, Vec<Paid>, String)>,
    /// Documents that payments named and that are not there, with what was paid.
    awaited: Vec<(String, i64)>,
    /// Payments that advice will tell about, with the documents.
    unadvised: Vec<(String, Vec<String>)>,
    /// Payments by their reference.
    ids: BTreeMap<String, String>,
    runs: u32,
    lines: u32,
    numbers: i64,
    /// What was done, for the test that something was.
    pub done: BTreeMap<&'static str, u32>,
}

impl Books {
    pub fn new() -> Self {
        let mut books = Self {
            desk: Desk::empty(),
            model: Model::default(),
            given: BTreeMap::new(),
            files: Vec::new(),
            awaited: Vec::new(),
            unadvised: Vec::new(),
            ids: BTreeMap::new(),
            runs: 0,
            lines: 0,
            numbers: 0,
            done: BTreeMap::new(),
        };
        books.run("parties.csv", PARTIES, &[], None);
        books.model.posted();
        books
    }

    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// Runs a file in a folder of its own, killed first if wanted.
    fn run(&mut self, name: &str, content: &str, words: &[&str], killed: Option<u64>) {
        self.runs += 1;
        let folder = format!("run{}", self.runs);
        self.desk.put_in(&folder, name, content);
        let mut all = vec!["run", &folder, "--ledger", "ledger", "--quiet"];
        all.extend(words);
        if let Some(micros) = killed {
            let mut command = command::command();
            command.current_dir(self.desk.path("")).args(&all);
            let mut child = command.spawn().unwrap();
            thread::sleep(Duration::from_micros(micros));
            let _ = child.kill();
            child.wait().unwrap();
            self.count("killed");
        }
        let told = self.desk.tieout(&all);
        assert_eq!(told.status, 0, "{content}{}{}", told.stdout, told.stderr);
    }

    fn next_number(&mut self) -> String {
        self.numbers += 1;
        format!("INV-{}", 40_417 + 1_013 * self.numbers)
    }

    fn new_line(&mut self, format: Format, kind: &Kind) -> Paid {
        self.lines += 1;
        let line = self.lines;
        let open: Vec<(String, i64, u8)> = self
            .model
            .items
            .values()
            .filter(|item| item.open > 0 && !self.is_meant(&item.number))
            .map(|item| (item.number.clone(), item.open, item.party))
            .collect();
        let (cents, shown, meant) = match kind {
            Kind::Item(index) if !open.is_empty() => {
                let (number, cents, _) = pick(&open, *index).clone();
                (cents, Some(number.clone()), vec![number])
            }
            Kind::Later(cents) => {
                let number = self.next_number();
                self.awaited.push((number.clone(), *cents));
                (*cents, Some(number.clone()), vec![number])
            }
            Kind::Advised(one, other) if format.has_references() && open.len() > 1 => {
                let first = pick(&open, *one);
                let of_party: Vec<_> = open
                    .iter()
                    .filter(|item| item.2 == first.2 && item.0 != first.0)
                    .collect();
                let mut pair = vec![first];
                pair.extend((!of_party.is_empty()).then(|| *pick(&of_party, *other)));
                let cents = pair.iter().map(|item| item.1).sum();
                (
                    cents,
                    None,
                    pair.iter().map(|item| item.0.clone()).collect(),
                )
            }
            // The cents keep it from being any item's, or several items', amount.
            Kind::Item(_) | Kind::Advised(..) => (30_000 + 37, None, Vec::new()),
            Kind::Nothing(cents) => (cents + 37, None, Vec::new()),
        };
        let paid = Paid::new(format, line, cents, shown.clone());
        if shown.is_none() && !meant.is_empty() {
            self.unadvised.push((paid.reference.clone(), meant));
            self.model.receive(&paid.reference, cents, Vec::new());
        } else {
            self.model.receive(&paid.reference, cents, meant);
        }
        paid
    }

    /// Whether a payment that waits means the document, so that another one would compete.
    fn is_meant(&self, number: &str) -> bool {
        let waiting = self.model.payments.values();
        waiting
            .clone()
            .any(|own| own.waits && own.numbers.iter().any(|own| own == number))
    }

    /// Whether documents leave no doubt what a payment pays, or there are none.
    fn is_plain(&self, reference: &str) -> bool {
        let payment = &self.model.payments[reference];
        let items = self.model.items.values();
        let named: Vec<_> = items
            .filter(|item| payment.numbers.contains(&item.number))
            .collect();
        let open: i64 = named.iter().map(|item| item.open).sum();
        let is_free = |item: &&model::Item| item.open > 0 && !self.is_meant(&item.number);
        named.is_empty() || open == payment.cents && named.iter().all(is_free)
    }

    fn payment(&self, index: Place, is_wanted: impl Fn(&model::Payment) -> bool) -> Option<String> {
        let payments = self.model.payments.iter();
        let wanted: Vec<_> = payments
            .filter(|(_, own)| !own.is_returned && is_wanted(own))
            .map(|(reference, _)| reference.clone())
            .collect();
        (!wanted.is_empty()).then(|| pick(&wanted, index).clone())
    }

    fn item(&self, index: Place) -> Option<String> {
        let ids: Vec<_> = self.model.items.keys().cloned().collect();
        (!ids.is_empty()).then(|| pick(&ids, index).clone())
    }

    /// A person does something, or is refused as the model says.
    fn act(&mut self, action: &'static str, reference: &str, words: &[&str], is_done: bool) {
        let id = self.ids[reference].clone();
        let told: Told = self.desk.act(&[&[action, id.as_str()], words].concat());
        assert_eq!(
            told.status,
            i32::from(!is_done),
            "{action} {reference}: {}{}",
            told.stdout,
            told.stderr
        );
        if is_done {
            self.model.posted();
            self.count(action);
        } else {
            self.count("refused");
        }
    }

    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Item(cents, is_named) => self.list(*cents, *is_named),
            Step::Lines(format, kinds, killed) => {
                let lines: Vec<Paid> = kinds
                    .iter()
                    .map(|kind| self.new_line(*format, kind))
                    .collect();
                self.deliver(*format, lines, *killed);
                self.count("lines");
            }
            Step::Again(index, kind) if !self.files.is_empty() => self.again(*index, kind.as_ref()),
            Step::Advice(index) if !self.unadvised.is_empty() => self.advise(*index),
            Step::Return(index) => self.give_back(*index),
            Step::Compact => {
                let told = self
                    .desk
                    .tieout(&["audit", "compact", "--ledger", "ledger"]);
                assert_eq!(told.status, 0, "{}", told.stderr);
                self.count("compact");
            }
            Step::Lose => {
                // All but the journal can be made again.
                for name in ["ledger.json", "postings", "history"] {
                    let path = self.desk.path("ledger").join(name);
                    let _ = std::fs::remove_file(&path);
                    let _ = std::fs::remove_dir_all(&path);
                }
                self.count("lost");
            }
            Step::Past(index) => {
                let posting = usize::from(*index) % self.model.known.len();
                let number = (posting + 1).to_string();
                let told = self.desk.tieout(&[
                    "as-of", &number, STANDS, "--ledger", "ledger", "--format", "csv",
                ]);
                assert_eq!(
                    rows(&told),
                    self.model.known[posting],
                    "as of posting {number}"
                );
                self.count("past");
            }
            Step::Again(..) | Step::Advice(_) => {}
            _ => self.decide(step),
        }
    }

    fn decide(&mut self, step: &Step) {
        let any = |index: &Place| self.payment(*index, |_| true);
        // Mostly what can be done, now and then what is refused.
        let stands = |index: &Place, stands: &[Stand]| {
            let can = self.payment(*index, |own| stands.contains(&own.stand));
            can.filter(|_| !index.is_multiple_of(4))
                .or_else(|| any(index))
        };
        let held = [Stand::Held];
        let applied = [Stand::Applied, Stand::PartiallyApplied];
        match step {
            Step::Apply(own, item, cents) => {
                let (Some(own), Some(item)) = (stands(own, &held), self.item(*item)) else {
                    return;
                };
                // What a run would then make of a payment that means the item is the matcher's matter.
                if self.is_meant(&self.model.items[&item].number) {
                    return;
                }
                let is_done = self.model.apply(&own, &item, *cents);
                let part = format!("{item}={}", money(*cents));
                self.act("apply", &own, &["--item", &part], is_done);
            }
            Step::WriteOff(own, item, cents) => {
                let (Some(own), Some(item)) = (stands(own, &applied), self.item(*item)) else {
                    return;
                };
                let is_done = self.model.write_off(&own, &item, *cents);
                let part = format!("{item}={}", money(*cents));
                self.act("write-off", &own, &["--write-off", &part], is_done);
            }
            Step::Unmatch(own) => {
                let Some(own) = stands(own, &applied) else {
                    return;
                };
                let is_done = self.model.unmatch(&own);
                self.act("unmatch", &own, &[], is_done);
            }
            Step::Reopen(own) => {
                let Some(own) = stands(own, &held).filter(|own| self.is_plain(own)) else {
                    return;
                };
                let is_done = self.model.reopen(&own);
                self.act("reopen", &own, &[], is_done);
            }
            Step::OnAccount(own) => {
                let Some(own) = stands(own, &held) else {
                    return;
                };
                let is_done = self.model.on_account(&own);
                self.act("on-account", &own, &["--party", "C1"], is_done);
            }
            Step::Duplicate(own, of) => {
                let (Some(own), Some(of)) = (stands(own, &held), any(of)) else {
                    return;
                };
                if own == of {
                    return;
                }
                let is_done = self.model.duplicate(&own);
                let of = self.ids[&of].clone();
                self.act("duplicate", &own, &["--of", &of], is_done);
            }
            Step::Comment(own) => {
                let Some(own) = any(own) else { return };
                self.act("comment", &own, &[], true);
            }
            _ => unreachable!("no action: {step:?}"),
        }
    }

    fn list(&mut self, cents: i64, is_named: bool) {
        let (number, cents) = match self.awaited.first().cloned().filter(|_| is_named) {
            Some(awaited) => {
                self.awaited.remove(0);
                self.count("awaited");
                awaited
            }
            None => (self.next_number(), cents),
        };
        let id = format!("I{:03}", self.model.items.len() + 1);
        let party = if self.model.items.len().is_multiple_of(2) {
            1
        } else {
            2
        };
        let header = OPEN_ITEMS.lines().next().unwrap();
        let amount = money(cents);
        let row = format!(
            "{header}\n{id},US1,C{party},invoice,{number},,USD,{amount},{amount},2026-02-01,2026-03-03,,\n"
        );
        self.given.insert(id.clone(), cents);
        self.model.items.insert(
            id,
            model::Item {
                number,
                party,
                open: cents,
            },
        );
        self.run("open_items.csv", &row, &[], None);
        self.model.decide();
        self.model.posted();
    }

    fn deliver(&mut self, format: Format, lines: Vec<Paid>, killed: Option<u64>) {
        let content = format.write(self.runs, &lines);
        self.run(&format!("f{}", self.runs), &content, &[], killed);
        self.model.decide();
        self.model.posted();
        self.files.push((format, lines, content));
    }

    fn again(&mut self, index: Place, kind: Option<&Kind>) {
        let place = usize::from(index) % self.files.len();
        let (format, mut lines, content) = self.files[place].clone();
        if let Some(kind) = kind {
            lines.push(self.new_line(format, kind));
            self.deliver(format, lines, None);
            self.count("longer");
        } else {
            // Nothing is new, so nothing is recorded.
            self.run("again", &content, &[], None);
            self.count("again");
        }
    }

    fn advise(&mut self, index: Place) {
        let place = usize::from(index) % self.unadvised.len();
        let (reference, numbers) = self.unadvised.swap_remove(place);
        let payment = &self.model.payments[&reference];
        let items = self.model.items.values();
        let named: Vec<(String, i64)> = items
            .filter(|item| numbers.contains(&item.number))
            .map(|item| (item.number.clone(), item.open))
            .collect();
        let is_whole = named
            .iter()
            .all(|(number, open)| *open > 0 && !self.is_meant(number))
            && named.iter().map(|(_, open)| open).sum::<i64>() == payment.cents;
        if !payment.waits || !is_whole {
            return;
        }
        let mut content = "payment_reference,payer_name,payment_date,payment_amount,currency,\
                           document_number,gross,discount,adjustment,adjustment_reason,net\n"
            .to_owned();
        let whole = money(payment.cents);
        let booked = files::booked(&reference);
        for (number, open) in &named {
            let open = money(*open);
            writeln!(
                content,
                "{reference},Somebody,{booked},{whole},USD,{number},{open},0,0,,{open}"
            )
            .unwrap();
        }
        self.model.payments.get_mut(&reference).unwrap().numbers = numbers;
        self.run("remittances.csv", &content, &[], None);
        self.model.decide();
        self.model.posted();
        self.count("advised");
    }

    fn give_back(&mut self, index: Place) {
        let is_whole = |own: &model::Payment| {
            own.stand == Stand::Applied && own.parts.values().all(|part| part.1 == 0)
        };
        let Some(own) = self
            .payment(index, is_whole)
            .filter(|own| own.starts_with('B'))
        else {
            return;
        };
        self.lines += 1;
        let by = format!("R{:05}", self.lines);
        let cents = self.model.payments[&own].cents;
        let text = format!("RETURNED ITEM {own}");
        let line = (
            "555",
            u64::try_from(cents).unwrap(),
            by.as_str(),
            text.as_str(),
        );
        let content = crate::desk::statement(&[line]);
        self.run(
            "returns",
            &content,
            &["--recipe", "refunds-and-chargebacks"],
            None,
        );
        self.model.give_back(&own, &by);
        self.model.decide();
        self.model.posted();
        self.count("returned");
    }

    /// The ledger says what the model says, and no payment has become another.
    pub fn check(&mut self) {
        self.model.check(&self.given);
        let told = self
            .desk
            .tieout(&["sql", STANDS, "--ledger", "ledger", "--format", "csv"]);
        assert_eq!(rows(&told), self.model.rows());
        if self.ids.len() < self.model.payments.len() {
            let ids = self.desk.ask(IDS);
            for row in ids.lines() {
                let (reference, id) = row.split_once(',').unwrap();
                let known = self
                    .ids
                    .entry(reference.to_owned())
                    .or_insert_with(|| id.to_owned());
                assert_eq!(known, id, "{reference}");
            }
        }
    }
}

/// The rows of an answer in CSV, in order.
fn rows(told: &Told) -> Vec<String> {
    assert_eq!(told.status, 0, "{}", told.stderr);
    let mut rows: Vec<String> = told.stdout.lines().skip(1).map(str::to_owned).collect();
    rows.sort_unstable();
    rows
}
