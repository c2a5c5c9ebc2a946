//! Postings joined into fewer files, by month, so that a ledger of thousands of postings is as
//! quick as one of a few.
//!
//! A joined file is written beside those that it is made from; then the manifest names it in
//! their place. So whoever is killed leaves either the old files or the new ones, and what no
//! manifest names is removed by a later writer, once no reader of an earlier manifest is left.
//!
//! Where the joined files lie elsewhere, at a URL, each is put there from here before the manifest
//! names it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::cast;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tieout_core::schema::Table;

use crate::manifest::{
    Elsewhere, HISTORY, Manifest, POSTINGS, Posted, damaged, object_name, stored_name,
};
use crate::objects::{Objects, Seat};
use crate::posted::{self, PostedTables, StoredTable, file_name, sync_dir};
use crate::publish::remove_file;
use crate::sweep::{sweep, unswept};
use crate::{LedgerError, stored_schema};

/// Where joined files are written.
pub(crate) const NEW_HISTORY: &str = ".history.partial";
/// An object that is being read.
pub(crate) const FETCHED: &str = ".fetched.partial";
/// Single postings that there are when a run joins them; after an action more may wait, because a
/// person does.
const AFTER_RUN: usize = 32;
const AFTER_ACTION: usize = 256;
/// Joined files of one month that there are when they are joined again.
const PER_MONTH: usize = 8;

/// Keeps files that a reader's manifest names until the reader is done. Folders that know no locks
/// are read without one.
#[derive(Debug)]
pub(crate) struct ReaderLock(Option<File>);

impl ReaderLock {
    /// Taken before the manifest is read.
    pub(crate) fn take(dir: &Path) -> Self {
        let folder = File::open(dir.join(POSTINGS)).ok();
        Self(folder.filter(|folder| folder.lock_shared().is_ok()))
    }
}

impl Drop for ReaderLock {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            // Closing the file gives it back in any case.
            let _ = folder.unlock();
        }
    }
}

/// Whether there are enough single postings to be joined.
fn is_due(manifest: &Manifest, is_run: bool) -> bool {
    let singles = manifest.postings.iter().filter(|own| !own.is_joined());
    singles.count() >= if is_run { AFTER_RUN } else { AFTER_ACTION }
}

/// Joins files if there are enough, and removes those that they were; if that fails, all is as it
/// was.
pub(crate) fn join_due(
    dir: &Path,
    manifest: &mut Manifest,
    is_run: bool,
) -> Result<(), LedgerError> {
    if !is_due(manifest, is_run) {
        return Ok(());
    }
    let before = manifest.clone();
    match join(dir, manifest, false) {
        Ok(true) => sweep(dir, manifest).map(drop),
        Ok(false) => Ok(()),
        Err(error) => {
            *manifest = before;
            Err(error)
        }
    }
}

/// Joins the single postings of each month; with `all`, and where a month has many joined files,
/// those too. Returns whether there was anything to join.
pub(crate) fn join(dir: &Path, manifest: &mut Manifest, all: bool) -> Result<bool, LedgerError> {
    // Elsewhere goes what is alone in its month, too.
    let least = if all && manifest.history.is_some() {
        1
    } else {
        2
    };
    let mut joined = Vec::new();
    let mut place = None;
    for month in by_month(manifest.postings.clone()) {
        let several = month.iter().filter(|own| own.is_joined()).count();
        // Joined files stand in front of the single postings.
        let kept = if all || several >= PER_MONTH {
            0
        } else {
            several
        };
        let (kept, rest) = month.split_at(kept);
        joined.extend_from_slice(kept);
        let is_one = rest.len() == 1 && several > 0;
        if rest.len() < least || is_one {
            joined.extend_from_slice(rest);
            continue;
        }
        if place.is_none() {
            place = Some(Place::of(dir, manifest.history.as_ref())?);
        }
        if let Some(place) = &place {
            joined.push(join_these(place, rest)?);
        }
    }
    if place.is_some() {
        manifest.postings = joined;
        manifest.write(dir)?;
    }
    Ok(place.is_some())
}

/// Postings of one month after the other.
fn by_month(postings: Vec<Posted>) -> Vec<Vec<Posted>> {
    let mut months: Vec<Vec<Posted>> = Vec::new();
    for posted in postings {
        match months.last_mut() {
            Some(month) if month.iter().all(|own| own.month() == posted.month()) => {
                month.push(posted);
            }
            _ => months.push(vec![posted]),
        }
    }
    months
}

fn join_these(place: &Place<'_>, postings: &[Posted]) -> Result<Posted, LedgerError> {
    let (Some(first), Some(last)) = (postings.first(), postings.last()) else {
        return Err(damaged(place.dir, "there are no postings to join"));
    };
    let name = format!("{:06}-{:06}", first.first(), last.posting);
    let purged = postings.iter().filter_map(|own| own.purged).max();
    let name = match purged {
        None => name,
        Some(purged) => format!("{name}.{purged}"),
    };
    let recipe = postings.iter().rev().find_map(|own| own.recipe.clone());
    let joined = Posted {
        first: Some(first.first()),
        begun_at: Some(first.begun_at().to_owned()),
        folder: Some(format!("{HISTORY}/{}/{name}", last.month())),
        elsewhere: place.objects.is_some(),
        purged,
        recipe,
        tables: write(place, postings)?,
        ..last.clone()
    };
    match &place.objects {
        None => settle(place.dir, &joined)?,
        Some(objects) => put(objects, &joined, &place.dir.join(NEW_HISTORY))?,
    }
    Ok(joined)
}

/// Gives the new files their name in the ledger's folder.
fn settle(dir: &Path, joined: &Posted) -> Result<(), LedgerError> {
    let target = dir.join(joined.folder());
    let month = dir.join(HISTORY).join(joined.month());
    fs::create_dir_all(&month).map_err(LedgerError::write(&month))?;
    posted::remove(&target)?;
    fs::rename(dir.join(NEW_HISTORY), &target).map_err(LedgerError::write(&target))?;
    sync_dir(&month)?;
    sync_dir(&dir.join(HISTORY))?;
    sync_dir(dir)
}

/// Puts the files in `folder` where the ledger's joined files lie.
fn put(objects: &Objects, joined: &Posted, folder: &Path) -> Result<(), LedgerError> {
    let mut files = joined.tables.keys().map(|name| stored_name(name));
    let put = |file: String| {
        let name = format!("{}/{file}", joined.folder());
        objects.put(object_name(&name), &folder.join(&file))
    };
    files.try_for_each(put)
}

/// Puts all joined files, wherever they lie, to `to`, or into the ledger's folder. Returns whether
/// there were any.
pub(crate) fn move_to(
    dir: &Path,
    manifest: &mut Manifest,
    to: Option<Elsewhere>,
) -> Result<bool, LedgerError> {
    let from = manifest.history.clone();
    let source = Place::to_read(dir, from.as_ref())?;
    let target = Place::of(dir, to.as_ref())?;
    let mut has_any = false;
    for posted in manifest.postings.iter_mut().filter(|own| own.is_joined()) {
        has_any = true;
        let folder = if posted.elsewhere {
            source.fetch(posted)?
        } else {
            source.check(posted)?;
            dir.join(posted.folder())
        };
        match &target.objects {
            Some(objects) => put(objects, posted, &folder)?,
            None if posted.elsewhere => settle(dir, posted)?,
            None => {}
        }
        posted.elsewhere = target.objects.is_some();
    }
    manifest.history = to;
    manifest.write(dir)?;
    Ok(has_any)
}

/// The ledger's folder, and the place of its joined files if that is elsewhere.
struct Place<'a> {
    dir: &'a Path,
    objects: Option<Objects>,
}

impl<'a> Place<'a> {
    /// What lies there and is named nowhere is removed later, however this ends.
    fn of(dir: &'a Path, history: Option<&Elsewhere>) -> Result<Self, LedgerError> {
        let objects = history.map(|history| {
            let objects = Objects::at(&history.url)?;
            objects.check_seat(&Seat::of(dir, &history.ledger)?)?;
            unswept::note(dir, history)?;
            Ok(objects)
        });
        Ok(Self {
            dir,
            objects: objects.transpose()?,
        })
    }

    /// One that files are taken from: a copy leaves them to its original.
    fn to_read(dir: &'a Path, history: Option<&Elsewhere>) -> Result<Self, LedgerError> {
        match (Self::of(dir, history), history) {
            (Err(LedgerError::Address { .. }), Some(history)) => {
                let objects = Objects::at(&history.url)?;
                objects.check_ledger(&history.ledger)?;
                Ok(Self {
                    dir,
                    objects: Some(objects),
                })
            }
            (place, _) => place,
        }
    }

    /// The path of a file as it was written: what is damaged must not get a digest of its own.
    fn read(&self, posted: &Posted, table: Table) -> Result<Option<PathBuf>, LedgerError> {
        let Some(stored) = posted.tables.get(table.name()) else {
            return Ok(None);
        };
        let name = format!("{}/{}", posted.folder(), file_name(table));
        let objects = self.objects.as_ref().filter(|_| posted.elsewhere);
        if let Some(objects) = objects {
            let path = self.dir.join(FETCHED);
            objects.fetch(object_name(&name), stored, &path)?;
            return Ok(Some(path));
        }
        let path = self.dir.join(name);
        posted::check(&path, stored)?;
        Ok(Some(path))
    }

    /// Whether the files of the posting are as they were written.
    fn check(&self, posted: &Posted) -> Result<(), LedgerError> {
        let mut files = posted.files();
        files.try_for_each(|(name, stored)| posted::check(&self.dir.join(name), stored))
    }

    /// Fetches the files of a posting into a folder of their own.
    fn fetch(&self, posted: &Posted) -> Result<PathBuf, LedgerError> {
        let folder = self.dir.join(NEW_HISTORY);
        posted::remove(&folder)?;
        fs::create_dir_all(&folder).map_err(LedgerError::write(&folder))?;
        let Some(objects) = &self.objects else {
            return Ok(folder);
        };
        for (name, stored) in &posted.tables {
            let file = stored_name(name);
            let object = format!("{}/{file}", posted.folder());
            objects.fetch(object_name(&object), stored, &folder.join(&file))?;
        }
        sync_dir(&folder)?;
        Ok(folder)
    }
}

/// Postings with objects that are missing, or are not in their size.
pub(crate) fn lost(manifest: &Manifest) -> Result<BTreeSet<u64>, LedgerError> {
    let Some(history) = &manifest.history else {
        return Ok(BTreeSet::new());
    };
    let objects = Objects::at(&history.url)?;
    objects.check_ledger(&history.ledger)?;
    let there: HashMap<String, u64> = objects.list()?.into_iter().collect();
    let is_lost = |posted: &&Posted| {
        posted.elsewhere
            && posted
                .objects()
                .any(|(name, stored)| there.get(&name) != Some(&stored.bytes))
    };
    let postings = manifest.postings.iter().filter(is_lost);
    Ok(postings.map(|own| own.posting).collect())
}

/// Writes the rows of all postings, table by table, in their order.
fn write(
    place: &Place<'_>,
    postings: &[Posted],
) -> Result<BTreeMap<String, StoredTable>, LedgerError> {
    let names: BTreeSet<&String> = postings.iter().flat_map(|own| own.tables.keys()).collect();
    let mut joined = PostedTables::begin_history(&place.dir.join(NEW_HISTORY), 0)?;
    for table in Table::ALL {
        if !names.iter().any(|name| *name == table.name()) {
            continue;
        }
        for posted in postings {
            if let Some(path) = place.read(posted, table)? {
                read(&path, table, &mut joined)?;
            }
        }
    }
    remove_file(&place.dir.join(FETCHED))?;
    joined.close()
}

fn read(path: &Path, table: Table, joined: &mut PostedTables) -> Result<(), LedgerError> {
    let unreadable = |error: String| damaged(path, &error);
    let file = File::open(path).map_err(LedgerError::read(path))?;
    let rows = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|error| unreadable(error.to_string()))?;
    for batch in rows {
        let batch = batch.map_err(|error| unreadable(error.to_string()))?;
        joined.write(table, &in_shape(table, &batch).map_err(unreadable)?)?;
    }
    Ok(())
}

/// The rows in the shape that the table has by now: files of earlier versions may have fewer
/// columns.
fn in_shape(table: Table, batch: &RecordBatch) -> Result<RecordBatch, String> {
    let schema = stored_schema(table);
    let columns = schema
        .fields()
        .iter()
        .map(|field| match batch.column_by_name(field.name()) {
            Some(column) => cast(column, field.data_type()).map_err(|error| error.to_string()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(&schema), columns).map_err(|error| error.to_string())
}
