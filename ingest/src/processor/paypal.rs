//! PayPal's settlement (STL), transaction detail (TRR) and subscription (SAR) reports: rows with a
//! type in front. `RH` and `RF` enclose the report, `FH` and `FF` a file, `SH` and `SF` the section
//! of an account; `CH` names columns, `SB` are the rows themselves, `SC` and `RC` count them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use tieout_core::{Currency, Date, FindingCode, QuarantineReason, Severity};

use super::calendar::{self, Order};
use super::figure::{Figure, Style};
use super::header::Header;
use super::profile::{Effect, Meaning, Profile};
use super::records::{Records, split};
use super::remarks::Remark;
use super::row::{Row, bad_amount, currency, date};
use super::settlement::{Figures, Refusal, Settlement, Taken, Word};
use super::totals::{Footer, Totals};
use crate::format::{Counts, ReadError};
use crate::intake::Notice;
use crate::lines::Line;
use crate::rows::{SettlementLine, decode};
use crate::transport::SourceFile;

/// Columns that only this report has.
#[derive(Clone, Copy, Debug)]
struct Places {
    side: usize,
    gross: usize,
    currency: usize,
    fee_side: usize,
    fee: usize,
    fee_currency: usize,
}

/// What the rows of a section are.
#[derive(Clone, Copy, Debug)]
enum Body {
    Transactions(Places),
    Subscriptions,
}

/// Reads one report.
pub(super) struct TypedRows<'a> {
    profile: &'static Profile,
    separator: u8,
    fields: Vec<String>,
    header: Header,
    body: Option<Body>,
    account: String,
    /// The first and the last day of the section.
    days: [Option<Date>; 2],
    section: BTreeMap<Currency, Totals>,
    report: BTreeMap<Currency, Totals>,
    /// Rows of the section, of the report, and of the file.
    rows: [u64; 3],
    /// Currencies that a footer totals, and whether sections have footers of their own.
    totalled: BTreeMap<Currency, u64>,
    has_section_totals: bool,
    /// The line of the section or report that is not closed yet.
    open: Option<u64>,
    settlement: Settlement<'a>,
}

impl<'a> TypedRows<'a> {
    pub fn new(profile: &'static Profile, separator: u8, mut settlement: Settlement<'a>) -> Self {
        let report = format!("{} {}", profile.processor, profile.report);
        settlement.intake.counts.profile = Some(report);
        Self {
            profile,
            separator,
            fields: Vec::new(),
            header: Header::default(),
            body: None,
            account: String::new(),
            days: [None; 2],
            section: BTreeMap::new(),
            report: BTreeMap::new(),
            rows: [0; 3],
            totalled: BTreeMap::new(),
            has_section_totals: false,
            open: None,
            settlement,
        }
    }

    /// Reads all records.
    pub fn read<R: Read>(
        mut self,
        file: &SourceFile,
        records: &mut Records<R>,
    ) -> Result<Counts, ReadError> {
        while let Some((line, breach)) = records
            .next(self.separator)
            .map_err(|error| file.refused(error))?
        {
            if breach.is_some() {
                let message = "the row is too long or a quote is never closed; correct it and \
                               deliver the row again";
                let refusal = Refusal::new(QuarantineReason::BadStructure, message);
                self.settlement.refuse(&line, refusal)?;
            } else if !line.is_blank() {
                self.record(&line)?;
            }
        }
        self.check_end()?;
        self.settlement.finish(records.bytes(), records.lines())
    }

    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let text = decode(line.bytes);
        if matches!(text, Cow::Owned(_)) {
            self.settlement.note(Remark::Converted, line.number, "");
        }
        split(&text, self.separator, &mut self.fields);
        let fields = std::mem::take(&mut self.fields);
        let code = fields.first().map_or("", String::as_str);
        let outcome = match code {
            "RH" | "FH" => {
                self.begin_report(code, line);
                Ok(())
            }
            "SH" => {
                self.begin_section(&fields, line);
                Ok(())
            }
            "CH" => self.name_columns(&fields, line),
            "SB" => self.body(&fields, line),
            "SF" | "RF" | "SC" | "RC" | "FF" => self.footer(code, &fields, line),
            _ => {
                let message = "the row begins with none of RH, FH, SH, CH, SB, SF, SC, RF, RC and \
                               FF; correct it and deliver the row again";
                let refusal = Refusal::new(QuarantineReason::UnknownRecord, message);
                self.settlement.refuse(line, refusal)
            }
        };
        self.fields = fields;
        outcome
    }

    fn begin_report(&mut self, code: &str, line: &Line<'_>) {
        self.open = Some(line.number);
        self.rows[2] = 0;
        if code == "RH" {
            self.rows[1] = 0;
            self.report.clear();
            self.totalled.clear();
        }
    }

    fn begin_section(&mut self, fields: &[String], line: &Line<'_>) {
        let day = |place: usize| {
            let text = fields.get(place).map_or("", String::as_str);
            calendar::date(text, Order::MonthDay).ok()
        };
        self.open = Some(line.number);
        self.days = [day(1), day(2)];
        self.account = fields.get(3).cloned().unwrap_or_default();
        self.section.clear();
        self.rows[0] = 0;
    }

    fn name_columns(&mut self, fields: &[String], line: &Line<'_>) -> Result<(), ReadError> {
        self.header = Header::new(self.profile, fields);
        self.body = Body::of(&self.header.names);
        if self.body.is_some() {
            return Ok(());
        }
        let message = "the columns of transactions are not among those that the row names; \
                       deliver the report with all of its columns";
        let refusal = Refusal::new(QuarantineReason::BadStructure, message);
        self.settlement.refuse(line, refusal)
    }

    fn body(&mut self, fields: &[String], line: &Line<'_>) -> Result<(), ReadError> {
        self.rows.iter_mut().for_each(|count| *count += 1);
        let header = std::mem::take(&mut self.header);
        let row = Row {
            profile: self.profile,
            header: &header,
            fields,
        };
        let taken = match self.body {
            Some(Body::Transactions(places)) => self.transaction(&row, places, line),
            Some(Body::Subscriptions) => self.subscription(&row, line),
            None => {
                let message = "no row CH before it names its columns; deliver the report whole";
                Err(Refusal::new(QuarantineReason::MisplacedRecord, message).into())
            }
        };
        self.header = header;
        self.settlement.conclude(taken, line)
    }

    fn transaction(&mut self, row: &Row<'_>, places: Places, line: &Line<'_>) -> Taken {
        let facts = self.facts(row, places, line)?;
        Ok(self.hand_over(row, &facts, line)?)
    }

    fn facts(&mut self, row: &Row<'_>, places: Places, line: &Line<'_>) -> Result<Facts, Refusal> {
        if row.fields.len() <= places.fee_currency {
            let message = "the row ends before its fee; deliver it whole";
            return Err(Refusal::new(QuarantineReason::BadStructure, message));
        }
        let currency_code = currency(field(row, places.currency))?;
        let gross = side(field(row, places.side), figure(field(row, places.gross))?)?;
        let fee_text = field(row, places.fee);
        let fee = if fee_text.is_empty() {
            Figure::ZERO
        } else {
            figure(fee_text)?
        };
        let fee = if fee == Figure::ZERO {
            fee
        } else {
            side(field(row, places.fee_side), fee)?
        };
        let fee_currency = field(row, places.fee_currency);
        if fee != Figure::ZERO && !fee_currency.is_empty() {
            check_fee_currency(fee_currency, currency_code)?;
        }
        let meaning =
            self.settlement
                .meaning(self.profile, row.text(&row.header.kind), line.number);
        Ok(Facts {
            currency: currency_code,
            figures: Figures::tied(Some(gross), Some(fee.negated()), None)?,
            meaning,
            is_moved: self.is_moved(row, line.number),
            booked: row.date(&row.header.booking_date, Order::MonthDay)?,
            settled: row.date(&row.header.settlement_date, Order::MonthDay)?,
        })
    }

    fn is_moved(&mut self, row: &Row<'_>, line: u64) -> bool {
        // Settlement reports have no status; a report of theirs has moved.
        let status = row.text(&row.header.status);
        match self.profile.statuses.get(&status.to_lowercase()) {
            Some(effect) => *effect == Effect::Moved,
            None if status.is_empty() => true,
            None => {
                self.settlement.note(Remark::UnknownStatus, line, status);
                true
            }
        }
    }

    fn hand_over(
        &mut self,
        row: &Row<'_>,
        facts: &Facts,
        line: &Line<'_>,
    ) -> Result<(), ReadError> {
        let header = row.header;
        let (Meaning::Settles(line_type), true) = (facts.meaning, facts.is_moved) else {
            return self.tell(row, facts, line);
        };
        for totals in [&mut self.section, &mut self.report] {
            totals.entry(facts.currency).or_default().add(facts.figures);
        }
        let customer = customer(row);
        let description = row.description(Some(facts.currency));
        let settlement = SettlementLine {
            source_line: line.number,
            processor: self.profile.processor,
            merchant_account: &self.account,
            processor_type: row.text(&header.kind),
            booking_date: facts.booked,
            settlement_date: facts.settled,
            processor_reference: row.text(&header.processor_reference),
            original_reference: row.text(&header.original_reference),
            merchant_reference: row.text(&header.merchant_reference),
            payout_reference: row.text(&header.payout_reference),
            payment_method: row.text(&header.payment_method),
            customer_name: &customer,
            description: &description,
            bytes: line.start..line.end,
            ..SettlementLine::blank(line_type, facts.currency)
        };
        self.settlement
            .line(self.profile, facts.figures, &settlement)
    }

    fn tell(&mut self, row: &Row<'_>, facts: &Facts, line: &Line<'_>) -> Result<(), ReadError> {
        let header = row.header;
        let customer = customer(row);
        let word = Word {
            report: &self.profile.report,
            processor_reference: row.text(&header.processor_reference),
            merchant_reference: row.text(&header.merchant_reference),
            status: row.text(&header.status),
            reason: row.text(&header.kind),
            information: &customer,
            date: facts.settled.or(facts.booked),
            currency: Some(facts.currency),
            amount: Some(facts.figures.gross.to_amount()),
            ..Word::default()
        };
        self.settlement.word(&word, line)
    }

    /// What became of a subscription; it moves no money.
    fn subscription(&mut self, row: &Row<'_>, line: &Line<'_>) -> Taken {
        let value = |name: &str| {
            let place = row.header.names.iter().position(|known| known == name);
            place
                .and_then(|place| row.fields.get(place))
                .map_or("", String::as_str)
        };
        let date = date(value("subscription creation date"), Order::MonthDay)?;
        let currency = currency(value("subscription currency")).ok();
        let amount = match value("period 3 amount") {
            "" => None,
            text => Some(figure(text)?),
        };
        let word = Word {
            report: "subscription report",
            processor_reference: value("subscription id"),
            merchant_reference: value("subscription custom field"),
            status: value("subscription action type"),
            information: value("subscription payer name"),
            date,
            currency,
            amount: amount.map(Figure::to_amount),
            ..Word::default()
        };
        Ok(self.settlement.word(&word, line)?)
    }

    fn footer(&mut self, code: &str, fields: &[String], line: &Line<'_>) -> Result<(), ReadError> {
        if code != "FF" {
            self.open = None;
        }
        let rows = match code {
            "SF" | "SC" => self.rows[0],
            "RF" | "RC" => self.rows[1],
            _ => self.rows[2],
        };
        let totals = if code == "SF" {
            &self.section
        } else {
            &self.report
        };
        if let (Some(text), None) = (fields.get(1), fields.get(2)) {
            return self.check_count(code, text, rows, line);
        }
        match Footer::parse(fields) {
            Ok(footer) => {
                let read = totals.get(&footer.currency).copied().unwrap_or_default();
                self.totalled.insert(footer.currency, line.number);
                self.has_section_totals |= code == "SF";
                // The report repeats the balances of its sections.
                if code == "SF" || !self.has_section_totals {
                    for balance in footer.balances(&self.account, self.days, line.number) {
                        self.settlement.balance(&balance)?;
                    }
                }
                for notice in footer.notices(code, line.number, read) {
                    self.settlement.report(notice)?;
                }
                Ok(())
            }
            Err(refusal) => self.settlement.refuse(line, refusal),
        }
    }

    fn check_count(
        &mut self,
        code: &str,
        text: &str,
        rows: u64,
        line: &Line<'_>,
    ) -> Result<(), ReadError> {
        if text.parse() == Ok(rows) {
            return Ok(());
        }
        self.settlement.report(Notice {
            severity: Severity::Error,
            code: FindingCode::ControlCount,
            line: Some(line.number),
            found: format!("{code} counts {text} rows"),
            expected: format!("{rows}, the SB rows before it"),
            action: "Fetch the report again; rows may be missing.".into(),
        })
    }

    fn check_end(&mut self) -> Result<(), ReadError> {
        let missing = self
            .report
            .keys()
            .filter(|currency| !self.totalled.contains_key(currency));
        let missing: Vec<&str> = missing.map(Currency::as_str).collect();
        if !self.totalled.is_empty() && !missing.is_empty() {
            let found = format!("rows in {}, without a total", missing.join(", "));
            self.settlement.report(Notice {
                severity: Severity::Error,
                code: FindingCode::MissingRecord,
                line: None,
                found,
                expected: "SF or RF for every currency".to_owned(),
                action: "Fetch the report again; rows may be missing.".into(),
            })?;
        }
        let Some(line) = self.open.take() else {
            return Ok(());
        };
        self.settlement.report(Notice {
            severity: Severity::Error,
            code: FindingCode::TruncatedFile,
            line: Some(line),
            found: "what begins here has no footer".to_owned(),
            expected: "SF or RF with its totals".to_owned(),
            action: "Fetch the report again; rows may be missing.".into(),
        })
    }
}

impl Body {
    fn of(names: &[String]) -> Option<Self> {
        let is_subscriptions = names.iter().any(|name| name == "subscription action type");
        let transactions = Places::of(names).map(Self::Transactions);
        transactions.or_else(|| is_subscriptions.then_some(Self::Subscriptions))
    }
}

impl Places {
    fn of(names: &[String]) -> Option<Self> {
        let place = |wanted: &str| names.iter().position(|name| name == wanted);
        place("transaction event code")?;
        Some(Self {
            side: place("transaction debit or credit")?,
            gross: place("gross transaction amount")?,
            currency: place("gross transaction currency")?,
            fee_side: place("fee debit or credit")?,
            fee: place("fee amount")?,
            fee_currency: place("fee currency")?,
        })
    }
}

struct Facts {
    currency: Currency,
    figures: Figures,
    meaning: Meaning,
    is_moved: bool,
    booked: Option<Date>,
    settled: Option<Date>,
}

fn field<'a>(row: &Row<'a>, place: usize) -> &'a str {
    row.fields.get(place).map_or("", String::as_str)
}

pub(super) fn figure(text: &str) -> Result<Figure, Refusal> {
    Figure::parse(text, Style::Hundredths, 2).map_err(|error| bad_amount(text, error))
}

/// The figure with the sign of its side.
pub(super) fn side(side: &str, figure: Figure) -> Result<Figure, Refusal> {
    match side {
        "CR" => Ok(figure),
        "DR" => Ok(figure.negated()),
        _ => {
            let message =
                format!("found `{side}`, expected CR or DR; correct it and deliver the row again");
            Err(Refusal::new(QuarantineReason::BadValue, message))
        }
    }
}

fn check_fee_currency(text: &str, gross: Currency) -> Result<(), Refusal> {
    if text == gross.as_str() {
        return Ok(());
    }
    let message =
        format!("the fee is in {text}, the amount in {gross}, so that no net follows; ask PayPal");
    Err(Refusal::new(QuarantineReason::BadCurrency, message))
}

/// The business, or else the person.
fn customer(row: &Row<'_>) -> String {
    let value = |name: &str| {
        let place = row.header.names.iter().position(|known| known == name);
        place
            .and_then(|place| row.fields.get(place))
            .map_or("", String::as_str)
    };
    let business = value("consumer business name");
    if !business.is_empty() {
        return business.to_owned();
    }
    let person = format!("{} {}", value("first name"), value("last name"));
    match person.trim() {
        "" => row.text(&row.header.customer_name).to_owned(),
        person => person.to_owned(),
    }
}

/// Whether `fields`, the first of a file that begins with `head`, are a row of such a report.
pub(super) fn begins(fields: &[String], head: &[u8]) -> bool {
    let code = fields.first().map_or("", String::as_str);
    let head = String::from_utf8_lossy(head).to_lowercase();
    let columns = ["transaction event code", "subscription action type"];
    matches!(code, "RH" | "FH" | "SH" | "CH") && columns.iter().any(|name| head.contains(name))
}
