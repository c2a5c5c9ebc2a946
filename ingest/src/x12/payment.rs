//! The payment that a remittance advice speaks of: `BPR`, `BPS` before release 3030, and the
//! trace, currency and parties that stand beside it.

use tieout_core::{Amount, Currency, Date, Direction, QuarantineReason};

use super::fields::Fields;
use super::segment::Segment;
use super::set::Heading;
use super::tables::Tables;
use crate::format::ReadError;
use crate::rows::PaymentInstruction;

/// A payment, as far as its segments were read.
#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub line: u64,
    pub start: u64,
    /// None if it does not read.
    pub amount: Option<Amount>,
    pub direction: Direction,
    pub method: String,
    pub date: Option<Date>,
    pub debtor: Account,
    pub creditor: Account,
    pub currency: Currency,
    /// TRN02: what the bank's line calls it.
    pub reference: String,
    pub payer: Name,
    pub payee: Name,
}

/// An account and the bank that keeps it.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub agent: String,
    pub number: String,
}

/// A name, and how well its role fits.
#[derive(Clone, Debug, Default)]
pub(super) struct Name {
    pub text: String,
    rank: usize,
}

/// Roles of an N1 that pay, the likeliest first: payer, remitter, ordering party, originator,
/// bill-to, buyer.
const PAYERS: &[&[u8]] = &[b"PR", b"RM", b"OB", b"OR", b"BT", b"BY"];
/// Roles that are paid: payee, remit-to, beneficiary, supplier, vendor, seller.
const PAYEES: &[&[u8]] = &[b"PE", b"RE", b"BE", b"SU", b"VN", b"SE"];

impl Payment {
    /// A payment that nothing says anything of yet.
    pub fn unknown(line: u64, start: u64) -> Self {
        Self {
            line,
            start,
            amount: None,
            direction: Direction::Credit,
            method: String::new(),
            date: None,
            debtor: Account::default(),
            creditor: Account::default(),
            currency: Currency::USD,
            reference: String::new(),
            payer: Name::default(),
            payee: Name::default(),
        }
    }

    /// Reads a `BPR` or `BPS`.
    pub fn read(segment: &Segment<'_>, fields: &mut dyn Fields) -> Result<Self, ReadError> {
        let mut payment = Self::unknown(segment.line, segment.start);
        payment.amount = fields.amount(segment, 2)?;
        if segment.element(2).is_empty() {
            let message = "element 2, the amount of the payment, is empty";
            fields.refuse(segment, QuarantineReason::MissingField, message)?;
        }
        if segment.tag == *b"BPS" {
            payment.read_bps(segment, fields)?;
        } else {
            payment.read_bpr(segment, fields)?;
        }
        // An amount below zero takes back what it says: the money moves the other way.
        if payment.amount.is_some_and(Amount::is_negative) {
            payment.direction = opposite(payment.direction);
        }
        Ok(payment)
    }

    fn read_bpr(
        &mut self,
        segment: &Segment<'_>,
        fields: &mut dyn Fields,
    ) -> Result<(), ReadError> {
        let (method, format) = (segment.text(4), segment.text(5));
        self.method = if format.is_empty() {
            method.into_owned()
        } else {
            format!("{method}/{format}")
        };
        let originator = Account::read(segment, 7, 9);
        let receiver = Account::read(segment, 13, 15);
        // Who orders a debit is paid: the originator's account is the creditor's.
        if segment.element(3) == b"D" {
            self.direction = Direction::Debit;
            (self.creditor, self.debtor) = (originator, receiver);
        } else {
            (self.debtor, self.creditor) = (originator, receiver);
        }
        self.date = fields.date(segment, 16)?;
        Ok(())
    }

    fn read_bps(
        &mut self,
        segment: &Segment<'_>,
        fields: &mut dyn Fields,
    ) -> Result<(), ReadError> {
        self.method = segment.text(1).into_owned();
        self.debtor = Account::read(segment, 5, 6);
        self.creditor = Account::read(segment, 10, 11);
        self.date = fields.date(segment, 12)?;
        Ok(())
    }

    /// Reads what stands beside the payment; false if the segment is none of that.
    pub fn read_beside(
        &mut self,
        segment: &Segment<'_>,
        fields: &mut dyn Fields,
    ) -> Result<bool, ReadError> {
        match &segment.tag {
            b"TRN" if self.reference.is_empty() => self.reference = segment.text(2).into_owned(),
            b"CUR" => {
                let currency = fields.currency(segment)?;
                self.currency = currency.unwrap_or(self.currency);
            }
            // The number of a cheque, where nothing traces the payment.
            b"REF" if segment.element(1) == b"CK" && self.reference.is_empty() => {
                self.reference = segment.text(2).into_owned();
            }
            b"N1 " => self.name(segment),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn name(&mut self, n1: &Segment<'_>) {
        self.payer.offer(n1, PAYERS);
        self.payee.offer(n1, PAYEES);
    }

    /// The instruction that the payment is, or was.
    pub fn write_instruction(
        &self,
        message_type: &str,
        heading: &Heading,
        end: u64,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        // Nothing is paid: notices of accounts that come out even, and prenotifications.
        let Some(amount) = self.amount.filter(|amount| !amount.is_zero()) else {
            return Ok(());
        };
        let row = PaymentInstruction {
            source_line: self.line,
            message_type,
            message_id: &heading.group,
            instruction_id: &heading.control,
            transaction_reference: &self.reference,
            direction: self.direction,
            method: &self.method,
            requested_date: self.date,
            amount: amount.abs(),
            debtor_name: &self.payer.text,
            debtor_account: &self.debtor.number,
            debtor_agent: &self.debtor.agent,
            creditor_name: &self.payee.text,
            creditor_account: &self.creditor.number,
            creditor_agent: &self.creditor.agent,
            bytes: heading.start..end,
            ..PaymentInstruction::blank(self.currency)
        };
        tables.push_instruction(&row)
    }
}

impl Account {
    fn read(segment: &Segment<'_>, agent: usize, number: usize) -> Self {
        Self {
            agent: segment.text(agent).into_owned(),
            number: segment.text(number).into_owned(),
        }
    }
}

impl Account {
    /// Bank and account with a colon between, as other cheques have them; what is absent is left
    /// out.
    pub fn said(&self) -> String {
        let parts = [self.agent.as_str(), self.number.as_str()];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join(":")
    }
}

impl Name {
    /// Takes the name of an N1 if its role is among `roles` and fits better than what is known.
    fn offer(&mut self, n1: &Segment<'_>, roles: &[&[u8]]) {
        let role = n1.element(1);
        let Some(rank) = roles.iter().position(|known| *known == role) else {
            return;
        };
        if self.text.is_empty() || rank < self.rank {
            // Some give the identifier only.
            let name = [n1.text(2), n1.text(4)];
            let name = name.into_iter().find(|text| !text.is_empty());
            self.text = name.unwrap_or_default().into_owned();
            self.rank = rank;
        }
    }
}

fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::Credit => Direction::Debit,
        Direction::Debit => Direction::Credit,
    }
}
