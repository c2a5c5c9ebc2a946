//! What a statement asks for. Everything that is no question is refused here, by its kind.

use datafusion::sql::sqlparser::ast::{
    CloseCursor, ContextModifier, CopySource, CopyTarget, DiscardObject, Expr, FetchDirection,
    Ident, Reset, Set, SetExpr, Statement, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use tieout_treasury::check_extent;

use super::form::Form;
use super::prepared;
use crate::wire::{Refusal, state};

/// A statement by what it asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Rows: a query, or an explanation of one.
    Rows(Box<Statement>),
    /// A query that is kept by a name.
    Prepare {
        /// Its name.
        name: String,
        /// OIDs of its parameters' types, as far as they are said.
        types: Vec<u32>,
        /// The query.
        query: Box<Statement>,
    },
    /// Rows of a query that was kept.
    Execute {
        /// Its name.
        name: String,
        /// Its parameters as texts; none for null.
        values: Vec<Option<String>>,
    },
    /// Rows as lines of a file.
    Copy {
        /// The query.
        query: Box<Statement>,
        /// How they are written.
        form: Box<Form>,
    },
    /// A setting's value; none for all.
    Show(String),
    /// A setting.
    Set {
        /// Its name.
        name: String,
        /// Its value; none for the default.
        value: Option<String>,
        /// How long.
        lasting: Lasting,
    },
    /// A setting as it was.
    Reset(String),
    /// All settings as they were.
    ResetAll,
    /// A transaction begins.
    Begin,
    /// It ends.
    Commit,
    /// It ends, or goes back to a savepoint: where nothing is written that is the same.
    Rollback {
        /// Whether it goes back to a savepoint only.
        to_savepoint: bool,
    },
    /// A cursor over a query.
    Declare {
        /// Its name.
        name: String,
        /// Whether it lives on after its transaction.
        hold: bool,
        /// Whether a simple query gets its rows in binary.
        binary: bool,
        /// The query.
        query: Box<Statement>,
    },
    /// Rows of a cursor.
    Fetch {
        /// Its name.
        name: String,
        /// How many.
        count: Fetch,
    },
    /// The end of a cursor; none for all.
    CloseCursor(Option<String>),
    /// The end of a prepared statement; none for all.
    Deallocate(Option<String>),
    /// Everything that the session has.
    DiscardAll,
    /// Something that needs nothing done, and the tag that says it is.
    Nothing(&'static str),
}

/// How long a setting is meant to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// For the session, unless the transaction in which it is made is taken back.
    Session,
    /// Until the end of the transaction.
    Transaction,
}

/// How many rows of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetch {
    /// So many of the next.
    Next(usize),
    /// All that are left.
    All,
}

/// Reads the statements of a text.
///
/// # Errors
/// [`state::SYNTAX_ERROR`] if it is no SQL, [`state::STATEMENT_TOO_COMPLEX`] if there is too much of
/// it, [`state::READ_ONLY_SQL_TRANSACTION`] for what would change something.
pub fn read(sql: &str) -> Result<Vec<Command>, Refusal> {
    check_extent(sql, &PostgreSqlDialect {})?;
    let parsed = Parser::parse_sql(&PostgreSqlDialect {}, sql).map_err(|error| {
        let found = error.to_string();
        let found = found.trim_start_matches("sql parser error: ");
        Refusal::new(
            state::SYNTAX_ERROR,
            format!("the SQL cannot be read: {found}"),
        )
    })?;
    parsed.into_iter().map(command).collect()
}

fn command(statement: Statement) -> Result<Command, Refusal> {
    Ok(match statement {
        Statement::Query(query) => {
            if let SetExpr::Insert(inner)
            | SetExpr::Update(inner)
            | SetExpr::Delete(inner)
            | SetExpr::Merge(inner) = query.body.as_ref()
            {
                return Err(read_only(inner));
            }
            Command::Rows(Box::new(Statement::Query(query)))
        }
        Statement::Explain { ref statement, .. }
            if !matches!(statement.as_ref(), Statement::Query(_)) =>
        {
            return Err(read_only(statement));
        }
        explain @ Statement::Explain { .. } => Command::Rows(Box::new(explain)),
        Statement::Copy {
            source,
            to: true,
            target: CopyTarget::Stdout,
            options,
            legacy_options,
            ..
        } => copy(source, Form::of(options, legacy_options)?)?,
        Statement::Copy { to: true, .. } => {
            let found = "a COPY to a file or program is refused; use COPY ... TO STDOUT";
            return Err(Refusal::new(state::INSUFFICIENT_PRIVILEGE, found));
        }
        Statement::Prepare {
            name,
            data_types,
            statement,
        } => prepared::prepare(name_of(name), &data_types, command(*statement)?)?,
        Statement::Execute {
            name,
            parameters,
            immediate: false,
            ..
        } => prepared::execute(name, &parameters)?,
        Statement::ShowVariable { variable } => {
            let words: Vec<_> = variable
                .iter()
                .map(|word| word.value.to_lowercase())
                .collect();
            Command::Show(match words.join(" ").as_str() {
                "transaction isolation level" => "transaction_isolation".to_owned(),
                "time zone" => "timezone".to_owned(),
                other => other.to_owned(),
            })
        }
        Statement::Set(set) => setting(set)?,
        Statement::Reset(reset) => match reset.reset {
            Reset::ALL => Command::ResetAll,
            Reset::ConfigurationParameter(name) => Command::Reset(name.to_string().to_lowercase()),
        },
        Statement::StartTransaction { .. } => Command::Begin,
        Statement::Commit { .. } => Command::Commit,
        Statement::Rollback { savepoint, .. } => Command::Rollback {
            to_savepoint: savepoint.is_some(),
        },
        Statement::Savepoint { .. } => Command::Nothing("SAVEPOINT"),
        Statement::ReleaseSavepoint { .. } => Command::Nothing("RELEASE"),
        Statement::Discard { object_type } => match object_type {
            DiscardObject::ALL => Command::DiscardAll,
            _ => Command::Nothing("DISCARD"),
        },
        Statement::Deallocate { name, .. } => {
            let name = name_of(name);
            Command::Deallocate((name != "all").then_some(name))
        }
        Statement::LISTEN { .. } => Command::Nothing("LISTEN"),
        Statement::UNLISTEN { .. } => Command::Nothing("UNLISTEN"),
        Statement::Declare { stmts } => declare(stmts)?,
        Statement::Fetch {
            name, direction, ..
        } => Command::Fetch {
            name: name_of(name),
            count: fetch(&direction)?,
        },
        Statement::Close { cursor } => Command::CloseCursor(match cursor {
            CloseCursor::All => None,
            CloseCursor::Specific { name } => Some(name_of(name)),
        }),
        other => return Err(read_only(&other)),
    })
}

fn copy(source: CopySource, form: Form) -> Result<Command, Refusal> {
    let query = match source {
        CopySource::Query(query) => Statement::Query(query),
        CopySource::Table {
            table_name,
            columns,
        } => {
            let names: Vec<_> = columns.iter().map(ToString::to_string).collect();
            let names = if names.is_empty() {
                "*".to_owned()
            } else {
                names.join(", ")
            };
            match read(&format!("select {names} from {table_name}"))?.pop() {
                Some(Command::Rows(query)) => *query,
                _ => {
                    return Err(Refusal::new(
                        state::SYNTAX_ERROR,
                        "there is nothing to copy",
                    ));
                }
            }
        }
    };
    Ok(Command::Copy {
        query: Box::new(query),
        form: Box::new(form),
    })
}

fn setting(set: Set) -> Result<Command, Refusal> {
    match set {
        Set::SingleAssignment {
            scope,
            variable,
            values,
            ..
        } => {
            let words: Vec<_> = values.iter().map(value_text).collect();
            let value = words.join(", ");
            Ok(Command::Set {
                name: variable.to_string().to_lowercase(),
                value: (!value.eq_ignore_ascii_case("default")).then_some(value),
                lasting: lasting(scope == Some(ContextModifier::Local)),
            })
        }
        Set::SetTimeZone { local, value } => Ok(Command::Set {
            name: "timezone".to_owned(),
            value: Some(value_text(&value)),
            lasting: lasting(local),
        }),
        Set::SetNames { charset_name, .. } => Ok(Command::Set {
            name: "client_encoding".to_owned(),
            value: Some(charset_name.value),
            lasting: Lasting::Session,
        }),
        // Whoever asks for the rights of another role would keep their own.
        Set::SetRole {
            role_name: Some(role),
            ..
        } => {
            let found = format!("SET ROLE {role} is not supported; connect as a user who has it");
            Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found))
        }
        Set::SetTransaction { .. } | Set::SetRole { .. } | Set::SetSessionParam(_) => {
            Ok(Command::Nothing("SET"))
        }
        other => {
            let found = format!("{other} is not supported");
            Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found))
        }
    }
}

/// A name: in small letters unless it is quoted.
pub(super) fn name_of(name: Ident) -> String {
    match name.quote_style {
        Some(_) => name.value,
        None => name.value.to_lowercase(),
    }
}

fn lasting(is_local: bool) -> Lasting {
    if is_local {
        Lasting::Transaction
    } else {
        Lasting::Session
    }
}

fn value_text(value: &Expr) -> String {
    match value {
        Expr::Value(ValueWithSpan {
            value: Value::SingleQuotedString(text) | Value::DoubleQuotedString(text),
            ..
        }) => text.clone(),
        Expr::Identifier(word) => word.value.clone(),
        other => other.to_string(),
    }
}

fn declare(stmts: Vec<datafusion::sql::sqlparser::ast::Declare>) -> Result<Command, Refusal> {
    let mut stmts = stmts.into_iter();
    match (stmts.next(), stmts.next()) {
        (Some(one), None) => {
            let name = one.names.into_iter().next().map(name_of);
            match (name, one.for_query) {
                (Some(name), Some(query)) => Ok(Command::Declare {
                    name,
                    hold: one.hold == Some(true),
                    binary: one.binary == Some(true),
                    query: Box::new(Statement::Query(query)),
                }),
                _ => Err(Refusal::new(
                    state::SYNTAX_ERROR,
                    "write DECLARE name CURSOR FOR select ...",
                )),
            }
        }
        _ => Err(Refusal::new(
            state::FEATURE_NOT_SUPPORTED,
            "declare one cursor at a time",
        )),
    }
}

fn fetch(direction: &FetchDirection) -> Result<Fetch, Refusal> {
    let number = |limit: &ValueWithSpan| {
        limit
            .value
            .to_string()
            .parse()
            .map(Fetch::Next)
            .map_err(|_| {
                Refusal::new(
                    state::FEATURE_NOT_SUPPORTED,
                    "cursors go forward only: FETCH FORWARD n",
                )
            })
    };
    match direction {
        FetchDirection::Next | FetchDirection::Forward { limit: None } => Ok(Fetch::Next(1)),
        FetchDirection::Count { limit } | FetchDirection::Forward { limit: Some(limit) } => {
            number(limit)
        }
        FetchDirection::All | FetchDirection::ForwardAll => Ok(Fetch::All),
        _ => Err(Refusal::new(
            state::FEATURE_NOT_SUPPORTED,
            "cursors go forward only: FETCH FORWARD n",
        )),
    }
}

fn read_only(statement: &Statement) -> Refusal {
    let text = statement.to_string();
    let words: Vec<_> = text.split_whitespace().take(2).collect();
    Refusal::new(
        state::READ_ONLY_SQL_TRANSACTION,
        format!(
            "{} is refused: a ledger is only read; write a select",
            words.join(" ")
        ),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_would_change_something_is_refused() {
        for sql in [
            "insert into payments values (1)",
            "delete from payments",
            "update payments set amount = 0",
            "create table t (a int)",
            "create external table t stored as csv location '/etc/passwd'",
            "drop table payments",
            "truncate payments",
            "copy payments from stdin",
            "explain delete from payments",
            "with x as (select 1) insert into payments select * from x",
            "vacuum",
        ] {
            let refusal = read(sql).unwrap_err();
            let states = [state::READ_ONLY_SQL_TRANSACTION, state::SYNTAX_ERROR];
            assert!(states.contains(&refusal.state), "{sql}: {refusal}");
        }
        let refusal = read("copy payments to '/tmp/x'").unwrap_err();
        assert_eq!(refusal.state, state::INSUFFICIENT_PRIVILEGE);
    }

    #[test]
    fn statements_are_told_apart() {
        assert_eq!(read(" ; ").unwrap(), []);
        assert_eq!(
            read("begin; commit").unwrap(),
            [Command::Begin, Command::Commit]
        );
        let set = read("set statement_timeout to '5s'").unwrap();
        let wanted = Command::Set {
            name: "statement_timeout".to_owned(),
            value: Some("5s".to_owned()),
            lasting: Lasting::Session,
        };
        assert_eq!(set, [wanted]);
        for (sql, wanted) in [
            ("set local timezone = 'UTC'", Lasting::Transaction),
            ("set local time zone 'UTC'", Lasting::Transaction),
            ("set session timezone = 'UTC'", Lasting::Session),
        ] {
            let set = read(sql).unwrap();
            assert!(matches!(set[..], [Command::Set { lasting, .. }] if lasting == wanted));
        }
        let show = read("show transaction isolation level").unwrap();
        assert_eq!(show, [Command::Show("transaction_isolation".to_owned())]);
        let fetch = read("fetch forward 100 from \"c\"").unwrap();
        let wanted = Command::Fetch {
            name: "c".to_owned(),
            count: Fetch::Next(100),
        };
        assert_eq!(fetch, [wanted]);
        let copy = read("copy payments to stdout").unwrap();
        assert!(matches!(copy[..], [Command::Copy { .. }]));
    }
}
