//! An entry: one account that is credited or debited.

use tieout_core::{Amount, Currency, QuarantineReason};

use super::header::Batch;
use super::kinds::{Columns, TransactionCode};
use super::record::Fields;

/// Why a record is not read, and the sentence for people.
pub(super) type Refusal = (QuarantineReason, String);

/// The values of an entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    /// The transaction code as written.
    pub code: &'a str,
    pub meaning: TransactionCode,
    /// The bank that receives the entry: nine digits.
    pub bank: &'a str,
    /// Its routing number without the check digit.
    pub routing_number: u64,
    pub account: &'a str,
    pub cents: u64,
    /// What the originator calls the payment.
    pub identification: &'a str,
    pub name: &'a str,
    pub check_number: &'a str,
    /// How many addenda it says to have, where its type says so.
    pub addenda_count: Option<u64>,
    pub has_addenda: bool,
    pub trace: &'a str,
}

impl<'a> Entry<'a> {
    /// Reads the entry of a batch.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn of(fields: Fields<'a>, batch: &Batch) -> Result<Self, Refusal> {
        let code = fields.columns(2, 3);
        let meaning = TransactionCode::of(code).ok_or_else(|| {
            let message = format!(
                "the transaction code is `{code}`, which does not say whether the entry credits \
                 or debits"
            );
            (QuarantineReason::UnknownType, message)
        })?;
        let routing_number = fields.number(4, 11).ok_or_else(|| {
            let message = format!(
                "the routing number is `{}`, expected eight digits and a check digit",
                fields.columns(4, 12)
            );
            (QuarantineReason::BadStructure, message)
        })?;
        let entry = Self {
            code,
            meaning,
            bank: fields.columns(4, 12),
            routing_number,
            has_addenda: fields.columns(79, 79) == "1",
            trace: fields.trimmed(80, 94),
            account: "",
            cents: 0,
            identification: "",
            name: "",
            check_number: "",
            addenda_count: None,
        };
        if batch.is_advice() {
            entry.with_advice(fields)
        } else if batch.is_international() {
            entry.with_international(fields)
        } else {
            entry.with_kind(fields, batch)
        }
    }

    fn with_kind(self, fields: Fields<'a>, batch: &Batch) -> Result<Self, Refusal> {
        let at = |columns: Option<Columns>| {
            columns.map_or("", |(first, last)| fields.trimmed(first, last))
        };
        let kind = batch.kind;
        let counted = kind.addenda_count;
        let count = counted.and_then(|(first, last)| fields.number(first, last));
        // Where the count is left out, the name fills its columns too.
        let name = match counted {
            Some((_, last)) if count.is_some() => (last + 1, kind.name.1),
            _ => kind.name,
        };
        Ok(Self {
            account: fields.trimmed(13, 29),
            cents: cents(fields, 30, 39)?,
            identification: at(kind.identification()),
            name: at(Some(name)),
            check_number: at(kind.check).trim_start_matches('0'),
            addenda_count: count,
            ..self
        })
    }

    fn with_international(self, fields: Fields<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            account: fields.trimmed(40, 74),
            cents: cents(fields, 30, 39)?,
            addenda_count: fields.number(13, 16),
            ..self
        })
    }

    fn with_advice(self, fields: Fields<'a>) -> Result<Self, Refusal> {
        Ok(Self {
            account: fields.trimmed(13, 27),
            cents: cents(fields, 28, 39)?,
            identification: fields.trimmed(49, 53),
            name: fields.trimmed(55, 76),
            ..self
        })
    }

    pub fn amount(&self) -> Amount {
        let amount = Amount::from_minor(self.cents.into(), Currency::USD.exponent());
        // Twelve digits are always within the limit.
        amount.unwrap_or_default()
    }
}

fn cents(fields: Fields<'_>, first: usize, last: usize) -> Result<u64, Refusal> {
    fields.number(first, last).ok_or_else(|| {
        let message = format!(
            "the amount is `{}`, expected {} digits of cents; correct the record or ask for it \
             again",
            fields.columns(first, last),
            last + 1 - first
        );
        (QuarantineReason::BadAmount, message)
    })
}
