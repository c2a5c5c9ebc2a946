//! What no manifest names any more is removed, here and elsewhere.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::LedgerError;
use crate::history::{FETCHED, NEW_HISTORY};
use crate::manifest::{Elsewhere, HISTORY, Manifest, POSTINGS};
use crate::objects::{Objects, Seat};
use crate::posted;
use crate::publish::remove_file;

/// Removes what `manifest` does not name, unless somebody reads by an earlier one. Returns whether
/// it could; a store that does not answer keeps what it has until a later time.
pub(crate) fn sweep(dir: &Path, manifest: &Manifest) -> Result<bool, LedgerError> {
    posted::remove(&dir.join(NEW_HISTORY))?;
    remove_file(&dir.join(FETCHED))?;
    let postings = dir.join(POSTINGS);
    let Ok(folder) = File::open(&postings) else {
        return Ok(true);
    };
    let postings_of = manifest.postings.iter();
    let at_hand = postings_of.filter(|own| !own.elsewhere);
    let named: HashSet<PathBuf> = at_hand.map(|own| dir.join(own.folder())).collect();
    let mut rubbish = rubbish(&postings, &named)?;
    for month in folders(&dir.join(HISTORY))? {
        rubbish.extend(self::rubbish(&month, &named)?);
    }
    let elsewhere = unswept::all(dir)?;
    if rubbish.is_empty() && elsewhere.is_empty() {
        return Ok(true);
    }
    if folder.try_lock().is_err() {
        return Ok(false);
    }
    let removed = rubbish.iter().try_for_each(|path| posted::remove(path));
    let mut is_swept = true;
    for place in &elsewhere {
        if sweep_there(dir, place, manifest).is_ok() {
            unswept::forget(dir, place)?;
        } else {
            is_swept = false;
        }
    }
    // Closing the file gives it back in any case.
    let _ = folder.unlock();
    removed.map(|()| is_swept)
}

/// Removes the objects in `place` that `manifest` does not name.
fn sweep_there(dir: &Path, place: &Elsewhere, manifest: &Manifest) -> Result<(), LedgerError> {
    let objects = Objects::at(&place.url)?;
    match objects.check_seat(&Seat::of(dir, &place.ledger)?) {
        // Nothing of this ledger lies there any more, or it is a copy's to remove.
        Err(LedgerError::Address { .. }) => return Ok(()),
        checked => checked?,
    }
    let is_own = manifest.history.as_ref() == Some(place);
    let postings = manifest.postings.iter();
    let there = postings.filter(|own| is_own && own.elsewhere);
    let named: HashSet<String> = there
        .flat_map(|own| own.objects().map(|(name, _)| name))
        .collect();
    let mut rubbish = objects.names()?;
    rubbish.retain(|name| !named.contains(name));
    objects.remove(&rubbish)?;
    if is_own { Ok(()) } else { objects.leave() }
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

/// Places where objects may lie that no manifest names: on disk before the first of them is put or
/// the manifest drops one, until all are gone. So nobody asks a store for a list but where that may
/// be.
pub(crate) mod unswept {
    use std::fs;
    use std::io;
    use std::path::Path;

    use crate::LedgerError;
    use crate::manifest::{Elsewhere, damaged};
    use crate::posted::write_whole;
    use crate::publish::remove_file;

    const UNSWEPT: &str = ".unswept";
    const NEW_UNSWEPT: &str = ".unswept.partial";

    /// The places.
    pub(crate) fn all(dir: &Path) -> Result<Vec<Elsewhere>, LedgerError> {
        let path = dir.join(UNSWEPT);
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text.map_err(LedgerError::read(&path))?,
        };
        let lines = text.lines().map(serde_json::from_str);
        lines
            .collect::<Result<_, _>>()
            .map_err(|error| damaged(&path, &error.to_string()))
    }

    /// Notes a place.
    pub(crate) fn note(dir: &Path, place: &Elsewhere) -> Result<(), LedgerError> {
        let mut places = all(dir)?;
        if places.contains(place) {
            return Ok(());
        }
        places.push(place.clone());
        write(dir, &places)
    }

    /// Forgets a place.
    pub(crate) fn forget(dir: &Path, place: &Elsewhere) -> Result<(), LedgerError> {
        let mut places = all(dir)?;
        places.retain(|own| own != place);
        if places.is_empty() {
            return remove_file(&dir.join(UNSWEPT));
        }
        write(dir, &places)
    }

    fn write(dir: &Path, places: &[Elsewhere]) -> Result<(), LedgerError> {
        let mut text = String::new();
        for place in places {
            let line = serde_json::to_string(place)
                .map_err(|error| LedgerError::write(&dir.join(UNSWEPT))(error.into()))?;
            text.push_str(&line);
            text.push('\n');
        }
        write_whole(dir, UNSWEPT, NEW_UNSWEPT, text.as_bytes())
    }
}
