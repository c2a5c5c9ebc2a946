//! `tieout sql`: answers a question over the tables that a run has kept.

use std::io::{self, IsTerminal, Write};

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use tieout::{Answer, Cells, FileFormat};

use crate::Outcome;
use crate::arguments::{AnswerFormat, SqlArguments};
use crate::failure::Failure;
use crate::ledger;

/// Asks, and prints the answer.
pub fn sql(arguments: SqlArguments) -> Result<Outcome, Failure> {
    check_place(arguments.format)?;
    let ledger = ledger::chosen(arguments.ledger)?;
    let answer = tieout::query_as_of(&ledger, arguments.as_of, &arguments.question)?;
    print(answer, arguments.format)
}

/// Parquet is no text.
pub fn check_place(format: AnswerFormat) -> Result<(), Failure> {
    if format == AnswerFormat::Parquet && io::stdout().is_terminal() {
        return Err(Failure::with_action(
            "Parquet is not for a terminal",
            "send it to a file: tieout sql ... --format parquet > answer.parquet",
        ));
    }
    Ok(())
}

/// Prints an answer.
pub fn print(answer: Answer, format: AnswerFormat) -> Result<Outcome, Failure> {
    match format.of_file() {
        None => print_table(answer)?,
        Some(format) => write(answer, format)?,
    }
    Ok(Outcome::Clean)
}

fn write(answer: Answer, format: FileFormat) -> Result<(), Failure> {
    tieout::write_answer(answer, format, io::stdout())?;
    Ok(io::stdout().flush()?)
}

fn print_table(answer: Answer) -> Result<(), Failure> {
    let schema = answer.schema();
    let table = table(&schema, answer)?;
    writeln!(io::stdout(), "{table}")?;
    Ok(())
}

/// The rows in columns for people. All are gathered first, because the widest cells set the
/// columns.
pub fn table(
    schema: &tieout::Schema,
    batches: impl Iterator<Item = Result<tieout::RecordBatch, tieout::EngineError>>,
) -> Result<Table, Failure> {
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN);
    table.set_header(schema.fields().iter().map(|field| field.name().as_str()));
    for batch in batches {
        let batch = batch?;
        let cells = Cells::of(&batch).map_err(|error| Failure::new(error.to_string()))?;
        for row in 0..cells.rows() {
            let texts = (0..batch.num_columns()).map(|column| cells.text(row, column));
            table.add_row(texts.map(Option::unwrap_or_default));
        }
    }
    for (column, field) in table.column_iter_mut().zip(schema.fields()) {
        if field.data_type().is_numeric() {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    Ok(table)
}
