//! The tables of postings under the names that readers find them by, and made again where they are
//! not whole.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::LedgerError;
use crate::journal::{JOURNAL, Journal, WriterLock, store};
use crate::manifest::{Manifest, POSTINGS, Posted, posting_folder, postings_folder};
use crate::posted::{self, sync_dir};
use crate::sweep::{self, unswept};

/// There while tables may lag behind the journal.
pub(crate) const UNPUBLISHED: &str = ".unpublished";
pub(crate) const NEW_TABLES: &str = ".posting.partial";
pub(crate) const NEW_JOURNAL: &str = ".journal.redb.partial";

/// Gives the new tables their name in the ledger's folder; the manifest is to be written.
pub(crate) fn publish(
    dir: &Path,
    manifest: &mut Manifest,
    mut posted: Posted,
) -> Result<(), LedgerError> {
    let postings = dir.join(POSTINGS);
    fs::create_dir_all(&postings).map_err(LedgerError::write(&postings))?;
    let plain = match posted.first {
        None => posting_folder(posted.posting),
        Some(first) => postings_folder(first, posted.posting),
    };
    // What a manifest of the moment names is not touched.
    let is_named = |folder: &str| {
        Manifest::read(dir).map(|known| {
            let named = known.into_iter().flat_map(|known| known.postings);
            named.into_iter().any(|own| own.folder() == folder)
        })
    };
    let mut folder = plain.clone();
    let mut again = posted.purged.unwrap_or(1);
    while dir.join(&folder).exists() && is_named(&folder)? {
        folder = format!("{plain}.{again}");
        again += 1;
    }
    let target = dir.join(&folder);
    posted::remove(&target)?;
    fs::rename(dir.join(NEW_TABLES), &target).map_err(LedgerError::write(&target))?;
    sync_dir(&postings)?;
    posted.folder = (folder != posting_folder(posted.posting)).then_some(folder);
    manifest.postings.push(posted);
    Ok(())
}

/// How long nothing may have been written until a posting in the making is one that was killed.
const SILENT_AFTER: Duration = Duration::from_mins(1);

/// Whether somebody writes into the ledger in `dir`, told by its files alone: whoever tried the
/// writer's lock would be in the way of one.
pub(crate) fn is_written(dir: &Path) -> bool {
    let new = dir.join(NEW_TABLES);
    let Ok(files) = fs::read_dir(&new) else {
        return false;
    };
    let written = files.flatten().map(|file| file.path());
    let written = written.chain([new, dir.join(JOURNAL)]);
    let mut times = written.filter_map(|path| fs::metadata(path).ok()?.modified().ok());
    times.any(|time| time.elapsed().map_or(true, |ago| ago < SILENT_AFTER))
}

/// Publishes, as the writer of the moment, what a killed one has committed.
pub(crate) fn publish_what_lags(dir: &Path) -> Result<Manifest, LedgerError> {
    let _lock = WriterLock::take(dir)?;
    let path = dir.join(JOURNAL);
    if !path.is_file() {
        return Err(LedgerError::NotALedger(dir.to_owned()));
    }
    let journal = Journal::of_writer(store::open(&path)?, &path)?;
    publish_from(dir, &journal)
}

/// Makes the tables of every posting of the journal that does not have them whole, or has them
/// as they were before a purge.
pub(crate) fn publish_from(dir: &Path, journal: &Journal) -> Result<Manifest, LedgerError> {
    publish_anew(dir, journal, |_| false)
}

/// The same, and the tables of postings whose objects `are_lost`.
pub(crate) fn publish_anew(
    dir: &Path,
    journal: &Journal,
    are_lost: impl Fn(&Posted) -> bool,
) -> Result<Manifest, LedgerError> {
    let known = Manifest::read(dir)?.unwrap_or_else(Manifest::empty);
    let last = journal.last()?.map_or(0, |event| event.posting);
    let purged = journal.purged_postings()?;
    let mut manifest = Manifest::empty();
    manifest.history = known.history;
    let mut has_news = false;
    let mut sequence = 1;
    for posted in known.postings {
        let follows = posted.first() == manifest.last() + 1 && posted.posting <= last;
        if !follows {
            has_news = true;
            break;
        }
        let purge = purged
            .range(posted.first()..=posted.posting)
            .map(|(_, at)| *at)
            .max();
        if posted.purged == purge && posted.is_there(dir) && !are_lost(&posted) {
            sequence = posted.sequence + 1;
            manifest.postings.push(posted);
            continue;
        }
        has_news = true;
        if let Some(history) = manifest.history.as_ref().filter(|_| posted.elsewhere) {
            unswept::note(dir, history)?;
        }
        for number in posted.first()..=posted.posting {
            rebuild(dir, journal, &mut manifest, number, &mut sequence, &purged)?;
        }
    }
    for number in manifest.last() + 1..=last {
        has_news = true;
        rebuild(dir, journal, &mut manifest, number, &mut sequence, &purged)?;
    }
    if has_news {
        manifest.write(dir)?;
    }
    sweep::sweep(dir, &manifest)?;
    remove_file(&dir.join(UNPUBLISHED))?;
    Ok(manifest)
}

/// Makes the tables of the posting `number`, whose first event is `sequence`.
fn rebuild(
    dir: &Path,
    journal: &Journal,
    manifest: &mut Manifest,
    number: u64,
    sequence: &mut u64,
    purged: &BTreeMap<u64, u64>,
) -> Result<(), LedgerError> {
    let tables = dir.join(NEW_TABLES);
    if let Some(rebuilt) = posted::rebuild(journal, *sequence, number, &tables)? {
        *sequence = rebuilt.last.sequence + 1;
        let mut posted = Posted::of(number, &rebuilt.last, rebuilt.recipe, rebuilt.stored);
        posted.purged = purged.get(&number).copied();
        publish(dir, manifest, posted)?;
    }
    Ok(())
}

/// Whether all files are there in their sizes.
pub(crate) fn are_there(dir: &Path, manifest: &Manifest) -> bool {
    manifest.postings.iter().all(|posted| posted.is_there(dir))
}

/// Removes a file, if it is there.
pub(crate) fn remove_file(path: &Path) -> Result<(), LedgerError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LedgerError::write(path)(error))
        }
        _ => Ok(()),
    }
}
