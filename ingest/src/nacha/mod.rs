//! NACHA: files of the US automated clearing house (ACH), as the Nacha operating rules lay them
//! out.
//!
//! Records of 94 characters: `1` file, `5` batch (one company, one kind of entry, one effective
//! date), `6` entry (one account that is credited or debited), `7` addenda of the entry before
//! it, then the controls `8` of the batch and `9` of the file with counts, totals and a hash of
//! the routing numbers; lines of nines fill the last block of ten. Amounts are cents.
//!
//! An entry is a transaction of the account that it credits or debits, and the instruction that
//! its originator gave. Addenda `05` bring remittance (in CTX batches an X12 820 cut into pieces
//! of 80 characters), `99` makes the entry a return and `98` a notification of change.
//!
//! `framing` finds the records, `record` their columns, `header` reads files and batches, `kinds`
//! knows the batch types and transaction codes, `entry` and `addenda` read an entry (the
//! segments in it are read where X12 is), `rows` writes it, `check` and `control` compare it and its totals, `oddity`
//! counts what is unusual, and `reader` holds it together.

mod addenda;
mod check;
mod control;
mod entry;
mod framing;
mod header;
mod kinds;
mod oddity;
mod reader;
mod record;
mod rows;

use crate::format::{Counts, Format, ReadError, Receiver, Role, Settings};
use crate::intake::Intake;
use crate::transport::SourceFile;
use framing::Framing;
use reader::Reader;

/// ACH files.
pub struct Nacha;

impl Format for Nacha {
    fn name(&self) -> &'static str {
        "nacha"
    }

    fn about(&self) -> String {
        "NACHA ACH files: all batch types (PPD, CCD, CTX with X12 820, IAT, ADV, ...), returns, \
         dishonored and contested returns, notifications of change, prenotes"
            .to_owned()
    }

    fn role(&self) -> Role {
        Role::Details
    }

    fn recognizes(&self, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        let head = head.trim_ascii_start();
        is_file_header(head) || is_batch_header(head)
    }

    fn read(
        &self,
        file: &SourceFile,
        settings: &Settings,
        receiver: &mut dyn Receiver,
    ) -> Result<Counts, ReadError> {
        let source = file.open().map_err(|error| file.refused(error))?;
        let mut framing = Framing::new(source, settings.chunk_bytes);
        let mut reader = Reader::new(Intake::new(file, receiver), settings.batch_rows);
        while let Some(line) = framing.next().map_err(|error| file.refused(error))? {
            reader.line(&line)?;
        }
        reader.finish(framing.bytes(), framing.lines())
    }
}

/// `1`, priority `01`, and the constants `094101` (size, blocking factor, format) at column 35.
fn is_file_header(head: &[u8]) -> bool {
    head.starts_with(b"101") && head.get(34..40) == Some(b"094101")
}

/// A file that lost its header begins with a batch of a known kind and an entry.
fn is_batch_header(head: &[u8]) -> bool {
    let class = head.get(1..4).unwrap_or_default();
    let kind = head.get(50..53).unwrap_or_default();
    let entry = head.get(94..).unwrap_or_default().trim_ascii_start();
    head.starts_with(b"5")
        && [&b"200"[..], b"220", b"225", b"280"].contains(&class)
        && std::str::from_utf8(kind).is_ok_and(|kind| kinds::batch_kind(kind).is_some())
        && entry.starts_with(b"6")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_files_from_others() {
        let yes = |text: &str| Nacha.recognizes(text.as_bytes());
        assert!(yes("101 091000019 1210428822603160605A094101FIRST BANK"));
        assert!(yes(
            "\u{feff}\r\n101 100067554 1823273902603271043 094101PIMRET"
        ));
        assert!(!yes("101,091000019,4400128871,260316,0605,1,,,2/"));
        assert!(!yes("1000000000000000000000000000000000000000"));
        let batch = format!("5220{:46}PPD{:41}", "ACME", "PAYROLL");
        assert!(yes(&format!("{batch}\n627091000019")));
        assert!(!yes(&format!("{batch}\n827091000019")));
        assert!(!yes("101"));
        assert!(!yes(""));
    }
}
