//! Which policy holds for a payment, once a recipe's conditions are answered.

use ahash::RandomState;
use arrow::array::{Array, BooleanArray};
use hashbrown::HashMap;
use tieout_core::Date;

use super::{Action, Days, Override, Policy, Recipe};
use crate::parties::Parties;

/// The policies of the versions, overrides and rules that hold together.
type Key = (u16, u64, Option<u16>);

/// What a recipe's conditions say of a batch of payments, one entry a row each; none where the
/// recipe asks nothing. A null is no.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// `payments.where`.
    pub payments: Option<BooleanArray>,
    /// `reversals.where`.
    pub reversals: Option<BooleanArray>,
    /// The rules' `when`, one for each rule.
    pub rules: Vec<Option<BooleanArray>>,
    /// The overrides' `when`, one for each override.
    pub overrides: Vec<Option<BooleanArray>>,
}

/// What a recipe's conditions say of one payment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Treatment {
    /// The version that holds, or the first.
    version: u16,
    /// Which of the overrides with a condition hold.
    overrides: u64,
    /// The policy that this comes to, once [`Policies::find`] has said.
    pub policy: u32,
    /// The rule that holds.
    pub rule: Option<u16>,
    /// `payments.where` says no.
    pub left_out: bool,
    /// `reversals.where` says yes.
    pub reverses: bool,
    /// No version holds on the payment's day.
    pub undated: bool,
}

/// The policies that payments have needed so far.
pub struct Policies {
    all: Vec<Policy>,
    by_key: HashMap<Key, u32, RandomState>,
    /// The override of a customer, by the party's number.
    customers: HashMap<u32, u16, RandomState>,
    /// The policy for a customer in place of another, by that and the customer's override.
    for_customers: HashMap<(u32, u16), u32, RandomState>,
}

fn says_yes(answer: Option<&BooleanArray>, row: usize) -> bool {
    answer.is_none_or(|answer| !answer.is_null(row) && answer.value(row))
}

impl Policies {
    /// Those that hold before anything is asked.
    pub fn of(recipe: &Recipe) -> Self {
        let mut policies = Self {
            all: Vec::new(),
            by_key: HashMap::default(),
            customers: HashMap::default(),
            for_customers: HashMap::default(),
        };
        policies.place(recipe, (0, 0, None));
        policies
    }

    /// Ties the overrides of customers to the parties that they name.
    pub fn name_customers(&mut self, recipe: &Recipe, parties: &Parties) {
        for (place, all) in recipe.overrides.iter().enumerate() {
            for customer in &all.customers {
                if let Some(party) = parties.by_number(customer) {
                    self.customers.insert(party, place as u16);
                }
            }
        }
    }

    /// The policy at `place` for a payment of nobody in particular.
    pub fn get(&self, place: u32) -> &Policy {
        &self.all[place as usize]
    }

    /// The policy at `place` for a payment that concerns `party`.
    pub fn of_party(&self, place: u32, party: Option<u32>) -> &Policy {
        let customer = party.filter(|_| !self.customers.is_empty());
        let customer = customer.and_then(|party| self.customers.get(&party));
        let own = customer.and_then(|&all| self.for_customers.get(&(place, all)));
        self.get(own.copied().unwrap_or(place))
    }

    /// Finds the policy that `treatment` comes to.
    pub fn find(&mut self, recipe: &Recipe, treatment: Treatment) -> Treatment {
        let key = (treatment.version, treatment.overrides, treatment.rule);
        Treatment {
            policy: self.place(recipe, key),
            ..treatment
        }
    }

    /// The place of the policy for `key`, made if it is not there.
    fn place(&mut self, recipe: &Recipe, key: Key) -> u32 {
        if let Some(&place) = self.by_key.get(&key) {
            return place;
        }
        let (version, bits, rule) = key;
        let mut bit = 0;
        let holding: Vec<(u16, &Override)> = recipe
            .overrides
            .iter()
            .enumerate()
            .filter(|(_, all)| {
                let holds = !all.is_conditional() || bits & (1 << bit) != 0;
                bit += u32::from(all.is_conditional());
                holds
            })
            .map(|(place, all)| (place as u16, all))
            .collect();
        let own = |customer: Option<u16>| {
            let mut policy = recipe.versions[usize::from(version)].policy.clone();
            for (_, all) in holding.iter().filter(|(_, all)| all.customers.is_empty()) {
                all.patch.apply(&mut policy);
            }
            if let Some(customer) = customer {
                recipe.overrides[usize::from(customer)]
                    .patch
                    .apply(&mut policy);
            }
            if let Some(rule) = rule {
                recipe.rules[usize::from(rule)].patch.apply(&mut policy);
            }
            policy
        };
        let place = self.all.len() as u32;
        self.all.push(own(None));
        self.by_key.insert(key, place);
        for &(customer, _) in holding.iter().filter(|(_, all)| !all.customers.is_empty()) {
            let special = self.all.len() as u32;
            self.all.push(own(Some(customer)));
            self.for_customers.insert((place, customer), special);
        }
        place
    }
}

impl Treatment {
    /// What the `answers` in `row` say of a payment of `day`.
    pub fn of(recipe: &Recipe, answers: &Answers, row: usize, day: Date) -> Self {
        let version = recipe.versions.iter().position(|it| it.days.contains(day));
        let holds = |answers: &[Option<BooleanArray>], place: usize, days: Days| {
            let answer = answers.get(place).and_then(Option::as_ref);
            days.contains(day) && says_yes(answer, row)
        };
        let rule = recipe
            .rules
            .iter()
            .enumerate()
            .position(|(place, rule)| holds(&answers.rules, place, rule.days))
            .map(|place| place as u16);
        let mut overrides = 0;
        let conditional = recipe.overrides.iter().enumerate();
        let conditional = conditional.filter(|(_, all)| all.is_conditional());
        for (bit, (place, all)) in conditional.enumerate() {
            overrides |= u64::from(holds(&answers.overrides, place, all.days)) << bit;
        }
        Self {
            version: version.unwrap_or_default() as u16,
            overrides,
            policy: 0,
            rule,
            left_out: !says_yes(answers.payments.as_ref(), row),
            reverses: answers.reversals.is_some() && says_yes(answers.reversals.as_ref(), row),
            undated: version.is_none(),
        }
    }

    /// What the rule that holds does.
    pub fn action(self, recipe: &Recipe) -> Action {
        self.rule.map_or(Action::Decide, |rule| {
            recipe.rules[usize::from(rule)].action
        })
    }
}
