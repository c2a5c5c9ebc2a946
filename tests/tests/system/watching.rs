//! `tieout watch`: files that are dropped into a folder, whole or in pieces, early or late.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::{self, Told};
use crate::desk::{Desk, OPEN_ITEMS, PARTIES, statement};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_mins(2);

impl Desk {
    /// `tieout watch drop --ledger ledger --settle 0.1` with the words.
    fn watch(&self, words: &[&str]) -> Told {
        let all = ["watch", "drop", "--ledger", "ledger", "--settle", "0.1"];
        self.tieout(&[&all, words].concat())
    }

    fn drop_books(&self) {
        self.put_in("drop", "parties.csv", PARTIES);
        self.put_in("drop", "open_items.csv", OPEN_ITEMS);
    }
}

const STATUSES: &str = "select status, count(*) from payments group by 1 order by 1";

/// A watcher that runs until it is stopped.
struct Running(Child);

impl Running {
    fn over(desk: &Desk, settle: &str) -> Self {
        let mut command = command::command();
        command.current_dir(desk.path("")).args([
            "watch",
            "drop",
            "--ledger",
            "ledger",
            "--interval",
            "0.05",
            "--settle",
            settle,
        ]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Asks it to stop, as a service manager does.
    fn stop(self, signal: &str) -> Told {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        self.0.wait_with_output().unwrap().into()
    }
}

/// Waits until the answer to a question over the ledger is the expected one.
fn wait_for(desk: &Desk, question: &str, expected: &str) {
    let until = Instant::now() + PATIENCE;
    loop {
        let words = ["sql", question, "--ledger", "ledger", "--format", "csv"];
        let told = desk.tieout(&words);
        let answer = told.stdout.split_once('\n').unwrap_or_default().1;
        if told.status == 0 && answer.trim_end() == expected {
            return;
        }
        assert!(
            Instant::now() < until,
            "{question}: {}{}",
            told.stdout,
            told.stderr
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn files_are_taken_as_they_come_in_any_order() {
    let desk = Desk::empty();
    // The bank is earlier than the books.
    let monday = [("142", 50_000, "B1", "ACME TOOLS INV-10001")];
    desk.put_in("drop", "monday.bai", &statement(&monday));
    let told = desk.watch(&["--once"]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    assert!(
        told.stdout
            .contains("posting 1: 1 files, 1 payments, 1 unidentified"),
        "{}",
        told.stdout
    );
    desk.drop_books();
    let told = desk.watch(&["--once"]);
    assert!(
        told.stdout.contains("1 earlier payments matched"),
        "{}",
        told.stdout
    );
    assert_eq!(desk.ask(STATUSES), "applied,1");
    // Nothing new: nothing is said but that, and nothing is recorded.
    let told = desk.watch(&["--once"]);
    assert_eq!(told.stdout, "0 postings, 0 files set aside\n");
    assert_eq!(desk.ask("select max(posting) from journal"), "2");
    desk.verify();
}

#[test]
fn what_is_being_written_waits_until_it_is_whole() {
    let desk = Desk::empty();
    desk.drop_books();
    let lines = [
        ("142", 50_000, "B1", "ACME TOOLS INV-10001"),
        ("142", 73_025, "B2", "ACME TOOLS INV-10002"),
        ("142", 120_000, "B3", "BIRCH LUMBER INV-20001"),
    ];
    let whole = statement(&lines);
    let watcher = Running::over(&desk, "0.3");
    wait_for(&desk, "select count(*) from open_items", "4");
    // Piece by piece; between the pieces the file is closed, and looks whole to a hasty reader.
    let path = desk.path("drop/statement.bai");
    for piece in whole.as_bytes().chunks(40) {
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap();
        file.write_all(piece).unwrap();
        drop(file);
        thread::sleep(Duration::from_millis(30));
    }
    // Under the name of a file that is still sent, then under its own.
    desk.put_in(
        "drop",
        "late.bai.part",
        &statement(&[("142", 8_810, "B4", "BIRCH INV-20002")]),
    );
    wait_for(&desk, STATUSES, "applied,3");
    fs::rename(desk.path("drop/late.bai.part"), desk.path("drop/late.bai")).unwrap();
    wait_for(&desk, STATUSES, "applied,4");
    let told = watcher.stop("-TERM");
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    assert!(
        told.stdout.ends_with("0 files set aside\n"),
        "{}",
        told.stdout
    );
    assert_eq!(
        desk.ask("select count(*) from findings where severity <> 'info'"),
        "0"
    );
    desk.verify();
}

#[test]
fn a_file_that_cannot_be_read_is_set_aside_and_retried() {
    let desk = Desk::empty();
    desk.drop_books();
    desk.put_in(
        "drop",
        "export.csv",
        "Gebucht;Wer;Summe\n03.04.2026;Werft;1.250,00\n",
    );
    let told = desk.watch(&["--once"]);
    assert_eq!(told.status, 3, "{}{}", told.stdout, told.stderr);
    assert!(
        told.stderr
            .starts_with("set aside: drop/export.csv: a file that begins"),
        "{}",
        told.stderr
    );
    let aside = || desk.tieout(&["watch", "drop", "--aside", "--ledger", "ledger"]);
    assert!(
        aside().stdout.starts_with("drop/export.csv: "),
        "{}",
        aside().stdout
    );
    // It is left alone, also by the next watcher, and keeps nothing else from being read.
    let told = desk.watch(&["--once"]);
    assert_eq!((told.status, told.stderr.as_str()), (0, ""));
    // Asked for again, for the same reason; then with the profile that it needs.
    assert_eq!(desk.watch(&["--retry"]).status, 3);
    desk.put_in(
        "drop",
        "harbor.toml",
        "format = \"bank_csv\"\nname = \"harbor\"\ncurrency = \"EUR\"\n\
         [columns]\ndate = \"Gebucht\"\nname = \"Wer\"\namount = \"Summe\"\n",
    );
    assert_eq!(desk.watch(&["--once"]).status, 0);
    assert_eq!(desk.ask("select count(*) from transactions"), "0");
    let told = desk.watch(&["--retry"]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    assert_eq!(desk.ask("select amount from transactions"), "1250.00");
    assert_eq!(aside().stdout, "");
    assert_eq!(
        desk.ask("select count(*) from journal where kind = 'aside'"),
        "3"
    );
    desk.verify();
}

#[test]
fn another_file_of_the_same_name_is_another_file() {
    let desk = Desk::empty();
    desk.put_in("drop", "parties.csv", "nonsense\u{1}\u{2}");
    assert_eq!(desk.watch(&["--once"]).status, 3);
    desk.drop_books();
    let told = desk.watch(&["--once"]);
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    assert_eq!(desk.ask("select count(*) from parties"), "2");
    let aside = desk.tieout(&["watch", "drop", "--aside", "--ledger", "ledger"]);
    assert_eq!(aside.stdout, "");
}

#[test]
fn a_folder_that_is_none_and_a_ledger_in_use_are_told() {
    let desk = Desk::empty();
    let told = desk.watch(&["--once"]);
    assert_eq!(told.status, 1);
    assert!(told.stderr.contains("cannot read drop"), "{}", told.stderr);
    desk.drop_books();
    let told = desk.tieout(&["watch", "drop", "--once"]);
    assert!(
        told.stderr.contains("no ledger is named"),
        "{}",
        told.stderr
    );
    let told = desk.tieout(&["watch", "drop", "--ledger", "ledger", "--settle", "soon"]);
    assert!(
        told.stderr.contains("a number of seconds"),
        "{}",
        told.stderr
    );
}

#[test]
fn a_watcher_waits_for_a_ledger_that_somebody_else_writes() {
    let desk = Desk::empty();
    desk.drop_books();
    assert_eq!(desk.watch(&["--once"]).status, 0);
    let lock = fs::File::open(desk.path("ledger/.lock")).unwrap();
    lock.lock().unwrap();
    let watcher = Running::over(&desk, "0.1");
    let line = [("142", 50_000, "B1", "ACME TOOLS INV-10001")];
    desk.put_in("drop", "monday.bai", &statement(&line));
    thread::sleep(Duration::from_millis(500));
    lock.unlock().unwrap();
    wait_for(&desk, STATUSES, "applied,1");
    let told = watcher.stop("-INT");
    assert_eq!(told.status, 0, "{}{}", told.stdout, told.stderr);
    desk.verify();
}
