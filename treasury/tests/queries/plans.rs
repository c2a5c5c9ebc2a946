//! Plans that are made a second time.

use std::thread;
use std::time::Duration;

use tieout_treasury::{BlockingTreasury, Limits, QueryError};

use crate::{answer, open, write_ledger};

/// More than the plan of the longest statement takes.
const STACK_BYTES: usize = 16 << 20;

#[test]
fn a_join_that_does_not_fit_into_memory_sorts() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(dir.path());
    let limits = Limits {
        memory_bytes: 64 << 20,
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    let joined = |rows: u32| {
        format!(
            "from (select 'number ' || value || ' of a long list' as x from generate_series(1, {rows})) a \
             join (select 'number ' || value || ' of a long list' as x from generate_series(1, {rows})) b \
             on a.x = b.x"
        )
    };
    let large = joined(1_000_000);
    assert_eq!(
        answer(&treasury, &format!("select count(*) {large}")),
        ["1000000"]
    );
    let plan = |from: &str| {
        answer(
            &treasury,
            &format!("explain analyze select count(*) {from}"),
        )
    };
    assert!(plan(&large).concat().contains("SortMergeJoin"));
    assert!(plan(&joined(1000)).concat().contains("HashJoin"));
}

#[test]
fn what_a_query_reads_is_counted_for_it_alone() {
    let (_dir, treasury) = open();
    let read = || {
        let told = answer(
            &treasury,
            "explain analyze select status, amount from payments",
        );
        let told = told.concat();
        let (_, counted) = told.split_once("DataSourceExec").unwrap();
        let (_, counted) = counted.split_once("output_rows=").unwrap();
        counted.split_once(',').unwrap().0.to_owned()
    };
    // What was counted for all queries together would be kept as well, and grow with each of them.
    assert_eq!([read(), read(), read()], ["5", "5", "5"]);
}

/// An explanation too, which would be made of the plan as far as it came.
#[test]
fn planning_ends_with_its_time() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(dir.path());
    let limits = Limits {
        time: Some(Duration::from_millis(50)),
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    // Seconds of the processor's time.
    let joins: Vec<_> = (1..96)
        .map(|place| format!("join payments p{place} on p{place}.payment_id = p0.payment_id"))
        .collect();
    let joined = format!("select count(*) from payments p0 {}", joins.join(" "));
    let ask = || {
        for sql in [&joined, &format!("explain {joined}")] {
            let error = treasury.query(sql).err().unwrap();
            assert!(matches!(error, QueryError::Time { .. }), "{error}");
            assert_eq!(error.state(), "57014");
        }
        assert_eq!(answer(&treasury, "select 1"), ["1"]);
    };
    // A plan goes deep before its time is up.
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, ask).unwrap();
    });
}
