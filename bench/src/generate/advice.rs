//! Remittance advice: `remittances.csv`, one row per document of a payment.
//!
//! `gross - discount + adjustment = net`, so that a deduction is a negative adjustment.

use std::path::Path;

use anyhow::Result;

use super::calendar::{TODAY, iso};
use super::plan::{Payment, reason_code};
use super::shown::Shown;
use super::sink::{Table, table};
use crate::money::cents_text;

const HEADER: &str = "payment_reference,payer_name,payment_date,payment_amount,currency,\
                      document_number,gross,discount,adjustment,adjustment_reason,net";

/// The file being written.
pub struct Advice(Table);

impl Advice {
    /// Creates the file.
    pub fn create(dir: &Path) -> Result<Self> {
        Ok(Self(table(dir, "remittances.csv", HEADER)?))
    }

    /// The advice of one payment.
    pub fn add(
        &mut self,
        reference: &str,
        payment: &Payment,
        currency: &str,
        shown: &Shown,
    ) -> Result<()> {
        let amount = cents_text(payment.amount);
        let date = iso(TODAY);
        for cited in &shown.cited {
            let reason = match cited.deduction {
                0 => "",
                _ => reason_code(cited.reason),
            };
            self.0.write_record([
                reference.as_bytes(),
                shown.name.as_bytes(),
                &date,
                amount.as_bytes(),
                currency.as_bytes(),
                cited.number.as_bytes(),
                cents_text(cited.net + cited.discount + cited.deduction).as_bytes(),
                cents_text(cited.discount).as_bytes(),
                cents_text(-cited.deduction).as_bytes(),
                reason.as_bytes(),
                cents_text(cited.net).as_bytes(),
            ])?;
        }
        Ok(())
    }

    /// Closes the file.
    pub fn finish(mut self) -> Result<()> {
        Ok(self.0.flush()?)
    }
}
