//! Joins with what a lookup finds.
//!
//! A query that names a row by its identity reads the one file that has it. What is joined to that row is
//! known by identities as well, but only once the row has been read. So a lookup that is one side of a
//! join is answered while the query is planned, and the other side gets its keys as if they had been
//! written there: they are pushed through views and groupings, and of that side, too, only files are read
//! that have them.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::Array;
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{JoinType, NullEquality, ScalarValue};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result;
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::functions_table::generate_series::GenerateSeriesTable;
use datafusion::logical_expr::{
    Distinct, Expr, Join, LogicalPlan, LogicalPlanBuilder, TableScan, lit,
};
use datafusion::optimizer::eliminate_filter::EliminateFilter;
use datafusion::optimizer::propagate_empty_relation::PropagateEmptyRelation;
use datafusion::optimizer::push_down_filter::PushDownFilter;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::physical_planner::{DefaultPhysicalPlanner, PhysicalPlanner as _};
use futures::StreamExt as _;
use tieout_ledger::LOOKED_UP;

use crate::holding::Holding;
use crate::parts::in_more_parts;
use crate::sought::{Sought, VALUES_MAX};
use crate::stored::StoredTable;

/// Joins of one query whose keys are looked up.
const JOINS_MAX: usize = 16;

/// Plans queries, lookups first.
#[derive(Debug, Default)]
pub(crate) struct LookupsFirst;

#[async_trait]
impl QueryPlanner for LookupsFirst {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let narrowed = match plan {
            LogicalPlan::Explain(explain) => {
                let mut explain = explain.clone();
                explain.plan = Arc::new(narrowed(&explain.plan, session).await?);
                LogicalPlan::Explain(explain)
            }
            plan => narrowed(plan, session).await?,
        };
        let planner = DefaultPhysicalPlanner::default();
        let physical = planner.create_physical_plan(&narrowed, session).await?;
        in_more_parts(physical, session)
    }
}

/// The work of a part of a query, lookups first. It is optimised as a part of the work of the whole.
///
/// # Errors
/// If it cannot be planned.
pub(crate) async fn planned_as_a_part(
    plan: &LogicalPlan,
    state: &SessionState,
) -> Result<Arc<dyn ExecutionPlan>> {
    // What is looked up meanwhile is a query of its own.
    let narrowed = narrowed(plan, state).await?;
    let as_it_is = SessionStateBuilder::new_from_existing(state.clone())
        .with_physical_optimizer_rules(Vec::new())
        .build();
    let planner = DefaultPhysicalPlanner::default();
    planner.create_physical_plan(&narrowed, &as_it_is).await
}

/// A join, one side of which is a lookup.
struct Found {
    join: Join,
    /// The key of the lookup, and that of the other side.
    few: Expr,
    other: Expr,
    is_left_few: bool,
}

/// The plan with the keys that lookups give written where they are joined.
async fn narrowed(plan: &LogicalPlan, session: &dyn Session) -> Result<LogicalPlan> {
    let mut plan = plan.clone();
    let mut done = HashSet::new();
    while done.len() < JOINS_MAX {
        let Some(found) = find(&plan, &done)? else {
            break;
        };
        done.insert(found.name());
        if let Some(keys) = keys_of(&found, session).await? {
            let narrowed = found.narrowed(keys, session)?;
            let is_empty = matches!(found.other_side(&narrowed), LogicalPlan::EmptyRelation(_));
            let replaced = plan.transform_down(|node| match &node {
                LogicalPlan::Join(join) if *join == found.join => {
                    let narrowed = LogicalPlan::Join(narrowed.clone());
                    Ok(Transformed::new(narrowed, true, TreeNodeRecursion::Jump))
                }
                _ => Ok(Transformed::no(node)),
            })?;
            plan = replaced.data;
            if is_empty {
                let rule = Arc::new(PropagateEmptyRelation::new());
                plan = optimized(plan, vec![rule], session)?;
            }
        }
    }
    Ok(plan)
}

/// A plan, which was optimised before, by these rules.
fn optimized(
    plan: LogicalPlan,
    rules: Vec<Arc<dyn OptimizerRule + Send + Sync>>,
    session: &dyn Session,
) -> Result<LogicalPlan> {
    let Some(state) = session.as_any().downcast_ref::<SessionState>() else {
        return session.optimize(&plan);
    };
    Optimizer::with_rules(rules).optimize(plan, state, |_, _| {})
}

/// The first join whose other side is to be narrowed, but for those that were.
fn find(plan: &LogicalPlan, done: &HashSet<String>) -> Result<Option<Found>> {
    let mut found = None;
    plan.apply(|node| {
        if let LogicalPlan::Join(join) = node {
            found = Found::of(join).filter(|found| !done.contains(&found.name()));
        }
        Ok(if found.is_some() {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    })?;
    Ok(found)
}

impl Found {
    fn of(join: &Join) -> Option<Self> {
        if join.null_aware || join.null_equality != NullEquality::NullEqualsNothing {
            return None;
        }
        let (few_left, few_right) = match join.join_type {
            JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi => (true, true),
            // Of the other side only rows count that are joined.
            JoinType::Left | JoinType::LeftAnti | JoinType::LeftMark => (true, false),
            JoinType::Right | JoinType::RightAnti | JoinType::RightMark => (false, true),
            JoinType::Full => return None,
        };
        let is_known = |key: &&(Expr, Expr), other_is_left: bool| {
            let other = if other_is_left { &key.0 } else { &key.1 };
            other
                .try_as_col()
                .is_some_and(|column| is_looked_up(&column.name))
        };
        let keyed = |is_left_few: bool| {
            let mut keys = join.on.iter();
            let (left, right) = keys.find(|key| is_known(key, !is_left_few))?;
            let (few, other) = if is_left_few {
                (left, right)
            } else {
                (right, left)
            };
            Some(Self {
                join: join.clone(),
                few: few.clone(),
                other: other.clone(),
                is_left_few,
            })
        };
        let by_left = || {
            let is_so = few_left && is_lookup(&join.left) && reads_more(&join.right);
            is_so.then(|| keyed(true)).flatten()
        };
        let by_right = || {
            let is_so = few_right && is_lookup(&join.right) && reads_more(&join.left);
            is_so.then(|| keyed(false)).flatten()
        };
        by_left().or_else(by_right)
    }

    fn name(&self) -> String {
        format!("{} = {} {}", self.few, self.other, self.join.join_type)
    }

    /// The side of `join` whose keys are looked up.
    fn other_side<'a>(&self, join: &'a Join) -> &'a LogicalPlan {
        if self.is_left_few {
            &join.right
        } else {
            &join.left
        }
    }

    /// The join, of whose other side only rows with these keys are left, where its tables are read.
    fn narrowed(&self, keys: Vec<ScalarValue>, session: &dyn Session) -> Result<Join> {
        let mut join = self.join.clone();
        let keys: Vec<_> = keys.into_iter().map(lit).collect();
        let is_one = if keys.is_empty() {
            lit(false)
        } else {
            self.other.clone().in_list(keys, false)
        };
        let side = self.other_side(&self.join).clone();
        let only = LogicalPlanBuilder::from(side).filter(is_one)?.build()?;
        let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
            Arc::new(PushDownFilter::new()),
            Arc::new(EliminateFilter::new()),
            Arc::new(PropagateEmptyRelation::new()),
        ];
        let only = Arc::new(optimized(only, rules, session)?);
        if self.is_left_few {
            join.right = only;
        } else {
            join.left = only;
        }
        Ok(join)
    }
}

/// The keys that the lookup gives; none if they are too many.
async fn keys_of(found: &Found, session: &dyn Session) -> Result<Option<Vec<ScalarValue>>> {
    let few = if found.is_left_few {
        &found.join.left
    } else {
        &found.join.right
    };
    let keys = LogicalPlanBuilder::from(few.as_ref().clone())
        .project([found.few.clone()])?
        .build()?;
    // It was optimised as a part of the query.
    let planner = DefaultPhysicalPlanner::default();
    let planned = planner.create_physical_plan(&keys, session).await?;
    let mut rows = execute_stream(planned, session.task_ctx())?;
    let mut keys = Vec::new();
    while let Some(batch) = rows.next().await.transpose()? {
        let column = batch.column(0);
        // What is null is joined with nothing.
        for row in (0..column.len()).filter(|&row| column.is_valid(row)) {
            let key = ScalarValue::try_from_array(column, row)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
            if keys.len() > VALUES_MAX {
                return Ok(None);
            }
        }
    }
    Ok(Some(keys))
}

fn is_looked_up(column: &str) -> bool {
    LOOKED_UP.contains(&column)
}

/// Whether the rows of a plan are few, and the same however often they are read: each table that it reads
/// is asked for single rows, and nothing in it depends on the order or on chance.
fn is_lookup(plan: &LogicalPlan) -> bool {
    let (mut is_few, mut sought) = (true, 0);
    let walked = plan.apply_with_subqueries(|node| {
        is_few &= match node {
            LogicalPlan::TableScan(scan) => {
                let is_sought = is_stored(scan) && is_sought(scan);
                sought += usize::from(is_sought);
                scan.fetch.is_none() && (is_sought || is_series(scan))
            }
            LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Join(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::Distinct(Distinct::All(_)) => {
                !node.expressions().iter().any(Expr::is_volatile)
            }
            _ => false,
        };
        Ok(if is_few {
            TreeNodeRecursion::Continue
        } else {
            TreeNodeRecursion::Stop
        })
    });
    walked.is_ok() && is_few && sought > 0
}

/// Whether a plan reads a stored table of which it does not ask for single rows.
fn reads_more(plan: &LogicalPlan) -> bool {
    let more = plan.exists(|node| {
        Ok(match node {
            LogicalPlan::TableScan(scan) => is_stored(scan) && !is_sought(scan),
            _ => false,
        })
    });
    more.unwrap_or(false)
}

fn is_stored(scan: &TableScan) -> bool {
    source_as_provider(&scan.source)
        .is_ok_and(|provider| provider.is::<StoredTable>() || provider.is::<Holding>())
}

/// Whether single rows are asked for.
fn is_sought(scan: &TableScan) -> bool {
    Sought::by(&scan.filters).is_some_and(|sought| sought.is_few())
}

fn is_series(scan: &TableScan) -> bool {
    source_as_provider(&scan.source).is_ok_and(|provider| provider.is::<GenerateSeriesTable>())
}
