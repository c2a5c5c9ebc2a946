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

/// Bytes of each stream that are kept in memory.
const IN_MEMORY_BYTES: usize = 32 << 20;

/// Bank lines that wait, in the order of their arrival, each with a number.
pub struct Waiting {
    transactions: StreamWriter<SpooledTempFile>,
    lines: StreamWriter<SpooledTempFile>,
    numbers: Vec<Vec<u32>>,
}

/// One batch of them.
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
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the stream cannot be begun.
    pub fn new(schema: &SchemaRef) -> Result<Self, EngineError> {
        let spool = || tempfile::spooled_tempfile(IN_MEMORY_BYTES);
        Ok(Self {
            transactions: StreamWriter::try_new(spool(), schema).map_err(arrow)?,
            lines: StreamWriter::try_new(spool(), &parsed_remittance_lines()).map_err(arrow)?,
            numbers: Vec::new(),
        })
    }

    /// Lets the lines of `batch` wait.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary folder is full.
    pub fn push(&mut self, batch: WaitingBatch) -> Result<(), EngineError> {
        self.transactions
            .write(&batch.transactions)
            .map_err(arrow)?;
        self.lines.write(&batch.remittance_lines).map_err(arrow)?;
        self.numbers.push(batch.numbers);
        Ok(())
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// What has waited, once all has come.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary files cannot be written.
    pub fn close(self) -> Result<Waited, EngineError> {
        Ok(Waited {
            transactions: self.transactions.into_inner().map_err(arrow)?,
            lines: self.lines.into_inner().map_err(arrow)?,
            numbers: self.numbers,
        })
    }

    /// The batches as they came.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary files cannot be read again.
    pub fn into_batches(
        self,
    ) -> Result<impl Iterator<Item = Result<WaitingBatch, EngineError>>, EngineError> {
        let waited = self.close()?;
        Ok(joined(
            reader(waited.transactions)?,
            reader(waited.lines)?,
            waited.numbers,
        ))
    }
}

/// Bank lines that have waited, to be read as often as wanted.
pub struct Waited {
    transactions: SpooledTempFile,
    lines: SpooledTempFile,
    numbers: Vec<Vec<u32>>,
}

impl Waited {
    /// The batches as they came.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary files cannot be read again.
    pub fn batches(
        &mut self,
    ) -> Result<impl Iterator<Item = Result<WaitingBatch, EngineError>> + '_, EngineError> {
        Ok(joined(
            reader(&mut self.transactions)?,
            reader(&mut self.lines)?,
            self.numbers.clone(),
        ))
    }
}

fn joined<R: Read>(
    transactions: StreamReader<R>,
    lines: StreamReader<R>,
    numbers: Vec<Vec<u32>>,
) -> impl Iterator<Item = Result<WaitingBatch, EngineError>> {
    let batches = transactions.zip(lines).zip(numbers);
    batches.map(|((transactions, lines), numbers)| {
        Ok(WaitingBatch {
            transactions: transactions.map_err(arrow)?,
            remittance_lines: lines.map_err(arrow)?,
            numbers,
        })
    })
}

fn reader<F: Read + Write + Seek>(mut spool: F) -> Result<StreamReader<BufReader<F>>, EngineError> {
    spool
        .flush()
        .and_then(|()| spool.rewind())
        .map_err(internal)?;
    StreamReader::try_new(BufReader::new(spool), None).map_err(arrow)
}
