//! Workbooks: their lines are the rows of their sheets, and they read as the same tables in CSV.
#![allow(clippy::unwrap_used)]

mod reading;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use encoding_rs::WINDOWS_1252;
use reading::{Reading, format, read, read_with};
use tieout_ingest::{Format, HEAD_BYTES, Settings, SourceFile, recognize_file};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What a cell of a sheet holds.
#[derive(Clone)]
enum Cell {
    Text(String),
    Number(&'static str),
    /// The days since the end of 1899.
    Day(u32),
    /// Its value does not end.
    Damaged,
}

/// A row with its number, from 1.
type SheetRow = (u32, Vec<Cell>);

/// A workbook of sheets with their names.
fn workbook(sheets: &[(&str, Vec<SheetRow>)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATIONS: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, text: &str| {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    };
    let mut list = String::new();
    let mut targets = String::new();
    for (place, (name, rows)) in sheets.iter().enumerate() {
        let id = place + 1;
        write!(
            list,
            "<sheet name=\"{name}\" sheetId=\"{id}\" r:id=\"r{id}\"/>"
        )
        .unwrap();
        write!(
            targets,
            "<Relationship Id=\"r{id}\" Type=\"{OFFICE}/worksheet\" \
             Target=\"worksheets/sheet{id}.xml\"/>"
        )
        .unwrap();
        part(&format!("xl/worksheets/sheet{id}.xml"), &sheet(MAIN, rows));
    }
    part(
        "_rels/.rels",
        &format!(
            "<Relationships xmlns=\"{RELATIONS}\"><Relationship Id=\"r1\" \
             Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    part(
        "xl/workbook.xml",
        &format!(
            "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets>{list}</sheets></workbook>"
        ),
    );
    part(
        "xl/_rels/workbook.xml.rels",
        &format!("<Relationships xmlns=\"{RELATIONS}\">{targets}</Relationships>"),
    );
    // The second style is that of a day.
    part(
        "xl/styles.xml",
        &format!(
            "<styleSheet xmlns=\"{MAIN}\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/>\
             <xf numFmtId=\"14\"/></cellXfs></styleSheet>"
        ),
    );
    zip.finish().unwrap().into_inner()
}

fn sheet(namespace: &str, rows: &[SheetRow]) -> String {
    let mut text = format!("<worksheet xmlns=\"{namespace}\"><sheetData>");
    for (number, cells) in rows {
        write!(text, "<row r=\"{number}\">").unwrap();
        for cell in cells {
            match cell {
                Cell::Text(shown) if shown.is_empty() => text.push_str("<c/>"),
                Cell::Text(shown) => {
                    let shown = shown.replace('&', "&amp;").replace('<', "&lt;");
                    write!(
                        text,
                        "<c t=\"inlineStr\"><is><t xml:space=\"preserve\">{shown}</t></is></c>"
                    )
                    .unwrap();
                }
                Cell::Number(number) => write!(text, "<c><v>{number}</v></c>").unwrap(),
                Cell::Damaged => text.push_str("<c><v>1</c>"),
                Cell::Day(day) => write!(text, "<c s=\"1\"><v>{day}</v></c>").unwrap(),
            }
        }
        text.push_str("</row>");
    }
    text + "</sheetData></worksheet>"
}

/// Reads a workbook, which must be recognised as one.
fn read_workbook(bytes: &[u8]) -> Reading {
    let file = SourceFile::from_bytes("file".to_owned(), bytes);
    let known = recognize_file(&file, &bytes[..bytes.len().min(HEAD_BYTES)]);
    assert_eq!(known.map(Format::name), Some("bank_xlsx"));
    read_with("bank_xlsx", bytes, &Settings::default())
}

/// Rows of text, the first of them the row `first` of its sheet.
fn rows(first: u32, lines: &[&str]) -> Vec<SheetRow> {
    let cells = |line: &&str| {
        let cells = line.split(',');
        cells.map(|cell| Cell::Text(cell.to_owned())).collect()
    };
    (first..).zip(lines.iter().map(cells)).collect()
}

/// Three sheets, of which the second is no statement and ends with its row 5.
fn three_sheets() -> Vec<u8> {
    let march = [
        "Date,Description,Amount,Currency",
        "2026-03-30,Rent,-850.00,EUR",
        "2026-03-31,Sale,n/a,EUR",
    ];
    let april = [
        "Date,Description,Amount,Currency",
        "2026-04-01,Sale,12.00,EUR",
        "2026-04-02,Sale,none,EUR",
    ];
    workbook(&[
        ("March", rows(1, &march)),
        ("Notes", rows(5, &["As agreed by telephone"])),
        ("April", rows(3, &april)),
    ])
}

#[test]
fn lines_are_the_rows_of_one_sheet_below_the_other() {
    let reading = read_workbook(&three_sheets());
    assert_eq!(reading.column("source_line"), ["2", "12"]);
    assert_eq!(reading.refused(), [("bad_amount", 3), ("bad_amount", 13)]);
    assert_eq!(reading.counts.lines, 13);
    let messages: Vec<&str> = reading
        .quarantine
        .iter()
        .map(|line| &*line.message)
        .collect();
    assert!(
        messages[0].starts_with("sheet March, row 3: "),
        "{messages:?}"
    );
    assert!(
        messages[1].starts_with("sheet April, row 5: "),
        "{messages:?}"
    );
}

#[test]
fn what_is_said_of_a_line_names_its_sheet_and_row() {
    let reading = read_workbook(&three_sheets());
    let said: Vec<(Option<u64>, &str)> = reading
        .findings
        .iter()
        .map(|finding| {
            let found = finding.found.split(": ").next().unwrap_or_default();
            (finding.line, found)
        })
        .collect();
    let expected = [
        (Some(1), "sheet March, row 1"),
        (Some(11), "sheet April, row 3"),
        (None, "sheet Notes"),
        (Some(3), "2 lines in quarantine"),
    ];
    assert_eq!(said, expected);
}

#[test]
fn lines_are_shown_as_people_see_them() {
    let file = SourceFile::from_bytes("file".to_owned(), three_sheets());
    let shown = format("bank_xlsx").shown(&file, &BTreeSet::from([2, 12, 99]));
    let shown: Vec<(u64, String, String)> = shown
        .unwrap()
        .into_iter()
        .map(|line| (line.line, line.place, line.text))
        .collect();
    let expected = [
        (2, "sheet March, row 2", "2026-03-30\tRent\t-850.00\tEUR"),
        (12, "sheet April, row 4", "2026-04-01\tSale\t12.00\tEUR"),
    ];
    assert_eq!(
        shown,
        expected.map(|(line, place, text)| (line, place.to_owned(), text.to_owned()))
    );
    let file = SourceFile::from_bytes("file".to_owned(), *b"Date,Amount\n");
    assert_eq!(format("bank_csv").shown(&file, &BTreeSet::from([1])), None);
}

/// What a line is and where it stands.
fn identities(reading: &Reading) -> Vec<(&str, &str)> {
    let identities = reading.column("identity").into_iter();
    identities.zip(reading.column("source_line")).collect()
}

#[test]
fn a_table_is_the_same_in_csv_and_as_text_in_a_workbook() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/formats/bank_csv");
    let mut tables = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        // A stray quote is a matter of CSV alone.
        if file.extension().unwrap() != "csv" || file.ends_with("bad_rows.csv") {
            continue;
        }
        let bytes = fs::read(&file).unwrap();
        let (text, ..) = match std::str::from_utf8(&bytes) {
            Ok(text) => (text.into(), false),
            Err(_) => WINDOWS_1252.decode_without_bom_handling(&bytes),
        };
        let csv = read_with("bank_csv", &bytes, &Settings::default());
        let xlsx = workbook(&[("Table", as_rows(&text))]);
        let xlsx = read_with("bank_xlsx", &xlsx, &Settings::default());
        assert_eq!(identities(&xlsx), identities(&csv), "{}", file.display());
        tables += usize::from(!csv.rows.is_empty());
    }
    assert!(tables > 20, "{tables} tables with lines");
}

/// The rows of a text whose last line tells what separates cells; blank lines have no row.
fn as_rows(text: &str) -> Vec<SheetRow> {
    let last = text.lines().rfind(|line| !line.is_empty()).unwrap();
    let separators = [b';', b'\t', b'|', b','];
    let separator = separators
        .into_iter()
        .find(|&one| last.bytes().any(|byte| byte == one));
    let separator = separator.unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let records = reader.records().map(Result::unwrap);
    records
        .map(|record| {
            let begin = record.position().unwrap().byte() as usize;
            let begin =
                begin + text[begin..].len() - text[begin..].trim_start_matches(['\r', '\n']).len();
            let number = 1 + text[..begin].matches('\n').count() as u32;
            let cells = record.iter().map(|cell| Cell::Text(cell.to_owned()));
            (number, cells.collect())
        })
        .collect()
}

#[test]
fn a_table_is_the_same_in_csv_and_with_numbers_and_days_in_a_workbook() {
    let csv = "Date,Value date,Description,Reference,Amount,Balance\n\
               2026-03-02,2026-03-03,Rent,4711,-850.50,149.50\n\
               2026-03-04,2026-03-04,Invoice 9001,4712,0.30,149.80\n\
               2026-03-05,2026-03-05,Sale,4713,1000.00,1149.80\n";
    let text = |text: &str| Cell::Text(text.to_owned());
    let line = |days: [u32; 2], what, reference, amount, balance| {
        let [day, value_day] = days.map(Cell::Day);
        let numbers = [reference, amount, balance].map(Cell::Number);
        let [reference, amount, balance] = numbers;
        vec![day, value_day, text(what), reference, amount, balance]
    };
    let heading = csv.lines().next().unwrap().split(',').map(text).collect();
    let table = vec![
        (1, heading),
        (2, line([46083, 46084], "Rent", "4711", "-850.5", "149.5")),
        // As a spreadsheet keeps the sum of 0.1 and 0.2.
        (
            3,
            line(
                [46085, 46085],
                "Invoice 9001",
                "4712",
                "0.30000000000000004",
                "149.8",
            ),
        ),
        (4, line([46086, 46086], "Sale", "4713", "1000", "1149.8")),
    ];
    let csv = read("bank_csv", csv);
    let xlsx = read_workbook(&workbook(&[("Table", table)]));
    assert_eq!(csv.rows.len(), 3);
    assert_eq!(identities(&xlsx), identities(&csv));
}

#[test]
fn a_damaged_sheet_leaves_the_others() {
    let lines = ["Date,Description,Amount", "2026-03-30,Rent,-850.00"];
    let mut first = rows(1, &lines);
    // A row may lack cells when the damage is behind it, so that it does not count.
    first.extend(rows(3, &["2026-03-31,Sale,12.00"]));
    first.push((4, vec![Cell::Damaged]));
    let reading = read_workbook(&workbook(&[("First", first), ("Second", rows(1, &lines))]));
    assert_eq!(reading.column("source_line"), ["2", "4"]);
    let mut damage = reading.findings.iter();
    let damage = damage
        .find(|finding| finding.code.code() == "unreadable_file")
        .unwrap();
    assert!(damage.found.starts_with("sheet First: "), "{damage:?}");
    assert!(damage.found.contains("row 3"), "{damage:?}");
}

#[test]
fn every_byte_of_a_damaged_workbook_is_accounted_for() {
    let whole = three_sheets();
    let cut = &whole[..whole.len() / 2];
    let reading = read_with("bank_xlsx", cut, &Settings::default());
    assert_eq!(reading.problems(), [("unreadable_file", None)]);
}
