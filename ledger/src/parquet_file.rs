//! Batches as Parquet.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::annex::{self, Annex};

/// Rows that one row group holds at most.
pub(crate) const GROUP_ROWS: usize = 1 << 18;
/// Bytes of a page, unpacked: so much is unpacked of a column for a single row, be it the first of a query or
/// one that is looked up.
const PAGE_BYTES: usize = 1 << 16;
/// Rows that are encoded at a time. Always the same number, so that the bytes of a file do not
/// depend on the batches that it came in.
const PIECE_ROWS: usize = 8_192;
/// Columns whose values hardly repeat: a dictionary would only be built to be thrown away, or be kept and
/// unpacked as a whole, up to a megabyte, for the first row of a query.
const UNIQUE: [&str; 16] = [
    "payment_id",
    "transaction_id",
    "item_id",
    "number",
    "item_number",
    "document_number",
    "po_number",
    "check_number",
    "payment_reference",
    "end_to_end_id",
    "source_line",
    "byte_start",
    "byte_end",
    "bank_reference",
    "remittance_text",
    "raw",
];

/// Columns by whose values single rows are looked up: in stored tables each has a Bloom filter for every
/// row group, which tells readers that a value is not there, so that they leave the file alone.
pub const LOOKED_UP: [&str; 7] = [
    "payment_id",
    "transaction_id",
    "item_id",
    "id",
    "number",
    "bank_reference",
    "end_to_end_id",
];
/// How often a filter may say that a value is there that is not. At this share a value takes eight and a
/// half bits, before the writer rounds up to a power of two; of a hundred files two are read for nothing at
/// most.
const FALSE_POSITIVES: f64 = 0.02;
/// Values for which filters have room while a file is made that is read soon. They are folded to the
/// size that they need; with more values than these they rule out less.
const VALUES_READ_SOON: u64 = 1 << 16;

/// Writes batches into a Parquet file.
pub(crate) struct ParquetFile<W: Write + Send> {
    schema: SchemaRef,
    pieces: BatchCoalescer,
    writer: ArrowWriter<W>,
    annexes: Vec<Box<dyn Annex>>,
}

impl<W: Write + Send> ParquetFile<W> {
    /// A file that is written and read soon: quick before small.
    pub(crate) fn new(out: W, schema: &SchemaRef) -> io::Result<Self> {
        Self::packed(
            out,
            schema,
            Packing {
                compression: Compression::SNAPPY,
                values: VALUES_READ_SOON,
            },
        )
    }

    /// A file that is kept for years, with its annexes.
    pub(crate) fn for_years(
        out: W,
        schema: &SchemaRef,
        annexes: Vec<Box<dyn Annex>>,
    ) -> io::Result<Self> {
        let packing = Packing {
            compression: Compression::ZSTD(ZstdLevel::default()),
            values: GROUP_ROWS as u64,
        };
        let file = Self::packed(out, schema, packing)?;
        Ok(Self { annexes, ..file })
    }

    fn packed(out: W, schema: &SchemaRef, packing: Packing) -> io::Result<Self> {
        let properties = properties(schema, packing);
        let writer =
            ArrowWriter::try_new(out, Arc::clone(schema), Some(properties)).map_err(as_io)?;
        Ok(Self {
            schema: Arc::clone(schema),
            pieces: BatchCoalescer::new(Arc::clone(schema), PIECE_ROWS),
            writer,
            annexes: Vec::new(),
        })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        let columns = batch.columns().iter().take(self.schema.fields().len());
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns.cloned().collect())
            .map_err(io::Error::other)?;
        self.pieces.push_batch(batch).map_err(io::Error::other)?;
        self.drain()
    }

    fn drain(&mut self) -> io::Result<()> {
        while let Some(piece) = self.pieces.next_completed_batch() {
            self.writer.write(&piece).map_err(as_io)?;
            for annex in &mut self.annexes {
                annex.add(&piece)?;
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.pieces
            .finish_buffered_batch()
            .map_err(io::Error::other)?;
        self.drain()?;
        let (mut writer, _) = self.writer.into_serialized_writer().map_err(as_io)?;
        for annex in self.annexes {
            let name = annex.name();
            let Some(bytes) = annex.finish()? else {
                continue;
            };
            let begin = writer.bytes_written() as u64;
            writer.write_all(&bytes)?;
            let place = annex::place(begin..begin + bytes.len() as u64);
            writer.append_key_value_metadata(KeyValue::new(annex::key(name), place));
        }
        writer.into_inner().map_err(as_io)
    }
}

/// How a file is packed.
#[derive(Clone, Copy)]
struct Packing {
    compression: Compression,
    /// Values for which the filters of a row group have room.
    values: u64,
}

fn properties(schema: &Schema, packing: Packing) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(packing.compression)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for field in schema.fields() {
        let path = ColumnPath::new(vec![field.name().clone()]);
        let is_amount = matches!(field.data_type(), DataType::Decimal128(..));
        if is_amount || UNIQUE.contains(&field.name().as_str()) {
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
        }
        if LOOKED_UP.contains(&field.name().as_str()) {
            properties = properties
                .set_column_bloom_filter_fpp(path.clone(), FALSE_POSITIVES)
                .set_column_bloom_filter_max_ndv(path.clone(), packing.values);
        }
        // Texts come in no order, so that their least and greatest would rule nothing out.
        if *field.data_type() == DataType::Utf8 {
            properties = properties.set_column_statistics_enabled(path, EnabledStatistics::None);
        }
    }
    properties.build()
}

/// The operating system's own error where it is one, so that a full disk or a reader that went
/// away is told as such.
fn as_io(error: ParquetError) -> io::Error {
    let system = error
        .source()
        .and_then(|source| source.downcast_ref::<io::Error>())
        .map(|source| match source.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(source.kind(), source.to_string()),
        });
    system.unwrap_or_else(|| io::Error::other(error))
}
