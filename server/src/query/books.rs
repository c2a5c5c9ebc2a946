//! The ledger as clients see it: a snapshot that stays, until a run commits.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use tieout_ledger::Ledger;
use tieout_treasury::{Limits, Treasury};

use crate::ServerError;
use crate::catalog::Catalog;

/// What names the postings that readers see; it is replaced as a whole when a run commits.
const MANIFEST: &str = "ledger.json";

/// What tells one state of the ledger from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    modified: SystemTime,
    bytes: u64,
    file: u64,
}

impl Stamp {
    fn of(dir: &Path) -> Option<Self> {
        let about = fs::metadata(dir.join(MANIFEST)).ok()?;
        Some(Self {
            modified: about.modified().ok()?,
            bytes: about.len(),
            file: file_number(&about),
        })
    }
}

#[cfg(unix)]
fn file_number(about: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(about)
}

#[cfg(not(unix))]
fn file_number(_: &fs::Metadata) -> u64 {
    0
}

/// One state of the ledger. Whoever holds it goes on to see it.
pub struct Snapshot {
    /// Its tables.
    pub treasury: Treasury,
    /// What clients ask about them.
    pub catalog: Arc<Catalog>,
    /// Counts the states, so that plans for another one are made again.
    pub number: u64,
}

struct Current {
    stamp: Option<Stamp>,
    snapshot: Arc<Snapshot>,
}

/// A ledger that runs go on to write.
pub struct Books {
    dir: PathBuf,
    limits: Limits,
    current: Mutex<Current>,
    opening: tokio::sync::Mutex<()>,
}

impl Books {
    /// Opens the ledger in `dir`.
    ///
    /// # Errors
    /// A [`ServerError`] if there is none, or it cannot be read.
    pub async fn open(dir: &Path, limits: Limits) -> Result<Self, ServerError> {
        let stamp = Stamp::of(dir);
        let snapshot = snapshot(dir, &limits, None).await?;
        Ok(Self {
            dir: dir.to_owned(),
            limits,
            current: Mutex::new(Current { stamp, snapshot }),
            opening: tokio::sync::Mutex::new(()),
        })
    }

    /// The newest state. It costs a look at one file, and opening the new files after a commit.
    ///
    /// # Errors
    /// A [`ServerError`] if the ledger can no longer be read.
    pub async fn latest(&self) -> Result<Arc<Snapshot>, ServerError> {
        let stamp = Stamp::of(&self.dir);
        if let Some(snapshot) = self.known(stamp) {
            return Ok(snapshot);
        }
        // One opens it, the others wait for that.
        let _opening = self.opening.lock().await;
        let stamp = Stamp::of(&self.dir);
        if let Some(snapshot) = self.known(stamp) {
            return Ok(snapshot);
        }
        let before = Arc::clone(&self.current.lock().snapshot);
        let snapshot = snapshot(&self.dir, &self.limits, Some(&before)).await?;
        *self.current.lock() = Current {
            stamp,
            snapshot: Arc::clone(&snapshot),
        };
        Ok(snapshot)
    }

    fn known(&self, stamp: Option<Stamp>) -> Option<Arc<Snapshot>> {
        let current = self.current.lock();
        // A ledger that is gone is opened again, so that the error says what is wrong.
        let is_known = stamp.is_some() && current.stamp == stamp;
        is_known.then(|| Arc::clone(&current.snapshot))
    }
}

async fn snapshot(
    dir: &Path,
    limits: &Limits,
    before: Option<&Snapshot>,
) -> Result<Arc<Snapshot>, ServerError> {
    let ledger = Ledger::open(dir)?;
    let treasury = match before {
        None => Treasury::open(&ledger, limits).await?,
        Some(before) => before.treasury.open_after(&ledger).await?,
    };
    let catalog = Catalog::install(treasury.context(), before.map(|before| &before.catalog));
    let catalog = catalog.await.map_err(|error| treasury.explain(&error))?;
    Ok(Arc::new(Snapshot {
        treasury,
        catalog,
        number: before.map_or(0, |before| before.number + 1),
    }))
}
