//! What an engine made of the morning: `payments.csv`, `applications.csv`, `exceptions.csv`.

use std::path::Path;

use anyhow::{Context, Result};

use super::numbering::Numbering;
use super::table::Table;
use super::truth::{Line, Truth};

/// How an engine says a payment ended: the words of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// All of it on items.
    Applied,
    /// Part on items, the rest on account.
    PartiallyApplied,
    /// The customer is known, the items are not.
    OnAccount,
    /// A person decides.
    Proposed,
    /// Neither customer nor items are known.
    Unidentified,
    /// Paid before.
    Duplicate,
    /// No customer's payment.
    OutOfScope,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 7] = [
        Self::Applied,
        Self::PartiallyApplied,
        Self::OnAccount,
        Self::Proposed,
        Self::Unidentified,
        Self::Duplicate,
        Self::OutOfScope,
    ];

    /// The word of the contract.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::PartiallyApplied => "partially_applied",
            Self::OnAccount => "on_account",
            Self::Proposed => "proposed",
            Self::Unidentified => "unidentified",
            Self::Duplicate => "duplicate",
            Self::OutOfScope => "out_of_scope",
        }
    }

    /// Whether items were reduced.
    pub const fn is_applied(self) -> bool {
        matches!(self, Self::Applied | Self::PartiallyApplied)
    }

    fn from_word(word: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|status| status.word().as_bytes() == word)
    }
}

/// One row of `payments.csv`. Money in units of 1e-5.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// The customer.
    pub party: u32,
    /// The currency.
    pub currency: u32,
    /// The payment.
    pub amount: i64,
    /// On items.
    pub applied: i64,
    /// On the customer's account.
    pub on_account: i64,
    /// Held.
    pub unapplied: i64,
    /// How sure the engine is, 0 to 1.
    pub score: f64,
    /// The rule, numbered.
    pub rule: u32,
}

impl Answer {
    /// Whether the parts add up to the payment.
    pub const fn balances(&self) -> bool {
        self.amount == self.applied + self.on_account + self.unapplied
    }
}

/// One row of `applications.csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Application {
    /// The payment, as a row of `payments.csv`, from 0.
    pub row: u32,
    /// Whether it took effect (else it is proposed).
    pub effective: bool,
    /// What it does.
    pub line: Line,
}

/// Everything the engine wrote.
#[derive(Default)]
pub struct Answers {
    /// By row of `payments.csv`.
    pub rows: Vec<Answer>,
    /// By payment of the truth: its first row.
    pub of_payment: Vec<Option<u32>>,
    /// Rows for a payment that had a row already.
    pub doubled: u64,
    /// Rows for lines that the truth does not have.
    pub unknown: Vec<u32>,
    /// In the order of rows; those of no known payment are counted in `astray`.
    pub applications: Vec<Application>,
    /// Applications whose payment is not in `payments.csv`.
    pub astray: u64,
    /// The rules.
    pub rules: Numbering,
    ids: Numbering,
}

const PAYMENTS: [&str; 10] = [
    "payment_id",
    "source_file",
    "source_line",
    "currency",
    "amount",
    "status",
    "party_id",
    "applied",
    "on_account",
    "unapplied",
];
const APPLICATIONS: [&str; 7] = [
    "payment_id",
    "item_id",
    "applied",
    "discount",
    "write_off",
    "deduction",
    "status",
];

impl Answers {
    /// Reads the folder; places payments by file and line.
    ///
    /// # Errors
    /// When a file cannot be read or holds what the contract does not allow.
    pub fn read(dir: &Path, truth: &mut Truth) -> Result<Self> {
        let mut answers = Self {
            of_payment: vec![None; truth.payments.len()],
            ..Self::default()
        };
        answers.read_payments(&dir.join("payments.csv"), truth)?;
        answers.read_applications(&dir.join("applications.csv"), truth)?;
        answers.applications.sort_unstable();
        Ok(answers)
    }

    fn read_payments(&mut self, path: &Path, truth: &mut Truth) -> Result<()> {
        let mut table = Table::open(path, &PAYMENTS, &["score", "rule"])?;
        while table.advance()? {
            let row = self.rows.len() as u32;
            let id = self.ids.number(table.field(0));
            anyhow::ensure!(
                id == row,
                "{}: payment_id {} is missing or not the first of its kind",
                table.place(),
                String::from_utf8_lossy(table.field(0))
            );
            let answer = self.payment(&table, truth)?;
            self.rows.push(answer);
            match truth.at(table.field(1), table.count(2)?) {
                None => self.unknown.push(row),
                Some(payment) => match &mut self.of_payment[payment as usize] {
                    Some(_) => self.doubled += 1,
                    place => *place = Some(row),
                },
            }
        }
        Ok(())
    }

    fn payment(&mut self, table: &Table, truth: &mut Truth) -> Result<Answer> {
        let status = Status::from_word(table.field(5)).with_context(|| {
            let word = String::from_utf8_lossy(table.field(5));
            format!("{}: no such status: {word:?}", table.place())
        })?;
        Ok(Answer {
            status,
            party: truth.parties.number(table.field(6)),
            currency: truth.currencies.number(table.field(3)),
            amount: table.money(4)?,
            applied: table.money(7)?,
            on_account: table.money(8)?,
            unapplied: table.money(9)?,
            score: table.ratio(10)?,
            rule: self.rules.number(table.field(11)),
        })
    }

    fn read_applications(&mut self, path: &Path, truth: &mut Truth) -> Result<()> {
        let mut table = Table::open(path, &APPLICATIONS, &[])?;
        while table.advance()? {
            let Some(row) = self.ids.find(table.field(0)) else {
                self.astray += 1;
                continue;
            };
            self.applications.push(Application {
                row,
                effective: table.field(6) == b"applied",
                line: Line {
                    item: truth.items.number(table.field(1)),
                    cash: table.money(2)?,
                    allowances: [table.money(3)?, table.money(4)?, table.money(5)?],
                },
            });
        }
        Ok(())
    }

    /// The applications of a row of `payments.csv`, in the order of the items' numbers.
    pub fn applications_of(&self, row: u32) -> &[Application] {
        let from = self.applications.partition_point(|a| a.row < row);
        let rest = &self.applications[from..];
        let len = rest.iter().take_while(|a| a.row == row).count();
        &rest[..len]
    }

    /// Visits the rows of `exceptions.csv`, if there is one: row of the payment, candidates
    /// as ranked sets of items (`ITEM+ITEM=0.93|ITEM=0.20`).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn each_exception(&self, dir: &Path, mut visit: impl FnMut(u32, &[u8])) -> Result<()> {
        let path = dir.join("exceptions.csv");
        if !path.exists() {
            return Ok(());
        }
        let mut table = Table::open(&path, &["payment_id", "candidates"], &[])?;
        while table.advance()? {
            if let Some(row) = self.ids.find(table.field(0)) {
                visit(row, table.field(1));
            }
        }
        Ok(())
    }
}

/// The candidates of an exception: each a set of item identifiers.
pub fn candidates(text: &[u8]) -> impl Iterator<Item = impl Iterator<Item = &[u8]>> {
    text.split(|&b| b == b'|')
        .filter(|candidate| !candidate.is_empty())
        .map(|candidate| {
            let end = candidate.iter().position(|&b| b == b'=');
            candidate[..end.unwrap_or(candidate.len())].split(|&b| b == b'+')
        })
}
