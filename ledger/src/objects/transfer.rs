//! Files of a ledger put to a place in a store, compared with what was put, brought back, removed.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart};

use super::apart::wait;
use super::owner::OWNER;
use super::{Address, altered, failed};
use crate::LedgerError;
use crate::posted::{StoredTable, sync_dir};

/// Bytes of a file that goes in one piece, and of each piece of a larger one. S3 takes 5 MiB at
/// least, and 10,000 pieces.
const PIECE_BYTES: usize = 8 << 20;
/// Pieces that are under way.
const PIECES: usize = 4;

/// A place in a store.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    pub(super) address: Address,
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

impl Objects {
    /// The place that `url` names. Nothing is asked yet.
    ///
    /// # Errors
    /// [`LedgerError::Address`].
    pub fn at(url: &str) -> Result<Self, LedgerError> {
        let address: Address = url.parse()?;
        let (store, prefix) = address.open()?;
        Ok(Self {
            address,
            store,
            prefix,
        })
    }

    /// The URL of the object `name`, `2026-03/000001-000032/payments.parquet`.
    pub fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }

    /// The store, and the object `name` in it.
    pub fn object(&self, name: &str) -> (Arc<dyn ObjectStore>, Path) {
        (Arc::clone(&self.store), self.path(name))
    }

    fn path(&self, name: &str) -> Path {
        let name = Path::from(name);
        self.prefix.parts().chain(name.parts()).collect()
    }

    /// Puts `file` there, whole or not at all.
    ///
    /// # Errors
    /// [`LedgerError::Object`] if the store refuses.
    pub fn put(&self, name: &str, file: &FilePath) -> Result<(), LedgerError> {
        let (store, path) = self.object(name);
        let url = self.url(name);
        let (told, from) = (url.clone(), file.to_owned());
        wait(&url, async move {
            let bytes = fs::metadata(&from).map_err(LedgerError::read(&from))?.len();
            if bytes > PIECE_BYTES as u64 {
                match put_in_pieces(store.as_ref(), &path, &from, &told).await? {
                    Piecewise::Done => return Ok(()),
                    Piecewise::NotKnown => {}
                }
            }
            let bytes = fs::read(&from).map_err(LedgerError::read(&from))?;
            let put = store.put(&path, PutPayload::from(bytes)).await;
            put.map(drop).map_err(|error| failed(&told, &error))
        })?;
        self.sync(name)
    }

    /// A store of this machine's files does not wait for the disk by itself.
    fn sync(&self, name: &str) -> Result<(), LedgerError> {
        let Some(folder) = self.address.folder() else {
            return Ok(());
        };
        let file = folder.join(name);
        File::open(&file)
            .and_then(|file| file.sync_all())
            .map_err(LedgerError::write(&file))?;
        let inside = file.ancestors().skip(1);
        inside
            .take_while(|parent| parent.starts_with(&folder))
            .try_for_each(sync_dir)
    }

    /// Writes the object to the file `into`, and compares it with what was stored.
    ///
    /// # Errors
    /// [`LedgerError::Object`] if it is missing or another, or the store refuses.
    pub fn fetch(
        &self,
        name: &str,
        stored: &StoredTable,
        into: &FilePath,
    ) -> Result<(), LedgerError> {
        self.read(name, stored, Some(into.to_owned()))
    }

    /// Reads the object and compares it with what was stored.
    ///
    /// # Errors
    /// Those of [`Objects::fetch`].
    pub fn check(&self, name: &str, stored: &StoredTable) -> Result<(), LedgerError> {
        self.read(name, stored, None)
    }

    fn read(
        &self,
        name: &str,
        stored: &StoredTable,
        into: Option<PathBuf>,
    ) -> Result<(), LedgerError> {
        let (store, path) = self.object(name);
        let url = self.url(name);
        let (told, stored) = (url.clone(), stored.clone());
        wait(&url, async move {
            let refused = |error: Error| failed(&told, &error);
            let mut out = match &into {
                None => None,
                Some(path) => Some((File::create(path).map_err(LedgerError::write(path))?, path)),
            };
            let mut hasher = blake3::Hasher::new();
            let mut pieces = store.get(&path).await.map_err(refused)?.into_stream();
            while let Some(piece) = pieces.try_next().await.map_err(refused)? {
                hasher.update(&piece);
                if let Some((file, path)) = &mut out {
                    file.write_all(&piece).map_err(LedgerError::write(path))?;
                }
            }
            if let Some((file, path)) = &out {
                file.sync_all().map_err(LedgerError::write(path))?;
            }
            let digest = hasher.finalize().to_hex();
            if hasher.count() != stored.bytes || digest.as_str() != stored.digest {
                return Err(altered(&told));
            }
            Ok(())
        })
    }

    /// The objects there are, the one that says whose place it is apart.
    ///
    /// # Errors
    /// [`LedgerError::Object`] if the store refuses.
    pub fn names(&self) -> Result<Vec<String>, LedgerError> {
        Ok(self.list()?.into_iter().map(|(name, _)| name).collect())
    }

    /// The same with their sizes.
    ///
    /// # Errors
    /// Those of [`Objects::names`].
    pub fn list(&self) -> Result<Vec<(String, u64)>, LedgerError> {
        let store = Arc::clone(&self.store);
        let prefix = self.prefix.clone();
        let url = self.address.to_string();
        let told = url.clone();
        wait(&url, async move {
            let mut names = Vec::new();
            let mut objects = store.list(Some(&prefix));
            while let Some(object) = objects.next().await {
                let object = object.map_err(|error| failed(&told, &error))?;
                let Some(parts) = object.location.prefix_match(&prefix) else {
                    continue;
                };
                let name = parts.collect::<Path>().to_string();
                if name != OWNER && !name.is_empty() {
                    names.push((name, object.size));
                }
            }
            names.sort_unstable();
            Ok(names)
        })
    }

    /// Removes objects that are there.
    ///
    /// # Errors
    /// [`LedgerError::Object`] if the store refuses.
    pub fn remove(&self, names: &[String]) -> Result<(), LedgerError> {
        for name in names {
            let (store, path) = self.object(name);
            let url = self.url(name);
            let told = url.clone();
            wait(&url, async move {
                match store.delete(&path).await {
                    Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
                    Err(error) => Err(failed(&told, &error)),
                }
            })?;
        }
        self.remove_halves()
    }

    /// Removes what a kill has left of files that were being put. Clouds keep such pieces out of
    /// sight, and remove them by a rule of the bucket.
    fn remove_halves(&self) -> Result<(), LedgerError> {
        match self.address.folder() {
            Some(folder) => remove_halves(&folder),
            None => Ok(()),
        }
    }
}

/// A store of files names the ones that are not whole `NAME#1`, `NAME#2`, and lists none of them.
fn remove_halves(folder: &FilePath) -> Result<(), LedgerError> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry.map_err(LedgerError::read(folder))?.path();
        if path.is_dir() {
            remove_halves(&path)?;
        } else if path.to_string_lossy().contains(".parquet#") {
            fs::remove_file(&path).map_err(LedgerError::write(&path))?;
        }
    }
    Ok(())
}

/// What became of a file in pieces.
enum Piecewise {
    /// It is there.
    Done,
    /// The store takes whole files only.
    NotKnown,
}

async fn put_in_pieces(
    store: &dyn ObjectStore,
    path: &Path,
    from: &FilePath,
    url: &str,
) -> Result<Piecewise, LedgerError> {
    let upload = match store.put_multipart(path).await {
        Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) => {
            return Ok(Piecewise::NotKnown);
        }
        upload => upload.map_err(|error| failed(url, &error))?,
    };
    let mut upload = WriteMultipart::new_with_chunk_size(upload, PIECE_BYTES);
    let sent = send(&mut upload, from, url).await;
    if let Err(error) = sent {
        // The error is the one to show.
        let _ = upload.abort().await;
        return Err(error);
    }
    let finished = upload.finish().await;
    finished.map_err(|error| failed(url, &error))?;
    Ok(Piecewise::Done)
}

async fn send(upload: &mut WriteMultipart, from: &FilePath, url: &str) -> Result<(), LedgerError> {
    let mut file = File::open(from).map_err(LedgerError::read(from))?;
    loop {
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        let mut next = (&mut file).take(PIECE_BYTES as u64);
        next.read_to_end(&mut piece)
            .map_err(LedgerError::read(from))?;
        if piece.is_empty() {
            return Ok(());
        }
        let room = upload.wait_for_capacity(PIECES).await;
        room.map_err(|error| failed(url, &error))?;
        upload.put(Bytes::from(piece));
    }
}
