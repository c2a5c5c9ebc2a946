//! The words about tables, views and table functions, and the SQL of those that have some.

use std::sync::LazyLock;

use toml::Table as Toml;

/// What a relation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Rows of the ledger.
    Table,
    /// A query by a name.
    View,
    /// A query that needs arguments: `from name(...)`.
    Function,
}

impl Kind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::View => "view",
            Self::Function => "table function",
        }
    }
}

/// A column in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedColumn {
    /// Its name.
    pub name: String,
    /// What it says.
    pub comment: String,
}

/// A parameter of a view or table function: `$name` in its SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it is a date; text otherwise.
    pub is_date: bool,
    /// SQL for its value where none is given.
    pub otherwise: Option<String>,
    /// What it says.
    pub comment: String,
}

/// A table, view or table function in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What its rows are.
    pub comment: String,
    /// Its columns, in their order as far as the words have one.
    pub columns: Vec<DescribedColumn>,
    /// What it can be called with.
    pub parameters: Vec<Parameter>,
}

impl Described {
    /// What a column says.
    pub fn column(&self, name: &str) -> Option<&str> {
        let mut columns = self.columns.iter();
        columns
            .find(|column| column.name == name)
            .map(|column| column.comment.as_str())
    }
}

/// A view or table function with its SQL.
#[derive(Debug)]
pub(crate) struct Query {
    pub described: Described,
    sql: String,
}

impl Query {
    /// The SQL with `arguments` (SQL literals) for the parameters; the rest as they are without.
    /// Where one is not given, `other_view($parameter)` is `other_view`: it has the same default.
    pub fn sql(&self, arguments: &[String]) -> String {
        let mut sql = self.sql.clone();
        let parameters = self.described.parameters.iter().enumerate();
        for (place, parameter) in parameters {
            let written = format!("${}", parameter.name);
            let value = if let Some(value) = arguments.get(place) {
                value.as_str()
            } else {
                sql = sql.replace(&format!("({written})"), "");
                parameter.otherwise.as_deref().unwrap_or("null")
            };
            sql = sql.replace(&written, value);
        }
        sql
    }

    /// How many arguments it cannot be without.
    pub fn needs(&self) -> usize {
        let parameters = self.described.parameters.iter();
        parameters
            .filter(|parameter| parameter.otherwise.is_none())
            .count()
    }
}

/// Every table, view and table function in words.
pub fn relations() -> impl Iterator<Item = &'static Described> {
    static TABLES: LazyLock<Vec<Described>> = LazyLock::new(tables);
    TABLES
        .iter()
        .chain(queries().iter().map(|query| &query.described))
        .chain([super::as_of::described()])
}

/// The views and table functions.
pub(crate) fn queries() -> &'static [Query] {
    static QUERIES: LazyLock<Vec<Query>> = LazyLock::new(|| {
        let files = FILES.iter();
        files.map(|(name, text)| read_query(name, text)).collect()
    });
    &QUERIES
}

/// The view or table function of this name.
pub(crate) fn query(name: &str) -> Option<&'static Query> {
    let mut queries = queries().iter();
    queries.find(|query| query.described.name == name)
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../views/", $name, ".sql")))),*]
    };
}

/// In the order in which people look for them.
const FILES: &[(&str, &str)] = files![
    "cash_position",
    "intraday_position",
    "receivables_ageing",
    "unapplied_cash",
    "exceptions_by_reason",
    "match_rate",
    "deductions",
    "days_sales_outstanding",
    "exposure_by_currency",
    "cash_forecast",
    "bank_fees",
    "statement_completeness",
    "duplicates_prevented",
    "missing_rates",
    "items_open",
    "payer_lateness",
    "stated_balances",
    "own_accounts",
    "books",
    "explain_payment",
    "candidates",
];

fn tables() -> Vec<Described> {
    // A test reads the file, so that it always parses.
    let file: Toml = include_str!("../../catalog/tables.toml")
        .parse()
        .unwrap_or_default();
    file.iter()
        .map(|(name, words)| table(name, words))
        .collect()
}

fn table(name: &str, words: &toml::Value) -> Described {
    let text = |value: &toml::Value| value.as_str().unwrap_or_default().to_owned();
    let columns = words.get("columns").and_then(toml::Value::as_table);
    let columns = columns.into_iter().flatten();
    Described {
        name: name.to_owned(),
        kind: Kind::Table,
        comment: words.get("comment").map(text).unwrap_or_default(),
        columns: columns
            .map(|(name, comment)| DescribedColumn {
                name: name.clone(),
                comment: text(comment),
            })
            .collect(),
        parameters: Vec::new(),
    }
}

/// Reads the words at the head of a view's file: a paragraph on its rows, then `name: words` for
/// each column and `$name date = default: words` for each parameter; lines that begin with more
/// than one blank go on.
fn read_query(name: &str, text: &str) -> Query {
    let split = text.lines().take_while(|line| line.starts_with("--"));
    let head: Vec<&str> = split.collect();
    let sql = text.lines().skip(head.len()).collect::<Vec<_>>().join("\n");
    let (mut comment, mut entries) = (String::new(), Vec::<String>::new());
    let mut is_comment = true;
    for line in head {
        let line = line.trim_start_matches('-');
        let words = line.trim();
        if words.is_empty() {
            is_comment = false;
        } else if is_comment {
            join(&mut comment, words);
        } else if line.starts_with("  ") {
            if let Some(entry) = entries.last_mut() {
                join(entry, words);
            }
        } else {
            entries.push(words.to_owned());
        }
    }
    let mut described = Described {
        name: name.to_owned(),
        kind: Kind::View,
        comment,
        columns: Vec::new(),
        parameters: Vec::new(),
    };
    for entry in &entries {
        let (head, comment) = entry.split_once(": ").unwrap_or((entry, ""));
        match head.strip_prefix('$') {
            Some(head) => described.parameters.push(parameter(head, comment)),
            None => described.columns.push(DescribedColumn {
                name: head.to_owned(),
                comment: comment.to_owned(),
            }),
        }
    }
    let is_function = described
        .parameters
        .iter()
        .any(|parameter| parameter.otherwise.is_none());
    if is_function {
        described.kind = Kind::Function;
    }
    Query { described, sql }
}

fn parameter(head: &str, comment: &str) -> Parameter {
    let (declared, otherwise) = match head.split_once(" = ") {
        Some((declared, otherwise)) => (declared, Some(otherwise.to_owned())),
        None => (head, None),
    };
    let (name, kind) = declared.split_once(' ').unwrap_or((declared, "text"));
    Parameter {
        name: name.to_owned(),
        is_date: kind == "date",
        otherwise,
        comment: comment.to_owned(),
    }
}

fn join(text: &mut String, words: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(words);
}

#[cfg(test)]
mod tests {
    use tieout_core::schema::Table;

    use super::*;

    #[test]
    fn every_table_and_column_has_words() {
        let described = tables();
        let names: Vec<_> = described.iter().map(|table| table.name.as_str()).collect();
        for table in Table::ALL {
            assert!(
                names.contains(&table.name()),
                "{} has no words",
                table.name()
            );
        }
        for table in described {
            assert!(!table.comment.is_empty(), "{}", table.name);
            let known = Table::ALL.iter().find(|known| known.name() == table.name);
            let Some(known) = known else {
                assert_eq!(table.name, super::super::LISTING);
                continue;
            };
            let schema = tieout_ledger::stored_schema(*known);
            let fields: Vec<_> = schema.fields().iter().map(|field| field.name()).collect();
            let columns: Vec<_> = table.columns.iter().map(|column| &column.name).collect();
            for field in &fields {
                let comment = table.column(field).unwrap_or_default();
                assert!(!comment.is_empty(), "{}.{field} has no words", table.name);
            }
            for column in columns {
                assert!(
                    fields.contains(&column),
                    "{}.{column} is not there",
                    table.name
                );
            }
        }
    }

    #[test]
    fn a_head_is_read_in_parts() {
        let text = "-- Rows of\n-- something.\n--\n-- $day date = current_date: The day.\n\
                    -- a: First\n--   part.\n-- b: Second.\nselect 1 as a, $day as b";
        let query = read_query("x", text);
        assert_eq!(query.described.comment, "Rows of something.");
        assert_eq!(query.described.column("a"), Some("First part."));
        assert_eq!(query.described.kind, Kind::View);
        assert_eq!(query.sql(&[]), "select 1 as a, current_date as b");
        let day = "date '2026-03-31'".to_owned();
        assert_eq!(query.sql(&[day]), "select 1 as a, date '2026-03-31' as b");
        assert_eq!(query.needs(), 0);
    }
}
