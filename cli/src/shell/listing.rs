//! What there is: tables, views, functions, columns.

use std::io::{self, Write as _};

use tieout::{Cells, Questions};

use super::pattern::Pattern;
use crate::arguments::AnswerFormat;
use crate::failure::Failure;
use crate::sql;

/// The first column of an answer; nothing of one that there is not.
pub fn words(questions: &Questions, sql: &str) -> Vec<String> {
    let Ok(answer) = questions.ask(sql) else {
        return Vec::new();
    };
    let mut words = Vec::new();
    for batch in answer.flatten() {
        if let Ok(cells) = Cells::of(&batch) {
            words.extend((0..cells.rows()).filter_map(|row| cells.text(row, 0)));
        }
    }
    words
}

/// Lists relations of these kinds, all if there are none, of such names.
pub fn list(questions: &Questions, kinds: &[&str], names: Option<&Pattern>) -> Result<(), Failure> {
    let mut filter = String::new();
    if !kinds.is_empty() {
        filter = format!(" and kind in ({})", quoted(kinds));
    }
    if let Some(names) = names {
        let of_kinds = format!("select relation from catalog where place = 0{filter}");
        let found = meant(names, words(questions, &of_kinds));
        if found.is_empty() {
            return Err(none_of_name(
                kinds.first().unwrap_or(&"table or view"),
                names,
            ));
        }
        filter = format!(" and relation in ({})", quoted(&found));
    }
    let sql = format!(
        "select relation as name, kind, comment from catalog where place = 0{filter} \
         order by kind, relation"
    );
    sql::print_to(questions.ask(&sql)?, AnswerFormat::Table, io::stdout())
}

/// Lists functions of such names, those that give tables too.
pub fn list_functions(questions: &Questions, names: Option<&Pattern>) -> Result<(), Failure> {
    const TABLE_FUNCTION: &str = "table function";
    let is_meant = |name: &str| names.is_none_or(|names| names.is(name));
    let all = tieout::functions();
    let found: Vec<_> = all.iter().filter(|it| is_meant(it.name)).collect();
    for function in &found {
        writeln!(io::stdout(), "{}\n    {}", function.usage, function.comment)?;
    }
    let sql = format!("select relation from catalog where place = 0 and kind = '{TABLE_FUNCTION}'");
    let of_tables = words(questions, &sql).iter().any(|name| is_meant(name));
    match names {
        Some(names) if found.is_empty() && !of_tables => Err(none_of_name("function", names)),
        _ if of_tables => list(questions, &[TABLE_FUNCTION], names),
        _ => Ok(()),
    }
}

/// Tells the columns of relations of such names, with what they say or without.
pub fn describe(
    questions: &Questions,
    names: &Pattern,
    with_comments: bool,
) -> Result<(), Failure> {
    let all = "select relation from catalog where place = 0 order by kind, relation";
    let found = meant(names, words(questions, all));
    if found.is_empty() {
        return Err(none_of_name("table or view", names));
    }
    for (place, name) in found.iter().enumerate() {
        if place > 0 {
            writeln!(io::stdout())?;
        }
        describe_one(questions, name, with_comments)?;
    }
    Ok(())
}

fn describe_one(questions: &Questions, name: &str, with_comments: bool) -> Result<(), Failure> {
    let of_it = format!("from catalog where relation in ({})", quoted(&[name]));
    let about = format!("select kind || ' ' || relation || ': ' || comment {of_it} and place = 0");
    for about in words(questions, &about) {
        writeln!(io::stdout(), "{about}")?;
    }
    let comment = if with_comments { ", comment" } else { "" };
    let sql = format!(
        "select column_name as column, data_type as type{comment} {of_it} and place > 0 \
         order by place"
    );
    sql::print_to(questions.ask(&sql)?, AnswerFormat::Table, io::stdout())
}

fn meant(names: &Pattern, mut all: Vec<String>) -> Vec<String> {
    all.retain(|name| names.is(name));
    all
}

/// Texts as SQL writes them.
fn quoted(texts: &[impl AsRef<str>]) -> String {
    let texts = texts.iter().map(|text| text.as_ref().replace('\'', "''"));
    let texts: Vec<_> = texts.map(|text| format!("'{text}'")).collect();
    texts.join(", ")
}

fn none_of_name(kind: &str, names: &Pattern) -> Failure {
    let lists = if kind == "function" { "\\df" } else { "\\d" };
    Failure::new(format!("there is no {kind} {names}; {lists} lists them"))
}
