//! A run with a ledger that is killed at any moment, and done again: it comes to what a run does
//! that nobody disturbed; so do a watcher and an export. `TIEOUT_CRASHES` says how many kills (20 otherwise).

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::command;
use crate::desk::{Desk, OPEN_ITEMS, PARTIES, statement};
use crate::moments::{Moments, kills};
use crate::stored::copy;

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

/// Kills the command at some moment of the time that it takes, or shortly after.
fn kill_within(mut child: Child, longest: Duration, moments: &mut Moments) {
    moments.wait_within(longest);
    let _ = child.kill();
    child.wait().unwrap();
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
    let kills = kills();
    let mut moments = Moments::of(0x2545_F491_4F6C_DD1D);
    for kill in 0..kills {
        let day = kill % days.len();
        let ledger = format!("ledger{kill}");
        if day > 0 {
            copy(&desk.path(&format!("before{day}")), &desk.path(&ledger));
        }
        // Now and then the next try is killed too, while it puts in order what the first left.
        for _ in 0..=moments.below(3) {
            kill_within(start(&desk, &days[day], &ledger), longest, &mut moments);
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

/// Drops the files of a day into the folder that is watched for the ledger.
fn drop_day(desk: &Desk, day: &str, ledger: &str) {
    let dir = desk.path(&format!("{ledger}.drop"));
    std::fs::create_dir_all(&dir).unwrap();
    for entry in std::fs::read_dir(desk.path(day)).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{day}-{}", path.file_name().unwrap().to_str().unwrap());
        std::fs::copy(&path, dir.join(name)).unwrap();
    }
}

/// The words that take the files of a ledger's folder, and those that export to a day's file.
fn steps(ledger: &str, day: &str) -> [Vec<String>; 2] {
    let watch =
        format!("watch {ledger}.drop --once --settle 0 --interval 0 --quiet --ledger {ledger}");
    let export = format!("export --out {ledger}.{day}.csv --ledger {ledger}");
    [watch, export].map(|words| words.split(' ').map(str::to_owned).collect())
}

fn begin(desk: &Desk, words: &[String]) -> Child {
    let mut command = command::command();
    command.current_dir(desk.path("")).args(words);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn end(desk: &Desk, words: &[String]) -> Duration {
    let began = Instant::now();
    let told = begin(desk, words).wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.status.success(), "{words:?}: {said}");
    began.elapsed()
}

/// The answers without the name of the ledger's folder.
fn same_names(answers: Vec<String>, ledger: &str) -> Vec<String> {
    let answers = answers
        .into_iter()
        .map(|text| text.replace(ledger, "LEDGER"));
    answers.collect()
}

#[test]
fn a_killed_watcher_and_a_killed_export_go_on_as_if_nothing_had_been() {
    let desk = Desk::empty();
    let days = put_days(&desk);
    let mut longest = [Duration::ZERO; 2];
    let mut expected = Vec::new();
    for day in &days {
        drop_day(&desk, day, "calm");
        for (words, longest) in steps("calm", day).iter().zip(&mut longest) {
            *longest = end(&desk, words).max(*longest);
        }
        let exported = std::fs::read(desk.path(&format!("calm.{day}.csv"))).unwrap();
        expected.push((same_names(answers(&desk, "calm"), "calm"), exported));
    }
    let mut moments = Moments::of(0x9E37_79B9_7F4A_7C15);
    let (mut killed, mut round) = (0, 0);
    while killed < kills() {
        let ledger = format!("round{round}");
        round += 1;
        for (day, (answered, exported)) in days.iter().zip(&expected) {
            drop_day(&desk, day, &ledger);
            for (words, longest) in steps(&ledger, day).iter().zip(longest) {
                for _ in 0..=moments.below(2) {
                    kill_within(begin(&desk, words), longest, &mut moments);
                    killed += 1;
                }
                end(&desk, words);
            }
            let now = same_names(answers(&desk, &ledger), &ledger);
            assert_eq!(&now, answered, "{ledger}, {day}, after {killed} kills");
            let file = std::fs::read(desk.path(&format!("{ledger}.{day}.csv"))).unwrap();
            assert!(
                &file == exported,
                "the export of {ledger}, {day}, after {killed} kills"
            );
            let told = desk.tieout(&["audit", "verify", "--ledger", &ledger]);
            assert_eq!(told.status, 0, "after {killed} kills: {}", told.stderr);
        }
        std::fs::remove_dir_all(desk.path(&ledger)).unwrap();
    }
    println!("{killed} watchers and exports killed at random moments and begun again");
}

/// A history that is on its way to a URL, and back.
#[test]
fn a_history_that_is_moved_is_whole_whenever_that_is_killed() {
    let desk = Desk::empty();
    for day in put_days(&desk) {
        run(&desk, &day, "calm");
    }
    let expected = answers(&desk, "calm");
    let compact = |ledger: &str, place: &str| -> Vec<String> {
        let words = format!("audit compact --history {place} --ledger {ledger}");
        words.split(' ').map(str::to_owned).collect()
    };
    let place = |name: &str| format!("file://{}", desk.path(name).display());
    copy(&desk.path("calm"), &desk.path("timed"));
    let longest = end(&desk, &compact("timed", &place("timed.there")));
    let mut moments = Moments::of(0x5851_F42D_4C95_7F2D);
    let (mut killed, mut round) = (0, 0);
    while killed < kills() {
        let ledger = format!("moved{round}");
        let there = format!("{ledger}.there");
        round += 1;
        copy(&desk.path("calm"), &desk.path(&ledger));
        for to in [place(&there), ledger.clone(), place(&there)] {
            let words = compact(&ledger, &to);
            for _ in 0..=moments.below(2) {
                kill_within(begin(&desk, &words), longest, &mut moments);
                killed += 1;
                assert_eq!(answers(&desk, &ledger), expected, "after {killed} kills");
            }
            end(&desk, &words);
            assert_eq!(answers(&desk, &ledger), expected, "after {killed} kills");
            let told = desk.tieout(&["audit", "verify", "--ledger", &ledger]);
            assert_eq!(told.status, 0, "after {killed} kills: {}", told.stderr);
            let (here, there) = (objects(&desk.path(&ledger)), objects(&desk.path(&there)));
            let (empty, full) = if to == ledger {
                (there, here)
            } else {
                (here, there)
            };
            assert!(empty.is_empty(), "{empty:?} after {killed} kills");
            assert!(!full.is_empty(), "after {killed} kills");
        }
        std::fs::remove_dir_all(desk.path(&ledger)).unwrap();
    }
    println!("{killed} moves of a history killed at random moments and begun again");
}

/// The Parquet files in a folder, and what is left of such, however deep.
fn objects(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = crate::elsewhere::objects(folder);
    all.retain(|path| path.to_string_lossy().contains(".parquet"));
    all
}
