//! Items carried forward: what a start reads is what is open, and what is closed is found by name.

use std::collections::BTreeMap;

use super::*;
use tieout_ledger::journal::{Journal, Place, Purge, PurgeScope, names_of};

/// A ledger of so many items of 100, 50 a run; every third is paid by a run of its own kind.
fn years(dir: &Path, items: u32) {
    for first in (0..items).step_by(50) {
        let mut ledger = Ledger::post(dir).unwrap();
        let ids: Vec<String> = (first..items.min(first + 50))
            .map(|n| format!("I{n}"))
            .collect();
        for id in &ids {
            ledger.write(Table::OpenItems, &item(id, "100.00")).unwrap();
        }
        ledger.finish("r@1").unwrap();
        let mut ledger = Ledger::post(dir).unwrap();
        for number in (first..items.min(first + 50)).filter(|number| number % 3 == 0) {
            pay(&mut ledger, number);
        }
        ledger.finish("r@1").unwrap();
    }
}

fn pay(ledger: &mut LedgerWriter, number: u32) {
    let id = format!("{:032x}", number + 1);
    decide(ledger, &id, &format!("I{number}"), "100.00").unwrap();
}

/// What a start reads: what is open of each item, and the places in their order.
fn left(journal: &Journal, closed: &[Place]) -> (BTreeMap<String, String>, Vec<Place>) {
    let (mut open, mut places) = (BTreeMap::new(), Vec::new());
    let taken = journal.items_left::<LedgerError>(closed, |left| {
        let ids = left.rows.column_by_name("item_id").unwrap();
        let ids: &StringArray = ids.as_any().downcast_ref().unwrap();
        for (id, state) in ids.iter().flatten().zip(&left.states) {
            let before = open.insert(id.to_owned(), state.open.to_string());
            assert_eq!(before, None, "{id} twice");
            places.push(state.source);
        }
        Ok(())
    });
    taken.unwrap();
    (open, places)
}

fn journal_of(dir: &Path) -> Journal {
    Ledger::open(dir).unwrap().journal().unwrap()
}

fn named(journal: &Journal, number: &str) -> Vec<Place> {
    let names: Vec<u64> = names_of(number).collect();
    journal.closed_named(&names).unwrap()
}

#[test]
fn a_start_reads_what_is_open_and_finds_what_was_paid() {
    let dir = tempfile::tempdir().unwrap();
    years(dir.path(), 400);
    let journal = journal_of(dir.path());
    let (open, places) = left(&journal, &[]);
    assert!(places.is_sorted());
    for number in 0..400 {
        let id = format!("I{number}");
        let state = journal.item(&id).unwrap().unwrap();
        let expected = state.open.to_string();
        if let Some(own) = open.get(&id) {
            assert_eq!(*own, expected);
            continue;
        }
        assert_eq!(expected, "0.00");
        // It is found by its number, and by what is significant in it; zeros are no number.
        for name in [id.clone(), format!("{number}"), format!("NO. 00{number}")] {
            let found = named(&journal, &name);
            assert_eq!(found.contains(&state.source), number > 0, "{name}");
        }
        let (with, places) = left(&journal, &[state.source]);
        assert!(places.is_sorted());
        assert_eq!(with.get(&id).map(String::as_str), Some("0.00"));
        assert_eq!(with.len(), open.len() + 1);
    }
    // Of 134 items that were paid only those since the last time are read.
    assert!((266..300).contains(&open.len()), "{}", open.len());
    assert_eq!(named(&journal, "I401"), []);
    Ledger::verify(dir.path(), None).unwrap();
}

#[test]
fn an_item_that_is_opened_again_is_read_again_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    years(dir.path(), 400);
    let closed = journal_of(dir.path()).item("I3").unwrap().unwrap();
    let id = format!("{:032x}", 4);
    let mut ledger = Ledger::post(dir.path()).unwrap();
    let reversed = Reversed {
        what: what::PAYMENT,
        id: id.clone(),
        posting: closed.touched_in,
    };
    ledger.reverse(&[reversed]).unwrap();
    decide(&mut ledger, &id, "I3", "40.00").unwrap();
    // Nothing but a run carries items forward.
    ledger.commit().unwrap();
    let journal = journal_of(dir.path());
    for places in [vec![], named(&journal, "I3")] {
        let (open, places) = left(&journal, &places);
        assert_eq!(open.get("I3").map(String::as_str), Some("60.00"));
        assert!(places.contains(&closed.source));
        assert!(places.is_sorted());
    }
    Ledger::verify(dir.path(), None).unwrap();
    drop(journal);
    // Once it was carried forward again, its old name leads to nothing closed.
    let mut ledger = Ledger::post(dir.path()).unwrap();
    (0..400)
        .filter(|number| number % 3 == 1)
        .for_each(|number| pay(&mut ledger, number));
    ledger.finish("r@1").unwrap();
    let journal = journal_of(dir.path());
    let (open, _) = left(&journal, &named(&journal, "I3"));
    assert_eq!(open.get("I3").map(String::as_str), Some("60.00"));
    assert_eq!(open.values().filter(|open| *open == "0.00").count(), 0);
    Ledger::verify(dir.path(), None).unwrap();
}

#[test]
fn a_purge_takes_what_was_carried_forward_along_and_a_run_makes_it_anew() {
    let dir = tempfile::tempdir().unwrap();
    years(dir.path(), 200);
    let before = left(&journal_of(dir.path()), &[]).0;
    let purge = Purge {
        scope: PurgeScope::Payment(format!("{:032x}", 1)),
        actor: "Ada".to_owned(),
        reason: "asked".to_owned(),
    };
    Ledger::purge(dir.path(), &purge).unwrap();
    let journal = journal_of(dir.path());
    assert_eq!(journal.closed_lengths().unwrap(), None);
    assert_eq!(left(&journal, &[]).0.len(), 200);
    drop(journal);
    Ledger::post(dir.path()).unwrap().finish("r@1").unwrap();
    let journal = journal_of(dir.path());
    assert!(journal.closed_lengths().unwrap().is_some());
    let after = left(&journal, &[]).0;
    assert!(after.iter().all(|(id, open)| before.get(id) == Some(open)));
    assert_eq!(after.len(), 200 - 67);
    Ledger::verify(dir.path(), None).unwrap();
}
