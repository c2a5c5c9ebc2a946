//! Single rows are found by what the files' filters say, and what is joined to them as well.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tieout_core::schema::Table;
use tieout_ledger::Ledger;
use tieout_treasury::{BlockingTreasury, Limits};

use super::{answer, filler, payments, taken_back};

/// Enough for files of single postings and of joined ones.
const POSTINGS: u64 = 40;

/// Rows by their payment and item.
fn applications(rows: &[(String, String)]) -> RecordBatch {
    let table = Table::Applications;
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "payment_id" => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.0))),
            "item_id" => Arc::new(StringArray::from_iter_values(rows.iter().map(|r| &r.1))),
            _ => filler(field.data_type(), field.is_nullable(), rows.len()),
        }
    });
    RecordBatch::try_new(table.schema(), columns.collect()).unwrap()
}

/// Each posting has two payments, one of which is applied to an item, and decides the second one of the
/// posting before anew.
fn write(dir: &Path) -> Ledger {
    let mut last = None;
    for posting in 1..=POSTINGS {
        let mut writer = Ledger::post(dir).unwrap();
        let ids = [format!("p{posting}-0"), format!("p{posting}-1")];
        let again = format!("p{}-1", posting - 1);
        let mut rows = ids
            .each_ref()
            .map(|id| (id.as_str(), "applied", None, 100, 20_528))
            .to_vec();
        if posting > 1 {
            rows.push((&again, "unidentified", None, 100, 20_528));
        }
        let applied = [(ids[0].clone(), format!("i{posting}"))];
        writer
            .write(Table::Applications, &applications(&applied))
            .unwrap();
        if posting > 1 {
            writer.reverse(&[taken_back(&again, posting - 1)]).unwrap();
        }
        writer.write(Table::Payments, &payments(&rows)).unwrap();
        last = Some(writer.finish("cash-application").unwrap());
    }
    last.unwrap()
}

fn opened(ledger: &Ledger) -> BlockingTreasury {
    BlockingTreasury::open(ledger, &Limits::default()).unwrap()
}

/// How many files of a table the plan of a query reads.
fn files(treasury: &BlockingTreasury, sql: &str, table: Table) -> usize {
    let plan = answer(treasury, &format!("explain {sql}")).join("\n");
    plan.matches(&format!("/{}.parquet", table.name())).count()
}

/// Questions about single rows, with the files of payments and of applications that they read.
const QUESTIONS: [(&str, usize, usize); 12] = [
    (
        "select payment_id, posting from payments where payment_id = 'p7-0'",
        1,
        0,
    ),
    (
        "select payment_id, posting from payments where 'p40-1' = payment_id",
        1,
        0,
    ),
    (
        "select payment_id from payments where payment_id in ('p39-0', 'p40-0', 'nobody')",
        2,
        0,
    ),
    (
        "select payment_id from payments where payment_id = 'nobody'",
        0,
        0,
    ),
    (
        "select payment_id from payments where payment_id = 'p39-1'",
        2,
        0,
    ),
    (
        "select payment_id from history.payments where payment_id = 'p39-1'",
        2,
        0,
    ),
    (
        "select p.payment_id, a.item_id from payments p left join applications a \
         on a.payment_id = p.payment_id where p.payment_id = 'p40-1'",
        1,
        0,
    ),
    (
        "select p.payment_id, p.status from applications a join payments p \
         on p.payment_id = a.payment_id where a.item_id = 'i40'",
        1,
        1,
    ),
    (
        "select payment_id from payments where payment_id in \
         (select payment_id from applications where item_id = 'i38')",
        1,
        1,
    ),
    (
        "select a.item_id, p.posting from applications a left join history.payments p \
         on p.payment_id = a.payment_id and p.posting > 38 where a.item_id = 'i38'",
        1,
        1,
    ),
    (
        "select item_id from applications a where item_id = 'i40' and not exists \
         (select 1 from payments p where p.payment_id = a.payment_id and p.amount > 1)",
        1,
        1,
    ),
    (
        "select a.item_id, p.posting from applications a join payments p \
         on p.payment_id = a.payment_id where a.item_id = 'nobody'",
        0,
        0,
    ),
];

/// The same question, so that no filter can tell what it asks for.
fn disguised(sql: &str) -> String {
    let sql = sql.replace("where payment_id =", "where payment_id || '' =");
    let sql = sql.replace("'p40-1' = payment_id", "'p40-1' = payment_id || ''");
    let sql = sql.replace("where payment_id in ('", "where payment_id || '' in ('");
    sql.replace("item_id = '", "item_id || '' = '")
        .replace("p.payment_id = '", "p.payment_id || '' = '")
}

#[test]
fn of_files_that_cannot_have_what_is_asked_for_nothing_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let treasury = opened(&write(&dir.path().join("ledger")));
    let all = files(&treasury, "select * from payments", Table::Payments);
    assert!(all > 2, "{all}");
    for (sql, of_payments, of_applications) in QUESTIONS {
        let otherwise = disguised(sql);
        assert_ne!(sql, otherwise);
        let mut expected = answer(&treasury, &otherwise);
        let mut found = answer(&treasury, sql);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{sql}");
        assert_eq!(files(&treasury, sql, Table::Payments), of_payments, "{sql}");
        assert_eq!(
            files(&treasury, sql, Table::Applications),
            of_applications,
            "{sql}"
        );
    }
    let earlier = "select payment_id from as_of('payments', 39) where payment_id = 'p39-1'";
    assert_eq!(answer(&treasury, earlier), ["p39-1"]);
}

pub(crate) fn parquet_files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let found = paths.flat_map(|path| {
        if path.is_dir() {
            parquet_files(&path)
        } else {
            vec![path]
        }
    });
    found
        .filter(|path| path.extension().is_some_and(|kind| kind == "parquet"))
        .collect()
}

/// Writes the file as earlier versions did, without filters.
pub(crate) fn without_filters(path: &Path) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    let schema = batches[0].schema();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, None).unwrap();
    for batch in &batches {
        writer.write(batch).unwrap();
    }
    writer.close().unwrap();
}

#[test]
fn files_without_filters_are_read_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("ledger");
    let ledger = write(&dir);
    let with: Vec<_> = QUESTIONS
        .map(|(sql, ..)| answer(&opened(&ledger), sql))
        .into();
    for path in parquet_files(&dir) {
        without_filters(&path);
    }
    let treasury = opened(&ledger);
    let all = files(&treasury, "select * from payments", Table::Payments);
    for ((sql, ..), with) in QUESTIONS.into_iter().zip(with) {
        assert_eq!(answer(&treasury, sql), with, "{sql}");
    }
    let (sql, ..) = QUESTIONS[0];
    assert_eq!(files(&treasury, sql, Table::Payments), all);
}

#[test]
fn other_readers_leave_row_groups_out_by_the_filters() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("ledger");
    let ledger = write(&dir);
    let limits = Limits {
        allow_paths: vec![dir.clone()],
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    let files = parquet_files(&dir);
    let is_payments = |path: &&PathBuf| {
        path.file_name()
            .is_some_and(|name| name == "payments.parquet")
    };
    let path = files.iter().find(is_payments).unwrap();
    let location = path.display();
    let create = format!("create external table own stored as parquet location '{location}'");
    answer(&treasury, &create);
    let one = answer(&treasury, "select min(payment_id) from own").remove(0);
    for (id, groups) in [(one.as_str(), 1), ("nobody", 0)] {
        let sql = format!("explain analyze select * from own where payment_id = '{id}'");
        let told = answer(&treasury, &sql).join("\n");
        let says = format!("row_groups_pruned_bloom_filter=1 total → {groups} matched");
        assert!(told.contains(&says), "{id}: {told}");
    }
}

#[test]
fn a_function_answers_each_call_by_its_argument() {
    let dir = tempfile::tempdir().unwrap();
    let treasury = opened(&write(&dir.path().join("ledger")));
    for (sql, expected) in [
        (
            "select what, name from explain_payment('p7-0')",
            &["decision|applied", "application|i7"][..],
        ),
        (
            "select what, name from explain_payment('p8-0')",
            &["decision|applied", "application|i8"],
        ),
        (
            "select name from explain_payment('p7-1') where what = 'decision'",
            &["unidentified"],
        ),
        ("select count(*) from explain_payment('p40-0')", &["2"]),
        (
            "select count(*) from explain_payment('it''s nobody')",
            &["0"],
        ),
        ("select place from explain_payment('p7-0') limit 1", &["1"]),
        (
            "select a.name, b.name from explain_payment('p7-0') a join explain_payment('p8-0') b \
             on a.what = b.what where a.what = 'application'",
            &["i7|i8"],
        ),
        (
            "select p.payment_id from payments p where p.status in \
             (select name from explain_payment('p7-1')) and p.payment_id = 'p8-1'",
            &["p8-1"],
        ),
        ("select * from candidates('p7-0')", &[]),
    ] {
        // Planned, and as it was planned.
        for _ in 0..2 {
            assert_eq!(answer(&treasury, sql), expected, "{sql}");
        }
    }
}
