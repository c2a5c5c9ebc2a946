//! What the records of a BAI2 file say: file, groups and accounts open and close, 16 records
//! become rows, trailers are compared.

use std::collections::BTreeMap;

use tieout_core::{Amount, Currency, Date, FindingCode, QuarantineReason, Severity};

use super::account::{Account, BadSummary, Summaries, Summary};
use super::codes::balance_type;
use super::control::{Control, Tally, compare};
use super::detail::Detail;
use super::entry::{Entry, Refusal};
use super::fields::{Fields, minor_units};
use super::narrative::Narrative;
use super::record::{Code, Record};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::rows::{Balance, BankLines, TableRows, decode};

const VERSION: &[u8] = b"2";

/// A file, from its 01 to its 99.
#[derive(Default)]
struct Transmission {
    date: Option<Date>,
    total: i128,
    groups: u64,
}

/// A group, from its 02 to its 98.
struct Group {
    as_of: Option<Date>,
    is_interim: bool,
    /// As written; accounts may say otherwise.
    currency: Vec<u8>,
    /// Why nothing of the group is booked.
    refusal: Option<&'static str>,
    total: i128,
    accounts: u64,
}

pub(super) struct Statement<'a> {
    intake: Intake<'a>,
    rows: BankLines,
    balances: TableRows<Balance<'static>>,
    narrative: Narrative,
    file: Option<Transmission>,
    group: Option<Group>,
    account: Option<Account>,
    file_tally: Tally,
    group_tally: Tally,
    account_tally: Tally,
    /// Codes that the table does not have: where first, and how often.
    unlisted: BTreeMap<String, (u64, u64)>,
    /// The first line in quarantine.
    refused: Option<u64>,
}

impl<'a> Statement<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        Self {
            rows: BankLines::new(intake.file_name(), batch_rows),
            balances: TableRows::new(intake.file_name(), batch_rows),
            intake,
            narrative: Narrative::default(),
            file: None,
            group: None,
            account: None,
            file_tally: Tally::default(),
            group_tally: Tally::default(),
            account_tally: Tally::default(),
            unlisted: BTreeMap::new(),
            refused: None,
        }
    }

    /// Counts anew from the header `code`.
    pub fn start_count(&mut self, code: Code) {
        match code {
            Code::FileHeader => self.file_tally = Tally::default(),
            Code::GroupHeader => self.group_tally = Tally::default(),
            Code::Account => self.account_tally = Tally::default(),
            _ => {}
        }
    }

    /// Counts records and physical lines, at every level.
    pub fn count(&mut self, records: u64, lines: u64) {
        self.account_tally.add(records, lines);
        self.group_tally.add(records, lines);
        self.file_tally.add(records, lines);
    }

    pub fn report(&mut self, notice: Notice) -> Result<(), ReadError> {
        Ok(self.intake.report(notice)?)
    }

    pub fn refuse(
        &mut self,
        line: &Line<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine(line, reason, message)?)
    }

    pub fn refuse_long_line(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        self.refused.get_or_insert(line.number);
        Ok(self.intake.quarantine_long_line(line)?)
    }

    /// Puts every line of the record into quarantine.
    fn refuse_record(
        &mut self,
        record: &Record,
        (reason, message): Refusal,
    ) -> Result<(), ReadError> {
        for line in record.lines() {
            self.refuse(&line, reason, &message)?;
        }
        Ok(())
    }

    fn misplaced(&mut self, record: &Record, what: &str, owner: &str) -> Result<(), ReadError> {
        let message = format!("{what} outside {owner}; correct or ask for the records before it");
        self.refuse_record(record, (QuarantineReason::MisplacedRecord, message))
    }

    /// Reads a whole record.
    pub fn record(&mut self, code: Code, record: &Record) -> Result<(), ReadError> {
        match code {
            Code::FileHeader => self.begin_file(record),
            Code::GroupHeader => self.begin_group(record),
            Code::Account => self.begin_account(record),
            Code::Detail => self.detail(record),
            Code::Continuation => Ok(()),
            Code::AccountTrailer => self.end_account(record),
            Code::GroupTrailer => self.end_group(record),
            Code::FileTrailer => self.end_file(record),
        }
    }

    fn begin_file(&mut self, record: &Record) -> Result<(), ReadError> {
        self.close_file(record.line())?;
        let mut fields = Fields::of(&record.fields).after(2);
        let date = Date::parse_yymmdd(fields.next_or_empty()).ok();
        let version = fields.after(4).next_or_empty();
        self.file = Some(Transmission {
            date,
            ..Transmission::default()
        });
        if version.is_empty() || version == VERSION {
            return Ok(());
        }
        self.report(Notice {
            severity: Severity::Warning,
            code: FindingCode::UnknownCode,
            line: Some(record.line()),
            found: format!("version {}", String::from_utf8_lossy(version)),
            expected: "version 2".to_owned(),
            action: "It is read as version 2; compare a few lines with the bank's report.".into(),
        })
    }

    fn begin_group(&mut self, record: &Record) -> Result<(), ReadError> {
        self.close_group(record.line())?;
        let Some(file) = &self.file else {
            return self.misplaced(record, "a group (02)", "a file (01)");
        };
        let mut fields = Fields::of(&record.fields).after(2);
        let status = fields.next_or_empty();
        let written = fields.next_or_empty();
        let as_of = Date::parse_yymmdd(written);
        let mut rest = fields.after(1);
        let currency = rest.next_or_empty().to_vec();
        self.group = Some(Group {
            as_of: as_of.ok().or(file.date),
            currency,
            is_interim: matches!(rest.next_or_empty(), b"1" | b"3"),
            refusal: match status {
                b"2" => Some("the group deletes what was reported before (status 2)"),
                b"4" => Some("the group is a test (status 4)"),
                _ => None,
            },
            total: 0,
            accounts: 0,
        });
        let Err(error) = as_of else { return Ok(()) };
        let message = format!(
            "the as-of date is `{}`: {error} (YYMMDD); the date of the file is taken",
            String::from_utf8_lossy(written)
        );
        self.refuse_record(record, (QuarantineReason::BadDate, message))
    }

    fn begin_account(&mut self, record: &Record) -> Result<(), ReadError> {
        self.close_account(record.line())?;
        let Some(group) = &self.group else {
            return self.misplaced(record, "an account (03)", "a group (02)");
        };
        let mut fields = Fields::of(&record.fields);
        let number = decode(fields.next_or_empty()).into_owned();
        let currency = currency_of(fields.next_or_empty(), &group.currency);
        let readable = currency.as_ref().ok().copied();
        let mut account = Account::open(record.line(), number, readable, group.as_of);
        account.is_interim = group.is_interim;
        let is_live = group.refusal.is_none();
        let outcome = match currency {
            Ok(_) if account.number.is_empty() => {
                let message = "the account number is empty".to_owned();
                Err((QuarantineReason::MissingField, message))
            }
            Ok(currency) => self.summaries(record, fields, &mut account, currency, is_live)?,
            Err(refusal) => Err(refusal),
        };
        self.account = Some(account);
        outcome.or_else(|refusal| self.refuse_record(record, refusal))
    }

    fn summaries(
        &mut self,
        record: &Record,
        fields: Fields<'_>,
        account: &mut Account,
        currency: Currency,
        is_live: bool,
    ) -> Result<Result<(), Refusal>, ReadError> {
        for summary in Summaries::of(fields) {
            let summary = match summary {
                Ok(summary) => summary,
                Err(problem) => return Ok(Err(in_words(problem))),
            };
            if let Some(minor) = summary.amount {
                account.add_summary(summary.type_code, minor);
            }
            let Ok(amount) = Amount::from_minor(summary.amount.unwrap_or(0), currency.exponent())
            else {
                let message = "a balance has more than 18 digits before the decimal point";
                return Ok(Err((QuarantineReason::BadAmount, message.to_owned())));
            };
            if is_live && (summary.amount.is_some() || summary.item_count.is_some()) {
                self.balance(record.line(), account, currency, &summary, amount)?;
            }
        }
        Ok(Ok(()))
    }

    fn balance(
        &mut self,
        line: u64,
        account: &Account,
        currency: Currency,
        summary: &Summary<'_>,
        amount: Amount,
    ) -> Result<(), ReadError> {
        let row = Balance {
            source_line: line,
            account: &account.number,
            currency,
            type_code: &decode(summary.type_code),
            balance_type: balance_type(summary.type_code),
            as_of_date: account.as_of,
            amount,
            item_count: summary.item_count,
        };
        self.balances.push(&row, &mut self.intake)
    }

    fn detail(&mut self, record: &Record) -> Result<(), ReadError> {
        let (Some(account), Some(group)) = (&mut self.account, &self.group) else {
            return self.misplaced(record, "a statement line (16)", "an account (03)");
        };
        let Ok(detail) = Detail::parse(&record.fields) else {
            let message = "the line ends inside its amount or funds type, or the funds type is \
                           none of 0, 1, 2, S, V, D, Z";
            let refusal = (QuarantineReason::BadStructure, message.to_owned());
            return self.refuse_record(record, refusal);
        };
        account.total += minor_units(detail.amount).unwrap_or_default();
        let entry = match Entry::check(detail, account) {
            Ok(entry) => entry,
            Err(refusal) => return self.refuse_record(record, refusal),
        };
        entry.count(account);
        if let Some(refusal) = group.refusal {
            let message = format!("{refusal}; what it says is not booked");
            return self.refuse_record(record, (QuarantineReason::BadValue, message));
        }
        if !entry.code.is_listed {
            let code = String::from_utf8_lossy(detail.type_code).into_owned();
            self.unlisted.entry(code).or_insert((record.line(), 0)).1 += 1;
        }
        self.narrative.read(&record.text, &record.text_lines);
        entry.write(
            record,
            account,
            &self.narrative,
            &mut self.rows,
            &mut self.intake,
        )
    }

    fn end_account(&mut self, record: &Record) -> Result<(), ReadError> {
        let Some(account) = self.account.take() else {
            return self.misplaced(record, "an account's trailer (49)", "an account (03)");
        };
        let control = Control {
            what: &format!("account {}", account.number),
            members: None,
            total: account.total,
            tally: self.account_tally,
        };
        let total = self.compare(record, control)?;
        if let Some(group) = &mut self.group {
            group.total += total;
            group.accounts += 1;
        }
        match account.roll_forward() {
            Some(notice) => self.report(notice),
            None => Ok(()),
        }
    }

    fn end_group(&mut self, record: &Record) -> Result<(), ReadError> {
        self.close_account(record.line())?;
        let Some(group) = self.group.take() else {
            return self.misplaced(record, "a group's trailer (98)", "a group (02)");
        };
        let control = Control {
            what: "group",
            members: Some(("accounts", group.accounts)),
            total: group.total,
            tally: self.group_tally,
        };
        let total = self.compare(record, control)?;
        if let Some(file) = &mut self.file {
            file.total += total;
            file.groups += 1;
        }
        Ok(())
    }

    fn end_file(&mut self, record: &Record) -> Result<(), ReadError> {
        self.close_group(record.line())?;
        let Some(file) = self.file.take() else {
            return self.misplaced(record, "a file's trailer (99)", "a file (01)");
        };
        let control = Control {
            what: "file",
            members: Some(("groups", file.groups)),
            total: file.total,
            tally: self.file_tally,
        };
        self.compare(record, control)?;
        Ok(())
    }

    /// Compares a trailer with what was read; gives back its total, or where that does not
    /// read, what was read.
    fn compare(&mut self, record: &Record, read: Control<'_>) -> Result<i128, ReadError> {
        let (notices, total) = compare(&record.fields, record.line(), read);
        for notice in notices {
            self.report(notice)?;
        }
        if total.is_none() {
            let message = format!(
                "the control total of the {} does not read; expected digits with an optional sign",
                read.what
            );
            self.refuse_record(record, (QuarantineReason::BadAmount, message))?;
        }
        Ok(total.unwrap_or(read.total))
    }

    /// Closes an account that has no 49 record.
    fn close_account(&mut self, line: u64) -> Result<(), ReadError> {
        let Some(account) = self.account.take() else {
            return Ok(());
        };
        if let Some(group) = &mut self.group {
            group.total += account.total;
            group.accounts += 1;
        }
        let found = format!(
            "account {} (line {}) has no trailer",
            account.number, account.line
        );
        self.missing(line, found, "49")
    }

    /// Closes a group that has no 98 record.
    fn close_group(&mut self, line: u64) -> Result<(), ReadError> {
        self.close_account(line)?;
        let Some(group) = self.group.take() else {
            return Ok(());
        };
        if let Some(file) = &mut self.file {
            file.total += group.total;
            file.groups += 1;
        }
        self.missing(line, "the group before has no trailer".to_owned(), "98")
    }

    /// Closes a file that has no 99 record.
    fn close_file(&mut self, line: u64) -> Result<(), ReadError> {
        self.close_group(line)?;
        match self.file.take() {
            Some(_) => self.missing(line, "the file before has no trailer".to_owned(), "99"),
            None => Ok(()),
        }
    }

    fn missing(&mut self, line: u64, found: String, code: &str) -> Result<(), ReadError> {
        self.report(Notice {
            severity: Severity::Error,
            code: FindingCode::MissingRecord,
            line: Some(line),
            found,
            expected: format!("a {code} record before this line"),
            action: "Its lines are read, but not compared with a control total; ask the bank for \
                     a whole file."
                .into(),
        })
    }

    /// Hands over what is left.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        self.report_truncation()?;
        self.balances.flush(&mut self.intake)?;
        self.rows.flush(&mut self.intake)?;
        for (code, (line, count)) in std::mem::take(&mut self.unlisted) {
            self.report(Notice {
                severity: Severity::Info,
                code: FindingCode::UnknownCode,
                line: Some(line),
                found: format!("type code {code}, {count} times, the first here"),
                expected: "a code of the list".to_owned(),
                action: "It was read as the credit or debit that its range says.".into(),
            })?;
        }
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        self.intake.report_quarantined(self.refused)?;
        Ok(self.intake.counts)
    }

    fn report_truncation(&mut self) -> Result<(), ReadError> {
        let inside = match (&self.account, &self.group, &self.file) {
            (Some(account), ..) => format!(" inside account {}", account.number),
            (None, Some(_), _) => " inside a group".to_owned(),
            (None, None, Some(_)) => String::new(),
            (None, None, None) => return Ok(()),
        };
        self.report(Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: None,
            found: format!("the file ends{inside} without its 99 record"),
            expected: "a 99 record with the control total".to_owned(),
            action: "Ask for the file again: lines may be missing. What is here is read.".into(),
        })
    }
}

fn currency_of(own: &[u8], groups: &[u8]) -> Result<Currency, Refusal> {
    let code = if own.is_empty() { groups } else { own };
    if code.is_empty() {
        return Ok(Currency::USD);
    }
    Currency::parse(code).map_err(|error| {
        let message = format!(
            "the currency is `{}`: {error}",
            String::from_utf8_lossy(code)
        );
        (QuarantineReason::BadCurrency, message)
    })
}

fn in_words(problem: BadSummary<'_>) -> Refusal {
    match problem {
        BadSummary::Amount(found) => (
            QuarantineReason::BadAmount,
            format!(
                "the amount of a balance is `{}`, expected digits with an optional sign; the \
                 account's other lines are read",
                String::from_utf8_lossy(found)
            ),
        ),
        BadSummary::Code(found) => (
            QuarantineReason::BadStructure,
            format!(
                "`{}` stands where the type code of a balance is expected (three digits)",
                String::from_utf8_lossy(found)
            ),
        ),
        BadSummary::Funds => (
            QuarantineReason::BadStructure,
            "the funds type of a balance is none of 0, 1, 2, S, V, D, Z".to_owned(),
        ),
    }
}
