//! Follows the elements of an OFX file: statements open, lines become rows, balances are kept.

use tieout_core::{Date, FindingCode, QuarantineReason, Severity};

use super::balance::{self, Given, Kind};
use super::charset::{Charset, append_resolved};
use super::date::read_date;
use super::element::{Aggregate, Field, is_known_beside, is_other_part, is_trade};
use super::entry::{Account, Entry};
use super::oddity;
use super::token::{Place, Token};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::oddities::Oddities;
use crate::rows::{Balance, BankLines, TableRows};

/// Bytes that a value may have.
const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Elements that may be open at once; deeper ones are passed over.
const DEPTH_MAX: usize = 64;

/// An element that holds text, while it is read.
#[derive(Default)]
struct Leaf {
    is_open: bool,
    name: Vec<u8>,
    value: Vec<u8>,
    place: Place,
    /// From the first byte of its text to the last.
    value_place: Place,
    is_too_long: bool,
}

/// What `STATUS`, `LEDGERBAL` and `AVAILBAL` hold, until they close.
#[derive(Default)]
struct Held {
    code: String,
    severity: String,
    message: String,
    amount: String,
    amount_place: Place,
    as_of: String,
    place: Place,
}

pub(super) struct Reader<'a> {
    intake: Intake<'a>,
    rows: BankLines,
    balances: TableRows<Balance<'static>>,
    charset: Charset,
    oddities: Oddities,
    /// The open aggregates, outermost first.
    open: Vec<Aggregate>,
    /// The name of the tag that is read.
    name: Vec<u8>,
    /// The part that is passed over.
    passing: Option<Vec<u8>>,
    leaf: Leaf,
    account: Account,
    /// The day of an investment statement.
    as_of: Option<Date>,
    entry: Entry,
    held: Held,
    has_document: bool,
    /// The document's end tag came last.
    is_ended: bool,
    has_statement: bool,
    refused: Option<u64>,
}

impl<'a> Reader<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            rows: BankLines::new(intake.file_name(), batch_rows),
            balances: TableRows::new(intake.file_name(), batch_rows),
            intake,
            charset: Charset::default(),
            oddities: Oddities::default(),
            open: Vec::new(),
            name: Vec::new(),
            passing: None,
            leaf: Leaf::default(),
            account: Account::default(),
            as_of: None,
            entry: Entry::default(),
            held: Held::default(),
            has_document: false,
            is_ended: false,
            has_statement: false,
            refused: None,
        }
    }

    /// Takes the next token, which is written as `bytes`.
    pub fn token(&mut self, token: Token<'_>, place: Place, bytes: &[u8]) -> Result<(), ReadError> {
        let was_in_line = self.is_open(Aggregate::Line);
        match token {
            Token::Open(name) => {
                let name = self.in_capitals(name);
                let outcome = self.opened(&name, place, bytes);
                self.name = name;
                outcome?;
            }
            Token::Close(name) => {
                if was_in_line {
                    self.entry.extend(place, bytes);
                }
                let name = self.in_capitals(name);
                let outcome = self.closed(&name, place);
                self.name = name;
                return outcome;
            }
            Token::Empty(_) => self.end_leaf()?,
            Token::Text(text) => self.text(text, place, true),
            Token::Verbatim(text) => self.text(text, place, false),
            Token::Instruction(text) => self.charset.declare(text),
            Token::Nothing => {}
        }
        let goes_on = was_in_line && self.is_open(Aggregate::Line);
        if goes_on && !self.entry.begins_at(place) {
            self.entry.extend(place, bytes);
        }
        Ok(())
    }

    /// The name in capital letters, in the buffer that the last one had.
    fn in_capitals(&mut self, name: &[u8]) -> Vec<u8> {
        let mut buffer = std::mem::take(&mut self.name);
        buffer.clear();
        buffer.extend(name.iter().map(u8::to_ascii_uppercase));
        buffer
    }

    fn is_open(&self, aggregate: Aggregate) -> bool {
        self.open.contains(&aggregate)
    }

    fn text(&mut self, text: &[u8], place: Place, has_entities: bool) {
        if self.passing.is_some() {
            return;
        }
        if !self.has_document {
            self.charset.declare(text);
            return;
        }
        if !self.leaf.is_open {
            if !text.trim_ascii().is_empty() {
                let shown = String::from_utf8_lossy(text.trim_ascii());
                let shown: String = shown.chars().take(20).collect();
                self.oddities.note(&oddity::STRAY_TEXT, place.line, &shown);
            }
            return;
        }
        if self.leaf.value.is_empty() {
            self.leaf.value_place = place;
        }
        self.leaf.value_place.end = place.end;
        if self.leaf.value.len() + text.len() > VALUE_BYTES_MAX {
            self.leaf.is_too_long = true;
        } else if has_entities {
            append_resolved(&mut self.leaf.value, text);
        } else {
            self.leaf.value.extend_from_slice(text);
        }
    }

    fn opened(&mut self, name: &[u8], place: Place, bytes: &[u8]) -> Result<(), ReadError> {
        self.end_leaf()?;
        if self.passing.is_some() {
            return Ok(());
        }
        if is_trade(name) || is_other_part(name) {
            let shown = String::from_utf8_lossy(name);
            let kind = if is_trade(name) {
                &oddity::TRADE
            } else {
                &oddity::OTHER_PART
            };
            self.oddities.note(kind, place.line, &shown);
            self.passing = Some(name.to_vec());
            return Ok(());
        }
        if let Some(aggregate) = Aggregate::of(name) {
            return self.begin(aggregate, place, bytes);
        }
        self.leaf.is_open = true;
        self.leaf.place = place;
        self.leaf.is_too_long = false;
        self.leaf.name.clear();
        self.leaf.name.extend_from_slice(name);
        self.leaf.value.clear();
        Ok(())
    }

    fn begin(&mut self, aggregate: Aggregate, place: Place, bytes: &[u8]) -> Result<(), ReadError> {
        // One inside itself, or a balance inside a line, means that an end tag was left out.
        let unended = match aggregate {
            Aggregate::LedgerBalance | Aggregate::AvailableBalance => Aggregate::Line,
            Aggregate::Wrapper => Aggregate::Status,
            other => other,
        };
        self.end(unended)?;
        if self.open.len() >= DEPTH_MAX {
            return Ok(());
        }
        self.open.push(aggregate);
        match aggregate {
            Aggregate::Document => {
                self.has_document = true;
                self.is_ended = false;
            }
            Aggregate::Statement => {
                self.has_statement = true;
                self.account = Account::default();
                self.as_of = None;
            }
            Aggregate::Account => {
                self.account.bank.clear();
                self.account.number.clear();
            }
            Aggregate::Line => {
                let is_pending = self.is_open(Aggregate::PendingLines);
                self.entry.begin(place, bytes, is_pending);
            }
            Aggregate::Status | Aggregate::LedgerBalance | Aggregate::AvailableBalance => {
                self.held = Held {
                    place,
                    ..Held::default()
                };
            }
            _ => {}
        }
        Ok(())
    }

    fn closed(&mut self, name: &[u8], place: Place) -> Result<(), ReadError> {
        self.end_leaf()?;
        if self.passing.as_deref() == Some(name) {
            self.passing = None;
            return Ok(());
        }
        let aggregate = Aggregate::of(name);
        self.is_ended |= aggregate == Some(Aggregate::Document);
        let Some(aggregate) = aggregate.filter(|&aggregate| self.is_open(aggregate)) else {
            return Ok(());
        };
        if let Some(part) = self.passing.take() {
            let shown = String::from_utf8_lossy(&part);
            self.oddities
                .note(&oddity::UNENDED_PART, place.line, &shown);
        }
        self.end(aggregate)
    }

    /// Closes the innermost `aggregate` with everything inside it, if it is open.
    fn end(&mut self, aggregate: Aggregate) -> Result<(), ReadError> {
        let Some(at) = self.open.iter().rposition(|&open| open == aggregate) else {
            return Ok(());
        };
        while self.open.len() > at {
            match self.open.pop() {
                Some(Aggregate::Line) => self.end_line()?,
                Some(Aggregate::Status) => self.end_status(),
                Some(Aggregate::LedgerBalance) => self.end_balance(balance::LEDGER)?,
                Some(Aggregate::AvailableBalance) => self.end_balance(balance::AVAILABLE)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The open element with text has its whole value.
    fn end_leaf(&mut self) -> Result<(), ReadError> {
        if !std::mem::take(&mut self.leaf.is_open) {
            return Ok(());
        }
        let leaf = std::mem::take(&mut self.leaf);
        let outcome = self.take_leaf(&leaf);
        self.leaf = leaf;
        outcome
    }

    fn take_leaf(&mut self, leaf: &Leaf) -> Result<(), ReadError> {
        let (Some(&parent), line) = (self.open.last(), leaf.place.line) else {
            return Ok(());
        };
        if leaf.is_too_long && self.is_open(Aggregate::Line) {
            self.entry.is_too_long = true;
            return Ok(());
        }
        if leaf.value.trim_ascii().is_empty() {
            return Ok(());
        }
        let text = self.charset.text(&leaf.value, line);
        if let Some(field) = Field::of(parent, &leaf.name) {
            self.entry.add(field, &text);
            return Ok(());
        }
        match (parent, leaf.name.as_slice()) {
            (Aggregate::Statement, b"CURDEF") => self.account.currency = text.into_owned(),
            (Aggregate::Statement, b"DTASOF") => self.as_of = read_date(&text).ok().flatten(),
            (Aggregate::Account, b"BANKID" | b"BROKERID") => self.account.bank = text.into_owned(),
            (Aggregate::Account, b"ACCTID") => self.account.number = text.into_owned(),
            (Aggregate::Status, b"CODE") => self.held.code = text.into_owned(),
            (Aggregate::Status, b"SEVERITY") => self.held.severity = text.into_owned(),
            (Aggregate::Status, b"MESSAGE") => self.held.message = text.into_owned(),
            (Aggregate::LedgerBalance | Aggregate::AvailableBalance, b"BALAMT") => {
                self.held.amount = text.into_owned();
                self.held.amount_place = leaf.value_place;
            }
            (Aggregate::LedgerBalance | Aggregate::AvailableBalance, b"DTASOF") => {
                self.held.as_of = text.into_owned();
            }
            (Aggregate::InvestmentBalances, name) => {
                let (kind, amount) = (balance::of_investment(name), text.into_owned());
                return kind.map_or(Ok(()), |kind| {
                    self.balance(&Given {
                        kind,
                        amount: &amount,
                        as_of: self.as_of,
                        line,
                        place: leaf.value_place,
                    })
                });
            }
            (_, name) if !is_known_beside(parent, name) => {
                let shown = String::from_utf8_lossy(name).into_owned();
                self.oddities.note(&oddity::UNKNOWN_ELEMENT, line, &shown);
            }
            _ => {}
        }
        Ok(())
    }

    fn end_status(&mut self) {
        if self.held.severity.eq_ignore_ascii_case("ERROR") {
            let name = format!("{} {}", self.held.code, self.held.message);
            let line = self.held.place.line;
            self.oddities.note(&oddity::SERVER_ERROR, line, name.trim());
        }
    }

    fn end_balance(&mut self, kind: Kind) -> Result<(), ReadError> {
        // One inside another ends first; the outer one then still has a place.
        let rest = Held {
            place: self.held.place,
            ..Held::default()
        };
        let held = std::mem::replace(&mut self.held, rest);
        let line = held.place.line;
        if held.amount.is_empty() {
            self.oddities.note(&oddity::EMPTY_BALANCE, line, kind.0);
            return Ok(());
        }
        let as_of = read_date(&held.as_of).unwrap_or_else(|_| {
            self.oddities.note(&oddity::BALANCE_DATE, line, &held.as_of);
            None
        });
        self.balance(&Given {
            kind,
            amount: &held.amount,
            as_of,
            line,
            place: held.amount_place,
        })
    }

    fn balance(&mut self, given: &Given<'_>) -> Result<(), ReadError> {
        let account = std::mem::take(&mut self.account);
        let outcome = match given.row(&account) {
            Ok((row, is_marked)) => {
                if is_marked {
                    let line = given.place.line;
                    self.oddities
                        .note(&oddity::MARKED_AMOUNT, line, given.amount);
                }
                self.balances.push(&row, &mut self.intake)
            }
            Err((reason, message)) => self.refuse(&given.line(), reason, message),
        };
        self.account = account;
        outcome
    }

    fn end_line(&mut self) -> Result<(), ReadError> {
        let entry = std::mem::take(&mut self.entry);
        let outcome = self.write_line(&entry);
        self.entry = entry;
        outcome
    }

    fn write_line(&mut self, entry: &Entry) -> Result<(), ReadError> {
        let checked = match entry.check(&self.account) {
            Ok(checked) => checked,
            Err((reason, message)) => return self.refuse(&entry.line(), reason, message),
        };
        oddity::note_of_line(&mut self.oddities, entry, &checked, &self.account);
        entry.write(&checked, &self.account, &mut self.rows, &mut self.intake)
    }

    fn refuse(
        &mut self,
        line: &Line<'_>,
        reason: QuarantineReason,
        message: String,
    ) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, message)?)
    }

    /// Hands over what is left.
    pub fn finish(mut self, (bytes, lines): (u64, u64)) -> Result<Counts, ReadError> {
        self.end_leaf()?;
        if self.is_open(Aggregate::Line) {
            let entry = std::mem::take(&mut self.entry);
            let message = "the file ends inside the line; ask for it again".to_owned();
            self.refuse(&entry.line(), QuarantineReason::BadStructure, message)?;
        }
        self.balances.flush(&mut self.intake)?;
        self.rows.flush(&mut self.intake)?;
        self.report_shape()?;
        self.oddities.report(&mut self.intake)?;
        self.report_converted()?;
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }

    fn report_shape(&mut self) -> Result<(), ReadError> {
        if !self.is_ended {
            self.intake.report(Notice {
                severity: Severity::Error,
                code: FindingCode::TruncatedFile,
                line: None,
                found: "the file ends before `</OFX>`".to_owned(),
                expected: "`</OFX>` at the end".to_owned(),
                action: "Download the file again: lines may be missing. What is here is read."
                    .into(),
            })?;
        }
        if !self.has_statement {
            self.intake.report(Notice {
                severity: Severity::Info,
                code: FindingCode::NotMoneyFile,
                line: None,
                found: "no statement (STMTRS, CCSTMTRS, INVSTMTRS)".to_owned(),
                expected: String::new(),
                action: "Nothing to do if a statement was not asked for.".into(),
            })?;
        }
        Ok(())
    }

    fn report_converted(&mut self) -> Result<(), ReadError> {
        let Some((line, count)) = self.charset.converted else {
            return Ok(());
        };
        Ok(self.intake.report(Notice {
            severity: Severity::Info,
            code: FindingCode::ConvertedCharacters,
            line: Some(line),
            found: format!("{count} values that are not UTF-8, the first here"),
            expected: "UTF-8".to_owned(),
            action: format!("They were read as {}.", self.charset.name()).into(),
        })?)
    }
}
