//! An entry becomes rows: a transaction with its documents, the instruction that its originator
//! gave, or the word about an earlier payment.

use tieout_core::{
    Amount, Channel, Currency, Date, Direction, Feed, IdentityHasher, LineId, StatusLevel,
};

use super::addenda::{Addenda, Word, single_spaced};
use super::entry::Entry;
use super::header::{Batch, with_check_digit};
use super::kinds::Purpose;
use super::record::Kept;
use crate::format::ReadError;
use crate::intake::Intake;
use crate::rows::{
    BankLine, BankLines, BookingStatus, DocumentLine, PaymentInstruction, PaymentStatus, TableRows,
};
use crate::x12::EmbeddedAdvice;

/// An entry with all that is known of it.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    pub entry: &'a Entry<'a>,
    pub batch: &'a Batch,
    pub addenda: &'a Addenda,
    pub kept: &'a Kept,
    /// The file's reference and day.
    pub file: (&'a str, Option<Date>),
}

/// The rows of a file.
pub(super) struct Rows {
    transactions: BankLines,
    instructions: TableRows<PaymentInstruction<'static>>,
    statuses: TableRows<PaymentStatus<'static>>,
    /// The accounts of the entry that is written.
    account: String,
    counterparty: String,
}

/// Which kind of rows an entry gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A transaction and its instruction.
    Payment,
    /// A transaction that the operator or an earlier payment is the reason for.
    Consequence,
    /// Only a word about an earlier payment.
    Change,
}

impl Whole<'_> {
    pub fn outcome(&self) -> Outcome {
        let is_return_code = self.entry.meaning.purpose == Purpose::Return;
        match &self.addenda.word {
            Some(word) if word.is_return => Outcome::Consequence,
            Some(_) => Outcome::Change,
            None if is_return_code && self.batch.code == "COR" => Outcome::Change,
            None if is_return_code || self.batch.is_advice() => Outcome::Consequence,
            None => Outcome::Payment,
        }
    }

    fn is_return(&self) -> bool {
        self.outcome() == Outcome::Consequence && !self.batch.is_advice()
    }

    /// A return goes back to the originator's bank; only a dishonored one goes to the receiver's.
    fn goes_to_originator(&self) -> bool {
        let is_dishonored = self.addenda.word.as_ref().is_some_and(Word::is_dishonored);
        self.is_return() && !is_dishonored
    }

    fn originator(&self) -> &str {
        match &*self.addenda.international.originator {
            "" => &self.batch.company_name,
            name => name,
        }
    }

    fn receiver(&self) -> &str {
        match &*self.addenda.international.receiver {
            "" => self.entry.name,
            name => name,
        }
    }

    fn identification(&self) -> &str {
        match &*self.addenda.international.identification {
            "" => self.entry.identification,
            text => text,
        }
    }

    fn status(&self) -> BookingStatus {
        match self.entry.meaning.purpose {
            Purpose::Live | Purpose::Return if self.entry.cents > 0 => BookingStatus::Booked,
            _ => BookingStatus::Information,
        }
    }

    /// The day of the file stands in for returns, whose batches have no day of their own.
    fn booking_date(&self) -> Option<Date> {
        self.batch.booking_date().or(self.file.1)
    }

    fn text(&self, advice: Option<&EmbeddedAdvice>) -> String {
        if self.addenda.is_empty() {
            return String::new();
        }
        match advice {
            Some(_) => self.addenda.payment.trim_ascii().to_owned(),
            None if self.addenda.payment.is_empty() => self.addenda.terminal.clone(),
            None => single_spaced(&self.addenda.payment),
        }
    }

    fn identity(&self, account: &str) -> LineId {
        let mut hasher = IdentityHasher::new("nacha");
        hasher.field(account.as_bytes());
        hasher.field(self.batch.reference.as_bytes());
        hasher.field(self.batch.code.as_bytes());
        hasher.field(self.entry.code.as_bytes());
        hasher.field(&self.entry.cents.to_le_bytes());
        hasher.field(self.entry.identification.as_bytes());
        hasher.field(self.entry.check_number.as_bytes());
        hasher.field(self.receiver().as_bytes());
        hasher.field(self.entry.trace.as_bytes());
        if !self.addenda.is_empty() {
            hasher.field(self.addenda.payment.trim_ascii_end().as_bytes());
            hasher.field(self.addenda.terminal.as_bytes());
        }
        if let Some(word) = &self.addenda.word {
            hasher.field(word.reason.as_bytes());
            hasher.field(word.original_trace.as_bytes());
        }
        hasher.finish()
    }
}

impl Rows {
    pub fn new(file_name: &str, batch_rows: usize) -> Self {
        Self {
            transactions: BankLines::new(file_name, batch_rows),
            instructions: TableRows::new(file_name, batch_rows),
            statuses: TableRows::new(file_name, batch_rows),
            account: String::new(),
            counterparty: String::new(),
        }
    }

    /// Writes what the entry gives; `advice` is what its addenda say, if they say it in segments.
    pub fn write(
        &mut self,
        whole: &Whole<'_>,
        advice: Option<&EmbeddedAdvice>,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        self.name_accounts(whole);
        let text = whole.text(advice);
        let outcome = whole.outcome();
        if outcome != Outcome::Change {
            self.write_transaction(whole, &text, intake)?;
            let currency = advice.and_then(|advice| advice.currency);
            let currency = currency.unwrap_or(Currency::USD);
            // The entry is in dollars, whatever its documents are in.
            let payment_amount = Some(whole.entry.amount()).filter(|_| currency == Currency::USD);
            for document in advice.iter().flat_map(|advice| &advice.documents) {
                self.transactions.push_document(&DocumentLine {
                    source_line: whole.kept.line,
                    payment_reference: advice.map_or("", |advice| &advice.reference),
                    payer_name: payer(whole, advice),
                    payment_date: advice.and_then(|a| a.date).or(whole.booking_date()),
                    payment_amount,
                    currency,
                    document_number: &document.number,
                    gross: document.gross,
                    discount: document.discount,
                    adjustment: document.adjustment,
                    adjustment_reason: &document.reason,
                    net: document.net,
                });
            }
        }
        if outcome == Outcome::Payment {
            self.write_instruction(whole, &text, intake)?;
        }
        match &whole.addenda.word {
            Some(word) => self.write_status(whole, word, intake),
            None => Ok(()),
        }
    }

    fn name_accounts(&mut self, whole: &Whole<'_>) {
        let (entry, batch) = (whole.entry, whole.batch);
        self.account.clear();
        self.counterparty.clear();
        let own = if whole.goes_to_originator() {
            &batch.company_id
        } else {
            entry.account
        };
        for text in [entry.bank, ":", own] {
            self.account.push_str(text);
        }
        if whole.goes_to_originator() {
            let bank = whole
                .addenda
                .word
                .as_ref()
                .map_or("", |word| &word.original_bank);
            if !bank.is_empty() {
                self.counterparty.push_str(&with_check_digit(bank));
                self.counterparty.push(':');
            }
            self.counterparty.push_str(entry.account);
        } else {
            // No file names the originator's account; the company number is what stays the same
            // from payment to payment.
            self.counterparty.push_str(&batch.company_id);
        }
    }

    fn write_transaction(
        &mut self,
        whole: &Whole<'_>,
        text: &str,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        let (entry, batch) = (whole.entry, whole.batch);
        let mut type_code = [b'/'; 6];
        let row = BankLine {
            source_line: whole.kept.line,
            account: &self.account,
            booking_date: whole.booking_date(),
            value_date: batch.booking_date(),
            direction: entry.meaning.direction,
            amount: entry.amount(),
            type_code: code_of(&batch.code, entry.code, &mut type_code),
            bank_reference: entry.trace,
            end_to_end_id: whole.identification(),
            check_number: entry.check_number,
            counterparty_name: if whole.goes_to_originator() {
                whole.receiver()
            } else {
                whole.originator()
            },
            counterparty_account: &self.counterparty,
            remittance_text: text,
            reversal: batch.is_reversal || whole.is_return(),
            status: whole.status(),
            channel: Channel::Ach,
            statement_id: whole.file.0,
            bytes: whole.kept.bytes.clone(),
            feed: Feed::Detail,
            entry_reference: &batch.reference,
            return_reason: whole.addenda.word.as_ref().map_or("", |word| &word.reason),
            ..BankLine::blank(whole.identity(&self.account), Currency::USD)
        };
        self.transactions.push(&row, intake)
    }

    fn write_instruction(
        &mut self,
        whole: &Whole<'_>,
        text: &str,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        let (entry, batch) = (whole.entry, whole.batch);
        let names = &whole.addenda.international;
        let originator = Party {
            name: whole.originator(),
            account: &self.counterparty,
            bank: first_of(&names.originating_bank, &batch.originating_agent),
        };
        let receiver = Party {
            name: whole.receiver(),
            account: &self.account,
            bank: first_of(&names.receiving_bank, entry.bank),
        };
        let (debtor, creditor) = match entry.meaning.direction {
            Direction::Credit => (originator, receiver),
            Direction::Debit => (receiver, originator),
        };
        let row = PaymentInstruction {
            source_line: whole.kept.line,
            message_type: &batch.message_type,
            message_id: whole.file.0,
            payment_information_id: &batch.reference,
            instruction_id: &names.foreign_trace,
            end_to_end_id: whole.identification(),
            transaction_reference: entry.trace,
            direction: entry.meaning.direction,
            method: &batch.code,
            requested_date: batch.effective_date,
            amount: entry.amount(),
            debtor_name: debtor.name,
            debtor_account: debtor.account,
            debtor_agent: debtor.bank,
            creditor_name: creditor.name,
            creditor_account: creditor.account,
            creditor_agent: creditor.bank,
            purpose: first_of(&batch.description, &names.purpose),
            remittance_text: text,
            bytes: whole.kept.bytes.clone(),
            ..PaymentInstruction::blank(Currency::USD)
        };
        self.instructions.push(&row, intake)
    }

    fn write_status(
        &mut self,
        whole: &Whole<'_>,
        word: &Word,
        intake: &mut Intake<'_>,
    ) -> Result<(), ReadError> {
        let amount = whole.entry.amount();
        let row = PaymentStatus {
            source_line: word.line,
            message_type: &whole.batch.message_type,
            message_id: whole.file.0,
            original_end_to_end_id: whole.identification(),
            original_transaction_reference: &word.original_trace,
            status: if word.is_return { "RTRN" } else { "NOTC" },
            reason: &word.reason,
            information: &word.information,
            status_date: whole.booking_date(),
            currency: Some(Currency::USD),
            amount: Some(amount).filter(|amount| *amount != Amount::ZERO),
            bytes: whole.kept.bytes.clone(),
            ..PaymentStatus::blank(StatusLevel::Transaction)
        };
        self.statuses.push(&row, intake)
    }

    /// Hands over what is built so far.
    pub fn flush(&mut self, intake: &mut Intake<'_>) -> Result<(), ReadError> {
        self.transactions.flush(intake)?;
        self.instructions.flush(intake)?;
        self.statuses.flush(intake)
    }
}

struct Party<'a> {
    name: &'a str,
    account: &'a str,
    bank: &'a str,
}

/// A debit takes the money from the receiver of the entry.
fn payer<'a>(whole: &'a Whole<'_>, advice: Option<&'a EmbeddedAdvice>) -> &'a str {
    let named = advice.map_or("", |advice| &advice.payer);
    match whole.entry.meaning.direction {
        _ if !named.is_empty() => named,
        Direction::Credit => whole.originator(),
        Direction::Debit => whole.receiver(),
    }
}

fn first_of<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

/// `CTX/22`; only the transaction code where the type is not three letters.
fn code_of<'a>(kind: &str, code: &'a str, room: &'a mut [u8; 6]) -> &'a str {
    let (Ok(kind), Ok(code_bytes)) = (
        <[u8; 3]>::try_from(kind.as_bytes()),
        <[u8; 2]>::try_from(code.as_bytes()),
    ) else {
        return code;
    };
    room[..3].copy_from_slice(&kind);
    room[4..].copy_from_slice(&code_bytes);
    std::str::from_utf8(room).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_codes_have_two_parts() {
        assert_eq!(code_of("CTX", "22", &mut [b'/'; 6]), "CTX/22");
        assert_eq!(code_of("", "22", &mut [b'/'; 6]), "22");
    }
}
