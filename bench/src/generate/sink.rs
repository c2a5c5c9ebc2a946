//! Where payments end up: the line of every payment for the truth, and the copy that a SQL
//! peer reads.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};

use super::calendar::{TODAY, iso};
use super::mix::Scenario;
use super::plan::reason_code;
use super::shown::Shown;
use crate::money::cents_text;

/// A CSV file being written.
pub type Table = csv::Writer<BufWriter<File>>;

/// Opens a CSV file and writes its header.
pub fn table(dir: &Path, name: &str, header: &str) -> Result<Table> {
    let mut table = csv::Writer::from_writer(create(dir, name)?);
    table.write_record(header.split(','))?;
    Ok(table)
}

/// Creates a file with a large buffer.
pub fn create(dir: &Path, name: &str) -> Result<BufWriter<File>> {
    let path = dir.join(name);
    let file = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

/// Where a payment is: the number of its file and its line, counted from 1.
#[derive(Clone, Copy, Default)]
pub struct Place {
    /// Index in [`Sink::files`].
    pub file: u8,
    /// Line.
    pub line: u32,
}

/// A line of the statement that is no customer's payment.
pub struct Bystander {
    /// Where.
    pub place: Place,
    /// What.
    pub scenario: Scenario,
    /// Cents.
    pub amount: i64,
    /// Currency.
    pub currency: &'static str,
}

/// Collects what the writers of files know.
pub struct Sink {
    /// Names of the files written.
    pub files: Vec<String>,
    /// By payment.
    pub places: Vec<Place>,
    /// The rest of the statement.
    pub bystanders: Vec<Bystander>,
    peer: Option<(Table, Table)>,
    /// Payments in the peer's tables, numbered as they arrive.
    noted: u32,
}

impl Sink {
    /// A sink for so many payments, with tables for a SQL peer if a folder is given.
    pub fn new(payments: usize, peer: Option<&Path>) -> Result<Self> {
        let peer = peer
            .map(|dir| -> Result<_> {
                std::fs::create_dir_all(dir)?;
                let payments = table(
                    dir,
                    "payments.csv",
                    "payment_key,file,line,booking_date,currency,amount,payer_name,\
                     payer_account,check_number,remittance_text",
                )?;
                let lines = table(
                    dir,
                    "remittance_lines.csv",
                    "payment_key,document_number,net,deduction,reason",
                )?;
                Ok((payments, lines))
            })
            .transpose()?;
        Ok(Self {
            files: Vec::new(),
            places: vec![Place::default(); payments],
            bystanders: Vec::new(),
            peer,
            noted: 0,
        })
    }

    /// Starts a file.
    pub fn start_file(&mut self, name: String) {
        self.files.push(name);
    }

    /// The place of a line of the file that is being written.
    pub fn place(&self, line: u32) -> Place {
        Place {
            file: (self.files.len() - 1) as u8,
            line,
        }
    }

    /// Notes a payment.
    pub fn note(&mut self, entry: &Entry<'_>) -> Result<()> {
        let place = self.place(entry.line);
        self.places[entry.index as usize] = place;
        let Some((payments, lines)) = &mut self.peer else {
            return Ok(());
        };
        self.noted += 1;
        let key = format!("P{:08}", self.noted);
        let account = entry
            .shown
            .account
            .filter(|_| entry.account_shown)
            .map(|a| format!("{:09}:{:010}", a.aba, a.number))
            .unwrap_or_default();
        payments.write_record([
            key.as_bytes(),
            self.files[usize::from(place.file)].as_bytes(),
            itoa::Buffer::new().format(place.line).as_bytes(),
            &iso(TODAY),
            entry.currency.as_bytes(),
            cents_text(entry.amount).as_bytes(),
            entry.shown.name.as_bytes(),
            account.as_bytes(),
            entry.check.as_bytes(),
            entry.text.as_bytes(),
        ])?;
        if entry.with_lines {
            for cited in &entry.shown.cited {
                let reason = if cited.deduction == 0 {
                    ""
                } else {
                    reason_code(cited.reason)
                };
                lines.write_record([
                    key.as_str(),
                    &cited.number,
                    &cents_text(cited.net),
                    &cents_text(cited.deduction),
                    reason,
                ])?;
            }
        }
        Ok(())
    }
}

/// One payment as it was written.
pub struct Entry<'a> {
    /// Index of the payment.
    pub index: u32,
    /// Its line.
    pub line: u32,
    /// Currency.
    pub currency: &'static str,
    /// Cents.
    pub amount: i64,
    /// What could be seen.
    pub shown: &'a Shown,
    /// Whether the account is in the file.
    pub account_shown: bool,
    /// Check number, or empty.
    pub check: &'a str,
    /// The remittance as text.
    pub text: &'a str,
    /// Whether the documents come with amounts.
    pub with_lines: bool,
}
