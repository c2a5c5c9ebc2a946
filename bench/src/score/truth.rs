//! What really happened: `truth.csv`.

use std::path::Path;

use ahash::AHashMap;
use anyhow::{Context, Result, bail, ensure};

use super::numbering::{NONE, Numbering};
use super::table::Table;
use crate::generate::mix::Outcome;

/// The columns of the truth, in the order of the constants below.
const COLUMNS: [&str; 14] = [
    "truth_file",
    "truth_line",
    "scenario",
    "decidable",
    "party_id",
    "status",
    "currency",
    "amount",
    "item_id",
    "item_party_id",
    "applied",
    "discount",
    "write_off",
    "deduction",
];
const FILE: usize = 0;
const LINE: usize = 1;
const SCENARIO: usize = 2;
const DECIDABLE: usize = 3;
const PARTY: usize = 4;
const STATUS: usize = 5;
const CURRENCY: usize = 6;
const AMOUNT: usize = 7;
const ITEM: usize = 8;
const ITEM_PARTY: usize = 9;
const APPLIED: usize = 10;
const DISCOUNT: usize = 11;
const WRITE_OFF: usize = 12;
const DEDUCTION: usize = 13;

/// What a payment does to one item. Money in units of 1e-5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// The item.
    pub item: u32,
    /// Cash; negative for a credit that is used up.
    pub cash: i64,
    /// Discount, write-off, deduction.
    pub allowances: [i64; 3],
}

/// One line of a bank file and the right answer to it.
pub struct Expected {
    /// The file, numbered.
    pub file: u32,
    /// The line in it, from 1.
    pub line: u32,
    /// The scenario, numbered.
    pub scenario: u32,
    /// Whether the files suffice to know the answer.
    pub decidable: bool,
    /// The payer, or [`NONE`] where nobody can know.
    pub party: u32,
    /// The right answer.
    pub outcome: Outcome,
    /// The currency, numbered.
    pub currency: u32,
    /// The payment.
    pub amount: i64,
    first: u32,
    count: u32,
}

impl Expected {
    /// Whether an engine should apply it: the files suffice and lead to items.
    pub fn to_apply(&self) -> bool {
        self.decidable && self.outcome.has_items()
    }

    /// Whether the truth knows its items, so that a candidate can be right: it is to be applied,
    /// or only the customer knows and the truth says what was meant.
    pub fn has_answer(&self) -> bool {
        self.to_apply() || (self.outcome == Outcome::Person && self.count > 0)
    }
}

/// All of it.
#[derive(Default)]
pub struct Truth {
    /// Base names of the files.
    pub files: Numbering,
    /// Scenarios in the order of the file.
    pub scenarios: Numbering,
    /// Identifiers of items, the engine's too.
    pub items: Numbering,
    /// Identifiers of customers, the engine's too.
    pub parties: Numbering,
    /// Currencies, the engine's too.
    pub currencies: Numbering,
    /// In the order of the file.
    pub payments: Vec<Expected>,
    lines: Vec<Line>,
    owners: Vec<u32>,
    places: AHashMap<(u32, u32), u32>,
}

impl Truth {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read or is not a truth.
    pub fn read(path: &Path) -> Result<Self> {
        let mut table = Table::open(path, &COLUMNS, &[])?;
        let mut truth = Self::default();
        while table.advance()? {
            truth.add_row(&table)?;
        }
        ensure!(!truth.payments.is_empty(), "{}: no payment", path.display());
        truth.sort_lines();
        Ok(truth)
    }

    fn add_row(&mut self, table: &Table) -> Result<()> {
        let place = (self.files.number(table.field(FILE)), table.count(LINE)?);
        match self.places.get(&place) {
            None => self.add_payment(place, table)?,
            Some(&known) => ensure!(
                known as usize + 1 == self.payments.len(),
                "{}: the payment's rows are not together",
                table.place()
            ),
        }
        if !table.field(ITEM).is_empty() {
            self.add_line(table)?;
        }
        Ok(())
    }

    fn add_payment(&mut self, place: (u32, u32), table: &Table) -> Result<()> {
        self.places.insert(place, self.payments.len() as u32);
        self.payments.push(Expected {
            file: place.0,
            line: place.1,
            scenario: self.scenarios.number(table.field(SCENARIO)),
            decidable: yes_or_no(table.field(DECIDABLE)).with_context(|| table.place())?,
            party: self.parties.number(table.field(PARTY)),
            outcome: outcome(table.field(STATUS)).with_context(|| table.place())?,
            currency: self.currencies.number(table.field(CURRENCY)),
            amount: table.money(AMOUNT)?,
            first: self.lines.len() as u32,
            count: 0,
        });
        Ok(())
    }

    fn add_line(&mut self, table: &Table) -> Result<()> {
        self.lines.push(Line {
            item: self.items.number(table.field(ITEM)),
            cash: table.money(APPLIED)?,
            allowances: [
                table.money(DISCOUNT)?,
                table.money(WRITE_OFF)?,
                table.money(DEDUCTION)?,
            ],
        });
        self.owners
            .push(self.parties.number(table.field(ITEM_PARTY)));
        if let Some(payment) = self.payments.last_mut() {
            payment.count += 1;
        }
        Ok(())
    }

    fn sort_lines(&mut self) {
        for payment in &self.payments {
            let range = payment.first as usize..(payment.first + payment.count) as usize;
            self.lines[range].sort_unstable();
        }
    }

    /// The lines of a payment, in the order of their items' numbers.
    pub fn lines_of(&self, payment: &Expected) -> &[Line] {
        &self.lines[payment.first as usize..(payment.first + payment.count) as usize]
    }

    /// Whether `party` is the payer, or a customer whose items the payment pays.
    pub fn is_customer(&self, payment: &Expected, party: u32) -> bool {
        let range = payment.first as usize..(payment.first + payment.count) as usize;
        party != NONE && (party == payment.party || self.owners[range].contains(&party))
    }

    /// The payment on a line of a file, the file by its base name.
    pub fn at(&self, file: &[u8], line: u32) -> Option<u32> {
        let file = self.files.find(base_name(file))?;
        self.places.get(&(file, line)).copied()
    }
}

fn base_name(path: &[u8]) -> &[u8] {
    let slash = path.iter().rposition(|&b| b == b'/' || b == b'\\');
    slash.map_or(path, |at| &path[at + 1..])
}

fn yes_or_no(word: &[u8]) -> Result<bool> {
    match word {
        b"yes" => Ok(true),
        b"no" => Ok(false),
        _ => bail!("decidable is neither yes nor no"),
    }
}

fn outcome(word: &[u8]) -> Result<Outcome> {
    Outcome::ALL
        .into_iter()
        .find(|outcome| outcome.word().as_bytes() == word)
        .with_context(|| format!("no such status: {}", String::from_utf8_lossy(word)))
}
