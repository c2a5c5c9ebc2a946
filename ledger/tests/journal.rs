//! Ledgers on a real disk: what is committed stays, what is not leaves nothing, and nothing can be
//! changed unseen.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Decimal128Array, RecordBatch, StringArray, UInt64Array, new_null_array,
};
use arrow::datatypes::DataType;
use tieout_core::Amount;
use tieout_core::schema::Table;
use tieout_ledger::journal::{
    Clock, EventKind, JOURNAL, SEAL, Timestamp, WriterLock, what, write_chain,
};
use tieout_ledger::{Ledger, LedgerError, LedgerWriter, MANIFEST, Reversed};

#[path = "journal/elsewhere.rs"]
mod elsewhere;
#[path = "journal/forward.rs"]
mod forward;
#[path = "journal/history.rs"]
mod history;
#[path = "journal/model.rs"]
mod model;
#[path = "journal/past.rs"]
mod past;
#[path = "journal/purge.rs"]
mod purge;

/// Rows of `table`: the named cells of each, all else missing, empty or zero.
fn rows(table: Table, rows: &[&[(&str, &str)]]) -> RecordBatch {
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        let cell = |row: &&[(&str, &str)]| {
            let found = row.iter().find(|(name, _)| name == field.name());
            found.map(|(_, text)| (*text).to_owned())
        };
        let missing = (!field.is_nullable()).then(String::new);
        let cells = rows.iter().map(|row| cell(row).or_else(|| missing.clone()));
        match field.data_type() {
            DataType::Utf8 => Arc::new(cells.collect::<StringArray>()),
            DataType::UInt64 => Arc::new(
                cells
                    .map(|cell| cell.map(|text| text.parse().unwrap_or(0)))
                    .collect::<UInt64Array>(),
            ),
            DataType::Decimal128(..) => Arc::new(
                cells
                    .map(|cell| {
                        let amount = cell.map(|text| text.parse::<Amount>().unwrap_or_default());
                        amount.map(Amount::units)
                    })
                    .collect::<Decimal128Array>()
                    .with_precision_and_scale(23, 5)
                    .unwrap(),
            ),
            DataType::Float64 => Arc::new(arrow::array::Float64Array::from(vec![0.5; rows.len()])),
            kind => new_null_array(kind, rows.len()),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

const ONE: &str = "0000000000000000000000000000000a";
const TWO: &str = "0000000000000000000000000000000b";

fn item(id: &str, open: &str) -> RecordBatch {
    let row: &[(&str, &str)] = &[
        ("item_id", id),
        ("kind", "invoice"),
        ("number", id),
        ("currency", "USD"),
        ("open_amount", open),
    ];
    rows(Table::OpenItems, &[row])
}

/// A payment of 100 with so much applied to an item.
fn decide(
    ledger: &mut LedgerWriter,
    id: &str,
    item: &str,
    applied: &str,
) -> Result<(), LedgerError> {
    let rest = Amount::from_units(10_000_000) - applied.parse().unwrap();
    let rest = rest.to_string();
    let payment: &[(&str, &str)] = &[
        ("payment_id", id),
        ("currency", "USD"),
        ("amount", "100.00"),
        ("applied", applied),
        ("on_account", &rest),
        (
            "status",
            if rest == "0.00" {
                "applied"
            } else {
                "partially_applied"
            },
        ),
        ("payer_account", "021000021:111"),
        ("check_number", id),
    ];
    let application: &[(&str, &str)] = &[
        ("payment_id", id),
        ("item_id", item),
        ("currency", "USD"),
        ("applied", applied),
        ("status", "applied"),
    ];
    ledger.decide(&[
        (Table::Payments, &rows(Table::Payments, &[payment])),
        (
            Table::Applications,
            &rows(Table::Applications, &[application]),
        ),
    ])
}

/// A ledger of two postings: an item, then a payment of it.
fn write(dir: &Path) {
    let mut ledger = Ledger::post(dir).unwrap();
    ledger
        .write(Table::OpenItems, &item("I1", "150.00"))
        .unwrap();
    ledger.finish("cash-application@1").unwrap();
    let mut ledger = Ledger::post(dir).unwrap();
    decide(&mut ledger, ONE, "I1", "100.00").unwrap();
    ledger.finish("cash-application@1").unwrap();
}

fn names(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn open_of(dir: &Path, item: &str) -> String {
    let journal = Ledger::open(dir).unwrap().journal().unwrap();
    journal.item(item).unwrap().unwrap().open.to_string()
}

#[test]
fn postings_follow_each_other() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("ledger");
    assert!(matches!(
        Ledger::open(&dir),
        Err(LedgerError::NotALedger(_))
    ));
    write(&dir);
    let ledger = Ledger::open(&dir).unwrap();
    assert_eq!(
        (ledger.postings(), ledger.recipe()),
        (2, "cash-application@1")
    );
    assert_eq!(ledger.rows(Table::Payments), 1);
    assert_eq!(ledger.files(Table::Payments).len(), 1);
    let journal = ledger.journal().unwrap();
    assert_eq!(journal.item("I1").unwrap().unwrap().paid_by, ONE);
    let payment = journal.payment(ONE).unwrap().unwrap();
    assert_eq!((payment.version, payment.posting), (1, 2));
    let asked = [("021000021:111", ONE, Amount::from_units(10_000_000), "USD")];
    assert_eq!(
        journal.cheques(asked.into_iter()).unwrap(),
        [Some(ONE.to_owned())]
    );
    let known = journal.known_lines([ONE.parse().unwrap(), TWO.parse().unwrap()].into_iter());
    assert_eq!(known.unwrap(), [(ONE.parse().unwrap(), 1)]);
    drop(journal);
    assert_eq!(open_of(&dir, "I1"), "50.00");
    Ledger::verify(&dir, None).unwrap();
}

#[test]
fn nothing_is_applied_beyond_what_is_open_nor_twice() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let mut ledger = Ledger::post(dir.path()).unwrap();
    let error = decide(&mut ledger, TWO, "I1", "60.00").unwrap_err();
    assert!(
        error.to_string().contains("of which 50.00 is open"),
        "{error}"
    );
    drop(ledger);
    let mut ledger = Ledger::post(dir.path()).unwrap();
    let error = decide(&mut ledger, ONE, "I1", "10.00").unwrap_err();
    assert!(error.to_string().contains("is decided already"), "{error}");
    drop(ledger);
    let mut ledger = Ledger::post(dir.path()).unwrap();
    let error = decide(&mut ledger, TWO, "I9", "10.00").unwrap_err();
    assert!(error.to_string().contains("no item I9"), "{error}");
    drop(ledger);
    assert_eq!(open_of(dir.path(), "I1"), "50.00");
}

#[test]
fn a_reversal_opens_the_item_again_and_needs_another_decision() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let reversed = [Reversed {
        what: what::PAYMENT,
        id: ONE.to_owned(),
        posting: 2,
    }];
    let mut ledger = Ledger::post(dir.path()).unwrap();
    ledger.reverse(&reversed).unwrap();
    let error = ledger.commit().unwrap_err();
    assert!(
        error.to_string().contains("left without a decision"),
        "{error}"
    );
    let mut ledger = Ledger::post(dir.path()).unwrap();
    ledger.reverse(&reversed).unwrap();
    decide(&mut ledger, ONE, "I1", "30.00").unwrap();
    ledger.commit().unwrap();
    assert_eq!(open_of(dir.path(), "I1"), "120.00");
    Ledger::verify(dir.path(), None).unwrap();
}

#[test]
fn a_posting_that_is_dropped_leaves_the_ledger_as_it_was() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("ledger");
    let mut ledger = Ledger::post(&dir).unwrap();
    ledger
        .write(Table::OpenItems, &item("I1", "150.00"))
        .unwrap();
    assert!(names(&dir).iter().all(|name| name.starts_with('.')));
    assert!(matches!(
        Ledger::open(&dir),
        Err(LedgerError::NotALedger(_))
    ));
    drop(ledger);
    assert!(names(&dir).is_empty());

    write(&dir);
    let before = fs::read(dir.join(MANIFEST)).unwrap();
    let mut ledger = Ledger::post(&dir).unwrap();
    ledger.write(Table::OpenItems, &item("I2", "1.00")).unwrap();
    drop(ledger);
    assert_eq!(fs::read(dir.join(MANIFEST)).unwrap(), before);
    let journal = Ledger::open(&dir).unwrap().journal().unwrap();
    assert_eq!(journal.item("I2").unwrap(), None);
}

#[test]
fn one_writes_at_a_time_and_the_other_is_told_who() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let writer = Ledger::post(dir.path()).unwrap();
    let error = Ledger::post(dir.path()).err().unwrap().to_string();
    let own = format!("process {}", std::process::id());
    assert!(error.contains(&own) && error.contains("wait"), "{error}");
    // Readers see what was committed.
    let ledger = Ledger::open(dir.path()).unwrap();
    assert_eq!(
        ledger
            .journal()
            .unwrap()
            .item("I1")
            .unwrap()
            .unwrap()
            .posting,
        1
    );
    drop(writer);
    drop(Ledger::post(dir.path()).unwrap());
}

#[test]
fn folders_and_versions_that_do_not_fit_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("payments.parquet"), "mine").unwrap();
    let error = Ledger::post(dir.path()).err().unwrap().to_string();
    assert!(error.contains("other files (payments.parquet)"), "{error}");
    assert_eq!(names(dir.path()), ["payments.parquet"]);

    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let path = dir.path().join(MANIFEST);
    let manifest = fs::read_to_string(&path).unwrap();
    for (version, words) in [("9", "use a newer tieout"), ("1", "into a new folder")] {
        let other = manifest.replace(
            "\"format_version\": 2",
            &format!("\"format_version\": {version}"),
        );
        fs::write(&path, other).unwrap();
        let error = Ledger::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        let error = Ledger::post(dir.path()).err().unwrap().to_string();
        assert!(error.contains(words), "{error}");
    }
    fs::write(&path, manifest.replace("\"rows\": 1", "\"rows\": 2")).unwrap();
    let error = Ledger::open(dir.path()).unwrap_err();
    assert!(
        error.to_string().contains("not as it was written"),
        "{error}"
    );
}

#[test]
fn tables_that_are_lost_are_made_again_from_the_journal() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let payments = Ledger::open(dir.path()).unwrap().files(Table::Payments);
    let before = fs::read(&payments[0]).unwrap();
    fs::remove_dir_all(dir.path().join("postings/000002")).unwrap();
    Ledger::open(dir.path()).unwrap();
    assert_eq!(fs::read(&payments[0]).unwrap(), before);
    // As a writer leaves it that is killed between its commit and the manifest.
    fs::remove_file(dir.path().join(MANIFEST)).unwrap();
    assert_eq!(Ledger::open(dir.path()).unwrap().postings(), 2);
    assert_eq!(fs::read(&payments[0]).unwrap(), before);
    Ledger::verify(dir.path(), None).unwrap();
}

/// A clock that stands where it is put.
struct Stopped(i64);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0)
    }
}

#[test]
fn a_clock_that_goes_backwards_does_not_take_the_journal_with_it() {
    let dir = tempfile::tempdir().unwrap();
    for now in [2_000, 1_000, 3_000] {
        let clock = Arc::new(Stopped(now));
        let ledger = Ledger::post_at(dir.path(), clock).unwrap();
        ledger.finish("r").unwrap();
    }
    let journal = Ledger::open(dir.path()).unwrap().journal().unwrap();
    let mut times = Vec::new();
    journal
        .events(1, |event| {
            times.push(event.at.micros());
            Ok(true)
        })
        .unwrap();
    assert_eq!(times, [2_000, 2_000, 2_000, 3_000]);
}

#[test]
fn the_chain_is_exported_with_the_rows_of_chosen_payments() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let journal = Ledger::open(dir.path()).unwrap().journal().unwrap();
    let mut out = Vec::new();
    let count = write_chain(&journal, &[ONE.to_owned()], &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len() as u64, count);
    for (line, next) in lines.iter().zip(&lines[1..]) {
        assert_eq!(line["hash"], next["previous"]);
    }
    let decided = lines
        .iter()
        .find(|line| line["kind"] == EventKind::Decisions.code());
    assert_eq!(decided.unwrap()["rows"]["payments"][0]["amount"], "100.00");
}

#[test]
fn a_journal_that_was_put_back_is_found_by_its_head() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(JOURNAL);
    write(dir.path());
    let early = fs::read(&path).unwrap();
    let head = Ledger::verify(dir.path(), None).unwrap();
    let mut ledger = Ledger::post(dir.path()).unwrap();
    decide(&mut ledger, TWO, "I1", "50.00").unwrap();
    ledger.finish("r").unwrap();
    let late = Ledger::verify(dir.path(), Some((head.events, head.head))).unwrap();
    fs::write(&path, early).unwrap();
    let error = Ledger::verify(dir.path(), None).unwrap_err();
    assert!(matches!(error, LedgerError::Altered { .. }), "{error}");
    // Whoever makes the manifest fit too is found by a head that was kept elsewhere.
    fs::remove_file(dir.path().join(MANIFEST)).unwrap();
    let error = Ledger::verify(dir.path(), Some((late.events, late.head))).unwrap_err();
    assert!(matches!(error, LedgerError::Altered { sequence, .. } if sequence == late.events));
}

/// Flips in the journal that each run tries.
const FLIPS: usize = 4_000;
const UNSEALED_FLIPS: usize = 500;

/// Everything that can be read from a ledger, as text.
fn content(dir: &Path) -> String {
    let journal = Ledger::open(dir).unwrap().journal().unwrap();
    let mut out = Vec::new();
    write_chain(&journal, &[ONE.to_owned()], &mut out).unwrap();
    let mut text = String::from_utf8(out).unwrap();
    for item in ["I1", "I2"] {
        writeln!(text, "{:?}", journal.item(item).unwrap()).unwrap();
    }
    writeln!(text, "{:?}", journal.payment(ONE).unwrap()).unwrap();
    text
}

#[test]
fn every_flipped_bit_of_the_journal_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger");
    write(&ledger);
    let path = ledger.join(JOURNAL);
    let bytes = fs::read(&path).unwrap();
    // Most of a small file is free; half of the flips go where something is.
    let used: Vec<usize> = (0..bytes.len())
        .filter(|&place| bytes[place] != 0)
        .collect();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    for flip in 0..FLIPS {
        let place = if flip % 2 == 0 {
            used[next(used.len())]
        } else {
            next(bytes.len())
        };
        let mut other = bytes.clone();
        other[place] ^= 1 << next(8);
        fs::write(&path, &other).unwrap();
        let verified = Ledger::verify(&ledger, None);
        assert!(verified.is_err(), "byte {place} of {}", bytes.len());
    }
    fs::write(&path, &bytes).unwrap();
    assert!(Ledger::verify(&ledger, None).unwrap().is_sealed);
}

/// Without its seal a flip is found by what leads to it, or changes nothing that is read.
#[test]
fn a_flipped_bit_without_a_seal_is_found_or_of_no_consequence() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = dir.path().join("ledger");
    write(&ledger);
    let before = content(&ledger);
    fs::remove_file(ledger.join(SEAL)).unwrap();
    let path = ledger.join(JOURNAL);
    let bytes = fs::read(&path).unwrap();
    let used: Vec<usize> = (0..bytes.len())
        .filter(|&place| bytes[place] != 0)
        .collect();
    let mut found = 0;
    let places = used.iter().step_by(used.len() / UNSEALED_FLIPS);
    let tried = places.clone().count();
    for &place in places {
        let mut other = bytes.clone();
        other[place] ^= 0xff;
        fs::write(&path, &other).unwrap();
        match Ledger::verify(&ledger, None) {
            Err(_) => found += 1,
            Ok(verified) => {
                assert!(!verified.is_sealed);
                assert_eq!(content(&ledger), before, "byte {place}");
                fs::remove_file(ledger.join(SEAL)).unwrap_or_default();
            }
        }
    }
    assert!(found * 2 > tried / 2, "{found} of {tried}");
}

#[test]
fn a_flipped_byte_of_tables_and_manifest_is_found() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path());
    let ledger = Ledger::open(dir.path()).unwrap();
    let mut files = ledger.files(Table::Payments);
    files.push(dir.path().join(MANIFEST));
    files.push(dir.path().join(SEAL));
    for path in files {
        let bytes = fs::read(&path).unwrap();
        for place in (0..bytes.len()).step_by(17) {
            let mut other = bytes.clone();
            other[place] ^= 0x04;
            fs::write(&path, &other).unwrap();
            let verified = Ledger::verify(dir.path(), None);
            assert!(verified.is_err(), "{} byte {place}", path.display());
        }
        fs::write(&path, &bytes).unwrap();
    }
}

#[test]
fn a_lock_of_a_dead_writer_holds_nobody() {
    let dir = tempfile::tempdir().unwrap();
    drop(WriterLock::take(dir.path()).unwrap());
    WriterLock::take(dir.path()).unwrap().remove();
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_journal_of_a_later_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    Ledger::post(dir.path()).unwrap().finish("x").unwrap();
    let path = dir.path().join(JOURNAL);
    let database = redb::Database::open(&path).unwrap();
    let later = database.begin_write().unwrap();
    let about = redb::TableDefinition::<&str, u64>::new("about");
    later
        .open_table(about)
        .unwrap()
        .insert("format", 99)
        .unwrap();
    later.commit().unwrap();
    drop(database);
    // Who is not told of it cannot have sealed it either.
    let _ = fs::remove_file(dir.path().join("journal.seal"));
    for refused in [
        Ledger::post(dir.path()).map(drop),
        Ledger::open(dir.path())
            .and_then(|ledger| ledger.journal())
            .map(drop),
        Ledger::verify(dir.path(), None).map(drop),
    ] {
        assert!(
            matches!(refused, Err(LedgerError::Newer { version: 99, .. })),
            "{refused:?}"
        );
    }
}
