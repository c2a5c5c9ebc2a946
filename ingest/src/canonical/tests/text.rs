//! Separated text.

use tieout_core::FindingCode::{
    ConvertedCharacters, MissingColumn, NotMoneyFile, QuarantinedLines, UnknownColumn,
};
use tieout_core::QuarantineReason::{
    BadAmount, BadCurrency, BadDate, BadStructure, BadValue, MissingField, TooLong,
};
use tieout_core::Severity::{Error, Info, Warning};

use super::*;
use crate::canonical::fields::RECORD_BYTES_MAX;

/// The header and `rows`.
fn items(rows: &[&str]) -> Vec<u8> {
    (OPEN_ITEMS.to_owned() + &rows.concat()).into_bytes()
}

#[test]
fn open_items_become_rows() {
    let bare = "I2,,,credit_memo,,,EUR,,-12,,,,\r\n";
    let outcome = read(&items(&[SOUND, "\n", bare]));
    assert_eq!(
        (outcome.format, outcome.role),
        ("open_items.csv", Role::OpenItems)
    );
    assert_eq!(outcome.findings, []);
    let columns = [
        ("item_id", ["I1", "I2"]),
        ("entity", ["E1", "-"]),
        ("party_id", ["C1", "-"]),
        ("kind", ["invoice", "credit_memo"]),
        ("number", ["INV-1", "-"]),
        ("po_number", ["-", "-"]),
        ("currency", ["USD", "EUR"]),
        ("amount", ["100.00000", "-12.00000"]),
        ("open_amount", ["98.50000", "-12.00000"]),
        ("issue_date", ["2026-01-02", "-"]),
        ("due_date", ["2026-02-01", "-"]),
        ("discount_amount", ["2.00000", "-"]),
        ("discount_date", ["2026-01-12", "-"]),
        ("source_file", ["given.file", "given.file"]),
        ("source_line", ["2", "4"]),
        ("extra", ["-", "-"]),
    ];
    for (column, values) in columns {
        assert_eq!(outcome.cells(column), values, "{column}");
    }
    assert_eq!((outcome.counts.lines, outcome.counts.rows), (4, 2));
}

#[test]
fn parties_become_rows() {
    let text = "\u{feff}\"Name\";ACCOUNTS;party_id\n\"Caf\u{e9}; \"\"Bar\"\"\";1:2|3:4;C1\n";
    let outcome = read(text.as_bytes());
    assert_eq!(
        (outcome.format, outcome.role),
        ("parties.csv", Role::Parties)
    );
    assert_eq!(outcome.cell(0, "name"), "Café; \"Bar\"");
    assert_eq!(outcome.cell(0, "accounts"), "1:2|3:4");
    assert_eq!(outcome.cell(0, "party_id"), "C1");
    assert_eq!(outcome.cell(0, "role"), "-");
    assert_eq!(outcome.findings(), [(Warning, MissingColumn, Some(1))]);
    assert_eq!(
        outcome.findings[0].found,
        "no column role, aliases, parent_id"
    );
}

#[test]
fn remittances_become_rows() {
    let text = "payment_reference,payer_name,payment_date,payment_amount,currency,\
                document_number,gross,discount,adjustment,adjustment_reason,net\n\
                E1,ACME,2026-03-16,10.00,USD,INV-1,11.00,1.00,,,10.00\n";
    let outcome = read(text.as_bytes());
    assert_eq!(
        (outcome.format, outcome.role),
        ("remittances.csv", Role::Remittances)
    );
    assert_eq!(outcome.findings, []);
    for (column, value) in [
        ("payment_id", "-"),
        ("source_line", "2"),
        ("payment_reference", "E1"),
        ("payment_date", "2026-03-16"),
        ("payment_amount", "10.00000"),
        ("document_number", "INV-1"),
        ("discount", "1.00000"),
        ("adjustment", "-"),
        ("net", "10.00000"),
    ] {
        assert_eq!(outcome.cell(0, column), value, "{column}");
    }
}

#[test]
fn lines_may_end_with_cr_alone() {
    let feeds = items(&[SOUND, &SOUND.replace("I1", "I2")]);
    let returns: Vec<u8> = feeds
        .iter()
        .map(|&byte| if byte == b'\n' { b'\r' } else { byte })
        .collect();
    assert_eq!(read(&returns), read(&feeds));
    for chunk_bytes in [1, 7, 1 << 20] {
        let outcome = read_with(&returns, &settings(chunk_bytes, 8_192, 1));
        assert_eq!(outcome.cells("item_id"), ["I1", "I2"]);
    }
}

#[test]
fn a_bad_value_refuses_its_row_only() {
    let cases = [
        ("I2,,,invoice,,,USD,1,12.3.4,,,,\n", BadAmount),
        ("I2,,,invoice,,,USD,1,1234567890123456789,,,,\n", BadAmount),
        ("I2,,,invoice,,,USD,1,0.000001,,,,\n", BadAmount),
        ("I2,,,invoice,,,USD,x,1,,,,\n", BadAmount),
        ("I2,,,invoice,,,USD,1,1,,,1;5,\n", BadAmount),
        ("I2,,,invoice,,,USD,1,1,2026-02-30,,,\n", BadDate),
        ("I2,,,invoice,,,USD,1,1,,02/01/2026,,\n", BadDate),
        ("I2,,,invoice,,,usd,1,1,,,,\n", BadCurrency),
        ("I2,,,invoices,,,USD,1,1,,,,\n", BadValue),
        (",,,invoice,,,USD,1,1,,,,\n", MissingField),
        ("I2,,,,,,USD,1,1,,,,\n", MissingField),
        ("I2,,,invoice,,,,1,1,,,,\n", MissingField),
        ("I2,,,invoice,,,USD,1,,,,,\n", MissingField),
        ("I2,,,invoice,,,USD,1,1,,,\n", BadStructure),
        ("I2,,,invoice,,,USD,1,1,,,,,\n", BadStructure),
        ("I2,,,invoice,\"a\"b,,USD,1,1,,,,\n", BadStructure),
    ];
    for (line, reason) in cases {
        let outcome = read(&items(&[SOUND, line, &SOUND.replace("I1", "I3")]));
        assert_eq!(outcome.cells("item_id"), ["I1", "I3"], "{line}");
        assert_eq!(outcome.reasons(), [(3, reason)], "{line}");
        let quarantined = &outcome.quarantine[0];
        assert_eq!(quarantined.file, "given.file");
        assert_eq!(quarantined.raw, line.trim_end().as_bytes());
        let start = (OPEN_ITEMS.len() + SOUND.len()) as u64;
        let range = (quarantined.byte_start, quarantined.byte_end);
        assert_eq!(range, (start, start + line.len() as u64 - 1));
        assert_eq!(outcome.findings(), [(Error, QuarantinedLines, Some(3))]);
        assert_eq!((outcome.counts.rows, outcome.counts.quarantined), (2, 1));
    }
}

#[test]
fn messages_say_what_was_found_and_expected() {
    let outcome = read(&items(&["I2,,,invoice,,,USD,1,12.3.4,,,,\n"]));
    assert_eq!(
        outcome.quarantine[0].message,
        "column open_amount: found `12.3.4` (not a decimal number (digits, one point, an \
         optional leading sign)), expected a decimal number such as -1234.50, with a point, \
         without thousands separators, of at most 18 digits and 5 decimals; correct the value \
         and deliver the row again"
    );
    assert_eq!(
        outcome.findings[0].found,
        "1 row in quarantine, the first at line 2"
    );
    let outcome = read(&items(&["I2,,,invoice,,,USD,1,1,,,\n"]));
    assert_eq!(
        outcome.quarantine[0].message,
        "found 12 fields, expected 13 as in the header; put quotes around values that contain \
         the separator `,` or a line end"
    );
}

#[test]
fn a_missing_column_refuses_the_file() {
    let told = [MissingColumn, QuarantinedLines].map(|code| (Error, code, Some(1)));
    let text = "item_id,party_id,kind,currency,number,due_date\nI1,C1,invoice,USD,1,\nI2\n";
    let outcome = read(text.as_bytes());
    assert_eq!(outcome.format, "open_items.csv");
    assert_eq!(outcome.findings(), told);
    assert_eq!(
        outcome.findings[0].found,
        "no column open_amount; the columns are item_id, party_id, kind, currency, number, \
         due_date"
    );
    assert_eq!(outcome.reasons(), [(1, MissingField)]);
    assert_eq!(
        outcome.quarantine[0].raw,
        text.lines().next().unwrap().as_bytes()
    );
    assert_eq!(outcome.quarantine[0].byte_end, 46);
    assert_eq!(outcome.rows, None);
    assert_eq!(
        (outcome.counts.lines, outcome.counts.bytes),
        (3, text.len() as u64)
    );

    let outcome = read(b"document_number,net,currency\nD1,1,USD\n");
    assert_eq!(outcome.findings(), told);
    let found = &outcome.findings[0].found;
    assert!(
        found.starts_with("no column payment_reference or payment_amount;"),
        "{found}"
    );

    let outcome = read(b"party_id,role,accounts\nC1,customer,\n");
    assert_eq!(outcome.format, "parties.csv");
    assert_eq!(outcome.findings(), told);
}

#[test]
fn unknown_columns_are_kept() {
    let text = "party_id,name,Region,role,aliases,parent_id,accounts,tier\n\
                C1,Acme,\"No\"\"rth\",,,,,gold\nC2,Beta,,,,,,\n";
    let outcome = read(text.as_bytes());
    let unknown = (Info, UnknownColumn, Some(1));
    assert_eq!(outcome.findings(), [unknown, unknown]);
    assert_eq!(outcome.findings[0].found, "column region");
    assert_eq!(outcome.findings[1].found, "column tier");
    let kept = ["{\"region\":\"No\\\"rth\",\"tier\":\"gold\"}", "-"];
    assert_eq!(outcome.cells("extra"), kept);
}

#[test]
fn an_absent_amount_is_the_open_amount() {
    let text = "item_id,party_id,kind,currency,open_amount,number\nI1,C1,invoice,USD,7.5,N1\n";
    let outcome = read(text.as_bytes());
    assert_eq!(outcome.cell(0, "amount"), "7.50000");
    assert_eq!(outcome.findings(), [(Warning, MissingColumn, Some(1))]);
}

#[test]
fn quoted_values_may_span_lines() {
    let spanning = "\"I,2\",,\"C \"\"2\"\"\",invoice,\"a\r\nb\nc\",,USD,1,1,,,,\r\n";
    let outcome = read(&items(&[SOUND, spanning, &SOUND.replace("I1", "I3")]));
    assert_eq!(outcome.cells("item_id"), ["I1", "I,2", "I3"]);
    assert_eq!(outcome.cell(1, "party_id"), "C \"2\"");
    assert_eq!(outcome.cell(1, "number"), "a\r\nb\nc");
    assert_eq!(outcome.cells("source_line"), ["2", "3", "6"]);
    assert_eq!(outcome.counts.lines, 6);
}

#[test]
fn an_open_quote_costs_one_line() {
    let open = "I2,,,invoice,\"open,,USD,1,1,,,,\n";
    let outcome = read(&items(&[SOUND, open, &SOUND.replace("I1", "I3")]));
    assert_eq!(outcome.cells("item_id"), ["I1", "I3"]);
    assert_eq!(outcome.cells("source_line"), ["2", "4"]);
    assert_eq!(outcome.reasons(), [(3, BadStructure)]);
    assert_eq!(outcome.quarantine[0].raw, open.trim_end().as_bytes());
}

#[test]
fn a_quote_open_beyond_the_limit_costs_one_line() {
    let rows = RECORD_BYTES_MAX / SOUND.len() + 2;
    let mut text = items(&[SOUND, "I2,,,invoice,\"open,,USD,1,1,,,,\n"]);
    text.extend(SOUND.repeat(rows).into_bytes());
    let last = SOUND.replace("INV-1", "\"quoted\"");
    text.extend(last.into_bytes());
    let outcome = read(&text);
    assert_eq!(outcome.reasons(), [(3, TooLong)]);
    assert_eq!(outcome.counts.rows, rows as u64 + 2);
}

#[test]
fn a_line_over_the_limit_costs_one_line() {
    for chunk_bytes in [1 << 16, 1 << 22] {
        let long = format!("I2,{}\r\n", "x".repeat(RECORD_BYTES_MAX - 3 + 1));
        let fits = SOUND.replace("INV-1", &"y".repeat(RECORD_BYTES_MAX - SOUND.len() + 6));
        let text = items(&[&fits, &long, SOUND]);
        let outcome = read_with(&text, &settings(chunk_bytes, 8_192, 1));
        assert_eq!(outcome.cells("source_line"), ["2", "4"]);
        assert_eq!(outcome.reasons(), [(3, TooLong)]);
        let line = &outcome.quarantine[0];
        assert_eq!(line.byte_end - line.byte_start, long.len() as u64 - 2);
        assert_eq!(line.raw.len(), crate::intake::RAW_BYTES_MAX);
    }
}

#[test]
fn an_older_character_set_is_converted_and_said() {
    let mut text = items(&[SOUND]);
    for _ in 0..2 {
        text.extend(b"I2,Caf\xe9,,invoice,,,USD,1,1,,,,\n");
    }
    text.extend("I3,Café,,invoice,,,USD,1,1,,,,\n".bytes());
    let outcome = read(&text);
    assert_eq!(outcome.cells("entity"), ["E1", "Café", "Café", "Café"]);
    assert_eq!(
        outcome.findings(),
        [(Warning, ConvertedCharacters, Some(3))]
    );
    assert_eq!(outcome.findings[0].found, "2 lines that are not UTF-8");
}

#[test]
fn a_header_alone_is_said() {
    for text in [
        OPEN_ITEMS,
        OPEN_ITEMS.trim_end(),
        &(OPEN_ITEMS.to_owned() + "\r\n\n\0\x1a"),
    ] {
        let outcome = read(text.as_bytes());
        assert_eq!(outcome.findings(), [(Warning, NotMoneyFile, None)]);
        assert_eq!((outcome.rows, outcome.counts.rows), (None, 0));
    }
}

#[test]
fn a_header_that_went_away_is_said() {
    let written = written(b"something else\nand more\n");
    let file = SourceFile::plain(written.path().to_owned(), "given.file".to_owned());
    let mut findings = Vec::new();
    let format: &dyn crate::format::Format = &crate::canonical::PARTIES_CSV;
    let mut receiver = |batch| {
        if let Batch::Finding(finding) = batch {
            findings.push(finding.code);
        }
        Ok::<_, Stopped>(())
    };
    let counts = format
        .read(&file, &settings(3, 1, 2), &mut receiver)
        .unwrap();
    assert_eq!((counts.lines, counts.quarantined), (2, 1));
    assert_eq!(findings, [MissingColumn, QuarantinedLines]);
}

#[test]
fn reading_stops_when_nothing_more_is_wanted() {
    let written = written(&items(&[&SOUND.repeat(1_000)]));
    let file = SourceFile::plain(written.path().to_owned(), "given.file".to_owned());
    for threads in [1, 3] {
        let mut taken = 0;
        let mut receiver = |_| {
            taken += 1;
            if taken < 3 { Ok(()) } else { Err(Stopped) }
        };
        let format: &dyn crate::format::Format = &crate::canonical::OPEN_ITEMS_CSV;
        let outcome = format.read(&file, &settings(256, 4, threads), &mut receiver);
        assert!(matches!(outcome, Err(crate::format::ReadError::Stopped(_))));
        assert_eq!(taken, 3);
    }
}

#[test]
fn known_files_need_not_lie_on_disk() {
    let file = SourceFile::from_bytes("given.file".to_owned(), &b"truth_file,truth_line\n"[..]);
    let format: &dyn crate::format::Format = &crate::canonical::TRUTH;
    let mut receiver = |_| Ok::<_, Stopped>(());
    let counts = format.read(&file, &settings(3, 1, 1), &mut receiver);
    assert_eq!(counts.unwrap().lines, 1);
}

#[test]
fn known_files_that_hold_nothing_are_counted() {
    let truth = "truth_file,truth_line,scenario,decidable,party_id,status,currency,amount,\
                 item_id,applied\nlockbox.txt,4,clean,yes,C1,applied,USD,1,I1,1\n";
    let outcome = read(truth.as_bytes());
    assert_eq!((outcome.format, outcome.role), ("truth", Role::Nothing));
    assert_eq!(outcome.findings(), [(Info, NotMoneyFile, None)]);
    assert_eq!((outcome.counts.lines, outcome.counts.rows), (2, 0));

    let advice = "payment_id,source_file,source_line,payment_reference,payer_name,payment_date,\
                  payment_amount,currency,document_number,gross,discount,adjustment,\
                  adjustment_reason,net\n";
    let outcome = read(advice.as_bytes());
    assert_eq!(
        (outcome.format, outcome.role),
        ("tieout_output", Role::Nothing)
    );
}
