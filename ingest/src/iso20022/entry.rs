//! An entry (`Ntry`) becomes one row, or one for each payment behind it.

use std::borrow::Cow;
use std::ops::Range;

use tieout_core::{
    Amount, Currency, Date, Direction, Feed, FindingCode, IdentityHasher, LineId, QuarantineReason,
    Severity,
};

use super::detail::{Detail, Owner, charges, type_code};
use super::oddity::{Oddities, Oddity};
use super::remittance::{Document, Remittance};
use super::value::{
    Refusal, code_or_proprietary, date_at, direction, money, opposite, reference, shared, signed,
};
use crate::format::ReadError;
use crate::intake::Intake;
use crate::rows::{BankLine, BankLines, BookingStatus, DocumentLine};
use crate::xml::Element;

/// Characters that the texts of several payments may have together in one row.
const JOINED_TEXT_MAX: usize = 4_000;

/// Whose entries they are.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub owner: Owner,
    pub currency: Option<Currency>,
    /// What the report calls itself.
    pub statement_id: String,
    /// The message (`camt.053`).
    pub message: &'static str,
}

impl Account {
    pub fn feed(&self) -> Feed {
        match self.message {
            "camt.053" => Feed::Statement,
            "camt.054" => Feed::Detail,
            _ => Feed::Interim,
        }
    }
}

/// The values of an entry that had to be checked.
#[derive(Clone)]
pub(super) struct Entry<'t> {
    element: Element<'t>,
    pub amount: Amount,
    pub currency: Currency,
    pub direction: Direction,
    pub status: BookingStatus,
    booking_date: Option<Date>,
    value_date: Option<Date>,
    reversal: bool,
    reference: &'t str,
    type_code: Cow<'t, str>,
}

impl<'t> Entry<'t> {
    /// Checks the fields of an `Ntry`.
    ///
    /// # Errors
    /// The reason for quarantine.
    pub fn check(element: Element<'t>, account: &Account) -> Result<Self, Refusal> {
        let amount = element.at(&["Amt"]).ok_or_else(|| missing("Amt"))?;
        let money = money(amount, account.currency)?;
        let direction = direction(element)?.ok_or_else(|| missing("CdtDbtInd"))?;
        // The standard has no negative amounts; a bank that writes one means the other direction.
        let direction = if money.amount.is_negative() {
            opposite(direction)
        } else {
            direction
        };
        Ok(Self {
            element,
            amount: money.amount.abs(),
            currency: money.currency,
            direction,
            status: status_of(element)?,
            booking_date: date_at(element, &["BookgDt"])?,
            value_date: date_at(element, &["ValDt"])?,
            reversal: matches!(element.text_at(&["RvslInd"]), "true" | "1"),
            reference: entry_reference(element),
            type_code: type_code(element.at(&["BkTxCd"])),
        })
    }

    /// The amount as it changes the account.
    pub fn signed_amount(&self) -> Amount {
        signed(self.amount, self.direction)
    }

    /// Writes the payments that are here of an entry that comes in pieces, and gives their sum as
    /// it changes the account.
    pub fn write_piece(
        &self,
        account: &Account,
        rows: &mut BankLines,
        intake: &mut Intake<'_>,
        oddities: &mut Oddities,
    ) -> Result<Amount, ReadError> {
        let mut writer = Writer {
            entry: self,
            account,
            rows,
            intake,
            oddities,
        };
        writer.each_payment()?;
        let details = self.details();
        let amounts = details.filter_map(|one| one.signed_amount(self.currency, self.direction));
        Ok(amounts.sum())
    }

    /// Compares the entry with the sum of its pieces.
    pub fn check_pieces(&self, sum: Amount, oddities: &mut Oddities) {
        if sum == self.signed_amount() {
            return;
        }
        let oddity = Oddity {
            severity: Severity::Error,
            code: FindingCode::ControlTotal,
            what: "large entries whose single payments do not add up to them".into(),
            expected: "the entry's amount as the sum",
            action: "The payments are rows; ask the bank where the difference comes from.",
        };
        oddities.note(oddity, self.element.line(), 1);
    }

    /// Groups of payments; version 01 has them in the entry itself.
    fn groups(&self) -> impl Iterator<Item = Element<'t>> {
        std::iter::once(self.element).chain(self.element.all("NtryDtls"))
    }

    fn details(&self) -> impl Iterator<Item = Detail<'t>> {
        let payments = self.groups().flat_map(|group| group.all("TxDtls"));
        payments.map(Detail)
    }

    /// Writes the rows. `is_whole` is false for an entry with more payments than are kept.
    pub fn write(
        &self,
        account: &Account,
        is_whole: bool,
        rows: &mut BankLines,
        intake: &mut Intake<'_>,
        oddities: &mut Oddities,
    ) -> Result<(), ReadError> {
        let mut writer = Writer {
            entry: self,
            account,
            rows,
            intake,
            oddities,
        };
        writer.check_batches(is_whole);
        if !is_whole {
            return writer.whole_entry(&[]);
        }
        let mut details = self.details();
        let (first, second) = (details.next(), details.next());
        match (first, second) {
            (None, _) => writer.whole_entry(&[]),
            (Some(only), None) => {
                let place = (self.element.line(), self.element.bytes());
                writer.payment(only, self.amount, self.direction, place, true)
            }
            _ if self.details_tie() => writer.each_payment(),
            _ => {
                writer.note_untied();
                let details: Vec<_> = self.details().collect();
                writer.whole_entry(&details)
            }
        }
    }

    fn details_tie(&self) -> bool {
        let amounts = self.details().map(|detail| {
            let amount = detail.signed_amount(self.currency, self.direction);
            amount.map(Amount::units)
        });
        let sum: Option<i128> = amounts.sum();
        sum == Some(self.signed_amount().units())
    }

    /// What all rows of the entry share.
    fn blank<'r>(&'r self, account: &'r Account) -> BankLine<'r> {
        BankLine {
            account: &account.owner.account,
            booking_date: self.booking_date,
            value_date: self.value_date,
            reversal: self.reversal,
            status: self.status,
            statement_id: &account.statement_id,
            feed: account.feed(),
            entry_reference: self.reference,
            ..BankLine::blank(LineId::from_bytes([0; 16]), self.currency)
        }
    }

    /// What makes the line what it is, wherever it stands.
    fn identity(&self, account: &Account, row: &BankLine<'_>) -> LineId {
        let mut hasher = IdentityHasher::new(account.message);
        hasher.field(account.owner.account.as_bytes());
        // Reports during the day repeat the lines of those before under another identification.
        if account.feed() != Feed::Interim {
            hasher.field(account.statement_id.as_bytes());
        }
        hasher.field(&row.amount.units().to_le_bytes());
        hasher.field(self.currency.as_str().as_bytes());
        hasher.field(row.direction.code().as_bytes());
        hasher.field(&[row.status as u8]);
        for date in [self.booking_date, self.value_date] {
            let days = date.map_or(i32::MIN, Date::days);
            hasher.field(&days.to_le_bytes());
        }
        for text in [
            row.entry_reference,
            row.type_code,
            row.bank_reference,
            row.end_to_end_id,
            row.counterparty_name,
            row.counterparty_account,
            row.creditor_reference,
            row.remittance_text,
        ] {
            hasher.field(text.as_bytes());
        }
        hasher.finish()
    }
}

fn missing(name: &str) -> Refusal {
    let message = format!("the entry has no `{name}`");
    (QuarantineReason::MissingField, message)
}

fn status_of(element: Element<'_>) -> Result<BookingStatus, Refusal> {
    let Some(status) = element.at(&["Sts"]) else {
        return Ok(BookingStatus::Booked);
    };
    let code = match status.text() {
        "" => code_or_proprietary(status),
        plain => plain,
    };
    match code {
        "BOOK" => Ok(BookingStatus::Booked),
        "PDNG" | "FUTR" => Ok(BookingStatus::Pending),
        "INFO" => Ok(BookingStatus::Information),
        other => {
            let message = format!("`Sts` is `{other}`, expected BOOK, PDNG, FUTR or INFO");
            Err((QuarantineReason::BadValue, message))
        }
    }
}

fn entry_reference(element: Element<'_>) -> &str {
    match reference(element.text_at(&["AcctSvcrRef"])) {
        "" => shared(reference(element.text_at(&["NtryRef"]))),
        own => shared(own),
    }
}

/// Where the rows of one entry go.
struct Writer<'w, 't, 'a> {
    entry: &'w Entry<'t>,
    account: &'w Account,
    rows: &'w mut BankLines,
    intake: &'w mut Intake<'a>,
    oddities: &'w mut Oddities,
}

impl<'t> Writer<'_, 't, '_> {
    /// One row without the single payments; `details` lend it their texts.
    fn whole_entry(&mut self, details: &[Detail<'t>]) -> Result<(), ReadError> {
        let (entry, account) = (self.entry, self.account);
        let mut text = String::new();
        let mut documents = Vec::new();
        for detail in details {
            let remittance = detail.remittance();
            self.note_remittance(&remittance, detail.0.line());
            if text.len() + remittance.text.len() <= JOINED_TEXT_MAX {
                let separator = if text.is_empty() { "" } else { " " };
                text.push_str(separator);
                text.push_str(&remittance.text);
            }
            documents.extend(remittance.into_documents());
        }
        let text = match text.as_str() {
            "" => entry.element.text_at(&["AddtlNtryInf"]),
            joined => joined,
        };
        let mut row = BankLine {
            source_line: entry.element.line(),
            bytes: entry.element.bytes(),
            direction: entry.direction,
            amount: entry.amount,
            type_code: &entry.type_code,
            bank_reference: entry.reference,
            remittance_text: text,
            charges: charges(entry.element, entry.currency),
            ..entry.blank(account)
        };
        row.identity = entry.identity(account, &row);
        self.rows.push(&row, self.intake)?;
        let paid = Paid::of(&row);
        self.push_documents(&documents, &paid);
        Ok(())
    }

    fn each_payment(&mut self) -> Result<(), ReadError> {
        let entry = self.entry;
        for detail in entry.details() {
            let Some((amount, direction)) = detail.amount(entry.currency, entry.direction) else {
                self.note_without_amount(detail.0.line());
                continue;
            };
            let direction = if amount.is_negative() {
                opposite(direction)
            } else {
                direction
            };
            let place = (detail.0.line(), detail.0.bytes());
            self.payment(detail, amount.abs(), direction, place, false)?;
        }
        Ok(())
    }

    fn note_without_amount(&mut self, line: u64) {
        let oddity = Oddity {
            severity: Severity::Error,
            code: FindingCode::MissingRecord,
            what: "payments of large entries without an amount in the entry's currency".into(),
            expected: "`Amt` or `TxAmt` in the entry's currency",
            action: "They were not read; look at the file.",
        };
        self.oddities.note(oddity, line, 1);
    }

    fn payment(
        &mut self,
        detail: Detail<'t>,
        amount: Amount,
        direction: Direction,
        (line, bytes): (u64, Range<u64>),
        is_only: bool,
    ) -> Result<(), ReadError> {
        let (entry, account) = (self.entry, self.account);
        let remittance = detail.remittance();
        self.note_remittance(&remittance, detail.0.line());
        let party = detail.counterparty(direction, entry.reversal, &account.owner);
        let own_code = type_code(detail.0.at(&["BkTxCd"]));
        let charged = charges(detail.0, entry.currency);
        let mut row = BankLine {
            source_line: line,
            bytes,
            direction,
            amount,
            type_code: if own_code.is_empty() {
                &entry.type_code
            } else {
                &own_code
            },
            bank_reference: or(detail.bank_reference(), entry.reference),
            end_to_end_id: detail.end_to_end_id(),
            check_number: detail.check_number(),
            counterparty_name: party.name,
            counterparty_account: &party.account,
            remittance_text: self.text_of(detail, &remittance, is_only),
            creditor_reference: &remittance.reference.text,
            mandate_id: detail.mandate_id(),
            return_reason: detail.return_reason(),
            reversal: entry.reversal || detail.is_return(),
            charges: charged.or_else(|| {
                let entrys = charges(entry.element, entry.currency);
                entrys.filter(|_| is_only)
            }),
            ..entry.blank(account)
        };
        row.identity = entry.identity(account, &row);
        self.rows.push(&row, self.intake)?;
        let paid = Paid {
            reference: detail.end_to_end_id(),
            payer: match direction {
                Direction::Credit => party.name,
                Direction::Debit => &account.owner.name,
            },
            ..Paid::of(&row)
        };
        self.push_documents(&remittance.documents, &paid);
        Ok(())
    }

    /// What the payment is for, or else what the bank says of it.
    fn text_of<'r>(
        &self,
        detail: Detail<'t>,
        remittance: &'r Remittance<'t>,
        is_only: bool,
    ) -> &'r str
    where
        't: 'r,
    {
        if !remittance.text.is_empty() {
            return &remittance.text;
        }
        let told = detail.0.text_at(&["AddtlTxInf"]);
        if told.is_empty() && is_only {
            return self.entry.element.text_at(&["AddtlNtryInf"]);
        }
        told
    }

    fn push_documents(&mut self, documents: &[Document<'_>], paid: &Paid<'_>) {
        for document in documents {
            self.rows.push_document(&DocumentLine {
                source_line: document.line,
                payment_reference: paid.reference,
                payer_name: paid.payer,
                payment_date: self.entry.booking_date,
                payment_amount: Some(paid.amount),
                currency: document.currency.unwrap_or(self.entry.currency),
                document_number: &document.number,
                gross: document.gross,
                discount: document.discount,
                adjustment: document.adjustment,
                adjustment_reason: document.adjustment_reason,
                net: document.net,
            });
        }
    }

    fn note_remittance(&mut self, remittance: &Remittance<'_>, line: u64) {
        self.oddities.note_remittance(remittance, line);
    }

    fn note_untied(&mut self) {
        let oddity = Oddity {
            severity: Severity::Warning,
            code: FindingCode::ControlTotal,
            what: "entries whose single payments do not add up to them".into(),
            expected: "amounts of all payments in the entry's currency, with the entry's sum",
            action: "Each is one row with the entry's amount; look at the entry's payments.",
        };
        self.oddities.note(oddity, self.entry.element.line(), 1);
    }

    /// Compares what a batch says of itself with its payments.
    fn check_batches(&mut self, is_whole: bool) {
        let element = self.entry.element;
        if !is_whole {
            let oddity = Oddity {
                severity: Severity::Error,
                code: FindingCode::UnexpectedRecord,
                what: "entries with more payments than are kept at a time".into(),
                expected: "at most 400,000 elements and 24 MiB of text",
                action: "Each is one row with the entry's amount; its payments were not read.",
            };
            return self.oddities.note(oddity, element.line(), 1);
        }
        for group in self.entry.groups() {
            let number = group.all("TxDtls").count() as u64;
            let Some(batch) = group.at(&["Btch"]) else {
                continue;
            };
            let told = batch.text_at(&["NbOfTxs"]).parse::<u64>().ok();
            if number > 0 && told.is_some_and(|told| told != number) {
                let oddity = Oddity {
                    severity: Severity::Warning,
                    code: FindingCode::ControlCount,
                    what: "batches with another number of payments than they say".into(),
                    expected: "as many payments as `NbOfTxs`",
                    action: "The entry's amount counts; see whether a camt.054 has the others.",
                };
                self.oddities.note(oddity, batch.line(), 1);
            } else if number > 0 && !self.batch_ties(group, batch) {
                let oddity = Oddity {
                    severity: Severity::Error,
                    code: FindingCode::ControlTotal,
                    what: "batches with another total than the sum of their payments".into(),
                    expected: "the sum of the payments as `TtlAmt`",
                    action: "Ask the bank which of the two is right.",
                };
                self.oddities.note(oddity, batch.line(), 1);
            }
        }
    }

    fn batch_ties(&self, group: Element<'t>, batch: Element<'t>) -> bool {
        let (currency, direction) = (self.entry.currency, self.entry.direction);
        let told = batch.at(&["TtlAmt"]);
        let told = told.and_then(|told| money(told, Some(currency)).ok());
        let Some(told) = told.filter(|told| told.currency == currency) else {
            return true;
        };
        let payments = group.all("TxDtls").map(Detail);
        let amounts = payments.map(|detail| {
            let amount = detail.signed_amount(currency, direction);
            amount.map(Amount::units)
        });
        let sum: Option<i128> = amounts.sum();
        sum.is_none_or(|sum| sum.abs() == told.amount.units().abs())
    }
}

fn or<'t>(text: &'t str, otherwise: &'t str) -> &'t str {
    if text.is_empty() { otherwise } else { text }
}

/// What the documents of a payment repeat of it.
struct Paid<'r> {
    reference: &'r str,
    payer: &'r str,
    amount: Amount,
}

impl Paid<'_> {
    fn of(row: &BankLine<'_>) -> Self {
        Self {
            reference: "",
            payer: "",
            amount: row.amount,
        }
    }
}
