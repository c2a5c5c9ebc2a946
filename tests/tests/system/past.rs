//! What was known on an earlier day, over several postings, actions and reversals.

use crate::desk::{Desk, OPEN_ITEMS, statement};
use crate::ledger::after_monday;

const PAYMENTS: &str = "select bank_reference, status, applied, on_account from payments \
                        where bank_reference in ('B1', 'B2', 'B3') order by 1";
const OPEN: &str = "select item_id, open_amount from open_items order by 1";
const HISTORY: &str = "select count(*) from history.payments";

impl Desk {
    /// The answer to a question as of a moment, as CSV without its header.
    fn ask_as_of(&self, moment: &str, question: &str) -> String {
        let words = [
            "as-of", moment, question, "--ledger", "ledger", "--format", "csv",
        ];
        let told = self.tieout(&words);
        assert_eq!(told.status, 0, "{question}: {}", told.stderr);
        let by_flag = self.tieout(&[
            "sql", question, "--as-of", moment, "--ledger", "ledger", "--format", "csv",
        ]);
        assert_eq!(by_flag.stdout, told.stdout);
        let rows = told.stdout.split_once('\n').unwrap().1;
        rows.trim_end().to_owned()
    }

    /// The postings so far: of each its answers to the questions, asked when it was the last.
    fn remember(&self, known: &mut Vec<[String; 3]>) {
        known.push([PAYMENTS, OPEN, HISTORY].map(|question| self.ask(question)));
        let posting = self.ask("select max(posting) from journal");
        assert_eq!(posting, known.len().to_string());
    }
}

#[test]
fn each_table_is_there_as_it_was_known() {
    let desk = after_monday();
    let mut known = Vec::new();
    desk.remember(&mut known);
    let id = desk.ask("select payment_id from payments where bank_reference = 'B2'");
    let act = |words: &[&str]| {
        let told = desk.act(words);
        assert_eq!(told.status, 0, "{}", told.stderr);
    };
    act(&[
        "assign",
        &id,
        "--owner",
        "Grace",
        "--deadline",
        "2026-04-15",
    ]);
    desk.remember(&mut known);
    act(&["apply", &id, "--item", "I3=333.00"]);
    desk.remember(&mut known);
    act(&["assign", &id, "--owner", "Linus"]);
    desk.remember(&mut known);
    act(&["unmatch", &id]);
    desk.remember(&mut known);
    desk.put_in(
        "tuesday",
        "statement.bai",
        &statement(&[("142", 73_025, "B3", "ACME TOOLS INV-10002")]),
    );
    desk.put_in(
        "tuesday",
        "open_items.csv",
        &OPEN_ITEMS.replace("1200.00,1200.00", "1200.00,1100.00"),
    );
    desk.post("tuesday");
    desk.remember(&mut known);

    for (place, answers) in known.iter().enumerate() {
        let posting = (place + 1).to_string();
        let at = desk.ask(&format!(
            "select max(recorded_at) from journal where posting = {posting}"
        ));
        for (question, answer) in [PAYMENTS, OPEN, HISTORY].iter().zip(answers) {
            assert_eq!(
                &desk.ask_as_of(&posting, question),
                answer,
                "posting {posting}"
            );
            assert_eq!(&desk.ask_as_of(&at, question), answer, "at {at}");
            // In the same words, beside what is known now.
            for moment in [&posting, &at] {
                let table = question.split_once("from ").unwrap().1;
                let table = table.split(' ').next().unwrap();
                let earlier = format!("as_of('{table}', '{moment}') as earlier");
                let question = question.replacen(table, &earlier, 1);
                assert_eq!(&desk.ask(&question), answer, "{question}");
            }
        }
    }
    assert_ne!(known[0][1], known[5][1]);
    let now = desk.ask_as_of("9999-12-31", PAYMENTS);
    assert_eq!(now, known[5][0]);

    // Explanations and the queue.
    let explained = |posting: &str| {
        let told = desk.tieout(&["explain", &id, "--as-of", posting, "--ledger", "ledger"]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        told.stdout
    };
    assert!(explained("3").contains("INV-20001"), "{}", explained("3"));
    assert!(!explained("5").contains("INV-20001"), "{}", explained("5"));
    let queue = |posting: &str| {
        let told = desk.tieout(&[
            "queue",
            "--known-at",
            posting,
            "--ledger",
            "ledger",
            "--format",
            "csv",
        ]);
        assert_eq!(told.status, 0, "{}", told.stderr);
        told.stdout
    };
    let headings = queue("1").lines().next().unwrap().to_owned();
    let places: Vec<usize> = ["owner", "deadline", "version"]
        .iter()
        .map(|name| headings.split(',').position(|own| own == *name).unwrap())
        .collect();
    let noted = |posting: &str| {
        let rows = queue(posting);
        let row = rows.lines().nth(1)?;
        let cells: Vec<&str> = row.split(',').collect();
        Some(
            places
                .iter()
                .map(|&place| cells[place])
                .collect::<Vec<_>>()
                .join(","),
        )
    };
    assert_eq!(noted("1").as_deref(), Some(",,1"));
    assert_eq!(noted("2").as_deref(), Some("Grace,2026-04-15,1"));
    assert_eq!(noted("3"), None);
    assert_eq!(noted("5").as_deref(), Some("Linus,2026-04-15,3"));
}

#[test]
fn the_tables_of_a_day_are_listed_and_written() {
    let desk = after_monday();
    desk.post_lines("tuesday", &[("142", 73_025, "B3", "ACME TOOLS INV-10002")]);
    let told = desk.tieout(&["as-of", "1", "--ledger", "ledger", "--out", "then"]);
    assert_eq!(told.status, 0, "{}", told.stderr);
    assert!(told.stdout.contains("posting 1 of 2"), "{}", told.stdout);
    let payments = crate::desk::Table::read(&desk.path("then/payments.csv"));
    assert_eq!(payments.column("bank_reference"), ["B1", "B2"]);
    let listed = std::fs::read_dir(desk.path("then")).unwrap().count();
    // The listing has a heading and a rule.
    let tables = told
        .stdout
        .lines()
        .filter(|line| line.starts_with('|'))
        .count()
        - 2;
    assert_eq!(listed, tables);
}

#[test]
fn a_moment_before_the_first_posting_is_told() {
    let desk = after_monday();
    for moment in ["2001-01-01", "2001-01-01T00:00:00Z", "0", "2"] {
        let told = desk.tieout(&["as-of", moment, "select 1", "--ledger", "ledger"]);
        assert_eq!(told.status, 1, "{moment}: {}", told.stdout);
        assert!(
            told.stderr.contains("there are postings 1 to 1"),
            "{}",
            told.stderr
        );
    }
    let told = desk.tieout(&["as-of", "yesterday", "--ledger", "ledger"]);
    assert!(told.stderr.contains("write a day as"), "{}", told.stderr);
}
