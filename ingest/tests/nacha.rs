//! What the golden files of ACH cannot show: redeliveries, and files without an end of line.
#![allow(clippy::unwrap_used)]

mod reading;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use reading::read;
use tieout_ingest::LINE_BYTES_MAX;

fn golden(name: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../datasets/formats/nacha");
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_redelivery_has_the_same_identities() {
    let file = golden("ctx_820.ach");
    let again = file.replacen("2603160605A", "2603182359Z", 1);
    assert_ne!(file, again);
    let stripped: Vec<&str> = again.lines().map(str::trim_end).collect();
    let (first, second) = (read("nacha", &file), read("nacha", stripped.join("\r\n")));
    assert_eq!(first.column("identity"), second.column("identity"));
    let unbroken: String = file.lines().collect();
    let third = read("nacha", unbroken);
    assert_eq!(first.column("identity"), third.column("identity"));
}

#[test]
fn another_remittance_is_another_line() {
    let file = golden("corporate_segments.ach");
    let other = file.replacen("INVOICES 4712", "INVOICES 4719", 1);
    let (file, other) = (read("nacha", file), read("nacha", other));
    let pairs = file
        .column("identity")
        .into_iter()
        .zip(other.column("identity"));
    let changed: Vec<bool> = pairs.map(|(one, two)| one != two).collect();
    assert_eq!(changed, [false, true, false, false, false, false]);
}

#[test]
fn an_820_says_the_same_in_addenda_and_in_a_file() {
    const COLUMNS: [&str; 7] = [
        "document_number",
        "gross",
        "discount",
        "adjustment",
        "adjustment_reason",
        "net",
        "payment_reference",
    ];
    let addenda = read("nacha", golden("ctx_820.ach"));
    let order = addenda.rows[0]["remittance_text"].as_str();
    let file = read("x12", order);
    let lines = file.table("remittance_lines");
    let of_first = addenda.documents.iter();
    let of_first: Vec<_> = of_first
        .filter(|row| row["transaction_row"] == "0")
        .map(|row| COLUMNS.map(|name| row.get(name)))
        .collect();
    let of_file: Vec<_> = lines
        .iter()
        .map(|row| COLUMNS.map(|name| row.get(name)))
        .collect();
    assert_eq!((of_first.len(), of_first), (3, of_file));
}

#[test]
fn one_line_may_be_the_whole_file() {
    const ENTRIES: usize = 12_000;
    let lines = golden("person.ach");
    let mut lines = lines.lines();
    let mut file = format!("{}{}", lines.next().unwrap(), lines.next().unwrap());
    let entry = lines.next().unwrap();
    for trace in 1..=ENTRIES {
        write!(file, "{}{trace:07}", &entry[..87]).unwrap();
    }
    // Twelve thousand times 09100001, and 1,842.50.
    let (hash, credits) = ("9200012000", "002211000000");
    let sums = format!("{hash}{:012}{credits}", 0);
    write!(
        file,
        "8200{ENTRIES:06}{sums}1870000011{:25}121042880000001",
        ""
    )
    .unwrap();
    write!(file, "9000001001201{ENTRIES:08}{sums}{:39}", "").unwrap();
    assert!(file.len() > LINE_BYTES_MAX);
    let reading = read("nacha", &file);
    assert_eq!(reading.rows.len(), ENTRIES);
    assert_eq!(reading.counts.lines, ENTRIES as u64 + 4);
    assert_eq!(reading.problems(), []);
    assert_eq!(reading.findings, []);
}
