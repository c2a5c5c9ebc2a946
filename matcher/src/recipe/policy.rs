//! What holds for one payment: how its payer is told, what is tried, and what may be applied
//! without a person.

use rust_decimal::Decimal;
use tieout_core::{Amount, Date};

use super::check::Checker;
use super::error::RecipeError;
use super::text::{
    AmountsText, DatesText, DecisionText, IdentificationText, LadderText, OverrideText, RecipeText,
    RuleText, VersionText,
};

/// One way to tell who paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The payer's account.
    Account,
    /// The customer's number, in a field of its own or in the text.
    CustomerNumber,
    /// The owner of the documents named.
    Documents,
    /// The payer's name.
    Name,
}

impl Step {
    /// Every step, in the order that holds where a recipe gives none.
    pub const ALL: [Self; 4] = [
        Self::Account,
        Self::CustomerNumber,
        Self::Documents,
        Self::Name,
    ];

    /// The step as recipes write it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::CustomerNumber => "customer_number",
            Self::Documents => "documents",
            Self::Name => "name",
        }
    }
}

/// How a payer is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Identification {
    /// What is tried, in this order.
    pub order: Vec<Step>,
    /// Names at least this alike are held for the same, between 0 and 1.
    pub name_similarity: f64,
    /// How much less alike the next customer's name must be.
    pub name_margin: f64,
    /// Whether a reference that leads to no item leaves the payment to a person.
    pub misses_references: bool,
}

/// Which readings of a payment without references are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ladder {
    /// One item with the amount.
    pub single_item: bool,
    /// All that is open on one order or payout.
    pub group: bool,
    /// Everything that is open.
    pub clear_account: bool,
    /// Everything that is past due.
    pub clear_past_due: bool,
    /// Several items that nothing but the amount binds together.
    pub subset: bool,
    /// Whether two other items that have the amount together stand against one item.
    pub rival_pairs: bool,
}

/// What holds for one payment.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The version of the recipe.
    pub version: u32,
    /// How a payer is told.
    pub identification: Identification,
    /// The largest difference that is written off.
    pub write_off: Amount,
    /// The same as a percentage of what the items are open for; the smaller of the two holds.
    pub write_off_percent: Decimal,
    /// Days after the discount date on which a discount is still granted.
    pub discount_grace_days: i32,
    /// Days before and after the payment's own in which an item lies that only its amount leads
    /// to; any day where none are given.
    pub days: (Option<i32>, Option<i32>),
    /// A decision applies itself from this probability on.
    pub threshold: f64,
    /// And if the runner-up's is this much lower.
    pub margin: f64,
    /// Whether money of a known party is put on its account where no item is told.
    pub on_account: bool,
    /// Which readings of a payment without references are tried.
    pub ladder: Ladder,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 0,
            identification: Identification {
                order: Step::ALL.to_vec(),
                name_similarity: 0.86,
                name_margin: 0.05,
                misses_references: true,
            },
            write_off: Amount::from_units(100_000),
            write_off_percent: Decimal::from(5),
            discount_grace_days: 0,
            days: (None, None),
            threshold: 0.99,
            // With the threshold, what costs of 100 for a wrong application and 1 for a review make.
            margin: 0.9899,
            on_account: true,
            ladder: Ladder {
                single_item: true,
                group: false,
                clear_account: true,
                clear_past_due: true,
                subset: true,
                rival_pairs: true,
            },
        }
    }
}

impl Ladder {
    /// Whether nothing but indexes of amounts is asked, so that no number of items is too many.
    pub fn is_by_index(self) -> bool {
        !self.clear_account && !self.clear_past_due && !self.rival_pairs
    }
}

impl Policy {
    /// Whether a difference of `short` on items open for `open` may be written off.
    pub fn within_tolerance(&self, short: Amount, open: Amount) -> bool {
        short.abs() <= self.write_off && short.abs() <= open.abs().percent(self.write_off_percent)
    }

    /// Whether `step` is taken at all.
    pub fn takes(&self, step: Step) -> bool {
        self.identification.order.contains(&step)
    }

    /// Whether the payer's name is asked before the documents.
    pub fn name_comes_first(&self) -> bool {
        let place = |step| {
            let order = &self.identification.order;
            order.iter().position(|&other| other == step)
        };
        match (place(Step::Name), place(Step::Documents)) {
            (Some(name), Some(documents)) => name < documents,
            (name, _) => name.is_some(),
        }
    }

    /// Whether an item of the day `item` is near enough to a payment of the day `payment`.
    pub fn is_near(&self, item: Option<Date>, payment: Date) -> bool {
        let Some(item) = item else {
            return self.days == (None, None);
        };
        let apart = payment.days() - item.days();
        self.days.0.is_none_or(|before| apart <= before)
            && self.days.1.is_none_or(|after| -apart <= after)
    }
}

/// The sections that set a policy.
pub struct Sections<'a> {
    pub identification: &'a IdentificationText,
    pub amounts: &'a AmountsText,
    pub dates: &'a DatesText,
    pub decision: &'a DecisionText,
    pub ladder: &'a LadderText,
}

macro_rules! sections_of {
    ($($text:ident),+) => {
        $(impl<'a> From<&'a $text> for Sections<'a> {
            fn from(text: &'a $text) -> Self {
                Self {
                    identification: &text.identification,
                    amounts: &text.amounts,
                    dates: &text.dates,
                    decision: &text.decision,
                    ladder: &text.ladder,
                }
            }
        })+
    };
}
sections_of!(RecipeText, RuleText, OverrideText, VersionText);

/// What some sections set; what they do not name stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    order: Option<Vec<Step>>,
    name_similarity: Option<f64>,
    name_margin: Option<f64>,
    misses_references: Option<bool>,
    write_off: Option<Amount>,
    write_off_percent: Option<Decimal>,
    discount_grace_days: Option<i32>,
    days: (Option<i32>, Option<i32>),
    threshold: Option<f64>,
    margin: Option<f64>,
    on_account: Option<bool>,
    ladder: [Option<bool>; 6],
}

impl Patch {
    /// Checks the sections.
    ///
    /// # Errors
    /// A [`RecipeError`] at the line of a value outside its range, or of two that contradict.
    pub fn of(checker: &Checker, sections: &Sections) -> Result<Self, RecipeError> {
        let Sections {
            identification,
            amounts,
            dates,
            decision,
            ladder,
        } = sections;
        let (derived_threshold, derived_margin) = checker.costs(decision)?;
        let patch = Self {
            order: checker.order(identification.order.as_deref())?,
            name_similarity: checker.share(
                "identification.name_similarity",
                identification.name_similarity.as_ref(),
            )?,
            name_margin: checker.share(
                "identification.name_margin",
                identification.name_margin.as_ref(),
            )?,
            misses_references: checker.one_of(
                "identification.unknown_references",
                identification.unknown_references.as_ref(),
                &[("hold", true), ("ignore", false)],
            )?,
            write_off: checker.amount("amounts.write_off", amounts.write_off.as_ref())?,
            write_off_percent: checker.percent(
                "amounts.write_off_percent",
                amounts.write_off_percent.as_ref(),
            )?,
            discount_grace_days: checker.days(
                "amounts.discount_grace_days",
                amounts.discount_grace_days.as_ref(),
            )?,
            days: (
                checker.days("dates.days_before", dates.days_before.as_ref())?,
                checker.days("dates.days_after", dates.days_after.as_ref())?,
            ),
            threshold: checker
                .share("decision.threshold", decision.threshold.as_ref())?
                .or(derived_threshold),
            margin: checker
                .share("decision.margin", decision.margin.as_ref())?
                .or(derived_margin),
            on_account: decision.on_account,
            ladder: [
                ladder.single_item,
                ladder.group,
                ladder.clear_account,
                ladder.clear_past_due,
                ladder.subset,
                ladder.rival_pairs,
            ],
        };
        checker.tolerances(amounts)?;
        Ok(patch)
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether sums of orders or payouts are asked for.
    pub fn sums_groups(&self) -> bool {
        self.ladder[1] == Some(true)
    }

    /// Sets in `policy` what is set here.
    pub fn apply(&self, policy: &mut Policy) {
        fn set<T: Clone>(place: &mut T, value: Option<&T>) {
            if let Some(value) = value {
                place.clone_from(value);
            }
        }
        let identification = &mut policy.identification;
        set(&mut identification.order, self.order.as_ref());
        set(
            &mut identification.name_similarity,
            self.name_similarity.as_ref(),
        );
        set(&mut identification.name_margin, self.name_margin.as_ref());
        set(
            &mut identification.misses_references,
            self.misses_references.as_ref(),
        );
        set(&mut policy.write_off, self.write_off.as_ref());
        set(
            &mut policy.write_off_percent,
            self.write_off_percent.as_ref(),
        );
        set(
            &mut policy.discount_grace_days,
            self.discount_grace_days.as_ref(),
        );
        policy.days = (self.days.0.or(policy.days.0), self.days.1.or(policy.days.1));
        set(&mut policy.threshold, self.threshold.as_ref());
        set(&mut policy.margin, self.margin.as_ref());
        set(&mut policy.on_account, self.on_account.as_ref());
        let ladder = &mut policy.ladder;
        let rungs = [
            &mut ladder.single_item,
            &mut ladder.group,
            &mut ladder.clear_account,
            &mut ladder.clear_past_due,
            &mut ladder.subset,
            &mut ladder.rival_pairs,
        ];
        for (rung, wanted) in rungs.into_iter().zip(&self.ladder) {
            set(rung, wanted.as_ref());
        }
    }
}
