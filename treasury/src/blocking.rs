//! Queries for callers without an async runtime.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use futures::FutureExt as _;
use parking_lot::Mutex;
use tieout_ledger::Ledger;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::session::{Answer, Canceller, Limits, Treasury};
use crate::{QueryError, error::no_runtime};

/// A [`Treasury`] with a runtime of its own.
pub struct BlockingTreasury {
    treasury: Treasury,
    runtime: Arc<Runtime>,
    /// What stops the query that was begun last.
    last: Arc<Mutex<Option<Canceller>>>,
    /// Interrupts, for whoever waits for the next query.
    interrupted: Arc<Notify>,
}

impl BlockingTreasury {
    /// Opens the tables of `ledger`.
    ///
    /// # Errors
    /// Those of [`Treasury::open`], and [`QueryError::Runtime`] when called from async code,
    /// which should use [`Treasury`].
    pub fn open(ledger: &Ledger, limits: &Limits) -> Result<Self, QueryError> {
        if Handle::try_current().is_ok() {
            return Err(no_runtime("this is async code already; use Treasury"));
        }
        let runtime = Builder::new_multi_thread()
            .worker_threads(limits.threads.max(1))
            .enable_all()
            .thread_name("treasury")
            .build()
            .map_err(|error| no_runtime(&error.to_string()))?;
        let treasury = runtime.block_on(Treasury::open(ledger, limits))?;
        Ok(Self {
            treasury,
            runtime: Arc::new(runtime),
            last: Arc::default(),
            interrupted: Arc::default(),
        })
    }

    /// Sees a later state of the same ledger, see [`Treasury::open_after`].
    ///
    /// # Errors
    /// Those of [`Treasury::open_after`]; the state before is still seen then.
    pub fn open_after(&mut self, ledger: &Ledger) -> Result<(), QueryError> {
        self.treasury = self.runtime.block_on(self.treasury.open_after(ledger))?;
        Ok(())
    }

    /// From now on an interrupt (Ctrl-C) stops the query that was begun last, and not the program.
    pub fn stop_on_interrupt(&self) {
        let last = Arc::clone(&self.last);
        let interrupted = Arc::clone(&self.interrupted);
        self.runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if let Some(query) = last.lock().as_ref() {
                    query.cancel();
                }
                interrupted.notify_one();
            }
        });
    }

    /// Forgets interrupts so far: what they were about is over.
    pub fn begin_to_wait(&self) {
        let _ = self.interrupted.notified().now_or_never();
    }

    /// Waits for `time`, or until an interrupt where [`BlockingTreasury::stop_on_interrupt`] holds, one
    /// since [`BlockingTreasury::begin_to_wait`] too; whether the time went by.
    pub fn wait(&self, time: Duration) -> bool {
        let waited = async { timeout(time, self.interrupted.notified()).await };
        self.runtime.block_on(waited).is_err()
    }

    /// Answers a query.
    ///
    /// # Errors
    /// Those of [`Treasury::query`].
    pub fn query(&self, sql: &str) -> Result<Rows, QueryError> {
        self.query_with(sql, &[])
    }

    /// Answers a query in which `$1`, `$2`, ... stand for `parameters`.
    ///
    /// # Errors
    /// Those of [`Treasury::query`].
    pub fn query_with(&self, sql: &str, parameters: &[&str]) -> Result<Rows, QueryError> {
        let wish = self.treasury.wish();
        *self.last.lock() = Some(wish.canceller.clone());
        let asked = self.treasury.query_once(sql, parameters, wish);
        let answer = self.runtime.block_on(asked)?;
        Ok(Rows {
            answer,
            runtime: Arc::clone(&self.runtime),
        })
    }
}

/// The rows of an answer, batch by batch as they come.
pub struct Rows {
    answer: Answer,
    runtime: Arc<Runtime>,
}

impl Rows {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.answer.schema()
    }

    /// What stops the query.
    pub fn canceller(&self) -> Canceller {
        self.answer.canceller()
    }
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, QueryError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runtime.block_on(self.answer.next())
    }
}
