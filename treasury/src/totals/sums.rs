//! Aggregates of rows, said in totals.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, ScalarValue, TableReference};
use datafusion::functions_aggregate::sum::sum_udaf;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion::logical_expr::{
    BinaryExpr, Case, Cast, Expr, ExprSchemable as _, Operator, lit, when,
};
use tieout_ledger::{ROWS, SUM_TYPE, Totalled};

use super::chain::{Chain, depends_on};

/// No money, and no amount, with the type of sums.
const ZERO: Expr = Expr::Literal(ScalarValue::Decimal128(Some(0), 38, 5), None);
const NULL: Expr = Expr::Literal(ScalarValue::Decimal128(None, 38, 5), None);
const _: () = assert!(matches!(SUM_TYPE, DataType::Decimal128(38, 5)));

/// An aggregate over totals.
pub(super) struct Summed {
    /// What it is of, in columns of the totals.
    pub of: Expr,
    /// What is true of the totals that count.
    pub filter: Option<Expr>,
    pub function: Function,
}

/// What is done with it.
pub(super) enum Function {
    /// As the query has it: that totals stand for several rows makes no difference.
    Same(AggregateFunction),
    /// Numbers are added.
    Sum,
    /// Counts are added; of no row that is 0.
    Count,
}

/// The words in which aggregates are said.
pub(super) struct Words<'a> {
    pub chain: &'a Chain,
    pub of: &'static Totalled,
    pub columns: &'a DFSchema,
    pub table: &'a TableReference,
}

impl Words<'_> {
    /// An expression of the query that is the same for all rows of a total.
    pub fn by(&self, expr: &Expr) -> Option<Expr> {
        let said = self.chain.said(expr)?;
        depends_on(&said, self.of.by).then_some(said)
    }

    /// An aggregate of the query; none if totals do not tell it.
    pub fn summed(&self, expr: &Expr) -> Option<Summed> {
        let Expr::AggregateFunction(aggregate) = expr.clone().unalias_nested().data else {
            return None;
        };
        let AggregateFunctionParams {
            args,
            distinct,
            filter,
            order_by,
            null_treatment,
        } = &aggregate.params;
        let ([argument], true, None) = (&args[..], order_by.is_empty(), null_treatment) else {
            return None;
        };
        let filter = match filter {
            None => None,
            Some(filter) => Some(self.by(filter)?),
        };
        let by = self.by(argument);
        let (of, function) = match (aggregate.func.name(), distinct, by) {
            ("min" | "max", _, Some(by)) | ("count", true, Some(by)) => {
                (by, Function::Same(aggregate))
            }
            ("count", false, Some(by)) => (self.rows_with(by)?, Function::Count),
            ("count", false, None) if self.is_amount(argument) => (self.rows(), Function::Count),
            ("sum", false, Some(by)) => (self.times_rows(by)?, Function::Sum),
            ("sum", false, None) => {
                let said = self.chain.said(argument)?;
                (self.added(&said)?, Function::Sum)
            }
            _ => return None,
        };
        Some(Summed {
            of,
            filter,
            function,
        })
    }

    fn rows(&self) -> Expr {
        Expr::Column(Column::new(Some(self.table.clone()), ROWS))
    }

    /// The rows of a total in which `by` is not null.
    fn rows_with(&self, by: Expr) -> Option<Expr> {
        match by {
            Expr::Literal(value, _) if !value.is_null() => Some(self.rows()),
            by => when(by.is_not_null(), self.rows())
                .otherwise(lit(0_i64))
                .ok(),
        }
    }

    /// The sum of a whole number that is the same for all rows of a total.
    fn times_rows(&self, by: Expr) -> Option<Expr> {
        let is_whole = by.get_type(self.columns).ok()? == DataType::Int64;
        is_whole.then(|| by * self.rows())
    }

    /// Whether an argument is an amount as the table has it, which is never null.
    fn is_amount(&self, argument: &Expr) -> bool {
        let said = self.chain.said(argument);
        said.is_some_and(|said| matches!(said, Expr::Column(column) if self.is_sum(&column)))
    }

    fn is_sum(&self, column: &Column) -> bool {
        self.of.sums.contains(&column.name.as_str())
    }

    /// What an amount adds up to over the rows of a total: an amount of the table, the same below zero, the
    /// sum or difference of several, or one of these or none by what is the same for all rows of a total.
    fn added(&self, amount: &Expr) -> Option<Expr> {
        match amount {
            Expr::Column(column) => self.is_sum(column).then(|| amount.clone()),
            Expr::Negative(amount) => Some(Expr::Negative(Box::new(self.added(amount)?))),
            Expr::BinaryExpr(BinaryExpr {
                left,
                op: op @ (Operator::Plus | Operator::Minus),
                right,
            }) => {
                let (left, right) = (self.added(left)?, self.added(right)?);
                let both = BinaryExpr::new(Box::new(left), *op, Box::new(right));
                Some(Expr::BinaryExpr(both))
            }
            // More digits change nothing; other decimals would be rounded row by row.
            Expr::Cast(Cast { expr, field }) => match field.data_type() {
                DataType::Decimal128(digits, 5) if *digits >= 23 => self.added(expr),
                _ => None,
            },
            Expr::Case(case) if case.expr.is_none() => {
                let pairs = case.when_then_expr.iter().map(|(when, then)| {
                    depends_on(when, self.of.by).then_some(())?;
                    Some((when.clone(), Box::new(self.added_or_none(then)?)))
                });
                let otherwise = match &case.else_expr {
                    Some(otherwise) => self.added_or_none(otherwise)?,
                    None => NULL,
                };
                let pairs = pairs.collect::<Option<Vec<_>>>()?;
                let case = Case::new(None, pairs, Some(Box::new(otherwise)));
                Some(Expr::Case(case))
            }
            _ => None,
        }
    }

    fn added_or_none(&self, amount: &Expr) -> Option<Expr> {
        match amount {
            Expr::Literal(ScalarValue::Decimal128(Some(0), ..), _) => Some(ZERO),
            Expr::Literal(ScalarValue::Decimal128(None, ..) | ScalarValue::Null, _) => Some(NULL),
            amount => self.added(amount),
        }
    }
}

impl Summed {
    /// The aggregate, of the columns that have what it is of and what is true of the totals that count.
    pub fn over(&self, of: Expr, filter: Option<Expr>) -> Expr {
        let filter = filter.map(Box::new);
        let aggregate = match &self.function {
            Function::Same(aggregate) => {
                let func = Arc::clone(&aggregate.func);
                let distinct = aggregate.params.distinct;
                AggregateFunction::new_udf(func, vec![of], distinct, filter, Vec::new(), None)
            }
            Function::Sum | Function::Count => {
                AggregateFunction::new_udf(sum_udaf(), vec![of], false, filter, Vec::new(), None)
            }
        };
        Expr::AggregateFunction(aggregate)
    }
}
