//! A folder of tables.

use std::path::{Path, PathBuf};
use std::{fs, io};

use arrow::array::RecordBatch;
use tieout_core::schema::Table;

use crate::file::{TableFile, file_name};
use crate::{Columns, FileFormat, LedgerError};

/// One file a table, in one folder.
///
/// Files have temporary names until [`Folder::finish`], so that a run that stops half way
/// leaves nothing that looks whole; what an earlier run left is replaced then, and files of
/// other formats stay. A table without rows has a file too.
pub struct Folder {
    dir: PathBuf,
    format: FileFormat,
    files: Vec<(Table, Option<TableFile>)>,
}

impl Folder {
    /// Begins a file for each of `tables` in `dir`, which is made if it is not there.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the folder or a file cannot be made.
    pub fn create(
        dir: &Path,
        tables: &[Table],
        format: FileFormat,
        columns: Columns,
    ) -> Result<Self, LedgerError> {
        fs::create_dir_all(dir).map_err(LedgerError::write(dir))?;
        let files = tables.iter().map(|&table| {
            let file = TableFile::create(dir, table, format, columns)?;
            Ok((table, Some(file)))
        });
        Ok(Self {
            dir: dir.to_owned(),
            format,
            files: files.collect::<Result<_, LedgerError>>()?,
        })
    }

    /// The folder's path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether it has the table.
    pub fn has(&self, table: Table) -> bool {
        self.files.iter().any(|(of, _)| *of == table)
    }

    /// Removes what is there of `tables` in the folder's format.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses.
    pub fn remove(&self, tables: impl IntoIterator<Item = Table>) -> Result<(), LedgerError> {
        for table in tables {
            let path = self.dir.join(file_name(table, self.format));
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(LedgerError::write(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Writes rows of `table`.
    ///
    /// # Errors
    /// Those of [`TableFile::write`], and [`LedgerError::Shape`] if the folder does not have the
    /// table or another thread has taken it.
    pub fn write(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        match self.slot(table) {
            Some(Some(file)) => file.write(batch),
            _ => Err(absent(table)),
        }
    }

    /// Hands the file of `table` to whoever writes it, perhaps on another thread;
    /// [`Folder::give_back`] returns it.
    pub fn take(&mut self, table: Table) -> Option<TableFile> {
        self.slot(table).and_then(Option::take)
    }

    /// Takes back a file that [`Folder::take`] has handed out.
    ///
    /// # Errors
    /// [`LedgerError::Shape`] if the folder does not have the table.
    pub fn give_back(&mut self, file: TableFile) -> Result<(), LedgerError> {
        let table = file.table();
        let slot = self.slot(table).ok_or_else(|| absent(table))?;
        *slot = Some(file);
        Ok(())
    }

    /// Closes every file, then gives each its name. Returns the rows of each table.
    ///
    /// # Errors
    /// [`LedgerError::Write`] if the disk refuses; [`LedgerError::Shape`] if a file was taken and
    /// not given back. Then nothing is shown.
    pub fn finish(self) -> Result<Vec<(Table, u64)>, LedgerError> {
        let mut closed = Vec::with_capacity(self.files.len());
        for (table, file) in self.files {
            closed.push(file.ok_or_else(|| absent(table))?.close()?);
        }
        let rows = closed.iter().map(|file| (file.table, file.rows)).collect();
        for file in closed {
            file.publish()?;
        }
        Ok(rows)
    }

    fn slot(&mut self, table: Table) -> Option<&mut Option<TableFile>> {
        self.files
            .iter_mut()
            .find(|(of, _)| *of == table)
            .map(|(_, file)| file)
    }
}

fn absent(table: Table) -> LedgerError {
    LedgerError::Shape {
        table: table.name(),
        found: "the folder does not have the table at hand".to_owned(),
    }
}
