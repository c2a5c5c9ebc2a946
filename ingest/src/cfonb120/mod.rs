//! CFONB 120: account statements of French banks.
//!
//! Records of 120 characters. `01` opens a statement with its balance, `04` is a movement, `05`
//! says more about it under a qualifier, `07` closes the statement. The last character of an
//! amount is its last digit and its sign in one.
//!
//! `amount` reads those amounts, `movement` puts 04 and 05 together, `qualifiers` knows what an
//! 05 says, `reader` walks the records.

mod amount;
mod movement;
mod qualifiers;
mod reader;

use tieout_core::Date;

use crate::fixed::columns;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::national::{Desk, first_line, read_records};
use crate::transport::SourceFile;
use reader::Reader;

const RECORD_BYTES: usize = 120;

/// CFONB 120 files.
pub struct Cfonb120;

impl Format for Cfonb120 {
    fn name(&self) -> &'static str {
        "cfonb120"
    }

    fn about(&self) -> String {
        "CFONB 120 account statements of French banks, on lines or without line ends, with the \
         qualified details of SEPA payments"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let line = first_line(head);
        let is_record = matches!(line, [b'0', b'1' | b'4' | b'7', ..]);
        is_record
            && line.len() >= 104
            && amount::minor_units(columns(line, 91, 104)).is_some()
            && (Date::parse_ddmmyy(columns(line, 35, 40)).is_ok()
                || !columns(line, 104, 104).iter().all(u8::is_ascii_digit))
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let desk = Desk::new(Intake::new(file, receiver), settings.batch_rows);
        let mut reader = Reader::new(desk);
        let size = read_records(file, settings, RECORD_BYTES, &mut reader)?;
        reader.finish(size)
    }
}
