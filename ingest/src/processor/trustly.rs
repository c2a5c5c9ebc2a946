//! Trustly's daily files: `H` header, `I` payments that are funded (or `T` transactions that are
//! not yet), `F` what is paid out for each funding, `L` trailer with counts and sums.

use std::borrow::Cow;
use std::io::Read;

use tieout_core::{Currency, Date, FindingCode, QuarantineReason, SettlementType, Severity};

use super::calendar::Order;
use super::figure::{Figure, Style};
use super::profile::{Meaning, Profile};
use super::records::{Records, split};
use super::remarks::Remark;
use super::row::{bad_amount, currency, date};
use super::settlement::{Figures, Refusal, Settlement, Taken, Word};
use crate::format::{Counts, ReadError};
use crate::intake::Notice;
use crate::lines::Line;
use crate::rows::{SettlementLine, decode};
use crate::transport::SourceFile;

/// Fields that a payment has at least.
const PAYMENT_FIELDS: usize = 21;
const TRANSACTION_FIELDS: usize = 15;
const FUNDING_FIELDS: usize = 6;

/// Count and sum of the rows of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u64,
    sum: Figure,
}

/// Reads one file.
pub(super) struct Trustly<'a> {
    profile: &'static Profile,
    fields: Vec<String>,
    merchant: String,
    payments: Tally,
    fundings: Tally,
    is_closed: bool,
    settlement: Settlement<'a>,
}

impl<'a> Trustly<'a> {
    pub fn new(profile: &'static Profile, mut settlement: Settlement<'a>) -> Self {
        let report = format!("{} {}", profile.processor, profile.report);
        settlement.intake.counts.profile = Some(report);
        Self {
            profile,
            fields: Vec::new(),
            merchant: String::new(),
            payments: Tally::default(),
            fundings: Tally::default(),
            is_closed: false,
            settlement,
        }
    }

    /// Reads all rows.
    pub fn read<R: Read>(
        mut self,
        file: &SourceFile,
        records: &mut Records<R>,
    ) -> Result<Counts, ReadError> {
        while let Some((line, breach)) = records.next(b',').map_err(|error| file.refused(error))? {
            if breach.is_some() {
                let message = "the row is too long or a quote is never closed; correct it and \
                               deliver the row again";
                let refusal = Refusal::new(QuarantineReason::BadStructure, message);
                self.settlement.refuse(&line, refusal)?;
            } else if !line.is_blank() {
                self.record(&line)?;
            }
        }
        if !self.is_closed {
            self.settlement.report(Notice {
                severity: Severity::Error,
                code: FindingCode::TruncatedFile,
                line: None,
                found: "no row L at the end".to_owned(),
                expected: "a trailer with counts and sums".to_owned(),
                action: "Fetch the file again; rows may be missing.".into(),
            })?;
        }
        self.settlement.finish(records.bytes(), records.lines())
    }

    fn record(&mut self, line: &Line<'_>) -> Result<(), ReadError> {
        let text = decode(line.bytes);
        if matches!(text, Cow::Owned(_)) {
            self.settlement.note(Remark::Converted, line.number, "");
        }
        split(&text, b',', &mut self.fields);
        let fields = std::mem::take(&mut self.fields);
        let taken = self.row(Fields(&fields), line);
        self.fields = fields;
        self.settlement.conclude(taken, line)
    }

    fn row(&mut self, row: Fields<'_>, line: &Line<'_>) -> Taken {
        match row.at(0) {
            "H" => {
                row.at(5).clone_into(&mut self.merchant);
                Ok(())
            }
            "I" => self.payment(row, line),
            "T" => self.transaction(row, line),
            "F" => self.funding(row, line),
            "L" => self.trailer(row, line),
            _ => {
                let message = "the row begins with none of H, I, T, F and L; correct it and \
                               deliver the row again";
                Err(Refusal::new(QuarantineReason::UnknownRecord, message).into())
            }
        }
    }

    /// A payment, refund or return that is part of a funding.
    fn payment(&mut self, row: Fields<'_>, line: &Line<'_>) -> Taken {
        row.has(PAYMENT_FIELDS)?;
        let (currency, amount) = (currency(row.at(14))?, row.figure(15)?);
        let fee = match row.at(22) {
            "" => Figure::ZERO,
            _ => row.figure(22)?,
        };
        self.payments.count += 1;
        self.payments.sum = self.payments.sum.plus(amount);
        // The fee is written as its effect on the balance.
        let figures = Figures {
            gross: amount,
            fee: fee.negated(),
            net: amount.plus(fee),
        };
        let kind = if row.at(19).is_empty() {
            row.at(10)
        } else {
            row.at(19)
        };
        let Meaning::Settles(line_type) = self.settlement.meaning(self.profile, kind, line.number)
        else {
            return self.tell(row, line, currency, amount);
        };
        let settlement = SettlementLine {
            source_line: line.number,
            processor: self.profile.processor,
            merchant_account: row.at(4),
            processor_type: kind,
            booking_date: row.date(2)?,
            settlement_date: row.date(12)?,
            processor_reference: row.at(1),
            original_reference: row.at(3),
            merchant_reference: row.at(9),
            payout_reference: row.at(16),
            payment_method: row.at(5),
            description: row.at(17),
            bytes: line.start..line.end,
            ..SettlementLine::blank(line_type, currency)
        };
        Ok(self.settlement.line(self.profile, figures, &settlement)?)
    }

    /// A transaction that is not funded yet.
    fn transaction(&mut self, row: Fields<'_>, line: &Line<'_>) -> Taken {
        row.has(TRANSACTION_FIELDS)?;
        let (currency, amount) = (currency(row.at(13))?, row.figure(14)?);
        self.payments.count += 1;
        self.payments.sum = self.payments.sum.plus(amount);
        self.tell(row, line, currency, amount)
    }

    fn tell(
        &mut self,
        row: Fields<'_>,
        line: &Line<'_>,
        currency: Currency,
        amount: Figure,
    ) -> Taken {
        let word = Word {
            report: "reconciliation file",
            processor_reference: row.at(1),
            merchant_reference: row.at(9),
            status: row.at(11),
            reason: row.at(10),
            information: row.at(5),
            date: row.date(12)?,
            currency: Some(currency),
            amount: Some(amount.to_amount()),
            ..Word::default()
        };
        Ok(self.settlement.word(&word, line)?)
    }

    /// What is paid out; the file writes it as the merchant's, so that it goes out here.
    fn funding(&mut self, row: Fields<'_>, line: &Line<'_>) -> Taken {
        row.has(FUNDING_FIELDS)?;
        let (currency, amount) = (currency(row.at(4))?, row.figure(5)?);
        self.fundings.count += 1;
        self.fundings.sum = self.fundings.sum.plus(amount);
        let net = amount.negated();
        let settlement = SettlementLine {
            source_line: line.number,
            processor: self.profile.processor,
            merchant_account: &self.merchant,
            processor_type: row.at(0),
            booking_date: row.date(7)?,
            settlement_date: row.date(7)?,
            processor_reference: row.at(3),
            payout_reference: row.at(3),
            description: row.at(1),
            bytes: line.start..line.end,
            ..SettlementLine::blank(SettlementType::Payout, currency)
        };
        let figures = Figures {
            gross: net,
            fee: Figure::ZERO,
            net,
        };
        Ok(self.settlement.line(self.profile, figures, &settlement)?)
    }

    /// Counts and sums of payments and, in funding files, of fundings.
    fn trailer(&mut self, row: Fields<'_>, line: &Line<'_>) -> Taken {
        self.is_closed = true;
        let mut claims = vec![("payments", row.at(1), row.at(2), self.payments)];
        if !row.at(4).is_empty() {
            claims.push(("fundings", row.at(3), row.at(4), self.fundings));
        }
        for (what, count, sum, read) in claims {
            let sum = figure(sum)?;
            if count.parse() != Ok(read.count) {
                let found = format!("the trailer counts {count} {what}");
                self.off(
                    FindingCode::ControlCount,
                    line,
                    found,
                    &read.count.to_string(),
                )?;
            }
            if sum != read.sum {
                let found = format!("the trailer's sum of {what} is {}", sum.to_amount());
                self.off(
                    FindingCode::ControlTotal,
                    line,
                    found,
                    &read.sum.to_amount().to_string(),
                )?;
            }
        }
        Ok(())
    }

    fn off(
        &mut self,
        code: FindingCode,
        line: &Line<'_>,
        found: String,
        read: &str,
    ) -> Result<(), ReadError> {
        self.settlement.report(Notice {
            severity: Severity::Error,
            code,
            line: Some(line.number),
            found,
            expected: format!("{read}, as the rows have it"),
            action: "Fetch the file again; rows may be missing.".into(),
        })
    }
}

#[derive(Clone, Copy)]
struct Fields<'a>(&'a [String]);

impl<'a> Fields<'a> {
    fn at(self, place: usize) -> &'a str {
        self.0.get(place).map_or("", String::as_str)
    }

    fn has(self, least: usize) -> Result<(), Refusal> {
        if self.0.len() >= least {
            return Ok(());
        }
        let message = format!(
            "found {} fields, expected {least} or more; deliver the row whole",
            self.0.len()
        );
        Err(Refusal::new(QuarantineReason::BadStructure, message))
    }

    fn figure(self, place: usize) -> Result<Figure, Refusal> {
        figure(self.at(place))
    }

    fn date(self, place: usize) -> Result<Option<Date>, Refusal> {
        date(self.at(place), Order::DayMonth)
    }
}

fn figure(text: &str) -> Result<Figure, Refusal> {
    Figure::parse(text, Style::Point, 2).map_err(|error| bad_amount(text, error))
}
