//! `DECLARE`, `FETCH`, `CLOSE`: rows as a client asks for them.

use datafusion::sql::sqlparser::ast::Statement;

use super::state::{Fault, Session};
use crate::query::{Fetch, Rows};
use crate::values;
use crate::wire::{Column, Refusal, Standing, state};

/// Cursors and prepared statements of a session.
pub const NAMES_MAX: usize = 1000;

/// A query whose rows are fetched.
pub struct Cursor {
    /// Whether it lives on after its transaction.
    pub hold: bool,
    /// Its columns, as a simple query gets them.
    pub columns: Vec<Column>,
    rows: Rows,
}

impl Session {
    pub(super) fn declare(
        &mut self,
        name: String,
        hold: bool,
        binary: bool,
        query: &Statement,
    ) -> Result<(), Fault> {
        if self.standing != Standing::Open && !hold {
            let found = "a cursor lives in a transaction; BEGIN first, or declare it WITH HOLD";
            return Err(Refusal::new(state::NO_ACTIVE_SQL_TRANSACTION, found).into());
        }
        if self.cursors.contains_key(&name) {
            let found = format!("there is a cursor {name} already");
            return Err(Refusal::new(state::DUPLICATE_CURSOR, found).into());
        }
        if self.cursors.len() >= NAMES_MAX {
            let found = "there are too many cursors; close some";
            return Err(Refusal::new(state::PROGRAM_LIMIT_EXCEEDED, found).into());
        }
        let snapshot = self.snapshot()?;
        let planned = self.plan(query, &[], snapshot)?;
        let columns = values::columns(&planned.schema, &[binary])?;
        let rows = self.begin(&planned.with(Vec::new())?, &planned.snapshot)?;
        let cursor = Cursor {
            hold,
            columns,
            rows,
        };
        self.cursors.insert(name, cursor);
        Ok(())
    }

    /// The columns of a cursor.
    pub(super) fn cursor_columns(&self, name: &str) -> Result<Vec<Column>, Refusal> {
        let cursor = self.cursors.get(name).ok_or_else(|| no_cursor(name))?;
        Ok(cursor.columns.clone())
    }

    /// Sends rows of a cursor, binary where `binary` says so; how many.
    pub(super) fn fetch(
        &mut self,
        name: &str,
        count: Fetch,
        columns: &[Column],
    ) -> Result<usize, Fault> {
        // Taken out while it runs: one that fails is closed.
        let mut cursor = self.cursors.remove(name).ok_or_else(|| no_cursor(name))?;
        cursor.rows.wind(&self.watch(&|| false));
        let rows_max = match count {
            Fetch::All => usize::MAX,
            Fetch::Next(count) => count,
        };
        let sent = self.send_rows(&mut cursor.rows, columns, rows_max)?;
        self.cursors.insert(name.to_owned(), cursor);
        Ok(sent)
    }

    pub(super) fn close_cursor(&mut self, name: Option<&str>) -> Result<(), Fault> {
        match name {
            None => self.cursors.clear(),
            Some(name) => {
                self.cursors.remove(name).ok_or_else(|| no_cursor(name))?;
            }
        }
        Ok(())
    }
}

fn no_cursor(name: &str) -> Refusal {
    Refusal::new(
        state::INVALID_CURSOR_NAME,
        format!("there is no cursor {name}"),
    )
}
