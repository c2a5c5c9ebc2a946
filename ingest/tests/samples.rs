//! Real files that others published: each is read or refused with a line and a reason, and
//! what is read ties to the file's own totals where those are right.
//!
//! They are not part of this repository: `TIEOUT_SAMPLES` names their folder, seen from the
//! repository's root.
#![allow(clippy::unwrap_used)]

mod reading;

use reading::real::samples;
use reading::{Reading, read};
use tieout_ingest::recognize;

fn sample(root: &std::path::Path, path: &str) -> Vec<u8> {
    std::fs::read(root.join(path)).unwrap()
}

const MOOV: &str = "bai2/moov-io__bai2/test/testdata";
const VENTUREHACKS: &str = "bai2/venturehacks__bai2/test/data";

fn bai2(root: &std::path::Path, folder: &str, name: &str) -> Reading {
    let reading = read("bai2", sample(root, &format!("{folder}/{name}")));
    assert!(
        reading.quarantine.is_empty(),
        "{name}: {:?}",
        reading.quarantine
    );
    reading
}

#[test]
fn wires_with_tagged_text() {
    let Some(root) = samples() else { return };
    for name in [
        "eod.bai2",
        "eod_with_slash_in_text.bai2",
        "eod_without_as_of_time.bai2",
    ] {
        let reading = bai2(&root, VENTUREHACKS, name);
        assert_eq!(reading.findings, [], "{name}");
        assert_eq!(reading.column("amount"), ["83259.82000"]);
        assert_eq!(
            reading.column("counterparty_name"),
            ["OPTIONS LINK WIRE CLEARING"]
        );
        assert_eq!(reading.column("remittance_text"), ["INVOICE 123456"]);
    }
    let wrong = bai2(&root, VENTUREHACKS, "invalid_checksum_eod.bai2");
    assert_eq!(wrong.problems(), [("control_total", Some(15))]);
    assert_eq!(wrong.rows.len(), 1);
}

#[test]
fn days_with_summaries_split_over_lines() {
    let Some(root) = samples() else { return };
    let plain = bai2(&root, VENTUREHACKS, "daily.bai2");
    assert_eq!(plain.findings, []);
    let summed = bai2(&root, VENTUREHACKS, "daily_with_summary.bai2");
    // Its closing balance is zero although money came in.
    assert_eq!(summed.problems(), [("balance_roll_forward", Some(3))]);
    assert_eq!(summed.balances.len(), 8);
    for reading in [plain, summed] {
        assert_eq!(reading.column("amount"), ["250.01000"]);
        assert_eq!(reading.column("end_to_end_id"), ["50848"]);
        assert_eq!(
            reading.column("remittance_text"),
            ["SAMPLE CONTINUATION TEXT"]
        );
    }
}

#[test]
fn files_whose_totals_tie() {
    let Some(root) = samples() else { return };
    for (name, rows, balances) in [
        ("sample1.txt", 17, 8),
        ("sample2.txt", 4, 25),
        ("sample3.txt", 26, 90),
    ] {
        let reading = bai2(&root, MOOV, name);
        assert_eq!(reading.findings, [], "{name}");
        assert_eq!(
            (reading.rows.len(), reading.balances.len()),
            (rows, balances),
            "{name}"
        );
    }
    let canadian = bai2(&root, MOOV, "sample1.txt");
    assert!(
        canadian
            .column("currency")
            .iter()
            .all(|&code| code == "CAD")
    );
    assert_eq!(canadian.rows[0]["value_date"], "2006-03-16");
    assert_eq!(canadian.rows[0]["booking_date"], "2006-03-17");
}

#[test]
fn files_edited_by_hand_are_read_and_reported() {
    let Some(root) = samples() else { return };
    let fourth = bai2(&root, MOOV, "sample4-continuations-newline-delimited.txt");
    assert_eq!(fourth.rows.len(), 17);
    assert_eq!(
        fourth.problems(),
        [
            ("control_total", Some(22)),
            ("control_count", Some(22)),
            ("control_total", Some(110)),
            ("control_count", Some(110)),
            ("control_total", Some(115)),
            ("control_count", Some(115)),
            ("control_count", Some(115)),
            ("control_count", Some(116)),
        ]
    );
    let fifth = bai2(&root, MOOV, "sample5-issue113.txt");
    assert_eq!(fifth.rows.len(), 20);
    assert_eq!(
        fifth.problems().last(),
        Some(&("unexpected_record", Some(63)))
    );
    let returned = &fifth.rows[9];
    assert_eq!(returned["end_to_end_id"], "07370568132");
    assert_eq!(returned["check_number"], "9000000");
    assert_eq!(returned["reversal"], "true");
}

#[test]
fn a_lockbox_with_stripped_blanks() {
    let Some(root) = samples() else { return };
    let path = "lockbox/FundersClub__bai-lockbox/lockbox/tests/test_lockbox.bai";
    let reading = read("lockbox", sample(&root, path));
    assert_eq!(reading.problems(), []);
    assert_eq!(reading.refused(), []);
    assert_eq!(reading.counts.profile.as_deref(), Some("bai-text"));
    for (column, value) in [
        ("account", "0022222"),
        ("booking_date", "2016-05-23"),
        ("amount", "7000.00000"),
        ("check_number", "180"),
        ("counterparty_name", "BOB E SMITH"),
        ("counterparty_account", "055002707:0012345555"),
        ("remittance_text", "CE554"),
        ("statement_id", "0022222/2016-05-23/001"),
        ("source_line", "4"),
    ] {
        assert_eq!(reading.column(column), [value], "{column}");
    }
}

#[test]
fn junk_is_not_recognised() {
    let Some(root) = samples() else { return };
    let mut junk = vec![format!("{MOOV}/errors/sample-parseError.txt")];
    for name in [
        "3940e35d8f932097",
        "771e938e4458e983",
        "e262a7798c82c66e",
        "f96b9eec61a21275",
    ] {
        junk.push(format!(
            "bai2/moov-io__bai2/testdata/fuzz/FuzzReaderWriter_ValidFiles/{name}"
        ));
    }
    for path in junk {
        assert!(recognize(&sample(&root, &path)).is_none(), "{path}");
    }
}
