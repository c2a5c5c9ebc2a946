//! Fedwire messages beside which their authors put what they read in them, as JSON: ours is the
//! same. The files are not part of this repository; `TIEOUT_SAMPLES` names their folder.
#![allow(clippy::unwrap_used)]

mod reading;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use reading::real::samples;
use reading::{Row, format, read_source};
use serde_json::Value;
use tieout_ingest::{Settings, SourceFile};

const FOLDER: &str = "fedwire/moov-io__wire/test/testdata";
/// Its JSON was made from an earlier edition of the message.
const OTHER_EDITION: &str = "fedWireMessage-CustomerTransferPlus.json";

fn folder() -> Option<PathBuf> {
    Some(samples()?.join(FOLDER))
}

/// The text at `path` in the message, or nothing.
fn text<'a>(message: &'a Value, path: &str) -> &'a str {
    let found = message.pointer(path).and_then(Value::as_str);
    found.unwrap_or_default()
}

fn cell<'a>(row: &'a Row, column: &str) -> &'a str {
    row.get(column).map_or("", String::as_str)
}

/// What we say, beside what the authors say.
fn figures(row: &Row, instruction: &Row, message: &Value) -> Vec<(String, String)> {
    let at = |path: &str| text(message, path).to_owned();
    let accountability = "/inputMessageAccountabilityData";
    let identifier = ["inputCycleDate", "inputSource", "inputSequenceNumber"];
    let identifier = identifier.map(|part| at(&format!("{accountability}/{part}")));
    let kind = format!(
        "{}{}/{}",
        at("/typeSubType/typeCode"),
        at("/typeSubType/subTypeCode"),
        at("/businessFunctionCode/businessFunctionCode")
    );
    let cents = cell(row, "amount").replace('.', "");
    let said: u64 = at("/amount/amount").parse().unwrap();
    let is_test = at("/senderSupplied/testProductionCode") == "T";
    let said_to = ["lineOne", "lineTwo", "lineThree", "lineFour"];
    let said_to = said_to.map(|line| at(&format!("/originatorToBeneficiary/{line}")));
    let mut told = vec![at("/beneficiaryReference/beneficiaryReference")];
    told.extend(said_to);
    told.push(at("/unstructuredAddenda/addenda"));
    told.retain(|part| !part.is_empty());
    let ours = |column| cell(row, column).to_owned();
    let instructed = |column| cell(instruction, column).to_owned();
    vec![
        (ours("bank_reference"), identifier.concat()),
        (cents, (said * 1_000).to_string()),
        (ours("type_code"), kind),
        (ours("counterparty_name"), at("/originator/personal/name")),
        (ours("remittance_text"), told.join(" ")),
        ((ours("status") == "INFO").to_string(), is_test.to_string()),
        (
            instructed("instruction_id"),
            at("/senderReference/senderReference"),
        ),
        (
            instructed("creditor_name"),
            at("/beneficiary/personal/name"),
        ),
        (
            instructed("creditor_agent"),
            at("/receiverDepositoryInstitution/receiverABANumber"),
        ),
        (
            instructed("debtor_agent"),
            at("/senderDepositoryInstitution/senderABANumber"),
        ),
    ]
}

fn messages(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .filter(|path| path.file_name().is_some_and(|name| name != OTHER_EDITION))
        .collect()
}

#[test]
fn messages_read_as_their_authors_say() {
    let Some(folder) = folder() else { return };
    let messages = messages(&folder);
    assert!(!messages.is_empty());
    for path in messages {
        let expected: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let message = &expected["fedWireMessage"];
        let source = SourceFile::plain(path.with_extension("txt"), "file".to_owned());
        let reading = read_source(format("fedwire"), &source, &Settings::default());
        assert_eq!(reading.rows.len(), 1, "{}", path.display());
        let instruction = &reading.table("payment_instructions")[0];
        for (ours, theirs) in figures(&reading.rows[0], instruction, message) {
            assert_eq!(ours, theirs, "{}", path.display());
        }
    }
}
