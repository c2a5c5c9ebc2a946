//! Which column holds what, by what stands in it: for files without a heading.

use tieout_core::Amount;
use tieout_core::check_digits::is_iban;

use super::amount::{Mark, Told, Written};
use super::columns::Columns;
use super::date::Dated;
use super::row::Row;
use super::running_balance::RunningBalance;
use super::words::{Meaning, fold, words};

/// Columns that a table without known headings must have.
const COLUMNS_MIN: usize = 3;
/// Rows that it must have.
const ROWS_MIN: usize = 2;

/// The columns of rows that are all of one shape and have dates and money, if one reading is
/// sure. Of a first row that has neither, the columns are named but not known.
pub(super) fn columns(rows: &[Row]) -> Option<Columns> {
    let rows: Vec<&Row> = rows
        .iter()
        .filter(|row| row.filled() > 0 && !is_comment(row))
        .collect();
    let (first, below) = rows.split_first()?;
    let is_shaped = first.len() >= COLUMNS_MIN && rows.iter().all(|row| row.len() == first.len());
    if !is_shaped {
        return None;
    }
    let is_heading = first.cells().all(is_word);
    let body = if is_heading { below } else { &rows };
    if body.len() < ROWS_MIN {
        return None;
    }
    let columns = Columns::of_meanings(meanings(body, first.len())?, !is_heading);
    Some(if is_heading {
        columns.with_names(first)
    } else {
        columns
    })
}

/// Whether a row is a remark of whoever wrote the file.
pub(super) fn is_comment(row: &Row) -> bool {
    row.raw.trim_ascii_start().starts_with(b"#")
}

fn is_word(cell: &str) -> bool {
    !cell.starts_with(|letter: char| letter.is_ascii_digit()) && Written::of(cell).is_none()
}

fn meanings(rows: &[&Row], width: usize) -> Option<Vec<Option<Meaning>>> {
    let kinds: Vec<Kind> = (0..width).map(|column| Kind::of(rows, column)).collect();
    let of_kind = |kind: Kind| {
        let placed = kinds.iter().enumerate();
        placed
            .filter(move |(_, found)| **found == kind)
            .map(|(column, _)| column)
    };
    let mut meanings = vec![None; width];
    let mut put = |column: usize, meaning: Meaning| {
        if let Some(place) = meanings.get_mut(column) {
            *place = Some(meaning);
        }
    };
    let mut dates = of_kind(Kind::Date);
    put(dates.next()?, Meaning::Date);
    if let Some(column) = dates.next() {
        put(column, Meaning::ValueDate);
    }
    let money: Vec<usize> = of_kind(Kind::Money).collect();
    match money[..] {
        [amount] => put(amount, Meaning::Amount),
        [first, second] => {
            let (amount, balance) = amount_and_balance(rows, first, second)?;
            put(amount, Meaning::Amount);
            put(balance, Meaning::Balance);
        }
        _ => return None,
    }
    for (kind, meaning) in [
        (Kind::Direction, Meaning::Direction),
        (Kind::Currency, Meaning::Currency),
        (Kind::OneIban, Meaning::Account),
        (Kind::Ibans, Meaning::OtherAccount),
    ] {
        if let Some(column) = of_kind(kind).next() {
            put(column, meaning);
        }
    }
    of_kind(Kind::Words).for_each(|column| put(column, Meaning::Text));
    Some(meanings)
}

/// What all cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Date,
    Money,
    Direction,
    Currency,
    OneIban,
    Ibans,
    Words,
    Other,
}

impl Kind {
    fn of(rows: &[&Row], column: usize) -> Self {
        let cells = rows
            .iter()
            .map(|row| row.cell(column))
            .filter(|cell| !cell.is_empty());
        let all = |test: fn(&str) -> bool| cells.clone().all(test);
        let filled = cells.clone().count();
        let is_full = filled == rows.len();
        if filled == 0 {
            return Self::Other;
        }
        if is_full && all(is_plain_date) {
            return Self::Date;
        }
        if is_full && all(|cell| Written::of(cell).is_some()) && cells.clone().any(has_decimals) {
            return Self::Money;
        }
        if is_full && all(is_direction) {
            return Self::Direction;
        }
        if is_full && all(|cell| words().code(cell).is_some()) {
            return Self::Currency;
        }
        if all(|cell| is_iban(cell.replace(' ', "").as_bytes())) {
            let mut ibans = cells.clone();
            let first = ibans.next();
            return if is_full && ibans.all(|iban| Some(iban) == first) {
                Self::OneIban
            } else {
                Self::Ibans
            };
        }
        if cells
            .clone()
            .any(|cell| cell.chars().filter(|l| l.is_alphabetic()).count() > 2)
        {
            return Self::Words;
        }
        Self::Other
    }
}

/// A date with separators: bare digits may be anything.
fn is_plain_date(cell: &str) -> bool {
    Dated::of(cell).is_some() && cell.contains(['-', '/', '.', ' '])
}

fn has_decimals(cell: &str) -> bool {
    Written::of(cell).is_some_and(|written| matches!(written.told(), Told::Surely(_)))
}

fn is_direction(cell: &str) -> bool {
    let word = fold(cell);
    words().credit.contains(&word) || words().debit.contains(&word)
}

/// Which of two columns of money is the balance: the one that rolls forward by the other.
fn amount_and_balance(rows: &[&Row], first: usize, second: usize) -> Option<(usize, usize)> {
    let rolls = |amount: usize, balance: usize| {
        Mark::BOTH.into_iter().any(|mark| {
            let read = |row: &Row, column| -> Option<Amount> {
                Written::of(row.cell(column))?.amount(mark, None)
            };
            let mut roll = RunningBalance::default();
            for row in rows {
                if let (Some(amount), Some(balance)) = (read(row, amount), read(row, balance)) {
                    roll.add(amount, balance);
                }
            }
            roll.pairs > 0 && roll.pairs + 1 == rows.len() as u64 && roll.ties() == roll.pairs
        })
    };
    if rolls(first, second) {
        Some((first, second))
    } else {
        rolls(second, first).then_some((second, first))
    }
}
