//! A row with a date becomes a bank line.

use std::borrow::Cow;

use tieout_core::check_digits::is_iban;
use tieout_core::{Amount, Currency, Date, Direction, IdentityHasher, LineId, QuarantineReason};

use super::columns::Columns;
use super::conventions::Conventions;
use super::date::LastDate;
use super::money::Refusal;
use super::row::Row;
use super::words::{Meaning, fold, words};
use crate::rows::{BankLine, BookingStatus};

/// The dates of the line before.
#[derive(Clone, Debug, Default)]
pub(super) struct LastDates {
    pub date: LastDate,
    pub value_date: LastDate,
}

/// The values of a row that had to be checked.
#[derive(Clone, Debug)]
pub(super) struct Entry<'a> {
    columns: &'a Columns,
    row: &'a Row,
    account: Cow<'a, str>,
    date: Date,
    value_date: Option<Date>,
    /// What the row does to the account; none if it has no money.
    pub effect: Option<Amount>,
    pub currency: Currency,
    /// What the bank took for the line.
    fee: Option<Amount>,
    /// Whether something tells the currency.
    pub has_currency: bool,
    pub status: BookingStatus,
    /// Whether the status is a word that is known.
    pub has_known_status: bool,
    text: Cow<'a, str>,
}

impl<'a> Entry<'a> {
    /// Checks the cells of `row`, which stands below the name of the account `section`.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn check(
        row: &'a Row,
        columns: &'a Columns,
        conventions: &Conventions,
        section: &'a str,
        dates: &mut LastDates,
    ) -> Result<Self, Refusal> {
        if !columns.names.is_empty() && row.width() > columns.width() {
            let (found, expected) = (row.width(), columns.width());
            let message = format!(
                "the line has {found} cells under a heading of {expected}; quote the text that \
                 has a separator in it"
            );
            return Err((QuarantineReason::BadStructure, message));
        }
        let text_of_date = columns.cell(row, Meaning::Date);
        let (booking_date, second) =
            date(text_of_date, &mut dates.date, conventions, Meaning::Date)?.unzip();
        let money = &conventions.money;
        let effect = money
            .effect(columns, row)
            .map_err(|unread| money.refusal(unread, columns, row))?;
        if effect.is_none() && columns.money().any(|column| column >= row.len()) {
            let message = "the line ends before its amount; ask for the file again".to_owned();
            return Err((QuarantineReason::BadStructure, message));
        }
        // A sign that several currencies have gives way to whatever names one.
        let beside = effect.and_then(|effect| effect.currency);
        let named = currency(row, columns)?;
        let sure = |told: Option<(Currency, bool)>| told.filter(|(_, is_sure)| *is_sure);
        let told = sure(named)
            .or(sure(beside))
            .map(|(currency, _)| currency)
            .or(conventions.currency.map(|(currency, _)| currency))
            .or(named.or(beside).map(|(currency, _)| currency));
        let (status, has_known_status) = status(columns.cell(row, Meaning::Status));
        let text_of_date = columns.cell(row, Meaning::ValueDate);
        let last = &mut dates.value_date;
        let value_date = date(text_of_date, last, conventions, Meaning::ValueDate)?;
        let value_date = value_date.map(|(date, _)| date);
        Ok(Self {
            account: account(columns.cell(row, Meaning::Account), section),
            date: booking_date.ok_or_else(no_date)?,
            value_date: value_date.or(second.flatten()),
            effect: effect.map(|effect| effect.amount),
            fee: money
                .fee(columns, row)
                .map_err(|unread| money.refusal(unread, columns, row))?,
            currency: told.unwrap_or(Currency::NONE),
            has_currency: told.is_some(),
            status: if effect.is_none() {
                BookingStatus::Information
            } else {
                status
            },
            has_known_status,
            text: text(row, columns),
            columns,
            row,
        })
    }

    fn cell(&self, meaning: Meaning) -> &'a str {
        self.columns.cell(self.row, meaning)
    }

    /// The row of the table. An effect below zero is a debit of the amount without its sign.
    pub fn line(&'a self) -> BankLine<'a> {
        let effect = self.effect.unwrap_or_default();
        BankLine {
            source_line: self.row.line,
            account: &self.account,
            booking_date: Some(self.date),
            value_date: self.value_date,
            direction: if effect.is_negative() {
                Direction::Debit
            } else {
                Direction::Credit
            },
            amount: effect.abs(),
            type_code: self.cell(Meaning::TypeCode),
            bank_reference: self.cell(Meaning::Reference),
            end_to_end_id: self.cell(Meaning::EndToEndId),
            check_number: self.cell(Meaning::CheckNumber),
            counterparty_name: self.cell(Meaning::Name),
            counterparty_account: self.cell(Meaning::OtherAccount),
            remittance_text: &self.text,
            mandate_id: self.cell(Meaning::MandateId),
            status: self.status,
            charges: self.fee,
            bytes: self.row.start..self.row.end,
            ..BankLine::blank(self.identity(effect), self.currency)
        }
    }

    /// What makes the line what it is. Neither the balance nor the status: another export of the
    /// same line may have others.
    fn identity(&self, effect: Amount) -> LineId {
        let mut hasher = IdentityHasher::new("bank_csv");
        hasher.field(self.account.as_bytes());
        hasher.field(&self.date.days().to_le_bytes());
        hasher.field(&self.value_date.map_or(0, Date::days).to_le_bytes());
        hasher.field(&effect.units().to_le_bytes());
        hasher.field(self.currency.as_str().as_bytes());
        for meaning in [
            Meaning::TypeCode,
            Meaning::Reference,
            Meaning::EndToEndId,
            Meaning::CheckNumber,
            Meaning::Name,
            Meaning::OtherAccount,
            Meaning::MandateId,
        ] {
            hasher.field(self.cell(meaning).as_bytes());
        }
        hasher.field(self.text.as_bytes());
        hasher.finish()
    }

    /// The account, and the date on which a balance beside the line holds.
    pub fn place(&self) -> (&str, Date) {
        (&self.account, self.date)
    }
}

fn no_date() -> Refusal {
    (
        QuarantineReason::MissingField,
        "the line has no date".to_owned(),
    )
}

/// The date that the text in the column of this meaning is, with the second one in its cell; none if
/// it is empty.
fn date(
    text: &str,
    last: &mut LastDate,
    conventions: &Conventions,
    meaning: Meaning,
) -> Result<Option<(Date, Option<Date>)>, Refusal> {
    if text.is_empty() {
        return Ok(None);
    }
    let order = conventions.dating.order;
    let read = last.read(text);
    let read = read.and_then(|dated| Some((dated.date(order)?, dated.second(order))));
    read.map(Some).ok_or_else(|| {
        let expected = conventions.dating.words();
        let message = format!(
            "the {} is {text:?}, expected a date {expected}",
            meaning.words()
        );
        (QuarantineReason::BadDate, message)
    })
}

/// The currency in its column: a code, or a sign, with whether it can mean no other.
fn currency(row: &Row, columns: &Columns) -> Result<Option<(Currency, bool)>, Refusal> {
    let text = columns.cell(row, Meaning::Currency);
    if text.is_empty() {
        return Ok(None);
    }
    let symbol = || {
        let mut symbols = words().symbols.iter();
        symbols
            .find(|(symbol, ..)| symbol == text)
            .map(|(_, currency, is_sure)| (*currency, *is_sure))
    };
    let code = Currency::parse(text.as_bytes())
        .or_else(|_| Currency::parse(text.to_ascii_uppercase().as_bytes()));
    let code = code.ok().map(|code| (code, true));
    code.or_else(symbol).map(Some).ok_or_else(|| {
        let message = format!("the currency is {text:?}, expected a code such as EUR");
        (QuarantineReason::BadCurrency, message)
    })
}

/// An account number without the blanks that people put into IBANs.
fn account<'a>(cell: &'a str, of_file: &'a str) -> Cow<'a, str> {
    if cell.is_empty() {
        return Cow::Borrowed(of_file);
    }
    if cell.contains(' ') {
        let joined = cell.replace(' ', "");
        if is_iban(joined.as_bytes()) {
            return Cow::Owned(joined);
        }
    }
    Cow::Borrowed(cell)
}

fn status(cell: &str) -> (BookingStatus, bool) {
    if cell.is_empty() {
        return (BookingStatus::Booked, true);
    }
    let word = fold(cell);
    if words().pending.contains(&word) {
        (BookingStatus::Pending, true)
    } else if words().void.contains(&word) {
        (BookingStatus::Information, true)
    } else {
        let is_known = word.is_empty() || words().booked.contains(&word);
        (BookingStatus::Booked, is_known)
    }
}

/// All cells of text, in their order.
fn text<'a>(row: &'a Row, columns: &Columns) -> Cow<'a, str> {
    let cells = columns.places(Meaning::Text).map(|column| row.cell(column));
    let mut filled = cells.filter(|cell| !cell.is_empty());
    let mut text = Cow::Borrowed(filled.next().unwrap_or_default());
    for cell in filled {
        let text = text.to_mut();
        text.push(' ');
        text.push_str(cell);
    }
    text
}
