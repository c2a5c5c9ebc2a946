//! Queries over a small ledger.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "queries/amounts.rs"]
mod amounts;
#[path = "queries/holding.rs"]
mod holding;
#[path = "queries/later.rs"]
mod later;
#[path = "queries/lookups.rs"]
mod lookups;
#[path = "queries/plans.rs"]
mod plans;
#[path = "queries/stores.rs"]
mod stores;
#[path = "queries/totals.rs"]
mod totals;
#[path = "queries/views.rs"]
mod views;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray, UInt64Array,
    new_null_array,
};
use arrow::datatypes::DataType;
use tempfile::TempDir;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_ledger::journal::what;
use tieout_ledger::{Cells, Ledger, Reversed, stored_schema};
use tieout_treasury::{BlockingTreasury, Limits, QueryError, Treasury};

/// Identity, status, customer, amount in hundred-thousandths, day.
type Payment<'a> = (&'a str, &'a str, Option<&'a str>, i128, i32);

const PAYMENTS: [Payment<'_>; 5] = [
    ("a1", "applied", Some("C1"), 10_000_000, 20_528),
    ("a2", "applied", Some("C2"), 25_000_000, 20_529),
    ("b1", "proposed", Some("C1"), 12_345_678, 20_560),
    ("b2", "unidentified", None, 1, 20_560),
    ("b3", "duplicate", Some("C2"), 25_000_000, 20_561),
];

fn payments(rows: &[Payment<'_>]) -> RecordBatch {
    let table = Table::Payments;
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let amounts: Vec<i128> = rows.iter().map(|row| row.3).collect();
        match field.name().as_str() {
            "payment_id" => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.0))),
            "status" => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1))),
            "party_id" => Arc::new(rows.iter().map(|r| r.2).collect::<StringArray>()),
            "booking_date" => Arc::new(Date32Array::from_iter_values(rows.iter().map(|r| r.4))),
            "amount" | "unapplied" => {
                Arc::new(Decimal128Array::from(amounts).with_data_type(AMOUNT_TYPE))
            }
            _ => filler(field.data_type(), field.is_nullable(), rows.len()),
        }
    });
    RecordBatch::try_new(table.schema(), columns.collect()).unwrap()
}

/// A payment of `posting` that a later one decides anew.
fn taken_back(id: &str, posting: u64) -> Reversed {
    Reversed {
        what: what::PAYMENT,
        id: id.to_owned(),
        posting,
    }
}

fn filler(kind: &DataType, nullable: bool, rows: usize) -> ArrayRef {
    match kind {
        _ if nullable => new_null_array(kind, rows),
        DataType::Utf8 => Arc::new(StringArray::from(vec!["x"; rows])),
        DataType::UInt64 => Arc::new(UInt64Array::from(vec![1; rows])),
        DataType::Float64 => Arc::new(Float64Array::from(vec![0.5; rows])),
        _ => Arc::new(Decimal128Array::from(vec![0; rows]).with_data_type(AMOUNT_TYPE)),
    }
}

fn parties(rows: &[(&str, &str)]) -> RecordBatch {
    let table = Table::Parties;
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "party_id" => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.0))),
            "name" => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| r.1))),
            _ => filler(field.data_type(), field.is_nullable(), rows.len()),
        }
    });
    RecordBatch::try_new(table.schema(), columns.collect()).unwrap()
}

/// One rate: a euro is 1.1 dollars.
fn rates() -> RecordBatch {
    let table = Table::ExchangeRates;
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match (field.name().as_str(), field.data_type()) {
            ("base_currency", _) => Arc::new(StringArray::from(vec!["EUR"])),
            ("quote_currency", _) => Arc::new(StringArray::from(vec!["USD"])),
            ("rate_date", _) => Arc::new(Date32Array::from(vec![20_527])),
            ("rate", kind @ DataType::Decimal128(_, scale)) => {
                let rate = 11 * 10_i128.pow(u32::from(scale.unsigned_abs()) - 1);
                Arc::new(Decimal128Array::from(vec![rate]).with_data_type(kind.clone()))
            }
            (_, kind) => filler(kind, field.is_nullable(), 1),
        }
    });
    RecordBatch::try_new(table.schema(), columns.collect()).unwrap()
}

fn write_ledger(dir: &Path) -> Ledger {
    let mut ledger = Ledger::post(dir).unwrap();
    ledger.write(Table::Payments, &payments(&PAYMENTS)).unwrap();
    let named = parties(&[("C1", "Acme Supply"), ("C2", "Bright Harbor")]);
    ledger.write(Table::Parties, &named).unwrap();
    ledger.finish("cash-application").unwrap()
}

/// A ledger that lives as long as its folder.
fn open() -> (TempDir, BlockingTreasury) {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(&dir.path().join("ledger"));
    let treasury = BlockingTreasury::open(&ledger, &Limits::default()).unwrap();
    (dir, treasury)
}

/// Rows as text, cells separated by bars.
fn answer(treasury: &BlockingTreasury, sql: &str) -> Vec<String> {
    let rows = treasury
        .query(sql)
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    let columns = rows.schema().fields().len();
    let mut lines = Vec::new();
    for batch in rows {
        let batch = batch.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let cells = Cells::of(&batch).unwrap();
        for row in 0..cells.rows() {
            let texts = (0..columns).map(|column| cells.text(row, column).unwrap_or_default());
            lines.push(texts.collect::<Vec<_>>().join("|"));
        }
    }
    lines
}

#[track_caller]
fn answers(sql: &str, expected: &[&str]) {
    let (_dir, treasury) = open();
    assert_eq!(answer(&treasury, sql), expected, "{sql}");
}

fn refusal(treasury: &BlockingTreasury, sql: &str) -> QueryError {
    match treasury.query(sql) {
        Err(error) => error,
        Ok(mut rows) => rows
            .find_map(Result::err)
            .unwrap_or_else(|| panic!("{sql} was answered")),
    }
}

#[test]
fn every_table_is_there_with_its_columns_in_order() {
    let (_dir, treasury) = open();
    for table in Table::ALL {
        let rows = treasury
            .query(&format!("select * from {}", table.name()))
            .unwrap();
        let found: Vec<_> = rows
            .schema()
            .fields()
            .iter()
            .map(|f| f.name().clone())
            .collect();
        let schema = stored_schema(table);
        let expected: Vec<_> = schema.fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(found, expected);
    }
    let tables = answer(
        &treasury,
        "select table_name from information_schema.tables where table_schema = 'public' \
         and table_type = 'BASE TABLE'",
    );
    assert_eq!(tables.len(), Table::ALL.len());
}

#[test]
fn sums_of_money_are_exact() {
    answers(
        "select status, count(*), sum(amount) from payments group by 1 order by 1",
        &[
            "applied|2|350.00",
            "duplicate|1|250.00",
            "proposed|1|123.45678",
            "unidentified|1|0.00001",
        ],
    );
    answers("select sum(amount) * 0.1 from payments", &["72.345679"]);
    answers(
        "select count(*) from payments where amount = 123.45678",
        &["1"],
    );
    answers("select round(sum(amount), 2) from payments", &["723.46"]);
    answers(
        "select avg(amount) from payments where status = 'applied'",
        &["175.00"],
    );
}

#[test]
fn sql_has_what_analysts_use() {
    answers(
        "select p.payment_id, c.name from payments p join parties c using (party_id)
         where c.name like 'Acme%' order by 1",
        &["a1|Acme Supply", "b1|Acme Supply"],
    );
    answers(
        "select cast(date_trunc('month', booking_date) as date) as month, count(*) from payments
         group by 1 order by 1",
        &["2026-03-01|2", "2026-04-01|3"],
    );
    answers(
        "select payment_id, row_number() over (partition by status order by amount desc) as place,
                case when amount > 200 then 'large' else 'small' end as size
         from payments where status = 'applied' order by amount",
        &["a1|2|small", "a2|1|large"],
    );
    answers(
        "select upper(left(status, 3)), length(status), regexp_replace(status, 'p+', '_')
         from payments limit 1",
        &["APP|7|a_lied"],
    );
    answers(
        "with totals as (select party_id, sum(amount) as total from payments group by party_id)
         select party_id from totals where total = (select max(total) from totals)",
        &["C2"],
    );
    answers(
        "select booking_date + interval '30 days' from payments limit 1",
        &["2026-04-15"],
    );
    answers(
        "select status from payments group by status having count(*) > 1
         union all select 'none' where 1 = 2",
        &["applied"],
    );
}

#[test]
fn rows_come_in_the_order_of_the_run() {
    answers(
        "select payment_id from payments",
        &["a1", "a2", "b1", "b2", "b3"],
    );
    answers(
        "select status, count(*) from payments group by 1",
        &["applied|2", "proposed|1", "unidentified|1", "duplicate|1"],
    );
}

#[test]
fn parameters_are_values_and_never_sql() {
    let (_dir, treasury) = open();
    let sql = "select payment_id from payments where payment_id >= $1 and payment_id < $2";
    let count = |from, to| {
        let rows = treasury.query_with(sql, &[from, to]).unwrap();
        rows.map(|batch| batch.unwrap().num_rows()).sum::<usize>()
    };
    assert_eq!(count("a", "b"), 2);
    assert_eq!(count("' or 1 = 1 --", "' or 1 = 1 --"), 0);
}

#[test]
fn nothing_can_be_changed() {
    let (dir, treasury) = open();
    let file = dir.path().join("made.csv");
    for sql in [
        "drop table payments".to_owned(),
        "create table t as select 1".to_owned(),
        "create view v as select 1".to_owned(),
        "insert into payments select * from payments".to_owned(),
        "delete from payments".to_owned(),
        "update payments set status = 'applied'".to_owned(),
        "set datafusion.execution.batch_size = 1".to_owned(),
        format!("copy payments to '{}'", file.display()),
        format!("explain analyze copy payments to '{}'", file.display()),
        format!(
            "create external table t stored as csv location '{}'",
            file.display()
        ),
    ] {
        let error = refusal(&treasury, &sql);
        assert!(matches!(error, QueryError::ReadOnly(_)), "{sql}: {error}");
    }
    assert!(!file.exists());
    assert_eq!(answer(&treasury, "select count(*) from payments"), ["5"]);
}

#[test]
fn no_other_file_can_be_read() {
    let (dir, treasury) = open();
    let file = dir.path().join("secret.csv");
    fs::write(&file, "a\n1\n").unwrap();
    let error = refusal(&treasury, &format!("select * from '{}'", file.display()));
    assert!(matches!(error, QueryError::UnknownTable { .. }), "{error}");
    for function in ["read_csv", "read_parquet", "parquet_scan"] {
        refusal(
            &treasury,
            &format!("select * from {function}('{}')", file.display()),
        );
    }
}

#[test]
fn errors_say_what_to_do() {
    let (_dir, treasury) = open();
    for (sql, sentence) in [
        ("selekt 1", "the SQL cannot be read: "),
        (
            "select * from payment",
            "there is no table payment; did you mean payments? The tables and views are ",
        ),
        (
            "select amonut from payments",
            "there is no column amonut; did you mean amount",
        ),
        (
            "select 1 from payments where status = \"Q\"",
            "if it is text, write 'Q'; the columns are payment_id, ",
        ),
        (
            "select party_id from payments p, parties c",
            "column party_id is in more than one of the tables; write it as table.party_id",
        ),
        ("select 1; select 2", "ask one query at a time"),
        ("", "the query has no answer: "),
        ("select nosuch(1)", "nosuch"),
        ("select cast(status as bigint) from payments", "applied"),
    ] {
        let error = refusal(&treasury, sql).to_string();
        assert!(error.contains(sentence), "{sql}: {error}");
        assert!(!error.contains('\n'), "{error}");
    }
}

#[test]
fn memory_has_a_limit() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(dir.path());
    let limits = Limits {
        memory_bytes: 1 << 20,
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    let sql = "select array_agg(a.value) from generate_series(1, 5000000) a";
    let error = refusal(&treasury, sql);
    assert_eq!(error, QueryError::Memory { megabytes: 1 });
}

#[test]
fn a_folder_may_have_any_name() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(&dir.path().join("q1 [2026] *50%?#ü"));
    let treasury = BlockingTreasury::open(&ledger, &Limits::default()).unwrap();
    assert_eq!(answer(&treasury, "select count(*) from payments"), ["5"]);
}

#[test]
fn a_damaged_table_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(dir.path());
    fs::write(&ledger.files(Table::Parties)[0], "not parquet").unwrap();
    let error = BlockingTreasury::open(&ledger, &Limits::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains("parties.parquet"), "{error}");
}

#[tokio::test]
async fn async_callers_have_a_treasury_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(dir.path());
    assert!(matches!(
        BlockingTreasury::open(&ledger, &Limits::default()),
        Err(QueryError::Runtime(_))
    ));
    let treasury = Treasury::open(&ledger, &Limits::default()).await.unwrap();
    let mut answer = treasury
        .query("select payment_id from payments")
        .await
        .unwrap();
    let batch = answer.next().await.unwrap().unwrap();
    assert_eq!(batch.num_rows(), 5);
    assert!(answer.next().await.is_none());
}
