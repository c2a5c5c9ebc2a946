//! Ledgers that earlier versions have written: each is readable for ever, and goes on.
//!
//! Each folder of `datasets/ledgers` was written by the version that had this format. It is never
//! written anew: a format that cannot be read any more is a fault.

use std::fs;
use std::path::Path;

use crate::desk::{Desk, statement};

fn desk_with(format: &str) -> Desk {
    let desk = Desk::empty();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/ledgers");
    copy(&kept.join(format), &desk.path("ledger"));
    desk
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

const PAYMENTS: &str =
    "select bank_reference, status, rule, applied, on_account from payments order by 1, 2";

#[test]
fn a_ledger_of_format_1_is_read_verified_and_goes_on() {
    let desk = desk_with("format-1");
    let payments = "B1,applied,references,500.00,0.00\n\
                    B2,partially_applied,person,300.00,33.00\n\
                    B4,duplicate,duplicate,0.00,0.00\n\
                    B7,applied,remittance_lines,1238.10,0.00";
    assert_eq!(desk.ask(PAYMENTS), payments);
    desk.verify();
    let export = desk.tieout(&["export", "--again", "1", "--ledger", "ledger"]);
    let exported = fs::read_to_string(desk.path("ledger/export-1.csv")).unwrap();
    assert_eq!(export.stdout, exported);
    // The tables can be made again from the journal alone.
    fs::remove_dir_all(desk.path("ledger/postings")).unwrap();
    assert_eq!(desk.ask(PAYMENTS), payments);
    desk.verify();

    // The next run knows what this one had: the item that was paid, the advice that waits.
    let lines = [
        ("142", 8_810, "B8", "BIRCH LUMBER INV-20002"),
        ("142", 43_025, "B10", "ACME TOOLS INV-10002"),
    ];
    desk.post_lines("thursday", &lines);
    assert_eq!(
        desk.ask(PAYMENTS),
        format!("{payments}\nB8,duplicate,duplicate,0.00,0.00")
            .replace("B2,", "B10,applied,references,430.25,0.00\nB2,")
    );
    desk.verify();
}

/// A ledger of a hundred items from before items were carried forward: thirty-one of them are paid.
#[test]
fn a_ledger_of_format_2_is_read_verified_and_goes_on() {
    let desk = desk_with("format-2");
    let by_status =
        "select status, count(*) n, sum(applied) applied from payments group by 1 order by 1";
    assert_eq!(desk.ask(by_status), "applied,31,3575.00\nproposed,1,0.00");
    desk.verify();
    // The first run reads all items and carries them forward; the second reads what is open, and
    // finds what is paid by its name.
    let spoken_of = |paid: u32, open: u32| {
        [(paid, format!("P{paid}")), (open, format!("O{open}"))].map(|(number, reference)| {
            let party = ["ACME TOOLS", "BIRCH LUMBER", "CEDAR SUPPLY", "DELTA PUMPS"];
            let party = party[number as usize % 7];
            (
                u64::from(100 + number) * 100,
                reference,
                format!("{party} INV-{}", 40_000 + number),
            )
        })
    };
    for (day, paid, open) in [
        ("wednesday", 1, 50),
        ("thursday", 2, 51),
        ("friday", 50, 52),
    ] {
        let lines = spoken_of(paid, open);
        let lines = lines.each_ref();
        let lines = lines
            .map(|(cents, reference, text)| ("142", *cents, reference.as_str(), text.as_str()));
        desk.post_lines(day, &lines);
        desk.verify();
    }
    let latest = "select bank_reference, status, applied from payments where bank_reference like 'P%' \
                  or bank_reference like 'O%' order by 1";
    assert_eq!(
        desk.ask(latest),
        "O50,applied,150.00\nO51,applied,151.00\nO52,applied,152.00\n\
         P1,duplicate,0.00\nP2,duplicate,0.00\nP50,duplicate,0.00"
    );
}

#[test]
fn a_ledger_of_a_later_format_is_refused() {
    let desk = desk_with("format-1");
    let path = desk.path("ledger/ledger.json");
    let text = fs::read_to_string(&path).unwrap();
    let version = |number: u32| {
        let later = text.replace(
            "\"format_version\": 2",
            &format!("\"format_version\": {number}"),
        );
        assert_ne!(later, text);
        fs::write(&path, later).unwrap();
    };
    // That of a ledger whose history lies elsewhere, which this one's does not.
    version(3);
    let told = desk.tieout(&["sql", "select 1", "--ledger", "ledger"]);
    assert_eq!(told.status, 1, "{}", told.stdout);
    assert!(told.stderr.contains("as it was written"), "{}", told.stderr);
    version(4);
    desk.put_in("thursday", "statement.bai", &statement(&[]));
    let before = desk.written("ledger/postings/000001");
    for words in [
        &["run", "thursday"][..],
        &["sql", "select 1"],
        &["queue"],
        &["audit", "verify"],
        &["export"],
    ] {
        let told = desk.tieout(&[words, &["--ledger", "ledger"]].concat());
        assert_eq!(told.status, 1, "{words:?}: {}", told.stdout);
        let expected = "has format 4, this program knows formats up to 3: use a newer tieout";
        assert!(told.stderr.contains(expected), "{words:?}: {}", told.stderr);
    }
    assert_eq!(desk.written("ledger/postings/000001"), before);
}
