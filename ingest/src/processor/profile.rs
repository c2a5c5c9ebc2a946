//! How a processor lays out a report: which columns are what, in what signs and units, and what
//! its words mean. A profile is a TOML table in `profiles/`, compiled in.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use tieout_core::{Currency, SettlementType};

use super::calendar::Order;
use super::figure::{Figure, Style};

/// What a word of the processor's means for the balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It moves the balance.
    Settles(SettlementType),
    /// It tells of a payment, but moves nothing.
    Tells,
}

/// What a row's status means for the balance; of two words the later in this order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Effect {
    /// The balance moved.
    Moved,
    /// It moved if the running balance says so.
    Pending,
    /// It did not move.
    None,
}

/// Words to meanings; a word that ends with `*` stands for all that begin so.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    exact: HashMap<String, Meaning>,
    prefixes: Vec<(String, Meaning)>,
}

impl Words {
    pub fn get(&self, word: &str) -> Option<Meaning> {
        let word = word.to_lowercase();
        let exact = self.exact.get(&word).copied();
        exact.or_else(|| {
            let mut known = self.prefixes.iter();
            known
                .find(|(prefix, _)| word.starts_with(prefix))
                .map(|(_, meaning)| *meaning)
        })
    }

    fn add(&mut self, word: &str, meaning: Meaning) {
        let word = word.to_lowercase();
        match word.strip_suffix('*') {
            Some(prefix) => self.prefixes.push((prefix.to_owned(), meaning)),
            None => {
                self.exact.insert(word, meaning);
            }
        }
    }
}

/// Names of columns, in the order of preference; the first with a value counts.
pub(super) type Names = Vec<String>;

/// Which columns hold what.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Columns {
    pub merchant_account: Names,
    /// The processor's word for the kind of line.
    pub kind: Names,
    pub status: Names,
    /// A word beside the status that says whether the balance moved.
    pub impact: Names,
    /// The balance after the line.
    pub balance: Names,
    pub booking_date: Names,
    pub settlement_date: Names,
    pub processor_reference: Names,
    /// The reference of a charge, where other lines have one of their own beside it.
    pub charge_reference: Names,
    pub original_reference: Names,
    pub merchant_reference: Names,
    pub payout_reference: Names,
    pub payment_method: Names,
    pub customer_name: Names,
    pub description: Names,
    /// What the customer paid, where that is another currency than the settlement's.
    pub original_amount: Names,
    pub original_currency: Names,
    /// How many lines a summary row counts.
    pub line_count: Names,
}

/// Which columns hold one figure: a signed one, or one for what comes and one for what goes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FigureColumns {
    pub signed: Names,
    pub credit: Names,
    pub debit: Names,
}

/// What a fee column's sign says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FeeSign {
    /// Positive is what the processor takes.
    #[default]
    Taken,
    /// Negative is what the processor takes.
    Effect,
}

/// The columns of the three figures. Of several, the first with any value counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AmountColumns {
    /// Whether they are what a payment is about before it settles.
    pub only_tells: bool,
    /// The currency, if it is always the same.
    pub currency_code: Option<String>,
    pub currency: Names,
    pub gross: FigureColumns,
    /// The currency of the gross; where it is another one, the gross follows from net and fee.
    pub gross_currency: Names,
    /// Columns that add up to the fee.
    pub fee: Names,
    pub fee_sign: FeeSign,
    pub net: FigureColumns,
}

/// How dates are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DateStyle {
    DayMonth,
    /// One of both: the file's own dates tell, and the order of month and day if they do not.
    Infer,
}

impl DateStyle {
    pub const fn order(self) -> Order {
        match self {
            Self::DayMonth => Order::DayMonth,
            Self::Infer => Order::MonthDay,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfileText {
    report: String,
    /// Lists of names; a header that has all of one list is of this profile.
    header: Vec<Names>,
    #[serde(default = "point")]
    figures: Style,
    #[serde(default = "day_month")]
    dates: DateStyle,
    #[serde(default)]
    is_summary: bool,
    #[serde(default)]
    payout_per_account: bool,
    #[serde(default)]
    payout_tolerance: Option<String>,
    #[serde(default)]
    columns: Columns,
    #[serde(default)]
    amounts: Vec<AmountColumns>,
    #[serde(default)]
    kinds: HashMap<String, Names>,
    #[serde(default)]
    kind_if_none: Option<String>,
    #[serde(default)]
    outgoing: Names,
    #[serde(default)]
    statuses: HashMap<String, Effect>,
    #[serde(default)]
    exponents: Vec<Exponent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exponent {
    exponent: u32,
    currencies: Vec<String>,
}

const fn point() -> Style {
    Style::Point
}

const fn day_month() -> DateStyle {
    DateStyle::DayMonth
}

/// A profile, ready to read with.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// The processor, as rows name it.
    pub processor: &'static str,
    pub report: String,
    pub header: Vec<Names>,
    pub figures: Style,
    pub dates: DateStyle,
    /// Its rows stand for the rows that follow: they give these payout, date and currency.
    pub is_summary: bool,
    /// By how much a payout may differ from the sum of its lines, where these are not rounded.
    pub payout_tolerance: Figure,
    /// Whether payouts are numbered for each merchant account anew.
    pub payout_per_account: bool,
    pub columns: Columns,
    pub amounts: Vec<AmountColumns>,
    pub kinds: Words,
    /// What a row without a word for its kind is.
    pub kind_if_none: Option<Meaning>,
    /// Words of kinds whose amounts have no sign and go out.
    pub outgoing: HashSet<String>,
    pub statuses: HashMap<String, Effect>,
    exponents: HashMap<String, u32>,
}

impl Profile {
    /// Reads a profile that is part of this program.
    pub fn parse(processor: &'static str, text: &str) -> Result<Self, String> {
        let text: ProfileText = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut kinds = Words::default();
        for (meaning, words) in &text.kinds {
            let meaning = meaning_of(meaning)?;
            for word in words {
                kinds.add(word, meaning);
            }
        }
        kinds
            .prefixes
            .sort_by_key(|(prefix, _)| Reverse(prefix.len()));
        let exponents = text.exponents.into_iter().flat_map(|group| {
            let currencies = group.currencies.into_iter();
            currencies.map(move |currency| (currency, group.exponent))
        });
        let kind_if_none = text.kind_if_none.as_deref().map(meaning_of).transpose()?;
        let tolerance = text.payout_tolerance.as_deref().unwrap_or("0");
        Ok(Self {
            processor,
            report: text.report,
            header: text.header,
            figures: text.figures,
            dates: text.dates,
            is_summary: text.is_summary,
            payout_tolerance: Figure::parse(tolerance, Style::Point, 0)
                .map_err(|error| error.to_string())?,
            payout_per_account: text.payout_per_account,
            columns: text.columns,
            amounts: text.amounts,
            kinds,
            kind_if_none,
            outgoing: text.outgoing.into_iter().collect(),
            statuses: text.statuses,
            exponents: exponents.collect(),
        })
    }

    /// Digits after the decimal point that the processor's minor units imply, which for some
    /// currencies differ from ISO 4217.
    pub fn exponent(&self, currency: Currency) -> u32 {
        let known = self.exponents.get(currency.as_str()).copied();
        known.unwrap_or_else(|| currency.exponent())
    }

    /// Whether `names`, as [`column_name`] writes them, are the header of such a report.
    pub fn fits(&self, names: &[String]) -> bool {
        self.header
            .iter()
            .any(|list| list.iter().all(|name| names.contains(name)))
    }
}

fn meaning_of(code: &str) -> Result<Meaning, String> {
    if code == "tells" {
        return Ok(Meaning::Tells);
    }
    let known = SettlementType::from_code(code).map(Meaning::Settles);
    known.ok_or_else(|| format!("`{code}` is no kind of settlement line"))
}

/// The name of a column as profiles write it: small letters, single blanks.
pub(super) fn column_name(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").to_lowercase()
}
