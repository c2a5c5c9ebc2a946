//! Lockbox files: each feature and each way to be broken.
#![allow(clippy::unwrap_used)]

mod reading;

use std::sync::Arc;

use reading::{Reading, data, edited, read, read_with};
use tieout_ingest::{Layouts, Settings};

fn invoice() -> Reading {
    read("lockbox", data("invoice.lockbox"))
}

fn edited_invoice(from: &str, to: &str) -> Reading {
    read("lockbox", edited("invoice.lockbox", from, to))
}

#[test]
fn checks_come_with_an_amount_per_document() {
    let reading = invoice();
    assert_eq!(reading.counts.profile.as_deref(), Some("bai-invoice"));
    assert_eq!((reading.problems(), reading.refused()), (vec![], vec![]));
    assert_eq!(
        reading.column("amount"),
        ["1500.00000", "42.75000", "0.99000"]
    );
    assert_eq!(reading.column("check_number"), ["4711", "", "12"]);
    assert_eq!(
        reading.column("counterparty_account"),
        ["091000019:0001234567", "", "091000019:77-12345"]
    );
    assert_eq!(
        reading.column("remittance_text"),
        ["PER CREDIT", "PAYMENT ON ACCOUNT", ""]
    );
    assert_eq!(reading.column("account"), ["0061001"; 3]);
    assert_eq!(reading.column("value_date"), ["2026-03-16"; 3]);
    assert_eq!(reading.column("source_line"), ["4", "8", "12"]);
    assert_eq!(
        reading.column("statement_id"),
        [
            "0061001/2026-03-16/001",
            "0061001/2026-03-16/001",
            "0061001/2026-03-16/002"
        ]
    );
    assert_eq!(
        reading.document_column("document_number"),
        ["INV-1001", "INV-1002", "CM-77", ""]
    );
    assert_eq!(
        reading.document_column("net"),
        ["1000.00000", "700.00000", "-200.00000", "42.75000"]
    );
    assert_eq!(
        reading.document_column("adjustment"),
        ["-25.00000", "", "", ""]
    );
    assert_eq!(
        reading.document_column("adjustment_reason"),
        ["DA", "", "", ""]
    );
    assert_eq!(
        reading.document_column("transaction_row"),
        ["0", "0", "0", "1"]
    );
    assert_eq!(reading.document_column("source_line"), ["5", "6", "7", "9"]);
    assert_eq!(
        reading.document_column("payment_date"),
        ["2026-03-12", "2026-03-12", "2026-03-12", "2026-03-16"]
    );
}

#[test]
fn a_row_names_its_bytes() {
    let bytes = data("invoice.lockbox");
    let row = &invoice().rows[0];
    let range = row["byte_start"].parse().unwrap()..row["byte_end"].parse().unwrap();
    let text = String::from_utf8(bytes[range].to_vec()).unwrap();
    assert!(text.starts_with("6001001") && text.trim_end().ends_with("PER CREDIT"));
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn text_goes_on_over_records() {
    let reading = read("lockbox", data("text.lockbox"));
    assert_eq!(reading.counts.profile.as_deref(), Some("bai-text"));
    assert_eq!((reading.problems(), reading.refused()), (vec![], vec![]));
    let numbers = |from: u32, to: u32, by: &str| {
        let numbers: Vec<String> = (from..=to).map(|n| n.to_string()).collect();
        numbers.join(by)
    };
    assert_eq!(
        reading.column("remittance_text"),
        [
            format!("INV {}", numbers(1_000_001, 1_000_009, ", ")).as_str(),
            &numbers(1_000_011, 1_000_020, "/"),
            ""
        ]
    );
    assert_eq!(reading.column("check_number"), ["4712", "4713", "4714"]);
    assert_eq!(
        reading.column("counterparty_account"),
        ["091000019:0001234567", "", "091000019:0009999999"]
    );
    assert_eq!(reading.documents, []);
}

#[test]
fn line_lengths_and_line_ends_do_not_matter() {
    for name in ["invoice.lockbox", "text.lockbox"] {
        let text = String::from_utf8(data(name)).unwrap();
        let whole = read("lockbox", &text);
        for (width, end) in [(0, "\n"), (80, "\r\n"), (94, "\n"), (104, "\r")] {
            let lines: Vec<String> = text
                .lines()
                .map(|line| format!("{:width$}{end}", line.trim_end()))
                .collect();
            let other = read("lockbox", lines.concat() + "\u{1a}\0\0");
            for column in ["identity", "amount", "remittance_text", "source_line"] {
                assert_eq!(other.column(column), whole.column(column));
            }
            assert_eq!(other.problems(), []);
        }
    }
}

#[test]
fn totals_and_counts_are_compared() {
    for (from, to, problems) in [
        (
            "0020000154275",
            "0020000154276",
            vec![("control_total", Some(10)), ("control_total", Some(14))],
        ),
        (
            "0020000154275",
            "0030000154275",
            vec![("control_count", Some(10)), ("control_count", Some(14))],
        ),
        (
            "00030000154374",
            "00030000154375",
            vec![("control_total", Some(14))],
        ),
        (
            "00030000154374",
            "00040000154374",
            vec![("control_count", Some(14))],
        ),
        ("9000015", "9000016", vec![("control_count", Some(15))]),
    ] {
        assert_eq!(edited_invoice(from, to).problems(), problems, "{to}");
    }
    let finding = &edited_invoice("00030000154374", "00030000154375").findings[1];
    assert_eq!(
        finding.found,
        "the lockbox of lockbox 0061001 says a total of 1543.75"
    );
    assert_eq!(finding.expected, "1543.74, the sum of its batches");
}

#[test]
fn documents_that_do_not_add_up_are_counted_once() {
    let reading = edited_invoice("00000700000000000000", "00000700010000000000");
    assert_eq!(reading.problems(), [("control_total", Some(4))]);
    assert_eq!(reading.rows.len(), 3);
    assert!(reading.findings.iter().any(|finding| finding.found
        == "1 checks whose documents add up to another amount, the first here"));
}

#[test]
fn a_bad_amount_takes_its_documents_along() {
    let reading = edited_invoice("60010010000150000", "6001001000015O000");
    assert_eq!(
        reading.refused(),
        [
            ("bad_amount", 4),
            ("misplaced_record", 5),
            ("misplaced_record", 6),
            ("misplaced_record", 7)
        ]
    );
    assert_eq!(
        reading.quarantine[0].message,
        "the check's amount in columns 8-17 is `000015O000`, expected digits; compare the line \
         with the bank's guide"
    );
    assert_eq!(
        reading.quarantine[1].message,
        "the check on line 4 that it belongs to is in quarantine"
    );
    assert_eq!(reading.rows.len(), 2);
    assert_eq!(
        reading.problems(),
        [("control_total", Some(10)), ("quarantined_lines", Some(4))]
    );
}

#[test]
fn a_bad_document_leaves_its_check() {
    let reading = edited_invoice("0000100000", "00001O0000");
    assert_eq!(reading.refused(), [("bad_amount", 5)]);
    assert_eq!(reading.rows.len(), 3);
    assert_eq!(
        reading.document_column("document_number"),
        ["INV-1002", "CM-77", ""]
    );
    assert_eq!(reading.problems(), [("quarantined_lines", Some(5))]);
}

#[test]
fn shifted_lines_say_so() {
    const RECORD: &str = "6001001000015000009100001";
    for (to, reason, message) in [
        (
            // Digits everywhere, and the amount is right by chance.
            "60010010000150000009100001",
            "bad_structure",
            "the check's check date in columns 47-52 is `103122`, expected a day near the \
             deposit; the line seems to be shifted by 1 to the right",
        ),
        (
            "600100100001500009100001",
            "bad_structure",
            "the check's check date in columns 47-52 is `31226A`, expected MMDDYY; the line seems \
             to be shifted by 1 to the left",
        ),
        (
            "6  001001000015000009100001",
            "bad_structure",
            "the check's batch in columns 2-4 is `  0`, expected digits; the line seems to be \
             shifted by 2 to the right",
        ),
    ] {
        let reading = edited_invoice(RECORD, to);
        assert_eq!(reading.quarantine[0].message, message);
        assert_eq!(reading.refused()[0], (reason, 4));
        assert_eq!(reading.rows.len(), 2);
    }
}

#[test]
fn an_old_check_or_an_odd_transit_number_alone_is_no_shift() {
    for (from, to) in [
        ("4711031226", "4711031219"),
        ("4711031226", "4711133326"),
        ("091000019000123", "091000018000123"),
    ] {
        let reading = edited_invoice(from, to);
        assert_eq!(reading.refused(), [], "{to}");
        assert_eq!(reading.problems(), [], "{to}");
    }
}

#[test]
fn records_out_of_place_are_refused() {
    let orphan = edited_invoice("60010010000150000", "4001001601\n60010010000150000");
    assert_eq!(orphan.refused(), [("misplaced_record", 4)]);
    assert_eq!(orphan.rows.len(), 3);
    let stranger = edited_invoice("4001001602", "4001009602");
    assert_eq!(stranger.refused(), [("misplaced_record", 6)]);
    assert_eq!(
        stranger.quarantine[0].message,
        "names another batch or item than the check on line 4 before it"
    );
    let unknown = edited_invoice("6001002", "XWHAT IS THIS\n6001002");
    assert_eq!(unknown.refused(), [("unknown_record", 8)]);
    assert_eq!(unknown.rows.len(), 3);
}

#[test]
fn a_batch_without_its_lockbox_is_refused() {
    let reading = edited_invoice("50000000061001260316", "5000000 ??    260316");
    assert_eq!(
        reading.refused(),
        [
            ("bad_value", 3),
            ("misplaced_record", 4),
            ("misplaced_record", 5),
            ("misplaced_record", 6),
            ("misplaced_record", 7),
            ("misplaced_record", 8),
            ("misplaced_record", 9),
            ("misplaced_record", 10),
        ]
    );
    assert_eq!(reading.column("check_number"), ["12"]);
}

#[test]
fn a_bad_deposit_date_falls_back_to_the_files() {
    let reading = edited_invoice("50000000061001260316", "50000000061001261316");
    assert_eq!(reading.refused(), [("bad_date", 3)]);
    assert_eq!(reading.column("booking_date")[0], "2026-03-16");
    assert_eq!(reading.column("booking_date"), ["2026-03-16"; 3]);
}

#[test]
fn continuations_out_of_sequence_are_named() {
    for (from, to) in [
        ("40010016020", "40010016030"),
        ("40010016039", "40010016030"),
        ("40010016010", "40010016019"),
    ] {
        let reading = edited_invoice(from, to);
        assert_eq!(reading.problems(), [("overflow_sequence", Some(4))], "{to}");
        assert_eq!(reading.documents.len(), 4);
    }
}

#[test]
fn files_that_end_early_say_so() {
    let whole = String::from_utf8(data("invoice.lockbox")).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let truncated = read("lockbox", lines[..7].concat());
    assert_eq!(truncated.problems(), [("truncated_file", None)]);
    assert_eq!(truncated.rows.len(), 1);
    assert_eq!(truncated.documents.len(), 3);
    assert!(truncated.findings.iter().any(|finding| finding.found
        == "the file ends inside the batch that begins on line 3 without its 9 record"));
    let without = |line: usize| {
        let rest: Vec<&str> = lines
            .iter()
            .enumerate()
            .filter(|(place, _)| *place != line - 1)
            .map(|(_, text)| *text)
            .collect();
        read("lockbox", rest.concat()).problems()
    };
    assert_eq!(without(15), [("truncated_file", None)]);
    assert_eq!(
        without(10),
        [("missing_record", Some(10)), ("control_count", Some(14))]
    );
    assert_eq!(
        without(14),
        [("missing_record", Some(14)), ("control_count", Some(14))]
    );
}

#[test]
fn two_transmissions_in_one_file() {
    let twice = [data("invoice.lockbox"), data("invoice.lockbox")].concat();
    let reading = read("lockbox", twice);
    assert_eq!(reading.problems(), []);
    assert_eq!(reading.rows.len(), 6);
    let ids = reading.column("identity");
    assert_eq!(ids[..3], ids[3..]);
}

#[test]
fn identity_is_content() {
    let whole = invoice();
    let ids = whole.column("identity");
    assert_ne!(ids[0], ids[1]);
    // The transmission's own date and time, its place and its blanks say nothing of a check.
    for (from, to) in [
        ("2603160615", "2603170700"),
        ("2HARBORST00", "\r\n2HARBORST00"),
    ] {
        assert_eq!(edited_invoice(from, to).column("identity"), ids);
    }
    for (from, to) in [
        ("0000004711", "0000004712"),
        ("ACME SUPPLY CO", "ACME SUPPLY  X"),
        ("INV-1001", "INV-1009"),
        ("PER CREDIT", "PER DEBIT "),
        ("0001234567", "0001234568"),
        ("00000025", "00000026"),
        ("031226", "031126"),
    ] {
        let text = edited("invoice.lockbox", from, to);
        let other = read_with("lockbox", text.as_bytes(), &Settings::default());
        assert_ne!(other.column("identity")[0], ids[0], "{to}");
        assert_eq!(other.column("identity")[1..], ids[1..], "{to}");
    }
}

#[test]
fn other_character_sets_are_read_and_named() {
    let utf8 = edited_invoice("ACME SUPPLY CO", "CAF\u{c9} M\u{dc}LLER  ");
    assert_eq!(utf8.column("counterparty_name")[0], "CAF\u{c9} M\u{dc}LLER");
    assert_eq!(utf8.problems(), []);
    let text = edited("invoice.lockbox", "ACME SUPPLY CO", "CAF@ MULLER   ");
    let bytes: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == b'@' { 0xc9 } else { byte })
        .collect();
    let latin = read("lockbox", bytes);
    assert_eq!(latin.column("counterparty_name")[0], "CAF\u{c9} MULLER");
    assert!(
        latin
            .findings
            .iter()
            .any(|f| f.code.code() == "converted_characters" && f.line == Some(4))
    );
}

#[test]
fn lines_beyond_the_limit_are_cut_into_quarantine() {
    let long = format!("6{}\n6001002", "1".repeat(1 << 21));
    let reading = edited_invoice("6001002", &long);
    assert_eq!(reading.refused()[0].0, "too_long");
    assert_eq!(
        reading.quarantine[0].byte_end - reading.quarantine[0].byte_start,
        (1 << 21) + 1
    );
    assert_eq!(reading.quarantine[0].raw.len(), 64 * 1024);
    let wide = edited_invoice("BETA LLC", &format!("BETA LLC{:60}X", ""));
    assert_eq!(wide.refused(), [("bad_structure", 12)]);
}

/// A bank that puts the amount behind the check number, days first.
const OWN: &str = r#"
format = "lockbox"
name = "harbor"
about = "amount behind the check number"
line_lengths = [80]
dates = "DDMMYY"

[record.5]
lockbox = [2, 8]
deposit_date = [9, 14]

[record.6]
batch = [2, 4]
item = [5, 7]
check_number = [8, 17]
amount = [18, 27]
remitter = [28, 57]

[record.4]
batch = [2, 4]
item = [5, 7]
document_number = [8, 19]
net = { columns = [20, 29], sign = "trailing" }

[record.7]
total = [8, 17]

[record.8]
total = [8, 17]

[record.9]
record_count = [2, 7]
"#;

const OWN_FILE: &str = "\
100HARBORST000091000019
50061001160326
600100100000047110000012000ACME SUPPLY CO
4001001INV-1       0000012500
4001001CM-2        000000500-
70010000000012000
80000000000012000
9000008
";

#[test]
fn a_layout_of_ones_own_comes_before_those_that_ship() {
    let mut layouts = Layouts::shipped();
    layouts.add("harbor.toml", OWN).unwrap();
    let settings = Settings {
        layouts: Arc::new(layouts),
        ..Settings::default()
    };
    let reading = read_with("lockbox", OWN_FILE.as_bytes(), &settings);
    assert_eq!(reading.counts.profile.as_deref(), Some("harbor"));
    assert_eq!((reading.problems(), reading.refused()), (vec![], vec![]));
    assert_eq!(reading.column("amount"), ["120.00000"]);
    assert_eq!(reading.column("booking_date"), ["2026-03-16"]);
    assert_eq!(reading.document_column("net"), ["125.00000", "-5.00000"]);
    // The same layout does not disturb a file that another one fits.
    let shipped = read_with("lockbox", &data("invoice.lockbox"), &settings);
    assert_eq!(shipped.counts.profile.as_deref(), Some("bai-invoice"));
    assert_eq!(shipped.column("identity"), invoice().column("identity"));
}

#[test]
fn a_file_that_no_layout_fits_is_named() {
    let reading = read("lockbox", OWN_FILE);
    assert!(
        reading
            .findings
            .iter()
            .any(|finding| finding.code.code() == "profile_uncertain")
    );
    assert!(reading.counts.quarantined > 0);
}

#[test]
fn layouts_are_read_for_what_is_wrong_with_them() {
    let good = read("lockbox_layout", OWN);
    assert_eq!(good.counts.profile.as_deref(), Some("harbor"));
    assert_eq!(good.findings, []);
    let bad = read(
        "lockbox_layout",
        OWN.replace("amount = [18, 27]", "amount = [18, 270]"),
    );
    assert_eq!(bad.problems(), [("unreadable_file", None)]);
    assert!(
        bad.findings[0]
            .found
            .starts_with("record.6.amount: lies in columns 18 to 270")
    );
    let latin = [OWN.as_bytes(), b"# Caf\xe9\n"].concat();
    let bad = read("lockbox_layout", latin);
    assert_eq!(bad.problems(), [("unreadable_file", None)]);
    assert!(bad.findings[0].found.ends_with("is not UTF-8"));
}
