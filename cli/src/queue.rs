//! `tieout queue`: the payments that a person has to look at.

use std::io::{self, Write};

use tieout::core::Date;
use tieout::{FileFormat, QueueFilter};

use crate::Outcome;
use crate::arguments::{AnswerFormat, QueueArguments};
use crate::failure::Failure;
use crate::ledger;
use crate::sql::table;

/// Lists them.
pub fn queue(arguments: QueueArguments) -> Result<Outcome, Failure> {
    let ledger = ledger::chosen(arguments.ledger)?;
    let filter = QueueFilter {
        reason: arguments.reason,
        owner: arguments.owner,
        currency: arguments.currency,
        amount_min: arguments.min,
        age_days_min: arguments.older_than,
        today: arguments.as_of.unwrap_or_else(Date::today),
    };
    let rows = tieout::queue(&ledger, &filter)?;
    let format = match arguments.format {
        AnswerFormat::Table => {
            let schema = rows.schema();
            let table = table(&schema, std::iter::once(Ok(rows)))?;
            writeln!(io::stdout(), "{table}")?;
            return Ok(Outcome::Clean);
        }
        AnswerFormat::Csv => FileFormat::Csv,
        AnswerFormat::Json => FileFormat::Json,
        AnswerFormat::Parquet => FileFormat::Parquet,
    };
    tieout::write_rows(&rows, format, io::stdout())?;
    io::stdout().flush()?;
    Ok(Outcome::Clean)
}
