//! A decision about one payment: balanced, or not built at all.

use thiserror::Error;

use crate::money::Amount;
use crate::reason::{Reason, Rule, Status, closed_list};

/// The place of an open item in the matcher's store, in the order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemIx(pub u32);

/// How much of one item a payment takes. All amounts have the payment's currency.
///
/// For a debit item (an invoice) the four amounts are what the item loses, none negative.
/// For a credit item (a credit memo) `applied` is negative: the credit pays for other items,
/// and the item loses the absolute value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// The item.
    pub item: ItemIx,
    /// Cash applied to the item.
    pub applied: Amount,
    /// Early-payment discount granted.
    pub discount: Amount,
    /// Small difference written off.
    pub write_off: Amount,
    /// Short payment that the customer gave a reason for.
    pub deduction: Amount,
    /// The customer's reason code for the deduction.
    pub deduction_reason: Option<Box<str>>,
}

impl Application {
    /// What the item's open amount loses (for a credit item: what the credit loses, negative).
    pub fn total(&self) -> Amount {
        self.applied + self.discount + self.write_off + self.deduction
    }
}

closed_list! {
    /// What speaks for or against an answer.
    Feature {
        PayerAccount = 1, "payer_account", "The payer's account belongs to the customer.";
        CustomerNumber = 2, "customer_number", "The payment names the customer's number.";
        DocumentOwner = 3, "document_owner", "The documents named belong to the customer.";
        NameExact = 4, "name_exact", "The payer's name is the customer's, but for form.";
        NameSimilar = 5, "name_similar", "The payer's name resembles the customer's.";
        NameDiffers = 6, "name_differs", "The payer's name is not the customer's.";
        RelatedCustomer = 7, "related_customer", "The payer is the parent, a child or a sibling of the items' customer.";
        ReferenceExact = 8, "reference_exact", "A reference is the document number, letter by letter.";
        ReferenceNormalized = 9, "reference_normalized", "A reference is the document number but for prefix, zeros and separators.";
        ReferencePurchaseOrder = 10, "reference_purchase_order", "A reference is the item's purchase order.";
        ReferenceTruncated = 11, "reference_truncated", "A reference is the beginning or the end of the document number.";
        ReferenceOneEdit = 12, "reference_one_edit", "A reference is one character away from the document number.";
        ReferenceMissing = 13, "reference_missing", "A reference leads to no open item.";
        AmountExact = 14, "amount_exact", "The amount is the open amount.";
        AmountNetOfDiscount = 15, "amount_net_of_discount", "The amount is the open amount less the discount within its terms.";
        AmountWithinTolerance = 16, "amount_within_tolerance", "The amount differs within the tolerance.";
        AmountWithDeduction = 17, "amount_with_deduction", "The amount and the deduction given add up to the open amount.";
        AmountPartial = 18, "amount_partial", "The amount is less than the open amount.";
        AmountOver = 19, "amount_over", "The amount is more than the open amount.";
        CreditNetted = 20, "credit_netted", "Open credits of the customer make the sum fit.";
        OnlyReading = 21, "only_reading", "No other set of open items fits.";
        OtherReading = 22, "other_reading", "Another set of open items fits too.";
        EarlierPayment = 23, "earlier_payment", "An earlier payment has the same marks.";
        LinkedRemittance = 24, "linked_remittance", "Remittance advice that came apart from the payment is linked to it.";
        LineKind = 25, "line_kind", "The kind of line says what it is.";
        RecipeRule = 26, "recipe_rule", "A rule of the recipe holds for the payment.";
        OriginalReference = 27, "original_reference", "The line has a reference in common with the one that it undoes, or names what that one paid.";
        RememberedAccount = 28, "remembered_account", "A person has decided that money from this account is the customer's.";
        RememberedName = 29, "remembered_name", "A person has decided that money of a payer of this name is the customer's.";
        RememberedDecisions = 30, "remembered_decisions", "People have confirmed or corrected answers of the same kind.";
        Prior = 31, "prior", "What any answer starts with.";
        OnlyAssignment = 32, "only_assignment", "Other sets of open items fit too, but other payments need those.";
        OtherPayment = 33, "other_payment", "Another payment fits the same items.";
        DecidedTogether = 34, "decided_together", "Payments that compete for the same items were decided together.";
        SeveralItems = 35, "several_items", "Nothing but the amount binds the items together; some sets have any amount by chance.";
    }
}

/// One piece of evidence and its weight, in hundredths of a bit of log-odds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// What it is.
    pub feature: Feature,
    /// For the answer above zero, against it below; hundredths of a bit.
    pub weight: i32,
    /// What it is about (a reference, a name, an account), or empty.
    pub detail: Box<str>,
}

/// An answer that was not chosen, or a candidate for a person.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    /// The items it would take.
    pub items: Vec<ItemIx>,
    /// Its score between 0 and 1.
    pub score: f64,
    /// Why it was not chosen.
    pub why: Box<str>,
}

/// What happened to one payment. Only [`DecisionBuilder::build`] makes one, and only if
/// `amount = applied + on_account + unapplied`.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    parts: DecisionBuilder,
    status: Status,
    rule: Rule,
}

/// The parts of a decision that do not add up to the payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{status}: {amount} is not {applied} applied + {on_account} on account + {unapplied} unapplied"
)]
pub struct Unbalanced {
    status: Status,
    amount: Amount,
    applied: Amount,
    on_account: Amount,
    unapplied: Amount,
}

/// Collects the parts of a [`Decision`].
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionBuilder {
    amount: Amount,
    on_account: Amount,
    unapplied: Amount,
    applications: Vec<Application>,
    /// The customer, as the matcher's party number.
    pub party: Option<u32>,
    /// Why the payment is not simply applied.
    pub reason: Option<Reason>,
    /// Probability that the decision is right, between 0 and 1.
    pub score: f64,
    /// How far the runner-up's score lies below.
    pub margin: f64,
    /// What spoke for and against.
    pub evidence: Vec<Evidence>,
    /// Other answers, the best first.
    pub alternatives: Vec<Alternative>,
    /// The sequence number of the payment that this one repeats.
    pub duplicate_of: Option<u32>,
    /// The sequence number of the payment that this one undoes.
    pub reverses: Option<u32>,
    /// Whether the applications open their items again instead of reducing them.
    pub opens_items: bool,
}

impl DecisionBuilder {
    /// A decision about a payment of `amount`, with nothing decided.
    pub fn new(amount: Amount) -> Self {
        Self {
            amount,
            on_account: Amount::ZERO,
            unapplied: Amount::ZERO,
            applications: Vec::new(),
            party: None,
            reason: None,
            score: 0.0,
            margin: 0.0,
            evidence: Vec::new(),
            alternatives: Vec::new(),
            duplicate_of: None,
            reverses: None,
            opens_items: false,
        }
    }

    /// Applies `cash` to `item` in full settlement of that much.
    pub fn apply(&mut self, item: ItemIx, cash: Amount) {
        self.push(Application {
            item,
            applied: cash,
            discount: Amount::ZERO,
            write_off: Amount::ZERO,
            deduction: Amount::ZERO,
            deduction_reason: None,
        });
    }

    /// Adds an application with its discount, write-off and deduction.
    pub fn push(&mut self, application: Application) {
        self.applications.push(application);
    }

    /// Takes these applications in place of those so far.
    pub fn set_applications(&mut self, applications: Vec<Application>) {
        self.applications = applications;
    }

    /// Puts `cash` on the customer's account.
    pub fn on_account(&mut self, cash: Amount) {
        self.on_account += cash;
    }

    /// Leaves `cash` unapplied.
    pub fn unapplied(&mut self, cash: Amount) {
        self.unapplied += cash;
    }

    /// The sum of the cash of the applications so far.
    pub fn cash_applied(&self) -> Amount {
        self.applications.iter().map(|part| part.applied).sum()
    }

    /// Makes the decision.
    ///
    /// # Errors
    /// [`Unbalanced`] if the parts do not add up to the payment, if a part is negative that
    /// cannot be, or if the status says something else than the parts.
    pub fn build(self, status: Status, rule: Rule) -> Result<Decision, Unbalanced> {
        let takes_effect = matches!(status, Status::Applied | Status::PartiallyApplied);
        let applied = if takes_effect {
            self.cash_applied()
        } else {
            Amount::ZERO
        };
        let ties = self.amount == applied + self.on_account + self.unapplied;
        let signs = !self.on_account.is_negative()
            && (self.amount.is_negative() || !self.unapplied.is_negative())
            && self.applications.iter().all(|part| {
                !part.discount.is_negative()
                    && !part.write_off.is_negative()
                    && !part.deduction.is_negative()
            });
        let shape = match status {
            Status::Applied => self.on_account.is_zero() && self.unapplied.is_zero(),
            Status::PartiallyApplied => self.on_account.is_positive(),
            Status::OnAccount => self.applications.is_empty() && self.unapplied.is_zero(),
            Status::Proposed | Status::Unidentified | Status::Duplicate | Status::OutOfScope => {
                self.on_account.is_zero()
            }
        };
        if ties && signs && shape {
            Ok(Decision {
                parts: self,
                status,
                rule,
            })
        } else {
            Err(Unbalanced {
                status,
                amount: self.amount,
                applied,
                on_account: self.on_account,
                unapplied: self.unapplied,
            })
        }
    }
}

impl Decision {
    /// How the payment ended.
    pub fn status(&self) -> Status {
        self.status
    }

    /// What led here.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// The payment's amount.
    pub fn amount(&self) -> Amount {
        self.parts.amount
    }

    /// Cash applied to items; zero unless the decision takes effect.
    pub fn applied(&self) -> Amount {
        if self.takes_effect() {
            self.parts.cash_applied()
        } else {
            Amount::ZERO
        }
    }

    /// Cash on the customer's account.
    pub fn on_account(&self) -> Amount {
        self.parts.on_account
    }

    /// Cash that is neither applied nor on account.
    pub fn unapplied(&self) -> Amount {
        self.parts.unapplied
    }

    /// The applications; proposals unless [`Decision::takes_effect`].
    pub fn applications(&self) -> &[Application] {
        &self.parts.applications
    }

    /// Whether items change.
    pub fn takes_effect(&self) -> bool {
        matches!(self.status, Status::Applied | Status::PartiallyApplied)
    }

    /// The customer, as the matcher's party number.
    pub fn party(&self) -> Option<u32> {
        self.parts.party
    }

    /// Why the payment is not simply applied.
    pub fn reason(&self) -> Option<Reason> {
        self.parts.reason
    }

    /// Probability that the decision is right, between 0 and 1.
    pub fn score(&self) -> f64 {
        self.parts.score
    }

    /// How far the runner-up's score lies below.
    pub fn margin(&self) -> f64 {
        self.parts.margin
    }

    /// What spoke for and against.
    pub fn evidence(&self) -> &[Evidence] {
        &self.parts.evidence
    }

    /// Other answers, the best first.
    pub fn alternatives(&self) -> &[Alternative] {
        &self.parts.alternatives
    }

    /// The sequence number of the payment that this one repeats.
    pub fn duplicate_of(&self) -> Option<u32> {
        self.parts.duplicate_of
    }

    /// The sequence number of the payment that this one undoes.
    pub fn reverses(&self) -> Option<u32> {
        self.parts.reverses
    }

    /// Whether the applications open their items again instead of reducing them.
    pub fn opens_items(&self) -> bool {
        self.parts.opens_items
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn units(value: i128) -> Amount {
        Amount::from_units(value)
    }

    proptest! {
        #[test]
        fn no_unbalanced_decision_exists(
            amount in 0_i128..50,
            cash in 0_i128..50,
            on_account in -5_i128..50,
            unapplied in -5_i128..50,
            status in 0..Status::ALL.len(),
        ) {
            let mut parts = DecisionBuilder::new(units(amount));
            if cash > 0 {
                parts.apply(ItemIx(0), units(cash));
            }
            parts.on_account(units(on_account));
            parts.unapplied(units(unapplied));
            if let Ok(decision) = parts.build(Status::ALL[status], Rule::References) {
                prop_assert_eq!(
                    decision.amount(),
                    decision.applied() + decision.on_account() + decision.unapplied()
                );
                prop_assert!(!decision.on_account().is_negative());
                prop_assert!(decision.takes_effect() || decision.applied().is_zero());
            }
        }
    }

    #[test]
    fn a_status_must_say_what_the_parts_say() {
        let mut parts = DecisionBuilder::new(units(10));
        parts.unapplied(units(10));
        assert!(
            parts
                .clone()
                .build(Status::Unidentified, Rule::NoRule)
                .is_ok()
        );
        assert!(
            parts
                .clone()
                .build(Status::Applied, Rule::References)
                .is_err()
        );
        assert!(parts.build(Status::OnAccount, Rule::CustomerOnly).is_err());
    }

    #[test]
    fn a_proposal_moves_no_money() {
        let mut parts = DecisionBuilder::new(units(10));
        parts.apply(ItemIx(1), units(10));
        parts.unapplied(units(10));
        let proposal = parts.build(Status::Proposed, Rule::References).unwrap();
        assert_eq!(proposal.applied(), Amount::ZERO);
        assert_eq!(proposal.applications().len(), 1);
    }
}
