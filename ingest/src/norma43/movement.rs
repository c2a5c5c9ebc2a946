//! A movement: a 22 record, the 23 records of what it is about, and its 24.

use tieout_core::{Amount, Date, Direction, IdentityHasher, LineId, QuarantineReason};

use super::DECIMALS;
use super::account::{Account, direction_of};
use super::currencies::currency;
use crate::fixed::{columns, trimmed};
use crate::format::ReadError;
use crate::lines::Line;
use crate::national::{
    Desk, Kept, Refusal, append_words, decode, iso_reference_in, minor_amount, optional_date,
};
use crate::rows::BankLine;

/// Concept records that a movement may have.
const CONCEPTS_MAX: usize = 5;
/// Bytes that the text of a movement seldom has more of.
const TEXT_BYTES_USUAL: usize = 256;
/// Schemes of SEPA direct debits, with which the first concept of one begins.
const SCHEMES: [&[u8]; 3] = [b"CORE", b"COR1", b"B2B "];
/// Cheques and withdrawals by them.
const CHEQUES: &[u8] = b"01";
/// Returns and unpaid items; cancellations and corrections.
const REVERSALS: [&[u8]; 2] = [b"14", b"98"];

/// A movement that is read.
#[derive(Default)]
pub(super) struct Movement {
    record: Kept,
    concepts: [Kept; CONCEPTS_MAX],
    used: usize,
    /// The amount in another currency.
    equivalent: Option<String>,
    booking_date: Option<Date>,
    value_date: Option<Date>,
    pub amount: Amount,
    pub direction: Option<Direction>,
    end: u64,
}

impl Movement {
    /// Begins with a 22 record.
    pub fn begin(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let record = line.bytes;
        let date = |first, last, what| {
            optional_date(columns(record, first, last), Date::parse_yymmdd, what)
        };
        self.booking_date = date(11, 16, "operation date")?;
        self.value_date = date(17, 22, "value date")?;
        self.direction = Some(direction_of(columns(record, 28, 28))?);
        self.amount = minor_amount(columns(record, 29, 42), DECIMALS, "amount")?;
        self.record.set(line);
        self.used = 0;
        self.equivalent = None;
        self.end = line.end;
        Ok(())
    }

    pub fn is_open(&self) -> bool {
        !self.record.is_empty()
    }

    pub fn discard(&mut self) {
        self.record.clear();
    }

    /// Adds a 23 record.
    pub fn concept(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let Some(concept) = self.concepts.get_mut(self.used) else {
            let message = format!("the movement has more than {CONCEPTS_MAX} concepts (23)");
            return Err((QuarantineReason::MisplacedRecord, message));
        };
        concept.set(line);
        self.used += 1;
        self.end = line.end;
        Ok(())
    }

    /// Adds a 24 record.
    pub fn equivalent(&mut self, line: &Line<'_>) -> Result<(), Refusal> {
        let currency = currency(columns(line.bytes, 5, 7))?;
        let amount = minor_amount(columns(line.bytes, 8, 21), DECIMALS, "amount")?;
        self.equivalent = Some(format!("{currency} {amount}"));
        self.end = line.end;
        Ok(())
    }

    /// Writes the row.
    pub fn write(&self, account: &Account, desk: &mut Desk<'_>) -> Result<(), ReadError> {
        let Some(direction) = self.direction else {
            return Ok(());
        };
        let record = self.record.bytes();
        let (name, mandate) = self.direct_debit();
        let document = trimmed(record, 43, 52);
        let concept = columns(record, 23, 24);
        let reference = reference_of(record);
        let text = self.text(reference);
        let reference = decode(reference);
        desk.bank_line(&BankLine {
            source_line: self.record.number(),
            account: &account.number,
            booking_date: self.booking_date,
            value_date: self.value_date,
            direction,
            amount: self.amount,
            type_code: &decode(columns(record, 23, 27)),
            bank_reference: &reference,
            entry_reference: &reference,
            check_number: &decode(if concept == CHEQUES {
                without_zeros(document)
            } else {
                b""
            }),
            counterparty_name: &decode(name),
            mandate_id: &decode(mandate),
            remittance_text: &text,
            creditor_reference: iso_reference_in(&text).unwrap_or_default(),
            reversal: REVERSALS.contains(&concept),
            statement_id: &account.statement_id,
            bytes: self.record.range().start..self.end,
            ..BankLine::blank(self.identity(account, &text), account.currency)
        })
    }

    /// The concepts, what the references say beside `reference`, and the amount in another
    /// currency.
    fn text(&self, reference: &[u8]) -> String {
        let record = self.record.bytes();
        let mut text = String::with_capacity(TEXT_BYTES_USUAL);
        for concept in self.concepts.iter().take(self.used) {
            // Words run on from the first half into the second.
            append_words(&mut text, &decode(columns(concept.bytes(), 5, 80)));
        }
        for field in references(record) {
            if field != reference && !without_zeros(field).is_empty() {
                append_words(&mut text, &decode(field));
            }
        }
        if let Some(equivalent) = &self.equivalent {
            append_words(&mut text, equivalent);
        }
        text
    }

    /// Name and mandate of a SEPA direct debit, which some banks write into the first concepts.
    fn direct_debit(&self) -> (&[u8], &[u8]) {
        let concepts = &self.concepts;
        let first = concepts.first().map_or(&b""[..], |kept| kept.bytes());
        let second = concepts.get(1).map_or(&b""[..], |kept| kept.bytes());
        if self.used < 2 || !SCHEMES.contains(&columns(first, 5, 8)) {
            return (b"", b"");
        }
        (trimmed(first, 9, 80), trimmed(second, 40, 74))
    }

    fn identity(&self, account: &Account, text: &str) -> LineId {
        let mut hasher = IdentityHasher::new("norma43");
        hasher.field(account.statement_id.as_bytes());
        hasher.field(columns(self.record.bytes(), 7, 80).trim_ascii_end());
        hasher.field(text.as_bytes());
        hasher.finish()
    }
}

/// The two references and the document number. Where the first runs on in the second, they are
/// one text.
fn references(record: &[u8]) -> [&[u8]; 3] {
    let document = trimmed(record, 43, 52);
    let has_digit = |field: &[u8]| field.iter().any(u8::is_ascii_digit);
    if has_digit(columns(record, 53, 64)) {
        let (first, second) = (trimmed(record, 53, 64), trimmed(record, 65, 80));
        return [first, second, document];
    }
    [trimmed(record, 53, 80), document, b""]
}

/// The first of the references and the document number that says something.
fn reference_of(record: &[u8]) -> &[u8] {
    // What has blanks in it is text.
    let says = |field: &&[u8]| {
        field.iter().any(|digit| (b'1'..=b'9').contains(digit)) && !field.contains(&b' ')
    };
    references(record)
        .into_iter()
        .find(says)
        .unwrap_or_default()
}

fn without_zeros(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    digits.get(zeros..).unwrap_or_default()
}
