//! Why a payment ended as it did.

mod lookup;
mod record;
mod source;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use tieout_core::{Amount, Feature, Reason, Rule, Status};
use tieout_ledger::Moment;
use tieout_treasury::{BlockingTreasury, Limits};

use crate::EngineError;
use crate::query::open_as_of;
use lookup::Lookup;

pub use source::{Source, SourceText};

/// Everything that a ledger knows about one payment. Its `Display` is the text for people.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The payment and what became of it.
    pub payment: Payment,
    /// The customer, if one is known.
    pub party: Option<Party>,
    /// What was applied, or is proposed.
    pub applications: Vec<Applied>,
    /// What spoke for and against, in the order of judgement.
    pub evidence: Vec<Weighed>,
    /// Other answers, the best first.
    pub alternatives: Vec<Other>,
    /// What a person may choose from, the best first; for exceptions only.
    pub candidates: Vec<Other>,
    /// The earlier payment that this one repeats.
    pub duplicate_of: Option<Repeated>,
    /// Later payments that repeat this one.
    pub repeated_by: Vec<Repeated>,
    /// The earlier payment that this line undoes.
    pub undoes: Option<Repeated>,
    /// Later lines that undo this one.
    pub undone_by: Vec<Repeated>,
    /// The document lines that came with the payment.
    pub advice: Vec<Advice>,
    /// Where the payment stands in its file.
    pub source: Source,
}

/// A payment. Texts are as the outputs have them.
#[derive(Clone, Debug, PartialEq)]
pub struct Payment {
    /// Its full identifier.
    pub id: String,
    /// Its amount.
    pub amount: Amount,
    /// The currency.
    pub currency: String,
    /// Who paid, as the bank says.
    pub payer_name: Option<String>,
    /// The payer's account.
    pub payer_account: Option<String>,
    /// The account that the money came to.
    pub account: Option<String>,
    /// The day of booking.
    pub booking_date: Option<String>,
    /// The day from which the money counts.
    pub value_date: Option<String>,
    /// The cheque's number.
    pub check_number: Option<String>,
    /// The bank's reference.
    pub bank_reference: Option<String>,
    /// The payer's reference.
    pub end_to_end_id: Option<String>,
    /// What the payer wrote.
    pub remittance_text: Option<String>,
    /// How it ended.
    pub status: Named<Status>,
    /// What led there.
    pub rule: Named<Rule>,
    /// Why it is not simply applied.
    pub reason: Option<Named<Reason>>,
    /// Cash applied to items.
    pub applied: Amount,
    /// Cash on the customer's account.
    pub on_account: Amount,
    /// Cash that is neither.
    pub unapplied: Amount,
    /// Probability that the decision is right.
    pub score: f64,
    /// How far the runner-up's score lies below.
    pub margin: f64,
    /// The recipe's name and version.
    pub recipe: String,
}

/// A code of a closed list, as the ledger has it, and its meaning if this program knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<T> {
    /// The code.
    pub code: String,
    /// What it means.
    pub value: Option<T>,
}

/// A customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The identifier.
    pub id: String,
    /// The name, if the parties file gives one.
    pub name: Option<String>,
}

/// What one item gets of the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The item.
    pub item_id: String,
    /// The document's number.
    pub item_number: Option<String>,
    /// What kind of item it is.
    pub kind: Option<String>,
    /// When it is due.
    pub due_date: Option<String>,
    /// What was open before the run.
    pub open_amount: Option<Amount>,
    /// Cash applied.
    pub applied: Amount,
    /// Discount granted.
    pub discount: Amount,
    /// Small difference written off.
    pub write_off: Amount,
    /// Short payment with a reason.
    pub deduction: Amount,
    /// That reason.
    pub deduction_reason: Option<String>,
}

/// A piece of evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// What it is.
    pub feature: Named<Feature>,
    /// Bits of log-odds, above zero for the answer.
    pub bits: f64,
    /// What it is about.
    pub detail: Option<String>,
}

/// Another answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Other {
    /// Its items, their identifiers joined by `+`.
    pub items: String,
    /// The numbers of their documents, joined in the same way, where they are known.
    pub numbers: Option<String>,
    /// Its score.
    pub score: f64,
    /// Why it was not chosen, where that is known.
    pub why: Option<String>,
}

/// A payment that has the same marks, or undoes the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeated {
    /// Its identifier.
    pub payment_id: String,
    /// What the two have in common; empty where the line's own evidence says it.
    pub evidence: String,
    /// Its file and line, if the ledger has it.
    pub place: Option<String>,
}

/// A document line that came with the payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advice {
    /// File and line.
    pub place: String,
    /// The document as the payer names it.
    pub document_number: Option<String>,
    /// Its amount before deductions.
    pub gross: Option<Amount>,
    /// Discount taken.
    pub discount: Option<Amount>,
    /// Kept back.
    pub adjustment: Option<Amount>,
    /// Why.
    pub adjustment_reason: Option<String>,
    /// What was paid for it.
    pub net: Option<Amount>,
}

/// Explains the payment with this identifier, or the only one that begins with it.
///
/// # Errors
/// [`EngineError::Ledger`] if there is no ledger, [`EngineError::UnknownPayment`] and
/// [`EngineError::AmbiguousPayment`] if not exactly one payment fits.
pub fn explain(ledger_dir: &Path, payment_id: &str) -> Result<Explanation, EngineError> {
    explain_as_of(ledger_dir, None, payment_id)
}

/// The same as it was known by `moment`; by now where none is given.
///
/// # Errors
/// Those of [`explain`], and [`EngineError::Ledger`] if nothing was recorded by then.
pub fn explain_as_of(
    ledger_dir: &Path,
    moment: Option<Moment>,
    payment_id: &str,
) -> Result<Explanation, EngineError> {
    let ledger = open_as_of(ledger_dir, moment)?;
    let treasury = BlockingTreasury::open(&ledger, &Limits::default())?;
    Lookup::new(&treasury).explanation(payment_id, ledger_dir)
}
