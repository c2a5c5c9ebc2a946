//! Many postings: their files are joined by month, and nothing else changes.

use super::*;
use tieout_ledger::Moment;

pub const DAY: i64 = 86_400_000_000;

/// A ledger with so many postings of one item each, one a day.
pub fn many(dir: &Path, postings: i64) {
    for number in 1..=postings {
        let clock = Arc::new(Stopped(number * DAY));
        let mut ledger = Ledger::post_at(dir, clock).unwrap();
        let id = format!("I{number:03}");
        ledger.write(Table::OpenItems, &item(&id, "1.00")).unwrap();
        ledger.finish("cash-application@1").unwrap();
    }
}

fn folders(dir: &Path) -> Vec<String> {
    if dir.is_dir() { names(dir) } else { Vec::new() }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for name in names(from) {
        let (from, to) = (from.join(&name), to.join(&name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn postings_are_joined_by_month() {
    let dir = tempfile::tempdir().unwrap();
    many(dir.path(), 70);
    let history = dir.path().join("history");
    assert_eq!(names(&history), ["1970-01", "1970-02", "1970-03"]);
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.postings(), 70);
    assert_eq!(ledger.rows(Table::OpenItems), 70);
    assert!(ledger.files(Table::OpenItems).len() < 40);
    assert!(ledger.created_at().starts_with("1970-01-02"));
    assert_eq!(ledger.recipe(), "cash-application@1");
    drop(ledger);
    Ledger::verify(dir.path(), None).unwrap();

    assert!(Ledger::join(dir.path(), true).unwrap());
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(ledger.files(Table::OpenItems).len(), 3);
    assert_eq!(ledger.rows(Table::OpenItems), 70);
    drop(ledger);
    assert!(folders(&dir.path().join("postings")).is_empty());
    assert!(!Ledger::join(dir.path(), true).unwrap());
    Ledger::verify(dir.path(), None).unwrap();
    // A past inside a joined file.
    let then = Ledger::open(dir.path())
        .unwrap()
        .as_of(Moment::Posting(40))
        .unwrap();
    assert_eq!((then.postings(), then.until()), (40, Some(40)));
    assert_eq!(then.last_event().unwrap().unwrap().posting, 40);

    many(dir.path(), 1);
    Ledger::verify(dir.path(), None).unwrap();
}

#[test]
fn a_reader_keeps_the_files_that_its_snapshot_names() {
    let dir = tempfile::tempdir().unwrap();
    many(dir.path(), 5);
    let reader = Ledger::open(dir.path()).unwrap();
    let kept = reader.kept();
    let files = reader.files(Table::OpenItems);
    drop(reader);
    assert!(Ledger::join(dir.path(), true).unwrap());
    assert!(files.iter().all(|file| file.is_file()));
    assert_eq!(
        Ledger::open(dir.path())
            .unwrap()
            .files(Table::OpenItems)
            .len(),
        1
    );
    drop(kept);
    many(dir.path(), 1);
    assert!(!files.iter().any(|file| file.is_file()));
    Ledger::verify(dir.path(), None).unwrap();
}

#[test]
fn whoever_is_killed_while_joining_leaves_a_whole_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, killed) = (dir.path().join("ledger"), dir.path().join("killed"));
    many(&ledger, 5);
    copy(&ledger, &killed);
    // Killed while the files were written; killed before the manifest was.
    fs::create_dir_all(killed.join(".history.partial")).unwrap();
    fs::write(killed.join(".history.partial/payments.parquet"), "half").unwrap();
    assert!(Ledger::join(&ledger, true).unwrap());
    copy(&ledger.join("history"), &killed.join("history"));
    assert_eq!(
        Ledger::open(&killed).unwrap().files(Table::OpenItems).len(),
        5
    );
    Ledger::verify(&killed, None).unwrap();
    many(&killed, 1);
    assert!(folders(&killed.join("history/1970-01")).is_empty());
    assert!(!killed.join(".history.partial").exists());
    // Killed before the old files were removed.
    copy(&killed.join("postings"), &ledger.join("postings"));
    many(&ledger, 1);
    assert_eq!(names(&ledger.join("postings")), ["000006"]);
    for dir in [&killed, &ledger] {
        Ledger::verify(dir, None).unwrap();
        assert_eq!(Ledger::open(dir).unwrap().rows(Table::OpenItems), 6);
    }
}

#[test]
fn a_damaged_file_is_not_joined_and_a_lost_one_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    many(dir.path(), 3);
    let file = Ledger::open(dir.path()).unwrap().files(Table::OpenItems)[1].clone();
    let bytes = fs::read(&file).unwrap();
    let mut other = bytes.clone();
    other[bytes.len() / 2] ^= 1;
    fs::write(&file, &other).unwrap();
    let error = Ledger::join(dir.path(), true).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged { .. }), "{error}");
    fs::write(&file, &bytes).unwrap();
    assert!(Ledger::join(dir.path(), true).unwrap());
    fs::remove_dir_all(dir.path().join("history")).unwrap();
    assert_eq!(Ledger::open(dir.path()).unwrap().rows(Table::OpenItems), 3);
    Ledger::verify(dir.path(), None).unwrap();
}
