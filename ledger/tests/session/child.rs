//! A process that records payments with several threads, until it is killed or the disk refuses.
//! It is this same test program, started again with a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use tieout_ledger::{Ledger, LedgerError, Session};

use crate::rows::{bring_and_pay, id, shown};

/// The process gets its folder here.
const FOLDER: &str = "TIEOUT_SESSION_FOLDER";
/// How many payments each thread records; without end if it is not there.
const COUNT: &str = "TIEOUT_SESSION_COUNT";
/// So many wait for one commit, but for the one whose commit is under way.
const THREADS: u64 = 8;

/// Not a test by itself: the process.
#[test]
fn the_process_that_comes_to_an_end() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let count = std::env::var(COUNT).ok();
    let count = count.map_or(usize::MAX, |count| count.parse().unwrap());
    let session = match Session::open(Path::new(&folder)) {
        Ok(session) => session,
        Err(error) => return println!("\nunopened {error}"),
    };
    let next = match session.journal().last() {
        Ok(last) => last.map_or(0, |event| event.posting),
        Err(error) => return println!("\nunopened {error}"),
    };
    let session_of_all = &session;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                let own = (next + thread..).step_by(THREADS as usize);
                for number in own.take(count) {
                    record(session_of_all, number);
                }
            });
        }
    });
    if let Err(error) = session.close() {
        println!("\nunclosed {error}");
    }
}

/// Records a payment, and one that cannot be.
fn record(session: &Session, number: u64) {
    match session.post(|writer| bring_and_pay(writer, number)) {
        Ok(()) => println!("\ntold {number} ."),
        // Numbers that an earlier process had are known.
        Err(LedgerError::Refused { .. }) => {}
        Err(error) => println!("\nrefused {number} {error}"),
    }
    // What fails takes the transaction along, and no other's posting.
    if number.is_multiple_of(5) {
        let none = session.post(|writer| {
            bring_and_pay(writer, 1_000_000_000 + number)?;
            bring_and_pay(writer, number)
        });
        match none {
            Ok(()) => panic!("payment {number} was recorded twice"),
            Err(LedgerError::Refused { .. }) => {}
            Err(error) => println!("\nunrecorded {error}"),
        }
    }
}

/// What the process has said.
#[derive(Debug, Default)]
pub struct Said {
    /// Payments that were told to be on disk.
    pub told: BTreeSet<u64>,
    /// Payments that were refused, and why.
    pub refused: BTreeMap<u64, String>,
    /// Why the ledger could not be opened or closed, and what else the disk refused.
    pub others: Vec<String>,
}

impl Said {
    fn hear(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or_default();
        let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        match (word, number.parse(), rest) {
            ("told", Ok(number), ".") => {
                self.told.insert(number);
            }
            ("refused", Ok(number), why) if !why.is_empty() => {
                self.refused.insert(number, why.to_owned());
            }
            ("unopened" | "unclosed" | "unrecorded", ..) => self.others.push(line.to_owned()),
            _ => {}
        }
    }
}

/// The process at work.
pub struct Recorder {
    child: Child,
    lines: BufReader<ChildStdout>,
    said: Said,
}

impl Recorder {
    /// Starts it over the ledger in `dir`; `count` payments a thread, or without end.
    pub fn start(
        dir: &Path,
        count: Option<u64>,
        environment: impl IntoIterator<Item = (&'static str, PathBuf)>,
    ) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["child::the_process_that_comes_to_an_end", "--exact"])
            .args(["--nocapture", "--test-threads=1"])
            .env(FOLDER, dir)
            .envs(environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(count) = count {
            command.env(COUNT, count.to_string());
        }
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            lines,
            said: Said::default(),
        }
    }

    /// Waits until so many payments were told.
    pub fn hear(&mut self, count: usize) {
        let mut line = String::new();
        while self.said.told.len() < count && self.lines.read_line(&mut line).unwrap() > 0 {
            self.said.hear(line.trim_end());
            line.clear();
        }
    }

    /// Kills it, and gives what it had said by then.
    pub fn kill(mut self) -> Said {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.hear(usize::MAX);
        self.said
    }

    /// Waits for its end: what it said, its status, and its words on standard error.
    pub fn end(mut self) -> (Said, Option<i32>, String) {
        self.hear(usize::MAX);
        let mut words = String::new();
        let mut told = self.child.stderr.take().unwrap();
        told.read_to_string(&mut words).unwrap();
        let status = self.child.wait().unwrap();
        (self.said, status.code(), words)
    }
}

/// Whoever opens the ledger next finds each payment once at most, all that were `told`, and for each
/// of them an item that is paid; and nothing that does not fit.
pub fn check(dir: &Path, told: &BTreeSet<u64>, case: &str) {
    let ledger = Ledger::open(dir).unwrap();
    let there = shown(&ledger);
    let distinct: BTreeSet<_> = there.iter().cloned().collect();
    assert_eq!(
        distinct.len(),
        there.len(),
        "{case}: a payment is there twice"
    );
    let journal = ledger.journal().unwrap();
    for number in told {
        assert!(
            distinct.contains(&id(*number)),
            "{case}: {number} was told, and is not there"
        );
        let item = journal.item(&format!("I{number}")).unwrap();
        let open = item.map(|item| item.open.is_zero());
        assert_eq!(open, Some(true), "{case}: item {number}");
    }
    drop(journal);
    drop(ledger);
    Ledger::verify(dir, None).unwrap();
}
