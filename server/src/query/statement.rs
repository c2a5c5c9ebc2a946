//! What a statement asks for. Everything that is no question is refused here, by its kind.

use datafusion::sql::sqlparser::ast::{
    CloseCursor, CopyOption, CopySource, CopyTarget, DiscardObject, Expr, FetchDirection, Reset,
    Set, SetExpr, Statement, Value, ValueWithSpan,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use tieout_treasury::check_extent;

use crate::wire::{Refusal, state};

/// A statement by what it asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Rows: a query, or an explanation of one.
    Rows(Box<Statement>),
    /// Rows as lines of a file.
    Copy {
        /// The query.
        query: Box<Statement>,
        /// As CSV; as tab-separated text otherwise.
        csv: bool,
        /// With the names of the columns first.
        header: bool,
    },
    /// A setting's value; none for all.
    Show(String),
    /// A setting.
    Set {
        /// Its name.
        name: String,
        /// Its value; none for the default.
        value: Option<String>,
    },
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
            ..
        } => copy(source, &options)?,
        Statement::Copy { to: true, .. } => {
            let found = "a COPY to a file or program is refused; use COPY ... TO STDOUT";
            return Err(Refusal::new(state::INSUFFICIENT_PRIVILEGE, found));
        }
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
            Reset::ConfigurationParameter(name) => Command::Set {
                name: name.to_string().to_lowercase(),
                value: None,
            },
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
            Command::Deallocate((!name.value.eq_ignore_ascii_case("all")).then_some(name.value))
        }
        Statement::LISTEN { .. } => Command::Nothing("LISTEN"),
        Statement::UNLISTEN { .. } => Command::Nothing("UNLISTEN"),
        Statement::Declare { stmts } => declare(stmts)?,
        Statement::Fetch {
            name, direction, ..
        } => Command::Fetch {
            name: name.value,
            count: fetch(&direction)?,
        },
        Statement::Close { cursor } => Command::CloseCursor(match cursor {
            CloseCursor::All => None,
            CloseCursor::Specific { name } => Some(name.value),
        }),
        other => return Err(read_only(&other)),
    })
}

fn copy(source: CopySource, options: &[CopyOption]) -> Result<Command, Refusal> {
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
    let (mut csv, mut header) = (false, false);
    for option in options {
        match option {
            CopyOption::Format(name) if name.value.eq_ignore_ascii_case("csv") => csv = true,
            CopyOption::Format(name) if name.value.eq_ignore_ascii_case("text") => csv = false,
            CopyOption::Header(wanted) => header = *wanted,
            CopyOption::Encoding(name) if name.to_lowercase().replace('-', "") == "utf8" => {}
            other => {
                let found = format!("COPY with {other} is not supported; take FORMAT CSV, HEADER");
                return Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found));
            }
        }
    }
    Ok(Command::Copy {
        query: Box::new(query),
        csv,
        header,
    })
}

fn setting(set: Set) -> Result<Command, Refusal> {
    match set {
        Set::SingleAssignment {
            variable, values, ..
        } => {
            let words: Vec<_> = values.iter().map(value_text).collect();
            let value = words.join(", ");
            Ok(Command::Set {
                name: variable.to_string().to_lowercase(),
                value: (!value.eq_ignore_ascii_case("default")).then_some(value),
            })
        }
        Set::SetTimeZone { value, .. } => Ok(Command::Set {
            name: "timezone".to_owned(),
            value: Some(value_text(&value)),
        }),
        Set::SetNames { charset_name, .. } => Ok(Command::Set {
            name: "client_encoding".to_owned(),
            value: Some(charset_name.value),
        }),
        Set::SetTransaction { .. } | Set::SetRole { .. } | Set::SetSessionParam(_) => {
            Ok(Command::Nothing("SET"))
        }
        other => {
            let found = format!("{other} is not supported");
            Err(Refusal::new(state::FEATURE_NOT_SUPPORTED, found))
        }
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
            let name = one.names.first().map(|name| name.value.clone());
            match (name, one.for_query) {
                (Some(name), Some(query)) => Ok(Command::Declare {
                    name,
                    hold: one.hold == Some(true),
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
        };
        assert_eq!(set, [wanted]);
        let show = read("show transaction isolation level").unwrap();
        assert_eq!(show, [Command::Show("transaction_isolation".to_owned())]);
        let fetch = read("fetch forward 100 from \"c\"").unwrap();
        let wanted = Command::Fetch {
            name: "c".to_owned(),
            count: Fetch::Next(100),
        };
        assert_eq!(fetch, [wanted]);
        let copy = read("copy (select 1) to stdout with (format csv, header)").unwrap();
        assert!(matches!(
            copy[..],
            [Command::Copy {
                csv: true,
                header: true,
                ..
            }]
        ));
    }
}
