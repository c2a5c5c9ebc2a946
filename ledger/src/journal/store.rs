//! The file that holds the journal: redb, two-phase commits, quick repair.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{
    Builder, ConcurrencyMode, Database, Durability, ReadOnlyDatabase, ReadTransaction,
    ReadableDatabase as _, TableDefinition, TableError, WriteTransaction,
};

use super::seal::Sealed;
use crate::LedgerError;

/// The journal's file in the ledger's folder.
pub const JOURNAL: &str = "journal.redb";
/// The version of the tables below and of the payloads.
///
/// Version 2 has the tables `rows`, `profiles` and `aside`, and the events that they are folded from.
/// Version 3 may have the items and the payments that wait carried forward; a program that does not
/// know of it would change items and not say so.
pub const FORMAT_VERSION: u64 = 3;

/// Events by sequence: the header and its hash.
pub const EVENTS: TableDefinition<u64, &[u8]> = TableDefinition::new("events");
/// Payloads by the sequence of their events.
pub const PAYLOADS: TableDefinition<u64, &[u8]> = TableDefinition::new("payloads");
/// What this file is.
pub const ABOUT: TableDefinition<&str, u64> = TableDefinition::new("about");

/// Files that were read to their end, by digest.
pub const FILES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("files");
/// What became of each payment, by identifier.
pub const PAYMENTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("payments");
/// What is open of each item, by identifier.
pub const ITEMS: TableDefinition<&str, &[u8]> = TableDefinition::new("items");
/// Items that were open when they were carried forward, some thousands together, by the event and
/// row of the first: rows of `open_items`, and what was open of each.
pub const FORWARD: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("forward");
/// Items that have changed since, by identifier.
pub const TOUCHED: TableDefinition<&str, ()> = TableDefinition::new("touched");
/// Payments that waited for a decision when they were carried forward, some thousands together, in
/// their order: what an event of kind `waiting` has.
pub const FORWARD_WAITING: TableDefinition<u64, &[u8]> = TableDefinition::new("forward_waiting");
/// Payments that were decided anew since, wait, and are in no later event of that kind.
pub const WAITING_AGAIN: TableDefinition<&[u8], ()> = TableDefinition::new("waiting_again");
/// Names of items that were closed by then, in chunks, by run and the first hash.
pub const CLOSED: TableDefinition<(u32, u64), &[u8]> = TableDefinition::new("closed");
/// The runs of those chunks, with the entries that each has.
pub const CLOSED_RUNS: TableDefinition<u32, u64> = TableDefinition::new("closed_runs");
/// The first payment of each cheque, by account, number, amount and currency.
pub const CHEQUES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("cheques");
/// Remittance lines that wait for their payment, by posting, file and line.
pub const ADVICE: TableDefinition<&str, &[u8]> = TableDefinition::new("advice");
/// Events with rows that the next run begins with, by sequence: the table's name.
pub const SOURCES: TableDefinition<u64, &str> = TableDefinition::new("sources");
/// Events with bank lines, by sequence: their latest day, and whether a later report may have
/// their lines again.
pub const LINES: TableDefinition<u64, (i32, bool)> = TableDefinition::new("lines");
/// Rows that came before, by the hash of their content: the posting that brought them.
pub const ROWS: TableDefinition<&[u8], u64> = TableDefinition::new("rows");
/// Lockbox layouts and CSV profiles by the sequence of their events. JSON.
pub const PROFILES: TableDefinition<u64, &[u8]> = TableDefinition::new("profiles");
/// Files of watched folders that are set aside, by name. JSON.
pub const ASIDE: TableDefinition<&str, &[u8]> = TableDefinition::new("aside");
/// What people noted about payments: owner, deadline, the last word. JSON by identifier.
pub const NOTES: TableDefinition<&[u8], &[u8]> = TableDefinition::new("notes");
/// Events whose payload was purged in part, by sequence: their posting, the purge, and bytes and
/// digest of what is left.
pub const PURGED: TableDefinition<u64, &[u8]> = TableDefinition::new("purged");
/// What people's decisions taught, by payment, event and place. JSON.
pub const MEMORY: TableDefinition<&str, &[u8]> = TableDefinition::new("memory");
/// Single values: the last cutoff, the last export. JSON by name.
pub const MEMO: TableDefinition<&str, &[u8]> = TableDefinition::new("memo");

/// Bytes that the store may keep in memory.
const CACHE_BYTES: usize = 256 << 20;

/// An open store.
pub enum Store {
    /// For the one writer.
    Writer(Database),
    /// For everybody else, also while the writer writes.
    Reader(ReadOnlyDatabase),
}

impl Store {
    /// The committed state.
    pub fn read(&self, path: &Path) -> Result<ReadTransaction, LedgerError> {
        match self {
            Self::Writer(database) => database.begin_read(),
            Self::Reader(database) => database.begin_read(),
        }
        .map_err(failed(path))
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .set_cache_size(CACHE_BYTES)
        .set_concurrency_mode(ConcurrencyMode::SingleWriter);
    builder
}

/// A new store under a temporary name: a kill during the first creation can leave a file that
/// never opens again.
pub fn create(path: &Path) -> Result<Database, LedgerError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(LedgerError::write(path))?;
    sealed(file, path, true)
}

/// The store of a ledger, for its writer.
pub fn open(path: &Path) -> Result<Database, LedgerError> {
    whole(path, || {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(path)
            .map_err(LedgerError::write(path))?;
        let about = file.metadata().map_err(LedgerError::read(path))?;
        // An empty file would be taken for a new store.
        if about.len() == 0 {
            return Err(LedgerError::Journal {
                path: path.to_owned(),
                found: "the file is empty".to_owned(),
            });
        }
        sealed(file, path, false)
    })
}

fn sealed(file: File, path: &Path, is_new: bool) -> Result<Database, LedgerError> {
    let dir = path.parent().unwrap_or(Path::new(""));
    let backend = Sealed::over(file, dir, is_new).map_err(failed(path))?;
    builder().create_with_backend(backend).map_err(failed(path))
}

/// The store of a ledger, to read.
pub fn open_read_only(path: &Path) -> Result<ReadOnlyDatabase, LedgerError> {
    whole(path, || {
        builder().open_read_only(path).map_err(failed(path))
    })
}

/// Refuses a store of a later format. One that was begun and never committed says nothing yet.
pub fn check_format(read: &ReadTransaction, path: &Path) -> Result<(), LedgerError> {
    let format = match read.open_table(ABOUT) {
        Ok(about) => about.get("format").map_err(failed(path))?,
        Err(TableError::TableDoesNotExist(_)) => None,
        Err(error) => return Err(failed(path)(error)),
    };
    match format.map(|format| format.value()) {
        Some(version) if version > FORMAT_VERSION => Err(LedgerError::Newer {
            path: path.to_owned(),
            version,
            known: FORMAT_VERSION,
        }),
        _ => Ok(()),
    }
}

/// A damaged file can make the store stop in the middle of its own code.
pub fn whole<T>(
    path: &Path,
    work: impl FnOnce() -> Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let work = std::panic::AssertUnwindSafe(work);
    std::panic::catch_unwind(work).unwrap_or_else(|_| {
        Err(LedgerError::Journal {
            path: path.to_owned(),
            found: "the store cannot make sense of its pages".to_owned(),
        })
    })
}

/// A transaction that is on disk once it is committed.
pub fn begin(database: &Database, path: &Path) -> Result<WriteTransaction, LedgerError> {
    let mut transaction = database.begin_write().map_err(failed(path))?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    Ok(transaction)
}

/// A transaction that later ones see, and no disk.
pub fn begin_scratch(database: &Database, path: &Path) -> Result<WriteTransaction, LedgerError> {
    let mut transaction = database.begin_write().map_err(failed(path))?;
    transaction
        .set_durability(Durability::None)
        .map_err(failed(path))?;
    Ok(transaction)
}

/// A store that is gone with its handle; larger ones lie in the temporary folder.
pub fn scratch(path: &Path) -> Result<Database, LedgerError> {
    let file = tempfile::tempfile().map_err(LedgerError::write(&std::env::temp_dir()))?;
    let backend = FileBackend::new(file).map_err(failed(path))?;
    Builder::new()
        .set_cache_size(CACHE_BYTES)
        .create_with_backend(backend)
        .map_err(failed(path))
}

/// What the store says of its file, as an error of the ledger.
pub fn failed<E: Into<redb::Error>>(path: &Path) -> impl FnOnce(E) -> LedgerError {
    let path: PathBuf = path.to_owned();
    move |error| match error.into() {
        redb::Error::Io(source) => LedgerError::Write { path, source },
        // The first error was told to whoever wrote then; the file is as good as before it.
        redb::Error::PreviousIo => refused_before(path),
        error => LedgerError::Journal {
            path,
            found: error.to_string(),
        },
    }
}

/// What everybody is told who would go on after the disk has refused.
pub fn refused_before(path: PathBuf) -> LedgerError {
    let source =
        std::io::Error::other("the disk has refused before; open the ledger again to go on");
    LedgerError::Write { path, source }
}
