//! Pauses in queries: where one can be ended, and where its parts rest beside a run.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};
use tokio::time::Sleep;

use super::turns::Turns;

/// The longest that is worked without a pause, one batch aside.
const WORK_MAX: Duration = Duration::from_millis(10);

/// Lets what reads and what joins pause, so that what ends a query is noticed and others have their
/// turn: a join can go over many rows for each that it reads. In a query of several parts, which have
/// no turn of their own, they `rest` beside a run.
pub fn with_pauses(
    plan: Arc<dyn ExecutionPlan>,
    rest: bool,
    turns: &Arc<Turns>,
) -> Result<Arc<dyn ExecutionPlan>> {
    let paused = plan.transform_up(|node| {
        let is_join = node.name().contains("Join");
        if !is_join && !node.children().is_empty() {
            return Ok(Transformed::no(node));
        }
        let input: Arc<dyn ExecutionPlan> = if is_join {
            Arc::new(CooperativeExec::new(node))
        } else {
            node
        };
        let turns = rest.then(|| Arc::clone(turns));
        Ok(Transformed::yes(
            Arc::new(Pausing { input, turns }) as Arc<dyn ExecutionPlan>
        ))
    });
    paused.map(|paused| paused.data)
}

/// Pauses after a while, and rests after each batch while a run writes.
#[derive(Debug)]
struct Pausing {
    input: Arc<dyn ExecutionPlan>,
    /// Where it rests.
    turns: Option<Arc<Turns>>,
}

impl DisplayAs for Pausing {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl ExecutionPlan for Pausing {
    fn name(&self) -> &'static str {
        "PausingExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            let found = "what pauses reads one thing";
            return Err(DataFusionError::Internal(found.to_owned()));
        };
        Ok(Arc::new(Self {
            input,
            turns: self.turns.clone(),
        }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        Ok(Box::pin(PausingRows {
            rows: self.input.execute(partition, context)?,
            turns: self.turns.clone(),
            rest: None,
            worked: Duration::ZERO,
        }))
    }
}

struct PausingRows {
    rows: SendableRecordBatchStream,
    turns: Option<Arc<Turns>>,
    rest: Option<Pin<Box<Sleep>>>,
    /// How long it has worked without a pause.
    worked: Duration,
}

impl Stream for PausingRows {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(rest) = &mut self.rest {
            ready!(rest.as_mut().poll(context));
            self.rest = None;
        }
        if self.worked > WORK_MAX {
            self.worked = Duration::ZERO;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let began = Instant::now();
        let polled = self.rows.poll_next_unpin(context);
        let worked = began.elapsed();
        self.worked = if polled.is_pending() {
            Duration::ZERO
        } else {
            self.worked + worked
        };
        self.rest = self
            .turns
            .as_ref()
            .filter(|turns| turns.is_run_writing())
            .map(|turns| Box::pin(turns.rest_of_a_part(worked)));
        polled
    }
}

impl RecordBatchStream for PausingRows {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::task::Waker;

    use arrow::array::Int64Array;
    use datafusion::datasource::MemTable;
    use datafusion::execution::SessionStateBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};
    use tempfile::TempDir;
    use tieout_ledger::{Ledger, LedgerWriter};
    use tokio::runtime::{Builder, Runtime};

    use super::*;

    const BATCHES: i64 = 6;

    /// A ledger's folder, and a clock that nobody drives but who waits for a rest.
    struct Desk {
        dir: TempDir,
        runtime: Runtime,
    }

    impl Desk {
        fn new() -> Self {
            Self {
                dir: tempfile::tempdir().unwrap(),
                runtime: Builder::new_current_thread().enable_time().build().unwrap(),
            }
        }

        fn writer(&self) -> LedgerWriter {
            Ledger::post(self.dir.path()).unwrap()
        }

        /// Turns that have not looked yet whether a run writes.
        fn turns(&self) -> Arc<Turns> {
            let (dir, clock) = (self.dir.path().to_owned(), self.runtime.handle().clone());
            Arc::new(Turns::of(2, dir, clock))
        }

        /// Batches of a plan that pauses, and `rest`s.
        fn rows(&self, rest: bool, turns: &Arc<Turns>) -> SendableRecordBatchStream {
            let batches = (0..BATCHES).map(|number| {
                let column = Arc::new(Int64Array::from(vec![number])) as _;
                RecordBatch::try_from_iter([("x", column)]).unwrap()
            });
            let batches: Vec<_> = batches.collect();
            let table = MemTable::try_new(batches[0].schema(), vec![batches]).unwrap();
            let state = SessionStateBuilder::new()
                .with_config(SessionConfig::new().with_target_partitions(1))
                .build();
            let context = SessionContext::new_with_state(state);
            let planned = async {
                let frame = context.read_table(Arc::new(table)).unwrap();
                frame.create_physical_plan().await.unwrap()
            };
            let plan = with_pauses(self.runtime.block_on(planned), rest, turns).unwrap();
            plan.execute(0, context.task_ctx()).unwrap()
        }
    }

    /// Polls once: the value of the next batch, if it is there.
    fn polled(rows: &mut SendableRecordBatchStream) -> Poll<Option<i64>> {
        let mut context = Context::from_waker(Waker::noop());
        rows.poll_next_unpin(&mut context).map(|batch| {
            let batch = batch?.unwrap();
            let column = batch.column(0).as_any().downcast_ref::<Int64Array>();
            Some(column.unwrap().value(0))
        })
    }

    /// The same, over a pause that is no rest: one comes wherever the machine was busy for too long.
    fn at_once(rows: &mut SendableRecordBatchStream) -> Poll<Option<i64>> {
        match polled(rows) {
            Poll::Pending => polled(rows),
            ready @ Poll::Ready(_) => ready,
        }
    }

    #[test]
    fn without_a_run_batches_come_one_after_the_other() {
        let desk = Desk::new();
        let mut rows = desk.rows(true, &desk.turns());
        for number in 0..BATCHES {
            assert_eq!(at_once(&mut rows), Poll::Ready(Some(number)));
        }
        assert_eq!(at_once(&mut rows), Poll::Ready(None));
    }

    #[test]
    fn beside_a_run_a_part_rests_after_each_batch_until_the_run_is_done() {
        let desk = Desk::new();
        let turns = desk.turns();
        let writer = desk.writer();
        let mut rows = desk.rows(true, &turns);
        assert_eq!(at_once(&mut rows), Poll::Ready(Some(0)));
        // No rest ends that nobody waits for.
        for number in 1..3 {
            assert_eq!(polled(&mut rows), Poll::Pending);
            assert_eq!(polled(&mut rows), Poll::Pending);
            let next = desk.runtime.block_on(rows.next()).unwrap().unwrap();
            assert_eq!(next.num_rows(), 1, "batch {number}");
        }
        writer.finish("cash-application").unwrap();
        turns.look_again();
        // The rest that has begun is the last one.
        assert_eq!(polled(&mut rows), Poll::Pending);
        assert!(desk.runtime.block_on(rows.next()).unwrap().is_ok());
        for number in 4..BATCHES {
            assert_eq!(at_once(&mut rows), Poll::Ready(Some(number)));
        }
        assert_eq!(at_once(&mut rows), Poll::Ready(None));
    }

    /// Where the query has a turn of its own, its one part does not rest once more.
    #[test]
    fn the_one_part_of_a_query_rests_with_its_turn_only() {
        let desk = Desk::new();
        let _writer = desk.writer();
        let mut rows = desk.rows(false, &desk.turns());
        for number in 0..BATCHES {
            assert_eq!(at_once(&mut rows), Poll::Ready(Some(number)));
        }
    }
}
