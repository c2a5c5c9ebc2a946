//! The shipped data: what becomes of it, and what must hold of any run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use tieout::FileFormat;
use tieout::core::Amount;
use tieout::core::schema::Table as Schema;

use crate::command::tieout;
use crate::desk::Table;
use crate::distributor::{files, folder, options, run};

/// Scripts outside the project read these; the lists are written out so that a change of the
/// schema cannot change them unseen.
const CONTRACT: [(&str, &str); 5] = [
    (
        "payments",
        "payment_id,source_file,source_line,account,booking_date,value_date,currency,amount,\
         payer_name,check_number,bank_reference,end_to_end_id,status,party_id,applied,on_account,\
         unapplied,reason,rule,score,margin",
    ),
    (
        "applications",
        "payment_id,item_id,item_number,party_id,currency,applied,discount,write_off,deduction,\
         deduction_reason,rule,score,status",
    ),
    ("duplicates", "payment_id,duplicate_of,evidence"),
    ("exceptions", "payment_id,reason,amount,candidates"),
    (
        "transactions",
        "transaction_id,source_file,source_line,account,booking_date,value_date,direction,\
         currency,amount,type_code,bank_reference,end_to_end_id,check_number,counterparty_name,\
         counterparty_account,remittance_text,reversal,status",
    ),
];

struct Morning {
    dir: tempfile::TempDir,
    tables: BTreeMap<&'static str, Table>,
    summary: tieout::Summary,
}

impl Morning {
    fn of_distributor() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let summary = run(&options(folder(), dir.path(), FileFormat::Csv));
        let read = |table: &Schema| {
            let path = dir.path().join(format!("{}.csv", table.name()));
            (table.name(), Table::read(&path))
        };
        let tables = Schema::OUTPUTS.iter().map(read).collect();
        Self {
            dir,
            tables,
            summary,
        }
    }

    fn table(&self, name: &str) -> &Table {
        &self.tables[name]
    }
}

fn amount(text: &str) -> Amount {
    text.parse()
        .unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Count and sum of the payments that share the cells of some columns.
fn tallies(table: &Table, by: &[&str]) -> BTreeMap<String, (u64, Amount)> {
    let mut tallies = BTreeMap::new();
    for row in &table.rows {
        let key: Vec<_> = by.iter().map(|column| table.cell(row, column)).collect();
        let tally: &mut (u64, Amount) = tallies.entry(key.join(" ")).or_default();
        tally.0 += 1;
        tally.1 += amount(table.cell(row, "amount"));
    }
    tallies
}

#[test]
fn the_shipped_morning() {
    let morning = Morning::of_distributor();
    let mut golden = String::new();
    let payments = tallies(morning.table("payments"), &["currency", "status", "rule"]);
    for (key, (count, sum)) in payments {
        writeln!(golden, "{key:<45}{count:>6}{sum:>18}").unwrap();
    }
    for (name, table) in &morning.tables {
        writeln!(golden, "{name:<45}{:>6}", table.rows.len()).unwrap();
    }
    insta::assert_snapshot!(golden);
}

#[test]
fn columns_are_the_contract() {
    let morning = Morning::of_distributor();
    for (name, columns) in CONTRACT {
        let header = morning.table(name).header.join(",");
        assert_eq!(header, columns, "{name}");
    }
    let written: Vec<_> = files(morning.dir.path()).into_keys().collect();
    let mut expected: Vec<_> = Schema::OUTPUTS
        .map(|table| format!("{}.csv", table.name()))
        .to_vec();
    expected.sort_unstable();
    assert_eq!(written, expected);
}

#[test]
fn every_payment_balances_and_comes_from_one_transaction() {
    let morning = Morning::of_distributor();
    let payments = morning.table("payments");
    for row in &payments.rows {
        let part = |column| amount(payments.cell(row, column));
        let sum = part("applied") + part("on_account") + part("unapplied");
        assert_eq!(part("amount"), sum, "{row:?}");
    }
    let ids: BTreeSet<_> = payments.column("payment_id").into_iter().collect();
    assert_eq!(ids.len(), payments.rows.len());
    let transactions = morning.table("transactions");
    let lines: BTreeSet<_> = transactions.column("transaction_id").into_iter().collect();
    assert_eq!(ids, lines);
}

#[test]
fn applications_add_up_to_their_payment_and_stay_within_their_item() {
    let morning = Morning::of_distributor();
    let applications = morning.table("applications");
    let mut by_payment: HashMap<&str, Amount> = HashMap::new();
    let mut by_item: HashMap<&str, Amount> = HashMap::new();
    for row in applications.rows_where("status", "applied") {
        let part = |column| amount(applications.cell(row, column));
        *by_payment
            .entry(applications.cell(row, "payment_id"))
            .or_default() += part("applied");
        *by_item
            .entry(applications.cell(row, "item_id"))
            .or_default() +=
            part("applied") + part("discount") + part("write_off") + part("deduction");
    }
    let payments = morning.table("payments");
    for row in &payments.rows {
        let id = payments.cell(row, "payment_id");
        let applied = amount(payments.cell(row, "applied"));
        assert_eq!(
            by_payment.get(id).copied().unwrap_or_default(),
            applied,
            "{row:?}"
        );
    }
    let items = open_items(&folder());
    for (item, taken) in by_item {
        assert!(
            taken.abs() <= items[item].abs(),
            "{item}: {taken} of {}",
            items[item]
        );
    }
}

fn open_items(folder: &Path) -> HashMap<String, Amount> {
    let mut open = HashMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_items = path.extension().is_some_and(|end| end == "csv")
            && fs::read_to_string(&path).unwrap().starts_with("item_id,");
        if is_items {
            let table = Table::read(&path);
            for row in &table.rows {
                let of = amount(table.cell(row, "open_amount"));
                open.insert(table.cell(row, "item_id").to_owned(), of);
            }
        }
    }
    assert!(!open.is_empty());
    open
}

#[test]
fn exceptions_and_duplicates_are_of_payments_that_say_so() {
    let morning = Morning::of_distributor();
    let payments = morning.table("payments");
    let status: HashMap<_, _> = payments
        .rows
        .iter()
        .map(|row| {
            (
                payments.cell(row, "payment_id"),
                payments.cell(row, "status"),
            )
        })
        .collect();
    let duplicates = morning.table("duplicates");
    assert_eq!(
        duplicates.rows.len(),
        payments.rows_where("status", "duplicate").len()
    );
    for row in &duplicates.rows {
        assert_eq!(status[duplicates.cell(row, "payment_id")], "duplicate");
        assert!(status.contains_key(duplicates.cell(row, "duplicate_of")));
        assert!(!duplicates.cell(row, "evidence").is_empty());
    }
    let exceptions = morning.table("exceptions");
    for row in &exceptions.rows {
        assert_ne!(status[exceptions.cell(row, "payment_id")], "applied");
        assert!(!exceptions.cell(row, "reason").is_empty());
    }
    for held in ["proposed", "unidentified"] {
        let ids: BTreeSet<_> = exceptions.column("payment_id").into_iter().collect();
        for row in payments.rows_where("status", held) {
            assert!(ids.contains(payments.cell(row, "payment_id")), "{row:?}");
        }
    }
}

#[test]
fn the_summary_says_what_the_tables_say() {
    let morning = Morning::of_distributor();
    let payments = morning.table("payments");
    for totals in &morning.summary.currencies {
        assert_eq!(totals.flow, tieout::Flow::MoneyIn);
        let code = totals.currency.to_string();
        let rows = payments.rows_where("currency", &code);
        let sum = |column: &str| -> Amount {
            let in_scope = rows
                .iter()
                .filter(|row| payments.cell(row, "status") != "out_of_scope");
            in_scope.map(|row| amount(payments.cell(row, column))).sum()
        };
        assert_eq!(totals.money_in.amount, sum("amount"));
        assert_eq!(totals.applied, sum("applied"));
        assert_eq!(totals.on_account, sum("on_account"));
        assert_eq!(totals.unapplied, sum("unapplied"));
        let by_status = tallies(payments, &["currency", "status"]);
        for (status, tally) in &totals.by_status {
            let expected = by_status[&format!("{code} {status}")];
            assert_eq!((tally.count, tally.amount), expected, "{status}");
        }
    }
    assert_eq!(
        morning.summary.quarantined as usize,
        morning.table("quarantine").rows.len()
    );
    assert_eq!(
        morning.summary.duplicates as usize,
        morning.table("duplicates").rows.len()
    );
}

#[test]
fn chosen_tables_are_the_same_and_stand_alone() {
    let out = tempfile::tempdir().unwrap();
    let dir = |name: &str| out.path().join(name).to_str().unwrap().to_owned();
    let folder = folder().to_str().unwrap().to_owned();
    let run = |dir: &str, more: &[&str]| {
        let mut words = vec!["run", &folder, "--out", dir, "--quiet"];
        words.extend(more);
        tieout(&words)
    };
    assert_eq!(run(&dir("all"), &[]).status, 0);
    assert_eq!(run(&dir("some"), &[]).status, 0);
    let chosen = ["--tables", "payments,duplicates"];
    assert_eq!(run(&dir("some"), &chosen).status, 0);
    let mut names: Vec<String> = fs::read_dir(dir("some"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    // The tables of the run before are gone: beside those of this one they would mislead.
    assert_eq!(names, ["duplicates.csv", "payments.csv"]);
    for name in names {
        let read = |of: &str| fs::read(out.path().join(of).join(&name)).unwrap();
        assert_eq!(read("some"), read("all"), "{name}");
    }
    let wrong = run(&dir("some"), &["--tables", "payment"]);
    assert_eq!(wrong.status, 1);
    assert!(
        wrong.stderr.contains("payments, applications"),
        "{}",
        wrong.stderr
    );
}
