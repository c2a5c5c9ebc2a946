//! Real ACH files beside which their authors wrote what they hold.
//!
//! The files are not part of this repository: `TIEOUT_SAMPLES` names their folder, seen from the
//! repository's root.
#![allow(clippy::unwrap_used)]

mod reading;

use std::fs;
use std::path::PathBuf;

use reading::real::samples;
use serde_json::Value;
use tieout_core::Amount;

fn folder() -> Option<PathBuf> {
    Some(samples()?.join("nacha/moov-io__ach/test/testdata"))
}

/// Account, transaction code, identification, receiver and trace number of an entry.
fn identifiers(value: &Value) -> [String; 5] {
    let text = |name: &str| value[name].as_str().unwrap().trim().to_owned();
    let bank = text("RDFIIdentification") + &text("checkDigit");
    [
        format!("{bank}:{}", text("DFIAccountNumber")),
        format!("PPD/{}", value["transactionCode"]),
        text("identificationNumber"),
        text("individualName"),
        text("traceNumber"),
    ]
}

#[test]
fn entries_are_those_that_the_authors_list() {
    let Some(folder) = folder() else { return };
    let name = "ppd-mixedDebitCredit-invalid";
    let bytes = fs::read(folder.join(format!("{name}.ach"))).unwrap();
    let json = fs::read(folder.join(format!("{name}.json"))).unwrap();
    let expected: Value = serde_json::from_slice(&json).unwrap();
    let entries = expected["batches"][0]["entryDetails"].as_array().unwrap();
    let reading = reading::read("nacha", bytes);
    assert_eq!(reading.rows.len(), entries.len());
    let instructions = reading.table("payment_instructions");
    for ((row, instruction), value) in reading.rows.iter().zip(instructions).zip(entries) {
        let cents = i128::from(value["amount"].as_i64().unwrap());
        let amount: Amount = row["amount"].parse().unwrap();
        assert_eq!(amount, Amount::from_minor(cents, 2).unwrap());
        let receiver = match &*row["direction"] {
            "CRDT" => "creditor_name",
            _ => "debtor_name",
        };
        let found = [
            &row["account"],
            &row["type_code"],
            &row["end_to_end_id"],
            &instruction[receiver],
            &row["bank_reference"],
        ];
        assert_eq!(found.map(Clone::clone), identifiers(value));
    }
}
