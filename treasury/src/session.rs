//! A session of queries over one ledger.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::catalog::{MemTable, MemorySchemaProvider, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::datasource::file_format::options::ReadOptions as _;
use datafusion::datasource::listing::{ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{
    DataFrame, ParquetReadOptions, SQLOptions, SessionConfig, SessionContext,
};
use futures::StreamExt;
use tieout_core::schema::Table;
use tieout_ledger::journal::what;
use tieout_ledger::{Ledger, stored_schema};

use crate::QueryError;
use crate::error::{Clerk, no_runtime, no_session};

const CATALOG: &str = "tieout";
/// The schema with every row of every posting, those that no longer hold too.
const HISTORY: &str = "history";

/// What a query may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory; larger sorts and groupings go to temporary files.
    pub memory_bytes: usize,
    /// Threads that work on one query. With one, rows come in the same order each time even
    /// where the query asks for none.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 2 << 30,
            threads: 1,
        }
    }
}

/// Answers SQL over a ledger. It reads, and nothing but the ledger's tables.
pub struct Treasury {
    context: SessionContext,
    memory_bytes: usize,
}

impl Treasury {
    /// Opens the tables of `ledger`.
    ///
    /// # Errors
    /// A [`QueryError`] if a table's file cannot be read.
    pub async fn open(ledger: &Ledger, limits: &Limits) -> Result<Self, QueryError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory_bytes)))
            .build_arc()
            .map_err(no_session)?;
        let context = SessionContext::new_with_config_rt(config(limits), runtime);
        let catalog = context
            .catalog(CATALOG)
            .ok_or_else(|| no_runtime(CATALOG))?;
        catalog
            .register_schema(HISTORY, Arc::new(MemorySchemaProvider::new()))
            .map_err(no_session)?;
        // Reversals first: they say which rows of the others hold.
        register(&context, ledger, Table::Reversals).await?;
        for table in Table::ALL {
            if table != Table::Reversals {
                register(&context, ledger, table).await?;
            }
        }
        Ok(Self {
            context,
            memory_bytes: limits.memory_bytes,
        })
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
        let planned = async {
            let frame = self.context.sql_with_options(sql, read_only()).await?;
            bind(frame, parameters)?.execute_stream().await
        };
        let clerk = Clerk {
            memory_bytes: self.memory_bytes,
        };
        match planned.await {
            Ok(stream) => Ok(Answer { stream, clerk }),
            Err(error) => Err(clerk.explain(&error)),
        }
    }
}

/// The rows of an answer, as they come.
pub struct Answer {
    stream: SendableRecordBatchStream,
    clerk: Clerk,
}

impl Answer {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// The next rows, or none at the end.
    ///
    /// # Errors
    /// A [`QueryError`] if the query cannot go on, because of a value or for want of memory.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, QueryError>> {
        let batch = self.stream.next().await?;
        Some(batch.map_err(|error| self.clerk.explain(&error)))
    }
}

fn config(limits: &Limits) -> SessionConfig {
    SessionConfig::new()
        .with_information_schema(true)
        .with_default_catalog_and_schema(CATALOG, "public")
        .with_target_partitions(limits.threads.max(1))
        // Numbers written in a query stay exact beside amounts.
        .set_bool("datafusion.sql_parser.parse_float_as_decimal", true)
        // One payment among millions is found by its identity alone.
        .set_bool("datafusion.execution.parquet.pushdown_filters", true)
}

fn read_only() -> SQLOptions {
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
    table: Table,
) -> Result<(), QueryError> {
    let all = provider(context, &ledger.files(table), table).await?;
    let history = format!("{HISTORY}.{}", table.name());
    context
        .register_table(&history, Arc::clone(&all))
        .map_err(no_session)?;
    let holds = match reversed_by(table).filter(|_| ledger.rows(Table::Reversals) > 0) {
        None => all,
        Some((what, key)) => {
            let sql = format!(
                "select t.* from {history} t left anti join {} r on r.what = '{what}' \
                 and r.id = {key} and r.reversed_posting = t.posting",
                Table::Reversals.name()
            );
            let rows = context.sql(&sql).await.map_err(no_session)?;
            rows.into_view()
        }
    };
    context
        .register_table(table.name(), holds)
        .map_err(no_session)?;
    Ok(())
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
        let empty = MemTable::try_new(stored_schema(table), vec![Vec::new()]);
        return Ok(Arc::new(empty.map_err(no_session)?));
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
    let listed = async {
        let state = context.state();
        let options = ParquetReadOptions::default()
            .to_listing_options(&context.copied_config(), context.copied_table_options());
        let Some(one) = urls.first() else {
            return Err(DataFusionError::Internal("no files".to_owned()));
        };
        let schema = options.infer_schema(&state, one).await?;
        let config = ListingTableConfig::new_with_multi_paths(urls)
            .with_listing_options(options)
            .with_schema(schema);
        ListingTable::try_new(config)
    };
    let listed = listed
        .await
        .map_err(|error| unreadable(first, error.find_root().to_string()))?;
    Ok(Arc::new(listed))
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
