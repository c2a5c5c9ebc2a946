//! A later state that is opened from the one before answers as one that is opened by itself, wherever
//! its files lie.

use std::path::Path;

use tieout_core::schema::Table;
use tieout_ledger::journal::what;
use tieout_ledger::objects::Address;
use tieout_ledger::{Cells, Ledger, Reversed};
use tieout_treasury::{Kind, Limits, Treasury, relations};

use super::{parties, payments, rates};

/// Rows as text, in an order of their own.
pub(crate) async fn rows(treasury: &Treasury, sql: &str) -> Vec<String> {
    let mut answer = treasury.query(sql).await.unwrap();
    let columns = answer.schema().fields().len();
    let mut lines = Vec::new();
    while let Some(batch) = answer.next().await {
        let batch = batch.unwrap();
        let cells = Cells::of(&batch).unwrap();
        for row in 0..cells.rows() {
            let texts = (0..columns).map(|column| cells.text(row, column).unwrap_or_default());
            lines.push(texts.collect::<Vec<_>>().join("|"));
        }
    }
    lines.sort();
    lines
}

fn questions() -> Vec<String> {
    let named = relations().filter(|relation| relation.kind != Kind::Function);
    let mut questions = vec![
        "select convert(100, 'EUR', 'USD', date '2026-03-15')".to_owned(),
        "select count(*) from as_of('payments', 1)".to_owned(),
        "select * from receivables_ageing('2026-03-15')".to_owned(),
        "select * from explain_payment('b1')".to_owned(),
        "select * from candidates('b1')".to_owned(),
    ];
    for relation in named {
        questions.push(format!("select * from {}", relation.name));
        if relation.kind == Kind::Table && relation.name != "catalog" {
            questions.push(format!("select * from history.{}", relation.name));
        }
    }
    questions
}

/// Questions about rows that hold, about all that there were, by a view, and as of before.
fn some() -> [String; 7] {
    [
        "select payment_id, status, posting from payments",
        "select party_id, name, posting from parties",
        "select payment_id, status, posting from history.payments",
        "select * from unapplied_cash",
        "select convert(100, 'EUR', 'USD', date '2026-03-15')",
        "select count(*) from as_of('payments', 1)",
        "select what, name from explain_payment('b1')",
    ]
    .map(str::to_owned)
}

/// How many postings [`post`] knows.
const POSTINGS: usize = 6;

/// Records posting `number`, from 0.
fn post(dir: &Path, number: usize) -> Ledger {
    let mut writer = Ledger::post(dir).unwrap();
    let reversed = |what, id: &str, posting| Reversed {
        what,
        id: id.to_owned(),
        posting,
    };
    match number {
        0 => {
            let rows = [("a1", "applied", Some("C1"), 10_000_000, 20_528)];
            writer.write(Table::Payments, &payments(&rows)).unwrap();
            let named = parties(&[("C1", "Acme Supply")]);
            writer.write(Table::Parties, &named).unwrap();
        }
        1 => {
            let rows = [("b1", "proposed", Some("C1"), 12_345_678, 20_560)];
            writer.write(Table::Payments, &payments(&rows)).unwrap();
        }
        // From here on not all rows hold.
        2 => {
            let named = [reversed(what::PAYMENT, "b1", 2)];
            writer.reverse(&named).unwrap();
            let rows = [("b1", "unidentified", None, 12_345_678, 20_560)];
            writer.write(Table::Payments, &payments(&rows)).unwrap();
        }
        3 => {
            let named = [reversed(what::PARTY, "C1", 1)];
            writer.reverse(&named).unwrap();
            let named = parties(&[("C1", "Acme Supply Group"), ("C2", "Bright Harbor")]);
            writer.write(Table::Parties, &named).unwrap();
        }
        4 => writer.write(Table::ExchangeRates, &rates()).unwrap(),
        _ => {
            let rows = [("b2", "applied", Some("C2"), 1, 20_561)];
            writer.write(Table::Payments, &payments(&rows)).unwrap();
        }
    }
    writer.finish("cash-application").unwrap()
}

/// A state, and what it answered to [`some`] questions.
struct Seen {
    treasury: Treasury,
    answers: Vec<Vec<String>>,
}

impl Seen {
    /// All payments that there ever were.
    async fn payments(&self) -> String {
        let all = "select count(*) from history.payments";
        rows(&self.treasury, all).await.remove(0)
    }
}

/// Opens `ledger` by itself and from the state `before`: both answer all `questions` alike, and the
/// state before goes on to answer as it did.
async fn go_on(before: Option<Seen>, ledger: &Ledger, questions: &[String], case: &str) -> Seen {
    let fresh = Treasury::open(ledger, &Limits::default()).await.unwrap();
    let later = match &before {
        None => Treasury::open(ledger, &Limits::default()).await.unwrap(),
        Some(before) => before.treasury.open_after(ledger).await.unwrap(),
    };
    for sql in questions {
        let expected = rows(&fresh, sql).await;
        assert_eq!(rows(&later, sql).await, expected, "{case}: {sql}");
    }
    let mut answers = Vec::new();
    for sql in some() {
        answers.push(rows(&later, &sql).await);
    }
    if let Some(before) = before {
        for (sql, answered) in some().iter().zip(&before.answers) {
            let again = rows(&before.treasury, sql).await;
            assert_eq!(&again, answered, "the state before {case}: {sql}");
        }
    }
    Seen {
        treasury: later,
        answers,
    }
}

#[tokio::test]
async fn a_later_state_answers_as_one_opened_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut seen = None;
    let mut counts = Vec::new();
    for number in 0..POSTINGS {
        let ledger = post(dir.path(), number);
        let case = format!("posting {number}");
        let now = go_on(seen, &ledger, &questions(), &case).await;
        counts.push(now.payments().await);
        seen = Some(now);
    }
    assert_eq!(counts, ["1", "2", "3", "3", "3", "4"]);
}

/// Files go to a URL, others follow, are joined there, and come back, under a session that goes on.
#[tokio::test]
async fn a_later_state_of_a_history_at_a_url_answers_as_one_opened_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (folder, there) = (dir.path().join("ledger"), dir.path().join("there"));
    let url: Address = format!("file://{}", there.display()).parse().unwrap();
    let mut seen = None;
    let mut counts = Vec::new();
    for number in 0..POSTINGS {
        let ledger = post(&folder, number);
        let is_there = (2..5).contains(&number);
        assert_eq!(ledger.history().is_some(), is_there, "posting {number}");
        let case = format!("posting {number}");
        seen = Some(go_on(seen, &ledger, &some(), &case).await);
        drop(ledger);
        match number {
            1 => _ = Ledger::move_history(&folder, Some(&url)).unwrap(),
            4 => _ = Ledger::move_history(&folder, None).unwrap(),
            _ => {}
        }
        if [1, 3, 4].contains(&number) {
            Ledger::join(&folder, true).unwrap();
            let ledger = Ledger::open(&folder).unwrap();
            let is_at_hand = !ledger.files(Table::Payments).is_empty();
            assert_eq!(is_at_hand, number == 4, "joined after {number}");
            let case = format!("joining after {number}");
            seen = Some(go_on(seen, &ledger, &questions(), &case).await);
        }
        counts.push(seen.as_ref().unwrap().payments().await);
    }
    assert_eq!(counts, ["1", "2", "3", "3", "3", "4"]);
}
