//! A session on a disk that is full, fails, or keeps half of what is written, at each call in turn:
//! what it told is there once, what it refused can be recorded again.
//!
//! The calls are made to fail by the library that the tests of the whole system put in front of the
//! command, too. By default some calls of each kind are tried; `TIEOUT_FAULTS=all` tries them one by
//! one until none is left to fail, `TIEOUT_FAULTS=torn` those of one kind.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tieout_ledger::{Ledger, LedgerError, Session};

use crate::child::{Recorder, check};
use crate::rows::{bring_and_pay, with_items};

/// The calls that are tried otherwise.
const SOME: [u32; 7] = [1, 2, 3, 6, 14, 33, 75];
/// Payments of each thread.
const COUNT: u64 = 6;
/// What a program that was ended half way through a call leaves, see `faults.c`.
const TORN: i32 = 86;

/// The library, built into `dir`; none on systems that know no such thing.
fn library(dir: &Path) -> Option<PathBuf> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let path = dir.join("faults.so");
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/tests/system/faults.c"
    );
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&path)
        .args([source, "-ldl"])
        .status();
    assert!(built.unwrap().success(), "{source} does not compile");
    Some(path)
}

/// A kind of fault: the call, how it fails, and what the operating system says then.
type Fault = (&'static str, &'static str, &'static str);

const FAULTS: [Fault; 5] = [
    ("sync", "eio", "Input/output error"),
    ("write", "full", "No space left on device"),
    ("write", "short", "No space left on device"),
    ("write", "torn", ""),
    ("rename", "eio", "Input/output error"),
];

/// A session with a fault, and one without that goes on. Says whether there was a call to fail, and
/// how many payments were refused.
fn try_fault(dir: &Path, library: &Path, (call, how, words): Fault, at: u32) -> (bool, usize) {
    let case = format!("{how} at {call} {at}");
    let (ledger, note) = (dir.join("ledger"), dir.join("note"));
    let _ = fs::remove_file(&note);
    let _ = fs::remove_dir_all(&ledger);
    with_items(&ledger, 1);
    let place = ledger.canonicalize().unwrap();
    let number = at.to_string();
    let environment = [
        ("LD_PRELOAD", library),
        ("FAULT_CALL", Path::new(call)),
        ("FAULT_HOW", Path::new(how)),
        ("FAULT_AT", Path::new(&number)),
        ("FAULT_DIR", &place),
        ("FAULT_NOTE", &note),
    ];
    let child = Recorder::start(&ledger, Some(COUNT), &environment);
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
    let Some(library) = library(dir.path()) else {
        println!("no library can be put in front of the system's here");
        return;
    };
    let wanted = std::env::var("TIEOUT_FAULTS").ok();
    let is_full = wanted.is_some();
    let is_wanted = |(_, how, _): &Fault| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted == "all" || wanted == how)
    };
    let (mut tried, mut refused) = (0, 0);
    for fault in FAULTS.into_iter().filter(is_wanted) {
        let mut places: Box<dyn Iterator<Item = u32>> = if is_full {
            Box::new(1..)
        } else {
            Box::new(SOME.into_iter())
        };
        let mut hit = 0;
        let mut all_refused = 0;
        for at in places.by_ref() {
            let (is_hit, count) = try_fault(dir.path(), &library, fault, at);
            if !is_hit {
                break;
            }
            hit += 1;
            all_refused += count;
        }
        let (call, how, _) = fault;
        assert!(hit > 0, "no {call} was made to fail");
        // A name that cannot be given is no posting's fault; a program that is gone refuses none.
        let is_refusing = how != "torn" && call != "rename";
        assert!(
            all_refused > 0 || !is_refusing,
            "{how} at {call} refused none"
        );
        println!("{how} at {hit} calls of {call}, {all_refused} payments refused");
        tried += hit;
        refused += all_refused;
    }
    println!(
        "{tried} failing calls in sessions of 8 threads, {refused} payments refused and recorded again"
    );
}
