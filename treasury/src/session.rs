//! A session of queries over one ledger.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
    SchemaProvider,
};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::DefaultObjectStoreRegistry;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{DataFrame, SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use futures::StreamExt;
use futures::stream::{AbortHandle, AbortRegistration, Abortable};
use tieout_core::schema::Table;
use tieout_ledger::{Kept, Ledger};

use crate::QueryError;
use crate::catalog::{AS_OF, AsOf, Public, QueryFunction, queries};
use crate::error::{Clerk, no_session};
use crate::extent::check_extent;
use crate::external::{Allowed, OwnTable, join_in};
use crate::functions::{LOAD_RATES, Rates, ends, scalar_functions};
use crate::lookups::LookupsFirst;
use crate::patience::{Patience, patient};
use crate::shelved;
use crate::sorted::{or_else, sorted};
use crate::tables::{HISTORY, Tables};
use crate::texts::{as_texts, handed_out};
use crate::totals::FromTotals;

const CATALOG: &str = "tieout";
const PUBLIC: &str = "public";

/// What a query may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; larger sorts and groupings go to temporary files.
    pub memory_bytes: usize,
    /// Threads that work on one query. With one, rows come in the same order each time even
    /// where the query asks for none.
    pub threads: usize,
    /// How long a query may take, its rows included.
    pub time: Option<Duration>,
    /// Folders from which `create external table` may read; none unless some are given.
    pub allow_paths: Vec<PathBuf>,
    /// URLs of object stores beneath which `create external table` may read; none unless some are
    /// given.
    pub allow_urls: Vec<String>,
    /// Tables that the session begins with beside those of the ledger. What they are made of is read
    /// anew by each query, but for its columns.
    pub own_tables: Vec<OwnTable>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            threads: 1,
            time: None,
            allow_paths: Vec::new(),
            allow_urls: Vec::new(),
            own_tables: Vec::new(),
        }
    }
}

/// Answers SQL over a ledger. It reads: the ledger's tables, the views over them, and files of
/// the folders and object stores that [`Limits`] allows.
pub struct Treasury {
    context: SessionContext,
    allowed: Allowed,
    clerk: Clerk,
    limits: Limits,
    public: Arc<Public>,
    /// The files stay while they are read.
    _kept: Kept,
}

impl Treasury {
    /// Opens the tables of `ledger`.
    ///
    /// # Errors
    /// A [`QueryError`] if a table's file cannot be read or what is allowed is not there.
    pub async fn open(ledger: &Ledger, limits: &Limits) -> Result<Self, QueryError> {
        let allowed = Allowed::of(&limits.allow_paths, &limits.allow_urls)?;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory_bytes)))
            // A folder of somebody's own has other files tomorrow.
            .with_object_list_cache_limit(0)
            .build_arc()
            .map_err(no_session)?;
        let state = patient(SessionStateBuilder::new_with_default_features())
            .with_config(config(limits))
            .with_runtime_env(runtime)
            .with_query_planner(Arc::new(LookupsFirst))
            .with_optimizer_rule(Arc::new(FromTotals))
            .build();
        let context = SessionContext::new_with_state(state);
        let is_elsewhere = shelved::install(&context, ledger)?;
        allowed.install(&context)?;
        Allowed::named(&limits.own_tables)?.install(&context)?;
        let tables = Tables::open(&context, ledger, is_elsewhere, None).await?;
        let rates = Arc::new(Rates::default());
        for function in scalar_functions(&rates) {
            context.register_udf(function);
        }
        for function in ends() {
            context.register_udaf(function);
        }
        for query in queries() {
            if !query.described.parameters.is_empty() {
                context.register_udtf(&query.described.name, Arc::new(QueryFunction::of(query)));
            }
        }
        let opened = Self {
            clerk: Clerk {
                memory_bytes: limits.memory_bytes,
                seconds: limits.time.map_or(0, |time| time.as_secs()),
            },
            allowed,
            limits: limits.clone(),
            public: catalog(&context, tables, None)?,
            context,
            _kept: ledger.kept(),
        };
        join_in(&opened.context, &limits.own_tables).await?;
        opened.fill(&rates, ledger).await
    }

    /// Opens a later state of the same ledger: its files that are new are opened, what was planned
    /// is taken over, and so is what the session has been given beside the ledger's tables.
    ///
    /// # Errors
    /// Those of [`Treasury::open`].
    pub async fn open_after(&self, ledger: &Ledger) -> Result<Self, QueryError> {
        let before = &self.public;
        let state = self.context.state();
        // Stores of its own: those who still read the state before find their files where they were.
        let runtime = RuntimeEnvBuilder::from_runtime_env(state.runtime_env())
            .with_object_store_registry(Arc::new(DefaultObjectStoreRegistry::new()))
            .build_arc()
            .map_err(no_session)?;
        let state = SessionStateBuilder::new_from_existing(state)
            .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
            .with_runtime_env(runtime)
            .build();
        let context = SessionContext::new_with_state(state);
        let is_elsewhere = shelved::install(&context, ledger)?;
        self.allowed.install(&context)?;
        Allowed::named(&self.limits.own_tables)?.install(&context)?;
        let known = Some(before.stored());
        let tables = Tables::open(&context, ledger, is_elsewhere, known).await?;
        let is_rated_alike = tables.has_same_files(before.stored(), Table::ExchangeRates);
        // Plans have the rates that they were made with.
        let before = is_rated_alike.then_some(before.as_ref());
        let opened = Self {
            clerk: self.clerk,
            allowed: self.allowed.clone(),
            limits: self.limits.clone(),
            public: catalog(&context, tables, before)?,
            context,
            _kept: ledger.kept(),
        };
        opened.public.join_in_those_of(&self.public);
        if is_rated_alike {
            return Ok(opened.with_as_of(ledger));
        }
        let rates = Arc::new(Rates::default());
        for function in scalar_functions(&rates) {
            opened.context.register_udf(function);
        }
        opened.fill(&rates, ledger).await
    }

    fn with_as_of(self, ledger: &Ledger) -> Self {
        let as_of = AsOf::of(ledger, &self.limits);
        self.context.register_udtf(AS_OF, Arc::new(as_of));
        self
    }

    async fn fill(self, rates: &Rates, ledger: &Ledger) -> Result<Self, QueryError> {
        if ledger.rows(Table::ExchangeRates) > 0 {
            let rows = async { self.context.sql(LOAD_RATES).await?.collect().await };
            rates
                .fill(&rows.await.map_err(no_session)?)
                .map_err(no_session)?;
        }
        Ok(self.with_as_of(ledger))
    }

    /// A query that is about to be asked.
    pub(crate) fn wish(&self) -> Wish {
        Wish::new(self.limits.time)
    }

    /// The session, for servers that plan by themselves. It lives as long as the treasury does;
    /// what they run must be held against [`read_only`] first.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// The error of a query that was planned or run in [`Treasury::context`], for people.
    pub fn explain(&self, error: &DataFusionError) -> QueryError {
        self.clerk.explain(error)
    }

    /// Answers a query.
    ///
    /// # Errors
    /// A [`QueryError`] if the text is no query, names what is not there, would change anything, or
    /// takes too long to plan. What goes wrong later comes with [`Answer::next`].
    pub async fn query(&self, sql: &str) -> Result<Answer, QueryError> {
        self.query_with(sql, &[]).await
    }

    /// Answers a query in which `$1`, `$2`, ... stand for `parameters`.
    ///
    /// # Errors
    /// Those of [`Treasury::query`].
    pub async fn query_with(&self, sql: &str, parameters: &[&str]) -> Result<Answer, QueryError> {
        self.query_once(sql, parameters, self.wish()).await
    }

    /// The same for a query that may be stopped from now on.
    pub(crate) async fn query_once(
        &self,
        sql: &str,
        parameters: &[&str],
        wish: Wish,
    ) -> Result<Answer, QueryError> {
        check_extent(sql, &GenericDialect {})?;
        let Wish {
            deadline,
            canceller,
            registration,
        } = wish;
        let patience = &canceller.planning;
        let planned = async {
            let mut state = self.context.state();
            patience.rule(&mut state);
            let plan = state.create_logical_plan(sql).await?;
            self.allowed.check(&plan)?;
            let frame = self.context.execute_logical_plan(plan).await?;
            let (mut state, plan) = bind(frame, parameters)?.into_parts();
            patience.rule(&mut state);
            let hashed = state.create_physical_plan(&plan).await?;
            // An explanation is made of whatever was planned.
            patience.check()?;
            let hashed = execute_stream(hashed, state.task_ctx())?;
            Ok::<_, DataFusionError>(or_else(hashed, async move {
                let (sorted, state) = sorted(&state, &plan).await?;
                execute_stream(sorted, state.task_ctx())
            }))
        };
        let clerk = self.clerk;
        let stream = in_time(deadline, clerk, planned).await?;
        let stream = stream.map_err(|error| clerk.explain(&error))?;
        let schema = as_texts(&stream.schema());
        Ok(Answer {
            stream: Abortable::new(stream, registration),
            schema,
            canceller,
            clerk,
            deadline,
        })
    }
}

/// A query that is about to be asked: until when it is waited for, and what stops it.
pub(crate) struct Wish {
    deadline: Option<Instant>,
    pub(crate) canceller: Canceller,
    registration: AbortRegistration,
}

impl Wish {
    /// For a query that may take so long from now on.
    fn new(time: Option<Duration>) -> Self {
        let deadline = time.map(|time| Instant::now() + time);
        let (rows, registration) = AbortHandle::new_pair();
        let planning = Patience::until(deadline);
        Self {
            deadline,
            canceller: Canceller { planning, rows },
            registration,
        }
    }
}

/// What `work` gives, if it is done before `deadline`.
async fn in_time<T>(
    deadline: Option<Instant>,
    clerk: Clerk,
    work: impl Future<Output = T>,
) -> Result<T, QueryError> {
    match deadline {
        None => Ok(work.await),
        Some(deadline) => tokio::time::timeout_at(deadline.into(), work)
            .await
            .map_err(|_| clerk.too_long()),
    }
}

/// The rows of an answer, as they come.
pub struct Answer {
    stream: Abortable<SendableRecordBatchStream>,
    schema: SchemaRef,
    canceller: Canceller,
    clerk: Clerk,
    deadline: Option<Instant>,
}

/// Stops the query of an [`Answer`], from any thread.
#[derive(Clone, Debug)]
pub struct Canceller {
    planning: Patience,
    rows: AbortHandle,
}

impl Canceller {
    /// Stops it; its next rows are [`QueryError::Cancelled`].
    pub fn cancel(&self) {
        self.planning.give_up();
        self.rows.abort();
    }
}

impl Answer {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What stops the query.
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// The next rows, or none at the end.
    ///
    /// # Errors
    /// A [`QueryError`] if the query cannot go on, because of a value, for want of memory or time,
    /// or because it was cancelled.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        let batch = match in_time(self.deadline, self.clerk, self.stream.next()).await {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error)),
        };
        match batch {
            None if self.canceller.rows.is_aborted() => Some(Err(QueryError::Cancelled)),
            batch => {
                let batch = batch?.and_then(|batch| Ok(handed_out(&batch, &self.schema)?));
                Some(batch.map_err(|error| self.clerk.explain(&error)))
            }
        }
    }
}

/// The catalog of `context`: the tables, and the views over them.
fn catalog(
    context: &SessionContext,
    tables: Tables,
    before: Option<&Public>,
) -> Result<Arc<Public>, QueryError> {
    let tables = Arc::new(tables);
    let catalog = MemoryCatalogProvider::new();
    let history = Arc::new(MemorySchemaProvider::new());
    tables.register(history.as_ref())?;
    let public = Arc::new(Public::new(context.state_weak_ref(), tables, before));
    for (name, schema) in [
        (PUBLIC, Arc::clone(&public) as Arc<dyn SchemaProvider>),
        (HISTORY, history),
    ] {
        catalog.register_schema(name, schema).map_err(no_session)?;
    }
    context.register_catalog(CATALOG, Arc::new(catalog));
    Ok(public)
}

fn config(limits: &Limits) -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, PUBLIC)
        .with_create_default_catalog_and_schema(false)
        .with_target_partitions(limits.threads.max(1))
        // Numbers written in a query stay exact beside amounts.
        .set_bool("datafusion.sql_parser.parse_float_as_decimal", true)
        // One payment among millions is found by its identity alone.
        .set_bool("datafusion.execution.parquet.pushdown_filters", true)
}

/// What statements may do: read.
pub fn read_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

fn bind(frame: DataFrame, parameters: &[&str]) -> Result<DataFrame, DataFusionError> {
    if parameters.is_empty() {
        return Ok(frame);
    }
    let values = parameters.iter().map(|&text| ScalarValue::from(text));
    frame.with_param_values(values.collect::<Vec<_>>())
}
