//! A session of queries over one ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{
    CatalogProvider, MemTable, MemoryCatalogProvider, MemorySchemaProvider, SchemaProvider,
    TableProvider,
};
use datafusion::common::ScalarValue;
use datafusion::datasource::file_format::options::ReadOptions as _;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{
    DataFrame, ParquetReadOptions, SQLOptions, SessionConfig, SessionContext, col, lit,
};
use futures::StreamExt;
use futures::stream::{AbortHandle, Abortable};
use tieout_core::schema::Table;
use tieout_ledger::journal::what;
use tieout_ledger::{Kept, Ledger, POSTING, stored_schema};

use crate::QueryError;
use crate::catalog::{AS_OF, AsOf, Public, QueryFunction, queries};
use crate::error::{Clerk, no_session};
use crate::external::Allowed;
use crate::functions::{LOAD_RATES, Rates, scalar_functions};
use crate::shelved;

const CATALOG: &str = "tieout";
const PUBLIC: &str = "public";
/// The schema with every row of every posting, those that no longer hold too.
const HISTORY: &str = "history";
/// Files of each table that are looked into when a ledger is opened, so that a damaged one is named.
const FILES_LOOKED_INTO: usize = 1;

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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            threads: 1,
            time: None,
            allow_paths: Vec::new(),
            allow_urls: Vec::new(),
        }
    }
}

/// Answers SQL over a ledger. It reads: the ledger's tables, the views over them, and files of
/// the folders and object stores that [`Limits`] allows.
pub struct Treasury {
    context: SessionContext,
    allowed: Allowed,
    clerk: Clerk,
    time: Option<Duration>,
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
            .build_arc()
            .map_err(no_session)?;
        let context = SessionContext::new_with_config_rt(config(limits), runtime);
        let catalog = MemoryCatalogProvider::new();
        let public = Arc::new(Public::new(context.state_weak_ref()));
        for (name, schema) in [
            (PUBLIC, public as Arc<dyn SchemaProvider>),
            (HISTORY, Arc::new(MemorySchemaProvider::new())),
        ] {
            catalog.register_schema(name, schema).map_err(no_session)?;
        }
        context.register_catalog(CATALOG, Arc::new(catalog));
        let is_elsewhere = shelved::install(&context, ledger)?;
        allowed.install(&context)?;
        // Reversals first: they say which rows of the others hold.
        register(&context, ledger, is_elsewhere, Table::Reversals).await?;
        for table in Table::ALL {
            if table != Table::Reversals {
                register(&context, ledger, is_elsewhere, table).await?;
            }
        }
        let rates = Arc::new(Rates::default());
        for function in scalar_functions(&rates) {
            context.register_udf(function);
        }
        for query in queries() {
            if !query.described.parameters.is_empty() {
                context.register_udtf(&query.described.name, Arc::new(QueryFunction(query)));
            }
        }
        context.register_udtf(AS_OF, Arc::new(AsOf::of(ledger, limits)));
        if ledger.rows(Table::ExchangeRates) > 0 {
            let rows = async { context.sql(LOAD_RATES).await?.collect().await };
            rates
                .fill(&rows.await.map_err(no_session)?)
                .map_err(no_session)?;
        }
        Ok(Self {
            context,
            allowed,
            clerk: Clerk {
                memory_bytes: limits.memory_bytes,
                seconds: limits.time.map_or(0, |time| time.as_secs()),
            },
            time: limits.time,
            _kept: ledger.kept(),
        })
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
    /// A [`QueryError`] if the text is no query, names what is not there, or would change
    /// anything. What goes wrong later comes with [`Answer::next`].
    pub async fn query(&self, sql: &str) -> Result<Answer, QueryError> {
        self.query_with(sql, &[]).await
    }

    /// Answers a query in which `$1`, `$2`, ... stand for `parameters`.
    ///
    /// # Errors
    /// Those of [`Treasury::query`].
    pub async fn query_with(&self, sql: &str, parameters: &[&str]) -> Result<Answer, QueryError> {
        let deadline = self.time.map(|time| Instant::now() + time);
        let planned = async {
            let plan = self.context.state().create_logical_plan(sql).await?;
            self.allowed.check(&plan)?;
            let frame = self.context.execute_logical_plan(plan).await?;
            bind(frame, parameters)?.execute_stream().await
        };
        let clerk = self.clerk;
        let stream = in_time(deadline, clerk, planned).await?;
        let stream = stream.map_err(|error| clerk.explain(&error))?;
        let schema = stream.schema();
        let (stream, handle) = futures::stream::abortable(stream);
        Ok(Answer {
            stream,
            schema,
            handle,
            clerk,
            deadline,
        })
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
    handle: AbortHandle,
    clerk: Clerk,
    deadline: Option<Instant>,
}

/// Stops the query of an [`Answer`], from any thread.
#[derive(Clone, Debug)]
pub struct Canceller(AbortHandle);

impl Canceller {
    /// Stops it; its next rows are [`QueryError::Cancelled`].
    pub fn cancel(&self) {
        self.0.abort();
    }
}

impl Answer {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// What stops the query.
    pub fn canceller(&self) -> Canceller {
        Canceller(self.handle.clone())
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
            None if self.handle.is_aborted() => Some(Err(QueryError::Cancelled)),
            batch => Some(batch?.map_err(|error| self.clerk.explain(&error))),
        }
    }
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

/// Registers a table under its name with the rows that hold, and in the schema [`HISTORY`] with
/// all of them.
async fn register(
    context: &SessionContext,
    ledger: &Ledger,
    is_elsewhere: bool,
    table: Table,
) -> Result<(), QueryError> {
    let all = if is_elsewhere {
        shelved::provider(context, ledger, table)?
    } else {
        provider(context, &ledger.files(table), table).await?
    };
    let all = match ledger.until() {
        None => all,
        // A file may have rows of later postings too.
        Some(last) => {
            let own = col(POSTING).lt_eq(lit(last));
            let rows = context.read_table(all).and_then(|rows| rows.filter(own));
            rows.map_err(no_session)?.into_view()
        }
    };
    let history = format!("{HISTORY}.{}", table.name());
    context
        .register_table(&history, Arc::clone(&all))
        .map_err(no_session)?;
    let holds = match holding(ledger, table, &history) {
        None => all,
        Some(sql) => {
            let rows = context.sql(&sql).await.map_err(no_session)?;
            rows.into_view()
        }
    };
    context
        .register_table(table.name(), holds)
        .map_err(no_session)?;
    Ok(())
}

/// The rows of a table that hold, in SQL; none if all do.
fn holding(ledger: &Ledger, table: Table, history: &str) -> Option<String> {
    if let Some(key) = delivered_anew(table).filter(|_| ledger.rows(table) > 0) {
        let schema = stored_schema(table);
        let columns: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        let columns = columns.join(", ");
        return Some(format!(
            "select {columns} from (select *, row_number() over (partition by {key} \
             order by posting desc, source_file desc, source_line desc) as place from {history}) t \
             where place = 1"
        ));
    }
    let (what, key) = reversed_by(table).filter(|_| ledger.rows(Table::Reversals) > 0)?;
    Some(format!(
        "select t.* from {history} t left anti join {} r on r.what = '{what}' \
         and r.id = {key} and r.reversed_posting = t.posting",
        Table::Reversals.name()
    ))
}

/// What tells a row of which a later delivery has a newer one.
fn delivered_anew(table: Table) -> Option<&'static str> {
    match table {
        Table::Accounts => Some("account"),
        Table::ExchangeRates => Some("rate_date, base_currency, quote_currency"),
        _ => None,
    }
}

/// What reversals call the rows of a table, and how they name one.
fn reversed_by(table: Table) -> Option<(&'static str, &'static str)> {
    match table {
        Table::Payments
        | Table::Applications
        | Table::Exceptions
        | Table::Duplicates
        | Table::Evidence => Some((what::PAYMENT, "t.payment_id")),
        Table::OpenItems => Some((what::ITEM, "t.item_id")),
        Table::Parties => Some((what::PARTY, "t.party_id")),
        Table::RemittanceLines => Some((
            what::ADVICE,
            "t.source_file || ':' || cast(t.source_line as varchar)",
        )),
        _ => None,
    }
}

/// The rows in `files`, which all have the columns of `table`.
async fn provider(
    context: &SessionContext,
    files: &[PathBuf],
    table: Table,
) -> Result<Arc<dyn TableProvider>, QueryError> {
    let Some(first) = files.first() else {
        return empty(table);
    };
    let unreadable = |path: &Path, found: String| QueryError::Unreadable {
        path: path.to_owned(),
        found,
    };
    let mut urls = Vec::with_capacity(files.len());
    for path in files {
        let whole = path
            .canonicalize()
            .map_err(|error| unreadable(path, error.to_string()))?;
        let url =
            file_url(&whole).ok_or_else(|| unreadable(path, "the path is no UTF-8".to_owned()))?;
        let url = ListingTableUrl::parse(&url)
            .map_err(|error| unreadable(path, error.find_root().to_string()))?;
        urls.push(url);
    }
    // A file of an earlier version lacks columns that came later; they are null.
    let schema = stored_schema(table);
    for (path, url) in files.iter().zip(&urls).take(FILES_LOOKED_INTO) {
        let looked = async {
            let state = context.state();
            let options = listing_options(context);
            options.infer_schema(&state, url).await
        };
        let looked = looked.await;
        looked.map_err(|error| unreadable(path, error.find_root().to_string()))?;
    }
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(listing_options(context))
        .with_schema(schema);
    let listed = ListingTable::try_new(config)
        .map_err(|error| unreadable(first, error.find_root().to_string()))?;
    Ok(Arc::new(listed))
}

/// A table without rows.
pub(crate) fn empty(table: Table) -> Result<Arc<dyn TableProvider>, QueryError> {
    let empty = MemTable::try_new(stored_schema(table), vec![Vec::new()]);
    Ok(Arc::new(empty.map_err(no_session)?))
}

pub(crate) fn listing_options(context: &SessionContext) -> ListingOptions {
    ParquetReadOptions::default()
        .to_listing_options(&context.copied_config(), context.copied_table_options())
}

/// The path as a URL, in which no character of a folder's name can be taken for a pattern.
fn file_url(path: &Path) -> Option<String> {
    let mut url = "file://".to_owned();
    for &byte in path.to_str()?.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.extend(['%', hex_digit(byte >> 4), hex_digit(byte & 15)]);
        }
    }
    Some(url)
}

fn hex_digit(value: u8) -> char {
    char::from_digit(value.into(), 16)
        .unwrap_or('0')
        .to_ascii_uppercase()
}
