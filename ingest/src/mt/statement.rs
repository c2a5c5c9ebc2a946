//! Messages 940, 942 and 950: a statement's header, its lines, its balances.

use tieout_core::check_digits::is_iban;
use tieout_core::{Currency, Direction, QuarantineReason};

use super::entry::{Entry, Refusal};
use super::field::{Field, Tag};
use super::header::{End, Header};
use super::narrative::{Narrative, has_subfields};
use super::output::{Oddity, Output};
use super::row;
use super::sequence::{Sequence, StatementNumber};
use super::totals::Totals;
use super::values::{self, StatedBalance};
use crate::format::ReadError;
use crate::rows::{Balance, decode};

/// What a field 86 now would be about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum About {
    #[default]
    Nothing,
    Line,
    /// A line in quarantine.
    RefusedLine,
    Statement,
}

/// Reads the fields of statements, one after the other.
#[derive(Default)]
pub(super) struct Statements {
    header: Header,
    totals: Totals,
    about: About,
    /// The line whose texts may still come.
    entry: Option<Entry>,
    entry_field: Field,
    text: Field,
    numbered: Field,
    narrative: Narrative,
    sequence: Sequence,
}

impl Statements {
    /// A message begins.
    pub fn begin(&mut self, line: u64, is_interim: bool) {
        self.header = Header {
            line,
            is_interim,
            ..Header::default()
        };
        self.totals = Totals::default();
        self.about = About::Nothing;
    }

    /// Whether the closing balance or totals were read, so that another message may begin.
    pub fn is_closed(&self) -> bool {
        self.header.closing.is_some() || self.totals.is_expecting()
    }

    /// Whether the message has no field yet.
    pub fn is_new(&self) -> bool {
        !self.header.has_fields
    }

    /// Reads a field; its buffers may be taken.
    pub fn field(&mut self, field: &mut Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        self.header.has_fields = true;
        let number = field.tag.number();
        if !matches!(&number, b"86" | b"NS") {
            self.write_entry(out)?;
        }
        match &number {
            b"20" | b"21" | b"25" | b"28" | b"13" | b"34" | b"60" if self.has_lines() => {
                let message = "a field of a statement's header stands behind its lines; correct \
                               its tag";
                let refusal = (QuarantineReason::MisplacedRecord, message.to_owned());
                out.refuse(field, &refusal)
            }
            b"20" | b"21" => Ok(()),
            b"25" => {
                self.account(field, out);
                Ok(())
            }
            b"28" => self.statement_number(field, out),
            b"13" => self.report_time(field, out),
            b"34" => self.floor(field, out),
            b"60" => self.opening(field, out),
            b"61" => self.line(field, out),
            b"86" | b"NS" => self.text(field, out),
            b"62" => self.closing(field, out),
            b"64" | b"65" => {
                self.about = About::Statement;
                self.stated_balance(field, out).map(|_| ())
            }
            b"90" => self.control_total(field, out),
            _ => {
                let message = format!(
                    "statements have no field `{}`; correct its tag",
                    field.tag.as_str()
                );
                out.refuse(field, &(QuarantineReason::UnknownRecord, message))
            }
        }
    }

    fn has_lines(&self) -> bool {
        self.totals.has_lines() || self.about != About::Nothing
    }

    fn account(&mut self, field: &Field, out: &mut Output<'_>) {
        let (number, currency) = values::account(field.first_line());
        self.header.account = decode(number).into_owned();
        self.header.currency = currency;
        self.header.identify();
        if values::has_iban_shape(number) && !is_iban(number) {
            out.note(Oddity::CheckDigits, field.line());
        }
    }

    fn statement_number(&mut self, field: &Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        let text = field.first_line();
        self.header.number_text = decode(text).into_owned();
        self.header.number = StatementNumber::parse(text).unwrap_or_default();
        self.header.identify();
        if StatementNumber::parse(text).is_some() {
            return Ok(());
        }
        let message = "the statement number does not read; expected digits, `/` and the page";
        out.refuse(field, &(QuarantineReason::BadValue, message.to_owned()))
    }

    fn report_time(&mut self, field: &Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        let day = field.first_line().get(..6).and_then(values::date);
        self.header.reported = day.map(|day| day.value);
        self.header.identify();
        if day.is_some() {
            return Ok(());
        }
        let message = "the time of the report does not read; expected YYMMDDhhmm";
        out.refuse(field, &(QuarantineReason::BadDate, message.to_owned()))
    }

    /// The floor: lines below it are not reported. It is what makes a message a 942.
    fn floor(&mut self, field: &Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        let text = field.first_line();
        let currency = text.get(..3).and_then(|code| Currency::parse(code).ok());
        let digits = text.get(3..).unwrap_or_default();
        let digits = match digits.split_first() {
            Some((b'C' | b'D', digits)) => digits,
            _ => digits,
        };
        self.header.is_interim = true;
        let (Some(currency), Some(floor)) = (currency, values::amount(digits, currency)) else {
            let message = "the floor does not read; expected a currency, C or D, and an amount";
            return out.refuse(field, &(QuarantineReason::BadAmount, message.to_owned()));
        };
        self.header.currency = Some(currency);
        self.header.has_floor |= !floor.value.is_zero();
        Ok(())
    }

    fn opening(&mut self, field: &Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        if self.header.opening.is_some() {
            let message = "a second opening balance in one statement";
            let refusal = (QuarantineReason::MisplacedRecord, message.to_owned());
            return out.refuse(field, &refusal);
        }
        self.header.is_page = field.tag.option() == b'M';
        if let Some(balance) = self.stated_balance(field, out)? {
            self.header.opening = Some(balance);
            self.header.currency = balance.currency;
            self.header.identify();
        }
        Ok(())
    }

    fn closing(&mut self, field: &Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        self.about = About::Statement;
        let balance = self.stated_balance(field, out)?;
        self.header.closing = self.header.closing.or(balance);
        Ok(())
    }

    /// Reads a balance into its row.
    fn stated_balance(
        &mut self,
        field: &Field,
        out: &mut Output<'_>,
    ) -> Result<Option<StatedBalance>, ReadError> {
        let read = StatedBalance::parse(field.first_line(), self.header.currency);
        let read = read.and_then(|balance| {
            let problem = "its currency is no code of three letters";
            let currency = balance
                .currency
                .ok_or((QuarantineReason::BadCurrency, problem))?;
            Ok((balance, currency))
        });
        let (balance, currency) = match read {
            Ok(read) => read,
            Err((reason, problem)) => {
                let message = format!("the balance does not read: {problem}");
                out.refuse(field, &(reason, message))?;
                return Ok(None);
            }
        };
        if let Some(looseness) = balance.looseness {
            out.note(looseness, field.line());
        }
        out.balance(&Balance {
            source_line: field.line(),
            account: &self.header.account,
            currency,
            type_code: field.tag.as_str(),
            balance_type: balance_type(field.tag),
            as_of_date: Some(balance.date),
            amount: balance.amount,
            item_count: None,
        })?;
        Ok(Some(balance))
    }

    fn control_total(&mut self, field: &Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        self.about = About::Statement;
        let text = field.first_line();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (count, rest) = text.split_at(digits);
        let count = std::str::from_utf8(count)
            .ok()
            .and_then(|count| count.parse().ok());
        let currency = rest.get(..3).and_then(|code| Currency::parse(code).ok());
        let amount = rest
            .get(3..)
            .and_then(|digits| values::amount(digits, currency));
        let side = values::mark(field.tag.option());
        let (Some(count), Some(currency), Some(amount), Some(side)) =
            (count, currency, amount, side)
        else {
            let message = "the control total does not read; expected a count, a currency and an \
                           amount under 90C or 90D";
            return out.refuse(field, &(QuarantineReason::BadAmount, message.to_owned()));
        };
        self.totals
            .expect(side, field.line(), Some(count), Some(amount.value));
        out.balance(&Balance {
            source_line: field.line(),
            account: &self.header.account,
            currency,
            type_code: field.tag.as_str(),
            balance_type: balance_type(field.tag),
            as_of_date: self.header.reported,
            amount: amount.value,
            item_count: Some(count),
        })
    }

    /// A line begins; it is written once its texts are known.
    fn line(&mut self, field: &mut Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        match self.checked_line(field) {
            Ok(entry) => {
                if let Some(looseness) = entry.looseness {
                    out.note(looseness, field.line());
                }
                self.totals.add(&entry);
                self.entry = Some(entry);
                self.about = About::Line;
                std::mem::swap(&mut self.entry_field, field);
                Ok(())
            }
            Err(refusal) => {
                self.totals.refused += 1;
                self.about = About::RefusedLine;
                out.refuse(field, &refusal)
            }
        }
    }

    fn checked_line(&self, field: &Field) -> Result<Entry, Refusal> {
        let entry = Entry::parse(field.value(), self.header.currency)?;
        if self.header.currency.is_none() {
            let message = "the line has no currency, because no balance (60) or floor (34F) \
                           before it gives one; ask for the whole statement";
            return Err((QuarantineReason::BadCurrency, message.to_owned()));
        }
        Ok(entry)
    }

    fn text(&mut self, field: &mut Field, out: &mut Output<'_>) -> Result<(), ReadError> {
        let is_numbered = field.tag.number() == *b"NS";
        match self.about {
            About::Line => {
                let kept = if is_numbered {
                    &mut self.numbered
                } else {
                    &mut self.text
                };
                if kept.is_empty() {
                    std::mem::swap(kept, field);
                    return Ok(());
                }
                // Rabobank gives every line of a text its own tag.
                let is_text = !is_numbered && !has_subfields(kept.value());
                if is_text && field.lines().all(|line| kept.has_room(&line)) {
                    kept.add_value_of(field);
                    return Ok(());
                }
                let message = "a second text of one line of the statement; a line (61) may be \
                               missing between the two";
                out.refuse(
                    field,
                    &(QuarantineReason::MisplacedRecord, message.to_owned()),
                )
            }
            About::RefusedLine => {
                let message = "it belongs to the line before, which is in quarantine";
                out.refuse(
                    field,
                    &(QuarantineReason::MisplacedRecord, message.to_owned()),
                )
            }
            About::Statement => {
                self.totals.expect_from_text(field);
                out.note(Oddity::StatementText, field.line());
                Ok(())
            }
            // The name and type of the account, which some banks write before the balance.
            About::Nothing if is_numbered => Ok(()),
            About::Nothing => {
                let message = "a text (86) before any line (61) of the statement";
                out.refuse(
                    field,
                    &(QuarantineReason::MisplacedRecord, message.to_owned()),
                )
            }
        }
    }

    fn write_entry(&mut self, out: &mut Output<'_>) -> Result<(), ReadError> {
        let (Some(entry), Some(currency)) = (self.entry.take(), self.header.currency) else {
            return Ok(());
        };
        if self.text.is_empty() {
            self.narrative.read_numbered(self.numbered.value());
        } else {
            self.narrative.read(self.text.value());
        }
        let line = row::Line {
            header: &self.header,
            currency,
            entry: &entry,
            field: &self.entry_field,
            text: &self.text,
            numbered: &self.numbered,
            narrative: &self.narrative,
        };
        line.write(out)?;
        self.text.clear();
        self.numbered.clear();
        Ok(())
    }

    /// The message ends: what it says of itself is compared.
    pub fn end(&mut self, end: End, out: &mut Output<'_>) -> Result<(), ReadError> {
        self.write_entry(out)?;
        let lacks = self.header.lacks(end, self.totals.is_expecting());
        let tie = self.header.balances_tie(&self.totals);
        let totals = self.totals.compare(!self.header.has_floor);
        for notice in lacks.into_iter().chain(tie).chain(totals) {
            out.report(notice)?;
        }
        let Some((currency, stated)) = self.header.stated() else {
            return Ok(());
        };
        let account = &self.header.account;
        let notices = self.sequence.follow(account, currency, stated);
        let mut notices = notices.into_iter().flatten();
        notices.try_for_each(|notice| out.report(notice))?;
        self.header
            .numbered(currency)
            .map_or(Ok(()), |statement| out.statement(statement))
    }
}

fn balance_type(tag: Tag) -> &'static str {
    match (&tag.number(), tag.option()) {
        (b"60", b'M') => "intermediate opening",
        (b"60", _) => "opening",
        (b"62", b'M') => "intermediate closing",
        (b"62", _) => "closing",
        (b"64", _) => "closing available",
        (b"65", _) => "forward available",
        (_, option) => match values::mark(option) {
            Some(Direction::Debit) => "total debits",
            _ => "total credits",
        },
    }
}
