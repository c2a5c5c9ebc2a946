//! `tieout sql`: answers a question over the tables that a run has kept.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};
use tieout::{Answer, Cells, Limits, Questions};

use crate::Outcome;
use crate::arguments::{AnswerFormat, SqlArguments};
use crate::failure::Failure;
use crate::ledger;
use crate::shell::shell;

/// Bytes of a megabyte.
const MEGABYTE: usize = 1 << 20;

/// Asks, and prints the answer; opens a shell where there is no question.
pub fn sql(arguments: SqlArguments) -> Result<Outcome, Failure> {
    let limits = Limits {
        memory_bytes: arguments.memory.get().saturating_mul(MEGABYTE),
        time: arguments
            .timeout
            .map(|seconds| Duration::from_secs(seconds.get())),
        allow_paths: arguments.allow_path.clone(),
        allow_urls: arguments.allow_url.clone(),
        ..Limits::default()
    };
    let Some(question) = &arguments.question else {
        return shell(arguments, &limits);
    };
    check_place(arguments.format)?;
    let ledger = ledger::chosen(arguments.ledger)?;
    let questions = Questions::open(&ledger, arguments.as_of, &limits)?;
    print(questions.ask(question)?, arguments.format)
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
    print_to(answer, format, io::stdout())?;
    Ok(Outcome::Clean)
}

/// Writes an answer; one without columns says nothing.
pub fn print_to(
    answer: Answer,
    format: AnswerFormat,
    mut out: impl Write + Send,
) -> Result<(), Failure> {
    let schema = answer.schema();
    if schema.fields().is_empty() {
        return answer
            .into_iter()
            .try_for_each(|batch| Ok(batch.map(drop)?));
    }
    let Some(format) = format.of_file() else {
        let table = table(&schema, answer)?;
        return Ok(writeln!(out, "{table}")?);
    };
    tieout::write_answer(answer, format, &mut out)?;
    Ok(out.flush()?)
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
