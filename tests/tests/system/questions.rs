//! What a user asks after a run: in SQL, and why.

use std::fs;
use std::io::Read;
use std::process::Stdio;
use std::sync::OnceLock;

use tieout::core::schema::Table as Schema;

use crate::command::{self, Told};
use crate::desk::{Desk, Table};
use crate::distributor::folder;

/// The shipped data, run once into a ledger; the tables beside it as CSV.
fn desk() -> &'static Desk {
    static DESK: OnceLock<Desk> = OnceLock::new();
    DESK.get_or_init(|| {
        let desk = Desk::empty();
        let folder = folder();
        let input = folder.to_str().unwrap();
        let told = desk.tieout(&["run", input, "--out", "out", "--ledger", "ledger"]);
        assert!(matches!(told.status, 0 | 3), "{}", told.stderr);
        assert!(
            told.stdout
                .contains("tieout explain PAYMENT_ID --ledger ledger")
        );
        desk
    })
}

fn sql(question: &str, format: &str) -> Told {
    let told = desk().tieout(&["sql", question, "--ledger", "ledger", "--format", format]);
    assert_eq!(told.status, 0, "{question}: {}", told.stderr);
    told
}

#[test]
fn every_table_answers_and_has_the_rows_of_its_file() {
    for table in Schema::OUTPUTS {
        let name = table.name();
        let answer = sql(&format!("select count(*) as n from {name}"), "csv");
        let rows = desk().table(name).rows.len();
        assert_eq!(answer.stdout, format!("n\n{rows}\n"), "{name}");
    }
    for table in Schema::ALL {
        sql(&format!("select * from {} limit 3", table.name()), "table");
    }
}

#[test]
fn the_question_of_the_readme() {
    let question = "select status, count(*), sum(amount) from payments group by 1 order by 1";
    let answer = sql(question, "csv").stdout;
    let payments = desk().table("payments");
    for status in ["applied", "proposed", "duplicate"] {
        let count = payments.rows_where("status", status).len();
        assert!(answer.contains(&format!("\n{status},{count},")), "{answer}");
    }
    let table = sql(question, "table").stdout;
    assert!(
        table.contains("applied") && table.contains("status"),
        "{table}"
    );
}

#[test]
fn answers_as_json_lines_keep_amounts_exact() {
    let question = "select payment_id, amount from payments order by payment_id limit 5";
    let csv = sql(question, "csv").stdout;
    let json = sql(question, "json").stdout;
    assert_eq!(json.lines().count(), 5);
    for (line, row) in json.lines().zip(csv.lines().skip(1)) {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let (id, amount) = row.split_once(',').unwrap();
        assert_eq!(value["payment_id"], id);
        assert_eq!(value["amount"], amount);
    }
}

#[test]
fn answers_as_parquet() {
    let mut command = command::command();
    command.current_dir(desk().path(""));
    command.args([
        "sql",
        "select payment_id from payments",
        "--ledger",
        "ledger",
    ]);
    let output = command.args(["--format", "parquet"]).output().unwrap();
    assert!(output.status.success());
    let file = desk().path("answer.parquet");
    fs::write(&file, output.stdout).unwrap();
    let file = fs::File::open(file).unwrap();
    let reader = parquet::file::reader::SerializedFileReader::new(file).unwrap();
    let rows = parquet::file::reader::FileReader::metadata(&reader)
        .file_metadata()
        .num_rows();
    assert_eq!(rows as usize, desk().table("payments").rows.len());
}

#[test]
fn a_ledger_can_be_named_by_the_environment() {
    let mut command = command::command();
    command
        .current_dir(desk().path(""))
        .env("TIEOUT_LEDGER", "ledger");
    let told: Told = command
        .args(["sql", "select 1 as one"])
        .output()
        .unwrap()
        .into();
    assert_eq!(told.status, 0, "{}", told.stderr);
}

#[test]
fn questions_change_nothing() {
    for statement in [
        "create table x as select 1",
        "insert into payments select * from payments",
        "drop table payments",
        "copy payments to 'stolen.csv'",
        "set datafusion.execution.batch_size = 1",
        "create external table x stored as csv location '/etc/passwd'",
    ] {
        let told = desk().tieout(&["sql", statement, "--ledger", "ledger"]);
        assert_eq!(told.status, 1, "{statement}: {}", told.stdout);
        assert!(
            told.stderr.starts_with("tieout: error: "),
            "{}",
            told.stderr
        );
    }
    assert!(!desk().path("stolen.csv").exists());
}

#[test]
fn mistakes_in_sql_are_told() {
    for (question, told_of) in [
        ("select nothing from payments", "nothing"),
        ("select * from nowhere", "nowhere"),
        ("selekt 1", "selekt"),
    ] {
        let told = desk().tieout(&["sql", question, "--ledger", "ledger"]);
        assert_eq!(told.status, 1, "{question}");
        assert!(told.stderr.contains(told_of), "{}", told.stderr);
    }
}

/// The explanation of the first payment of a status.
fn explained(status: &str) -> (Table, Vec<String>, String) {
    let payments = desk().table("payments");
    let row = payments.rows_where("status", status)[0].to_vec();
    let id = payments.cell(&row, "payment_id").to_owned();
    let told = desk().tieout(&["explain", &id, "--ledger", "ledger"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(told.stdout.contains(&id), "{}", told.stdout);
    let file = payments.cell(&row, "source_file");
    let line = payments.cell(&row, "source_line");
    assert!(
        told.stdout.contains(&format!("{file}:{line}")),
        "{}",
        told.stdout
    );
    (payments, row, told.stdout)
}

#[test]
fn an_applied_payment_is_explained() {
    let (payments, row, text) = explained("applied");
    let applications = desk().table("applications");
    let id = payments.cell(&row, "payment_id");
    for application in applications.rows_where("payment_id", id) {
        let number = applications.cell(application, "item_number");
        assert!(text.contains(number), "no {number} in {text}");
    }
    assert!(text.contains(payments.cell(&row, "rule")), "{text}");
}

#[test]
fn a_payment_that_needs_a_person_is_explained() {
    for status in ["proposed", "unidentified", "duplicate"] {
        let (payments, row, text) = explained(status);
        assert!(text.contains(payments.cell(&row, "reason")), "{text}");
    }
    let (payments, row, text) = explained("duplicate");
    let duplicates = desk().table("duplicates");
    let of = duplicates.rows_where("payment_id", payments.cell(&row, "payment_id"))[0];
    assert!(text.contains(duplicates.cell(of, "duplicate_of")), "{text}");
}

#[test]
fn an_unknown_payment_is_an_error() {
    let unknown = "0".repeat(32);
    let told = desk().tieout(&["explain", &unknown, "--ledger", "ledger"]);
    assert_eq!(told.status, 1);
    assert!(told.stderr.contains(&unknown), "{}", told.stderr);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let question = "select * from transactions a, transactions b";
    let mut command = command::command();
    command.current_dir(desk().path(""));
    command.args(["sql", question, "--ledger", "ledger", "--format", "csv"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut head = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut head).unwrap();
    let told: Told = child.wait_with_output().unwrap().into();
    assert_eq!((told.status, told.stderr.as_str()), (0, ""));
}
