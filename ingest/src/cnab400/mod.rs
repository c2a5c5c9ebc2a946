//! CNAB 400: collection files of Brazilian banks, from a company to its bank (remessa) and back
//! (retorno).
//!
//! Records of 400 characters, 444 with an invoice key. `0` is the header, `1` (with Banco do
//! Brasil `7`) a title, `9` the trailer; other records go with the title before. Only the header
//! is the same everywhere: `layout` knows the columns of each bank, which are data. `reader`
//! walks the records, and [`crate::cnab`] makes rows of titles.

mod layout;
mod reader;

use crate::fixed::columns;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::national::{Desk, first_line, read_records};
use crate::transport::SourceFile;
use reader::Reader;

const RECORD_BYTES: usize = 400;
const HEAD_BYTES: usize = 64 * 1024;

/// CNAB 400 files.
pub struct Cnab400;

impl Format for Cnab400 {
    fn name(&self) -> &'static str {
        "cnab400"
    }

    fn about(&self) -> String {
        let mut names: Vec<&str> = layout::all().map(|layout| &*layout.name).collect();
        names.dedup();
        format!(
            "CNAB 400 and 444 collection files of Brazilian banks, remessa and retorno; layouts {}",
            names.join(", ")
        )
    }

    fn role(&self) -> Role {
        Role::Details
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let line = first_line(head);
        line.len() > 100 && matches!(columns(line, 1, 9), b"01REMESSA" | b"02RETORNO")
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let head = file.head(HEAD_BYTES);
        let head = head.map_err(|error| file.refused(error))?;
        let choice = layout::choose(&head);
        let desk = Desk::new(Intake::new(file, receiver), settings.batch_rows);
        let mut reader = Reader::new(desk, choice)?;
        let size = read_records(file, settings, RECORD_BYTES, &mut reader)?;
        reader.finish(size)
    }
}
