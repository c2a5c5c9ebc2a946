//! An answer as lists of columns, one list a row.

use std::io::Write;

use tieout::{Cells, EngineError, RecordBatch, Schema};

use crate::failure::Failure;

/// Writes rows as they come. A value of several lines goes on beneath its first.
pub fn write(
    schema: &Schema,
    batches: impl Iterator<Item = Result<RecordBatch, EngineError>>,
    mut out: impl Write,
) -> Result<(), Failure> {
    let names: Vec<_> = schema.fields().iter().map(|field| field.name()).collect();
    let widths = names.iter().map(|name| name.chars().count());
    let width = widths.max().unwrap_or_default();
    let mut number = 0;
    for batch in batches {
        let batch = batch?;
        let cells = Cells::of(&batch).map_err(|error| Failure::new(error.to_string()))?;
        for row in 0..cells.rows() {
            number += 1;
            let head = format!("-[ RECORD {number} ]");
            writeln!(out, "{head:-<rule$}", rule = width + 2)?;
            for (column, name) in names.iter().enumerate() {
                let value = cells.text(row, column).unwrap_or_default();
                let mut name = name.as_str();
                for line in value.split('\n') {
                    let line = format!("{name:width$} | {line}");
                    writeln!(out, "{}", line.trim_end())?;
                    name = "";
                }
            }
        }
    }
    if number == 0 {
        writeln!(out, "(0 rows)")?;
    }
    Ok(out.flush()?)
}
