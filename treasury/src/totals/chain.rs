//! What lies between a grouping and the table that it reads.

use std::collections::HashMap;

use datafusion::common::Column;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, TableScan};

/// A scan of one table with filters and computed columns above it, all said in columns of the table.
pub(super) struct Chain {
    pub scan: TableScan,
    /// What is true of the rows that come out.
    pub filters: Vec<Expr>,
    /// Each column that comes out.
    columns: HashMap<Column, Expr>,
}

impl Chain {
    /// That of a plan; none if there is anything else in it.
    pub fn of(plan: &LogicalPlan) -> Option<Self> {
        match plan {
            LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
                let columns = scan.projected_schema.columns().into_iter();
                Some(Self {
                    scan: scan.clone(),
                    filters: scan.filters.clone(),
                    columns: columns
                        .map(|column| (column.clone(), Expr::Column(column)))
                        .collect(),
                })
            }
            LogicalPlan::Filter(filter) => {
                let mut chain = Self::of(&filter.input)?;
                let predicate = chain.said(&filter.predicate)?;
                chain.filters.push(predicate);
                Some(chain)
            }
            LogicalPlan::Projection(projection) => {
                let chain = Self::of(&projection.input)?;
                let columns = projection.schema.columns().into_iter();
                let columns = columns.zip(&projection.expr);
                let columns = columns.map(|(column, expr)| Some((column, chain.said(expr)?)));
                Some(Self {
                    columns: columns.collect::<Option<_>>()?,
                    ..chain
                })
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let chain = Self::of(&alias.input)?;
                let inner = alias.input.schema().columns().into_iter();
                let columns = alias.schema.columns().into_iter().zip(inner);
                let columns = columns.map(|(column, inner)| {
                    let said = chain.columns.get(&inner)?.clone();
                    Some((column, said))
                });
                Some(Self {
                    columns: columns.collect::<Option<_>>()?,
                    ..chain
                })
            }
            _ => None,
        }
    }

    /// What `expr` is in columns of the table, without its name.
    pub fn said(&self, expr: &Expr) -> Option<Expr> {
        let mut is_whole = true;
        let said = expr.clone().unalias_nested().data.transform_down(|expr| {
            let Expr::Column(column) = &expr else {
                return Ok(Transformed::no(expr));
            };
            // What is put in is said already.
            let Some(said) = self.columns.get(column) else {
                is_whole = false;
                return Ok(Transformed::no(expr));
            };
            let said = said.clone();
            Ok(Transformed::new(said, true, TreeNodeRecursion::Jump))
        });
        said.ok().filter(|_| is_whole).map(|said| said.data)
    }
}

/// Whether `expr` is the same for all rows that have the same values in the columns `by`.
pub(super) fn depends_on(expr: &Expr, by: &[&str]) -> bool {
    let foreign = expr.exists(|part| {
        Ok(match part {
            Expr::Column(column) => !by.contains(&column.name.as_str()),
            Expr::Alias(_)
            | Expr::Literal(..)
            | Expr::BinaryExpr(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Not(_)
            | Expr::IsNotNull(_)
            | Expr::IsNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Negative(_)
            | Expr::Between(_)
            | Expr::Case(_)
            | Expr::Cast(_)
            | Expr::TryCast(_)
            | Expr::InList(_) => false,
            Expr::ScalarFunction(_) => part.is_volatile_node(),
            // Subqueries, groupings, windows, and what is not known here.
            _ => true,
        })
    });
    foreign.is_ok_and(|foreign| !foreign)
}
