//! What people's decisions have taught: whose money a payer's name or account brings, and how
//! often answers of one kind were right.
//!
//! A name or an account that was taught for two customers tells nothing, nor does one that the
//! parties' own data gives to another. One decision is too little for an amount to follow it; what
//! is taught twice, and never otherwise, is a habit.

use std::fmt;
use std::str::FromStr;

use ahash::RandomState;
use hashbrown::HashMap;
use tieout_core::{Feature, Rule};

use crate::names::Name;
use crate::parties::{Account, Parties, normalize_account};
use crate::reading::Reading;
use crate::score::{log_odds, odds_share};

/// Decisions after which a mark weighs no more.
const TIMES_MAX: u32 = 5;
/// Decisions that the model's own probability of a kind of answer counts as.
const MODEL_DECISIONS: f64 = 20.0;

/// One thing that a decision of a person taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson<'a> {
    /// Money of a payer of this name is the party's.
    Alias {
        /// The payer's name, as the bank writes it.
        name: &'a str,
        /// The party.
        party_id: &'a str,
    },
    /// Money from this account is the party's.
    Account {
        /// The account, as the parties' accounts are written.
        account: &'a str,
        /// The party.
        party_id: &'a str,
    },
    /// An answer of this kind was right, or not.
    Weight {
        /// The kind of answer, as text.
        pattern: &'a str,
        /// Whether it was.
        right: bool,
    },
}

/// What is no evidence of the payment itself, or decides nothing.
const UNWEIGHED: [Feature; 7] = [
    Feature::Prior,
    Feature::RememberedDecisions,
    Feature::DocumentOwner,
    Feature::LinkedRemittance,
    Feature::LineKind,
    Feature::RecipeRule,
    Feature::DecidedTogether,
];

/// A kind of answer: its rule and what spoke for and against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    rule: Rule,
    /// One bit a feature, by its number.
    features: u64,
}

impl Pattern {
    /// The kind of an answer by `rule` with `features`.
    pub fn of(rule: Rule, features: impl IntoIterator<Item = Feature>) -> Self {
        let weighed = features
            .into_iter()
            .filter(|&feature| !UNWEIGHED.contains(&feature));
        Self {
            rule,
            features: weighed.fold(0, |bits, feature| bits | 1 << (feature as u8)),
        }
    }

    /// Its features, in the order of their numbers.
    pub fn features(self) -> impl Iterator<Item = Feature> {
        let all = Feature::ALL.iter().copied();
        all.filter(move |&feature| self.features & (1 << (feature as u8)) != 0)
    }
}

/// `references: payer_account + reference_exact + amount_exact`.
impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let features: Vec<&str> = self.features().map(Feature::code).collect();
        write!(out, "{}: {}", self.rule, features.join(" + "))
    }
}

impl FromStr for Pattern {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (rule, features) = text.split_once(": ").ok_or(())?;
        let features = features.split(" + ").filter(|code| !code.is_empty());
        let features: Option<Vec<Feature>> = features.map(Feature::from_code).collect();
        let rule = Rule::from_code(rule).ok_or(())?;
        Ok(Self::of(rule, features.ok_or(())?))
    }
}

/// Whose a mark is, by how many decisions.
#[derive(Clone, Copy, Debug)]
struct Taught {
    party: u32,
    times: u32,
    /// Whether it was taught otherwise too.
    contradicted: bool,
}

impl Taught {
    fn add(known: Option<Self>, party: u32) -> Self {
        match known {
            None => Self {
                party,
                times: 1,
                contradicted: false,
            },
            Some(known) => Self {
                times: known.times + 1,
                contradicted: known.contradicted || known.party != party,
                ..known
            },
        }
    }
}

/// A payer that memory knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// Whose money it is.
    pub party: u32,
    /// By account or by name.
    pub feature: Feature,
    /// Decisions that said so.
    pub times: u32,
}

impl Recalled {
    /// What it weighs more than a single decision, in hundredths of a bit.
    pub fn more(&self) -> i32 {
        match self.times.min(TIMES_MAX) {
            0 | 1 => 0,
            times => 200 + 50 * (times as i32 - 2),
        }
    }
}

/// Everything that was taught.
#[derive(Default)]
pub struct Memory {
    names: HashMap<Name, Taught, RandomState>,
    accounts: HashMap<Account, Taught, RandomState>,
    answers: HashMap<Pattern, (u32, u32), RandomState>,
}

impl Memory {
    /// Adds `lesson`; one about a party that is not there, or a kind of answer that this program
    /// does not know, teaches nothing.
    pub fn learn(&mut self, lesson: &Lesson, parties: &Parties) {
        match *lesson {
            Lesson::Alias { name, party_id } => {
                let name = Name::of(name);
                if let Some(party) = parties.by_number(party_id).filter(|_| !name.is_empty()) {
                    let known = self.names.get(&name).copied();
                    self.names.insert(name, Taught::add(known, party));
                }
            }
            Lesson::Account { account, party_id } => {
                let account = normalize_account(account);
                if let Some(party) = parties.by_number(party_id).filter(|_| !account.is_empty()) {
                    let known = self.accounts.get(&account).copied();
                    self.accounts.insert(account, Taught::add(known, party));
                }
            }
            Lesson::Weight { pattern, right } => {
                if let Ok(pattern) = pattern.parse() {
                    let (confirmed, corrected) = self.answers.entry(pattern).or_default();
                    *(if right { confirmed } else { corrected }) += 1;
                }
            }
        }
    }

    /// Whether nothing is known of payers.
    pub fn knows_no_payer(&self) -> bool {
        self.names.is_empty() && self.accounts.is_empty()
    }

    /// Whose money comes from `account`.
    pub fn by_account(&self, account: &str) -> Option<Recalled> {
        let taught = self.accounts.get(&normalize_account(account))?;
        recalled(taught, Feature::RememberedAccount)
    }

    /// Whose money a payer of this name brings.
    pub fn by_name(&self, name: &Name) -> Option<Recalled> {
        recalled(self.names.get(name)?, Feature::RememberedName)
    }

    /// How much more or less the answer is to be trusted than the model does, and by how many
    /// decisions for and against; none where nobody has decided about its kind.
    ///
    /// The model's probability counts as [`MODEL_DECISIONS`] decisions, to which those of people
    /// are added.
    pub fn correction(&self, reading: &Reading) -> Option<(i32, u32, u32)> {
        if self.answers.is_empty() {
            return None;
        }
        let &(right, wrong) = self.answers.get(&reading.pattern())?;
        let model = odds_share(reading.weight());
        let decided = f64::from(right) + f64::from(wrong);
        let share = (model * MODEL_DECISIONS + f64::from(right)) / (MODEL_DECISIONS + decided);
        Some((log_odds(share) - reading.weight(), right, wrong))
    }
}

fn recalled(taught: &Taught, feature: Feature) -> Option<Recalled> {
    (!taught.contradicted).then_some(Recalled {
        party: taught.party,
        feature,
        times: taught.times,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parties() -> Parties {
        let mut parties = Parties::default();
        for id in ["C1", "C2"] {
            parties.intern(id);
        }
        parties
    }

    #[test]
    fn a_mark_that_was_taught_for_two_customers_tells_nothing() {
        let (mut memory, parties) = (Memory::default(), parties());
        let teach = |memory: &mut Memory, name, party_id| {
            memory.learn(&Lesson::Alias { name, party_id }, &parties);
        };
        teach(&mut memory, "Quick Factor LLC", "C1");
        let name = Name::of("QUICK FACTOR");
        assert_eq!(memory.by_name(&name).unwrap().times, 1);
        teach(&mut memory, "Quick Factor", "C1");
        assert_eq!(memory.by_name(&name).unwrap().times, 2);
        teach(&mut memory, "Quick Factor", "C2");
        assert_eq!(memory.by_name(&name), None);
        teach(&mut memory, "Another", "C3");
        assert_eq!(memory.by_name(&Name::of("Another")), None);
    }

    #[test]
    fn a_kind_of_answer_reads_back() {
        let features = [Feature::AmountExact, Feature::PayerAccount];
        let pattern = Pattern::of(Rule::SingleItem, features);
        assert_eq!(
            pattern.to_string(),
            "single_item: payer_account + amount_exact"
        );
        assert_eq!(pattern.to_string().parse(), Ok(pattern));
        assert_eq!("single_item: no_such".parse::<Pattern>(), Err(()));
    }

    #[test]
    fn decisions_move_the_score_by_their_number() {
        let (mut memory, parties) = (Memory::default(), parties());
        let mut reading = Reading::new(Rule::References, None);
        reading.note(Feature::ReferenceExact, "");
        reading.note(Feature::AmountPartial, "");
        assert_eq!(memory.correction(&reading), None);
        let pattern = "references: reference_exact + amount_partial";
        let mut teach = |right| memory.learn(&Lesson::Weight { pattern, right }, &parties);
        (0..10).for_each(|_| teach(true));
        let (more, right, wrong) = memory.correction(&reading).unwrap();
        assert!(more > 0 && (right, wrong) == (10, 0), "{more}");
        // One correction weighs what it should against ten confirmations.
        memory.learn(
            &Lesson::Weight {
                pattern,
                right: false,
            },
            &parties,
        );
        let (less, ..) = memory.correction(&reading).unwrap();
        assert!(less < more);
    }
}
