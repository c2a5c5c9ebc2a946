//! Plans that are made a second time.

use tieout_treasury::{BlockingTreasury, Limits};

use crate::{answer, write_ledger};

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
