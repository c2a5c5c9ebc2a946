//! Payments are found by their amounts, with an index of rows and without.

use std::path::Path;

use tieout_core::schema::Table;
use tieout_ledger::Ledger;
use tieout_treasury::{BlockingTreasury, Limits};

use super::lookups::{parquet_files, without_filters};
use super::{answer, payments, taken_back};

/// Enough for a joined file, which has an index, and others.
const POSTINGS: u64 = 36;
/// Payments of a posting.
const PAYMENTS: u64 = 60;

/// Numbers that look random, the same ones each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// An amount in hundred-thousandths: most are in cents, few of them alone.
    fn amount(&mut self) -> i128 {
        let cents = i128::from(self.below(600)) - 200;
        match self.below(40) {
            0 => cents * 1000 + 1,
            1 => cents * 1_000_000_000,
            _ => cents * 1000,
        }
    }
}

/// Each posting takes back a payment of the one before and decides it anew with another amount.
fn write(dir: &Path, dice: &mut Dice) -> Ledger {
    let mut last = None;
    for posting in 1..=POSTINGS {
        let mut writer = Ledger::post(dir).unwrap();
        let ids: Vec<_> = (0..PAYMENTS)
            .map(|number| format!("p{posting}-{number}"))
            .collect();
        let mut rows: Vec<_> = ids
            .iter()
            .map(|id| (id.as_str(), "applied", None, dice.amount(), 20_528))
            .collect();
        let again = format!("p{}-{}", posting - 1, posting % PAYMENTS);
        if posting > 1 {
            rows.push((&again, "unidentified", None, dice.amount(), 20_528));
            writer.reverse(&[taken_back(&again, posting - 1)]).unwrap();
        }
        writer.write(Table::Payments, &payments(&rows)).unwrap();
        last = Some(writer.finish("cash-application").unwrap());
    }
    last.unwrap()
}

fn written(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let units = units.unsigned_abs();
    format!("{sign}{}.{:05}", units / 100_000, units % 100_000)
}

/// A condition on amounts, of up to so many levels.
fn condition(dice: &mut Dice, levels: u64) -> String {
    let value = written(dice.amount());
    if levels > 0 {
        let (one, other) = (condition(dice, levels - 1), condition(dice, levels - 1));
        match dice.below(6) {
            0 | 1 => return format!("({one} or {other})"),
            2 => return format!("({one} and {other})"),
            3 => return format!("({one} and status = 'applied')"),
            4 => return format!("({one} or payment_id in ('p3-7', 'p35-1', 'p36-36'))"),
            _ => {}
        }
    }
    match dice.below(9) {
        0 => format!("amount > {value}"),
        1 => format!("amount <= {value}"),
        2 => format!("amount between {value} and {value} + 0.02"),
        3 => format!("(amount >= {value} and amount < {value} + 0.03)"),
        4 => format!("amount in ({value}, {}, -0.07, 1)", written(dice.amount())),
        5 => format!("not amount = {value}"),
        6 => format!("{value} = amount"),
        _ => format!("amount = {value}"),
    }
}

fn asked(treasury: &BlockingTreasury, table: &str, condition: &str) -> Vec<String> {
    let sql = format!("select payment_id, posting, amount, status from {table} where {condition}");
    let mut rows = answer(treasury, &sql);
    rows.sort();
    rows
}

/// The same condition, so that no index can tell which rows have it.
fn disguised(condition: &str) -> String {
    let condition = condition.replace("amount", "(amount + abs(amount) * 0)");
    condition.replace("payment_id", "payment_id || ''")
}

#[test]
fn payments_are_found_by_amounts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("ledger");
    let mut dice = Dice(7);
    let ledger = write(&dir, &mut dice);
    let open = || BlockingTreasury::open(&ledger, &Limits::default()).unwrap();
    let treasury = open();
    let mut conditions: Vec<_> = (0..120)
        .map(|case| condition(&mut dice, case % 3))
        .collect();
    conditions.push("amount = 123456".to_owned());
    let mut answers = Vec::new();
    let mut found = 0;
    for condition in &conditions {
        for table in ["payments", "history.payments"] {
            let expected = asked(&treasury, table, &disguised(condition));
            found += usize::from((1..20).contains(&expected.len()));
            assert_eq!(
                asked(&treasury, table, condition),
                expected,
                "{table}: {condition}"
            );
            answers.push(expected);
        }
    }
    assert!(found > 60, "{found} answers of a few rows");
    let plan = |treasury: &BlockingTreasury, condition: &str| {
        answer(
            treasury,
            &format!("explain select * from payments where {condition}"),
        )
        .join("\n")
    };
    let by_id = "payment_id in ('p3-7', 'p4-8')";
    assert!(
        plan(&treasury, by_id).contains("FewRowsExec: rows=2,"),
        "{}",
        plan(&treasury, by_id)
    );
    for path in parquet_files(&dir) {
        without_filters(&path);
    }
    let without = open();
    assert!(!plan(&without, by_id).contains("FewRowsExec"));
    let mut expected = answers.into_iter();
    for condition in &conditions {
        for table in ["payments", "history.payments"] {
            let found = asked(&without, table, condition);
            assert_eq!(Some(found), expected.next(), "{table}: {condition}");
        }
    }
}

#[test]
fn rows_that_were_taken_back_are_not_found_by_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write(&dir.path().join("ledger"), &mut Dice(7));
    let treasury = BlockingTreasury::open(&ledger, &Limits::default()).unwrap();
    // Posting 4 took back what posting 3 had decided, both in the joined file.
    for (table, postings) in [("payments", &["4"][..]), ("history.payments", &["3", "4"])] {
        let sql = format!("select posting from {table} where payment_id = 'p3-4' order by 1");
        assert_eq!(answer(&treasury, &sql), postings, "{table}");
        let plan = answer(&treasury, &format!("explain {sql}")).join("\n");
        assert!(plan.contains("FewRowsExec"), "{plan}");
    }
}
