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

pub(super) static OTHER_CURRENCY: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::CurrencyConflict,
    what: "documents in another currency than their payment",
    expected: "one currency a payment",
    action: "Their amounts count in the payment's currency; ask the payer for the conversion.",
};

/// Takes what an 820 says: a file of its own, or the addenda that carry it.
pub(super) trait Orders: Fields {
    /// A document line of `payment`, whole.
    fn document(&mut self, document: &Document, payment: &Payment) -> Result<(), ReadError>;

    /// A document of `payment` that this segment names and whose amounts do not read.
    fn unread_document(
        &mut self,
        segment: &Segment<'_>,
        payment: &Payment,
    ) -> Result<(), ReadError>;

    /// The payment is over, before the byte `end`.
    fn payment(&mut self, payment: &Payment, sums: &Sums, end: u64) -> Result<(), ReadError>;

    /// Something that is counted.
    fn count(&mut self, oddity: &'static Oddity, line: u64);
}

/// Reads one 820, wherever it stands.
#[derive(Default)]
pub(super) struct Remittance {
    /// Line and offset of its beginning.
    place: (u64, u64),
    payment: Option<Payment>,
    /// The document that may still be adjusted.
    document: Option<Document>,
    /// The document before did not read.
    is_unread: bool,
    /// The header is over: what follows belongs to documents.
    is_in_detail: bool,
    sums: Sums,
}

/// Reads one 820 of a file of transaction sets.
pub(super) struct PaymentOrder {
    heading: Heading,
    remittance: Remittance,
}

/// The tables that the 820 of this heading goes to.
struct OrderTables<'t, 'a> {
    heading: &'t Heading,
    tables: &'t mut Tables<'a>,
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
    /// An 820 that begins on `line`, at the offset `start`.
    pub fn new(line: u64, start: u64) -> Self {
        Self {
            place: (line, start),
            ..Self::default()
        }
    }

    /// Reads a segment; false if it is none that the remittance needs.
    pub fn segment(
        &mut self,
        segment: &Segment<'_>,
        orders: &mut dyn Orders,
    ) -> Result<bool, ReadError> {
        match &segment.tag {
            b"BPR" | b"BPS" => {
                self.close_payment(segment.start, orders)?;
                let payment = Payment::read(segment, &mut *orders)?;
                self.payment = Some(payment);
            }
            b"RMR" => {
                let document = Document::from_rmr(segment, &mut *orders)?;
                self.begin(document, segment, orders)?;
            }
            b"RMT" if !is_item(segment) => {
                let document = Document::from_rmt(segment, &mut *orders)?;
                self.begin(document, segment, orders)?;
            }
            b"ADX" => self.adjust(segment, orders)?,
            b"TXP" | b"DED" => self.withheld(segment, orders)?,
            b"ENT" => {
                self.close_document(orders)?;
                self.is_unread = false;
                self.is_in_detail = true;
            }
            b"CUR" if self.is_in_detail => {
                let currency = orders.currency(segment)?;
                if currency.is_some_and(|currency| currency != self.payment().currency) {
                    orders.count(&OTHER_CURRENCY, segment.line);
                }
            }
            b"TRN" | b"CUR" | b"REF" | b"N1 " if !self.is_in_detail => {
                return self.payment().read_beside(segment, &mut *orders);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Nothing follows. A set without a payment is told as one whose amount is not known.
    pub fn finish(&mut self, end: u64, orders: &mut dyn Orders) -> Result<(), ReadError> {
        self.payment();
        self.close_payment(end, orders)
    }

    fn payment(&mut self) -> &mut Payment {
        let (line, start) = self.place;
        self.payment
            .get_or_insert_with(|| Payment::unknown(line, start))
    }

    /// Begins the document that `segment` names; none if it did not read.
    fn begin(
        &mut self,
        document: Option<Document>,
        segment: &Segment<'_>,
        orders: &mut dyn Orders,
    ) -> Result<(), ReadError> {
        self.close_document(orders)?;
        self.is_in_detail = true;
        self.is_unread = document.is_none();
        self.sums.is_open |= self.is_unread;
        self.document = document;
        if self.is_unread {
            return orders.unread_document(segment, self.payment());
        }
        Ok(())
    }

    fn close_document(&mut self, orders: &mut dyn Orders) -> Result<(), ReadError> {
        let Some(mut document) = self.document.take() else {
            return Ok(());
        };
        if !document.close() {
            orders.count(&MISFIT, document.line);
        }
        self.sums.add(&document);
        orders.document(&document, self.payment())
    }

    /// An adjustment of the document before it, or of the payment as a whole.
    fn adjust(&mut self, adx: &Segment<'_>, orders: &mut dyn Orders) -> Result<(), ReadError> {
        if let Some(document) = &mut self.document {
            return document.adjust(adx, &mut *orders);
        }
        if self.is_unread {
            let message = "the document that it adjusts did not read";
            return orders.refuse(adx, QuarantineReason::MisplacedRecord, message);
        }
        let document = Document::from_adx(adx, &mut *orders)?;
        self.begin(document, adx, orders)?;
        self.close_document(orders)
    }

    /// Taxes and what an employer withholds for a court: lines that nothing adjusts.
    fn withheld(
        &mut self,
        segment: &Segment<'_>,
        orders: &mut dyn Orders,
    ) -> Result<(), ReadError> {
        // Taxpayer, tax, period, then up to three kinds with their amounts; or kind, case, day and
        // amount.
        let (number, amounts): (usize, &[usize]) = match &segment.tag {
            b"TXP" => (1, &[5, 7, 9]),
            _ => (2, &[4]),
        };
        for &element in amounts {
            if segment.element(element).is_empty() {
                continue;
            }
            let document = Document::withheld(segment, number, element, &mut *orders)?;
            self.begin(document, segment, orders)?;
            self.close_document(orders)?;
        }
        // An adjustment that follows is none of theirs.
        self.is_unread = false;
        Ok(())
    }

    fn close_payment(&mut self, end: u64, orders: &mut dyn Orders) -> Result<(), ReadError> {
        self.close_document(orders)?;
        self.is_in_detail = false;
        self.is_unread = false;
        let sums = std::mem::take(&mut self.sums);
        match self.payment.take() {
            Some(payment) => orders.payment(&payment, &sums, end),
            None => Ok(()),
        }
    }
}

impl PaymentOrder {
    pub fn new(heading: Heading) -> Self {
        let remittance = Remittance::new(heading.line, heading.start);
        Self {
            heading,
            remittance,
        }
    }
}

impl TransactionSet for PaymentOrder {
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        let heading = &self.heading;
        let mut orders = OrderTables { heading, tables };
        self.remittance.segment(segment, &mut orders)
    }

    fn finish(&mut self, end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let heading = &self.heading;
        let mut orders = OrderTables { heading, tables };
        self.remittance.finish(end, &mut orders)
    }
}

impl Fields for OrderTables<'_, '_> {
    fn refuse(
        &mut self,
        segment: &Segment<'_>,
        reason: QuarantineReason,
        message: &str,
    ) -> Result<(), ReadError> {
        self.tables.refuse(segment, reason, message)
    }
}

impl Orders for OrderTables<'_, '_> {
    fn document(&mut self, document: &Document, payment: &Payment) -> Result<(), ReadError> {
        document.write(payment, self.tables)
    }

    /// Its segment is in quarantine, and a row of it beside that would be the document twice.
    fn unread_document(&mut self, _: &Segment<'_>, _: &Payment) -> Result<(), ReadError> {
        Ok(())
    }

    fn payment(&mut self, payment: &Payment, sums: &Sums, end: u64) -> Result<(), ReadError> {
        if payment.amount.is_none() {
            self.tables.count(&NO_PAYMENT, payment.line);
        }
        payment.write_instruction("x12.820", self.heading, end, self.tables)?;
        match sums.compare(payment) {
            Some(notice) => self.tables.report(notice),
            None => Ok(()),
        }
    }

    fn count(&mut self, oddity: &'static Oddity, line: u64) {
        self.tables.count(oddity, line);
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
