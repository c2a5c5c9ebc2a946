//! The same money in several reports: single payments behind a statement's line, reports during
//! the day, payments announced and then booked. It counts once, whichever report comes first.
//!
//! Lines of statements are taken as they come. Details (camt.054, ACH) are indexed before them
//! and held back: a statement's line that they make up becomes a summary, and they are the
//! payments, since they say more. Reports during the day and pending lines are held back too, and
//! what a statement has by then is dropped. A detail whose account has a statement without it is
//! not booked yet.

use ahash::RandomState;
use arrow::array::{Array, Date32Array, Decimal128Array, RecordBatch, StringArray};
use hashbrown::{HashMap, HashSet};
use smallvec::SmallVec;
use tieout_core::schema::Table;
use tieout_core::{Channel, Feed};

use crate::EngineError;
use crate::intake::column;

/// Characters at the end of an account's number by which it is known in every report: an IBAN
/// and the bank's own number of one account end alike.
const ACCOUNT_TAIL: usize = 10;
/// A shorter reference names nothing.
const REFERENCE_MIN: usize = 4;
/// Days between the dates of one movement in two reports.
const DAYS_APART_MAX: u32 = 3;
/// What stands for "no reference".
const NO_REFERENCE: [&str; 3] = ["NONREF", "NOTPROVIDED", "NOTAVAILABLE"];

/// The status of a line that is not booked.
pub const PENDING: &str = "PDNG";

/// What of a parsed batch of transactions tells movements apart.
pub struct Lines<'a> {
    account: &'a StringArray,
    currency: &'a StringArray,
    direction: &'a StringArray,
    amount: &'a Decimal128Array,
    booking_date: &'a Date32Array,
    value_date: &'a Date32Array,
    references: [&'a StringArray; 4],
    name: &'a StringArray,
    text: &'a StringArray,
    feed: &'a StringArray,
    status: &'a StringArray,
    channel: &'a StringArray,
}

/// What becomes of a line as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is taken at once.
    Now,
    /// It waits until the statements are read.
    Later,
}

impl<'a> Lines<'a> {
    /// The columns of `batch`.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if it does not have its shape.
    pub fn of(batch: &'a RecordBatch) -> Result<Self, EngineError> {
        let text = |name| column::<StringArray>(batch, Table::Transactions.column(name));
        let date = |name| column::<Date32Array>(batch, Table::Transactions.column(name));
        Ok(Self {
            account: text("account")?,
            currency: text("currency")?,
            direction: text("direction")?,
            amount: column(batch, Table::Transactions.column("amount"))?,
            booking_date: date("booking_date")?,
            value_date: date("value_date")?,
            references: [
                text("entry_reference")?,
                text("bank_reference")?,
                text("end_to_end_id")?,
                text("check_number")?,
            ],
            name: text("counterparty_name")?,
            text: text("remittance_text")?,
            feed: text("feed")?,
            status: text("status")?,
            channel: text("channel")?,
        })
    }

    /// When the line in `row` is taken.
    pub fn turn(&self, row: usize) -> Turn {
        let is_final = self.feed.value(row) == Feed::Statement.code();
        if is_final && self.status.value(row) != PENDING {
            Turn::Now
        } else {
            Turn::Later
        }
    }

    /// Whether the line in `row` is one of an account's statement.
    pub fn is_of_statement(&self, row: usize) -> bool {
        self.channel.value(row) == Channel::Statement.code()
    }

    /// Whether the line in `row` is a single payment behind a statement's line.
    pub fn is_detail(&self, row: usize) -> bool {
        self.feed.value(row) == Feed::Detail.code()
    }

    /// Whether the line in `row` is a single payment that no statement had when it came.
    pub fn is_pending_detail(&self, row: usize) -> bool {
        self.is_detail(row) && self.status.value(row) == PENDING
    }

    /// Whether the line in `row` moves money that counts.
    fn is_counted(&self, row: usize) -> bool {
        self.status.value(row) != PENDING && self.channel.value(row) != Channel::Summary.code()
    }

    /// The day of the line in `row`, if it has one.
    pub fn days(&self, row: usize) -> Option<i32> {
        [self.value_date, self.booking_date]
            .into_iter()
            .find(|dates| !dates.is_null(row))
            .map(|dates| dates.value(row))
    }

    /// What the reports agree on: account, currency, direction and amount.
    fn money(&self, row: usize, hash: &RandomState) -> u64 {
        hash.hash_one((self.pot(row, hash), self.amount.value(row)))
    }

    /// Account, currency and direction.
    fn pot(&self, row: usize, hash: &RandomState) -> u64 {
        let account = account_tail(self.account.value(row));
        hash.hash_one((account, self.currency.value(row), self.direction.value(row)))
    }

    /// The references of the line in one form, handed to `take`; the entry's comes first.
    fn references(&self, row: usize, mut take: impl FnMut(&str)) {
        let mut form = String::new();
        for own in self.references.into_iter().filter(|own| !own.is_null(row)) {
            form.clear();
            push_one_form(own.value(row), &mut form);
            if form.len() >= REFERENCE_MIN && !NO_REFERENCE.contains(&form.as_str()) {
                take(&form);
            }
        }
    }

    /// Name and text in one form.
    fn text(&self, row: usize) -> String {
        let mut text = one_form(self.name.value(row));
        push_one_form(self.text.value(row), &mut text);
        text
    }

    /// The longest word of the other party's name, in one form.
    fn name(&self, row: usize) -> String {
        let words = self
            .name
            .value(row)
            .split(|letter: char| !letter.is_alphanumeric());
        one_form(words.max_by_key(|word| word.len()).unwrap_or_default())
    }
}

/// Letters and digits only, in capitals.
fn push_one_form(text: &str, out: &mut String) {
    let letters = text.chars().filter(|letter| letter.is_alphanumeric());
    out.extend(letters.flat_map(char::to_uppercase));
}

fn one_form(text: &str) -> String {
    let mut form = String::with_capacity(text.len());
    push_one_form(text, &mut form);
    form
}

fn account_tail(account: &str) -> String {
    let own = account.rsplit(':').next().unwrap_or_default();
    let form = one_form(own);
    let length = form.chars().count();
    let tail: String = form
        .chars()
        .skip(length.saturating_sub(ACCOUNT_TAIL))
        .collect();
    tail.trim_start_matches('0').to_owned()
}

/// One line that another report may have too.
struct Movement {
    days: Option<i32>,
    /// Hashes of its references.
    references: SmallVec<[u64; 4]>,
    /// Hash of name and text, for lines without a reference.
    text: u64,
    /// What to look for in the other report's text.
    words: Box<[String]>,
    is_taken: bool,
}

impl Movement {
    fn of(lines: &Lines, row: usize, hash: &RandomState) -> Self {
        let mut references = SmallVec::new();
        lines.references(row, |reference| references.push(hash.hash_one(reference)));
        let text = if references.is_empty() {
            hash.hash_one(lines.text(row))
        } else {
            0
        };
        Self {
            days: lines.days(row),
            references,
            text,
            words: Box::default(),
            is_taken: false,
        }
    }

    /// The same, also known by its references and the name in the text of another report: the
    /// clearing and the bank number their payments each for itself.
    fn with_words(mut self, lines: &Lines, row: usize) -> Self {
        let mut words = Vec::new();
        lines.references(row, |reference| words.push(reference.to_owned()));
        words.push(lines.name(row));
        words.retain(|word| word.len() >= REFERENCE_MIN);
        self.words = words.into();
        self
    }

    fn is_near(&self, other: &Self) -> bool {
        match (self.days, other.days) {
            (Some(own), Some(others)) => own.abs_diff(others) <= DAYS_APART_MAX,
            _ => true,
        }
    }

    /// Whether `other`, of the same money, is this movement; `text` is its name and text.
    fn is(&self, other: &Self, text: impl FnOnce() -> String) -> bool {
        if !self.is_near(other) {
            return false;
        }
        let is_bare = self.references.is_empty() && other.references.is_empty();
        let shares = self
            .references
            .iter()
            .any(|own| other.references.contains(own));
        if shares || is_bare && self.text == other.text {
            return true;
        }
        !self.words.is_empty() && {
            let text = text();
            self.words.iter().any(|word| text.contains(word))
        }
    }
}

/// Lines by their money.
#[derive(Default)]
struct Movements {
    all: Vec<Movement>,
    by_money: HashMap<u64, SmallVec<[u32; 1]>, RandomState>,
}

impl Movements {
    fn add(&mut self, movement: Movement, money: u64) -> u32 {
        let number = self.all.len() as u32;
        self.all.push(movement);
        self.by_money.entry(money).or_default().push(number);
        number
    }

    /// Takes the first line that is the same movement as the one in `row`.
    fn take(&mut self, other: &Movement, money: u64, lines: &Lines, row: usize) -> bool {
        let Some(numbers) = self.by_money.get(&money) else {
            return false;
        };
        let same = numbers
            .iter()
            .map(|&number| number as usize)
            .find(|&number| {
                let own = &self.all[number];
                !own.is_taken && own.is(other, || lines.text(row))
            });
        if let Some(number) = same {
            self.all[number].is_taken = true;
        }
        same.is_some()
    }
}

/// Details of one entry: their sum makes up the statement's line.
struct Group {
    pot: u64,
    total: i128,
    members: Vec<u32>,
    is_taken: bool,
}

/// What the reports of a run have in common.
#[derive(Default)]
pub struct Overlap {
    /// Needs no fixed seeds: nothing is ordered by its hashes.
    hash: RandomState,
    details: Movements,
    groups: Vec<Group>,
    /// Groups by account, entry and file.
    by_entry: HashMap<u64, u32, RandomState>,
    /// Groups by account and sum; built when the first statement's line comes.
    by_total: HashMap<u64, SmallVec<[u32; 1]>, RandomState>,
    booked: Movements,
    accounts: HashSet<String, RandomState>,
    /// Lines that earlier runs have counted before a statement had them.
    counted: Movements,
}

impl Overlap {
    /// Notes a detail before the statements come; `delivery` is the number of its file. Details
    /// are numbered from 0 in this order.
    pub fn announce(&mut self, lines: &Lines, row: usize, delivery: u32) {
        let money = lines.money(row, &self.hash);
        let movement = Movement::of(lines, row, &self.hash).with_words(lines, row);
        let entry = movement.references.first().copied();
        let number = self.details.add(movement, money);
        if lines.references[0].is_null(row) {
            return;
        }
        self.by_total.clear();
        let pot = lines.pot(row, &self.hash);
        let key = self.hash.hash_one((pot, entry, delivery));
        let place = *self.by_entry.entry(key).or_insert(self.groups.len() as u32) as usize;
        if place == self.groups.len() {
            self.groups.push(Group {
                pot,
                total: 0,
                members: Vec::new(),
                is_taken: false,
            });
        }
        self.groups[place].total += lines.amount.value(row);
        self.groups[place].members.push(number);
    }

    /// Notes a line of an earlier run, if a statement may have it only now and it has counted;
    /// `delivery` is a number that no file has.
    pub fn carry(&mut self, lines: &Lines, row: usize, delivery: u32) -> bool {
        if lines.turn(row) == Turn::Now || !lines.is_counted(row) {
            return false;
        }
        if lines.is_detail(row) {
            self.announce(lines, row, delivery);
        } else {
            let money = lines.money(row, &self.hash);
            let movement = Movement::of(lines, row, &self.hash);
            self.counted.add(movement, money);
        }
        true
    }

    /// Takes what a statement's line of an earlier run was the summary of.
    pub fn summarize_earlier(&mut self, lines: &Lines, row: usize) {
        let is_summary = lines.channel.value(row) == Channel::Summary.code();
        if lines.turn(row) == Turn::Now && is_summary {
            let money = lines.money(row, &self.hash);
            let movement = Movement::of(lines, row, &self.hash);
            self.take_counted(&movement, money, lines, row);
        }
    }

    /// Notes a detail of an earlier run that no statement had by then; gives its number.
    pub fn carry_pending(&mut self, lines: &Lines, row: usize, delivery: u32) -> usize {
        self.announce(lines, row, delivery);
        self.details() - 1
    }

    /// Whether the details of this run make up a statement's line of an earlier one, which nobody
    /// has decided finally. They are taken with it.
    pub fn summarize_waiting(&mut self, lines: &Lines, row: usize) -> bool {
        let is_line = lines.turn(row) == Turn::Now && lines.is_of_statement(row);
        is_line && {
            let money = lines.money(row, &self.hash);
            let movement = Movement::of(lines, row, &self.hash);
            self.take_details(&movement, money, lines, row)
        }
    }

    /// Whether a statement has detail number `number` by now.
    pub fn is_taken(&self, number: usize) -> bool {
        self.details.all.get(number).is_some_and(|own| own.is_taken)
    }

    /// How many details there are so far.
    pub fn details(&self) -> usize {
        self.details.all.len()
    }

    /// Notes a statement's line of an earlier run.
    pub fn book_earlier(&mut self, lines: &Lines, row: usize) {
        if lines.turn(row) == Turn::Later || !lines.is_of_statement(row) {
            return;
        }
        self.accounts.insert(account_tail(lines.account.value(row)));
        let money = lines.money(row, &self.hash);
        let movement = Movement::of(lines, row, &self.hash);
        self.booked.add(movement, money);
    }

    /// Notes a statement's line, and says whether details make it up, or an earlier run has
    /// counted it.
    pub fn book(&mut self, lines: &Lines, row: usize) -> bool {
        let account = account_tail(lines.account.value(row));
        if !self.accounts.contains(&account) {
            self.accounts.insert(account);
        }
        let money = lines.money(row, &self.hash);
        let movement = Movement::of(lines, row, &self.hash);
        let is_detailed = self.take_counted(&movement, money, lines, row);
        self.booked.add(movement, money);
        is_detailed
    }

    /// Takes the details, or the line of a report during an earlier day, that a statement's line
    /// has again.
    fn take_counted(&mut self, line: &Movement, money: u64, lines: &Lines, row: usize) -> bool {
        self.take_details(line, money, lines, row) || self.counted.take(line, money, lines, row)
    }

    fn take_details(&mut self, line: &Movement, money: u64, lines: &Lines, row: usize) -> bool {
        !self.details.all.is_empty() && {
            self.add_up_groups();
            self.take_group(line, money, lines, row) || self.details.take(line, money, lines, row)
        }
    }

    fn add_up_groups(&mut self) {
        if !self.by_total.is_empty() {
            return;
        }
        for (place, group) in self.groups.iter().enumerate() {
            if group.members.len() > 1 {
                let money = self.hash.hash_one((group.pot, group.total));
                self.by_total.entry(money).or_default().push(place as u32);
            }
        }
    }

    /// Takes the details of an entry that add up to the line, if it names the entry, a party of it
    /// or nothing.
    fn take_group(&mut self, line: &Movement, money: u64, lines: &Lines, row: usize) -> bool {
        let Some(places) = self.by_total.get(&money) else {
            return false;
        };
        let found = places.iter().map(|&place| place as usize).find(|&place| {
            let group = &self.groups[place];
            let first = group
                .members
                .first()
                .map(|&member| &self.details.all[member as usize]);
            !group.is_taken && first.is_some_and(|first| first.is_of_entry(line, lines, row))
        });
        let Some(place) = found else { return false };
        self.groups[place].is_taken = true;
        for &member in &self.groups[place].members {
            self.details.all[member as usize].is_taken = true;
        }
        true
    }

    /// Whether a statement's line is made up of detail number `number`, or its account has no
    /// statement at all: then it is money that counts.
    pub fn counts(&self, number: usize, lines: &Lines, row: usize) -> bool {
        self.is_taken(number)
            || !self
                .accounts
                .contains(&account_tail(lines.account.value(row)))
    }

    /// Whether a statement has the line of an earlier report.
    pub fn is_booked(&mut self, lines: &Lines, row: usize) -> bool {
        let money = lines.money(row, &self.hash);
        let movement = Movement::of(lines, row, &self.hash);
        self.booked.take(&movement, money, lines, row)
    }
}

impl Movement {
    /// Whether a statement's line, which stands in `row`, can be the sum of the entry that this
    /// detail belongs to. Of a batch of the clearing house the bank has a reference of its own;
    /// then its text names the payer.
    fn is_of_entry(&self, line: &Self, lines: &Lines, row: usize) -> bool {
        let entry = self.references.first();
        self.is_near(line)
            && (line.references.is_empty()
                || entry.is_some_and(|entry| line.references.contains(entry))
                || {
                    let text = lines.text(row);
                    self.words.iter().any(|word| text.contains(word))
                })
    }
}
