//! A query that runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tieout_treasury::{Patience, or_else, sorted};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::sync::{Notify, oneshot};

use super::books::Snapshot;
use super::cancel::Cancellable;
use super::gate::Pass;
use super::pauses::with_pauses;
use super::room::QueryRoom;
use super::turns::Turns;
use crate::wire::{Refusal, is_disk_full, state};

/// How often it is looked whether the client of a query that gives no rows is still there.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What ends a query before its time.
pub struct Watch<'a> {
    /// Somebody's wish.
    pub cancellable: &'a Cancellable,
    /// The time limit.
    pub time_max: Duration,
    /// Whether the client has gone.
    pub is_gone: &'a (dyn Fn() -> bool + Sync),
}

impl Watch<'_> {
    /// What `work` gives, if nothing ends it.
    ///
    /// # Errors
    /// [`state::QUERY_CANCELED`].
    pub async fn over<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = T>,
    ) -> Result<T, Refusal> {
        let mut work = std::pin::pin!(work);
        let canceled = |why: String| Refusal::new(state::QUERY_CANCELED, why);
        loop {
            tokio::select! {
                biased;
                () = self.cancellable.wanted() => {
                    return Err(canceled("the query was cancelled".to_owned()));
                }
                () = tokio::time::sleep_until(deadline.into()) => return Err(self.late()),
                done = &mut work => return Ok(done),
                () = tokio::time::sleep(LOOK_EVERY) => {
                    if (self.is_gone)() {
                        return Err(canceled("the client is gone".to_owned()).and_end());
                    }
                }
            }
        }
    }

    /// The refusal of a query that has had its time.
    fn late(&self) -> Refusal {
        let why = format!(
            "the query takes longer than the {} s that it may; ask for fewer rows, or raise \
             statement_timeout if the server allows more",
            self.time_max.as_secs_f64()
        );
        Refusal::new(state::QUERY_CANCELED, why)
    }
}

/// What queries have together.
#[derive(Clone, Debug)]
pub struct Means {
    /// Threads.
    pub threads: usize,
    /// Where queries run: apart from clocks and clients, who would wait while all threads work.
    pub works: Handle,
    /// Who works on them.
    pub turns: Arc<Turns>,
    /// Memory.
    pub memory: Memory,
}

impl Means {
    /// In how many parts a query is worked on, of so many that run: as many as threads are free, each
    /// with memory enough for a grouping or a sort that goes to files.
    fn parts(&self, running: usize) -> usize {
        if self.turns.is_run_writing() {
            return 1;
        }
        let by_memory = self.memory.query_bytes_max / PART_BYTES_MIN;
        (self.threads / running.max(1)).min(by_memory).max(1)
    }
}

/// Memory of queries.
#[derive(Clone, Debug)]
pub struct Memory {
    /// That of all.
    pub of_all: Arc<dyn MemoryPool>,
    /// What one of them may have.
    pub query_bytes_max: usize,
}

/// Memory for each part of a query: a sort alone sets 10 MB aside for putting together what it has in
/// files.
const PART_BYTES_MIN: usize = 64 << 20;
/// Batches that wait for a client.
const BATCHES_AHEAD: usize = 2;

/// The rows of a query, batch by batch as they come. The query is planned and runs on a thread of its own,
/// so that one that never pauses keeps neither its client nor other queries waiting; it ends with this.
pub struct Rows {
    batches: Receiver<Result<Option<RecordBatch>, DataFusionError>>,
    ended: Arc<Notify>,
    patience: Patience,
    snapshot: Arc<Snapshot>,
    deadline: Instant,
    query_bytes_max: usize,
    pending: Option<RecordBatch>,
    is_over: bool,
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.patience.give_up();
        self.ended.notify_one();
    }
}

/// The work of a plan in so many parts, and the session's state that says so.
async fn in_parts(
    context: &SessionContext,
    plan: &LogicalPlan,
    parts: usize,
    patience: &Patience,
) -> Result<(Arc<dyn ExecutionPlan>, SessionState), DataFusionError> {
    let mut state = context.state();
    *state.config_mut() = state.config().clone().with_target_partitions(parts);
    patience.rule(&mut state);
    let physical = state.create_physical_plan(plan).await?;
    // An explanation is made of whatever was planned.
    patience.check()?;
    Ok((physical, state))
}

/// What a query is begun with: what it asks, and what it may use.
struct Order {
    plan: LogicalPlan,
    snapshot: Arc<Snapshot>,
    means: Means,
    parts: usize,
    patience: Patience,
}

impl Order {
    /// Plans the query, in its turns. What it gives begins to run it.
    async fn planned(
        self,
    ) -> Result<
        impl FnOnce() -> Result<SendableRecordBatchStream, DataFusionError> + Send + 'static,
        DataFusionError,
    > {
        let means = self.means;
        let begun = async {
            let context = self.snapshot.treasury.context();
            let planned = in_parts(context, &self.plan, self.parts, &self.patience);
            let (hashed, state) = planned.await?;
            let ready = ready(hashed, &state, &means, QueryRoom::of(&means.memory))?;
            Ok::<_, DataFusionError>((ready, state))
        };
        let ((physical, task), state) = means.turns.over(begun).await?;
        let (plan, own) = (self.plan, means.clone());
        let second = async move {
            let (sorted, state) = sorted(&state, &plan).await?;
            let room = QueryRoom::shared_out(&own.memory);
            let (sorted, task) = ready(sorted, &state, &own, room)?;
            execute_stream(sorted, task)
        };
        Ok(move || Ok(or_else(execute_stream(physical, task)?, second)))
    }
}

/// Runs a query until its end, or until nobody wants its rows.
async fn drive(
    begin: impl FnOnce() -> Result<SendableRecordBatchStream, DataFusionError>,
    batches: Sender<Result<Option<RecordBatch>, DataFusionError>>,
    ended: Arc<Notify>,
    turns: Arc<Turns>,
    pass: Pass,
) {
    let mut pass = Some(pass);
    let work = async {
        let mut stream = match begin() {
            Ok(stream) => stream,
            Err(error) => {
                pass = None;
                let _ = batches.send(Err(error)).await;
                return;
            }
        };
        loop {
            let batch = turns.over(stream.next()).await.transpose();
            let is_last = !matches!(batch, Ok(Some(_)));
            if is_last {
                // Before the client knows that it is over, so that it may ask again.
                pass = None;
            }
            if batches.send(batch).await.is_err() || is_last {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = ended.notified() => {}
        () = work => {}
    }
}

/// A plan and what it runs with, `room` for memory.
fn ready(
    plan: Arc<dyn ExecutionPlan>,
    state: &SessionState,
    means: &Means,
    room: QueryRoom,
) -> Result<(Arc<dyn ExecutionPlan>, Arc<TaskContext>), DataFusionError> {
    let parts = state.config().target_partitions();
    let plan = with_pauses(plan, parts > 1, &means.turns)?;
    let runtime = RuntimeEnvBuilder::from_runtime_env(state.runtime_env())
        .with_memory_pool(Arc::new(room))
        .build_arc()?;
    let task = TaskContext::from(state).with_runtime(runtime);
    Ok((plan, Arc::new(task)))
}

impl Rows {
    /// Begins to run `plan`.
    ///
    /// # Errors
    /// A [`Refusal`] if it cannot, or something ends it.
    pub async fn begin(
        plan: &LogicalPlan,
        snapshot: &Arc<Snapshot>,
        means: &Means,
        pass: Pass,
        watch: &Watch<'_>,
    ) -> Result<Self, Refusal> {
        let deadline = Instant::now() + watch.time_max;
        let patience = Patience::until(Some(deadline));
        let order = Order {
            plan: plan.clone(),
            snapshot: Arc::clone(snapshot),
            means: means.clone(),
            parts: means.parts(pass.running()),
            patience: patience.clone(),
        };
        let (sender, batches) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
        let (teller, told) = oneshot::channel();
        let ended = Arc::new(Notify::new());
        let rows = Self {
            batches,
            ended: Arc::clone(&ended),
            patience,
            snapshot: Arc::clone(snapshot),
            deadline,
            query_bytes_max: means.memory.query_bytes_max,
            pending: None,
            is_over: false,
        };
        let turns = Arc::clone(&means.turns);
        let work = async move {
            match order.planned().await {
                Ok(begin) => {
                    let _ = teller.send(Ok(()));
                    drive(begin, sender, ended, turns, pass).await;
                }
                Err(error) => {
                    drop(pass);
                    let _ = teller.send(Err(error));
                }
            }
        };
        let works = means.works.clone();
        means.works.spawn_blocking(move || works.block_on(work));
        match watch.over(deadline, told).await? {
            Ok(Ok(())) => Ok(rows),
            Ok(Err(error)) => Err(rows.refused(&error, watch)),
            Err(_) => Err(broken_off()),
        }
    }

    /// The next rows, `rows_max` at most; none at the end.
    ///
    /// # Errors
    /// A [`Refusal`] if the query cannot go on, or something ends it.
    pub async fn next(
        &mut self,
        rows_max: usize,
        watch: &Watch<'_>,
    ) -> Result<Option<RecordBatch>, Refusal> {
        let batch = loop {
            if let Some(batch) = self.pending.take() {
                break batch;
            }
            if self.is_over {
                return Ok(None);
            }
            match watch.over(self.deadline, self.batches.recv()).await? {
                Some(Ok(None)) => {
                    self.is_over = true;
                    return Ok(None);
                }
                Some(Ok(Some(batch))) if batch.num_rows() == 0 => {}
                Some(Ok(Some(batch))) => break batch,
                None => return Err(broken_off()),
                Some(Err(error)) => return Err(self.refused(&error, watch)),
            }
        };
        if batch.num_rows() <= rows_max {
            return Ok(Some(batch));
        }
        let rest = batch.num_rows() - rows_max;
        self.pending = Some(batch.slice(rows_max, rest));
        Ok(Some(batch.slice(0, rows_max)))
    }

    /// Gives the query its whole time again, for the next rows that a client asks for.
    pub fn wind(&mut self, watch: &Watch<'_>) {
        self.deadline = Instant::now() + watch.time_max;
    }

    fn refused(&self, error: &DataFusionError, watch: &Watch<'_>) -> Refusal {
        let refusal = Refusal::from(self.snapshot.treasury.explain(error));
        if refusal.state == state::QUERY_CANCELED {
            // Planning has seen it before the clock; who gives up hears nothing.
            return watch.late();
        }
        if refusal.state != state::OUT_OF_MEMORY {
            return refusal;
        }
        if is_disk_full(error) {
            let found = "the query needs more temporary files than the server allows; ask for fewer \
                         columns or rows, or group them";
            return Refusal::new(state::DISK_FULL, found);
        }
        Refusal {
            message: format!(
                "the query needs more memory than it may use ({} MB, if nobody else uses it); ask \
                 for fewer columns or rows, or group them",
                self.query_bytes_max >> 20
            ),
            ..refusal
        }
    }
}

fn broken_off() -> Refusal {
    let found = "the query broke off; this is a mistake of the server";
    Refusal::new(state::INTERNAL_ERROR, found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use datafusion::execution::memory_pool::UnboundedMemoryPool;
    use datafusion::physical_plan::ExecutionPlanProperties as _;
    use tieout_ledger::Ledger;
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::query::Gate;

    fn runtime() -> Runtime {
        Builder::new_multi_thread().enable_time().build().unwrap()
    }

    fn means(threads: usize, query_mb: usize, ledger: &Path, runtime: &Runtime) -> Means {
        let works = runtime.handle().clone();
        let turns = Turns::of(threads, ledger.to_owned(), works.clone());
        Means {
            threads,
            works,
            turns: Arc::new(turns),
            memory: Memory {
                of_all: Arc::new(UnboundedMemoryPool::default()),
                query_bytes_max: query_mb << 20,
            },
        }
    }

    #[test]
    fn one_query_has_all_threads_and_several_share_them() {
        let (dir, runtime) = (tempfile::tempdir().unwrap(), runtime());
        let means = means(8, 1024, dir.path(), &runtime);
        let gate = Gate::new(100);
        let mut passes = vec![gate.enter("ann").unwrap()];
        let mut parts = vec![means.parts(passes[0].running())];
        // Whoever asks.
        for user in ["bob", "ann", "cleo", "bob", "ann", "ann", "ann", "dora"] {
            passes.push(gate.enter(user).unwrap());
            parts.push(means.parts(passes[0].running()));
        }
        assert_eq!(parts, [8, 4, 2, 2, 1, 1, 1, 1, 1]);
        passes.truncate(2);
        assert_eq!(means.parts(passes[0].running()), 4);
    }

    #[test]
    fn a_part_that_would_have_less_memory_is_not_made() {
        let (dir, runtime) = (tempfile::tempdir().unwrap(), runtime());
        for (query_mb, parts) in [
            (8 * 64, 8),
            (8 * 64 - 1, 7),
            (2 * 64, 2),
            (2 * 64 - 1, 1),
            (64, 1),
            (1, 1),
        ] {
            let means = means(8, query_mb, dir.path(), &runtime);
            assert_eq!(means.parts(1), parts, "{query_mb} MB");
        }
    }

    #[test]
    fn beside_a_run_there_is_one_part() {
        let (dir, runtime) = (tempfile::tempdir().unwrap(), runtime());
        // Turns of their own each time: what was seen last is good for a moment.
        let parts = || means(8, 1024, dir.path(), &runtime).parts(1);
        assert_eq!(parts(), 8);
        let writer = Ledger::post(dir.path()).unwrap();
        assert_eq!(parts(), 1);
        drop(writer);
        assert_eq!(parts(), 8);
    }

    #[test]
    fn the_work_has_the_parts() {
        let context = SessionContext::new();
        let sql = "select x % 7, count(*) from (values (1), (2), (30), (40)) t(x) group by 1";
        let work = async {
            let plan = context.state().create_logical_plan(sql).await.unwrap();
            for parts in [1, 2, 5] {
                let (physical, state) = in_parts(&context, &plan, parts, &Patience::default())
                    .await
                    .unwrap();
                assert_eq!(state.config().target_partitions(), parts);
                let counted = physical.output_partitioning().partition_count();
                assert_eq!(counted, parts);
            }
        };
        runtime().block_on(work);
    }
}
