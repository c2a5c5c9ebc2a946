//! In how many parts a plan keeps what it groups by.
//!
//! A part for each thread would do for the threads. With many groups a part is then a table of hundreds of
//! megabytes, each look into which goes to memory that no cache has. More parts are smaller, and a batch of
//! rows that comes to a part finds what it needs nearby: 50 million bank lines that are nearly all groups of
//! their own take less than half of the processor's time.
//!
//! Joins keep their parts: they gained nothing from more, and what is joined has to have as many on both sides.

use std::sync::Arc;

use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryLimit, MemoryPool};
use datafusion::physical_plan::joins::{HashJoinExec, PartitionMode};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning, StatisticsArgs, StatisticsContext};

/// Rows up to which one part is fast enough.
const ROWS_A_PART: usize = 1 << 22;
/// The most parts: each fills batches of its own, however few rows come.
const PARTS_MAX: usize = 16;
/// Memory that a row may take where it is kept. What may have to go to files keeps the parts that it has,
/// since each needs memory to come back from there.
const BYTES_A_ROW: usize = 160;

/// The plan, in more parts where it may keep many groups. All its parts by hash become more alike, so that
/// groupings that are put together part by part still fit.
///
/// # Errors
/// If the plan cannot be made again.
pub(crate) fn in_more_parts(
    plan: Arc<dyn ExecutionPlan>,
    session: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    in_parts_of(ROWS_A_PART, plan, session)
}

/// The same for parts of so many rows.
fn in_parts_of(
    rows_a_part: usize,
    plan: Arc<dyn ExecutionPlan>,
    session: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = &session.config_options().optimizer;
    let before = session.config().target_partitions();
    // A plan that sorts what it joins is one for little memory.
    if before <= 1 || !options.prefer_hash_join || !shares_out(&plan, before)? {
        return Ok(plan);
    }
    let rows = most_rows(&plan)?;
    let wanted = rows.div_ceil(rows_a_part).next_power_of_two();
    let parts = before.max(wanted.min(PARTS_MAX));
    if parts <= before
        || joins_in_parts(&plan)?
        || !has_room(rows, session.runtime_env().memory_pool.as_ref())
    {
        return Ok(plan);
    }
    let more = plan.transform_up(|node| match shared_out(&node, before) {
        Some(repartition) => Ok(Transformed::yes(repartitioned(repartition, parts)?)),
        None => Ok(Transformed::no(node)),
    })?;
    Ok(more.data)
}

/// The rows of the largest table that is read, as far as that is known.
fn most_rows(plan: &Arc<dyn ExecutionPlan>) -> Result<usize> {
    let statistics = StatisticsContext::new();
    let mut most = 0;
    plan.apply(|node| {
        if node.children().is_empty() {
            let rows = statistics.compute(node.as_ref(), &StatisticsArgs::new())?;
            most = most.max(rows.num_rows.get_value().copied().unwrap_or(0));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(most)
}

/// Whether two sides are joined part by part.
fn joins_in_parts(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    plan.exists(|node| {
        let join = node.downcast_ref::<HashJoinExec>();
        Ok(join.is_some_and(|join| *join.partition_mode() != PartitionMode::CollectLeft))
    })
}

fn has_room(rows: usize, pool: &dyn MemoryPool) -> bool {
    match pool.memory_limit() {
        MemoryLimit::Finite(bytes) => rows.saturating_mul(BYTES_A_ROW) <= bytes,
        _ => true,
    }
}

/// Whether anything shares rows out to so many parts by their hash. Most plans have few rows, and are not
/// asked how many.
fn shares_out(plan: &Arc<dyn ExecutionPlan>, parts: usize) -> Result<bool> {
    plan.exists(|node| Ok(shared_out(node, parts).is_some()))
}

/// What shares rows out to so many parts by their hash.
fn shared_out(node: &Arc<dyn ExecutionPlan>, parts: usize) -> Option<&RepartitionExec> {
    let repartition = node.downcast_ref::<RepartitionExec>()?;
    let is_so =
        matches!(repartition.partitioning(), Partitioning::Hash(_, count) if *count == parts);
    is_so.then_some(repartition)
}

/// The same for more parts.
fn repartitioned(before: &RepartitionExec, parts: usize) -> Result<Arc<dyn ExecutionPlan>> {
    let partitioning = match before.partitioning() {
        Partitioning::Hash(keys, _) => Partitioning::Hash(keys.clone(), parts),
        other => other.clone(),
    };
    let after = RepartitionExec::try_new(Arc::clone(before.input()), partitioning)?;
    Ok(if before.preserve_order() {
        Arc::new(after.with_preserve_order())
    } else {
        Arc::new(after)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeSet;

    use datafusion::arrow::array::{Int64Array, RecordBatch, StringArray};
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::datasource::MemTable;
    use datafusion::execution::SessionStateBuilder;
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::physical_plan::collect;
    use datafusion::prelude::{SessionConfig, SessionContext};

    use super::*;

    const ROWS: i64 = 1_000;
    const GROUPED: &str =
        "select name, number % 90 as rest, count(*), sum(number) from rows group by 1, 2";
    const PUT_TOGETHER: &str = "select name, count(*) from (select name, number % 7 as rest from rows group by 1, 2 \
         union all select name, number % 9 from rows group by 1, 2) t group by 1";
    const BESIDE_A_SMALL_ONE: &str = "select rows.name, number, count(*), max(t.other) from rows \
         left join (values ('n3', 'x'), ('n4', 'y')) t (name, other) on t.name = rows.name group by 1, 2";
    const JOINED: &str =
        "select a.number, count(*) from rows a join rows b on a.number = b.number group by 1";

    /// Rows in three pieces, for a session with so many parts and so much memory.
    fn session(parts: usize, memory_bytes: usize) -> SessionContext {
        let pieces = [0..300, 300..999, 999..ROWS].map(|numbers| {
            let names = numbers.clone().map(|number| format!("n{}", number % 40));
            let names = Arc::new(StringArray::from_iter_values(names)) as _;
            let numbers = Arc::new(Int64Array::from_iter_values(numbers)) as _;
            vec![RecordBatch::try_from_iter([("name", names), ("number", numbers)]).unwrap()]
        });
        let table = MemTable::try_new(pieces[0][0].schema(), pieces.to_vec()).unwrap();
        let config = SessionConfig::new()
            .with_target_partitions(parts)
            // So that two tables of this size are joined in parts.
            .set_u64(
                "datafusion.optimizer.hash_join_single_partition_threshold",
                4_096,
            )
            .set_u64(
                "datafusion.optimizer.hash_join_single_partition_threshold_rows",
                100,
            );
        let runtime = RuntimeEnvBuilder::new().with_memory_limit(memory_bytes, 1.0);
        let state = SessionStateBuilder::new_with_default_features()
            .with_config(config)
            .with_runtime_env(runtime.build_arc().unwrap())
            .build();
        let context = SessionContext::new_with_state(state);
        context.register_table("rows", Arc::new(table)).unwrap();
        context
    }

    async fn planned(context: &SessionContext, sql: &str) -> Arc<dyn ExecutionPlan> {
        context
            .sql(sql)
            .await
            .unwrap()
            .create_physical_plan()
            .await
            .unwrap()
    }

    /// The lines of an answer in any order.
    async fn answer(context: &SessionContext, plan: Arc<dyn ExecutionPlan>) -> Vec<String> {
        let rows = collect(plan, context.task_ctx()).await.unwrap();
        let shown = pretty_format_batches(&rows).unwrap().to_string();
        let mut lines: Vec<_> = shown.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    /// Over how many parts rows are shared out by hash.
    fn counts(plan: &Arc<dyn ExecutionPlan>) -> BTreeSet<usize> {
        let mut counts = BTreeSet::new();
        plan.apply(|node| {
            if let Some(repartition) = node.downcast_ref::<RepartitionExec>()
                && let Partitioning::Hash(_, count) = repartition.partitioning()
            {
                counts.insert(*count);
            }
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        counts
    }

    #[tokio::test]
    async fn more_parts_give_the_same_groups() {
        let context = session(2, 1 << 30);
        let state = context.state();
        for sql in [GROUPED, PUT_TOGETHER, BESIDE_A_SMALL_ONE] {
            let few = planned(&context, sql).await;
            assert_eq!(counts(&few), BTreeSet::from([2]), "{sql}");
            let rows = answer(&context, few).await;
            assert!(rows.len() > 40, "{sql}");
            for (rows_a_part, parts) in [(1_000, 2), (999, 2), (499, 4), (1, 16)] {
                let more = in_parts_of(rows_a_part, planned(&context, sql).await, &state).unwrap();
                assert_eq!(counts(&more), BTreeSet::from([parts]), "{sql}");
                assert_eq!(answer(&context, more).await, rows, "{sql}");
            }
        }
    }

    #[tokio::test]
    async fn what_is_joined_keeps_its_parts() {
        let context = session(2, 1 << 30);
        let plan = planned(&context, JOINED).await;
        let plan = in_parts_of(1, plan, &context.state()).unwrap();
        assert_eq!(counts(&plan), BTreeSet::from([2]));
    }

    #[tokio::test]
    async fn what_may_not_fit_into_memory_keeps_its_parts() {
        let needed = usize::try_from(ROWS).unwrap() * BYTES_A_ROW;
        for (memory_bytes, parts) in [(needed, 16), (needed - 1, 2)] {
            let context = session(2, memory_bytes);
            let plan = planned(&context, GROUPED).await;
            let plan = in_parts_of(1, plan, &context.state()).unwrap();
            assert_eq!(counts(&plan), BTreeSet::from([parts]));
        }
    }

    #[tokio::test]
    async fn one_part_stays_one() {
        let context = session(1, 1 << 30);
        let plan = planned(&context, GROUPED).await;
        let plan = in_parts_of(1, plan, &context.state()).unwrap();
        assert_eq!(counts(&plan), BTreeSet::new());
    }
}
