//! Rows of a ledger by the names of their columns.

use arrow::array::RecordBatch;
use tieout_core::Amount;
use tieout_ledger::Cells;

use crate::EngineError;

/// One row, each cell as text.
pub struct Record {
    cells: Vec<(String, Option<String>)>,
}

impl Record {
    /// The rows of a batch.
    pub fn of(batch: &RecordBatch) -> Result<Vec<Self>, EngineError> {
        let cells = Cells::of(batch).map_err(|error| EngineError::Internal(error.to_string()))?;
        let schema = batch.schema();
        let row = |row: usize| {
            let names = schema.fields().iter().enumerate();
            let cells =
                names.map(|(column, field)| (field.name().clone(), cells.text(row, column)));
            Self {
                cells: cells.collect(),
            }
        };
        Ok((0..batch.num_rows()).map(row).collect())
    }

    /// The text of a column, if it has any.
    pub fn text(&self, name: &str) -> Option<String> {
        let found = self.cells.iter().find(|(column, _)| column == name);
        found
            .and_then(|(_, text)| text.clone())
            .filter(|text| !text.is_empty())
    }

    /// The text of a column that always has one.
    pub fn word(&self, name: &str) -> String {
        self.text(name).unwrap_or_default()
    }

    /// The amount in a column, if there is one.
    pub fn optional_amount(&self, name: &str) -> Option<Amount> {
        self.text(name)?.parse().ok()
    }

    /// The amount in a column that always has one.
    pub fn amount(&self, name: &str) -> Amount {
        self.optional_amount(name).unwrap_or_default()
    }

    /// The count in a column that always has one.
    pub fn count(&self, name: &str) -> u64 {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    /// The ratio in a column that always has one.
    pub fn ratio(&self, name: &str) -> f64 {
        self.text(name)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    /// `file:line`, as the columns of every table say it.
    pub fn place(&self) -> Option<String> {
        let file = self.text("source_file")?;
        Some(format!("{file}:{}", self.count("source_line")))
    }
}
