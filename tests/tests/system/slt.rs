//! The `.slt` files (sqllogictest) of every view and function over the shipped data. Their figures come
//! from `tests/slt/figures.py`, which counts them from the tables as files, and not from SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{self, Told, tieout};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A question of a file with the rows that are its answer, each with single blanks.
struct Query {
    line: usize,
    sql: String,
    rows: Vec<String>,
}

/// The data of a file and its questions.
fn read(text: &str) -> (String, Vec<Query>) {
    let mut data = String::new();
    let mut queries: Vec<Query> = Vec::new();
    for block in text.split("\n\n") {
        let line = 1 + text[..block.as_ptr() as usize - text.as_ptr() as usize]
            .matches('\n')
            .count();
        if let Some(named) = block.strip_prefix("# data: ") {
            data.push_str(named.trim());
            continue;
        }
        let (head, rest) = block.split_once('\n').unwrap();
        assert!(
            head.starts_with("query ") && head.ends_with(" rowsort"),
            "line {line}: {head}"
        );
        let (sql, rows) = rest.split_once("\n----").unwrap();
        let rows = rows.trim_start_matches('\n').lines();
        queries.push(Query {
            line,
            sql: sql.to_owned(),
            rows: rows.map(str::to_owned).collect(),
        });
    }
    (data, queries)
}

/// Rows in one order, cells with single blanks.
fn answer(ledger: &Path, query: &Query, file: &str) -> Vec<String> {
    let ledger = ledger.to_str().unwrap();
    let told = tieout(&["sql", &query.sql, "--ledger", ledger, "--format", "csv"]);
    assert_eq!(told.status, 0, "{file}:{}: {}", query.line, told.stderr);
    let mut reader = csv::Reader::from_reader(told.stdout.as_bytes());
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        let cells = row.iter().map(|cell| {
            let words: Vec<_> = cell.split_whitespace().collect();
            if words.is_empty() {
                "NULL".to_owned()
            } else {
                words.join(" ")
            }
        });
        cells.collect::<Vec<_>>().join(" ")
    });
    let mut rows: Vec<_> = rows.collect();
    rows.sort();
    rows
}

fn files() -> BTreeMap<String, String> {
    let entries = fs::read_dir(root().join("tests/slt")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|end| end == "slt"));
    let named = files.map(|path| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    named.collect()
}

#[test]
fn views_and_functions_answer_what_was_counted() {
    let scratch = tempfile::tempdir().unwrap();
    let mut ledgers: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut asked = 0;
    for (name, text) in files() {
        let (data, queries) = read(&text);
        let next = scratch.path().join(ledgers.len().to_string());
        let ledger = ledgers.entry(data.clone()).or_insert_with(|| {
            let mut run = command::command();
            run.current_dir(root())
                .args(["run", &data, "--ledger"])
                .arg(&next);
            let told: Told = run.output().unwrap().into();
            assert!([0, 3].contains(&told.status), "{data}: {}", told.stderr);
            next
        });
        for query in &queries {
            assert_eq!(
                answer(ledger, query, &name),
                query.rows,
                "{name}.slt:{}\n{}",
                query.line,
                query.sql
            );
            asked += 1;
        }
    }
    assert!(asked > 30, "{asked}");
}

#[test]
fn every_view_and_function_has_a_file() {
    let scratch = tempfile::tempdir().unwrap();
    let ledger = scratch.path().join("ledger");
    let data = root().join("datasets/treasury");
    tieout(&[
        "run",
        data.to_str().unwrap(),
        "--ledger",
        ledger.to_str().unwrap(),
    ]);
    let sql = "select distinct relation from catalog where kind in ('view', 'table function')";
    let told = tieout(&[
        "sql",
        sql,
        "--ledger",
        ledger.to_str().unwrap(),
        "--format",
        "csv",
    ]);
    let mut needed: BTreeSet<String> = told.stdout.lines().skip(1).map(str::to_owned).collect();
    assert!(needed.len() > 20, "{needed:?}");
    let functions = tieout::functions();
    needed.extend(functions.iter().map(|function| function.name.to_owned()));
    for name in needed {
        let all = files();
        let text = all
            .get(&name)
            .unwrap_or_else(|| panic!("tests/slt/{name}.slt is missing"));
        let (_, queries) = read(text);
        assert!(
            queries.iter().any(|query| query.sql.contains(&name)),
            "{name}.slt does not ask {name}"
        );
    }
}

/// The figures are those that the plain count gives, where there is a Python to count.
#[test]
fn figures_are_counted_apart() {
    let program = env!("CARGO_MANIFEST_DIR").to_owned() + "/slt/figures.py";
    let mut count = Command::new("python3");
    count.arg(program).arg("--tieout").arg(command::binary());
    match count.output() {
        Ok(told) if told.status.success() => {}
        Ok(told) => panic!(
            "{}{}",
            String::from_utf8_lossy(&told.stdout),
            String::from_utf8_lossy(&told.stderr)
        ),
        Err(error) => eprintln!("not counted: there is no python3 ({error})"),
    }
}
