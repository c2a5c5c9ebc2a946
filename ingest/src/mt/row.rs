//! A line of a statement becomes a row.

use std::ops::Range;

use tieout_core::{Amount, Currency, Date, Feed, IdentityHasher, LineId};

use super::charset::Charset;
use super::entry::Entry;
use super::field::Field;
use super::header::Header;
use super::narrative::{Narrative, charges};
use super::output::Output;
use super::values::{has_iban_shape, is_no_reference};
use super::words::Part;
use crate::format::ReadError;
use crate::rows::{BankLine, BookingStatus};

/// Types of lines about cheques, and about payments that came back.
const CHEQUE: &[u8] = b"CHK";
const RETURNED: &[u8] = b"RTI";
/// Characters of the reference in field 61.
const REFERENCE_CHARACTERS: usize = 16;

/// A line with everything that is known about it.
pub(super) struct Line<'a> {
    pub header: &'a Header,
    pub currency: Currency,
    pub entry: &'a Entry,
    /// Field 61.
    pub field: &'a Field,
    /// Field 86, or nothing.
    pub text: &'a Field,
    /// The lines `NS`, or nothing.
    pub numbered: &'a Field,
    pub narrative: &'a Narrative,
}

impl Line<'_> {
    /// Writes the row.
    pub fn write(&self, out: &mut Output<'_>) -> Result<(), ReadError> {
        let (entry, narrative) = (self.entry, self.narrative);
        let texts = [self.field, self.text, self.numbered].map(Field::value);
        let charset = Charset::of(&texts, self.currency);
        if charset != Charset::Utf8 {
            out.note(charset, self.field.line());
        }
        let decode = |bytes| charset.decode(bytes);
        let type_code = self.type_code();
        let account = self.counterparty_account();
        let bank_reference = self.reference(&entry.bank_reference);
        let is_returned = self.code().get(1..) == Some(RETURNED) || narrative.is_return();
        let row = BankLine {
            source_line: self.field.line(),
            account: &self.header.account,
            booking_date: entry.booking_date.or(Some(entry.value_date)),
            value_date: Some(entry.value_date),
            direction: entry.direction,
            amount: entry.amount,
            type_code: &decode(&type_code),
            bank_reference: &decode(bank_reference),
            end_to_end_id: &decode(self.end_to_end_id()),
            check_number: &decode(self.check_number()),
            counterparty_name: &decode(self.counterparty_name()),
            counterparty_account: &decode(&account),
            remittance_text: &decode(self.remittance()),
            reversal: entry.is_reversal || is_returned,
            status: if entry.is_expected {
                BookingStatus::Pending
            } else {
                BookingStatus::Booked
            },
            statement_id: &self.header.statement_id,
            bytes: self.bytes(),
            feed: if self.header.is_interim {
                Feed::Interim
            } else {
                Feed::Statement
            },
            entry_reference: &decode(bank_reference),
            creditor_reference: &decode(narrative.creditor_reference()),
            mandate_id: &decode(narrative.value(Part::MandateId)),
            return_reason: &decode(narrative.return_reason()),
            charges: narrative
                .charges(self.currency)
                .or_else(|| self.charges_below()),
            ..BankLine::blank(self.identity(), self.currency)
        };
        out.row(&row)
    }

    fn part(&self, place: &Range<usize>) -> &[u8] {
        let value = self.field.value().get(place.clone());
        value.unwrap_or_default().trim_ascii()
    }

    fn code(&self) -> &[u8] {
        self.part(&self.entry.type_code)
    }

    /// The type of field 61, with the German business transaction code behind it.
    fn type_code(&self) -> Vec<u8> {
        match &self.narrative.business_code[..] {
            b"" => self.code().to_vec(),
            business_code => [self.code(), business_code].join(&b'/'),
        }
    }

    /// A reference, unless it says that there is none.
    fn reference(&self, place: &Range<usize>) -> &[u8] {
        match self.part(place) {
            reference if is_no_reference(reference) => b"",
            reference => reference,
        }
    }

    fn is_cheque(&self) -> bool {
        self.code().get(1..) == Some(CHEQUE)
    }

    /// The reference of field 61 if it is an account, with the name that Rabobank writes into the
    /// same line behind the sixteen characters of the account, and other Dutch banks below it.
    fn party_as_reference(&self) -> Option<(&[u8], &[u8])> {
        let whole = self.field.value().get(self.entry.reference.clone())?;
        let below = self.part(&self.entry.supplementary);
        if has_iban_shape(whole.trim_ascii()) {
            return Some((whole.trim_ascii(), below));
        }
        let (account, name) = whole.split_at_checked(REFERENCE_CHARACTERS)?;
        if name.trim_ascii().is_empty() {
            return None;
        }
        let account = account.trim_ascii();
        let digits = account.strip_prefix(b"P").unwrap_or(account);
        let is_account = digits.iter().all(u8::is_ascii_digit) && digits.len() >= 7;
        match account {
            b"NONREF" => Some((b"", name.trim_ascii())),
            account if is_account => Some((account, name.trim_ascii())),
            _ => None,
        }
    }

    fn counterparty_name(&self) -> &[u8] {
        match self.narrative.counterparty_name(self.entry.direction) {
            b"" => self
                .party_as_reference()
                .map(|(_, name)| name)
                .unwrap_or_default(),
            name => name,
        }
    }

    /// The text's reference, or else that of field 61, unless that is a party or only points to
    /// the text.
    fn end_to_end_id(&self) -> &[u8] {
        let own = self.reference(&self.entry.reference);
        let points_to_text =
            matches!(own, b"EREF" | b"MARF" | b"PREF" | b"KREF") || own.ends_with(b"+");
        let is_other = points_to_text || self.is_cheque() || self.party_as_reference().is_some();
        match self.narrative.end_to_end_id() {
            None if is_other => b"",
            None => own,
            Some(tagged) => tagged,
        }
    }

    fn check_number(&self) -> &[u8] {
        let own = self.reference(&self.entry.reference);
        let is_number = self.is_cheque() && own.iter().all(u8::is_ascii_digit);
        let zeros = own.iter().take_while(|&&digit| digit == b'0').count();
        own.get(zeros..).filter(|_| is_number).unwrap_or_default()
    }

    /// The text's account, or that of field 61, or the IBAN that some banks write below it.
    fn counterparty_account(&self) -> Vec<u8> {
        let named = self.narrative.counterparty_account();
        if !named.is_empty() {
            return named;
        }
        let below = self.part(&self.entry.supplementary);
        match self.party_as_reference() {
            Some((account, _)) => account.to_vec(),
            None if has_iban_shape(below) => below.to_vec(),
            None => named,
        }
    }

    /// The text; where there is none, what stands below field 61.
    fn remittance(&self) -> &[u8] {
        match self.narrative.remittance() {
            b"" if !has_iban_shape(self.part(&self.entry.supplementary)) => {
                self.part(&self.entry.supplementary)
            }
            text => text,
        }
    }

    /// Charges that stand below field 61 (`/OCMT/EUR11,85//CHGS/EUR0,50/`).
    fn charges_below(&self) -> Option<Amount> {
        let below = self.part(&self.entry.supplementary);
        let at = memchr::memmem::find(below, b"/CHGS/")?;
        charges(below.get(at + 6..)?, self.currency)
    }

    fn bytes(&self) -> Range<u64> {
        let fields = [self.text, self.numbered].into_iter();
        let ends = fields
            .filter(|field| !field.is_empty())
            .map(|field| field.bytes().end);
        let own = self.field.bytes();
        own.start..ends.fold(own.end, u64::max)
    }

    /// Of the account, the statement's number and date, and the line's own fields. The message's
    /// reference (20) is not part of it: many banks make it from the time of delivery.
    fn identity(&self) -> LineId {
        let mut hasher = IdentityHasher::new("mt");
        hasher.field(self.header.statement_id.as_bytes());
        hasher.field(&self.entry.amount.units().to_le_bytes());
        hasher.field(self.entry.direction.code().as_bytes());
        hasher.field(self.currency.as_str().as_bytes());
        for date in [Some(self.entry.value_date), self.entry.booking_date] {
            hasher.field(&date.map_or(0, Date::days).to_le_bytes());
        }
        for place in [
            &self.entry.type_code,
            &self.entry.reference,
            &self.entry.bank_reference,
            &self.entry.supplementary,
        ] {
            hasher.field(self.part(place));
        }
        hasher.field(self.text.value().trim_ascii());
        hasher.field(self.numbered.value().trim_ascii());
        hasher.finish()
    }
}
