//! Folders on a real disk.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow::datatypes::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tieout_core::schema::Table;
use tieout_ledger::{Columns, FileFormat, Folder, Ledger, LedgerError};

/// Rows of any table: text and numbers from the row's number, options missing.
fn rows(table: Table, numbers: std::ops::Range<u64>) -> RecordBatch {
    let schema = table.schema();
    let count = (numbers.end - numbers.start) as usize;
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.data_type() {
            kind if field.is_nullable() => new_null_array(kind, count),
            DataType::Utf8 => {
                let texts = numbers.clone().map(|n| format!("{} {n}", field.name()));
                Arc::new(StringArray::from_iter_values(texts))
            }
            DataType::UInt64 => Arc::new(UInt64Array::from_iter_values(numbers.clone())),
            DataType::Decimal128(..) => Arc::new(
                Decimal128Array::from(vec![0; count])
                    .with_precision_and_scale(23, 5)
                    .unwrap(),
            ),
            other => new_null_array(other, count),
        }
    });
    RecordBatch::try_new(schema.clone(), columns.collect())
        .unwrap_or_else(|_| panic!("{} has a column that the test does not know", table.name()))
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_table_has_a_file_with_the_contract_columns() {
    let dir = tempfile::tempdir().unwrap();
    for format in [FileFormat::Csv, FileFormat::Json, FileFormat::Parquet] {
        let out = Folder::create(dir.path(), &Table::OUTPUTS, format, Columns::Contract).unwrap();
        assert!(out.finish().unwrap().iter().all(|(_, rows)| *rows == 0));
        for table in Table::OUTPUTS {
            let path = dir
                .path()
                .join(format!("{}.{}", table.name(), format.extension()));
            let schema = table.schema();
            let contract = &schema.fields()[..table.contract_columns()];
            match format {
                FileFormat::Csv => {
                    let header: Vec<_> = contract.iter().map(|f| f.name().as_str()).collect();
                    assert_eq!(fs::read_to_string(path).unwrap(), header.join(",") + "\n");
                }
                FileFormat::Json => assert_eq!(fs::read(path).unwrap(), b""),
                FileFormat::Parquet => {
                    let file = fs::File::open(path).unwrap();
                    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
                    assert_eq!(&reader.schema().fields()[..], contract);
                }
            }
        }
    }
    assert_eq!(names(dir.path()).len(), 3 * Table::OUTPUTS.len());
}

#[test]
fn nothing_is_seen_before_all_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("findings.csv"), "of an earlier run").unwrap();
    let tables = [Table::Findings, Table::Duplicates];
    let mut out = Folder::create(dir.path(), &tables, FileFormat::Csv, Columns::All).unwrap();
    out.write(Table::Duplicates, &rows(Table::Duplicates, 0..3))
        .unwrap();
    assert!(!dir.path().join("duplicates.csv").exists());
    drop(out);
    assert_eq!(names(dir.path()), ["findings.csv"]);
    let earlier = fs::read_to_string(dir.path().join("findings.csv")).unwrap();
    assert_eq!(earlier, "of an earlier run");
}

#[test]
fn what_a_killed_run_left_is_cleared_and_a_running_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let tables = [Table::Duplicates];
    fs::write(dir.path().join(".duplicates.csv.1-0.partial"), "dead").unwrap();
    let first = Folder::create(dir.path(), &tables, FileFormat::Csv, Columns::All).unwrap();
    assert_eq!(names(dir.path()).len(), 1);
    let second = Folder::create(dir.path(), &tables, FileFormat::Csv, Columns::All).unwrap();
    assert_eq!(names(dir.path()).len(), 2);
    first.finish().unwrap();
    second.finish().unwrap();
    assert_eq!(names(dir.path()), ["duplicates.csv"]);
}

#[test]
fn tables_are_written_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let mut out =
        Folder::create(dir.path(), &Table::OUTPUTS, FileFormat::Csv, Columns::All).unwrap();
    let files = [Table::Duplicates, Table::Quarantine].map(|table| out.take(table).unwrap());
    assert!(
        out.write(Table::Duplicates, &rows(Table::Duplicates, 0..1))
            .is_err()
    );
    std::thread::scope(|scope| {
        let threads = files.map(|mut file| {
            scope.spawn(move || {
                for start in 0..10 {
                    let start = start * 100;
                    file.write(&rows(file.table(), start..start + 100)).unwrap();
                }
                file
            })
        });
        for thread in threads {
            out.give_back(thread.join().unwrap()).unwrap();
        }
    });
    let counts = out.finish().unwrap();
    assert!(counts.contains(&(Table::Quarantine, 1_000)));
    let text = fs::read_to_string(dir.path().join("duplicates.csv")).unwrap();
    assert_eq!(text.lines().count(), 1_001);
    assert_eq!(
        text.lines().last(),
        Some("payment_id 999,duplicate_of 999,evidence 999")
    );
}

#[test]
fn a_taken_table_that_is_not_given_back_stops_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut out = Folder::create(
        dir.path(),
        &[Table::Duplicates],
        FileFormat::Csv,
        Columns::All,
    )
    .unwrap();
    drop(out.take(Table::Duplicates));
    assert!(matches!(out.finish(), Err(LedgerError::Shape { .. })));
    assert_eq!(names(dir.path()), Vec::<String>::new());
}

#[test]
fn bytes_do_not_depend_on_batches() {
    for format in [FileFormat::Csv, FileFormat::Json, FileFormat::Parquet] {
        let [whole, pieces] = [20_000, 77].map(|size| {
            let dir = tempfile::tempdir().unwrap();
            let tables = [Table::Duplicates];
            let mut out = Folder::create(dir.path(), &tables, format, Columns::All).unwrap();
            for start in (0..20_000).step_by(size) {
                let end = (start + size as u64).min(20_000);
                out.write(Table::Duplicates, &rows(Table::Duplicates, start..end))
                    .unwrap();
            }
            out.finish().unwrap();
            fs::read(
                dir.path()
                    .join(format!("duplicates.{}", format.extension())),
            )
            .unwrap()
        });
        assert!(whole == pieces, "{format:?}");
    }
}

#[test]
fn rows_that_do_not_add_up_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let table = Table::Payments;
    let schema = table.schema();
    let columns = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(place, field)| -> ArrayRef {
            match field.data_type() {
                kind if field.is_nullable() => new_null_array(kind, 1),
                DataType::Utf8 => Arc::new(StringArray::from(vec!["x"])),
                DataType::UInt64 => Arc::new(UInt64Array::from(vec![1])),
                DataType::Float64 => Arc::new(arrow::array::Float64Array::from(vec![1.0])),
                _ => {
                    let units = i128::from(place == table.column("amount"));
                    let column = Decimal128Array::from(vec![units]);
                    Arc::new(column.with_precision_and_scale(23, 5).unwrap())
                }
            }
        });
    let batch = RecordBatch::try_new(schema.clone(), columns.collect()).unwrap();
    let mut out = Folder::create(dir.path(), &[table], FileFormat::Csv, Columns::All).unwrap();
    let error = out.write(table, &batch).unwrap_err();
    assert!(matches!(error, LedgerError::Unbalanced { .. }), "{error}");
    assert!(
        error
            .to_string()
            .starts_with("payment x: 0.00001 is not 0.00 applied")
    );
    let error = out
        .write(table, &rows(Table::Duplicates, 0..1))
        .unwrap_err();
    assert!(matches!(error, LedgerError::Shape { .. }), "{error}");
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Folder::create(
        &file.join("out"),
        &Table::OUTPUTS,
        FileFormat::Csv,
        Columns::All,
    )
    .err()
    .unwrap();
    assert!(error.to_string().contains("file/out"), "{error}");
    assert!(Ledger::post(&file).is_err());
}
