//! A ledger whose history lies at a URL answers as before, and says which object is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use crate::command::Told;
use crate::desk::Desk;
use crate::ledger::after_monday;
use crate::stored::copy;

const QUESTIONS: [&str; 5] = [
    "select bank_reference, status, amount, applied, on_account from payments order by 1",
    "select item_id, open_amount from open_items order by 1",
    "select posting, count(*) from history.payments group by 1 order by 1",
    "select * from unapplied_cash order by 1, 2, 3",
    "select bank_reference, status from as_of('payments', 2) order by 1",
];

impl Desk {
    fn answers(&self) -> [String; 5] {
        QUESTIONS.map(|question| self.ask(question))
    }

    fn audit(&self, words: &[&str]) -> Told {
        self.tieout(&[&["audit"], words, &["--ledger", "ledger"]].concat())
    }

    fn good(&self, words: &[&str]) -> String {
        let told = self.tieout(&[words, &["--ledger", "ledger"]].concat());
        assert_eq!(told.status, 0, "{words:?}: {}", told.stderr);
        told.stdout
    }
}

/// The objects, however deep.
pub fn objects(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = paths
        .flat_map(|path| {
            if path.is_dir() {
                objects(&path)
            } else {
                vec![path]
            }
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_history_at_a_url_answers_as_before() {
    let desk = after_monday();
    let id = desk.ask("select payment_id from payments where bank_reference = 'B2'");
    let told = desk.act(&["apply", &id, "--item", "I3=333.00"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    desk.post_lines(
        "tuesday",
        &[("142", 120_000, "B5", "BIRCH LUMBER LLC INV-20001")],
    );
    let before = desk.answers();
    let explained = desk.good(&["explain", &id]);
    let replayed = desk.good(&["replay", "--recipe", "cash-application"]);
    let queue = desk.good(&["queue"]);

    let url = format!("file://{}", desk.path("there").display());
    let said = desk.good(&["audit", "compact", "--history", &url]);
    assert_eq!(
        said,
        format!("joined by month\nthe history lies at {url}\n")
    );
    let there = objects(&desk.path("there"));
    assert!(there.iter().any(|path| path.ends_with("payments.parquet")));
    assert!(objects(&desk.path("ledger/postings")).is_empty());
    assert_eq!(desk.answers(), before);
    assert_eq!(desk.good(&["explain", &id]), explained);
    assert_eq!(
        desk.good(&["replay", "--recipe", "cash-application"]),
        replayed
    );
    assert_eq!(desk.good(&["queue"]), queue);
    desk.good(&["audit", "verify"]);

    // The ledger goes on: single postings here, what was joined there.
    desk.post_lines("wednesday", &[("142", 73_025, "B6", "INV-10002")]);
    let after = desk.answers();
    assert_eq!(after[4], before[4]);
    assert!(after[0].contains("B6"), "{}", after[0]);
    desk.good(&["audit", "compact"]);
    assert_eq!(desk.answers(), after);
    desk.good(&[
        "audit", "purge", "--party", "C1", "--by", "Ada", "--reason", "asked",
    ]);
    desk.good(&["audit", "compact"]);
    desk.good(&["audit", "verify"]);
    let purged = "select distinct remittance_text from payments where party_id = 'C1'";
    assert_eq!(desk.ask(purged), "[purged]");

    let amounts = desk.ask("select bank_reference, amount, applied from payments order by 1");
    let said = desk.good(&["audit", "compact", "--history", "ledger"]);
    assert!(said.ends_with("the history lies at ledger\n"), "{said}");
    assert!(objects(&desk.path("there")).is_empty());
    desk.good(&["audit", "verify"]);
    assert_eq!(
        desk.ask("select bank_reference, amount, applied from payments order by 1"),
        amounts
    );
}

#[test]
fn an_object_that_is_wrong_is_named_and_no_row_is_missing_silently() {
    let desk = after_monday();
    let url = format!("file://{}", desk.path("there").display());
    desk.good(&["audit", "compact", "--history", &url]);
    let payments = desk.ask("select count(*) from payments");
    let object = objects(&desk.path("there"))
        .into_iter()
        .find(|path| path.ends_with("payments.parquet"))
        .unwrap();
    let bytes = fs::read(&object).unwrap();
    let refused = |words: &[&str]| {
        let told = desk.tieout(&[words, &["--ledger", "ledger"]].concat());
        assert_ne!(told.status, 0, "{words:?}: {}", told.stdout);
        let name = object.display().to_string();
        assert!(told.stderr.contains(&name), "{words:?}: {}", told.stderr);
        assert!(told.stderr.contains("audit compact"), "{}", told.stderr);
    };
    let ask = ["sql", "select bank_reference, amount from payments"];
    fs::write(&object, &bytes[..bytes.len() - 9]).unwrap();
    refused(&ask);
    refused(&["audit", "verify"]);
    let mut other = bytes.clone();
    other[bytes.len() / 3] ^= 4;
    fs::write(&object, other).unwrap();
    refused(&["audit", "verify"]);
    refused(&["audit", "compact", "--history", "ledger"]);
    fs::remove_file(&object).unwrap();
    refused(&ask);
    refused(&["sql", "select count(*) from payments"]);
    refused(&["audit", "verify"]);
    desk.good(&["audit", "compact"]);
    assert_eq!(desk.ask("select count(*) from payments"), payments);
    desk.good(&["audit", "verify"]);
}

/// A copy reads where its original's history lies, records what is new beside it, and writes there
/// only once it is told that the place is its own.
#[test]
fn a_copy_leaves_the_history_to_its_original() {
    let desk = after_monday();
    desk.post_lines("later", &[("142", 120_000, "B5", "BIRCH LUMBER INV-20001")]);
    let url = format!("file://{}", desk.path("there").display());
    let there = || -> Vec<_> {
        let files = objects(&desk.path("there"));
        let bytes = files.iter().map(|path| fs::read(path).unwrap());
        files.iter().cloned().zip(bytes).collect()
    };
    desk.good(&["audit", "compact", "--history", &url]);
    let (before, answers) = (there(), desk.answers());
    let original = desk.path("original");
    fs::rename(desk.path("ledger"), &original).unwrap();
    copy(&original, &desk.path("ledger"));
    let refused = |words: &[&str]| {
        let told = desk.audit(words);
        assert_eq!(told.status, 1, "{words:?}: {}", told.stdout);
        assert!(told.stderr.contains(&url), "{words:?}: {}", told.stderr);
        assert!(told.stderr.contains("copy of it"), "{}", told.stderr);
        assert!(
            told.stderr.contains("audit compact --history"),
            "{}",
            told.stderr
        );
    };

    assert_eq!(desk.answers(), answers);
    desk.good(&["audit", "verify"]);
    desk.post_lines("tuesday", &[("142", 73_025, "B6", "INV-10002")]);
    desk.post_lines("wednesday", &[("142", 8_810, "B7", "INV-20002")]);
    let answers = desk.answers();
    refused(&["compact"]);
    refused(&["purge", "--party", "C1", "--by", "Ada", "--reason", "asked"]);
    assert_eq!(there(), before);
    assert_eq!(desk.answers(), answers);
    desk.good(&["audit", "verify"]);

    // A place of its own: the original keeps what it had.
    let own = format!("file://{}", desk.path("own").display());
    desk.good(&["audit", "compact", "--history", &own]);
    assert_eq!(there(), before);
    assert_eq!(desk.answers(), answers);
    desk.good(&["audit", "verify"]);

    // The original, which was moved on its disk, is the same; told so, another takes its place.
    let ledger = original.display().to_string();
    let told = desk.tieout(&["audit", "compact", "--ledger", &ledger]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    fs::remove_dir_all(desk.path("ledger")).unwrap();
    copy(&original, &desk.path("ledger"));
    fs::remove_dir_all(&original).unwrap();
    desk.post_lines("tuesday", &[("142", 73_025, "B6", "INV-10002")]);
    let answers = desk.answers();
    refused(&["compact"]);
    desk.good(&["audit", "compact", "--history", &url]);
    desk.good(&["audit", "compact"]);
    assert!(objects(&desk.path("ledger/postings")).is_empty());
    assert_eq!(desk.answers(), answers);
    desk.good(&["audit", "verify"]);
}

#[test]
fn a_place_that_cannot_be_is_refused() {
    let desk = after_monday();
    for (place, word) in [
        ("there", "own folder"),
        ("ftp://host/books", "file:///"),
        ("s3://key:secret@bucket/books", "environment"),
        ("s3://bucket/books", "--features cloud"),
    ] {
        let told = desk.audit(&["compact", "--history", place]);
        assert_ne!(told.status, 0, "{}", told.stdout);
        assert!(told.stderr.contains(word), "{}", told.stderr);
        assert!(!told.stderr.contains("secret"), "{}", told.stderr);
    }
    desk.good(&["audit", "verify"]);
}
