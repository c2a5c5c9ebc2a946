//! Norma 43: account statements of Spanish banks (AEB 43, CSB 43).
//!
//! Records of 80 characters. `11` opens an account with its balance, `22` is a movement, up to
//! five `23` say what it is about, `24` gives its amount in another currency, `33` closes the
//! account with counts and totals, `88` ends the file with a count of records.
//!
//! `account` holds a statement, `movement` puts 22, 23 and 24 together, `reader` walks the
//! records.

mod account;
mod currencies;
mod movement;
mod reader;

use tieout_core::Date;

use crate::fixed::{columns, digits};
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::national::{Desk, first_line, read_records};
use crate::transport::SourceFile;
use reader::Reader;

const RECORD_BYTES: usize = 80;
/// Amounts have two decimals whatever the currency.
const DECIMALS: u32 = 2;

/// Norma 43 files.
pub struct Norma43;

impl Format for Norma43 {
    fn name(&self) -> &'static str {
        "norma43"
    }

    fn about(&self) -> String {
        "Norma 43 (AEB43, CSB43) account statements of Spanish banks, with complementary \
         concepts, SEPA direct debits in them, and lines without trailing blanks"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let line = first_line(head);
        line.starts_with(b"11")
            && digits(columns(line, 3, 20)).is_some_and(|_| line.len() > 49)
            && Date::parse_yymmdd(columns(line, 21, 26)).is_ok()
            && Date::parse_yymmdd(columns(line, 27, 32)).is_ok()
            && matches!(columns(line, 33, 33), b"1" | b"2")
            && digits(columns(line, 34, 50)).is_some()
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
