//! What one canonical file brings, handed over with what is said of the file as a whole.

use std::borrow::Cow;

use arrow::array::RecordBatch;
use tieout_core::{FindingCode, QuarantineReason, QuarantinedLine, Severity};

use crate::canonical::columns::Kind;
use crate::canonical::flow::{Notes, Parsed};
use crate::canonical::header::{Mapping, unknown_notice};
use crate::format::{Batch, Counts, Receiver, Stopped};
use crate::intake::{Intake, Notice, RAW_BYTES_MAX};
use crate::transport::SourceFile;

/// Hands over one file's rows.
pub(super) struct Delivery<'a> {
    pub kind: Kind,
    pub intake: Intake<'a>,
    notes: Notes,
    first_refused: Option<u64>,
}

/// Where a file names its columns.
pub(super) struct HeaderPlace<'a> {
    pub line: u64,
    pub byte_start: u64,
    pub text: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// Hands over what is read of `file`.
    pub fn new(kind: Kind, file: &'a SourceFile, receiver: &'a mut dyn Receiver) -> Self {
        Self {
            kind,
            intake: Intake::new(file, receiver),
            notes: Notes::default(),
            first_refused: None,
        }
    }

    /// Hands over what a part of the file became.
    pub fn hand_over(&mut self, parsed: Parsed) -> Result<(), Stopped> {
        for rows in parsed.batches {
            self.rows(rows)?;
        }
        for line in parsed.refused {
            self.refused(line)?;
        }
        self.notes.add(parsed.notes);
        Ok(())
    }

    /// Hands over rows.
    pub fn rows(&mut self, rows: RecordBatch) -> Result<(), Stopped> {
        self.intake.hand_over(self.kind.batch(rows))
    }

    /// Puts a line into quarantine.
    pub fn refused(&mut self, line: QuarantinedLine) -> Result<(), Stopped> {
        self.first_refused.get_or_insert(line.line);
        self.intake.hand_over(Batch::Quarantine(line))
    }

    /// Notes that the text of line `line` was converted.
    pub fn converted(&mut self, line: u64) {
        self.notes.convert(line);
    }

    /// Puts the header into quarantine for the whole file, whose columns are not enough.
    pub fn refuse_header(
        &mut self,
        place: &HeaderPlace<'_>,
        reason: QuarantineReason,
        message: String,
    ) -> Result<(), Stopped> {
        let raw = &place.text[..place.text.len().min(RAW_BYTES_MAX)];
        self.refused(QuarantinedLine {
            file: self.intake.file_name().to_owned(),
            line: place.line,
            byte_start: place.byte_start,
            byte_end: place.byte_start + place.text.len() as u64,
            reason,
            message,
            raw: raw.to_vec(),
        })
    }

    /// Says what is said once for the file, and gives the counts.
    pub fn finish(mut self) -> Result<Counts, Stopped> {
        for (name, line) in &self.notes.unknown {
            let notice = unknown_notice(self.kind, name, Some(*line));
            self.intake.report(notice)?;
        }
        if self.notes.converted > 0 {
            self.intake.report(self.converted_notice())?;
        }
        if let Some(first) = self.first_refused {
            let notice = quarantine_notice(&self.intake.counts, first);
            self.intake.report(notice)?;
        }
        if self.intake.counts.rows == 0 && self.intake.counts.quarantined == 0 {
            self.intake.report(self.no_rows_notice())?;
        }
        Ok(self.intake.counts)
    }

    fn converted_notice(&self) -> Notice {
        Notice {
            severity: Severity::Warning,
            code: FindingCode::ConvertedCharacters,
            line: self.notes.first_converted,
            found: format!("{} lines that are not UTF-8", self.notes.converted),
            expected: "UTF-8".to_owned(),
            action: Cow::Borrowed(
                "they were read as Windows-1252; check names with accents, or export the file \
                 as UTF-8",
            ),
        }
    }

    fn no_rows_notice(&self) -> Notice {
        Notice {
            severity: Severity::Warning,
            code: FindingCode::NotMoneyFile,
            line: None,
            found: format!("no rows of {}", self.kind.title()),
            expected: "at least one row after the column names".to_owned(),
            action: Cow::Borrowed("check that the export was complete"),
        }
    }
}

fn quarantine_notice(counts: &Counts, first: u64) -> Notice {
    let count = counts.quarantined;
    let rows = if count == 1 { "row" } else { "rows" };
    Notice {
        severity: Severity::Error,
        code: FindingCode::QuarantinedLines,
        line: Some(first),
        found: format!("{count} {rows} in quarantine, the first at line {first}"),
        expected: "every row readable".to_owned(),
        action: Cow::Borrowed(if counts.rows > 0 {
            "see the table quarantine for each with its reason; correct them and deliver them \
             again; the other rows were read"
        } else {
            "see the table quarantine for each with its reason; correct them and deliver the file \
             again"
        }),
    }
}

/// What quarantine says of a header that lacks columns.
pub(super) fn missing_message(mapping: &Mapping) -> String {
    format!(
        "the header lacks {}, so that nothing of the file was read; add or rename the columns \
         and run again",
        mapping.missing.join(", ")
    )
}
