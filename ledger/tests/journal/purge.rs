//! A person's data goes; chain, state and totals stay.

use super::*;
use redb::ReadableTable as _;
use tieout_ledger::journal::{PURGED_TEXT, Payload, Purge, PurgeScope};

type Payloads<'a> = redb::Table<'a, u64, &'static [u8]>;

const ACCOUNT: &str = "021000021:111";

fn purge_of(scope: PurgeScope) -> Purge {
    Purge {
        scope,
        actor: "Ada".to_owned(),
        reason: "asked by letter".to_owned(),
    }
}

/// Whether some file of the ledger has the text, packed or not.
fn has(dir: &Path, text: &str) -> bool {
    let journal = Ledger::open(dir).unwrap().journal().unwrap();
    let mut seen = false;
    journal
        .events(1, |event| {
            seen |= match journal.payload(event.sequence)? {
                Payload::Json(said) => said.to_string().contains(text),
                Payload::Batches(batches) => batches
                    .iter()
                    .any(|(_, batch)| format!("{batch:?}").contains(text)),
            };
            Ok(true)
        })
        .unwrap();
    seen || raw(dir, text)
}

fn raw(dir: &Path, text: &str) -> bool {
    names(dir).iter().any(|name| {
        let path = dir.join(name);
        if path.is_dir() {
            return raw(&path, text);
        }
        let bytes = fs::read(path).unwrap();
        bytes.windows(text.len()).any(|own| own == text.as_bytes())
    })
}

#[test]
fn what_was_purged_is_gone_from_every_file_and_the_chain_verifies() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let mut ledger = Ledger::post(dir.path()).unwrap();
    decide(&mut ledger, TWO, "I1", "50.00").unwrap();
    ledger.finish("cash-application@1").unwrap();
    assert!(raw(dir.path(), ACCOUNT));
    let before = Ledger::verify(dir.path(), None).unwrap();

    let purged = Ledger::purge(dir.path(), &purge_of(PurgeScope::Payment(ONE.to_owned()))).unwrap();
    assert_eq!(
        (purged.payments, purged.payloads, purged.is_swept),
        (1, 1, true)
    );
    let after = Ledger::verify(dir.path(), Some((before.events, before.head))).unwrap();
    assert_eq!((after.purged, after.is_sealed), (1, true));
    assert_eq!(after.events, before.events + 1);
    assert_eq!(open_of(dir.path(), "I1"), "0.00");
    let journal = Ledger::open(dir.path()).unwrap().journal().unwrap();
    assert_eq!(
        journal.payment(ONE).unwrap().unwrap().applied.to_string(),
        "100.00"
    );
    // The cheque of the other payment is known, that of this one is not any more.
    let cheques = [ONE, TWO].map(|id| (ACCOUNT, id, Amount::from_units(10_000_000), "USD"));
    let known = journal.cheques(cheques.into_iter()).unwrap();
    assert_eq!(known, [None, Some(TWO.to_owned())]);
    drop(journal);

    let purged = Ledger::purge(
        dir.path(),
        &purge_of(PurgeScope::Account(ACCOUNT.to_owned())),
    );
    assert_eq!(purged.unwrap().payments, 1);
    assert!(!has(dir.path(), ACCOUNT));
    assert!(has(dir.path(), PURGED_TEXT));
    assert_eq!(Ledger::verify(dir.path(), None).unwrap().purged, 2);
    // What a journal wrote before is still its beginning, and it goes on.
    Ledger::verify(dir.path(), Some((before.events, before.head))).unwrap();
    let mut ledger = Ledger::post(dir.path()).unwrap();
    ledger.write(Table::OpenItems, &item("I2", "1.00")).unwrap();
    ledger.finish("cash-application@1").unwrap();
    Ledger::verify(dir.path(), None).unwrap();
}

#[test]
fn tables_that_a_killed_purge_has_left_are_made_again() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let postings = dir.path().join("postings");
    let manifest = fs::read(dir.path().join(MANIFEST)).unwrap();
    let tables: Vec<_> = names(&postings.join("000002"))
        .into_iter()
        .map(|name| {
            let bytes = fs::read(postings.join("000002").join(&name)).unwrap();
            (name, bytes)
        })
        .collect();
    Ledger::purge(dir.path(), &purge_of(PurgeScope::Payment(ONE.to_owned()))).unwrap();
    // As after the journal has got its name, and before the tables were made.
    fs::write(dir.path().join(MANIFEST), manifest).unwrap();
    fs::create_dir_all(postings.join("000002")).unwrap();
    for (name, bytes) in tables {
        fs::write(postings.join("000002").join(name), bytes).unwrap();
    }
    fs::write(dir.path().join(".unpublished"), "").unwrap();
    assert!(has(dir.path(), ACCOUNT) || !raw(dir.path(), ACCOUNT));
    drop(Ledger::post(dir.path()).unwrap());
    assert!(!has(dir.path(), ACCOUNT));
    Ledger::verify(dir.path(), None).unwrap();
}

#[test]
fn a_payload_that_is_missing_is_told_from_a_purged_one() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    Ledger::purge(dir.path(), &purge_of(PurgeScope::Payment(ONE.to_owned()))).unwrap();
    let path = dir.path().join(JOURNAL);
    let table: redb::TableDefinition<u64, &[u8]> = redb::TableDefinition::new("payloads");
    let with = |change: &dyn Fn(&mut Payloads)| {
        let database = redb::Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        change(&mut transaction.open_table(table).unwrap());
        transaction.commit().unwrap();
        drop(database);
        Ledger::verify(dir.path(), None).unwrap_err().to_string()
    };
    let decided = {
        let journal = Ledger::open(dir.path()).unwrap().journal().unwrap();
        journal.payment(ONE).unwrap().unwrap().decided_in
    };
    let error = with(&|payloads| {
        let mut other = payloads.get(decided).unwrap().unwrap().value().to_vec();
        other.push(0);
        payloads.insert(decided, other.as_slice()).unwrap();
    });
    assert!(error.contains("not what its purge has left"), "{error}");
    let error = with(&|payloads| drop(payloads.remove(decided).unwrap()));
    assert!(error.contains("the payload is missing"), "{error}");
}

#[test]
fn nobody_and_nothing_is_purged_without_being_told() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let before = fs::read(dir.path().join(JOURNAL)).unwrap();
    for scope in [
        PurgeScope::Payment(TWO.to_owned()),
        PurgeScope::Party("C9".to_owned()),
        PurgeScope::Account("DE00".to_owned()),
    ] {
        let error = Ledger::purge(dir.path(), &purge_of(scope)).unwrap_err();
        assert!(error.to_string().contains("nothing was purged"), "{error}");
    }
    let long_ago = PurgeScope::Before(Timestamp::from_micros(0));
    assert_eq!(
        Ledger::purge(dir.path(), &purge_of(long_ago))
            .unwrap()
            .event,
        0
    );
    assert_eq!(fs::read(dir.path().join(JOURNAL)).unwrap(), before);
    assert!(Ledger::verify(dir.path(), None).unwrap().is_sealed);
    let by_now = PurgeScope::Before(Timestamp::from_micros(i64::MAX));
    assert_eq!(
        Ledger::purge(dir.path(), &purge_of(by_now))
            .unwrap()
            .payments,
        1
    );
    assert!(!has(dir.path(), ACCOUNT));
    Ledger::verify(dir.path(), None).unwrap();
}
