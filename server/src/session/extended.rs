//! Prepared statements and portals.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::Statement;
use parking_lot::Mutex;

use super::cursors::NAMES_MAX;
use super::state::{Fault, Session};
use crate::query::{Command, Planned, Rows, Snapshot, read};
use crate::values;
use crate::wire::{Bare, Bind, Column, Refusal, Request, Target, state};

/// A statement that is kept.
pub struct Prepared {
    command: Option<Command>,
    given: Vec<u32>,
    /// How it was planned last, if it has rows.
    planned: Option<Mutex<Arc<Planned>>>,
}

/// A statement with its values.
pub struct Portal {
    source: Source,
    columns: Vec<Column>,
}

enum Source {
    Nothing,
    Act(Command),
    Shown(RecordBatch),
    Planned(Box<LogicalPlan>, Arc<Snapshot>),
    Running(Rows),
    Over,
}

impl Session {
    /// Answers a message of the extended protocol.
    pub(super) fn extended(&mut self, request: Request) -> Result<(), Fault> {
        match request {
            Request::Parse { name, sql, types } => self.parse(name, &sql, types),
            Request::Bind(bind) => self.bind(&bind),
            Request::Describe(Target::Statement, name) => self.describe_statement(&name),
            Request::Describe(Target::Portal, name) => self.describe_portal(&name),
            Request::Execute { portal, rows_max } => self.execute(&portal, rows_max),
            Request::Close(target, name) => {
                match target {
                    Target::Statement => drop(self.statements.remove(&name)),
                    Target::Portal => {
                        self.portals.remove(&name);
                        self.cursors.remove(&name);
                    }
                }
                self.channel.replies.bare(Bare::CloseComplete);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn parse(&mut self, name: String, sql: &str, given: Vec<u32>) -> Result<(), Fault> {
        let mut commands = read(sql)?;
        let command = commands.pop();
        if !commands.is_empty() {
            let found = "prepare one statement at a time";
            return Err(Refusal::new(state::SYNTAX_ERROR, found).into());
        }
        self.prepare(name, command, given)?;
        self.channel.replies.bare(Bare::ParseComplete);
        Ok(())
    }

    /// Keeps a statement by its name.
    pub(super) fn prepare(
        &mut self,
        name: String,
        command: Option<Command>,
        given: Vec<u32>,
    ) -> Result<(), Fault> {
        if !name.is_empty() {
            if self.statements.contains_key(&name) {
                let found = format!("there is a prepared statement {name} already");
                return Err(Refusal::new(state::DUPLICATE_PREPARED_STATEMENT, found).into());
            }
            if self.statements.len() >= NAMES_MAX {
                let found = "there are too many prepared statements; deallocate some";
                return Err(Refusal::new(state::PROGRAM_LIMIT_EXCEEDED, found).into());
            }
        }
        let mut planned = None;
        if let Some(command) = &command {
            self.may_go_on(command)?;
            if let Command::Rows(query) = command {
                let snapshot = self.snapshot()?;
                let own = self.plan(query, &given, snapshot)?;
                planned = Some(Mutex::new(Arc::new(own)));
            }
        }
        let prepared = Prepared {
            command,
            given,
            planned,
        };
        self.statements.insert(name, Arc::new(prepared));
        Ok(())
    }

    fn prepared(&self, name: &str) -> Result<Arc<Prepared>, Refusal> {
        self.statements.get(name).cloned().ok_or_else(|| {
            let found = format!("there is no prepared statement {name:?}");
            Refusal::new(state::INVALID_SQL_STATEMENT_NAME, found)
        })
    }

    pub(super) fn deallocate(&mut self, name: Option<&str>) -> Result<(), Fault> {
        match name {
            None => self.statements.clear(),
            Some(name) => {
                self.prepared(name)?;
                self.statements.remove(name);
            }
        }
        Ok(())
    }

    /// The statement that an `EXECUTE` names: one that is kept, and is no `EXECUTE` itself.
    fn executed(&self, name: &str) -> Result<Arc<Prepared>, Refusal> {
        let prepared = self.prepared(name)?;
        if let Some(Command::Execute { .. }) = prepared.command {
            let found = format!("{name:?} is an EXECUTE itself; name what it executes");
            return Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found));
        }
        Ok(prepared)
    }

    fn bind(&mut self, bind: &Bind) -> Result<(), Fault> {
        let prepared = self.prepared(&bind.statement)?;
        let portal = match &prepared.command {
            Some(Command::Execute { .. }) if !bind.values.is_empty() => {
                let found = "an EXECUTE has its values in itself, and takes no others";
                return Err(Refusal::new(state::PROTOCOL_VIOLATION, found).into());
            }
            Some(Command::Execute { name, values }) => {
                let own = execution(values.clone(), bind.binary_columns.clone());
                let executed = self.executed(name)?;
                self.portal(&executed, &own)?
            }
            _ => self.portal(&prepared, bind)?,
        };
        if self.portals.len() >= NAMES_MAX {
            let found = "there are too many portals; close some";
            return Err(Refusal::new(state::PROGRAM_LIMIT_EXCEEDED, found).into());
        }
        self.portals.insert(bind.portal.clone(), portal);
        self.channel.replies.bare(Bare::BindComplete);
        Ok(())
    }

    /// A statement with the values of `bind`.
    fn portal(&mut self, prepared: &Prepared, bind: &Bind) -> Result<Portal, Fault> {
        if let Some(command) = &prepared.command {
            self.may_go_on(command)?;
        }
        Ok(match &prepared.command {
            None => Portal {
                source: Source::Nothing,
                columns: Vec::new(),
            },
            Some(Command::Rows(query)) => {
                let planned = self.renewed(prepared, query)?;
                bound(&planned, bind)?
            }
            Some(Command::Show(name)) => {
                let shown = self.shown(name)?;
                Portal {
                    columns: values::columns(&shown.schema(), &bind.binary_columns)?,
                    source: Source::Shown(shown),
                }
            }
            Some(command) => Portal {
                columns: self.columns_of(command, &bind.binary_columns)?,
                source: Source::Act(command.clone()),
            },
        })
    }

    /// The statement as it is planned for what it sees now: a run may have committed since.
    fn renewed(&mut self, prepared: &Prepared, query: &Statement) -> Result<Arc<Planned>, Refusal> {
        let snapshot = self.snapshot()?;
        let known = prepared.planned.as_ref();
        if let Some(planned) = known.map(|planned| Arc::clone(&planned.lock()))
            && planned.snapshot.number == snapshot.number
        {
            return Ok(planned);
        }
        let planned = Arc::new(self.plan(query, &prepared.given, snapshot)?);
        if let Some(known) = known {
            *known.lock() = Arc::clone(&planned);
        }
        Ok(planned)
    }

    /// Answers `EXECUTE` in a simple query.
    pub(super) fn execute_named(
        &mut self,
        name: &str,
        values: Vec<Option<String>>,
    ) -> Result<(), Fault> {
        let prepared = self.executed(name)?;
        let mut portal = self.portal(&prepared, &execution(values, Vec::new()))?;
        if !portal.columns.is_empty() {
            self.channel.replies.columns(&portal.columns);
        }
        self.run(&mut portal, usize::MAX)
    }

    /// The columns of what is no query: those of a cursor.
    fn columns_of(&self, command: &Command, binary: &[bool]) -> Result<Vec<Column>, Refusal> {
        let Command::Fetch { name, .. } = command else {
            return Ok(Vec::new());
        };
        let mut columns = self.cursor_columns(name)?;
        for (place, column) in columns.iter_mut().enumerate() {
            let wanted = if binary.len() == 1 {
                binary.first()
            } else {
                binary.get(place)
            };
            column.binary = wanted.copied().unwrap_or(false);
        }
        Ok(columns)
    }

    fn describe_statement(&mut self, name: &str) -> Result<(), Fault> {
        let mut prepared = self.prepared(name)?;
        let mut has_values = false;
        if let Some(Command::Execute { name, .. }) = &prepared.command {
            prepared = self.executed(name)?;
            has_values = true;
        }
        let columns = match (&prepared.planned, &prepared.command) {
            (Some(planned), _) => values::columns(&planned.lock().schema, &[])?,
            (None, Some(Command::Show(name))) => values::columns(&self.shown(name)?.schema(), &[])?,
            (None, Some(command)) => self.columns_of(command, &[])?,
            (None, None) => Vec::new(),
        };
        let planned = prepared.planned.as_ref().filter(|_| !has_values);
        let parameters = planned.map_or_else(Vec::new, |planned| planned.lock().parameters.clone());
        self.channel.replies.parameters(&parameters);
        self.describe(&columns);
        Ok(())
    }

    fn describe_portal(&mut self, name: &str) -> Result<(), Fault> {
        // A cursor is a portal, too.
        let columns = match self.portals.get(name) {
            Some(portal) => portal.columns.clone(),
            None if self.cursors.contains_key(name) => self.cursor_columns(name)?,
            None => return Err(no_portal(name).into()),
        };
        self.describe(&columns);
        Ok(())
    }

    fn describe(&mut self, columns: &[Column]) {
        if columns.is_empty() {
            self.channel.replies.bare(Bare::NoData);
        } else {
            self.channel.replies.columns(columns);
        }
    }

    fn execute(&mut self, name: &str, rows_max: usize) -> Result<(), Fault> {
        // Taken out while it runs: one that fails is closed.
        let mut portal = self.portals.remove(name).ok_or_else(|| no_portal(name))?;
        let rows_max = if rows_max == 0 { usize::MAX } else { rows_max };
        self.run(&mut portal, rows_max)?;
        self.portals.insert(name.to_owned(), portal);
        Ok(())
    }

    /// Sends what a portal has, `rows_max` rows at most.
    fn run(&mut self, portal: &mut Portal, rows_max: usize) -> Result<(), Fault> {
        portal.source = match std::mem::replace(&mut portal.source, Source::Over) {
            Source::Nothing => {
                self.channel.replies.bare(Bare::EmptyQuery);
                Source::Nothing
            }
            Source::Act(command) => {
                self.may_go_on(&command)?;
                if let Command::Fetch { name, count } = &command {
                    let sent = self.fetch(name, *count, &portal.columns)?;
                    self.channel.replies.complete(&format!("FETCH {sent}"));
                } else {
                    self.act(command)?;
                }
                Source::Over
            }
            Source::Shown(shown) => {
                self.send_batch(&shown, &portal.columns)?;
                self.channel.replies.complete("SHOW");
                Source::Over
            }
            Source::Planned(plan, snapshot) => {
                let rows = self.begin(&plan, &snapshot)?;
                self.go_on(rows, &portal.columns, rows_max)?
            }
            Source::Running(mut rows) => {
                rows.wind(&self.watch(&|| false));
                self.go_on(rows, &portal.columns, rows_max)?
            }
            Source::Over => {
                self.channel.replies.complete("SELECT 0");
                Source::Over
            }
        };
        Ok(())
    }

    fn go_on(
        &mut self,
        mut rows: Rows,
        columns: &[Column],
        rows_max: usize,
    ) -> Result<Source, Fault> {
        let sent = self.send_rows(&mut rows, columns, rows_max)?;
        if sent == rows_max {
            self.channel.replies.bare(Bare::PortalSuspended);
            return Ok(Source::Running(rows));
        }
        self.channel.replies.complete(&format!("SELECT {sent}"));
        Ok(Source::Over)
    }
}

fn bound(planned: &Planned, bind: &Bind) -> Result<Portal, Refusal> {
    let count = bind.values.len();
    if bind.binary.len() > 1 && bind.binary.len() != count {
        let found = format!("{} formats for {count} parameters", bind.binary.len());
        return Err(Refusal::new(state::PROTOCOL_VIOLATION, found));
    }
    let is_binary = |place: usize| match bind.binary[..] {
        [] => false,
        [all] => all,
        ref each => each[place],
    };
    let places = bind.values.iter().zip(&planned.parameters).enumerate();
    let values = places.map(|(place, (bytes, &oid))| {
        values::parameter(place + 1, oid, is_binary(place), bytes.as_deref())
    });
    let mut values: Vec<_> = values.collect::<Result<_, _>>()?;
    // Too many are counted too, so that they are refused.
    values.resize(count, datafusion::common::ScalarValue::Null);
    Ok(Portal {
        columns: values::columns(&planned.schema, &bind.binary_columns)?,
        source: Source::Planned(
            Box::new(planned.with(values)?),
            Arc::clone(&planned.snapshot),
        ),
    })
}

/// The values of an `EXECUTE`, and how its rows are wanted.
fn execution(values: Vec<Option<String>>, binary_columns: Vec<bool>) -> Bind {
    let values = values.into_iter();
    Bind {
        portal: String::new(),
        statement: String::new(),
        binary: Vec::new(),
        values: values.map(|value| value.map(String::into_bytes)).collect(),
        binary_columns,
    }
}

fn no_portal(name: &str) -> Refusal {
    let found = format!("there is no portal {name:?}");
    Refusal::new(state::INVALID_CURSOR_NAME, found)
}
