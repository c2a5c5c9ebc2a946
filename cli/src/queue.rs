//! `tieout queue`: the payments that a person has to look at.

use std::io::{self, Write};

use tieout::core::Date;
use tieout::{Moment, QueueFilter};

use crate::Outcome;
use crate::arguments::QueueArguments;
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
        today: arguments
            .as_of
            .or_else(|| arguments.known_at.and_then(Moment::date))
            .unwrap_or_else(Date::today),
    };
    let rows = tieout::queue_as_of(&ledger, arguments.known_at, &filter)?;
    let Some(format) = arguments.format.of_file() else {
        let schema = rows.schema();
        let table = table(&schema, std::iter::once(Ok(rows)))?;
        writeln!(io::stdout(), "{table}")?;
        return Ok(Outcome::Clean);
    };
    tieout::write_rows(&rows, format, io::stdout())?;
    io::stdout().flush()?;
    Ok(Outcome::Clean)
}
