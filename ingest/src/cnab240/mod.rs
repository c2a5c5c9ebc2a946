//! CNAB 240: what Brazilian banks and companies send each other, by FEBRABAN's standard.
//!
//! Records of 240 characters; column 8 tells what they are: `0` file header, `1` batch header,
//! `3` detail with its segment in column 14, `5` batch trailer, `9` file trailer. A batch holds
//! collection titles (segments T and U on their way back, P and Q on their way out), payments
//! (A, J, O, N) or a statement (E).
//!
//! `reader` walks the records, `batch` holds a batch, `collection`, `payment` and `statement`
//! make rows of segments, `layout` knows the columns, which are data where banks differ.

mod batch;
mod collection;
mod layout;
mod payment;
mod reader;
mod statement;

use crate::fixed::columns;
use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::national::{Desk, first_line, read_records};
use crate::transport::SourceFile;
use reader::Reader;

const RECORD_BYTES: usize = 240;

/// CNAB 240 files.
pub struct Cnab240;

impl Format for Cnab240 {
    fn name(&self) -> &'static str {
        "cnab240"
    }

    fn about(&self) -> String {
        let names: Vec<&str> = layout::all().iter().map(|layout| &*layout.name).collect();
        format!(
            "CNAB 240 files of Brazilian banks: collection and payments, remessa and retorno, and \
             statements (segment E); layouts {}",
            names.join(", ")
        )
    }

    fn role(&self) -> Role {
        Role::BankLines
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let line = first_line(head);
        let is_header = columns(line, 4, 8) == b"00000" && columns(line, 9, 16).trim_ascii() == b"";
        // Some cooperatives leave the file header out.
        let is_batch = columns(line, 4, 8) == b"00001"
            && matches!(columns(line, 9, 9), b"C" | b"D" | b"E" | b"R" | b"T")
            && columns(line, 10, 11).iter().all(u8::is_ascii_digit);
        let length_is_right = (200..=250).contains(&line.len())
            || line.len() > RECORD_BYTES && line.len().is_multiple_of(RECORD_BYTES);
        length_is_right
            && columns(line, 1, 3).iter().all(u8::is_ascii_digit)
            && (is_header || is_batch)
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
