//! A disk that is full, fails, or loses half of what is written, at each call in turn: the command
//! ends with a sentence, and the next one goes on as if nothing had been.
//!
//! `disk` says how many are tried.

use std::fs;
use std::process::{Command, Output};

use crate::command;
use crate::desk::{Desk, OPEN_ITEMS, PARTIES, statement};
use crate::disk::{FAULTS, Fault, Library, TORN, faults, try_calls};
use crate::stored::copy;

/// The calls that are tried otherwise.
const SOME: [u32; 7] = [1, 2, 3, 5, 9, 17, 33];
const QUESTIONS: [&str; 3] = [
    "select payment_id, status, applied, on_account, reason, rule from payments order by 1",
    "select payment_id, item_id, applied from applications order by 1, 2",
    "select count(*), max(sequence), max(posting) from journal",
];

/// A desk with a ledger of one day, `before`, and the files of the next.
fn desk_of_tuesday() -> Desk {
    let desk = Desk::empty();
    desk.put_in("monday", "parties.csv", PARTIES);
    desk.put_in("monday", "open_items.csv", OPEN_ITEMS);
    let paid = [("142", 50_000, "B1", "ACME TOOLS INV-10001")];
    desk.put_in("monday", "statement.bai", &statement(&paid));
    let lines = [
        ("142", 73_025, "B2", "ACME TOOLS INV-10002"),
        ("142", 33_300, "B3", "BIRCH LUMBER LLC INV-99999"),
        ("142", 8_810, "B4", "BIRCH LUMBER INV-20002"),
    ];
    desk.put_in("tuesday", "statement.bai", &statement(&lines));
    let told = desk.tieout(&["run", "monday", "--ledger", "before", "--quiet"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    desk
}

fn answers(desk: &Desk, ledger: &str) -> Vec<String> {
    let answer = |question: &&str| {
        let told = desk.tieout(&["sql", question, "--ledger", ledger, "--format", "csv"]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        told.stdout
    };
    QUESTIONS.iter().map(answer).collect()
}

fn tuesday(desk: &Desk) -> Command {
    let mut command = command::command();
    command.current_dir(desk.path(""));
    command.args(["run", "tuesday", "--ledger", "ledger", "--quiet"]);
    command
}

/// One run with a fault, and one without. Says whether there was a call to fail.
fn try_fault(desk: &Desk, library: &Library, fault: Fault, at: u32) -> bool {
    let Fault { call, how, .. } = fault;
    let case = format!("{how} at {call} {at}");
    let note = desk.path("note");
    let _ = fs::remove_file(&note);
    let _ = fs::remove_dir_all(desk.path("ledger"));
    copy(&desk.path("before"), &desk.path("ledger"));
    let told: Output = tuesday(desk)
        .envs(library.environment(fault, at, &desk.path("ledger"), &note))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(!words.contains("panicked"), "{case}: {words}");
    let is_hit = note.is_file();
    match told.status.code() {
        // Not reached, or of no consequence.
        Some(0) => {}
        Some(1) => assert!(words.contains("cannot write"), "{case}: {words}"),
        Some(TORN) if how == "torn" => {}
        other => panic!("{case}: ended with {other:?}: {words}"),
    }
    // The next one finds all in order, or puts it in order.
    let told = tuesday(desk).output().unwrap();
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success(), "after {case}: {words}");
    assert_eq!(answers(desk, "ledger"), answers(desk, "calm"), "{case}");
    let told = desk.tieout(&["audit", "verify", "--ledger", "ledger"]);
    assert_eq!(told.status, 0, "after {case}: {}", told.stderr);
    is_hit
}

#[test]
fn each_failing_call_stops_cleanly_and_the_next_run_goes_on() {
    let desk = desk_of_tuesday();
    let Some(library) = Library::build(&desk.path("")) else {
        return;
    };
    copy(&desk.path("before"), &desk.path("calm"));
    let told = desk.tieout(&["run", "tuesday", "--ledger", "calm", "--quiet"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let tries =
        faults().map(|fault| try_calls(fault, &SOME, |at| try_fault(&desk, &library, fault, at)));
    let tried: usize = tries.sum();
    println!("{tried} failing calls, each followed by a run that went on");
}

/// The run is done, what it leaves is told, and the next run does it.
#[test]
fn what_cannot_be_carried_forward_is_told_and_left_to_the_next_run() {
    let desk = Desk::empty();
    let Some(library) = Library::build(&desk.path("")) else {
        return;
    };
    let header = OPEN_ITEMS.lines().next().unwrap();
    let items = (0..30).map(|number| {
        format!(
            "N{number},US1,C1,invoice,INV-7{number:04},,USD,10.00,10.00,2026-02-01,2026-03-03,,\n"
        )
    });
    let items = format!("{header}\n{}", items.collect::<String>());
    desk.put_in("monday", "parties.csv", PARTIES);
    desk.put_in("monday", "open_items.csv", &items);
    let paid = [("142", 1_000, "B1", "ACME TOOLS INV-70001")];
    desk.put_in("monday", "statement.bai", &statement(&paid));
    let paid = [("142", 1_000, "B2", "ACME TOOLS INV-70002")];
    desk.put_in("tuesday", "statement.bai", &statement(&paid));
    let run = |day: &str, ledger: &str, fault: Option<u32>| {
        let mut command = command::command();
        command.current_dir(desk.path(""));
        command.args(["run", day, "--ledger", ledger, "--quiet"]);
        if let Some(at) = fault {
            let _ = fs::remove_dir_all(desk.path(ledger));
            fs::create_dir(desk.path(ledger)).unwrap();
            let [sync, ..] = FAULTS;
            let (place, note) = (desk.path(ledger), desk.path("note"));
            command.envs(library.environment(sync, at, &place, &note));
        }
        let told = command.output().unwrap();
        let words = String::from_utf8_lossy(&told.stderr).into_owned();
        (told.status.code(), words)
    };
    for day in ["monday", "tuesday"] {
        assert_eq!(run(day, "calm", None), (Some(0), String::new()), "{day}");
    }
    let mut warned = 0;
    for at in 1..60 {
        let (status, words) = run("monday", "ledger", Some(at));
        if status != Some(0) || !words.contains("carried forward") {
            continue;
        }
        warned += 1;
        assert!(words.starts_with("tieout: warning: "), "{words}");
        assert!(words.contains("Input/output error"), "{words}");
        assert_eq!(words.lines().count(), 1, "{words}");
        let next = run("tuesday", "ledger", None);
        assert_eq!(next, (Some(0), String::new()), "after sync {at}");
        assert_eq!(answers(&desk, "ledger"), answers(&desk, "calm"));
        let told = desk.tieout(&["audit", "verify", "--ledger", "ledger"]);
        assert_eq!(told.status, 0, "after sync {at}: {}", told.stderr);
    }
    assert!(warned > 0, "no sync of carrying forward was made to fail");
}

#[test]
fn a_disk_without_room_for_a_new_ledger_leaves_none() {
    let desk = desk_of_tuesday();
    // As much as a file may have, in blocks of 512 or 1,024 bytes, as the shell counts them.
    let run = "trap '' XFSZ; ulimit -f 4; exec \"$0\" run monday --ledger new --quiet";
    let told = Command::new("sh")
        .args(["-c", run])
        .arg(command::binary())
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert_eq!(told.status.code(), Some(1), "{words}");
    assert!(words.contains("cannot write"), "{words}");
    let told = desk.tieout(&["run", "monday", "--ledger", "new", "--quiet"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert_eq!(answers(&desk, "new"), answers(&desk, "before"));
}
