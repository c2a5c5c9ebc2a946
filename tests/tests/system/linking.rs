//! Two lists of parties without a common identifier, linked by the command.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::command::Told;
use crate::desk::{Desk, Table};

const GIVEN: [&str; 8] = [
    "amelia", "bruno", "carla", "dmitri", "elena", "farid", "greta", "hugo",
];
const FAMILY: [&str; 9] = [
    "abbott",
    "brennan",
    "castillo",
    "dvorak",
    "eriksen",
    "fontaine",
    "gallagher",
    "hoffmann",
    "iwasaki",
];
const STREET: [&str; 7] = [
    "harbour road",
    "mill lane",
    "station street",
    "oak avenue",
    "castle hill",
    "river walk",
    "market square",
];

/// A number from 0 to `below`, the same for the same seed.
fn dice(seed: u64, below: usize) -> usize {
    let mut mixed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D;
    mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((mixed ^ (mixed >> 32)) % below as u64) as usize
}

/// `people` people as they are known, and as somebody else wrote them down in another order: one
/// letter of a name exchanged with the next, given and family name the wrong way round, no number.
fn lists(people: usize) -> (String, String) {
    let head = "id,given,family,street,born,phone\n".to_owned();
    let (mut left, mut right) = (head.clone(), head);
    for person in 0..people as u64 {
        let given = GIVEN[dice(person * 7 + 1, GIVEN.len())];
        let family = FAMILY[dice(person * 7 + 2, FAMILY.len())];
        let street = format!(
            "{} {}",
            dice(person * 7 + 3, 90) + 1,
            STREET[dice(person * 7 + 4, STREET.len())]
        );
        let born = format!(
            "19{:02}-{:02}-{:02}",
            dice(person * 7 + 5, 70) + 20,
            dice(person, 12) + 1,
            dice(person * 3, 28) + 1
        );
        let phone = format!("{:07}", dice(person * 7 + 6, 10_000_000));
        writeln!(left, "L{person},{given},{family},{street},{born},{phone}").unwrap();
        let mut letters: Vec<char> = family.chars().collect();
        letters.swap(2, 3);
        let slip: String = letters.into_iter().collect();
        match person % 4 {
            0 => writeln!(right, "R{person},{given},{slip},{street},{born},"),
            1 => writeln!(right, "R{person},{family},{given},{street},{born},{phone}"),
            2 => writeln!(right, "R{person},{given},{family},,{born},{phone}"),
            _ => writeln!(right, "R{person},{given},{family},{street},,{phone}"),
        }
        .unwrap();
    }
    (left, right)
}

fn desk(people: usize) -> Desk {
    let desk = Desk::empty();
    let (left, right) = lists(people);
    desk.put("left.csv", left);
    desk.put("right.csv", right);
    desk
}

fn link(desk: &Desk, words: &[&str]) -> Told {
    desk.tieout(&[&["link", "in/left.csv", "in/right.csv"], words].concat())
}

fn pairs(desk: &Desk, name: &str) -> BTreeSet<(String, String)> {
    let table = Table::read(&desk.path(name));
    let lefts = table.column("left_id").into_iter();
    let both = lefts.zip(table.column("right_id"));
    both.map(|(left, right)| (left.to_owned(), right.to_owned()))
        .collect()
}

#[test]
fn people_are_found_again() {
    let desk = desk(600);
    let told = link(&desk, &["--one-to-one", "--out", "pairs.csv"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(
        told.stderr.contains("pairs of 600 rows with 600"),
        "{}",
        told.stderr
    );
    let found = pairs(&desk, "pairs.csv");
    let right = found
        .iter()
        .filter(|(left, right)| left[1..] == right[1..])
        .count();
    assert!(right >= 598, "{right} of 600");
    assert!(found.len() - right <= 1, "{} wrong", found.len() - right);
}

#[test]
fn threads_change_nothing() {
    let desk = desk(300);
    let one = link(&desk, &["--min-probability", "0", "--threads", "1"]);
    let three = link(&desk, &["--min-probability", "0", "--threads", "3"]);
    assert!(one.stdout.lines().count() > 300);
    assert_eq!(one.stdout, three.stdout);
    assert_eq!(one.stderr, three.stderr);
}

#[test]
fn one_list_is_searched_for_repeats() {
    let desk = Desk::empty();
    let (left, right) = lists(200);
    let body: String = right
        .lines()
        .skip(1)
        .flat_map(|line| [line, "\n"])
        .collect();
    desk.put("all.csv", left + &body);
    let told = desk.tieout(&[
        "link",
        "in/all.csv",
        "--out",
        "pairs.csv",
        "--on",
        "given,family,street,born:date,phone:number",
    ]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let found = pairs(&desk, "pairs.csv");
    let right = found
        .iter()
        .filter(|(left, right)| left[1..] == right[1..])
        .count();
    assert!(
        right >= 197 && found.len() - right <= 1,
        "{right} of {}",
        found.len()
    );
}

#[test]
fn lists_that_are_no_lists_are_refused() {
    let desk = desk(10);
    desk.put("other.csv", "key,colour\n1,red\n");
    desk.put("ragged.csv", "id,given\n1,amelia\n2,bruno,castillo\n");
    desk.put("empty.csv", "");
    for (words, sentence) in [
        (
            ["link", "in/left.csv", "in/other.csv"],
            "no column id; there are key, colour",
        ),
        (
            ["link", "in/left.csv", "--on=shoe"],
            "no column shoe; there are id, given",
        ),
        (
            ["link", "in/left.csv", "--on=given:colour"],
            "no kind colour: use text, number or date",
        ),
        (["link", "in/left.csv", "in/ragged.csv"], "line: 3"),
        (["link", "in/empty.csv", "--quiet"], "no header"),
        (
            ["link", "in/nothing.csv", "--quiet"],
            "cannot read in/nothing.csv",
        ),
        (
            ["link", "in/left.csv", "--min-probability=2"],
            "a number from 0 to 1",
        ),
    ] {
        let told = desk.tieout(&words);
        assert_eq!(told.status, 1, "{words:?}");
        assert!(told.stderr.contains(sentence), "{words:?}: {}", told.stderr);
    }
}

#[test]
fn lists_of_nothing_but_the_same_end_soon() {
    let desk = Desk::empty();
    let long = "A".repeat(100_000);
    let mut same = "id,name\n".to_owned();
    for row in 0..5_000 {
        writeln!(same, "{row},acme supply").unwrap();
    }
    writeln!(same, "long,{long}\nempty,").unwrap();
    desk.put("left.csv", &same);
    desk.put("right.csv", "id,name\n");
    let told = desk.tieout(&["link", "in/left.csv", "--min-probability", "0"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    let told = link(&desk, &[]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert_eq!(
        told.stdout,
        "left_id,right_id,probability,weight,evidence\n"
    );
}
