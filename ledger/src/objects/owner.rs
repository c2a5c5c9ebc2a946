//! Whose place it is: an object beside the history says which ledger, and which folder of it may
//! write there.
//!
//! A copy of a ledger names the same place as its original. It may read there; but each removes what
//! it does not name, so that only one of them may write. They are told apart by what a copy does not
//! have from its original: the number that the folder has on its disk, and when it was made.

use std::fs;
use std::path::Path as FilePath;

use object_store::{Error, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use serde_json::{Value, json};

use super::apart::wait;
use super::{Objects, failed};
use crate::LedgerError;

/// The object that says whose place it is.
pub(super) const OWNER: &str = "ledger.json";

/// A ledger's folder, told from copies of it.
pub(crate) struct Seat {
    /// The hash of the ledger's first event.
    ledger: String,
    /// Where it lies, for people.
    folder: String,
    /// What tells it from copies.
    mark: String,
}

impl Seat {
    /// That of the ledger `ledger` in `dir`.
    ///
    /// # Errors
    /// [`LedgerError::Read`] if the folder cannot be looked at.
    pub fn of(dir: &FilePath, ledger: &str) -> Result<Self, LedgerError> {
        let folder = dir.canonicalize().map_err(LedgerError::read(dir))?;
        Ok(Self {
            ledger: ledger.to_owned(),
            mark: mark(&folder).map_err(LedgerError::read(dir))?,
            folder: folder.display().to_string(),
        })
    }

    fn to_json(&self) -> Value {
        json!({ "ledger": self.ledger, "folder": self.folder, "mark": self.mark })
    }
}

/// Stays when the folder is moved on its disk; not all disks know when a folder was made.
#[cfg(unix)]
fn mark(folder: &FilePath) -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let about = fs::metadata(folder)?;
    let made = about.created().ok();
    let made = made.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
    Ok(format!(
        "{}:{}",
        about.ino(),
        made.unwrap_or_default().as_nanos()
    ))
}

#[cfg(not(unix))]
fn mark(folder: &FilePath) -> std::io::Result<String> {
    fs::metadata(folder).map(|_| folder.display().to_string())
}

impl Objects {
    /// Whether nobody has the place; not if the ledger in its folder has it.
    ///
    /// # Errors
    /// [`LedgerError::Address`] if another ledger, a copy of this one or anything else lies there,
    /// [`LedgerError::Object`] if the store refuses.
    pub fn is_free(&self, seat: &Seat) -> Result<bool, LedgerError> {
        if self.owner()?.is_some() {
            return self.check_seat(seat).map(|()| false);
        }
        match self.names()?.first() {
            None => Ok(true),
            Some(other) => Err(self.occupied(&format!("{} lies there", self.url(other)))),
        }
    }

    /// Makes a free place the ledger's.
    ///
    /// # Errors
    /// [`LedgerError::Object`] if the store refuses, or another was first.
    pub fn claim(&self, seat: &Seat) -> Result<(), LedgerError> {
        self.put_owner(seat, PutMode::Create)
    }

    /// Gives the ledger's place to the folder, whoever of its copies had it; the others may read there
    /// from now on.
    ///
    /// # Errors
    /// [`LedgerError::Address`] if another ledger has it, [`LedgerError::Object`] if the store refuses.
    pub fn take_over(&self, seat: &Seat) -> Result<(), LedgerError> {
        self.check_ledger(&seat.ledger)?;
        match self.check_seat(seat) {
            Ok(()) => Ok(()),
            Err(LedgerError::Address { .. }) => self.put_owner(seat, PutMode::Overwrite),
            Err(error) => Err(error),
        }
    }

    fn put_owner(&self, seat: &Seat, mode: PutMode) -> Result<(), LedgerError> {
        if let Some(folder) = self.address.folder() {
            fs::create_dir_all(&folder).map_err(LedgerError::write(&folder))?;
        }
        let text = format!("{}\n", seat.to_json());
        let (store, path) = self.object(OWNER);
        let url = self.url(OWNER);
        let told = url.clone();
        wait(&url, async move {
            let payload = PutPayload::from(text);
            let options = PutOptions::from(mode);
            let put = match store.put_opts(&path, payload.clone(), options).await {
                // Some stores cannot promise that nobody was first.
                Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
                    store.put(&path, payload).await
                }
                put => put,
            };
            put.map(drop).map_err(|error| failed(&told, &error))
        })
    }

    /// Looks whether the ledger's history lies there, for whoever reads it.
    ///
    /// # Errors
    /// [`LedgerError::Address`] if it does not, [`LedgerError::Object`] if the store refuses.
    pub fn check_ledger(&self, ledger: &str) -> Result<(), LedgerError> {
        match self.owner()? {
            Some(owner) if owner["ledger"] == ledger => Ok(()),
            Some(_) => Err(self.occupied("another ledger's history lies there")),
            None => Err(self.occupied(&format!("{OWNER} is missing there"))),
        }
    }

    /// Looks whether the ledger in its folder may write there.
    ///
    /// # Errors
    /// [`LedgerError::Address`] if it may not, because another ledger or a copy of this one has the
    /// place; [`LedgerError::Object`] if the store refuses.
    pub fn check_seat(&self, seat: &Seat) -> Result<(), LedgerError> {
        self.check_ledger(&seat.ledger)?;
        let owner = self.owner()?.unwrap_or_default();
        // Earlier versions did not say which folder.
        if owner["mark"].is_null() {
            return self.put_owner(seat, PutMode::Overwrite);
        }
        if owner["mark"] == seat.mark.as_str() {
            // A folder that was moved says where it is now.
            if owner["folder"] == seat.folder.as_str() {
                return Ok(());
            }
            return self.put_owner(seat, PutMode::Overwrite);
        }
        let url = self.address.to_string();
        let (own, other) = (
            &seat.folder,
            owner["folder"].as_str().unwrap_or("another folder"),
        );
        Err(LedgerError::Address {
            found: format!(
                "another folder of this ledger, last seen as {other}, keeps its history there, and \
                 {own} is a copy of it, which may only read there: give it a place of its own with \
                 `tieout audit compact --history`, or, if the other is gone, take this one over with \
                 `tieout audit compact --history {url}`"
            ),
            url,
        })
    }

    fn occupied(&self, found: &str) -> LedgerError {
        LedgerError::Address {
            url: self.address.to_string(),
            found: format!("{found}: a ledger's history needs a place of its own"),
        }
    }

    /// What the place says of its owner.
    fn owner(&self) -> Result<Option<Value>, LedgerError> {
        let (store, path) = self.object(OWNER);
        let url = self.url(OWNER);
        let told = url.clone();
        wait(&url, async move {
            let bytes = match store.get(&path).await {
                Err(Error::NotFound { .. }) => return Ok(None),
                Err(error) => Err(error),
                Ok(found) => found.bytes().await,
            };
            let bytes = bytes.map_err(|error| failed(&told, &error))?;
            Ok(Some(serde_json::from_slice(&bytes).unwrap_or_default()))
        })
    }

    /// Gives the place up, now that nothing of the ledger lies there.
    ///
    /// # Errors
    /// [`LedgerError::Object`] if the store refuses.
    pub fn leave(&self) -> Result<(), LedgerError> {
        self.remove(&[OWNER.to_owned()])
    }
}
