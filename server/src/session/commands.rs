//! Statements that are answered at once.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::sql::sqlparser::ast::Statement;

use super::copy::Copying;
use super::state::{Fault, Session};
use super::variables::Variables;
use crate::query::{Command, Form, Format, Lasting, Rows};
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
            Command::Execute { name, values } => self.execute_named(&name, values)?,
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
            Command::Copy { query, form } => return self.copy(&query, *form),
            Command::Begin => {
                if self.standing == Standing::Open {
                    let found = "there is already a transaction in progress";
                    self.channel.replies.warning("25001", found);
                }
                self.standing = Standing::Open;
                self.variables.begin();
                "BEGIN"
            }
            Command::Commit => {
                let is_kept = self.standing != Standing::Failed;
                self.end_of_transaction(is_kept);
                if is_kept { "COMMIT" } else { "ROLLBACK" }
            }
            Command::Rollback { to_savepoint } => {
                if !to_savepoint {
                    self.end_of_transaction(false);
                } else if self.standing == Standing::Idle {
                    let found = "a savepoint is in a transaction; BEGIN first";
                    return Err(Refusal::new(state::NO_ACTIVE_SQL_TRANSACTION, found).into());
                } else {
                    self.standing = Standing::Open;
                }
                "ROLLBACK"
            }
            Command::Set {
                name,
                value,
                lasting,
            } => {
                self.set(&name, value.as_deref(), lasting)?;
                "SET"
            }
            Command::Reset(name) => {
                self.set(&name, None, Lasting::Session)?;
                "RESET"
            }
            Command::ResetAll => {
                self.change(Variables::reset);
                "RESET"
            }
            Command::Declare {
                name,
                hold,
                binary,
                query,
            } => {
                self.declare(name, hold, binary, &query)?;
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
                self.change(Variables::reset);
                self.statements.clear();
                self.cursors.clear();
                self.end_of_transaction(true);
                "DISCARD ALL"
            }
            Command::Prepare { name, types, query } => {
                self.prepare(name, Some(Command::Rows(query)), types)?;
                "PREPARE"
            }
            Command::Nothing(tag) => tag,
            Command::Rows(_)
            | Command::Show(_)
            | Command::Fetch { .. }
            | Command::Execute { .. } => return Ok(()),
        };
        self.channel.replies.complete(tag);
        Ok(())
    }

    fn set(&mut self, name: &str, value: Option<&str>, lasting: Lasting) -> Result<(), Refusal> {
        if lasting == Lasting::Transaction && self.standing == Standing::Idle {
            let found = "SET LOCAL is for a transaction, and none is open: nothing is set";
            self.channel.replies.warning("25P01", found);
            return Ok(());
        }
        self.change(|variables| variables.set(name, value, lasting))
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

    fn copy(&mut self, query: &Statement, form: Form) -> Result<(), Fault> {
        let snapshot = self.snapshot()?;
        let planned = self.plan(query, &[], snapshot)?;
        let columns = values::columns(&planned.schema, &[form.format == Format::Binary])?;
        let mut copying = Copying::of(form, &columns)?;
        let mut rows = self.begin(&planned.with(Vec::new())?, &planned.snapshot)?;
        copying.begin(&columns, &mut self.channel.replies);
        let mut sent = 0;
        while let Some(batch) = self.next(&mut rows, usize::MAX)? {
            let began = Instant::now();
            sent += batch.num_rows();
            copying.rows(&batch, &columns, &mut self.channel.replies)?;
            self.channel.flush_if_full()?;
            self.server.means.turns.rest_since(began);
        }
        copying.end(&mut self.channel.replies);
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
