//! The conventions of a file, decided by what the whole of it shows, or by a profile.

use tieout_core::Currency;

use super::amount::Mark;
use super::columns::Columns;
use super::date::{DateOrder, Dating, Habits};
use super::evidence::{Evidence, MoneyCounts, direction_column};
use super::money::{MoneyReading, Way};
use super::plan::Plan;
use super::profile::Profile;
use super::running_balance::{LineOrder, RunningBalance};
use super::words::Meaning;

/// How the rows of a file are read.
#[derive(Clone, Debug)]
pub(super) struct Conventions {
    pub dating: Dating,
    pub money: MoneyReading,
    pub mark_why: &'static str,
    /// The currency of lines that name none, and where it stands.
    pub currency: Option<(Currency, &'static str)>,
    pub account: String,
    pub order: LineOrder,
    /// Whether a balance stands beside every line.
    pub has_running_balance: bool,
    /// What was assumed because it is usual.
    pub assumed: Vec<String>,
}

/// More than one reading fits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uncertain {
    pub line: Option<u64>,
    pub found: String,
    /// The line of a profile that settles it.
    pub key: String,
}

impl Conventions {
    /// Decides.
    ///
    /// # Errors
    /// [`Uncertain`] if the content fits several readings equally well.
    pub fn decide(plan: &Plan, evidence: &Evidence) -> Result<Self, Uncertain> {
        let profile = plan.profile.as_deref();
        let currency = currency(plan, evidence);
        let known = currency.map(|(currency, _)| currency).or(evidence.code);
        let (mark, mark_why) = mark(profile, evidence, known)?;
        let has_fee_beside = evidence.has_fee_beside(mark);
        let balances = if has_fee_beside {
            &evidence.balances_after_fees[mark as usize]
        } else {
            &evidence.balances[mark as usize]
        };
        let way = way(profile, &plan.columns, evidence, balances)?;
        let dating = dating(
            profile,
            evidence,
            &Habits {
                order: proved_order(balances, way),
                currency: known,
                has_decimal_comma: mark == Mark::Comma && evidence.sure[1] > 0,
                is_foreign_to_english: plan.columns.are_foreign_to_english(),
            },
        )?;
        let mut assumed = assumptions(evidence, &dating, known);
        let has_balances = plan.columns.place(Meaning::Balance).is_some();
        assumed.extend(unsigned(
            way,
            profile,
            evidence,
            has_balances.then_some(balances),
        ));
        let by_balance = balances.order(way == Way::Turned);
        let by_date = if evidence.dates.is_newest_first(dating.order) {
            LineOrder::NewestFirst
        } else {
            LineOrder::OldestFirst
        };
        Ok(Self {
            money: MoneyReading {
                way,
                has_signed_debits: evidence.money.positive_debits == 0,
                has_fee_beside,
                ..evidence.reading(mark).clone()
            },
            dating,
            mark_why,
            currency,
            account: profile
                .and_then(|profile| profile.account.clone())
                .unwrap_or_else(|| evidence.preamble.account.clone()),
            order: by_balance.unwrap_or(by_date),
            has_running_balance: balances.moves > 0,
            assumed,
        })
    }
}

/// The order of the lines, if every balance follows in it and not in the other.
fn proved_order(balances: &RunningBalance, way: Way) -> Option<LineOrder> {
    let is_turned = way == Way::Turned;
    let ties = if is_turned {
        balances.turned_ties()
    } else {
        balances.ties()
    };
    let is_proved = balances.pairs > 0 && ties == balances.pairs;
    balances.order(is_turned).filter(|_| is_proved)
}

fn currency(plan: &Plan, evidence: &Evidence) -> Option<(Currency, &'static str)> {
    let named = |currency: Option<Currency>, place| currency.map(|currency| (currency, place));
    let profile = plan.profile.as_ref().and_then(|profile| profile.currency);
    named(profile, "as the profile says")
        .or_else(|| {
            let sure = !plan.columns.is_currency_assumed;
            named(plan.columns.currency.filter(|_| sure), "in the heading")
        })
        .or_else(|| named(evidence.preamble.currency, "before the heading"))
        .or_else(|| named(plan.columns.currency, "by the sign in the heading"))
        .or_else(|| {
            named(
                evidence.symbol.map(|(currency, _)| currency),
                "by the sign beside amounts",
            )
        })
}

fn mark(
    profile: Option<&Profile>,
    evidence: &Evidence,
    currency: Option<Currency>,
) -> Result<(Mark, &'static str), Uncertain> {
    /// One reading wins over stray amounts if it has so many times more.
    const MAJORITY: u64 = 10;
    if let Some(mark) = profile.and_then(|profile| profile.mark) {
        return Ok((mark, "as the profile says"));
    }
    let [point, comma] = evidence.sure;
    if point > comma.saturating_mul(MAJORITY) {
        return Ok((Mark::Point, "amounts show it"));
    }
    if comma > point.saturating_mul(MAJORITY) {
        return Ok((Mark::Comma, "amounts show it"));
    }
    if let Some(mark) = mark_by_balance(&evidence.balances) {
        return Ok((mark, "the balances tie only so"));
    }
    let perhaps = match evidence.perhaps {
        [0, 0] if point == 0 && comma == 0 => return Ok((Mark::Point, "no amount has decimals")),
        [_, 0] if point == 0 && comma == 0 => Mark::Point,
        [0, _] if point == 0 && comma == 0 => Mark::Comma,
        _ => return Err(uncertain_mark(evidence)),
    };
    match currency.map(Currency::exponent) {
        Some(3) => Ok((perhaps, "the currency has three decimals")),
        Some(_) if perhaps == Mark::Point => {
            Ok((Mark::Comma, "the currency has no three decimals"))
        }
        Some(_) => Ok((Mark::Point, "the currency has no three decimals")),
        None => Err(uncertain_mark(evidence)),
    }
}

fn mark_by_balance(balances: &[RunningBalance; 2]) -> Option<Mark> {
    let ties = |roll: &RunningBalance| roll.pairs > 0 && roll.ties() == roll.pairs;
    let [point, comma] = balances;
    match (ties(point), ties(comma)) {
        (true, false) => Some(Mark::Point),
        (false, true) => Some(Mark::Comma),
        _ => None,
    }
}

fn uncertain_mark(evidence: &Evidence) -> Uncertain {
    let example = match &evidence.example {
        Some((line, text)) => format!(", such as line {line}: {text}"),
        None => String::new(),
    };
    Uncertain {
        line: evidence.example.as_ref().map(|(line, _)| *line),
        found: format!(
            "amounts fit both a {} and a {}{example}",
            Mark::Point.words(),
            Mark::Comma.words()
        ),
        key: "decimal = \".\", or decimal = \",\"".to_owned(),
    }
}

fn dating(
    profile: Option<&Profile>,
    evidence: &Evidence,
    habits: &Habits,
) -> Result<Dating, Uncertain> {
    if let Some(order) = profile.and_then(|profile| profile.dates) {
        return Ok(Dating {
            order,
            why: Some("as the profile says"),
            is_assumed: false,
        });
    }
    evidence
        .dates
        .decide(habits)
        .map_err(|orders: Vec<DateOrder>| {
            let key = evidence.dates.choices(&orders);
            let readings: Vec<&str> = orders.into_iter().map(DateOrder::words).collect();
            Uncertain {
                line: evidence.dates.example_line(),
                found: format!(
                    "dates fit {}, such as {}",
                    readings.join(" as well as "),
                    evidence.dates.example()
                ),
                key,
            }
        })
}

fn way(
    profile: Option<&Profile>,
    columns: &Columns,
    evidence: &Evidence,
    balances: &RunningBalance,
) -> Result<Way, Uncertain> {
    if columns.is_pair() {
        return Ok(Way::Pair);
    }
    let counts = &evidence.money;
    if let Some(column) = direction_column(columns).filter(|_| is_told_by_word(columns, counts)) {
        return Ok(Way::Word {
            column,
            has_double_sign: counts.negative_beside_credit == 0,
        });
    }
    match profile.and_then(|profile| profile.is_reversed) {
        Some(true) => return Ok(Way::Turned),
        Some(false) => return Ok(Way::Signed),
        None => {}
    }
    let is_proved = |ties: u64| balances.pairs > 0 && ties == balances.pairs;
    if is_proved(balances.turned_ties()) && !is_proved(balances.ties()) && balances.pairs > 1 {
        return Ok(Way::Turned);
    }
    if counts.negative == 0 && is_proved(balances.unsigned_ties()) && !is_proved(balances.ties()) {
        return Err(Uncertain {
            line: None,
            found: "amounts have no sign, and the balances show that money both comes and leaves"
                .to_owned(),
            key: "direction, or debit and credit, under [columns]".to_owned(),
        });
    }
    Ok(Way::Signed)
}

/// A column of directions always tells; a column of types only if it has nothing but words of
/// direction and the amounts have no sign of their own.
fn is_told_by_word(columns: &Columns, counts: &MoneyCounts) -> bool {
    if columns.place(Meaning::Direction).is_some() {
        return counts.words > 0 || counts.negative == 0;
    }
    counts.words > 0 && counts.other_words == 0 && counts.negative == 0
}

fn assumptions(evidence: &Evidence, dating: &Dating, known: Option<Currency>) -> Vec<String> {
    let mut assumed = Vec::new();
    if dating.is_assumed {
        let code = known.map(|code| code.to_string()).unwrap_or_default();
        assumed.push(format!(
            "dates were read as {}, as is usual with {code} and as the few lines stand in order, \
             such as {}",
            dating.order.words(),
            evidence.dates.example()
        ));
    }
    assumed
}

/// No sign, no word and no balance tells the direction.
fn unsigned(
    way: Way,
    profile: Option<&Profile>,
    evidence: &Evidence,
    balances: Option<&RunningBalance>,
) -> Option<String> {
    // Of a single amount the sign is as usual, unless a balance could have shown that it is not.
    let positive_min = if balances.is_some() { 1 } else { 2 };
    let is_told = way != Way::Signed
        || evidence.money.negative > 0
        || evidence.money.positive < positive_min
        || profile.is_some_and(|profile| profile.is_reversed.is_some())
        || balances.is_some_and(|balances| balances.pairs > 0 && balances.ties() == balances.pairs);
    (!is_told).then(|| {
        "no amount is negative and no column tells the direction; all were read as money that \
         comes"
            .to_owned()
    })
}
