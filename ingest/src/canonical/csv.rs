//! Canonical input as separated text with a header.

use std::io::Read;

use tieout_core::QuarantineReason;

use crate::canonical::blocks::{Block, Blocks};
use crate::canonical::columns::Kind;
use crate::canonical::delivery::{Delivery, HeaderPlace, missing_message};
use crate::canonical::flow::parse_blocks;
use crate::canonical::header::{Header, Mapping};
use crate::canonical::returns::{read_with_line_feeds, with_line_feeds};
use crate::canonical::rows::Shape;
use crate::canonical::separated::Separated;
use crate::canonical::text::decode;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::registry::HEAD_BYTES;
use crate::transport::SourceFile;

/// Separated text of one kind.
pub(crate) struct Csv(pub(super) Kind);

impl Format for Csv {
    fn name(&self) -> &'static str {
        match self.0 {
            Kind::OpenItems => "open_items.csv",
            Kind::Remittances => "remittances.csv",
            Kind::Parties => "parties.csv",
            Kind::Accounts => "accounts.csv",
            Kind::ExchangeRates => "exchange_rates.csv",
        }
    }

    fn about(&self) -> String {
        format!(
            "{} as text with a header; separated by comma, semicolon, tab or bar; columns {}",
            self.0.title(),
            self.0.column_names()
        )
    }

    fn role(&self) -> Role {
        self.0.role()
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        Header::read(&with_line_feeds(head)).is_some_and(|header| header.kind == self.0)
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let refused = |error| file.refused(error);
        let head = file.head(HEAD_BYTES).map_err(refused)?;
        let source = read_with_line_feeds(&head, file.open().map_err(refused)?);
        let mut reading = Reading {
            file,
            settings,
            blocks: Blocks::new(source, &file.name, settings.chunk_bytes),
            delivery: Delivery::new(self.0, file, receiver),
        };
        reading.run()?;
        reading.delivery.intake.counts.bytes = reading.blocks.bytes();
        reading.delivery.intake.counts.lines = reading.blocks.lines();
        Ok(reading.delivery.finish()?)
    }
}

struct Reading<'a> {
    file: &'a SourceFile,
    settings: &'a Settings,
    blocks: Blocks<Box<dyn Read + Send>>,
    delivery: Delivery<'a>,
}

impl Reading<'_> {
    fn run(&mut self) -> Result<(), ReadError> {
        let first = self.blocks.first_line();
        let Some(line) = first.map_err(|error| self.file.refused(error))? else {
            return Ok(());
        };
        let header = Header::read(&line.bytes);
        let names = header.as_ref().map_or(&[][..], |header| &header.names);
        let mapping = Mapping::new(self.delivery.kind, names);
        mapping.report(&mut self.delivery.intake, Some(line.first_line))?;
        match header {
            Some(header) if mapping.missing.is_empty() => self.rows(&line, &header, mapping),
            _ => self.no_rows(&line, &mapping),
        }
    }

    fn rows(&mut self, line: &Block, header: &Header, mapping: Mapping) -> Result<(), ReadError> {
        if decode(&line.bytes).1 {
            self.delivery.converted(line.first_line);
        }
        let parser = Separated {
            separator: header.separator,
            width: header.names.len(),
            unknown: mapping.kept_unknown(),
            shape: Shape {
                kind: mapping.kind,
                file: self.file.name.clone(),
                positions: mapping.positions,
                batch_rows: self.settings.batch_rows.max(1),
            },
        };
        self.blocks.expect_fields(header.separator);
        let delivery = &mut self.delivery;
        let threads = self.settings.threads;
        parse_blocks(
            self.file,
            &mut self.blocks,
            &parser,
            threads,
            &mut |parsed| Ok(delivery.hand_over(parsed)?),
        )
    }

    fn no_rows(&mut self, line: &Block, mapping: &Mapping) -> Result<(), ReadError> {
        let place = HeaderPlace {
            line: line.first_line,
            byte_start: line.start,
            text: line.bytes.trim_ascii_end(),
        };
        let reason = QuarantineReason::MissingField;
        self.delivery
            .refuse_header(&place, reason, missing_message(mapping))?;
        let skipped = self.blocks.skip_to_end();
        skipped.map_err(|error| self.file.refused(error))
    }
}
