//! Questions to a ledger, in SQL.

use std::io::Write;
use std::path::Path;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use tieout_ledger::{FileFormat, Ledger, Moment, TableWriter};
use tieout_treasury::{BlockingTreasury, Canceller, Limits, Rows};

use crate::EngineError;

/// The rows of an answer, batch by batch as they come.
pub struct Answer(pub(crate) Rows);

impl Answer {
    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    /// What stops the query, from any thread.
    pub fn canceller(&self) -> Canceller {
        self.0.canceller()
    }
}

impl Iterator for Answer {
    type Item = Result<RecordBatch, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|batch| batch.map_err(EngineError::from))
    }
}

/// Answers `sql` over the tables of the ledger in `ledger_dir`. It reads, and only there.
///
/// # Errors
/// [`EngineError::Ledger`] if there is no ledger, [`EngineError::Query`] if the text is no query
/// or names what is not there. What goes wrong later comes with the rows.
pub fn query(ledger_dir: &Path, sql: &str) -> Result<Answer, EngineError> {
    query_as_of(ledger_dir, None, sql)
}

/// The same over the tables as they were known by `moment`; by now where none is given.
///
/// # Errors
/// Those of [`query`], and [`EngineError::Ledger`] if nothing was recorded by then.
pub fn query_as_of(
    ledger_dir: &Path,
    moment: Option<Moment>,
    sql: &str,
) -> Result<Answer, EngineError> {
    let ledger = open_as_of(ledger_dir, moment)?;
    let treasury = BlockingTreasury::open(&ledger, &Limits::default())?;
    Ok(Answer(treasury.query(sql)?))
}

/// The ledger in `ledger_dir` as it was known by `moment`.
pub(crate) fn open_as_of(ledger_dir: &Path, moment: Option<Moment>) -> Result<Ledger, EngineError> {
    let ledger = Ledger::open(ledger_dir)?;
    match moment {
        None => Ok(ledger),
        Some(moment) => Ok(ledger.as_of(moment)?),
    }
}

/// Writes an answer as outputs are written, and returns its number of rows. The answer is never
/// in memory as a whole.
///
/// # Errors
/// [`EngineError::Query`] if the query cannot go on, [`EngineError::Answer`] if `out` refuses or
/// two columns have one name and the format knows columns by name.
pub fn write_answer(
    answer: Answer,
    format: FileFormat,
    out: impl Write + Send,
) -> Result<u64, EngineError> {
    let mut writer =
        TableWriter::new(out, &answer.schema(), format).map_err(EngineError::Answer)?;
    for batch in answer {
        writer.write(&batch?).map_err(EngineError::Answer)?;
    }
    let rows = writer.rows();
    writer.finish().map_err(EngineError::Answer)?;
    Ok(rows)
}

/// Writes rows that are in memory as outputs are written.
///
/// # Errors
/// [`EngineError::Answer`] if `out` refuses.
pub fn write_rows(
    rows: &RecordBatch,
    format: FileFormat,
    out: impl Write + Send,
) -> Result<(), EngineError> {
    let written = TableWriter::new(out, &rows.schema(), format).and_then(|mut writer| {
        writer.write(rows)?;
        writer.finish()
    });
    written.map(drop).map_err(EngineError::Answer)
}
