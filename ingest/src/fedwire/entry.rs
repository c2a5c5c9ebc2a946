//! A message becomes a bank line, an instructed payment, and documents.
//!
//! A message does not say whose file it is. Fedwire sends it to the receiver, whose customer (the
//! beneficiary) is credited, and so the line is read: a credit to the beneficiary's account, with
//! the originator as counterparty. Where the beneficiary has no account number, the receiver's
//! own account at the Fed, named by its routing number, is credited.

use tieout_core::{Amount, Channel, Currency, Date, Direction, Feed, IdentityHasher, LineId};

use super::message::{Message, Party, Refusal, money};
use super::remittance::Documents;
use crate::format::ReadError;
use crate::intake::Intake;
use crate::rows::{BankLine, BankLines, BookingStatus, PaymentInstruction, TableRows, decode};

/// What the subtype (the last two digits of {1510}) makes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Money moves to the beneficiary.
    Pays,
    /// Money that came before goes back.
    Reverses,
    /// Somebody asks for money, or says something.
    Asks,
}

impl Effect {
    fn of(subtype: &[u8]) -> Self {
        match subtype {
            b"02" | b"08" => Self::Reverses,
            // Request for reversal, request for credit, its refusal, service message.
            b"01" | b"07" | b"31" | b"33" | b"90" => Self::Asks,
            _ => Self::Pays,
        }
    }
}

/// The values of a message that had to be checked.
pub(super) struct Entry<'a> {
    message: &'a Message,
    pub amount: Amount,
    date: Option<Date>,
    effect: Effect,
}

impl<'a> Entry<'a> {
    /// Checks the values of `message`.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn check(message: &'a Message) -> Result<Self, Refusal> {
        Ok(Self {
            amount: message.amount()?,
            date: message.cycle_date()?,
            effect: Effect::of(message.element(1510, 1)),
            message,
        })
    }

    /// Whether the sender marked the message as a test.
    pub fn is_test(&self) -> bool {
        self.message.element(1500, 2) == b"T"
    }

    /// Whether the message may have been sent before.
    pub fn may_be_duplicate(&self) -> bool {
        self.message.element(1500, 3) == b"P"
    }

    /// Writes the line with its documents.
    pub fn write(
        &self,
        documents: &Documents<'_>,
        rows: &mut BankLines,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        let message = self.message;
        let originator = self.originator();
        let reference = decode(message.value(1520));
        let counterparty = account_at(self.originators_bank(), originator.account());
        let account = message.party(4200).account();
        let account = if account.is_empty() {
            message.element(3400, 0)
        } else {
            account
        };
        let moves = self.effect != Effect::Asks && !self.is_test();
        let row = BankLine {
            source_line: message.line_number(),
            account: &decode(account),
            booking_date: self.date,
            value_date: self.date,
            direction: Direction::Credit,
            amount: self.amount,
            type_code: &self.type_code(),
            bank_reference: &reference,
            entry_reference: &reference,
            end_to_end_id: &self.end_to_end_id(),
            counterparty_name: &decode(originator.name),
            counterparty_account: &counterparty,
            remittance_text: &self.text(),
            reversal: self.effect == Effect::Reverses,
            status: if moves {
                BookingStatus::Booked
            } else {
                BookingStatus::Information
            },
            channel: Channel::Wire,
            bytes: message.bytes(),
            feed: Feed::Interim,
            charges: self.charges(),
            ..BankLine::blank(self.identity(), Currency::USD)
        };
        rows.push(&row, intake)?;
        documents.push(&reference, originator.name, self.date, self.amount, rows);
        Ok(())
    }

    /// Writes the instructed payment.
    pub fn instruct(
        &self,
        rows: &mut TableRows<PaymentInstruction<'static>>,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        let message = self.message;
        let beneficiary = message.party(4200);
        // A drawdown names the account to debit; elsewhere it is the originator's.
        let debtor = if message.has(4400) {
            message.party(4400)
        } else {
            self.originator()
        };
        let is_request = message.element(1510, 1) == b"31";
        let reference = decode(message.value(1520));
        let row = PaymentInstruction {
            source_line: message.line_number(),
            message_type: &format!("fedwire.{}", decode(message.element(3600, 0))),
            message_id: &reference,
            instruction_id: &decode(message.element(3320, 0)),
            end_to_end_id: &self.end_to_end_id(),
            transaction_reference: &reference,
            // A request for credit (a drawdown) collects; all others send.
            direction: if is_request {
                Direction::Debit
            } else {
                Direction::Credit
            },
            method: &self.type_code(),
            requested_date: self.date,
            amount: self.amount,
            debtor_name: &decode(debtor.name),
            debtor_account: &decode(debtor.account()),
            debtor_agent: &decode(self.originators_bank()),
            creditor_name: &decode(beneficiary.name),
            creditor_account: &decode(beneficiary.account()),
            creditor_agent: &decode(self.beneficiarys_bank()),
            remittance_text: &self.text(),
            bytes: message.bytes(),
            ..PaymentInstruction::blank(Currency::USD)
        };
        rows.push(&row, intake)
    }

    /// The originator, from {5000} or, in its other form, from {5010}.
    fn originator(&self) -> Party<'a> {
        if self.message.has(5000) {
            return self.message.party(5000);
        }
        let lines = super::tags::elements(5010, self.message.value(5010));
        let identifier = lines.first().copied().unwrap_or_default();
        let named = lines.iter().find_map(|line| line.strip_prefix(b"1/"));
        Party {
            // The first line is `/account`, or the kind of an identity document.
            code: if identifier.starts_with(b"/") {
                b"D"
            } else {
                b""
            },
            identifier: identifier.strip_prefix(b"/").unwrap_or(identifier),
            name: named.unwrap_or_default(),
        }
    }

    fn originators_bank(&self) -> &'a [u8] {
        bank_of(self.message.party(5100), self.message.element(3100, 0))
    }

    fn beneficiarys_bank(&self) -> &'a [u8] {
        bank_of(self.message.party(4100), self.message.element(3400, 0))
    }

    /// Type and subtype with the business function: `1000/CTR`.
    fn type_code(&self) -> String {
        let code = decode(self.message.value(1510).trim_ascii());
        format!("{code}/{}", decode(self.message.element(3600, 0)))
    }

    fn end_to_end_id(&self) -> String {
        let notified = self.message.element(3620, 6);
        let reference = if notified.is_empty() {
            self.message.element(3320, 0)
        } else {
            notified
        };
        decode(reference).into_owned()
    }

    /// What the originator says to the beneficiary.
    fn text(&self) -> String {
        let parts = [
            self.message.text(4320, 0),
            self.message.text(6000, 0),
            self.message.text(8200, 1),
            self.message.text(8750, 0),
        ];
        let parts = parts.iter().filter(|part| !part.is_empty());
        let parts: Vec<_> = parts.map(|part| decode(part)).collect();
        parts.join(" ").replace(['\r', '\n'], " ")
    }

    /// What banks took off on the way, if all of it is in dollars.
    fn charges(&self) -> Option<Amount> {
        let written = (1..=4).map(|place| self.message.element(3700, place));
        let written: Vec<&[u8]> = written.filter(|charge| !charge.is_empty()).collect();
        if written.is_empty() {
            return None;
        }
        let dollars = written.into_iter().map(|charge| {
            let (currency, number) = charge.split_at_checked(3)?;
            let (currency, amount) = money(currency, number)?;
            (currency == Currency::USD).then_some(amount)
        });
        dollars.sum()
    }

    /// What the Fed adds and what tells a second sending ({1100} to {1130}, {1500}) is left out,
    /// so that sender's and receiver's copies of a message are one line.
    fn identity(&self) -> LineId {
        let mut hasher = IdentityHasher::new("fedwire");
        hasher.field(self.message.value(1520));
        hasher.field(self.message.value(1510));
        hasher.field(&self.amount.units().to_le_bytes());
        for tag in [3100, 3400] {
            hasher.field(self.message.element(tag, 0));
        }
        hasher.field(self.message.element(3600, 0));
        hasher.field(self.message.element(3320, 0));
        for tag in [4200, 5000] {
            let party = self.message.party(tag);
            hasher.field(party.identifier);
            hasher.field(party.name);
        }
        hasher.field(self.text().as_bytes());
        hasher.finish()
    }
}

/// The bank's routing number: its own, or the one that the message goes through.
fn bank_of<'a>(bank: Party<'a>, through: &'a [u8]) -> &'a [u8] {
    if bank.code == b"F" && !bank.identifier.is_empty() {
        bank.identifier
    } else {
        through
    }
}

/// The account as `ABA:account`, or nothing.
fn account_at(bank: &[u8], account: &[u8]) -> String {
    if bank.is_empty() || account.is_empty() {
        return String::new();
    }
    format!("{}:{}", decode(bank), decode(account))
}
