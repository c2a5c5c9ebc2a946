//! Bank lines that wait, for the second pass or for the statements: in memory while they are few,
//! then on disk, so that memory does not grow with the bank's files.

use std::io::{BufReader, Read, Seek, Write};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use tempfile::SpooledTempFile;
use tieout_core::schema::parsed_remittance_lines;

use crate::EngineError;
use crate::intake::{arrow, internal};

/// Bytes of batches that are kept as they are, and of each stream that are kept in memory.
const IN_MEMORY_BYTES: usize = 32 << 20;

/// Bank lines that wait, in the order of their arrival, each with a number.
pub struct Waiting {
    schema: SchemaRef,
    /// All of them, while they are few.
    held: Vec<WaitingBatch>,
    held_bytes: usize,
    /// All of them, once they are many.
    streams: Option<Streams<StreamWriter<SpooledTempFile>>>,
}

/// Lines and their documents apart, and the numbers of each batch.
struct Streams<S> {
    transactions: S,
    lines: S,
    numbers: Vec<Vec<u32>>,
}

/// One batch of them.
#[derive(Clone)]
pub struct WaitingBatch {
    /// The lines.
    pub transactions: RecordBatch,
    /// Their documents.
    pub remittance_lines: RecordBatch,
    /// One number a line: its place in the sequence of payments, or its delivery's.
    pub numbers: Vec<u32>,
}

impl Waiting {
    /// Nothing waits; lines will have the shape `schema`.
    pub fn new(schema: &SchemaRef) -> Self {
        Self {
            schema: SchemaRef::clone(schema),
            held: Vec::new(),
            held_bytes: 0,
            streams: None,
        }
    }

    /// Lets the lines of `batch` wait.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary folder is full.
    pub fn push(&mut self, batch: WaitingBatch) -> Result<(), EngineError> {
        if let Some(streams) = &mut self.streams {
            return streams.push(batch);
        }
        self.held_bytes += batch.transactions.get_array_memory_size()
            + batch.remittance_lines.get_array_memory_size();
        self.held.push(batch);
        if self.held_bytes > IN_MEMORY_BYTES {
            let streams = self.streams.insert(Streams::new(&self.schema)?);
            for batch in std::mem::take(&mut self.held) {
                streams.push(batch)?;
            }
        }
        Ok(())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty() && self.streams.is_none()
    }

    /// What has waited, once all has come.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary files cannot be written.
    pub fn close(self) -> Result<Waited, EngineError> {
        let streams = self.streams.map(Streams::close).transpose()?;
        Ok(Waited {
            held: self.held,
            streams,
        })
    }

    /// The batches as they came.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary files cannot be read again.
    pub fn into_batches(
        self,
    ) -> Result<impl Iterator<Item = Result<WaitingBatch, EngineError>>, EngineError> {
        let Waited { held, streams } = self.close()?;
        let streamed = streams.map(Streams::into_batches).transpose()?;
        let held = held.into_iter().map(Ok);
        Ok(held.chain(streamed.into_iter().flatten()))
    }
}

impl Streams<StreamWriter<SpooledTempFile>> {
    fn new(schema: &SchemaRef) -> Result<Self, EngineError> {
        let spool = || tempfile::spooled_tempfile(IN_MEMORY_BYTES);
        Ok(Self {
            transactions: StreamWriter::try_new(spool(), schema).map_err(arrow)?,
            lines: StreamWriter::try_new(spool(), &parsed_remittance_lines()).map_err(arrow)?,
            numbers: Vec::new(),
        })
    }

    fn push(&mut self, batch: WaitingBatch) -> Result<(), EngineError> {
        self.transactions
            .write(&batch.transactions)
            .map_err(arrow)?;
        self.lines.write(&batch.remittance_lines).map_err(arrow)?;
        self.numbers.push(batch.numbers);
        Ok(())
    }

    fn close(self) -> Result<Streams<SpooledTempFile>, EngineError> {
        Ok(Streams {
            transactions: self.transactions.into_inner().map_err(arrow)?,
            lines: self.lines.into_inner().map_err(arrow)?,
            numbers: self.numbers,
        })
    }
}

/// Bank lines that have waited, to be read as often as wanted.
pub struct Waited {
    held: Vec<WaitingBatch>,
    streams: Option<Streams<SpooledTempFile>>,
}

impl Waited {
    /// The batches as they came.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary files cannot be read again.
    pub fn batches(
        &mut self,
    ) -> Result<impl Iterator<Item = Result<WaitingBatch, EngineError>> + '_, EngineError> {
        let streams = self.streams.as_mut().map(|streams| Streams {
            transactions: &mut streams.transactions,
            lines: &mut streams.lines,
            numbers: streams.numbers.clone(),
        });
        let streamed = streams.map(Streams::into_batches).transpose()?;
        let held = self.held.iter().cloned().map(Ok);
        Ok(held.chain(streamed.into_iter().flatten()))
    }
}

impl<F: Read + Write + Seek> Streams<F> {
    fn into_batches(
        self,
    ) -> Result<impl Iterator<Item = Result<WaitingBatch, EngineError>>, EngineError> {
        let batches = reader(self.transactions)?
            .zip(reader(self.lines)?)
            .zip(self.numbers);
        Ok(batches.map(|((transactions, lines), numbers)| {
            Ok(WaitingBatch {
                transactions: transactions.map_err(arrow)?,
                remittance_lines: lines.map_err(arrow)?,
                numbers,
            })
        }))
    }
}

fn reader<F: Read + Write + Seek>(mut spool: F) -> Result<StreamReader<BufReader<F>>, EngineError> {
    spool
        .flush()
        .and_then(|()| spool.rewind())
        .map_err(internal)?;
    StreamReader::try_new(BufReader::new(spool), None).map_err(arrow)
}
