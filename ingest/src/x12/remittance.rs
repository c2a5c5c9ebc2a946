//! Transaction set 820: a payment order with its remittance advice.

use tieout_core::{Amount, FindingCode, QuarantineReason, Severity};

use super::advice::Document;
use super::fields::Fields;
use super::payment::Payment;
use super::segment::Segment;
use super::set::{Heading, TransactionSet};
use super::tables::{Oddity, Tables};
use crate::format::ReadError;
use crate::intake::Notice;

/// Lines whose amounts do not go together.
pub(super) static MISFIT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::ControlTotal,
    what: "document lines whose net is not gross less discount plus adjustments",
    expected: "lines that add up",
    action: "The net counts; ask the payer about the deduction.",
};

/// A remittance whose amount is not known.
pub(super) static NO_PAYMENT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::MissingRecord,
    what: "remittances without a payment",
    expected: "BPR (BPS before release 3030) with an amount",
    action: "Their lines are kept; nothing ties them to an amount.",
};

static OTHER_CURRENCY: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::CurrencyConflict,
    what: "documents in another currency than their payment",
    expected: "one currency a payment",
    action: "Their amounts count in the payment's currency; ask the payer for the conversion.",
};

/// Reads one 820.
pub(super) struct Remittance {
    heading: Heading,
    payment: Option<Payment>,
    /// The document that may still be adjusted.
    document: Option<Document>,
    /// The document before did not read.
    is_unread: bool,
    /// The header is over: what follows belongs to documents.
    is_in_detail: bool,
    sums: Sums,
}

/// What the lines of a payment come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub lines: u64,
    pub net: Amount,
    /// Adjustments below documents, which their nets have in them.
    pub adjustments: Amount,
    /// A line has no net.
    pub is_open: bool,
}

impl Remittance {
    pub fn new(heading: Heading) -> Self {
        Self {
            heading,
            payment: None,
            document: None,
            is_unread: false,
            is_in_detail: false,
            sums: Sums::default(),
        }
    }

    fn payment(&mut self) -> &mut Payment {
        let heading = &self.heading;
        self.payment
            .get_or_insert_with(|| Payment::unknown(heading.line, heading.start))
    }

    /// Begins a document; none for one that did not read.
    fn begin(
        &mut self,
        document: Option<Document>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        self.close_document(tables)?;
        self.is_in_detail = true;
        self.is_unread = document.is_none();
        self.sums.is_open |= self.is_unread;
        self.document = document;
        Ok(())
    }

    fn close_document(&mut self, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let Some(mut document) = self.document.take() else {
            return Ok(());
        };
        if !document.close() {
            tables.count(&MISFIT, document.line);
        }
        self.sums.add(&document);
        document.write(self.payment(), tables)
    }

    /// An adjustment of the document before it, or of the payment as a whole.
    fn adjust(&mut self, adx: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        if let Some(document) = &mut self.document {
            return document.adjust(adx, tables);
        }
        if self.is_unread {
            let message = "the document that it adjusts is in quarantine";
            return tables.refuse(adx, QuarantineReason::MisplacedRecord, message);
        }
        let document = Document::from_adx(adx, tables)?;
        self.begin(document, tables)?;
        self.close_document(tables)
    }

    fn close_payment(&mut self, end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_document(tables)?;
        self.is_in_detail = false;
        self.is_unread = false;
        let sums = std::mem::take(&mut self.sums);
        let Some(payment) = self.payment.take() else {
            return Ok(());
        };
        if payment.amount.is_none() {
            tables.count(&NO_PAYMENT, payment.line);
        }
        payment.write_instruction("x12.820", &self.heading, end, tables)?;
        match sums.compare(&payment) {
            Some(notice) => tables.report(notice),
            None => Ok(()),
        }
    }
}

impl TransactionSet for Remittance {
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        match &segment.tag {
            b"BPR" | b"BPS" => {
                self.close_payment(segment.start, tables)?;
                self.payment = Some(Payment::read(segment, tables)?);
            }
            b"RMR" => {
                let document = Document::from_rmr(segment, tables)?;
                self.begin(document, tables)?;
            }
            b"RMT" if !is_item(segment) => {
                let document = Document::from_rmt(segment, tables)?;
                self.begin(document, tables)?;
            }
            b"ADX" => self.adjust(segment, tables)?,
            b"ENT" => {
                self.close_document(tables)?;
                self.is_unread = false;
                self.is_in_detail = true;
            }
            b"CUR" if self.is_in_detail => {
                let currency = tables.currency(segment)?;
                if currency.is_some_and(|currency| currency != self.payment().currency) {
                    tables.count(&OTHER_CURRENCY, segment.line);
                }
            }
            b"TRN" | b"CUR" | b"REF" | b"N1 " if !self.is_in_detail => {
                return self.payment().read_beside(segment, tables);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(&mut self, end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        // A set without a payment is told as one whose amount is not known.
        self.payment();
        self.close_payment(end, tables)
    }
}

/// Whether an `RMT` is about an article of the document before it, in that document's amount.
fn is_item(rmt: &Segment<'_>) -> bool {
    rmt.element(1) == b"IX"
}

impl Sums {
    pub fn add(&mut self, document: &Document) {
        self.lines += 1;
        self.is_open |= document.net.is_none();
        self.net += document.net.unwrap_or_default();
        if document.gross.is_some() || document.net != document.adjustment {
            self.adjustments += document.adjustment.unwrap_or_default();
        }
    }

    /// What is to be said if the lines are not the payment.
    pub fn compare(&self, payment: &Payment) -> Option<Notice> {
        let amount = payment.amount?;
        if self.lines == 0 || self.is_open || self.net == amount {
            return None;
        }
        let action = if self.net + self.adjustments == amount {
            "The payment is the lines with their adjustments added once more: this sender writes \
             nets before adjustments. Look at the adjusted documents."
        } else {
            "Look in quarantine for lines that were not read; if there are none, ask the payer \
             which figure is right."
        };
        Some(Notice {
            severity: Severity::Error,
            code: FindingCode::ControlTotal,
            line: Some(payment.line),
            found: format!("payment {} is {amount}", payment.reference),
            expected: format!("{}, the sum of its {} lines", self.net, self.lines),
            action: action.into(),
        })
    }
}
