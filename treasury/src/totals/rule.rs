//! Groupings of rows become groupings of totals.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DFSchemaRef, Result};
use datafusion::datasource::source_as_provider;
use datafusion::functions::core::coalesce;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{
    Aggregate, Expr, ExprSchemable as _, LogicalPlan, LogicalPlanBuilder, cast, ident, lit,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::chain::{Chain, depends_on};
use super::split::Split;
use super::sums::{Function, Words};

/// The rule.
#[derive(Debug, Default)]
pub(crate) struct FromTotals;

impl OptimizerRule for FromTotals {
    fn name(&self) -> &'static str {
        "from_totals"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let threads = config.options().execution.target_partitions;
        let served = match grouped(aggregate, threads)? {
            Some(served) => Some(served),
            None if aggregate.aggr_expr.is_empty() => distinct(aggregate, threads)?,
            None => None,
        };
        Ok(served.map_or(Transformed::no(plan), Transformed::yes))
    }
}

/// The totals that a chain can be read from, if all that its filters ask is the same for all rows of one.
fn split_of(chain: &Chain, threads: usize) -> Result<Option<Split>> {
    let Ok(provider) = source_as_provider(&chain.scan.source) else {
        return Ok(None);
    };
    let split = Split::of(&provider, threads)?;
    Ok(split.filter(|split| {
        let mut filters = chain.filters.iter();
        filters.all(|filter| depends_on(filter, split.of.by))
    }))
}

/// Totals, of which those are left that pass the filters of a chain.
fn filtered(chain: &Chain, split: &Split) -> Result<LogicalPlanBuilder> {
    let totals = LogicalPlanBuilder::from(split.plan(&chain.scan.table_name)?);
    match conjunction(chain.filters.iter().cloned()) {
        Some(all) => totals.filter(all),
        None => Ok(totals),
    }
}

/// The grouping over totals; none if they do not tell what it asks for.
fn grouped(aggregate: &Aggregate, threads: usize) -> Result<Option<LogicalPlan>> {
    let Some(chain) = Chain::of(&aggregate.input) else {
        return Ok(None);
    };
    let Some(split) = split_of(&chain, threads)? else {
        return Ok(None);
    };
    let totals = filtered(&chain, &split)?;
    let words = Words {
        chain: &chain,
        of: split.of,
        columns: totals.schema(),
        table: &chain.scan.table_name,
    };
    let keys = aggregate.group_expr.iter().map(|key| words.by(key));
    let sums = aggregate.aggr_expr.iter().map(|sum| words.summed(sum));
    let (Some(keys), Some(sums)) = (
        keys.collect::<Option<Vec<_>>>(),
        sums.collect::<Option<Vec<_>>>(),
    ) else {
        return Ok(None);
    };
    // Each thing has a column of its own below, so that above there are nothing but names.
    let key = |place: usize| format!("key_{place}");
    let (of, counts) = (
        |place: usize| format!("of_{place}"),
        |place: usize| format!("counts_{place}"),
    );
    let mut columns = Vec::new();
    for (place, expr) in keys.iter().enumerate() {
        columns.push(expr.clone().alias(key(place)));
    }
    for (place, sum) in sums.iter().enumerate() {
        columns.push(sum.of.clone().alias(of(place)));
        let filter = sum.filter.iter();
        columns.extend(filter.map(|filter| filter.clone().alias(counts(place))));
    }
    let group = (0..keys.len()).map(|place| ident(key(place)));
    let added = sums.iter().enumerate().map(|(place, sum)| {
        let filter = sum.filter.as_ref().map(|_| ident(counts(place)));
        sum.over(ident(of(place)), filter)
    });
    let added: Vec<Expr> = added.collect();
    let names: Vec<Column> = added
        .iter()
        .map(|sum| Column::from_name(sum.schema_name().to_string()))
        .collect();
    let grouped = totals.project(columns)?.aggregate(group, added)?;
    let results = (0..keys.len()).map(|place| ident(key(place)));
    let results = results.chain(names.into_iter().zip(&sums).map(|(name, sum)| {
        let sum_of = Expr::Column(name);
        match sum.function {
            Function::Count => coalesce().call(vec![sum_of, lit(0_i64)]),
            Function::Sum | Function::Same(_) => sum_of,
        }
    }));
    let results: Vec<Expr> = results.collect();
    as_was(grouped, results, &aggregate.schema).map(Some)
}

/// What is different in rows of several tables: of those with totals it is told by these.
fn distinct(aggregate: &Aggregate, threads: usize) -> Result<Option<LogicalPlan>> {
    let LogicalPlan::Union(union) = aggregate.input.as_ref() else {
        return Ok(None);
    };
    let mut is_served = false;
    let mut union = union.clone();
    for input in &mut union.inputs {
        if let Some(served) = told(input, threads)? {
            is_served = true;
            *input = Arc::new(served);
        }
    }
    if !is_served {
        return Ok(None);
    }
    let input = Arc::new(LogicalPlan::Union(union));
    let aggregate = Aggregate::try_new(input, aggregate.group_expr.clone(), Vec::new())?;
    Ok(Some(LogicalPlan::Aggregate(aggregate)))
}

/// The rows of a plan by totals, some of them less often.
fn told(plan: &LogicalPlan, threads: usize) -> Result<Option<LogicalPlan>> {
    let Some(chain) = Chain::of(plan) else {
        return Ok(None);
    };
    let Some(split) = split_of(&chain, threads)? else {
        return Ok(None);
    };
    let columns = plan.schema().columns().into_iter();
    let columns = columns.map(|column| {
        let said = chain.said(&Expr::Column(column))?;
        depends_on(&said, split.of.by).then_some(said)
    });
    let Some(columns) = columns.collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    as_was(filtered(&chain, &split)?, columns, plan.schema()).map(Some)
}

/// `columns` of a plan with the names and types of `schema`.
fn as_was(
    plan: LogicalPlanBuilder,
    columns: Vec<Expr>,
    schema: &DFSchemaRef,
) -> Result<LogicalPlan> {
    let mut named = Vec::new();
    for (column, (qualifier, field)) in columns.into_iter().zip(schema.iter()) {
        let column = if column.get_type(plan.schema())? == *field.data_type() {
            column
        } else {
            cast(column, field.data_type().clone())
        };
        named.push(column.alias_qualified(qualifier.cloned(), field.name()));
    }
    plan.project(named)?.build()
}
