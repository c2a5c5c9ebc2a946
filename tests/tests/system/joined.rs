//! Files of many postings that were joined are packed for years, and say what the single ones said.

use std::path::PathBuf;

use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::{FileReader as _, SerializedFileReader};

use crate::desk::Desk;
use crate::elsewhere::objects;
use crate::ledger::after_monday;

/// Every row of what readers see, in all columns.
fn all_rows(desk: &Desk) -> Vec<String> {
    let tables = [
        "payments",
        "applications",
        "exceptions",
        "open_items",
        "parties",
        "transactions",
        "evidence",
        "journal",
    ];
    let question = |table: &str| {
        let schema = if table == "journal" { "" } else { "history." };
        let rows = desk.ask(&format!("select * from {schema}{table}"));
        let mut rows: Vec<_> = rows.lines().collect();
        rows.sort_unstable();
        format!("{table}: {}", rows.join("\n"))
    };
    tables.map(question).to_vec()
}

/// The Parquet files in a folder of the ledger, and how their columns are packed.
fn packed(desk: &Desk, folder: &str) -> (Vec<PathBuf>, Vec<Compression>) {
    let files = objects(&desk.path("ledger").join(folder));
    let compressions = files.iter().flat_map(|path| {
        let file = std::fs::File::open(path).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let groups = reader.metadata().row_groups();
        let columns = groups.iter().flat_map(RowGroupMetaData::columns);
        let own: Vec<_> = columns.map(ColumnChunkMetaData::compression).collect();
        own
    });
    let compressions = compressions.collect();
    (files, compressions)
}

#[test]
fn joined_files_are_parquet_with_zstd_and_read_as_before() {
    let desk = after_monday();
    desk.post_lines("tuesday", &[("142", 120_000, "B5", "BIRCH INV-20001")]);
    desk.post_lines("wednesday", &[("142", 73_025, "B6", "INV-10002")]);
    let before = all_rows(&desk);
    let (single, compressions) = packed(&desk, "postings");
    assert!(single.len() > 6, "{single:?}");
    assert!(compressions.iter().all(|own| *own == Compression::SNAPPY));

    let told = desk.tieout(&["audit", "compact", "--ledger", "ledger"]);
    assert_eq!(told.stdout, "joined by month\n", "{}", told.stderr);
    assert_eq!(packed(&desk, "postings").0, Vec::<PathBuf>::new());
    let (joined, compressions) = packed(&desk, "history");
    assert!(
        joined.len() > 2 && joined.len() < single.len(),
        "{joined:?}"
    );
    let is_zstd = |own: &Compression| matches!(own, Compression::ZSTD(_));
    assert!(compressions.iter().all(is_zstd), "{compressions:?}");
    assert_eq!(all_rows(&desk), before);
    desk.verify();

    // Anybody's files that are packed so can be joined in.
    let payments = joined
        .iter()
        .find(|path| path.ends_with("payments.parquet"));
    let create = format!(
        "create external table kept stored as parquet location '{}';\n\
         select count(*) from kept join payments using (payment_id);\n",
        payments.unwrap().display()
    );
    let folder = desk.path("ledger").display().to_string();
    let words = ["--allow-path", &folder, "--format", "csv"];
    let told = crate::treasury::shell_of(&desk, &words, &create);
    let count =
        desk.ask("select count(*) from payments join history.payments h using (payment_id)");
    let last = told.stdout.lines().last();
    assert_eq!(last, Some(&*count), "{}", told.stderr);
}
