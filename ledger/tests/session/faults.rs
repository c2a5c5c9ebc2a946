//! A session on a disk that is full, fails, or keeps half of what is written, at each call in turn:
//! what it told is there once, what it refused can be recorded again.
//!
//! `disk` says how many are tried.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tieout_ledger::{Ledger, LedgerError, Session};

use crate::child::{Recorder, check};
use crate::disk::{Fault, Library, TORN, faults, try_calls};
use crate::rows::{bring_and_pay, with_items};

/// The calls that are tried otherwise.
const SOME: [u32; 7] = [1, 2, 3, 6, 14, 33, 75];
/// Payments of each thread.
const COUNT: u64 = 6;
/// A session with a fault, and one without that goes on. Says whether there was a call to fail, and
/// how many payments were refused.
fn try_fault(dir: &Path, library: &Library, fault: Fault, at: u32) -> (bool, usize) {
    let Fault { call, how, words } = fault;
    let case = format!("{how} at {call} {at}");
    let (ledger, note) = (dir.join("ledger"), dir.join("note"));
    let _ = fs::remove_file(&note);
    let _ = fs::remove_dir_all(&ledger);
    with_items(&ledger, 1);
    let environment = library.environment(fault, at, &ledger, &note);
    let child = Recorder::start(&ledger, Some(COUNT), environment);
    let (said, status, told) = child.end();
    assert!(!told.contains("panicked"), "{case}: {told}");
    match status {
        Some(0) => {}
        Some(TORN) if how == "torn" => {}
        other => panic!("{case}: ended with {other:?}: {told}"),
    }
    // The first error says what the system did; the others, that the ledger has to be opened again.
    let errors: Vec<_> = said.refused.values().chain(&said.others).collect();
    let names = |error: &&&String| error.contains("cannot write") && error.contains(words);
    assert!(
        errors.is_empty() || errors.iter().any(|error| names(&error)),
        "{case}: {errors:?}"
    );
    let is_told = |error: &String| {
        error.contains(words)
            || error.contains("open the ledger again")
            || error.contains("opened next")
    };
    assert!(
        errors.iter().all(|error| is_told(error)),
        "{case}: {errors:?}"
    );

    check(&ledger, &said.told, &case);
    let session = Session::open(&ledger).unwrap();
    let mut all: BTreeSet<u64> = said.told.clone();
    for &number in said.refused.keys() {
        // The disk may have it after all.
        match session.post(|writer| bring_and_pay(writer, number)) {
            Ok(()) | Err(LedgerError::Refused { .. }) => {}
            Err(error) => panic!("after {case}: {number}: {error}"),
        }
        all.insert(number);
    }
    drop(session.close().unwrap());
    check(&ledger, &all, &format!("after {case}"));
    assert!(Ledger::verify(&ledger, None).unwrap().is_sealed, "{case}");
    (note.is_file(), said.refused.len())
}

#[test]
fn what_was_told_is_there_once_whatever_call_fails() {
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = Library::build(dir.path()) else {
        return;
    };
    let (mut tried, mut refused) = (0, 0);
    for fault in faults() {
        let mut all_refused = 0;
        let hit = try_calls(fault, &SOME, |at| {
            let (is_hit, count) = try_fault(dir.path(), &library, fault, at);
            if is_hit {
                all_refused += count;
            }
            is_hit
        });
        let Fault { call, how, .. } = fault;
        // A name that cannot be given is no posting's fault; a program that is gone refuses none.
        let is_refusing = how != "torn" && call != "rename";
        assert!(
            all_refused > 0 || !is_refusing,
            "{how} at {call} refused none"
        );
        tried += hit;
        refused += all_refused;
    }
    println!(
        "{tried} failing calls in sessions of 8 threads, {refused} payments refused and recorded again"
    );
}
