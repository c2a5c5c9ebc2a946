//! What a lockbox file says of itself against what was read, and what was odd on the way.

use tieout_core::{FindingCode, QuarantineReason, Severity};

use super::columns::whole_number;
use super::layout::TotalColumns;
use super::reader::{Group, Reader};
use crate::format::ReadError;
use crate::intake::Notice;
use crate::lines::Line;

impl Reader<'_> {
    /// Compares what a 7 or 8 record says with what was read; gives back what it says, or
    /// where that does not read, what was read.
    pub(super) fn compare(
        &mut self,
        what: &str,
        parts: &str,
        line: &Line<'_>,
        record: &[u8],
        read: Group,
    ) -> Result<Group, ReadError> {
        let columns: &TotalColumns = match what {
            "batch" => &self.layout.batch_total,
            _ => &self.layout.lockbox_total,
        };
        let count = columns
            .check_count
            .map(|columns| (columns, whole_number(columns.trimmed(record))));
        let Ok(Some(total)) = columns.total.read(record) else {
            let place = columns.total.columns;
            let message = format!(
                "the {what}'s total in {} is `{}`, expected digits; the {what} is read, but not \
                 compared with its total",
                place.spoken(),
                String::from_utf8_lossy(place.raw(record))
            );
            self.refuse(line, QuarantineReason::BadAmount, message)?;
            return Ok(read);
        };
        let checks = count.map_or(read.checks, |(_, count)| count.unwrap_or(0));
        let lockbox = &self.head.lockbox;
        if total != read.total {
            let found = format!("the {what} of lockbox {lockbox} says a total of {total}");
            let expected = format!("{}, the sum of its {parts}", read.total);
            self.untied(FindingCode::ControlTotal, line.number, found, expected)?;
        }
        if checks != read.checks {
            let lockbox = &self.head.lockbox;
            let found = format!("the {what} of lockbox {lockbox} says {checks} checks");
            let expected = format!("{}, as many as its {parts} have", read.checks);
            self.untied(FindingCode::ControlCount, line.number, found, expected)?;
        }
        Ok(Group {
            line: read.line,
            checks,
            total,
        })
    }

    pub(super) fn untied(
        &mut self,
        code: FindingCode,
        line: u64,
        found: String,
        expected: String,
    ) -> Result<(), ReadError> {
        Ok(self.intake.report(Notice {
            severity: Severity::Error,
            code,
            line: Some(line),
            found,
            expected,
            action: "Look in quarantine for checks that were not read; if there are none, ask \
                     the bank which figure is right."
                .into(),
        })?)
    }

    pub(super) fn missing(
        &mut self,
        line: u64,
        found: String,
        expected: &str,
    ) -> Result<(), ReadError> {
        Ok(self.intake.report(Notice {
            severity: Severity::Error,
            code: FindingCode::MissingRecord,
            line: Some(line),
            found,
            expected: expected.to_owned(),
            action: "Its checks are read, but not compared with a total; ask the bank for a \
                     whole file."
                .into(),
        })?)
    }

    /// Says how often something was odd, and where first.
    pub(super) fn report_oddities(&mut self) -> Result<(), ReadError> {
        let notices = [
            (
                &self.sums,
                Severity::Warning,
                FindingCode::ControlTotal,
                "checks whose documents add up to another amount",
                "net amounts that add up to the check",
                "The checks are read at their own amount; the difference is decided in matching.",
            ),
            (
                &self.sequences,
                Severity::Warning,
                FindingCode::OverflowSequence,
                "checks whose 4 records are not in sequence or do not end with 9",
                "4 records numbered 01, 02, ... of which the last is marked 9",
                "Documents of these checks may be missing; compare with the bank's image.",
            ),
            (
                &self.windows_1252,
                Severity::Info,
                FindingCode::ConvertedCharacters,
                "lines that are not UTF-8",
                "UTF-8",
                "They were read as Windows-1252.",
            ),
            (
                &self.other_characters,
                Severity::Warning,
                FindingCode::Encoding,
                "lines with characters that fixed columns cannot hold",
                "characters of Windows-1252",
                "Each such character was read as a question mark.",
            ),
        ];
        for (oddity, severity, code, what, expected, action) in notices {
            if oddity.count > 0 {
                self.intake.report(Notice {
                    severity,
                    code,
                    line: oddity.first_line,
                    found: format!("{} {what}, the first here", oddity.count),
                    expected: expected.to_owned(),
                    action: action.into(),
                })?;
            }
        }
        Ok(())
    }
}
