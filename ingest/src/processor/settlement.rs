//! What is read of a report, on its way out: lines that settle something, words about payments
//! that move no balance, what is refused, and what is said of the file at its end.

use tieout_core::{
    Amount, Currency, Date, FindingCode, QuarantineReason, SettlementType, Severity, StatusLevel,
};

use super::figure::Figure;
use super::payouts::Payouts;
use super::profile::{Meaning, Profile};
use super::remarks::{Remark, Remarks};
use crate::format::{Counts, ReadError};
use crate::intake::{Intake, Notice};
use crate::lines::Line;
use crate::rows::{Balance, PaymentStatus, SettlementLine, TableRows, is_same};

/// Why a row is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub reason: QuarantineReason,
    pub message: String,
}

impl Refusal {
    pub fn new(reason: QuarantineReason, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { reason, message }
    }
}

/// Why a row or an object was not taken.
#[derive(Debug)]
pub(super) enum Untaken {
    /// It goes to quarantine.
    Refused(Refusal),
    /// The file is not read any further.
    Failed(ReadError),
}

/// What became of a row or an object.
pub(super) type Taken = Result<(), Untaken>;

impl From<Refusal> for Untaken {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ReadError> for Untaken {
    fn from(error: ReadError) -> Self {
        Self::Failed(error)
    }
}

/// The three figures of a line, exact and tied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figures {
    pub gross: Figure,
    pub fee: Figure,
    pub net: Figure,
}

impl Figures {
    /// Fills in what is not given: `gross - fee = net`. A line whose own figures do not tie is
    /// refused, for none of the three can be trusted alone.
    pub fn tied(
        gross: Option<Figure>,
        fee: Option<Figure>,
        net: Option<Figure>,
    ) -> Result<Self, Refusal> {
        let (gross, fee, net) = match (gross, fee, net) {
            (Some(gross), Some(fee), Some(net)) => (gross, fee, net),
            (Some(gross), None, Some(net)) => (gross, gross.minus(net), net),
            (Some(gross), fee, None) => {
                let fee = fee.unwrap_or_default();
                (gross, fee, gross.minus(fee))
            }
            (None, fee, Some(net)) => {
                let fee = fee.unwrap_or_default();
                (net.plus(fee), fee, net)
            }
            (None, Some(fee), None) => (Figure::ZERO, fee, fee.negated()),
            (None, None, None) => {
                let message = "the row has no amount; correct it and deliver it again";
                return Err(Refusal::new(QuarantineReason::MissingField, message));
            }
        };
        if gross.minus(fee) == net {
            return Ok(Self { gross, fee, net });
        }
        let shown = [gross, fee, net, gross.minus(fee)].map(Figure::to_amount);
        let [gross, fee, net, expected] = shown;
        Err(Refusal::new(
            QuarantineReason::AmountsDiffer,
            format!(
                "gross {gross} less fee {fee} is {expected}, but net is {net}; ask the processor \
                 which is right and deliver the row again"
            ),
        ))
    }

    /// The figures of a line that goes out although they have no sign.
    pub fn going_out(self) -> Self {
        let gross = self.gross.abs().negated();
        Self {
            gross,
            fee: self.fee,
            net: gross.minus(self.fee),
        }
    }
}

/// A word about a payment that moves no balance.
#[derive(Clone, Debug, Default)]
pub(super) struct Word<'a> {
    /// The processor's report, for `message_type`.
    pub report: &'a str,
    pub payout_reference: &'a str,
    pub processor_reference: &'a str,
    pub merchant_reference: &'a str,
    pub status: &'a str,
    pub reason: &'a str,
    pub information: &'a str,
    pub date: Option<Date>,
    pub currency: Option<Currency>,
    pub amount: Option<Amount>,
}

/// Hands over what one report brings.
pub(super) struct Settlement<'a> {
    pub intake: Intake<'a>,
    lines: TableRows<SettlementLine<'static>>,
    statuses: TableRows<PaymentStatus<'static>>,
    balances: TableRows<Balance<'static>>,
    payouts: Payouts,
    remarks: Remarks,
    settled: u64,
    told: u64,
    first_refused: Option<u64>,
}

impl<'a> Settlement<'a> {
    pub fn new(intake: Intake<'a>, batch_rows: usize) -> Self {
        let name = intake.file_name();
        Self {
            lines: TableRows::new(name, batch_rows),
            statuses: TableRows::new(name, batch_rows),
            balances: TableRows::new(name, batch_rows),
            intake,
            payouts: Payouts::default(),
            remarks: Remarks::default(),
            settled: 0,
            told: 0,
            first_refused: None,
        }
    }

    /// What `word` means; a word that the profile does not have is an adjustment, and said.
    pub fn meaning(&mut self, profile: &Profile, word: &str, line: u64) -> Meaning {
        let fallback = profile.kind_if_none.filter(|_| word.is_empty());
        profile.kinds.get(word).or(fallback).unwrap_or_else(|| {
            self.note(Remark::UnknownKind, line, word);
            Meaning::Settles(SettlementType::Adjustment)
        })
    }

    /// Adds a line with its exact `figures`.
    pub fn line(
        &mut self,
        profile: &Profile,
        figures: Figures,
        line: &SettlementLine<'_>,
    ) -> Result<(), ReadError> {
        let is_rounded = figures.gross.is_rounded() || figures.net.is_rounded();
        if is_rounded || figures.fee.is_rounded() {
            self.note(Remark::Rounded, line.source_line, "");
        }
        let (gross, net) = (figures.gross.to_amount(), figures.net.to_amount());
        // A payment that the merchant made is no charge to a customer.
        let line_type = match line.line_type {
            SettlementType::Charge if gross.is_negative() => SettlementType::Adjustment,
            other => other,
        };
        // A refund may go by the reference of its charge; a charge does not refer to itself.
        let is_own = line.line_type == SettlementType::Charge
            && is_same(line.original_reference, line.processor_reference);
        let row = SettlementLine {
            line_type,
            gross,
            fee: gross - net,
            net,
            original_reference: if is_own { "" } else { line.original_reference },
            ..line.clone()
        };
        self.payouts.add(&row, figures.net, profile);
        self.settled += 1;
        self.lines.push(&row, &mut self.intake)
    }

    /// Adds a word about a payment.
    pub fn word(&mut self, word: &Word<'_>, line: &Line<'_>) -> Result<(), ReadError> {
        self.told += 1;
        self.note(Remark::Told, line.number, word.status);
        let row = PaymentStatus {
            source_line: line.number,
            message_type: word.report,
            message_id: word.payout_reference,
            original_end_to_end_id: word.merchant_reference,
            original_transaction_reference: word.processor_reference,
            status: word.status,
            reason: word.reason,
            information: word.information,
            status_date: word.date,
            currency: word.currency,
            amount: word.amount,
            bytes: line.start..line.end,
            ..PaymentStatus::blank(StatusLevel::Transaction)
        };
        self.statuses.push(&row, &mut self.intake)
    }

    pub fn balance(&mut self, balance: &Balance<'_>) -> Result<(), ReadError> {
        self.balances.push(balance, &mut self.intake)
    }

    /// Puts `line` into quarantine if it was refused.
    pub fn conclude(&mut self, taken: Taken, line: &Line<'_>) -> Result<(), ReadError> {
        match taken {
            Ok(()) => Ok(()),
            Err(Untaken::Refused(refusal)) => self.refuse(line, refusal),
            Err(Untaken::Failed(error)) => Err(error),
        }
    }

    pub fn refuse(&mut self, line: &Line<'_>, refusal: Refusal) -> Result<(), ReadError> {
        self.first_refused.get_or_insert(line.number);
        Ok(self
            .intake
            .quarantine(line, refusal.reason, refusal.message)?)
    }

    /// Counts something to say at the end; `word` is what it was.
    pub fn note(&mut self, remark: Remark, line: u64, word: &str) {
        self.remarks.note(remark, line, word);
    }

    pub fn report(&mut self, notice: Notice) -> Result<(), ReadError> {
        Ok(self.intake.report(notice)?)
    }

    /// Hands over what is left and says what there is to say.
    pub fn finish(mut self, bytes: u64, lines: u64) -> Result<Counts, ReadError> {
        self.lines.flush(&mut self.intake)?;
        self.statuses.flush(&mut self.intake)?;
        self.balances.flush(&mut self.intake)?;
        for notice in self.payouts.notices() {
            self.report(notice)?;
        }
        for notice in self.remarks.notices() {
            self.report(notice)?;
        }
        if self.settled == 0 && self.intake.counts.quarantined == 0 {
            let found = match self.told {
                0 => "no payment".to_owned(),
                told => format!("{told} words about payments, none of which moves a balance"),
            };
            self.report(Notice {
                severity: Severity::Info,
                code: FindingCode::NotMoneyFile,
                line: None,
                found,
                expected: "at least one line that settles something".to_owned(),
                action: "Nothing to tie out; deliver the processor's settlement report.".into(),
            })?;
        }
        self.intake.report_quarantined(self.first_refused)?;
        self.intake.counts.bytes = bytes;
        self.intake.counts.lines = lines;
        Ok(self.intake.counts)
    }
}
