//! The second pass: rows become bank lines, and everything else is accounted for.

use std::rc::Rc;

use tieout_core::{Amount, Currency, QuarantineReason};

use super::columns::Columns;
use super::content::is_comment;
use super::conventions::Conventions;
use super::date::Dated;
use super::entry::{Entry, LastDates};
use super::evidence::neighbour;
use super::preamble;
use super::row::Row;
use super::shared::Shared;
use super::tally::{Neighbour, Stated, Tally};
use super::words::{Meaning, fold, words};
use crate::format::ReadError;
use crate::intake::Intake;
use crate::rows::{Balance, BankLines, BookingStatus, TableRows};

/// Reads the rows of one table.
pub(super) struct Statement<'p, 'i, 'f> {
    columns: &'p Columns,
    conventions: &'p Conventions,
    intake: &'i mut Intake<'f>,
    lines: BankLines,
    balances: TableRows<Balance<'static>>,
    tally: Tally,
    dates: LastDates,
    /// The account that a line of its own named last.
    section: Rc<str>,
    /// The account of the line before and all by which it is told from others.
    place: Shared,
}

impl<'p, 'i, 'f> Statement<'p, 'i, 'f> {
    pub fn new(
        columns: &'p Columns,
        conventions: &'p Conventions,
        intake: &'i mut Intake<'f>,
        batch_rows: usize,
    ) -> Self {
        let file_name = intake.file_name();
        Self {
            columns,
            conventions,
            lines: BankLines::new(file_name, batch_rows),
            balances: TableRows::new(file_name, batch_rows),
            tally: Tally::default(),
            dates: LastDates::default(),
            section: Rc::from(&*conventions.account),
            place: Shared::default(),
            intake,
        }
    }

    /// Reads the next row.
    pub fn row(&mut self, row: &Row) -> Result<(), ReadError> {
        if row.is_cut {
            self.tally.first_refused.get_or_insert(row.line);
            return Ok(self.intake.quarantine_long_line(&row.as_line())?);
        }
        if row.is_unclosed {
            let message = "a quote in the line does not end; correct it, or ask for the file again";
            return self.refuse(row, QuarantineReason::BadStructure, message.to_owned());
        }
        if Some(row.line) < self.columns.heading_line {
            self.stated_balance(row)?;
            return Ok(());
        }
        let is_heading =
            Some(row.line) == self.columns.heading_line || self.columns.is_heading(row);
        if is_heading || row.is_blank() {
            return Ok(());
        }
        if self.columns.heading_line.is_none() && is_comment(row) {
            self.tally.remarks.add(row.line);
            return Ok(());
        }
        let date = self.columns.cell(row, Meaning::Date);
        if self.dates.date.read(date).is_some() {
            self.dated(row)
        } else {
            self.undated(row)
        }
    }

    fn refuse(
        &mut self,
        row: &Row,
        reason: QuarantineReason,
        message: String,
    ) -> Result<(), ReadError> {
        self.tally.first_refused.get_or_insert(row.line);
        self.tally.neighbour = None;
        Ok(self.intake.quarantine(&row.as_line(), reason, message)?)
    }

    fn dated(&mut self, row: &Row) -> Result<(), ReadError> {
        self.tally.add_width(row.line, row.len());
        let section = Rc::clone(&self.section);
        let dates = &mut self.dates;
        let entry = match Entry::check(row, self.columns, self.conventions, &section, dates) {
            Ok(entry) => entry,
            Err((reason, message)) => return self.refuse(row, reason, message),
        };
        if entry.effect.is_none() && self.stated_balance(row)? {
            return Ok(());
        }
        self.tally.currencies.insert(entry.currency);
        if !entry.has_currency {
            self.tally.without_currency.add(row.line);
        }
        if !entry.has_known_status {
            self.tally.unknown_statuses.add(row.line);
        }
        match entry.effect {
            Some(effect) if entry.status != BookingStatus::Information => {
                self.tally.add_effect(effect);
                self.roll_forward(row, &entry, effect);
            }
            Some(_) => self.tally.neighbour = None,
            None => {
                self.tally.without_money.add(row.line);
                self.tally.neighbour = None;
            }
        }
        self.lines.push(&entry.line(), self.intake)
    }

    /// Holds the balance beside the line against that of the line before.
    fn roll_forward(&mut self, row: &Row, entry: &Entry<'_>, effect: Amount) {
        let Some(column) = self.columns.place(Meaning::Balance) else {
            return;
        };
        if !self.conventions.has_running_balance {
            return;
        }
        let Ok(found) = self.conventions.money.amount(row, column) else {
            self.tally.unread_balances.add(row.line);
            self.tally.neighbour = None;
            return;
        };
        let (account, date) = entry.place();
        let [written, currency] = neighbour(self.columns, row);
        self.place
            .update(&[account, &self.section, written, currency]);
        let below = found.map(|balance| Neighbour {
            place: self.place.clone(),
            line: row.line,
            effect,
            balance: balance.amount,
            currency: entry.currency,
            date,
        });
        self.tally.roll_forward(self.conventions.order, below);
    }

    fn undated(&mut self, row: &Row) -> Result<(), ReadError> {
        let label = fold(
            row.cells()
                .find(|cell| !cell.is_empty())
                .unwrap_or_default(),
        );
        if begins_with(&label, &words().total) {
            self.total(row);
            return Ok(());
        }
        if self.stated_balance(row)? {
            return Ok(());
        }
        if let Some(account) = preamble::section(row) {
            self.section = Rc::from(account);
            self.tally.neighbour = None;
            return Ok(());
        }
        let is_remark = row.filled() == 1
            && row.len() < self.columns.width()
            && !label.starts_with(|letter: char| letter.is_ascii_digit());
        if is_remark {
            self.tally.remarks.add(row.line);
            return Ok(());
        }
        let text = self.columns.cell(row, Meaning::Date);
        if text.is_empty() {
            let message = "the line has no date; join it with the line it belongs to".to_owned();
            return self.refuse(row, QuarantineReason::MissingField, message);
        }
        let expected = self.conventions.dating.words();
        let message = format!("the date is {text:?}, expected a date {expected}");
        self.refuse(row, QuarantineReason::BadDate, message)
    }

    /// Holds a line of totals against the lines above it.
    fn total(&mut self, row: &Row) {
        let mut has_total = false;
        for column in self.columns.money() {
            let read = self.conventions.money.amount(row, column);
            if let Ok(Some(total)) = read {
                has_total = true;
                let meaning = [Meaning::Debit, Meaning::Credit]
                    .into_iter()
                    .find(|&meaning| self.columns.place(meaning) == Some(column));
                let way = self.conventions.money.way;
                self.tally.total(row.line, meaning, way, total.amount);
            }
        }
        if !has_total {
            self.tally.remarks.add(row.line);
        }
    }

    /// Reads a line that gives the opening or closing balance; says whether it was one.
    fn stated_balance(&mut self, row: &Row) -> Result<bool, ReadError> {
        let Some(stated) = self.stated(row) else {
            return Ok(false);
        };
        let balance = Balance {
            source_line: row.line,
            account: &stated.account,
            currency: stated.currency,
            type_code: "",
            balance_type: if stated.is_opening {
                "opening balance"
            } else {
                "closing balance"
            },
            as_of_date: stated.date,
            amount: stated.amount,
            item_count: None,
        };
        self.balances.push(&balance, self.intake)?;
        self.tally.stated(stated);
        Ok(true)
    }

    fn stated(&self, row: &Row) -> Option<Stated> {
        let (place, is_opening) = (0..row.len()).find_map(|place| {
            let label = fold(row.cell(place));
            if begins_with(&label, &words().opening) {
                return Some((place, true));
            }
            begins_with(&label, &words().closing).then_some((place, false))
        })?;
        let mark = self.conventions.money.mark;
        let behind = row.cell(place).split_once(':').map(|(_, value)| value);
        let cells = (place + 1..row.len()).map(|place| row.cell(place));
        let mut values = behind.into_iter().chain(cells);
        let written = values.find_map(|cell| {
            let written = super::amount::Written::of(cell)?;
            Some((
                written.currency.map(|(currency, _)| currency),
                written.amount(mark, None)?,
            ))
        });
        let (currency, amount) = written?;
        let mut dates = row.cells().flat_map(|cell| cell.split([' ', ':']));
        let order = self.conventions.dating.order;
        Some(Stated {
            line: row.line,
            is_opening,
            amount,
            account: self.section.to_string(),
            currency: currency
                .or(self.conventions.currency.map(|(currency, _)| currency))
                .unwrap_or(Currency::NONE),
            date: dates.find_map(|word| Dated::of(word)?.date(order)),
        })
    }

    /// Hands over what is left and says what is wrong.
    pub fn finish(mut self) -> Result<Option<u64>, ReadError> {
        if let Some(last) = self.tally.closing(self.conventions.order) {
            let balance = Balance {
                source_line: last.line,
                account: last.place.first(),
                currency: last.currency,
                type_code: "",
                balance_type: "balance after the last line",
                as_of_date: Some(last.date),
                amount: last.balance,
                item_count: None,
            };
            self.balances.push(&balance, self.intake)?;
        }
        self.lines.flush(self.intake)?;
        self.balances.flush(self.intake)?;
        for notice in self.tally.notices() {
            self.intake.report(notice)?;
        }
        Ok(self.tally.first_refused)
    }
}

/// Whether `label` begins with one of the phrases, as whole words.
fn begins_with(label: &str, phrases: &[String]) -> bool {
    phrases.iter().any(|phrase| {
        label
            .strip_prefix(phrase.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    })
}
