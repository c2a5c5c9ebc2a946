//! The tables of one posting as Parquet files. They are made from the journal and can be made
//! again from it at any time.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tieout_core::schema::Table;

use crate::annex;
use crate::journal::{Event, EventKind, Journal};
use crate::manifest::{damaged, stored_name};
use crate::writer::TableWriter;
use crate::{FileFormat, LedgerError};

/// The column that says which posting brought a row.
pub const POSTING: &str = "posting";

/// The columns of a stored table: the table's own, and the posting.
pub fn stored_schema(table: Table) -> SchemaRef {
    let schema = table.schema();
    if schema.column_with_name(POSTING).is_some() {
        return schema;
    }
    let posting = Arc::new(Field::new(POSTING, DataType::UInt64, false));
    let fields = schema.fields().iter().cloned().chain([posting]);
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// One file of a posting.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct StoredTable {
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// BLAKE3 of the file.
    pub(crate) digest: String,
}

/// The files of a posting in the making.
pub(crate) struct PostedTables {
    dir: PathBuf,
    posting: u64,
    /// Whether they are kept for years as they are.
    is_history: bool,
    files: BTreeMap<&'static str, (TableWriter<Digested>, PathBuf)>,
}

impl PostedTables {
    /// Begins in the folder `dir`, which is emptied.
    pub(crate) fn begin(dir: &Path, posting: u64) -> Result<Self, LedgerError> {
        remove(dir)?;
        fs::create_dir_all(dir).map_err(LedgerError::write(dir))?;
        Ok(Self {
            dir: dir.to_owned(),
            posting,
            is_history: false,
            files: BTreeMap::new(),
        })
    }

    /// Begins those of several postings together, from the posting `first` on.
    pub(crate) fn begin_history(dir: &Path, first: u64) -> Result<Self, LedgerError> {
        let tables = Self::begin(dir, first)?;
        Ok(Self {
            is_history: true,
            ..tables
        })
    }

    /// What follows is of the posting `number`.
    pub(crate) fn go_on_with(&mut self, number: u64) {
        self.posting = number;
    }

    pub(crate) fn write(&mut self, table: Table, batch: &RecordBatch) -> Result<(), LedgerError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let schema = stored_schema(table);
        if !self.files.contains_key(table.name()) {
            let path = self.dir.join(file_name(table));
            let file = File::create(&path).map_err(LedgerError::write(&path))?;
            let file = Digested::of(file);
            let writer = if self.is_history {
                annex::of(table).and_then(|annexes| TableWriter::for_years(file, &schema, annexes))
            } else {
                TableWriter::new(file, &schema, FileFormat::Parquet)
            };
            let writer = writer.map_err(LedgerError::write(&path))?;
            self.files.insert(table.name(), (writer, path));
        }
        let Some((writer, path)) = self.files.get_mut(table.name()) else {
            return Ok(());
        };
        let mut columns = batch.columns().to_vec();
        if columns.len() < schema.fields().len() {
            let posting = UInt64Array::from(vec![self.posting; batch.num_rows()]);
            columns.push(Arc::new(posting));
        }
        RecordBatch::try_new(schema, columns)
            .map_err(io::Error::other)
            .and_then(|stored| writer.write(&stored))
            .map_err(LedgerError::write(path))
    }

    /// What the events say of themselves, as rows of the table `journal`.
    pub(crate) fn write_journal<'a>(
        &mut self,
        events: &'a [(Event, Value)],
    ) -> Result<(), LedgerError> {
        let events = events.iter();
        let numbers = |of: fn(&Event) -> u64| -> UInt64Array {
            events.clone().map(|(event, _)| Some(of(event))).collect()
        };
        let texts = |of: &dyn Fn(&'a Event) -> Option<String>| -> StringArray {
            events.clone().map(|(event, _)| of(event)).collect()
        };
        let said = |name: &str| -> StringArray {
            events
                .clone()
                .map(|(_, said)| said[name].as_str())
                .collect()
        };
        let batch = RecordBatch::try_new(
            Table::Journal.schema(),
            vec![
                Arc::new(numbers(|event| event.sequence)),
                Arc::new(numbers(|event| event.posting)),
                Arc::new(texts(&|event| Some(event.at.to_string()))),
                Arc::new(texts(&|event| Some(event.kind.code().to_owned()))),
                Arc::new(texts(&|event| {
                    Some(event.subject.clone()).filter(|subject| !subject.is_empty())
                })),
                Arc::new(said("actor")),
                Arc::new(said("action")),
                Arc::new(said("reason")),
                Arc::new(texts(&|event| Some(event.hash.to_string()))),
                Arc::new(said("payment_id")),
                Arc::new(said("owner")),
                Arc::new(said("deadline")),
            ],
        );
        let batch = batch.map_err(|error| LedgerError::Shape {
            table: Table::Journal.name(),
            found: error.to_string(),
        })?;
        self.write(Table::Journal, &batch)
    }

    /// Closes the files; they are on disk, under their names, in the folder it was begun in.
    pub(crate) fn close(self) -> Result<BTreeMap<String, StoredTable>, LedgerError> {
        let mut stored = BTreeMap::new();
        for (name, (writer, path)) in self.files {
            let rows = writer.rows();
            let digested = writer.finish().map_err(LedgerError::write(&path))?;
            digested.out.sync_all().map_err(LedgerError::write(&path))?;
            let table = StoredTable {
                rows,
                bytes: digested.bytes,
                digest: digested.hasher.finalize().to_hex().to_string(),
            };
            stored.insert(name.to_owned(), table);
        }
        sync_dir(&self.dir)?;
        Ok(stored)
    }
}

/// Writes the tables of the posting `number` again, from the journal, into `dir`. Gives what is
/// stored, the posting's last event, and the recipe if it was a run.
pub(crate) fn rebuild(
    journal: &Journal,
    first: u64,
    number: u64,
    dir: &Path,
) -> Result<Option<Rebuilt>, LedgerError> {
    let mut tables = PostedTables::begin(dir, number)?;
    let mut events = Vec::new();
    let mut recipe = None;
    journal.events(first, |event| {
        if event.posting != number {
            return Ok(event.posting < number);
        }
        let said = if event.kind.is_json() {
            match journal.payload(event.sequence)? {
                crate::journal::Payload::Json(said) => said,
                crate::journal::Payload::Batches(_) => Value::Null,
            }
        } else {
            write_again(journal, &event, &mut tables)?;
            Value::Null
        };
        if event.kind == EventKind::Cutoff {
            recipe = said["recipe"].as_str().map(str::to_owned);
        }
        events.push((event, said));
        Ok(true)
    })?;
    tables.write_journal(&events)?;
    let stored = tables.close()?;
    Ok(events.pop().map(|(last, _)| Rebuilt {
        stored,
        last,
        recipe,
    }))
}

/// A posting whose tables were written again.
pub(crate) struct Rebuilt {
    pub(crate) stored: BTreeMap<String, StoredTable>,
    pub(crate) last: Event,
    pub(crate) recipe: Option<String>,
}

fn write_again(
    journal: &Journal,
    event: &Event,
    tables: &mut PostedTables,
) -> Result<(), LedgerError> {
    journal.table_rows(event, |table, batch| tables.write(table, batch))
}

/// The name of a table's file.
pub(crate) fn file_name(table: Table) -> String {
    stored_name(table.name())
}

/// Removes a folder with all in it, if it is there.
pub(crate) fn remove(dir: &Path) -> Result<(), LedgerError> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(LedgerError::write(dir)(error))
        }
        _ => Ok(()),
    }
}

/// Puts the names in a folder on disk.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), LedgerError> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(LedgerError::write(dir))
}

/// Puts `bytes` into the file `name` of the folder `dir`, by way of the file `partial`: whoever reads
/// it has what was there, or all of the new.
pub(crate) fn write_whole(
    dir: &Path,
    name: &str,
    partial: &str,
    bytes: &[u8],
) -> Result<(), LedgerError> {
    let (path, partial) = (dir.join(name), dir.join(partial));
    File::create(&partial)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&partial, &path))
        .map_err(LedgerError::write(&path))?;
    sync_dir(dir)
}

/// BLAKE3 of a file, and its size.
fn digest_of(path: &Path) -> Result<(String, u64), LedgerError> {
    let mut hasher = blake3::Hasher::new();
    File::open(path)
        .and_then(|file| hasher.update_reader(file).map(drop))
        .map_err(LedgerError::read(path))?;
    Ok((hasher.finalize().to_hex().to_string(), hasher.count()))
}

/// Whether the file is as it was written.
pub(crate) fn check(path: &Path, stored: &StoredTable) -> Result<(), LedgerError> {
    if digest_of(path)? == (stored.digest.clone(), stored.bytes) {
        return Ok(());
    }
    Err(damaged(path, "the file is not as it was written"))
}

/// A file that knows its digest.
struct Digested {
    out: File,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Digested {
    fn of(out: File) -> Self {
        Self {
            out,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        }
    }
}

impl Write for Digested {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let written = self.out.write(data)?;
        self.hasher.update(&data[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
