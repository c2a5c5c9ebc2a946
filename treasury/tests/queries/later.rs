//! A later state that is opened from the one before answers as one that is opened by itself.

use tieout_core::schema::Table;
use tieout_ledger::journal::what;
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
    ];
    for relation in named {
        questions.push(format!("select * from {}", relation.name));
        if relation.kind == Kind::Table && relation.name != "catalog" {
            questions.push(format!("select * from history.{}", relation.name));
        }
    }
    questions
}

#[tokio::test]
async fn a_later_state_answers_as_one_opened_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let mut before: Option<Treasury> = None;
    let mut counts = Vec::new();
    for step in 0..6 {
        let mut writer = Ledger::post(dir.path()).unwrap();
        let reversed = |what, id: &str, posting| Reversed {
            what,
            id: id.to_owned(),
            posting,
        };
        match step {
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
        let ledger = writer.finish("cash-application").unwrap();
        let fresh = Treasury::open(&ledger, &Limits::default()).await.unwrap();
        let later = match &before {
            None => Treasury::open(&ledger, &Limits::default()).await.unwrap(),
            Some(before) => before.open_after(&ledger).await.unwrap(),
        };
        for sql in questions() {
            let expected = rows(&fresh, &sql).await;
            assert_eq!(rows(&later, &sql).await, expected, "step {step}: {sql}");
        }
        // The state before is as it was.
        if let Some(before) = &before {
            let all = "select count(*) from history.payments";
            assert_eq!(rows(before, all).await, [counts.last().cloned().unwrap()]);
        }
        let all = "select count(*) from history.payments";
        counts.push(rows(&later, all).await.remove(0));
        before = Some(later);
    }
    assert_eq!(counts, ["1", "2", "3", "3", "3", "4"]);
}
