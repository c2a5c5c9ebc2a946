//! What the program decided about a payment, and what people said to it.

use std::collections::{BTreeMap, HashMap};

use arrow::array::{
    Array, AsArray, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray,
};
use tieout_core::schema::Table;
use tieout_core::{Amount, ApplicationStatus, Date, Status};
use tieout_ledger::journal::PURGED_TEXT;

use crate::EngineError;
use crate::intake::column;

/// What one item got: cash, discount, write-off, deduction.
pub type Parts = [Amount; 4];

/// What became of a payment.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub status: String,
    pub party: Option<String>,
    pub reason: Option<String>,
    pub rule: String,
    pub currency: String,
    pub amount: Amount,
    pub applied: Amount,
    pub on_account: Amount,
    pub unapplied: Amount,
    pub duplicate_of: Option<String>,
    pub booking_date: Option<Date>,
    pub payer_name: Option<String>,
    pub score: f64,
    /// What takes effect, or is proposed, by item.
    pub items: BTreeMap<String, Parts>,
    /// Whether items are opened again instead of paid.
    pub opens: bool,
    /// Whether a purge has taken its texts.
    pub is_purged: bool,
}

impl Outcome {
    /// Whether the program did something by itself that moves money.
    pub fn takes_effect(&self) -> bool {
        let effective = [Status::Applied, Status::PartiallyApplied];
        Status::from_code(&self.status).is_some_and(|status| effective.contains(&status))
    }

    /// Everything that makes a decision another one; scores and evidence do not.
    pub fn identity(&self) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        let mut add = |text: &str| {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        };
        add(&self.status);
        for text in [&self.party, &self.reason, &self.duplicate_of] {
            add(if text.is_some() { "1" } else { "0" });
            add(text.as_deref().unwrap_or_default());
        }
        add(if self.opens { "1" } else { "0" });
        for amount in [self.applied, self.on_account, self.unapplied] {
            add(&amount.units().to_string());
        }
        for (item, parts) in &self.items {
            add(item);
            for part in parts {
                add(&part.units().to_string());
            }
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        short
    }

    /// Whether the same items get the same cash.
    fn pays_as(&self, other: &Self) -> bool {
        let cash = |own: &Self| -> Vec<(String, Amount)> {
            let items = own.items.iter();
            items
                .map(|(item, parts)| (item.clone(), parts[0]))
                .collect()
        };
        self.takes_effect() && other.takes_effect() && cash(self) == cash(other)
    }

    /// Money that ends elsewhere than in `other`, and discounts, write-offs and deductions that
    /// are given by one of them only.
    pub fn at_stake(&self, other: &Self) -> Amount {
        let own = self.places();
        let others = other.places();
        let lands = |to: &BTreeMap<String, Parts>, from: &BTreeMap<String, Parts>| -> Amount {
            let more = to.iter().map(|(place, parts)| {
                let there = from.get(place).copied().unwrap_or_default();
                (parts[0] - there[0]).max(Amount::ZERO)
            });
            more.sum()
        };
        let cash = lands(&own, &others).max(lands(&others, &own));
        let all: std::collections::BTreeSet<&String> = own.keys().chain(others.keys()).collect();
        let given = all.into_iter().map(|place| {
            let ours = own.get(place).copied().unwrap_or_default();
            let theirs = others.get(place).copied().unwrap_or_default();
            (1..4)
                .map(|part| (ours[part] - theirs[part]).abs())
                .sum::<Amount>()
        });
        cash + given.sum::<Amount>()
    }

    /// Where the money of the payment is.
    fn places(&self) -> BTreeMap<String, Parts> {
        let mut places = BTreeMap::new();
        if self.takes_effect() {
            places.extend(
                self.items
                    .iter()
                    .map(|(item, parts)| (format!("item {item}"), *parts)),
            );
        }
        let mut put = |place: String, amount: Amount| {
            if !amount.is_zero() {
                places.insert(place, [amount, Amount::ZERO, Amount::ZERO, Amount::ZERO]);
            }
        };
        let party = self.party.as_deref().unwrap_or_default();
        put(format!("account {party}"), self.on_account);
        put("nowhere".to_owned(), self.unapplied);
        places
    }
}

/// What somebody said to a payment.
pub struct Word {
    /// The action.
    pub action: String,
    /// What became of the payment.
    pub outcome: Outcome,
    /// Whether `outcome` is what somebody took back, not what they wanted.
    pub is_refusal: bool,
}

/// What people's word makes of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The same items get the same cash.
    Right,
    /// Somebody decided otherwise.
    Wrong,
}

impl Verdict {
    /// The word that outputs have.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Wrong => "wrong",
        }
    }
}

impl Word {
    /// What it makes of what the program would do by itself; nothing where that is left to people,
    /// or people only said what it is not.
    pub fn judge(&self, decided: &Outcome) -> Option<Verdict> {
        if !decided.takes_effect() {
            return None;
        }
        let same = decided.pays_as(&self.outcome)
            || self.is_refusal && decided.items == self.outcome.items;
        match (self.is_refusal, same) {
            (false, true) => Some(Verdict::Right),
            (false, false) | (true, true) => Some(Verdict::Wrong),
            (true, false) => None,
        }
    }
}

/// What the rows of a decision event say of each payment, handed to `take`.
pub fn outcomes(
    batches: &[(String, RecordBatch)],
    mut take: impl FnMut(&str, Outcome),
) -> Result<(), EngineError> {
    let of = |table: Table| {
        let mut named = batches.iter().filter(|(name, _)| name == table.name());
        named.next().map(|(_, batch)| batch)
    };
    let Some(payments) = of(Table::Payments) else {
        return Ok(());
    };
    let mut items = match of(Table::Applications) {
        Some(rows) => applications(rows)?,
        None => HashMap::new(),
    };
    let mut originals = HashMap::new();
    if let Some(rows) = of(Table::Duplicates) {
        let ids: &StringArray = column(rows, 0)?;
        let others: &StringArray = column(rows, Table::Duplicates.column("duplicate_of"))?;
        originals.extend(ids.iter().flatten().zip(others.iter().flatten()));
    }
    let columns = PaymentColumns::of(payments)?;
    for row in 0..payments.num_rows() {
        let id = columns.ids.value(row);
        let mut outcome = columns.outcome(row);
        if let Some((own, opens)) = items.remove(id) {
            outcome.items = own;
            outcome.opens = opens;
        }
        outcome.duplicate_of = originals.get(id).map(|other| (*other).to_owned());
        take(id, outcome);
    }
    Ok(())
}

struct PaymentColumns<'a> {
    ids: &'a StringArray,
    texts: [&'a StringArray; 6],
    amounts: [&'a Decimal128Array; 4],
    /// Columns that a purge changes.
    purged: [&'a StringArray; 3],
    booked: Option<&'a Date32Array>,
    score: &'a Float64Array,
}

impl<'a> PaymentColumns<'a> {
    fn of(rows: &'a RecordBatch) -> Result<Self, EngineError> {
        let text = |name| column::<StringArray>(rows, Table::Payments.column(name));
        let amount = |name| column::<Decimal128Array>(rows, Table::Payments.column(name));
        let booked = rows.column(Table::Payments.column("booking_date"));
        Ok(Self {
            ids: text("payment_id")?,
            texts: [
                text("status")?,
                text("party_id")?,
                text("reason")?,
                text("rule")?,
                text("currency")?,
                text("payer_name")?,
            ],
            amounts: [
                amount("amount")?,
                amount("applied")?,
                amount("on_account")?,
                amount("unapplied")?,
            ],
            purged: [
                text("payer_name")?,
                text("payer_account")?,
                text("remittance_text")?,
            ],
            booked: booked.as_primitive_opt(),
            score: column(rows, Table::Payments.column("score"))?,
        })
    }

    fn outcome(&self, row: usize) -> Outcome {
        let said = self
            .texts
            .map(|column| (!column.is_null(row)).then(|| column.value(row).to_owned()));
        let [status, party, reason, rule, currency, payer_name] = said;
        let [amount, applied, on_account, unapplied] = self
            .amounts
            .map(|column| Amount::from_units(column.value(row)));
        Outcome {
            status: status.unwrap_or_default(),
            party,
            reason,
            rule: rule.unwrap_or_default(),
            currency: currency.unwrap_or_default(),
            amount,
            applied,
            on_account,
            unapplied,
            payer_name,
            booking_date: self
                .booked
                .filter(|days| days.is_valid(row))
                .map(|days| Date::from_days(days.value(row))),
            score: self.score.value(row),
            is_purged: self
                .purged
                .iter()
                .any(|column| column.is_valid(row) && column.value(row) == PURGED_TEXT),
            ..Outcome::default()
        }
    }
}

type Items = HashMap<String, (BTreeMap<String, Parts>, bool)>;

fn applications(rows: &RecordBatch) -> Result<Items, EngineError> {
    let text = |name| column::<StringArray>(rows, Table::Applications.column(name));
    let amount = |name| column::<Decimal128Array>(rows, Table::Applications.column(name));
    let (payments, items, states) = (text("payment_id")?, text("item_id")?, text("status")?);
    let amounts = [
        amount("applied")?,
        amount("discount")?,
        amount("write_off")?,
        amount("deduction")?,
    ];
    let mut all = Items::new();
    for row in 0..rows.num_rows() {
        let own = all.entry(payments.value(row).to_owned()).or_default();
        own.1 |= states.value(row) == ApplicationStatus::Reversed.code();
        let parts = own.0.entry(items.value(row).to_owned()).or_default();
        for (part, column) in parts.iter_mut().zip(amounts) {
            *part += Amount::from_units(column.value(row));
        }
    }
    Ok(all)
}
