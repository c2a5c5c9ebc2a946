//! What files say their rows add up to gives the same answers as the rows.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, AsArray, Date32Array, Decimal128Array, RecordBatch, StringArray, UInt64Array,
};
use arrow::datatypes::{DataType, Decimal128Type};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tempfile::TempDir;
use tieout_core::schema::{AMOUNT_TYPE, Table};
use tieout_ledger::{Ledger, ROWS, Totals};
use tieout_treasury::{BlockingTreasury, Limits};

use super::{answer, filler, taken_back};

/// Enough for files of single postings and of joined ones.
const POSTINGS: u64 = 40;
/// Payments of a posting: several for each combination of what they are added up by.
const PAYMENTS: u64 = 200;
/// What totals are read by, in a plan.
const READS_TOTALS: &str = "StreamingTableExec";

/// A number by chance, always the same one for the same payment.
fn chance(of: u64, what: u64) -> u64 {
    let mixed = (of * 31 + what + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 33
}

/// The amount of a payment in hundred-thousandths, some of them none or below zero.
fn amount(of: u64) -> i128 {
    i128::from(chance(of, 1) % 100_000) * 1_000 - 10_000_000
}

/// Payments by their numbers, in the state that `posting` gives them.
fn payments(numbers: &[u64], posting: u64) -> RecordBatch {
    let table = Table::Payments;
    let of = |what: u64, words: &[Option<&str>]| -> ArrayRef {
        let word = |&number: &u64| words[chance(number, what) as usize % words.len()];
        Arc::new(numbers.iter().map(word).collect::<StringArray>())
    };
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let days = numbers.iter().map(|&number| match chance(number, 2) % 4 {
            0 => None,
            day => Some(20_500 + day as i32),
        });
        let amounts = numbers.iter().map(|&number| amount(number));
        let amounts = Decimal128Array::from_iter_values(amounts).with_data_type(AMOUNT_TYPE);
        match field.name().as_str() {
            "payment_id" => {
                let ids = numbers.iter().map(|number| format!("p{number}"));
                Arc::new(StringArray::from_iter_values(ids))
            }
            "booking_date" => Arc::new(days.collect::<Date32Array>()),
            "account" => of(3, &[Some("main"), None]),
            "status" => of(posting, &[Some("applied"), Some("on_account")]),
            "reason" => of(posting, &[None, Some("payer_unknown")]),
            "amount" | "applied" => Arc::new(amounts),
            _ => filler(field.data_type(), field.is_nullable(), numbers.len()),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

/// Each posting has new payments, and decides every 25th one of the posting before anew.
fn write(dir: &Path) -> Ledger {
    let mut last = None;
    for posting in 1..=POSTINGS {
        let mut numbers: Vec<u64> = (posting * PAYMENTS..(posting + 1) * PAYMENTS).collect();
        let mut writer = Ledger::post(dir).unwrap();
        if posting > 1 {
            let before = (posting - 1) * PAYMENTS..posting * PAYMENTS;
            let again: Vec<u64> = before.step_by(25).collect();
            let reversed = again.iter();
            let reversed = reversed.map(|number| taken_back(&format!("p{number}"), posting - 1));
            writer.reverse(&reversed.collect::<Vec<_>>()).unwrap();
            numbers.extend(again);
        }
        let rows = payments(&numbers, posting);
        writer.write(Table::Payments, &rows).unwrap();
        last = Some(writer.finish("cash-application").unwrap());
    }
    last.unwrap()
}

static LEDGER: LazyLock<(TempDir, Ledger)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write(&dir.path().join("ledger"));
    (dir, ledger)
});

fn opened(threads: usize) -> BlockingTreasury {
    let limits = Limits {
        threads,
        ..Limits::default()
    };
    BlockingTreasury::open(&LEDGER.1, &limits).unwrap()
}

fn sorted(treasury: &BlockingTreasury, sql: &str) -> Vec<String> {
    let mut rows = answer(treasury, sql);
    rows.sort();
    rows
}

fn reads_totals(treasury: &BlockingTreasury, sql: &str) -> bool {
    answer(treasury, &format!("explain {sql}"))
        .join("\n")
        .contains(READS_TOTALS)
}

const KEYS: [&str; 8] = [
    "booking_date",
    "account",
    "status",
    "reason",
    "posting",
    "coalesce(account, 'none')",
    "date_trunc('month', booking_date)",
    "case when posting > 20 then 'late' else status end",
];
const SUMS: [&str; 17] = [
    "count(*)",
    "count(booking_date)",
    "count(amount)",
    "count(distinct account)",
    "count(*) filter (where status = 'applied')",
    "sum(amount)",
    "sum(-amount)",
    "sum(amount - applied)",
    "sum(amount) filter (where account is null and booking_date is not null)",
    "sum(case when status = 'applied' then amount else 0 end)",
    "sum(case when status = 'applied' then amount when reason is null then -applied end)",
    "sum(case when account is not null then 1 else 0 end)",
    "sum(cast(unapplied as decimal(30, 5)))",
    "min(booking_date)",
    "max(status)",
    "min(posting)",
    "max(case when status = 'applied' then reason end)",
];
const FILTERS: [&str; 9] = [
    "",
    "where status = 'applied'",
    "where booking_date between date '2026-02-17' and date '2026-02-18'",
    "where account is null or reason = 'payer_unknown'",
    "where posting in (1, 7, 39, 40)",
    "where status like 'on%' and not (booking_date is null)",
    "where upper(coalesce(account, status)) in ('MAIN', 'APPLIED')",
    "where case when posting > 20 then reason is null else account is null end",
    NOTHING,
];
/// No file has such a row, which its totals tell before they are read.
const NOTHING: &str = "where posting > 1000";

/// A question about `table`.
fn question(keys: &[&str], sums: &[&str], filter: &str, table: &str) -> String {
    let columns = keys.iter().chain(sums).enumerate();
    let columns = columns.map(|(place, column)| format!("{column} as c{place}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let sql = format!("select {columns} from {table} {filter}");
    match keys.len() {
        0 => sql,
        _ => format!("{sql} group by {}", keys.join(", ")),
    }
}

/// The rows of a table, so that no total tells of them: nothing is said of single payments.
fn only_rows(table: &str) -> String {
    format!("(select * from {table} where payment_id <> 'nobody') t")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_those_of_the_rows(
        keys in subsequence(KEYS.to_vec(), 0..4),
        sums in subsequence(SUMS.to_vec(), 1..5),
        filter in select(FILTERS.to_vec()),
        table in select(vec!["payments", "history.payments"]),
        threads in 1..4_usize,
    ) {
        let treasury = opened(threads);
        let sql = question(&keys, &sums, filter, table);
        let by_rows = question(&keys, &sums, filter, &only_rows(table));
        prop_assert_eq!(reads_totals(&treasury, &sql), filter != NOTHING, "{}", sql);
        prop_assert!(!reads_totals(&treasury, &by_rows), "{by_rows}");
        prop_assert_eq!(sorted(&treasury, &sql), sorted(&treasury, &by_rows), "{}", sql);
    }
}

#[test]
fn what_is_different_is_told_by_totals() {
    let treasury = opened(2);
    for sql in [
        "select distinct account, status from payments",
        "select account from payments where status = 'applied' union select reason from T",
        "select booking_date from T where booking_date is not null union select date '2026-01-01'",
    ] {
        let sql = sql.replace('T', "history.payments");
        let by_rows = sql
            .replace("from payments", &format!("from {}", only_rows("payments")))
            .replace(
                "from history.payments",
                &format!("from {}", only_rows("history.payments")),
            );
        assert!(reads_totals(&treasury, &sql), "{sql}");
        assert!(!reads_totals(&treasury, &by_rows), "{by_rows}");
        assert_eq!(
            sorted(&treasury, &sql),
            sorted(&treasury, &by_rows),
            "{sql}"
        );
    }
}

#[test]
fn what_totals_do_not_tell_is_read_from_rows() {
    let treasury = opened(2);
    for sql in [
        "select sum(amount) from payments where amount > 10",
        "select max(amount) from payments",
        "select avg(amount) from payments",
        "select sum(amount * 2) from payments",
        "select sum(distinct amount) from payments",
        "select sum(abs(amount)) from payments",
        "select sum(case when amount > 0 then amount else 0 end) from payments",
        "select sum(case when status = 'applied' then amount else 1 end) from payments",
        "select payer_name, sum(amount) from payments group by 1",
        "select sum(amount) from (select * from payments limit 3) t",
        "select count(distinct payment_id) from payments",
        "select random() < 2, count(*) from payments group by 1",
        "select count(*) from payments where random() < 2",
    ] {
        assert!(!reads_totals(&treasury, sql), "{sql}");
        let by_rows = sql.replace("from payments", &format!("from {}", only_rows("payments")));
        assert_eq!(
            answer(&treasury, sql).len(),
            answer(&treasury, &by_rows).len()
        );
    }
}

#[test]
fn an_earlier_state_has_totals_of_its_own() {
    let treasury = opened(1);
    for posting in [1, 20, 39] {
        let of = format!("as_of('payments', {posting})");
        let sql = format!("select status, count(*), sum(amount) from {of} group by 1");
        let by_rows = sql.replace(&of, &only_rows(&of));
        assert_eq!(
            sorted(&treasury, &sql),
            sorted(&treasury, &by_rows),
            "{sql}"
        );
    }
}

#[test]
fn totals_are_the_same_for_any_cut_of_the_rows_and_without_what_is_taken_away() {
    let numbers: Vec<u64> = (0..500).collect();
    let all = payments(&numbers, 1);
    let posting = UInt64Array::from(vec![1; all.num_rows()]);
    let schema = tieout_ledger::stored_schema(Table::Payments);
    let columns = all.columns().iter().cloned();
    let columns = columns.chain([Arc::new(posting) as ArrayRef]).collect();
    let all = RecordBatch::try_new(schema, columns).unwrap();
    let of = |cuts: &[usize], gone: usize| {
        let mut totals = Totals::of(Table::Payments).unwrap().unwrap();
        for (begin, end) in cuts.iter().zip(&cuts[1..]) {
            totals.add(&all.slice(*begin, end - begin), 1).unwrap();
        }
        totals.add(&all.slice(0, gone), -1).unwrap();
        totals.finish().unwrap().unwrap()
    };
    let whole = of(&[0, 500], 0);
    assert_eq!(whole, of(&[0, 1, 8, 8, 499, 500], 0));
    // Of most groups no row is left.
    assert_eq!(of(&[490, 500], 0), of(&[0, 500], 490));
    let rows = whole.column_by_name(ROWS).unwrap();
    let rows = rows.as_primitive::<arrow::datatypes::Int64Type>();
    assert_eq!(rows.values().iter().sum::<i64>(), 500);
    let sums = whole.column_by_name("amount").unwrap();
    assert_eq!(*sums.data_type(), DataType::Decimal128(38, 5));
    let sum: i128 = sums.as_primitive::<Decimal128Type>().values().iter().sum();
    assert_eq!(
        sum,
        numbers.iter().map(|&number| amount(number)).sum::<i128>()
    );
}
