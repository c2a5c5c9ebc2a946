//! A movement: an 04 record and the 05 records that say more about it.

use std::borrow::Cow;

use tieout_core::{Amount, Currency, Date, Direction, IdentityHasher, LineId, QuarantineReason};

use super::amount::minor_units;
use super::qualifiers::{Subject, subject};
use crate::fixed::{columns, trimmed};
use crate::format::ReadError;
use crate::lines::Line;
use crate::national::{Desk, Kept, Refusal, append_words, decode, iso_reference_in, optional_date};
use crate::rows::BankLine;

/// Bytes of details that a movement keeps.
const DETAIL_BYTES_MAX: usize = 64 * 1024;
/// Decimals where the record does not say.
const USUAL_DECIMALS: u32 = 2;
/// The interbank code of a paid cheque, whose entry number is the cheque's.
const CHEQUE: &[u8] = b"01";

/// What 05 records say; empty where they do not.
#[derive(Default)]
struct Details {
    text: String,
    payer_name: String,
    payee_name: String,
    ultimate_payer_name: String,
    ultimate_payee_name: String,
    customer_reference: String,
    bank_reference: String,
    mandate: String,
    payer_account: String,
    payee_account: String,
}

/// A movement that is read.
#[derive(Default)]
pub(super) struct Movement {
    record: Kept,
    details: Details,
    pub amount: Amount,
    currency: Option<Currency>,
    booking_date: Option<Date>,
    value_date: Option<Date>,
    detail_bytes: usize,
    end: u64,
}

impl Movement {
    /// Begins with an 04 record.
    pub fn begin(&mut self, line: &Line<'_>, usual: Option<Currency>) -> Result<(), Refusal> {
        let record = line.bytes;
        let currency = currency_of(record)?.or(usual).ok_or_else(|| {
            let message = "neither the movement nor its statement names a currency".to_owned();
            (QuarantineReason::MissingField, message)
        })?;
        self.amount = amount_of(record)?;
        let booking_date = columns(record, 35, 40);
        self.booking_date = optional_date(booking_date, Date::parse_ddmmyy, "booking date")?;
        let value_date = columns(record, 43, 48);
        self.value_date = optional_date(value_date, Date::parse_ddmmyy, "value date")?;
        self.currency = Some(currency);
        self.record.set(line);
        self.details.clear();
        self.detail_bytes = 0;
        self.end = line.end;
        append_words(&mut self.details.text, &decode(columns(record, 49, 79)));
        Ok(())
    }

    pub fn is_open(&self) -> bool {
        !self.record.is_empty()
    }

    pub fn discard(&mut self) {
        self.record.clear();
    }

    pub fn direction(&self) -> Direction {
        // The sign of an amount says which way the money moves.
        if self.amount.is_negative() {
            Direction::Debit
        } else {
            Direction::Credit
        }
    }

    /// Adds an 05 record; false if there is too much already.
    pub fn say(&mut self, line: &Line<'_>) -> bool {
        self.detail_bytes += line.bytes.len();
        if self.detail_bytes > DETAIL_BYTES_MAX {
            return false;
        }
        self.end = line.end;
        self.details.read(line.bytes);
        true
    }

    /// Writes the row.
    pub fn write(
        &self,
        account: &str,
        statement_id: &str,
        desk: &mut Desk<'_>,
    ) -> Result<(), ReadError> {
        let Some(currency) = self.currency else {
            return Ok(());
        };
        let record = self.record.bytes();
        let details = &self.details;
        let is_debit = self.amount.is_negative();
        let (name, counterparty) = details.counterparty(is_debit);
        let interbank = trimmed(record, 33, 34);
        let rejection = decode(trimmed(record, 41, 42));
        let reference = self.reference();
        let type_code = if interbank.is_empty() {
            trimmed(record, 8, 11)
        } else {
            interbank
        };
        desk.bank_line(&BankLine {
            source_line: self.record.number(),
            account,
            booking_date: self.booking_date,
            value_date: self.value_date,
            direction: self.direction(),
            amount: self.amount.abs(),
            type_code: &decode(type_code),
            bank_reference: &reference,
            entry_reference: &reference,
            end_to_end_id: &details.customer_reference,
            check_number: &self.check_number(interbank),
            counterparty_name: name,
            counterparty_account: counterparty,
            remittance_text: &details.text,
            creditor_reference: iso_reference_in(&details.text).unwrap_or_default(),
            mandate_id: &details.mandate,
            reversal: !rejection.is_empty(),
            return_reason: &rejection,
            statement_id,
            bytes: self.record.range().start..self.end,
            ..BankLine::blank(self.identity(statement_id), currency)
        })
    }

    fn reference(&self) -> Cow<'_, str> {
        if self.details.bank_reference.is_empty() {
            decode(trimmed(self.record.bytes(), 105, 120))
        } else {
            Cow::Borrowed(&self.details.bank_reference)
        }
    }

    fn check_number(&self, interbank: &[u8]) -> Cow<'_, str> {
        let number = trimmed(self.record.bytes(), 82, 88);
        let zeros = number.iter().take_while(|&&digit| digit == b'0').count();
        decode(match number.get(zeros..) {
            Some(number) if interbank == CHEQUE => number,
            _ => b"",
        })
    }

    fn identity(&self, statement_id: &str) -> LineId {
        let mut hasher = IdentityHasher::new("cfonb120");
        hasher.field(statement_id.as_bytes());
        let record = self.record.bytes();
        hasher.field(columns(record, 8, 11));
        hasher.field(columns(record, 33, 48));
        hasher.field(&self.amount.units().to_le_bytes());
        hasher.field(trimmed(record, 82, 88));
        hasher.field(trimmed(record, 105, 120));
        for text in [
            &self.details.text,
            &self.details.customer_reference,
            &self.details.bank_reference,
            &self.details.mandate,
            &self.details.payer_name,
            &self.details.payee_name,
        ] {
            hasher.field(text.as_bytes());
        }
        hasher.finish()
    }
}

impl Details {
    fn clear(&mut self) {
        for field in self.fields() {
            field.clear();
        }
    }

    fn fields(&mut self) -> [&mut String; 10] {
        [
            &mut self.text,
            &mut self.payer_name,
            &mut self.payee_name,
            &mut self.ultimate_payer_name,
            &mut self.ultimate_payee_name,
            &mut self.customer_reference,
            &mut self.bank_reference,
            &mut self.mandate,
            &mut self.payer_account,
            &mut self.payee_account,
        ]
    }

    fn read(&mut self, record: &[u8]) {
        let qualifier = columns(record, 46, 48);
        let Some((subject, is_half)) = subject(qualifier) else {
            append_words(&mut self.text, &decode(qualifier));
            append_words(&mut self.text, &decode(columns(record, 49, 118)));
            return;
        };
        let last = if is_half { 83 } else { 118 };
        append_words(self.field(subject), &decode(columns(record, 49, last)));
        append_words(&mut self.text, &decode(columns(record, last + 1, 118)));
    }

    fn field(&mut self, subject: Subject) -> &mut String {
        match subject {
            Subject::Text => &mut self.text,
            Subject::PayerName => &mut self.payer_name,
            Subject::PayeeName => &mut self.payee_name,
            Subject::UltimatePayerName => &mut self.ultimate_payer_name,
            Subject::UltimatePayeeName => &mut self.ultimate_payee_name,
            Subject::CustomerReference => &mut self.customer_reference,
            Subject::BankReference => &mut self.bank_reference,
            Subject::Mandate => &mut self.mandate,
            Subject::PayerAccount => &mut self.payer_account,
            Subject::PayeeAccount => &mut self.payee_account,
        }
    }

    /// Name and account of the other side: the payee of a debit, the payer of a credit. Banks
    /// that name one side only mean the other side by it.
    fn counterparty(&self, is_debit: bool) -> (&str, &str) {
        let payer = [&self.payer_name, &self.ultimate_payer_name];
        let payee = [&self.payee_name, &self.ultimate_payee_name];
        let (names, accounts) = if is_debit {
            let accounts = [&self.payee_account, &self.payer_account];
            ([payee, payer].concat(), accounts)
        } else {
            let accounts = [&self.payer_account, &self.payee_account];
            ([payer, payee].concat(), accounts)
        };
        (first_of(&names), first_of(&accounts))
    }
}

fn first_of<'a>(texts: &[&'a String]) -> &'a str {
    let text = texts.iter().find(|text| !text.is_empty());
    text.map_or("", |text| text.as_str())
}

/// The currency that a record names, if any.
pub(super) fn currency_of(record: &[u8]) -> Result<Option<Currency>, Refusal> {
    let code = trimmed(record, 17, 19);
    if code.is_empty() {
        return Ok(None);
    }
    Currency::parse(code).map(Some).map_err(|error| {
        let message = format!("the currency is `{}`: {error}", decode(code));
        (QuarantineReason::BadCurrency, message)
    })
}

/// The signed amount of a record.
pub(super) fn amount_of(record: &[u8]) -> Result<Amount, Refusal> {
    let decimals = match columns(record, 20, 20) {
        [digit @ b'0'..=b'9'] => u32::from(digit - b'0'),
        _ => USUAL_DECIMALS,
    };
    let field = columns(record, 91, 104);
    let minor = minor_units(field);
    let amount = minor.and_then(|minor| Amount::from_minor(minor, decimals).ok());
    amount.ok_or_else(|| {
        let message = format!(
            "the amount is `{}`; expected 13 digits and a character for the last digit and the \
             sign",
            String::from_utf8_lossy(field)
        );
        (QuarantineReason::BadAmount, message)
    })
}
