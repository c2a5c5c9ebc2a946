//! Ledgers as they were known.

use super::*;
use tieout_ledger::Moment;

/// A clock that says what it is told, each time the next.
struct Days(parking_lot::Mutex<Vec<i64>>);

impl Clock for Days {
    fn now(&self) -> Timestamp {
        let mut days = self.0.lock();
        let next = if days.len() > 1 {
            days.remove(0)
        } else {
            days[0]
        };
        Timestamp::from_micros(next)
    }
}

const DAY: i64 = 86_400_000_000;

fn posting_of(dir: &Path, moment: &str) -> Option<u64> {
    let moment: Moment = moment.parse().unwrap();
    match Ledger::open(dir).unwrap().as_of(moment) {
        Ok(ledger) => Some(ledger.postings()),
        Err(LedgerError::NotKnown { .. }) => None,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_posting_is_known_once_all_of_it_is_recorded() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("ledger");
    // The second posting begins on the 2nd of January and ends on the 3rd.
    for (number, days) in [(1, vec![0]), (2, vec![DAY, 2 * DAY]), (3, vec![4 * DAY])] {
        let clock = Arc::new(Days(parking_lot::Mutex::new(days)));
        let mut ledger = Ledger::post_at(&dir, clock).unwrap();
        let id = format!("I{number}");
        ledger.write(Table::OpenItems, &item(&id, "1.00")).unwrap();
        ledger.finish("cash-application@1").unwrap();
    }
    let known: Vec<_> = (1..=6)
        .map(|day| posting_of(&dir, &format!("1970-01-0{day}")))
        .collect();
    assert_eq!(known, [1, 1, 2, 2, 3, 3].map(Some));
    assert_eq!(posting_of(&dir, "1969-12-31"), None);
    assert_eq!(posting_of(&dir, "1970-01-03T00:00:00Z"), Some(2));
    assert_eq!(posting_of(&dir, "1970-01-02T23:59:59.999999Z"), Some(1));
    let then = Ledger::open(&dir)
        .unwrap()
        .as_of(Moment::Posting(2))
        .unwrap();
    assert_eq!(
        (
            then.rows(Table::OpenItems),
            then.files(Table::OpenItems).len()
        ),
        (2, 2)
    );
}
