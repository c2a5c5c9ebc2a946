//! Queries for callers without an async runtime.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use tieout_ledger::Ledger;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::session::{Answer, Canceller, Limits, Treasury};
use crate::{QueryError, error::no_runtime};

/// A [`Treasury`] with a runtime of its own.
pub struct BlockingTreasury {
    treasury: Treasury,
    runtime: Arc<Runtime>,
    /// What stops the query that was begun last.
    last: Arc<Mutex<Option<Canceller>>>,
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
        })
    }

    /// From now on an interrupt (Ctrl-C) stops the query that was begun last, and not the program.
    pub fn stop_on_interrupt(&self) {
        let last = Arc::clone(&self.last);
        self.runtime.spawn(async move {
            while tokio::signal::ctrl_c().await.is_ok() {
                if let Some(query) = last.lock().as_ref() {
                    query.cancel();
                }
            }
        });
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
        let answer = self
            .runtime
            .block_on(self.treasury.query_with(sql, parameters))?;
        *self.last.lock() = Some(answer.canceller());
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
