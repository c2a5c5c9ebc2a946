//! Who paid: by account, by customer number, by the owner of the documents, by name.

use std::cell::OnceCell;
use std::sync::Arc;

use tieout_core::{Feature, ItemIx, Reason, Rule};

use crate::decide::View;
use crate::memory::Recalled;
use crate::names::Name;
use crate::parties::NAME_DIFFERS_BELOW;
use crate::payment::Payment;
use crate::reading::Reading;
use crate::recipe::Step;
use crate::score::{name_weight, weight};

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
    /// Whom people said that such a payer is; weaker than the parties' own data.
    recalled: Option<Recalled>,
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
        let recalled = match found {
            None if !view.memory.knows_no_payer() => recall(view, payment),
            _ => None,
        };
        Self {
            recalled,
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
        let found = self.found.unwrap_or_else(|| match self.recalled {
            Some(recalled) if self.is_named_otherwise(view, recalled.party) => {
                Err(Reason::AmbiguousCustomer)
            }
            Some(recalled) => Ok(recalled.party),
            None => self.search(view),
        });
        self.found = Some(found);
        found
    }

    /// Whether the payer's name is nearly another customer's, where neither it nor the amount says
    /// that the documents named are the ones meant: a misread number is then the likelier answer.
    pub fn is_by_name_another(&mut self, view: &View, reading: &Reading) -> bool {
        let has = |wanted: &[Feature]| {
            reading
                .evidence
                .iter()
                .any(|it| wanted.contains(&it.feature))
        };
        let agrees = [
            Feature::AmountExact,
            Feature::AmountNetOfDiscount,
            Feature::AmountWithDeduction,
        ];
        let (Some(owner), true) = (reading.party, has(&[Feature::NameDiffers])) else {
            return false;
        };
        !has(&agrees)
            && match self.by_name(view) {
                Ok(other) => !view.parties.related(other, owner),
                Err(reason) => reason == Reason::AmbiguousCustomer,
            }
    }

    /// Whether the payer has the very name of a customer that is not related to `party`.
    fn is_named_otherwise(&self, view: &View, party: u32) -> bool {
        let other = self
            .parsed_name()
            .and_then(|name| view.parties.by_exact_name(name));
        other.is_some_and(|other| !view.parties.related(other, party))
    }

    /// The parties that the payer may be by a name that is not alike enough to decide, the most alike
    /// first.
    pub fn suspects(&self, view: &View) -> Arc<[u32]> {
        match self.name {
            Some(name) if view.policy().takes(Step::Name) => view.parties.suspects(name),
            _ => Arc::default(),
        }
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
            (Some(party), None) if !self.note_recalled(view, party, reading) => {
                self.note_name(view, party, self.likeness, reading);
            }
            (Some(_), None) => {}
            (None, _) if self.note_recalled(view, owner, reading) => {}
            (None, _) => self.judge_by_name(view, owner, reading),
        }
    }

    /// Adds what people said of such a payer, if that is about `party`.
    fn note_recalled(&self, view: &View, party: u32, reading: &mut Reading) -> bool {
        let recalled = self.recalled.filter(|recalled| {
            view.parties.related(recalled.party, party)
                && !self.is_named_otherwise(view, recalled.party)
        });
        let Some(recalled) = recalled else {
            return false;
        };
        let detail = view.detail(|| {
            let id = view.parties.id(recalled.party);
            let times = recalled.times;
            match recalled.feature {
                Feature::RememberedAccount => format!("account of {id} by {times} decisions"),
                _ => format!(
                    "{} is {id} by {times} decisions",
                    self.name.unwrap_or_default()
                ),
            }
        });
        let by_amount = [
            Rule::SingleItem,
            Rule::Group,
            Rule::ClearAccount,
            Rule::ClearPastDue,
            Rule::Subset,
        ];
        if recalled.times == 1 && by_amount.contains(&reading.rule) {
            // Once may be chance: only what was decided twice lets an amount decide by itself.
            reading.hold(Reason::BelowThreshold);
        }
        reading.note_weighted(
            recalled.feature,
            weight(recalled.feature) + recalled.more(),
            detail,
        );
        true
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
        let rarity = || {
            let (holders, parties) = (view.parties.holders(party), view.parties.len() as u32);
            view.recipe.weights().rarity(holders, parties)
        };
        if similarity > 0.999 {
            let weight = weight(Feature::NameExact) + rarity();
            reading.note_weighted(Feature::NameExact, weight, detail);
        } else if similarity >= view.policy().identification.name_similarity {
            let weight = name_weight(similarity) + rarity();
            reading.note_weighted(Feature::NameSimilar, weight, detail);
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

/// Whom people said that the payer of `payment` is.
fn recall(view: &View, payment: &Payment) -> Option<Recalled> {
    let by_account = || {
        let account = payment.payer_account?;
        let wanted = view.policy().takes(Step::Account);
        wanted.then(|| view.memory.by_account(account)).flatten()
    };
    let by_name = || {
        let name = payment.payer_name?;
        let wanted = view.policy().takes(Step::Name);
        wanted
            .then(|| view.memory.by_name(&Name::of(name)))
            .flatten()
    };
    match (by_account(), by_name()) {
        // What two marks say against one another is nothing.
        (Some(account), Some(name)) if !view.parties.related(account.party, name.party) => None,
        (Some(account), _) => Some(account),
        (None, name) => name,
    }
}
