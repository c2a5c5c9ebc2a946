//! A history at a URL: the same rows, wherever its files lie and whatever its store does.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tieout_ledger::journal::{Purge, PurgeScope};
use tieout_ledger::objects::{Address, bring};

use super::history::{copy, many};
use super::*;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn at(folder: &Path) -> Address {
    address(&format!("file://{}", folder.display()))
}

/// What reading every file of the table comes to.
fn read(ledger: &Ledger, table: Table) -> Result<u64, String> {
    let Some(shelf) = ledger.shelf().unwrap() else {
        return Ok(ledger.rows(table));
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut rows = 0;
    for name in ledger.names(table) {
        let bytes: object_store::Result<Bytes> = runtime.block_on(async {
            let path = ObjectPath::from(name.as_str());
            let size = shelf.head(&path).await?.size;
            shelf.get_range(&path, 0..size).await
        });
        let bytes = bytes.map_err(|error| error.to_string())?;
        let file = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        rows += file
            .build()
            .unwrap()
            .map(|batch| batch.unwrap().num_rows() as u64)
            .sum::<u64>();
    }
    Ok(rows)
}

/// The files in `folder`, however deep, without the one that says whose place it is.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|inner| format!("{name}/{inner}")),
            );
        } else if name != "ledger.json" {
            found.push(name);
        }
    }
    found
}

#[test]
fn a_history_moves_to_a_url_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, there) = (dir.path().join("ledger"), dir.path().join("there"));
    many(&ledger, 70);
    assert!(Ledger::move_history(&ledger, Some(&at(&there))).unwrap());
    assert!(files(&ledger.join("history")).is_empty());
    assert!(Ledger::join(&ledger, true).unwrap());
    assert!(files(&there).contains(&"1970-02/000031-000058/open_items.parquet".to_owned()));
    let opened = Ledger::open(&ledger).unwrap();
    assert_eq!(opened.history(), Some(at(&there).to_string().as_str()));
    assert!(opened.files(Table::OpenItems).is_empty());
    assert_eq!(read(&opened, Table::OpenItems), Ok(70));
    drop(opened);
    Ledger::verify(&ledger, None).unwrap();
    assert!(!Ledger::join(&ledger, true).unwrap());

    // Runs put joined files there by themselves, and what was joined again goes.
    many(&ledger, 70);
    assert!(Ledger::join(&ledger, true).unwrap());
    assert!(names(&ledger.join("postings")).is_empty());
    let then = Ledger::open(&ledger)
        .unwrap()
        .as_of(tieout_ledger::Moment::Posting(40))
        .unwrap();
    assert_eq!((then.postings(), then.until()), (40, Some(40)));
    assert_eq!(read(&Ledger::open(&ledger).unwrap(), Table::Journal), {
        Ok(Ledger::open(&ledger).unwrap().rows(Table::Journal))
    });

    // What it reads by is kept.
    drop(then);
    let other = dir.path().join("other");
    assert!(Ledger::move_history(&ledger, Some(&at(&other))).unwrap());
    assert!(!there.exists() || names(&there).is_empty());
    Ledger::verify(&ledger, None).unwrap();
    assert!(Ledger::move_history(&ledger, None).unwrap());
    assert!(!other.exists() || names(&other).is_empty());
    assert!(!ledger.join(".unswept").exists());
    let opened = Ledger::open(&ledger).unwrap();
    assert_eq!((opened.history(), opened.postings()), (None, 140));
    assert!(!opened.files(Table::OpenItems).is_empty());
    drop(opened);
    Ledger::verify(&ledger, None).unwrap();
}

#[test]
fn an_object_that_is_missing_or_altered_is_named_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, there) = (dir.path().join("ledger"), dir.path().join("there"));
    many(&ledger, 5);
    Ledger::move_history(&ledger, Some(&at(&there))).unwrap();
    assert!(Ledger::join(&ledger, true).unwrap());
    let name = "1970-01/000001-000005/open_items.parquet";
    let object = there.join(name);
    let bytes = fs::read(&object).unwrap();
    let check = |word: &str| {
        let error = Ledger::verify(&ledger, None).unwrap_err();
        assert!(matches!(error, LedgerError::Object { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(word), "{text}");
    };
    let mut other = bytes.clone();
    other[bytes.len() / 2] ^= 1;
    fs::write(&object, &other).unwrap();
    check("not as it was written");
    fs::write(&object, &bytes[1..]).unwrap();
    check("not as it was written");
    let opened = Ledger::open(&ledger).unwrap();
    let error = read(&opened, Table::OpenItems).unwrap_err();
    assert!(error.contains(name), "{error}");
    fs::remove_file(&object).unwrap();
    check("missing");
    let error = read(&opened, Table::OpenItems).unwrap_err();
    assert!(
        error.contains(name) && error.contains("audit compact"),
        "{error}"
    );
    drop(opened);
    assert!(Ledger::join(&ledger, true).unwrap());
    Ledger::verify(&ledger, None).unwrap();
    assert_eq!(fs::read(&object).unwrap(), bytes);
}

#[test]
fn a_place_belongs_to_one_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    many(&one, 2);
    let clock = Arc::new(Stopped(77));
    let writer = Ledger::post_at(&two, clock).unwrap();
    writer.finish("cash-application@1").unwrap();
    let there = dir.path().join("there");
    Ledger::move_history(&one, Some(&at(&there))).unwrap();
    Ledger::join(&one, true).unwrap();
    let before = files(&there);
    let refused = |ledger: &Path, place: &Path| {
        let error = Ledger::move_history(ledger, Some(&at(place))).unwrap_err();
        assert!(matches!(error, LedgerError::Address { .. }), "{error}");
        assert_eq!(
            Ledger::open(ledger).unwrap().history().is_some(),
            ledger == one
        );
    };
    refused(&two, &there);
    let full = dir.path().join("full");
    fs::create_dir_all(&full).unwrap();
    fs::write(full.join("letter.txt"), "dear").unwrap();
    refused(&two, &full);
    refused(&two, &two.join("history"));
    refused(&two, dir.path());
    assert_eq!(files(&there), before);
    for text in [
        "s3://key:secret@bucket/books",
        "s3://bucket/books?token=1",
        "file://mnt/books",
        "ftp://host/books",
        "books",
    ] {
        let error = text.parse::<Address>().unwrap_err().to_string();
        assert!(
            !error.contains("secret") && !error.contains("token"),
            "{error}"
        );
    }
    #[cfg(not(feature = "cloud"))]
    {
        let error = Ledger::move_history(&two, Some(&address("s3://bucket/books"))).unwrap_err();
        assert!(error.to_string().contains("--features cloud"), "{error}");
    }
}

#[test]
fn a_purge_takes_objects_along() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, there) = (dir.path().join("ledger"), dir.path().join("there"));
    many(&ledger, 3);
    let mut writer = Ledger::post_at(&ledger, Arc::new(Stopped(4 * history::DAY))).unwrap();
    let party: &[(&str, &str)] = &[("party_id", "ACME"), ("name", "Acme Ltd")];
    writer
        .write(Table::Parties, &rows(Table::Parties, &[party]))
        .unwrap();
    writer.finish("cash-application@1").unwrap();
    Ledger::move_history(&ledger, Some(&at(&there))).unwrap();
    Ledger::join(&ledger, true).unwrap();
    let before = files(&there);
    let purge = Purge {
        scope: PurgeScope::Party("ACME".to_owned()),
        actor: "ann".to_owned(),
        reason: "asked to".to_owned(),
    };
    let reader = Ledger::open(&ledger).unwrap();
    let purged = Ledger::purge_at(&ledger, &purge, Arc::new(Stopped(5 * history::DAY))).unwrap();
    assert!(purged.event > 0 && !purged.is_swept);
    // Who reads by the earlier manifest goes on to.
    assert_eq!(files(&there), before);
    assert_eq!(read(&reader, Table::OpenItems), Ok(3));
    drop(reader);
    many(&ledger, 1);
    assert!(files(&there).is_empty());
    Ledger::verify(&ledger, None).unwrap();
    Ledger::join(&ledger, true).unwrap();
    Ledger::verify(&ledger, None).unwrap();
}

/// A store that refuses calls from one of them on, for some of them.
#[derive(Debug)]
struct Flaky {
    inner: InMemory,
    calls: AtomicUsize,
    /// The calls that are refused.
    first: AtomicUsize,
    last: AtomicUsize,
}

impl Flaky {
    fn refuse(&self, calls: Range<usize>) {
        self.calls.store(0, Ordering::SeqCst);
        self.first.store(calls.start, Ordering::SeqCst);
        self.last.store(calls.end, Ordering::SeqCst);
    }

    fn call(&self) -> object_store::Result<()> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let refused = self.first.load(Ordering::SeqCst)..self.last.load(Ordering::SeqCst);
        if refused.contains(&call) {
            return Err(object_store::Error::Generic {
                store: "flaky",
                source: "the network is down".into(),
            });
        }
        Ok(())
    }
}

impl fmt::Display for Flaky {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("flaky")
    }
}

#[async_trait]
impl ObjectStore for Flaky {
    async fn put_opts(
        &self,
        path: &ObjectPath,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.call()?;
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        path: &ObjectPath,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.call()?;
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(
        &self,
        path: &ObjectPath,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.call()?;
        self.inner.get_opts(path, options).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<ObjectPath>>,
    ) -> BoxStream<'static, object_store::Result<ObjectPath>> {
        match self.call() {
            Ok(()) => self.inner.delete_stream(paths),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    fn list(
        &self,
        prefix: Option<&ObjectPath>,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        match self.call() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::iter([Err(error)]).boxed(),
        }
    }

    async fn list_with_delimiter(
        &self,
        prefix: Option<&ObjectPath>,
    ) -> object_store::Result<ListResult> {
        self.call()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &ObjectPath,
        to: &ObjectPath,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        self.call()?;
        self.inner.copy_opts(from, to, options).await
    }
}

/// Objects that lie in the store, and those that the ledger names.
fn orphans(store: &Flaky, place: &str, ledger: &Path) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let prefix = ObjectPath::from(place);
    let there: Vec<_> = runtime.block_on(store.inner.list(Some(&prefix)).collect());
    let opened = Ledger::open(ledger).unwrap();
    let is_there = opened.history().is_some();
    let named: Vec<String> = Table::ALL
        .iter()
        .flat_map(|table| opened.names(*table))
        .filter_map(|name| {
            let object = name.strip_prefix("history/")?;
            is_there.then(|| format!("{place}/{object}"))
        })
        .collect();
    let mut orphans = Vec::new();
    for object in there {
        let path = object.unwrap().location.to_string();
        let is_owner = path == format!("{place}/ledger.json") && is_there;
        if !is_owner && !named.contains(&path) {
            orphans.push(path);
        }
    }
    orphans
}

/// The network goes down at each call in turn, for one call and for good; when it is there again,
/// nothing is lost and nothing lies about.
#[test]
fn a_store_that_fails_costs_nothing() {
    let store = Arc::new(Flaky {
        inner: InMemory::new(),
        calls: AtomicUsize::new(0),
        first: AtomicUsize::new(0),
        last: AtomicUsize::new(0),
    });
    bring("flaky", Arc::clone(&store) as Arc<dyn ObjectStore>);
    let dir = tempfile::tempdir().unwrap();
    let begun = dir.path().join("begun");
    store.refuse(0..0);
    many(&begun, 34);
    for for_good in [false, true] {
        for call in 0.. {
            let ledger = dir.path().join(format!("{for_good}-{call}"));
            copy(&begun, &ledger);
            let place = format!("{for_good}-{call}");
            let to = address(&format!("flaky://store/{place}"));
            let work = |ledger: &Path| {
                Ledger::move_history(ledger, Some(&to))?;
                Ledger::join(ledger, true)?;
                Ledger::move_history(ledger, None)?;
                Ledger::move_history(ledger, Some(&to))
            };
            store.refuse(call..if for_good { usize::MAX } else { call + 1 });
            let worked = work(&ledger);
            let calls = store.calls.load(Ordering::SeqCst);
            store.refuse(0..0);
            if let Err(error) = &worked {
                assert!(matches!(error, LedgerError::Object { .. }), "{error}");
                assert!(error.to_string().contains("flaky://"), "{error}");
            }
            let opened = Ledger::open(&ledger).unwrap();
            assert_eq!(read(&opened, Table::OpenItems), Ok(34), "call {call}");
            drop(opened);
            Ledger::verify(&ledger, None).unwrap();
            // The next writer removes what lies about.
            many(&ledger, 1);
            assert_eq!(orphans(&store, &place, &ledger), [""; 0], "call {call}");
            Ledger::move_history(&ledger, Some(&to)).unwrap();
            Ledger::join(&ledger, true).unwrap();
            assert_eq!(orphans(&store, &place, &ledger), [""; 0], "call {call}");
            Ledger::verify(&ledger, None).unwrap();
            fs::remove_dir_all(&ledger).unwrap();
            if calls <= call {
                break;
            }
        }
    }
}
