//! One stream of rows in any of the formats.

use std::collections::HashSet;
use std::io::{self, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};

use crate::FileFormat;
use crate::annex::Annex;
use crate::parquet_file::ParquetFile;
use crate::text::TextFile;

/// Writes batches of one schema to `W`. Many small writes are gathered into few large ones.
pub struct TableWriter<W: Write + Send> {
    rendering: Rendering<W>,
    rows: u64,
}

enum Rendering<W: Write + Send> {
    Text(TextFile<W>),
    Parquet(Box<ParquetFile<W>>),
}

impl<W: Write + Send> TableWriter<W> {
    /// A writer of the columns of `schema`. Batches may have more columns after these.
    ///
    /// # Errors
    /// An [`io::Error`] if two columns have one name and the format knows columns by name.
    pub fn new(out: W, schema: &SchemaRef, format: FileFormat) -> io::Result<Self> {
        if format != FileFormat::Csv {
            check_names(schema)?;
        }
        let rendering = match format {
            FileFormat::Csv => Rendering::Text(TextFile::csv(out, schema)),
            FileFormat::Json => Rendering::Text(TextFile::json(out, schema)),
            FileFormat::Parquet => Rendering::Parquet(Box::new(ParquetFile::new(out, schema)?)),
        };
        Ok(Self { rendering, rows: 0 })
    }

    /// A writer of Parquet that is kept for years, with its annexes.
    ///
    /// # Errors
    /// An [`io::Error`] if two columns have one name.
    pub(crate) fn for_years(
        out: W,
        schema: &SchemaRef,
        annexes: Vec<Box<dyn Annex>>,
    ) -> io::Result<Self> {
        check_names(schema)?;
        let file = ParquetFile::for_years(out, schema, annexes)?;
        Ok(Self {
            rendering: Rendering::Parquet(Box::new(file)),
            rows: 0,
        })
    }

    /// Writes the rows of `batch`.
    ///
    /// # Errors
    /// An [`io::Error`] of the stream below, or of a column that cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        match &mut self.rendering {
            Rendering::Text(file) => file.write(batch)?,
            Rendering::Parquet(file) => file.write(batch)?,
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// How many rows were written.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes what is left and gives the stream back.
    ///
    /// # Errors
    /// An [`io::Error`] of the stream below.
    pub fn finish(self) -> io::Result<W> {
        match self.rendering {
            Rendering::Text(file) => file.finish(),
            Rendering::Parquet(file) => file.finish(),
        }
    }
}

fn check_names(schema: &Schema) -> io::Result<()> {
    let mut seen = HashSet::new();
    match schema
        .fields()
        .iter()
        .find(|field| !seen.insert(field.name()))
    {
        None => Ok(()),
        Some(twice) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "two columns are named {0}: name one of them otherwise ({0} as other_{0})",
                twice.name()
            ),
        )),
    }
}
