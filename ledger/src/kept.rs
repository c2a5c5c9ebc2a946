//! The ledger: a folder of Parquet files with a manifest.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use chrono::{SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use tieout_core::schema::Table;

use crate::file::{TableFile, is_partial};
use crate::{Columns, FileFormat, Folder, LedgerError};

/// The file that makes a folder a ledger. It is written last.
pub const MANIFEST: &str = "ledger.json";
/// The version of the ledger's layout that this program writes and reads.
const FORMAT_VERSION: u32 = 1;

#[derive(Debug, Deserialize, Serialize)]
struct Manifest {
    format_version: u32,
    created_at: String,
    recipe: String,
    /// Rows by table.
    tables: BTreeMap<String, u64>,
}

/// A folder that keeps every table of one run.
#[derive(Debug)]
pub struct Ledger {
    dir: PathBuf,
    manifest: Manifest,
}

impl Ledger {
    /// Begins a ledger in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// [`LedgerError::Exists`] if `dir` holds a ledger, [`LedgerError::Occupied`] if it holds
    /// anything else, [`LedgerError::Write`] if the disk refuses.
    pub fn create(dir: &Path) -> Result<LedgerWriter, LedgerError> {
        check_free(dir)?;
        let folder = Folder::create(dir, &Table::ALL, FileFormat::Parquet, Columns::All)?;
        Ok(LedgerWriter { folder })
    }

    /// Opens a ledger that a run has written.
    ///
    /// # Errors
    /// [`LedgerError::NotALedger`] if there is none, [`LedgerError::Damaged`] if it is not whole
    /// or of a version unknown here, [`LedgerError::Read`] if it cannot be read.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        let manifest =
            read_manifest(dir)?.ok_or_else(|| LedgerError::NotALedger(dir.to_owned()))?;
        let ledger = Self {
            dir: dir.to_owned(),
            manifest,
        };
        for table in Table::ALL {
            let path = ledger.path(table);
            if !path.is_file() {
                return Err(damaged(&path, "the file is not there"));
            }
        }
        Ok(ledger)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The Parquet file of `table`.
    pub fn path(&self, table: Table) -> PathBuf {
        self.dir.join(format!(
            "{}.{}",
            table.name(),
            FileFormat::Parquet.extension()
        ))
    }

    /// How many rows `table` has.
    pub fn rows(&self, table: Table) -> u64 {
        let rows = self.manifest.tables.get(table.name());
        rows.copied().unwrap_or_default()
    }

    /// The recipe of the run.
    pub fn recipe(&self) -> &str {
        &self.manifest.recipe
    }

    /// When the run was, RFC 3339 in UTC.
    pub fn created_at(&self) -> &str {
        &self.manifest.created_at
    }
}

/// A ledger that a run is writing. Dropped before [`LedgerWriter::finish`], it leaves nothing.
pub struct LedgerWriter {
    folder: Folder,
}

impl LedgerWriter {
    /// Writes rows of `table`, with all of its columns.
    ///
    /// # Errors
    /// Those of [`Folder::write`].
    pub fn write(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        self.folder.write(table, batch)
    }

    /// Hands out the file of `table`, as [`Folder::take`] does.
    pub fn take(&mut self, table: Table) -> Option<TableFile> {
        self.folder.take(table)
    }

    /// Takes a file back, as [`Folder::give_back`] does.
    ///
    /// # Errors
    /// Those of [`Folder::give_back`].
    pub fn give_back(&mut self, file: TableFile) -> Result<(), LedgerError> {
        self.folder.give_back(file)
    }

    /// Makes the folder a ledger: every table is whole, then the manifest appears.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses; those of [`Folder::finish`].
    pub fn finish(self, recipe: &str) -> Result<Ledger, LedgerError> {
        let dir = self.folder.dir().to_owned();
        let rows = self.folder.finish()?;
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            created_at: Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true),
            recipe: recipe.to_owned(),
            tables: rows
                .into_iter()
                .map(|(table, rows)| (table.name().to_owned(), rows))
                .collect(),
        };
        write_manifest(&dir, &manifest)?;
        Ok(Ledger { dir, manifest })
    }
}

fn check_free(dir: &Path) -> Result<(), LedgerError> {
    if let Some(manifest) = read_manifest(dir)? {
        return Err(LedgerError::Exists {
            path: dir.to_owned(),
            created_at: manifest.created_at,
        });
    }
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(LedgerError::read(dir)(error)),
    };
    for entry in entries {
        let name = entry.map_err(LedgerError::read(dir))?.file_name();
        let name = name.to_string_lossy();
        if !is_partial(&name) {
            return Err(LedgerError::Occupied {
                path: dir.to_owned(),
                example: name.into_owned(),
            });
        }
    }
    Ok(())
}

fn read_manifest(dir: &Path) -> Result<Option<Manifest>, LedgerError> {
    let path = dir.join(MANIFEST);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(LedgerError::read(&path)(error)),
    };
    let manifest: Manifest =
        serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))?;
    if manifest.format_version != FORMAT_VERSION {
        let found = format!(
            "the ledger's format is version {}, this program knows version {FORMAT_VERSION}",
            manifest.format_version
        );
        return Err(damaged(&path, &found));
    }
    Ok(Some(manifest))
}

fn write_manifest(dir: &Path, manifest: &Manifest) -> Result<(), LedgerError> {
    let path = dir.join(MANIFEST);
    let partial = dir.join(format!(".{MANIFEST}.partial"));
    let text = serde_json::to_string_pretty(manifest)
        .map_err(|error| LedgerError::write(&path)(error.into()))?;
    fs::write(&partial, text + "\n").map_err(LedgerError::write(&path))?;
    fs::rename(&partial, &path).map_err(LedgerError::write(&path))
}

fn damaged(path: &Path, found: &str) -> LedgerError {
    LedgerError::Damaged {
        path: path.to_owned(),
        found: found.to_owned(),
    }
}
