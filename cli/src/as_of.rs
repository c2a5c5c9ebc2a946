//! `tieout as-of`: what was known on a day of the past.

use std::io::{self, Write};

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use tieout::{FileFormat, Known};

use crate::Outcome;
use crate::arguments::{AnswerFormat, AsOfArguments};
use crate::failure::Failure;
use crate::{ledger, sql};

/// Answers the question, or lists the tables.
pub fn as_of(arguments: AsOfArguments) -> Result<Outcome, Failure> {
    let dir = ledger::chosen(arguments.ledger)?;
    let format = arguments.format;
    if let Some(question) = &arguments.question {
        sql::check_place(format)?;
        let answer = tieout::query_as_of(&dir, Some(arguments.moment), question)?;
        return sql::print(answer, format);
    }
    let out = arguments.out.as_deref();
    if out.is_none() && format != AnswerFormat::Table {
        return Err(Failure::with_action(
            "a format is for an answer or for tables in a folder",
            "give a select after the day, or --out DIR for every table",
        ));
    }
    let out = out.map(|out| (out, format.of_file().unwrap_or(FileFormat::Csv)));
    let known = tieout::known(&dir, arguments.moment, out)?;
    writeln!(
        io::stdout(),
        "as of {}: posting {} of {}, recorded {}\n{}",
        arguments.moment,
        known.posting,
        known.postings,
        known.recorded_at,
        table(&known)
    )?;
    Ok(Outcome::Clean)
}

fn table(known: &Known) -> Table {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(["table", "rows", "in history"]);
    for own in &known.tables {
        table.add_row([
            own.name.to_owned(),
            own.rows.to_string(),
            own.history.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
