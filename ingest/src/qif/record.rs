//! One record of a QIF file, from the line after the last `^` to the next.

use std::ops::Range;

use tieout_core::{Amount, QuarantineReason};

use super::survey::Habits;
use crate::decimal::{Point, decimal_point, read_decimal};
use crate::intake::RAW_BYTES_MAX;
use crate::lines::Line;
use crate::rows::decode;

/// Lines that a record may have.
const LINES_MAX: usize = 10_000;
/// Bytes that a record may have.
const BYTES_MAX: u64 = 1 << 20;

/// Why a record is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// A part of a record's amount, with the account holder's own word for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub category: String,
    pub memo: String,
    pub amount: String,
}

/// The lines of a record by their first letter.
#[derive(Default)]
pub(super) struct Record {
    pub date: String,
    pub amount: String,
    /// `N`: cheque number, or what kind of line it is.
    pub number: String,
    /// `P`
    pub payee: String,
    pub memo: String,
    /// `L`
    pub category: String,
    /// `$` of an account, `T` otherwise.
    pub balance: String,
    pub balance_date: String,
    pub splits: Vec<Split>,
    /// Letters that QIF does not have here.
    pub unknown: Vec<char>,
    line: u64,
    bytes: Range<u64>,
    lines: usize,
    raw: Vec<u8>,
    is_cut: bool,
}

impl Record {
    /// Whether nothing came since the last `^`.
    pub fn is_empty(&self) -> bool {
        self.lines == 0
    }

    pub fn line_number(&self) -> u64 {
        self.line
    }

    pub fn bytes(&self) -> Range<u64> {
        self.bytes.clone()
    }

    /// The record as written, for quarantine.
    pub fn line(&self) -> Line<'_> {
        Line {
            number: self.line,
            start: self.bytes.start,
            end: self.bytes.end,
            bytes: &self.raw,
            is_cut: self.is_cut,
        }
    }

    /// Whether it is longer than a record may be.
    pub fn is_too_long(&self) -> bool {
        let length = self.bytes.end - self.bytes.start;
        self.is_cut || self.lines > LINES_MAX || length > BYTES_MAX
    }

    /// Takes the bytes of `line` as the record's.
    pub fn extend(&mut self, line: &Line<'_>) {
        if self.lines == 0 {
            self.line = line.number;
            self.bytes.start = line.start;
        } else if self.raw.len() < RAW_BYTES_MAX {
            self.raw.push(b'\n');
        }
        self.lines += 1;
        self.is_cut |= line.is_cut;
        self.bytes.end = line.end;
        let room = RAW_BYTES_MAX.saturating_sub(self.raw.len());
        self.raw
            .extend_from_slice(&line.bytes[..line.bytes.len().min(room)]);
    }

    /// Takes the next line of a record of bank lines or accounts.
    pub fn take(&mut self, line: &Line<'_>) {
        self.extend(line);
        if self.is_too_long() {
            return;
        }
        let text = decode(line.bytes.trim_ascii());
        let mut characters = text.chars();
        let Some(letter) = characters.next() else {
            return;
        };
        let value = characters.as_str().trim();
        match letter {
            'D' => value.clone_into(&mut self.date),
            'T' => value.clone_into(&mut self.amount),
            // The same amount again, with room for more digits.
            'U' if self.amount.is_empty() => value.clone_into(&mut self.amount),
            'N' => value.clone_into(&mut self.number),
            'P' => value.clone_into(&mut self.payee),
            'M' => add(&mut self.memo, value),
            'L' => value.clone_into(&mut self.category),
            'S' => self.splits.push(Split {
                category: value.to_owned(),
                ..Split::default()
            }),
            'E' => add(&mut self.split().memo, value),
            '$' => self.amount_of_split_or_balance(value),
            '/' => value.clone_into(&mut self.balance_date),
            // Cleared mark, address, reimbursement, percentage of a split, loan terms, invoice.
            'U' | 'C' | 'A' | 'F' | '%' | 'X' | 'R' | 'B' | 'K' | '1'..='7' => {}
            other if self.unknown.len() < LINES_MAX => self.unknown.push(other),
            _ => {}
        }
    }

    fn amount_of_split_or_balance(&mut self, value: &str) {
        if self.splits.is_empty() {
            value.clone_into(&mut self.balance);
        } else {
            value.clone_into(&mut self.split().amount);
        }
    }

    /// The split that is being read.
    fn split(&mut self) -> &mut Split {
        if self.splits.is_empty() {
            self.splits.push(Split::default());
        }
        let last = self.splits.len() - 1;
        &mut self.splits[last]
    }

    /// The memo, and the splits with their amounts; without both the payee, since banks write
    /// what a line is about there too.
    pub fn text(&self) -> String {
        let splits = self.splits.iter().map(|split| {
            let parts = [&split.category, &split.memo, &split.amount];
            let parts = parts.map(String::as_str);
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            parts.join(" ")
        });
        let all = std::iter::once(self.memo.clone()).chain(splits);
        let all: Vec<String> = all.filter(|part| !part.is_empty()).collect();
        if all.is_empty() {
            return self.payee.clone();
        }
        all.join("; ")
    }

    /// Whether the splits' amounts add up to `amount`; none if some have no amount.
    pub fn splits_tie(&self, amount: Amount, habits: Habits) -> Option<bool> {
        if self.splits.is_empty() {
            return None;
        }
        let amounts = self
            .splits
            .iter()
            .map(|split| read_amount(&split.amount, habits).ok());
        let sum: Option<Amount> = amounts.sum();
        sum.map(|sum| sum == amount)
    }
}

fn add(value: &mut String, text: &str) {
    if !value.is_empty() && !text.is_empty() {
        value.push(' ');
    }
    value.push_str(text);
}

/// Reads an amount by the file's habits.
///
/// # Errors
/// The reason for quarantine.
pub(super) fn read_amount(text: &str, habits: Habits) -> Result<Amount, Refusal> {
    if text.is_empty() {
        let message = "the record has no amount (T); add it".to_owned();
        return Err((QuarantineReason::MissingField, message));
    }
    let refused = |message: String| (QuarantineReason::BadAmount, message);
    let point = match decimal_point(text.as_bytes()) {
        Point::Is(point) => point,
        Point::Absent => b'.',
        Point::Unclear(_) => habits.point.ok_or_else(|| {
            refused(format!(
                "the amount `{text}` may have thousands or decimals, and no other amount tells"
            ))
        })?,
    };
    read_decimal(text.as_bytes(), point).map_err(|error| refused(format!("the amount {error}")))
}
