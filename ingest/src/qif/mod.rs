//! QIF: the Quicken Interchange Format, which banks and programs for private books export.
//!
//! Lines begin with a letter that says what they hold (`D` date, `T` amount, `P` payee, `S` `E`
//! `$` a split), `^` ends a record, and `!Type:Bank` and the like say what the records below are.
//! There is no currency, no identifier and no control total, and dates and amounts follow the
//! habits of a country that nothing names.
//!
//! The file is read twice: `survey` infers the habits from all of it, `reader` makes the rows.
//! `section` knows the headers, `record` the letters, `date` the ways to write a day.

mod date;
mod reader;
mod record;
mod section;
mod survey;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::lines::LineReader;
use crate::transport::SourceFile;
use reader::Reader;
use section::Section;
use survey::Survey;

/// QIF files.
pub struct Qif;

impl Format for Qif {
    fn name(&self) -> &'static str {
        "qif"
    }

    fn about(&self) -> String {
        "QIF (Quicken): bank, card, cash, asset and liability accounts; order of dates and \
         decimal point are inferred from the whole file"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let line = head.trim_ascii_start();
        let end = line.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let line = line[..end.unwrap_or(line.len())].trim_ascii();
        Section::of(line).is_some_and(|section| section != Section::Unknown)
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let mut survey = Survey::default();
        let mut lines = LineReader::open(file, settings)?;
        while let Some(line) = lines.read_line().map_err(|error| file.refused(error))? {
            survey.line(&line);
        }
        let (habits, notices) = survey.conclude();
        let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows, habits);
        for notice in notices {
            reader.report(notice)?;
        }
        let mut lines = LineReader::open(file, settings)?;
        while let Some(line) = lines.read_line().map_err(|error| file.refused(error))? {
            reader.line(&line)?;
        }
        reader.finish(lines.bytes(), lines.lines())
    }
}
