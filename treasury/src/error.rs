//! Why a query has no answer, for the person who wrote it.

use std::path::PathBuf;

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use thiserror::Error;
use tieout_ledger::LedgerError;

use crate::catalog::{Kind, relations};
use crate::patience::Impatience;

/// Names that are offered in place of one that is not there.
const NAMES_MAX: usize = 3;
/// How alike a name must be to be offered (Jaro-Winkler).
const ALIKE: f64 = 0.75;

/// A query without an answer: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// The text is not SQL.
    #[error("the SQL cannot be read: {0}")]
    Syntax(String),
    /// There is more of it than is read.
    #[error("the SQL is too long: {0}")]
    TooLong(String),
    /// It would change something.
    #[error("{0} is refused: a ledger is only read; write a select")]
    ReadOnly(String),
    /// A table that is not there.
    #[error("there is no table {name}; {hint}")]
    UnknownTable {
        /// As written.
        name: String,
        /// What there is.
        hint: String,
    },
    /// A column that is not there.
    #[error("there is no column {name}; {hint}")]
    UnknownColumn {
        /// As written.
        name: String,
        /// What there is.
        hint: String,
    },
    /// A column that several tables have.
    #[error("column {0} is in more than one of the tables; write it as table.{0}")]
    AmbiguousColumn(String),
    /// Not enough memory.
    #[error(
        "the query needs more than the {megabytes} MB of memory that it may use; \
         ask for fewer columns or rows, or group them"
    )]
    Memory {
        /// The limit.
        megabytes: usize,
    },
    /// Not enough time.
    #[error(
        "the query takes longer than the {seconds} s that it may; ask for fewer rows, or give it \
         more time"
    )]
    Time {
        /// The limit.
        seconds: u64,
    },
    /// Somebody stopped it.
    #[error("the query was cancelled")]
    Cancelled,
    /// A folder that was to be allowed.
    #[error("cannot allow the folder {}: {found}; give a folder that is there", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// A table of the user's own that a session was to begin with.
    #[error("cannot join in the table {name}: {found}")]
    OwnTable {
        /// Its name.
        name: String,
        /// What is wrong with it.
        found: String,
    },
    /// Anything else about the query or a value that it met.
    #[error("the query has no answer: {0}")]
    Refused(String),
    /// A table's file is damaged.
    #[error(
        "cannot read {}: {found}; delete the file and ask again, it is made from the journal",
        path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        found: String,
    },
    /// An object store, of the ledger's history or of a table of the user's own.
    #[error("{0}")]
    Store(String),
    /// No session could be started.
    #[error("cannot start to query: {0}")]
    Runtime(String),
}

pub(crate) fn no_runtime(found: &str) -> QueryError {
    QueryError::Runtime(found.to_owned())
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
pub(crate) fn no_session(error: DataFusionError) -> QueryError {
    no_runtime(&error.to_string())
}

/// Turns the engine's errors into sentences.
#[derive(Clone, Copy)]
pub(crate) struct Clerk {
    pub(crate) memory_bytes: usize,
    pub(crate) seconds: u64,
}

impl Clerk {
    pub(crate) fn too_long(self) -> QueryError {
        QueryError::Time {
            seconds: self.seconds,
        }
    }

    pub(crate) fn explain(self, error: &DataFusionError) -> QueryError {
        if let Some(found) = of_store(error) {
            return QueryError::Store(found);
        }
        let root = root(error);
        if let Some(impatience) = Impatience::of(root) {
            return match impatience {
                Impatience::Late => self.too_long(),
                Impatience::GivenUp => QueryError::Cancelled,
            };
        }
        match root {
            DataFusionError::SQL(error, _) => QueryError::Syntax(one_line(&error.to_string())),
            DataFusionError::SchemaError(error, _) => schema_error(error),
            DataFusionError::Plan(found) => plan_error(found),
            DataFusionError::NotImplemented(found) if found.contains("single SQL statement") => {
                QueryError::Refused("ask one query at a time".to_owned())
            }
            DataFusionError::NotImplemented(found) => {
                QueryError::Refused(format!("{} is not supported", one_line(found)))
            }
            DataFusionError::ResourcesExhausted(_) => QueryError::Memory {
                megabytes: self.memory_bytes >> 20,
            },
            DataFusionError::Execution(found) => QueryError::Refused(one_line(found)),
            DataFusionError::ArrowError(found, _) => {
                QueryError::Refused(one_line(&found.to_string()))
            }
            other => QueryError::Refused(one_line(&other.to_string())),
        }
    }
}

/// What the ledger says of a store, however deep it lies in the error.
fn of_store(error: &DataFusionError) -> Option<String> {
    let mut cause: &(dyn std::error::Error + 'static) = error;
    loop {
        if let Some(found) = cause.downcast_ref::<LedgerError>() {
            return Some(found.to_string());
        }
        cause = match cause.downcast_ref::<DataFusionError>() {
            // It names none of them as its source.
            Some(DataFusionError::Collection(errors)) => errors.first()?,
            _ => cause.source()?,
        };
    }
}

/// The first error of a list of them, without its wrappings.
pub(crate) fn root(error: &DataFusionError) -> &DataFusionError {
    match error.find_root() {
        DataFusionError::Collection(errors) => errors.first().map_or(error, root),
        DataFusionError::Diagnostic(_, inner) => root(inner),
        found => found,
    }
}

fn schema_error(error: &SchemaError) -> QueryError {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => unknown_column(field, valid_fields),
        SchemaError::AmbiguousReference { field } => {
            QueryError::AmbiguousColumn(field.name.clone())
        }
        other => QueryError::Refused(one_line(&other.to_string())),
    }
}

fn plan_error(found: &str) -> QueryError {
    let refused = ["DDL", "DML", "Statement"]
        .iter()
        .find_map(|kind| found.strip_prefix(&format!("{kind} not supported: ")));
    if let Some(what) = refused {
        return QueryError::ReadOnly(one_line(what));
    }
    match missing_table(found) {
        Some(name) => unknown_table(name),
        None => QueryError::Refused(one_line(found)),
    }
}

fn missing_table(found: &str) -> Option<&str> {
    let name = found.strip_prefix("table '")?.strip_suffix("' not found")?;
    Some(name.strip_prefix("tieout.public.").unwrap_or(name))
}

fn unknown_table(name: &str) -> QueryError {
    let tables: Vec<_> = relations()
        .filter(|relation| relation.kind != Kind::Function)
        .map(|relation| relation.name.as_str())
        .collect();
    let hint = match nearest(name, tables.iter().copied()).first() {
        Some(near) => format!(
            "did you mean {near}? The tables and views are {}",
            tables.join(", ")
        ),
        None => format!("the tables and views are {}", tables.join(", ")),
    };
    QueryError::UnknownTable {
        name: name.to_owned(),
        hint,
    }
}

fn unknown_column(field: &Column, valid: &[Column]) -> QueryError {
    let near = nearest(&field.name, valid.iter().map(|column| column.name.as_str()));
    let hint = if near.is_empty() {
        format!("if it is text, write '{}'; {}", field.name, columns(valid))
    } else {
        format!("did you mean {}?", near.join(" or "))
    };
    QueryError::UnknownColumn {
        name: field.flat_name(),
        hint,
    }
}

fn columns(valid: &[Column]) -> String {
    let mut names: Vec<_> = valid.iter().map(|column| column.name.as_str()).collect();
    names.dedup();
    if names.is_empty() {
        return "a query without a table has no columns".to_owned();
    }
    format!("the columns are {}", names.join(", "))
}

/// The names most like `name`, the best first.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let mut near: Vec<(f64, &str)> = names
        .map(|other| (strsim::jaro_winkler(&name, other), other))
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter()
        .map(|(_, name)| name)
        .take(NAMES_MAX)
        .collect()
}

fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}
