//! The seal of the journal's file: a digest of each stretch of it, written when it is closed.
//!
//! A store keeps pages that nothing leads to any more, and free ones; what is changed there changes
//! nothing that is read, so no chain of events can tell it. The seal tells any byte. It holds from
//! a clean close to the next opening; a process that was killed leaves none, and the next writer
//! seals the whole file again.
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | `TIESEAL1` |
//! | 8..16 | bytes of the journal |
//! | 16.. | BLAKE3 of each stretch of 256 KiB, the last may be shorter |
//! | last 32 | BLAKE3 of all bytes in front |

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};

use super::Digest;
use super::lock::is_same;
use super::store::JOURNAL;
use crate::LedgerError;

/// The file beside the journal.
pub const SEAL: &str = "journal.seal";
const NEW_SEAL: &str = ".journal.seal.partial";
const MAGIC: &[u8; 8] = b"TIESEAL1";
const STRETCH_BYTES: u64 = 256 << 10;
const DIGEST_BYTES: usize = 32;

/// What a seal says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seal {
    bytes: u64,
    stretches: Vec<Digest>,
}

impl Seal {
    fn read(path: &Path) -> Result<Option<Self>, LedgerError> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(LedgerError::read(path)(error)),
        };
        Self::parse(&bytes)
            .map(Some)
            .ok_or_else(|| LedgerError::Journal {
                path: path.to_owned(),
                found: "the seal is not as it was written".to_owned(),
            })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (said, digest) = bytes.split_at_checked(bytes.len().checked_sub(DIGEST_BYTES)?)?;
        let (head, stretches) = said.split_at_checked(16)?;
        let (magic, length) = head.split_at_checked(8)?;
        let whole = magic == MAGIC
            && Digest::of(said).0 == *digest
            && stretches.len().is_multiple_of(DIGEST_BYTES);
        whole.then(|| Self {
            bytes: u64::from_le_bytes(length.try_into().unwrap_or_default()),
            stretches: stretches
                .chunks_exact(DIGEST_BYTES)
                .map(|digest| Digest(digest.try_into().unwrap_or_default()))
                .collect(),
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.bytes.to_le_bytes());
        self.stretches
            .iter()
            .for_each(|digest| bytes.extend(digest.0));
        let digest = Digest::of(&bytes);
        bytes.extend(digest.0);
        bytes
    }

    fn write(&self, dir: &Path) -> io::Result<()> {
        let partial = dir.join(NEW_SEAL);
        let mut file = File::create(&partial)?;
        file.write_all(&self.to_bytes())?;
        file.sync_all()?;
        fs::rename(partial, dir.join(SEAL))
    }
}

/// Whether the journal in `dir` is sealed, and if so, as it was when it was closed.
///
/// # Errors
/// [`LedgerError::Journal`] with the first bytes that are others, or if the seal itself is.
pub fn check(dir: &Path) -> Result<bool, LedgerError> {
    let Some(seal) = Seal::read(&dir.join(SEAL))? else {
        return Ok(false);
    };
    let path = dir.join(JOURNAL);
    let altered = |found: String| LedgerError::Journal {
        path: path.clone(),
        found,
    };
    let mut file = File::open(&path).map_err(LedgerError::read(&path))?;
    let length = file.metadata().map_err(LedgerError::read(&path))?.len();
    if length != seal.bytes {
        return Err(altered(format!(
            "the file has {length} bytes, and had {} when it was closed",
            seal.bytes
        )));
    }
    let mut stretch = vec![0; STRETCH_BYTES as usize];
    for (number, digest) in (0_u64..).zip(&seal.stretches) {
        let start = number * STRETCH_BYTES;
        let own = &mut stretch[..(length - start).min(STRETCH_BYTES) as usize];
        file.read_exact(own).map_err(LedgerError::read(&path))?;
        if Digest::of(own) != *digest {
            let end = start + own.len() as u64;
            return Err(altered(format!(
                "bytes {start} to {end} are not as they were when it was closed"
            )));
        }
    }
    Ok(true)
}

/// Removes the seal, before the journal is changed or another takes its place.
///
/// # Errors
/// What the operating system says.
pub fn break_seal(dir: &Path) -> io::Result<()> {
    match fs::remove_file(dir.join(SEAL)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) => File::open(dir)?.sync_all(),
        Err(_) => Ok(()),
    }
}

/// A journal's file that is sealed when it is closed.
#[derive(Debug)]
pub struct Sealed {
    file: FileBackend,
    /// The same file, to tell whether it is the ledger's.
    own: File,
    dir: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    seal: Seal,
    /// Whether the seal on disk is broken by now.
    is_open: bool,
    /// Stretches that were written since.
    written: BTreeSet<u64>,
}

impl Sealed {
    /// The `file` of a ledger's folder; `is_new` if it has no seal yet.
    pub fn over(file: File, dir: &Path, is_new: bool) -> Result<Self, redb::DatabaseError> {
        let own = file.try_clone()?;
        let seal = if is_new {
            None
        } else {
            // One that cannot be read is none: all of the file is sealed again.
            Seal::read(&dir.join(SEAL)).ok().flatten()
        };
        Ok(Self {
            file: FileBackend::new(file)?,
            own,
            dir: dir.to_owned(),
            state: Mutex::new(State {
                is_open: false,
                seal: seal.unwrap_or_default(),
                written: BTreeSet::new(),
            }),
        })
    }

    /// The seal is broken before the file is changed, so that none says what is not.
    fn open(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        if state.is_open {
            return Ok(());
        }
        // A journal that is written anew has its seal broken when it gets its name.
        if self.is_the_journal() {
            break_seal(&self.dir)?;
        }
        state.is_open = true;
        Ok(())
    }

    fn is_the_journal(&self) -> bool {
        is_same(&self.own, &self.dir.join(JOURNAL))
    }

    fn seal(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        // One that never got its name is removed.
        if !state.is_open || !self.is_the_journal() {
            return Ok(());
        }
        let length = self.file.len()?;
        let count = length.div_ceil(STRETCH_BYTES);
        let known = if state.seal.bytes == 0 {
            0
        } else {
            state.seal.bytes / STRETCH_BYTES
        };
        let mut stretches = std::mem::take(&mut state.seal.stretches);
        stretches.resize(count as usize, Digest::default());
        let mut stretch = vec![0; STRETCH_BYTES as usize];
        for number in 0..count {
            let start = number * STRETCH_BYTES;
            let is_whole = start + STRETCH_BYTES <= length;
            if number < known && is_whole && !state.written.contains(&number) {
                continue;
            }
            let own = &mut stretch[..(length - start).min(STRETCH_BYTES) as usize];
            self.file.read(start, own)?;
            stretches[number as usize] = Digest::of(own);
        }
        state.seal = Seal {
            bytes: length,
            stretches,
        };
        state.seal.write(&self.dir)
    }
}

impl StorageBackend for Sealed {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.open()?;
        // What is cut off and added again is zeros.
        let before = self.file.len()?;
        let stretches = len.min(before) / STRETCH_BYTES..len.max(before).div_ceil(STRETCH_BYTES);
        self.state.lock().written.extend(stretches);
        self.file.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.open()?;
        let end = offset + data.len() as u64;
        let stretches = offset / STRETCH_BYTES..end.div_ceil(STRETCH_BYTES);
        self.state.lock().written.extend(stretches);
        self.file.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        // Without a seal the journal is as good; only its unused pages are not watched.
        let _ = self.seal();
        self.file.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
