//! Payments that wait for the second pass: in memory while they are few, then on disk, so that
//! memory does not grow with the bank's files.

use std::io::{BufReader, Seek as _, Write as _};

use arrow::array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use tempfile::SpooledTempFile;
use tieout_core::schema::{Table, parsed_remittance_lines};

use crate::EngineError;
use crate::intake::{arrow, internal};

/// Bytes of each stream that are kept in memory.
const IN_MEMORY_BYTES: usize = 32 << 20;

/// Payments that wait, in the order of their arrival.
pub struct Waiting {
    transactions: StreamWriter<SpooledTempFile>,
    lines: StreamWriter<SpooledTempFile>,
    sequences: Vec<Vec<u32>>,
}

/// One batch of them.
pub struct WaitingBatch {
    /// Rows of the table `transactions`.
    pub transactions: RecordBatch,
    /// Their documents.
    pub remittance_lines: RecordBatch,
    /// Their sequence numbers.
    pub sequences: Vec<u32>,
}

impl Waiting {
    /// Nothing waits.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the stream cannot be begun.
    pub fn new() -> Result<Self, EngineError> {
        let spool = || tempfile::spooled_tempfile(IN_MEMORY_BYTES);
        Ok(Self {
            transactions: StreamWriter::try_new(spool(), &Table::Transactions.schema())
                .map_err(arrow)?,
            lines: StreamWriter::try_new(spool(), &parsed_remittance_lines()).map_err(arrow)?,
            sequences: Vec::new(),
        })
    }

    /// Lets the payments of `batch` wait.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary folder is full.
    pub fn push(&mut self, batch: WaitingBatch) -> Result<(), EngineError> {
        self.transactions
            .write(&batch.transactions)
            .map_err(arrow)?;
        self.lines.write(&batch.remittance_lines).map_err(arrow)?;
        self.sequences.push(batch.sequences);
        Ok(())
    }

    /// The batches as they came.
    ///
    /// # Errors
    /// [`EngineError::Internal`] if the temporary files cannot be read again.
    pub fn into_batches(
        self,
    ) -> Result<impl Iterator<Item = Result<WaitingBatch, EngineError>>, EngineError> {
        let transactions = reader(self.transactions)?;
        let lines = reader(self.lines)?;
        let batches = transactions.zip(lines).zip(self.sequences);
        Ok(batches.map(|((transactions, lines), sequences)| {
            Ok(WaitingBatch {
                transactions: transactions.map_err(arrow)?,
                remittance_lines: lines.map_err(arrow)?,
                sequences,
            })
        }))
    }
}

fn reader(
    writer: StreamWriter<SpooledTempFile>,
) -> Result<StreamReader<BufReader<SpooledTempFile>>, EngineError> {
    let mut spool = writer.into_inner().map_err(arrow)?;
    spool
        .flush()
        .and_then(|()| spool.rewind())
        .map_err(internal)?;
    StreamReader::try_new(BufReader::new(spool), None).map_err(arrow)
}
