//! A run with a ledger that is killed at any moment, and done again: it comes to what a run does
//! that nobody disturbed. `TIEOUT_CRASHES` says how many kills (20 otherwise).

use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::command;
use crate::desk::{Desk, OPEN_ITEMS, PARTIES, statement};

/// Kills where the environment does not say otherwise.
const KILLS: u32 = 20;
/// Everything that must not depend on kills: payments, applications, exceptions, what is open,
/// the files, and that each event stands in its place.
const QUESTIONS: [&str; 5] = [
    "select payment_id, status, applied, on_account, unapplied, reason, rule from payments order by 1",
    "select payment_id, item_id, applied, discount, write_off, deduction from applications order by 1, 2",
    "select payment_id, reason, amount, candidates from exceptions order by 1",
    "select source_file, digest, rows from files order by 1",
    "select count(*), max(sequence), max(posting) from journal",
];

/// Days of bank lines over the same items, with repeats, unknown documents and late ones.
fn put_days(desk: &Desk) -> Vec<String> {
    let put = |folder: &str, name: &str, content: String| {
        let dir = desk.path(folder);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(name), content).unwrap();
    };
    put("day0", "parties.csv", PARTIES.to_owned());
    put("day0", "open_items.csv", OPEN_ITEMS.to_owned());
    put(
        "day0",
        "statement.bai",
        statement(&[("142", 50_000, "B1", "ACME TOOLS INV-10001")]),
    );
    put(
        "day1",
        "statement.bai",
        statement(&[
            ("142", 50_000, "B2", "ACME TOOLS INV-10001"),
            ("142", 33_300, "B3", "BIRCH LUMBER LLC INV-99999"),
        ]),
    );
    let header = OPEN_ITEMS.lines().next().unwrap();
    put(
        "day2",
        "more_open_items.csv",
        format!(
            "{header}\nI9,US1,C2,invoice,INV-99999,,USD,333.00,333.00,2026-03-20,2026-04-20,,\n"
        ),
    );
    put(
        "day2",
        "statement.bai",
        statement(&[("142", 8_810, "B4", "BIRCH LUMBER INV-20002")]),
    );
    ["day0", "day1", "day2"].map(str::to_owned).to_vec()
}

fn start(desk: &Desk, day: &str, ledger: &str) -> Child {
    let mut command = command::command();
    command
        .current_dir(desk.path(""))
        .args(["run", day, "--ledger", ledger, "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Runs the day to its end.
fn run(desk: &Desk, day: &str, ledger: &str) -> Duration {
    let began = Instant::now();
    let told = start(desk, day, ledger).wait_with_output().unwrap();
    let words = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success(), "{day} into {ledger}: {words}");
    began.elapsed()
}

fn answers(desk: &Desk, ledger: &str) -> Vec<String> {
    let answer = |question: &&str| {
        let told = desk.tieout(&["sql", question, "--ledger", ledger, "--format", "csv"]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        told.stdout
    };
    QUESTIONS.iter().map(answer).collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_killed_run_is_done_again_as_if_nothing_had_been() {
    let desk = Desk::empty();
    let days = put_days(&desk);
    // What each day comes to, undisturbed, and how long it takes.
    let mut expected = Vec::new();
    let mut longest = Duration::ZERO;
    for (day, name) in days.iter().enumerate() {
        let before = desk.path(&format!("before{day}"));
        if day > 0 {
            copy(&desk.path("calm"), &before);
        }
        longest = longest.max(run(&desk, name, "calm"));
        expected.push(answers(&desk, "calm"));
    }
    let kills = std::env::var("TIEOUT_CRASHES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(KILLS);
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for kill in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let day = kill as usize % days.len();
        let ledger = format!("ledger{kill}");
        if day > 0 {
            copy(&desk.path(&format!("before{day}")), &desk.path(&ledger));
        }
        // Now and then the next try is killed too, while it puts in order what the first left.
        for _ in 0..=(random >> 60) % 3 {
            let mut child = start(&desk, &days[day], &ledger);
            let wait = longest.as_micros() as u64 * (random % 1_100) / 1_000;
            thread::sleep(Duration::from_micros(wait));
            let _ = child.kill();
            child.wait().unwrap();
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
        }
        run(&desk, &days[day], &ledger);
        assert_eq!(
            answers(&desk, &ledger),
            expected[day],
            "kill {kill}, {}",
            days[day]
        );
        let told = desk.tieout(&["audit", "verify", "--ledger", &ledger]);
        assert_eq!(told.status, 0, "kill {kill}: {}", told.stderr);
        std::fs::remove_dir_all(desk.path(&ledger)).unwrap();
    }
    println!("{kills} runs killed at random moments and done again");
}
