//! A ledger that is kept open: what was told to be recorded is there, whatever happens then.
#![allow(clippy::unwrap_used, missing_docs)]

mod child;
#[path = "../../../tests/shared/disk.rs"]
mod disk;
mod faults;
mod kills;
#[path = "../../../tests/shared/moments.rs"]
mod moments;
mod rows;

use std::thread;

use tieout_core::schema::Table;
use tieout_ledger::{Ledger, LedgerError, Session};

use rows::{UNITS, id, note, pay, row, shown, with_items};

const THREADS: u64 = 4;

#[test]
fn postings_of_many_threads_are_there_once_and_one_that_fails_takes_no_other_along() {
    let dir = tempfile::tempdir().unwrap();
    with_items(dir.path(), 200);
    let session = Session::open(dir.path()).unwrap();
    let post = |thread: u64| {
        for number in (thread..200).step_by(THREADS as usize) {
            let posted = session.post(|writer| pay(writer, number, UNITS));
            posted.unwrap();
            // Again, and more than is open: neither may stay.
            let again = session.post(|writer| {
                note(writer, 1_000 + number)?;
                pay(writer, number, UNITS)
            });
            assert!(
                matches!(again, Err(LedgerError::Refused { .. })),
                "{again:?}"
            );
        }
    };
    let post = &post;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || post(thread));
        }
    });
    let ledger = session.close().unwrap();
    let expected: Vec<_> = (0..200).map(id).collect();
    assert_eq!(shown(&ledger), expected);
    assert_eq!(ledger.postings(), 201);
    let journal = ledger.journal().unwrap();
    for number in 0..200 {
        let item = journal.item(&format!("I{number}")).unwrap().unwrap();
        assert!(item.open.is_zero(), "item {number} has {} open", item.open);
    }
    drop(journal);
    let verified = Ledger::verify(dir.path(), None).unwrap();
    assert!(verified.is_sealed);
    assert_eq!(verified.postings, 201);
}

#[test]
fn readers_see_what_is_shown_while_the_session_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    with_items(dir.path(), 3);
    let session = Session::open(dir.path()).unwrap();
    let record = |number| session.post(|writer| pay(writer, number, UNITS)).unwrap();
    record(0);
    record(1);
    session.show().unwrap();
    record(2);
    let seen = Ledger::open(dir.path()).unwrap();
    let number = seen.postings();
    assert!(number >= 3, "{number}");
    assert_eq!(shown(&seen).len() as u64, number - 1);
    assert!(matches!(
        Ledger::post(dir.path()),
        Err(LedgerError::Busy { .. })
    ));
    drop(session);
    assert_eq!(shown(&Ledger::open(dir.path()).unwrap()).len(), 3);
    // A run goes on from there.
    let writer = Ledger::post(dir.path()).unwrap();
    assert_eq!(writer.number(), 5);
}

#[test]
fn a_session_begins_a_ledger_and_leaves_none_without_a_posting() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("ledger");
    drop(Session::open(&folder).unwrap());
    assert!(matches!(
        Ledger::open(&folder),
        Err(LedgerError::NotALedger(_))
    ));
    let session = Session::open(&folder).unwrap();
    let item = row(Table::OpenItems, 0, UNITS);
    session
        .post(|writer| writer.write(Table::OpenItems, &item))
        .unwrap();
    assert_eq!(Ledger::open(&folder).unwrap().postings(), 1);
    session.post(|writer| pay(writer, 0, UNITS)).unwrap();
    assert_eq!(shown(&session.close().unwrap()), [id(0)]);
}
