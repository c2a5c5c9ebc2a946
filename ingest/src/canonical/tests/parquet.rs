//! Parquet.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    LargeStringArray, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use proptest::prelude::*;
use tieout_core::FindingCode::{
    MissingColumn, QuarantinedLines, UnknownColumn, UnreadableFile, UnusableColumn,
};
use tieout_core::QuarantineReason::{BadCurrency, BadValue, MissingField};
use tieout_core::Severity::{Error, Info, Warning};

use super::*;

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    packed_file(columns, Compression::UNCOMPRESSED)
}

fn packed_file(columns: Vec<(&str, ArrayRef)>, compression: Compression) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    );
    let batch = batch.unwrap();
    let mut bytes = Vec::new();
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .build();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn texts(values: [&str; 2]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn items(amounts: ArrayRef) -> Vec<(&'static str, ArrayRef)> {
    let kinds: DictionaryArray<Int32Type> = ["invoice", "invoice"].into_iter().collect();
    let midnight = 1_767_312_000_000_000;
    let days = TimestampMicrosecondArray::from(vec![Some(midnight), None]);
    vec![
        (
            "item_id",
            Arc::new(LargeStringArray::from(vec!["I1", "I2"])),
        ),
        ("party_id", texts(["C1", ""])),
        ("kind", Arc::new(kinds)),
        ("number", Arc::new(Int64Array::from(vec![71, 72]))),
        ("currency", texts(["USD", "EUR"])),
        ("open_amount", amounts),
        ("issue_date", Arc::new(days.with_timezone("+00:00"))),
        ("due_date", Arc::new(Date32Array::from(vec![20_485, 0]))),
        ("Region", texts(["North", ""])),
    ]
}

fn decimals() -> ArrayRef {
    let amounts = Decimal128Array::from(vec![123_450_000_000, -5_000_000_000]);
    Arc::new(amounts.with_precision_and_scale(28, 9).unwrap())
}

#[test]
fn every_exact_type_is_read() {
    let outcome = read(&file(items(decimals())));
    assert_eq!(
        (outcome.format, outcome.role),
        ("open_items.parquet", Role::OpenItems)
    );
    for (column, values) in [
        ("item_id", ["I1", "I2"]),
        ("party_id", ["C1", "-"]),
        ("kind", ["invoice", "invoice"]),
        ("number", ["71", "72"]),
        ("open_amount", ["123.45000", "-5.00000"]),
        ("amount", ["123.45000", "-5.00000"]),
        ("issue_date", ["2026-01-02", "-"]),
        ("due_date", ["2026-02-01", "1970-01-01"]),
        ("source_line", ["1", "2"]),
        ("extra", ["{\"region\":\"North\"}", "-"]),
    ] {
        assert_eq!(outcome.cells(column), values, "{column}");
    }
    let absent = (Warning, MissingColumn, None);
    assert_eq!(outcome.findings(), [absent, (Info, UnknownColumn, None)]);
    assert_eq!((outcome.counts.lines, outcome.counts.rows), (2, 2));
}

/// What data frames, warehouses and archives write.
#[test]
fn however_the_file_is_packed_its_rows_are_the_same() {
    let plain = file(items(decimals()));
    for compression in [
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::ZSTD(ZstdLevel::try_new(19).unwrap()),
    ] {
        let packed = packed_file(items(decimals()), compression);
        assert_ne!(packed, plain);
        let (mut packed, plain) = (read(&packed), read(&plain));
        // The size is that of the file.
        packed.counts.bytes = plain.counts.bytes;
        assert_eq!(packed, plain, "{compression}");
    }
}

#[test]
fn float_amounts_are_refused() {
    let outcome = read(&file(items(Arc::new(Float64Array::from(vec![1.5, 2.5])))));
    let told = outcome.findings();
    let [.., unusable, refused] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(*unusable, (Error, UnusableColumn, None));
    assert_eq!(*refused, (Error, QuarantinedLines, Some(1)));
    let finding = &outcome.findings[told.len() - 2];
    assert_eq!(finding.found, "column open_amount of type Float64");
    assert!(
        finding
            .action
            .contains("a float cannot hold every amount exactly")
    );
    assert_eq!(outcome.rows, None);
    assert_eq!(outcome.reasons(), [(1, BadValue)]);
    assert_eq!(outcome.counts.lines, 2);
}

#[test]
fn missing_columns_and_bad_values_are_told() {
    let mut columns = items(decimals());
    columns.remove(3);
    let outcome = read(&file(columns));
    let refused = (Error, QuarantinedLines, Some(1));
    let told = [(Error, MissingColumn, None), refused];
    assert_eq!(outcome.findings(), told);
    assert_eq!(outcome.reasons(), [(1, MissingField)]);

    let mut columns = items(decimals());
    columns[4].1 = texts(["USD", "eur"]);
    let outcome = read(&file(columns));
    assert_eq!(outcome.reasons(), [(2, BadCurrency)]);
    let raw = String::from_utf8(outcome.quarantine[0].raw.clone()).unwrap();
    assert!(
        raw.starts_with("{\"item_id\":\"I2\",\"kind\":\"invoice\",\"number\":\"72\""),
        "{raw}"
    );
    assert_eq!(
        outcome.findings().last(),
        Some(&(Error, QuarantinedLines, Some(2)))
    );
}

#[test]
fn other_parquet_is_not_claimed() {
    let other = file(vec![("a", texts(["x", "y"]))]);
    assert_eq!(try_read(&other, &settings(64, 8, 1)), None);
    let whole = file(items(decimals()));
    let cut = &whole[..whole.len() - 9];
    assert_eq!(try_read(cut, &settings(64, 8, 1)), None);
}

#[test]
fn batches_do_not_matter() {
    let bytes = file(items(decimals()));
    assert_eq!(read_with(&bytes, &settings(5, 1, 3)), read(&bytes));
}

proptest! {
    /// Damage is told or refused; it never stops the run.
    #[test]
    fn damage_is_told(at in 4..600_usize, flip in 1..=255_u8) {
        let mut bytes = file(items(decimals()));
        let at = at % bytes.len();
        bytes[at] ^= flip;
        if let Some(outcome) = try_read(&bytes, &settings(64, 8, 1)) {
            let codes: Vec<_> = outcome.findings.iter().map(|finding| finding.code).collect();
            let is_told = codes.contains(&UnreadableFile);
            prop_assert!(is_told || outcome.counts.lines == 2 || outcome.counts.rows == 0);
        }
    }
}
