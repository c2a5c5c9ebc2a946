//! A second plan for queries whose joins do not fit into memory.
//!
//! Joins keep one side in memory, which is fast, and refuse if it is too large; they have no other way.
//! Sorting both sides needs longer, and goes to temporary files.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream};

use crate::error::root;

/// Joins are planned by sorting only where they may have several parts.
const PARTS_MIN: usize = 2;

/// The plan of a query that joins by sorting, and the state to run it with.
///
/// # Errors
/// If it cannot be planned.
pub async fn sorted(
    state: &SessionState,
    plan: &LogicalPlan,
) -> Result<(Arc<dyn ExecutionPlan>, SessionState)> {
    let mut state = state.clone();
    let config = state.config().clone();
    let parts = config.target_partitions().max(PARTS_MIN);
    *state.config_mut() = config
        .with_target_partitions(parts)
        .set_bool("datafusion.optimizer.prefer_hash_join", false);
    let physical = state.create_physical_plan(plan).await?;
    Ok((physical, state))
}

/// The rows of `first`; those of `second` if the first ends for want of memory before it has any.
pub fn or_else(
    first: SendableRecordBatchStream,
    second: impl Future<Output = Result<SendableRecordBatchStream>> + Send + 'static,
) -> SendableRecordBatchStream {
    let schema = first.schema();
    let begun = stream::once(begun(first, second.boxed())).try_flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, begun))
}

/// The rows of one of the two, once it has some.
async fn begun(
    mut first: SendableRecordBatchStream,
    second: BoxFuture<'static, Result<SendableRecordBatchStream>>,
) -> Result<SendableRecordBatchStream> {
    let schema = first.schema();
    let ahead = loop {
        match first.next().await {
            Some(Ok(batch)) if batch.num_rows() == 0 => {}
            Some(Err(error)) if is_out_of_memory(&error) => {
                // What it holds is what the second needs.
                drop(first);
                return second.await;
            }
            ahead => break ahead,
        }
    };
    let rows = stream::iter(ahead).chain(first);
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
}

/// Whether a query ended for want of memory, so that another plan may do.
fn is_out_of_memory(error: &DataFusionError) -> bool {
    matches!(root(error), DataFusionError::ResourcesExhausted(_))
}
