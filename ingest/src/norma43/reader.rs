//! Walks the records of a Norma 43 file.

use tieout_core::{Amount, Date, FindingCode, QuarantineReason, Severity};

use super::account::{Account, Closing, count};
use super::movement::Movement;
use crate::fixed::columns;
use crate::format::{Counts, ReadError};
use crate::lines::Line;
use crate::national::{Desk, Oddity, RecordReader, Refusal, control_count};
use crate::rows::Balance;

const NO_TRAILER: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "files without their count of records",
    expected: "an 88 record at the end",
    action: "The accounts are whole, but one more may be missing; ask the bank.",
};
const OTHER_ACCOUNT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::UnexpectedRecord,
    what: "closing records (33) of another account than the opening one (11)",
    expected: "the same account in both",
    action: "They are read as the closing of the account that is open; ask the bank.",
};

pub(super) struct Reader<'a> {
    desk: Desk<'a>,
    account: Option<Account>,
    movement: Movement,
    /// Records since the beginning or the last 88.
    records: u64,
    last_line: u64,
}

impl<'a> RecordReader<'a> for Reader<'a> {
    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.last_line = line.number;
        let code = columns(line.bytes, 1, 2);
        if code != b"88" {
            self.records += 1;
        }
        let outcome = match code {
            b"11" => self.open(line)?,
            b"22" => self.movement(line)?,
            b"23" => self.complement(line, Movement::concept),
            b"24" => self.complement(line, Movement::equivalent),
            b"33" => self.close(line)?,
            b"88" => self.end(line)?,
            _ => Err((
                QuarantineReason::UnknownRecord,
                "the record begins with none of 11, 22, 23, 24, 33, 88".to_owned(),
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
            account: None,
            movement: Movement::default(),
            records: 0,
            last_line: 0,
        }
    }

    fn open(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.leave(line.number)?;
        let (account, opening) = match Account::open(line) {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let day_before = account.from.map(|date| date.plus_days(-1));
        let kind = ("11", "opening_ledger");
        self.balance(&account, line.number, (opening, day_before), kind)?;
        self.account = Some(account);
        Ok(Ok(()))
    }

    fn balance(
        &mut self,
        account: &Account,
        line: u64,
        (amount, as_of_date): (Amount, Option<Date>),
        (type_code, balance_type): (&str, &str),
    ) -> Result<(), ReadError> {
        self.desk.balance(&Balance {
            source_line: line,
            account: &account.number,
            currency: account.currency,
            type_code,
            balance_type,
            as_of_date,
            amount,
            item_count: None,
        })
    }

    fn movement(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.write_movement()?;
        let Some(account) = &mut self.account else {
            let message = "a movement (22) without an account (11); ask for the record before it";
            return Ok(Err((QuarantineReason::MisplacedRecord, message.to_owned())));
        };
        if let Err(refusal) = self.movement.begin(line) {
            self.movement.discard();
            return Ok(Err(refusal));
        }
        if let Some(direction) = self.movement.direction {
            account.ledger.add(direction, self.movement.amount);
        }
        Ok(Ok(()))
    }

    fn complement(
        &mut self,
        line: &Line<'_>,
        add: impl FnOnce(&mut Movement, &Line<'_>) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        if self.movement.is_open() {
            return add(&mut self.movement, line);
        }
        let message = "it goes on with no movement (22), or with one in quarantine".to_owned();
        Err((QuarantineReason::MisplacedRecord, message))
    }

    fn write_movement(&mut self) -> Result<(), ReadError> {
        if let Some(account) = self.account.as_ref().filter(|_| self.movement.is_open()) {
            self.movement.write(account, &mut self.desk)?;
            self.movement.discard();
        }
        Ok(())
    }

    fn close(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.write_movement()?;
        let closing = match Closing::read(line.bytes) {
            Ok(closing) => closing,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(account) = self.account.take() else {
            let message = "a closing record (33) without an account (11)".to_owned();
            return Ok(Err((QuarantineReason::MisplacedRecord, message)));
        };
        if closing.number != account.number {
            let number = closing.number.clone();
            self.desk.note(&OTHER_ACCOUNT, line.number, || number);
        }
        let kind = ("33", "closing_ledger");
        self.balance(&account, line.number, (closing.amount, account.to), kind)?;
        for notice in account.compare(&closing, line.number) {
            self.desk.report(notice)?;
        }
        Ok(Ok(()))
    }

    /// Closes an account that has no 33.
    fn leave(&mut self, line: u64) -> Result<(), ReadError> {
        self.write_movement()?;
        let Some(account) = self.account.take() else {
            return Ok(());
        };
        let found = format!(
            "account {} (line {}) has no closing record",
            account.number, account.line
        );
        self.desk
            .missing(line, found, "a 33 record before this line")
    }

    fn end(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.leave(line.number)?;
        let records = std::mem::take(&mut self.records);
        let found = match count(columns(line.bytes, 21, 26)) {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let notice = control_count(
            "the file's count of records is",
            line.number,
            found,
            records,
        );
        self.desk.report(notice)?;
        Ok(Ok(()))
    }

    /// Hands over what is left.
    pub fn finish(mut self, size: (u64, u64)) -> Result<Counts, ReadError> {
        self.write_movement()?;
        if let Some(account) = self.account.take() {
            let found = format!("the file ends inside account {}", account.number);
            self.desk
                .truncated(found, "a 33 record with totals and an 88 record")?;
        } else if self.records > 0 {
            self.desk.note(&NO_TRAILER, self.last_line, String::new);
        }
        self.desk.finish(size)
    }
}
