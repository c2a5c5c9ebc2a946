//! Transaction set 823: cheques of a lockbox, by deposit and batch, with the documents they pay.

use tieout_core::{
    Amount, Channel, Date, Direction, FindingCode, IdentityHasher, LineId, QuarantineReason,
    Severity,
};

use super::advice::Document;
use super::deposit_control::Control;
use super::fields::Fields;
use super::payment::Payment;
use super::remittance::{MISFIT, Sums};
use super::segment::Segment;
use super::set::{Heading, TransactionSet};
use super::tables::{Oddity, Tables};
use crate::format::ReadError;
use crate::rows::BankLine;

/// Documents that one cheque may have.
const DOCUMENTS_MAX: usize = 10_000;
/// Bytes from a cheque's first segment within which its documents are read.
const CHECK_BYTES_MAX: u64 = 8 << 20;
/// Bytes of text beside a cheque that are kept.
const NOTES_BYTES_MAX: usize = 4_096;

static DOCUMENTS_DIFFER: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::ControlTotal,
    what: "cheques whose documents do not come to their amount",
    expected: "documents that add up to the cheque",
    action: "The cheque counts; look at the advice of these payers.",
};

static NO_DEPOSIT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "cheques outside a deposit",
    expected: "DEP with the lockbox, the day and the account",
    action: "Ask the bank which account they went to.",
};

/// Reads one 823.
pub(super) struct LockboxDeposit {
    heading: Heading,
    deposit: Option<Deposit>,
    batch: Option<Batch>,
    check: Option<Check>,
}

#[derive(Default)]
struct Deposit {
    lockbox: String,
    date: Option<Date>,
    number: String,
    account: String,
    control: Control,
    batches: u64,
}

#[derive(Default)]
struct Batch {
    number: String,
    date: Option<Date>,
    control: Control,
}

struct Check {
    payment: Payment,
    amount: Amount,
    /// REF*CK, where it is not the trace.
    number: String,
    notes: String,
    documents: Vec<Document>,
    /// The document before did not read.
    is_unread: bool,
    /// Some document did not.
    is_open: bool,
    end: u64,
}

impl LockboxDeposit {
    pub fn new(heading: Heading) -> Self {
        Self {
            heading,
            deposit: None,
            batch: None,
            check: None,
        }
    }

    fn open_deposit(
        &mut self,
        dep: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        self.close_deposit(tables)?;
        self.deposit = Some(Deposit {
            lockbox: dep.text(1).into_owned(),
            date: tables.date(dep, 2)?,
            number: dep.text(4).into_owned(),
            account: dep.text(8).into_owned(),
            control: Control::at(dep.line),
            batches: 0,
        });
        Ok(())
    }

    fn open_batch(&mut self, bat: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_batch(tables)?;
        if let Some(deposit) = &mut self.deposit {
            deposit.batches += 1;
        }
        self.batch = Some(Batch {
            number: bat.text(3).into_owned(),
            date: tables.date(bat, 1)?,
            control: Control::at(bat.line),
        });
        Ok(())
    }

    fn open_check(&mut self, bpr: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_check(tables)?;
        let payment = Payment::read(bpr, tables)?;
        self.check = payment.amount.map(|amount| Check {
            payment,
            amount,
            number: String::new(),
            notes: String::new(),
            documents: Vec::new(),
            is_unread: false,
            is_open: false,
            end: bpr.end,
        });
        Ok(())
    }

    /// A segment that belongs to a cheque; false if there is none.
    fn of_check(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        let Some(check) = &mut self.check else {
            return Ok(false);
        };
        check.end = segment.end;
        let is_document = matches!(&segment.tag, b"RMR" | b"RMT");
        let is_full = check.documents.len() >= DOCUMENTS_MAX
            || segment.end - check.payment.start > CHECK_BYTES_MAX;
        if is_document && is_full {
            let message = format!(
                "the cheque names more than {DOCUMENTS_MAX} documents, or in more than \
                 {CHECK_BYTES_MAX} bytes"
            );
            tables.refuse(segment, QuarantineReason::TooLong, &message)?;
            return Ok(true);
        }
        match &segment.tag {
            b"RMR" => check.add(Document::from_rmr(segment, tables)?),
            b"RMT" => check.add(Document::from_rmt(segment, tables)?),
            b"ADX" => check.adjust(segment, tables)?,
            b"REF" if segment.element(1) == b"CK" => check.number = segment.text(2).into_owned(),
            b"NTE" => check.note(&segment.text(2)),
            _ => return check.payment.read_beside(segment, tables),
        }
        Ok(true)
    }

    /// AMT and QTY say what their batch, or else their deposit, comes to.
    fn control(&mut self, segment: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let batch = self.batch.as_mut().map(|batch| &mut batch.control);
        let deposit = self.deposit.as_mut().map(|deposit| &mut deposit.control);
        let Some(control) = batch.or(deposit) else {
            let message = "a total or quantity before the first deposit (DEP)";
            return tables.refuse(segment, QuarantineReason::MisplacedRecord, message);
        };
        if segment.tag == *b"AMT" {
            let total = tables.amount(segment, 2)?;
            control.says_total(total);
        } else {
            control.says_count(segment.text(2).into_owned());
        }
        Ok(())
    }

    fn close_check(&mut self, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let Some(mut check) = self.check.take() else {
            return Ok(());
        };
        let misfits = check.documents.iter_mut().map(Document::close);
        for _ in misfits.filter(|fits| !fits) {
            tables.count(&MISFIT, check.payment.line);
        }
        let mut sums = Sums::default();
        check
            .documents
            .iter()
            .for_each(|document| sums.add(document));
        if !check.is_open && sums.compare(&check.payment).is_some() {
            tables.count(&DOCUMENTS_DIFFER, check.payment.line);
        }
        if self.deposit.is_none() {
            tables.count(&NO_DEPOSIT, check.payment.line);
        }
        let batch = self.batch.as_mut().map(|batch| &mut batch.control);
        let deposit = self.deposit.as_mut().map(|deposit| &mut deposit.control);
        for control in batch.into_iter().chain(deposit) {
            control.add(check.effect());
        }
        self.write(&check, tables)
    }

    fn close_batch(&mut self, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_check(tables)?;
        match self.batch.take() {
            Some(batch) => {
                let name = format!("batch {}", batch.number);
                batch.control.compare(&name, None, tables)
            }
            None => Ok(()),
        }
    }

    fn close_deposit(&mut self, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_batch(tables)?;
        match self.deposit.take() {
            Some(deposit) => {
                let name = format!("deposit {} of lockbox {}", deposit.number, deposit.lockbox);
                deposit
                    .control
                    .compare(&name, Some(deposit.batches), tables)
            }
            None => Ok(()),
        }
    }

    fn write(&self, check: &Check, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let (deposit, batch) = (Deposit::default(), Batch::default());
        let deposit = self.deposit.as_ref().unwrap_or(&deposit);
        let batch = self.batch.as_ref().unwrap_or(&batch);
        let payment = &check.payment;
        let statement = [&*deposit.lockbox, &*deposit.number, &*batch.number];
        let statement = statement.into_iter().filter(|part| !part.is_empty());
        let statement = statement.collect::<Vec<_>>().join("/");
        let booked = deposit.date.or(batch.date).or(self.heading.date);
        let line = BankLine {
            source_line: payment.line,
            account: deposit.known_as(),
            booking_date: booked,
            value_date: booked,
            direction: payment.direction,
            amount: check.amount.abs(),
            type_code: &payment.method,
            bank_reference: check.trace(),
            check_number: check.number(),
            counterparty_name: &payment.payer.text,
            counterparty_account: &payment.debtor.said(),
            remittance_text: &check.notes,
            channel: Channel::Lockbox,
            statement_id: &statement,
            bytes: payment.start..check.end,
            ..BankLine::blank(check.identity(deposit, batch), payment.currency)
        };
        let documents = check.documents.iter();
        let documents = documents.map(|document| document.of_check(payment, check.number()));
        tables.push_check(&line, documents)
    }
}

impl Deposit {
    /// The account, or the lockbox if no account is named.
    fn known_as(&self) -> &str {
        if self.account.is_empty() {
            &self.lockbox
        } else {
            &self.account
        }
    }
}

impl Check {
    /// What the cheque adds to the deposit; one that came back takes off.
    fn effect(&self) -> Amount {
        match self.payment.direction {
            Direction::Credit => self.amount.abs(),
            Direction::Debit => -self.amount.abs(),
        }
    }

    /// Adds a document; none for one that did not read.
    fn add(&mut self, document: Option<Document>) {
        self.is_unread = document.is_none();
        self.is_open |= self.is_unread;
        self.documents.extend(document);
    }

    /// An adjustment of the document before it, or of the cheque.
    fn adjust(&mut self, adx: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        if self.is_unread {
            let message = "the document that it adjusts is in quarantine";
            return tables.refuse(adx, QuarantineReason::MisplacedRecord, message);
        }
        if let Some(document) = self.documents.last_mut() {
            return document.adjust(adx, tables);
        }
        self.documents.extend(Document::from_adx(adx, tables)?);
        Ok(())
    }

    fn number(&self) -> &str {
        if self.number.is_empty() {
            &self.payment.reference
        } else {
            &self.number
        }
    }

    /// The trace, where it is not the cheque's number.
    fn trace(&self) -> &str {
        if self.number.is_empty() {
            ""
        } else {
            &self.payment.reference
        }
    }

    fn note(&mut self, text: &str) {
        if self.notes.len() + text.len() > NOTES_BYTES_MAX {
            return;
        }
        if !self.notes.is_empty() {
            self.notes.push(' ');
        }
        self.notes.push_str(text);
    }

    fn identity(&self, deposit: &Deposit, batch: &Batch) -> LineId {
        let payment = &self.payment;
        let mut hasher = IdentityHasher::new("x12_823");
        let date = deposit.date.or(batch.date).map_or(0, Date::days);
        hasher.field(&date.to_le_bytes());
        hasher.field(&self.amount.units().to_le_bytes());
        for text in [
            &deposit.account,
            &deposit.lockbox,
            &deposit.number,
            &batch.number,
            &self.number,
            &payment.reference,
            &payment.debtor.agent,
            &payment.debtor.number,
            &payment.payer.text,
            &self.notes,
        ] {
            hasher.field(text.as_bytes());
        }
        hasher.field(payment.direction.code().as_bytes());
        hasher.field(payment.currency.as_str().as_bytes());
        for document in &self.documents {
            hasher.field(document.number.as_bytes());
            hasher.field(document.reason.as_bytes());
            for amount in [
                document.net,
                document.gross,
                document.discount,
                document.adjustment,
            ] {
                let units = amount.map(Amount::units).unwrap_or_default();
                hasher.field(&units.to_le_bytes());
            }
        }
        hasher.finish()
    }
}

impl TransactionSet for LockboxDeposit {
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        match &segment.tag {
            b"DEP" => self.open_deposit(segment, tables)?,
            b"BAT" => self.open_batch(segment, tables)?,
            b"BPR" | b"BPS" => self.open_check(segment, tables)?,
            b"AMT" | b"QTY" if self.check.is_none() => self.control(segment, tables)?,
            b"RMR" | b"RMT" | b"ADX" => {
                if !self.of_check(segment, tables)? {
                    let message = "a document without its cheque, or of one in quarantine";
                    tables.refuse(segment, QuarantineReason::MisplacedRecord, message)?;
                }
            }
            b"AMT" | b"QTY" => {}
            _ => return self.of_check(segment, tables),
        }
        Ok(true)
    }

    fn finish(&mut self, _end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_deposit(tables)
    }
}
