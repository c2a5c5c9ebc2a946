//! Explanations of payments in a ledger made by hand.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, RecordBatch, StringArray,
    UInt64Array,
};
use arrow::datatypes::DataType;
use tempfile::TempDir;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_core::{Amount, Date};
use tieout_ledger::Ledger;

use super::{SourceText, explain};
use crate::EngineError;

const APPLIED: &str = "aa000000000000000000000000000001";
const PROPOSED: &str = "aa000000000000000000000000000002";
const REPEAT: &str = "bb000000000000000000000000000003";
const FILE: &str = "1 head\n6 cheque 100123\n4 invoice A-1\n9 end\n";

type Row<'a> = &'a [(&'a str, &'a str)];

/// Rows from the texts of their cells; cells that are not named are missing, or empty where
/// they cannot be.
fn rows(table: Table, rows: &[Row]) -> RecordBatch {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let cells = rows.iter().map(|row| {
            let cell = row.iter().find(|(name, _)| name == field.name());
            let missing = (!field.is_nullable()).then_some("");
            cell.map_or(missing, |(_, text)| Some(*text))
        });
        match field.data_type() {
            DataType::Utf8 => Arc::new(cells.collect::<StringArray>()),
            DataType::UInt64 => {
                let counts = cells.map(|cell| cell.map(|text| text.parse().unwrap_or(0)));
                Arc::new(counts.collect::<UInt64Array>())
            }
            DataType::Float64 => {
                let ratios = cells.map(|cell| cell.map(|text| text.parse().unwrap_or(0.0)));
                Arc::new(ratios.collect::<Float64Array>())
            }
            DataType::Date32 => {
                let days = cells.map(|cell| cell.map(|text| text.parse::<Date>().unwrap().days()));
                Arc::new(days.collect::<Date32Array>())
            }
            DataType::Boolean => Arc::new(BooleanArray::from(vec![false; rows.len()])),
            _ => {
                let amounts = cells.map(|cell| {
                    let amount = cell.map(|text| text.parse::<Amount>().unwrap_or_default());
                    amount.map(Amount::units)
                });
                let column: Decimal128Array = amounts.collect();
                Arc::new(column.with_data_type(AMOUNT_TYPE))
            }
        }
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema.clone(), columns).unwrap()
}

/// A ledger of three payments, and the bank file that they came in.
struct Desk {
    dir: TempDir,
}

impl Desk {
    fn new() -> Self {
        let desk = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        fs::write(desk.bank_file(), FILE).unwrap();
        let mut ledger = Ledger::post(&desk.ledger()).unwrap();
        let file = desk.bank_file().display().to_string();
        let mut tables = tables(&file);
        // Nothing is applied to an item that is not there.
        tables.sort_by_key(|(table, _)| *table != Table::OpenItems);
        for (table, batch) in tables {
            ledger.write(table, &batch).unwrap();
        }
        ledger.finish("cash-application 1").unwrap();
        desk
    }

    fn ledger(&self) -> PathBuf {
        self.dir.path().join("ledger")
    }

    fn bank_file(&self) -> PathBuf {
        self.dir.path().join("bank.txt")
    }
}

fn tables(file: &str) -> Vec<(Table, RecordBatch)> {
    let digest = blake3::hash(FILE.as_bytes()).to_hex().to_string();
    let bytes = FILE.len().to_string();
    vec![
        (Table::Payments, payments(file)),
        (Table::Applications, applications()),
        (Table::Evidence, evidence()),
        (
            Table::Exceptions,
            rows(
                Table::Exceptions,
                &[&[
                    ("payment_id", PROPOSED),
                    ("reason", "ambiguous_items"),
                    ("candidates", "I1+I2=0.9000|I3=0.8000"),
                ]],
            ),
        ),
        (
            Table::Duplicates,
            rows(
                Table::Duplicates,
                &[&[
                    ("payment_id", REPEAT),
                    ("duplicate_of", APPLIED),
                    ("evidence", "resubmitted_payment: cheque 100123"),
                ]],
            ),
        ),
        (
            Table::Parties,
            rows(
                Table::Parties,
                &[&[("party_id", "C1"), ("name", "Acme Supply, Inc.")]],
            ),
        ),
        (
            Table::OpenItems,
            rows(
                Table::OpenItems,
                &[
                    &[
                        ("item_id", "I1"),
                        ("kind", "invoice"),
                        ("due_date", "2026-03-31"),
                        ("open_amount", "100"),
                    ],
                    &[("item_id", "I3"), ("number", "A-3")],
                ],
            ),
        ),
        (
            Table::RemittanceLines,
            rows(
                Table::RemittanceLines,
                &[&[
                    ("payment_id", APPLIED),
                    ("source_file", file),
                    ("source_line", "3"),
                    ("document_number", "A-1"),
                    ("net", "98"),
                ]],
            ),
        ),
        (
            Table::Files,
            rows(
                Table::Files,
                &[&[
                    ("source_file", file),
                    ("format", "lockbox"),
                    ("digest", &digest),
                    ("bytes", &bytes),
                ]],
            ),
        ),
    ]
}

fn payments(file: &str) -> RecordBatch {
    rows(
        Table::Payments,
        &[
            &[
                ("payment_id", APPLIED),
                ("source_file", file),
                ("source_line", "2"),
                ("booking_date", "2026-03-16"),
                ("value_date", "2026-03-16"),
                ("currency", "USD"),
                ("amount", "98"),
                ("payer_name", "ACME SUPPLY"),
                ("check_number", "100123"),
                ("status", "applied"),
                ("party_id", "C1"),
                ("applied", "98"),
                ("rule", "references"),
                ("score", "0.9998"),
                ("margin", "0.9"),
                ("recipe", "cash-application 1"),
                ("byte_start", "7"),
                ("byte_end", "37"),
            ],
            &[
                ("payment_id", PROPOSED),
                ("source_file", "elsewhere.txt"),
                ("currency", "USD"),
                ("amount", "50"),
                ("unapplied", "50"),
                ("status", "proposed"),
                ("reason", "ambiguous_items"),
                ("rule", "single_item"),
            ],
            &[
                ("payment_id", REPEAT),
                ("source_file", file),
                ("source_line", "9"),
                ("currency", "USD"),
                ("amount", "98"),
                ("unapplied", "98"),
                ("status", "duplicate"),
                ("reason", "resubmitted_payment"),
                ("rule", "duplicate"),
            ],
        ],
    )
}

fn applications() -> RecordBatch {
    let applied: Row = &[
        ("payment_id", APPLIED),
        ("item_id", "I1"),
        ("item_number", "A-1"),
        ("applied", "98"),
        ("discount", "2"),
    ];
    let first: Row = &[
        ("payment_id", PROPOSED),
        ("item_id", "I1"),
        ("applied", "20"),
    ];
    let second: Row = &[
        ("payment_id", PROPOSED),
        ("item_id", "I2"),
        ("applied", "30"),
    ];
    rows(Table::Applications, &[applied, first, second])
}

fn evidence() -> RecordBatch {
    rows(
        Table::Evidence,
        &[
            &[
                ("payment_id", APPLIED),
                ("sequence", "2"),
                ("kind", "evidence"),
                ("name", "amount_net_of_discount"),
                ("weight", "9.7"),
            ],
            &[
                ("payment_id", APPLIED),
                ("sequence", "1"),
                ("kind", "evidence"),
                ("name", "reference_exact"),
                ("weight", "9"),
                ("detail", "A-1"),
            ],
            &[
                ("payment_id", APPLIED),
                ("sequence", "3"),
                ("kind", "alternative"),
                ("score", "0.0998"),
                ("items", "I9"),
                ("detail", "single_item of 0.0998 against 0.9998"),
            ],
            &[
                ("payment_id", PROPOSED),
                ("sequence", "1"),
                ("kind", "alternative"),
                ("score", "0.8"),
                ("items", "I3"),
                ("detail", "single_item of 0.8000 against 0.9000"),
            ],
        ],
    )
}

const APPLIED_TEXT: &str = "\
Payment aa000000000000000000000000000001
  amount          98.00 USD
  payer           ACME SUPPLY
  cheque          100123
  booked          2026-03-16
  read from       BANK:2 (lockbox)

What became of it
  status          applied: All of the money was applied to open items.
  rule            references: The payment names the items and their sum fits.
  customer        C1 Acme Supply, Inc.
  money           98.00 = 98.00 applied + 0.00 on account + 0.00 unapplied
  score           0.9998, 0.9000 above the runner-up, by recipe cash-application 1

Repeated by payment bb000000000000000000000000000003 (BANK:9)
  resubmitted_payment: cheque 100123

Applied to
  item      kind, due             open   cash  discount
  A-1 (I1)  invoice 2026-03-31  100.00  98.00      2.00

Evidence
  -12.00  prior                   What any answer starts with.
   +9.00  reference_exact         A reference is the document number, letter by letter. (A-1)
   +9.70  amount_net_of_discount  The amount is the open amount less the discount within its terms.
   +6.70  together                bits of log-odds: a score of 0.9998.

Runners-up
  0.0998  I9  single_item of 0.0998 against 0.9998

What the payer says it is for
  document    net  read from
  A-1       98.00  BANK:3

Source BANK:2
  2 | 6 cheque 100123
  3 | 4 invoice A-1
";

#[test]
fn an_applied_payment_is_told_from_the_amount_to_the_line() {
    let desk = Desk::new();
    let told = explain(&desk.ledger(), APPLIED).unwrap();
    let file = desk.bank_file().display().to_string();
    assert_eq!(told.to_string().replace(&file, "BANK"), APPLIED_TEXT);
}

#[test]
fn a_proposal_ranks_its_candidates() {
    let desk = Desk::new();
    let told = explain(&desk.ledger(), PROPOSED).unwrap();
    let text = told.to_string();
    for line in [
        "  reason          ambiguous_items: Several sets of open items fit equally well.",
        "Proposed, items unchanged",
        "  0.9000  I1+I2     as proposed above",
        "  0.8000  A-3 (I3)  single_item of 0.8000 against 0.9000",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
    assert!(matches!(told.source.text, SourceText::Gone(_)), "{text}");
    assert!(text.contains("the file cannot be read from this folder"));
}

#[test]
fn a_repeat_names_what_it_repeats() {
    let desk = Desk::new();
    let told = explain(&desk.ledger(), REPEAT).unwrap();
    let original = told.duplicate_of.clone().unwrap();
    assert_eq!(original.payment_id, APPLIED);
    assert!(
        told.to_string()
            .contains(&format!("Repeats payment {APPLIED}"))
    );
}

#[test]
fn the_beginning_of_an_identifier_is_enough_if_no_other_has_it() {
    let desk = Desk::new();
    assert_eq!(explain(&desk.ledger(), " BB").unwrap().payment.id, REPEAT);
    let error = explain(&desk.ledger(), "aa0").unwrap_err();
    assert!(matches!(error, EngineError::AmbiguousPayment { .. }));
    let error = error.to_string();
    assert!(
        error.contains(APPLIED) && error.contains(PROPOSED),
        "{error}"
    );
}

#[test]
fn an_unknown_payment_is_an_error_that_helps() {
    let desk = Desk::new();
    for given in ["c", "", "' or 1 = 1 --", &"a".repeat(33)] {
        let error = explain(&desk.ledger(), given).unwrap_err();
        assert!(
            matches!(error, EngineError::UnknownPayment { .. }),
            "{given}"
        );
        assert!(error.to_string().contains("tieout sql"), "{error}");
    }
}

#[test]
fn a_file_that_has_changed_is_not_shown() {
    let desk = Desk::new();
    for other in ["other", &FILE.replace("100123", "999999")] {
        fs::write(desk.bank_file(), other).unwrap();
        let told = explain(&desk.ledger(), APPLIED).unwrap();
        assert_eq!(told.source.text, SourceText::Changed);
        assert!(
            told.to_string()
                .contains("the file has changed since the run")
        );
    }
}
