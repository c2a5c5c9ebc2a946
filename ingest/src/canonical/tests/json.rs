//! JSON lines.

use tieout_core::FindingCode::{QuarantinedLines, UnknownColumn};
use tieout_core::QuarantineReason::{BadAmount, BadStructure, BadValue, MissingField};
use tieout_core::Severity::{Error, Info};

use super::*;

const FIRST: &str = concat!(
    r#"{"item_id":"I1","party_id":"C1","kind":"invoice","number":"N1","currency":"USD","#,
    r#""open_amount":98.5}"#,
    "\n"
);

#[test]
fn amounts_are_taken_digit_by_digit() {
    let text = FIRST.to_owned()
        + r#"{"Item_Id":"I2","kind":"bill","number":12,"currency":"USD","#
        + r#""open_amount":123456789012345678.12345,"amount":"7","due_date":null,"#
        + r#""note":{"a":[1,2.50]},"party_id":"C\u0032"}"#;
    let outcome = read(text.as_bytes());
    assert_eq!(
        (outcome.format, outcome.role),
        ("open_items.jsonl", Role::OpenItems)
    );
    assert_eq!(outcome.cells("item_id"), ["I1", "I2"]);
    let amounts = ["98.50000", "123456789012345678.12345"];
    assert_eq!(outcome.cells("open_amount"), amounts);
    assert_eq!(outcome.cells("amount"), ["98.50000", "7.00000"]);
    assert_eq!(outcome.cells("number"), ["N1", "12"]);
    assert_eq!(outcome.cell(1, "party_id"), "C2");
    assert_eq!(outcome.cells("extra"), ["-", "{\"note\":{\"a\":[1,2.50]}}"]);
    assert_eq!(outcome.cells("source_line"), ["1", "2"]);
    assert_eq!(outcome.findings(), [(Info, UnknownColumn, Some(2))]);
}

#[test]
fn a_bad_line_is_refused_alone() {
    let start = r#"{"item_id":"I2","kind":"bill","currency":"USD","#;
    for (rest, reason) in [
        (r#""open_amount":1e5}"#, BadAmount),
        (r#""open_amount":[1]}"#, BadValue),
        (r#""open_amount":1,"open_amount":2}"#, BadStructure),
        (r#""open_amount":1"#, BadStructure),
        (r#""amount":1}"#, MissingField),
    ] {
        let text = format!("\u{feff}{FIRST}\n{start}{rest}\r\n{FIRST}");
        let outcome = read(text.as_bytes());
        assert_eq!(outcome.cells("source_line"), ["1", "4"], "{rest}");
        assert_eq!(outcome.reasons(), [(3, reason)], "{rest}");
        let line = &outcome.quarantine[0];
        assert_eq!(line.raw, format!("{start}{rest}").as_bytes());
        assert_eq!(line.byte_start, 3 + FIRST.len() as u64 + 1);
        assert_eq!(line.byte_end, line.byte_start + line.raw.len() as u64);
        assert_eq!(outcome.findings(), [(Error, QuarantinedLines, Some(3))]);
    }
}

#[test]
fn the_kind_is_told_by_the_keys() {
    let party = br#"{"party_id":"C1","name":"Acme"}"#;
    assert_eq!(read(party).format, "parties.jsonl");
    let advice = br#"{"document_number":"D1","net":"1.00","payment_reference":"E1"}"#;
    let outcome = read(advice);
    assert_eq!(outcome.format, "remittances.jsonl");
    assert_eq!(outcome.cell(0, "net"), "1.00000");
    for other in [
        "{\n\"party_id\":1}",
        "{\"a\":1}",
        "[{\"party_id\":1,\"name\":2}]",
        "{}",
    ] {
        assert_eq!(
            try_read(other.as_bytes(), &settings(64, 8, 1)),
            None,
            "{other}"
        );
    }
}
