//! Who paid: by account, by customer number, by the owner of the documents, by name.

use std::cell::OnceCell;

use tieout_core::{Feature, ItemIx, Reason};

use crate::decide::View;
use crate::names::Name;
use crate::payment::Payment;
use crate::reading::Reading;
use crate::recipe::Step;
use crate::score::name_weight;

/// Names less alike than this speak against a customer.
const NAME_DIFFERS_BELOW: f64 = 0.45;

/// What the payment says of its payer, before any document is looked at.
pub struct Payer<'a> {
    pub party: Option<u32>,
    feature: Option<Feature>,
    detail: &'a str,
    name: Option<&'a str>,
    parsed_name: OnceCell<Name>,
    /// How alike the payer's name and that of a party assumed by name are.
    likeness: f64,
    found: Option<Result<u32, Reason>>,
}

impl<'a> Payer<'a> {
    /// By the marks that name a customer outright: the account, then the customer's number.
    pub fn by_marks(view: &View, payment: &Payment<'a>) -> Self {
        let by_account = || {
            let account = payment.payer_account?;
            let party = view.parties.by_account(account)?;
            Some((party, Feature::PayerAccount, account))
        };
        let by_number = || {
            let number = payment.customer_number?;
            let party = view.parties.by_number(number).or_else(|| {
                // Whom a recipe says that a line is with may be called by an account.
                let is_said = view.recipe.payments.party.is_some();
                is_said.then(|| view.parties.by_account(number)).flatten()
            })?;
            Some((party, Feature::CustomerNumber, number))
        };
        let order = &view.policy().identification.order;
        let found = order.iter().find_map(|step| match step {
            Step::Account => by_account(),
            Step::CustomerNumber => by_number(),
            Step::Documents | Step::Name => None,
        });
        Self {
            party: found.map(|(party, ..)| party),
            feature: found.map(|(_, feature, _)| feature),
            detail: found.map_or("", |(.., detail)| detail),
            name: payment.payer_name,
            parsed_name: OnceCell::new(),
            likeness: 0.0,
            found: None,
        }
    }

    /// The party of a customer's number among the words of the free text.
    pub fn by_number_in(&mut self, view: &View, text: &'a str) {
        if self.party.is_some() || text.is_empty() || !view.policy().takes(Step::CustomerNumber) {
            return;
        }
        let found = text
            .split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | ';' | ':' | '='))
            .filter(|word| !word.is_empty())
            .find_map(|word| Some((view.parties.by_number(word)?, word)));
        if let Some((party, word)) = found {
            self.party = Some(party);
            self.feature = Some(Feature::CustomerNumber);
            self.detail = word;
        }
    }

    /// By name, if one customer's is alike enough and no other's nearly as much.
    ///
    /// # Errors
    /// [`Reason::AmbiguousCustomer`] if several customers' are, [`Reason::PayerUnknown`] if none.
    pub fn by_name(&mut self, view: &View) -> Result<u32, Reason> {
        if let Some(party) = self.party {
            return Ok(party);
        }
        let found = self.found.unwrap_or_else(|| self.search(view));
        self.found = Some(found);
        found
    }

    fn search(&mut self, view: &View) -> Result<u32, Reason> {
        let found = self
            .name
            .filter(|_| view.policy().takes(Step::Name))
            .and_then(|name| view.parties.by_name(name))
            .ok_or(Reason::PayerUnknown)?;
        let rules = &view.policy().identification;
        if found.similarity < rules.name_similarity {
            return Err(Reason::PayerUnknown);
        }
        if found.similarity - found.runner_up < rules.name_margin {
            return Err(Reason::AmbiguousCustomer);
        }
        self.likeness = found.similarity;
        Ok(found.party)
    }

    /// Holds `party`, found by name, for the payer from here on.
    pub fn assume(&mut self, party: u32) {
        self.party = Some(party);
    }

    fn parsed_name(&self) -> Option<&Name> {
        let name = self.name?;
        Some(self.parsed_name.get_or_init(|| Name::of(name))).filter(|name| !name.is_empty())
    }

    /// How alike the payer's name and the party's are; none where a name is missing.
    pub fn name_similarity(&self, view: &View, party: u32) -> Option<f64> {
        let name = self.parsed_name()?;
        view.parties
            .is_named(party)
            .then(|| view.parties.name_similarity(party, name))
    }

    /// Adds to `reading` what speaks for and against `owner` being who paid.
    pub fn judge(&self, view: &View, owner: u32, reading: &mut Reading) {
        match (self.party, self.feature) {
            (Some(party), _) if !view.parties.related(party, owner) => {
                reading.hold(Reason::CustomerConflict);
            }
            (Some(party), Some(feature)) => {
                let feature = if party == owner {
                    feature
                } else {
                    Feature::RelatedCustomer
                };
                reading.note(feature, view.detail(|| self.detail.to_owned()));
            }
            (Some(party), None) => self.note_name(view, party, self.likeness, reading),
            (None, _) => self.judge_by_name(view, owner, reading),
        }
    }

    fn judge_by_name(&self, view: &View, owner: u32, reading: &mut Reading) {
        let Some(name) = self.parsed_name() else {
            return;
        };
        let Some(similarity) = self.name_similarity(view, owner) else {
            return;
        };
        self.note_name(view, owner, similarity, reading);
        if similarity < view.policy().identification.name_similarity
            && let Some(other) = view.parties.by_exact_name(name)
            && !view.parties.related(other, owner)
        {
            reading.hold(Reason::CustomerConflict);
        }
    }

    fn note_name(&self, view: &View, party: u32, similarity: f64, reading: &mut Reading) {
        let detail = view.detail(|| {
            let name = view.parties.name(party).unwrap_or_default();
            format!(
                "{} ~ {name}: {similarity:.2}",
                self.name.unwrap_or_default()
            )
        });
        if similarity > 0.999 {
            reading.note(Feature::NameExact, detail);
        } else if similarity >= view.policy().identification.name_similarity {
            reading.note_weighted(Feature::NameSimilar, name_weight(similarity), detail);
        } else if similarity < NAME_DIFFERS_BELOW {
            reading.note(Feature::NameDiffers, detail);
        }
    }

    /// Whether the party of `item` can be the payer's: the same, a relative, or anybody as long
    /// as nothing says who paid.
    pub fn may_pay(&self, view: &View, item: ItemIx) -> bool {
        match (self.party, view.items.party(item)) {
            (Some(payer), Some(owner)) => view.parties.related(payer, owner),
            (Some(_), None) => false,
            (None, _) => true,
        }
    }
}
