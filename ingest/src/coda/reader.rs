//! Walks the records of a CODA file.

use std::collections::BTreeMap;

use tieout_core::{Amount, FindingCode, QuarantineReason, Severity};

use super::DECIMALS;
use super::account::{Account, Standing};
use super::entry;
use super::movement::{Movement, is_part, sequence};
use crate::fixed::{columns, digits};
use crate::format::{Counts, ReadError};
use crate::lines::Line;
use crate::national::{
    Desk, Ledger, Oddity, RecordReader, Refusal, control_count, control_total, decode, minor_amount,
};
use crate::rows::Balance;

/// Parts that a movement may have: their number has four digits.
const PARTS_MAX: usize = 9_999;
/// Accounts whose statement numbers are followed.
const ACCOUNTS_MAX: usize = 10_000;

const UNKNOWN_VERSION: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnknownCode,
    what: "headers of an unknown version",
    expected: "version 1 or 2",
    action: "They are read as version 2; compare a few lines with the bank's statement.",
};
const DUPLICATE: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::RepeatedDelivery,
    what: "files that the bank marks as duplicates",
    expected: "",
    action: "Lines that came before add nothing.",
};
const MESSAGE: Oddity = Oddity {
    severity: Severity::Info,
    code: FindingCode::BankMessage,
    what: "records of free communication",
    expected: "",
    action: "Read what the bank says.",
};
const GAP: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::StatementGap,
    what: "statements out of sequence",
    expected: "the number after the one before, the same at both ends",
    action: "Look whether a statement between them is missing.",
};
const OTHER_ACCOUNT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnexpectedRecord,
    what: "new balances of another account than the old balance",
    expected: "the same account in the records 1 and 8",
    action: "They are read as the balance of the statement's account; ask the bank.",
};
const NO_SUM: Oddity = Oddity {
    severity: Severity::Error,
    code: FindingCode::ControlTotal,
    what: "totals that their details do not add up to",
    expected: "details with the sum of their total",
    action: "The total is the row; its details are only text there. Ask the bank.",
};

/// What the trailer counts.
#[derive(Default)]
struct Tally {
    records: u64,
    ledger: Ledger,
}

pub(super) struct Reader<'a> {
    desk: Desk<'a>,
    /// The line of the header, until its trailer came.
    header: Option<u64>,
    account: Option<Account>,
    tally: Tally,
    /// The movement that is read, with the parts of it.
    group: Vec<Movement>,
    /// How many of `group` are in use.
    used: usize,
    /// A record 31 came that 32 and 33 may continue.
    is_informing: bool,
    sequences: BTreeMap<String, u32>,
}

impl<'a> RecordReader<'a> for Reader<'a> {
    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        if matches!(line.bytes.first(), Some(b'1' | b'2' | b'3' | b'8')) {
            self.tally.records += 1;
        }
        let outcome = match line.bytes {
            [b'0', ..] => self.begin_file(line)?,
            [b'1', ..] => self.begin_account(line)?,
            [b'2', b'1', ..] => self.movement(line)?,
            [b'2', b'2' | b'3', ..] => self.go_on(line),
            [b'3', b'1'..=b'3', ..] => self.inform(line),
            [b'4', ..] => {
                self.message(line);
                Ok(())
            }
            [b'8', ..] => self.end_account(line)?,
            [b'9', ..] => self.end_file(line)?,
            _ => Err((
                QuarantineReason::UnknownRecord,
                "the record begins with none of 0, 1, 21 to 23, 31 to 33, 4, 8, 9".to_owned(),
            )),
        };
        outcome.or_else(|refusal| self.desk.refuse(line, refusal))
    }

    fn desk(&mut self) -> &mut Desk<'a> {
        &mut self.desk
    }
}

impl<'a> Reader<'a> {
    pub fn new(desk: Desk<'a>) -> Self {
        Self {
            desk,
            header: None,
            account: None,
            tally: Tally::default(),
            group: Vec::new(),
            used: 0,
            is_informing: false,
            sequences: BTreeMap::new(),
        }
    }

    fn begin_file(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.close_account(line.number)?;
        if let Some(header) = self.header {
            let found = format!("the file that begins on line {header} has no trailer");
            self.desk
                .missing(line.number, found, "a record 9 before this line")?;
        }
        self.header = Some(line.number);
        self.tally = Tally::default();
        let version = columns(line.bytes, 128, 128);
        if !matches!(version, b"1" | b"2") {
            let found = || decode(version).into_owned();
            self.desk.note(&UNKNOWN_VERSION, line.number, found);
        }
        if columns(line.bytes, 17, 17) == b"D" {
            self.desk.note(&DUPLICATE, line.number, String::new);
        }
        Ok(Ok(()))
    }

    fn begin_account(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.close_account(line.number)?;
        let (account, standing) = match Account::open(line) {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.follow(&account, line.number);
        self.balance(&account, line.number, &standing, ("1", "opening_ledger"))?;
        self.account = Some(account);
        Ok(Ok(()))
    }

    /// Notes a gap in the statement numbers of an account; they begin anew every year.
    fn follow(&mut self, account: &Account, line: u64) {
        let before = self.sequences.get(&account.number).copied();
        let is_next = before.is_none_or(|before| {
            account.sequence == before || account.sequence == before + 1 || account.sequence <= 1
        });
        if !is_next {
            let (number, found) = (&account.number, account.sequence);
            let before = before.unwrap_or_default();
            self.desk.note(&GAP, line, || {
                format!("account {number} has statement {found} after {before}")
            });
        }
        if before.is_some() || self.sequences.len() < ACCOUNTS_MAX {
            self.sequences
                .insert(account.number.clone(), account.sequence);
        }
    }

    fn balance(
        &mut self,
        account: &Account,
        line: u64,
        standing: &Standing,
        (type_code, balance_type): (&str, &str),
    ) -> Result<(), ReadError> {
        self.desk.balance(&Balance {
            source_line: line,
            account: &account.number,
            currency: account.currency,
            type_code,
            balance_type,
            as_of_date: standing.date,
            amount: standing.amount,
            item_count: None,
        })
    }

    fn movement(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.is_informing = false;
        let is_part = is_part(line.bytes);
        if !is_part {
            self.close_group()?;
        }
        if self.account.is_none() {
            self.used = 0;
            return Ok(misplaced("a movement (21) without an old balance (1)"));
        }
        if is_part && !self.belongs(line) {
            return Ok(misplaced("a detail of a movement that is not before it"));
        }
        if self.used > PARTS_MAX {
            let message = format!("the movement has more than {PARTS_MAX} details");
            return Ok(Err((QuarantineReason::TooLong, message)));
        }
        if self.group.len() == self.used {
            self.group.push(Movement::default());
        }
        let Some(movement) = self.group.get_mut(self.used) else {
            return Ok(Ok(()));
        };
        if let Err(refusal) = movement.begin(line) {
            return Ok(Err(refusal));
        }
        self.used += 1;
        Ok(Ok(()))
    }

    /// Whether the record has the number of the movement that is read.
    fn belongs(&self, line: &Line<'_>) -> bool {
        let movement = self.group.first().filter(|_| self.used > 0);
        movement.is_some_and(|m| columns(m.sequence(), 1, 4) == columns(line.bytes, 3, 6))
    }

    /// The part of the movement that came last.
    fn last(&mut self) -> Option<&mut Movement> {
        let last = self.used.checked_sub(1)?;
        self.group.get_mut(last)
    }

    fn go_on(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        self.is_informing = false;
        match self.last() {
            Some(movement) if movement.sequence() == sequence(line.bytes) => {
                if movement.go_on(line) {
                    return Ok(());
                }
                misplaced("a second record of this kind for one movement")
            }
            _ => misplaced("it goes on with a movement that is not before it"),
        }
    }

    fn inform(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let begins = line.bytes.get(1) == Some(&b'1');
        if !self.belongs(line) || !(begins || self.is_informing) {
            return misplaced("it informs about a movement that is not before it");
        }
        self.is_informing = true;
        if self.last().is_some_and(|movement| movement.inform(line)) {
            return Ok(());
        }
        let message = "the movement has more information than 64 KiB".to_owned();
        Err((QuarantineReason::TooLong, message))
    }

    fn message(&mut self, line: &Line<'_>) {
        let text = columns(line.bytes, 33, 112).trim_ascii();
        let words = || decode(text).into_owned();
        self.desk.note(&MESSAGE, line.number, words);
    }

    /// Writes the movement that is whole, or the payments that it is the total of.
    fn close_group(&mut self) -> Result<(), ReadError> {
        let used = std::mem::take(&mut self.used);
        self.is_informing = false;
        let Some(account) = &mut self.account else {
            return Ok(());
        };
        let Some((movement, parts)) = self.group.get(..used).and_then(<[_]>::split_first) else {
            return Ok(());
        };
        if let Some(direction) = movement.direction {
            account.ledger.add(direction, movement.amount);
            self.tally.ledger.add(direction, movement.amount);
        }
        let is_total = matches!(movement.kind(), b'1' | b'2');
        let payments = parts.iter().filter(|part| is_payment(part));
        let sum: Amount = payments.map(Movement::signed).sum();
        if !is_total || !parts.first().is_some_and(is_payment) {
            let parts: Vec<&Movement> = parts.iter().collect();
            return entry::write(movement, &parts, account, &mut self.desk);
        }
        if sum == movement.signed() {
            return write_payments(parts, account, &mut self.desk);
        }
        let total = movement.signed();
        self.desk.note(&NO_SUM, movement.first.number(), || {
            format!("{total}, with details of {sum}")
        });
        let parts: Vec<&Movement> = parts.iter().collect();
        entry::write(movement, &parts, account, &mut self.desk)
    }

    fn end_account(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.close_group()?;
        let Some(account) = self.account.take() else {
            return Ok(misplaced("a new balance (8) without an old one (1)"));
        };
        let standing = match Account::closing(line) {
            Ok(standing) => standing,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if let Some(found) = account.other_sequence(line) {
            let begun = account.sequence;
            self.desk.note(&GAP, line.number, || {
                format!("a statement begins with number {begun} and ends with {found}")
            });
        }
        if let Some(found) = account.other_account(line) {
            self.desk.note(&OTHER_ACCOUNT, line.number, || found);
        }
        self.balance(&account, line.number, &standing, ("8", "closing_ledger"))?;
        self.desk.statement(account.numbered(&standing))?;
        let ledger = account.ledger;
        let notice = ledger.roll_forward(&account.number, line.number, standing.amount);
        self.desk.report(notice)?;
        Ok(Ok(()))
    }

    /// Closes a statement that has no new balance.
    fn close_account(&mut self, line: u64) -> Result<(), ReadError> {
        self.close_group()?;
        let Some(account) = self.account.take() else {
            return Ok(());
        };
        let found = format!(
            "account {} (line {}) has no new balance",
            account.number, account.line
        );
        self.desk
            .missing(line, found, "a record 8 before this line")
    }

    fn end_file(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.close_account(line.number)?;
        if self.header.take().is_none() {
            return Ok(misplaced("a trailer (9) without a header (0)"));
        }
        let tally = std::mem::take(&mut self.tally);
        let Some(count) = digits(columns(line.bytes, 17, 22)) else {
            let message = "the trailer's count is not a number".to_owned();
            return Ok(Err((QuarantineReason::BadStructure, message)));
        };
        let total =
            |first, last, what| minor_amount(columns(line.bytes, first, last), DECIMALS, what);
        let totals = total(23, 37, "debit total").and_then(|debits| {
            let credits = total(38, 52, "credit total")?;
            Ok((debits, credits))
        });
        let (debits, credits) = match totals {
            Ok(totals) => totals,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let (at, read) = (line.number, tally.ledger);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let counts = control_count(
            "the trailer's count of records is",
            at,
            count,
            tally.records,
        );
        self.desk.report(counts)?;
        let total = control_total("the trailer's total of debits is", at, debits, read.debits);
        self.desk.report(total)?;
        let total = control_total(
            "the trailer's total of credits is",
            at,
            credits,
            read.credits,
        );
        self.desk.report(total)?;
        Ok(Ok(()))
    }

    /// Hands over what is left.
    pub fn finish(mut self, size: (u64, u64)) -> Result<Counts, ReadError> {
        self.close_group()?;
        if self.header.is_some() || self.account.is_some() {
            let found = "the file ends without its trailer".to_owned();
            self.desk.truncated(found, "a record 9 with the totals")?;
        }
        self.desk.finish(size)
    }
}

fn misplaced(what: &str) -> Result<(), Refusal> {
    let message = format!("{what}; correct or ask for the records before it");
    Err((QuarantineReason::MisplacedRecord, message))
}

/// Whether a part of a total is a payment of its own, not a detail of one.
fn is_payment(part: &Movement) -> bool {
    matches!(part.kind(), b'5'..=b'7')
}

/// Writes each payment with the details that stand behind it.
fn write_payments(
    parts: &[Movement],
    account: &Account,
    desk: &mut Desk<'_>,
) -> Result<(), ReadError> {
    let mut rest = parts;
    while let Some((payment, behind)) = rest.split_first() {
        let next = behind.iter().position(is_payment).unwrap_or(behind.len());
        let (details, others) = behind.split_at(next);
        let details: Vec<&Movement> = details.iter().collect();
        entry::write(payment, &details, account, desk)?;
        rest = others;
    }
    Ok(())
}
