//! What a ledger knew at a moment of its past.

use std::path::Path;

use arrow::array::{Int64Array, RecordBatch};
use arrow::compute::cast;
use tieout_core::schema::Table;
use tieout_ledger::{Columns, FileFormat, Folder, Moment};
use tieout_treasury::{BlockingTreasury, Limits};

use crate::EngineError;
use crate::intake::{arrow, column};
use crate::query::open_as_of;

/// A ledger as it was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The last posting that had been recorded.
    pub posting: u64,
    /// When that was, RFC 3339 in UTC.
    pub recorded_at: String,
    /// The postings there are by now.
    pub postings: u64,
    /// Every table.
    pub tables: Vec<KnownTable>,
}

/// One table as it was known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownTable {
    /// Its name.
    pub name: &'static str,
    /// Rows that held then.
    pub rows: u64,
    /// All rows by then, those too that had been taken back.
    pub history: u64,
}

/// What the ledger in `ledger_dir` knew by `moment`. With `out`, every table is written into that
/// folder as it was then.
///
/// # Errors
/// [`EngineError::Ledger`] if there is no ledger, if nothing was recorded by then, or if `out`
/// cannot be written; [`EngineError::Query`] if a table cannot be read.
pub fn known(
    ledger_dir: &Path,
    moment: Moment,
    out: Option<(&Path, FileFormat)>,
) -> Result<Known, EngineError> {
    let now = open_as_of(ledger_dir, None)?;
    let postings = now.postings();
    let ledger = now.as_of(moment)?;
    let treasury = BlockingTreasury::open(&ledger, &Limits::default())?;
    let mut tables = Vec::new();
    for table in Table::ALL {
        tables.push(KnownTable {
            name: table.name(),
            rows: count(&treasury, table.name())?,
            history: count(&treasury, &format!("history.{}", table.name()))?,
        });
    }
    if let Some((dir, format)) = out {
        let mut folder = Folder::create(dir, &Table::ALL, format, Columns::All)?;
        for table in Table::ALL {
            write(&treasury, table, &mut folder)?;
        }
        folder.finish()?;
    }
    let last = ledger.last_event()?;
    Ok(Known {
        posting: ledger.postings(),
        recorded_at: last.map_or_else(String::new, |event| event.at.to_string()),
        postings,
        tables,
    })
}

fn count(treasury: &BlockingTreasury, table: &str) -> Result<u64, EngineError> {
    let sql = format!("select count(*) from {table}");
    let mut rows = 0;
    for batch in treasury.query(&sql)? {
        let batch = batch?;
        rows += column::<Int64Array>(&batch, 0)?
            .values()
            .iter()
            .sum::<i64>() as u64;
    }
    Ok(rows)
}

fn write(
    treasury: &BlockingTreasury,
    table: Table,
    folder: &mut Folder,
) -> Result<(), EngineError> {
    let schema = table.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|it| it.name().as_str())
        .collect();
    let sql = format!("select {} from {}", names.join(", "), table.name());
    for batch in treasury.query(&sql)? {
        let batch = batch?;
        // A query may give text in another layout than tables are written in.
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| cast(column, field.data_type()));
        let columns = columns.collect::<Result<_, _>>().map_err(arrow)?;
        let rows = RecordBatch::try_new(table.schema(), columns).map_err(arrow)?;
        folder.write(table, &rows)?;
    }
    Ok(())
}
