//! Tables of users' own in an object store: only beneath URLs that were allowed.

use std::path::Path;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt as _};
use tieout_ledger::objects::bring;
use tieout_treasury::{BlockingTreasury, Limits, QueryError};

use super::views::create;
use super::{answer, refusal, write_ledger};

/// A store that serves `own://`, with a table beneath `own://desk/tables`, and more that is not
/// allowed.
fn store() {
    let store = InMemory::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (path, text) in [
        (
            "tables/regions.csv",
            "party_id,region\nC1,north\nC2,south\n",
        ),
        ("secret.csv", "a\n1\n"),
        ("tables2/x.csv", "a\n1\n"),
    ] {
        let path = ObjectPath::from(path);
        let put = store.put(&path, text.into());
        runtime.block_on(put).unwrap();
    }
    bring("own", Arc::new(store) as Arc<dyn ObjectStore>);
}

#[test]
fn objects_are_joined_in_beneath_allowed_urls_only() {
    store();
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(&dir.path().join("ledger"));
    let limits = Limits {
        allow_urls: vec!["own://desk/tables/".to_owned()],
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    let made = |name: &str, url: &str| create(name, Path::new(url));
    answer(&treasury, &made("regions", "own://desk/tables/regions.csv"));
    answer(&treasury, &made("folder", "own://desk/tables/"));
    let joined = |name: &str| {
        let sql = format!(
            "select region, count(*) from payments join {name} using (party_id) group by 1 order by 1"
        );
        answer(&treasury, &sql)
    };
    assert_eq!(joined("regions"), ["north|2", "south|2"]);
    assert_eq!(joined("folder"), ["north|2", "south|2"]);
    let own = dir.path().join("own.csv");
    std::fs::write(&own, "a\n1\n").unwrap();
    for (url, says) in [
        ("own://desk/secret.csv", "beneath no URL"),
        ("own://desk/tables/../secret.csv", "beneath no URL"),
        ("own://desk/tables/%2e%2e/secret.csv", "beneath no URL"),
        ("own://desk/tables2/x.csv", "beneath no URL"),
        ("own://desk/tables/*.csv", "beneath no URL"),
        ("own://other/tables/x.csv", "beneath no URL"),
        ("own://desk/tables/%2e%2e%2fsecret.csv", ".."),
        ("s3://desk/tables/regions.csv", "beneath no URL"),
        (
            "tieout://ledger/postings/000001/payments.parquet",
            "no such store",
        ),
        (&format!("file://{}", own.display()), "in no folder"),
        (&own.display().to_string(), "in no folder"),
    ] {
        let error = refusal(&treasury, &made("x", url)).to_string();
        assert!(error.contains(says), "{url}: {error}");
    }

    let limits = Limits {
        allow_paths: vec![dir.path().to_owned()],
        ..Limits::default()
    };
    let treasury = BlockingTreasury::open(&ledger, &limits).unwrap();
    let file = format!("file://{}", own.display());
    answer(&treasury, &made("x", &file));
    assert_eq!(answer(&treasury, "select a from x"), ["1"]);
    let error = refusal(&treasury, &made("y", "own://desk/tables/regions.csv")).to_string();
    assert!(error.contains("none is allowed"), "{error}");
}

#[test]
fn a_url_that_cannot_be_allowed_is_refused_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = write_ledger(&dir.path().join("ledger"));
    let allow = |url: &str| {
        let limits = Limits {
            allow_urls: vec![url.to_owned()],
            ..Limits::default()
        };
        BlockingTreasury::open(&ledger, &limits).err().unwrap()
    };
    let error = allow("s3://key:secret@bucket/x");
    assert!(matches!(error, QueryError::Store(_)), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
    #[cfg(not(feature = "cloud"))]
    {
        let error = allow("s3://bucket/x").to_string();
        assert!(error.contains("--features cloud"), "{error}");
    }
    assert!(matches!(
        allow("file:///nowhere/at/all"),
        QueryError::Folder { .. }
    ));
}
