//! Statements that are answered at once.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::sql::sqlparser::ast::Statement;

use super::copy::Lines;
use super::state::{Fault, Session};
use crate::query::{Command, Rows};
use crate::values::{self, Cells};
use crate::wire::{Bare, Column, Refusal, Standing, state};

impl Session {
    /// Answers one statement of a simple query.
    pub(super) fn answer(&mut self, command: Command) -> Result<(), Fault> {
        self.may_go_on(&command)?;
        match command {
            Command::Rows(query) => {
                let snapshot = self.snapshot()?;
                let planned = self.plan(&query, &[], snapshot)?;
                let columns = values::columns(&planned.schema, &[])?;
                let mut rows = self.begin(&planned.with(Vec::new())?, &planned.snapshot)?;
                self.channel.replies.columns(&columns);
                let sent = self.send_rows(&mut rows, &columns, usize::MAX)?;
                self.channel.replies.complete(&format!("SELECT {sent}"));
            }
            Command::Show(name) => {
                let shown = self.shown(&name)?;
                let columns = values::columns(&shown.schema(), &[])?;
                self.channel.replies.columns(&columns);
                self.send_batch(&shown, &columns)?;
                self.channel.replies.complete("SHOW");
            }
            Command::Fetch { name, count } => {
                let columns = self.cursor_columns(&name)?;
                self.channel.replies.columns(&columns);
                let sent = self.fetch(&name, count, &columns)?;
                self.channel.replies.complete(&format!("FETCH {sent}"));
            }
            other => self.act(other)?,
        }
        Ok(())
    }

    /// In a failed transaction nothing goes on but its end.
    pub(super) fn may_go_on(&self, command: &Command) -> Result<(), Refusal> {
        let is_end = matches!(command, Command::Commit | Command::Rollback { .. });
        if self.standing == Standing::Failed && !is_end {
            let found = "a statement of this transaction failed; ROLLBACK it first";
            return Err(Refusal::new(state::IN_FAILED_SQL_TRANSACTION, found));
        }
        Ok(())
    }

    /// Does what has no rows, and says that it is done.
    pub(super) fn act(&mut self, command: Command) -> Result<(), Fault> {
        let tag = match command {
            Command::Copy { query, csv, header } => return self.copy(&query, csv, header),
            Command::Begin => {
                if self.standing == Standing::Open {
                    let found = "there is already a transaction in progress";
                    self.channel.replies.warning("25001", found);
                }
                self.standing = Standing::Open;
                "BEGIN"
            }
            Command::Commit => {
                let tag = match self.standing {
                    Standing::Failed => "ROLLBACK",
                    _ => "COMMIT",
                };
                self.end_of_transaction();
                tag
            }
            Command::Rollback { to_savepoint } => {
                if to_savepoint {
                    self.standing = Standing::Open;
                } else {
                    self.end_of_transaction();
                }
                "ROLLBACK"
            }
            Command::Set { name, value } => {
                self.set(&name, value.as_deref())?;
                if value.is_some() { "SET" } else { "RESET" }
            }
            Command::ResetAll => {
                self.variables.reset();
                "RESET"
            }
            Command::Declare { name, hold, query } => {
                self.declare(name, hold, &query)?;
                "DECLARE CURSOR"
            }
            Command::CloseCursor(name) => {
                self.close_cursor(name.as_deref())?;
                "CLOSE CURSOR"
            }
            Command::Deallocate(name) => {
                self.deallocate(name.as_deref())?;
                "DEALLOCATE"
            }
            Command::DiscardAll => {
                self.variables.reset();
                self.statements.clear();
                self.cursors.clear();
                self.end_of_transaction();
                "DISCARD ALL"
            }
            Command::Nothing(tag) => tag,
            Command::Rows(_) | Command::Show(_) | Command::Fetch { .. } => return Ok(()),
        };
        self.channel.replies.complete(tag);
        Ok(())
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), Refusal> {
        if let Some(reported) = self.variables.set(name, value)?
            && let Some(value) = self.variables.get(reported)
        {
            self.channel.replies.setting(reported, &value);
        }
        Ok(())
    }

    /// A setting as rows.
    pub(super) fn shown(&self, name: &str) -> Result<RecordBatch, Refusal> {
        let texts = |values: Vec<String>| Arc::new(StringArray::from(values)) as ArrayRef;
        let columns = if name == "all" {
            let (names, values) = self.variables.all().into_iter().unzip();
            vec![("name", texts(names)), ("setting", texts(values))]
        } else {
            let value = self.variables.get(name).ok_or_else(|| {
                let found = format!("there is no setting {name}");
                Refusal::new(state::UNDEFINED_OBJECT, found)
            })?;
            vec![(name, texts(vec![value]))]
        };
        RecordBatch::try_from_iter(columns)
            .map_err(|error| Refusal::new(state::INTERNAL_ERROR, error.to_string()))
    }

    fn copy(&mut self, query: &Statement, csv: bool, header: bool) -> Result<(), Fault> {
        let snapshot = self.snapshot()?;
        let planned = self.plan(query, &[], snapshot)?;
        let columns = values::columns(&planned.schema, &[])?;
        let mut rows = self.begin(&planned.with(Vec::new())?, &planned.snapshot)?;
        let lines = Lines { csv };
        self.channel.replies.copy_out(columns.len());
        if header {
            lines.header(&columns, &mut self.channel.replies);
        }
        let mut sent = 0;
        while let Some(batch) = self.next(&mut rows, usize::MAX)? {
            let began = Instant::now();
            sent += batch.num_rows();
            lines.rows(&batch, &columns, &mut self.channel.replies)?;
            self.channel.flush_if_full()?;
            self.server.means.turns.rest_since(began);
        }
        self.channel.replies.bare(Bare::CopyDone);
        self.channel.replies.complete(&format!("COPY {sent}"));
        Ok(())
    }

    /// Sends `rows_max` rows at most; how many there were.
    pub(super) fn send_rows(
        &mut self,
        rows: &mut Rows,
        columns: &[Column],
        rows_max: usize,
    ) -> Result<usize, Fault> {
        let mut sent = 0;
        while sent < rows_max {
            let Some(batch) = self.next(rows, rows_max - sent)? else {
                break;
            };
            let began = Instant::now();
            sent += batch.num_rows();
            self.send_batch(&batch, columns)?;
            self.server.means.turns.rest_since(began);
        }
        Ok(sent)
    }

    /// Sends the rows of a batch.
    pub(super) fn send_batch(
        &mut self,
        batch: &RecordBatch,
        columns: &[Column],
    ) -> Result<(), Fault> {
        let cells = Cells::of(batch, columns)?;
        let writers = cells.writers()?;
        for row in 0..batch.num_rows() {
            self.channel
                .replies
                .row(writers.len(), |place, out| writers[place].write(row, out));
            self.channel.flush_if_full()?;
        }
        Ok(())
    }
}
