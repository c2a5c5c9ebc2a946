//! Canonical input as JSON lines: one object a line, the columns' names as keys.
//!
//! A key that is left out is an empty value. Amounts may be numbers or strings.

use std::borrow::Cow;

use arrow::error::ArrowError;
use tieout_core::{QuarantineReason, QuarantinedLine};

use crate::canonical::blocks::{Block, Blocks};
use crate::canonical::columns::Kind;
use crate::canonical::delivery::Delivery;
use crate::canonical::extra::ExtraObject;
use crate::canonical::fields::RECORD_BYTES_MAX;
use crate::canonical::flow::{BlockParser, Parsed, parse_blocks};
use crate::canonical::header::first_line;
use crate::canonical::json_object::{NotAnObject, Value, read_object};
use crate::canonical::rows::{Record, Refusal, Rows, Shape, shown};
use crate::canonical::separated::is_blank;
use crate::canonical::text::decode;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::RAW_BYTES_MAX;
use crate::transport::SourceFile;

/// JSON lines of one kind.
pub(crate) struct JsonLines(pub(super) Kind);

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        match self.0 {
            Kind::OpenItems => "open_items.jsonl",
            Kind::Remittances => "remittances.jsonl",
            Kind::Parties => "parties.jsonl",
            Kind::Accounts => "accounts.jsonl",
            Kind::ExchangeRates => "exchange_rates.jsonl",
        }
    }

    fn about(&self) -> String {
        let title = self.0.title();
        format!("{title} as JSON lines, with the same names; amounts as numbers or strings")
    }

    fn role(&self) -> Role {
        self.0.role()
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let line = decode(first_line(head)).0;
        let mut names = Vec::new();
        let read = read_object(&line, &mut |name, _, _| names.push(name));
        read.is_ok() && Kind::of(&names) == Some(self.0)
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let source = file.open().map_err(|error| file.refused(error))?;
        let mut blocks = Blocks::new(source, &file.name, settings.chunk_bytes);
        let marked = blocks.skip_byte_order_mark();
        marked.map_err(|error| file.refused(error))?;
        let mut delivery = Delivery::new(self.0, file, receiver);
        let parser = Objects::new(self.0, file, settings);
        parse_blocks(
            file,
            &mut blocks,
            &parser,
            settings.threads,
            &mut |parsed| Ok(delivery.hand_over(parsed)?),
        )?;
        delivery.intake.counts.bytes = blocks.bytes();
        delivery.intake.counts.lines = blocks.lines();
        Ok(delivery.finish()?)
    }
}

/// How the objects of one file are read.
struct Objects {
    shape: Shape,
}

impl Objects {
    fn new(kind: Kind, file: &SourceFile, settings: &Settings) -> Self {
        Self {
            shape: Shape {
                kind,
                file: file.name.clone(),
                positions: (0..kind.columns().len()).map(Some).collect(),
                batch_rows: settings.batch_rows.max(1),
            },
        }
    }
}

/// One object's values, in the order of the canonical columns.
struct Values<'a>(Vec<Option<Cow<'a, str>>>);

impl Record for Values<'_> {
    fn value(&self, position: usize) -> &str {
        match self.0.get(position) {
            Some(Some(value)) => value,
            _ => "",
        }
    }
}

impl BlockParser for Objects {
    fn parse(&self, block: &Block) -> Result<Parsed, ArrowError> {
        let mut rows = Rows::new(&self.shape, block.bytes.len() / 64 + 1);
        let mut extra = ExtraObject::default();
        let mut parsed = Parsed::default();
        let mut start = 0;
        for (line, with_end) in
            (block.first_line..).zip(block.bytes.split_inclusive(|byte| *byte == b'\n'))
        {
            let content = with_end.strip_suffix(b"\n").unwrap_or(with_end);
            let content = content.strip_suffix(b"\r").unwrap_or(content);
            if !is_blank(content) {
                let taken = self.take(content, line, &mut rows, &mut extra, &mut parsed);
                if let Err(refusal) = taken {
                    let start = block.start + start;
                    parsed
                        .refused
                        .push(self.put_aside(content, line, start, refusal));
                }
                rows.close_full_batch()?;
            }
            start += with_end.len() as u64;
        }
        parsed.batches = rows.finish()?;
        Ok(parsed)
    }
}

impl Objects {
    fn take(
        &self,
        content: &[u8],
        line: u64,
        rows: &mut Rows<'_>,
        extra: &mut ExtraObject,
        parsed: &mut Parsed,
    ) -> Result<(), Refusal> {
        if content.len() > RECORD_BYTES_MAX {
            return Err(too_long());
        }
        let (text, is_converted) = decode(content);
        if is_converted {
            parsed.notes.convert(line);
        }
        extra.clear();
        let values = self.values(&text, extra, &mut |name| {
            parsed.notes.unknown_name(name, line);
        })?;
        let extra = if self.shape.kind.has_extra() {
            extra.finish()
        } else {
            ""
        };
        rows.push(&values, extra, line)
    }

    fn values<'t>(
        &self,
        text: &'t str,
        extra: &mut ExtraObject,
        unknown: &mut dyn FnMut(&str),
    ) -> Result<Values<'t>, Refusal> {
        let columns = self.shape.kind.columns();
        let mut values = vec![None; columns.len()];
        let mut refusal = None;
        let read = read_object(text, &mut |name, value, raw| {
            let name = name.trim().to_ascii_lowercase();
            let Some(slot) = columns.iter().position(|column| column.name == name) else {
                unknown(&name);
                if value != Value::Null {
                    extra.add_json(&name, raw);
                }
                return;
            };
            match plain(&name, value, values[slot].is_some()) {
                Ok(text) => values[slot] = Some(text),
                Err(bad) => refusal = refusal.take().or(Some(bad)),
            }
        });
        read.map_err(|breach| not_an_object(text, breach))?;
        refusal.map_or(Ok(Values(values)), Err)
    }

    fn put_aside(
        &self,
        content: &[u8],
        line: u64,
        byte_start: u64,
        refusal: Refusal,
    ) -> QuarantinedLine {
        QuarantinedLine {
            file: self.shape.file.clone(),
            line,
            byte_start,
            byte_end: byte_start + content.len() as u64,
            reason: refusal.reason,
            message: refusal.message,
            raw: content[..content.len().min(RAW_BYTES_MAX)].to_vec(),
        }
    }
}

/// The value as the text that separated fields would have.
fn plain<'t>(name: &str, value: Value<'t>, is_repeated: bool) -> Result<Cow<'t, str>, Refusal> {
    if is_repeated {
        let message = format!(
            "key {name}: found twice, expected once; keep the value that is right and deliver \
             the row again"
        );
        let reason = QuarantineReason::BadStructure;
        return Err(Refusal { reason, message });
    }
    match value {
        Value::Text(text) => Ok(text),
        Value::Number(digits) => Ok(Cow::Borrowed(digits)),
        Value::Null => Ok(Cow::Borrowed("")),
        Value::Other(raw) => Err(Refusal {
            reason: QuarantineReason::BadValue,
            message: format!(
                "key {name}: found `{}`, expected a string or a number; several values in one \
                 are separated by `|`; correct the value and deliver the row again",
                shown(raw)
            ),
        }),
    }
}

#[cold]
fn not_an_object(text: &str, breach: NotAnObject) -> Refusal {
    let rest = text.get(breach.at..).unwrap_or_default();
    Refusal {
        reason: QuarantineReason::BadStructure,
        message: format!(
            "found `{}` at byte {} of the line, expected one whole JSON object a line; correct \
             the line and deliver it again",
            shown(rest),
            breach.at + 1
        ),
    }
}

#[cold]
fn too_long() -> Refusal {
    let reason = QuarantineReason::TooLong;
    Refusal {
        reason,
        message: crate::canonical::blocks::breach_message(reason),
    }
}
