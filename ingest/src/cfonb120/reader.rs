//! Walks the records of a CFONB 120 file.

use tieout_core::{Amount, Currency, Date, QuarantineReason};

use super::movement::{Movement, amount_of, currency_of};
use crate::fixed::{columns, trimmed};
use crate::format::{Counts, ReadError};
use crate::lines::Line;
use crate::national::{Desk, Ledger, RecordReader, Refusal, decode, optional_date};
use crate::rows::Balance;

/// The currency of a statement in which nothing names one.
const USUAL_CURRENCY: &[u8] = b"EUR";

/// A statement of one account.
#[expect(
    clippy::struct_field_names,
    reason = "statements have identifiers of their own"
)]
struct Statement {
    line: u64,
    /// As written: bank, branch and number.
    account: String,
    /// The number alone, which all its records repeat.
    number: Vec<u8>,
    currency: Option<Currency>,
    opening: Option<(Amount, Option<Date>)>,
    /// The opening balance has become a row.
    is_opening_written: bool,
    statement_id: String,
    ledger: Ledger,
}

pub(super) struct Reader<'a> {
    desk: Desk<'a>,
    statement: Option<Statement>,
    movement: Movement,
    is_anything_read: bool,
}

impl<'a> RecordReader<'a> for Reader<'a> {
    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let outcome = match columns(line.bytes, 1, 2) {
            b"01" => self.open(line)?,
            b"04" => self.movement(line)?,
            b"05" => self.detail(line),
            b"07" => self.close(line)?,
            _ => Err((
                QuarantineReason::UnknownRecord,
                "the record begins with none of 01, 04, 05, 07".to_owned(),
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
            statement: None,
            movement: Movement::default(),
            is_anything_read: false,
        }
    }

    fn open(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.leave(line.number)?;
        self.is_anything_read = true;
        let standing = Standing::read(line.bytes);
        let mut statement = Statement::begin(line, standing.as_ref().ok());
        let outcome = standing.map(|standing| {
            statement.opening = Some((standing.amount, standing.date));
            statement.currency = standing.currency;
            statement.ledger.opening = Some(standing.amount);
        });
        self.statement = Some(statement);
        Ok(outcome)
    }

    fn movement(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.write_movement()?;
        self.is_anything_read = true;
        self.enter(line)?;
        let Some(statement) = &mut self.statement else {
            return Ok(Ok(()));
        };
        if let Err(refusal) = self.movement.begin(line, statement.currency) {
            self.movement.discard();
            return Ok(Err(refusal));
        }
        let (direction, amount) = (self.movement.direction(), self.movement.amount.abs());
        statement.ledger.add(direction, amount);
        if statement.currency.is_none() {
            statement.currency = currency_of(line.bytes).ok().flatten();
        }
        Ok(Ok(()))
    }

    /// Makes sure that the statement of the record's account is open.
    fn enter(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let number = columns(line.bytes, 22, 32);
        if self
            .statement
            .as_ref()
            .is_some_and(|open| open.number == number)
        {
            return Ok(());
        }
        self.leave(line.number)?;
        let statement = Statement::begin(line, None);
        let found = format!("account {} begins without its 01 record", statement.account);
        self.statement = Some(statement);
        self.desk
            .missing(line.number, found, "an 01 record with the opening balance")
    }

    fn detail(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        if !self.movement.is_open() {
            let message = "a detail (05) of no movement, or of one in quarantine".to_owned();
            return Err((QuarantineReason::MisplacedRecord, message));
        }
        if self.movement.say(line) {
            return Ok(());
        }
        let message = "the movement has more details than 64 KiB".to_owned();
        Err((QuarantineReason::TooLong, message))
    }

    fn close(&mut self, line: &Line<'_>) -> Result<Result<(), Refusal>, ReadError> {
        self.write_movement()?;
        self.is_anything_read = true;
        let standing = match Standing::read(line.bytes) {
            Ok(standing) => standing,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.enter(line)?;
        let Some(mut statement) = self.statement.take() else {
            return Ok(Ok(()));
        };
        statement.currency = statement.currency.or(standing.currency);
        self.write_opening(&mut statement)?;
        let balance = (standing.amount, standing.date);
        self.balance(&statement, line.number, balance, ("07", "closing_ledger"))?;
        let account = &statement.account;
        let notice = statement
            .ledger
            .roll_forward(account, line.number, standing.amount);
        self.desk.report(notice)?;
        Ok(Ok(()))
    }

    /// Closes a statement that has no 07.
    fn leave(&mut self, line: u64) -> Result<(), ReadError> {
        self.write_movement()?;
        let Some(mut statement) = self.statement.take() else {
            return Ok(());
        };
        self.write_opening(&mut statement)?;
        let found = format!(
            "account {} (line {}) has no closing balance",
            statement.account, statement.line
        );
        self.desk
            .missing(line, found, "an 07 record before this line")
    }

    fn write_movement(&mut self) -> Result<(), ReadError> {
        let Some(statement) = self.statement.as_ref().filter(|_| self.movement.is_open()) else {
            return Ok(());
        };
        let (account, id) = (&statement.account, &statement.statement_id);
        self.movement.write(account, id, &mut self.desk)?;
        self.movement.discard();
        Ok(())
    }

    /// Writes the opening balance once it is known in which currency it is.
    fn write_opening(&mut self, statement: &mut Statement) -> Result<(), ReadError> {
        if let Some(opening) = statement.opening.filter(|_| !statement.is_opening_written) {
            statement.is_opening_written = true;
            self.balance(statement, statement.line, opening, ("01", "opening_ledger"))?;
        }
        Ok(())
    }

    fn balance(
        &mut self,
        statement: &Statement,
        line: u64,
        (amount, as_of_date): (Amount, Option<Date>),
        (type_code, balance_type): (&str, &str),
    ) -> Result<(), ReadError> {
        let usual = Currency::parse(USUAL_CURRENCY).ok();
        let Some(currency) = statement.currency.or(usual) else {
            return Ok(());
        };
        self.desk.balance(&Balance {
            source_line: line,
            account: &statement.account,
            currency,
            type_code,
            balance_type,
            as_of_date,
            amount,
            item_count: None,
        })
    }

    /// Hands over what is left.
    pub fn finish(mut self, size: (u64, u64)) -> Result<Counts, ReadError> {
        self.write_movement()?;
        if let Some(mut statement) = self.statement.take() {
            self.write_opening(&mut statement)?;
            let found = format!("the file ends inside account {}", statement.account);
            self.desk
                .truncated(found, "an 07 record with the closing balance")?;
        } else if !self.is_anything_read {
            let found = "the file has no whole record".to_owned();
            self.desk.truncated(found, "01, 04, 05 and 07 records")?;
        }
        self.desk.finish(size)
    }
}

/// What an 01 or 07 record says.
struct Standing {
    currency: Option<Currency>,
    amount: Amount,
    date: Option<Date>,
}

impl Standing {
    fn read(record: &[u8]) -> Result<Self, Refusal> {
        Ok(Self {
            currency: currency_of(record)?,
            amount: amount_of(record)?,
            date: optional_date(columns(record, 35, 40), Date::parse_ddmmyy, "date")?,
        })
    }
}

impl Statement {
    /// A statement of the account that the record names.
    fn begin(line: &Line<'_>, standing: Option<&Standing>) -> Self {
        let part = |first, last| decode(trimmed(line.bytes, first, last)).into_owned();
        let account = format!("{}:{}:{}", part(3, 7), part(12, 16), part(22, 32));
        let date = standing.and_then(|standing| standing.date);
        let date = date.map(|date| date.to_string()).unwrap_or_default();
        Self {
            line: line.number,
            statement_id: format!("{account}/{date}"),
            account,
            number: columns(line.bytes, 22, 32).to_vec(),
            currency: None,
            opening: None,
            is_opening_written: false,
            ledger: Ledger::default(),
        }
    }
}
