//! Recipes: what is tied out against what, and what may be applied without a person, as data.

mod check;
mod error;
mod policies;
mod policy;
mod shipped;
mod text;

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use tieout_core::{Date, Direction, ItemKind, Reason};
use toml::Spanned;

use crate::weights::Weights;

use check::Checker;
pub use error::RecipeError;
pub use policies::{Answers, Policies, Treatment};
use policy::{Patch, Sections};
pub use policy::{Policy, Step};
pub use shipped::SHIPPED;
use text::{OverrideText, RecipeText, RuleText};

/// Overrides with a condition or dates, which are told apart by bits.
const CONDITIONS_MAX: usize = 64;
/// Days within which a line is undone, where a recipe does not say.
const REVERSAL_DAYS: i32 = 120;

/// An SQL expression of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The expression.
    pub text: String,
    /// The field that it stands in.
    pub field: String,
    span: Range<usize>,
}

/// Days from the first to the last, both included; without an end where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Option<Date>,
    /// The last.
    pub to: Option<Date>,
}

impl Days {
    /// Whether `day` is one of them.
    pub fn contains(self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    fn overlaps(self, other: Self) -> bool {
        let before =
            |to: Option<Date>, from: Option<Date>| to.zip(from).is_some_and(|(to, from)| to < from);
        !before(self.to, other.from) && !before(other.to, self.from)
    }

    fn is_always(self) -> bool {
        self == Self::default()
    }
}

/// Where the rows of a side come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Lines of statements, lockboxes, clearing files.
    Transactions,
    /// Lines of processors' settlement reports.
    SettlementLines,
    /// Items of the books.
    OpenItems,
}

/// The side that pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payments {
    /// Where its rows come from.
    pub from: Vec<Source>,
    /// Whether money coming in is tied out.
    pub credits: bool,
    /// Whether money going out is.
    pub debits: bool,
    /// Which rows are taken.
    pub filter: Option<Sql>,
    /// Whom a row is with, as the items' parties are called.
    pub party: Option<Sql>,
    /// The text that documents' numbers are looked for in.
    pub references: Option<Sql>,
}

/// The side that is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemsSide {
    /// Where its rows come from.
    pub from: Vec<Source>,
    /// Kinds that money coming in settles.
    pub paid_by_credits: Vec<ItemKind>,
    /// Kinds that money going out settles; the sign tells for a kind of both.
    pub paid_by_debits: Vec<ItemKind>,
    /// Which rows are taken.
    pub filter: Option<Sql>,
    /// Whom a row is with.
    pub party: Option<Sql>,
}

impl ItemsSide {
    /// Which way money moves that settles items of `kind`, and whether amounts turn their sign
    /// so that what is owed is above zero. None where nothing does.
    pub fn settled_by(&self, kind: ItemKind, is_negative: bool) -> Option<Direction> {
        let credits = self.paid_by_credits.contains(&kind);
        let debits = self.paid_by_debits.contains(&kind);
        match (credits, debits) {
            (true, true) if is_negative => Some(kind.settled_by().opposite()),
            (true, true) => Some(kind.settled_by()),
            (true, false) => Some(Direction::Credit),
            (false, true) => Some(Direction::Debit),
            (false, false) => None,
        }
    }

    /// Whether the sign of an amount of `kind` says which way money moves.
    pub fn is_told_by_sign(&self, kind: ItemKind) -> bool {
        self.paid_by_credits.contains(&kind) && self.paid_by_debits.contains(&kind)
    }
}

/// Which lines of a statement are payments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Type codes of credits that are totals of lockboxes.
    pub lockbox_deposits: Vec<String>,
    /// Type codes of lines that nobody paid (interest, transfers of one's own money).
    pub not_payments: Vec<String>,
}

/// What becomes of lines that undo earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoing {
    /// They are out of scope.
    LeftOut,
    /// They open again what the earlier line paid.
    Reopens,
    /// They are payments as all others.
    Pays,
}

/// Lines that undo earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversals {
    /// What becomes of them.
    pub undoing: Undoing,
    /// Type codes of such lines, beside those that the bank marks.
    pub type_codes: Vec<String>,
    /// Further lines.
    pub filter: Option<Sql>,
    /// Days after the earlier line within which it may be undone.
    pub days: i32,
}

/// What a rule does with a payment, beside what it sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The payment is decided as all others.
    Decide,
    /// A person decides.
    Hold(Reason),
    /// The line is left out.
    LeaveOut(Reason),
}

/// The first rule whose condition holds for a payment says what is done with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, as explanations give it.
    pub name: String,
    /// The payments that it is for; all where none is given.
    pub when: Option<Sql>,
    /// What is done.
    pub action: Action,
    days: Days,
    patch: Patch,
}

/// What is set otherwise for some customers, lockboxes or payments.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// Its name.
    pub name: String,
    /// The payments that it is for; all where none is given.
    pub when: Option<Sql>,
    /// The customers that it is for, by their identifiers; all where none is given.
    pub customers: Vec<String>,
    days: Days,
    patch: Patch,
}

impl Override {
    fn is_conditional(&self) -> bool {
        self.when.is_some() || !self.days.is_always()
    }
}

/// One version of a recipe's settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its number.
    pub number: u32,
    /// The days on which it holds.
    pub days: Days,
    policy: Policy,
}

/// A checked recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Its name.
    pub name: String,
    /// Its version; goes up with every change.
    pub version: u32,
    /// What it is for, in a line.
    pub about: String,
    /// The side that pays.
    pub payments: Payments,
    /// The side that is paid.
    pub items: ItemsSide,
    /// Which lines are payments.
    pub scope: Scope,
    /// Which lines undo others.
    pub reversals: Reversals,
    /// Rules, the first that holds first.
    pub rules: Vec<Rule>,
    /// Overrides; of several that hold the last says.
    pub overrides: Vec<Override>,
    versions: Vec<Version>,
    weights: Arc<Weights>,
    weights_file: Option<Spanned<String>>,
    source: Arc<str>,
}

impl Recipe {
    /// The recipe that holds when none is given.
    ///
    /// # Panics
    /// Never: a test parses every shipped recipe.
    #[allow(
        clippy::expect_used,
        reason = "the text is a constant that a test parses"
    )]
    pub fn cash_application() -> Self {
        Self::shipped("cash-application")
            .and_then(Result::ok)
            .expect("the shipped recipe parses")
    }

    /// The shipped recipe called `name`, if there is one.
    pub fn shipped(name: &str) -> Option<Result<Self, RecipeError>> {
        let text = SHIPPED.iter().find(|(known, _)| *known == name)?.1;
        Some(Self::parse(text))
    }

    /// Reads and checks a recipe. Whether its SQL can be evaluated is for those to say who do.
    ///
    /// # Errors
    /// A [`RecipeError`] that points at the line.
    pub fn parse(text: &str) -> Result<Self, RecipeError> {
        let recipe: RecipeText = toml::from_str(text).map_err(|error| match error.span() {
            Some(span) => RecipeError::at(text, span, error.message()),
            None => RecipeError::whole(error.message()),
        })?;
        let checker = Checker { source: text };
        checker.recipe(&recipe)
    }

    /// Name and version, as decisions keep them.
    pub fn label(&self) -> String {
        self.label_of(self.version)
    }

    /// Name and version number `version`.
    pub fn label_of(&self, version: u32) -> String {
        let mut label = self.name.clone();
        let _ = write!(label, "@{version}");
        label
    }

    /// Name and version that hold on `day`; the first version's where none does.
    pub fn label_on(&self, day: Date) -> String {
        let version = self.versions.iter().find(|it| it.days.contains(day));
        self.label_of(version.map_or(self.version, |it| it.number))
    }

    /// What holds for a payment that no condition is about.
    pub fn policy(&self) -> &Policy {
        &self.versions[0].policy
    }

    /// What each kind of evidence weighs.
    pub fn weights(&self) -> &Weights {
        &self.weights
    }

    /// The weights file that it names, as it is written, unless they are shipped; its weights do not hold until
    /// [`Recipe::set_weights`] takes them.
    pub fn weights_file(&self) -> Option<&str> {
        self.weights_file
            .as_ref()
            .map(|name| name.get_ref().as_str())
    }

    /// Lets other weights hold.
    pub fn set_weights(&mut self, weights: Weights) {
        self.weights = Arc::new(weights);
    }

    /// An error about the name of the weights file.
    pub fn weights_error(&self, message: impl Into<String>) -> RecipeError {
        match &self.weights_file {
            Some(name) => RecipeError::at(&self.source, name.span(), message),
            None => RecipeError::whole(message),
        }
    }

    /// The versions, the one at the top of the file first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The text that was parsed.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// An error about an expression of this recipe.
    pub fn error_in(&self, sql: &Sql, message: &str) -> RecipeError {
        let message = format!("{}: {message}", sql.field);
        RecipeError::at(&self.source, sql.span.clone(), message)
    }

    /// Whether some payment may be told by the sum of an order or payout.
    pub fn sums_groups(&self) -> bool {
        let sums = |patch: &Patch| patch.sums_groups();
        self.versions.iter().any(|it| it.policy.ladder.group)
            || self.rules.iter().any(|rule| sums(&rule.patch))
            || self.overrides.iter().any(|all| sums(&all.patch))
    }

    /// Whether payments of one amount have to be told apart by their days.
    pub fn tells_rivals(&self) -> bool {
        self.payments.party.is_some()
    }

    /// Whether lines that undo others open again what these paid.
    pub fn reopens(&self) -> bool {
        self.reversals.undoing == Undoing::Reopens
    }

    /// Whether anything of a payment has to be asked before it is decided.
    pub fn has_conditions(&self) -> bool {
        let is_dated = self.versions.len() > 1 || !self.versions[0].days.is_always();
        is_dated
            || self.payments.from != [Source::Transactions]
            || self.payments.filter.is_some()
            || self.reversals.filter.is_some()
            || !self.rules.is_empty()
            || self.overrides.iter().any(Override::is_conditional)
    }
}

impl Checker<'_> {
    fn recipe(&self, text: &RecipeText) -> Result<Recipe, RecipeError> {
        let name = text.name.get_ref();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if name.is_empty() || !name.chars().all(plain) {
            let message = format!("name is {name:?}, expected letters, digits, - and _");
            return Err(self.error(text.name.span(), message));
        }
        let payments = self.payments(text)?;
        let items = self.items(text)?;
        let reversals = Reversals {
            undoing: self
                .one_of(
                    "reversals.treat_as",
                    text.reversals.treat_as.as_ref(),
                    &[
                        ("out_of_scope", Undoing::LeftOut),
                        ("reopen", Undoing::Reopens),
                        ("payments", Undoing::Pays),
                    ],
                )?
                .unwrap_or(Undoing::LeftOut),
            type_codes: text.reversals.type_codes.clone(),
            filter: self.sql("reversals.where", text.reversals.r#where.as_ref())?,
            days: self
                .days("reversals.days", text.reversals.days.as_ref())?
                .unwrap_or(REVERSAL_DAYS),
        };
        let rules = text.rules.iter().map(|rule| self.rule(rule));
        let named = text.weights.as_ref().map(|name| name.get_ref().as_str());
        let shipped_weights = named.and_then(Weights::shipped).transpose()?;
        let names_shipped = shipped_weights.is_some();
        Ok(Recipe {
            name: name.clone(),
            version: text.version,
            about: text.about.clone(),
            payments,
            items,
            scope: Scope {
                lockbox_deposits: text.scope.lockbox_deposits.clone(),
                not_payments: text.scope.not_payments.clone(),
            },
            reversals,
            rules: rules.collect::<Result<_, _>>()?,
            overrides: self.overrides(&text.overrides)?,
            versions: self.versions(text)?,
            weights: Arc::new(shipped_weights.unwrap_or_default()),
            weights_file: text.weights.clone().filter(|_| !names_shipped),
            source: self.source.into(),
        })
    }

    fn payments(&self, text: &RecipeText) -> Result<Payments, RecipeError> {
        let side = &text.payments;
        let sources = [
            ("transactions", Source::Transactions),
            ("settlement_lines", Source::SettlementLines),
            ("open_items", Source::OpenItems),
        ];
        let directions = [
            ("credit", (true, false)),
            ("debit", (false, true)),
            ("both", (true, true)),
        ];
        let direction = self.one_of("payments.direction", side.direction.as_ref(), &directions)?;
        let (credits, debits) = direction.unwrap_or((true, false));
        Ok(Payments {
            from: self
                .some_of("payments.from", side.from.as_deref(), &sources)?
                .unwrap_or_else(|| vec![Source::Transactions]),
            credits,
            debits,
            filter: self.sql("payments.where", side.r#where.as_ref())?,
            party: self.sql("payments.party", side.party.as_ref())?,
            references: self.sql("payments.references", side.references.as_ref())?,
        })
    }

    fn items(&self, text: &RecipeText) -> Result<ItemsSide, RecipeError> {
        let side = &text.items;
        let sources = [
            ("open_items", Source::OpenItems),
            ("settlement_lines", Source::SettlementLines),
        ];
        let kinds: Vec<_> = ItemKind::ALL.iter().map(|&it| (it.code(), it)).collect();
        let credits = side.paid_by_credits.as_deref();
        let debits = side.paid_by_debits.as_deref();
        Ok(ItemsSide {
            from: self
                .some_of("items.from", side.from.as_deref(), &sources)?
                .unwrap_or_else(|| vec![Source::OpenItems]),
            paid_by_credits: self
                .some_of("items.paid_by_credits", credits, &kinds)?
                .unwrap_or_else(|| {
                    vec![
                        ItemKind::Invoice,
                        ItemKind::DebitMemo,
                        ItemKind::CreditMemo,
                        ItemKind::OnAccount,
                    ]
                }),
            paid_by_debits: self
                .some_of("items.paid_by_debits", debits, &kinds)?
                .unwrap_or_else(|| vec![ItemKind::Bill, ItemKind::Refund]),
            filter: self.sql("items.where", side.r#where.as_ref())?,
            party: self.sql("items.party", side.party.as_ref())?,
        })
    }

    fn rule(&self, text: &RuleText) -> Result<Rule, RecipeError> {
        let name = text.name.get_ref();
        let patch = Patch::of(self, &Sections::from(text))?;
        let hold = self.reason("hold", text.hold.as_ref())?;
        let left_out = self.reason("out_of_scope", text.out_of_scope.as_ref())?;
        let action = match (hold, left_out) {
            (Some(_), Some(_)) => {
                let message = format!("rule {name} holds payments and leaves them out; do one");
                return Err(self.error(text.name.span(), message));
            }
            (Some(reason), None) => Action::Hold(reason),
            (None, Some(reason)) => Action::LeaveOut(reason),
            (None, None) => Action::Decide,
        };
        if action == Action::Decide && patch.is_empty() {
            let message = format!(
                "rule {name} does nothing; give hold, out_of_scope or what is set otherwise"
            );
            return Err(self.error(text.name.span(), message));
        }
        Ok(Rule {
            name: name.clone(),
            when: self.sql(format!("rule {name}, when"), text.when.as_ref())?,
            action,
            days: self.period(text.effective_from.as_ref(), text.effective_to.as_ref())?,
            patch,
        })
    }

    fn overrides(&self, texts: &[OverrideText]) -> Result<Vec<Override>, RecipeError> {
        let mut overrides: Vec<Override> = Vec::with_capacity(texts.len());
        let mut customers: Vec<&Spanned<String>> = Vec::new();
        for text in texts {
            let name = text.name.get_ref();
            let all = Override {
                name: name.clone(),
                when: self.sql(format!("override {name}, when"), text.when.as_ref())?,
                customers: text
                    .customers
                    .iter()
                    .map(|it| it.get_ref().clone())
                    .collect(),
                days: self.period(text.effective_from.as_ref(), text.effective_to.as_ref())?,
                patch: Patch::of(self, &Sections::from(text))?,
            };
            let problem = if all.when.is_none() && all.customers.is_empty() {
                Some("is for nobody; give when or customers")
            } else if all.patch.is_empty() {
                Some("sets nothing; give amounts, decision, ladder, dates or identification")
            } else {
                None
            };
            if let Some(problem) = problem {
                let message = format!("override {name} {problem}");
                return Err(self.error(text.name.span(), message));
            }
            customers.extend(&text.customers);
            overrides.push(all);
            let conditional = overrides.iter().filter(|it| it.is_conditional()).count();
            if conditional > CONDITIONS_MAX {
                let message = format!("more than {CONDITIONS_MAX} overrides with a condition");
                return Err(self.error(text.name.span(), message));
            }
        }
        customers.sort_by(|left, right| left.get_ref().cmp(right.get_ref()));
        for pair in customers.windows(2) {
            if pair[0].get_ref() == pair[1].get_ref() {
                // Sorted stably: the second of two stands later in the file.
                let message = format!("customer {} stands in two overrides", pair[1].get_ref());
                return Err(self.error(pair[1].span(), message));
            }
        }
        Ok(overrides)
    }

    fn versions(&self, text: &RecipeText) -> Result<Vec<Version>, RecipeError> {
        let mut first = Policy {
            version: text.version,
            ..Policy::default()
        };
        Patch::of(self, &Sections::from(text))?.apply(&mut first);
        let days = self.period(text.effective_from.as_ref(), text.effective_to.as_ref())?;
        let mut versions = vec![Version {
            number: text.version,
            days,
            policy: first.clone(),
        }];
        for later in &text.versions {
            let number = *later.version.get_ref();
            let days = self.period(later.effective_from.as_ref(), later.effective_to.as_ref())?;
            for known in &versions {
                let message = if known.number == number {
                    format!("version {number} stands twice")
                } else if known.days.overlaps(days) {
                    format!(
                        "version {number} holds on days of version {}; give both effective_from \
                         and effective_to, so that one holds on each day",
                        known.number
                    )
                } else {
                    continue;
                };
                let place = later.effective_from.as_ref().map(Spanned::span);
                let place = place.filter(|_| known.number != number);
                return Err(self.error(place.unwrap_or_else(|| later.version.span()), message));
            }
            let mut policy = Policy {
                version: number,
                ..first.clone()
            };
            Patch::of(self, &Sections::from(later))?.apply(&mut policy);
            versions.push(Version {
                number,
                days,
                policy,
            });
        }
        Ok(versions)
    }
}

#[cfg(test)]
mod tests;
