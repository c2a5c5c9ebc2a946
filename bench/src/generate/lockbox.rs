//! Lockbox files of the BAI family: 80-column records `1 2 (5 (6 4*)* 7)* 8 9`, with an amount
//! per invoice in the 4 record or with text only.
//!
//! Field widths bound the groups: a lockbox holds at most 9,999 checks and 99,999,999.99, and
//! a file at most 999,999 records, so that large mornings come as several lockboxes and files.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;

use super::calendar::{TODAY, mmddyy, yymmdd};
use super::dice::Dice;
use super::mix::Channel;
use super::plan::{Payment, reason_code};
use super::reference::Form;
use super::shown::{Morning, Shown, as_text};
use super::sink::{Entry, Sink, create};

/// A lockbox's total, short of what ten digits hold.
const LOCKBOX_CENTS_MAX: i64 = 9_400_000_000;
/// Records of a file, short of what six digits hold.
const FILE_RECORDS_MAX: u32 = 900_000;
/// Characters of text in a 4 record of the text profile.
const TEXT_WIDTH: usize = 69;

const DESTINATION: &str = "HARBORST00";
const ORIGIN: &str = "0091000019";

/// What a lockbox deposited, for the statement.
pub struct Deposit {
    /// The lockbox's number.
    pub lockbox: u32,
    /// Cents.
    pub total: i64,
}

/// The first number of a lockbox, less one.
const NUMBERS_FROM: u32 = 61_000;
/// Numbers from one profile's first to the other's; more where the first has more lockboxes.
const NUMBERS_STEP: u32 = 400;

/// Writes the checks of one profile, its lockboxes numbered above `used`; returns the deposits.
pub fn write(
    morning: &Morning,
    channel: Channel,
    used: u32,
    dir: &Path,
    sink: &mut Sink,
) -> Result<Vec<Deposit>> {
    let checks = morning.plan.arriving(|p| p.channel == channel);
    let dice = Dice::new(morning.seed, 10 + channel as u64);
    let mut clerk = Clerk::new(channel, used, checks.len() as u32, dice);
    for index in checks {
        let payment = &morning.plan.payments[index as usize];
        clerk.make_room(payment.amount, dir, sink)?;
        let mut shown = morning.shown(index);
        clerk.check(index, payment, &mut shown, sink)?;
    }
    clerk.close_file()?;
    Ok(clerk.deposits)
}

/// Writes one profile's files record by record, and keeps the totals.
struct Clerk {
    channel: Channel,
    dice: Dice,
    out: Option<BufWriter<File>>,
    files: u32,
    records: u32,
    deposits: Vec<Deposit>,
    lockbox_checks_max: u32,
    lockbox_number: u32,
    lockbox: Group,
    batch: Group,
    batch_number: u32,
    batch_checks_max: u32,
    line: String,
}

#[derive(Default)]
struct Group {
    open: bool,
    checks: u32,
    total: i64,
}

impl Group {
    fn start() -> Self {
        Self {
            open: true,
            ..Self::default()
        }
    }

    fn add(&mut self, amount: i64) {
        self.checks += 1;
        self.total += amount;
    }
}

impl Clerk {
    fn new(channel: Channel, used: u32, checks: u32, dice: Dice) -> Self {
        Self {
            channel,
            dice,
            out: None,
            files: 0,
            records: 0,
            deposits: Vec::new(),
            lockbox_checks_max: (checks / 3).clamp(150, 9_000),
            lockbox_number: used.max(NUMBERS_FROM + NUMBERS_STEP * channel as u32),
            lockbox: Group::default(),
            batch: Group::default(),
            batch_number: 0,
            batch_checks_max: 0,
            line: String::with_capacity(128),
        }
    }

    /// Closes what is full and opens what is needed for one more check.
    fn make_room(&mut self, amount: i64, dir: &Path, sink: &mut Sink) -> Result<()> {
        if self.records > FILE_RECORDS_MAX {
            self.close_file()?;
        }
        let full = self.lockbox.checks >= self.lockbox_checks_max
            || self.lockbox.total + amount > LOCKBOX_CENTS_MAX;
        if full && self.lockbox.open {
            self.close_lockbox()?;
        }
        if self.batch.open && self.batch.checks >= self.batch_checks_max {
            self.close_batch()?;
        }
        if self.out.is_none() {
            self.open_file(dir, sink)?;
        }
        if !self.lockbox.open {
            self.lockbox_number += 1;
            self.lockbox = Group::start();
            self.batch_number = 0;
        }
        if !self.batch.open {
            self.open_batch()?;
        }
        Ok(())
    }

    fn open_file(&mut self, dir: &Path, sink: &mut Sink) -> Result<()> {
        self.files += 1;
        let stem = match self.channel {
            Channel::LockboxInvoice => "lockbox_invoice",
            _ => "lockbox_text",
        };
        let name = match self.files {
            1 => format!("{stem}.txt"),
            more => format!("{stem}_{more}.txt"),
        };
        self.out = Some(create(dir, &name)?);
        sink.start_file(name);
        self.records = 0;
        let date = yymmdd(TODAY);
        write!(self.line, "100{DESTINATION}{ORIGIN}{date}0615")?;
        self.put(80)?;
        write!(self.line, "2{DESTINATION}{ORIGIN}00000000004000800080{}", 1)?;
        self.put(80)
    }

    fn open_batch(&mut self) -> Result<()> {
        self.batch_number += 1;
        self.batch_checks_max = 60 + self.dice.below(141) as u32;
        self.batch = Group::start();
        let date = yymmdd(TODAY);
        write!(
            self.line,
            "5000000{:07}{date}{DESTINATION}{ORIGIN}",
            self.lockbox_number
        )?;
        self.put(80)
    }

    fn close_batch(&mut self) -> Result<()> {
        let Group { checks, total, .. } = std::mem::take(&mut self.batch);
        let (batch, lockbox, date) = (self.batch_number, self.lockbox_number, yymmdd(TODAY));
        write!(
            self.line,
            "7{batch:03}000{lockbox:07}{date}{checks:03}{total:010}"
        )?;
        self.put(80)
    }

    fn close_lockbox(&mut self) -> Result<()> {
        if self.batch.open {
            self.close_batch()?;
        }
        let Group { checks, total, .. } = std::mem::take(&mut self.lockbox);
        let (lockbox, date) = (self.lockbox_number, yymmdd(TODAY));
        self.deposits.push(Deposit { lockbox, total });
        write!(self.line, "8000000{lockbox:07}{date}{checks:04}{total:010}")?;
        self.put(80)
    }

    fn close_file(&mut self) -> Result<()> {
        if self.out.is_none() {
            return Ok(());
        }
        if self.lockbox.open {
            self.close_lockbox()?;
        }
        write!(self.line, "9{:06}", self.records + 1)?;
        self.put(80)?;
        if let Some(mut out) = self.out.take() {
            out.flush()?;
        }
        Ok(())
    }

    fn check(
        &mut self,
        index: u32,
        payment: &Payment,
        shown: &mut Shown,
        sink: &mut Sink,
    ) -> Result<()> {
        self.batch.add(payment.amount);
        self.lockbox.add(payment.amount);
        let (batch, item) = (self.batch_number, self.batch.checks);
        let micr = match shown.account {
            Some(a) => format!("{:09}{:010}", a.aba, a.number),
            None if shown.dice.chance(500) => "0".repeat(19),
            None => " ".repeat(19),
        };
        let date = mmddyy(TODAY - shown.dice.between(1, 6) as i32);
        let (amount, check) = (payment.amount, payment.check);
        write!(
            self.line,
            "6{batch:03}{item:03}{amount:010}{micr}{check:010}{date}{}",
            shown.name
        )?;
        self.put(80)?;
        let line = self.records;
        let text = match self.channel {
            Channel::LockboxInvoice => self.invoice_lines(payment, shown)?,
            _ => self.text_lines(payment, shown)?,
        };
        let check = payment.check.to_string();
        sink.note(&Entry {
            index,
            line,
            currency: "USD",
            amount: payment.amount,
            shown,
            account_shown: true,
            check: &check,
            text: &text,
            with_lines: self.channel == Channel::LockboxInvoice,
        })
    }

    /// One 4 record per document, with its amount; returns the numbers as text.
    fn invoice_lines(&mut self, payment: &Payment, shown: &Shown) -> Result<String> {
        let (batch, item) = (self.batch_number, self.batch.checks);
        let amount = payment.amount;
        match payment.form {
            Form::Garbage => {
                let words = shown.words;
                write!(
                    self.line,
                    "4{batch:03}{item:03}6019{words:<15.15}{amount:010}"
                )?;
                self.put(80)?;
            }
            Form::OnAccount => {
                write!(self.line, "4{batch:03}{item:03}6019{:15}{amount:010}", "")?;
                write!(self.line, "{:010}  {}", 0, shown.words)?;
                self.put(80)?;
            }
            _ => {}
        }
        let last = shown.cited.len();
        for (place, cited) in shown.cited.iter().enumerate() {
            let (sequence, end) = (place + 1, if place + 1 == last { '9' } else { '0' });
            write!(
                self.line,
                "4{batch:03}{item:03}6{sequence:02}{end}{:<15.15}",
                cited.number
            )?;
            // A credit that is netted carries a leading minus in its ten places.
            write!(self.line, "{:010}{:010}", cited.net, cited.deduction)?;
            if cited.deduction != 0 {
                self.line.push_str(reason_code(cited.reason));
            }
            self.put(80)?;
        }
        let numbers: Vec<&str> = shown.cited.iter().map(|c| c.number.as_str()).collect();
        Ok(if numbers.is_empty() {
            shown.words.to_owned()
        } else {
            numbers.join(" ")
        })
    }

    /// 4 records of text, cut wherever they end.
    fn text_lines(&mut self, payment: &Payment, shown: &mut Shown) -> Result<String> {
        let (batch, item) = (self.batch_number, self.batch.checks);
        let text = as_text(shown, payment.form == Form::PurchaseOrder);
        let hard = shown.dice.chance(500);
        let pieces = pieces(&text, hard);
        let last = pieces.len();
        for (place, piece) in pieces.iter().enumerate() {
            let (sequence, end) = (place + 1, if place + 1 == last { '9' } else { '0' });
            write!(self.line, "4{batch:03}{item:03}6{sequence:02}{end}{piece}")?;
            self.put(80)?;
        }
        Ok(text)
    }

    /// Writes the line, filled with blanks to `width`.
    fn put(&mut self, width: usize) -> Result<()> {
        while self.line.len() < width {
            self.line.push(' ');
        }
        self.line.push('\n');
        if let Some(out) = &mut self.out {
            out.write_all(self.line.as_bytes())?;
        }
        self.records += 1;
        self.line.clear();
        Ok(())
    }
}

/// Cuts text for 4 records: hard at the last column, even inside a number, or after the last
/// separator that fits. Columns 12-80 joined as they stand give the text back either way.
fn pieces(text: &str, hard: bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > TEXT_WIDTH {
        let soft = rest[..TEXT_WIDTH].rfind([' ', ',', '/']).map(|at| at + 1);
        let cut = if hard {
            TEXT_WIDTH
        } else {
            soft.unwrap_or(TEXT_WIDTH)
        };
        let (piece, tail) = rest.split_at(cut);
        pieces.push(piece);
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_two_profiles_never_overlap() {
        let first = |used| {
            let dice = Dice::new(1, 0);
            let mut clerk = Clerk::new(Channel::LockboxText, used, 1, dice);
            let dir = tempfile::tempdir().unwrap();
            let mut sink = Sink::new(1, None).unwrap();
            clerk.make_room(100, dir.path(), &mut sink).unwrap();
            clerk.lockbox_number
        };
        assert_eq!(first(61_003), 61_401);
        assert_eq!(first(62_940), 62_941);
    }

    #[test]
    fn pieces_join_to_the_text() {
        let text = (0..30)
            .map(|n| format!("INV-{n:07}"))
            .collect::<Vec<_>>()
            .join(", ");
        for hard in [true, false] {
            let cut = pieces(&text, hard);
            assert!(cut.iter().all(|piece| piece.len() <= TEXT_WIDTH));
            assert_eq!(cut.concat(), text);
            if !hard {
                assert!(cut[0].ends_with([' ', ',']));
            }
        }
        assert!(pieces("", true).is_empty());
    }
}
