//! Files that are known and hold nothing to tie out.

use std::borrow::Cow;

use tieout_core::schema::Table;
use tieout_core::{FindingCode, Severity};

use crate::canonical::blocks::Blocks;
use crate::canonical::header::first_line;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::{Intake, Notice};
use crate::transport::SourceFile;

/// The answers that lie beside generated data.
pub(crate) struct Truth;

impl Format for Truth {
    fn name(&self) -> &'static str {
        "truth"
    }

    fn about(&self) -> String {
        "the right answers beside generated data (truth_file,truth_line,...)".to_owned()
    }

    fn role(&self) -> Role {
        Role::Nothing
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        first_line(head).starts_with(b"truth_file,truth_line")
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let found = "the answers beside generated data";
        count_lines(file, settings, receiver, found)
    }
}

/// A table that a run wrote.
pub(crate) struct RunOutput;

impl Format for RunOutput {
    fn name(&self) -> &'static str {
        "tieout_output"
    }

    fn about(&self) -> String {
        "a table that a run of tieout wrote as CSV".to_owned()
    }

    fn role(&self) -> Role {
        Role::Nothing
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        is_run_output(first_line(head))
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        count_lines(file, settings, receiver, "a table that a run wrote")
    }
}

/// Whether a header is that of a table which a run wrote.
pub(super) fn is_run_output(header: &[u8]) -> bool {
    let header = header.trim_ascii_end();
    let mut tables = Table::OUTPUTS.into_iter();
    tables.any(|table| is_header_of(table, header))
}

fn is_header_of(table: Table, line: &[u8]) -> bool {
    let schema = table.schema();
    let columns = schema.fields().iter().take(table.contract_columns());
    columns
        .map(|field| field.name().as_bytes())
        .eq(line.split(|&byte| byte == b','))
}

fn count_lines(
    file: &SourceFile,
    settings: &Settings,
    receiver: &mut dyn Receiver,
    found: &str,
) -> Result<Counts, ReadError> {
    let source = file.open().map_err(|error| file.refused(error))?;
    let mut blocks = Blocks::new(source, &file.name, settings.chunk_bytes);
    blocks.skip_to_end().map_err(|error| file.refused(error))?;
    let mut intake = Intake::new(file, receiver);
    intake.report(Notice {
        severity: Severity::Info,
        code: FindingCode::NotMoneyFile,
        line: None,
        found: found.to_owned(),
        expected: String::new(),
        action: Cow::Borrowed("nothing to do; its lines were counted and not read"),
    })?;
    intake.counts.bytes = blocks.bytes();
    intake.counts.lines = blocks.lines();
    Ok(intake.counts)
}
