//! Transaction set 835: a health plan's payment of claims.
//!
//! A claim is what the provider billed, so that `CLP01` is the document. `CAS` says by what the
//! payment differs from the bill, per claim or per service; `PLB` what is taken off or added apart
//! from any claim.

use tieout_core::{Amount, FindingCode, QuarantineReason, Severity};

use super::advice::Document;
use super::fields::Fields;
use super::payment::Payment;
use super::remittance::{NO_PAYMENT, Sums};
use super::segment::Segment;
use super::set::{Heading, TransactionSet};
use super::tables::{Oddity, Tables};
use crate::format::ReadError;
use crate::intake::Notice;
use crate::rows::decode;

static CLAIM_MISFIT: Oddity = Oddity {
    severity: Severity::Warning,
    code: FindingCode::ControlTotal,
    what: "claims whose payment is not the charge less its adjustments",
    expected: "CLP04 = CLP03 less all CAS of the claim",
    action: "The payment counts; ask the payer about the adjustments.",
};

/// Reads one 835.
pub(super) struct Claims {
    heading: Heading,
    payment: Payment,
    claim: Option<Claim>,
    is_in_detail: bool,
    sums: Sums,
}

struct Claim {
    document: Document,
    charge: Amount,
    adjusted: Amount,
    /// An adjustment did not read.
    is_open: bool,
}

impl Claims {
    pub fn new(heading: Heading) -> Self {
        Self {
            payment: Payment::unknown(heading.line, heading.start),
            heading,
            claim: None,
            is_in_detail: false,
            sums: Sums::default(),
        }
    }

    fn claim(&mut self, clp: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_claim(tables)?;
        self.is_in_detail = true;
        let [number, _, charge_text, paid_text] = clp.first();
        let charge = tables.amount_in(clp, 3, charge_text)?;
        let paid = tables.amount_in(clp, 4, paid_text)?;
        let (Some(charge), Some(paid)) = (charge, paid) else {
            self.sums.is_open = true;
            if charge_text.is_empty() || paid_text.is_empty() {
                let message = "the claim has no charge (3) or no payment (4)";
                tables.refuse(clp, QuarantineReason::MissingField, message)?;
            }
            return Ok(());
        };
        self.claim = Some(Claim {
            document: Document {
                line: clp.line,
                number: decode(number).into_owned(),
                gross: Some(charge),
                net: Some(paid),
                ..Document::default()
            },
            charge,
            adjusted: Amount::ZERO,
            is_open: false,
        });
        Ok(())
    }

    fn close_claim(&mut self, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let Some(mut claim) = self.claim.take() else {
            return Ok(());
        };
        let paid = claim.document.net.unwrap_or_default();
        if !claim.is_open && claim.charge - claim.adjusted != paid {
            tables.count(&CLAIM_MISFIT, claim.document.line);
        }
        let adjustment = paid - claim.charge;
        claim.document.adjustment = Some(adjustment).filter(|adjustment| !adjustment.is_zero());
        self.sums.add(&claim.document);
        claim.document.write(&self.payment, tables)
    }

    /// Up to six pairs of identifier and amount; an amount above zero is taken off the payment.
    fn provider_level(
        &mut self,
        plb: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<(), ReadError> {
        self.close_claim(tables)?;
        self.is_in_detail = true;
        let count = plb.elements().count();
        for element in (3..=count.min(13)).step_by(2) {
            let (reason, reference) = plb.components(element);
            let amount = tables.amount(plb, element + 1)?;
            if plb.element(element).is_empty() && plb.element(element + 1).is_empty() {
                continue;
            }
            let taken_off = amount.map(|amount| Amount::ZERO - amount);
            let document = Document {
                line: plb.line,
                number: decode(reference).trim().to_owned(),
                adjustment: taken_off,
                reason: decode(reason).into_owned(),
                net: taken_off,
                ..Document::default()
            };
            self.sums.add(&document);
            document.write(&self.payment, tables)?;
        }
        Ok(())
    }

    /// What is to be said if claims and other adjustments are not the payment.
    fn difference(&self) -> Option<Notice> {
        let notice = self.sums.compare(&self.payment)?;
        Some(Notice {
            expected: format!(
                "{}, the claims' payments less what PLB takes off",
                self.sums.net
            ),
            action: "Look in quarantine for claims that were not read; if there are none, ask the \
                     payer which figure is right."
                .into(),
            ..notice
        })
    }
}

impl Claim {
    /// A group code, then up to six times reason, amount and quantity.
    fn adjust(&mut self, cas: &Segment<'_>, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        let texts: [&[u8]; 19] = cas.first();
        let (group, triples) = (texts[0], texts[1..].chunks_exact(3));
        for (place, triple) in triples.enumerate() {
            let [reason, text] = [triple[0], triple[1]];
            if text.is_empty() {
                continue;
            }
            let amount = tables.amount_in(cas, 3 * place + 3, text)?;
            self.is_open |= amount.is_none();
            let amount = amount.unwrap_or_default();
            // Some name a reason by which nothing was adjusted.
            if !amount.is_zero() {
                self.adjusted += amount;
                let reason = format!("{}-{}", decode(group), decode(reason));
                self.document.add_reason(&reason);
            }
        }
        Ok(())
    }
}

impl TransactionSet for Claims {
    fn segment(
        &mut self,
        segment: &Segment<'_>,
        tables: &mut Tables<'_>,
    ) -> Result<bool, ReadError> {
        match &segment.tag {
            b"BPR" => {
                let payment = Payment::read(segment, tables)?;
                self.payment = payment;
            }
            b"CLP" => self.claim(segment, tables)?,
            b"CAS" => {
                if let Some(claim) = &mut self.claim {
                    claim.adjust(segment, tables)?;
                } else {
                    let message = "an adjustment (CAS) without its claim, or of one in quarantine";
                    tables.refuse(segment, QuarantineReason::MisplacedRecord, message)?;
                }
            }
            b"PLB" => self.provider_level(segment, tables)?,
            b"TRN" | b"CUR" | b"REF" | b"N1 " if !self.is_in_detail => {
                return self.payment.read_beside(segment, tables);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(&mut self, end: u64, tables: &mut Tables<'_>) -> Result<(), ReadError> {
        self.close_claim(tables)?;
        let (payment, heading) = (&self.payment, &self.heading);
        if payment.amount.is_none() {
            tables.count(&NO_PAYMENT, payment.line);
        }
        payment.write_instruction("x12.835", heading, end, tables)?;
        match self.difference() {
            Some(notice) => tables.report(notice),
            None => Ok(()),
        }
    }
}
