//! One table's file, unseen until it is whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use tieout_core::schema::Table;

use crate::writer::TableWriter;
use crate::{Columns, FileFormat, LedgerError, balanced};

const PARTIAL: &str = ".partial";

/// The file of one table. It belongs to the thread that writes it; different tables may be
/// written at the same time.
pub struct TableFile {
    table: Table,
    partial: Partial,
    writer: TableWriter<File>,
}

impl TableFile {
    pub(crate) fn create(
        dir: &Path,
        table: Table,
        format: FileFormat,
        columns: Columns,
    ) -> Result<Self, LedgerError> {
        let (partial, file) = Partial::create(dir, table, format)?;
        let schema = table.schema();
        let fields = schema.fields().iter().take(columns.count(table)).cloned();
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let writer =
            TableWriter::new(file, &schema, format).map_err(LedgerError::write(&partial.target))?;
        Ok(Self {
            table,
            partial,
            writer,
        })
    }

    /// The table.
    pub fn table(&self) -> Table {
        self.table
    }

    /// How many rows were written.
    pub fn rows(&self) -> u64 {
        self.writer.rows()
    }

    /// Writes rows of the table, with all of the table's columns.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses; [`LedgerError::Shape`] and
    /// [`LedgerError::Unbalanced`] if the rows are wrong.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), LedgerError> {
        balanced::check(self.table, batch)?;
        self.writer
            .write(batch)
            .map_err(LedgerError::write(&self.partial.target))
    }

    /// Writes what is left; the file is whole, but still has its temporary name.
    pub(crate) fn close(self) -> Result<ClosedFile, LedgerError> {
        let rows = self.writer.rows();
        let file = self
            .writer
            .finish()
            .map_err(LedgerError::write(&self.partial.target))?;
        Ok(ClosedFile {
            table: self.table,
            rows,
            partial: self.partial,
            _lock: file,
        })
    }
}

/// A whole file that only needs its name.
pub(crate) struct ClosedFile {
    pub(crate) table: Table,
    pub(crate) rows: u64,
    partial: Partial,
    _lock: File,
}

impl ClosedFile {
    /// Gives the file its name, in place of an older one.
    pub(crate) fn publish(mut self) -> Result<(), LedgerError> {
        fs::rename(&self.partial.path, &self.partial.target)
            .map_err(LedgerError::write(&self.partial.target))?;
        self.partial.published = true;
        Ok(())
    }
}

/// What the file of a table is called.
pub(crate) fn file_name(table: Table, format: FileFormat) -> String {
    format!("{}.{}", table.name(), format.extension())
}

/// A file under its temporary name; removed if it never gets its own.
struct Partial {
    path: PathBuf,
    target: PathBuf,
    published: bool,
}

impl Partial {
    /// The file is locked as long as it is open, which tells it from what a killed run left.
    fn create(dir: &Path, table: Table, format: FileFormat) -> Result<(Self, File), LedgerError> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = file_name(table, format);
        let target = dir.join(&name);
        remove_abandoned(dir, &name).map_err(LedgerError::write(&target))?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = dir.join(format!(".{name}.{}-{number}{PARTIAL}", std::process::id()));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(LedgerError::write(&target))?;
        // A disk that knows no locks only keeps the leftovers of killed runs.
        let _ = file.try_lock();
        let partial = Self {
            path,
            target,
            published: false,
        };
        Ok((partial, file))
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.published {
            // The run has failed already, and this file harms nobody.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether `name` is that of a file that is still written.
pub(crate) fn is_partial(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(PARTIAL)
}

fn remove_abandoned(dir: &Path, name: &str) -> io::Result<()> {
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let found = entry.file_name();
        let Some(found) = found.to_str() else {
            continue;
        };
        if found.starts_with(&prefix) && is_partial(found) && !is_locked(&entry.path()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| file.try_lock().is_err())
}
