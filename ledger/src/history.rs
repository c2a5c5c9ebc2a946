//! Postings joined into fewer files, by month, so that a ledger of thousands of postings is as
//! quick as one of a few.
//!
//! A joined file is written beside those that it is made from; then the manifest names it in
//! their place. So whoever is killed leaves either the old files or the new ones, and what no
//! manifest names is removed by a later writer, once no reader of an earlier manifest is left.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::cast;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tieout_core::schema::Table;

use crate::manifest::{HISTORY, Manifest, POSTINGS, Posted, damaged};
use crate::posted::{self, PostedTables, StoredTable, digest_of, file_name, sync_dir};
use crate::{LedgerError, stored_schema};

/// Where joined files are written.
pub(crate) const NEW_HISTORY: &str = ".history.partial";
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
    let mut joined = Vec::new();
    let mut has_news = false;
    for month in by_month(std::mem::take(&mut manifest.postings)) {
        let several = month.iter().filter(|own| own.is_joined()).count();
        // Joined files stand in front of the single postings.
        let kept = if all || several >= PER_MONTH {
            0
        } else {
            several
        };
        let (kept, rest) = month.split_at(kept);
        joined.extend_from_slice(kept);
        if rest.len() < 2 {
            joined.extend_from_slice(rest);
            continue;
        }
        joined.push(join_these(dir, rest)?);
        has_news = true;
    }
    manifest.postings = joined;
    if has_news {
        manifest.write(dir)?;
    }
    Ok(has_news)
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

fn join_these(dir: &Path, postings: &[Posted]) -> Result<Posted, LedgerError> {
    let (Some(first), Some(last)) = (postings.first(), postings.last()) else {
        return Err(damaged(dir, "there are no postings to join"));
    };
    let tables = write(dir, postings)?;
    let month = dir.join(HISTORY).join(last.month());
    fs::create_dir_all(&month).map_err(LedgerError::write(&month))?;
    let name = format!("{:06}-{:06}", first.first(), last.posting);
    let purged = postings.iter().filter_map(|own| own.purged).max();
    let name = match purged {
        None => name,
        Some(purged) => format!("{name}.{purged}"),
    };
    let target = month.join(&name);
    posted::remove(&target)?;
    fs::rename(dir.join(NEW_HISTORY), &target).map_err(LedgerError::write(&target))?;
    sync_dir(&month)?;
    sync_dir(&dir.join(HISTORY))?;
    sync_dir(dir)?;
    let recipe = postings.iter().rev().find_map(|own| own.recipe.clone());
    Ok(Posted {
        first: Some(first.first()),
        begun_at: Some(first.begun_at().to_owned()),
        folder: Some(format!("{HISTORY}/{}/{name}", last.month())),
        purged,
        recipe,
        tables,
        ..last.clone()
    })
}

/// Writes the rows of all postings, table by table, in their order.
fn write(dir: &Path, postings: &[Posted]) -> Result<BTreeMap<String, StoredTable>, LedgerError> {
    let names: BTreeSet<&String> = postings.iter().flat_map(|own| own.tables.keys()).collect();
    let mut joined = PostedTables::begin(&dir.join(NEW_HISTORY), 0)?;
    for table in Table::ALL {
        if !names.iter().any(|name| *name == table.name()) {
            continue;
        }
        for posted in postings {
            let Some(stored) = posted.tables.get(table.name()) else {
                continue;
            };
            let path = dir.join(posted.folder()).join(file_name(table));
            // What is damaged must not get a digest of its own.
            if digest_of(&path)? != (stored.digest.clone(), stored.bytes) {
                return Err(damaged(&path, "the file is not as it was written"));
            }
            read(&path, table, &mut joined)?;
        }
    }
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

/// Removes the folders that `manifest` does not name, unless somebody reads by an earlier one.
/// Returns whether it could.
pub(crate) fn sweep(dir: &Path, manifest: &Manifest) -> Result<bool, LedgerError> {
    posted::remove(&dir.join(NEW_HISTORY))?;
    let postings = dir.join(POSTINGS);
    let Ok(folder) = File::open(&postings) else {
        return Ok(true);
    };
    let named: HashSet<PathBuf> = manifest
        .postings
        .iter()
        .map(|own| dir.join(own.folder()))
        .collect();
    let mut rubbish = rubbish(&postings, &named)?;
    for month in folders(&dir.join(HISTORY))? {
        rubbish.extend(self::rubbish(&month, &named)?);
    }
    if rubbish.is_empty() {
        return Ok(true);
    }
    if folder.try_lock().is_err() {
        return Ok(false);
    }
    let removed = rubbish.iter().try_for_each(|path| posted::remove(path));
    // Closing the file gives it back in any case.
    let _ = folder.unlock();
    removed.map(|()| true)
}

fn rubbish(parent: &Path, named: &HashSet<PathBuf>) -> Result<Vec<PathBuf>, LedgerError> {
    let mut own = folders(parent)?;
    own.retain(|path| !named.contains(path));
    Ok(own)
}

fn folders(parent: &Path) -> Result<Vec<PathBuf>, LedgerError> {
    let entries = match fs::read_dir(parent) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LedgerError::read(parent)(error)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(LedgerError::read(parent))?.path();
        if path.is_dir() {
            folders.push(path);
        }
    }
    Ok(folders)
}
