//! Rows that no longer hold are skipped where they lie, in each state those that it knows of.

use tieout_core::schema::Table;
use tieout_ledger::Ledger;
use tieout_treasury::{Limits, Treasury};

use super::later::rows;
use crate::{parties, payments, taken_back};

/// Enough for files of single postings and of joined ones.
const POSTINGS: u64 = 40;
const BY_NAMES: &str = "select p.* from history.payments p left anti join history.reversals r \
                        on r.what = 'payment' and r.id = p.payment_id and r.reversed_posting = p.posting";

/// Questions over the payments that hold, and the same over those that no reversal names.
fn pairs() -> Vec<(String, String)> {
    [
        "select payment_id, status, amount, posting from X order by payment_id, posting",
        "select count(*) from X",
        "select min(amount), max(amount), max(posting), count(party_id) from X",
        "select status, count(*), sum(amount) from X where amount > 3 group by status order by 1",
        "select count(*) from (select payment_id from X limit 7) l",
        "select payment_id, status from X where payment_id = 'p3-0' order by posting",
        "select count(*) from X a join X b using (payment_id)",
    ]
    .iter()
    .map(|sql| {
        let by_names = sql.replace('X', &format!("({BY_NAMES})"));
        (sql.replace('X', "payments"), by_names)
    })
    .collect()
}

#[tokio::test]
async fn rows_that_were_taken_back_are_skipped_and_earlier_states_keep_them() {
    let base = tempfile::tempdir().unwrap();
    let dir = base.path().join("q1 [2026] *50%?#ü");
    let mut states: Vec<Treasury> = Vec::new();
    for posting in 1..=POSTINGS {
        let mut writer = Ledger::post(&dir).unwrap();
        let ids: Vec<_> = (0..4).map(|place| format!("p{posting}-{place}")).collect();
        let mut written: Vec<_> = ids
            .iter()
            .map(|id| (id.as_str(), "proposed", None))
            .collect();
        // Each posting decides the first payment of the one before anew, every fifth also an old one.
        let again = format!("p{}-0", posting - 1);
        let old = format!("p{}-1", posting / 2);
        let mut reversed = Vec::new();
        let mut take_back = |id: &str, posting| reversed.push(taken_back(id, posting));
        if posting > 1 {
            take_back(&again, posting - 1);
            written.push((&again, "applied", Some("C1")));
        }
        if posting % 5 == 0 {
            take_back(&old, posting / 2);
            written.push((&old, "unidentified", None));
        }
        writer.reverse(&reversed).unwrap();
        let amounts = (1..).map(|amount| amount * 100_000);
        let written: Vec<_> = written
            .into_iter()
            .zip(amounts)
            .map(|((id, status, party), amount)| (id, status, party, amount, 20_528))
            .collect();
        writer.write(Table::Payments, &payments(&written)).unwrap();
        if posting == 1 {
            let named = parties(&[("C1", "Acme Supply")]);
            writer.write(Table::Parties, &named).unwrap();
        }
        let ledger = writer.finish("cash-application").unwrap();
        let state = match states.last() {
            Some(before) if posting % 7 != 0 => before.open_after(&ledger).await.unwrap(),
            // One that knows nothing of the files yet.
            _ => Treasury::open(&ledger, &Limits::default()).await.unwrap(),
        };
        states.push(state);
        let state = &states[states.len() - 1];
        if posting % 4 == 0 || posting > 35 {
            for (by_place, by_names) in pairs() {
                let expected = rows(state, &by_names).await;
                assert_eq!(
                    rows(state, &by_place).await,
                    expected,
                    "{posting}: {by_place}"
                );
            }
        }
    }
    let held = "select count(*) from payments";
    for (posting, state) in (1..).zip(&states) {
        // Four new ones each; what was decided anew took the place of what was before.
        let expected = (4 * posting).to_string();
        assert_eq!(rows(state, held).await, [expected], "{posting}");
    }
}
