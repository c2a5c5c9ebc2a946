//! CODA: coded account statements of Belgian banks, versions 1 and 2 of the Febelfin standard.
//!
//! Records of 128 characters. `0` begins a file, `1` an account with its old balance; `21` is a
//! movement, `22` and `23` go on with it, `31` to `33` inform about it; `8` is the new balance,
//! `4` a message of the bank, `9` the trailer with a count and totals.
//!
//! A movement whose detail number is not zero is a part of the one before. Where the parts of a
//! total are payments of their own and add up to it, they become the rows; otherwise the
//! movement does, with the text of its parts. Money counts once either way.
//!
//! `movement` puts the records of a movement together, `communication` reads what it is about,
//! `entry` makes the row, `account` holds a statement, `reader` walks the records.

mod account;
mod communication;
mod entry;
mod movement;
mod reader;

use tieout_core::Date;

use crate::fixed::columns;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::national::{Desk, first_line, read_records};
use crate::transport::SourceFile;
use reader::Reader;

const RECORD_BYTES: usize = 128;
/// Amounts have three decimals whatever the currency.
const DECIMALS: u32 = 3;

/// CODA files.
pub struct Coda;

impl Format for Coda {
    fn name(&self) -> &'static str {
        "coda"
    }

    fn about(&self) -> String {
        "CODA account statements of Belgian banks, versions 1 and 2, with totals split into \
         their payments and structured communications"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let line = first_line(head);
        line.len() >= 60
            && line.starts_with(b"00000")
            && Date::parse_ddmmyy(columns(line, 6, 11)).is_ok()
            && columns(line, 15, 16) == b"05"
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
