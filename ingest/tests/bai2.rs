//! BAI2 files: each feature and each way to be broken.
#![allow(clippy::unwrap_used)]

mod reading;

use reading::{Reading, Row, data, edited, read};

fn statement() -> Reading {
    read("bai2", data("statement.bai2"))
}

fn edited_statement(from: &str, to: &str) -> Reading {
    read("bai2", edited("statement.bai2", from, to))
}

/// A file with one account whose records between 03 and 49 are `records`; its trailers have
/// neither totals that tie nor counts.
fn account(header: &str, records: &str) -> Reading {
    let text = format!(
        "01,BANK,CUSTOMER,260316,0605,1,,,2/\n02,CUSTOMER,BANK,1,260315,,USD,2/\n\
         {header}\n{records}\n49,0,/\n98,0,1,/\n99,0,1,/\n"
    );
    read("bai2", text)
}

/// The one row of an account with the record `record`.
fn row(record: &str) -> Row {
    let reading = account("03,4400128871,,/", record);
    assert_eq!(reading.refused(), [], "{record}");
    assert_eq!(reading.rows.len(), 1, "{record}");
    reading.rows[0].clone()
}

fn refused(record: &str) -> (&'static str, u64, String) {
    let reading = account("03,4400128871,,/", record);
    assert_eq!(reading.rows, [], "{record}");
    let line = &reading.quarantine[0];
    (line.reason.code(), line.line, line.message.clone())
}

#[test]
fn a_whole_statement_ties() {
    let reading = statement();
    assert_eq!(reading.findings, []);
    assert_eq!(reading.refused(), []);
    assert_eq!(
        reading.column("amount"),
        [
            "1000.00000",
            "500.00000",
            "50.00000",
            "2.76000",
            "0.00000",
            "20.00000",
            "10.00000",
            "1200.00000"
        ]
    );
    assert_eq!(
        reading.column("type_code"),
        ["115", "142", "195", "169", "890", "475", "495", "174"]
    );
    assert_eq!(
        reading.column("direction"),
        [
            "CRDT", "CRDT", "CRDT", "CRDT", "CRDT", "DBIT", "DBIT", "CRDT"
        ]
    );
    assert_eq!(
        reading.column("source_line"),
        ["5", "6", "13", "18", "20", "21", "21", "25"]
    );
    assert_eq!(
        reading.column("remittance_text"),
        [
            "LOCKBOX DEPOSIT BOX 0061001",
            "INV-1001, INV-1002, INV-1003",
            "INVOICE 77/78/79",
            "ADJUSTED",
            "NOTICE WITHOUT MONEY",
            "CHECK PAID",
            "OUTGOING WIRE",
            "DEPOSIT"
        ]
    );
    assert_eq!(
        reading.column("counterparty_name"),
        [
            "",
            "ACME SUPPLY CO",
            "BETA LLC",
            "",
            "",
            "",
            "PACIFIC RIM MILLS LTD",
            ""
        ]
    );
    assert_eq!(
        reading.column("counterparty_account")[1],
        "091000019:1234567"
    );
    assert_eq!(
        reading.column("end_to_end_id"),
        ["0061001", "E0007000001", "", "", "", "", "", ""]
    );
    assert_eq!(reading.column("check_number")[5], "12345");
    assert_eq!(reading.column("status")[4], "INFO");
    assert_eq!(reading.column("value_date")[2], "2026-03-14");
    assert_eq!(reading.column("booking_date"), ["2026-03-15"; 8]);
    assert_eq!(reading.column("statement_id")[0], "4400128871/2026-03-15");
    assert_eq!(reading.column("channel"), ["statement"; 8]);
    // Yen have no minor unit.
    assert_eq!(reading.column("currency")[7], "JPY");
}

#[test]
fn balances_come_with_their_words() {
    let balances = statement().balances;
    let of = |name: &str| -> Vec<String> {
        balances
            .iter()
            .map(|row| row.get(name).cloned().unwrap_or_default())
            .collect()
    };
    assert_eq!(
        of("balance_type"),
        [
            "opening_ledger",
            "closing_ledger",
            "total_credits",
            "total_debits",
            "opening_ledger",
            "closing_ledger"
        ]
    );
    assert_eq!(of("item_count"), ["", "", "5", "2", "", ""]);
    assert_eq!(of("amount")[..2], ["1000.00000", "2522.76000"]);
    assert_eq!(of("amount")[4..], ["500.00000", "1700.00000"]);
    assert_eq!(of("source_line"), ["3", "3", "3", "3", "24", "24"]);
}

#[test]
fn each_funds_type_brings_its_fields() {
    for (funds, value_date) in [
        ("", "2026-03-15"),
        ("Z", "2026-03-15"),
        ("0", "2026-03-15"),
        ("1", "2026-03-15"),
        ("2", "2026-03-15"),
        ("S,1,2,3", "2026-03-15"),
        ("V,260401,", "2026-04-01"),
        ("V,260401,2400", "2026-04-01"),
        ("V,,", "2026-03-15"),
        ("D,0", "2026-03-15"),
        ("D,2,0,50,1,50", "2026-03-15"),
    ] {
        let row = row(&format!("16,195,100,{funds},BREF,CREF,TEXT, WITH/COMMA"));
        assert_eq!(row["value_date"], value_date, "{funds}");
        assert_eq!(row["bank_reference"], "BREF", "{funds}");
        assert_eq!(row["end_to_end_id"], "CREF", "{funds}");
        assert_eq!(row["remittance_text"], "TEXT, WITH/COMMA", "{funds}");
    }
}

#[test]
fn fields_may_be_left_out_at_the_end() {
    let bare = row("16,142,100/");
    assert_eq!(bare["amount"], "1.00000");
    assert!(!bare.contains_key("remittance_text"));
    let text_below = row("16,142,100,Z,BREF,CREF/\n88,TEXT BELOW/");
    assert_eq!(text_below["end_to_end_id"], "CREF");
    assert_eq!(text_below["remittance_text"], "TEXT BELOW");
    let amount_below = row("16,142/\n88,100,Z,BREF,CREF,TEXT/");
    assert_eq!(amount_below["amount"], "1.00000");
    assert_eq!(amount_below["remittance_text"], "TEXT");
}

#[test]
fn text_without_codes_goes_on() {
    let row = row("16,142,100,Z,,,FIRST PART\nSECOND PART 1,2\n88,THIRD PART/");
    assert_eq!(
        row["remittance_text"],
        "FIRST PART SECOND PART 1,2 THIRD PART"
    );
    // But not behind a slash, and not what looks like a record.
    let ended = account("03,1,,/", "16,142,100,Z,,,TEXT/\nNOISE");
    assert_eq!(ended.refused(), [("unknown_record", 5)]);
    let damaged = account(
        "03,1,,/",
        "16,142,100,Z,,,TEXT\n1x,142,300,Z,,,LOST\n88,MORE",
    );
    assert_eq!(
        damaged.refused(),
        [("unknown_record", 5), ("misplaced_record", 6)]
    );
    assert_eq!(damaged.column("amount"), ["1.00000"]);
}

#[test]
fn padding_and_line_ends_do_not_matter() {
    let text = String::from_utf8(data("statement.bai2")).unwrap();
    let whole = statement();
    for (width, end) in [(80, "\n"), (0, "\r\n"), (0, "\r"), (120, "\r\n")] {
        let lines: Vec<String> = text.lines().map(|line| format!("{line:width$}")).collect();
        let other = read("bai2", lines.join(end) + "\0\0\u{1a}");
        assert_eq!(other.problems(), [], "{width}");
        // Blanks at the end of a line read as a break between words.
        let texts =
            |reading: &Reading| reading.column("remittance_text").join("|").replace(' ', "");
        assert_eq!(texts(&other), texts(&whole));
        assert_eq!(other.column("identity"), whole.column("identity"));
    }
}

#[test]
fn names_depend_on_the_direction() {
    let tags = "\n88,DBNM: PAYER\n88,CRNM: PAYEE\n88,DABA: 091000019\n88,DACT: 11\n\
                88,CABA: 021000021\n88,CACT: 22\n88,EREF: E1";
    let credit = row(&format!("16,142,100,Z,B,C,TEXT{tags}"));
    assert_eq!(credit["counterparty_name"], "PAYER");
    assert_eq!(credit["counterparty_account"], "091000019:11");
    let debit = row(&format!("16,451,100,Z,B,C,TEXT{tags}"));
    assert_eq!(debit["counterparty_name"], "PAYEE");
    assert_eq!(debit["counterparty_account"], "021000021:22");
    assert_eq!(debit["end_to_end_id"], "E1");
    let iban = row("16,195,100,Z,B,C,T\n88,DACT: DE89370400440532013000");
    assert_eq!(iban["counterparty_account"], "DE89370400440532013000");
    let unknown = row("16,195,100,Z,B,C,T\n88,DACT: 77");
    assert!(!unknown.contains_key("counterparty_account"));
}

#[test]
fn checks_have_numbers_and_returns_are_reversals() {
    let check = row("16,475,100,Z,B,0000123,CHECK PAID");
    assert_eq!(check["check_number"], "123");
    assert!(!check.contains_key("end_to_end_id"));
    assert_eq!(check["reversal"], "false");
    let tagged = row("16,475,100,Z,B,8ce18291,CHECK PAID\n88,CHKN: 0009");
    assert_eq!(tagged["check_number"], "9");
    assert!(!row("16,475,100,Z,B,0000,CHECK PAID").contains_key("check_number"));
    assert!(!row("16,142,100,Z,B,0000123,ACH").contains_key("check_number"));
    assert_eq!(row("16,555,100,Z,B,1,RETURNED")["reversal"], "true");
}

#[test]
fn type_codes_say_which_way_money_moves() {
    assert_eq!(row("16,399,100,,,,X")["direction"], "CRDT");
    assert_eq!(row("16,699,100,,,,X")["direction"], "DBIT");
    let custom = account(
        "03,1,,/",
        "16,931,100,,,,X\n16,931,100,,,,Y\n16,965,100,,,,Z",
    );
    assert_eq!(custom.column("direction"), ["CRDT", "CRDT", "DBIT"]);
    let named: Vec<&str> = custom
        .findings
        .iter()
        .filter(|finding| finding.code.code() == "unknown_code")
        .map(|finding| finding.found.as_str())
        .collect();
    assert_eq!(
        named,
        [
            "type code 931, 2 times, the first here",
            "type code 965, 1 times, the first here"
        ]
    );
    for code in ["720", "905", "010", "100", "400", "1x2", "", "12"] {
        let (reason, line, message) = refused(&format!("16,{code},100,,,,X"));
        assert_eq!((reason, line), ("unknown_type", 4), "{code}");
        assert!(message.starts_with(&format!("type code `{code}` does not say")));
    }
}

#[test]
fn values_that_do_not_read_are_refused() {
    for (record, reason, message) in [
        (
            "16,142,12x4,,,,X",
            "bad_amount",
            "the amount is `12x4`; expected digits",
        ),
        (
            "16,142,-100,,,,X",
            "bad_amount",
            "the amount is `-100`; expected digits",
        ),
        (
            "16,142,1.00,,,,X",
            "bad_amount",
            "the amount is `1.00`; expected digits",
        ),
        ("16,142,,,,,X", "missing_field", "the amount is empty"),
        (
            "16,142,123456789012345678901,,,,X",
            "bad_amount",
            "the amount `123456789012345678901` has more than 18 digits",
        ),
        (
            "16,142,100,V,261345,,,,X",
            "bad_date",
            "the value date is `261345`",
        ),
        (
            "16,142,100,Q,,,X",
            "bad_structure",
            "the line ends inside its amount or funds type",
        ),
        (
            "16,142,100,S,1",
            "bad_structure",
            "the line ends inside its amount or funds type",
        ),
    ] {
        let (found, line, text) = refused(record);
        assert_eq!((found, line), (reason, 4), "{record}");
        assert!(text.starts_with(message), "{text}");
    }
}

#[test]
fn a_refused_record_takes_its_continuations_along() {
    let reading = account("03,1,,/", "16,142,1x,,,,X\n88,EREF: 1\n16,142,200,,,,Y");
    assert_eq!(reading.refused(), [("bad_amount", 4), ("bad_amount", 5)]);
    assert_eq!(reading.quarantine[1].raw, b"88,EREF: 1");
    assert_eq!(reading.column("amount"), ["2.00000"]);
    assert_eq!(
        reading.problems().last(),
        Some(&("quarantined_lines", Some(4)))
    );
}

#[test]
fn the_accounts_currency_comes_before_the_groups() {
    let currency = |header: &str| {
        let reading = account(header, "16,142,1234,,,,X");
        (
            reading.column("currency").join(""),
            reading.column("amount").join(""),
        )
    };
    let pair = |code: &str, amount: &str| (code.to_owned(), amount.to_owned());
    assert_eq!(currency("03,1,,/"), pair("USD", "12.34000"));
    assert_eq!(currency("03,1,KWD,/"), pair("KWD", "1.23400"));
    assert_eq!(currency("03,1,JPY,/"), pair("JPY", "1234.00000"));
    let bad = account("03,1,usd,/", "16,142,1234,,,,X");
    assert_eq!(bad.refused(), [("bad_currency", 3), ("bad_currency", 4)]);
}

#[test]
fn balances_that_do_not_read_leave_the_lines() {
    let reading = account("03,1,,010,1x,,/", "16,142,100,,,,X");
    assert_eq!(reading.refused(), [("bad_amount", 3)]);
    assert_eq!(reading.column("amount"), ["1.00000"]);
    let reading = account("03,1,,01,100,,/", "16,142,100,,,,X");
    assert_eq!(reading.refused(), [("bad_structure", 3)]);
    let reading = account("03,,,010,100,,/", "16,142,100,,,,X");
    assert_eq!(reading.refused(), [("missing_field", 3)]);
}

#[test]
fn totals_and_counts_are_compared() {
    for (from, to, problems) in [
        (
            "49,668828",
            "49,668829",
            vec![("control_total", Some(23)), ("control_total", Some(27))],
        ),
        (
            "49,668828,22",
            "49,668828,25",
            vec![("control_count", Some(23))],
        ),
        (
            "98,672228",
            "98,672227",
            vec![("control_total", Some(27)), ("control_total", Some(28))],
        ),
        (
            "98,672228,2",
            "98,672228,3",
            vec![("control_count", Some(27))],
        ),
        (
            "99,672228,1",
            "99,672228,2",
            vec![("control_count", Some(28))],
        ),
        ("1,29/", "1,39/", vec![("control_count", Some(28))]),
        (
            "015,252276",
            "015,252275",
            vec![
                ("control_total", Some(23)),
                ("balance_roll_forward", Some(3)),
            ],
        ),
        (
            "16,142,50000",
            "16,142,50001",
            vec![("control_total", Some(23))],
        ),
    ] {
        assert_eq!(edited_statement(from, to).problems(), problems, "{to}");
    }
    let finding = &edited_statement("49,668828", "49,668829").findings[0];
    assert_eq!(
        finding.found,
        "the account 4400128871 says a control total of 668829"
    );
    assert_eq!(finding.expected, "668828, the sum of the amounts below it");
}

#[test]
fn trailers_that_are_missing_are_named() {
    let text = String::from_utf8(data("statement.bai2")).unwrap();
    let without = |code: &str| {
        let mut dropped = false;
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| {
                let drop = !dropped && line.starts_with(code);
                dropped |= drop;
                !drop
            })
            .collect();
        read("bai2", lines.join("\n")).problems()
    };
    assert_eq!(without("99,"), [("truncated_file", None)]);
    assert_eq!(
        without("98,"),
        [("missing_record", Some(27)), ("control_count", Some(27))]
    );
    // The group and the file count one less than they say, as some banks do.
    assert_eq!(
        without("49,"),
        [
            ("missing_record", Some(23)),
            ("control_count", Some(26)),
            ("control_count", Some(27))
        ]
    );
    let early = read("bai2", text.lines().take(8).collect::<Vec<_>>().join("\n"));
    assert_eq!(early.problems(), [("truncated_file", None)]);
    assert_eq!(
        early.findings[0].found,
        "the file ends inside account 4400128871 without its 99 record"
    );
    assert_eq!(early.rows.len(), 2);
}

#[test]
fn records_out_of_place_are_refused() {
    for (from, to, refused) in [
        ("02,4400128871", "88,X\n02,4400128871", vec![]),
        (
            "03,4400128871",
            "16,142,5,,,,LOST\n03,4400128871",
            vec![("misplaced_record", 3)],
        ),
        (
            "03,4400128871",
            "49,0,1/\n03,4400128871",
            vec![("misplaced_record", 3)],
        ),
        (
            "99,672228,1,29/",
            "99,672228,1,29/\n98,0,0,1/\n99,0,0,1/",
            vec![("misplaced_record", 29), ("misplaced_record", 30)],
        ),
        (
            "99,672228,1,29/",
            "99,672228,1,29/\n03,1,,/\n16,142,1,,,,X",
            vec![("misplaced_record", 29), ("misplaced_record", 30)],
        ),
    ] {
        assert_eq!(edited_statement(from, to).refused(), refused, "{to}");
    }
}

#[test]
fn test_groups_are_not_booked() {
    for (status, words) in [
        ("4", "is a test"),
        ("2", "deletes what was reported before"),
    ] {
        let reading = edited_statement(
            "02,4400128871,091000019,1",
            &format!("02,4400128871,091000019,{status}"),
        );
        assert_eq!((reading.rows.len(), reading.balances.len()), (0, 0));
        assert!(
            reading
                .quarantine
                .iter()
                .all(|line| line.reason.code() == "bad_value")
        );
        assert!(reading.quarantine[0].message.contains(words));
        assert_eq!(reading.problems(), [("quarantined_lines", Some(5))]);
    }
    let correction = edited_statement("02,4400128871,091000019,1", "02,4400128871,091000019,3");
    assert_eq!(
        correction.column("identity"),
        statement().column("identity")
    );
}

#[test]
fn a_bad_as_of_date_falls_back_to_the_files() {
    let reading = edited_statement("1,260315,2400", "1,261515,2400");
    assert_eq!(reading.refused(), [("bad_date", 2)]);
    assert_eq!(reading.column("booking_date"), ["2026-03-16"; 8]);
}

#[test]
fn identity_is_content() {
    let whole = statement();
    let ids = whole.column("identity");
    // Who sent the file when, and whether the day was final, says nothing of a line.
    for (from, to) in [
        (
            "01,091000019,4400128871,260316,0605,1",
            "01,091000019,4400128871,260317,0900,7",
        ),
        ("2400,USD,2/", "1200,USD,1/"),
        ("02,4400128871", "\n\n02,4400128871"),
    ] {
        assert_eq!(edited_statement(from, to).column("identity"), ids, "{to}");
    }
    for (from, to) in [
        ("16,142,50000", "16,142,50001"),
        ("16,142,50000", "16,165,50000"),
        ("2603000002", "2603000099"),
        ("2,E0007000001", "2,E0007000002"),
        ("ACH CREDIT RECEIVED", "ACH CREDIT"),
        ("88,INV-1003", "88,INV-1004"),
        ("50000,0,", "50000,V,260316,,"),
    ] {
        let other = edited_statement(from, to);
        assert_ne!(other.column("identity")[1], ids[1], "{to}");
        assert_eq!(other.column("identity")[2..], ids[2..], "{to}");
    }
}

#[test]
fn other_versions_and_character_sets_are_named() {
    let version = edited_statement("0605,1,,,2/", "0605,1,,,3/");
    assert_eq!(version.problems(), [("unknown_code", Some(1))]);
    assert_eq!(version.rows.len(), 8);
    let text = edited(
        "statement.bai2",
        "DBNM: ACME SUPPLY CO",
        "DBNM: CAF@ MULLER",
    );
    let bytes: Vec<u8> = text
        .bytes()
        .map(|byte| if byte == b'@' { 0xc9 } else { byte })
        .collect();
    let latin = read("bai2", bytes);
    assert_eq!(latin.column("counterparty_name")[1], "CAF\u{c9} MULLER");
    assert_eq!(latin.findings[0].code.code(), "converted_characters");
    assert_eq!(latin.findings[0].line, Some(8));
}

#[test]
fn records_have_a_limit() {
    let many = "88,MORE TEXT\n".repeat(10_001);
    let reading = account(
        "03,1,,/",
        &format!("16,142,100,,,,X\n{many}16,142,200,,,,Y"),
    );
    assert_eq!(
        reading.refused(),
        [("too_long", 10_004), ("too_long", 10_005)]
    );
    assert_eq!(reading.column("amount"), ["1.00000", "2.00000"]);
    let long = format!("16,142,300,,,,{}", "X".repeat(1 << 20));
    let reading = account("03,1,,/", &format!("{long}\n88,ORPHAN\n16,142,200,,,,Y"));
    assert_eq!(
        reading.refused(),
        [("too_long", 4), ("misplaced_record", 5)]
    );
    assert_eq!(reading.column("amount"), ["2.00000"]);
}

#[test]
fn two_files_in_one() {
    let twice = [data("statement.bai2"), data("statement.bai2")].concat();
    let reading = read("bai2", twice);
    assert_eq!(reading.findings, []);
    assert_eq!(reading.rows.len(), 16);
}
