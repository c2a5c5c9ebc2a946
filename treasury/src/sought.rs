//! What filters of a query ask for, as far as files can tell which rows have it.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use arrow::datatypes::DataType;
use datafusion::common::{Column, ScalarValue};
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use tieout_core::schema::AMOUNT_TYPE;
use tieout_ledger::{Key, LOOKED_UP};
use twox_hash::XxHash64;

/// Values asked of each file at most; with more of them most files have one.
pub(crate) const VALUES_MAX: usize = 64;
/// The seed that Parquet's filters have.
const SEED: u64 = 0;

/// What a row has that is asked for, as far as files can tell.
#[derive(Debug)]
pub(crate) enum Sought {
    /// This text in this column.
    Text {
        column: String,
        text: String,
        hash: u64,
        key: Key,
    },
    /// One of these amounts in this column.
    Amount {
        column: String,
        keys: RangeInclusive<Key>,
    },
    /// Each of these.
    All(Vec<Self>),
    /// One of these.
    Any(Vec<Self>),
}

impl Sought {
    /// What a row must have so that all of `filters` are true of it; none if files cannot tell.
    pub fn by(filters: &[Expr]) -> Option<Self> {
        let sought = Self::all(filters.iter().filter_map(Self::of))?;
        (sought.values() <= VALUES_MAX).then_some(sought)
    }

    /// Whether few rows have it: it names texts that hardly repeat.
    pub fn is_few(&self) -> bool {
        match self {
            Self::Text { .. } => true,
            Self::Amount { .. } => false,
            Self::All(parts) => parts.iter().any(Self::is_few),
            Self::Any(parts) => parts.iter().all(Self::is_few),
        }
    }

    /// Each of `parts`, in which amounts of a column have a lower and an upper end where they can.
    fn all(parts: impl Iterator<Item = Self>) -> Option<Self> {
        let mut flat = Vec::new();
        let mut amounts: BTreeMap<String, RangeInclusive<Key>> = BTreeMap::new();
        for part in parts.flat_map(Self::flat) {
            match part {
                Self::Amount { column, keys } => {
                    let all = Key::MIN..=Key::MAX;
                    let within = amounts.entry(column).or_insert(all);
                    *within = *within.start().max(keys.start())..=*within.end().min(keys.end());
                }
                part => flat.push(part),
            }
        }
        let amounts = amounts.into_iter();
        flat.extend(amounts.map(|(column, keys)| Self::Amount { column, keys }));
        (!flat.is_empty()).then_some(Self::All(flat))
    }

    fn flat(self) -> Vec<Self> {
        match self {
            Self::All(parts) => parts,
            part => vec![part],
        }
    }

    fn of(filter: &Expr) -> Option<Self> {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match op {
                Operator::And => {
                    Self::all([left, right].into_iter().filter_map(|side| Self::of(side)))
                }
                Operator::Or => Some(Self::Any(vec![Self::of(left)?, Self::of(right)?])),
                op => match (left.as_ref(), right.as_ref()) {
                    (Expr::Column(column), Expr::Literal(value, _)) => {
                        Self::compared(column, *op, value)
                    }
                    (Expr::Literal(value, _), Expr::Column(column)) => {
                        Self::compared(column, op.swap()?, value)
                    }
                    _ => None,
                },
            },
            Expr::Between(Between {
                expr,
                negated: false,
                low,
                high,
            }) => match (expr.as_ref(), low.as_ref(), high.as_ref()) {
                (Expr::Column(column), Expr::Literal(low, _), Expr::Literal(high, _)) => {
                    let ends = [(Operator::GtEq, low), (Operator::LtEq, high)];
                    let ends = ends.into_iter();
                    Self::all(ends.filter_map(|(op, value)| Self::compared(column, op, value)))
                }
                _ => None,
            },
            Expr::InList(InList {
                expr,
                list,
                negated: false,
            }) => {
                let Expr::Column(column) = expr.as_ref() else {
                    return None;
                };
                let values = list.iter().map(|value| match value {
                    Expr::Literal(value, _) => Self::compared(column, Operator::Eq, value),
                    _ => None,
                });
                Some(Self::Any(values.collect::<Option<_>>()?))
            }
            _ => None,
        }
    }

    /// `column op value`.
    fn compared(column: &Column, op: Operator, value: &ScalarValue) -> Option<Self> {
        if let Some(units) = units(value) {
            let (from, to) = match op {
                Operator::Eq => (Key::of_amount(units)?, Key::of_amount(units)?),
                Operator::GtEq => (Key::of_amount(units)?, Key::MAX),
                Operator::LtEq => (Key::MIN, Key::of_amount(units)?),
                Operator::Gt => (Key::of_amount(units.checked_add(1)?)?, Key::MAX),
                Operator::Lt => (Key::MIN, Key::of_amount(units.checked_sub(1)?)?),
                _ => return None,
            };
            return Some(Self::Amount {
                column: column.name.clone(),
                keys: from..=to,
            });
        }
        let text = value.try_as_str()??;
        if op != Operator::Eq || !LOOKED_UP.contains(&column.name.as_str()) {
            return None;
        }
        Some(Self::Text {
            column: column.name.clone(),
            text: text.to_owned(),
            hash: XxHash64::oneshot(SEED, text.as_bytes()),
            key: Key::of_text(text),
        })
    }

    fn values(&self) -> usize {
        match self {
            Self::Text { .. } | Self::Amount { .. } => 1,
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::values).sum(),
        }
    }
}

/// The smallest units of an amount with as many digits behind the point as all that are stored have.
fn units(value: &ScalarValue) -> Option<i128> {
    match (value, AMOUNT_TYPE) {
        (ScalarValue::Decimal128(units, _, digits), DataType::Decimal128(_, stored))
            if *digits == stored =>
        {
            *units
        }
        _ => None,
    }
}
