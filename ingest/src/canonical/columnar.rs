//! Canonical input as Parquet.
//!
//! Each column becomes text as the other files have it, so that the same rules hold. Amounts
//! must be decimals, integers or text: a float cannot hold every amount exactly. Lines are rows,
//! counted from 1; a row in quarantine is shown as a JSON object.

use std::borrow::Cow;
use std::fmt::Display;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use tieout_core::{FindingCode, QuarantineReason, QuarantinedLine, Severity};

use crate::canonical::columns::{Content, Kind};
use crate::canonical::delivery::{Delivery, HeaderPlace, missing_message};
use crate::canonical::extra::ExtraObject;
use crate::canonical::header::{Mapping, UnknownColumn};
use crate::canonical::rows::{Record, Rows, Shape};
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings, Stopped};
use crate::intake::Notice;
use crate::transport::SourceFile;

const MAGIC: &[u8] = b"PAR1";
/// Rows that are decoded at once.
const DECODED_ROWS_MAX: usize = 1 << 16;

/// Parquet of one kind.
pub(crate) struct Columnar(pub(super) Kind);

impl Format for Columnar {
    fn name(&self) -> &'static str {
        match self.0 {
            Kind::OpenItems => "open_items.parquet",
            Kind::Remittances => "remittances.parquet",
            Kind::Parties => "parties.parquet",
            Kind::Accounts => "accounts.parquet",
            Kind::ExchangeRates => "exchange_rates.parquet",
        }
    }

    fn about(&self) -> String {
        let title = self.0.title();
        format!("{title} as Parquet, with the same names; amounts as decimals, integers or text")
    }

    fn role(&self) -> Role {
        self.0.role()
    }

    /// The names stand at the end of the file, so that its beginning tells nothing.
    fn recognizes(&self, _head: &[u8]) -> bool {
        false
    }

    fn recognizes_file(&self, file: &SourceFile, head: &[u8]) -> bool {
        let is_parquet = head.starts_with(MAGIC);
        is_parquet
            && file.is_plain()
            && names_of(&file.path).is_some_and(|names| Kind::of(&names) == Some(self.0))
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let source = File::open(&file.path).map_err(|error| file.refused(error))?;
        let length = source
            .metadata()
            .map_err(|error| file.refused(error))?
            .len();
        let mut delivery = Delivery::new(self.0, file, receiver);
        delivery.intake.counts.bytes = length;
        match guarded(|| ParquetRecordBatchReaderBuilder::try_new(source)) {
            Ok(builder) => read_columns(file, settings, builder, &mut delivery)?,
            Err(error) => delivery.intake.report(unreadable(0, &error))?,
        }
        Ok(delivery.finish()?)
    }
}

fn names_of(path: &Path) -> Option<Vec<String>> {
    let source = File::open(path).ok()?;
    let builder = guarded(|| ParquetRecordBatchReaderBuilder::try_new(source)).ok()?;
    Some(names(builder.schema()))
}

fn names(schema: &SchemaRef) -> Vec<String> {
    let fields = schema.fields().iter();
    fields
        .map(|field| field.name().trim().to_ascii_lowercase())
        .collect()
}

fn read_columns(
    file: &SourceFile,
    settings: &Settings,
    builder: ParquetRecordBatchReaderBuilder<File>,
    delivery: &mut Delivery<'_>,
) -> Result<(), ReadError> {
    let schema = SchemaRef::clone(builder.schema());
    let mapping = Mapping::new(delivery.kind, &names(&schema));
    mapping.report(&mut delivery.intake, None)?;
    if let Some((reason, message)) = refusal(&mapping, &schema, delivery)? {
        let text = names(&schema).join(",");
        let place = HeaderPlace {
            line: 1,
            byte_start: 0,
            text: text.as_bytes(),
        };
        delivery.intake.counts.lines = builder.metadata().file_metadata().num_rows().max(0) as u64;
        return Ok(delivery.refuse_header(&place, reason, message)?);
    }
    let batch_rows = settings.batch_rows.clamp(1, DECODED_ROWS_MAX);
    let table = Table {
        file,
        unknown: mapping.kept_unknown(),
        shape: Shape {
            kind: mapping.kind,
            file: file.name.clone(),
            positions: mapping.positions,
            batch_rows,
        },
    };
    match guarded(|| builder.with_batch_size(batch_rows).build()) {
        Ok(reader) => table.read(reader, delivery),
        Err(error) => Ok(delivery.intake.report(unreadable(0, &error))?),
    }
}

/// Takes a step of the decoder, which panics over some kinds of damage.
fn guarded<T, E: Display>(step: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(step)) {
        Ok(outcome) => outcome.map_err(|error| error.to_string()),
        Err(_) => Err("the data pages are damaged".to_owned()),
    }
}

/// Why the file's columns cannot be read, if they cannot.
fn refusal(
    mapping: &Mapping,
    schema: &SchemaRef,
    delivery: &mut Delivery<'_>,
) -> Result<Option<(QuarantineReason, String)>, Stopped> {
    if !mapping.missing.is_empty() {
        let message = missing_message(mapping);
        return Ok(Some((QuarantineReason::MissingField, message)));
    }
    let mut unusable = Vec::new();
    for (column, position) in mapping.kind.columns().iter().zip(&mapping.positions) {
        let Some(position) = position else { continue };
        let data_type = schema.field(*position).data_type();
        if !fits(column.content, data_type) {
            unusable.push(column.name);
            let notice = unusable_notice(column.name, column.content, data_type);
            delivery.intake.report(notice)?;
        }
    }
    let message = || {
        let names = unusable.join(", ");
        format!(
            "the type of {names} is not one that can be read exactly, so that nothing of the \
             file was read; write the column as the finding says and run again"
        )
    };
    Ok((!unusable.is_empty()).then(|| (QuarantineReason::BadValue, message())))
}

fn unusable_notice(name: &str, content: Content, data_type: &DataType) -> Notice {
    let (expected, action) = match content {
        Content::Money => (
            "a decimal, an integer or text",
            "nothing of the file was read: a float cannot hold every amount exactly; write the \
             column as decimal(23, 5) or as text",
        ),
        Content::Rate => (
            "a decimal, an integer or text",
            "nothing of the file was read: a float cannot hold every rate exactly; write the \
             column as decimal(28, 12) or as text",
        ),
        Content::Day => (
            "a date, a timestamp or text",
            "nothing of the file was read; write the column as date",
        ),
        Content::Text | Content::ItemKind | Content::Currency => (
            "text or an integer",
            "nothing of the file was read; write the column as text",
        ),
    };
    Notice {
        severity: Severity::Error,
        code: FindingCode::UnusableColumn,
        line: None,
        found: format!("column {name} of type {data_type}"),
        expected: expected.to_owned(),
        action: Cow::Borrowed(action),
    }
}

fn fits(content: Content, data_type: &DataType) -> bool {
    match data_type {
        DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => fits(content, values),
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => content == Content::Day,
        DataType::Decimal32(_, scale)
        | DataType::Decimal64(_, scale)
        | DataType::Decimal128(_, scale)
        | DataType::Decimal256(_, scale) => {
            matches!(content, Content::Money | Content::Rate)
                || content == Content::Text && *scale == 0
        }
        other if other.is_integer() => {
            matches!(content, Content::Money | Content::Rate | Content::Text)
        }
        _ => false,
    }
}

fn unreadable(rows: u64, error: &str) -> Notice {
    Notice {
        severity: Severity::Error,
        code: FindingCode::UnreadableFile,
        line: Some(rows + 1),
        found: format!("{error}, after {rows} rows"),
        expected: "a whole Parquet file, not compressed or compressed with Snappy or zstd"
            .to_owned(),
        action: Cow::Borrowed("the rows before were read; write the file again"),
    }
}

/// How the rows of one file are read.
struct Table<'a> {
    file: &'a SourceFile,
    shape: Shape,
    unknown: Vec<UnknownColumn>,
}

/// The columns in the order of the file; none where a column is not used.
type TextColumns = Vec<Option<StringArray>>;

/// One row of columns that are text.
struct Row<'a> {
    columns: &'a [Option<StringArray>],
    row: usize,
}

impl Record for Row<'_> {
    fn value(&self, position: usize) -> &str {
        match self.columns.get(position) {
            Some(Some(column)) if column.is_valid(self.row) => column.value(self.row),
            _ => "",
        }
    }
}

impl Table<'_> {
    fn read(
        &self,
        mut reader: ParquetRecordBatchReader,
        delivery: &mut Delivery<'_>,
    ) -> Result<(), ReadError> {
        loop {
            let read = delivery.intake.counts.lines;
            match guarded(|| self.next_columns(&mut reader)) {
                Ok(Some((columns, rows))) => self.rows(&columns, rows, read + 1, delivery)?,
                Ok(None) => return Ok(()),
                Err(error) => return Ok(delivery.intake.report(unreadable(read, &error))?),
            }
        }
    }

    /// The columns of the next rows as text, and how many rows they have.
    fn next_columns(
        &self,
        reader: &mut ParquetRecordBatchReader,
    ) -> Result<Option<(TextColumns, usize)>, ArrowError> {
        let Some(batch) = reader.next().transpose()? else {
            return Ok(None);
        };
        Ok(Some((self.text_of(&batch)?, batch.num_rows())))
    }

    /// The columns as text; none for those that cannot be text and are not of the list.
    fn text_of(&self, batch: &RecordBatch) -> Result<TextColumns, ArrowError> {
        let is_used = |position: usize| {
            self.shape.positions.contains(&Some(position))
                || self
                    .unknown
                    .iter()
                    .any(|column| column.position == position)
        };
        let columns = batch.columns().iter().enumerate();
        columns
            .map(|(position, column)| {
                let has_text = can_cast_types(column.data_type(), &DataType::Utf8);
                (is_used(position) && has_text)
                    .then(|| as_text(column))
                    .transpose()
            })
            .collect()
    }

    fn rows(
        &self,
        columns: &[Option<StringArray>],
        count: usize,
        first: u64,
        delivery: &mut Delivery<'_>,
    ) -> Result<(), ReadError> {
        let mut rows = Rows::new(&self.shape, count);
        let mut extra = ExtraObject::default();
        let mut refused = Vec::new();
        for (row, line) in (0..count).zip(first..) {
            let record = Row { columns, row };
            extra.clear();
            for column in &self.unknown {
                extra.add_text(&column.name, record.value(column.position));
            }
            if let Err(refusal) = rows.push(&record, extra.finish(), line) {
                refused.push(QuarantinedLine {
                    file: self.file.name.clone(),
                    line,
                    byte_start: 0,
                    byte_end: 0,
                    reason: refusal.reason,
                    message: refusal.message,
                    raw: self.shown(&record).into_bytes(),
                });
            }
        }
        let batches = rows
            .finish()
            .map_err(|error| delivery.intake.internal(&error))?;
        delivery.intake.counts.lines += count as u64;
        batches
            .into_iter()
            .try_for_each(|batch| delivery.rows(batch))?;
        Ok(refused
            .into_iter()
            .try_for_each(|line| delivery.refused(line))?)
    }

    /// The row as a JSON object.
    fn shown(&self, record: &Row<'_>) -> String {
        let mut object = ExtraObject::default();
        for (column, position) in self.shape.kind.columns().iter().zip(&self.shape.positions) {
            if let Some(position) = position {
                object.add_text(column.name, record.value(*position));
            }
        }
        for column in &self.unknown {
            object.add_text(&column.name, record.value(column.position));
        }
        object.finish().to_owned()
    }
}

/// The values as text; a value that has none is an error, not a null.
fn as_text(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let cast = |array: &ArrayRef, to: &DataType| cast_with_options(array, to, &options);
    let dated = match column.data_type() {
        // The day by universal time: the zone's own day would need its calendar.
        DataType::Timestamp(unit, _) => {
            let counts = cast(column, &DataType::Int64)?;
            let plain = cast(&counts, &DataType::Timestamp(*unit, None))?;
            cast(&plain, &DataType::Date32)?
        }
        DataType::Date64 => cast(column, &DataType::Date32)?,
        _ => ArrayRef::clone(column),
    };
    let text = cast(&dated, &DataType::Utf8)?;
    let text = text.as_any().downcast_ref::<StringArray>().cloned();
    text.ok_or_else(|| ArrowError::CastError("not text after all".to_owned()))
}
