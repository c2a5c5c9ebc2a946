//! Reads a report of separated text by its profile.

use std::borrow::Cow;
use std::io::Read;

use tieout_core::{Currency, Date, FindingCode, QuarantineReason, SettlementType, Severity};

use super::calendar::{self, Order};
use super::header::Header;
use super::profile::{Effect, Meaning, Profile, column_name};
use super::records::{Breach, Records, split};
use super::remarks::Remark;
use super::row::{Money, Row, amount};
use super::running::Running;
use super::settlement::{Refusal, Settlement, Taken, Untaken, Word};
use crate::format::{Counts, ReadError};
use crate::intake::Notice;
use crate::lines::Line;
use crate::rows::{SettlementLine, decode};
use crate::transport::SourceFile;

/// Columns of a report that a finding names.
const COLUMNS_NAMED_MAX: usize = 60;

/// What a summary row gives the rows after it.
#[derive(Clone, Debug, Default)]
struct Carried {
    payout_reference: String,
    currency: Option<Currency>,
    date: Option<Date>,
    /// The lines that it counts, and the line that says so.
    claim: Option<(u64, u64)>,
    lines: u64,
}

/// Reads one report.
pub(super) struct Sheet<'a> {
    profiles: &'static [Profile],
    profile: &'static Profile,
    header: Header,
    separator: u8,
    order: Order,
    fields: Vec<String>,
    carried: Carried,
    running: Running,
    settlement: Settlement<'a>,
}

impl<'a> Sheet<'a> {
    /// A reader for a report whose first header, of `profile`, is yet to come. `profiles` are
    /// those of the processor, whose headers may follow.
    pub fn new(
        profiles: &'static [Profile],
        profile: &'static Profile,
        separator: u8,
        order: Option<Order>,
        settlement: Settlement<'a>,
    ) -> Self {
        let mut settlement = settlement;
        let report = format!("{} {}", profile.processor, profile.report);
        settlement.intake.counts.profile = Some(report);
        Self {
            profiles,
            profile,
            header: Header::default(),
            separator,
            order: order.unwrap_or(profile.dates.order()),
            fields: Vec::new(),
            carried: Carried::default(),
            running: Running::default(),
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
            self.record(&line, breach)?;
        }
        self.check_claim()?;
        self.settlement.finish(records.bytes(), records.lines())
    }

    fn record(&mut self, line: &Line<'_>, breach: Option<Breach>) -> Result<(), ReadError> {
        if line.is_blank() {
            return Ok(());
        }
        match breach {
            Some(Breach::TooLong) => {
                let message =
                    "the row is longer than a line may be; check that the file has line ends";
                let refusal = Refusal::new(QuarantineReason::TooLong, message);
                return self.settlement.refuse(line, refusal);
            }
            Some(Breach::OpenQuote) => {
                let message = "a quote is opened and never closed; the lines after it were read \
                               without it; correct it and deliver the row again";
                let refusal = Refusal::new(QuarantineReason::BadStructure, message);
                return self.settlement.refuse(line, refusal);
            }
            None => {}
        }
        let text = decode(line.bytes);
        if matches!(text, Cow::Owned(_)) {
            self.settlement.note(Remark::Converted, line.number, "");
        }
        split(&text, self.separator, &mut self.fields);
        if self.is_header() {
            return self.begin(line);
        }
        let taken = self.row(line);
        self.settlement.conclude(taken, line)
    }

    /// Whether the row is a header: the first is, and others begin as it does.
    fn is_header(&self) -> bool {
        let first = self.header.names.first().map(String::as_str);
        first.is_none_or(|name| {
            self.fields
                .first()
                .is_some_and(|field| column_name(field) == name)
        })
    }

    fn begin(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let names: Vec<String> = self.fields.iter().map(|name| column_name(name)).collect();
        let Some(profile) = self.profiles.iter().find(|profile| profile.fits(&names)) else {
            let message = "the header has not the columns of any report of the processor; add \
                           the columns and deliver the file again";
            let refusal = Refusal::new(QuarantineReason::BadStructure, message);
            return self.settlement.refuse(line, refusal);
        };
        self.profile = profile;
        let is_known = self.header.names == names;
        self.header = Header::new(profile, &self.fields);
        if is_known {
            Ok(())
        } else {
            self.name_unread(line.number)
        }
    }

    fn name_unread(&mut self, line: u64) -> Result<(), ReadError> {
        let unread = self.header.unread();
        if unread.is_empty() {
            return Ok(());
        }
        let named = unread.iter().take(COLUMNS_NAMED_MAX).copied();
        let named: Vec<String> = named.map(|name| name.chars().take(60).collect()).collect();
        let found = format!(
            "{} columns that are not read: {}",
            unread.len(),
            named.join(", ")
        );
        self.settlement.report(Notice {
            severity: Severity::Info,
            code: FindingCode::UnknownColumn,
            line: Some(line),
            found,
            expected: "columns of the profile".to_owned(),
            action: "Add a column to the profile if its values are needed.".into(),
        })
    }

    /// Reads a row of values.
    fn row(&mut self, line: &Line<'_>) -> Taken {
        let fields = std::mem::take(&mut self.fields);
        let header = std::mem::take(&mut self.header);
        let row = Row {
            profile: self.profile,
            header: &header,
            fields: &fields,
        };
        let read = check_width(&row).and_then(|()| self.facts(&row, line));
        let taken = match read {
            Ok(facts) => self.hand_over(&row, &facts, line).map_err(Untaken::from),
            Err(refusal) => Err(refusal.into()),
        };
        self.fields = fields;
        self.header = header;
        taken
    }

    fn facts(&mut self, row: &Row<'_>, line: &Line<'_>) -> Result<Facts, Refusal> {
        let header = row.header;
        let dates = (
            row.date(&header.booking_date, self.order)?,
            row.date(&header.settlement_date, self.order)?,
        );
        let effect = self.effect(row, line.number);
        if effect == Effect::None {
            return self.told(row, dates);
        }
        let kind = row.text(&header.kind);
        let meaning = self.settlement.meaning(self.profile, kind, line.number);
        let Meaning::Settles(line_type) = meaning else {
            return self.told(row, dates);
        };
        let money = self.settled(row, kind)?;
        let moves = self.moves(row, money, effect, line.number);
        Ok(Facts {
            line_type: moves.then_some(line_type),
            money: Some(money),
            dates,
        })
    }

    /// A row that moves no balance may leave out figures, but what it has must be figures.
    fn told(&self, row: &Row<'_>, dates: Dates) -> Result<Facts, Refusal> {
        let money = match row.money(self.carried.currency) {
            Err(refusal) if refusal.reason == QuarantineReason::BadAmount => return Err(refusal),
            money => money.ok(),
        };
        Ok(Facts {
            line_type: None,
            money,
            dates,
        })
    }

    /// The figures of a row that settles something.
    fn settled(&self, row: &Row<'_>, kind: &str) -> Result<Money, Refusal> {
        let mut money = row.money(self.carried.currency)?;
        if money.only_tells {
            let message = "the row has no amount in the settlement's currency; deliver it again \
                           when it has";
            return Err(Refusal::new(QuarantineReason::MissingField, message));
        }
        if self.profile.outgoing.contains(&kind.to_lowercase()) {
            money.figures = money.figures.going_out();
        }
        Ok(money)
    }

    /// What the row's status and impact say.
    fn effect(&mut self, row: &Row<'_>, line: u64) -> Effect {
        let words = [row.text(&row.header.status), row.text(&row.header.impact)];
        let mut effect = Effect::Moved;
        for word in words.into_iter().filter(|word| !word.is_empty()) {
            match self.profile.statuses.get(&word.to_lowercase()) {
                Some(known) => effect = effect.max(*known),
                None if self.profile.statuses.is_empty() => {}
                None => self.settlement.note(Remark::UnknownStatus, line, word),
            }
        }
        effect
    }

    /// Whether the row moved the balance; of a pending one the running balance tells.
    fn moves(&mut self, row: &Row<'_>, money: Money, effect: Effect, line: u64) -> bool {
        let (currency, net) = (money.currency, money.figures.net);
        let Some(balance) = row.balance(currency) else {
            return effect == Effect::Moved;
        };
        let follows = self.running.follows(currency, balance, net);
        if effect == Effect::Pending && follows != Some(true) {
            return false;
        }
        if follows == Some(false) {
            self.settlement.note(Remark::RunningBalance, line, "");
        }
        self.running.moved(currency, balance, net);
        true
    }

    fn hand_over(
        &mut self,
        row: &Row<'_>,
        facts: &Facts,
        line: &Line<'_>,
    ) -> Result<(), ReadError> {
        let (Some(line_type), Some(money)) = (facts.line_type, facts.money) else {
            return self.tell(row, facts, line);
        };
        if self.profile.is_summary {
            self.carry(row, facts, money, line)?;
        } else {
            self.carried.lines += 1;
        }
        let header = row.header;
        let own = match line_type {
            SettlementType::Charge => row.text(&header.charge_reference),
            _ => "",
        };
        let own = if own.is_empty() {
            row.text(&header.processor_reference)
        } else {
            own
        };
        let payout = row.text(&header.payout_reference);
        let description = row.description(Some(money.currency));
        let settlement = SettlementLine {
            source_line: line.number,
            processor: self.profile.processor,
            merchant_account: row.text(&header.merchant_account),
            processor_type: row.text(&header.kind),
            booking_date: facts.dates.0.or(facts.dates.1).or(self.carried.date),
            settlement_date: facts.dates.1.or(self.carried.date),
            processor_reference: own,
            original_reference: row.text(&header.original_reference),
            merchant_reference: row.text(&header.merchant_reference),
            payout_reference: if payout.is_empty() {
                &self.carried.payout_reference
            } else {
                payout
            },
            payment_method: row.text(&header.payment_method),
            customer_name: row.text(&header.customer_name),
            description: &description,
            bytes: line.start..line.end,
            ..SettlementLine::blank(line_type, money.currency)
        };
        self.settlement
            .line(self.profile, money.figures, &settlement)
    }

    /// The row moves no balance.
    fn tell(&mut self, row: &Row<'_>, facts: &Facts, line: &Line<'_>) -> Result<(), ReadError> {
        let header = row.header;
        let kind = row.text(&header.kind);
        let status = row.text(&header.status);
        let description = row.description(facts.money.map(|money| money.currency));
        let word = Word {
            report: &self.profile.report,
            payout_reference: row.text(&header.payout_reference),
            processor_reference: row.text(&header.processor_reference),
            merchant_reference: row.text(&header.merchant_reference),
            status: if status.is_empty() { kind } else { status },
            reason: if status.is_empty() { "" } else { kind },
            information: &description,
            date: facts.dates.0.or(facts.dates.1),
            currency: facts.money.map(|money| money.currency),
            amount: amount(facts.money),
        };
        self.settlement.word(&word, line)
    }

    /// Remembers what a summary says of the rows after it.
    fn carry(
        &mut self,
        row: &Row<'_>,
        facts: &Facts,
        money: Money,
        line: &Line<'_>,
    ) -> Result<(), ReadError> {
        self.check_claim()?;
        let count = row.text(&row.header.line_count).parse().ok();
        self.carried = Carried {
            payout_reference: row.text(&row.header.payout_reference).to_owned(),
            currency: Some(money.currency),
            date: facts.dates.1,
            claim: count.map(|count| (count, line.number)),
            lines: 0,
        };
        Ok(())
    }

    /// Whether as many lines came as the summary counts.
    fn check_claim(&mut self) -> Result<(), ReadError> {
        let came = self.carried.lines;
        match self.carried.claim.take() {
            Some((claimed, line)) if claimed != came => self.settlement.report(Notice {
                severity: Severity::Error,
                code: FindingCode::ControlCount,
                line: Some(line),
                found: format!("the summary counts {claimed} lines"),
                expected: format!("{came}, the lines that follow it"),
                action: "Ask the processor for the whole report.".into(),
            }),
            _ => Ok(()),
        }
    }
}

/// What a row says.
struct Facts {
    /// None for a row that moves no balance.
    line_type: Option<SettlementType>,
    money: Option<Money>,
    dates: Dates,
}

/// Booked and settled.
type Dates = (Option<Date>, Option<Date>);

/// Refuses rows that lost their end, and rows with values that no column names.
fn check_width(row: &Row<'_>) -> Result<(), Refusal> {
    let (found, expected) = (row.fields.len(), row.header.width);
    let excess = row.fields.get(expected..).unwrap_or_default();
    let has_excess = excess.iter().any(|field| !field.is_empty());
    if found >= expected && !has_excess {
        return Ok(());
    }
    let message = format!(
        "found {found} fields, expected {expected} as in the header; put quotes around values \
         that hold the separator, or deliver the row whole"
    );
    Err(Refusal::new(QuarantineReason::BadStructure, message))
}

/// What a file's own dates tell about the order of day and month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The date of this line can be read in one order only.
    Order(Order, u64),
    /// Every date can be read in both.
    Either,
    /// There is no date, or each begins with its year.
    Nothing,
}

/// Reads the file up to the first date that tells the order.
pub(super) fn infer_order<R: Read>(
    file: &SourceFile,
    profile: &Profile,
    separator: u8,
    records: &mut Records<R>,
) -> Result<Told, ReadError> {
    let mut fields = Vec::new();
    let mut header: Option<Header> = None;
    let mut told = Told::Nothing;
    while let Some((line, breach)) = records
        .next(separator)
        .map_err(|error| file.refused(error))?
    {
        if breach.is_some() || line.is_blank() {
            continue;
        }
        split(&decode(line.bytes), separator, &mut fields);
        let Some(header) = &header else {
            header = Some(Header::new(profile, &fields));
            continue;
        };
        let row = Row {
            profile,
            header,
            fields: &fields,
        };
        let text = row.text(&header.booking_date);
        if let Some(order) = calendar::order_of(text) {
            return Ok(Told::Order(order, line.number));
        }
        let is_either =
            calendar::date(text, Order::DayMonth) != calendar::date(text, Order::MonthDay);
        told = if is_either { Told::Either } else { told };
    }
    Ok(told)
}
