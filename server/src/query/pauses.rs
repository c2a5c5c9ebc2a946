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
