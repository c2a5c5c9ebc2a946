//! BAI2: balance reporting of US banks, version 2 of the Cash Management Balance Reporting
//! specifications.
//!
//! `01` file, `02` group (one bank, one day), `03` account with balances and summaries, `16`
//! statement line, `88` continuation of any of them, then the trailers `49` account, `98`
//! group, `99` file with control totals and counts. Fields stand between commas and a slash
//! ends a record, but the text of a 16 runs to the end of its line, slashes and all.
//!
//! `record` puts lines together to records, `detail`, `fields` and `account` take the fields
//! apart, `narrative` reads the text by tags that are data, `entry` makes the row, `control`
//! compares the trailers, and `statement` holds it together.

mod account;
mod codes;
mod control;
mod detail;
mod entry;
mod fields;
mod narrative;
mod reader;
mod record;
mod statement;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::lines::LineReader;
use crate::transport::SourceFile;
use reader::Reader;

/// BAI2 files.
pub struct Bai2;

impl Format for Bai2 {
    fn name(&self) -> &'static str {
        "bai2"
    }

    fn about(&self) -> String {
        "BAI2 balance reporting (version 2), with several records on a line, text without \
         88 codes, and tagged or plain remittance text"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        head.strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(head)
            .trim_ascii_start()
            .starts_with(b"01,")
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let mut lines = LineReader::open(file, settings)?;
        let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
        while let Some(line) = lines.read_line().map_err(|error| file.refused(error))? {
            reader.line(&line)?;
        }
        reader.finish(lines.bytes(), lines.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_files_from_others() {
        let yes = |text: &[u8]| Bai2.recognizes(text);
        assert!(yes(b"01,0004,12345,060321,0829,001,80,1,2/"));
        assert!(yes(b"\xef\xbb\xbf\r\n 01,0004"));
        assert!(!yes(b"00,0004,1/2/345,06/0321,0829,001,80,1,2/"));
        assert!(!yes(b"go test fuzz v1\nstring(\"0\")"));
        assert!(!yes(b""));
        assert!(!yes(b"101 091000019"));
    }
}
